"""What the tenant remembers while it runs."""

import threading
from typing import Any, Dict, List, Optional, Set, Tuple

from attr import Factory, attrs, evolve

from .settings import Settings


@attrs(frozen=True, auto_attribs=True)
class Log:
    """An entry of the tenant's log; ``type`` is Auth0's (``secte``, ``fecte``, ``sdel``, ...).

    ``details`` holds what the request carried besides: ``auth0_client`` (decoded),
    ``auth0_forwarded_for``, ``error``, ``body`` (the form, without tokens and secrets), and
    ``traceback`` where an Action raised.
    """

    type: str
    description: str
    date: float
    client_id: Optional[str] = None
    user_id: Optional[str] = None
    ip: Optional[str] = None
    hostname: Optional[str] = None
    details: Dict[str, Any] = Factory(dict)


@attrs(auto_attribs=True)
class Facts:
    """What the log will say of the request that is being answered."""

    client_id: Optional[str] = None
    user_id: Optional[str] = None
    traceback: Optional[str] = None


@attrs(frozen=True, auto_attribs=True)
class Session:
    """Somebody signed in on one domain; ``actor`` is the agent where that is not the user."""

    id: str
    user_id: str
    issuer: str
    started: float
    expires_at: float
    actor: Optional[Dict[str, Any]] = None
    org_id: Optional[str] = None

    def within(self, org_id: Optional[str]) -> "Session":
        """Return the same session for an application that asked for an organization."""
        return evolve(self, org_id=org_id)

    def claims(self) -> Dict[str, Any]:
        """Return the claims that every token of this session carries."""
        claims = {"sub": self.user_id, "act": self.actor, "org_id": self.org_id}
        return {name: value for name, value in claims.items() if value}


@attrs(auto_attribs=True)
class SessionTransferToken:
    """What a session transfer token stands for."""

    user_id: str
    actor: Dict[str, Any]
    ip: str
    expires_at: float
    # Why the address may not be the one that the caller had in mind.
    ip_remark: str = ""
    used: bool = False


@attrs(auto_attribs=True)
class AuthorizationCode:
    """A code on its way through the browser (RFC 6749, 4.1), as Authlib wants it."""

    client_id: str
    redirect_uri: Optional[str]
    scope: str
    session: Session
    expires_at: float
    audience: Optional[str]
    nonce: Optional[str]
    code_challenge: Optional[str]
    code_challenge_method: Optional[str]
    used: bool = False

    def get_redirect_uri(self) -> Optional[str]:
        return self.redirect_uri


@attrs(auto_attribs=True, eq=False)
class RefreshToken:
    """A refresh token; all that came from one login share ``family``."""

    client_id: str
    scope: str
    session: Session
    family: str
    audience: Optional[str] = None
    used: bool = False

    def check_client(self, client: Any) -> bool:
        return bool(self.client_id == client.client_id)

    def get_scope(self) -> str:
        return self.scope


@attrs(frozen=True, auto_attribs=True)
class Fault:
    """What is to happen to the next request in place of its answer, or before it."""

    status: Optional[int]
    headers: Dict[str, str]
    body: bytes
    delay: float
    drop: bool


class SubjectTokenBudget:
    """Suspicious-IP throttling: ten bad subject tokens, one regained every ten minutes."""

    SIZE = 10.0
    REGAINED_EVERY = 600.0

    def __init__(self) -> None:
        self._left: Dict[str, float] = {}
        self._at: Dict[str, float] = {}

    def left(self, ip: str, now: float) -> float:
        """Return how many bad subject tokens the address may still send."""
        regained = (now - self._at.get(ip, now)) / self.REGAINED_EVERY
        return min(self.SIZE, self._left.get(ip, self.SIZE) + regained)

    def spend(self, ip: str, now: float) -> None:
        """Note a bad subject token from the address."""
        # Several at once may have been let in by the last of the ten.
        self._left[ip] = max(0.0, self.left(ip, now) - 1.0)
        self._at[ip] = now


@attrs(auto_attribs=True)
class Records:
    """All of it; hold ``lock`` to take out what may be taken once only."""

    lock: threading.RLock = Factory(threading.RLock)
    sessions: Dict[str, Session] = Factory(dict)
    codes: Dict[str, AuthorizationCode] = Factory(dict)
    session_transfer_tokens: Dict[str, SessionTransferToken] = Factory(dict)
    refresh_tokens: Dict[str, RefreshToken] = Factory(dict)
    # Who signed each assertion, and its jti.
    assertion_ids: Set[Tuple[str, str]] = Factory(set)
    subject_tokens: SubjectTokenBudget = Factory(SubjectTokenBudget)
    logs: List[Log] = Factory(list)
    faults: List[Fault] = Factory(list)


def find_organization(organizations: Dict[str, Settings], name: str) -> Optional[str]:
    """Return the id of the organization that has this id or name, or None."""
    for org_id, organization in organizations.items():
        if name in (org_id, organization["name"]):
            return org_id
    return None
