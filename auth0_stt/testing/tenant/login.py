"""What /authorize makes of an ordinary login: SSO, the login page, or an error."""

from typing import Mapping, Optional

from .clients import Client
from .logs import iso
from .origin import Origin
from .records import Session
from .redeem import checked_organization, within
from .refusal import PageInstead, Refusal
from .settings import Settings
from .state import State

SESSION_LIFETIME = 3 * 24 * 60 * 60
WRONG_PASSWORD = "Wrong email or password"
RESPONSE_MODES = ("query", "fragment", "form_post")


def check_request(state: State, client: Client, query: Mapping[str, str]) -> None:
    """Check what Authlib does not know of.

    Raises:
        Refusal: the application gets this OAuth error at its callback.
    """
    mode = query.get("response_mode")
    if mode is not None and mode not in RESPONSE_MODES:
        text = "The response_mode is one of query, fragment and form_post."
        raise Refusal("invalid_request", text)
    code = query.get("response_type") == "code"
    delegated = "session_transfer_token" in query
    if delegated and not code:
        text = "A delegated login needs the authorization code flow."
        raise Refusal("unsupported_response_type", text, rule="code-flow")
    if not code and mode == "query":
        text = "An ID token can't be sent in the query."
        raise Refusal("invalid_request", text)
    grant = "authorization_code" if code else "implicit"
    if not client.check_grant_type(grant):
        text = f"Grant type '{grant}' not allowed for the client."
        rule = "code-flow" if delegated else None
        raise Refusal("unauthorized_client", text, rule=rule)
    if query.get("audience") and query["audience"] not in state.resource_servers:
        text = "Service not found: {}".format(query["audience"])
        raise Refusal("access_denied", text)
    if not query.get("max_age", "0").isdigit():
        raise Refusal("invalid_request", "max_age must be a number of seconds.")


def session_for(
    state: State, client: Client, query: Mapping[str, str], session: Optional[Session]
) -> Session:
    """Return the session with which the application gets its code.

    Raises:
        PageInstead: the login page.
        Refusal: the application gets this OAuth error at its callback.
    """
    prompt = query.get("prompt", "").split()
    if session is None or "login" in prompt or _too_old(state, query, session):
        if "none" in prompt:
            raise Refusal("login_required", "Login required")
        raise PageInstead("login", "")
    user = state.users[session.user_id]
    organization = checked_organization(state, client, query.get("organization"), user)
    return within(state, session, organization)


def _too_old(state: State, query: Mapping[str, str], session: Session) -> bool:
    """Return whether ``max_age`` asks for a fresh login (OIDC Core, 3.1.2.1)."""
    if "max_age" not in query:
        return False
    max_age = int(query["max_age"])
    return max_age == 0 or state.clock() - session.started > max_age


def signed_in(state: State, origin: Origin, username: str, password: str) -> Session:
    """Return a new session for the user who filled in the login page.

    Raises:
        Refusal: the name or the password is wrong, or the user is blocked.
    """
    user = _user_called(state, username.strip())
    if user is None or user.get("blocked") or user.get("password") != password:
        raise Refusal("access_denied", WRONG_PASSWORD)
    # Not so in a delegated login [doc].
    user.update(
        last_login=iso(state.clock()),
        last_ip=origin.ip,
        logins_count=(user.get("logins_count") or 0) + 1,
    )
    return state.new_session(user["user_id"], origin.issuer, SESSION_LIFETIME)


def may_return_to(state: State, client: Optional[Client], target: str) -> bool:
    """Return whether a logout may lead there. The target's query does not count."""
    settings = state.settings["tenant"] if client is None else client.settings
    allowed = settings.get("allowed_logout_urls") or []
    return target in allowed or _without_query(target) in allowed


def _without_query(url: str) -> str:
    head, _, fragment = url.partition("#")
    return head.partition("?")[0] + ("#" + fragment if fragment else "")


def _user_called(state: State, name: str) -> Optional[Settings]:
    user: Settings
    for user in state.users.values():
        if name in (user.get("email"), user["user_id"]):
            return user
    return None
