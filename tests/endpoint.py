"""A token endpoint on loopback that records what it is asked and answers what a test tells it to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from values import GOOD


class Received:
    """One request, as it came."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True
        )
        self.form = dict(self.pairs)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The head and the body of an answer leave in two writes: don't wait for the peer in between.
    disable_nagle_algorithm = True

    def do_POST(self):
        endpoint = self.server.endpoint
        body = self.rfile.read(int(self.headers["Content-Length"]))
        endpoint.requests.append(Received(self.path, self.headers, body))
        if endpoint.fault is not None:
            endpoint.fault()
            self.close_connection = True
            return
        status, headers, body = endpoint.canned
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep quiet: a test looks at the standard streams."""


class _Server(ThreadingHTTPServer):
    # Serving threads wait on connections that the library keeps for the next call: don't wait for them.
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """A client that hangs up is what some tests are about."""


class Endpoint:
    """A context manager that serves; ``domain`` is what to call, ``requests`` what came."""

    def __init__(self):
        self.requests = []
        self._released = threading.Event()
        self.reset()

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self
        self.authority = f"127.0.0.1:{self._server.server_address[1]}"
        self.domain = "http://" + self.authority
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self):
        """Forget what came, and give good answers again."""
        self._released.set()
        self._released = threading.Event()
        self.requests.clear()
        self.fault = None
        self.answer(GOOD)

    def answer(self, body=b"", status=200, **headers):
        """Answer so from now on: bytes as they are, anything else as JSON. Header names have _ for -."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode("utf-8")
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.canned = (status, names, body)

    def drop(self):
        """Close the connection instead of answering."""
        self.fault = lambda: None

    def hang(self):
        """Don't answer until the next test."""
        self.fault = self._released.wait

    @property
    def last(self):
        """The one request that came."""
        (request,) = self.requests
        return request
