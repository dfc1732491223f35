"""The tenant's Action, as in Auth0's custom-token-exchange trigger.

``event`` and ``api`` are spelled as Auth0 spells them [doc]
actions/reference/custom-token-exchange/custom-token-exchange-{event,api}-object. A name
that this trigger does not have raises an error that names what it has, so that an
Action copied from another trigger fails here as it does on Auth0.
"""

from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from attr import Factory, attrs

from .clock import Clock
from .event import Event, Record, UnknownNameError
from .refusal import Refusal
from .tokens import SubjectTokens

# Up to four more actors within an actor, but none in a session transfer token.
DEEPEST_ACTOR = 5
MOST_ACTOR_PROPERTIES = 5


@attrs(auto_attribs=True)
class Decision:
    """What an Action has decided so far. The first refusal is the one that counts."""

    user_id: Optional[str] = None
    # Connection, attributes and options of setUserByConnection.
    by_connection: Optional[Tuple[str, Mapping[str, Any], Mapping[str, Any]]] = None
    actor: Optional[Dict[str, Any]] = None
    organization: Optional[str] = None
    refusal: Optional[Refusal] = None
    subject_token_rejected: bool = False
    app_metadata: Dict[str, Any] = Factory(dict)
    user_metadata: Dict[str, Any] = Factory(dict)

    def set_user(self, **how: Any) -> None:
        if self.user_id is not None or self.by_connection is not None:
            raise ValueError("set the user exactly once, in one of the two ways")
        for name, value in how.items():
            setattr(self, name, value)

    def refuse(self, refusal: Refusal) -> None:
        self.refusal = self.refusal or refusal


class Methods:
    """A part of ``api``; a method that this trigger does not have is an error."""

    _path = "api"

    def __getattr__(self, name: str) -> Any:
        known = [each for each in [*vars(self), *vars(type(self))] if each[0] != "_"]
        message = f"{self._path} has no {name!r} in this trigger, only: "
        raise UnknownNameError(message + ", ".join(sorted(known)))


class Access(Methods):
    """``api.access``. A refusal does not end the Action: return after it."""

    _path = "api.access"

    def __init__(self, decision: Decision, deny_status: int) -> None:
        self._decision, self._deny_status = decision, deny_status

    def deny(self, code: str, reason: str) -> None:
        """Refuse the exchange, with any word."""
        status = 500 if code == "server_error" else self._deny_status
        self._decision.refuse(Refusal(code, reason, status, "action-allows"))

    def rejectInvalidSubjectToken(self, reason: str) -> None:  # noqa: N802
        """Refuse the subject token, which counts towards the throttling."""
        self._decision.subject_token_rejected = True
        rule = "subject-token-accepted"
        self._decision.refuse(Refusal("invalid_request", reason, rule=rule))


class Authentication(Methods):
    """``api.authentication``."""

    _path = "api.authentication"

    def __init__(self, decision: Decision, deepest_actor: int) -> None:
        self._decision, self._deepest_actor = decision, deepest_actor

    def setUserById(self, user_id: str) -> None:  # noqa: N802
        """Say whose account is entered."""
        self._decision.set_user(user_id=user_id)

    def setUserByConnection(  # noqa: N802
        self,
        connection_name: str,
        user_attributes: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        """Say whose account is entered, by the id that the connection has for them."""
        allowed = {
            "creationBehavior": ("none", "create_if_not_exists"),
            "updateBehavior": ("none", "replace"),
        }
        for name, values in allowed.items():
            if options.get(name) not in values:
                raise ValueError(f"{name} must be one of {', '.join(values)}")
        if not user_attributes.get("user_id"):
            raise ValueError("user_attributes needs the user_id")
        call = connection_name, user_attributes, options
        self._decision.set_user(by_connection=call)

    def setOrganization(self, organization_id_or_name: str) -> None:  # noqa: N802
        """Say for which organization the user is entered."""
        self._decision.organization = organization_id_or_name

    def setActor(self, actor: Mapping[str, Any]) -> None:  # noqa: N802
        """Say who acts: ``{"sub": ...}`` and up to five more properties."""
        _check_actor(actor, self._deepest_actor)
        self._decision.actor = dict(actor)


class User(Methods):
    """``api.user``: metadata, kept when the exchange succeeds."""

    _path = "api.user"

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def setAppMetadata(self, key: str, value: Any) -> None:  # noqa: N802
        """Set a property of the user's app_metadata; None removes it."""
        self._decision.app_metadata[key] = value

    def setUserMetadata(self, key: str, value: Any) -> None:  # noqa: N802
        """Set a property of the user's user_metadata; None removes it."""
        self._decision.user_metadata[key] = value


class Cache(Methods):
    """``api.cache``: what lasts from one run of the Action to the next."""

    _path = "api.cache"

    def __init__(self, kept: Dict[str, Record], clock: Clock) -> None:
        self._kept, self._clock = kept, clock

    def get(self, key: str) -> Optional[Record]:
        """Return ``{"value", "expires_at"}`` (milliseconds), or None."""
        found = self._kept.get(key)
        if found is not None and found["expires_at"] <= self._clock() * 1000:
            del self._kept[key]
            return None
        return found

    def set(
        self, key: str, value: str, options: Optional[Mapping[str, Any]] = None
    ) -> Record:
        """Keep a text for ``ttl`` milliseconds, or until ``expires_at``."""

        now, chosen = self._clock() * 1000, options or {}
        expires_at = chosen.get("expires_at", now + chosen.get("ttl", 86_400_000))
        self._kept[key] = Record("the entry", value=value, expires_at=expires_at)
        return Record("the answer", type="success", record=self._kept[key])

    def delete(self, key: str) -> Record:
        """Forget a text."""
        self._kept.pop(key, None)
        return Record("the answer", type="success")


class Api(Methods):
    """What an Action decides with."""

    def __init__(
        self,
        decision: Decision,
        cache: Cache,
        deepest_actor: int = DEEPEST_ACTOR,
        deny_status: int = 400,
    ) -> None:
        self.access: Access = Access(decision, deny_status)
        self.authentication: Authentication = Authentication(decision, deepest_actor)
        self.user: User = User(decision)
        self.cache: Cache = cache


Action = Callable[[Event, Api], Any]


class BadActorError(ValueError):
    """setActor() got something that is not an actor."""


def _check_actor(actor: Any, deepest: int) -> None:
    if deepest == 0:
        raise BadActorError("setActor(): too many actors within the actor")
    if not isinstance(actor, Mapping) or not isinstance(actor.get("sub"), str):
        raise BadActorError("setActor() needs an object with sub, a string")
    more = {name: value for name, value in actor.items() if name not in ("sub", "act")}
    if len(more) > MOST_ACTOR_PROPERTIES:
        raise BadActorError("setActor() takes at most five properties beside sub")
    for name, value in more.items():
        if not isinstance(value, (str, bool, int, float)):
            raise BadActorError(
                f"setActor(): {name} must be a string, boolean or number"
            )
    if "act" in actor:
        _check_actor(actor["act"], deepest - 1)


def default_action(subject_tokens: SubjectTokens) -> Action:
    """Return an Action that lets any user of the tenant act for the subject."""

    def action(event: Event, api: Api) -> None:
        agent = event.transaction.actor_token_user
        user_id = subject_tokens.user_id(event.transaction.subject_token)
        if user_id is None:
            api.access.rejectInvalidSubjectToken("The subject token is not valid.")
            return
        api.authentication.setUserById(user_id)
        if agent:
            api.authentication.setActor({"sub": agent.user_id})

    return action
