"""Servers and proxies that misbehave on demand: raw sockets, real TLS, one script for each connection.

A script is a function of a :class:`Peer`, or a list of steps: bytes are sent, numbers are seconds to wait, and
functions are called with the peer. When it ends, the connection is closed.
"""

import atexit
import contextlib
import datetime
import functools
import importlib.util
import json
import os
import select
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import textwrap
import threading
import warnings
from pathlib import Path
from urllib.parse import parse_qs

import processes
import pytest

with warnings.catch_warnings():
    # On Python 3.7, cryptography warns of that.
    warnings.simplefilter("ignore")
    import trustme

from auth0_stt import SESSION_TRANSFER_TOKEN_TYPE, request_session_transfer_token

#: What a mint of these tests sends, so that each test shows what it changes alone.
CALL = {
    "client_id": "console",
    "client_secret": "the-client-secret",
    "subject_token": "the-subject-token",
    "subject_token_type": "urn:acme:customer",
    "actor_token": "the-actor-token",
    "actor_token_type": "urn:ietf:params:oauth:token-type:id_token",
    "timeout": 5.0,
}


def mint(server, **changes):
    """Mint at the server and return the token."""
    return request_session_transfer_token(
        server.domain, **{**CALL, **changes}
    ).session_transfer_token


# --- certificates ----------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def folder():
    """Return a directory for this process's certificates."""
    path = tempfile.mkdtemp(prefix="auth0-stt-tests-")
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return Path(path)


@functools.lru_cache(maxsize=None)
def authority(name="known"):
    """Return a certificate authority: of the name ``known``, the one that the tests trust."""
    return trustme.CA()


@functools.lru_cache(maxsize=None)
def ca_file(name="known"):
    """Return the path of an authority's certificate."""
    path = folder() / (name + ".pem")
    authority(name).cert_pem.write_to_path(str(path))
    return str(path)


@functools.lru_cache(maxsize=None)
def client_certificate(name):
    """Return the path of a certificate and key for a client, of that common name."""
    path = folder() / (name + "-client.pem")
    leaf = authority().issue_cert(name, common_name=name)
    leaf.private_key_and_cert_chain_pem.write_to_path(str(path))
    return str(path)


@functools.lru_cache(maxsize=None)
def server_context(*names, issuer="known", expired=False, oldest=False, asks=False):
    """Return a TLS context for a server of these names, loopback's if there are none."""
    dates = {}
    if expired:
        dates["not_after"] = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = names or (
        "localhost",
        "127.0.0.1",
        "mtls.localhost",
        "tenant.test",
        "*.proxied.test",
    )
    authority(issuer).issue_cert(*names, **dates).configure_cert(context)
    if oldest:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers("ALL:@SECLEVEL=0")
    if asks:
        authority().configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


# --- answers ---------------------------------------------------------------------------------------------------


def token_body(token="the-stt"):
    """Return the JSON of a token that was issued."""
    return json.dumps(
        {
            "access_token": token,
            "issued_token_type": SESSION_TRANSFER_TOKEN_TYPE,
            "token_type": "N_A",
            "expires_in": 60,
        }
    ).encode()


def answer(body=None, status="200 OK", *headers, length=None):
    """Return an answer, its length in Content-Length unless another is given."""
    body = token_body() if body is None else body
    lines = ["HTTP/1.1 " + status, "Content-Type: application/json", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def head(*headers, status="200 OK"):
    """Return the head of an answer, with nothing said about its length."""
    return "\r\n".join(["HTTP/1.1 " + status, *headers]).encode("latin-1") + b"\r\n\r\n"


GOOD = answer()


# --- servers ---------------------------------------------------------------------------------------------------


class StoppedError(Exception):
    """The server ends while a script still waits."""


class Request:
    """A request as it came: ``line``, ``headers`` by lower-case name (lists), ``form``, and its connection."""

    def __init__(self, top, body, peer):
        self.line, *lines = top.decode("latin-1").split("\r\n")
        self.headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), []).append(value.strip())
        self.form = {
            name: values[0] for name, values in parse_qs(body.decode("ascii")).items()
        }
        self.body = body
        self.connection = peer.number
        self.certificate = peer.certificate


class Peer:
    """The server's end of one connection."""

    def __init__(self, server, sock, number):
        self.server = server
        self.sock = sock
        self.number = number
        self.certificate = None
        self._received = b""

    def handshake(self):
        """Do TLS's handshake as the server does it; ``certificate`` is the client's common name."""
        # In two steps, so that the server can end the connection while it waits here.
        self.sock = self.server.context.wrap_socket(
            self.sock, server_side=True, do_handshake_on_connect=False
        )
        self.sock.do_handshake()
        subject = dict(
            part[0] for part in (self.sock.getpeercert() or {}).get("subject", ())
        )
        self.certificate = subject.get("commonName")

    def read_head(self):
        """Return what comes before an empty line, or None at the end of the stream."""
        while b"\r\n\r\n" not in self._received:
            piece = self.sock.recv(65536)
            if not piece:
                return None
            self._received += piece
        top, _, self._received = self._received.partition(b"\r\n\r\n")
        return top

    def request(self):
        """Read one request whole, keep it in ``server.requests``, and return it; None at the end of the stream."""
        top = self.read_head()
        if top is None:
            return None
        request = Request(top, b"", self)
        length = int(request.headers.get("content-length", ["0"])[0])
        while len(self._received) < length:
            piece = self.sock.recv(65536)
            if not piece:
                return None
            self._received += piece
        request = Request(top, self._received[:length], self)
        self._received = self._received[length:]
        self.server.requests.append(request)
        return request

    def send(self, data):
        """Send bytes: in as few TLS records as they fit in."""
        self.sock.sendall(data)

    def wait(self, seconds=60):
        """Do nothing for so long, or until the server ends."""
        if self.server.stopping.wait(seconds):
            raise StoppedError

    def drip(self, data, seconds=0.04):
        """Send byte by byte."""
        for byte in data:
            self.send(bytes([byte]))
            self.wait(seconds)

    def reset(self):
        """End the connection with a reset."""
        self.sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        # Not through TLS, which might say goodbye.
        os.close(self.sock.detach())

    def shut_down(self):
        """End the connection without a word of TLS, also while another thread is at it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def until_closed(self):
        """Read until the client ends the connection."""
        while self.sock.recv(65536):
            pass

    def play(self, script):
        """Do what a script says."""
        if callable(script):
            script(self)
            return
        for step in script:
            if isinstance(step, bytes):
                self.send(step)
            elif callable(step):
                step(self)
            else:
                self.wait(step)


#: Steps of scripts.
HANDSHAKE = Peer.handshake
REQUEST = Peer.request
RESET = Peer.reset
HOLD = Peer.wait
UNTIL_CLOSED = Peer.until_closed


def MARK(peer):
    """Tell the test that the script came so far."""
    peer.server.marked.set()


def GOODBYE(peer):
    """End TLS as it should be ended."""
    with contextlib.suppress(OSError):
        peer.sock.unwrap()


def dripping(data, seconds=0.04):
    """Return a step that sends byte by byte."""
    return lambda peer: peer.drip(data, seconds)


def forever(data, seconds=0.04):
    """Return a step that sends the same again and again."""

    def step(peer):
        while True:
            peer.send(data)
            peer.wait(seconds)

    return step


def echo(peer):
    """Answer every request on the connection with a token that says which request it is for: its ``reason``."""
    for request in iter(peer.request, None):
        peer.send(answer(token_body("stt-for-" + request.form.get("reason", "nobody"))))


class FaultServer:
    """Listens on a free loopback port; ``scripts`` are played one for each connection, the last for all further.

    With a ``context`` (the default is a good one; None is plain HTTP) the handshake comes before the script,
    unless ``handshake=False``. ``domain`` is what to mint at, ``url`` what to name a proxy by; ``connections``
    counts them, ``requests`` has what came in, ``failed`` what went wrong in a script at the server's side.
    """

    def __init__(self, *scripts, context="known", handshake=True, host="localhost"):
        self.scripts = scripts or (echo,)
        self.context = server_context() if context == "known" else context
        self.handshake = handshake and self.context is not None
        self.host = host
        self.requests = []
        self.failed = []
        self.connections = 0
        self.stopping = threading.Event()
        #: Set by the step MARK.
        self.marked = threading.Event()
        self._change = threading.Condition()
        self._ended = set()
        self._peers = []
        self._threads = []

    def __enter__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(256)
        self.port = self._listener.getsockname()[1]
        self.authority = f"{self.host}:{self.port}"
        self.url = ("https://" if self.context else "http://") + self.authority
        self.domain = self.authority if self.context else self.url
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info):
        self.stopping.set()
        with socket.socket() as wake:
            wake.connect(("127.0.0.1", self.port))
        self._threads[0].join()
        self._listener.close()
        for peer in self._peers:
            peer.shut_down()
        for thread in self._threads:
            thread.join()

    def wait_for_end(self, number):
        """Wait until that connection's script is through and the connection closed."""
        with self._change:
            assert self._change.wait_for(lambda: number in self._ended, 10)

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            sock, _ = self._listener.accept()
            if self.stopping.is_set():
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            peer = Peer(self, sock, self.connections)
            self._peers.append(peer)
            self._start(self._serve, peer)

    def _serve(self, peer):
        try:
            if self.handshake:
                peer.handshake()
            peer.play(self.scripts[min(peer.number, len(self.scripts)) - 1])
        except (OSError, ValueError, StoppedError) as error:
            self.failed.append(error)
        finally:
            peer.shut_down()
            peer.sock.close()
            with self._change:
                self._ended.add(peer.number)
                self._change.notify_all()


# --- proxies ---------------------------------------------------------------------------------------------------


needs_socks = pytest.mark.skipif(
    importlib.util.find_spec("socks") is None, reason="needs PySocks"
)


def connect(peer):
    """Read a CONNECT and return a connection to what it names; a name is loopback, whatever it says."""
    top = peer.read_head()
    if top is None:
        raise ConnectionError("the client left")
    request = Request(top, b"", peer)
    peer.server.requests.append(request)
    port = int(request.line.split()[1].rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port))


def relay(peer, upstream):
    """Carry bytes both ways until either side ends."""
    with upstream:
        sockets = [peer.sock, upstream]
        while True:
            # TLS may hold bytes that select can't see.
            ready = (
                [peer.sock]
                if getattr(peer.sock, "pending", int)()
                else select.select(sockets, [], [], 0.2)[0]
            )
            if peer.server.stopping.is_set():
                return
            for sock in ready:
                data = sock.recv(65536)
                if not data:
                    return
                (upstream if sock is peer.sock else peer.sock).sendall(data)


def tunnel(peer):
    """Be a good proxy for one connection."""
    upstream = connect(peer)
    peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
    relay(peer, upstream)


def socks(peer, seconds=0.0):
    """Be a SOCKS 5 proxy for one connection, that waits after each byte of its own."""
    peer.sock.recv(65536)
    peer.drip(b"\x05\x00", seconds)
    request = peer.sock.recv(65536)
    upstream = socket.create_connection(
        ("127.0.0.1", int.from_bytes(request[-2:], "big"))
    )
    with upstream:
        peer.drip(b"\x05\x00\x00\x01" + b"\x7f\x00\x00\x01" + request[-2:], seconds)
        relay(peer, upstream)


def proxy(*scripts, context=None, **options):
    """Return an HTTP proxy, a good one unless there are scripts; ``url`` is what goes into HTTPS_PROXY."""
    return FaultServer(*(scripts or (tunnel,)), context=context, **options)


# --- processes -------------------------------------------------------------------------------------------------


#: Warnings for :func:`run_beside`. Python 3.12 and later warn of forks beside threads.
FORKING = ("-W", "error", "-W", "ignore:This process:DeprecationWarning")


def run_beside(
    program, *arguments, options=("-W", "error"), call=None, prefix=(), **environment
):
    """Run a program in a process of its own, the arguments of a mint on its standard input; return what it printed.

    It must end well, and write nothing to its standard error: no warning, no traceback.
    """
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = processes.run(
        [*prefix, sys.executable, *options, "-c", textwrap.dedent(program), *arguments],
        env={name: value for name, value in variables.items() if value is not None},
        input=ascii(call or CALL).encode(),
    )
    if done.returncode or done.stderr:
        pytest.fail(
            f"exit code {done.returncode}: " + done.stderr.decode("utf-8", "replace")
        )
    return done.stdout.decode("utf-8")


# --- dead addresses --------------------------------------------------------------------------------------------


@contextlib.contextmanager
def black_holes(count):
    """Give addresses that answer no SYN, as a dropped packet would look: listeners whose queue is full."""
    with contextlib.ExitStack() as stack:
        addresses = []
        for _ in range(count):
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            addresses.append(listener.getsockname())
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(addresses[-1])
        yield addresses


def resolving(monkeypatch, **names):
    """Let names resolve to given addresses, ``_`` in them standing for a dot; or to loopback on the port asked."""
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        key = host.decode() if isinstance(host, bytes) else host
        addresses = names.get(key.replace(".", "_"))
        if addresses is None:
            return real(host, port, *args, **kwargs)
        return [
            (
                socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                address or ("127.0.0.1", port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
