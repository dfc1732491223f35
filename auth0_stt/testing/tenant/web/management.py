"""/api/v2: what the Management API lets one read."""

import json

from flask import Blueprint, Response

from ..management import ApiError, answer, granted_scopes
from .origin import authorization, origin, query, state

routes: Blueprint = Blueprint("management", __name__)


@routes.route("/api/v2/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def management(path: str) -> Response:
    status, method = 200, origin().method
    method = "GET" if method == "HEAD" else method
    try:
        scopes = granted_scopes(state(), authorization())
        document = answer(state(), method, path, query(), scopes)
    except ApiError as error:
        status, document = error.status, error.document()
    return Response(json.dumps(document), status, mimetype="application/json")
