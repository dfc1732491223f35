"""The playground's shop: what a customer sees, and an agent in the customer's place."""

import secrets
from typing import TYPE_CHECKING, Any, Dict
from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import (
    Flask,
    Response,
    abort,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from ... import InvalidArgumentError, actor_from_claims, session_transfer_params

if TYPE_CHECKING:
    from .server import Playground

SCOPE = "openid profile email"
ORDERS = {
    "auth0|ada": ("Desk lamp, brass", "39.00", "390.00"),
    "auth0|lin": ("Walking boots", "120.00", "120.00"),
    "auth0|sam": ("Staff mug", "0.00", "0.00"),
}


class _LoopbackSession(OAuth2Session):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A proxy from the environment can't reach this machine's loopback.
        self.trust_env = False


class _LoopbackApp(FlaskOAuth2App):  # type: ignore[misc]
    client_cls = _LoopbackSession


def shop_app(playground: "Playground") -> Flask:
    """Return the shop, an ordinary application with Authlib."""
    tenant = playground.tenant
    auth0 = tenant.shop
    app = Flask("auth0_stt.testing.playground")
    app.secret_key = secrets.token_bytes(32)
    app.config.update(
        SESSION_COOKIE_NAME=tenant.cookie + "_shop", SESSION_COOKIE_SAMESITE="Lax"
    )
    oauth = OAuth(app)
    oauth.register(
        "auth0",
        client_cls=_LoopbackApp,
        client_id=auth0["client_id"],
        client_secret=auth0["client_secret"],
        server_metadata_url=auth0["domain"] + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": SCOPE + " offline_access",
            "code_challenge_method": "S256",
        },
    )

    @app.get("/login")
    def login() -> Any:
        try:
            delegated: Dict[str, str] = session_transfer_params(request.args)
        except InvalidArgumentError:
            abort(400)
        if "dropped-token" in playground.switches:
            delegated = {}
        if delegated:
            # A delegated login gets no refresh token.
            delegated["scope"] = SCOPE
        return oauth.auth0.authorize_redirect(
            url_for("callback", _external=True), **delegated
        )

    @app.get("/callback")
    def callback() -> Any:
        try:
            token = oauth.auth0.authorize_access_token()
        except OAuthError as error:
            session.clear()
            return _page(problem=error.description or error.error), 403
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
            return _page(
                problem="An agent can\u2019t delete a customer\u2019s account. This was refused."
            ), 403
        return _page(notice="The account would be gone now, if this were a real shop.")

    @app.get("/logout")
    def logout() -> Any:
        # Here and at the tenant, or the agent can't enter the next account.
        session.clear()
        query = {"client_id": auth0["client_id"], "returnTo": playground.shop_url}
        return redirect(auth0["domain"] + "/v2/logout?" + urlencode(query))

    @app.after_request
    def private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def _page(problem: str = "", notice: str = "") -> str:
        user = session.get("user")
        actor = actor_from_claims(user) if user else None
        return render_template(
            "playground/shop.html",
            user=user,
            actor=tenant.users.get(actor.sub, {"name": actor.sub}) if actor else None,
            order=ORDERS.get(user["sub"]) if user else None,
            problem=problem,
            notice=notice,
            console_url=playground.url,
        )

    return app
