"""What the functions return: frozen, with every token masked in its repr."""

from __future__ import annotations

from typing import Any, Dict, Optional

from attr import field, frozen

#: ``issued_token_type`` of a session transfer token (Auth0, Session Delegation).
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"
#: ``actor_token_type`` of an ID token (RFC 8693, 3).
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"


def _masked(value: object) -> str:
    return "None" if value is None else "'***'"


@frozen
class SessionTransferTokenResult:
    """A session transfer token: usable once, within a minute, from one IP address.

    What the tenant does not say is None.

    :param session_transfer_token: opaque. It goes into a redirect that is sent at
        once, and nowhere else: not into a log, a page or a database.
    :param issued_token_type: always :data:`SESSION_TRANSFER_TOKEN_TYPE`.
    :param expires_in: whole seconds, counted from the answer; 60 with Auth0.
    :param token_type: ``"N_A"``, since this is not a bearer token (RFC 8693, 2.2.1).
    :param scope: what the tenant granted, separated by spaces.
    """

    session_transfer_token: str = field(repr=_masked)
    issued_token_type: str
    expires_in: Optional[int]
    token_type: Optional[str] = None
    scope: Optional[str] = None


@frozen
class ActorToken:
    """The token that proves who the agent is, from :func:`resolve_actor_token`.

    :param actor_token: the agent's ID token: pass it on as ``actor_token``.
    :param actor_token_type: :data:`ID_TOKEN_TYPE`: pass it on as well.
    :param refresh_token: the refresh token to keep, or None without one.
    :param refreshed: whether the two tokens are new. If so, store both at once.
    """

    actor_token: str = field(repr=_masked)
    actor_token_type: str
    refresh_token: Optional[str] = field(repr=_masked)
    refreshed: bool


@frozen
class Actor:
    """The agent behind a delegated session, from :func:`actor_from_claims`.

    :param sub: the agent's user id, such as ``auth0|5f7c8ec7c33c6c004bbafe82``.
    :param claims: the other properties that the tenant's Action set on the actor: up to
        five strings, numbers or booleans by name.
    """

    sub: str
    claims: Dict[str, Any] = field(hash=False)
