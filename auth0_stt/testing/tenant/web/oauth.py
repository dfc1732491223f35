"""Authlib's authorization server with the tenant's rules behind it (RFC 6749, OIDC Core)."""

from typing import Any, Dict, List, Optional, Tuple

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import TokenMixin, grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, current_app
from joserfc.errors import JoseError

from ..clients import AUTH_METHODS, Client
from ..issue import refresh_token, tokens_for
from ..mint import TOKEN_EXCHANGE, Exchange
from ..records import AuthorizationCode, RefreshToken
from ..refusal import Refusal
from ..state import State
from ..tokens import verified
from .client_auth import OAuthClient, PrivateKeyJwt, client_by_certificate
from .origin import facts, form, origin, state

CODE_LIFETIME = 60
TokenResponse = Tuple[int, Dict[str, Any], Any]


def authorization_server(tenant: State, app: Flask) -> AuthorizationServer:
    """Return the server that answers the tenant's token and authorization requests."""

    def query_client(client_id: str) -> Optional[OAuthClient]:
        client = tenant.client(client_id)
        return None if client is None else OAuthClient(client_id, client.settings)

    server = AuthorizationServer(app, query_client, lambda token, oauth_request: None)
    app.extensions["auth0_stt.server"] = server
    server.register_client_auth_method("private_key_jwt", PrivateKeyJwt(tenant))
    server.register_client_auth_method(
        "self_signed_tls_client_auth", client_by_certificate
    )
    extensions = [CodeChallenge(required=False), OpenIdRequests(require_nonce=False)]
    server.register_grant(AuthorizationCodeGrant, extensions)
    server.register_grant(RefreshTokenGrant)
    server.register_grant(TokenExchangeGrant)
    return server


def server() -> AuthorizationServer:
    """Return the server of the tenant that the current request is for."""
    return current_app.extensions["auth0_stt.server"]


def oauth_error(refusal: Refusal) -> OAuth2Error:
    """Return a refusal as Authlib raises one."""
    error = OAuth2Error(error=refusal.error, status_code=refusal.status)
    # Past the constructor, which allows no text but RFC 6749's: an Action may write any.
    error.description = refusal.description
    return error


class OpenIdRequests(OpenIDCode):  # type: ignore[misc]
    """Checks authorization requests by OIDC Core; the ID token is made elsewhere."""

    def exists_nonce(self, nonce: str, oauth_request: Any) -> bool:
        return False

    def process_token(self, grant: Any, response: TokenResponse) -> TokenResponse:
        return response


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes that live for a minute and are good for one use, their first, good or bad."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def save_authorization_code(self, code: str, oauth_request: Any) -> None:
        data = oauth_request.payload.data
        state().records.codes[code] = AuthorizationCode(
            client_id=oauth_request.client.client_id,
            redirect_uri=oauth_request.payload.redirect_uri,
            scope=oauth_request.payload.scope or "",
            session=oauth_request.user,
            expires_at=state().clock() + CODE_LIFETIME,
            audience=data.get("audience"),
            nonce=data.get("nonce"),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )

    def query_authorization_code(
        self, code: str, client: Client
    ) -> Optional[AuthorizationCode]:
        records = state().records
        with records.lock:
            found = records.codes.get(code)
            if found is None or found.used:
                return None
            found.used = True
        if found.client_id != client.client_id or found.expires_at <= state().clock():
            return None
        return found

    def create_token_response(self) -> TokenResponse:
        client, code = self.request.client, self.request.authorization_code
        if code.session.user_id not in state().users:
            raise InvalidGrantError("There is no 'user' for this code.")
        grant = state(), client, code.session, code.scope, code.audience
        answer = tokens_for(*grant, nonce=code.nonce)
        if client.check_grant_type("refresh_token"):
            answer.update(refresh_token(*grant))
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Refresh tokens; where they rotate, one used twice revokes its whole family (RFC 9700, 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken:
        found = state().records.refresh_tokens.get(refresh_token)
        if found is None or found.client_id != self.request.client.client_id:
            raise InvalidGrantError("Unknown or invalid refresh token.")
        facts().user_id = found.session.user_id
        _refuse_reuse(found)
        if state().wants_mfa():
            text = "Multifactor authentication required"
            raise oauth_error(Refusal("mfa_required", text, 403))
        return found

    def create_token_response(self) -> TokenResponse:
        client, held = self.request.client, self.request.refresh_token
        if state().active_user(held.session.user_id) is None:
            raise InvalidGrantError("The user is unknown or blocked.")
        rotating = client.setting("refresh_token.rotation_type") != "non-rotating"
        scope = self.request.payload.scope or held.scope
        # Spent only now that nothing can be refused any more, and in one step: two at once can't both do so.
        with state().records.lock:
            _refuse_reuse(held)
            held.used = rotating
            grant = state(), client, held.session
            answer = tokens_for(*grant, scope, held.audience)
            if rotating:
                # It keeps what was granted, whatever was asked for this time.
                more = refresh_token(*grant, held.scope, held.audience, held.family)
                answer.update(more)
        return 200, answer, self.TOKEN_RESPONSE_HEADER


def _refuse_reuse(found: RefreshToken) -> None:
    records = state().records
    with records.lock:
        if not found.used:
            return
        for token in list(records.refresh_tokens):
            if records.refresh_tokens[token].family == found.family:
                del records.refresh_tokens[token]
    raise InvalidGrantError("Refresh token reuse detected: its family is revoked.")


class TokenExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """The custom token exchange."""

    GRANT_TYPE: str = TOKEN_EXCHANGE
    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def validate_token_request(self) -> None:
        self.request.client = self.authenticate_token_endpoint_client()

    def create_token_response(self) -> TokenResponse:
        method = self.request.auth_method
        exchange = Exchange(state(), origin(), self.client, method, form(), facts())
        try:
            return 200, exchange.answer(), self.TOKEN_RESPONSE_HEADER
        except Refusal as refusal:
            raise oauth_error(refusal) from None


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

    def authenticate_token(self, token_string: str) -> Optional[BearerToken]:
        audiences = [issuer + "userinfo" for issuer in state().issuers]
        expected = {"essential": True, "values": audiences}
        try:
            return BearerToken(verified(token_string, state().clock(), aud=expected))
        except (JoseError, ValueError):
            return None


protected = ResourceProtector()
protected.register_token_validator(UserinfoTokens())
