"""A shop in Flask with Authlib: the application that is entered."""

from urllib.parse import urlencode

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import (
    Blueprint,
    Flask,
    abort,
    redirect,
    render_template,
    request,
    session,
    url_for,
)

from auth0_stt import InvalidArgumentError, actor_from_claims, session_transfer_params

SCOPE = "openid profile email"

shop = Blueprint("shop", __name__)
oauth = OAuth()


def create_app(auth0, secret_key):
    """Return the shop; ``auth0`` is domain (with its scheme), client_id and client_secret."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secret_key,
        SESSION_COOKIE_NAME="shop",
        SESSION_COOKIE_SAMESITE="Lax",
        AUTH0=auth0,
        AUTH0_CLIENT_ID=auth0["client_id"],
        AUTH0_CLIENT_SECRET=auth0["client_secret"],
        AUTH0_SERVER_METADATA_URL=auth0["domain"] + "/.well-known/openid-configuration",
        AUTH0_CLIENT_KWARGS={
            "scope": SCOPE + " offline_access",
            "code_challenge_method": "S256",
        },
    )
    app.register_blueprint(shop)
    oauth.init_app(app)
    oauth.register("auth0", overwrite=True)
    return app


@shop.get("/login")
def login():
    """Take a customer who logs in, and an agent who comes with a session transfer token."""
    try:
        delegated = session_transfer_params(request.args)
    except InvalidArgumentError:
        abort(400)
    if delegated:
        delegated["scope"] = (
            SCOPE  # a delegated login that asks for offline_access is refused
        )
    return oauth.auth0.authorize_redirect(
        url_for("shop.callback", _external=True), **delegated
    )


@shop.get("/callback")
def callback():
    try:
        token = oauth.auth0.authorize_access_token()
    except OAuthError as error:
        return render_template(
            "shop.html", problem=error.description or error.error
        ), 403
    session.clear()
    session["user"] = token["userinfo"]
    return redirect(url_for("shop.account"))


@shop.app_context_processor
def banner():
    return {
        "user": session.get("user"),
        "actor": actor_from_claims(session.get("user", {})),
    }


@shop.get("/")
def account():
    return render_template("shop.html")


@shop.post("/account/delete")
def delete_account():
    user = session.get("user") or abort(401)
    if actor_from_claims(user) is not None:
        abort(403, "An agent can't delete a customer's account.")
    session.clear()
    return render_template(
        "shop.html", problem="The account {} is gone.".format(user["sub"])
    )


@shop.get("/logout")
def logout():
    """Log out here and at the tenant, or the agent can't enter the next account."""
    session.clear()
    auth0 = oauth.app.config["AUTH0"]
    query = {
        "client_id": auth0["client_id"],
        "returnTo": url_for("shop.account", _external=True),
    }
    return redirect(auth0["domain"] + "/v2/logout?" + urlencode(query))


@shop.after_app_request
def private(response):
    """No page of an account stays in a cache, no address of one gets into a Referer."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
