"""How an application proves itself at the token endpoint: a secret, a signed assertion, or a certificate."""

import os
import ssl
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple, Union

from .arguments import Tenant, parse_authority, text_error
from .errors import InvalidArgumentError

#: A signed JWT, or what makes one for the audience that it is given.
ClientAssertion = Union[str, Callable[[str], str]]

# Python before 3.9 has no os.PathLike[str].
if TYPE_CHECKING:
    _Path = Union[str, os.PathLike[str]]
else:
    _Path = Union[str, os.PathLike]

#: A PEM file with certificate and key, or the two files.
ClientCertificate = Union[_Path, Tuple[_Path, _Path]]

#: What proves the client in one request: form fields, and the paths of a certificate and of its key.
Credentials = Tuple[Dict[str, str], Optional[Tuple[str, Optional[str]]]]

# RFC 7523, 2.2.
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

#: What Auth0 takes for Private Key JWT (Auth0, Configure Private Key JWT).
_ALGORITHMS = ("RS256", "RS384", "PS256")

# RFC 7518, 3.3 and 3.5.
_SHORTEST_KEY = 2048

#: Seconds that an assertion is good for: it is used at once, and the two clocks may differ a little.
_ASSERTION_LIFETIME = 60


def credential_error(
    tenant: Tenant,
    client_id: Any,
    client_secret: Any,
    client_assertion: Any,
    client_certificate: Any,
) -> Optional[InvalidArgumentError]:
    """Return the error of a client that does not prove itself in exactly one well-formed way."""
    error = text_error("client_id", client_id)
    if error is not None:
        return error
    if (
        sum(
            value is not None
            for value in (client_secret, client_assertion, client_certificate)
        )
        != 1
    ):
        return InvalidArgumentError(
            "pass exactly one of client_secret, client_assertion, client_certificate",
            "client_secret",
        )
    if client_secret is not None:
        return text_error("client_secret", client_secret)
    if client_assertion is not None:
        return (
            None
            if callable(client_assertion)
            else text_error("client_assertion", client_assertion)
        )
    return _certificate_error(tenant, client_certificate)


def certificate_files(client_certificate: Any) -> Tuple[str, Optional[str]]:
    """Return the paths of the certificate and of its key, None where one file holds both."""
    if isinstance(client_certificate, tuple):
        certificate, key = client_certificate
        return os.fspath(certificate), os.fspath(key)
    return os.fspath(client_certificate), None


def _certificate_error(
    tenant: Tenant, client_certificate: Any
) -> Optional[InvalidArgumentError]:
    problem = None
    if tenant.scheme != "https":
        problem = "needs TLS: domain must not be http"
    elif parse_authority("mtls." + tenant.domain) is None:
        problem = "needs a domain with a name, since the request goes to mtls.{domain}"
    try:
        # With no password given, OpenSSL would ask for one on the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            *certificate_files(client_certificate), password=""
        )
    except ssl.SSLError:
        problem = "is not PEM, is encrypted, or its key is another certificate's"
    except OSError:
        problem = "names a file that is missing or can't be read"
    except Exception:  # whatever a path-like object of the caller's own raises
        problem = "must be a path, or a tuple of two paths: certificate and key"
    return (
        InvalidArgumentError("client_certificate " + problem, "client_certificate")
        if problem
        else None
    )


def credentials(
    client_secret: Optional[str],
    client_assertion: Any,
    client_certificate: Optional[ClientCertificate],
) -> Credentials:
    """Return what goes into the request: form fields, and the paths of a certificate."""
    if client_secret is not None:
        return {"client_secret": client_secret}, None
    if client_assertion is not None:
        return {
            "client_assertion_type": _JWT_BEARER,
            "client_assertion": client_assertion,
        }, None
    return {}, certificate_files(client_certificate)


def private_key_jwt(
    client_id: str, private_key: Union[str, bytes], algorithm: str = "RS256"
) -> Callable[[str], str]:
    """Return a ``client_assertion`` for an application that holds a private key instead of a secret.

    Needs PyJWT with cryptography: ``pip install "auth0-stt[private-key-jwt]"``. Make it once and pass it to every
    call: each request gets an assertion of its own, good for 60 seconds.

    :param private_key: an RSA private key of 2048 bits or more in PEM, not encrypted.
    :param algorithm: RS256, RS384 or PS256, as it is registered for the credential.

    Raises :class:`InvalidArgumentError` for a key that is not such a key, and for another algorithm; ImportError
    where PyJWT or cryptography is missing.

    Source: RFC 7523; Auth0, "Authenticate with Private Key JWT".
    """
    error = text_error("client_id", client_id)
    if error is not None:
        raise error
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise InvalidArgumentError(
            "algorithm must be one of " + ", ".join(_ALGORITHMS), "algorithm"
        )
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from jwt import encode
    except ImportError:
        raise ImportError(
            'private_key_jwt needs PyJWT and cryptography: pip install "auth0-stt[private-key-jwt]"'
        ) from None
    key = _load_key(private_key, load_pem_private_key, RSAPrivateKey)
    if key is None:
        raise InvalidArgumentError(
            "private_key must be an RSA private key of 2048 bits or more in PEM, not encrypted",
            "private_key",
        )

    def assertion(audience: str) -> str:
        now = int(time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + _ASSERTION_LIFETIME,
        }
        return encode({**claims, "jti": os.urandom(16).hex()}, key, algorithm=algorithm)

    return assertion


def _load_key(private_key: Any, load_pem: Callable[..., Any], rsa_key: Any) -> Any:
    try:
        pem = (
            private_key.encode("utf-8") if isinstance(private_key, str) else private_key
        )
        key = load_pem(pem, password=None)
    except (
        Exception
    ):  # cryptography raises ValueError, TypeError and classes of its own, by version
        return None
    return key if isinstance(key, rsa_key) and key.key_size >= _SHORTEST_KEY else None
