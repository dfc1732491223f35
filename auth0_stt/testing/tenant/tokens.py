"""The tenant's keys and the tokens signed with them (RFC 7515, RFC 7517, RFC 7519)."""

import functools
import secrets
from typing import Any, Callable, Dict, Optional

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey, RSAKey

from .clock import Clock
from .records import Session

# Auth0 takes an ID token as actor token in these two only.
ID_TOKEN_ALGORITHMS = ["RS256", "PS256"]
ACCESS_TOKEN_LIFETIME = 86400
DELEGATED_LIFETIME = 2 * 60 * 60


#: The key that signs every tenant's tokens is always the same: they stay valid when
#: the tenant starts anew. Everybody knows it, so it protects nothing (RFC 7518, 6.3).
_MODULUS = (
    "pq1qn33dSnn37oWgPhnGBRqfDLuGwJFsALw1IZK0jJR3hd_y3zQqv3C3JXY-ck9pCQKIW3LJG_BC"
    "bpPOapCZOGTqbRIQnD0L5deumduXF3DgE0mR5Ykc-"
    "8VHKWDVXDuOf3ko90ze7hw0LPftoj6MESAf4BxA7ZOz8I6HSdQKpM6bUtGaWd2WTm1p-Y5c9Jab-"
    "AV606ykf2exHxupOGP_gtuh-OGfUvc0aOSgcAn5l6POJxour670G_GVWPj4c0C6LLVTleEMHPFj4"
    "eYPiQb78YF1wSRTzL-4uaGKZEyP-zD7v21AF8o4klRVHYlVncmg7zLtYmDJcGAlDOa-mRUqLw"
)
_EXPONENT = (
    "Pn4ux_XtDouEhg3b8uy-"
    "7hL5J1D4SSM9F1l5okjbIQpZdfxtl3p7vKOKR6V57GoRu6sTbRYwiSUgA02vywzEJfzQWGy5hZrt"
    "5xNjB5TppYRQv2qKJUGveEaTU9RWquo5l1naHj7YJva0KVgb5QUGhzVAPkrZnToP8VW_K9Mw2nFx"
    "cUiJWXQLNl2V3tz8wVj58m04P8zww0XGcBBsa6uIClFD2V4qIcjda3dNNbfB3NsJwp-KTy9pE6JF"
    "KFEXUTgao3zO3Zva7rQG6xoFbnS7tp_yS4x3L6S9PLg7aaHXUeo8nUu41Yo6NttsKs85wpsPlnaU"
    "sKES98k_ZoJVVwTIgQ"
)


@functools.lru_cache(maxsize=None)
def tenant_key() -> RSAKey:
    """Return the key that signs every tenant's tokens."""
    numbers: Dict[str, Any] = {"kty": "RSA", "n": _MODULUS, "e": "AQAB", "d": _EXPONENT}
    key: RSAKey = RSAKey.import_key(numbers, {"kid": "local-tenant"})
    return key


@functools.lru_cache(maxsize=None)
def application_key() -> RSAKey:
    """Return the key with which applications may sign client assertions."""
    key: RSAKey = RSAKey.generate_key(2048, auto_kid=True)
    return key


def sign_with_secret(claims: Dict[str, Any], secret: str) -> str:
    """Return the claims as a JWT under an application's secret (HS256)."""
    key = OctKey.import_key(secret)
    return jwt.encode({"alg": "HS256"}, claims, key, ["HS256"])


def sign(claims: Dict[str, Any], algorithm: str = "RS256") -> str:
    """Return the claims as a JWT of the tenant's."""
    header = {"alg": algorithm, "kid": tenant_key().kid}
    return jwt.encode(header, claims, tenant_key(), [algorithm])


def access_token(
    client_id: str,
    session: Session,
    scope: str,
    audience: Any,
    now: float,
    lifetime: int = ACCESS_TOKEN_LIFETIME,
) -> str:
    """Return an access token; it carries ``act`` where an agent acts for the user."""
    audiences = [audience] if audience else []
    if not audience or "openid" in scope.split():
        audiences.append(session.issuer + "userinfo")
    claims = {
        "iss": session.issuer,
        "aud": audiences,
        "iat": int(now),
        "exp": int(now) + lifetime,
        "azp": client_id,
        "scope": scope,
    }
    return sign(dict(claims, **session.claims()))


def signed(token: str) -> Dict[str, Any]:
    """Return the claims of a token of the tenant's that may have expired.

    Raises:
        joserfc.errors.JoseError: its signature is wrong.
        ValueError: it is no JWT at all.
    """
    claims: Dict[str, Any] = jwt.decode(token, tenant_key(), ID_TOKEN_ALGORITHMS).claims
    return claims


def verified(token: str, now: float, **expected: Dict[str, Any]) -> Dict[str, Any]:
    """Return the claims of a token of the tenant's.

    Raises:
        joserfc.errors.JoseError: its signature, times or an expected claim are wrong.
        ValueError: it is no JWT at all.
    """
    claims = signed(token)
    essential: Dict[str, Any] = {
        name: {"essential": True} for name in ("sub", "iat", "exp")
    }
    essential.update(expected)
    jwt.JWTClaimsRegistry(now=int(now), **essential).validate(claims)
    return claims


class SubjectTokens:
    """The company's subject tokens: short-lived JWTs under a shared key."""

    def __init__(self, clock: Clock, key: Optional[str] = None) -> None:
        self.key: str = key or secrets.token_urlsafe(32)
        self._clock: Callable[[], float] = clock

    @property
    def _key(self) -> OctKey:
        key: OctKey = OctKey.import_key(self.key)
        return key

    def sign(self, user_id: str, lifetime: float) -> str:
        """Return a token that names a user for ``lifetime`` seconds."""
        claims = {"sub": user_id, "exp": int(self._clock() + lifetime)}
        return jwt.encode({"alg": "HS256"}, claims, self._key, ["HS256"])

    def user_id(self, token: str) -> Optional[str]:
        """Return whom a token names, None if it is not one of these or has expired."""
        try:
            claims = jwt.decode(token, self._key, ["HS256"]).claims
            jwt.JWTClaimsRegistry(now=int(self._clock())).validate(claims)
        except (JoseError, ValueError):
            return None
        return str(claims["sub"])
