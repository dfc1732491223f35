"""What the tenant publishes about itself (OIDC Discovery, RFC 8414, RFC 7517)."""

from typing import Any, Dict

from flask import Blueprint

from ..clients import AUTH_METHODS
from ..login import RESPONSE_MODES
from ..logs import grants
from ..tokens import ID_TOKEN_ALGORITHMS, tenant_key
from .client_auth import ASSERTION_ALGORITHMS
from .origin import origin, state

routes: Blueprint = Blueprint("documents", __name__)

ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "oauth/token",
    "userinfo_endpoint": "userinfo",
    "end_session_endpoint": "oidc/logout",
    "pushed_authorization_request_endpoint": "oauth/par",
    "jwks_uri": ".well-known/jwks.json",
}
SUPPORTED: Dict[str, Any] = {
    "response_types_supported": ["code", "id_token"],
    "response_modes_supported": list(RESPONSE_MODES),
    "grant_types_supported": [*grants(), "implicit"],
    "code_challenge_methods_supported": ["S256", "plain"],
    "scopes_supported": ["openid", "profile", "email", "offline_access"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ID_TOKEN_ALGORITHMS,
    "token_endpoint_auth_methods_supported": AUTH_METHODS,
    "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
}


@routes.get("/.well-known/jwks.json")
def key_set() -> Dict[str, Any]:
    return {"keys": [dict(tenant_key().as_dict(private=False), use="sig")]}


@routes.get("/.well-known/openid-configuration")
def metadata() -> Dict[str, Any]:
    issuer = origin().issuer
    document: Dict[str, Any] = {
        "issuer": issuer,
        **{name: issuer + path for name, path in ENDPOINTS.items()},
        **SUPPORTED,
    }
    if issuer == state().issuers[0] and issuer.startswith("https:"):
        # RFC 8705, 5.
        mtls = issuer.replace("https://", "https://mtls.") + "oauth/token"
        document["mtls_endpoint_aliases"] = {"token_endpoint": mtls}
    return document
