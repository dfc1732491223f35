"""What went over the wire between the playground's parties, with every token masked."""

import base64
import json
import threading
from io import BytesIO
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple
from urllib.parse import parse_qsl

from attr import Factory, attrs
from joserfc import jws

from ..tenant.origin import REASON_HEADER, RULE_HEADER
from .hops import (
    NOTES,
    NOTES_WITH_TOKEN,
    OWN_FORMS,
    SCANNER,
    Answer,
    sender_of,
    step_of,
)
from .snippets import SECRETS, Call, Fields

# What else a browser asks for says nothing about the flow.
RECORDED: Dict[str, Tuple[str, ...]] = {
    "Console": ("/enter",),
    "Shop": ("/login", "/callback", "/account/delete", "/logout"),
    "Tenant": ("/authorize", "/oauth/token", "/u/login", "/v2/logout"),
}
ADDRESS = "auth0-forwarded-for"
CLAIMS = ("iss", "sub", "aud", "exp", "act", "org_id")
LONGEST_TRAIL = 80

# What became of the click, by the outcome's kind: a title, and what the agent sees.
VERDICTS: Dict[str, Tuple[str, str]] = {
    "none": (
        "Nothing has arrived yet",
        "The hops appear here once somebody has entered an account.",
    ),
    "started": (
        "A login is under way",
        "The browser has not come back from the tenant yet.",
    ),
    "entered": (
        "The agent is in",
        "The shop shows the account, and a banner says who is really there.",
    ),
    "customer": (
        "An ordinary login",
        "Somebody logged in with their own password: no agent, no banner.",
    ),
    "console": (
        "The console got no token",
        "The agent\u2019s browser never left the console, which shows the error.",
    ),
    "login": (
        "A login page, and no word why",
        "The agent sees the tenant\u2019s ordinary login page. No error.",
    ),
    "error": (
        "The tenant\u2019s error page",
        "The agent sees an error page. The shop never hears of it.",
    ),
    "told": (
        "The shop was refused",
        "The agent sees the shop\u2019s own page for a failed login.",
    ),
}


@attrs(frozen=True, auto_attribs=True)
class Message:
    """A request or an answer; ``failed`` if the flow left its path with it."""

    sender: str
    receiver: str
    step: str
    line: str
    note: str
    carried: Fields
    # What an ID token in it says.
    claims: Fields
    failed: bool = False
    call: Optional[Call] = None


@attrs(frozen=True, auto_attribs=True)
class Outcome:
    """Where the agent's browser ended: ``kind`` is a key of ``VERDICTS``.

    ``rule`` is the id of the rule that was broken, empty if that is not known.
    """

    kind: str
    reason: str = ""
    rule: str = ""

    @property
    def good(self) -> bool:
        return self.kind in ("entered", "customer")


@attrs(auto_attribs=True)
class Trail:
    """The messages since the agent's last click, and where they led."""

    messages: List[Message] = Factory(list)
    outcome: Optional[Outcome] = None
    # The rule that the tenant last said was broken.
    rule: str = ""
    lock: Any = Factory(threading.Lock)

    def add(self, message: Message) -> None:
        """Note a message; what goes on for ever is cut."""
        with self.lock:
            if len(self.messages) < LONGEST_TRAIL:
                self.messages.append(message)

    def copy(self) -> List[Message]:
        """Return the messages so far."""
        with self.lock:
            return list(self.messages)

    def clear(self) -> None:
        """Forget all, for another click."""
        with self.lock:
            self.messages.clear()
            self.outcome, self.rule = None, ""

    def names_an_actor(self) -> bool:
        """Return whether the last ID token did."""
        tokens = [each.claims for each in self.copy() if each.step == "trade answer"]
        return any("act" in dict(claims) for claims in tokens[-1:])

    def carries_a_token(self) -> bool:
        """Return whether the browser brought a token to the shop's login route."""
        logins = [each.carried for each in self.copy() if each.step == "login"]
        return any("session_transfer_token" in dict(each) for each in logins[-1:])


class Recorder:
    """WSGI middleware: notes what one party is asked and what it answers."""

    def __init__(
        self, app: Any, party: str, trail: Trail, clock: Callable[[], float]
    ) -> None:
        self._app = app
        self._party = party
        self._trail = trail
        self._clock = clock

    def __call__(self, environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path not in RECORDED[self._party]:
            inner: Iterable[bytes] = self._app(environ, start_response)
            return inner
        fields = _sent(environ)
        sender, step = sender_of(environ, fields), step_of(environ, fields)
        if step == "click":
            self._trail.clear()
        self._trail.add(self._request(environ, fields, sender, step))

        told: Dict[str, Any] = {}

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            told.update(status=int(status[:3]), headers=dict(headers))
            return start_response(status, headers, exc_info)

        body = b"".join(self._app(environ, start))
        answer = Answer(
            self._party, step, told["status"], told["headers"], body, dict(fields)
        )
        self._trail.add(self._answer(answer, sender))
        if sender != SCANNER:
            self._conclude(answer)
        return [body]

    def _request(
        self, environ: Dict[str, Any], fields: Fields, sender: str, step: str
    ) -> Message:
        method, host = environ["REQUEST_METHOD"], environ.get("HTTP_HOST", "")
        target = host + environ["PATH_INFO"]
        headers = {}
        if environ.get("HTTP_AUTH0_FORWARDED_FOR"):
            headers[ADDRESS] = environ["HTTP_AUTH0_FORWARDED_FOR"]
        note = NOTES[step]
        if any(name == "session_transfer_token" for name, _ in fields):
            note = NOTES_WITH_TOKEN.get(step, note)
        return Message(
            sender,
            self._party,
            step,
            f"{method} {target}",
            note,
            _masked(fields) + [("header " + n, v) for n, v in headers.items()],
            self._claims(fields, "actor_token"),
            call=None
            if step in OWN_FORMS
            else Call(method, "http://" + target, headers, fields),
        )

    def _answer(self, answer: Answer, sender: str) -> Message:
        note, failed = answer.note(self._trail.carries_a_token())
        fields, step = answer.fields(), answer.step + " answer"
        claims = self._claims(fields, "id_token")
        line = answer.line()
        return Message(
            self._party, sender, step, line, note, _masked(fields), claims, failed
        )

    def _claims(self, fields: Fields, name: str) -> Fields:
        token = dict(fields).get(name, "")
        if token.count(".") != 2:
            return []
        claims = json.loads(jws.extract_compact(token.encode()).payload)
        shown = [(each, claims[each]) for each in CLAIMS if each in claims]
        return [(name, self._claim(name, value)) for name, value in shown]

    def _claim(self, name: str, value: Any) -> str:
        if name != "exp":
            return value if isinstance(value, str) else json.dumps(value)
        seconds = round(value - self._clock())
        if seconds < 0:
            return f"{value} ({-seconds} seconds ago)"
        return f"{value} (in {seconds / 3600:.1f} hours)"

    def _conclude(self, answer: Answer) -> None:
        trail = self._trail
        # What the tenant said last counts, at the callback too.
        kept = "" if answer.party == "Tenant" else trail.rule
        trail.rule = answer.headers.get(RULE_HEADER, kept)
        kind = answer.kind(trail.carries_a_token())
        reason, rule = answer.headers.get(REASON_HEADER, ""), trail.rule
        if kind == "entered" and not trail.names_an_actor():
            kind = "customer"
        if kind == "login" and "session_transfer_token" not in answer.sent:
            rule = "login-route-passes-token"
            reason = "The shop asked for a login without the session_transfer_token."
        if kind:
            good = kind in ("entered", "customer")
            trail.outcome = Outcome(kind, reason, "" if good else rule)


def reason_header(reason: str) -> Dict[str, str]:
    """Return the header in which a party tells the trail why it refuses."""
    return {REASON_HEADER: reason.encode("ascii", "replace").decode()}


def masked(token: str) -> str:
    """Return what may be shown of a token: enough to know it by, too little to use."""
    return f"{token[:4]}\u2026 ({len(token)} characters)"


def _masked(fields: Fields) -> Fields:
    return [(name, _shown(name, value)) for name, value in fields if value]


def _shown(name: str, value: str) -> str:
    if name in ("client_secret", "password"):
        return "\u2022\u2022\u2022\u2022\u2022\u2022"
    return masked(value) if name in SECRETS else value


def _sent(environ: Dict[str, Any]) -> Fields:
    fields = parse_qsl(environ.get("QUERY_STRING", ""))
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        fields += parse_qsl(body.decode("utf-8", "replace"))
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme == "Basic":
        client_id, _, secret = base64.b64decode(credentials).decode().partition(":")
        fields += [("client_id", client_id), ("client_secret", secret)]
    # The playground's own.
    return [(name, value) for name, value in fields if name not in ("token", "switch")]
