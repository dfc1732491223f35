"""Answers of the token endpoint: any bytes, any JSON, any status, and what each stands for."""

import base64
import json
import platform
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote, quote_plus

import pytest
from calls import mint, resolve
from hypothesis import assume, given
from hypothesis import strategies as st
from values import (
    ACTOR_TOKEN,
    CLIENT_SECRET,
    GOOD,
    REFRESH_TOKEN,
    SERVER_CODES,
    SUBJECT_TOKEN,
    ids,
)

from auth0_stt import (
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferTokenResult,
    __version__,
)


def refusal(call=mint, *arguments, **changes):
    with pytest.raises(CustomTokenExchangeError) as caught:
        call(*arguments, **changes)
    return caught.value


def answered(endpoint, body=b"", status=400, **headers):
    """Return the error that an answer stands for."""
    endpoint.answer(body, status, **headers)
    error = refusal(mint, endpoint)
    assert 1 == len(endpoint.requests)
    return error


class TestRequest:
    def test_headers(self, endpoint):
        """JSON is asked for, no content coding, and the SDK names itself as every Auth0 SDK does."""
        mint(endpoint)
        headers = endpoint.last.headers
        assert "/oauth/token" == endpoint.last.path
        assert ["application/json"] == headers.get_all("Accept")
        assert ["identity"] == headers.get_all("Accept-Encoding")
        assert ["application/x-www-form-urlencoded"] == headers.get_all("Content-Type")
        assert {
            "name": "auth0-stt",
            "version": __version__,
            "env": {"python": platform.python_version()},
        } == json.loads(base64.b64decode(headers["Auth0-Client"], validate=True))
        for name in ("Authorization", "Cookie", "Origin", "Referer"):
            assert name not in headers

    def test_every_request_alike(self, endpoint):
        """Nothing of one call's headers stays for the next."""
        mint(endpoint, forwarded_for="203.0.113.9")
        mint(endpoint)
        first, second = [dict(request.headers) for request in endpoint.requests]
        assert "203.0.113.9" == first.pop("auth0-forwarded-for")
        assert first == second


class TestRequestId:
    @pytest.mark.parametrize("name", ["X-Auth0-RequestId", "X-Request-Id"])
    @pytest.mark.parametrize(
        ("body", "status"), [({"error": "invalid_grant"}, 400), (b"", 200), (b"", 302)]
    )
    def test_of_every_answer(self, endpoint, name, body, status):
        """Auth0's name for the request is what its support asks for."""
        error = answered(endpoint, body, status, **{name: "4ad55daa560e468bdfe1"})
        assert "4ad55daa560e468bdfe1" == error.request_id

    def test_echo(self, endpoint):
        """A server that echoes a secret there gets it masked as anywhere."""
        error = answered(endpoint, b"", 502, X_Request_Id="rid-" + SUBJECT_TOKEN)
        assert "rid-***" == error.request_id

    def test_none(self, endpoint):
        """A gateway has none."""
        assert None is answered(endpoint, b"", 502).request_id


class TestServerWords:
    @pytest.mark.parametrize("word", SERVER_CODES)
    @pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
    def test_known(self, endpoint, word, status):
        """A known word is the code, whatever the status."""
        error = answered(
            endpoint, {"error": word, "error_description": "Because."}, status
        )
        assert (word, word, "Because.", status) == (
            error.code,
            error.error,
            error.error_description,
            error.status_code,
        )
        assert error.code is type(error.code).__members__[word.upper()]

    @pytest.mark.parametrize("word", ["invalid_client", "access_denied", "oops", None])
    def test_401(self, endpoint, word):
        """401 is about the client (RFC 6749, 5.2): Auth0's word there is access_denied."""
        error = answered(
            endpoint, {"error": word, "error_description": "Unauthorized"}, 401
        )
        assert ("invalid_client", word, 401, False) == (
            error.code,
            error.error,
            error.status_code,
            error.retryable,
        )
        assert "client_id" in error.hint

    @pytest.mark.parametrize(
        "word",
        [
            "unauthorized_actor",
            "INVALID_GRANT",
            "invalid_grant.",
            "invalid grant",
            "actor_unavailable",
            "missing_actor_token_type",
            "invalid_token_format",
            "token_exchange_failed",
            "invalid_response",
            "unexpected_token_type",
            "invalid_argument",
            "timeout",
        ],
    )
    def test_unknown(self, endpoint, word):
        """Any other word, also one of the library's own, is token_exchange_failed and stays in .error."""
        error = answered(endpoint, {"error": word})
        assert ("token_exchange_failed", word, None, 400) == (
            error.code,
            error.error,
            error.error_description,
            error.status_code,
        )

    @pytest.mark.parametrize(
        "word", [" invalid_grant", "invalid_grant\n", "invalid\0_grant"]
    )
    def test_exactly(self, endpoint, word):
        """A word is matched exactly, before it is cleaned."""
        assert "token_exchange_failed" == answered(endpoint, {"error": word}).code

    @pytest.mark.parametrize(
        "word",
        [None, 1, True, [], {}, ["invalid_grant"], {"invalid_grant": 1}, "", " ", "\0"],
    )
    def test_no_word(self, endpoint, word):
        """What is no text is no word."""
        error = answered(endpoint, {"error": word, "error_description": word})
        assert ("token_exchange_failed", None, None) == (
            error.code,
            error.error,
            error.error_description,
        )

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html><h1>502 Bad Gateway</h1></html>",
            b"null",
            b"[]",
            b'"invalid_grant"',
            b"\xff\xfe",
            b'{"error": "invalid_grant", "error": "invalid_grant"}',
            b'{"error": "invalid_grant", "x": NaN}',
            b'{"error": "invalid_grant"',
            b'\xef\xbb\xbf{"error": "invalid_grant"}',
            b'{"error": "invalid_grant\xff"}',
            b"[" * 60_000,
        ],
        ids=ids,
    )
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            (400, "token_exchange_failed"),
            (404, "token_exchange_failed"),
            (429, "too_many_requests"),
            (500, "server_error"),
            (503, "temporarily_unavailable"),
            (599, "server_error"),
        ],
    )
    def test_no_oauth_error(self, endpoint, body, status, code):
        """Without an OAuth word the status decides, and trouble is worth another try."""
        error = answered(endpoint, body, status)
        assert (code, None, None, status, status >= 429) == (
            error.code,
            error.error,
            error.error_description,
            error.status_code,
            error.retryable,
        )

    def test_problem_json(self, endpoint):
        """The content type is not what decides."""
        body = {"type": "about:blank", "title": "Forbidden", "error": "access_denied"}
        assert (
            "access_denied"
            == answered(
                endpoint, body, 403, Content_Type="application/problem+json"
            ).code
        )

    def test_error_in_a_200(self, endpoint):
        """An OAuth error is a refusal in whatever status it comes."""
        error = answered(endpoint, {**GOOD, "error": "access_denied"}, 200)
        assert ("access_denied", 200, False) == (
            error.code,
            error.status_code,
            error.retryable,
        )

    def test_description_is_not_the_code(self, endpoint):
        """.code never depends on the description."""
        for description in (
            "setActor is required",
            "MFA is not supported using actor_token",
            "too_many_attempts",
        ):
            endpoint.requests.clear()
            error = answered(
                endpoint, {"error": "invalid_request", "error_description": description}
            )
            assert ("invalid_request", description) == (
                error.code,
                error.error_description,
            )


class TestUnusable:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"null",
            b"true",
            b"7",
            b'"x"',
            b"[]",
            b"[{}]",
            b"<html></html>",
            b"\xff",
            b"\xef\xbb\xbf{}",
            "{}".encode("utf-16"),
            b"{}{}",
            b"{} x",
            b"{'a': 1}",
            b'{"a": 1,}',
            b'{"a": NaN}',
            b'{"a": -Infinity}',
            b'{"a": 1e999}',
            b'{"a": 1, "a": 1}',
            b'{"a": {"b": 1, "b": 2}}',
            b'{"a": "\t"}',
            b'{"a": [' * 5_000,
            b"[" * 65_536,
            b'{"a": "\xed\xa0\x80"}',
        ],
        ids=ids,
    )
    def test_200(self, endpoint, body):
        """A 200 is one JSON object in UTF-8, each name once, no NaN; a name apart from the last is not looked over."""
        error = answered(endpoint, body, 200)
        assert ("invalid_response", 200, None, None, False) == (
            error.code,
            error.status_code,
            error.error,
            error.error_description,
            error.retryable,
        )

    @pytest.mark.parametrize(
        "status", [201, 202, 203, 206, 299, 300, 301, 302, 303, 307, 308, 399, 600, 999]
    )
    def test_other_statuses(self, endpoint, status):
        """Success is 200 and refusals are 4xx and 5xx; a redirect is not followed."""
        error = answered(
            endpoint, GOOD, status, Location=endpoint.domain + "/oauth/token"
        )
        assert ("invalid_response", status, False) == (
            error.code,
            error.status_code,
            error.retryable,
        )

    @pytest.mark.parametrize("status", [200, 400, 503])
    def test_too_large(self, endpoint, status):
        """More than 64 KiB is no answer of a token endpoint."""
        error = answered(
            endpoint,
            json.dumps({"error": "invalid_grant", "x": "y" * 65_536}).encode(),
            status,
        )
        assert ("invalid_response", status, False) == (
            error.code,
            error.status_code,
            error.retryable,
        )

    def test_just_small_enough(self, endpoint):
        """64 KiB are read to the last byte."""
        body = json.dumps(GOOD).encode()
        endpoint.answer(body.ljust(65_536))
        assert GOOD["access_token"] == mint(endpoint).session_transfer_token

    @pytest.mark.parametrize("status", [200, 400])
    @pytest.mark.parametrize("coding", ["gzip", "br", "x", "identity, gzip"])
    def test_content_coding(self, endpoint, status, coding):
        """None was asked for and none is accepted."""
        error = answered(endpoint, GOOD, status, Content_Encoding=coding)
        assert ("invalid_response", status) == (error.code, error.status_code)

    @pytest.mark.parametrize("coding", ["identity", "IDENTITY", ""])
    def test_identity_is_no_coding(self, endpoint, coding):
        """What says that it is not coded is not coded."""
        endpoint.answer(GOOD, Content_Encoding=coding)
        assert mint(endpoint)

    def test_duplicate_inside(self, endpoint):
        """Names are unique in each object by itself."""
        endpoint.answer({**GOOD, "a": {"x": 1}, "b": {"x": 1}})
        assert mint(endpoint)


class TestTexts:
    def test_control_characters(self, endpoint):
        """Nothing from the server breaks a line or steers a terminal."""
        text = "a\r\nb\0c\x1b[31md\u2028e\u202ef\x7f\u009b\ud800"
        error = answered(endpoint, {"error": text, "error_description": text})
        for field in (error.error, error.error_description, error.message, str(error)):
            assert field.isprintable()
        assert "a  b c [31md e f" == error.error

    def test_cut(self, endpoint):
        """A person reads the first few hundred characters."""
        error = answered(
            endpoint, {"error": "x" * 5_000, "error_description": "y " * 20_000}
        )
        assert 500 == len(error.error)
        assert 500 == len(error.error_description)
        assert len(str(error)) < 1_200

    def test_ordinary_text_stays(self, endpoint):
        """What the server says in plain words arrives, in any script."""
        text = "Ungültig: 'exp' claim \u2013 prüfen ✓ https://a.example/?b=c"
        assert (
            text
            == answered(
                endpoint, {"error": "invalid_request", "error_description": text}
            ).error_description
        )


ODD_SECRET = "a+b/c d=ü&%".replace(" ", "-") * 2
SECRETS = {
    "client_secret": CLIENT_SECRET,
    "client_assertion": "head.claims-Hy6tRf4g.signature",
    "subject_token": SUBJECT_TOKEN,
    "actor_token": ACTOR_TOKEN,
}


class TestMasking:
    @pytest.mark.parametrize(
        "value", [SUBJECT_TOKEN, ODD_SECRET, "short", "ab", "x" * 3_000], ids=ids
    )
    @pytest.mark.parametrize(
        "echo",
        [
            "{}",
            "Invalid token '{}'.",
            "{}{}",
            "{} and {}",
            "\0{}\n",
            "x" * 490 + " {}",
            "." * 19_990 + "{}",
        ],
        ids=ids,
    )
    def test_echoed(self, endpoint, value, echo):
        """A secret that the server repeats, plainly or as it stood in the form, is not in the error."""
        for encode in (str, quote, quote_plus, lambda text: quote(text, safe="")):
            text = echo.replace("{}", encode(value))
            endpoint.answer({"error": text, "error_description": text}, 400)
            error = refusal(mint, endpoint, subject_token=value)
            for field in (
                error.error,
                error.error_description,
                error.message,
                repr(error),
                str(error.args),
            ):
                assert value not in field
                assert encode(value) not in field

    @pytest.mark.parametrize("argument", SECRETS)
    def test_every_secret(self, endpoint, argument):
        """Whatever proves client, subject or actor is one."""
        changes = {"client_secret": None} if argument == "client_assertion" else {}
        endpoint.answer(
            {"error": "x", "error_description": f"<{SECRETS[argument]}>"}, 400
        )
        assert (
            "<***>"
            == refusal(
                mint, endpoint, **{**changes, argument: SECRETS[argument]}
            ).error_description
        )

    def test_refresh_token(self, endpoint):
        """The agent's refresh token is a secret as well."""
        endpoint.answer(
            {
                "error": "invalid_grant",
                "error_description": f"Unknown {REFRESH_TOKEN}!",
            },
            400,
        )
        error = refusal(resolve, endpoint)
        assert "Unknown ***!" == error.error_description

    @pytest.mark.parametrize("secret", ["grant", "invalid_grant", "a"])
    def test_words_of_the_protocol_stay_whole(self, endpoint, secret):
        """A known word is what a program reads in .error: no short token cuts it."""
        endpoint.answer({"error": "invalid_grant", "error_description": secret}, 400)
        error = refusal(mint, endpoint, subject_token=secret)
        assert ("invalid_grant", "***") == (error.error, error.error_description)

    def test_the_rest_stays(self, endpoint):
        """Only the secret is masked."""
        error = answered(
            endpoint,
            {
                "error": "access_denied",
                "error_description": f"<{SUBJECT_TOKEN}> is {ACTOR_TOKEN}",
            },
        )
        assert "<***> is ***" == error.error_description

    @pytest.mark.parametrize("length", [16, 20, 30])
    def test_beginnings_and_ends(self, endpoint, length):
        """Sixteen characters of a secret in a row are no coincidence."""
        text = f"starts {SUBJECT_TOKEN[:length]}... ends ...{ACTOR_TOKEN[-length:]}"
        error = answered(
            endpoint, {"error": "invalid_request", "error_description": text}
        )
        assert "starts ***... ends ...***" == error.error_description
        endpoint.answer(
            {
                "error": SUBJECT_TOKEN[:length],
                "error_description": ACTOR_TOKEN[-length:],
            },
            400,
        )
        error = refusal(mint, endpoint)
        assert ("***", "***") == (error.error, error.error_description)

    @pytest.mark.parametrize("length", [29, 30, 31, 900])
    def test_the_last_piece(self, endpoint, length):
        """The last sixteen characters are a piece like any other."""
        secret = (SUBJECT_TOKEN + "x" + "".join(map(str, range(500))))[:length]
        answer = {"error": "x", "error_description": f"got {secret[-16:]}"}
        endpoint.answer(answer, 400)
        error = refusal(mint, endpoint, subject_token=secret)
        assert "got ***" == error.error_description

    def test_fifteen_characters_stay(self, endpoint):
        """A shorter piece may be a word that both use."""
        text = f"got {SUBJECT_TOKEN[:15]} and {ACTOR_TOKEN[-15:]}"
        error = answered(endpoint, {"error": "x", "error_description": text})
        assert text == error.error_description

    def test_one_secret_inside_another(self, endpoint):
        """The longer one goes first, so that nothing of it is left."""
        endpoint.answer({"error": "x", "error_description": "got aaabbbcccddd"}, 400)
        error = refusal(
            mint, endpoint, subject_token="bbbccc", actor_token="aaabbbcccddd"
        )
        assert "got ***" == error.error_description

    def test_callable_assertion(self, endpoint):
        """What a callable made is a secret of the request like any other."""
        made = "made-Zx9cVb8nMq7w-assertion"
        endpoint.answer(
            {"error": "invalid_client", "error_description": f"bad {made}"}, 401
        )
        error = refusal(
            mint, endpoint, client_secret=None, client_assertion=lambda audience: made
        )
        assert "bad ***" == error.error_description

    def test_extra_named_like_a_secret(self, endpoint):
        """A field of the caller's own can't disturb the reading of an answer."""
        with pytest.raises(InvalidArgumentError):
            mint(endpoint, extra={"refresh_token": "x"})

    @given(
        secret=st.text(
            st.characters(min_codepoint=33, max_codepoint=0x2FF),
            min_size=1,
            max_size=40,
        ),
        text=st.text(st.sampled_from("ab%+ \n") | st.characters(), max_size=60),
        at=st.integers(0, 60),
    )
    def test_any(self, endpoint_server, secret, text, at):
        """Wherever a secret stands, it is gone."""
        endpoint_server.reset()
        assume(secret.isprintable() and secret[:6].lower() != "bearer")
        assume("*" not in secret)  # the mask itself may complete it
        text = text[:at] + secret + text[at:]
        assume(text not in SERVER_CODES)  # which stay whole
        endpoint_server.answer({"error": text, "error_description": text}, 400)
        error = refusal(mint, endpoint_server, subject_token=secret)
        assert secret not in (error.error or "")
        assert secret not in (error.error_description or "")


def http_date(seconds, form=None):
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return moment.strftime(form) if form else format_datetime(moment, usegmt=True)


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("body", "headers"), [(b"x", {"Content_Encoding": "gzip"}), (b" " * 70_000, {})]
    )
    def test_unusable_body(self, endpoint, body, headers):
        """A server in trouble says when to come again also where its body can't be used."""
        error = answered(endpoint, body, 503, Retry_After="30", **headers)
        assert ("invalid_response", False, 30.0) == (
            error.code,
            error.retryable,
            error.retry_after,
        )

    @pytest.mark.parametrize(
        ("value", "expected"),
        [("0", 0), ("7", 7), (" 120 ", 120), ("007", 7), ("31536000", 31536000)],
    )
    def test_seconds(self, endpoint, value, expected):
        """The delay in seconds."""
        error = answered(
            endpoint, {"error": "too_many_requests"}, 429, Retry_After=value
        )
        assert (expected, float) == (error.retry_after, type(error.retry_after))

    @pytest.mark.parametrize(
        "form",
        [
            None,
            "%a, %d %b %Y %H:%M:%S +0000",
            "%A, %d-%b-%y %H:%M:%S GMT",
            "%a %b %d %H:%M:%S %Y",
        ],
    )
    def test_dates(self, endpoint, monkeypatch, form):
        """A date, also in the two old forms that RFC 9110, 5.6.7 still wants read: GMT in any time zone."""
        monkeypatch.setenv("TZ", "America/New_York")
        time.tzset()
        try:
            error = answered(endpoint, b"", 503, Retry_After=http_date(90, form))
        finally:
            monkeypatch.undo()
            time.tzset()
        assert 80 < error.retry_after <= 91

    def test_past_date(self, endpoint):
        """What is over is no wait."""
        assert (
            0.0 == answered(endpoint, b"", 503, Retry_After=http_date(-90)).retry_after
        )
        endpoint.requests.clear()
        assert (
            0.0
            == answered(
                endpoint, b"", 503, Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"
            ).retry_after
        )

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "soon",
            "-5",
            "1.5",
            "1e3",
            "0x10",
            "1_000",
            "inf",
            "nan",
            "\xb2",
            "9" * 5_000,
            "31536001",
            "99999999999",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, 99 Nov 2030 08:49:37 GMT",
            "Sun, 06 Nov 2030 99:99:99 GMT",
            "Sun, 06 Nov 2030 08:49:37 +9999999999",
            "Sun, 06 Nov 0000 08:49:37",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "Mon, 01 Jan 0001 00:00:00 +2359",
            ",",
            "Sun,",
            "(" * 1_000,
            "()",
            '"',
        ],
        ids=ids,
    )
    def test_nonsense(self, endpoint, value):
        """What is no delay and no date within a year is None, or no wait where the date is past."""
        assert answered(endpoint, b"", 429, Retry_After=value).retry_after in (
            None,
            0.0,
        )

    def test_rate_limit_reset(self, endpoint):
        """Auth0's own header has epoch seconds."""
        error = answered(
            endpoint,
            {"error": "too_many_requests"},
            429,
            x_ratelimit_reset=str(int(time.time()) + 30),
        )
        assert 25 < error.retry_after <= 30

    @pytest.mark.parametrize(
        "value", ["", "soon", "inf", "nan", "9" * 400, "-", "\xb2", "99999999999999"]
    )
    def test_rate_limit_nonsense(self, endpoint, value):
        """As for Retry-After."""
        assert None is answered(endpoint, b"", 429, x_ratelimit_reset=value).retry_after

    def test_past_reset(self, endpoint):
        """What is over is no wait."""
        assert 0.0 == answered(endpoint, b"", 429, x_ratelimit_reset="1").retry_after

    def test_retry_after_first(self, endpoint):
        """The standard's header decides; nonsense in it leaves the word to the other."""
        reset = str(int(time.time()) + 30)
        assert (
            7.0
            == answered(
                endpoint, b"", 429, Retry_After="7", x_ratelimit_reset=reset
            ).retry_after
        )
        endpoint.requests.clear()
        assert (
            25
            < answered(
                endpoint, b"", 429, Retry_After="soon", x_ratelimit_reset=reset
            ).retry_after
            <= 30
        )

    def test_none(self, endpoint):
        """No header, no seconds; a 200 has none either."""
        assert None is answered(endpoint, b"", 503).retry_after

    @given(
        value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
    )
    def test_any(self, endpoint_server, value):
        """Any text: seconds from 0 to a year, or None."""
        endpoint_server.reset()
        for header in ("Retry_After", "x_ratelimit_reset"):
            endpoint_server.answer(b"", 429, **{header: value})
            seconds = refusal(mint, endpoint_server).retry_after
            assert seconds is None or 0.0 <= seconds <= 31_536_000


class TestAnyAnswer:
    JSON = st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(st.characters(), max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "error_description", *GOOD, "scope", "id_token"]
                ),
                inner,
            )
        ),
        max_leaves=10,
    )
    STATUS = st.sampled_from(
        [200] * 4 + [400, 401, 403, 429, 500, 503, 201, 302, 399, 600, 999]
    )

    def judged(self, endpoint, call, types):
        try:
            outcome = call(endpoint)
        except CustomTokenExchangeError as error:
            outcome = error
        assert isinstance(outcome, (CustomTokenExchangeError, types))
        assert str(outcome).isprintable()

    @given(body=st.binary(max_size=50), status=STATUS)
    def test_bytes(self, endpoint_server, body, status):
        """Any bytes with any status: a typed error."""
        endpoint_server.reset()
        endpoint_server.answer(body, status)
        self.judged(endpoint_server, mint, SessionTransferTokenResult)

    @given(answer=JSON, good=st.booleans(), status=STATUS)
    def test_json(self, endpoint_server, answer, good, status):
        """Any JSON, also in the shape of a good answer: a result or a typed error."""
        endpoint_server.reset()
        if good and isinstance(answer, dict):
            answer = {**GOOD, **answer}
        endpoint_server.answer(answer, status)
        self.judged(endpoint_server, mint, SessionTransferTokenResult)

    @given(cut=st.integers(0, 300), at=st.integers(0, 300), byte=st.integers(0, 255))
    def test_damaged(self, endpoint_server, cut, at, byte):
        """A good answer, cut off or with a byte changed."""
        endpoint_server.reset()
        body = bytearray(json.dumps(GOOD).encode())
        body[min(at, len(body) - 1)] = byte
        endpoint_server.answer(bytes(body[: len(body) - cut // 3]))
        self.judged(endpoint_server, mint, SessionTransferTokenResult)
