"""A shop in Flask: the application that is entered."""

import functools
import os
import re
import time
from collections.abc import Callable
from typing import Any, ParamSpec

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import (
    Flask,
    Response,
    abort,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError
from requests.exceptions import RequestException

from auth0_stt import (
    DELEGATED_SESSION_LIFETIME,
    InvalidArgumentError,
    actor_from_claims,
    build_logout_url,
    session_transfer_params,
)

P = ParamSpec("P")

DOMAIN = os.environ["SHOP_DOMAIN"]
ISSUER = DOMAIN if "://" in DOMAIN else "https://" + DOMAIN
CLIENT_ID = os.environ["SHOP_CLIENT_ID"]

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SHOP_SECRET_KEY"],
    SESSION_COOKIE_NAME="shop",
    SESSION_COOKIE_SAMESITE="Lax",
    # "http" is for this machine only.
    SESSION_COOKIE_SECURE=os.environ.get("SHOP_SCHEME", "https") == "https",
)
oauth = OAuth(app)
oauth.register(
    "auth0",
    client_id=CLIENT_ID,
    client_secret=os.environ["SHOP_CLIENT_SECRET"],
    server_metadata_url=ISSUER + "/.well-known/openid-configuration",
    client_kwargs={
        "scope": "openid profile email",
        "code_challenge_method": "S256",
        "default_timeout": 10,  # seconds; without it, Authlib waits forever
    },
)

ORDERS = {"4711": "One lamp, and its price is wrong", "4712": "Two chairs"}


@app.get("/login")
def login() -> ResponseReturnValue:
    """Log a customer in, or an agent who comes with a session transfer token."""
    transfer = session_transfer_params(request.args)
    if g.user and not transfer:
        return redirect(url_for("home"))  # no loop if ?next= leads back here
    session["next"] = local_path(request.args.get("next", ""))
    session["entering"] = bool(transfer)
    # max_age asks for the time of the login (auth_time), which it does not limit.
    # Not with a pushed authorization request (PAR), which loses the token.
    more = transfer or {"max_age": "999999999"}
    try:
        return oauth.auth0.authorize_redirect(
            url_for("callback", _external=True), **more
        )
    except RequestException:
        return no_answer()


@app.get("/callback")
def callback() -> ResponseReturnValue:
    try:
        token = oauth.auth0.authorize_access_token()
        if "userinfo" not in token:
            raise OAuthError(description="The tenant sent no ID token.")
    except (OAuthError, JoseError) as error:
        # A page, not a redirect to /login: that would loop.
        return problem(error.description or error.error, 403)
    except (RequestException, ValueError):  # no answer, or not JSON
        return no_answer()
    user, page = token["userinfo"], session.get("next", "/")
    actor = actor_from_claims(user)
    # A token begins a session at Auth0. Without one, the agent is in it already.
    now = time.time()
    since = now if session.get("entering") else min(user.get("auth_time", 0), now)
    session.clear()
    session["user"] = user
    if actor is None:
        record_last_login(user["sub"])
    else:
        # Auth0 ends its own session after two hours. This one is the shop's to end.
        session["ends_at"] = since + DELEGATED_SESSION_LIFETIME
    return redirect(page)


@app.post("/logout")
def logout() -> ResponseReturnValue:
    """Log out here and at Auth0, or the agent can't enter the next account."""
    session.clear()
    home = url_for("home", _external=True)  # must be in allowed_logout_urls
    return redirect(build_logout_url(DOMAIN, client_id=CLIENT_ID, return_to=home), 303)


def local_path(path: str) -> str:
    """Return the path if it stays on this site, else the home page."""
    # Browsers take "//host" for another site, a backslash for "/", and skip tabs.
    return path if re.fullmatch(r"/(?!/)[!-\[\]-~]*", path) else "/"


def record_last_login(sub: str) -> None:
    app.logger.info("last login of %s: now", sub)


@app.before_request
def load_user() -> None:
    if time.time() > session.get("ends_at", float("inf")):
        session.clear()
    g.user = session.get("user")
    g.actor = actor_from_claims(g.user) if g.user else None


def for_customers_only(view: Callable[P, Any]) -> Callable[P, Any]:
    """Refuse agents: for what nobody but the customer may do."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        if g.user is None or g.actor is not None:
            abort(403, "Only the customer can do this.")
        return view(*args, **kwargs)

    return guarded


@app.get("/")
def home() -> ResponseReturnValue:
    return render_template("shop.html", orders=ORDERS if g.user else {})


@app.get("/orders/<number>")
def order(number: str) -> ResponseReturnValue:
    if g.user is None:
        return redirect(url_for("login", next=request.path))
    if number not in ORDERS:
        abort(404)
    return render_template("shop.html", orders={number: ORDERS[number]})


@app.post("/account/delete")
@for_customers_only
def delete_account() -> ResponseReturnValue:
    session.clear()
    g.user = None
    return problem("The account is gone.", 200)


@app.context_processor
def banner() -> dict[str, Any]:
    return {"user": g.get("user"), "actor": g.get("actor")}


@app.after_request
def keep_private(response: Response) -> Response:
    """Keep pages out of caches and addresses, /login's above all, out of Referers."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@app.errorhandler(InvalidArgumentError)
def bad_request(error: InvalidArgumentError) -> ResponseReturnValue:
    """Answer a link with a malformed token, or claims with a malformed actor."""
    return problem(str(error), 400)


@app.errorhandler(403)
def forbidden(error: Any) -> ResponseReturnValue:
    return problem(error.description, 403)


def no_answer() -> ResponseReturnValue:
    return problem(f"The login failed: no usable answer from {DOMAIN}.", 502)


def problem(message: str, status: int) -> ResponseReturnValue:
    return render_template("shop.html", orders={}, problem=message), status
