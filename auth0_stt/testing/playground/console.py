"""The playground's support console: customers, switches, and the page that shows every hop."""

from typing import TYPE_CHECKING, Any, Dict, Optional
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
)
from requests import Session

from ... import (
    ID_TOKEN_TYPE,
    REDIRECT_HEADERS,
    SessionTransferError,
    build_session_transfer_redirect,
    request_session_transfer_token,
    resolve_actor_token,
)
from ..tenant.origin import REASON_HEADER
from .switches import GROUPS, SWITCHES
from .trail import SCANNER, VERDICTS

if TYPE_CHECKING:
    from .server import Playground

AGENT = "auth0|sam"
# Where the agent seems to have been at the click (RFC 5737).
FORMER_ADDRESS = "198.51.100.7"
CUSTOMERS = {
    "auth0|ada": "her cart shows the wrong price",
    "auth0|lin": "an order that never arrived",
}
TOO_LATE = 61.0


def console_app(playground: "Playground") -> Flask:
    """Return the console; its agent has signed in already."""
    tenant, trail = playground.tenant, playground.trail
    agent = tenant.agent_tokens(AGENT)
    app = Flask("auth0_stt.testing.playground")
    own_host = urlsplit(playground.url).netloc

    @app.before_request
    def only_from_here() -> None:
        # No other page may click for the agent, by whatever name it calls this machine.
        cross_site = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if request.host != own_host or (cross_site and request.method != "GET"):
            abort(403)

    @app.get("/")
    def home() -> Any:
        if "reset" in request.args:
            playground.prepare(())
            trail.clear()
            return redirect("/")
        return render_template(
            "playground/home.html",
            agent=tenant.users[AGENT],
            customers=[
                (tenant.users[user_id], why) for user_id, why in CUSTOMERS.items()
            ],
            groups=GROUPS,
            on=playground.switches,
            open_sessions=[
                tenant.users[user_id]["name"] for user_id in playground.open_sessions()
            ],
            shop_url=playground.shop_url,
            has_trail=bool(trail.messages),
        )

    @app.post("/enter")
    def enter() -> Any:
        playground.prepare(request.form.getlist("switch"))
        customer_id = request.form.get("customer", "")
        if customer_id not in CUSTOMERS:
            abort(400)
        try:
            result = request_session_transfer_token(**_request(customer_id))
        except SessionTransferError as error:
            return _refused(error)
        url = build_session_transfer_redirect(playground.shop_url + "login", result)
        if "late" in playground.switches:
            tenant.clock.advance(TOO_LATE)
        if "opened-before" in playground.switches:
            _scan(url)
        answer: Any = redirect(url, 303)
        answer.headers.update(REDIRECT_HEADERS)
        return answer

    def _request(customer_id: str) -> Dict[str, Any]:
        settings: Dict[str, Any] = dict(tenant.console, session=playground.web)
        return dict(
            settings,
            subject_token=tenant.subject_token(customer_id),
            subject_token_type=tenant.subject_token_type,
            actor_token=_actor_token(settings),
            actor_token_type=ID_TOKEN_TYPE,
            reason=request.form.get("reason", "").strip() or None,
            forwarded_for=_agents_address(),
        )

    def _actor_token(settings: Dict[str, Any]) -> str:
        if "stale-id-token" in playground.switches:
            configuration = tenant.settings["console"]["jwt_configuration"]
            lifetime, configuration["lifetime_in_seconds"] = (
                configuration["lifetime_in_seconds"],
                -60,
            )
            stale: str = tenant.agent_tokens(AGENT)["id_token"]
            configuration["lifetime_in_seconds"] = lifetime
            return stale
        actor = resolve_actor_token(
            **settings, id_token=agent["id_token"], refresh_token=agent["refresh_token"]
        )
        agent.update(id_token=actor.actor_token, refresh_token=actor.refresh_token)
        return actor.actor_token

    def _agents_address() -> Optional[str]:
        if "no-address" in playground.switches:
            return None
        return FORMER_ADDRESS if "moved" in playground.switches else request.remote_addr

    def _refused(error: SessionTransferError) -> Response:
        page = render_template("playground/refused.html", error=error)
        answer = make_response(page, 502)
        reason = f"{error.code}: {error}"
        answer.headers[REASON_HEADER] = reason.encode("ascii", "replace").decode()
        return answer

    @app.get("/trail")
    def hops() -> str:
        outcome = trail.outcome
        with trail.lock:
            messages = list(trail.messages)
        return render_template(
            "playground/trail.html",
            messages=messages,
            outcome=outcome,
            verdict=VERDICTS[outcome.kind if outcome else "none"],
            mend=[SWITCHES[key] for key in SWITCHES if key in playground.switches],
            logs=list(tenant.logs),
            shop_url=playground.shop_url,
        )

    @app.after_request
    def private(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    return app


def _scan(url: str) -> None:
    with Session() as session:
        session.trust_env = False
        session.headers["User-Agent"] = SCANNER
        session.get(url, timeout=10)
