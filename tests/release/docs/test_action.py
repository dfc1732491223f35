"""The Action of the documentation, under node, on what sign_subject.py signs."""

import base64
import copy
import hmac
import json
import re
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm
from release.blocks import ROOT

PROGRAM = ROOT / "docs/action/sign_subject.py"
# What a company changes to its own.
CONSTANTS = dict(
    re.findall(
        r'^const ([A-Z]+) = "(.*)";',
        (ROOT / "docs/action/action.js").read_text("utf-8"),
        re.M,
    )
)
ADA, LIN = CONSTANTS["PREFIX"] + "ada", CONSTANTS["PREFIX"] + "lin"

# Auth0's own example of the event, as its reference describes it, for a delegation.
EVENT = {
    "client": {"client_id": "console", "name": "Support console", "metadata": {}},
    "configuration": {},
    "request": {
        "body": {"reason": "ticket 7"},
        "geoip": {"countryCode": "US"},
        "hostname": "acme.eu.auth0.com",
        "ip": "192.0.2.7",
        "language": "en",
        "method": "POST",
        "user_agent": "auth0-stt",
    },
    "resource_server": {"identifier": "urn:acme.eu.auth0.com:session_transfer"},
    "secrets": {},
    "tenant": {"id": "acme"},
    "transaction": {
        "actor_token": "eyJ...",
        "actor_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "actor_token_user": {
            "app_metadata": {"support": {"customers": [ADA]}},
            "created_at": "2026-01-01T00:00:00.000Z",
            "email": "sam@acme.example",
            "email_verified": True,
            "identities": [
                {"connection": "staff", "provider": "auth0", "user_id": "sam"}
            ],
            "updated_at": "2026-01-01T00:00:00.000Z",
            "user_id": "auth0|sam",
            "user_metadata": {},
        },
        "requested_scopes": [],
        "requested_token_type": None,
        "subject_token": "",
        "subject_token_type": "urn:acme:customer",
    },
}


@pytest.fixture
def event(signing, capsys):
    """A function that makes the event of a token, with other values by dotted path."""
    exec(  # as a program, it prints the secret
        compile(PROGRAM.read_text("utf-8"), "sign_subject", "exec"),
        {"__name__": "__main__"},
    )
    jwks = capsys.readouterr().out

    def event(token, **other):
        made = copy.deepcopy(EVENT)
        made["transaction"]["subject_token"] = token
        made["secrets"]["SUBJECT_JWKS"] = jwks
        for path, value in other.items():
            *parents, last = path.split("__")
            place = made
            for name in parents:
                place = place[name]
            place[last] = value
        return made

    return event


def refusal(outcome):
    """The name of the one call, and its first argument."""
    assert outcome["thrown"] is None
    ((name, argument, *_),) = outcome["calls"]
    return name, argument


def claims_of(token):
    """What a token says, unverified."""
    return jwt.decode(token, options={"verify_signature": False})


def signed(signing, **claims):
    """A token with other claims, signed with the console's key."""
    usual = claims_of(signing.sign_subject(ADA))
    merged = {
        name: value for name, value in {**usual, **claims}.items() if value is not None
    }
    key = signing._private_key()
    kid = signing.public_jwk(key)["kid"]
    return jwt.encode(merged, key, "ES256", headers={"kid": kid})


def test_the_two_files_agree(signing):
    """What the console signs is what the Action expects."""
    expected = CONSTANTS["ISSUER"], CONSTANTS["AUDIENCE"]
    assert expected == (signing.ISSUER, signing.AUDIENCE)


def test_an_agent_enters(play, event, signing):
    """A good token names the customer within the connection; the agent is the actor."""
    (outcome,) = play(event(signing.sign_subject(ADA)))
    assert [
        ["setActor", {"sub": "auth0|sam", "reason": "ticket 7"}],
        [
            "setUserByConnection",
            CONSTANTS["CONNECTION"],
            {"user_id": "ada"},
            {"creationBehavior": "none", "updateBehavior": "none"},
        ],
    ] == outcome["calls"]


def test_all_customers(play, event, signing):
    """An agent may be allowed to enter every account."""
    (outcome,) = play(
        event(
            signing.sign_subject(LIN),
            transaction__actor_token_user__app_metadata={
                "support": {"customers": "all"}
            },
        )
    )
    assert "lin" == outcome["calls"][1][2]["user_id"]


def test_a_long_reason_is_cut(play, event, signing):
    """Auth0 limits the strings of an actor to 64 characters."""
    (outcome,) = play(
        event(signing.sign_subject(ADA), request__body={"reason": "r" * 99})
    )
    assert "r" * 64 == outcome["calls"][0][1]["reason"]


def test_an_access_token_is_not_given(play, event, signing):
    """The profile is for session transfer tokens."""
    (outcome,) = play(
        event(
            signing.sign_subject(ADA),
            resource_server__identifier="https://api.acme.example/",
        )
    )
    assert ("deny", "invalid_target") == refusal(outcome)


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"support": {}},
        {"support": {"customers": []}},
        {"support": {"customers": [LIN]}},
        {"support": {"customers": "auth0|ada and more"}},
    ],
)
def test_who_may_not(play, event, signing, metadata):
    """An agent whose profile does not name this customer is refused."""
    (outcome,) = play(
        event(
            signing.sign_subject(ADA),
            transaction__actor_token_user__app_metadata=metadata,
        )
    )
    assert ("deny", "unauthorized_actor") == refusal(outcome)


def test_no_actor(play, event, signing):
    """Without the agent's verified ID token nobody enters."""
    made = event(signing.sign_subject(ADA))
    del made["transaction"]["actor_token_user"]
    (outcome,) = play(made)
    assert ("deny", "invalid_request") == refusal(outcome)


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": ["a", "b"]}])
def test_no_reason(play, event, signing, body):
    """A delegation without a reason can't be audited."""
    (outcome,) = play(event(signing.sign_subject(ADA), request__body=body))
    assert ("deny", "invalid_request") == refusal(outcome)


def test_a_replayed_token(play, event, signing):
    """The second use of a token is refused, and counts as a bad token."""
    made = event(signing.sign_subject(ADA))
    first, second = play(made, made)
    assert 2 == len(first["calls"])
    assert (
        "rejectInvalidSubjectToken",
        "Subject token: used before",
    ) == refusal(second)


def test_a_token_is_remembered_for_as_long_as_it_could_be_used(play, event, signing):
    """A minute, and the five seconds that the clocks may differ; in milliseconds."""
    (outcome,) = play(event(signing.sign_subject(ADA)))
    assert [65_000] == outcome["lifetimes"]


def test_a_refused_agent_does_not_use_the_token_up(play, event, signing):
    """The token of an attempt that was refused for the agent is not remembered."""
    token = signing.sign_subject(ADA)
    denied, entered = play(
        event(token, transaction__actor_token_user__app_metadata={}), event(token)
    )
    assert (["deny"], 2) == (
        [call[0] for call in denied["calls"]],
        len(entered["calls"]),
    )


def test_what_cannot_be_remembered_is_refused(play, event, signing):
    """With the cache full, an agent is asked to try again: no token goes unremembered."""
    outcomes = play(*[event(signing.sign_subject(ADA)) for _ in range(21)])
    assert [2] * 20 == [len(each["calls"]) for each in outcomes[:20]]
    assert ("deny", "temporarily_unavailable") == refusal(outcomes[20])


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "https://evil.example"}, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"aud": "https://acme-test.eu.auth0.com/"}, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"exp": 1}, "ERR_JWT_EXPIRED"),
        ({"iat": 1}, "ERR_JWT_EXPIRED"),  # too old, whatever its exp says
        ({"iat": 99_999_999_999}, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"exp": None}, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"jti": None}, "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"jti": "short"}, "ERR_JWT_INVALID"),
        ({"jti": "j" * 60}, "ERR_JWT_INVALID"),
        ({"sub": "google-oauth2|ada"}, "ERR_JWT_INVALID"),
    ],
)
def test_a_wrong_claim(play, event, signing, claims, code):
    """Issuer, audience, lifetime, ID and connection are all checked."""
    (outcome,) = play(event(signed(signing, **claims)))
    assert ("rejectInvalidSubjectToken", f"Subject token: {code}") == refusal(outcome)


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encoded(claims):
    return base64url(json.dumps(claims).encode())


class TestForgeries:
    def test_another_key(self, play, event, signing, new_key, monkeypatch):
        """A token that another key signed is refused, under either key's name."""
        ours, _, _ = signing.sign_subject(ADA).split(".")
        monkeypatch.setenv("SUBJECT_KEY_FILE", str(new_key("other.pem")))
        stranger = signing.sign_subject(ADA)
        _, claims, signature = stranger.split(".")
        outcomes = play(event(stranger), event(f"{ours}.{claims}.{signature}"))
        assert [
            "Subject token: ERR_JWKS_NO_MATCHING_KEY",
            "Subject token: ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        ] == [refusal(each)[1] for each in outcomes]

    def test_another_customer(self, play, event, signing):
        """A token whose customer was replaced is refused."""
        header, claims, signature = signing.sign_subject(ADA).split(".")
        changed = {**claims_of(f"{header}.{claims}.{signature}"), "sub": LIN}
        (outcome,) = play(event(f"{header}.{encoded(changed)}.{signature}"))
        assert "rejectInvalidSubjectToken" == refusal(outcome)[0]

    def test_another_algorithm(self, play, event, signing):
        """Only ES256 counts: not an unsigned token, not the public key as a secret."""
        key = signing._private_key()
        jwk = signing.public_jwk(key)
        pem = key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        claims = encoded(claims_of(signing.sign_subject(ADA)))
        unsigned = encoded({"alg": "none", "kid": jwk["kid"]}) + f".{claims}."
        keyed = encoded({"alg": "HS256", "kid": jwk["kid"]}) + f".{claims}"
        outcomes = play(
            event(unsigned),
            *[
                event(
                    f"{keyed}.{base64url(hmac.digest(secret, keyed.encode(), 'sha256'))}"
                )
                for secret in (pem, json.dumps(jwk).encode())
            ],
        )
        assert ["rejectInvalidSubjectToken"] * 3 == [
            refusal(each)[0] for each in outcomes
        ]

    @pytest.mark.parametrize("token", [ADA, "a.b.c", "x" * 9_000, "é.é.é"])
    def test_no_token_at_all(self, play, event, token):
        """What is not a JWT is a bad token, not a crash."""
        (outcome,) = play(event(token))
        assert "rejectInvalidSubjectToken" == refusal(outcome)[0]


@pytest.mark.parametrize(
    ("times", "accepted"),
    [
        ({"iat": -62, "exp": -2}, True),
        ({"iat": -70, "exp": 600}, False),
        ({"iat": -20, "exp": -10}, False),
        ({"iat": 3, "exp": 63}, True),
        ({"iat": 10, "exp": 70}, False),
    ],
)
def test_the_age(play, event, signing, times, accepted):
    """A token lives for a minute, and the clocks may differ by five seconds."""
    now = int(time.time())
    token = signed(signing, **{name: now + value for name, value in times.items()})
    (outcome,) = play(event(token))
    assert accepted == (outcome["calls"][0][0] == "setActor")


@pytest.mark.parametrize("jwks", ["", "{}", '{"keys": 1}'])
def test_a_broken_secret(play, event, signing, jwks):
    """A mistake in the Action's settings throws: it must not throttle the agent."""
    (outcome,) = play(event(signing.sign_subject(ADA), secrets={"SUBJECT_JWKS": jwks}))
    assert ([], True) == (outcome["calls"], outcome["thrown"] is not None)


def test_a_broken_key(play, event, signing):
    """So does a key in the secret that is none."""
    made = event(signing.sign_subject(ADA))
    (key,) = json.loads(made["secrets"]["SUBJECT_JWKS"])["keys"]
    made["secrets"]["SUBJECT_JWKS"] = json.dumps({"keys": [{**key, "x": "AA"}]})
    (outcome,) = play(made)
    assert ([], True) == (outcome["calls"], outcome["thrown"] is not None)


def test_another_curve(play, event, signing):
    """Only ES256 counts, even if the secret has a key for something else."""
    key = ec.generate_private_key(ec.SECP384R1())
    jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    claims = claims_of(signing.sign_subject(ADA))
    token = jwt.encode(claims, key, "ES384", headers={"kid": "other"})
    secret = {"SUBJECT_JWKS": json.dumps({"keys": [{**jwk, "kid": "other"}]})}
    (outcome,) = play(event(token, secrets=secret))
    assert "Subject token: ERR_JOSE_ALG_NOT_ALLOWED" == refusal(outcome)[1]


def test_rotation(play, event, signing, new_key, monkeypatch):
    """While the secret holds two public keys, tokens of both are accepted."""
    old = signing.sign_subject(ADA)
    keys = [signing.public_jwk(signing._private_key())]
    monkeypatch.setenv("SUBJECT_KEY_FILE", str(new_key("next.pem")))
    new = signing.sign_subject(ADA)
    keys.append(signing.public_jwk(signing._private_key()))
    secret = {"SUBJECT_JWKS": json.dumps({"keys": keys})}
    outcomes = play(event(old, secrets=secret), event(new, secrets=secret))
    assert [2, 2] == [len(each["calls"]) for each in outcomes]


def test_the_printed_secret_is_public(event):
    """What the program prints for the Action holds no private number."""
    (key,) = json.loads(event("")["secrets"]["SUBJECT_JWKS"])["keys"]
    assert {"kty", "crv", "x", "y", "kid", "alg", "use"} == set(key)
