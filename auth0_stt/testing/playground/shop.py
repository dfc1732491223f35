"""The shop: what a customer sees, and what an agent sees in the customer's place."""

import secrets
from typing import Any, Dict

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask, abort, redirect, render_template, request, session, url_for

from ... import (
    InvalidArgumentError,
    actor_from_claims,
    build_logout_url,
    session_transfer_params,
)
from .guard import guard
from .state import VISITOR_HEADER, Visitor
from .trail import reason_header

SCOPE = "openid profile email"
ORDERS = {
    "auth0|ada": ("Desk lamp, brass", "39.00", "390.00"),
    "auth0|lin": ("Walking boots", "120.00", "120.00"),
    "auth0|sam": ("Staff mug", "0.00", "0.00"),
}


def shop_app(visitor: Visitor) -> Flask:
    """Return the visitor's shop, an ordinary application with Authlib."""
    addresses, auth0 = visitor.addresses, visitor.application("shop")
    app = Flask("auth0_stt.testing.playground")
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        SESSION_COOKIE_NAME=f"playground_shop_{addresses.shop_port}",
        SESSION_COOKIE_SAMESITE="Lax",
    )
    guard(app, visitor)
    oauth = OAuth(app)
    oauth.register(
        "auth0",
        client_cls=_client_of(visitor),
        client_id=auth0["client_id"],
        client_secret=auth0["client_secret"],
        server_metadata_url=auth0["domain"] + "/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256"},
    )

    @app.get("/login")
    def login() -> Any:
        try:
            delegated: Dict[str, str] = session_transfer_params(request.args)
        except InvalidArgumentError:
            abort(400)
        if visitor.on("login-route-passes-token"):
            delegated = {}
        return oauth.auth0.authorize_redirect(
            url_for("callback", _external=True), **delegated
        )

    @app.get("/callback")
    def callback() -> Any:
        try:
            token = oauth.auth0.authorize_access_token()
        except OAuthError as error:
            session.clear()
            problem = error.description or error.error
            return _page(problem=problem), 403, reason_header(problem)
        session.clear()
        session["user"] = dict(token["userinfo"])
        return redirect(url_for("account"))

    @app.get("/")
    @app.get("/account")
    def account() -> str:
        return _page()

    @app.post("/account/delete")
    def delete() -> Any:
        user = session.get("user") or abort(401)
        if actor_from_claims(user) is not None:
            problem = "An agent can\u2019t delete a customer\u2019s account."
            return _page(problem=problem), 403
        return _page(notice="The account would be gone now, if this were a real shop.")

    @app.get("/logout")
    def logout() -> Any:
        # Here and at the tenant, or the agent can't enter the next account.
        session.clear()
        client_id = auth0["client_id"]
        return redirect(
            build_logout_url(
                auth0["domain"], client_id=client_id, return_to=addresses.shop
            )
        )

    def _page(problem: str = "", notice: str = "") -> str:
        user = session.get("user")
        actor = actor_from_claims(user) if user else None
        known = visitor.tenant.users
        return render_template(
            "playground/shop.html",
            user=user,
            actor=known.get(actor.sub, {"name": actor.sub}) if actor else None,
            order=ORDERS.get(user["sub"]) if user else None,
            problem=problem,
            notice=notice,
            console_url=addresses.console,
        )

    return app


def _client_of(visitor: Visitor) -> Any:
    """Return Authlib's client, which tells the tenant whose shop it is."""

    class Web(OAuth2Session):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # A proxy from the environment can't reach this machine's loopback.
            self.trust_env = False
            self.headers[VISITOR_HEADER] = visitor.id

    class Client(FlaskOAuth2App):  # type: ignore[misc]
        client_cls = Web

    return Client
