"""What stands between the applications and the tenant, to make a rule break."""

import contextlib
import json
from io import BytesIO
from typing import Any, Dict, Iterable, Iterator
from urllib.parse import parse_qsl, urlencode

from flask import Response, request

from ..tenant.origin import RULE_HEADER
from .state import Visitor
from .switches import AGENT
from .trail import Recorder

# Where the console's server seems to be (RFC 5737).
SERVER_ADDRESS = "203.0.113.10"
API = "https://api.acme.example/"
DOWN = {"error": "temporarily_unavailable", "error_description": "Try again later."}


def tenant_app(visitor: Visitor) -> Any:
    """Return the visitor's tenant as a WSGI application, with what is switched on."""
    tenant, app = visitor.tenant, visitor.tenant._app
    recorded = Recorder(app.wsgi_app, "Tenant", visitor.trail, tenant.clock)

    def wsgi_app(environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if visitor.on("session-transfer-audience"):
            _ask_for_an_api(environ)
        with _session(visitor, environ):
            return recorded(environ, start_response)

    @app.before_request
    def fail() -> Any:
        if "subject_token" not in request.form or not visitor.on("tenant-answers"):
            return None
        headers = {"Retry-After": "30", RULE_HEADER: "tenant-answers"}
        return Response(json.dumps(DOWN), 503, headers, mimetype="application/json")

    @app.after_request
    def forget(response: Response) -> Response:
        if request.path == "/v2/logout":
            visitor.close_sessions()
        return response

    @app.after_request
    def lead_back(response: Response) -> Response:
        if response.mimetype == "text/html":
            url, text = visitor.addresses.console, "Playground: every hop, and why"
            link = f'<p><a href="{url}trail">{text}</a></p></main>'
            page = response.get_data(as_text=True)
            response.set_data(page.replace("</main>", link))
        return response

    return wsgi_app


@contextlib.contextmanager
def _session(visitor: Visitor, environ: Dict[str, Any]) -> Iterator[None]:
    """Give the browser the session that a switch says it has, for one request."""
    delegated = "session_transfer_token=" in environ["QUERY_STRING"]
    if not (delegated and visitor.on("no-open-session", "two-domains")):
        yield
        return
    tenant, sessions = visitor.tenant, visitor.tenant.records.sessions
    user_id = AGENT if visitor.on("two-domains") else visitor.other_customer
    session = tenant.new_session(user_id, visitor.issuer, 3600)
    sessions[session.id] = session
    environ["HTTP_COOKIE"] = f"{tenant.cookie}={session.id}"
    try:
        yield
    finally:
        sessions.pop(session.id, None)


def _ask_for_an_api(environ: Dict[str, Any]) -> None:
    """Change the audience of a mint: a console without the library may get it wrong."""
    if environ["PATH_INFO"] != "/oauth/token":
        return
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    fields = [
        (name, API if name == "audience" else value)
        for name, value in parse_qsl(body.decode())
    ]
    body = urlencode(fields).encode()
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
