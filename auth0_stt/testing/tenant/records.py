"""What the tenant remembers while it runs."""

import itertools
import threading
from typing import Any, Dict, Iterator, List, Mapping, Optional, Set, Tuple

from attr import Factory, attrs, evolve

from .logs import Log
from .settings import Settings


@attrs(auto_attribs=True)
class Facts:
    """What the log will say of the request that is being answered."""

    client_id: Optional[str] = None
    user_id: Optional[str] = None
    actor_sub: Optional[str] = None
    organization_id: Optional[str] = None
    # The address that a token is bound to, if the request asks for one.
    ip: Optional[str] = None
    # The rule that said no.
    rule: Optional[str] = None


@attrs(frozen=True, auto_attribs=True)
class Session:
    """A user signed in on one domain. ``actor`` is the agent in a delegated session."""

    id: str
    user_id: str
    issuer: str
    started: float
    expires_at: float
    actor: Optional[Dict[str, Any]] = None
    org_id: Optional[str] = None

    # Only where the tenant lets organizations be named.
    org_name: Optional[str] = None

    def within(
        self, org_id: Optional[str], org_name: Optional[str] = None
    ) -> "Session":
        """Return the same session for an application that asked for an organization."""
        return evolve(self, org_id=org_id, org_name=org_name)

    def claims(self) -> Dict[str, Any]:
        """Return the claims that every token of this session carries."""
        claims = {
            "sub": self.user_id,
            "act": self.actor,
            "org_id": self.org_id,
            "org_name": self.org_name,
        }
        return {name: value for name, value in claims.items() if value}


@attrs(auto_attribs=True)
class SessionTransferToken:
    """What a session transfer token stands for."""

    user_id: str
    actor: Dict[str, Any]
    # The application that minted it.
    client_id: str
    org_id: Optional[str]
    ip: str
    expires_at: float
    # The rule that decided on the address, and why it may be an unexpected one.
    ip_rule: str
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
    auth_time: bool
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
class PushedRequest:
    """An authorization request that was pushed, and until when it may be used."""

    client_id: str
    parameters: Dict[str, str]
    expires_at: float
    # Whether a session transfer token was among the parameters: it is not kept.
    had_session_transfer_token: bool


@attrs(frozen=True, auto_attribs=True)
class Fault:
    """What is to happen to the next request in place of its answer, or before it."""

    status: Optional[int]
    headers: Dict[str, str]
    body: bytes
    delay: float
    drop: bool


class SubjectTokenBudget:
    """Suspicious-IP throttling: so many bad subject tokens from each address."""

    def __init__(self) -> None:
        self._spent: Dict[str, float] = {}
        self._at: Dict[str, float] = {}

    def spent(self, ip: str, now: float, regained_every: float) -> float:
        """Return how many the address has spent. Some seconds regain one each."""
        regained = (now - self._at.get(ip, now)) / regained_every
        return max(0.0, self._spent.get(ip, 0.0) - regained)

    def spend(self, ip: str, now: float, most: int, regained_every: float) -> None:
        """Note a bad subject token from the address."""
        # Several at once may have been let in as the last one.
        spent = self.spent(ip, now, regained_every) + 1.0
        self._spent[ip], self._at[ip] = min(float(most), spent), now


class RateLimit:
    """So many requests in any second, for the whole tenant."""

    def __init__(self) -> None:
        self._times: List[float] = []

    def takes(self, most: int, now: float) -> bool:
        """Return whether another request may pass now, and count it if it does."""
        self._times = [time for time in self._times if now - 1 < time <= now]
        if len(self._times) >= most:
            return False
        self._times.append(now)
        return True


@attrs(auto_attribs=True)
class Records:
    """All of it; hold ``lock`` to take out what may be taken once only."""

    lock: threading.RLock = Factory(threading.RLock)
    sessions: Dict[str, Session] = Factory(dict)
    codes: Dict[str, AuthorizationCode] = Factory(dict)
    session_transfer_tokens: Dict[str, SessionTransferToken] = Factory(dict)
    refresh_tokens: Dict[str, RefreshToken] = Factory(dict)
    # Authorization requests that were pushed (RFC 9126).
    pushed: Dict[str, PushedRequest] = Factory(dict)
    # Who signed each assertion, and its jti.
    assertion_ids: Set[Tuple[str, str]] = Factory(set)
    subject_tokens: SubjectTokenBudget = Factory(SubjectTokenBudget)
    exchanges: RateLimit = Factory(RateLimit)
    action_cache: Dict[str, Any] = Factory(dict)
    logs: List[Log] = Factory(list)
    log_numbers: Iterator[int] = Factory(itertools.count)
    faults: List[Fault] = Factory(list)


def find_organization(
    organizations: Mapping[str, Settings], name: str, by_name: bool = True
) -> Optional[str]:
    """Return the id of the organization that has this id or name, or None."""
    for org_id, organization in organizations.items():
        if name == org_id or (by_name and name == organization["name"]):
            return org_id
    return None
