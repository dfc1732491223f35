"""How an application proves itself: by secret, signed assertion or certificate."""

from __future__ import annotations

import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple, Union

from attr import frozen

from .arguments import plain, seconds, text
from .errors import boundary, invalid
from .own_session import checked_session
from .tenant import Tenant, parse_authority, parse_domain
from .transport import Session

#: A signed JWT, or a function that makes one for the audience it is given.
ClientAssertion = Union[str, Callable[[str], str]]
_Path = Union[str, Path]
#: A PEM file with certificate and key, or the two files.
ClientCertificate = Union[_Path, Tuple[_Path, _Path]]

if sys.version_info >= (3, 8):
    from typing import TypedDict

    class _Application(TypedDict):
        domain: str
        client_id: str

    class ClientSettings(_Application, total=False):
        """Where the tenant is and how one application proves itself: a plain dict.

        ``domain``, ``client_id`` and exactly one of the others. Declare a setting as
        ``AUTH0: ClientSettings = {...}``, and ``**AUTH0`` passes a type checker.
        """

        client_secret: str
        client_assertion: ClientAssertion
        client_certificate: ClientCertificate

else:
    ClientSettings = Dict[str, Any]

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2
_ALGORITHMS = ("RS256", "RS384", "PS256")  # Auth0, Configure Private Key JWT
_SHORTEST_KEY = 2048  # bits (RFC 7518, 3.3 and 3.5)


@frozen(eq=False, repr=False)
class Client:
    """An application, its one way to prove itself, and how it sends, all checked."""

    tenant: Tenant
    client_id: str
    secret: Optional[str]
    assertion: Optional[ClientAssertion]
    certificate: Optional[Tuple[str, str]]  # the paths of certificate and key
    timeout: float
    session: Optional[Session]

    def form_fields(self) -> Dict[str, Optional[str]]:
        """Return the form fields that prove the client, with a fresh assertion."""
        assertion = self.assertion
        if callable(assertion):
            made = assertion(f"https://{self.tenant.domain}/")
            assertion = text("client_assertion", made, "what the callable returned")
        return {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "client_assertion_type": None if assertion is None else _JWT_BEARER,
            "client_assertion": assertion,
        }


def checked_client(
    domain: Any, client_id: Any, proofs: Any, timeout: Any, session: Any
) -> Client:
    """Return the client. ``proofs``: secret, assertion and certificate, exactly one."""
    tenant = parse_domain(plain(domain) or "")
    client_id = text("client_id", client_id)
    if sum(proof is not None for proof in proofs) != 1:
        problem = "or client_assertion or client_certificate: pass exactly one of them"
        raise invalid(f"client_secret {problem}")
    secret, assertion, certificate = proofs
    if secret is not None:
        secret = text("client_secret", secret)
    elif certificate is not None:
        certificate = _certificate_files(tenant, certificate)
    elif not callable(assertion):
        assertion = text("client_assertion", assertion)
    timeout = seconds("timeout", timeout)
    session = checked_session(session)
    return Client(tenant, client_id, secret, assertion, certificate, timeout, session)


def _certificate_files(tenant: Tenant, given: Any) -> Tuple[str, str]:
    if tenant.scheme != "https":
        raise invalid("client_certificate needs TLS: domain must not be http")
    if parse_authority("mtls." + tenant.domain) is None:
        raise invalid("client_certificate needs a domain name, for mtls.{domain}")
    try:
        pair = given if isinstance(given, tuple) else (given, given)
        certificate, key = map(os.fspath, pair)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Without a password, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError:
        problem = "is not PEM, is encrypted, or its key belongs to another certificate"
    except OSError:
        problem = "names a file that can't be read"
    except (TypeError, ValueError):
        problem = "must be a path, or a tuple of two paths: certificate and key"
    else:
        return certificate, key
    raise invalid(f"client_certificate {problem}")


@boundary
def private_key_jwt(
    client_id: str, private_key: Union[str, bytes], algorithm: str = "RS256"
) -> Callable[[str], str]:
    """Return a ``client_assertion`` for an application that holds a private key.

    Needs PyJWT with cryptography: ``pip install "auth0-stt[private-key-jwt]"``. Call it
    once and pass the result to every request: each gets a new assertion, valid for 60
    seconds.

    :param private_key: an RSA private key of 2048 bits or more, in PEM, not encrypted.
    :param algorithm: RS256, RS384 or PS256, as registered for the credential.

    Raises :class:`InvalidArgumentError` for any other key or algorithm, and ImportError
    if PyJWT or cryptography is missing.
    Source: RFC 7523; Auth0, "Authenticate with Private Key JWT".
    """
    client_id = text("client_id", client_id)
    if not isinstance(algorithm, str) or algorithm not in _ALGORITHMS:
        raise invalid("algorithm must be one of " + ", ".join(_ALGORITHMS))
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
        from jwt import encode
    except ImportError:
        command = 'pip install "auth0-stt[private-key-jwt]"'
        raise ImportError(f"private_key_jwt needs PyJWT: {command}") from None
    try:
        pem = private_key.encode() if isinstance(private_key, str) else private_key
        key: Any = load_pem_private_key(pem, password=None)
    except Exception:  # cryptography's errors differ from version to version
        key = None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SHORTEST_KEY:
        problem = "must be an RSA key of 2048 bits or more in PEM, not encrypted"
        raise invalid(f"private_key {problem}")

    def assertion(audience: str) -> str:
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": now}
        claims.update(exp=now + 60, jti=os.urandom(16).hex())
        return encode(claims, key, algorithm=algorithm)

    return assertion
