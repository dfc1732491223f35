"""What /authorize makes of an ordinary login: SSO, the login page, or an error."""

from typing import Mapping, Optional

from .clients import Client
from .origin import Origin
from .records import Session
from .redeem import checked_organization
from .refusal import PageInstead, Refusal
from .settings import Settings
from .state import State

SESSION_LIFETIME = 3 * 24 * 60 * 60
WRONG_PASSWORD = "Wrong email or password"


def session_for(
    state: State, client: Client, query: Mapping[str, str], session: Optional[Session]
) -> Session:
    """Return the session with which the application gets its code.

    Raises:
        PageInstead: the login page.
        Refusal: the application gets this OAuth error at its callback.
    """
    prompt = query.get("prompt", "").split()
    if session is None or "login" in prompt:
        if "none" in prompt:
            raise Refusal("login_required", "Login required")
        raise PageInstead("login", "")
    user = state.users[session.user_id]
    org_id = checked_organization(state, client, query.get("organization"), user)
    return session.within(org_id)


def check_request(state: State, query: Mapping[str, str]) -> None:
    """Check what Authlib does not know of.

    Raises:
        Refusal: the application gets this OAuth error at its callback.
    """
    if query.get("response_mode", "query") != "query":
        raise Refusal("invalid_request", "The only response_mode here is query.")
    if "audience" in query and query["audience"] not in state.resource_servers:
        text = "Service not found: {}".format(query["audience"])
        raise Refusal("access_denied", text)


def signed_in(state: State, origin: Origin, username: str, password: str) -> Session:
    """Return a new session for the user who filled in the login page.

    Raises:
        Refusal: the name or the password is wrong, or the user is blocked.
    """
    user = _user_called(state, username.strip())
    if user is None or user.get("blocked") or user["password"] != password:
        raise Refusal("access_denied", WRONG_PASSWORD)
    return state.new_session(user["user_id"], origin.issuer, SESSION_LIFETIME)


def _user_called(state: State, name: str) -> Optional[Settings]:
    for user in state.users.values():
        if name in (user["email"], user["user_id"]):
            return user
    return None
