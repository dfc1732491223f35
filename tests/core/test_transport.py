"""What one request is made of: its session, its headers, its proxies and certificates, its one connection."""

import contextlib
import gc
import io
import os
import socket
import ssl
import subprocess
import threading
import warnings
from pathlib import Path

import pytest
import requests
import urllib3
from faults import (
    CALL,
    FORKING,
    GOOD,
    HOLD,
    MARK,
    REQUEST,
    FaultServer,
    answer,
    black_holes,
    ca_file,
    client_certificate,
    echo,
    forever,
    head,
    mint,
    proxy,
    resolving,
    run_beside,
    server_context,
    token_body,
    tunnel,
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


@pytest.fixture(params=["pooled", "given"])
def session(request):
    """The process's own session, and one that the caller gives."""
    if request.param == "pooled":
        yield None
    else:
        with requests.Session() as given:
            yield given


def outcome(server, **changes):
    """Return the error of a mint that fails."""
    with pytest.raises((TransportError, CustomTokenExchangeError)) as caught:
        mint(server, **changes)
    return caught.value


class TestRequest:
    """The request on the wire."""

    def test_headers(self, server):
        """These and no more: no cookie, no authorization, no content coding but identity."""
        mint(server)
        headers = server.requests[0].headers
        assert "POST /oauth/token HTTP/1.1" == server.requests[0].line
        assert {
            "accept",
            "accept-encoding",
            "auth0-client",
            "cache-control",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        } == set(headers)
        assert all(1 == len(values) for values in headers.values())
        assert [server.authority] == headers["host"]
        assert ["identity"] == headers["accept-encoding"]
        assert ["application/x-www-form-urlencoded"] == headers["content-type"]

    def test_same_with_a_session(self, server):
        """A given session adds the headers of its own that do not stand against ours, and nothing more."""
        with requests.Session() as given:
            given.headers.clear()
            mint(server)
            mint(server, session=given)
        one, other = server.requests
        assert (one.headers, one.body) == (other.headers, other.body)

    @pytest.mark.parametrize(
        "entry", ["machine localhost login a password b", "default login a password b"]
    )
    def test_netrc(self, server, session, monkeypatch, tmp_path, entry):
        """No entry of .netrc adds a header, were it the default one."""
        (tmp_path / "netrc").write_text(entry)
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        mint(server, session=session)
        assert "authorization" not in server.requests[0].headers

    def test_broken_netrc(self, server, session, monkeypatch, tmp_path):
        """A malformed .netrc is nothing to us."""
        (tmp_path / "netrc").write_text("machine \xff\nnonsense {{{")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert "stt-for-1" == mint(server, session=session, reason="1")

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirect(self, server, session, status):
        """No redirect is followed, neither by POST nor by GET."""
        where = f"Location: https://{server.authority}/elsewhere"
        with FaultServer(
            [REQUEST, head(where, "Content-Length: 0", status=f"{status} Moved")]
        ) as first:
            assert status == outcome(first, session=session).status_code
        assert ([], 1) == (server.requests, len(first.requests))

    def test_cookies(self, session):
        """No cookie is kept: not by us, and not in a given session."""
        cookies = answer(
            None,
            "200 OK",
            "Set-Cookie: a=b; Path=/",
            "Set-Cookie: c=d; Domain=localhost",
        )
        with FaultServer([REQUEST, cookies, REQUEST, cookies]) as server:
            mint(server, session=session)
            mint(server, session=session)
        assert "cookie" not in server.requests[1].headers
        assert session is None or not session.cookies

    def test_debug_output(self, server, capsys, monkeypatch):
        """With http.client's own debugging switched on, nothing of a request or an answer is printed."""
        import http.client

        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        mint(server, client_secret="very-secret", reason="1")
        out, err = capsys.readouterr()
        assert "very-secret" not in out + err
        assert "stt-for" not in out + err


class TestPool:
    """One session serves the process."""

    def test_connection_is_kept(self, server, session):
        """Calls one after the other share a connection."""
        assert ["stt-for-1", "stt-for-2", "stt-for-3"] == [
            mint(server, session=session, reason=n) for n in "123"
        ]
        assert 1 == server.connections

    def test_kept_after_refusal(self):
        """A refusal of the tenant is a whole answer: the connection serves the next call."""
        refusal = answer(b'{"error": "access_denied"}', "403 Forbidden")
        with FaultServer([REQUEST, refusal, REQUEST, refusal, echo]) as server:
            assert ["access_denied"] * 2 == [outcome(server).code, outcome(server).code]
            mint(server)
        assert 1 == server.connections

    def test_plain_http(self):
        """Plain HTTP to loopback works in the same way."""
        with FaultServer(context=None) as server:
            assert ["stt-for-1", "stt-for-2"] == [
                mint(server, reason="1"),
                mint(server, reason="2"),
            ]
        assert 1 == server.connections

    def test_more_certificates_than_kept(self, server, monkeypatch, tmp_path):
        """However many CA bundles come and go, sessions do not pile up."""
        import auth0_stt.transport

        pem = Path(ca_file()).read_text()
        for number in range(40):
            path = tmp_path / f"{number}.pem"
            path.write_text(pem)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
            mint(server)
        assert len(auth0_stt.transport._pool[1]) <= 16
        gc.collect()

    def test_child(self, server):
        """A forked child opens a connection of its own, and the parent keeps its one."""
        program = """
            import os, sys
            from auth0_stt import request_session_transfer_token
            call = eval(sys.stdin.read())
            def own(who):
                return request_session_transfer_token(sys.argv[1], reason=who, **call).session_transfer_token
            print(own("parent"))
            sys.stdout.flush()
            child = os.fork()
            if not child:
                print(own("child"), own("child"))
                sys.stdout.flush()
                os._exit(0)
            os.waitpid(child, 0)
            print(own("parent"))
        """
        tokens = run_beside(program, server.domain, options=FORKING).split()
        assert [
            "stt-for-parent",
            "stt-for-child",
            "stt-for-child",
            "stt-for-parent",
        ] == tokens
        used = [
            (request.form["reason"], request.connection) for request in server.requests
        ]
        assert [("parent", 1), ("child", 2), ("child", 2), ("parent", 1)] == used


class TestProxies:
    """Proxies from the environment hold."""

    def test_https_proxy(self, server, monkeypatch):
        """The request goes through a tunnel; the proxy learns the host, and nothing of the request."""
        with proxy() as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            assert "stt-for-1" == mint(server, reason="1")
            assert "stt-for-2" == mint(server, reason="2")
        (request,) = between.requests
        assert (
            f"CONNECT {server.authority} HTTP/1.1".lower()
            == request.line.replace("HTTP/1.0", "HTTP/1.1").lower()
        )
        assert "the-client-secret" not in str(request.headers)
        assert 1 == server.connections

    def test_credentials(self, server, monkeypatch):
        """A proxy's credentials go to the proxy alone."""
        with proxy() as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url.replace("//", "//user:pass@"))
            mint(server)
        assert ["Basic dXNlcjpwYXNz"] == between.requests[0].headers[
            "proxy-authorization"
        ]
        assert "proxy-authorization" not in server.requests[0].headers

    def test_all_proxy(self, server, monkeypatch):
        """ALL_PROXY is for those schemes that have none of their own."""
        with proxy() as between:
            monkeypatch.setenv("ALL_PROXY", between.url)
            mint(server)
        assert 1 == len(between.requests)

    def test_no_proxy(self, server, monkeypatch):
        """NO_PROXY names hosts to reach without."""
        with proxy() as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            monkeypatch.setenv("NO_PROXY", "localhost")
            mint(server)
        assert [] == between.requests

    def test_change_between_calls(self, server, monkeypatch):
        """A proxy that comes, changes or goes between two calls holds for the next."""
        with proxy() as one, proxy() as other:
            mint(server)
            monkeypatch.setenv("HTTPS_PROXY", one.url)
            mint(server)
            monkeypatch.setenv("HTTPS_PROXY", other.url)
            mint(server)
            monkeypatch.delenv("HTTPS_PROXY")
            mint(server)
        assert (1, 1) == (len(one.requests), len(other.requests))
        assert [1, 2, 3, 1] == [request.connection for request in server.requests]

    def test_http_proxy(self, monkeypatch):
        """Plain HTTP to loopback goes through HTTP_PROXY as it is, with the whole URL."""
        with FaultServer(context=None) as between:
            monkeypatch.setenv("HTTP_PROXY", between.url)
            assert (
                "stt-for-1"
                == request_session_transfer_token(
                    "http://127.0.0.1:9", **{**CALL, "reason": "1"}
                ).session_transfer_token
            )
        assert between.requests[0].line.startswith(
            "POST http://127.0.0.1:9/oauth/token "
        )

    def test_tls_to_the_proxy(self, server, monkeypatch):
        """A proxy may be reached by TLS; its certificate is checked like the tenant's."""
        if urllib3.__version__ < "1.26":
            pytest.skip("this urllib3 knows no https proxies")
        with proxy(context=server_context()) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            assert "stt-for-1" == mint(server, reason="1")
        with proxy(context=server_context(issuer="unknown")) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            error = outcome(server)
        assert ("tls", False) == (error.code, error.sent)

    def test_session_proxies(self, server):
        """A given session's proxies come before the environment's, and its no_proxy holds."""
        with proxy() as between, requests.Session() as given:
            given.proxies = {"https": between.url}
            mint(server, session=given)
            assert 1 == len(between.requests)
            given.proxies = {"https": between.url, "no_proxy": "localhost"}
            mint(server, session=given)

    def test_session_environment(self, server, monkeypatch):
        """A given session takes proxies from the environment, but not with trust_env switched off."""
        with proxy() as between, requests.Session() as given, requests.Session() as deaf:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            mint(server, session=given)
            assert 1 == len(between.requests)
            deaf.trust_env = False
            deaf.verify = ca_file()
            mint(server, session=deaf)
            assert 1 == len(between.requests)


class TestBundles:
    """CA bundles from the environment hold."""

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_file(self, server, session, monkeypatch, name):
        """A file."""
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        monkeypatch.setenv(name, ca_file())
        assert "stt-for-1" == mint(server, session=session, reason="1")

    def test_directory(self, server, session, monkeypatch, tmp_path):
        """A directory, as c_rehash makes it."""
        hashed = subprocess.run(
            ["openssl", "x509", "-hash", "-noout", "-in", ca_file()],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
        (tmp_path / (hashed.strip() + ".0")).write_bytes(Path(ca_file()).read_bytes())
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
        assert "stt-for-1" == mint(server, session=session, reason="1")

    def test_none(self, server, session, monkeypatch):
        """Without one, certifi's is used, which does not know the tests' authority."""
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        error = outcome(server, session=session)
        assert "tls" == error.code
        assert [] == server.requests

    def test_change_between_calls(self, server, monkeypatch, tmp_path):
        """Another bundle holds for the next call, be its path new or its contents."""
        path = tmp_path / "bundle.pem"
        path.write_text(Path(ca_file("unknown")).read_text())
        mint(server)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        assert "tls" == outcome(server).code
        path.write_text(Path(ca_file()).read_text())
        os.utime(str(path), (1, 1))
        mint(server)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        assert "tls" == outcome(server).code
        assert 2 == len(server.requests)

    @pytest.mark.parametrize("contents", [None, "", "no PEM"])
    def test_unreadable(self, server, session, monkeypatch, tmp_path, contents):
        """A bundle that is missing, empty or broken: nothing is sent, and the error says where to look."""
        path = tmp_path / "bundle.pem"
        if contents is not None:
            path.write_text(contents)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        error = outcome(server, session=session)
        assert ("tls", False) == (error.code, bool(contents is None and error.sent))
        assert [] == server.requests

    def test_session_verify(self, server, monkeypatch):
        """A given session's own bundle comes before the environment's."""
        with requests.Session() as given:
            given.verify = ca_file()
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file("unknown"))
            mint(server, session=given)
            given.verify = ca_file("unknown")
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file())
        with requests.Session() as given:
            given.verify = ca_file("unknown")
            assert "tls" == outcome(server, session=given).code

    @pytest.mark.parametrize("verify", [False, "", 0, None, b""])
    def test_not_verifying(self, server, verify):
        """A session that verifies nothing is refused, however it says so."""
        with requests.Session() as given:
            given.verify = verify
            with pytest.raises(InvalidArgumentError) as caught:
                mint(server, session=given)
        assert ("session", 0) == (caught.value.argument, server.connections)

    @pytest.mark.parametrize(
        "given", [requests, object(), "session", requests.Session, 1, True]
    )
    def test_no_session(self, server, given):
        """What is no session is refused."""
        with pytest.raises(InvalidArgumentError) as caught:
            mint(server, session=given)
        assert ("session", 0) == (caught.value.argument, server.connections)

    def test_callers_own_verify_false(self, server):
        """A call of the caller's that verified nothing leaves no connection for ours."""
        with requests.Session() as given, FaultServer(
            context=server_context(issuer="unknown")
        ) as unknown:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                given.post(
                    "https://" + unknown.authority, verify=False, data={"reason": "1"}
                )
            if tuple(map(int, requests.__version__.split(".")[:2])) >= (2, 32):
                assert "tls" == outcome(unknown, session=given).code


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
        "script",
        [
            [REQUEST],
            [REQUEST, answer(b"{}", "503 Busy", "Retry-After: 0")],
            [REQUEST, answer(b"{}", "429 Slow")],
        ],
        ids=["lost", "503", "429"],
    )
    def test_retries(self, script):
        """An adapter that retries does not repeat this request, and keeps its retries for its owner."""
        names = {
            "allowed_methods"
            if hasattr(urllib3.Retry, "DEFAULT_ALLOWED_METHODS")
            else "method_whitelist": None
        }
        retry = urllib3.Retry(5, status_forcelist=[503, 429], backoff_factor=0, **names)
        with FaultServer(script, echo) as server, requests.Session() as given:
            adapter = HTTPAdapter(max_retries=retry)
            given.mount("https://", adapter)
            outcome(server, session=given)
            assert 1 == len(server.requests)
            assert retry is adapter.max_retries
            assert (
                200
                == given.post(
                    "https://" + server.authority, data={"reason": "2"}
                ).status_code
            )

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

    def test_sent(self, monkeypatch):
        """Where one can't look into the connection, only what is certain is called unsent."""
        with FaultServer([REQUEST], echo) as server, requests.Session() as given:
            error = outcome(server, session=given)
            assert ("unreachable", True) == (error.code, error.sent)
        with requests.Session() as given:
            error = outcome(server, session=given)
            assert ("unreachable", False) == (error.code, error.sent)
        with FaultServer([REQUEST, HOLD]) as server, requests.Session() as given:
            error = outcome(server, session=given, timeout=0.3)
            assert ("timeout", True) == (error.code, error.sent)
        with FaultServer(
            [REQUEST, GOOD[:-4], HOLD]
        ) as server, requests.Session() as given:
            error = outcome(server, session=given, timeout=0.3)
            assert ("timeout", True) == (error.code, error.sent)
        with FaultServer([REQUEST, GOOD[:-4]]) as server, requests.Session() as given:
            error = outcome(server, session=given)
            # pyOpenSSL has no words for it, and may mean TLS.
            assert error.code in ("unreachable", "tls")
            assert error.sent

    def test_size(self):
        """64 KiB are read from a given session's connections too."""
        for framing in (b"Content-Length: 400000\r\n", b""):
            data = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n" + b" " * 400_000
            with FaultServer(
                [REQUEST, data, HOLD]
            ) as server, requests.Session() as given:
                assert "invalid_response" == outcome(server, session=given).code

    def test_slow_body(self):
        """A given session's slow body is looked at now and then."""
        script = [REQUEST, answer(b"", length=9_999), forever(b" " * 16, 0.02)]
        with FaultServer(script) as server, requests.Session() as given:
            assert "timeout" == outcome(server, session=given, timeout=0.4).code


class TestSent:
    """``sent`` is False only where the tenant can't have seen the request."""

    def test_phases(self):
        """Before the first byte of the request it is False, from then on True."""
        cases = [
            ([HOLD], {"handshake": False}, False, "in the TLS handshake"),
            ([HOLD], {"context": None}, True, "waiting for the answer"),
            ([REQUEST, HOLD], {}, True, "waiting for the answer"),
            ([REQUEST, b"HTTP/1.1 2", HOLD], {}, True, "reading the answer"),
            ([REQUEST, GOOD[:-1], HOLD], {}, True, "reading the answer"),
        ]
        for script, options, sent, phase in cases:
            with FaultServer(script, **options) as server:
                error = outcome(server, timeout=0.4)
            assert ("timeout", sent) == (error.code, error.sent)
            assert phase in str(error)

    def test_no_time(self, server, session):
        """A time that is over before anything could be sent."""
        error = outcome(server, session=session, timeout=1e-7)
        assert ("timeout", False, 0) == (error.code, error.sent, server.connections)

    def test_certificate_of_a_given_session(self):
        """Nothing is sent to a server that is not trusted, whoever connects."""
        with requests.Session() as given, FaultServer(
            context=server_context(issuer="unknown")
        ) as unknown:
            error = outcome(unknown, session=given)
        assert ("tls", False) == (error.code, error.sent)

    def test_connecting(self, monkeypatch):
        """No connection, nothing sent."""
        with black_holes(1) as addresses, FaultServer(host="tenant.test") as server:
            resolving(monkeypatch, tenant_test=addresses)
            error = outcome(server, timeout=0.3)
        assert ("timeout", False) == (error.code, error.sent)
        assert "while connecting" in str(error)

    def test_sending(self):
        """Half a request may have been enough."""
        with FaultServer([HOLD], context=None) as server:
            error = outcome(server, timeout=0.8, extra={"evidence": "x" * 8_000_000})
        assert ("timeout", True) == (error.code, error.sent)
        assert "sending the request" in str(error)


class GreenletTimeout(BaseException):
    """As gevent's Timeout: no Exception."""


@pytest.mark.skipif(
    urllib3.util.IS_PYOPENSSL, reason="interrupts the methods of Python's own TLS"
)
class TestInterrupted:
    """KeyboardInterrupt and its like pass, and the connection that they hit is thrown away."""

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GreenletTimeout])
    @pytest.mark.parametrize(
        ("script", "at"),
        [
            ([REQUEST, MARK, HOLD], "waiting"),
            ([REQUEST, GOOD[:-9], MARK, HOLD], "reading"),
        ],
        ids=["waiting", "reading"],
    )
    def test_passes(self, monkeypatch, session, error, script, at):
        """It comes out as it is, and the next call has a connection of its own."""
        from auth0_stt.connections import current_call

        with FaultServer([REQUEST, GOOD, *script], echo) as server:
            mint(server, session=session)
            with monkeypatch.context() as patch:
                patch.setattr(ssl.SSLSocket, "recv_into", interrupted(server, error))
                with pytest.raises(error):
                    mint(server, session=session)
            assert "stt-for-3" == mint(server, session=session, reason="3")
            assert [1, 1, 2] == [request.connection for request in server.requests]
        assert current_call.get(None) is None

    # Python before 3.13 leaves the socket of an interrupted handshake to the garbage collector.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    @pytest.mark.parametrize("error", [KeyboardInterrupt, GreenletTimeout])
    def test_passes_in_the_handshake(self, monkeypatch, server, error):
        """In the TLS handshake."""
        self.test_passes_early(
            monkeypatch, server, error, "do_handshake", ssl.SSLSocket
        )
        gc.collect()

    @pytest.mark.parametrize("error", [KeyboardInterrupt, GreenletTimeout])
    @pytest.mark.parametrize(
        ("where", "target"), [("connect", socket.socket), ("sendall", ssl.SSLSocket)]
    )
    def test_passes_early(self, monkeypatch, server, error, where, target):
        """Before the answer, too; no socket is left behind."""
        with monkeypatch.context() as patch:
            patch.setattr(
                target,
                where,
                raising(error, threading.get_ident(), getattr(target, where)),
            )
            with pytest.raises(error):
                mint(server)
        assert "stt-for-2" == mint(server, reason="2")
        gc.collect()


def raising(error, thread, real):
    """Return a method that raises in one thread; the others, the server's, do what it does."""

    def method(*args, **kwargs):
        if threading.get_ident() == thread:
            raise error
        return real(*args, **kwargs)

    return method


def interrupted(server, error):
    """Return a method that raises in this thread where it reads what the script sends after MARK."""
    real = ssl.SSLSocket.recv_into
    me = threading.get_ident()

    def recv_into(self, *args, **kwargs):
        if threading.get_ident() != me:
            return real(self, *args, **kwargs)
        while not server.marked.is_set():
            self.settimeout(0.05)
            with contextlib.suppress(socket.timeout):
                return real(self, *args, **kwargs)
        raise error

    return recv_into


def test_patched_too_late(server, monkeypatch):
    """gevent that patches ssl after its import makes contexts recurse for ever: no retry mends that."""
    import auth0_stt.transport

    def context(*arguments):
        raise RecursionError("maximum recursion depth exceeded")

    monkeypatch.setattr(auth0_stt.transport, "_pool", (0, {}))
    monkeypatch.setattr(auth0_stt.transport, "_tls_context", context)
    with pytest.raises(TransportError) as caught:
        mint(server)
    assert ("tls", False) == (caught.value.code, caught.value.retryable)


class TestHooks:
    """The hooks into urllib3 are half public: these tests notice when they no longer work."""

    @pytest.mark.parametrize("way", ["https", "http", "through a proxy"])
    def test_watched(self, monkeypatch, way):
        """Each connection of ours is a watched one, each answer is read by our reader."""
        from auth0_stt import connections as below

        connected, answers = [], []
        connect, begin = below.Watched.connect, below._StrictResponse.begin
        monkeypatch.setattr(
            below.Watched,
            "connect",
            lambda self: (connected.append(self), connect(self))[1],
        )
        monkeypatch.setattr(
            below._StrictResponse,
            "begin",
            lambda self: (answers.append(type(self.fp)), begin(self))[1],
        )
        context = None if way == "http" else server_context()
        with FaultServer(context=context) as server, proxy(tunnel) as between:
            if way == "through a proxy":
                monkeypatch.setenv("HTTPS_PROXY", between.url)
            mint(server)
        assert 1 == len(connected) == server.connections
        assert [below._Answer] == answers

    def test_stand_in(self, server, monkeypatch):
        """A class of connections that a tool of the tests puts in place, as VCR.py does, is used as it is."""
        from urllib3.connectionpool import HTTPSConnectionPool

        class StandIn(HTTPSConnectionPool.ConnectionCls):
            used = 0

            def send(self, data):
                StandIn.used += 1
                super().send(data)

        monkeypatch.setattr(HTTPSConnectionPool, "ConnectionCls", StandIn)
        assert "stt-for-1" == mint(server, reason="1")
        assert StandIn.used


class TestClientCertificates:
    """Connections of different client certificates never mix."""

    @pytest.fixture
    def server(self, monkeypatch):
        resolving(monkeypatch, mtls_localhost=[None])
        with FaultServer(whoami, context=server_context(asks=True)) as server:
            yield server

    def test_own_connections(self, server, session):
        """Each call comes with its own certificate, over a connection of that alone."""
        names = ["ada", "bob", "ada", "bob", "ada"]
        found = [
            mint(
                server,
                client_secret=None,
                client_certificate=client_certificate(name),
                session=session,
            )
            for name in names
        ]
        assert [f"stt-for-{name}" for name in names] == found
        assert ["mtls." + server.authority] == server.requests[0].headers["host"]
        pairs = {
            (request.connection, request.certificate) for request in server.requests
        }
        assert len(pairs) == len({connection for connection, _ in pairs})

    def test_kept(self, server):
        """Calls with the same certificate share a connection."""
        for _ in range(3):
            mint(
                server, client_secret=None, client_certificate=client_certificate("ada")
            )
        assert 1 == server.connections

    def test_two_files(self, server, session, tmp_path):
        """Certificate and key may be two files."""
        pem = Path(client_certificate("eve")).read_text()
        start = pem.index("-----BEGIN CERTIFICATE")
        (tmp_path / "key.pem").write_text(pem[:start])
        (tmp_path / "certificate.pem").write_text(pem[start:])
        files = tmp_path / "certificate.pem", tmp_path / "key.pem"
        assert "stt-for-eve" == mint(
            server, client_secret=None, client_certificate=files, session=session
        )

    def test_renewed(self, server, tmp_path):
        """A certificate that was renewed in its place is used from the next call on."""
        path = tmp_path / "client.pem"
        for name in ("old", "new"):
            path.write_text(Path(client_certificate(name)).read_text())
            os.utime(str(path), (len(name), 1 if name == "old" else 2))
            assert f"stt-for-{name}" == mint(
                server, client_secret=None, client_certificate=str(path)
            )

    def test_session_certificate(self, server):
        """A given session's own certificate is used beside a secret; ours comes before it."""
        with requests.Session() as given:
            given.cert = client_certificate("session")
            assert "stt-for-session" == mint(server, session=given)
            own = {
                "client_secret": None,
                "client_certificate": client_certificate("ada"),
            }
            assert "stt-for-ada" == mint(server, session=given, **own)
            assert "stt-for-session" == mint(server, session=given)

    def test_none(self, server):
        """A server that wants a certificate refuses a client without: the error is one of TLS or a lost connection."""
        assert outcome(server).code in ("tls", "unreachable")

    def test_none_after_one(self, server):
        """The certificate of one call never vouches for the next."""
        mint(server, client_secret=None, client_certificate=client_certificate("ada"))
        server.authority = server.domain = "mtls." + server.authority
        assert outcome(server).code in ("tls", "unreachable")

    def test_unknown(self, server, tmp_path):
        """A certificate of an authority that the server does not know."""
        import trustme

        path = tmp_path / "client.pem"
        trustme.CA().issue_cert("mallory").private_key_and_cert_chain_pem.write_to_path(
            str(path)
        )
        error = outcome(server, client_secret=None, client_certificate=str(path))
        assert error.code in ("tls", "unreachable")
        assert [] == server.requests


def whoami(peer):
    """Answer with a token that says whose certificate the connection has."""
    for _ in iter(peer.request, None):
        peer.send(answer(token_body(f"stt-for-{peer.certificate}")))
