"""Authlib's authorization server, with the tenant's rules behind it."""

import secrets
from collections import defaultdict
from typing import Any, Dict, List, Optional, Tuple

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    InvalidClientError,
    OAuth2Payload,
    OAuth2Request,
    grants,
)
from authlib.oauth2.rfc6749.errors import InvalidGrantError, UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode, OpenIDImplicitGrant
from flask import Flask

from ..clients import AUTH_METHODS, Client
from ..issue import asks_for_auth_time, id_token, refresh_token, tokens_for
from ..mint import TOKEN_EXCHANGE, Exchange
from ..records import AuthorizationCode, RefreshToken, Session
from ..refusal import Refusal
from ..state import State
from . import client_auth
from .origin import SERVER, authorization_request, facts, fields, form, origin, state

CODE_LIFETIME = 60
TokenResponse = Tuple[int, Dict[str, Any], Any]


def authorization_server(tenant: State, app: Flask) -> None:
    """Give the application Authlib's server for the tenant."""

    def query_client(client_id: str) -> Optional[client_auth.OAuthClient]:
        found = tenant.client(client_id)
        if found is None:
            return None
        return client_auth.OAuthClient(client_id, found.settings)

    server = Server(app, query_client, lambda token, oauth_request: None)
    app.extensions[SERVER] = server
    private_key_jwt = client_auth.PrivateKeyJwt(tenant)
    server.register_client_auth_method("private_key_jwt", private_key_jwt)
    for name, method in client_auth.METHODS.items():
        server.register_client_auth_method(name, method)
    extensions = [CodeChallenge(required=False), OpenIdRequests(require_nonce=False)]
    server.register_grant(AuthorizationCodeGrant, extensions)
    server.register_grant(IdTokenGrant)
    server.register_grant(RefreshTokenGrant)
    server.register_grant(TokenExchangeGrant)


class Parameters(OAuth2Payload):  # type: ignore[misc]
    """The parameters of a request, each once."""

    def __init__(self, data: Dict[str, Any]) -> None:
        self._data = data

    @property
    def data(self) -> Dict[str, Any]:
        return self._data

    @property
    def datalist(self) -> Any:
        lists = {name: [value] for name, value in self._data.items()}
        return defaultdict(list, lists)


class Request(OAuth2Request):  # type: ignore[misc]
    """A request as Authlib asks for it."""

    def __init__(self, fields: Dict[str, Any], parameters: Dict[str, Any]) -> None:
        super().__init__(method="POST", uri=origin().issuer, headers={})
        self._fields = fields
        self.payload: Any = Parameters(parameters)

    @property
    def form(self) -> Dict[str, Any]:
        return self._fields


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server. It takes requests from ``origin`` and answers as Auth0 does."""

    def create_oauth2_request(self, request: Any) -> Any:
        return Request(fields(), authorization_request())

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Any:
        """Answer with an OAuth error; what proves no client is 401 [sdk]."""
        unproved = isinstance(error, InvalidClientError)
        if unproved and not isinstance(error, client_auth.InvalidAssertionError):
            realm = f'Basic realm="{origin().host}"'
            headers = {"WWW-Authenticate": realm}
            rule = "client-credentials"
            error = oauth_error(
                Refusal("access_denied", "Unauthorized", 401, rule, headers)
            )
        elif unproved:
            error.rule = "client-credentials"
        elif form().get("grant_type") == "refresh_token" and isinstance(
            error, UnauthorizedClientError
        ):
            error.rule = "console-refresh-grant"
        facts().rule = getattr(error, "rule", None)
        return super().handle_error_response(request, error)


class RefusalError(OAuth2Error):  # type: ignore[misc]
    """A refusal as Authlib raises one."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(error=refusal.error, status_code=refusal.status)
        # The constructor allows only RFC 6749's characters; an Action may write any.
        self.description: Any = refusal.description
        self.rule: Optional[str] = refusal.rule
        self._headers = refusal.headers

    def get_headers(self) -> List[Tuple[str, str]]:
        return [*super().get_headers(), *self._headers.items()]


def oauth_error(refusal: Refusal) -> RefusalError:
    """Return a refusal as Authlib raises one."""
    return RefusalError(refusal)


class OpenIdRequests(OpenIDCode):  # type: ignore[misc]
    """Checks authorization requests by OIDC Core; the ID token is made elsewhere."""

    def exists_nonce(self, nonce: str, oauth_request: Any) -> bool:
        return False

    def process_token(self, grant: Any, response: TokenResponse) -> TokenResponse:
        return response


class IdTokenGrant(OpenIDImplicitGrant):  # type: ignore[misc]
    """``response_type=id_token``, which some SDKs use for ordinary logins."""

    RESPONSE_TYPES = {"id_token"}  # noqa: RUF012

    def authenticate_token_endpoint_client(self) -> Client:
        # Authlib would have only public clients ask for an ID token in this way.
        client = self.server.query_client(self.request.payload.client_id or "")
        if client is None:
            raise InvalidClientError()
        found: Client = client
        return found

    def exists_nonce(self, nonce: str, oauth_request: Any) -> bool:
        return False

    def answer(self, session: Session) -> Dict[str, str]:
        """Return what goes to the callback."""
        payload = self.request.payload
        scope, data = payload.scope or "", payload.data
        asked = state(), self.request.client, session, scope, data.get("nonce")
        token = id_token(*asked, asks_for_auth_time(data))
        return {"id_token": token}


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes live for a minute. The first use spends them, even if it fails."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def answer(self, session: Session) -> Dict[str, str]:
        """Return what goes to the callback."""
        code, payload = secrets.token_urlsafe(32), self.request.payload
        data = payload.data
        state().records.codes[code] = AuthorizationCode(
            client_id=self.request.client.client_id,
            redirect_uri=payload.redirect_uri,
            scope=payload.scope or "",
            session=session,
            expires_at=state().clock() + CODE_LIFETIME,
            audience=data.get("audience"),
            nonce=data.get("nonce"),
            auth_time=asks_for_auth_time(data),
            code_challenge=data.get("code_challenge"),
            code_challenge_method=data.get("code_challenge_method"),
        )
        return {"code": code}

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
        tokens = tokens_for(*grant, code.nonce, code.auth_time)
        answer = {**tokens, **refresh_token(*grant)}
        return 200, answer, self.TOKEN_RESPONSE_HEADER


class RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]
    """Refresh tokens. One that is used again revokes its family (RFC 9700, 4.14.2)."""

    TOKEN_ENDPOINT_AUTH_METHODS: List[str] = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken:
        found = state().records.refresh_tokens.get(refresh_token)
        if found is None or found.client_id != self.request.client.client_id:
            raise InvalidGrantError("Unknown or invalid refresh token.")
        facts().user_id = found.session.user_id
        _refuse_reuse(found)
        if state().wants_mfa():
            text = "Multifactor authentication required"
            raise oauth_error(Refusal("mfa_required", text, 403, "mfa"))
        return found

    def create_token_response(self) -> TokenResponse:
        client, held = self.request.client, self.request.refresh_token
        if state().active_user(held.session.user_id) is None:
            raise InvalidGrantError("The user is unknown or blocked.")
        rotating = client.setting("refresh_token.rotation_type") != "non-rotating"
        scope = self.request.payload.scope or held.scope
        # Spent in one step, after the last check: two requests can't both succeed.
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
