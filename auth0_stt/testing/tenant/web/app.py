"""The application that answers for the tenant."""

from typing import Any, Dict, Optional

from flask import Flask, Response

from ..state import State
from . import account, authorize, documents, management, token
from .oauth import authorization_server
from .origin import STATE, host, state


def tenant_app(tenant: State) -> Flask:
    """Return the application that answers for the tenant."""
    app = Flask(__name__, static_folder=None)
    app.extensions[STATE] = tenant
    app.wsgi_app = _Scheme(app.wsgi_app, tenant)  # type: ignore[method-assign]
    app.before_request(_own_domains_only)
    app.after_request(_leave_no_trace)
    authorization_server(tenant, app)
    for module in (authorize, token, account, documents, management):
        app.register_blueprint(module.routes)
    return app


class _Scheme:
    """Says https where something in front of the tenant ends TLS."""

    def __init__(self, app: Any, tenant: State) -> None:
        self._app = app
        self._tenant = tenant

    def __call__(self, environ: Dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.url_scheme"] = self._tenant.scheme
        return self._app(environ, start_response)


def _own_domains_only() -> Optional[Response]:
    if host() in state().hosts:
        return None
    return Response("This tenant does not serve the domain of the request.", 421)


def _leave_no_trace(response: Response) -> Response:
    # A session transfer token is in the URL of /authorize.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
