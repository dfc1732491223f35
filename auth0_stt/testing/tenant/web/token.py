"""/oauth/token."""

from typing import Any, Dict, Optional

from flask import Blueprint, Response

from ..event import CREDENTIALS
from ..logs import types_of
from ..mint import TOKEN_EXCHANGE
from ..refusal import Refusal
from .oauth import oauth_error
from .origin import (
    authorization,
    facts,
    fields,
    form,
    origin,
    query,
    repeated,
    server,
    state,
)
from .pages import with_rule

routes: Blueprint = Blueprint("token", __name__)

# These occur at most once (RFC 6749, 3.2). Fields for the Action may repeat.
ONCE = {
    *CREDENTIALS,
    *("subject_token", "actor_token", "refresh_token", "code", "code_verifier"),
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
    return with_rule(response, facts().rule)


def _flaw_of_token_request() -> Optional[Refusal]:
    if query() or ONCE.intersection(repeated("form")):
        text = "A parameter is in the URL or occurs more than once."
        return Refusal("invalid_request", text)
    proofs = {"client_secret", "client_assertion"}.intersection(form())
    if len(proofs) + bool(authorization()) > 1:
        text = "The client authenticates in more than one way."
        return Refusal("invalid_request", text)
    return None


def _log(response: Response) -> None:
    answer: Dict[str, Any] = response.get_json()
    sent, said = fields(), facts()
    grant_type = str(sent.get("grant_type", ""))
    code = state().records.codes.get(str(sent.get("code", "")))
    if code is not None:
        said.user_id = code.session.user_id
        said.organization_id = code.session.org_id
        said.actor_sub = (code.session.actor or {}).get("sub")
    details: Dict[str, Any] = {}
    if grant_type == TOKEN_EXCHANGE:
        details["subject_token_type"] = sent.get("subject_token_type")
    if said.actor_sub is not None:
        details["actor"] = {"sub": said.actor_sub}
    # An entry has the end user's address, which may be the one in auth0-forwarded-for.
    more = {"ip": said.ip} if said.ip else {}
    delegated = code is not None and code.session.actor is not None
    failed = response.status_code >= 400
    state().log(
        types_of(grant_type, delegated)[failed],
        answer.get("error_description") or answer.get("error") or "Success",
        origin(),
        client_id=said.client_id or sent.get("client_id"),
        user_id=said.user_id,
        details=details,
        organization_id=said.organization_id,
        audience=sent.get("audience") or (code.audience if code else None),
        scope=sent.get("scope"),
        **more,
    )
