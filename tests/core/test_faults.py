"""Whatever the other side does, a call ends with a token or a typed error, and nobody gets another's answer."""

import contextlib
import gc
import gzip
import select
import socket
import ssl
import sys
import textwrap
import threading
import time
import zlib
from pathlib import Path

import processes
import pytest
import requests
from faults import (
    CALL,
    GOOD,
    GOODBYE,
    HANDSHAKE,
    HOLD,
    MARK,
    REQUEST,
    RESET,
    FaultServer,
    answer,
    black_holes,
    ca_file,
    connect,
    echo,
    folder,
    forever,
    head,
    mint,
    needs_socks,
    proxy,
    resolving,
    server_context,
    token_body,
    tunnel,
)

from auth0_stt import (
    CustomTokenExchangeError,
    TransportError,
    connections,
    request_session_transfer_token,
)

pytestmark = pytest.mark.usefixtures("trusted")


def lost(server, **changes):
    """Mint without success; return the error."""
    with pytest.raises(TransportError) as caught:
        mint(server, **changes)
    return caught.value


def unusable(server, **changes):
    """Mint, get an answer that can't be used; return the error."""
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint(server, **changes)
    assert "invalid_response" == caught.value.code
    return caught.value


class TestNoConnection:
    """No request leaves where there is no connection, and ``sent`` says so."""

    def test_refused(self):
        """A port that nobody listens on is unreachable, and may be there later."""
        with FaultServer() as server:
            pass
        error = lost(server)
        assert ("unreachable", False, True) == (error.code, error.sent, error.retryable)

    def test_unknown_host(self):
        """A name that does not exist is unreachable for good."""
        with pytest.raises(TransportError) as caught:
            request_session_transfer_token("no-such-host.invalid", **CALL)
        error = caught.value
        assert ("unreachable", False) == (error.code, error.sent)

    @pytest.mark.parametrize(
        ("number", "retryable"),
        [
            (socket.EAI_NONAME, False),
            (socket.EAI_AGAIN, True),
            (socket.EAI_FAIL, False),
        ],
    )
    def test_resolver(self, monkeypatch, number, retryable):
        """A resolver that is down for the moment may be asked again; a name it does not know may not."""

        def getaddrinfo(*args, **kwargs):
            raise socket.gaierror(number, "the resolver's words")

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        with pytest.raises(TransportError) as caught:
            request_session_transfer_token("tenant.test", **CALL)
        error = caught.value
        assert ("unreachable", False, retryable) == (
            error.code,
            error.sent,
            error.retryable,
        )

    def test_name_without_address(self, monkeypatch):
        """A resolver that names no address leaves the host unreachable."""
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [])
        with pytest.raises(TransportError) as caught:
            request_session_transfer_token("tenant.test", **CALL)
        assert ("unreachable", False) == (caught.value.code, caught.value.sent)

    def test_dead_address(self, monkeypatch):
        """A first address that never answers leaves time for the second."""
        with black_holes(1) as addresses, FaultServer(host="tenant.test") as server:
            there = ("127.0.0.1", server.port)
            resolving(monkeypatch, tenant_test=[*addresses, there])
            assert "stt-for-1" == mint(server, reason="1", timeout=0.6)

    def test_interrupted(self, monkeypatch):
        """An exception of somebody else's passes, and leaves no socket behind."""

        def connect(sock, address):
            raise KeyboardInterrupt

        with FaultServer() as server, monkeypatch.context() as patch:
            patch.setattr(socket.socket, "connect", connect)
            with pytest.raises(KeyboardInterrupt):
                mint(server)
        gc.collect()

    def test_network_unreachable(self, monkeypatch):
        """An address without a route is unreachable."""
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *args, **kwargs: [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("255.255.255.255", 443))
            ],
        )
        with pytest.raises(TransportError) as caught:
            request_session_transfer_token("tenant.test", **CALL)
        assert ("unreachable", False, True) == (
            caught.value.code,
            caught.value.sent,
            caught.value.retryable,
        )

    def test_next_address(self, monkeypatch):
        """Each address of a name is tried: one that refuses, and one of a family that this machine lacks."""
        with FaultServer(host="tenant.test") as server, FaultServer() as closed:
            pass
        with FaultServer(host="tenant.test") as server:
            there = ("127.0.0.1", server.port)
            resolving(monkeypatch, tenant_test=[("127.0.0.1", closed.port), there])
            assert "stt-for-1" == mint(server, reason="1")
        with FaultServer(host="tenant.test") as server:
            there = (
                socket.AF_INET,
                socket.SOCK_STREAM,
                0,
                "",
                ("127.0.0.1", server.port),
            )
            lacking = (9999, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
            monkeypatch.setattr(
                socket, "getaddrinfo", lambda *args, **kwargs: [lacking, there]
            )
            assert "stt-for-1" == mint(server, reason="1")


class TestCertificates:
    """Only the tenant itself gets a request: its name, issued by whom we trust, in date, over modern TLS."""

    @pytest.mark.parametrize(
        "context",
        [
            {"issuer": "unknown"},
            {"names": ("elsewhere.test",)},
            {"expired": True},
            {"oldest": True},
        ],
        ids=["unknown issuer", "wrong name", "expired", "TLS 1.0 only"],
    )
    def test_refused(self, context):
        """A server that can't prove itself never sees the request; trying again does not help."""
        with FaultServer(
            context=server_context(*context.pop("names", ()), **context)
        ) as server:
            error = lost(server)
        assert ("tls", False, False) == (error.code, error.sent, error.retryable)
        assert [] == server.requests

    def test_wrong_address(self):
        """A certificate for a name is none for the address behind it."""
        with FaultServer(
            context=server_context("localhost"), host="127.0.0.1"
        ) as server:
            assert "tls" == lost(server).code

    def test_plain_http(self):
        """A port that speaks plain HTTP gets no request."""
        with FaultServer(
            [b"HTTP/1.1 400 Bad Request\r\n\r\n", HOLD], context=None
        ) as server:
            server.domain = server.authority
            error = lost(server)
        assert ("tls", False) == (error.code, error.sent)

    def test_tls_on_plain_port(self):
        """TLS where plain HTTP was asked for (loopback alone) is no HTTP."""
        with FaultServer() as server:
            server.domain = "http://" + server.authority
            with pytest.raises((TransportError, CustomTokenExchangeError)):
                mint(server)
        assert [] == server.requests

    @pytest.mark.parametrize(
        "script",
        [[b"not TLS at all" * 9, HOLD], [b"\x15\x03\x03\x00\x02\x02\x28", HOLD]],
    )
    def test_broken_handshake(self, script):
        """Garbage and an alert in the handshake are TLS failures."""
        with FaultServer(script, handshake=False) as server:
            error = lost(server)
        assert ("tls", False) == (error.code, error.sent)

    def test_alert_midway(self):
        """An alert instead of an answer: the request is out."""

        def script(peer):
            peer.request()
            plain = socket.socket(fileno=peer.sock.detach())
            try:
                # Not encrypted, as no peer would send it: a record that fails its check.
                plain.sendall(b"\x17\x03\x03\x00\x20" + b"\0" * 32)
                peer.wait(0.2)
            finally:
                plain.close()

        with FaultServer(script) as server:
            error = lost(server)
        assert ("tls", True, False) == (error.code, error.sent, error.retryable)


def hello_requests(peer):
    """Answer a TLS hello with HelloRequest records, which need no certificate."""
    peer.sock.recv(65536)
    record = b"\x16\x03\x03\x00\x04" + b"\x00" * 4
    while True:
        peer.send(record * 1000)


class TestFloods:
    """Bytes that OpenSSL swallows without an end are counted and timed all the same."""

    def test_hello_requests(self):
        """In the handshake, from anybody on the path: nothing is sent."""
        started = time.monotonic()
        with FaultServer(hello_requests, handshake=False) as server:
            error = lost(server, timeout=5)
        assert ("unreachable", False) == (error.code, error.sent)
        assert time.monotonic() - started < 2

    @pytest.mark.skipif(sys.version_info < (3, 8), reason="num_tickets is newer")
    def test_session_tickets(self):
        """Before the answer: no more than the largest answer is taken in."""
        context = server_context("localhost")
        if not hasattr(ssl, "TLSVersion") or not ssl.HAS_TLSv1_3:
            pytest.skip("tickets by the thousand are TLS 1.3's")
        context.num_tickets = 4_000
        with FaultServer(echo, context=context) as server:
            error = unusable(server)
        assert "256 KiB" in str(error)

    @pytest.mark.skipif(sys.version_info < (3, 8), reason="num_tickets is newer")
    def test_late_tickets(self):
        """A few tickets, early or late, do no harm to a connection."""
        context = server_context("localhost")
        context.num_tickets = 20
        with FaultServer(context=context) as server:
            assert "stt-for-1" == mint(server, reason="1")
            assert "stt-for-2" == mint(server, reason="2")
        assert 1 == server.connections


class TestReset:
    """A connection that dies is reported with how far the request came, and the request is not repeated."""

    @pytest.mark.parametrize(
        ("script", "sent"),
        [
            ([RESET], False),
            ([], False),
            ([b"\x16\x03\x03", RESET], False),
            ([HANDSHAKE, RESET], None),
            ([HANDSHAKE, REQUEST, RESET], True),
            ([HANDSHAKE, REQUEST], True),
            ([HANDSHAKE, REQUEST, b"HTTP/1.1 20", RESET], True),
            ([HANDSHAKE, REQUEST, head("Content-Length: 9")[:-5], RESET], True),
            ([HANDSHAKE, REQUEST, GOOD[:-5], RESET], True),
            ([HANDSHAKE, REQUEST, GOOD[:-5]], True),
        ],
        ids=[
            "reset before TLS",
            "end before TLS",
            "reset in TLS",
            "reset before the request",
            "reset after the request",
            "end after the request",
            "reset in the status line",
            "reset in the head",
            "reset in the body",
            "end in the body",
        ],
    )
    def test_phase(self, script, sent):
        """Each phase of a call: no second connection is made."""
        with FaultServer(script, echo, handshake=False) as server:
            error = lost(server)
        assert ("unreachable", True) == (error.code, error.retryable)
        # Where the reset races with the request, both are right.
        assert sent in (error.sent, None)
        assert 1 == server.connections

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    @pytest.mark.parametrize(
        "wrong", [lambda server: int("x"), lambda server: mint(server, timeout=0)]
    )
    def test_cut_while_another_is_handled(self, session, wrong):
        """A body that was cut is a lost connection, also while the caller handles a ValueError."""
        with FaultServer([REQUEST, head("Content-Length: 99"), b"{"]) as server:
            try:
                wrong(server)
            except ValueError:
                error = lost(server, session=session)
        assert ("unreachable", True, True) == (error.code, error.sent, error.retryable)

    def test_reset_during_request(self):
        """A connection that dies under a large request: it was sent, as far as one can know."""
        with FaultServer([lambda peer: peer.sock.recv(10), RESET], echo) as server:
            error = lost(server, extra={"evidence": "x" * 3_000_000})
        assert ("unreachable", True) == (error.code, error.sent)
        assert 1 == server.connections


NOT_HTTP = {
    "garbage": b"\x00\xff garbage\r\n\r\n",
    "other protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "status of words": b"HTTP/1.1 OK OK\r\n\r\n",
    "status too large": b"HTTP/1.1 99999 OK\r\n\r\n",
    "status negative": b"HTTP/1.1 -200 OK\r\n\r\n",
    "version 9": b"HTTP/9.9 200 OK\r\n\r\n",
    "many header lines": head(*["X-Flood: 1"] * 1000),
    "one long line": head("X-Flood: " + "x" * 1_000_000),
    "long status line": b"HTTP/1.1 200 " + b"x" * 1_000_000 + b"\r\n\r\n",
    "no colon": head("no colon here"),
    "blank name": head(": value"),
    "space in name": head("Content Length: 4"),
    "folded": head("X-Folded: a", " b"),
    "two lengths": head("Content-Length: 3", "Content-Length: 4"),
    "multipart": head("Content-Type: multipart/mixed", "Content-Length: 0"),
    "control characters": head(
        "Connection: close", "Content-Length: 0", "X-A: \x00\x0b\x85\r"
    ),
    "line of 20 KiB": head("X-Long: " + "x" * 20_000),
    "head of 48 KiB": head(*["X-Long: " + "x" * 16_000] * 3),
    "100 forever": b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000,
    "100 with a flood": (
        b"HTTP/1.1 100 Continue\r\n"
        + b"X-Flood: xxxxxxxxxxxxxxxxxxxxxxxxxx\r\n" * 90
        + b"\r\n"
    )
    * 100,
}

BROKEN_BODIES = {
    "chunk of no size": head("Transfer-Encoding: chunked") + b"\r\n\r\n",
    "chunk of words": head("Transfer-Encoding: chunked")
    + b"many\r\nbytes\r\n0\r\n\r\n",
    "chunk of -1": head("Transfer-Encoding: chunked") + b"-1\r\n" + b"x" * 400_000,
    "chunk of -0x8000": head("Transfer-Encoding: chunked")
    + b"-8000\r\n"
    + b"x" * 400_000,
    "chunk of 2**70": head("Transfer-Encoding: chunked")
    + b"400000000000000000\r\n"
    + b"x" * 400_000,
    "chunk line endless": head("Transfer-Encoding: chunked") + b"0" * 400_000,
    "extension endless": head("Transfer-Encoding: chunked") + b"4;" + b"x" * 400_000,
    "trailer endless": head("Transfer-Encoding: chunked")
    + b"0\r\n"
    + b"X-Flood: 1\r\n" * 50_000,
    "tiny chunks": head("Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 90_000,
    "length too large": answer(b"{}" * 200_000),
    "length absurd": answer(b"{}" * 200_000, length=10**30),
    "length of words": answer(b"{}{}", length="many"),
    "length negative": answer(b"{}" * 200_000, length=-1),
    "no length": head() + b"{}" * 200_000,
}


class TestAnswers:
    """An answer that is no HTTP, or too large, is ``invalid_response``, and its connection is not used again."""

    @pytest.mark.parametrize("data", NOT_HTTP.values(), ids=list(NOT_HTTP))
    def test_not_http(self, data):
        """What has no readable head."""
        with FaultServer([REQUEST, data], echo) as server:
            unusable(server)
            assert "stt-for-2" == mint(server, reason="2")
        assert 2 == server.connections

    @pytest.mark.parametrize("data", BROKEN_BODIES.values(), ids=list(BROKEN_BODIES))
    def test_broken_body(self, data):
        """What has a head and no readable body: cut short it may be a lost connection."""
        with FaultServer([REQUEST, data], echo) as server:
            with pytest.raises((CustomTokenExchangeError, TransportError)) as caught:
                mint(server)
            assert caught.value.code in ("invalid_response", "unreachable")
            assert getattr(caught.value, "sent", True)
            assert "stt-for-2" == mint(server, reason="2")
        assert 2 == server.connections

    @pytest.mark.parametrize(
        ("status", "code"),
        [
            ("400 Bad Request", "token_exchange_failed"),
            ("401 Unauthorized", "invalid_client"),
            ("500 Oops", "server_error"),
            ("599 Odd", "server_error"),
        ],
    )
    def test_largest(self, status, code):
        """64 KiB are read, with a success and with an error; not one byte more."""
        padding = b" " * (64 * 1024 - len(token_body()))
        with FaultServer(
            [REQUEST, answer(token_body() + padding), REQUEST, answer(padding, status)]
        ) as server:
            assert "the-stt" == mint(server)
            with pytest.raises(CustomTokenExchangeError) as caught:
                mint(server)
            assert code == caught.value.code
        with FaultServer(
            [REQUEST, answer(token_body() + padding + b" ")], echo
        ) as server:
            unusable(server)

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    def test_long_line(self, session):
        """A header of 16 KiB is no reason to lose a token, or the status of an error."""
        policy = "Content-Security-Policy: " + "x" * 30_000
        good = answer(None, "200 OK", policy)
        busy = answer(b"busy", "503 Busy", policy)
        with FaultServer([REQUEST, good, REQUEST, busy]) as server:
            assert "the-stt" == mint(server, session=session)
            with pytest.raises(CustomTokenExchangeError) as caught:
                mint(server, session=session)
        assert (503, True) == (caught.value.status_code, caught.value.retryable)

    @pytest.mark.parametrize("lengths", ["0, 5", "many", "-1", "+3", "3, 3"])
    def test_length(self, lengths):
        """A length that is not one number: the status stays known."""
        data = head("Content-Length: " + lengths, status="503 Busy")
        with FaultServer([REQUEST, data], echo) as server:
            error = unusable(server)
            assert "stt-for-2" == mint(server, reason="2")
        assert (503, False) == (error.status_code, error.retryable)

    @pytest.mark.parametrize(
        "status",
        [101, 102, 103, 199, 201, 202, 204, 205, 206, 226, 300, 304, 399, 600, 999],
    )
    def test_status(self, status):
        """Only 200 is a success, only 4xx and 5xx are errors; after anything else the connection is not used."""
        answers = answer(status=f"{status} Odd") + answer(token_body("of-someone-else"))
        with FaultServer([REQUEST, answers, HOLD], echo) as server:
            assert status == unusable(server).status_code
            assert "stt-for-2" == mint(server, reason="2")

    @pytest.mark.parametrize(
        "status", ["103 Early Hints", "204 No Content", "304 Not Modified", "302 Found"]
    )
    def test_answer_after_odd_status(self, status):
        """The final answer that follows early hints never reaches the next caller, however late it comes."""

        def script(peer):
            peer.request()
            peer.send(head("Content-Length: 0", status=status))
            if peer.request() is not None:
                peer.send(answer(token_body("of-someone-else")))

        with FaultServer(script, echo) as server:
            unusable(server)
            assert "stt-for-2" == mint(server, reason="2")

    @pytest.mark.parametrize(
        "location",
        [
            "https://evil.test/",
            "//[",
            "\xff\xfe",
            "http://" + "a" * 4000,
            "\x01",
            "https://a..b/",
            "https://x:99999/",
        ],
    )
    @pytest.mark.parametrize(
        "status", ["301 Moved", "302 Found", "303 See Other", "307 Again", "308 Again"]
    )
    def test_redirect(self, status, location):
        """A redirect is an error: it is not followed, its body not read, its ``Location`` not looked at."""
        data = head("Location: " + location, "Content-Length: 99999999", status=status)
        with FaultServer([REQUEST, data, HOLD], echo) as server:
            assert int(status[:3]) == unusable(server).status_code
        assert 1 == server.connections

    def test_redirect_with_endless_body(self):
        """The endless body of a redirect costs nothing."""
        data = head("Location: /", "Transfer-Encoding: chunked", status="302 Found")
        with FaultServer(
            [REQUEST, data, forever(b"10000\r\n" + b"x" * 65536 + b"\r\n", 0)], echo
        ) as server:
            assert 302 == unusable(server).status_code

    def test_body_until_the_end(self):
        """A body without a length ends with the connection."""
        with FaultServer([REQUEST, head() + token_body(), GOODBYE]) as server:
            assert "the-stt" == mint(server)

    def test_chunked(self):
        """A chunked body, its size lines extended and its trailer filled, is read whole; the connection is kept."""
        body = token_body()
        chunks = b"".join(
            b"1;name=value\r\n" + bytes([byte]) + b"\r\n" for byte in body
        )
        data = (
            head("Transfer-Encoding: chunked") + chunks + b"0\r\nX-Trailer: 1\r\n\r\n"
        )
        with FaultServer([REQUEST, data, REQUEST, data], echo) as server:
            assert ["the-stt", "the-stt"] == [mint(server), mint(server)]
        assert 1 == server.connections

    def test_continue(self):
        """100 Continue is passed over."""
        with FaultServer(
            [REQUEST, b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + GOOD]
        ) as server:
            assert "the-stt" == mint(server)

    def test_connection_close(self):
        """A server that says it closes gets a new connection for the next call, though it does not close."""
        with FaultServer(
            [REQUEST, answer(None, "200 OK", "Connection: close"), HOLD], echo
        ) as server:
            assert "the-stt" == mint(server)
            assert "stt-for-2" == mint(server, reason="2")

    @pytest.mark.parametrize(
        "cookie",
        [
            "a=b; expires=" + "0" * 3000,
            "=;;=",
            '"',
            "a=b; version=x",
            "a=b; domain=.; path=\xff",
            "a" * 4000,
        ],
    )
    def test_hostile_cookie(self, cookie):
        """No cookie is too odd to be ignored."""
        with FaultServer(
            [REQUEST, answer(None, "200 OK", "Set-Cookie: " + cookie)]
        ) as server:
            assert "the-stt" == mint(server)


def gzipped(data, times=1):
    """Compress again and again."""
    for _ in range(times):
        data = gzip.compress(data, 1)
    return data


#: A body by its Content-Encoding; what is in it does not count, since it is not read.
CODED = {
    "gzip": gzipped(b"\0" * 50_000_000),
    "gzip, gzip": gzipped(b"\0" * 50_000_000, 2),
    "deflate": zlib.compress(b"\0" * 50_000_000, 1),
    "x-gzip": gzipped(token_body()),
    "br": b"\x0b\x02\x80hello\x03",
    "zstd": b"\x28\xb5\x2f\xfd\x20\x05\x29\x00\x00hello",
    "compress": b"\x1f\x9d\x90",
    "identity, gzip": gzipped(token_body()),
    "GZIP": gzipped(token_body()),
    "unknown": token_body(),
    "gzip\t": gzipped(token_body()),
    ",".join(["gzip"] * 500): gzipped(token_body()),
}


class TestContentCoding:
    """No content coding is asked for and none accepted."""

    @pytest.mark.parametrize("coding", CODED, ids=[name[:20] for name in CODED])
    @pytest.mark.parametrize("status", ["200 OK", "400 Bad Request"])
    def test_refused(self, coding, status):
        """Whatever coding a server uses, unasked, its body is not decoded."""
        with FaultServer(
            [REQUEST, answer(CODED[coding], status, "Content-Encoding: " + coding)],
            echo,
        ) as server:
            assert int(status[:3]) == unusable(server).status_code
            assert ["identity"] == server.requests[0].headers["accept-encoding"]

    @pytest.mark.parametrize("status", ["200 OK", "503 Busy"])
    def test_two_headers(self, status):
        """Two headers are read as one list, before the body is."""
        codings = ("Content-Encoding: identity", "Content-Encoding: gzip")
        for body in (token_body(), gzipped(token_body())):
            with FaultServer([REQUEST, answer(body, status, *codings)]) as server:
                assert "content coding" in str(unusable(server))

    @pytest.mark.parametrize("coding", ["identity", "Identity", "", " identity "])
    def test_none(self, coding):
        """A coding that is none is accepted."""
        with FaultServer(
            [REQUEST, answer(None, "200 OK", "Content-Encoding: " + coding)]
        ) as server:
            assert "the-stt" == mint(server)

    def test_transfer_coding(self):
        """A transfer coding other than chunked is not decoded either."""
        data = head("Transfer-Encoding: gzip, chunked") + gzipped(b"\0" * 50_000_000)
        with FaultServer([REQUEST, data]) as server:
            unusable(server)

    def test_memory(self):
        """A bomb costs under 8 MB, the request's own cost taken off, and so does an endless body."""
        pytest.importorskip("resource")
        program = """
            import resource, sys
            from auth0_stt import *
            def peak():
                return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            call = eval(sys.stdin.readline())
            before = None
            for number in range(int(sys.argv[2])):
                try:
                    request_session_transfer_token(sys.argv[1], **call)
                except SessionTransferError as error:
                    print(error.code, error)
                before = before or peak()
            print(peak() - before)
        """
        bombs = [
            [REQUEST, answer(CODED[coding], "200 OK", "Content-Encoding: " + coding)]
            for coding in ("gzip", "gzip, gzip", "deflate")
        ]
        endless = [
            [REQUEST, head(), forever(b"{" * 100_000, 0)],
            [
                REQUEST,
                head("Transfer-Encoding: chunked"),
                forever(b"fffff\r\n" + b"{" * 0xFFFFF + b"\r\n", 0),
            ],
            [
                REQUEST,
                head("Transfer-Encoding: chunked") + b"-1\r\n",
                forever(b"{" * 100_000, 0),
            ],
            [
                REQUEST,
                b"HTTP/1.1 200 OK\r\n",
                forever(b"x: " + b"{" * 1000 + b"\r\n", 0),
            ],
        ]
        # The first answer says that its connection ends, lest the next request goes out on it just before it does.
        first = [REQUEST, answer(None, "200 OK", "Connection: close")]
        with FaultServer(first, *bombs, *endless) as server:
            done = processes.run(
                [
                    sys.executable,
                    "-c",
                    textwrap.dedent(program),
                    server.domain,
                    str(1 + len(bombs) + len(endless)),
                ],
                input=repr(CALL),
                text=True,
                check=True,
            )
        *errors, peak = done.stdout.splitlines()
        assert ["invalid_response"] * 7 == [line.split()[0] for line in errors]
        assert int(peak) < 8_000_000


def sized(size):
    """Return a good answer of so many bytes, its body filled up with spaces."""
    missing = size - len(answer(token_body(), length="00000"))
    return answer(
        token_body() + b" " * missing, length=f"{len(token_body()) + missing:05}"
    )


class TestSecondAnswer:
    """Bytes that follow an answer reach nobody, wherever they lie when the answer ends."""

    SECOND = answer(token_body("of-someone-else"))

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    @pytest.mark.parametrize("size", [400, 8_000, 8_191, 8_192, 8_193, 9_000, 12_000])
    def test_same_record(self, size, context):
        """In the same TLS record: in the reader's buffer, or beyond it inside OpenSSL, where select can't see it."""
        for more in (self.SECOND, b"\n", self.SECOND + b"x" * 30_000):
            with FaultServer(
                [REQUEST, sized(size) + more, HOLD], echo, context=context
            ) as server:
                assert "the-stt" == mint(server)
                assert "stt-for-2" == mint(server, reason="2")
            assert 2 == server.connections

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    def test_next_record(self, context):
        """In a record of its own, already there when the next call begins."""

        with FaultServer(
            [REQUEST, GOOD, self.SECOND, MARK, HOLD], echo, context=context
        ) as server:
            assert "the-stt" == mint(server)
            assert server.marked.wait(5)
            assert "stt-for-2" == mint(server, reason="2")

    @pytest.mark.parametrize("size", [8_000, 8_190, 8_191, 8_192])
    def test_given_session(self, size):
        """With a given session, whose reader is its own: what that did not take is nobody's either."""
        more = self.SECOND + b"x" * 12_000
        script = [REQUEST, sized(size) + more[: 16_384 - size], HOLD]
        with FaultServer(script, echo) as server, requests.Session() as session:
            assert "the-stt" == mint(server, session=session)
            assert "stt-for-2" == mint(server, session=session, reason="2")
        assert 2 == server.connections

    def test_chunked(self):
        """Behind the last chunk."""
        body = token_body()
        chunked = head("Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (
            len(body),
            body,
        )
        for more in (self.SECOND, b" " * 9_000 + self.SECOND):
            with FaultServer([REQUEST, chunked + more, HOLD], echo) as server:
                assert "the-stt" == mint(server)
                assert "stt-for-2" == mint(server, reason="2")

    @pytest.mark.parametrize(
        "context",
        [None, "known"],
        ids=["http proxy", "https proxy"],
    )
    @pytest.mark.parametrize("size", [500, 8_192])
    def test_through_proxies(self, monkeypatch, size, context):
        """Behind a proxy, also where TLS runs inside TLS and bytes can lie in more places."""
        with FaultServer(
            [REQUEST, sized(size) + self.SECOND, HOLD], echo
        ) as server, proxy(context=context) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            assert "the-stt" == mint(server)
            assert "stt-for-2" == mint(server, reason="2")
        assert [1, 2] == [request.connection for request in server.requests]

    def test_behind_an_error(self):
        """Behind an error's answer, and behind an empty one."""
        for status, body in (("400 Bad", b"{}"), ("503 Busy", b""), ("200 OK", b"")):
            data = answer(body, status) + b" " * 9_000 + self.SECOND
            with FaultServer([REQUEST, data, HOLD], echo) as server:
                with pytest.raises(CustomTokenExchangeError):
                    mint(server)
                assert "stt-for-2" == mint(server, reason="2")


class TestWords:
    """The message names what happened, and where."""

    def test_no_byte(self):
        """A connection that ends before the answer was waiting, not reading."""
        with FaultServer([REQUEST], [REQUEST, b"HTTP/1.1 2"]) as server:
            assert "while waiting for the answer" in str(lost(server))
            assert "while reading the answer" in str(lost(server))

    def test_goodbye(self):
        """An end of TLS before the answer is an end, though the socket stays open."""

        def goodbye(peer):
            peer.request()
            peer.sock.settimeout(0)
            with contextlib.suppress(ssl.SSLWantReadError):
                peer.sock.unwrap()
            peer.wait()

        with FaultServer(goodbye) as server:
            error = lost(server, timeout=2)
        assert ("unreachable", True) == (error.code, error.sent)
        assert "while waiting for the answer" in str(error)

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    @pytest.mark.skipif(sys.version_info < (3, 8), reason="SSLKEYLOGFILE is newer")
    def test_key_log(self, server, monkeypatch, session):
        """An SSLKEYLOGFILE that can't be written is named."""
        path = "/no-such-folder/keys"
        monkeypatch.setenv("SSLKEYLOGFILE", path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_copy(path)))
        error = lost(server, session=session)
        assert ("tls", False) == (error.code, error.sent)
        assert path in str(error)

    def test_bundle(self, server, monkeypatch):
        """A CA bundle that is missing or empty is named."""
        for path, words in (
            ("/missing.pem", "No such file"),
            ("/dev/null", "no usable"),
        ):
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
            error = lost(server)
            assert ("tls", False) == (error.code, error.sent)
            assert f"{path}: " in str(error)
            assert words in str(error)

    def test_exception_of_the_callers(self, server):
        """What the caller was handling when it minted is not what happened here."""
        with FaultServer() as closed:
            pass
        try:
            raise socket.timeout("the caller's own")
        except socket.timeout:
            error = lost(closed)
        assert "unreachable" == error.code


def ca_copy(name):
    """Return the path of a copy of the tests' authority, so that no context is cached."""
    path = folder() / (name.replace("/", "-") + ".pem")
    path.write_bytes(Path(ca_file()).read_bytes())
    return path


class TestKeptConnections:
    """A connection kept open is replaced when it was closed, and never repeats a request."""

    def test_closed_while_idle(self):
        """A connection that the server closed, or reset, while idle is replaced unnoticed."""
        for end in ([], [RESET]):
            with FaultServer([REQUEST, GOOD, *end], echo) as server:
                assert "the-stt" == mint(server)
                server.wait_for_end(1)
                assert "stt-for-2" == mint(server, reason="2")
            assert 2 == server.connections

    def test_idle_too_long(self, server, monkeypatch):
        """One that was idle for half a minute is not used again: NATs forget them."""
        with monkeypatch.context() as patch:
            for moment, connections in [(1000, 1), (1029.999, 1), (1059.999, 2)]:
                patch.setattr(time, "monotonic", lambda moment=moment: moment)
                mint(server)
                assert connections == server.connections
        server.wait_for_end(1)

    def test_others_idle_too_long(self, monkeypatch):
        """When a connection is opened, all that were idle for too long are ended."""
        both = threading.Barrier(2)

        def script(peer):
            peer.request()
            both.wait(10)
            peer.send(GOOD)
            peer.until_closed()

        with FaultServer(script, script, echo) as server:
            threads = [threading.Thread(target=mint, args=(server,)) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            now = time.monotonic
            monkeypatch.setattr(time, "monotonic", lambda: now() + 31)
            assert "stt-for-3" == mint(server, reason="3")
            server.wait_for_end(1)
            server.wait_for_end(2)
            assert 3 == server.connections

    def test_interrupted_while_looked_at(self, server, monkeypatch):
        """An exception in the look at an idle connection ends it."""
        mint(server)

        def peek(reader, size):
            raise KeyboardInterrupt

        monkeypatch.setattr(connections._Reader, "peek", peek)
        with pytest.raises(KeyboardInterrupt):
            mint(server)
        server.wait_for_end(1)
        assert 1 == server.connections

    def test_interrupted_before_it_is_looked_at(self, server, monkeypatch):
        """An exception as the look begins ends the connection, too."""
        mint(server)
        looked = []

        def is_quiet(connection, call):
            looked.append(connection)
            raise KeyboardInterrupt

        monkeypatch.setattr(connections.Connection, "is_quiet", is_quiet)
        with pytest.raises(KeyboardInterrupt):
            mint(server)
        assert [-1] == [connection.wire.sock.fileno() for connection in looked]

    @pytest.mark.parametrize("end", [[], [RESET]], ids=["closed", "reset"])
    def test_dies_as_it_is_reused(self, end):
        """One that dies as it is reused is an error that says it may have been sent; nothing is replayed."""
        with FaultServer([REQUEST, GOOD, REQUEST, *end], echo) as server:
            assert "the-stt" == mint(server)
            error = lost(server, reason="2")
            assert ("unreachable", True, True) == (
                error.code,
                error.sent,
                error.retryable,
            )
        assert [1, 1] == [request.connection for request in server.requests]


class TestProxies:
    """HTTP proxies that refuse, demand credentials, talk nonsense or die."""

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    @pytest.mark.parametrize(
        ("status", "more", "retryable"),
        [
            ("407 Whatever", b"Proxy-Authenticate: Basic\r\n", False),
            ("403 Forbidden", b"Content-Length: 3\r\n\r\nno!", False),
            ("301 Moved", b"Location: https://evil.test/\r\n", False),
            ("502 Bad Gateway", b"", True),
            ("503 Busy", b"", True),
        ],
    )
    def test_refuses(self, server, monkeypatch, session, status, more, retryable):
        """A proxy's refusal is named by its status, and only some are worth a retry."""
        reply = b"HTTP/1.1 " + status.encode() + b"\r\n" + more + b"\r\n"
        with proxy([connect_only, reply]) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            error = lost(server, session=session)
        assert ("unreachable", False, retryable) == (
            error.code,
            error.sent,
            error.retryable,
        )
        assert f"the proxy refused: {status[:3]}" in str(error)
        assert "Whatever" not in str(error)
        assert [] == server.requests

    @pytest.mark.parametrize(
        "script",
        [
            [],
            [RESET],
            [lambda peer: peer.read_head()],
            [lambda peer: peer.read_head(), RESET],
            [lambda peer: peer.read_head(), b"HTTP/1.1 2"],
            [lambda peer: peer.read_head(), b"HTTP/1.1 200 OK\r\nX-Cut: "],
            [lambda peer: peer.read_head(), b"HTTP/1.1 200 OK\r\n\r\n"],
            [
                lambda peer: peer.read_head(),
                b"HTTP/1.1 200 OK\r\n\r\n",
                lambda peer: peer.sock.recv(9),
                RESET,
            ],
        ],
    )
    def test_dies(self, server, monkeypatch, script):
        """A proxy that dies before the tunnel stands: nothing is sent."""
        with proxy(script) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            with pytest.raises((TransportError, CustomTokenExchangeError)) as caught:
                mint(server)
        assert not getattr(caught.value, "sent", False)
        assert [] == server.requests

    @pytest.mark.parametrize(
        "reply",
        [
            b"\xff\xfe garbage\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X-Flood: 1\r\n" * 50_000,
            b"HTTP/1.1 200 " + b"x" * 400_000,
            b"HTTP/1.1 200 OK\r\n\r\nand more than that",
            b"HTTP/1.1 100 Continue\r\n\r\n",
        ],
        ids=["garbage", "flood", "long line", "more", "100"],
    )
    def test_nonsense(self, server, monkeypatch, reply):
        """A proxy that talks nonsense: a typed error, and nothing is sent."""
        with proxy([connect_only, reply]) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            with pytest.raises((TransportError, CustomTokenExchangeError)) as caught:
                mint(server)
        assert caught.value.code in ("invalid_response", "unreachable", "tls")
        assert not getattr(caught.value, "sent", False)
        assert [] == server.requests

    def test_not_there(self, server, monkeypatch):
        """A proxy that nobody runs."""
        with proxy() as between:
            pass
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        error = lost(server)
        assert ("unreachable", False, True) == (error.code, error.sent, error.retryable)

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    def test_unknown_host(self, server, monkeypatch, session):
        """A proxy whose name does not exist is not there later either."""
        monkeypatch.setenv("HTTPS_PROXY", "http://no-such-proxy.invalid:3128")
        error = lost(server, session=session)
        assert ("unreachable", False) == (error.code, error.sent)
        if session is None:
            assert "connecting to the proxy" in str(error)

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    @pytest.mark.parametrize(
        "url",
        [
            "ftp://127.0.0.1:1",
            "http://",
            "http://[",
            "http://127.0.0.1:99999",
            "http://user:the/secret@127.0.0.1:1",
            "http://a..b:3128",
            "http://\u3002:3128",
            "http://user:%E2%82%AC-secret@127.0.0.1:1",
            "socks://user:the-secret@127.0.0.1:1",
            "SOCKS6://127.0.0.1:1",
            "x://\xff",
        ],
    )
    def test_unusable_url(self, server, monkeypatch, session, url):
        """A proxy's URL that can't be used: nothing is sent, now or later."""
        monkeypatch.setenv("HTTPS_PROXY", url)
        error = lost(server, session=session)
        assert ("unreachable", False, False) == (
            error.code,
            error.sent,
            error.retryable,
        )
        assert [] == server.requests

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    @pytest.mark.parametrize("password", ["the-[-secret", "the-\u2100-secret"])
    def test_unusable_password(self, server, monkeypatch, password, session):
        """A proxy's URL that urllib takes for a malformed one: its password is not shown."""
        monkeypatch.setenv("HTTPS_PROXY", f"socks5h://user:{password}@127.0.0.1:1")
        error = lost(server, session=session)
        assert ("unreachable", False) == (error.code, error.sent)
        assert "secret" not in str(error)

    @pytest.mark.parametrize(
        "session", [None, requests.Session()], ids=["own", "given"]
    )
    def test_no_socks(self, server, monkeypatch, session):
        """A SOCKS proxy without PySocks: the error names it."""
        monkeypatch.setitem(sys.modules, "socks", None)
        monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
        monkeypatch.setenv("HTTPS_PROXY", "socks5h://127.0.0.1:9")
        error = lost(server, session=session)
        assert ("unreachable", False) == (error.code, error.sent)

    @needs_socks
    def test_socks_refuses(self, server, monkeypatch):
        """A SOCKS proxy that refuses: its reason is named, in the words of PySocks."""
        refusal = b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"

        def script(peer):
            peer.sock.recv(65536)
            peer.send(b"\x05\x00")
            peer.sock.recv(65536)
            peer.send(refusal)

        with proxy(script) as between:
            url = between.url.replace("http:", "socks5h:")
            monkeypatch.setenv("HTTPS_PROXY", url)
            error = lost(server)
        assert ("unreachable", False) == (error.code, error.sent)
        assert "not allowed by ruleset" in str(error)

    def test_dies_behind_the_request(self, server, monkeypatch):
        """A tunnel that breaks after the request: sent, and not repeated."""

        def script(peer):
            upstream = connect(peer)
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            relay_until_request(peer, upstream, server)
            upstream.close()

        silent = FaultServer([REQUEST, HOLD], echo)
        with silent as server, proxy(script, tunnel) as between:
            monkeypatch.setenv("HTTPS_PROXY", between.url)
            error = lost(server)
        assert ("unreachable", True) == (error.code, error.sent)
        assert 1 == between.connections


def connect_only(peer):
    """Read a CONNECT."""
    peer.read_head()


def relay_until_request(peer, upstream, server):
    """Carry bytes both ways until the server behind has its request."""
    while not server.requests:
        for sock in select.select([peer.sock, upstream], [], [], 0.05)[0]:
            (upstream if sock is peer.sock else peer.sock).sendall(sock.recv(65536))
