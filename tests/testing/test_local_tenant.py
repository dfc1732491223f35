"""LocalTenant as a thing that runs: starting, closing, connections, TLS, faults."""

import contextlib
import http.client
import os
import socket
import ssl
import sys
import threading
import time

import processes
import pytest
import requests
from calls import post_mint, redirect_url

from auth0_stt.testing import LocalTenant, localhost_names

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


def open_files():
    return len(os.listdir("/dev/fd"))


class TestLife:
    @pytest.mark.parametrize(("tls", "times"), [(False, 100), (True, 30)])
    def test_leaves_nothing_behind(self, tls, times):
        """A hundred in a row leak no thread and no socket, with connections still open."""
        with LocalTenant(tls=tls) as tenant:
            tenant.agent_tokens()
        threads, files = threading.active_count(), open_files()
        for _ in range(times):
            with LocalTenant(tls=tls) as tenant, requests.Session() as session:
                session.trust_env = False
                scheme = "https" if tls else "http"
                url = f"{scheme}://127.0.0.1:{tenant.port}{JWKS}"
                assert session.get(url, verify=tenant.ca_file or True).ok
                idle = socket.create_connection(("127.0.0.1", tenant.port))
            idle.close()
        assert threads == threading.active_count()
        assert open_files() <= files

    def test_port_is_free_afterwards(self):
        """Nobody listens any more, and the CA's file is gone."""
        with LocalTenant(tls=True) as tenant:
            port, ca_file = tenant.port, tenant.ca_file
            assert os.path.exists(ca_file)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        assert not os.path.exists(ca_file)
        assert tenant.ca_file is None

    def test_closes_at_once(self, session):
        """Idle connections and a delay that is under way don't hold it up."""
        with LocalTenant() as tenant:
            session.get(tenant.domain + JWKS)
            tenant.fail_next(delay=60, drop=True)
            waiting = socket.create_connection(("127.0.0.1", tenant.port))
            waiting.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            before = time.perf_counter()
        assert time.perf_counter() - before < 2
        waiting.close()

    def test_half_made_tls_connection_does_not_hold_it_up(self):
        """Somebody who connects and never shakes hands is hung up on."""
        with LocalTenant(tls=True) as tenant:
            silent = socket.create_connection(("127.0.0.1", tenant.port))
            with socket.create_connection(("127.0.0.1", tenant.port)) as plain:
                plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
                with contextlib.suppress(ConnectionResetError):
                    plain.recv(1000)
            before = time.perf_counter()
        assert time.perf_counter() - before < 2
        silent.close()

    def test_several_at_once(self, session):
        """Each has its port, its secrets and its cookies."""
        with LocalTenant() as one, LocalTenant() as two:
            assert one.port != two.port
            assert one.console["client_secret"] != two.console["client_secret"]
            assert one.cookie != two.cookie
            post_mint(one)
            assert (1, 0) == (len(one.logs), len(two.logs))

    def test_not_running(self):
        """Outside its with block it has no port, and says what to write."""
        tenant = LocalTenant()
        with pytest.raises(RuntimeError, match="with LocalTenant"):
            assert tenant.domain
        tenant.clock.advance(1)
        assert 1.0 == tenant.clock.ahead

    def test_nothing_on_standard_error(self, capfd):
        """Requests, errors and hung-up connections are not reported there."""
        with LocalTenant() as tenant:
            post_mint(tenant)
            post_mint(tenant, client_secret="wrong")
            tenant.redeem(redirect_url(tenant))
            socket.create_connection(("127.0.0.1", tenant.port)).close()
        assert ("", "") == tuple(capfd.readouterr())

    @pytest.mark.parametrize("missing", ["flask", "authlib", "joserfc", "trustme"])
    def test_says_what_to_install(self, missing):
        """Without the extra, importing it names the command that installs it."""
        code = f"import sys; sys.modules[{missing!r}] = None; import auth0_stt.testing"
        done = processes.run([sys.executable, "-c", code], text=True)
        assert 1 == done.returncode
        assert 'pip install "auth0-stt[testing]"' in done.stderr.splitlines()[-1]


class TestConnections:
    def test_kept_open(self, tenant):
        """HTTP/1.1: one connection serves request after request, of any kind."""
        connection = http.client.HTTPConnection("localhost", tenant.port)
        connection.connect()
        kept = connection.sock
        for method, path, body in (
            ("GET", JWKS, None),
            ("POST", "/oauth/token", "grant_type=x"),
            ("HEAD", JWKS, None),
            ("GET", "/nowhere", "a body that nobody reads"),
            ("POST", "/oauth/token", iter([b"grant_type", b"=x"])),
            ("GET", JWKS, None),
        ):
            connection.request(method, path, body)
            answer = connection.getresponse()
            assert answer.status in (200, 400, 404)
            assert (method == "HEAD") == (answer.read() == b"")
            assert connection.sock is kept
        connection.close()

    def test_closed_on_request(self, tenant):
        """A client that wants the connection closed gets its way."""
        with socket.create_connection(("127.0.0.1", tenant.port)) as raw:
            raw.sendall(
                b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            assert raw.makefile("rb").read().startswith(b"HTTP/1.1 421 ")

    @pytest.mark.parametrize(
        ("length", "status"), [("9999999", 413), ("x", 400), ("-1", 400)]
    )
    def test_bad_length(self, tenant, length, status):
        """A body too large or of no length is refused, unread."""
        with socket.create_connection(("127.0.0.1", tenant.port)) as raw:
            request = f"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
            raw.sendall(request.encode())
            assert (
                raw.makefile("rb").readline().startswith(f"HTTP/1.1 {status} ".encode())
            )

    def test_many_at_once(self, tenant):
        """Connections are served side by side."""
        answers = []
        threads = [
            threading.Thread(
                target=lambda: answers.append(post_mint(tenant).status_code)
            )
            for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [200] * 10 == answers


class TestTls:
    def test_certificate(self):
        """The CA's file vouches for every name of the tenant's, TLS 1.2 and up."""
        with localhost_names(), LocalTenant(tls=True) as tenant:
            context = ssl.create_default_context(cafile=tenant.ca_file)
            for name in ("localhost", "mtls.localhost", "127.0.0.1"):
                raw = socket.create_connection((name, tenant.port))
                with context.wrap_socket(raw, server_hostname=name) as secured:
                    assert secured.version() in ("TLSv1.2", "TLSv1.3")

    def test_unknown_authority(self, session):
        """Without the CA's file the certificate is not trusted."""
        with LocalTenant(tls=True) as tenant, pytest.raises(
            requests.exceptions.SSLError
        ):
            session.get(f"https://{tenant.domain}{JWKS}")

    def test_domain_needs_no_scheme(self):
        """With TLS the domain is a bare host and port; plain HTTP says so."""
        with LocalTenant(tls=True) as tenant:
            assert f"localhost:{tenant.port}" == tenant.domain
        with LocalTenant() as tenant:
            assert f"http://localhost:{tenant.port}" == tenant.domain
            assert tenant.ca_file is None

    def test_localhost_names(self):
        """Names under localhost resolve to loopback as long as asked for; others as ever."""
        original = socket.getaddrinfo
        with localhost_names():
            for name in ("mtls.localhost", b"MTLS.localhost."):
                assert ("127.0.0.1", 80) == socket.getaddrinfo(name, 80)[0][4]
            assert "::1" == socket.getaddrinfo("::1", 80)[0][4][0]
            assert socket.getaddrinfo(None, 80)
        assert original is socket.getaddrinfo


class TestFaults:
    def test_status(self, tenant, session):
        """The next request, and it alone, gets the answer that was ordered."""
        tenant.fail_next(status=429, headers={"Retry-After": "7"}, body=b"slow down")
        answer = session.get(tenant.domain + JWKS)
        assert (429, "7", b"slow down") == (
            answer.status_code,
            answer.headers["Retry-After"],
            answer.content,
        )
        assert 200 == session.get(tenant.domain + JWKS).status_code

    def test_default(self, tenant, session):
        """Without arguments it is a 503 with nothing in it."""
        tenant.fail_next()
        answer = session.get(tenant.domain + JWKS)
        assert (503, b"") == (answer.status_code, answer.content)

    def test_body_of_text(self, tenant, session):
        """A body may be given as a str."""
        tenant.fail_next(body="häßlich")
        assert "häßlich".encode() == session.get(tenant.domain + JWKS).content

    def test_in_order(self, tenant, session):
        """Several are used up one after the other."""
        tenant.fail_next(status=500)
        tenant.fail_next(status=502)
        statuses = [session.get(tenant.domain + JWKS).status_code for _ in range(3)]
        assert [500, 502, 200] == statuses

    def test_drop(self, tenant, session):
        """The connection dies without an answer."""
        tenant.fail_next(drop=True)
        with pytest.raises(requests.ConnectionError):
            session.get(tenant.domain + JWKS)

    def test_delay(self, tenant, session):
        """The answer is late; with status=None it is the usual one."""
        tenant.fail_next(status=None, delay=0.2)
        with pytest.raises(requests.ReadTimeout):
            session.get(tenant.domain + JWKS, timeout=0.05)
        tenant.fail_next(status=None, delay=0.05)
        assert session.get(tenant.domain + JWKS).elapsed.total_seconds() >= 0.05

    def test_own_framing(self, tenant, session):
        """Headers that frame the body are left to the caller."""
        tenant.fail_next(
            status=200, headers={"Content-Length": "5", "Connection": "x"}, body=b"{}"
        )
        response = session.get(tenant.domain + JWKS, stream=True)
        response.raw.enforce_content_length = True  # urllib3 before 2 would not mind
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            response.content  # noqa: B018
