"""Sign the subject token that docs/action/action.js verifies.

Keep the private key with the console: no one else can then name a customer. Make one
key for each environment::

    openssl ecparam -name prime256v1 -genkey -noout -out subject-key.pem

Run as a program, this prints the public half, for the Action's secret SUBJECT_JWKS::

    SUBJECT_KEY_FILE=subject-key.pem python sign_subject.py
"""

import hashlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import jwt  # pip install "auth0-stt[private-key-jwt]"
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

ISSUER = "https://console.example.com"
AUDIENCE = "https://acme.eu.auth0.com/"
LIFETIME = 60  # seconds


def sign_subject(customer_id: str) -> str:
    """Return a token that names a customer by Auth0 user ID, good for one mint."""
    key = _private_key()
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": customer_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, key, "ES256", headers={"kid": public_jwk(key)["kid"]})


def public_jwk(key: EllipticCurvePrivateKey) -> dict[str, Any]:
    """Return the public key as a JWK; its name, ``kid``, is made from the key."""
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    name = hashlib.sha256((jwk["x"] + jwk["y"]).encode()).hexdigest()[:16]
    return {**jwk, "kid": name, "alg": "ES256", "use": "sig"}


def _private_key() -> EllipticCurvePrivateKey:
    pem = Path(os.environ["SUBJECT_KEY_FILE"]).read_bytes()
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("SUBJECT_KEY_FILE does not hold a P-256 key")
    return key


if __name__ == "__main__":
    print(json.dumps({"keys": [public_jwk(_private_key())]}))
