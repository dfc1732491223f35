"""Our client assertions before the verifiers of three other libraries."""

import time
from types import SimpleNamespace

import jwt as pyjwt
import pytest
from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import RSAKey

from auth0_stt import private_key_jwt

AUDIENCE = "https://login.acme.com/"


@pytest.fixture(scope="module")
def key():
    return RSAKey.generate_key(2048)


@pytest.fixture(params=["RS256", "RS384", "PS256"])
def algorithm(request):
    return request.param


@pytest.fixture
def assertion(key, algorithm):
    return private_key_jwt("console", key.as_pem(private=True), algorithm)(AUDIENCE)


class Server(JWTBearerClientAssertion):
    """The part of an authorization server that Authlib leaves to the one who uses it."""

    def __init__(self, key):
        super().__init__()
        self.key = key
        self.seen = set()

    def get_audiences(self):
        return [AUDIENCE]

    def validate_jti(self, claims, jti):
        fresh = jti not in self.seen
        self.seen.add(jti)
        return fresh

    def resolve_client_public_key(self, client):
        return self.key

    def client_of(self, assertion):
        form = {
            "client_assertion_type": self.CLIENT_ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        clients = {
            "console": SimpleNamespace(
                name="console", check_endpoint_auth_method=lambda *_: True
            )
        }
        return self(clients.get, SimpleNamespace(form=form)).name


def test_authlib(key):
    """An authorization server made with Authlib takes each assertion, once, for this audience."""
    sign = private_key_jwt("console", key.as_pem(private=True))
    server = Server(key)
    first, second = sign(AUDIENCE), sign(AUDIENCE)
    assert ["console", "console"] == [server.client_of(first), server.client_of(second)]
    for refused in (first, sign("https://other.example/")):
        with pytest.raises(InvalidClientError):
            server.client_of(refused)


def test_pyjwt(key, assertion, algorithm):
    """PyJWT: signature, audience, issuer, and every claim that RFC 7523, 3 and Auth0 ask for."""
    public = pyjwt.PyJWK.from_dict({**key.as_dict(private=False), "alg": algorithm})
    claims = pyjwt.decode(
        assertion,
        public,
        algorithms=[algorithm],
        audience=AUDIENCE,
        issuer="console",
        subject="console",
        options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]},
    )
    assert 0 < claims["exp"] - time.time() <= 60


def test_joserfc(key, assertion, algorithm):
    """joserfc: the same, without PyJWT's having written it."""
    token = joserfc_jwt.decode(assertion, key, [algorithm])
    essential = {"iss": "console", "sub": "console", "aud": AUDIENCE}
    joserfc_jwt.JWTClaimsRegistry(
        exp={"essential": True},
        iat={"essential": True},
        jti={"essential": True},
        **{
            name: {"essential": True, "value": value}
            for name, value in essential.items()
        },
    ).validate(token.claims)
    assert {"alg": algorithm, "typ": "JWT"} == token.header
