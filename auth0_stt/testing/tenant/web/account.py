"""Signing in, logging out, and /userinfo."""

from typing import Any
from urllib.parse import urlencode

from authlib.integrations.flask_oauth2 import current_token
from flask import Blueprint, Response

from ..issue import profile
from ..login import signed_in
from ..refusal import Refusal
from .oauth import protected
from .origin import form, open_session, origin, query, state
from .pages import error_page, logged_out_page, login_page, redirect, with_cookie

routes = Blueprint("account", __name__)


@routes.post("/u/login")
def login() -> Response:
    again = {name: value for name, value in query().items() if name != "prompt"}
    client = state().client(again.get("client_id", ""))
    if client is None:
        return error_page("The login page was left without its query.")
    fields = form()
    username, password = fields.get("username", ""), fields.get("password", "")
    try:
        session = signed_in(state(), origin(), username, password)
    except Refusal as refusal:
        state().log("fp", refusal.description, origin(), client_id=client.client_id)
        users, name = state().users.values(), client.setting("name")
        return login_page(urlencode(again), name, users, problem=refusal.description)
    user_id = session.user_id
    state().log("s", "Login", origin(), client_id=client.client_id, user_id=user_id)
    return with_cookie(redirect("/authorize?" + urlencode(again)), session)


@routes.get("/v2/logout")
def logout() -> Response:
    session = open_session()
    if session is not None:
        state().records.sessions.pop(session.id, None)
        state().log("slo", "Logout", origin(), user_id=session.user_id)
    client = state().client(query().get("client_id", ""))
    settings = client.settings if client is not None else state().settings["tenant"]
    target = query().get("returnTo")
    if target is None:
        response = logged_out_page()
    elif target in (settings.get("allowed_logout_urls") or []):
        response = redirect(target)
    else:
        response = error_page("The returnTo URL is not among the allowed_logout_urls.")
    response.delete_cookie(state().cookie)
    return response


@routes.route("/userinfo", methods=["GET", "POST"])
@protected("openid")  # type: ignore[untyped-decorator]
def userinfo() -> Any:
    claims = current_token.claims
    user = state().users.get(claims["sub"])
    if user is None:
        return {"error": "unauthorized"}, 401
    return profile(user, claims["scope"])
