"""How applications prove themselves (RFC 6749, 2.3; RFC 7523; RFC 8705)."""

import base64
from typing import Any, Callable, Dict, List, Optional
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from ..clients import Client
from ..state import State
from .origin import authorization, facts, fields, origin

ASSERTION_ALGORITHMS = ["RS256", "RS384", "PS256"]
QueryClient = Callable[[str], Optional[Client]]


class OAuthClient(Client):
    """An application that Authlib asks how it may prove itself."""

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        # RFC 7521, 4.2: a client_id in the form names the client that proves itself.
        if fields().get("client_id", self.client_id) != self.client_id:
            return False
        facts().client_id = self.client_id
        return self.may_use(method)


class InvalidAssertionError(InvalidClientError):  # type: ignore[misc]
    """The client assertion is not one that proves the client."""


def client_by_basic(query_client: QueryClient, oauth_request: Any) -> Optional[Client]:
    """Return the application whose id and secret HTTP Basic carries.

    Form-encoded first, as RFC 6749, 2.3.1 asks; as they are, as most clients send them.
    """
    scheme, _, credentials = authorization().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return None
    client_id, _, secret = text.partition(":")
    for decoded in (str, unquote_plus):
        client = query_client(decoded(client_id))
        if client is not None and client.check_client_secret(decoded(secret)):
            return client
    return None


def client_by_post(query_client: QueryClient, oauth_request: Any) -> Optional[Client]:
    """Return the application whose id and secret are in the form."""
    client = query_client(str(fields().get("client_id", "")))
    secret = fields().get("client_secret")
    if client is None or not isinstance(secret, str):
        return None
    return client if client.check_client_secret(secret) else None


def public_client(query_client: QueryClient, oauth_request: Any) -> Optional[Client]:
    """Return an application that has no secret and needs none."""
    return query_client(str(fields().get("client_id", "")))


def client_by_certificate(
    query_client: QueryClient, oauth_request: Any
) -> Optional[Client]:
    """Return the application with this connection's certificate (RFC 8705)."""
    certificate = origin().certificate
    client = query_client(fields().get("client_id", ""))
    if client is None or certificate is None:
        return None
    return client if client.has_certificate(certificate) else None


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]
    """``private_key_jwt``: an assertion for this domain, its ``jti`` used once."""

    CLIENT_AUTH_METHOD: str = "private_key_jwt"

    def __init__(self, state: State) -> None:
        # No leeway: this is one machine with one clock.
        super().__init__(leeway=0)
        self._state = state

    def __call__(self, query_client: QueryClient, oauth_request: Any) -> Any:
        try:
            return super().__call__(query_client, oauth_request)
        except InvalidClientError as error:
            raise InvalidAssertionError(description=error.description) from None
        except (ValueError, TypeError, JoseError):
            raise InvalidAssertionError(description="Invalid JWT assertion.") from None

    def resolve_client_public_key(self, client: Client) -> KeySet:
        credentials = client.credentials(self.CLIENT_AUTH_METHOD)
        return KeySet(
            [RSAKey.import_key(each["pem"]) for each in credentials if "pem" in each]
        )

    def process_assertion_claims(
        self, assertion: str, resolve_key: KeySet
    ) -> Dict[str, Any]:
        for key in resolve_key.keys:
            try:
                claims = jwt.decode(assertion, key, ASSERTION_ALGORITHMS).claims
            except JoseError:
                continue
            self.verify_claims(claims)
            return claims
        text = "No registered key verifies the JWT assertion."
        raise InvalidClientError(description=text)

    def verify_claims(self, claims: Dict[str, Any]) -> None:
        if "iat" not in claims:
            raise InvalidClientError(description="Missing claim: 'iat'")
        # Authlib goes by this machine's clock, so the claims move instead.
        ahead = int(self._state.clock.ahead)
        times = {
            name: claims[name] - ahead
            for name in ("exp", "iat", "nbf")
            if name in claims
        }
        super().verify_claims(dict(claims, **times))

    def get_audiences(self) -> List[str]:
        # [doc] The issuer or, until Auth0 stops taking it, the URL of the endpoint.
        host = origin().host
        issuers = {f"https://{host}/", origin().issuer}
        paths = ("", "oauth/token", "oauth/par")
        return [issuer + path for issuer in issuers for path in paths]

    def validate_jti(self, claims: Dict[str, Any], jti: Any) -> bool:
        if not isinstance(jti, str):
            return False
        records = self._state.records
        with records.lock:
            fresh = (claims["iss"], jti) not in records.assertion_ids
            records.assertion_ids.add((claims["iss"], jti))
        return fresh


METHODS = {
    "client_secret_post": client_by_post,
    "client_secret_basic": client_by_basic,
    "self_signed_tls_client_auth": client_by_certificate,
    "none": public_client,
}
