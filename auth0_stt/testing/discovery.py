"""What the tenant publishes about itself (OpenID Connect Discovery, RFC 8414, RFC 7517)."""

from typing import Any, Dict, List

from .clients import ASSERTION_ALGORITHMS, AUTH_METHODS
from .signing import ID_TOKEN_ALGORITHMS, tenant_key


def key_set() -> Dict[str, Any]:
    """Return what /.well-known/jwks.json publishes."""
    return {"keys": [dict(tenant_key().as_dict(private=False), use="sig")]}


def metadata(issuer: str, grant_types: List[str]) -> Dict[str, Any]:
    """Return what /.well-known/openid-configuration publishes for one of the domains."""
    document = {
        "issuer": issuer,
        "authorization_endpoint": issuer + "authorize",
        "token_endpoint": issuer + "oauth/token",
        "userinfo_endpoint": issuer + "userinfo",
        "jwks_uri": issuer + ".well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grant_types,
        "code_challenge_methods_supported": ["S256", "plain"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ID_TOKEN_ALGORITHMS,
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
    }
    if issuer.startswith("https://localhost:"):
        # RFC 8705, 5.
        mtls = issuer.replace("https://", "https://mtls.") + "oauth/token"
        return dict(document, mtls_endpoint_aliases={"token_endpoint": mtls})
    return document
