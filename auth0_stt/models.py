"""What the functions return: frozen, with every token masked in its repr."""

from typing import Any, Dict, Optional

from attr import field, frozen

#: ``issued_token_type`` of a session transfer token (Auth0, Session Delegation).
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"

#: ``actor_token_type`` of an ID token (RFC 8693, 3).
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"


def _masked(value: object) -> str:
    return repr(value) if value is None else "'***'"


@frozen
class SessionTransferTokenResult:
    """A session transfer token: one use, within ``expires_in`` seconds, from one address.

    ``expires_in`` is None if the tenant does not say. ``token_type`` is ``"N_A"``, since
    this is not a bearer token (RFC 8693, 2.2.1). ``scope`` is what the tenant granted,
    or None if it does not say.
    """

    session_transfer_token: str = field(repr=_masked)
    issued_token_type: str
    expires_in: Optional[int]
    token_type: Optional[str] = None
    scope: Optional[str] = None


@frozen
class ActorToken:
    """The token that proves the agent.

    If ``refreshed`` is True, it is new: store it and ``refresh_token`` at once.
    """

    actor_token: str = field(repr=_masked)
    actor_token_type: str
    refresh_token: Optional[str] = field(repr=_masked)
    refreshed: bool


@frozen
class Actor:
    """The agent behind a delegated session.

    ``sub`` is the agent's user id. ``claims`` holds the other properties that the
    tenant's Action set on the actor.
    """

    sub: str
    claims: Dict[str, Any] = field(hash=False)
