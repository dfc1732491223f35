"""The application that answers for the tenant."""

from typing import Optional

from flask import Flask, Response

from ..state import State
from . import account, authorize, documents, token
from .oauth import authorization_server
from .origin import STATE, host, state


def tenant_app(tenant: State) -> Flask:
    """Return the application that answers for the tenant."""
    app = Flask(__name__, static_folder=None)
    app.extensions[STATE] = tenant
    app.before_request(_own_domains_only)
    app.after_request(_leave_no_trace)
    authorization_server(tenant, app)
    for routes in (authorize.routes, token.routes, account.routes, documents.routes):
        app.register_blueprint(routes)
    return app


def _own_domains_only() -> Optional[Response]:
    if host() in state().hosts:
        return None
    return Response("This tenant does not serve the domain of the request.", 421)


def _leave_no_trace(response: Response) -> Response:
    # A session transfer token is in the URL of /authorize.
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
