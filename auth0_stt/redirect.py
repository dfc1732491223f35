"""Send the agent's browser over: the target's login URL with the session transfer token in it."""

import re
from typing import Any, Collection, Dict, List, Optional, Tuple, Union
from urllib.parse import quote, unquote_plus

from .arguments import is_loopback, optional_text_error, parse_authority, token_error
from .errors import InvalidArgumentError
from .models import SESSION_TRANSFER_TOKEN_TYPE, SessionTransferTokenResult

#: Headers for the redirect: the URL holds the token, so no cache may keep it and no Referer may tell it.
REDIRECT_HEADERS: Dict[str, str] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

# RFC 3986 characters, and those that the URL Standard leaves as they are in a query or a fragment.
_TARGET = (
    r"(?ai)(https?)://([^/?#@\\%]+)((?:/[\w.~!$&'()*+,;=:@%-]*)*)"
    r"(\?[\w.~!$&'()*+,;=:@%/?\[\]{}|^`-]*)?(#[\w.~!$&'()*+,;=:@%/?\[\]{}|^-]*)?"
)

# A browser resolves these segments before it asks for the page.
_DOT_SEGMENT = r"(?i)/(?:\.|%2e){1,2}(?=/|$)"


def build_session_transfer_redirect(
    target_login_url: str,
    result: SessionTransferTokenResult,
    organization: Optional[str] = None,
    *,
    allowed_hosts: Optional[Collection[str]] = None,
) -> str:
    """Return the URL that opens the target application as the customer: redirect the agent's browser to it at once.

    Answer the agent's POST with status 303 and :data:`REDIRECT_HEADERS`; never log or store the URL.

    :param target_login_url: the target's ``initiate_login_uri``: absolute and ``https``, ``http`` for loopback
        alone. What stands in its query stays as it is, but for an earlier token or organization.
    :param result: what :func:`request_session_transfer_token` returned.
    :param organization: id or name that the session is for; apart from the one that was checked while minting.
    :param allowed_hosts: where the URL may point, as ``host`` or ``host:port``; pass it wherever
        ``target_login_url`` comes from a request.

    Raises :class:`InvalidArgumentError`.

    Source: Auth0, "Session Delegation".
    """
    parameters = (
        ("session_transfer_token",)
        if organization is None
        else ("session_transfer_token", "organization")
    )
    error = _result_error(result) or optional_text_error("organization", organization)
    target = error or _target(target_login_url, parameters, allowed_hosts)
    if isinstance(target, InvalidArgumentError):
        raise target

    page, kept, fragment = target
    added = "session_transfer_token=" + quote(result.session_transfer_token, safe="")
    if organization is not None:
        added += "&organization=" + quote(organization, safe="")
    if kept and not kept.endswith("&"):
        kept += "&"
    return f"{page}?{kept}{added}{fragment}"


def _target(
    target_login_url: Any, parameters: Collection[str], allowed_hosts: Any
) -> Union[Tuple[str, str, str], InvalidArgumentError]:
    """Return page, kept query and fragment, or the error: no frame of a traceback may hold an earlier token."""
    match = (
        re.fullmatch(_TARGET, target_login_url)
        if isinstance(target_login_url, str)
        else None
    )
    scheme, authority, path, query, fragment = match.groups("") if match else [""] * 5
    host = parse_authority(authority, scheme.lower())
    # A host that begins otherwise is an IPv6 address in another form.
    if (
        host is None
        or not authority.lower().startswith(host)
        or re.search(_DOT_SEGMENT, path)
    ):
        return InvalidArgumentError(
            "target_login_url must be an absolute https URL of plain ASCII (percent-encode the rest), "
            "without user, backslash or dot segments",
            "target_login_url",
        )
    if scheme.lower() == "http" and not is_loopback(host):
        return InvalidArgumentError(
            "target_login_url must be https (http for loopback alone)",
            "target_login_url",
        )
    if allowed_hosts is not None:
        hosts = _hosts(allowed_hosts, scheme.lower())
        if hosts is None:
            return InvalidArgumentError(
                "allowed_hosts must be a collection of host or host:port",
                "allowed_hosts",
            )
        if host not in hosts:
            return InvalidArgumentError(
                "target_login_url points to a host that is not in allowed_hosts",
                "target_login_url",
            )
    # Without earlier values of the parameters, the query stays as it is, byte for byte.
    kept = "&".join(
        piece for piece in query[1:].split("&") if _name(piece) not in parameters
    )
    if ";" in kept and any(
        _name(piece) in parameters for piece in re.split("[&;]", kept)
    ):
        return InvalidArgumentError(
            "target_login_url has a session_transfer_token or organization behind a semicolon",
            "target_login_url",
        )
    return f"{scheme}://{authority}{path or '/'}", kept, fragment


def _name(piece: str) -> str:
    return unquote_plus(piece.partition("=")[0])


def _result_error(result: Any) -> Optional[InvalidArgumentError]:
    if not isinstance(result, SessionTransferTokenResult):
        return InvalidArgumentError(
            "result must be what request_session_transfer_token returned", "result"
        )
    if (
        not isinstance(result.issued_token_type, str)
        or result.issued_token_type != SESSION_TRANSFER_TOKEN_TYPE
    ):
        return InvalidArgumentError(
            "result holds a token of another type: it must not get into a URL", "result"
        )
    if token_error("result", result.session_transfer_token) is not None:
        return InvalidArgumentError("result holds a malformed token", "result")
    return None


def _hosts(allowed_hosts: Any, scheme: str) -> Optional[List[Optional[str]]]:
    if isinstance(allowed_hosts, (str, bytes)) or not isinstance(
        allowed_hosts, Collection
    ):
        return None
    try:
        hosts = [parse_authority(entry, scheme) for entry in allowed_hosts]
    except Exception:  # whatever a collection of the caller's own raises
        return None
    return None if None in hosts else hosts
