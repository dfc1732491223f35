"""How an application proves itself: PyJWT judges our assertions, ssl and trustme the certificates."""

import os
import pathlib
import sys
import time
from urllib.parse import parse_qsl

import jwt
import processes
import pytest
import requests
import trustme
from calls import mint, refused, resolve
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from values import (
    CLIENT_SECRET,
    GOOD,
    NO_TEXTS,
    REFRESH_TOKEN,
    SPACED,
    Hostile,
    Word,
    ids,
)

from auth0_stt import (
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
    private_key_jwt,
)

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def pem(key, encryption=None, form=serialization.PrivateFormat.PKCS8):
    algorithm = (
        serialization.BestAvailableEncryption(encryption)
        if encryption
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, algorithm)


RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = pem(RSA_KEY)


class Adapter(requests.adapters.BaseAdapter):
    """Answers in place of the network, and keeps what it was asked and with which certificate."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def send(
        self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None
    ):
        self.calls.append((request, cert))
        raise requests.exceptions.ConnectTimeout

    def close(self):
        """Hold nothing."""


def sent(call, **changes):
    """Return the URL, the form and the certificate of a request to an https domain."""
    adapter = Adapter()
    with requests.Session() as session:
        session.mount("https://", adapter)
        with pytest.raises(TransportError):
            call("Login.Acme.com:443", session=session, **changes)
    ((request, cert),) = adapter.calls
    return (
        request.url,
        dict(parse_qsl(request.body.decode("ascii"), strict_parsing=True)),
        cert,
    )


class TestExactlyOne:
    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"client_secret": "s", "client_assertion": "a"},
            {"client_secret": "s", "client_assertion": str},
            {"client_secret": "s", "client_certificate": "c.pem"},
            {"client_assertion": "a", "client_certificate": "c.pem"},
            {
                "client_secret": "s",
                "client_assertion": "a",
                "client_certificate": "c.pem",
            },
            {"client_secret": "", "client_assertion": "a"},
        ],
        ids=ids,
    )
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_refused(self, endpoint, call, given):
        """A client proves itself in one way; the error says which arguments there are."""
        error = refused(
            endpoint, "client_secret", call, **{"client_secret": None, **given}
        )
        for argument in ("client_secret", "client_assertion", "client_certificate"):
            assert argument in str(error)


class TestSecret:
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_in_the_form(self, endpoint, call):
        """client_secret_post: in the body, in no header and no URL."""
        endpoint.answer({**GOOD, "id_token": "new"})
        call(endpoint)
        request = endpoint.last
        assert ("console", CLIENT_SECRET) == (
            request.form["client_id"],
            request.form["client_secret"],
        )
        assert "client_assertion" not in request.form
        assert "client_assertion_type" not in request.form
        assert "Authorization" not in request.headers
        assert CLIENT_SECRET not in request.path + str(request.headers)


class TestAssertion:
    def test_str(self, endpoint):
        """A ready assertion is sent as it is, with its type (RFC 7523, 2.2)."""
        mint(endpoint, client_secret=None, client_assertion="a.b.c")
        form = endpoint.last.form
        assert ("a.b.c", JWT_BEARER) == (
            form["client_assertion"],
            form["client_assertion_type"],
        )
        assert "client_secret" not in form

    @pytest.mark.parametrize("call", [mint, resolve])
    def test_callable_is_called_for_each_request(self, endpoint, call):
        """It gets the audience, the issuer's URL in https, once per request."""
        audiences = []

        def assertion(audience):
            audiences.append(audience)
            return f"assertion-{len(audiences)}"

        endpoint.answer({**GOOD, "id_token": "new"})
        for _ in range(2):
            call(endpoint, client_secret=None, client_assertion=assertion)
        assert [f"https://{endpoint.authority}/"] * 2 == audiences
        assert ["assertion-1", "assertion-2"] == [
            request.form["client_assertion"] for request in endpoint.requests
        ]

    def test_callable_is_not_called_in_vain(self, endpoint):
        """Not before all arguments are known to be good, nor where nothing is sent."""
        calls = []
        for changes in (
            {"actor_token": None},
            {"subject_token": " "},
            {"timeout": 0},
            {"extra": 1},
            {"session": 1},
        ):
            with pytest.raises(SessionTransferError):
                mint(
                    endpoint,
                    client_secret=None,
                    client_assertion=calls.append,
                    **changes,
                )
        assert [] == calls

    @pytest.mark.parametrize("value", [*NO_TEXTS, *SPACED, None, ""], ids=ids)
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_callable_that_returns_no_text(self, endpoint, call, value):
        """What it returns is checked like what is passed."""
        refused(
            endpoint,
            "client_assertion",
            call,
            client_secret=None,
            client_assertion=lambda audience: value,
        )

    def test_what_a_callable_raises_passes(self, endpoint):
        """A key store's own error is the caller's to handle."""

        class KeyStoreError(Exception):
            pass

        def assertion(audience):
            raise KeyStoreError

        with pytest.raises(KeyStoreError):
            mint(endpoint, client_secret=None, client_assertion=assertion)
        assert [] == endpoint.requests


class TestPrivateKeyJwt:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256", Word("RS256")])
    @pytest.mark.parametrize(
        "key",
        [
            PEM,
            PEM.decode(),
            pem(RSA_KEY, form=serialization.PrivateFormat.TraditionalOpenSSL),
        ],
    )
    def test_assertion(self, key, algorithm):
        """iss = sub = client id, aud = what it is asked for, iat now, exp a minute on; signed with the key."""
        before = int(time.time())
        assertion = private_key_jwt("console", key, algorithm)(
            "https://acme.eu.auth0.com/"
        )
        claims = jwt.decode(
            assertion, RSA_KEY.public_key(), algorithms=[algorithm], audience="https://acme.eu.auth0.com/",
            options={"require": ["iss", "sub", "aud", "iat", "exp", "jti"]},
        )  # fmt: skip
        assert {"alg": algorithm, "typ": "JWT"} == jwt.get_unverified_header(assertion)
        assert ("console", "console") == (claims["iss"], claims["sub"])
        assert before <= claims["iat"] <= time.time()
        assert 60 == claims["exp"] - claims["iat"]
        assert {"iss", "sub", "aud", "iat", "exp", "jti"} == set(claims)

    def test_rs256_by_default(self):
        """Auth0's own default."""
        assert (
            "RS256"
            == jwt.get_unverified_header(private_key_jwt("console", PEM)("https://a/"))[
                "alg"
            ]
        )

    def test_each_call_has_its_own_jti(self):
        """An assertion is used once."""
        sign = private_key_jwt("console", PEM)
        ids_ = [
            jwt.decode(sign("a"), options={"verify_signature": False})["jti"]
            for _ in range(20)
        ]
        assert 20 == len(set(ids_))

    def test_request(self, endpoint):
        """What is sent is what PyJWT accepts for this tenant."""
        mint(
            endpoint,
            client_secret=None,
            client_assertion=private_key_jwt("console", PEM),
        )
        form = endpoint.last.form
        audience = f"https://{endpoint.authority}/"
        assert (
            "console"
            == jwt.decode(
                form["client_assertion"],
                RSA_KEY.public_key(),
                ["RS256"],
                audience=audience,
            )["sub"]
        )

    def test_shows_nothing(self):
        """Neither repr nor str shows anything of the key."""
        numbers = RSA_KEY.private_numbers()
        for text in (
            repr(private_key_jwt("console", PEM)),
            str(private_key_jwt("console", PEM)),
        ):
            assert not [
                part
                for part in ("PRIVATE", "RSA", str(numbers.d), str(numbers.p))
                if part in text
            ]

    @pytest.mark.parametrize(
        "key",
        [
            *NO_TEXTS,
            None,
            "",
            "no key at all",
            "\ud800",
            PEM[:-40],
            PEM[40:],
            pem(RSA_KEY, b"password"),
            RSA_KEY,
            RSA_KEY.public_key().public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            ),
            RSA_KEY.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            pem(ec.generate_private_key(ec.SECP256R1())),
            pem(ed25519.Ed25519PrivateKey.generate()),
            pem(dsa.generate_private_key(2048)),
            pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        ],
        ids=range(len(NO_TEXTS) + 14),
    )
    def test_bad_key(self, key):
        """An RSA private key of 2048 bits or more (RFC 7518, 3.3), in PEM, not encrypted; checked at once."""
        with pytest.raises(InvalidArgumentError) as caught:
            private_key_jwt("console", key)
        assert "private_key" == caught.value.argument
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        if isinstance(key, str) and key:
            assert key not in str(caught.value)

    @pytest.mark.parametrize(
        "algorithm",
        [
            "RS512",
            "HS256",
            "none",
            "ES256",
            "rs256",
            "",
            None,
            7,
            b"RS256",
            ["RS256"],
            Hostile(),
        ],
        ids=ids,
    )
    def test_bad_algorithm(self, algorithm):
        """Only what Auth0 takes."""
        with pytest.raises(InvalidArgumentError) as caught:
            private_key_jwt("console", PEM, algorithm)
        assert "algorithm" == caught.value.argument

    @pytest.mark.parametrize("client_id", [*NO_TEXTS, *SPACED, None, ""], ids=ids)
    def test_bad_client_id(self, client_id):
        """A client id is one here as well."""
        with pytest.raises(InvalidArgumentError) as caught:
            private_key_jwt(client_id, PEM)
        assert "client_id" == caught.value.argument

    @pytest.mark.parametrize("module", ["jwt", "cryptography"])
    def test_without_the_extra(self, monkeypatch, module):
        """What is missing is named with the way to install it, and no frame holds the key."""
        for name in [name for name in sys.modules if name.partition(".")[0] == module]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(
            ImportError, match=r"auth0-stt\[private-key-jwt\]"
        ) as caught:
            private_key_jwt("console", PEM)
        frames = [
            entry.frame for entry in caught.traceback if "auth0_stt" in str(entry.path)
        ]
        assert ["call"] == [frame.code.name for frame in frames]
        assert not [frame for frame in frames if PEM in frame.f_locals.values()]

    def test_core_needs_no_extra(self):
        """Neither PyJWT nor cryptography is imported with the package."""
        code = "import sys, auth0_stt; print(sorted({'jwt', 'cryptography'} & set(sys.modules)))"
        environ = {**os.environ, "AUTH0_STT_INJECT_PYOPENSSL": ""}
        assert "[]" == processes.run(
            [sys.executable, "-c", code], check=True, env=environ
        ).stdout.decode().strip()  # fmt: skip


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Files of client certificates, good and bad, by name."""
    folder = tmp_path_factory.mktemp("certificates")
    ca = trustme.CA()
    own, other = ca.issue_cert("console.example"), ca.issue_cert("other.example")
    own.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    own.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    own.private_key_pem.write_to_path(str(folder / "key.pem"))
    other.private_key_pem.write_to_path(str(folder / "other.pem"))
    (folder / "garbage.pem").write_bytes(b"\0garbage")
    (folder / "empty.pem").write_bytes(b"")
    (folder / "encrypted.pem").write_bytes(pem(RSA_KEY, b"password"))
    return folder


CERTIFICATE_PATHS = [
    lambda folder: str(folder / "both.pem"),
    lambda folder: folder / "both.pem",
    lambda folder: os.fsencode(str(folder / "both.pem")),
    lambda folder: (str(folder / "cert.pem"), str(folder / "key.pem")),
    lambda folder: (folder / "cert.pem", folder / "key.pem"),
    lambda folder: (folder / "both.pem", folder / "both.pem"),
]
BAD_CERTIFICATE_PATHS = [
    lambda folder: str(folder / "missing.pem"),
    lambda folder: folder / "cert.pem",
    lambda folder: folder / "key.pem",
    lambda folder: folder / "garbage.pem",
    lambda folder: folder / "empty.pem",
    lambda folder: folder,
    lambda folder: (folder / "cert.pem", folder / "missing.pem"),
    lambda folder: (folder / "missing.pem", folder / "key.pem"),
    lambda folder: (folder / "cert.pem", folder / "other.pem"),
    lambda folder: (folder / "cert.pem", folder / "encrypted.pem"),
    lambda folder: (folder / "cert.pem", folder / "garbage.pem"),
    lambda folder: (folder / "cert.pem", folder),
    lambda folder: (folder / "cert.pem",),
    lambda folder: (folder / "cert.pem", folder / "key.pem", folder / "key.pem"),
    lambda folder: (folder / "cert.pem", None),
    lambda folder: [folder / "cert.pem", folder / "key.pem"],
    lambda folder: (),
    lambda folder: "",
    lambda folder: ("", ""),
    lambda folder: "a\0b",
    lambda folder: ("a\0b", "c"),
    lambda folder: "\ud800",
    lambda folder: "x" * 100_000,
    lambda folder: b"\xff",
    lambda folder: 0,
    lambda folder: 1,
    lambda folder: True,
    lambda folder: {},
    lambda folder: object(),
    lambda folder: pathlib.Path,
]


class TestCertificate:
    @pytest.mark.parametrize("paths", CERTIFICATE_PATHS)
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_request(self, certificates, call, paths):
        """The request goes to mtls.{domain} with the certificate; the audience stays, and no credential is in it."""
        url, form, cert = sent(
            call, client_secret=None, client_certificate=paths(certificates)
        )
        assert "https://mtls.login.acme.com/oauth/token" == url
        assert not {"client_secret", "client_assertion", "client_assertion_type"} & set(
            form
        )
        assert "console" == form["client_id"]
        if call is mint:
            assert "urn:login.acme.com:session_transfer" == form["audience"]
        else:
            assert REFRESH_TOKEN == form["refresh_token"]
        assert cert is not None

    def test_other_clients_go_to_the_domain_itself(self):
        """Only a certificate needs the mtls host."""
        url, _, cert = sent(mint)
        assert ("https://login.acme.com/oauth/token", None) == (url, cert)

    @pytest.mark.parametrize(
        "paths", BAD_CERTIFICATE_PATHS, ids=range(len(BAD_CERTIFICATE_PATHS))
    )
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_refused(self, endpoint, certificates, call, paths):
        """A missing, unreadable or wrong file is found before anything is sent, and OpenSSL asks for no password."""
        changes = {
            "domain": "acme.com",
            "client_secret": None,
            "client_certificate": paths(certificates),
        }
        refused(endpoint, "client_certificate", call, **changes)

    @pytest.mark.skipif(
        hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything"
    )
    def test_unreadable(self, endpoint, certificates):
        """A file without the right to read it is unreadable."""
        path = certificates / "locked.pem"
        path.write_bytes((certificates / "both.pem").read_bytes())
        path.chmod(0)
        refused(
            endpoint,
            "client_certificate",
            domain="acme.com",
            client_secret=None,
            client_certificate=path,
        )

    @pytest.mark.parametrize(
        "domain",
        [
            "http://localhost:1",
            "192.0.2.7",
            "[2001:db8::1]",
            "a" * 60 + ".b" * 94 + ".c",
        ],
    )
    def test_domain_without_an_mtls_host(self, endpoint, certificates, domain):
        """TLS and a name are needed, since the request goes to mtls.{domain}."""
        path = certificates / "both.pem"
        refused(
            endpoint,
            "client_certificate",
            domain=domain,
            client_secret=None,
            client_certificate=path,
        )
