"""One clock and one count for a whole call, and connections that obey them, below requests and urllib3.

A :class:`Watched` connection asks the :class:`Call` that it serves before each step, so that no answer outlasts its
time or outgrows its size, and it is closed rather than kept where a byte is left that the next caller could be given.
"""

import io
import socket
import time
from contextvars import ContextVar
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Dict, Mapping, Optional

#: Bytes of a whole answer on the wire: its head, and the framing of a chunked body, count too.
_LARGEST_ANSWER = 128 * 1024

#: Bytes of a line of an answer's head.
_LONGEST_LINE = 4 * 1024

#: Bytes that one TLS record carries (RFC 8446, 5.1): sending one is a single step for the clock.
_RECORD = 16 * 1024

_CONNECTING = "connecting"
_SECURING = "in the TLS handshake"
_SENDING = "sending the request"
_WAITING = "waiting for the answer"
READING = "reading the answer"


class Call:
    """The clock and the count of one call, and how far it came."""

    def __init__(self, host: str, timeout: float) -> None:
        self.host = host
        self.timeout = timeout
        self.deadline: float = time.monotonic() + timeout
        self.received = 0
        #: Whether the request was handed to requests.
        self.begun = False
        #: None until a watched connection takes the call up.
        self.phase: Optional[str] = None

    @property
    def sent(self) -> bool:
        """Whether the other side may have seen any of the request."""
        return self.phase in (_SENDING, _WAITING, READING)

    def left(self) -> float:
        """Return the seconds that are left, or raise the timeout of sockets."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left


#: The call that this thread, or this greenlet, is in.
current_call: "ContextVar[Call]" = ContextVar("auth0_stt_call")


class UnusableAnswerError(Exception):
    """An answer came that can't be used; the status is None if not even its head can be."""

    def __init__(
        self,
        problem: str,
        status: Optional[int] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.headers: Mapping[str, str] = headers or {}


class TooLargeError(Exception):
    """More came in than an answer may have."""


class _Incoming(io.RawIOBase):
    """The bytes of one answer: in time, counted, and none after ``ended``."""

    def __init__(self, sock: Any, connection: Any) -> None:
        self.sock = sock
        self.connection = connection
        self.ended = False
        self._call = current_call.get()
        self._file = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> Optional[int]:
        if self.ended:
            return 0
        call = self._call
        if call.received >= _LARGEST_ANSWER:
            raise TooLargeError
        self.sock.settimeout(call.left())
        count: Optional[int] = self._file.readinto(buffer)
        call.received += count or 0
        if call.phase == _WAITING:
            call.phase = READING
        # For what urllib3 reads by itself next: the TLS handshake behind a proxy.
        self.sock.settimeout(call.left())
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def may_hold_more(sock: Any) -> bool:
    """Return whether bytes may lie decrypted where select can't see them: in OpenSSL, or where TLS runs inside TLS."""
    sock = getattr(sock, "connection", sock)  # as pyOpenSSL's are wrapped
    return bool(getattr(sock, "pending", int)()) or hasattr(sock, "sslobj")


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
            if self.peek(1) or may_hold_more(self.raw.sock):
                self.raw.connection.close()
        super().close()


class _StrictResponse(HTTPResponse):
    def begin(self) -> None:
        super().begin()
        if self.headers.defects or len(self.headers.get_all("Content-Length", [])) > 1:
            # Raised before urllib3 would log what it could not parse.
            raise HTTPException("malformed headers")


class Watched:
    """What is mixed into urllib3's connections. Its hooks are half public: a test notices when they no longer work."""

    sock: Any
    _ready = False
    #: The head of a request whose body is yet to come.
    _head: Optional[bytes] = None
    _tunnel_answer: Optional[_Answer] = None

    def connect(self) -> None:
        self._ready = False
        self._head = None
        current_call.get().phase = _CONNECTING
        try:
            super().connect()  # type: ignore[misc]
        finally:
            answer, self._tunnel_answer = self._tunnel_answer, None
            if (
                answer is not None
            ):  # left open by Python before 3.12, and its socket with it
                answer.close()
        self._ready = True

    def _new_conn(self) -> Any:
        call = current_call.get()
        sock = (
            super()._new_conn()
            if hasattr(self, "_socks_options")
            else self._open_socket(call)
        )  # type: ignore[misc]
        # What is over by now shows at the next step; raising here would leave the socket open.
        sock.settimeout(max(call.deadline - time.monotonic(), 0.001))
        call.phase = _SECURING
        return sock

    def _open_socket(self, call: Call) -> socket.socket:
        # As socket.create_connection does, but with one clock for all the addresses of the name.
        failure = OSError("the name has no address")
        host: str = self._dns_host.strip("[]")  # type: ignore[attr-defined]
        port: int = self.port  # type: ignore[attr-defined]
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, 0, socket.SOCK_STREAM
        ):
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
        call = current_call.get()
        if self._ready:  # not so for the CONNECT to a proxy
            if self._head is None:
                # The body follows at once: one system call and one TLS record for both, 5 % of a mint.
                self._head = data
                return
            data, self._head = self._head + data, None
            call.phase = _SENDING
        for start in range(0, len(data), _RECORD):
            self.sock.settimeout(call.left())
            self.sock.sendall(data[start : start + _RECORD])

    def response_class(
        self, sock: Any, debuglevel: int = 0, method: Optional[str] = None
    ) -> HTTPResponse:
        answer: Any = _Answer(_Incoming(sock, self))
        if self._ready:
            current_call.get().phase = _WAITING
        else:
            self._tunnel_answer = answer
        return _StrictResponse(answer, 0, method)  # 0: it would print the answer's head


class TimedSocket:
    """What is mixed into TLS sockets: to an https proxy, urllib3 reads from one by itself, for the TLS within."""

    def recv(self, *args: Any) -> bytes:
        self.settimeout(current_call.get().left())  # type: ignore[attr-defined]
        received: bytes = super().recv(*args)  # type: ignore[misc]
        return received


_watched_connections: Dict[type, type] = {}


def _watched(connection_class: Any) -> Any:
    if getattr(connection_class, "send", None) is not HTTPConnection.send:
        return connection_class  # a stand-in, such as VCR.py's
    if connection_class not in _watched_connections:
        name = "Watched" + connection_class.__name__
        _watched_connections[connection_class] = type(
            name, (Watched, connection_class), {}
        )
    return _watched_connections[connection_class]


def watch(manager: Any) -> None:
    """Let a pool manager of urllib3 make watched connections."""
    manager.pool_classes_by_scheme = {
        scheme: _watched_pool(pool_class)
        for scheme, pool_class in manager.pool_classes_by_scheme.items()
    }


def _watched_pool(pool_class: Any) -> type:
    # Asked for each new connection, so that tools which replace the class of connections later are heard.
    connection_class = property(lambda self: _watched(pool_class.ConnectionCls))
    return type(
        "Watched" + pool_class.__name__,
        (pool_class,),
        {"ConnectionCls": connection_class},
    )
