"""The tenant's Action: who may act for whom, as in Auth0's custom-token-exchange trigger."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Union

from attr import attrib, attrs

from .refusal import Refusal
from .tokens import SubjectTokens


@attrs(frozen=True, auto_attribs=True)
class Request:
    """``event.request``; ``body`` is the form but for the client's credentials."""

    ip: str
    hostname: str
    method: str
    user_agent: str
    body: Dict[str, Any]


@attrs(frozen=True, auto_attribs=True)
class Transaction:
    """``event.transaction``; ``actor`` is the user of a verified ID token, else None."""

    subject_token: str
    subject_token_type: str
    actor_token: Optional[str]
    actor_token_type: Optional[str]
    actor: Optional[Dict[str, Any]]
    requested_scopes: List[str]


@attrs(frozen=True, auto_attribs=True)
class Event:
    """What an Action is told, under Auth0's names."""

    client: Dict[str, Any]
    request: Request
    transaction: Transaction
    organization: Optional[Dict[str, Any]]
    resource_server: Dict[str, Any]


@attrs(auto_attribs=True)
class Api:
    """What an Action decides. As in Auth0, a refusal does not end the Action: return after it."""

    user_id: Optional[str] = attrib(default=None, init=False)
    actor: Optional[Dict[str, Any]] = attrib(default=None, init=False)
    refusal: Optional[Refusal] = attrib(default=None, init=False)
    subject_token_rejected: bool = attrib(default=False, init=False)

    def set_user(self, user_id: str) -> None:
        """Say whose account is entered (``api.authentication.setUserById``)."""
        self.user_id = user_id

    def set_actor(self, actor: Union[str, Mapping[str, Any]], **claims: Any) -> None:
        """Say who acts (``api.authentication.setActor``): a user id, or a dict with ``sub``.

        Raises:
            ValueError: no ``sub``, more than five further claims, or an actor of the actor.
        """
        act = dict({"sub": actor} if isinstance(actor, str) else actor, **claims)
        if not isinstance(act.get("sub"), str):
            raise ValueError("set_actor() needs the actor's sub")
        if "act" in act:
            raise ValueError("only one level of act is supported")
        if len(act) > 6:
            raise ValueError("set_actor() takes at most five claims beside sub")
        self.actor = act

    def deny(self, code: str, reason: str, status: int = 400) -> None:
        """Refuse the exchange (``api.access.deny``); in the wild ``status`` may also be 500."""
        self.refusal = self.refusal or Refusal(code, reason, status)

    def reject_invalid_subject_token(self, reason: str) -> None:
        """Refuse the subject token, which counts towards the throttling of the address."""
        self.subject_token_rejected = True
        self.deny("invalid_request", reason)


Action = Callable[[Event, Api], Any]


def default_action(subject_tokens: SubjectTokens) -> Action:
    """Return an Action that lets any user of the tenant act for the subject."""

    def action(event: Event, api: Api) -> None:
        user_id = subject_tokens.user_id(event.transaction.subject_token)
        if user_id is None:
            api.reject_invalid_subject_token(
                "The subject token is invalid or has expired."
            )
            return
        api.set_user(user_id)
        if event.transaction.actor is not None:
            api.set_actor(event.transaction.actor["user_id"])

    return action
