"""What the functions return: frozen, slotted, and shown with every token masked."""

from typing import Any, Dict, Optional

from attr import field, frozen

#: What ``issued_token_type`` says of a session transfer token (Auth0, Session Delegation).
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"

#: What ``actor_token_type`` says of an ID token (RFC 8693, 3).
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"


def _masked(value: object) -> str:
    return repr(value) if value is None else "'***'"


@frozen
class SessionTransferTokenResult:
    """A session transfer token, good for one use within ``expires_in`` seconds, from one IP address.

    ``token_type`` is ``"N_A"``, since the token is not a bearer token (RFC 8693, 2.2.1); ``scope`` is what the
    tenant granted, where it says so.
    """

    session_transfer_token: str = field(repr=_masked)
    issued_token_type: str
    expires_in: int
    token_type: Optional[str] = None
    scope: Optional[str] = None


@frozen
class ActorToken:
    """The token that proves the agent, and the refresh token to store where ``refreshed`` is True."""

    actor_token: str = field(repr=_masked)
    actor_token_type: str
    refresh_token: Optional[str] = field(repr=_masked)
    refreshed: bool


@frozen
class Actor:
    """The agent behind a delegated session: ``sub``, and the other claims that the Action set on the actor."""

    sub: str
    claims: Dict[str, Any] = field(hash=False)
