"""The support console: customers, switches, and the page that shows every hop."""

import contextlib
import logging
import threading
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import urlencode

from flask import Flask, Response, abort, make_response, redirect, render_template
from flask import request as asked
from requests import Session

from ... import (
    ID_TOKEN_TYPE,
    REDIRECT_HEADERS,
    SessionTransferError,
    build_session_transfer_redirect,
    request_session_transfer_token,
    resolve_actor_token,
)
from ...rules import RULES
from ..tenant.logs import Log
from ..tenant.origin import RULE_HEADER
from .diagnosis import findings
from .guard import guard
from .hops import SCANNER
from .state import CUSTOMERS, VISITOR_HEADER, Visitor
from .switches import AGENT, GROUPS, SWITCHES, explained
from .trail import VERDICTS, Message, Outcome, reason_header

# Where the agent seems to have been at the click (RFC 5737).
FORMER_ADDRESS = "198.51.100.7"
TOO_LATE = 61.0


def console_app(visitor: Visitor) -> Flask:
    """Return the visitor's console; its agent has signed in already."""
    app = Flask("auth0_stt.testing.playground")
    guard(app, visitor, visitor.addresses.shop, visitor.issuer)

    @app.get("/")
    def home() -> str:
        return render_template("playground/home.html", **_home(visitor))

    @app.post("/reset")
    def reset() -> Any:
        visitor.prepare(())
        visitor.trail.clear()
        return redirect("/")

    @app.get("/visit")
    def visit() -> Any:
        query = {"visitor": visitor.id, "to": asked.args.get("to", "/")}
        return redirect(visitor.addresses.shop + "visit?" + urlencode(query))

    @app.post("/enter")
    def enter() -> Any:
        visitor.customer = asked.form.get("customer", "")
        if visitor.customer not in CUSTOMERS:
            abort(400)
        visitor.prepare(asked.form.getlist("switch"))
        try:
            with _web(visitor) as web, _audited(visitor.audit):
                result = request_session_transfer_token(**_request(visitor, web))
        except SessionTransferError as error:
            return _refused(visitor, error)
        url = build_session_transfer_redirect(visitor.addresses.shop + "login", result)
        if visitor.on("token-fresh"):
            visitor.tenant.clock.advance(TOO_LATE)
        if visitor.on("token-unused"):
            _scan(url)
        answer: Any = redirect(url, 303)
        answer.headers.update(REDIRECT_HEADERS)
        return answer

    @app.get("/trail")
    def hops() -> str:
        return render_template("playground/trail.html", **_trail(visitor))

    return app


def _home(visitor: Visitor) -> Dict[str, Any]:
    users, query = visitor.tenant.users, asked.args
    # A link can name what is to go wrong.
    on = set(query.getlist("switch")) if query else visitor.switches
    return {
        "agent": users[AGENT],
        "customers": [(users[user_id], why) for user_id, why in CUSTOMERS.items()],
        "customer": query.get("customer") or visitor.customer or next(iter(CUSTOMERS)),
        "groups": GROUPS,
        "on": on & set(SWITCHES),
        "unknown": sorted(on - set(SWITCHES)),
        "open_sessions": visitor.open_sessions(),
        "shop_url": visitor.addresses.shop,
    }


def _request(visitor: Visitor, web: Session) -> Dict[str, Any]:
    """Return the arguments of the mint, with what the console's code gets wrong."""
    settings: Dict[str, Any] = dict(visitor.application("console"), session=web)
    actor_token = _actor_token(visitor, settings)
    if visitor.on("client-credentials"):
        settings["client_secret"] = "the-one-from-staging"
    return dict(
        settings,
        subject_token=visitor.tenant.subject_token(visitor.customer),
        subject_token_type=visitor.subject_token_type,
        actor_token=actor_token,
        actor_token_type=ID_TOKEN_TYPE,
        reason=asked.form.get("reason", "").strip() or None,
        forwarded_for=_agents_address(visitor),
    )


def _actor_token(visitor: Visitor, settings: Dict[str, Any]) -> str:
    agent = visitor.agent
    if visitor.on("actor-token-fresh"):
        lifetimes = visitor.tenant.settings["console"]["jwt_configuration"]
        lifetime = lifetimes["lifetime_in_seconds"]
        lifetimes["lifetime_in_seconds"] = -60
        stale: str = visitor.tenant.agent_tokens(AGENT)["id_token"]
        lifetimes["lifetime_in_seconds"] = lifetime
        return stale
    actor = resolve_actor_token(
        **settings, id_token=agent["id_token"], refresh_token=agent["refresh_token"]
    )
    agent.update(id_token=actor.actor_token, refresh_token=actor.refresh_token)
    return actor.actor_token


def _agents_address(visitor: Visitor) -> Optional[str]:
    if visitor.on("forwarded-address"):
        return None
    return FORMER_ADDRESS if visitor.on("same-address") else asked.remote_addr


def _refused(visitor: Visitor, error: SessionTransferError) -> Response:
    page = render_template(
        "playground/refused.html", error=error, findings=findings(visitor)
    )
    answer = make_response(page, 502)
    reason = f"{error.code}: {error}"
    answer.headers.update(reason_header(reason))
    if error.code == "unexpected_token_type":
        answer.headers[RULE_HEADER] = "session-transfer-audience"
    return answer


def _trail(visitor: Visitor) -> Dict[str, Any]:
    messages, outcome = visitor.trail.copy(), visitor.trail.outcome
    rule_id = explained(outcome.rule, visitor.switches) if outcome else ""
    switch = SWITCHES.get(rule_id)
    kind = outcome.kind if outcome else "started" if messages else "none"
    query = [("customer", visitor.customer)]
    query += [("switch", each) for each in SWITCHES if each in visitor.switches]
    return {
        "messages": messages,
        "outcome": outcome,
        "verdict": VERDICTS[kind],
        "rule": RULES.get(rule_id),
        "switch": switch,
        "cause": _first(messages, switch.step) if switch else None,
        "symptom": _symptom(messages, outcome),
        "findings": findings(visitor),
        "logs": list(visitor.tenant.logs),
        "facts": _facts,
        "audit": list(visitor.audit),
        "scenario": visitor.addresses.console + "?" + urlencode(query),
        "shop_url": visitor.addresses.shop,
    }


def _facts(log: Log) -> List[str]:
    """Return who is in an entry of the tenant's log."""
    actor = log.details.get("actor") or {}
    facts = {
        "client": log.client_id,
        "user": log.user_id,
        "actor": actor.get("sub"),
        "ip": log.ip,
    }
    return [f"{name} {value}" for name, value in facts.items() if value]


def _first(messages: List[Message], step: str) -> Optional[int]:
    """Return the number of the first hop that is this step."""
    found = (n for n, each in enumerate(messages, 1) if each.step == step)
    return next(found, None)


def _symptom(messages: List[Message], outcome: Optional[Outcome]) -> Optional[int]:
    """Return the number of the hop at which the agent sees that something is wrong."""
    if outcome is None or outcome.good:
        return None
    failed = [n for n, each in enumerate(messages, 1) if each.failed]
    return failed[-1] if failed else None


@contextlib.contextmanager
def _web(visitor: Visitor) -> Iterator[Session]:
    with Session() as web:
        # A proxy from the environment can't reach this machine's loopback.
        web.trust_env = False
        web.headers[VISITOR_HEADER] = visitor.id
        yield web


def _scan(url: str) -> None:
    with Session() as web:
        web.trust_env = False
        web.headers["User-Agent"] = SCANNER
        web.get(url, timeout=10)


class _Audit(logging.Handler):
    """Keeps what the library logs in one thread."""

    def __init__(self, lines: List[str]) -> None:
        super().__init__(logging.INFO)
        self._lines = lines
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            reason = getattr(record, "auth0_reason", None)
            line = f"{record.levelname} {record.getMessage()}"
            self._lines.append(line + (f" reason={reason!r}" if reason else ""))


@contextlib.contextmanager
def _audited(lines: List[str]) -> Iterator[None]:
    logger, handler = logging.getLogger("auth0_stt"), _Audit(lines)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
