"""What one request is made of: its session, its headers, its proxies and certificates, its one connection."""

import contextlib
import gc
import io
import os
import signal
import socket
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace

import processes
import pytest
import requests
import urllib3
from faults import (
    CALL,
    FORKING,
    GOOD,
    HANDSHAKE,
    HOLD,
    MARK,
    REQUEST,
    FaultServer,
    answer,
    black_holes,
    ca_file,
    client_certificate,
    echo,
    head,
    mint,
    needs_socks,
    proxy,
    relay,
    resolving,
    run_beside,
    server_context,
    token_body,
)
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPSConnectionPool

from auth0_stt import (
    CustomTokenExchangeError,
    InvalidArgumentError,
    TransportError,
    connections,
    request_session_transfer_token,
)

pytestmark = pytest.mark.usefixtures("trusted")


class Subclassed(HTTPAdapter):
    """An adapter of the caller's, which may do anything."""


@pytest.fixture(params=["pooled", "given", "subclassed"])
def session(request):
    """None for connections of our own, and sessions that a caller gives."""
    if request.param == "pooled":
        yield None
    else:
        with requests.Session() as given:
            if request.param == "subclassed":
                given.mount("https://", Subclassed())
                given.mount("http://", Subclassed())
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

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    def test_large_request(self, context):
        """A request that does not fit in at once goes out whole on a kept connection, too."""
        evidence = "x" * 8_000_000
        script = [REQUEST, GOOD, REQUEST, GOOD]
        with FaultServer(script, context=context) as server:
            mint(server)
            mint(server, extra={"evidence": evidence})
        assert 1 == server.connections
        assert [evidence] == [server.requests[1].form["evidence"]]

    def test_taken_by_another(self, server, monkeypatch):
        """A connection that another thread takes first is left to it."""
        import auth0_stt.transport

        mint(server)
        seen = [auth0_stt.transport._idle.copy()]

        class Taken(list):
            def copy(self):
                return seen.pop() if seen else super().copy()

        with monkeypatch.context() as patch:
            patch.setattr(auth0_stt.transport, "_idle", Taken())
            mint(server)
            auth0_stt.transport._end_idle()
        assert 2 == server.connections

    def test_brought_back_by_another(self, server, monkeypatch):
        """Where another thread was quicker, a connection that came back meanwhile is used."""
        import auth0_stt.transport

        mint(server)
        kept = auth0_stt.transport._idle[-1]
        seen = [[SimpleNamespace(route=kept.route, used=kept.used)]]

        class Taken(list):
            def copy(self):
                return seen.pop() if seen else super().copy()

        with monkeypatch.context() as patch:
            patch.setattr(auth0_stt.transport, "_idle", Taken([kept]))
            mint(server)
            auth0_stt.transport._end_idle()
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
        """However many CA bundles come and go, connections do not pile up."""
        import auth0_stt.transport

        auth0_stt.transport._end_idle()
        monkeypatch.setattr(auth0_stt.transport, "_MOST_IDLE", 4)
        pem = Path(ca_file()).read_text()
        for number in range(8):
            path = tmp_path / f"{number}.pem"
            path.write_text(pem)
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
            mint(server)
        assert 4 == len(auth0_stt.transport._idle)
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

    def test_process(self, server, monkeypatch):
        """A process of another id has connections of its own, told of a fork or not."""
        mint(server)
        process = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: process + 1)
        mint(server)
        mint(server)
        assert [1, 2, 2] == [request.connection for request in server.requests]


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

    @needs_socks
    def test_socks_credentials(self, server, monkeypatch):
        """A SOCKS proxy gets the credentials of its URL (RFC 1929)."""
        logins = []

        def script(peer):
            peer.sock.recv(65536)
            peer.send(b"\x05\x02")
            logins.append(peer.sock.recv(65536))
            peer.send(b"\x01\x00")
            request = peer.sock.recv(65536)
            port = int.from_bytes(request[-2:], "big")
            peer.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01" + request[-2:])
            relay(peer, socket.create_connection(("127.0.0.1", port)))

        with proxy(script) as between:
            url = between.url.replace("http://", "socks5h://user:pass@")
            monkeypatch.setenv("HTTPS_PROXY", url)
            mint(server)
        assert [b"\x01\x04user\x04pass"] == logins

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

    @pytest.mark.parametrize(
        ("proxy_url", "port"),
        [
            (None, 443),
            ("http://127.0.0.1", 80),
            ("127.0.0.1", 80),
            ("//127.0.0.1", 80),
            ("localhost:3128", 3128),
            ("user:password@localhost:3128", 3128),
            ("https://127.0.0.1", 443),
            pytest.param("socks5h://127.0.0.1", 1080, marks=needs_socks),
            pytest.param("socks4a://127.0.0.1", 1080, marks=needs_socks),
        ],
    )
    def test_ports(self, monkeypatch, proxy_url, port):
        """Without a port, the tenant and each kind of proxy have their usual one."""
        asked = []

        def getaddrinfo(host, port, *settings):
            asked.append(port)
            raise socket.gaierror(socket.EAI_NONAME, "not in this test")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        if proxy_url is not None:
            monkeypatch.setenv("HTTPS_PROXY", proxy_url)
        with pytest.raises(TransportError):
            request_session_transfer_token("127.0.0.1", **CALL)
        assert [port] == asked

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

    def test_plain_http(self, session, monkeypatch):
        """Plain HTTP, which is for loopback only, shows no proxy the form."""
        with FaultServer(context=None) as server, proxy() as between:
            monkeypatch.setenv("HTTP_PROXY", between.url)
            monkeypatch.setenv("ALL_PROXY", between.url)
            if session:
                session.proxies = {"http": between.url}
            assert "stt-for-1" == mint(server, session=session, reason="1")
        assert 0 == between.connections

    def test_tls_to_the_proxy(self, server, monkeypatch):
        """A proxy may be reached by TLS; its certificate is checked like the tenant's."""
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
        hashed = processes.run(
            ["openssl", "x509", "-hash", "-noout", "-in", ca_file()], check=True
        ).stdout.decode()
        (tmp_path / (hashed.strip() + ".0")).write_bytes(Path(ca_file()).read_bytes())
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
        assert "stt-for-1" == mint(server, session=session, reason="1")

    def test_none(self, server, session, monkeypatch):
        """Without one, certifi's is used, which does not know the tests' authority."""
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        error = outcome(server, session=session)
        assert "tls" == error.code
        assert "certificate" in error.message
        assert "file" not in error.message
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

    def test_injected_pyopenssl(self, server, monkeypatch, tmp_path):
        """pyOpenSSL has no TLS over buffers: the standard library's is used, and verifies."""
        monkeypatch.setattr(connections, "create_urllib3_context", object)
        for name, code in (("known", None), ("unknown", "tls")):
            bundle = tmp_path / name
            bundle.write_bytes(Path(ca_file(name)).read_bytes())
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
            if code is None:
                assert "stt-for-1" == mint(server, reason="1")
            else:
                assert code == outcome(server).code

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

    @pytest.mark.parametrize("verify", [False, "", 0, None, b"", 1, ["ca.pem"]])
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


class SoftTimeLimitExceeded(Exception):
    """As Celery's: raised by a signal handler, and an ordinary Exception."""


class GreenletTimeout(BaseException):
    """As gevent's Timeout: not an Exception."""


@contextlib.contextmanager
def signalled(server, error):
    """Raise from a signal handler once the server's script has come to MARK."""

    def handler(*_):
        raise error

    def wait():
        assert server.marked.wait(10)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, handler)
    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")
class TestInterrupted:
    """What a signal handler raises passes, and the connection that it hits is ended."""

    @pytest.mark.parametrize(
        "error", [KeyboardInterrupt, GreenletTimeout, SoftTimeLimitExceeded]
    )
    @pytest.mark.parametrize(
        "script",
        [[REQUEST, MARK, HOLD], [REQUEST, GOOD[:-9], MARK, HOLD]],
        ids=["waiting", "reading"],
    )
    def test_passes(self, session, error, script):
        """It comes out as it is, and the next call has a connection of its own."""
        with FaultServer([REQUEST, GOOD, *script], echo) as server:
            mint(server, session=session)
            with signalled(server, error), pytest.raises(error):
                mint(server, session=session, timeout=30)
            assert "stt-for-3" == mint(server, session=session, reason="3")
            assert [1, 1, 2] == [request.connection for request in server.requests]

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SoftTimeLimitExceeded])
    def test_passes_early(self, error):
        """In the TLS handshake, and while a large request goes out, too."""
        for script, options in (
            ([MARK, HOLD], {"handshake": False}),
            ([HANDSHAKE, MARK, HOLD], {"handshake": False}),
        ):
            with FaultServer(script, **options) as server, signalled(
                server, error
            ), pytest.raises(error):
                mint(server, timeout=30, extra={"evidence": "x" * 8_000_000})
        gc.collect()


class TestMocks:
    """A tool that replaces what requests sends with is used instead of a connection."""

    def test_adapter(self, monkeypatch):
        """One that replaces HTTPAdapter.send, as responses does."""

        def send(self, request, **settings):
            response = requests.Response()
            response.status_code, response.raw = 200, io.BytesIO(token_body())
            return response

        monkeypatch.setattr(HTTPAdapter, "send", send)
        result = request_session_transfer_token("acme.auth0.com", **CALL)
        assert "the-stt" == result.session_transfer_token

    def test_connection(self, server, monkeypatch):
        """One that replaces the class of connections, as VCR.py does."""

        class Connection:
            def __init__(self, *args, **kwargs):
                raise urllib3.exceptions.ProtocolError("the mock's")

        monkeypatch.setattr(HTTPSConnectionPool, "ConnectionCls", Connection)
        assert ("unreachable", True) == (outcome(server).code, outcome(server).sent)
        assert 0 == server.connections


#: Older ones give the connection of one certificate to the next caller.
old_requests = pytest.mark.skipif(
    not hasattr(HTTPAdapter, "get_connection_with_tls_context"),
    reason="a session with a client_certificate needs requests 2.32",
)


class TestClientCertificates:
    """Connections of different client certificates never mix."""

    @pytest.fixture
    def server(self, monkeypatch):
        resolving(monkeypatch, mtls_localhost=[None])
        with FaultServer(whoami, context=server_context(asks=True)) as server:
            yield server

    @pytest.fixture(params=[None, pytest.param("given", marks=old_requests)])
    def certified_session(self, request):
        """None, and a session where it may go with a certificate."""
        if request.param is None:
            yield None
        else:
            with requests.Session() as given:
                yield given

    def test_own_connections(self, server, certified_session):
        """Each call comes with its own certificate, over a connection of that alone."""
        names = ["ada", "bob", "ada", "bob", "ada"]
        found = [
            mint(
                server,
                client_secret=None,
                client_certificate=client_certificate(name),
                session=certified_session,
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

    def test_two_files(self, server, certified_session, tmp_path):
        """Certificate and key may be two files."""
        pem = Path(client_certificate("eve")).read_text()
        start = pem.index("-----BEGIN CERTIFICATE")
        (tmp_path / "key.pem").write_text(pem[:start])
        (tmp_path / "certificate.pem").write_text(pem[start:])
        files = tmp_path / "certificate.pem", tmp_path / "key.pem"
        assert "stt-for-eve" == mint(
            server,
            client_secret=None,
            client_certificate=files,
            session=certified_session,
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

    @old_requests
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
