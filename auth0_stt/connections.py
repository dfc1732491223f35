"""Connections that keep one clock and one count for a whole call.

Every step of a connection is the same: set the time that is left, do it, count what
came. So no peer can hold a call beyond its timeout, byte by byte, or fill the memory.

A :class:`Connection` has a socket, layers of TLS on it if need be, and a buffer on top,
from which the standard library's HTTPResponse parses the answer. They outlive the
answer, so that bytes left over can be seen and never reach the next caller.
"""

from __future__ import annotations

import errno
import io
import os
import re
import socket
import ssl
import time
from contextlib import suppress
from functools import lru_cache
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Callable, Mapping, Optional, Tuple, cast
from urllib.parse import SplitResult, unquote, urlsplit

from attr import Factory, define, frozen
from urllib3.exceptions import LocationValueError
from urllib3.util import Timeout, make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from .errors import raised_by_caller

LARGEST_BODY = 64 * 1024  # bytes: many times what a token endpoint has to say
_LARGEST_HEAD = 32 * 1024  # bytes, also of the lines that frame a chunked body
_LARGEST_CALL = 256 * 1024  # bytes that come in one call, TLS handshake included
_STEP = 16 * 1024  # bytes moved at once: at most a TLS record (RFC 8446, 5.1)

# The schemes that a proxy's URL may have, each with its default port.
PROXY_PORTS = dict.fromkeys(("socks4", "socks4a", "socks5", "socks5h"), 1080)
PROXY_PORTS.update(http=80, https=443)


@define(eq=False, repr=False, slots=False)
class UnusableAnswerError(HTTPException):
    """An answer that can't be used. Its status is None if its head can't be read."""

    problem: str
    status: Optional[int] = None
    headers: Mapping[str, str] = Factory(dict)


@frozen(eq=False, repr=False)
class Reply:
    """An answer that was read whole. A body above :data:`LARGEST_BODY` raises."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __attrs_post_init__(self) -> None:
        if len(self.body) > LARGEST_BODY:
            problem = "its body is larger than 64 KiB"
            raise UnusableAnswerError(problem, self.status, self.headers)


class Call(Timeout):
    """The clock and the count of one call, and how far it got.

    It is a Timeout of urllib3, so that requests hands it on to an adapter untouched.
    """

    def __init__(self, host: str, seconds: float) -> None:
        super().__init__(seconds)
        self.host = host
        self.seconds = seconds
        self.deadline: float = time.monotonic() + seconds
        self.received = 0  # bytes over the wire
        self.sent = False  # whether the tenant may have seen any of the request
        self.doing = ""  # for messages; empty for a caller's session

    def left(self) -> float:
        """Return the seconds that are left, or raise ``socket.timeout``."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        return left


@frozen(repr=False)
class Route:
    """All that a connection depends on.

    ``files`` are the paths of a CA bundle and of any certificate and key, and when they
    were written. No files mean plain HTTP.
    """

    url: str
    files: Tuple[Tuple[str, int], ...]
    proxy: Optional[str]
    process: int


def check_head(status: int, headers: Mapping[str, str], coding: str) -> None:
    """Refuse an answer whose body is not worth reading, before it is read.

    No content coding is decoded: 200 MB of zeros are 492 bytes as ``gzip, gzip``.
    """
    if status != 200 and not 400 <= status <= 599:
        problem = "it is neither a success nor an error (redirects are not followed)"
    elif coding.strip().lower() not in ("", "identity"):
        problem = "it has a content coding that was not asked for"
    else:
        return
    raise UnusableAnswerError(problem, status, headers)


class _Layer(io.RawIOBase):
    """A raw stream of :mod:`io`: a socket, or TLS over another layer."""

    def readable(self) -> bool:
        return True


class _Wire(_Layer):
    """A socket under the clock and the count of a call."""

    def __init__(self, sock: socket.socket, call: Call) -> None:
        self.sock = sock
        self.call = call
        self.waits = True  # except while Connection.is_quiet() looks

    def readinto(self, buffer: Any) -> int:
        """Receive some bytes, or none at the end. BlockingIOError: nothing came yet."""
        if self.call.received >= _LARGEST_CALL:
            raise UnusableAnswerError("more than 256 KiB came")
        self._limit()
        size = self.sock.recv_into(buffer, min(len(buffer), _STEP))
        self.call.received += size
        return size

    def write(self, data: Any) -> int:
        """Send all the bytes."""
        self.call.left()
        sent = 0
        if self.sock.gettimeout() == 0:  # after is_quiet(): most data fits at once
            with suppress(BlockingIOError):
                sent = self.sock.send(data)
        if sent < len(data):
            self._limit()
            self.sock.sendall(data[sent:])  # the timeout is for all of it
        return len(data)

    def _limit(self) -> None:
        """Give the next step the time that is left, or none if it only looks."""
        left = self.call.left() if self.waits else 0.0
        # A system call that lets other threads run: not worth it for a millisecond.
        if not left <= float(self.sock.gettimeout() or 0) <= left + 0.001:
            self.sock.settimeout(left)


class _Tls(_Layer):
    """TLS over anything that receives and sends: a socket, or TLS to a proxy.

    OpenSSL gets each piece after the clock and the count have seen it. With the socket
    itself, it would stay inside one call for as long as records keep coming.
    """

    def __init__(self, below: io.RawIOBase, context: ssl.SSLContext, host: str) -> None:
        self.below = below
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        self._do(self.tls.do_handshake)

    def readinto(self, buffer: Any) -> int:
        """Receive some bytes, or none at the end, with or without a close_notify."""
        try:
            if not self.tls.pending() and not self.incoming.pending:
                self._feed()  # spares OpenSSL a read that finds nothing
            return int(self._do(self.tls.read, len(buffer), buffer))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0

    def write(self, data: Any) -> int:
        """Send all the bytes, a record at a time."""
        for start in range(0, len(data), _STEP):
            self._do(self.tls.write, data[start : start + _STEP])
        return len(data)

    def _do(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """Run one OpenSSL operation, and move the bytes that it reads and writes."""
        while True:
            try:
                result = operation(*arguments)
            except ssl.SSLWantReadError:
                pass  # and handled below, where it is no longer the context of errors
            except ssl.SSLError:
                with suppress(OSError):
                    self._flush()  # the alert that tells the other side why
                raise
            else:
                self._flush()
                return result
            self._feed()

    def _feed(self) -> None:
        """Receive, after sending all that OpenSSL has to say."""
        self._flush()
        received = self.below.read(_STEP)
        if not received:
            raise ssl.SSLEOFError("the connection was closed")
        self.incoming.write(received)

    def _flush(self) -> None:
        if self.outgoing.pending:
            self.below.write(self.outgoing.read())


class _Reader(io.BufferedReader):
    """The buffer that HTTPResponse parses from, in place of a socket's file."""

    raw: io.RawIOBase

    def makefile(self, mode: str) -> _Reader:
        """Return itself, as the file that HTTPResponse asks a socket for."""
        self.room: int = _LARGEST_HEAD
        return self

    def readline(self, size: Optional[int] = -1) -> bytes:
        """Refuse long, folded and unfinished lines, whatever ``size`` says."""
        line = super().readline(self.room + 1)
        self.room -= len(line)
        if self.room < 0 or line[:1] in (b" ", b"\t"):
            raise HTTPException("malformed head")
        if not line.endswith(b"\n"):
            raise IncompleteRead(line)
        return line

    def close(self) -> None:
        """Stay open: HTTPResponse closes its file at the end of an answer."""


class Connection:
    """One socket, and one request after another on it.

    After any exception it must be ended, since nobody knows what is still to come.
    Before it is used again, it must be :meth:`is_quiet`.
    """

    def __init__(self, wire: _Wire, route: Route) -> None:
        self.wire = wire
        self.route = route
        self.reader: _Reader = _Reader(wire)
        self.reusable: bool = False  # once an answer was read whole
        self.used: float = time.monotonic()

    @classmethod
    def open(cls, route: Route, call: Call) -> Connection:
        """Connect, through the proxy if any, and verify the other side."""
        tenant, files = urlsplit(route.url), route.files
        to = str(tenant.hostname), tenant.port or (443 if files else 80)
        context = _tls_context(files) if files else None
        # A proxy without a scheme is an HTTP proxy.
        url = re.sub("^(?!.*://)(//)?", "http://", route.proxy or "")
        proxy = urlsplit(str(parse_url(url))) if route.proxy else None
        call.doing = "connecting to the proxy" if proxy else "connecting"
        if proxy is not None and proxy.scheme.startswith("socks"):
            sock, proxy = _connect_by_socks(to, proxy, call), None  # needs no tunnel
        else:
            sock = _connect(_address(proxy) if proxy else to, call)
        connection = cls(_Wire(sock, call), route)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if proxy is not None:
                connection._tunnel(tenant, proxy)
            if context is not None:
                call.doing = "in the TLS handshake"
                tls = _Tls(connection.reader.raw, context, to[0])
                connection.reader = _Reader(tls)
        except BaseException:
            connection.end()
            raise
        return connection

    def post(self, fields: Mapping[str, Any], body: bytes) -> Reply:
        """Send one request, with the headers ``fields`` and Host, and read its answer.

        Raises UnusableAnswerError, OSError, and HTTPException for what is not HTTP.
        """
        parts, call = urlsplit(self.route.url), self.wire.call
        call.doing, call.sent, self.reusable = "sending the request", True, False
        self._send(f"POST {parts.path}", parts.netloc, fields, body)
        call.doing = "waiting for the answer"
        if not self.reader.peek(1):
            raise IncompleteRead(b"")  # after a close_notify, TLS would wait for more
        call.doing = "reading the answer"
        with self._head("POST") as answer:
            status, headers = answer.status, cast(Mapping[str, str], answer.headers)
            # getheader() joins repeated headers. get() would return only the first.
            check_head(status, headers, answer.getheader("Content-Encoding", ""))
            if not re.fullmatch("[0-9]*", answer.getheader("Content-Length", "")):
                raise UnusableAnswerError("its length is malformed", status, headers)
            try:
                reply = Reply(status, headers, answer.read(LARGEST_BODY + 1))
            except ValueError:  # a chunk of a negative size
                raise HTTPException("malformed body") from None
            if answer.length:  # for which read() with a size does not raise
                raise IncompleteRead(b"", answer.length)
        self.reusable = not answer.will_close
        self.used = time.monotonic()
        return reply

    def is_quiet(self, call: Call) -> bool:
        """Whether nothing came after the last answer: no bytes, and no end.

        Looks through all layers at once, without waiting. TLS session tickets that came
        late are read, on the clock and the count of the call.
        """
        self.wire.call, self.wire.waits = call, False
        try:
            self.reader.peek(1)
        except BlockingIOError:
            return True
        except (OSError, HTTPException) as error:
            if raised_by_caller(error):
                raise
        finally:
            self.wire.waits = True
        return False

    def end(self) -> None:
        """Close the socket, whatever state it is in."""
        self.wire.sock.close()

    def _tunnel(self, to: SplitResult, proxy: SplitResult) -> None:
        """Ask an HTTP proxy for a tunnel (RFC 9110, 9.3.6)."""
        if proxy.scheme == "https":
            trust = _tls_context(self.route.files[:1])  # without the certificate
            self.reader = _Reader(_Tls(self.reader.raw, trust, str(proxy.hostname)))
        target = to.netloc if to.port else f"{to.netloc}:443"
        login = ":".join(_login(proxy))
        fields = make_headers(proxy_basic_auth=login) if login != ":" else {}
        self._send(f"CONNECT {target}", target, fields)
        with self._head("CONNECT") as answer:
            status = answer.status
        if not 200 <= status <= 299:
            raise OSError(f"Tunnel connection failed: {status}")  # as http.client does
        if not self.is_quiet(self.wire.call):
            raise ConnectionError("more than the proxy's answer came, or an end")

    def _send(self, line: str, host: str, fields: Any, body: bytes = b"") -> None:
        """Send a request in one step: one system call and, for most, one TLS record."""
        lines = [f"{line} HTTP/1.1", f"Host: {host}", *map(": ".join, fields.items())]
        self.reader.raw.write("\r\n".join([*lines, "\r\n"]).encode("latin-1") + body)

    def _head(self, method: str) -> HTTPResponse:
        """Read the head of an answer. The caller must close it."""
        answer = HTTPResponse(cast(Any, self.reader), method=method)  # for makefile()
        answer.begin()
        if answer.headers.defects:
            raise HTTPException("malformed head")
        return answer


def _connect(to: Tuple[str, int], call: Call) -> socket.socket:
    """Return a socket to the first of a name's addresses that answers.

    The addresses share the time: a dead one leaves some for the next.
    """
    found = socket.getaddrinfo(*to, 0, socket.SOCK_STREAM)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(call.left() / (len(found) - number))
            sock.connect(address)
            return sock
        except BaseException as error:
            if sock is not None:
                sock.close()
            if not isinstance(error, OSError) or raised_by_caller(error):
                raise
            failure = error
    raise failure


def _connect_by_socks(to: Any, proxy: SplitResult, call: Call) -> socket.socket:
    """Return a socket through a SOCKS proxy. PySocks applies the time to each step."""
    import socks

    kind = socks.SOCKS4 if proxy.scheme.startswith("socks4") else socks.SOCKS5
    # The "h" and the "a" of socks5h and socks4a: the proxy resolves the name.
    by_name = proxy.scheme.endswith(("h", "a"))
    options = kind, *_address(proxy), by_name, *(each or None for each in _login(proxy))
    return cast(socket.socket, socks.create_connection(to, call.left(), None, *options))


def _address(proxy: SplitResult) -> Tuple[str, int]:
    if proxy.scheme not in PROXY_PORTS or not proxy.hostname:
        raise LocationValueError  # as urllib3 refuses it
    "".join(_login(proxy)).encode("latin-1")  # raises what sending would
    return proxy.hostname, proxy.port or PROXY_PORTS[proxy.scheme]


def _login(proxy: SplitResult) -> Tuple[str, str]:
    return unquote(proxy.username or ""), unquote(proxy.password or "")


@lru_cache(maxsize=32)
def _tls_context(files: Tuple[Tuple[str, int], ...]) -> ssl.SSLContext:
    """Return the context for these files. It is kept, since building one is slow."""
    context: ssl.SSLContext = create_urllib3_context()  # with system-wide policies
    if not hasattr(context, "wrap_bio"):  # pyOpenSSL is injected into urllib3
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    bundle, *pair = paths = [path for path, _ in files]
    try:
        kind = "capath" if os.path.isdir(bundle) else "cafile"
        context.load_verify_locations(**{kind: bundle})
        if pair:
            context.load_cert_chain(pair[0], pair[1], password="")
    except OSError as error:
        broken = isinstance(error, ssl.SSLError) or not error.strerror
        words = "there is no usable PEM in it" if broken else error.strerror
        raise OSError(errno.EINVAL, words, ", ".join(dict.fromkeys(paths))) from None
    return context
