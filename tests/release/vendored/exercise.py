"""Use each copy of the package named on the command line, and print what was seen as JSON.

Runs on the standard library and what is on PYTHONPATH alone: ``python -S exercise.py NAME...``.
"""

import importlib
import json
import logging
import pickle
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

ARGUMENTS = {
    "client_id": "console",
    "client_secret": "secret",
    "subject_token_type": "urn:acme:customer",
    "actor_token": "an.id.token",
    "actor_token_type": "urn:ietf:params:oauth:token-type:id_token",
}


class TokenEndpoint(BaseHTTPRequestHandler):
    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if form["subject_token"] == ["stale"]:
            status, answer = (
                400,
                {
                    "error": "invalid_grant",
                    "error_description": "The subject token has expired.",
                },
            )
        else:
            kind = "urn:auth0:params:oauth:token-type:session_transfer_token"
            status, answer = (
                200,
                {"access_token": "stt-1", "issued_token_type": kind, "expires_in": 60},
            )
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Loggers(logging.Handler):
    def __init__(self):
        super().__init__()
        self.names = []

    def emit(self, record):
        self.names.append(record.name)


def caught(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise SystemExit("nothing was raised")


def same(one, other):
    return (
        type(one) is type(other) and str(one) == str(other) and repr(one) == repr(other)
    )


def use(name, domain):
    package = importlib.import_module(name)
    mint = package.request_session_transfer_token
    result = mint(domain, subject_token="fresh", **ARGUMENTS)
    errors = [
        caught(
            package.CustomTokenExchangeError,
            lambda: mint(domain, subject_token="stale", **ARGUMENTS),
        ),
        caught(
            package.InvalidArgumentError,
            lambda: mint("no host", subject_token="fresh", **ARGUMENTS),
        ),
        caught(
            package.TransportError,
            lambda: mint("http://127.0.0.1:1", subject_token="fresh", **ARGUMENTS),
        ),
    ]
    return {
        "file": package.__file__,
        "url": package.build_session_transfer_redirect(
            "https://shop.example.com/login", result
        ),
        "codes": [str(error.code) for error in errors],
        "modules": sorted({type(each).__module__ for each in [result, *errors]}),
        "pickled": [
            same(pickle.loads(pickle.dumps(each)), each) for each in [result, *errors]
        ],
        "refusal": errors[0],
    }


def main(names):
    loggers = Loggers()
    logging.getLogger().addHandler(loggers)
    logging.getLogger().setLevel(logging.INFO)
    server = HTTPServer(("127.0.0.1", 0), TokenEndpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen = [use(name, f"http://127.0.0.1:{server.server_port}") for name in names]
    server.shutdown()
    refusals = [one.pop("refusal") for one in seen]
    print(
        json.dumps(
            {
                "copies": seen,
                # The portable test, whichever copy the caller imported.
                "equal": all(refusal.code == "invalid_grant" for refusal in refusals),
                "across": [a.code == b.code for a in refusals for b in refusals],
                "distinct": len({type(refusal) for refusal in refusals}),
                "loggers": sorted(set(loggers.names)),
                "tops": sorted(module for module in sys.modules if "." not in module),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
