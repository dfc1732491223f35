"""Authlib's authorization server with the tenant's records behind it (RFC 6749, OIDC Core)."""

import secrets
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import TokenMixin, grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc6750 import BearerTokenGenerator, BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, g
from joserfc.errors import JoseError

from .action import Refusal
from .clients import AUTH_METHODS, Client, PrivateKeyJwt, client_by_certificate
from .exchange import TokenExchangeGrant
from .records import AuthorizationCode, RefreshToken, Session
from .settings import Settings
from .signing import ACCESS_TOKEN_LIFETIME, access_token, tenant_key, verified

if TYPE_CHECKING:
    from .tenant import LocalTenant

CODE_LIFETIME = 60


def authorization_server(tenant: "LocalTenant", app: Flask) -> AuthorizationServer:
    """Return the server that answers the tenant's token and authorization requests."""
    server = AuthorizationServer(app, tenant.client, lambda token, oauth_request: None)
    server.tenant = tenant
    server.register_token_generator("default", TokenGenerator(tenant))
    server.register_client_auth_method("private_key_jwt", PrivateKeyJwt(tenant))
    server.register_client_auth_method(
        "self_signed_tls_client_auth", client_by_certificate
    )
    id_tokens = IdTokens(tenant)
    server.register_grant(
        AuthorizationCodeGrant, [CodeChallenge(required=False), id_tokens]
    )
    server.register_grant(RefreshTokenGrant, [id_tokens])
    server.register_grant(TokenExchangeGrant)
    return server


class TokenGenerator(BearerTokenGenerator):  # type: ignore[misc]
    """Makes access tokens, and refresh tokens where they were asked for."""

    def __init__(self, tenant: "LocalTenant") -> None:
        super().__init__(
            self._access_token, self._refresh_token, lambda *_: ACCESS_TOKEN_LIFETIME
        )
        self._tenant = tenant

    def generate(
        self,
        grant_type: str,
        client: Client,
        user: Session,
        scope: Optional[str] = None,
        expires_in: Optional[int] = None,
        include_refresh_token: bool = True,
    ) -> Any:
        # A delegated session never gets a refresh token.
        offline = (
            "offline_access" in (g.get("granted_scope") or scope or "").split()
            and user.actor is None
        )
        return super().generate(
            grant_type,
            client,
            user,
            scope,
            expires_in,
            include_refresh_token and offline,
        )

    def _access_token(
        self, client: Client, grant_type: str, user: Session, scope: str
    ) -> str:
        return access_token(
            client, user, scope, g.get("audience"), self._tenant.clock()
        )

    def _refresh_token(
        self, client: Client, grant_type: str, user: Session, scope: str
    ) -> str:
        token = secrets.token_urlsafe(32)
        family = g.get("family") or secrets.token_urlsafe(8)
        # A refresh token keeps what was granted, whatever was asked for this time.
        self._tenant.records.refresh_tokens[token] = RefreshToken(
            client_id=client.client_id,
            scope=g.get("granted_scope") or scope,
            session=user,
            family=family,
        )
        return token


class IdTokens(OpenIDCode):  # type: ignore[misc]
    """Adds an ID token where the scope says ``openid``."""

    def __init__(self, tenant: "LocalTenant") -> None:
        super().__init__(require_nonce=False)
        self._tenant = tenant

    def exists_nonce(self, nonce: str, oauth_request: Any) -> bool:
        return False

    def get_client_algorithm(self, client: Client) -> str:
        return str(client.setting("jwt_configuration.alg") or "RS256")

    def get_encode_header(self, client: Client) -> Dict[str, Any]:
        return {"alg": self.get_client_algorithm(client), "kid": tenant_key().kid}

    def resolve_client_private_key(self, client: Client) -> Any:
        return tenant_key()

    def get_compatible_claims(self, oauth_request: Any) -> Dict[str, Any]:
        client, session, now = (
            oauth_request.client,
            oauth_request.user,
            int(self._tenant.clock()),
        )
        lifetime = client.setting("jwt_configuration.lifetime_in_seconds") or 36000
        return {
            "iss": session.issuer,
            "aud": client.client_id,
            "iat": now,
            "exp": now + int(lifetime),
            "auth_time": int(session.started),
            "sid": session.id,
        }

    def generate_user_info(self, user: Session, scope: str) -> Dict[str, Any]:
        return dict(profile(self._tenant.users[user.user_id], scope), **user.claims())


def profile(user: Settings, scope: str) -> Dict[str, Any]:
    """Return what the scope lets an application know of a user (OIDC Core, 5.4)."""
    claims = {"sub": user["user_id"]}
    if "profile" in scope.split():
        claims["name"] = user["name"]
    if "email" in scope.split():
        claims.update(email=user["email"], email_verified=True)
    return claims


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes that live for a minute and are good for one use, their first, good or bad."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def save_authorization_code(self, code: str, oauth_request: Any) -> None:
        tenant, data = self.server.tenant, oauth_request.payload.data
        tenant.records.codes[code] = AuthorizationCode(
            client_id=oauth_request.client.client_id,
            redirect_uri=oauth_request.payload.redirect_uri,
            scope=oauth_request.payload.scope or "",
            session=oauth_request.user,
            expires_at=tenant.clock() + CODE_LIFETIME,
            audience=data.get("audience"),
            nonce=data.get("nonce"),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )

    def query_authorization_code(
        self, code: str, client: Client
    ) -> Optional[AuthorizationCode]:
        tenant = self.server.tenant
        with tenant.records.lock:
            found: Optional[AuthorizationCode] = tenant.records.codes.get(code)
            if found is None or found.used:
                return None
            found.used = True
        if found.client_id != client.client_id or found.expires_at <= tenant.clock():
            return None
        g.audience = found.audience
        return found

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """It was spent when it was queried, so that two requests at once can't both have it."""

    def authenticate_user(
        self, authorization_code: AuthorizationCode
    ) -> Optional[Session]:
        session = authorization_code.session
        return session if session.user_id in self.server.tenant.users else None


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Refresh tokens; where they rotate, one used twice revokes its whole family (RFC 9700, 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> Optional[RefreshToken]:
        found: Optional[RefreshToken] = self.server.tenant.records.refresh_tokens.get(
            refresh_token
        )
        if found is None or found.client_id != self.request.client.client_id:
            raise InvalidGrantError("Unknown or invalid refresh token.")
        g.user_id = found.session.user_id
        self._refuse_reuse(found)
        if self.server.tenant.wants_mfa():
            raise Refusal("mfa_required", "Multifactor authentication required", 403)
        return found

    def _refuse_reuse(self, found: RefreshToken) -> None:
        records = self.server.tenant.records
        with records.lock:
            if not found.used:
                return
            for token in list(records.refresh_tokens):
                if records.refresh_tokens[token].family == found.family:
                    del records.refresh_tokens[token]
        raise InvalidGrantError("Refresh token reuse detected: its family is revoked.")

    def issue_token(self, user: Session, refresh_token: RefreshToken) -> Any:
        g.family, g.granted_scope = refresh_token.family, refresh_token.scope
        rotating = (
            self.request.client.setting("refresh_token.rotation_type") != "non-rotating"
        )
        # Spent only now that nothing can be refused any more, and in one step: two at once can't both do so.
        with self.server.tenant.records.lock:
            self._refuse_reuse(refresh_token)
            refresh_token.used = rotating
            scope = self.request.payload.scope or refresh_token.scope
            return self.generate_token(
                user=user, scope=scope, include_refresh_token=rotating
            )

    def authenticate_user(self, refresh_token: RefreshToken) -> Optional[Session]:
        if self.server.tenant.active_user(refresh_token.session.user_id) is None:
            raise InvalidGrantError("The user is unknown or blocked.")
        return refresh_token.session

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """It was spent as the new one was issued."""


class BearerToken(TokenMixin):  # type: ignore[misc]
    """An access token as /userinfo receives it, already verified."""

    def __init__(self, claims: Dict[str, Any]) -> None:
        self.claims = claims

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False

    def get_scope(self) -> str:
        return str(self.claims.get("scope", ""))


class UserinfoTokens(BearerTokenValidator):  # type: ignore[misc]
    """Verifies the access tokens that come to /userinfo."""

    def __init__(self, tenant: "LocalTenant") -> None:
        super().__init__()
        self._tenant = tenant

    def authenticate_token(self, token_string: str) -> Optional[BearerToken]:
        audiences = [issuer + "userinfo" for issuer in self._tenant.issuers()]
        expected = {"essential": True, "values": audiences}
        try:
            return BearerToken(
                verified(token_string, self._tenant.clock(), aud=expected)
            )
        except (JoseError, ValueError):
            return None
