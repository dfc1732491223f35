"""/authorize: ordinary and delegated logins, and pushed requests."""

import secrets
from typing import Any, Dict, Optional, Tuple, Union
from urllib.parse import urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc6749.errors import UnsupportedResponseTypeError
from flask import Blueprint, Response

from .. import post_login
from ..clients import AUTH_METHODS, Client
from ..login import check_request, session_for
from ..records import PushedRequest, Session
from ..redeem import delegated_session
from ..refusal import PageInstead, Refusal
from .oauth import oauth_error
from .origin import (
    authorization_request,
    fields,
    open_session,
    origin,
    pushed_request,
    repeated,
    server,
    state,
)
from .pages import error_page, form_post_page, login_page, with_cookie, with_rule

routes: Blueprint = Blueprint("authorize", __name__)

PUSHED_LIFETIME = 30
NOT_PUSHED = (
    "The application pushes its authorization requests, and Auth0 takes no session "
    "transfer token out of a pushed one."
)


@routes.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    try:
        grant = _validated()
    except OAuth2Error as error:
        return _told(error)
    except ValueError:
        # Authlib's messages quote what its errors then refuse to print.
        return error_page("A parameter has characters that it must not have.")
    session = open_session()
    try:
        return _logged_in(grant, session)
    except Refusal as refusal:
        told = oauth_error(refusal)
        told.redirect_uri = grant.request.payload.redirect_uri
        told.state = authorization_request().get("state")
        return _told(told, grant.client)
    except PageInstead as instead:
        return _page(instead, grant.client, session)


def _validated() -> Any:
    """Return Authlib's grant for the request, which it has checked."""
    if repeated("query") or repeated("form"):
        text = "A parameter occurs more than once."
        raise oauth_error(Refusal("invalid_request", text))
    asked = authorization_request()
    client = state().client(asked.get("client_id", ""))
    if client and asked.get("redirect_uri") not in (client.setting("callbacks") or []):
        text, rule = "Callback URL mismatch.", "callback-registered"
        raise oauth_error(Refusal("invalid_request", text, rule=rule))
    try:
        # Whether anybody is signed in is asked later: a token may do it.
        return server().get_consent_grant(end_user=state())
    except UnsupportedResponseTypeError as error:
        # Authlib has a whole sentence in place of the parameter.
        error.response_type = asked.get("response_type")
        raise


def _logged_in(grant: Any, session: Optional[Session]) -> Response:
    asked = authorization_request()
    pushed = pushed_request()
    setting = "require_pushed_authorization_requests"
    if pushed is None and grant.client.setting(setting) is True:
        text, rule = "Pushed authorization requests are required.", "no-pushed-request"
        raise Refusal("invalid_request", text, rule=rule)
    check_request(state(), grant.client, asked)
    if "session_transfer_token" in asked:
        return _delegated(grant, session)
    if pushed is not None and session is None and pushed.had_session_transfer_token:
        raise PageInstead("login", NOT_PUSHED, "no-pushed-request")
    try:
        found = session_for(state(), grant.client, asked, session)
    except Refusal as refusal:
        _log_silent("fdelsa", refusal.description, grant.client, session)
        raise
    post_login.run(state(), grant.client, origin(), found)
    _log_silent("sdelsa", "Success", grant.client, session)
    return _answered(grant, found)


def _log_silent(
    log_type: str, text: str, client: Client, session: Optional[Session]
) -> None:
    """Log silent authentication in a delegated session."""
    silent = "none" in authorization_request().get("prompt", "").split()
    if silent and session is not None and session.actor is not None:
        user_id, details = session.user_id, {"actor": {"sub": session.actor["sub"]}}
        state().log(log_type, text, origin(), client.client_id, user_id, details)


def _delegated(grant: Any, session: Optional[Session]) -> Response:
    asked, client_id = authorization_request(), grant.client.client_id
    new = delegated_session(state(), grant.client, asked, origin(), session)
    post_login.run(state(), grant.client, origin(), new)
    agent = (new.actor or {})["sub"]
    details = {
        "actor": {"sub": agent},
        "session_id": new.id,
        "session": {"cookie": {"mode": "non-persistent"}},
        "triggered_by_session_transfer_token": True,
    }
    text = f"{agent} is logged in as {new.user_id}"
    user_id, org_id = new.user_id, new.org_id
    more = {"organization_id": org_id}
    state().log("sdel", text, origin(), client_id, user_id, details, **more)
    return with_cookie(_answered(grant, new), new)


def _answered(grant: Any, session: Session) -> Response:
    """Send the code or the ID token to the application, in the mode it asked for."""
    answer = grant.answer(session)
    if authorization_request().get("state"):
        answer["state"] = authorization_request()["state"]
    return _sent_to(grant.request.payload.redirect_uri, answer)


def _sent_to(redirect_uri: str, answer: Dict[str, str]) -> Response:
    """Send the browser to the callback (OAuth 2.0 Multiple Response Types, 2.1)."""
    asked = authorization_request()
    default = "fragment" if asked.get("response_type") == "id_token" else "query"
    mode = asked.get("response_mode") or default
    if mode == "form_post":
        return form_post_page(redirect_uri, answer)
    if mode == "fragment":
        location = f"{redirect_uri}#{urlencode(answer)}"
    else:
        joint = "&" if urlsplit(redirect_uri).query else "?"
        location = f"{redirect_uri}{joint}{urlencode(answer)}"
    return Response(status=302, headers={"Location": location})


def _page(instead: PageInstead, client: Client, session: Optional[Session]) -> Response:
    asked = authorization_request()
    if instead.reason:
        text, client_id = instead.warning or instead.reason, client.client_id
        details = {"method": origin().method, "path": "/authorize"}
        audience = asked.get("audience")
        state().log("w", text, origin(), client_id, None, details, audience=audience)
    if instead.page == "error":
        page = error_page(instead.reason, log_out=session is not None)
        return with_rule(page, instead.rule)
    left = {k: v for k, v in asked.items() if k != "session_transfer_token"}
    users, name = state().users.values(), client.setting("name")
    hint = asked.get("login_hint", "")
    page = login_page(urlencode(left), name, users, instead.reason, hint=hint)
    return with_rule(page, instead.rule)


def _told(error: OAuth2Error, client: Optional[Client] = None) -> Response:
    """Send an OAuth error to the application, or to the browser if that is not safe."""
    reason = error.get_error_description() or error.error
    said = {"message": reason, "oauthError": error.error, "type": "oauth-authorization"}
    client_id = client.client_id if client is not None else None
    state().log("f", reason, origin(), client_id=client_id, details={"error": said})
    rule = getattr(error, "rule", None)
    if not error.redirect_uri:
        return with_rule(error_page(reason), rule)
    answer = {"error": error.error, "error_description": reason}
    if error.state:
        answer["state"] = error.state
    return with_rule(_sent_to(error.redirect_uri, answer), rule)


@routes.post("/oauth/par")
def push() -> Union[Response, Tuple[Dict[str, Any], int]]:
    """Keep an authorization request (RFC 9126)."""
    oauth_request = server().create_oauth2_request(None)
    try:
        client = server().authenticate_client(oauth_request, AUTH_METHODS, "par")
    except InvalidClientError as error:
        refused: Response = server().handle_error_response(oauth_request, error)
        return refused
    secret = ("client_secret", "client_assertion", "client_assertion_type")
    kept = {k: v for k, v in fields().items() if k not in secret}
    had_token = kept.pop("session_transfer_token", None) is not None
    uri = "urn:ietf:params:oauth:request_uri:" + secrets.token_urlsafe(24)
    client_id, ends = client.client_id, state().clock() + PUSHED_LIFETIME
    pushed = PushedRequest(client_id, {**kept, "client_id": client_id}, ends, had_token)
    state().records.pushed[uri] = pushed
    return {"request_uri": uri, "expires_in": PUSHED_LIFETIME}, 201
