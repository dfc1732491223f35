"""What went over the wire between the playground's parties, with every token masked."""

import base64
import json
import threading
from http import HTTPStatus
from io import BytesIO
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from attr import Factory, attrs
from joserfc import jws

from ..tenant.mint import SESSION_TRANSFER_TOKEN_TYPE
from ..tenant.origin import REASON_HEADER, RULE_HEADER
from .snippets import SECRETS, Call, Fields

# What else a browser asks for says nothing about the flow.
RECORDED: Dict[str, Tuple[str, ...]] = {
    "Console": ("/enter",),
    "Shop": ("/login", "/callback", "/account/delete", "/logout"),
    "Tenant": ("/authorize", "/oauth/token", "/u/login", "/v2/logout"),
}
ADDRESS = "auth0-forwarded-for"
CLAIMS = ("iss", "sub", "aud", "exp", "act", "org_id")
SCANNER = "Scanner"
LONGEST_TRAIL = 80

# The step that a request is: by its path, at the token endpoint by its grant.
STEPS = {
    "/enter": "click",
    "/login": "login",
    "/authorize": "authorize",
    "/callback": "callback",
    "/account/delete": "delete",
    "/u/login": "sign-in",
    "/logout": "leave",
    "/v2/logout": "log-out",
}
GRANTS = {
    "urn:ietf:params:oauth:grant-type:token-exchange": "mint",
    "authorization_code": "trade",
    "refresh_token": "renew",
}
# These forms hold a token that no copy has.
OWN_FORMS = ("click", "delete")
NOTES = {
    "click": "Sam picks a customer and says why.",
    "mint": "The console proves the customer, the agent and itself, and says where "
    "the agent sits.",
    "trade": "The shop trades the code for tokens, as in any login.",
    "renew": "The console renews the agent\u2019s ID token first.",
    "login": "An ordinary login.",
    "authorize": "A login without a token.",
    "callback": "The browser comes back to the shop.",
    "delete": "Somebody tries to delete the account.",
    "sign-in": "Somebody logs in by hand.",
    "leave": "The agent leaves the shop\u2026",
    "log-out": "\u2026and the tenant\u2019s session on its domain.",
    "scan": "Something else opens the link: a preview, a scanner, a prefetch.",
}
NOTES_WITH_TOKEN = {
    "login": "The browser carries the token to the shop\u2019s login route.",
    "authorize": "The token arrives where it is redeemed.",
}
# What became of the click, by the outcome's kind: a title, and what the agent sees.
VERDICTS: Dict[str, Tuple[str, str]] = {
    "none": (
        "Nothing has arrived yet",
        "The hops appear here once somebody has entered an account.",
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
    # The last rule that the tenant said was broken, and how it put it.
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
        sender, step = _sender(environ, fields), _step(environ, fields)
        if step == "click":
            self._trail.clear()
        self._trail.add(self._request(environ, fields, sender, step))

        told: Dict[str, Any] = {}

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            told.update(status=int(status[:3]), headers=dict(headers))
            return start_response(status, headers, exc_info)

        body = b"".join(self._app(environ, start))
        answer = _Answer(
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

    def _answer(self, answer: "_Answer", sender: str) -> Message:
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

    def _conclude(self, answer: "_Answer") -> None:
        trail = self._trail
        trail.rule = answer.headers.get(RULE_HEADER, trail.rule)
        kind = answer.kind(trail.carries_a_token())
        reason, rule = answer.headers.get(REASON_HEADER, ""), trail.rule
        if kind == "entered" and not trail.names_an_actor():
            kind = "customer"
        if kind == "told":
            reason = answer.sent.get("error_description") or answer.sent["error"]
        if kind == "login" and "session_transfer_token" not in answer.sent:
            rule = "login-route-passes-token"
            reason = "The shop asked for a login without the session_transfer_token."
        if kind:
            good = kind in ("entered", "customer")
            trail.outcome = Outcome(kind, reason, "" if good else rule)


@attrs(frozen=True, auto_attribs=True)
class _Answer:
    """What a party answered to a request that had sent ``sent``."""

    party: str
    step: str
    status: int
    headers: Dict[str, str]
    body: bytes
    sent: Dict[str, str]

    @property
    def _location(self) -> Any:
        return urlsplit(self.headers.get("Location", ""))

    def line(self) -> str:
        line = f"{self.status} {HTTPStatus(self.status).phrase}"
        target = self._location
        return line + (f", to {target.netloc}{target.path}" if target.path else "")

    def fields(self) -> Fields:
        """Return what it carries: query of the redirect, JSON, headers that matter."""
        fields = parse_qsl(self._location.query)
        if self.headers.get("Content-Type", "").startswith("application/json"):
            document = json.loads(self.body.decode())
            fields += [(name, str(value)) for name, value in document.items()]
        names = ["Retry-After", "x-ratelimit-remaining", "x-ratelimit-reset"]
        if self.step == "click" and self._location.path:
            names += ["Cache-Control", "Referrer-Policy"]
        present = [name for name in names if name in self.headers]
        return fields + [("header " + name, self.headers[name]) for name in present]

    def note(self, delegated: bool) -> Tuple[str, bool]:
        """Return a note, and whether the flow failed here."""
        if self.party == "Tenant" and self.step in GRANTS.values():
            return self._note_on_token()
        if self.step == "authorize":
            return self._note_on_authorize(delegated)
        if self.step == "click":
            if self.status == 303:
                text = "303: the browser must not repeat the POST. No cache keeps the "
                return text + "URL, no Referer passes it on.", False
            return "The console shows the library\u2019s error and its hint.", True
        if self.step == "callback":
            if self.status == 302:
                return "Signed in. The shop knows who is really there.", False
            return "The shop shows that the login failed.", True
        if self.step in ("login", "scan") and self.status == 302:
            text = "The shop passes the login on to the tenant, with its usual "
            return text + "parameters.", False
        return "", self.status >= 400

    def _note_on_token(self) -> Tuple[str, bool]:
        if self.status != 200:
            return "Refused.", True
        issued = dict(self.fields()).get("issued_token_type")
        if issued == SESSION_TRANSFER_TOKEN_TYPE:
            text = "A session transfer token: for one use, within a minute, from one "
            return text + "address.", False
        if issued is not None:
            text = "Status 200, and yet no session transfer token: an ordinary access "
            return text + "token.", True
        if self.step == "renew":
            return "A fresh ID token for the agent.", False
        return "The ID token says whose account it is, and who acts.", False

    def _note_on_authorize(self, delegated: bool) -> Tuple[str, bool]:
        if "error" in dict(parse_qsl(self._location.query)):
            return "Not redeemed. The shop gets the error at its callback.", True
        if self.status in (302, 303):
            if "session_transfer_token" not in self.sent:
                return "The browser has a session already.", False
            return (
                "Redeemed: a session as the customer, with the agent as actor.",
                False,
            )
        if self.status >= 400:
            return "An error page. The shop never hears of it.", True
        if delegated or "session_transfer_token" in self.sent:
            text = "The ordinary login page, without an error: the silent failure."
            return text, True
        return "The login page, as for any customer.", False

    def kind(self, delegated: bool) -> str:
        """Return the outcome's kind if the browser stays with this answer."""
        if self.step == "authorize" and self.status == 200:
            silent = delegated or "session_transfer_token" in self.sent
            return "login" if silent else ""
        if self.step == "authorize" and self.status >= 400:
            return "error"
        if self.step == "click":
            return "" if self.status == 303 else "console"
        if self.step == "callback":
            if self.status == 302:
                return "entered"
            return "told" if "error" in self.sent else ""
        return ""


def masked(token: str) -> str:
    """Return what may be shown of a token: enough to recognise it, too little to use."""
    return f"{token[:4]}\u2026 ({len(token)} characters)"


def _masked(fields: Fields) -> Fields:
    return [(name, _shown(name, value)) for name, value in fields if value]


def _shown(name: str, value: str) -> str:
    if name == "client_secret":
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


def _sender(environ: Dict[str, Any], sent: Fields) -> str:
    if environ["PATH_INFO"] == "/oauth/token":
        return "Shop" if dict(sent).get("client_id") == "shop" else "Console"
    return SCANNER if environ.get("HTTP_USER_AGENT") == SCANNER else "Browser"


def _step(environ: Dict[str, Any], sent: Fields) -> str:
    path = environ["PATH_INFO"]
    if path == "/oauth/token":
        return GRANTS.get(dict(sent).get("grant_type", ""), "trade")
    if path == "/login" and environ.get("HTTP_USER_AGENT") == SCANNER:
        return "scan"
    return STEPS[path]
