"""What went over the wire between the playground's parties, with every token masked."""

import base64
import json
import threading
from http import HTTPStatus
from io import BytesIO
from typing import Any, Dict, Iterable, List, Optional, Tuple
from urllib.parse import parse_qsl, urlsplit

from attr import Factory, attrs
from joserfc import jws

from ..tenant.mint import SESSION_TRANSFER_TOKEN_TYPE
from ..tenant.origin import REASON_HEADER

Fields = List[Tuple[str, str]]

# What a browser asks for unasked says nothing about the flow.
RECORDED: Dict[str, Tuple[str, ...]] = {
    "Console": ("/enter",),
    "Shop": ("/login", "/callback", "/account/delete", "/logout"),
    "Tenant": ("/authorize", "/oauth/token", "/u/login", "/v2/logout"),
}
TOKENS = (
    "access_token",
    "actor_token",
    "code",
    "code_challenge",
    "code_verifier",
    "id_token",
    "nonce",
    "password",
    "refresh_token",
    "session_transfer_token",
    "state",
    "subject_token",
)
ACTOR = "  its act.sub"
SCANNER = "Scanner"
LONGEST_TRAIL = 80
# What became of the click, by the outcome's kind: what to call it, and what the agent sees.
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
        "Somebody logged in with a password of their own: no agent, no banner.",
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
        "The agent sees an error page; the shop hears nothing of it.",
    ),
    "told": (
        "The shop was refused",
        "The agent sees the shop\u2019s own page for a failed login.",
    ),
}


@attrs(frozen=True, auto_attribs=True)
class Message:
    """A request or an answer; ``failed`` where the flow left its path with it."""

    sender: str
    receiver: str
    line: str
    note: str
    carried: Fields
    failed: bool = False


@attrs(frozen=True, auto_attribs=True)
class Outcome:
    """Where the agent's browser ended: ``kind`` is a key of ``VERDICTS``."""

    kind: str
    reason: str


@attrs(auto_attribs=True)
class Trail:
    """The messages since the agent's last click, and where they led."""

    messages: List[Message] = Factory(list)
    outcome: Optional[Outcome] = None
    lock: Any = Factory(threading.Lock)

    def add(self, message: Message) -> None:
        """Note a message; what goes on for ever is cut."""
        with self.lock:
            if len(self.messages) < LONGEST_TRAIL:
                self.messages.append(message)

    def names_an_actor(self) -> bool:
        """Return whether the last ID token did."""
        tokens = [
            dict(message.carried)
            for message in self.messages
            if message.sender == "Tenant"
        ]
        return any(ACTOR in carried for carried in tokens[-1:])

    def clear(self) -> None:
        """Forget all, for another click."""
        with self.lock:
            self.messages.clear()
            self.outcome = None


class Recorder:
    """WSGI middleware: notes what one party is asked and what it answers."""

    def __init__(self, app: Any, party: str, trail: Trail) -> None:
        self._app = app
        self._party = party
        self._trail = trail

    def __call__(self, environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] not in RECORDED[self._party]:
            inner: Iterable[bytes] = self._app(environ, start_response)
            return inner
        request = _fields_of_request(environ)
        sender = _sender(environ, request)
        path = environ["PATH_INFO"]
        if path == "/enter":
            self._trail.clear()
        line = "{} {}{}".format(
            environ["REQUEST_METHOD"], environ.get("HTTP_HOST", ""), path
        )
        note = _note_on_request(self._party, path, dict(request))
        self._trail.add(Message(sender, self._party, line, note, _shown(request)))

        told: List[Any] = []

        def start(
            status: str, headers: List[Tuple[str, str]], exc_info: Any = None
        ) -> Any:
            told[:] = [status, dict(headers)]
            return start_response(status, headers, exc_info)

        body = b"".join(self._app(environ, start))
        status, headers = told
        note, failed, kind = _note_on_answer(
            self._party, path, int(status[:3]), headers, body
        )
        answer = _fields_of_answer(headers, body, self._party == "Console")
        target = urlsplit(headers.get("Location", ""))
        line = f"{int(status[:3])} {HTTPStatus(int(status[:3])).phrase}"
        line += f", to {target.netloc}{target.path}" if target.path else ""
        self._trail.add(
            Message(self._party, sender, line, note, _shown(answer), failed)
        )
        if kind == "entered" and not self._trail.names_an_actor():
            kind = "customer"
        if kind and sender != SCANNER:
            self._trail.outcome = Outcome(kind, _reason(kind, headers, dict(request)))
        return [body]


def masked(token: str) -> str:
    """Return what may be shown of a token: enough to tell it from another, too little to use."""
    return f"{token[:4]}\u2026 ({len(token)} characters)"


def _shown(fields: Fields) -> Fields:
    return [(name, _value(name, value)) for name, value in fields if value]


def _value(name: str, value: str) -> str:
    if name == "client_secret":
        return "\u2022\u2022\u2022\u2022\u2022\u2022"
    return masked(value) if name in TOKENS else value


def _fields_of_request(environ: Dict[str, Any]) -> Fields:
    fields = parse_qsl(environ.get("QUERY_STRING", ""))
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        fields += parse_qsl(body.decode("utf-8", "replace"))
    scheme, _, credentials = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme == "Basic":
        client_id, _, secret = base64.b64decode(credentials).decode().partition(":")
        fields += [("client_id", client_id), ("client_secret", secret)]
    forwarded = environ.get("HTTP_AUTH0_FORWARDED_FOR")
    return fields + ([("header auth0-forwarded-for", forwarded)] if forwarded else [])


def _fields_of_answer(headers: Dict[str, str], body: bytes, careful: bool) -> Fields:
    fields = parse_qsl(urlsplit(headers.get("Location", "")).query)
    if headers.get("Content-Type", "").startswith("application/json"):
        fields += [
            (name, str(value)) for name, value in json.loads(body.decode()).items()
        ]
    for name, value in list(fields):
        if name == "id_token":
            claims = json.loads(jws.extract_compact(value.encode()).payload)
            act = claims.get("act") or {}
            fields += [("  its sub", claims["sub"]), (ACTOR, act.get("sub", ""))]
    if careful and "Location" in headers:
        names = ("Cache-Control", "Referrer-Policy")
        fields += [
            ("header " + name, headers[name]) for name in names if name in headers
        ]
    return fields


def _sender(environ: Dict[str, Any], request: Fields) -> str:
    client_id = dict(request).get("client_id")
    if environ["PATH_INFO"] == "/oauth/token":
        return "Shop" if client_id == "shop" else "Console"
    return SCANNER if environ.get("HTTP_USER_AGENT") == SCANNER else "Browser"


def _note_on_request(party: str, path: str, request: Dict[str, str]) -> str:
    if path == "/oauth/token":
        grant_type = request.get("grant_type", "").rpartition(":")[2]
        return {
            "token-exchange": "The console proves the customer, the agent and itself, and says where the agent sits.",
            "authorization_code": "The shop trades the code for tokens, as in any login.",
            "refresh_token": "The console renews the agent's ID token first.",
        }.get(grant_type, "")
    token = "session_transfer_token" in request
    return {
        "/enter": "Sam picks a customer and says why.",
        "/login": "The browser carries the token to the shop\u2019s login route."
        if token
        else "An ordinary login.",
        "/authorize": "The token arrives where it is redeemed."
        if token
        else "A login without a token.",
        "/callback": "The browser comes back to the shop.",
        "/account/delete": "Somebody tries to delete the account.",
        "/u/login": "Somebody logs in by hand.",
        "/logout": "Leaving the shop\u2026",
        "/v2/logout": "\u2026and the tenant\u2019s session on its domain.",
    }[path]


def _note_on_answer(
    party: str, path: str, status: int, headers: Dict[str, str], body: bytes
) -> Tuple[str, bool, str]:
    """Return a note, whether the flow failed here, and the outcome's kind where it ends here."""
    location = headers.get("Location", "")
    told = dict(parse_qsl(urlsplit(location).query))
    if path == "/oauth/token":
        if status != 200:
            return "Refused.", True, ""
        answer = json.loads(body.decode())
        if answer.get("issued_token_type") == SESSION_TRANSFER_TOKEN_TYPE:
            return (
                "A session transfer token: for one use, within a minute, from one address.",
                False,
                "",
            )
        if "issued_token_type" in answer:
            return (
                "Status 200, and yet no session transfer token: an ordinary access token.",
                True,
                "",
            )
        return (
            "The ID token names both: whose account it is, and who is there.",
            False,
            "",
        )
    if path == "/authorize":
        if "error" in told:
            return (
                "Not redeemed. The shop is told, the agent\u2019s browser shows what it makes of it.",
                True,
                "",
            )
        if status == 302:
            return (
                "Redeemed: a session as the customer, with the agent as actor.",
                False,
                "",
            )
        if status == 200:
            return (
                "The ordinary login page, without an error: the silent failure.",
                True,
                "login",
            )
        return "An error page. The shop hears nothing.", True, "error"
    if path == "/enter":
        if status == 303:
            return (
                "303: the browser must not repeat the POST. No cache keeps the URL, no Referer tells it.",
                False,
                "",
            )
        return (
            "The console shows the library\u2019s error and its hint.",
            True,
            "console",
        )
    if path == "/callback":
        if status == 302:
            return "Signed in; the banner will say who is there.", False, "entered"
        return "The shop shows that the login failed.", True, "told"
    if path == "/login":
        return (
            "The shop passes the login on to the tenant, with its usual parameters.",
            status != 302,
            "",
        )
    return "", status >= 400, ""


def _reason(kind: str, headers: Dict[str, str], request: Dict[str, str]) -> str:
    if kind == "told":
        return request.get("error_description") or request.get("error", "")
    if kind == "login" and "session_transfer_token" not in request:
        return "The shop asked for a login without a session_transfer_token: its login route did not pass it on."
    return headers.get(REASON_HEADER, "")
