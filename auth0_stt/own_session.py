"""A caller's session: its adapters as they are, watched from above.

Its adapters connect in their own way. The clock is then looked at between small reads,
and a connection is kept from the next request until nothing more can be in it.
"""

import socket
from typing import Any, Dict, List, Mapping, Optional

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidHeader
from requests.utils import default_user_agent
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.exceptions import SSLError as BrokenTLS
from urllib3.response import HTTPResponse

from .connections import LARGEST_BODY, Call, Reply, check_head, too_large
from .errors import InvalidArgumentError

#: What a session must not add: another way to authenticate, cookies, other framing.
_NOT_TAKEN = frozenset(
    (
        "authorization",
        "cookie",
        "content-encoding",
        "content-length",
        "expect",
        "host",
        "transfer-encoding",
    )
)

#: Bytes read between two looks at the clock.
_SIP = 16


def session_checked(session: Any) -> Optional[Session]:
    """Return the session, or raise if it isn't one or doesn't verify certificates."""
    if session is None or (isinstance(session, Session) and session.verify):
        return session
    if isinstance(session, Session):
        problem = "must verify certificates: set its verify to True or a path"
    else:
        problem = "must be a requests.Session"
    raise InvalidArgumentError("session " + problem, "session")


def adapter_checked(adapter: BaseAdapter, with_certificate: bool) -> BaseAdapter:
    """Return the adapter, or raise if it would do what must not be done.

    What may have reached the tenant is never sent twice: an Action may take a subject
    token only once.
    """
    if isinstance(adapter, HTTPAdapter):
        if _repeats(adapter.max_retries):
            raise InvalidArgumentError(
                "session has an adapter that may repeat a POST: mount an HTTPAdapter "
                "without max_retries, or with Retry(connect=3, read=0, other=0)",
                "session",
            )
        if with_certificate and not hasattr(adapter, "get_connection_with_tls_context"):
            # It would give the connection of one certificate to the next caller.
            raise InvalidArgumentError(
                "session with a client_certificate needs requests 2.32 or later",
                "session",
            )
    return adapter


def _repeats(retries: Any) -> bool:
    """Whether urllib3 would repeat a POST that may have arrived."""
    codes = {*retries.RETRY_AFTER_STATUS_CODES, *(retries.status_forcelist or ())}
    if any(retries.is_retry("POST", code, has_retry_after=True) for code in codes):
        return True
    for error in (ProtocolError("lost"), BrokenTLS("broken")):
        try:
            retries.increment("POST", "/", error=error)
        except HTTPError:
            continue
        return True
    return False


def with_session_headers(
    headers: Mapping[str, str], session: Session
) -> Dict[str, str]:
    """Return the headers and those of a session beside them.

    Ours win, except a User-Agent that the session's owner chose.
    """
    prepared = PreparedRequest()
    given = (session.headers or {}).items()
    try:
        prepared.prepare_headers(
            {name: each for name, each in given if each is not None}
        )
        theirs = {
            str(name).lower(): _text(each) for name, each in prepared.headers.items()
        }
    except (InvalidHeader, UnicodeError):
        raise InvalidArgumentError(
            "session has a header that can't be sent", "session"
        ) from None
    ours = {name.lower() for name in headers}
    if theirs.get("user-agent") != default_user_agent():
        ours.discard("user-agent")
    kept = {
        name: each for name, each in theirs.items() if name not in _NOT_TAKEN | ours
    }
    return {**headers, **kept}


def _text(value: Any) -> str:
    """Return a header's value as text, or raise UnicodeError if it can't be sent."""
    text: str = value.decode("latin-1") if isinstance(value, bytes) else value
    text.encode("latin-1")
    return text


def read(response: Response, adapter: BaseAdapter, call: Call) -> Reply:
    """Return the answer of an adapter, its own body read in time and no further."""
    status, headers = response.status_code, response.headers
    check_head(status, headers, headers.get("Content-Encoding", ""))
    raw = response.raw
    if isinstance(raw, HTTPResponse) and not raw.tell():
        body = _watched(raw, call)
    else:
        # Read already, or made by an adapter of a test's.
        body = response.content
        if isinstance(raw, HTTPResponse):
            # urllib3 keeps the connection, and nobody has looked what follows there.
            adapter.close()
    call.left()
    if len(body) > LARGEST_BODY:
        raise too_large(status, headers)
    return Reply(status, headers, body)


def _watched(raw: HTTPResponse, call: Call) -> bytes:
    """Return the body, or a little more than the largest, read in small pieces."""
    # urllib3 before 2 takes a body that was cut short for a whole one.
    raw.enforce_content_length = True
    connection = raw.connection
    # In the way of urllib3, which would give the connection to the next request with
    # the last byte, before it is known to hold no more.
    raw.release_conn = lambda: None  # type: ignore[method-assign]
    pieces: List[bytes] = []
    room, whole = LARGEST_BODY + 1, False
    try:
        while room and not whole:
            sock = getattr(connection, "sock", None)
            if sock is not None:
                sock.settimeout(call.left())
            pieces.append(raw.read(min(room, _SIP), decode_content=False))
            call.left()
            room -= len(pieces[-1])
            whole = not pieces[-1] or raw.length_remaining == 0
    finally:
        if connection is not None and (not whole or _may_hold_more(connection.sock)):
            connection.close()
        del raw.release_conn
        raw.release_conn()
    return b"".join(pieces)


def _may_hold_more(sock: Any) -> bool:
    """Whether bytes may lie decrypted where urllib3's select can't see them.

    They can in OpenSSL, and in urllib3's TLS within TLS, which can't be asked.
    """
    pending = getattr(sock, "pending", None)
    if pending is not None:
        return bool(pending())
    return sock is not None and not isinstance(sock, socket.socket)
