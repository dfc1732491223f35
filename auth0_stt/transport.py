"""The one HTTP request that this package makes: POST a form, read a small answer, in time.

Requests brings connections, proxies and TLS; this module holds it to what a request that carries secrets needs.
One :class:`_Call` is the clock and the count of a whole call, and every connection of ours is a :class:`_Watched`
one, which asks it before each step below urllib3. So no answer outlasts its time, outgrows its size, or leaves a
byte behind for the next caller.

Nothing raises here but what must pass (KeyboardInterrupt and its like): errors are returned, since these frames
hold secrets and a traceback keeps its frames.
"""

import io
import os
import socket
import ssl
import time
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union
from urllib.parse import urlencode

from attrs import define, field, frozen
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter, HTTPAdapter
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
from requests.utils import DEFAULT_CA_BUNDLE_PATH, extract_zipped_paths, get_environ_proxies, select_proxy
from urllib3.util.ssl_ import create_urllib3_context

from .errors import InvalidArgumentError, TransportError, TransportErrorCode

#: Bytes of an answer's body: many times what a token endpoint has to say.
_LARGEST_BODY = 64 * 1024

#: Bytes of a whole answer on the wire: its head, and the framing of a chunked body, count too.
_LARGEST_ANSWER = 2 * _LARGEST_BODY

#: Bytes of one line of an answer's head: what nginx, for one, has for a head as a whole.
_LONGEST_LINE = 4 * 1024

#: Bytes that one TLS record carries (RFC 8446, 5.1): sending one is a single step for the clock.
_RECORD = 16 * 1024

#: Idle connections kept for each tenant. More threads than that still work, each call on a connection of its own.
_IDLE_CONNECTIONS = 256

#: Sessions kept, one for each set of certificates in use.
_SESSIONS = 16

#: What a caller's session must not add: another way of authenticating, cookies, another framing of the body.
_NOT_FROM_SESSION = frozenset(
    ("authorization", "cookie", "content-encoding", "content-length", "expect", "host", "transfer-encoding")
)


@frozen
class Reply:
    """What came back; ``problem`` says why it can't be used, where it can't, and then the status may be None."""

    status: Optional[int]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    problem: Optional[str] = None


def session_error(session: Any) -> Optional[InvalidArgumentError]:
    """Return the error of a session that is none, or that does not verify certificates."""
    if session is None:
        return None
    if not isinstance(session, Session):
        return InvalidArgumentError("session must be a requests.Session", "session")
    if not session.verify:
        return InvalidArgumentError("session must verify certificates: set its verify to True or a path", "session")
    return None


def post_form(
    url: str,
    form: Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float,
    session: Optional[Session] = None,
    certificate: Optional[Tuple[str, Optional[str]]] = None,
) -> Union[Reply, TransportError, InvalidArgumentError]:
    """POST a form once and return the reply, or the error that stands for none.

    ``certificate`` has the paths of a client certificate and its key, None where one file holds both. With a
    ``session`` its own adapters connect; of the clock and the count only what can be seen from above then holds.
    """
    call = _Call(url.split("/")[2], timeout)
    running = _current.set(call)
    try:
        if session is None:
            sender, settings = _pooled_session(url, certificate)
        else:
            sender, settings = _borrowed_session(url, session, certificate)
            headers = {**_session_headers(session), **headers}
        response = sender.send(
            _prepared(url, form, headers), stream=True, allow_redirects=False, timeout=call.left(), **settings
        )
        try:
            return _read(response, call)
        finally:
            # After a whole answer this does nothing; after anything else it ends the connection.
            response.close()
    except Exception as error:
        failure = _failure(error, call)
    finally:
        _current.reset(running)
    return failure


def _prepared(url: str, form: Mapping[str, Any], headers: Mapping[str, str]) -> PreparedRequest:
    # By hand: preparing it the usual way looks for .netrc, merges cookies and parses the URL again.
    request = PreparedRequest()
    body = urlencode(form, doseq=True).encode("ascii")
    request.method = "POST"
    request.url = url
    request.body = body
    request.headers = CaseInsensitiveDict(headers)
    request.headers["Content-Length"] = str(len(body))
    return request


def _read(response: Response, call: "_Call") -> Reply:
    status = response.status_code
    headers = response.headers
    watched, call.phase = call.phase is not None, _READING
    if status != 200 and not 400 <= status <= 599:
        return Reply(status, headers, b"", "it is neither a success nor an error (redirects are not followed)")
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        return Reply(status, headers, b"", "it has a content coding that was not asked for")
    raw = response.raw
    raw.enforce_content_length = True  # urllib3 before 2 takes a body cut short for a whole one
    pieces: List[bytes] = []
    left = _LARGEST_BODY + 1
    while left > 0:
        # A connection of ours has its own clock; that of others is looked at between small reads.
        piece = raw.read(left if watched else min(left, 16), decode_content=False)
        if not piece:
            return Reply(status, headers, b"".join(pieces))
        call.left()
        pieces.append(piece)
        left -= len(piece)
    return Reply(status, headers, b"", "its body is larger than 64 KiB")


# --- sessions --------------------------------------------------------------------------------------------------


class _Session(Session):
    """A session that follows nothing, stores nothing, and adds nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: Response) -> None:
        """Return None: requests would read the whole body of a redirect, and decode its Location."""


class _Adapter(HTTPAdapter):
    """Watched connections, and one TLS context for all of them."""

    def __init__(self, ssl_context: ssl.SSLContext) -> None:
        self._ssl_context = ssl_context
        super().__init__(pool_connections=32, pool_maxsize=_IDLE_CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._ssl_context, **kwargs)
        _watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        if proxy.lower().startswith("https:"):
            kwargs["proxy_ssl_context"] = self._ssl_context
        manager = super().proxy_manager_for(proxy, ssl_context=self._ssl_context, **kwargs)
        if not known:
            _watch(manager)
        return manager

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave CA and client certificates to the context: read here, they cost 25 ms for each new connection."""
        conn.cert_reqs = "CERT_REQUIRED"


#: The sessions of this process, with its id: a forked child must not write on its parent's connections.
_pool: Tuple[int, Dict[Any, _Session]] = (0, {})


def _pooled_session(url: str, certificate: Optional[Tuple[str, Optional[str]]]) -> Tuple[Session, Dict[str, Any]]:
    global _pool
    if _pool[0] != os.getpid():
        _pool = (os.getpid(), {})
    sessions = _pool[1]
    bundle = _environ_bundle()
    files = [path for path in (bundle, *(certificate or ())) if path is not None]
    # One session for each set of certificates: requests before 2.32 would mix their connections.
    key = tuple((path, os.stat(path).st_mtime_ns) for path in files)
    found = sessions.get(key)
    if found is None:
        context = create_urllib3_context()
        bundle = str(bundle or extract_zipped_paths(DEFAULT_CA_BUNDLE_PATH))  # type: ignore[no-untyped-call]
        context.load_verify_locations(**{"capath" if os.path.isdir(bundle) else "cafile": bundle})
        if certificate is not None:
            context.load_cert_chain(*certificate, password="")
        if hasattr(context, "sslsocket_class"):  # pyOpenSSL's has none
            context.sslsocket_class = type("TimedSocket", (_TimedSocket, context.sslsocket_class), {})
        fresh, adapter = _Session(), _Adapter(context)
        fresh.mount("https://", adapter)
        fresh.mount("http://", adapter)
        if len(sessions) >= _SESSIONS:
            sessions.clear()
        found = sessions.setdefault(key, fresh)
    # Not True, with which requests 2.32.2 takes a TLS context of its own.
    return found, {"verify": 1, "cert": None, "proxies": get_environ_proxies(url, no_proxy=None)}


def _environ_bundle() -> Optional[str]:
    return os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or None


def _borrowed_session(
    url: str, session: Session, certificate: Optional[Tuple[str, Optional[str]]]
) -> Tuple[Session, Dict[str, Any]]:
    """Return a session of ours that connects with the adapter of the caller's, by the caller's settings."""
    adapter = _once(session.get_adapter(url), certificate)
    sender = _Session()
    sender.get_adapter = lambda url: adapter  # type: ignore[method-assign]
    verify, proxies = session.verify, dict(session.proxies)
    if session.trust_env:
        if verify is True:
            verify = _environ_bundle() or True
        if select_proxy(url, proxies) is None:
            proxies = get_environ_proxies(url, no_proxy=proxies.get("no_proxy"))
    cert: Any = session.cert
    if certificate is not None:
        cert = certificate if certificate[1] else certificate[0]
    return sender, {"verify": verify, "cert": cert, "proxies": proxies}


def _once(adapter: BaseAdapter, certificate: Optional[Tuple[str, Optional[str]]]) -> BaseAdapter:
    """Return the adapter without its retries: what may have reached the tenant is never sent twice."""
    if not isinstance(adapter, HTTPAdapter):
        return adapter
    twin = object.__new__(type(adapter))
    twin.__dict__.update(adapter.__dict__)
    twin.max_retries = HTTPAdapter().max_retries
    if certificate is not None and not hasattr(adapter, "get_connection_with_tls_context"):
        # Requests before 2.32 gives the connection of one certificate to the next: start with none.
        twin.init_poolmanager(1, 1)
        twin.proxy_manager = {}
    return twin


def _session_headers(session: Session) -> Dict[str, str]:
    prepared = PreparedRequest()
    prepared.prepare_headers({name: value for name, value in session.headers.items() if value is not None})
    names = {name.lower(): value for name, value in prepared.headers.items()}
    return {name: value for name, value in names.items() if name not in _NOT_FROM_SESSION}


# --- below urllib3 ---------------------------------------------------------------------------------------------


@define
class _Call:
    """The clock and the count of one call, and how far it came."""

    host: str
    timeout: float
    deadline: float = field(init=False)
    #: None until a connection of ours takes it up.
    phase: Optional[str] = field(default=None, init=False)
    received: int = field(default=0, init=False)

    @deadline.default
    def _deadline(self) -> float:
        return time.monotonic() + self.timeout

    def left(self) -> float:
        """Return the seconds that are left, or raise the timeout of sockets."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left


_CONNECTING = "connecting"
_SECURING = "in the TLS handshake"
_SENDING = "sending the request"
_WAITING = "waiting for the answer"
_READING = "reading the answer"

#: The call that this thread, or this greenlet, is in.
_current: "ContextVar[_Call]" = ContextVar("auth0_stt_call")


class _TooLargeError(Exception):
    """More came in than an answer may have."""


class _Incoming(io.RawIOBase):
    """The bytes of one answer: in time, counted, and none after ``ended``."""

    def __init__(self, sock: Any, connection: Any) -> None:
        self.sock = sock
        self.connection = connection
        self.ended = False
        self._call = _current.get()
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Optional[int]:
        if self.ended:
            return 0
        call = self._call
        if call.received >= _LARGEST_ANSWER:
            raise _TooLargeError
        self.sock.settimeout(call.left())
        count: Optional[int] = self._file.readinto(buffer)
        call.received += count or 0
        if call.phase == _WAITING:
            call.phase = _READING
        # For what urllib3 reads by itself next: the TLS handshake behind a proxy.
        self.sock.settimeout(call.left())
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class _Answer(io.BufferedReader):
    """The buffer under an HTTPResponse, which closes it where the answer ends."""

    raw: _Incoming

    def readline(self, size: Any = -1) -> bytes:
        """Refuse long, folded and unfinished lines: email.parser takes the square of the length of some headers."""
        line = super().readline(_LONGEST_LINE + 1)
        if len(line) > _LONGEST_LINE or line.startswith((b" ", b"\t")):
            raise HTTPException("malformed headers")
        if not line.endswith(b"\n"):
            raise IncompleteRead(b"")
        return line

    def makefile(self, mode: str) -> "_Answer":
        """Stand in for the socket that HTTPResponse asks for its file."""
        return self

    def close(self) -> None:
        if not self.closed:
            self.raw.ended = True
            # Bytes may also lie decrypted inside OpenSSL, where select can't see them, or where TLS runs inside TLS.
            sock = getattr(self.raw.sock, "connection", self.raw.sock)
            if self.peek(1) or getattr(sock, "pending", int)() or hasattr(sock, "sslobj"):
                self.raw.connection.close()
        super().close()


class _StrictResponse(HTTPResponse):
    def begin(self) -> None:
        super().begin()
        if self.headers.defects or len(self.headers.get_all("Content-Length", [])) > 1:
            # Raised before urllib3 would log what it could not parse.
            raise HTTPException("malformed headers")


class _Watched:
    """What is mixed into urllib3's connections. Its hooks are half public: a test notices when they no longer work."""

    sock: Any
    _ready = False
    _tunnel_answer: Optional[_Answer] = None

    def connect(self) -> None:
        self._ready = False
        _current.get().phase = _CONNECTING
        try:
            super().connect()  # type: ignore[misc]
        finally:
            if self._tunnel_answer is not None:  # left open by Python before 3.12, and its socket with it
                self._tunnel_answer.close()
        self._ready = True

    def _new_conn(self) -> Any:
        call = _current.get()
        if hasattr(self, "_socks_options"):
            sock = super()._new_conn()  # type: ignore[misc]
        else:
            sock = self._open_socket(call)
        sock.settimeout(call.left())
        call.phase = _SECURING
        return sock

    def _open_socket(self, call: _Call) -> socket.socket:
        # As socket.create_connection does, but with one clock for all the addresses of the name.
        failure = OSError("the name has no address")
        host: str = self._dns_host.strip("[]")  # type: ignore[attr-defined]
        port: int = self.port  # type: ignore[attr-defined]
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
            sock = None
            try:
                sock = socket.socket(family, kind, protocol)
                for option in self.socket_options or ():  # type: ignore[attr-defined]
                    sock.setsockopt(*option)
                sock.settimeout(call.left())
                sock.connect(address)
                return sock
            except BaseException as error:
                if sock is not None:
                    sock.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
        raise failure

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        call = _current.get()
        if self._ready:  # not so for the CONNECT to a proxy
            call.phase = _SENDING
        for start in range(0, len(data), _RECORD):
            self.sock.settimeout(call.left())
            self.sock.sendall(data[start : start + _RECORD])

    def response_class(self, sock: Any, debuglevel: int = 0, method: Optional[str] = None) -> HTTPResponse:
        answer: Any = _Answer(_Incoming(sock, self))
        if self._ready:
            _current.get().phase = _WAITING
        else:
            self._tunnel_answer = answer
        return _StrictResponse(answer, 0, method)  # 0: it would print the answer's head


class _TimedSocket:
    """What is mixed into TLS sockets: to an https proxy, urllib3 reads from one by itself, for the TLS within."""

    def recv(self, *args: Any) -> bytes:
        self.settimeout(_current.get().left())  # type: ignore[attr-defined]
        received: bytes = super().recv(*args)  # type: ignore[misc]
        return received


_watched_connections: Dict[type, type] = {}


def _watched(connection_class: Any) -> Any:
    if getattr(connection_class, "send", None) is not HTTPConnection.send:
        return connection_class  # a stand-in, such as VCR.py's
    if connection_class not in _watched_connections:
        name = "Watched" + connection_class.__name__
        _watched_connections[connection_class] = type(name, (_Watched, connection_class), {})
    return _watched_connections[connection_class]


def _watch(manager: Any) -> None:
    """Let a pool manager of urllib3 make watched connections."""
    manager.pool_classes_by_scheme = {
        scheme: _watched_pool(pool_class) for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }


def _watched_pool(pool_class: Any) -> type:
    # Asked for each new connection, so that tools which replace the class of connections later are heard.
    connection_class = property(lambda self: _watched(pool_class.ConnectionCls))
    return type("Watched" + pool_class.__name__, (pool_class,), {"ConnectionCls": connection_class})


# --- what failed -----------------------------------------------------------------------------------------------


def _chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, however urllib3 and requests wrapped it."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _failure(error: Exception, call: _Call) -> Union[Reply, TransportError, InvalidArgumentError]:
    """Return what stands for an exception; it refers to nothing of that, which holds the request."""
    wrapped = list(_chain(error))

    def has(*classes: Any) -> bool:
        return any(isinstance(each, classes) for each in wrapped)

    if isinstance(error, InvalidHeader):
        return InvalidArgumentError("session has a header that can't be sent", "session")
    files = False
    if call.phase is None:
        files = isinstance(error, OSError) and not isinstance(error, (RequestException, socket.timeout))
        # Not a connection of ours: only what can't happen later is known to be unsent.
        sent = not (files or has(socket.gaierror, ConnectionRefusedError, ConnectTimeout, InvalidSchema, InvalidURL))
    else:
        sent = call.phase in (_SENDING, _WAITING, _READING)
    where = f" (while {call.phase})" if call.phase else ""

    if has(_TooLargeError):
        return Reply(None, {}, b"", "it is larger than 128 KiB")
    if time.monotonic() >= call.deadline or has(socket.timeout, Timeout):
        message = f"{call.host} did not answer within {call.timeout:g} seconds{where}"
        return TransportError(TransportErrorCode.timeout, message, sent)
    if has(HTTPException) and (has(ValueError) or not has(RemoteDisconnected, IncompleteRead)):
        return Reply(None, {}, b"", "it is not HTTP")
    if files:
        message = f"the CA bundle or certificate for {call.host} can't be read: see REQUESTS_CA_BUNDLE"
        return TransportError(TransportErrorCode.tls, message, sent)
    if has(SSLError, ssl.SSLError) and not any(map(_is_lost, wrapped)):
        message = f"no secure connection to {call.host}: {_reason(wrapped)}{where}"
        return TransportError(TransportErrorCode.tls, message, sent)
    message = f"no connection to {call.host}: {_reason(wrapped)}{where}"
    return TransportError(TransportErrorCode.unreachable, message, sent, not any(map(_is_hopeless, wrapped)))


def _reason(wrapped: List[BaseException]) -> str:
    """Return the system's or OpenSSL's own words for a failure; never words that came over the wire."""
    for error in wrapped:
        if isinstance(error, ssl.SSLError):
            return str(getattr(error, "verify_message", "") or getattr(error, "reason", "") or "TLS failed")
        if isinstance(error, OSError) and not isinstance(error, RequestException) and error.strerror:
            return error.strerror
    if any(map(_is_refused_tunnel, wrapped)):
        return "the proxy refused to connect"
    return "the connection was lost"


def _is_lost(error: BaseException) -> bool:
    # Python 3.7 does not know OpenSSL 3's word for it.
    unknown = isinstance(error, ssl.SSLError) and "unexpected eof" in str(error)
    return unknown or isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError))


def _is_refused_tunnel(error: BaseException) -> bool:
    return type(error) is OSError and str(error).startswith("Tunnel connection failed")


def _is_hopeless(error: BaseException) -> bool:
    unknown_name = isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN
    unusable_proxy = isinstance(error, (InvalidSchema, InvalidURL, UnicodeError))
    return unknown_name or unusable_proxy or _is_refused_tunnel(error)
