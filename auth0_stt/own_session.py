"""A caller's session: its adapters as they are, watched from above.

Its adapters connect in their own way. So the clock is read between small pieces of the
answer, and no connection that may hold more than its answer serves the next request.
"""

from __future__ import annotations

import os
import socket
from typing import Any, Mapping, Optional

from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidHeader
from requests.utils import default_user_agent
from urllib3.response import HTTPResponse

from .connections import LARGEST_BODY, Call, Reply, check_head
from .errors import invalid

#: What a session must not add: another way to authenticate, cookies, other framing.
_NOT_TAKEN = ["Authorization", "Cookie", "Host", "Expect"]
_NOT_TAKEN += ["Content-Encoding", "Transfer-Encoding"]
_SIP = 16  # bytes read between two looks at the clock


def checked_session(session: Any) -> Optional[Session]:
    """Return the session, or raise if it isn't one or doesn't verify certificates."""
    if session is None:
        return None
    if not isinstance(session, Session):
        raise invalid("session must be a requests.Session")
    verify: Any = session.verify
    if verify is not True and not (verify and isinstance(verify, (str, os.PathLike))):
        raise invalid("session must verify certificates: set verify to True or a path")
    return session


def checked_adapter(adapter: BaseAdapter, with_certificate: bool) -> BaseAdapter:
    """Return the adapter, or raise if it may repeat a POST or share a certificate."""
    if isinstance(adapter, HTTPAdapter):
        retries = adapter.max_retries
        posts = not retries.allowed_methods or "POST" in retries.allowed_methods
        # "other": failures after which urllib3 repeats any method, such as in TLS.
        if retries.total != 0 and (posts or retries.other != 0):
            raise invalid(
                "session has an adapter that may repeat a POST: mount one without "
                "max_retries, or with Retry(connect=3, read=0, other=0)"
            )
        # Older adapters may let other callers use a connection with this certificate.
        if with_certificate and not hasattr(adapter, "get_connection_with_tls_context"):
            raise invalid("session with a client_certificate needs requests >= 2.32")
    return adapter


def with_session_headers(headers: Mapping[str, str], session: Session) -> Any:
    """Return a session's headers with ours, which win except for a User-Agent."""
    theirs = (session.headers or {}).items()
    request = PreparedRequest()
    try:
        request.prepare_headers({k: v for k, v in theirs if v is not None})
        "".join(map(str, request.headers.values())).encode("latin-1")
    except (InvalidHeader, UnicodeError):
        raise invalid("session has a header that can't be sent") from None
    merged, agent = request.headers, request.headers.get("User-Agent")
    for name in _NOT_TAKEN:
        merged.pop(name, None)
    merged.update(headers)
    if agent not in (None, default_user_agent()):
        merged["User-Agent"] = agent
    return merged


def read_reply(response: Response, adapter: BaseAdapter, call: Call) -> Reply:
    """Read the answer of any adapter. Only one of urllib3's can be watched."""
    status, headers = response.status_code, response.headers
    check_head(status, headers, headers.get("Content-Encoding", ""))
    raw = response.raw
    if isinstance(raw, HTTPResponse) and not raw.tell():
        body = _watched(raw, call)
    else:  # read already, or made by a mock adapter
        body = response.content
        if isinstance(raw, HTTPResponse):
            adapter.close()  # which kept a connection that nobody has checked
    call.left()
    return Reply(status, headers, body)


def _watched(raw: HTTPResponse, call: Call) -> bytes:
    """Return the body read in small pieces, up to a little over the largest."""
    # urllib3 before 2 takes a body that was cut short for a whole one.
    raw.enforce_content_length = True
    connection = raw.connection
    # With the last byte urllib3 would give the connection to the next request.
    raw.release_conn = lambda: None  # type: ignore[method-assign]
    body, whole = bytearray(), False
    try:
        while len(body) <= LARGEST_BODY and not whole:
            sock: Any = getattr(connection, "sock", None)
            if sock is not None:
                sock.settimeout(call.left())
            sip = raw.read(_SIP, decode_content=False)
            body += sip
            call.left()
            whole = not sip or raw.length_remaining == 0
    finally:
        sock = getattr(connection, "sock", None)
        # OpenSSL may hold decrypted bytes, which urllib3's select can't see; so may
        # urllib3's TLS within TLS, which has no pending() to ask.
        pending = getattr(sock, "pending", lambda: not isinstance(sock, socket.socket))
        if connection is not None and (not whole or pending()):
            connection.close()
        del raw.release_conn
        raw.release_conn()
    return bytes(body)
