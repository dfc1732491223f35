"""Applications and how they prove themselves (RFC 6749, 2.3; RFC 7523; RFC 8705)."""

import hmac
import ssl
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from attr import attrs
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import g, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from .settings import Settings, lookup

if TYPE_CHECKING:
    from .tenant import LocalTenant

# In the order in which they are tried.
AUTH_METHODS = [
    "client_secret_post",
    "client_secret_basic",
    "private_key_jwt",
    "self_signed_tls_client_auth",
]
ASSERTION_ALGORITHMS = ["RS256", "RS384", "PS256"]


@attrs(frozen=True, auto_attribs=True, eq=False)
class Client(ClientMixin):  # type: ignore[misc]
    """An application as its settings describe it at this moment."""

    client_id: str
    settings: Settings

    def setting(self, path: str) -> Any:
        """Return a setting by its dotted path, None where it is missing."""
        return lookup(self.settings, path)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: Optional[str]) -> str:
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in (self.setting("callbacks") or [])

    def check_client_secret(self, client_secret: str) -> bool:
        expected = self.setting("client_secret") or ""
        return bool(expected) and hmac.compare_digest(
            expected.encode(), client_secret.encode()
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        # RFC 7521, 4.2: a client_id in the form names the client that proves itself.
        if request.form.get("client_id", self.client_id) != self.client_id:
            return False
        g.client_id = self.client_id
        if method.startswith("client_secret"):
            return self.setting("token_endpoint_auth_method") is not None
        return bool(self.credentials(method))

    def credentials(self, method: str) -> List[Dict[str, str]]:
        """Return what is registered for a method: ``pem`` or ``thumbprint_sha256`` each."""
        return self.setting(f"client_authentication_methods.{method}.credentials") or []

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in (self.setting("grant_types") or [])


class PrivateKeyJwt(JWTBearerClientAssertion):  # type: ignore[misc]
    """``private_key_jwt``: an assertion for this domain, its ``jti`` used once."""

    CLIENT_AUTH_METHOD: str = "private_key_jwt"

    def __init__(self, tenant: "LocalTenant") -> None:
        # No allowance for clocks that differ: this is one machine, and an assertion that has expired is refused.
        super().__init__(leeway=0)
        self._tenant = tenant

    def __call__(
        self, query_client: Callable[[str], Optional[Client]], oauth_request: Any
    ) -> Any:
        try:
            return super().__call__(query_client, oauth_request)
        except (ValueError, TypeError, JoseError):
            raise InvalidClientError(description="Invalid JWT assertion.") from None

    def resolve_client_public_key(self, client: Client) -> KeySet:
        credentials = client.credentials(self.CLIENT_AUTH_METHOD)
        return KeySet(
            [
                RSAKey.import_key(credential["pem"])
                for credential in credentials
                if "pem" in credential
            ]
        )

    def process_assertion_claims(
        self, assertion: str, resolve_key: KeySet
    ) -> Dict[str, Any]:
        for key in resolve_key.keys:
            try:
                claims: Dict[str, Any] = jwt.decode(
                    assertion, key, ASSERTION_ALGORITHMS
                ).claims
            except JoseError:
                continue
            self.verify_claims(claims)
            return claims
        raise InvalidClientError(
            description="No registered key verifies the JWT assertion."
        )

    def verify_claims(self, claims: Dict[str, Any]) -> None:
        if "iat" not in claims:
            raise InvalidClientError(description="Missing claim: 'iat'")
        # Authlib goes by this machine's clock, so the claims move instead.
        ahead = int(self._tenant.clock.ahead)
        times = {
            name: claims[name] - ahead
            for name in ("exp", "iat", "nbf")
            if name in claims
        }
        super().verify_claims(dict(claims, **times))

    def get_audiences(self) -> List[str]:
        host = self._tenant.host()
        return [f"https://{host}/", f"{request.scheme}://{host}/"]

    def validate_jti(self, claims: Dict[str, Any], jti: Any) -> bool:
        if not isinstance(jti, str):
            return False
        with self._tenant.records.lock:
            fresh = (claims["iss"], jti) not in self._tenant.records.assertion_ids
            self._tenant.records.assertion_ids.add((claims["iss"], jti))
        return fresh


def client_by_certificate(
    query_client: Callable[[str], Optional[Client]], oauth_request: Any
) -> Optional[Client]:
    """Return the application whose registered certificate this TLS connection has (RFC 8705)."""
    certificate = request.environ.get("SSL_CLIENT_CERT")
    client = query_client(oauth_request.form.get("client_id", ""))
    if client is None or certificate is None or not request.host.startswith("mtls."):
        return None
    credentials = client.credentials("self_signed_tls_client_auth")
    registered = [
        each.get("thumbprint_sha256") or thumbprint_sha256(each["pem"])
        for each in credentials
    ]
    return (
        client if thumbprint_sha256(certificate) in map(str.lower, registered) else None
    )


def thumbprint_sha256(pem: str) -> str:
    """Return the SHA-256 thumbprint of a certificate in hexadecimal digits."""
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
