"""What a request or an answer means for the flow: its step, a note, a failure."""

import json
from http import HTTPStatus
from typing import Any, Dict, Tuple
from urllib.parse import parse_qsl, urlsplit

from attr import attrs

from ..tenant.mint import SESSION_TRANSFER_TOKEN_TYPE
from .snippets import Fields

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

SCANNER = "Scanner"


def sender_of(environ: Dict[str, Any], sent: Fields) -> str:
    if environ["PATH_INFO"] == "/oauth/token":
        return "Shop" if dict(sent).get("client_id") == "shop" else "Console"
    return SCANNER if environ.get("HTTP_USER_AGENT") == SCANNER else "Browser"


def step_of(environ: Dict[str, Any], sent: Fields) -> str:
    path = environ["PATH_INFO"]
    if path == "/oauth/token":
        return GRANTS.get(dict(sent).get("grant_type", ""), "trade")
    if path == "/login" and environ.get("HTTP_USER_AGENT") == SCANNER:
        return "scan"
    return STEPS[path]


@attrs(frozen=True, auto_attribs=True)
class Answer:
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
            return "entered" if self.status == 302 else "told"
        return ""
