"""For the application that is entered: pass the token on, see the agent, sign out."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Optional
from urllib.parse import urlencode

from .arguments import plain, text
from .errors import InvalidArgumentError, boundary, invalid
from .models import Actor
from .tenant import parse_domain

#: Seconds after which Auth0 ends a delegated session (Auth0, Session Delegation). The
#: target's own session should end as early.
DELEGATED_SESSION_LIFETIME = 7200
_WEB_URL = r"(?i)https?://[!-~]+"  # RFC 3986, 3


@boundary
def session_transfer_params(query: Any) -> Dict[str, str]:
    """Return what a login route passes on to ``/authorize``: ``{}`` without a token.

    :param query: the query of the request: Django's ``QueryDict``, Werkzeug's
        ``MultiDict``, or any mapping of names to a str or a list of str. If it has a
        ``session_transfer_token``, that comes back, with any ``organization``.

    A delegated session gets no refresh token: ``offline_access`` in the scope is left
    out. Checking the token is the tenant's part.

    Raises :class:`InvalidArgumentError` for a parameter that is repeated or malformed:
    answer 400. Source: Auth0, "Session Delegation".
    """
    if not isinstance(query, Mapping):
        raise invalid("query must be the mapping of a request's query parameters")
    token = _value(query, "session_transfer_token")
    if token is None:
        return {}
    found = {"session_transfer_token": token}
    organization = _value(query, "organization")
    if organization is not None:
        found["organization"] = organization
    return found


def _value(query: Any, name: str) -> Optional[str]:
    """Return the only value of a parameter, however the mapping keeps it, or None."""
    # getlist: Django and Werkzeug; getall: Pyramid and aiohttp.
    get = getattr(query, "getlist", getattr(query, "getall", query.__getitem__))
    values = get(name) if name in query else []
    values = values if isinstance(values, (list, tuple)) else [values]
    if not values:
        return None
    if len(values) > 1:
        raise invalid(f"query has {name} more than once")
    try:
        return text(name, values[0])
    except InvalidArgumentError:
        raise invalid(f"query has a malformed {name}") from None


@boundary
def actor_from_claims(claims: Mapping[str, Any]) -> Optional[Actor]:
    """Return the agent behind a delegated session, or None for the customer's own.

    :param claims: the claims of the session's ID token, which the login has verified.

    Raises :class:`InvalidArgumentError` for claims that are not a mapping, and for an
    ``act`` claim that names nobody: such a session must not pass for the customer's
    own. Source: RFC 8693, 4.1; Auth0, "Session Delegation".
    """
    if not isinstance(claims, Mapping):
        raise invalid("claims must be the mapping of an ID token's claims")
    if "act" not in claims:
        return None
    act = dict(claims["act"]) if isinstance(claims["act"], Mapping) else {}
    sub = act.pop("sub", None)
    if not isinstance(sub, str) or not sub.strip():
        raise invalid("claims has an act claim without the agent's sub")
    return Actor(sub, act)


@boundary
def build_logout_url(
    domain: str, *, client_id: str, return_to: Optional[str] = None
) -> str:
    """Return the URL that ends the session at the tenant: send the browser there.

    The agent must leave an account this way before entering the next one on the same
    domain. It does not end the target's own session: do that first.

    :param domain: the tenant's host or custom domain, as the target signs in with.
    :param client_id: the target application's.
    :param return_to: where the tenant sends the browser afterwards. It must be among
        the application's ``allowed_logout_urls``, which are compared without its query.

    Raises :class:`InvalidArgumentError`. Source: Auth0, "Log Users Out of Auth0".
    """
    tenant = parse_domain(plain(domain) or "")
    query = {"client_id": text("client_id", client_id)}
    if return_to is not None:
        query["returnTo"] = plain(return_to) or ""
        if not re.fullmatch(_WEB_URL, query["returnTo"]):
            raise invalid("return_to must be an absolute URL of plain ASCII")
    return f"{tenant.scheme}://{tenant.domain}/v2/logout?{urlencode(query)}"
