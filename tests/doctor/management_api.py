"""A Management API on loopback that serves documents, and misbehaves as a test tells it."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from healthy import CONSOLE, SHOP, documents

from auth0_stt.doctor.documents import SOURCES

TOKEN = "management-token-Vb6nMk2QwXz9Lp4T"
ORGANIZATION = "org_acme000000000001"
GIVEN = {
    "console": CONSOLE,
    "shop": SHOP,
    "organization": ORGANIZATION,
    "action": "910b1053-577f-4d81-a8c8-020e7319a38a",
}


class ManagementApi:
    """``answers`` maps a path to ``(status, headers, body)`` or a function of a handler."""

    def __init__(self):
        self.requests = []
        self.answers = {}
        self.stop = threading.Event()
        found = documents()
        for source in SOURCES.values():
            if source.name in found:
                self.answer(source.name, found[source.name])

    def path(self, name):
        path = SOURCES[name].path
        for key, value in GIVEN.items():
            path = path.replace("{" + key + "}", value)
        return path

    def answer(self, name, value, status=200, **headers):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers[self.path(name)] = (status, headers, body)

    def answer_all(self, value, status=200, **headers):
        for name in SOURCES:
            self.answer(name, value, status, **headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        api, url = self.server.api, urlsplit(self.path)
        is_api = url.path.startswith("/api/v2/")
        path = unquote(url.path)[len("/api/v2/") if is_api else 0 :]
        api.requests.append((path, parse_qs(url.query), self.headers))
        if is_api and self.headers["Authorization"] != f"Bearer {TOKEN}":
            answer = (401, {}, b'{"statusCode": 401, "message": "Invalid token"}')
        else:
            answer = api.answers.get(path, (404, {}, b'{"statusCode": 404}'))
        if callable(answer):
            answer = answer(self, parse_qs(url.query))
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """Keep quiet: a test may hang up."""


@contextlib.contextmanager
def serving():
    api = ManagementApi()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.api = api
        api.domain = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield api
        finally:
            api.stop.set()
            server.shutdown()
            thread.join()
