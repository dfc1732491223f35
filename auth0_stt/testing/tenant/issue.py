"""Tokens for somebody who is signed in: ID token, access token, refresh token."""

import secrets
from typing import Any, Dict, Mapping, Optional

from .clients import Client
from .records import RefreshToken, Session
from .settings import Settings
from .state import State
from .tokens import (
    ACCESS_TOKEN_LIFETIME,
    DELEGATED_LIFETIME,
    access_token,
    sign,
    sign_with_secret,
)

ID_TOKEN_LIFETIME = 36000


def tokens_for(
    state: State,
    client: Client,
    session: Session,
    scope: str,
    audience: Optional[str] = None,
    nonce: Optional[str] = None,
    auth_time: bool = False,
) -> Dict[str, Any]:
    """Return the answer of the token endpoint, without a refresh token."""
    # A delegated session gets no refresh token, and its tokens end with it.
    if session.actor is not None:
        scope = without_offline_access(scope)
    lifetime = DELEGATED_LIFETIME if session.actor else ACCESS_TOKEN_LIFETIME
    grant = client.client_id, session, scope, audience, state.clock(), lifetime
    answer = {
        "access_token": access_token(*grant),
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": scope,
    }
    if "openid" in scope.split():
        answer["id_token"] = id_token(state, client, session, scope, nonce, auth_time)
    return {name: value for name, value in answer.items() if value}


def refresh_token(
    state: State,
    client: Client,
    session: Session,
    scope: str,
    audience: Optional[str] = None,
    family: str = "",
) -> Dict[str, str]:
    """Return a refresh token as part of an answer, or nothing if none was granted."""
    wanted = "offline_access" in scope.split() and session.actor is None
    if not wanted or not client.check_grant_type("refresh_token"):
        return {}
    token = secrets.token_urlsafe(32)
    state.records.refresh_tokens[token] = RefreshToken(
        client_id=client.client_id,
        scope=scope,
        session=session,
        audience=audience,
        family=family or secrets.token_urlsafe(8),
    )
    return {"refresh_token": token}


def id_token(
    state: State,
    client: Client,
    session: Session,
    scope: str,
    nonce: Optional[str],
    auth_time: bool,
) -> str:
    """Return an ID token (OIDC Core, 2).

    [doc] authenticate/login/max-age-reauthentication: ``auth_time`` is in it only if
    the request had max_age or prompt=login.
    """
    now = int(state.clock())
    lifetime = client.setting("jwt_configuration.lifetime_in_seconds")
    claims = {
        **profile(state.users[session.user_id], scope),
        "iss": session.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + int(lifetime or ID_TOKEN_LIFETIME),
        "auth_time": int(session.started) if auth_time else None,
        "sid": session.id,
        "nonce": nonce,
        **session.claims(),
    }
    present = {name: value for name, value in claims.items() if value is not None}
    algorithm = client.setting("jwt_configuration.alg") or "RS256"
    if algorithm == "HS256":
        return sign_with_secret(present, client.setting("client_secret"))
    return sign(present, algorithm)


def asks_for_auth_time(query: Mapping[str, str]) -> bool:
    """Return whether a request to /authorize gets ``auth_time`` in the ID token."""
    return "max_age" in query or "login" in query.get("prompt", "").split()


def without_offline_access(scope: str) -> str:
    """Return the scope without the word that asks for a refresh token."""
    return " ".join(word for word in scope.split() if word != "offline_access")


def profile(user: Settings, scope: str) -> Dict[str, Any]:
    """Return what the scope lets an application know of a user (OIDC Core, 5.4)."""
    claims = {"sub": user["user_id"]}
    if "profile" in scope.split():
        claims["name"] = user["name"]
    if "email" in scope.split():
        claims.update(email=user["email"], email_verified=user["email_verified"])
    return claims
