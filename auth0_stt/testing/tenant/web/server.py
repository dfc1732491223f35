"""Serves the tenant on loopback, one thread a connection, and leaves nothing behind."""

import contextlib
import socket
import ssl
import threading
from io import BytesIO
from typing import Any, Callable, Dict, Optional

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from ..records import Fault

LOOPBACK = "127.0.0.1"
LARGEST_BODY = 1 << 20


class Handler(WSGIRequestHandler):
    """Keeps connections open between requests, unlike Werkzeug's own handler."""

    protocol_version = "HTTP/1.1"
    # Else the second half of an answer waits 40 ms for the client's acknowledgement.
    disable_nagle_algorithm = True
    server: "Server"
    request: Any
    environ: Dict[str, Any]
    close_connection: bool

    def setup(self) -> None:
        if self.server.ssl_context is not None:
            self.request = self.server.ssl_context.wrap_socket(
                self.request, server_side=True, do_handshake_on_connect=False
            )
            self.server.track(self.request)
            try:
                self.request.do_handshake()
            except OSError:
                self.request.close()
                raise
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        if self.server.ssl_context is not None:
            self.request.close()

    def run_wsgi(self) -> None:
        self.environ = environ = self.make_environ()
        try:
            size = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = -1
        if not 0 <= size <= LARGEST_BODY:
            self.close_connection = True
            self.send_error(413 if size > 0 else 400)
            return
        # What is read here can't be taken for the start of the next request.
        chunked = environ.get("wsgi.input_terminated", False)
        environ["wsgi.input"] = BytesIO(
            environ["wsgi.input"].read(LARGEST_BODY if chunked else size)
        )

        fault = self.server.next_fault()
        if fault is not None:
            self.server.closing.wait(fault.delay)
            if fault.drop or fault.status is not None:
                self._misbehave(fault)
                return
        body, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        code, _, phrase = status.partition(" ")
        self.send_response(int(code), phrase)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"".join(body))

    def _misbehave(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.drop or fault.status is None:
            return
        self.send_response(fault.status)
        names = {name.lower() for name in fault.headers}
        for name, value in fault.headers.items():
            self.send_header(name, value)
        if "content-length" not in names and "transfer-encoding" not in names:
            self.send_header("Content-Length", str(len(fault.body)))
        if "connection" not in names:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(fault.body)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: what happened is in the tenant's logs."""


class Server(ThreadedWSGIServer):
    """Werkzeug's server, which knows what is open and so can close at once."""

    def __init__(
        self,
        app: Any,
        next_fault: Callable[[], Optional[Fault]],
        ssl_context: Optional[ssl.SSLContext] = None,
        port: int = 0,
    ) -> None:
        super().__init__(LOOPBACK, port, app, handler=Handler)
        # The constructor would do the handshakes in the one thread that accepts.
        self.ssl_context: Optional[ssl.SSLContext] = ssl_context
        self.closing: threading.Event = threading.Event()
        self.next_fault: Callable[[], Optional[Fault]] = next_fault
        self._lock = threading.Lock()
        self._open: Dict[threading.Thread, socket.socket] = {}
        self._accepting = threading.Thread(
            target=self._accept, name="auth0-stt tenant", daemon=True
        )
        self._accepting.start()

    def track(self, connection: socket.socket) -> None:
        """Remember the socket that this thread's connection goes over now."""
        with self._lock:
            self._open[threading.current_thread()] = connection
            if self.closing.is_set():
                _hang_up(connection)

    def close(self) -> None:
        """Stop listening, end every connection and wait for its thread."""
        self.closing.set()
        # Wakes the accepting thread, which sleeps until somebody connects.
        with contextlib.suppress(OSError):
            socket.create_connection((LOOPBACK, self.server_port), timeout=1).close()
        self._accepting.join()
        self.server_close()
        with self._lock:
            remaining = dict(self._open)
            for connection in remaining.values():
                _hang_up(connection)
        for thread in remaining:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self.closing.is_set():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self.closing.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="auth0-stt tenant connection",
            daemon=True,
        )
        with self._lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: the other side hung up, or was told to."""


def _hang_up(connection: socket.socket) -> None:
    # SSLSocket.shutdown() would pull the TLS layer from under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
