"""Send the agent's browser over: the target's login URL with the token in it."""

from __future__ import annotations

import re
from typing import Any, Collection, Dict, Optional, Tuple
from urllib.parse import quote, unquote_plus, urlencode

from .arguments import optional_text, plain, token
from .errors import SessionTransferError, boundary, invalid
from .models import SESSION_TRANSFER_TOKEN_TYPE, SessionTransferTokenResult
from .tenant import is_loopback, parse_authority

#: Headers for the redirect: no cache may keep its URL, no Referer may leak it.
REDIRECT_HEADERS: Dict[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

# The characters of RFC 3986, and those that the URL Standard leaves as they are.
_TARGET = (
    r"(?ai)(https?)://([^/?#@\\%]+)((?:/[\w.~!$&'()*+,;=:@%-]*)*)"
    r"(\?[\w.~!$&'()*+,;=:@%/?\[\]{}|^`-]*)?(#[\w.~!$&'()*+,;=:@%/?\[\]{}|^-]*)?"
)
_DOT_SEGMENT = r"(?i)/(?:\.|%2e){1,2}(?=/|$)"  # which a browser resolves


@boundary
def build_session_transfer_redirect(
    target_login_url: str,
    result: SessionTransferTokenResult,
    organization: Optional[str] = None,
    *,
    allowed_hosts: Optional[Collection[str]] = None,
) -> str:
    """Return the URL that opens the target application as the customer.

    Redirect the agent's browser to it at once: answer the agent's POST with status 303
    and :data:`REDIRECT_HEADERS`. Never log or store the URL.

    :param target_login_url: the target's ``initiate_login_uri``: absolute and ``https``
        (``http`` for loopback). Its query stays as it is, except for an earlier token,
        and an earlier organization if one is passed.
    :param result: what :func:`request_session_transfer_token` returned.
    :param organization: id or name that the session is for. It is independent of the
        one that was checked while minting.
    :param allowed_hosts: where the URL may point, each as ``host`` or ``host:port``.
        Pass it if ``target_login_url`` comes from a request.

    Raises :class:`InvalidArgumentError` for an invalid argument, and for a result with
    any token but a session transfer token. Source: Auth0, "Session Delegation".
    """
    if not isinstance(result, SessionTransferTokenResult):
        raise invalid("result must be what request_session_transfer_token returned")
    if plain(result.issued_token_type) != SESSION_TRANSFER_TOKEN_TYPE:
        raise invalid("result holds another type of token, which no URL may contain")
    try:
        issued = token("result", result.session_transfer_token)
    except SessionTransferError:
        raise invalid("result holds a malformed token") from None
    added = {"session_transfer_token": issued}
    organization = optional_text("organization", organization)
    if organization is not None:
        added["organization"] = organization
    scheme, host, page, query, fragment = _parse_target(target_login_url)
    if allowed_hosts is not None:
        many = isinstance(allowed_hosts, Collection) and plain(allowed_hosts) is None
        hosts = [parse_authority(e, scheme) for e in allowed_hosts] if many else [None]
        if None in hosts:
            raise invalid("allowed_hosts must be a collection of host or host:port")
        if host not in hosts:
            raise invalid("target_login_url has a host that is not in allowed_hosts")
    # What is not added here stays, byte for byte.
    kept = [piece for piece in query.split("&") if _name(piece) not in added]
    # Some servers separate parameters at semicolons too.
    if any(_name(part) in added for part in ";".join(kept).split(";")):
        raise invalid("target_login_url has a token or organization after a semicolon")
    query = "&".join(kept)
    query += "" if not query or query.endswith("&") else "&"
    query += urlencode(added, safe="", quote_via=quote)
    return f"{page}?{query}{fragment}"


def _parse_target(target_login_url: Any) -> Tuple[str, str, str, str, str]:
    """Return the URL's scheme, host, everything before its query, query, fragment."""
    match = re.fullmatch(_TARGET, plain(target_login_url) or "")
    scheme, authority, path, query, fragment = match.groups("") if match else [""] * 5
    host = parse_authority(authority, scheme.lower())
    dots = re.search(_DOT_SEGMENT, path)
    # The host must be written as parse_authority() writes it: IPv6 has many forms.
    if host is None or not authority.lower().startswith(host) or dots:
        raise invalid(
            "target_login_url must be an absolute https URL of plain ASCII "
            "(percent-encode the rest), without user, backslash or dot segments"
        )
    if scheme.lower() == "http" and not is_loopback(host):
        raise invalid("target_login_url must be https (http only for loopback)")
    page = f"{scheme}://{authority}{path or '/'}"
    return scheme.lower(), host, page, query[1:], fragment


def _name(piece: str) -> str:
    return unquote_plus(piece.partition("=")[0])
