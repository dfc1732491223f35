"""Post-Login Actions, as far as they matter to a delegated login.

[doc] authenticate/single-sign-on/session-delegation: ``event.session.actor`` is the
agent in this trigger. An Action that asks the user for something breaks a delegated
login, with ``interaction_required``.
"""

from typing import Any, Callable, Dict, Optional

from attr import attrs

from .action import Methods
from .clients import Client
from .event import Dictionary, Record, client_record
from .origin import Origin
from .records import Session
from .refusal import Refusal
from .settings import TENANT_NAME
from .state import State

PROMPT = "A Post-Login Action asks for something, which needs the user: {}"


@attrs(auto_attribs=True)
class Outcome:
    """What the Action wants."""

    prompt: Optional[str] = None
    denied: Optional[str] = None

    def ask(self, what: str) -> None:
        self.prompt = self.prompt or what


class Access(Methods):
    """``api.access``."""

    _path = "api.access"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def deny(self, reason: str) -> None:
        """Refuse the login."""
        self._outcome.denied = self._outcome.denied or reason


class Authentication(Methods):
    """``api.authentication``: what challenges or enrols the user."""

    _path = "api.authentication"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def challengeWith(self, *factor: Any) -> None:  # noqa: N802
        """Ask for a factor."""
        self._outcome.ask("api.authentication.challengeWith()")

    def challengeWithAny(self, *factors: Any) -> None:  # noqa: N802
        """Ask for one of some factors."""
        self._outcome.ask("api.authentication.challengeWithAny()")

    def enrollWith(self, *factor: Any) -> None:  # noqa: N802
        """Ask to enrol a factor."""
        self._outcome.ask("api.authentication.enrollWith()")

    def enrollWithAny(self, *factors: Any) -> None:  # noqa: N802
        """Ask to enrol one of some factors."""
        self._outcome.ask("api.authentication.enrollWithAny()")


class Multifactor(Methods):
    """``api.multifactor``."""

    _path = "api.multifactor"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def enable(self, provider: str, *options: Any) -> None:
        """Ask for a second factor."""
        if provider != "none":
            self._outcome.ask("api.multifactor.enable()")


class Redirect(Methods):
    """``api.redirect``."""

    _path = "api.redirect"

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def sendUserTo(self, url: str, *options: Any) -> None:  # noqa: N802
        """Send the user to a page."""
        self._outcome.ask("api.redirect.sendUserTo()")


class PostLoginApi(Methods):
    """``api`` of a Post-Login Action."""

    def __init__(self, outcome: Outcome) -> None:
        self.access: Access = Access(outcome)
        self.authentication: Authentication = Authentication(outcome)
        self.multifactor: Multifactor = Multifactor(outcome)
        self.redirect: Redirect = Redirect(outcome)


PostLoginAction = Callable[[Record, PostLoginApi], Any]


def run(state: State, client: Client, origin: Origin, session: Session) -> None:
    """Run the Post-Login Action of a login, if the tenant has one.

    Raises:
        Refusal: it denies the login, raises, or asks a delegated session for something.
    """
    if state.post_login_action is None:
        return
    outcome = Outcome()
    try:
        state.post_login_action(
            _event(state, client, origin, session), PostLoginApi(outcome)
        )
    except Exception as error:
        text = f"The Post-Login Action raised {type(error).__name__}: {error}"
        raise Refusal("server_error", text) from None
    if outcome.denied is not None:
        raise Refusal("access_denied", outcome.denied, rule="no-prompts")
    if outcome.prompt is not None and session.actor is not None:
        text = PROMPT.format(outcome.prompt)
        raise Refusal("interaction_required", text, rule="no-prompts")


def _event(state: State, client: Client, origin: Origin, session: Session) -> Record:
    user = state.users[session.user_id]
    shown = {name: user[name] for name in user if name != "password"}
    known: Dict[str, Any] = {"id": session.id}
    if session.actor is not None:
        known["actor"] = Dictionary(session.actor)
    return Record(
        "event",
        "organization session_transfer_token",
        client=client_record(client),
        request=Record("event.request", ip=origin.ip, hostname=origin.host),
        session=Record("event.session", "actor", **known),
        tenant=Record("event.tenant", id=TENANT_NAME),
        user=Dictionary(shown),
    )
