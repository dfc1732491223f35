"""For the application that is entered: what its login route passes on, and who is behind a session."""

from typing import Any, Dict, List, Mapping, Optional, Union

from .arguments import text_error
from .errors import InvalidArgumentError
from .models import Actor

_PARAMETERS = ("session_transfer_token", "organization")


def session_transfer_params(query: Any) -> Dict[str, str]:
    """Return what a login route passes on to ``/authorize``: nothing for an ordinary login.

    :param query: the query of the request: Django's ``QueryDict``, Werkzeug's ``MultiDict``, or any mapping of
        names to a str or a list of str. With a ``session_transfer_token`` in it, that and the ``organization``,
        if there is one, come back.

    Drop ``offline_access`` from the scope for a login with a token: the tenant refuses it. The token itself is the
    tenant's to check.

    Raises :class:`InvalidArgumentError` for a parameter that is repeated or malformed: answer 400.

    Source: Auth0, "Session Delegation".
    """
    parameters = _parameters(query)
    if isinstance(parameters, InvalidArgumentError):
        raise parameters
    return parameters


def _parameters(query: Any) -> Union[Dict[str, str], InvalidArgumentError]:
    """Return what is to be passed on, or the error: no frame of a traceback may hold the token."""
    try:
        found = {name: _values(query, name) for name in _PARAMETERS}
    except Exception:  # whatever something raises that is no mapping of parameters
        return InvalidArgumentError(
            "query must be the mapping of a request's query parameters", "query"
        )
    if not found["session_transfer_token"]:
        return {}
    for name, values in found.items():
        if len(values) > 1:
            return InvalidArgumentError(f"query has {name} more than once", "query")
        if values and text_error(name, values[0]) is not None:
            return InvalidArgumentError(f"query has a malformed {name}", "query")
    return {name: values[0] for name, values in found.items() if values}


def _values(query: Any, name: str) -> List[Any]:
    """Return all the values of a parameter, however the mapping keeps them."""
    if hasattr(query, "getlist"):
        return list(query.getlist(name))
    if not isinstance(query, Mapping):
        raise TypeError
    if name not in query:
        return []
    if hasattr(query, "getall"):  # Pyramid's and aiohttp's
        return list(query.getall(name))
    values = query[name]
    return list(values) if isinstance(values, (list, tuple)) else [values]


def actor_from_claims(claims: Mapping[str, Any]) -> Optional[Actor]:
    """Return the agent behind a delegated session, or None for a session of the customer's own.

    :param claims: the claims of the session's ID token, already verified by the login.

    Raises :class:`InvalidArgumentError` for claims that are no mapping, and for an ``act`` claim that names no
    one: such a session must not pass for the customer's own.

    Source: RFC 8693, 4.1; Auth0, "Session Delegation".
    """
    if not isinstance(claims, Mapping):
        raise InvalidArgumentError(
            "claims must be the mapping of an ID token's claims", "claims"
        )
    try:
        if "act" not in claims:
            return None
        act = dict(claims["act"]) if isinstance(claims["act"], Mapping) else {}
    except Exception:  # whatever a mapping of the caller's own raises
        act = {}
    sub = act.pop("sub", None)
    if not isinstance(sub, str) or not sub.strip():
        raise InvalidArgumentError(
            "claims has an act claim without the agent's sub", "claims"
        )
    return Actor(sub, act)
