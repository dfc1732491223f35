"""A caller's session: its adapters as they are, watched from above."""

import io
import time

import pytest
import requests
import urllib3
from faults import (
    CALL,
    GOOD,
    HOLD,
    REQUEST,
    FaultServer,
    answer,
    client_certificate,
    echo,
    forever,
    head,
    mint,
    proxy,
    server_context,
    token_body,
)
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from auth0_stt import (
    CustomTokenExchangeError,
    InvalidArgumentError,
    TransportError,
    request_session_transfer_token,
)

pytestmark = pytest.mark.usefixtures("trusted")


def outcome(server, **changes):
    """Return the error of a mint that fails."""
    with pytest.raises((TransportError, CustomTokenExchangeError)) as caught:
        mint(server, **changes)
    return caught.value


class Subclassed(HTTPAdapter):
    """An adapter of the caller's, which may do anything."""


@pytest.fixture(params=[HTTPAdapter, Subclassed])
def given(request):
    """A session with requests' own adapter, and one with the caller's."""
    with requests.Session() as given:
        given.mount("https://", request.param())
        given.mount("http://", request.param())
        yield given


class CountingAdapter(HTTPAdapter):
    """An adapter of the caller's."""

    def __init__(self, **options):
        self.sent = []
        super().__init__(**options)

    def send(self, request, **options):
        self.sent.append(request.url)
        return super().send(request, **options)


class TestGivenSession:
    """A given session's adapters, proxies, verify, cert and headers are used; its auth and cookies are not."""

    def test_adapter(self, server):
        """The adapter mounted for the tenant sends."""
        adapter = CountingAdapter()
        with requests.Session() as given:
            given.mount("https://localhost", adapter)
            assert "stt-for-1" == mint(server, session=given, reason="1")
        assert [f"https://{server.authority}/oauth/token"] == adapter.sent

    def test_other_adapter(self, server):
        """An adapter that is no HTTPAdapter is used as well."""

        class Other(requests.adapters.BaseAdapter):
            inner = HTTPAdapter()

            def send(self, request, **options):
                return self.inner.send(request, **options)

            def close(self):
                self.inner.close()

        with requests.Session() as given:
            given.mount("https://", Other())
            assert "stt-for-1" == mint(server, session=given, reason="1")

    @pytest.mark.parametrize("way", ["content", "raw"])
    @pytest.mark.parametrize("size", [65_536, 65_537])
    def test_stand_in(self, way, size):
        """An adapter without urllib3, such as a stub, answers as requests lets it; the size is ours."""
        body = token_body() + b" " * (size - len(token_body()))

        class StandIn(requests.adapters.BaseAdapter):
            def send(self, request, **options):
                response = requests.Response()
                response.status_code, response.request, response.url = (
                    200,
                    request,
                    request.url,
                )
                if way == "content":
                    response._content = body
                else:
                    response.raw = io.BytesIO(body)
                return response

            def close(self):
                pass

        with requests.Session() as given:
            given.mount("https://", StandIn())
            if size == 65_536:
                result = request_session_transfer_token(
                    "acme.auth0.com", session=given, **CALL
                )
                assert "the-stt" == result.session_transfer_token
            else:
                with pytest.raises(CustomTokenExchangeError) as caught:
                    request_session_transfer_token(
                        "acme.auth0.com", session=given, **CALL
                    )
                assert "invalid_response" == caught.value.code

    def test_adapter_keeps_its_notes(self, server):
        """What an adapter notes in itself while it sends is there afterwards."""

        class Noting(HTTPAdapter):
            calls = 0

            def send(self, request, **options):
                self.calls += 1
                return super().send(request, **options)

        adapter = Noting()
        with requests.Session() as given:
            given.mount("https://", adapter)
            mint(server, session=given)
            mint(server, session=given)
        assert (2, 1) == (adapter.calls, server.connections)

    def test_user_agent(self, server):
        """A User-Agent that the session's owner chose is sent, requests' own is not."""
        with requests.Session() as given:
            mint(server, session=given)
            given.headers["User-Agent"] = "console/2.0"
            mint(server, session=given)
        ours, theirs = [request.headers["user-agent"] for request in server.requests]
        assert ours[0].startswith("auth0-stt/")
        assert ["console/2.0"] == theirs

    @pytest.mark.parametrize("name", ["headers", "proxies"])
    def test_none(self, server, name):
        """A session whose headers or proxies are None has none."""
        with requests.Session() as given:
            setattr(given, name, None)
            assert "stt-for-1" == mint(server, session=given, reason="1")

    def test_no_adapter(self, server):
        """A session that has no adapter for https sends nothing."""
        with requests.Session() as given:
            given.adapters.clear()
            error = outcome(server, session=given)
        assert ("unreachable", False, False) == (
            error.code,
            error.sent,
            error.retryable,
        )

    def test_headers(self, server):
        """Its headers are sent, also as bytes; ours win, and those that would change the request are left out."""
        with requests.Session() as given:
            given.headers.update(
                {
                    "X-Request-ID": "abc",
                    b"X-Bytes": b"def",
                    "X-None": None,
                    "Authorization": "Basic eDp5",
                    "Cookie": "a=b",
                    "Content-Type": "text/plain",
                    "content-length": "1",
                    "Transfer-Encoding": "chunked",
                    "Expect": "100-continue",
                    "Host": "evil.test",
                    "ACCEPT-ENCODING": "gzip, deflate, br",
                    "Content-Encoding": "gzip",
                }
            )
            mint(server, session=given)
        headers = server.requests[0].headers
        assert (["abc"], ["def"]) == (headers["x-request-id"], headers["x-bytes"])
        assert [server.authority] == headers["host"]
        assert ["application/x-www-form-urlencoded"] == headers["content-type"]
        assert ["identity"] == headers["accept-encoding"]
        left_out = {
            "x-none",
            "authorization",
            "cookie",
            "transfer-encoding",
            "expect",
            "content-encoding",
        }
        assert not left_out & set(headers)
        assert all(1 == len(values) for values in headers.values())

    @pytest.mark.parametrize("value", ["a\r\nX-Injected: b", "a\nb", 7, " leading"])
    def test_bad_header(self, server, value):
        """A header that can't be sent is the session's fault, and its value is not shown."""
        with requests.Session() as given:
            given.headers["X-Bad"] = value
            with pytest.raises(InvalidArgumentError) as caught:
                mint(server, session=given)
        assert "session" == caught.value.argument
        assert str(value) not in str(caught.value)
        assert [] == server.requests

    def test_not_latin(self, server):
        """A header in another alphabet: sent in no way that another could be read into, or refused."""
        with requests.Session() as given:
            given.headers["X-Name"] = "Zo\u00eb \u2603"
            with pytest.raises((TransportError, InvalidArgumentError)) as caught:
                mint(server, session=given)
        assert "\u2603" not in str(caught.value)
        assert [] == server.requests

    def test_auth(self, server):
        """Its auth adds nothing."""
        with requests.Session() as given:
            given.auth = HTTPBasicAuth("user", "pass")
            mint(server, session=given)
        assert "authorization" not in server.requests[0].headers

    def test_cookies_of_its_own(self, server):
        """Its cookies are not sent."""
        with requests.Session() as given:
            given.cookies.set("a", "b")
            mint(server, session=given)
        assert "cookie" not in server.requests[0].headers

    def test_params_and_hooks(self, server):
        """Its query parameters are not added to the URL."""
        with requests.Session() as given:
            given.params = {"a": "b"}
            mint(server, session=given)
        assert "POST /oauth/token HTTP/1.1" == server.requests[0].line

    @pytest.mark.parametrize(
        "retries",
        [
            3,
            urllib3.Retry(3),
            urllib3.Retry(total=None, read=1, allowed_methods=None),
            urllib3.Retry(total=None, read=0, other=1),
            urllib3.Retry(
                2, read=0, other=0, status_forcelist=[503], allowed_methods=None
            ),
            urllib3.Retry(2, read=0, other=0, allowed_methods=["POST"]),
        ],
        ids=["3", "all", "read", "other", "status", "Retry-After"],
    )
    def test_repeating(self, server, retries):
        """An adapter that may repeat a POST that has arrived is a mistake.

        With ``max_retries=3`` urllib3 does so after a TLS failure in mid-answer.
        """
        with requests.Session() as given:
            given.mount("https://", HTTPAdapter(max_retries=retries))
            with pytest.raises(InvalidArgumentError) as caught:
                mint(server, session=given)
        assert ("session", 0) == (caught.value.argument, server.connections)

    @pytest.mark.parametrize(
        "retries",
        [0, urllib3.Retry(0), urllib3.Retry(connect=3, read=0, other=0), False],
        ids=["0", "none", "connect", "False"],
    )
    @pytest.mark.parametrize(
        "script", [[REQUEST], [REQUEST, answer(b"{}", "503 Busy", "Retry-After: 0")]]
    )
    def test_not_repeating(self, retries, script):
        """One that repeats only what has not arrived is used."""
        with FaultServer(script, echo) as server, requests.Session() as given:
            given.mount("https://", HTTPAdapter(max_retries=retries))
            outcome(server, session=given)
            assert 1 == len(server.requests)

    def test_left_as_it_was(self, server):
        """Nothing in the session is changed by a mint."""
        with requests.Session() as given:
            before = {
                name: repr(getattr(given, name, None))
                for name in requests.Session.__attrs__
            }
            mint(server, session=given)
            assert before == {
                name: repr(getattr(given, name, None))
                for name in requests.Session.__attrs__
            }

    def test_sent(self, given):
        """Where one can't look into the connection, only the certain is called unsent."""
        with FaultServer([REQUEST], [REQUEST, HOLD], [REQUEST, GOOD[:-4]]) as server:
            error = outcome(server, session=given)
            assert ("unreachable", True) == (error.code, error.sent)
            error = outcome(server, session=given, timeout=0.3)
            assert ("timeout", True) == (error.code, error.sent)
            error = outcome(server, session=given)
            assert ("unreachable", True, True) == (
                error.code,
                error.sent,
                error.retryable,
            )
        error = outcome(server, session=given)
        assert ("unreachable", False) == (error.code, error.sent)
        with FaultServer(context=server_context(issuer="unknown")) as server:
            error = outcome(server, session=given)
        assert ("tls", False) == (error.code, error.sent)

    @pytest.mark.parametrize("framing", [b"Content-Length: 400000\r\n", b""])
    def test_size(self, given, framing):
        """64 KiB are read, however the end of a body is told; not a byte more."""
        data = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + b" " * 400_000
        largest = token_body() + b" " * (65_536 - len(token_body()))
        with FaultServer([REQUEST, data, HOLD], [REQUEST, answer(largest)]) as server:
            assert "invalid_response" == outcome(server, session=given).code
            assert "the-stt" == mint(server, session=given)

    def test_slow_body(self, given):
        """The clock is looked at while a slow body comes."""
        script = [REQUEST, answer(b"", length=9_999), forever(b" ", 0.02)]
        with FaultServer(script, echo) as server:
            started = time.monotonic()
            assert "timeout" == outcome(server, session=given, timeout=0.4).code
            assert time.monotonic() - started < 1.5
            assert "stt-for-2" == mint(server, session=given, reason="2")

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    @pytest.mark.parametrize("size", [400, 8_000, 8_190, 8_191, 8_192, 9_000])
    def test_second_answer(self, given, size, context):
        """What follows an answer, in the same TLS record too, is nobody's."""
        second = answer(token_body("of-someone-else")) + b"x" * 12_000
        padding = b" " * (size - len(GOOD))
        first = answer(token_body() + padding)
        data = first + second[: 16_384 - len(first)]
        # The reader may have taken all that came, and then the connection is clean.
        with FaultServer([REQUEST, data, echo], echo, context=context) as server:
            assert "the-stt" == mint(server, session=given)
            assert "stt-for-2" == mint(server, session=given, reason="2")

    def test_second_answer_in_tls_within_tls(self, given):
        """Behind an https proxy a connection can't be asked, and is not used again."""
        with FaultServer() as server, proxy(context=server_context()) as between:
            given.proxies = {"https": between.url}
            assert "stt-for-1" == mint(server, session=given, reason="1")
            assert "stt-for-2" == mint(server, session=given, reason="2")
        assert [1, 2] == [request.connection for request in server.requests]

    def test_pool_that_blocks(self):
        """What is ended goes back to a pool that hands out no more than it has."""
        with FaultServer(
            [REQUEST, GOOD[:-4]], echo
        ) as server, requests.Session() as given:
            adapter = HTTPAdapter(pool_maxsize=1, pool_block=True)
            given.mount("https://", adapter)
            outcome(server, session=given)
            for mark in "123":
                token = mint(server, session=given, reason=mark)
                assert "stt-for-" + mark == token
        assert 2 == server.connections

    @pytest.mark.parametrize("error", [KeyError, RecursionError, ValueError])
    def test_bug(self, server, error):
        """What an adapter raises that is not the network's passes as it is."""

        class Broken(HTTPAdapter):
            def send(self, request, **options):
                raise error("the adapter's own")

        with requests.Session() as given:
            given.mount("https://", Broken())
            with pytest.raises(error, match="the adapter's own"):
                mint(server, session=given)

    @pytest.mark.parametrize("lengths", ["0, 5", "3, 4"])
    def test_two_lengths(self, given, lengths):
        """A length that urllib3 refuses is the answer's fault, not the session's."""
        data = head(f"Content-Length: {lengths}", status="503 Busy")
        with FaultServer([REQUEST, data, HOLD], echo) as server:
            assert "invalid_response" == outcome(server, session=given).code
            assert "stt-for-2" == mint(server, session=given, reason="2")

    def test_certificates_on_old_requests(self, server, given, monkeypatch):
        """requests before 2.32 would mix the connections of two certificates."""
        monkeypatch.delattr(
            HTTPAdapter, "get_connection_with_tls_context", raising=False
        )
        call = {
            "client_secret": None,
            "client_certificate": client_certificate("ada"),
            "session": given,
        }
        with pytest.raises(InvalidArgumentError) as caught:
            mint(server, **call)
        assert ("session", 0) == (caught.value.argument, server.connections)


class TestAdaptersThatDoMore:
    def test_reads_the_body(self, given):
        """An adapter that has read the answer loses no token, and keeps no connection."""

        class Reading(HTTPAdapter):
            def send(self, request, **options):
                response = super().send(request, **options)
                self.size = len(response.content)
                return response

        given.mount("https://", Reading())
        answers = answer(token_body("stt")) + answer(token_body("of-someone-else"))
        script = [REQUEST, answers, HOLD]
        with FaultServer(script, echo) as server:
            assert "stt" == mint(server, session=given)
            assert "stt-for-2" == mint(server, session=given, reason="2")
        assert 2 == server.connections

    def test_tries_again(self, given):
        """A first attempt that sent nothing says nothing about the second."""

        class Falling(HTTPAdapter):
            def send(self, request, **options):
                try:
                    sidecar = {"https": "http://127.0.0.1:1"}
                    return super().send(request, **{**options, "proxies": sidecar})
                except requests.ConnectionError:
                    return super().send(request, **options)

        given.mount("https://", Falling())
        with FaultServer([REQUEST]) as server:
            error = outcome(server, session=given)
        assert ("unreachable", True) == (error.code, error.sent)
