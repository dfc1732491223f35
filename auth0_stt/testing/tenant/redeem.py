"""Redemption: what /authorize makes of a session transfer token."""

from typing import Mapping, Optional, Tuple
from urllib.parse import urlsplit

from .clients import Client
from .origin import Origin
from .records import Session, SessionTransferToken
from .refusal import PageInstead, Refusal
from .settings import Settings
from .state import LOOPBACK_NAMES, State
from .tokens import DELEGATED_LIFETIME

# [doc] authenticate/single-sign-on/native-to-web/configure-implement-native-to-web
FAILED = "Single Sign-On failed: "
NOT_FOUND = (
    FAILED + "Session Transfer Token not found or expired. "
    "This may indicate token reuse or expiration."
)
OTHER_DEVICE = (
    FAILED + "Session Transfer Token device binding validation failed "
    "due to IP/ASN mismatch."
)
OTHER_ORGANIZATION = FAILED + "Session Transfer Token organization mismatch detected."


def delegated_session(
    state: State,
    client: Client,
    query: Mapping[str, str],
    origin: Origin,
    open_session: Optional[Session],
) -> Session:
    """Redeem the token in the query of an /authorize request for a new session.

    Raises:
        PageInstead: a login page or an error page is what the agent sees.
        Refusal: the application gets this OAuth error at its callback.
    """
    _check_application(client)
    if open_session is not None:
        raise PageInstead("error", *_already_signed_in(state, origin, open_session))
    _check_freshness(query)
    token = _redeem(state, query, origin.ip)
    user = state.active_user(token.user_id)
    if user is None:
        text = "The user is unknown or blocked."
        raise Refusal("access_denied", text, rule="customer-active")
    organization = checked_organization(state, client, query.get("organization"), user)
    _check_connections(state, client, token, organization)
    _check_interaction(state, client, query)
    session = state.new_session(
        token.user_id, origin.issuer, DELEGATED_LIFETIME, token.actor
    )
    return within(state, session, organization)


def within(state: State, session: Session, organization: Optional[Settings]) -> Session:
    """Return the session as it is for an application that asked for an organization."""
    if organization is None:
        return session.within(None)
    name = organization["name"] if state.names_organizations else None
    return session.within(organization["id"], name)


def _check_application(client: Client) -> None:
    if client.setting("session_transfer.delegation.allow_delegated_access") is not True:
        text = (
            f"The application {client.client_id} does not take delegated logins: "
            "session_transfer.delegation.allow_delegated_access is not true."
        )
        raise PageInstead("login", text, "shop-allows-delegation", FAILED + text)
    methods = client.setting("session_transfer.allowed_authentication_methods") or []
    if "query" not in methods:
        text = (
            f"The application {client.client_id} takes no token from the URL: "
            'session_transfer.allowed_authentication_methods lacks "query".'
        )
        raise PageInstead("login", text, "shop-accepts-query", FAILED + text)


def _already_signed_in(
    state: State, origin: Origin, session: Session
) -> Tuple[str, str]:
    text = (
        f"This browser already has a session on {origin.issuer}, of {session.user_id}: "
        "log out there first (/v2/logout), or give console and target different "
        "custom domains."
    )
    on_console = origin.issuer == state.issuers[0]
    agents_own = session.actor is None and on_console
    return text, "two-domains" if agents_own else "no-open-session"


def _check_freshness(query: Mapping[str, str]) -> None:
    """[assumed] A fresh login can't be had by a token (OIDC Core, 3.1.2.1)."""
    prompt = query.get("prompt", "").split()
    if "login" in prompt or query.get("max_age") == "0":
        text = "The application asks for a fresh login: prompt=login or max_age=0."
        raise PageInstead("login", text, "no-reauthentication")


def _redeem(state: State, query: Mapping[str, str], ip: str) -> SessionTransferToken:
    with state.records.lock:
        found = state.records.session_transfer_tokens
        token = found.get(query["session_transfer_token"])
        if token is None:
            text = "The session transfer token is not one of this tenant's."
            raise PageInstead("login", text, None, NOT_FOUND)
        if token.used:
            text = "The session transfer token has been used before."
            raise PageInstead("login", text, "token-unused", NOT_FOUND)
        if token.expires_at <= state.clock():
            text = "The session transfer token has expired."
            raise PageInstead("login", text, "token-fresh", NOT_FOUND)
        if token.ip != ip:
            remark = f" ({token.ip_remark}.)" if token.ip_remark else ""
            text = (
                f"The session transfer token is bound to the IP address {token.ip}, "
                f"not {ip}.{remark}"
            )
            raise PageInstead("login", text, token.ip_rule, OTHER_DEVICE)
        _check_same_organization(state, token, query.get("organization"))
        token.used = True
    return token


def _check_same_organization(
    state: State, token: SessionTransferToken, name: Optional[str]
) -> None:
    organization = state.organization(name) if name else None
    asked = organization["id"] if organization else name
    if token.org_id is not None and token.org_id != asked:
        text = (
            f"The session transfer token was issued for the organization "
            f"{token.org_id}, not {asked}."
        )
        raise PageInstead("login", text, "same-organization", OTHER_ORGANIZATION)


def _check_connections(
    state: State,
    client: Client,
    token: SessionTransferToken,
    organization: Optional[Settings],
) -> None:
    """[doc] Both applications and the organization need it; the error is [assumed]."""
    connection = state.connection_of(token.user_id)
    enabled = connection.get("enabled_clients") or []
    wanted = {
        "shop-connection": client.client_id,
        "console-connection": token.client_id,
    }
    for rule, client_id in wanted.items():
        if client_id not in enabled:
            text = (
                f"The connection {connection.get('name')} of the user is not enabled "
                f"for the application {client_id}."
            )
            raise Refusal("access_denied", text, rule=rule)
    if organization is not None:
        within = organization.get("enabled_connections") or []
        if connection.get("id") not in within:
            text = (
                f"The connection {connection.get('name')} of the user is not enabled "
                f"in the organization {organization['name']}."
            )
            raise Refusal("access_denied", text, rule="organization-connection")


def checked_organization(
    state: State, client: Client, name: Optional[str], user: Settings
) -> Optional[Settings]:
    """Return the organization that a login is for, None for a login without one.

    Raises:
        Refusal: the application or the organization does not allow it.
    """
    usage, rule = client.setting("organization_usage"), "shop-organization"
    if not name:
        if usage == "require":
            # No picker can be shown in a delegated login.
            text = "The application requires the organization parameter."
            raise Refusal("invalid_request", text, rule=rule)
        return None
    if usage == "deny":
        text = "The application does not allow organizations."
        raise Refusal("invalid_request", text, rule=rule)
    organization = state.organization(name)
    if organization is None:
        text = f"The organization {name} does not exist."
        raise Refusal("invalid_request", text, rule="organization-exists")
    if user["user_id"] not in organization["members"]:
        text = f"The user {user['user_id']} is not a member of the organization {name}."
        raise Refusal("access_denied", text, rule="organization-member")
    return organization


def _check_interaction(state: State, client: Client, query: Mapping[str, str]) -> None:
    """[doc] What would need a prompt fails with interaction_required."""
    reason = _prompt_due(state, client, query)
    if reason is not None:
        text, rule = reason
        raise Refusal("interaction_required", text, rule=rule)


def _prompt_due(
    state: State, client: Client, query: Mapping[str, str]
) -> Optional[Tuple[str, str]]:
    api = state.resource_servers.get(query.get("audience") or "")
    skips = "skip_consent_for_verifiable_first_party_clients"
    if state.wants_mfa():
        return "Multifactor authentication would be needed.", "mfa"
    if client.setting("is_first_party") is not True:
        text = "The user's consent would be needed: is_first_party is not true."
        return text, "shop-first-party"
    if api is not None and api.get(skips) is not True:
        text = f"The user's consent would be needed: {skips} of the API is not true."
        return text, "api-skips-consent"
    if not_verifiable(query.get("redirect_uri") or "") and not skips_callback_prompt(
        state, client
    ):
        text = "Auth0 would ask whether the callback on loopback is the right one."
        return text, "loopback-prompt"
    return None


def not_verifiable(redirect_uri: str) -> bool:
    """Return whether the callback could be of any application on the machine.

    ``http://app.localhost`` counts as verifiable [doc]
    secure/security-guidance/measures-against-app-impersonation.
    """
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https"):
        return True
    return parts.hostname in (*LOOPBACK_NAMES, "::1")


def skips_callback_prompt(state: State, client: Client) -> bool:
    """Return whether the confirmation is switched off: the application's word wins."""
    name = "skip_non_verifiable_callback_uri_confirmation_prompt"
    own = client.setting(name)
    return (state.tenant_setting(name) if own is None else own) is True
