"""Signing in, logging out, and /userinfo."""

from typing import Any, Dict, Optional
from urllib.parse import urlencode

from flask import Blueprint, Response
from joserfc.errors import JoseError

from ..clients import Client
from ..issue import asks_for_auth_time, profile
from ..login import may_return_to, signed_in
from ..refusal import Refusal
from ..tokens import signed, verified
from .origin import authorization, fields, open_session, origin, query, state
from .pages import (
    error_page,
    logged_out_page,
    login_page,
    redirect,
    with_cookie,
    with_rule,
)

routes: Blueprint = Blueprint("account", __name__)


@routes.post("/u/login")
def login() -> Response:
    asked, sent = query(), fields()
    client = state().client(asked.get("client_id", ""))
    if client is None:
        return error_page("The login page was left without its query.")
    username, password = sent.get("username", ""), sent.get("password", "")
    try:
        session = signed_in(state(), origin(), username, password)
    except Refusal as refusal:
        text, users = refusal.description, state().users.values()
        state().log("fp", text, origin(), client_id=client.client_id)
        query_again, name = urlencode(asked), client.setting("name")
        return login_page(query_again, name, users, problem=text, hint=username)
    user_id = session.user_id
    state().log("s", "Successful login", origin(), client.client_id, user_id)
    return with_cookie(redirect("/authorize?" + urlencode(_fresh(asked))), session)


def _fresh(asked: Dict[str, str]) -> Dict[str, str]:
    """Return the request without what has been done: the user has just logged in."""
    left = {name: value for name, value in asked.items() if name != "prompt"}
    # No age is too old for it now, and the ID token still gets auth_time.
    return {**left, "max_age": str(10**9)} if asks_for_auth_time(asked) else left


@routes.get("/v2/logout")
def logout() -> Response:
    client = state().client(query().get("client_id", ""))
    return _logged_out(client, query().get("returnTo"))


@routes.route("/oidc/logout", methods=["GET", "POST"])
def end_session() -> Response:
    """Log out by OpenID Connect RP-Initiated Logout."""
    asked = {**query(), **fields()}
    client_id = asked.get("client_id") or _audience(asked.get("id_token_hint", ""))
    target = asked.get("post_logout_redirect_uri")
    if target is not None and asked.get("state"):
        joint = "&" if "?" in target else "?"
        target = f"{target}{joint}{urlencode({'state': asked['state']})}"
    return _logged_out(state().client(client_id), target)


def _audience(id_token: str) -> str:
    """Return whose ID token a hint is; it may have expired."""
    try:
        claims = signed(id_token)
    except (JoseError, ValueError):
        return ""
    return str(claims.get("aud"))


def _logged_out(client: Optional[Client], target: Optional[str]) -> Response:
    session = open_session()
    if session is not None:
        state().records.sessions.pop(session.id, None)
        details = {"session_id": session.id, "return_to": target}
        client_id = client.client_id if client is not None else None
        user_id = session.user_id
        text = "User successfully logged out"
        state().log("slo", text, origin(), client_id, user_id, details)
    if target is None:
        response = logged_out_page()
    elif may_return_to(state(), client, target):
        response = redirect(target)
    else:
        text = "The returnTo URL is not among the allowed_logout_urls."
        response = with_rule(error_page(text), "logout-url")
    response.delete_cookie(state().cookie)
    return response


@routes.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Any:
    scheme, _, token = authorization().partition(" ")
    if scheme.lower() != "bearer":
        # RFC 6750, 3.1: no code where no token was sent.
        return _challenge("")
    audiences = [issuer + "userinfo" for issuer in state().issuers]
    expected = {"essential": True, "values": audiences}
    try:
        claims = verified(token, state().clock(), aud=expected)
    except (JoseError, ValueError):
        return _challenge(', error="invalid_token"')
    user = state().users.get(claims["sub"])
    if user is None:
        return _challenge(', error="invalid_token"')
    return profile(user, claims["scope"])


def _challenge(code: str) -> Response:
    header = f'Bearer realm="{origin().host}"{code}'
    return Response("Unauthorized", 401, {"WWW-Authenticate": header})
