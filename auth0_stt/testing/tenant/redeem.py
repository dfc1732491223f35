"""Redemption: what /authorize makes of a session transfer token."""

import secrets
from typing import Mapping, Optional
from urllib.parse import urlsplit

from .clients import Client
from .origin import Origin
from .records import Session, SessionTransferToken, find_organization
from .refusal import PageInstead, Refusal
from .settings import Settings, lookup
from .state import State

DELEGATED_SESSION_LIFETIME = 2 * 60 * 60


def delegated_session(
    state: State,
    client: Client,
    query: Mapping[str, str],
    origin: Origin,
    open_session: Optional[Session],
) -> Session:
    """Redeem the token in the query of an /authorize request for a session of its own.

    Raises:
        PageInstead: a login page or an error page is what the agent sees.
        Refusal: the application gets this OAuth error at its callback.
    """
    _check_application(client)
    redirect_host = urlsplit(query.get("redirect_uri", "")).hostname
    if lookup(
        state.settings, "tenant.environment_tag"
    ) == "production" and redirect_host in (
        "localhost",
        "127.0.0.1",
    ):
        reason = f"A production tenant redirects no delegated login to {redirect_host}."
        raise PageInstead("error", reason)
    if open_session is not None:
        reason = (
            "This browser already has a session on {}, of {}: log out there first (/v2/logout), "
            "or give console and target different custom domains."
        )
        raise PageInstead("error", reason.format(origin.issuer, open_session.user_id))

    token = _redeem(state, query["session_transfer_token"], origin.ip)
    user = state.active_user(token.user_id)
    if user is None:
        raise Refusal("access_denied", "The user is unknown or blocked.")
    _check_connection(state, client, user)
    org_id = checked_organization(state, client, query.get("organization"), user)
    _check_interaction(state, client, query.get("scope", ""))
    now = state.clock()
    return Session(
        id=secrets.token_urlsafe(),
        user_id=token.user_id,
        issuer=origin.issuer,
        started=now,
        expires_at=now + DELEGATED_SESSION_LIFETIME,
        actor=token.actor,
        org_id=org_id,
    )


def _check_application(client: Client) -> None:
    if client.setting("session_transfer.delegation.allow_delegated_access") is not True:
        raise PageInstead(
            "login",
            f"The application {client.client_id} does not take delegated logins: "
            "session_transfer.delegation.allow_delegated_access is not true.",
        )
    methods = client.setting("session_transfer.allowed_authentication_methods") or []
    if "query" not in methods:
        raise PageInstead(
            "login",
            f"The application {client.client_id} takes no token from the URL: "
            'session_transfer.allowed_authentication_methods lacks "query".',
        )


def _redeem(state: State, text: str, ip: str) -> SessionTransferToken:
    with state.records.lock:
        token = state.records.session_transfer_tokens.get(text)
        if token is None:
            raise Refusal(
                "access_denied",
                "The session transfer token is not one of this tenant's.",
            )
        if token.used:
            raise Refusal(
                "access_denied", "The session transfer token has been used before."
            )
        if token.expires_at <= state.clock():
            raise Refusal("access_denied", "The session transfer token has expired.")
        if token.ip != ip:
            reason = (
                "The session transfer token is bound to the IP address {}, not {}.{}"
            )
            remark = f" ({token.ip_remark}.)" if token.ip_remark else ""
            raise Refusal("access_denied", reason.format(token.ip, ip, remark))
        token.used = True
    return token


def _check_connection(state: State, client: Client, user: Settings) -> None:
    connection = state.connections.get(user["connection"], {})
    if client.client_id not in connection.get("enabled_clients", []):
        reason = "The connection {} of the user is not enabled for the application {}."
        raise Refusal(
            "access_denied", reason.format(user["connection"], client.client_id)
        )


def checked_organization(
    state: State, client: Client, name: Optional[str], user: Settings
) -> Optional[str]:
    """Return the id of the organization that a login is for, None for a login without one.

    Raises:
        Refusal: the application or the organization does not allow it.
    """
    usage = client.setting("organization_usage")
    if not name:
        if usage == "require":
            # No picker can be shown in a delegated login.
            raise Refusal(
                "invalid_request",
                "The application requires the organization parameter.",
            )
        return None
    if usage == "deny":
        raise Refusal(
            "invalid_request", "The application does not allow organizations."
        )
    org_id = find_organization(state.organizations, name)
    if org_id is None:
        raise Refusal("invalid_request", f"The organization {name} does not exist.")
    if user["user_id"] not in state.organizations[org_id]["members"]:
        reason = "The user {} is not a member of the organization {}."
        raise Refusal("access_denied", reason.format(user["user_id"], name))
    return org_id


def _check_interaction(state: State, client: Client, scope: str) -> None:
    reason = None
    if state.wants_mfa():
        reason = "Multifactor authentication would be needed."
    elif client.setting("is_first_party") is not True:
        reason = "The user's consent would be needed: the application's is_first_party is not true."
    elif "offline_access" in scope.split():
        reason = "A delegated login cannot ask for the scope offline_access."
    if reason is not None:
        raise Refusal("interaction_required", reason)
