"""Applications, as their settings describe them."""

import hmac
import ssl
from hashlib import sha256
from typing import Any, Dict, List, Optional

from attr import attrs

from .settings import Settings, lookup

# In the order in which they are tried.
AUTH_METHODS = [
    "client_secret_post",
    "client_secret_basic",
    "private_key_jwt",
    "self_signed_tls_client_auth",
    "none",
]


@attrs(frozen=True, auto_attribs=True, eq=False)
class Client:
    """An application at this moment, with the questions that Authlib asks of one."""

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

    def may_use(self, method: str) -> bool:
        """Return whether the settings let it prove itself in this way."""
        own = self.setting("token_endpoint_auth_method")
        if method == "none":
            return bool(own == "none")
        if method.startswith("client_secret"):
            return own not in (None, "none")
        return bool(self.credentials(method))

    def credentials(self, method: str) -> List[Dict[str, str]]:
        """Return what is registered for a method: ``pem`` or ``thumbprint_sha256``."""
        return self.setting(f"client_authentication_methods.{method}.credentials") or []

    def has_certificate(self, certificate: str) -> bool:
        """Return whether this TLS certificate is registered (RFC 8705, 2.2)."""
        registered = [
            each.get("thumbprint_sha256") or thumbprint_sha256(each["pem"])
            for each in self.credentials("self_signed_tls_client_auth")
        ]
        return thumbprint_sha256(certificate) in map(str.lower, registered)

    def check_response_type(self, response_type: str) -> bool:
        return response_type in ("code", "id_token")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in (self.setting("grant_types") or [])


def thumbprint_sha256(pem: str) -> str:
    """Return the SHA-256 thumbprint of a certificate in hexadecimal digits."""
    return sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
