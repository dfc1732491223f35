"""Minting: the form as Auth0 documents it, and the answers that hold a token."""

import inspect
import typing

import pytest
import requests
from calls import mint
from values import ACTOR_TOKEN, CLIENT_SECRET, GOOD, ISSUED, SUBJECT_TOKEN, ids

from auth0_stt import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferTokenResult,
    TransportError,
    private_key_jwt,
    request_session_transfer_token,
    resolve_actor_token,
)


def refusal(endpoint, answer, **changes):
    endpoint.answer(answer)
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint(endpoint, **changes)
    assert 1 == len(endpoint.requests)
    return caught.value


class TestSignature:
    def test_keyword_only(self):
        """Everything after the domain is keyword-only, so that a plain dict of settings is the configuration."""
        parameters = inspect.signature(request_session_transfer_token).parameters
        assert ["domain"] == [
            name
            for name, each in parameters.items()
            if each.kind is not each.KEYWORD_ONLY
        ]

    @pytest.mark.parametrize(
        "function",
        [request_session_transfer_token, resolve_actor_token, private_key_jwt],
    )
    def test_types(self, function):
        """Tools that read type hints at run time can."""
        assert typing.get_type_hints(function)["return"]

    def test_defaults(self):
        """What may be left out, and what a call then does."""
        parameters = inspect.signature(request_session_transfer_token).parameters
        optional = {
            name: each.default
            for name, each in parameters.items()
            if each.default is not each.empty
        }
        names = "actor_token actor_token_type client_secret client_assertion client_certificate organization scope"
        nones = dict.fromkeys(
            [*names.split(), "reason", "forwarded_for", "extra", "session"]
        )
        assert {**nones, "timeout": 10.0} == optional


class TestForm:
    def test_least(self, endpoint):
        """Exactly the fields of RFC 8693, 2.1, and the client's: each once, nothing empty."""
        mint(endpoint)
        assert {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "audience": f"urn:{endpoint.authority}:session_transfer",
            "subject_token": SUBJECT_TOKEN,
            "subject_token_type": "urn:acme:customer",
            "actor_token": ACTOR_TOKEN,
            "actor_token_type": ID_TOKEN_TYPE,
            "client_id": "console",
            "client_secret": CLIENT_SECRET,
        } == endpoint.last.form
        assert len(endpoint.last.form) == len(endpoint.last.pairs)

    def test_all(self, endpoint):
        """Every optional field stands beside them."""
        mint(
            endpoint, organization="org_1", scope=["openid", "email"], reason="Ticket 4711", extra={"a": ["1", "2"]}
        )  # fmt: skip
        form = endpoint.last.form
        assert ("org_1", "openid email", "Ticket 4711") == (
            form["organization"],
            form["scope"],
            form["reason"],
        )
        assert ["1", "2"] == [
            value for name, value in endpoint.last.pairs if name == "a"
        ]

    @pytest.mark.parametrize("write", ["{}", "{}/", "HTTP://{}", "http://{}/"])
    def test_one_reading_of_the_domain(self, endpoint, write):
        """However the domain is written, request and audience are for the same host."""
        domain = write.format(endpoint.authority)
        if not domain.lower().startswith("http"):
            with pytest.raises(
                TransportError
            ) as caught:  # https, which this endpoint does not speak
                mint(domain)
            assert "tls" == caught.value.code
            return
        mint(domain)
        assert (
            f"urn:{endpoint.authority}:session_transfer"
            == endpoint.last.form["audience"]
        )
        assert endpoint.authority == endpoint.last.headers["Host"]

    def test_settings_as_a_dict(self, endpoint):
        """The dict of settings is the configuration."""
        settings = {
            "domain": endpoint.domain,
            "client_id": "console",
            "client_secret": CLIENT_SECRET,
        }
        assert request_session_transfer_token(
            **settings,
            subject_token="s",
            subject_token_type="urn:x:y",
            actor_token="a",
            actor_token_type=ID_TOKEN_TYPE,
        )


class TestResult:
    def test_documented_answer(self, endpoint):
        """Auth0's answer, field by field."""
        assert SessionTransferTokenResult(
            ISSUED, SESSION_TRANSFER_TOKEN_TYPE, 60, "N_A", None
        ) == mint(endpoint)

    def test_scope(self, endpoint):
        """What the tenant granted, where it says so."""
        endpoint.answer({**GOOD, "scope": "openid"})
        assert "openid" == mint(endpoint).scope

    @pytest.mark.parametrize("value", [None, "N_A", "Bearer", ""])
    def test_token_type(self, endpoint, value):
        """token_type is not what decides, and may be missing."""
        endpoint.answer({**GOOD, "token_type": value})
        assert value == mint(endpoint).token_type
        endpoint.answer(
            {name: each for name, each in GOOD.items() if name != "token_type"}
        )
        assert None is mint(endpoint).token_type

    def test_unknown_fields(self, endpoint):
        """What a tenant adds is no reason to fail."""
        endpoint.answer(
            {**GOOD, "refresh_token": "x", "id_token": 7, "new": {"a": [1]}}
        )
        assert ISSUED == mint(endpoint).session_transfer_token

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(60, 60), (1, 1), (60.0, 60), (86_400, 86_400)],
    )
    def test_expires_in(self, endpoint, value, expected):
        """Whole seconds, up to a day."""
        endpoint.answer({**GOOD, "expires_in": value})
        seconds = mint(endpoint).expires_in
        assert (expected, int) == (seconds, type(seconds))

    def test_each_call_is_one_request(self, endpoint):
        """Nothing is kept from one mint for the next."""
        first, second = mint(endpoint), mint(endpoint)
        assert first == second
        assert 2 == len(endpoint.requests)


class TestOtherTokens:
    @pytest.mark.parametrize(
        "issued",
        [
            "urn:ietf:params:oauth:token-type:access_token",
            SESSION_TRANSFER_TOKEN_TYPE + "x",
            SESSION_TRANSFER_TOKEN_TYPE.upper(),
            " " + SESSION_TRANSFER_TOKEN_TYPE,
            "",
            None,
            7,
            [SESSION_TRANSFER_TOKEN_TYPE],
            {},
            True,
        ],
        ids=ids,
    )
    def test_refused(self, endpoint, issued):
        """An access token is none for us: the type decides, exactly, and the token is not in the error."""
        error = refusal(endpoint, {**GOOD, "issued_token_type": issued})
        assert ("unexpected_token_type", 200, None, False) == (
            error.code,
            error.status_code,
            error.error,
            error.retryable,
        )
        assert ISSUED not in repr(error)
        assert error.hint

    def test_missing_type(self, endpoint):
        """An ordinary answer to an ordinary exchange has no type, or another."""
        answer = {"access_token": ISSUED, "token_type": "Bearer", "expires_in": 86_400}
        assert "unexpected_token_type" == refusal(endpoint, answer).code


class TestUnusable:
    @pytest.mark.parametrize(
        "change",
        [
            {"access_token": value}
            for value in (None, "", " ", "a b", "a\n", "\0", "\ud800", 7, True, [], {}, ["x"], "Bearer x")
        ]
        + [
            {"expires_in": value}
            for value in (0, -1, 60.5, "60", True, [], {}, -0.0, 1e-300, 1e308, 86_401, 10**400)
        ]
        + [{"token_type": value} for value in (7, True, [], {}, ["N_A"])]
        + [{"scope": value} for value in (7, True, [], {}, ["openid"])],
        ids=ids,
    )  # fmt: skip
    def test_refused(self, endpoint, change):
        """A field that is not what the RFCs say makes the answer unusable."""
        error = refusal(endpoint, {**GOOD, **change})
        assert ("invalid_response", 200, False) == (
            error.code,
            error.status_code,
            error.retryable,
        )

    @pytest.mark.parametrize("names", [["access_token"], GOOD], ids=["token", "all"])
    def test_missing(self, endpoint, names):
        """An answer without any token can't be used, whatever its type."""
        answer = {key: value for key, value in GOOD.items() if key not in names}
        assert "invalid_response" == refusal(endpoint, answer).code

    @pytest.mark.parametrize("change", [{}, {"expires_in": None}], ids=["no", "null"])
    def test_no_lifetime(self, endpoint, change):
        """RFC 8693 only recommends expires_in: a tenant need not say."""
        endpoint.answer(
            {
                "access_token": ISSUED,
                "issued_token_type": GOOD["issued_token_type"],
                **change,
            }
        )
        assert None is mint(endpoint).expires_in

    def test_no_error_is_none(self, endpoint):
        """An error of null is none: the token is not lost for it."""
        endpoint.answer({**GOOD, "error": None})
        assert GOOD["access_token"] == mint(endpoint).session_transfer_token


class TestOneRequest:
    @pytest.mark.parametrize("status", [400, 429, 500, 503])
    def test_never_repeated(self, endpoint, status):
        """An Action may take a subject token once only: what may have reached the tenant is not sent twice."""
        endpoint.answer(b"", status, Retry_After="0")
        with pytest.raises(CustomTokenExchangeError):
            mint(endpoint)
        assert 1 == len(endpoint.requests)

    def test_lost_answer(self, endpoint):
        """Nor after a connection that died."""
        endpoint.drop()
        with pytest.raises(TransportError) as caught:
            mint(endpoint)
        assert ("unreachable", True, True) == (
            caught.value.code,
            caught.value.sent,
            caught.value.retryable,
        )
        assert 1 == len(endpoint.requests)

    def test_timeout(self, endpoint):
        """Nor after silence."""
        endpoint.hang()
        with pytest.raises(TransportError) as caught:
            mint(endpoint, timeout=0.1)
        assert ("timeout", True, True) == (
            caught.value.code,
            caught.value.sent,
            caught.value.retryable,
        )
        assert 1 == len(endpoint.requests)


class TestSession:
    def test_headers_but_no_auth(self, endpoint):
        """A session's headers go along; its auth and cookies don't, and the library's own headers stay."""
        with requests.Session() as session:
            session.headers.update(
                {"X-Trace": "1", "Accept": "text/html", "Authorization": "Basic eDp5"}
            )
            session.auth = ("x", "y")
            session.cookies.set("a", "b")
            mint(endpoint, session=session)
        headers = endpoint.last.headers
        assert ("1", "application/json") == (headers["X-Trace"], headers["Accept"])
        assert "Authorization" not in headers
        assert "Cookie" not in headers

    @pytest.mark.parametrize("verify", [False, None, "", 0])
    def test_without_verification(self, endpoint, verify):
        """A session that does not verify certificates would hand the secret to anyone."""
        with requests.Session() as session:
            session.verify = verify
            with pytest.raises(InvalidArgumentError) as caught:
                mint(endpoint, session=session)
        assert "session" == caught.value.argument
        assert [] == endpoint.requests
