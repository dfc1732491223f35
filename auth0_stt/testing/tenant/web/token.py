"""/oauth/token."""

import base64
import json
from typing import Any, Dict, Optional

from flask import Blueprint, Response

from ..mint import CREDENTIALS, TOKEN_EXCHANGE, without
from ..refusal import Refusal
from .oauth import oauth_error, server
from .origin import facts, form, has_authorization, origin, query, repeated, state

routes = Blueprint("token", __name__)

# Types of Auth0's tenant logs: a success, a failure.
LOG_TYPES = {
    TOKEN_EXCHANGE: ("secte", "fecte"),
    "authorization_code": ("seacft", "feacft"),
    "refresh_token": ("sertft", "fertft"),
}
DELEGATED_LOG_TYPES = ("sdeleacft", "fdeleacft")
# No log holds a token.
NOT_LOGGED = {
    *CREDENTIALS,
    "subject_token",
    "actor_token",
    "refresh_token",
    "code",
    "code_verifier",
}
# What a token request has at most once (RFC 6749, 3.2); other fields, for the Action, may repeat.
ONCE = {
    *NOT_LOGGED,
    *("grant_type", "client_id", "audience", "scope", "organization", "redirect_uri"),
    *("subject_token_type", "actor_token_type", "requested_token_type", "resource"),
}


@routes.post("/oauth/token")
def token() -> Response:
    response: Response
    flaw = _flaw_of_token_request()
    if flaw is not None:
        response = server().handle_error_response(None, oauth_error(flaw))
    else:
        response = server().create_token_response()
    _log(response)
    return response


def _flaw_of_token_request() -> Optional[Refusal]:
    if query() or ONCE.intersection(repeated("form")):
        text = "A parameter is in the URL or occurs more than once."
        return Refusal("invalid_request", text)
    proofs = {"client_secret", "client_assertion"}.intersection(form())
    if len(proofs) + has_authorization() > 1:
        text = "The client authenticates in more than one way."
        return Refusal("invalid_request", text)
    return None


def _log(response: Response) -> None:
    answer: Dict[str, Any] = response.get_json()
    fields, said = form(), facts()
    types = LOG_TYPES.get(fields.get("grant_type", ""), ("seacft", "feacft"))
    code = state().records.codes.get(str(fields.get("code", "")))
    if code is not None:
        said.user_id = code.session.user_id
        types = types if code.session.actor is None else DELEGATED_LOG_TYPES
    details: Dict[str, Any] = {
        "auth0_client": _auth0_client(origin().auth0_client),
        "auth0_forwarded_for": origin().forwarded_for,
        "body": without(NOT_LOGGED, fields),
        "error": answer.get("error"),
        "traceback": said.traceback,
    }
    state().log(
        types[response.status_code >= 400],
        answer.get("error_description") or answer.get("error") or "Success",
        origin(),
        client_id=said.client_id or fields.get("client_id"),
        user_id=said.user_id,
        details={name: value for name, value in details.items() if value is not None},
    )


def _auth0_client(header: Optional[str]) -> Any:
    """Return the JSON in the header that every Auth0 SDK sends, the bare text if it has none."""
    if header is None:
        return None
    try:
        decoded = base64.urlsafe_b64decode(header.replace("+", "-").replace("/", "_"))
        return json.loads(decoded)
    except ValueError:
        return header
