"""The one HTTP request that this package makes: POST a form, read a small answer, in time.

Requests brings sessions, proxies and CA bundles; this module holds it to what a request that carries secrets needs,
and ``connections`` does the same for what lies below.
"""

import errno
import os
import socket
import ssl
import sys
import time
from functools import lru_cache
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlencode

from attr import frozen
from requests import PreparedRequest, Response
from requests import Session as Session  # for the signatures of the other modules, too
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.exceptions import (
    ConnectTimeout,
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    RequestException,
    SSLError,
    Timeout,
)
from requests.structures import CaseInsensitiveDict
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    default_user_agent,
    extract_zipped_paths,
    get_environ_proxies,
    select_proxy,
)
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse
from urllib3.util.retry import Retry
from urllib3.util.ssl_ import create_urllib3_context

from .connections import (
    READING,
    Call,
    TimedSocket,
    TooLargeError,
    UnusableAnswerError,
    current_call,
    may_hold_more,
    watch,
)
from .errors import InvalidArgumentError, TransportError, TransportErrorCode

#: Bytes of an answer's body: many times what a token endpoint has to say.
_LARGEST_BODY = 64 * 1024

#: Idle connections kept for each tenant. More threads than that still work, each call on a connection of its own.
_IDLE_CONNECTIONS = 256

#: Tenants whose connections are kept.
_TENANTS = 32

#: Sessions kept, one for each set of certificates in use.
_SESSIONS = 16

#: What a caller's session must not add: another way of authenticating, cookies, another framing of the body.
_NOT_FROM_SESSION = frozenset(
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


@frozen
class Reply:
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def session_checked(session: Any) -> Optional[Session]:
    """Return the session, or raise if it isn't one or doesn't verify certificates."""
    if session is None:
        return None
    if not isinstance(session, Session):
        raise InvalidArgumentError("session must be a requests.Session", "session")
    if not session.verify:
        raise InvalidArgumentError(
            "session must verify certificates: set its verify to True or a path",
            "session",
        )
    return session


def post_form(
    url: str,
    form: Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float,
    session: Optional[Session] = None,
    certificate: Optional[Tuple[str, Optional[str]]] = None,
) -> Reply:
    """POST a form once and return the reply, or raise.

    ``certificate`` has the paths of a client certificate and its key, None where one file holds both. With a
    ``session`` its own adapters connect; of the clock and the count only what can be seen from above then holds.
    """
    call = Call(url.split("/")[2], timeout)
    running = current_call.set(call)
    try:
        if session is None:
            sender, settings = _pooled_session(url, certificate)
        else:
            sender, settings = _borrowed_session(url, session, certificate)
            headers = _with_session_headers(headers, session)
        request, left = _prepared(url, form, headers), call.left()
        call.begun = True
        response = sender.send(
            request, stream=True, allow_redirects=False, timeout=left, **settings
        )
        try:
            return _read(response, call)
        finally:
            # After a whole answer this does nothing; after anything else it ends the connection.
            response.close()
    except UnusableAnswerError:
        raise
    except (
        *(RequestException, HTTPError, HTTPException, OSError, TooLargeError),
        *(ValueError, AttributeError, RecursionError),
    ) as error:
        failure = _failure(error, call)
    finally:
        current_call.reset(running)
    raise failure


def _prepared(
    url: str, form: Mapping[str, Any], headers: Mapping[str, str]
) -> PreparedRequest:
    # By hand: preparing it the usual way looks for .netrc, merges cookies and parses the URL again.
    request = PreparedRequest()
    body = urlencode(form, doseq=True).encode("ascii")
    request.method = "POST"
    request.url = url
    request.body = body
    request.headers = CaseInsensitiveDict(headers)
    request.headers["Content-Length"] = str(len(body))
    return request


def _read(response: Response, call: Call) -> Reply:
    status = response.status_code
    headers = response.headers
    watched, call.phase = call.phase is not None, READING
    if status != 200 and not 400 <= status <= 599:
        raise UnusableAnswerError(
            "it is neither a success nor an error (redirects are not followed)",
            status,
            headers,
        )
    if headers.get("Content-Encoding", "identity").strip().lower() not in (
        "identity",
        "",
    ):
        raise UnusableAnswerError(
            "it has a content coding that was not asked for", status, headers
        )
    raw = response.raw
    if not isinstance(
        raw, HTTPResponse
    ):  # of an adapter that is none of urllib3's, such as a stand-in of tests
        body = response.content
        call.left()
        if len(body) > _LARGEST_BODY:
            raise UnusableAnswerError("its body is larger than 64 KiB", status, headers)
        return Reply(status, headers, body)
    raw.enforce_content_length = (
        True  # urllib3 before 2 takes a body cut short for a whole one
    )
    pool = None if watched else getattr(raw, "_pool", None)
    if pool is not None:
        raw._pool = None  # keeps the connection from the next caller until it is known to hold no more
    pieces: List[bytes] = []
    left = _LARGEST_BODY + 1
    while left > 0:
        # A connection of ours has its own clock; that of others is looked at between small reads.
        piece = raw.read(left if watched else min(left, 16), decode_content=False)
        call.left()
        pieces.append(piece)
        left -= len(piece)
        # A body whose length was told needs no further read, 4 % of a mint, to show its end.
        if not piece or (left > 0 and getattr(raw, "length_remaining", None) == 0):
            if pool is not None and not may_hold_more(
                getattr(raw._connection, "sock", None)
            ):
                raw._pool = pool
                raw.release_conn()
            return Reply(status, headers, b"".join(pieces))
    raise UnusableAnswerError("its body is larger than 64 KiB", status, headers)


# --- sessions --------------------------------------------------------------------------------------------------


class _NoCookies(RequestsCookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        """Take none."""


class _Session(Session):
    """A session that follows nothing, stores nothing, and adds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies = _NoCookies()

    def get_redirect_target(self, resp: Response) -> None:
        """Return None: requests would read the whole body of a redirect, and decode its Location."""


class _Adapter(HTTPAdapter):
    """Watched connections, and one TLS context for all of them."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._ssl_context = ssl_context
        self._pools: Dict[Any, Any] = {}
        # urllib3 closes the pools that it forgets, so it is to forget later than this adapter.
        super().__init__(pool_connections=2 * _TENANTS, pool_maxsize=_IDLE_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._ssl_context, **kwargs)
        watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._ssl_context
        manager = super().proxy_manager_for(
            proxy, ssl_context=self._ssl_context, **kwargs
        )
        if not known:
            watch(manager)
        return manager

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        # The ready-made one copies the headers, and looks for cookies and a charset: 5 % of a mint.
        response = Response()
        response.status_code, response.reason = resp.status, resp.reason
        response.headers, response.raw = resp.headers, resp
        response.request, response.url = req, str(req.url)
        return response

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        # Worked out once for each tenant and proxy: for each request anew it is 4 % of a mint.
        key = request.url, select_proxy(request.url, proxies) if proxies else None
        pool = self._pools.get(key)
        if pool is None:
            if len(self._pools) >= _TENANTS:
                self._pools.clear()
            pool = self._pools[key] = super().get_connection_with_tls_context(
                request, verify, proxies, cert
            )
        return pool

    def request_url(self, request: Any, proxies: Any) -> Any:
        # Not to look for the proxy of a URL where there is none, here and above, saves 4 % of a mint.
        return super().request_url(request, proxies) if proxies else request.path_url

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave CA and client certificates to the context: read here, they cost 25 ms for each new connection."""
        conn.cert_reqs = "CERT_REQUIRED"


#: The sessions of this process, with its id: a forked child must not write on its parent's connections.
_pool: Tuple[int, Dict[Any, _Session]] = (0, {})


def _pooled_session(
    url: str, certificate: Optional[Tuple[str, Optional[str]]]
) -> Tuple[Session, Dict[str, Any]]:
    global _pool
    if _pool[0] != os.getpid():
        _pool = (os.getpid(), {})
    sessions = _pool[1]
    bundle = _environ_bundle()
    # One session for each set of certificates: requests before 2.32 would mix their connections.
    key = tuple(
        path and (path, os.stat(path).st_mtime_ns)
        for path in (bundle, *(certificate or ()))
    )
    found = sessions.get(key)
    if found is None:
        fresh, adapter = _Session(), _Adapter(_tls_context(bundle, certificate))
        fresh.mount("https://", adapter)
        fresh.mount("http://", adapter)
        if len(sessions) >= _SESSIONS:
            sessions.clear()
        found = sessions.setdefault(key, fresh)
    # Not True, with which requests 2.32.2 takes a TLS context of its own.
    return found, {"verify": 1, "cert": None, "proxies": _environ_proxies(url)}


def _tls_context(
    bundle: Optional[str], certificate: Optional[Tuple[str, Optional[str]]]
) -> ssl.SSLContext:
    context: Any = create_urllib3_context()
    if not isinstance(context, ssl.SSLContext):
        # pyOpenSSL, injected into urllib3, has contexts that serve one connection only.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = (
            False  # urllib3 then compares the name itself, also of an address
        )
    bundle = bundle or str(extract_zipped_paths(DEFAULT_CA_BUNDLE_PATH))
    context.load_verify_locations(
        **{"capath" if os.path.isdir(bundle) else "cafile": bundle}
    )
    if certificate is not None:
        context.load_cert_chain(*certificate, password="")
    context.sslsocket_class = type(
        "TimedSocket", (TimedSocket, context.sslsocket_class), {}
    )
    return context  # type: ignore[no-any-return]


def _environ_proxies(url: str) -> Dict[str, str]:
    # Where no variable names a proxy there is none to work out, which saves 19 % of a mint: requests reads the whole
    # environment twice for it. Windows and macOS have settings of their own besides.
    if sys.platform in ("win32", "darwin") or "_proxy" in " ".join(os.environ).lower():
        return get_environ_proxies(url, no_proxy=None)
    return {}


def _environ_bundle() -> Optional[str]:
    return (
        os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None
    )


def _borrowed_session(
    url: str, session: Session, certificate: Optional[Tuple[str, Optional[str]]]
) -> Tuple[Session, Dict[str, Any]]:
    """Return a session of ours that connects with the adapter of the caller's, by the caller's settings."""
    adapter = _once(session.get_adapter(url), certificate)
    sender = _Session()
    sender.get_adapter = lambda url: adapter  # type: ignore[method-assign]
    verify, proxies = session.verify, dict(session.proxies or {})
    if session.trust_env:
        if verify is True:
            verify = _environ_bundle() or True
        if select_proxy(url, proxies) is None:
            proxies = get_environ_proxies(url, no_proxy=proxies.get("no_proxy"))
    cert: Any = session.cert
    if certificate is not None:
        cert = certificate if certificate[1] else certificate[0]
    return sender, {"verify": verify, "cert": cert, "proxies": proxies}


def _once(
    adapter: BaseAdapter, certificate: Optional[Tuple[str, Optional[str]]]
) -> Any:
    """Return the adapter without its retries: what may have reached the tenant is never sent twice."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    adapter_class: Any = type(adapter)
    twin = object.__new__(_without_retries(adapter_class))
    twin.__dict__ = (
        adapter.__dict__
    )  # so that what it notes of a request stays with its owner
    if certificate is not None and not hasattr(
        adapter, "get_connection_with_tls_context"
    ):
        # Requests before 2.32 gives the connection of one certificate to the next: start with none.
        twin.__dict__ = dict(adapter.__dict__)
        twin.init_poolmanager(1, 1)
        twin.proxy_manager = {}
    return twin


@lru_cache(maxsize=_SESSIONS)
def _without_retries(adapter_class: Any) -> Any:
    none = property(lambda self: Retry(0, read=False), lambda self, retries: None)
    return type(adapter_class.__name__, (adapter_class,), {"max_retries": none})


def _with_session_headers(
    headers: Mapping[str, str], session: Session
) -> Dict[str, Any]:
    """Return the headers with those of a session beside them; in its place only a User-Agent that its owner chose."""
    prepared = PreparedRequest()
    prepared.prepare_headers(
        {
            name: value
            for name, value in (session.headers or {}).items()
            if value is not None
        }
    )
    theirs = {str(name).lower(): value for name, value in prepared.headers.items()}
    ours = {name.lower() for name in headers}
    if theirs.get("user-agent") != default_user_agent():
        ours.discard("user-agent")
    kept = {
        name: value
        for name, value in theirs.items()
        if name not in _NOT_FROM_SESSION and name not in ours
    }
    return {**headers, **kept}


# --- what failed -----------------------------------------------------------------------------------------------


#: What can't happen once anything is sent.
_UNSENT = (
    socket.gaierror,
    ssl.SSLCertVerificationError,
    ConnectionRefusedError,
    ConnectTimeout,
    InvalidSchema,
    InvalidURL,
)


def _chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, however urllib3 and requests wrapped it."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [
                current.__cause__,
                current.__context__,
                getattr(current, "reason", None),
                *current.args,
            ]


def _failure(
    error: Exception, call: Call
) -> Union[UnusableAnswerError, TransportError, InvalidArgumentError]:
    """Return what stands for an exception; it refers to nothing of that, which holds the request."""
    wrapped = list(_chain(error))

    def has(*classes: Any) -> bool:
        return any(isinstance(each, classes) for each in wrapped)

    if isinstance(error, InvalidHeader):
        return InvalidArgumentError(
            "session has a header that can't be sent", "session"
        )
    files, sent, where = False, call.sent, f" (while {call.phase})"
    if call.phase is None:
        # Not a connection of ours: only what can't happen later is known to be unsent.
        files = isinstance(error, OSError) and not isinstance(
            error, (RequestException, socket.timeout)
        )
        sent = call.begun and not (
            files or has(*_UNSENT) or any(map(_is_refused_tunnel, wrapped))
        )
        where = ""

    if has(TooLargeError):
        return UnusableAnswerError("it is larger than 128 KiB")
    if time.monotonic() >= call.deadline or has(socket.timeout, Timeout):
        message = f"{call.host} did not answer within {call.timeout:g} seconds{where}"
        return TransportError(TransportErrorCode.TIMEOUT, message, sent)
    if has(HTTPException) and (
        has(ValueError) or not has(RemoteDisconnected, IncompleteRead)
    ):
        return UnusableAnswerError("it is not HTTP")
    if files:
        message = f"the CA bundle or certificate for {call.host} can't be read: see REQUESTS_CA_BUNDLE"
    elif has(RecursionError):
        message = f"no secure connection to {call.host}: gevent patched ssl after it was imported, let it patch first"
    elif has(SSLError, ssl.SSLError) and not any(map(_is_lost, wrapped)):
        message = f"no secure connection to {call.host}: {_reason(wrapped)}{where}"
    else:
        message = f"no connection to {call.host}: {_reason(wrapped)}{where}"
        return TransportError(
            TransportErrorCode.UNREACHABLE,
            message,
            sent,
            any(map(_is_hopeless, wrapped)),
        )
    return TransportError(TransportErrorCode.TLS, message, sent)


def _reason(wrapped: List[BaseException]) -> str:
    """Return the system's or OpenSSL's own words for a failure; never words that came over the wire."""
    for error in wrapped:
        if isinstance(error, ssl.SSLError):
            return str(
                getattr(error, "verify_message", "")
                or getattr(error, "reason", "")
                or "TLS failed"
            )
        if (
            isinstance(error, OSError)
            and not isinstance(error, RequestException)
            and error.strerror
        ):
            return error.strerror
    if any(map(_is_refused_tunnel, wrapped)):
        return "the proxy refused to connect"
    return "the connection was lost"


def _is_lost(error: BaseException) -> bool:
    # What was lost before the handshake began has this number; and Python 3.7 does not know OpenSSL 3's words.
    if isinstance(error, ssl.SSLError) and (
        error.errno == errno.ENOTCONN or "unexpected eof" in str(error)
    ):
        return True
    return isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError))


def _is_refused_tunnel(error: BaseException) -> bool:
    return type(error) is OSError and str(error).startswith("Tunnel connection failed")


def _is_hopeless(error: BaseException) -> bool:
    unknown_name = (
        isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN
    )
    unusable_proxy = isinstance(error, (InvalidSchema, InvalidURL, UnicodeError))
    return unknown_name or unusable_proxy or _is_refused_tunnel(error)
