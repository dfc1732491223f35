"""One socket under one clock and one count, without requests."""

import ast
import os
import socket
import threading
import time
from http.client import HTTPException
from pathlib import Path

import pytest
import requests
from faults import (
    GOOD,
    HOLD,
    MARK,
    REQUEST,
    UNTIL_CLOSED,
    FaultServer,
    answer,
    ca_file,
    echo,
    head,
    needs_socks,
    proxy,
    server_context,
    socks,
    tunnel,
)
from requests.adapters import HTTPAdapter

import auth0_stt
from auth0_stt.connections import (
    Call,
    Connection,
    Route,
    UnusableAnswerError,
)

PACKAGE = Path(auth0_stt.__file__).parent
FORM = b"reason=1"


def route(server, by=None):
    """Return the route to a server, by a proxy if one is given."""
    files = () if server.context is None else ((ca_file(), 0),)
    return Route(server.url + "/oauth/token", files, by and by.url, os.getpid())


def post(connection, body=FORM):
    """Post a form."""
    fields = {"Content-Length": str(len(body))}
    return connection.post(fields, body)


class TestCall:
    """The clock and the count of one call."""

    def test_left(self):
        """It counts down from its seconds, and then raises the timeout of sockets."""
        call = Call("tenant.test", 5.0)
        assert 4 < call.left() <= 5
        call.deadline = time.monotonic() - 1
        with pytest.raises(socket.timeout):
            call.left()

    def test_through_requests(self):
        """requests hands it to an adapter as it is: it is a Timeout of urllib3."""
        seen = []

        class Adapter(HTTPAdapter):
            def send(self, request, **settings):
                seen.append(settings["timeout"])
                return super().send(request, **settings)

        call = Call("tenant.test", 5.0)
        with FaultServer(context=None) as server, requests.Session() as session:
            session.mount("http://", Adapter())
            request = requests.Request("POST", server.url, data={"reason": "1"})
            assert 200 == session.send(request.prepare(), timeout=call).status_code
        assert [call] == seen


class TestConnection:
    """A connection does one request after another."""

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    def test_posts(self, context):
        """Each with its own call."""
        with FaultServer(context=context) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            assert 200 == post(connection).status
            call = Call("tenant.test", 5.0)
            assert connection.is_quiet(call)
            reply = post(connection)
            connection.end()
        assert (200, "application/json") == (
            reply.status,
            reply.headers["content-type"],
        )
        assert b"stt-for-1" in reply.body
        assert (True, True) == (call.sent, call.received > len(reply.body))
        assert 1 == server.connections

    @pytest.mark.parametrize("context", [None, "known"], ids=["http", "https"])
    def test_by_proxy(self, context):
        """By a proxy, reached by TLS or not; and TLS to the tenant in either case."""
        trust = server_context() if context else None
        with FaultServer() as server, proxy(context=trust) as between:
            connection = Connection.open(
                route(server, between), Call("tenant.test", 5.0)
            )
            assert 200 == post(connection).status
            assert connection.is_quiet(Call("tenant.test", 5.0))
            connection.end()
        assert 1 == len(between.requests)

    @pytest.mark.parametrize(
        "more",
        [[b"\n"], [GOOD], [], [HOLD]],
        ids=["a byte", "an answer", "an end", "nothing"],
    )
    def test_quiet(self, more):
        """It is quiet if nothing came after its answer, not even an end."""
        with FaultServer([REQUEST, GOOD, *more[:1], MARK, *more[1:]]) as server:
            if more == [HOLD]:
                server.scripts = ([REQUEST, GOOD, MARK, HOLD],)
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            post(connection)
            assert server.marked.wait(5)
            if not more:
                server.wait_for_end(1)
            quiet = connection.is_quiet(Call("tenant.test", 5.0))
            connection.end()
        assert (more == [HOLD]) is quiet

    @pytest.mark.parametrize(
        ("data", "reusable"),
        [
            (GOOD, True),
            (answer(None, "200 OK", "Connection: close"), False),
            (GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
            (head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n", True),
        ],
        ids=["length", "close", "HTTP/1.0", "chunks"],
    )
    def test_reusable(self, data, reusable):
        """An answer says whether its connection serves another request."""
        with FaultServer([REQUEST, data, HOLD]) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            post(connection)
            connection.end()
        assert reusable is connection.reusable

    def test_quiet_under_an_alarm(self):
        """What a signal handler raises while an idle connection is looked at passes."""

        class Alarmed:
            def peek(self, size):
                raise TimeoutError("enough")

        with FaultServer([REQUEST, GOOD, HOLD]) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            post(connection)
            connection.reader = Alarmed()
            with pytest.raises(TimeoutError, match="enough"):
                connection.is_quiet(Call("tenant.test", 5.0))
            connection.end()

    def test_count(self):
        """The bytes of one call are counted on the wire, whatever they are for."""
        with FaultServer([REQUEST, GOOD, HOLD]) as server:
            call = Call("tenant.test", 5.0)
            connection = Connection.open(route(server), call)
            assert call.received > 500  # a certificate
            call.received = 256 * 1024
            with pytest.raises(UnusableAnswerError):
                post(connection)
            connection.end()

    def test_body_in_pieces(self):
        """The limit of a body holds for the sum of its pieces."""
        pieces = 80 * [b"x" * 1024]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(each), each) for each in pieces)
        data = head("Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"
        with FaultServer([REQUEST, data, HOLD]) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            with pytest.raises(UnusableAnswerError) as caught:
                post(connection)
            connection.end()
        assert "64 KiB" in caught.value.problem

    def test_folded_line(self):
        """A folded line is refused: email.parser takes very long for many."""
        data = answer(None, "200 OK", "X-Folded: a\r\n b")
        with FaultServer([REQUEST, data, HOLD]) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            with pytest.raises(HTTPException):
                post(connection)
            connection.end()

    @pytest.mark.parametrize("context", ["known", None], ids=["https", "http"])
    def test_large_request(self, context):
        """A request of many TLS records arrives whole."""
        body = b"reason=" + b",".join(b"%d" % number for number in range(10_000))
        with FaultServer([REQUEST, GOOD, HOLD], context=context) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            post(connection, body)
            connection.end()
        assert body == server.requests[0].body

    def test_one_write(self):
        """Head and body leave in one TLS record, and so in one packet."""
        sizes = []

        def script(peer):
            sizes.append(len(peer.sock.recv(65_536)))
            peer.send(GOOD)
            UNTIL_CLOSED(peer)

        with FaultServer(script) as server:
            connection = Connection.open(route(server), Call("tenant.test", 5.0))
            post(connection)
            connection.end()
        assert sizes[0] > len(FORM) + len("POST /oauth/token HTTP/1.1")

    @pytest.mark.parametrize(
        "scheme", [None, "http", pytest.param("socks5h", marks=needs_socks)]
    )
    def test_without_delay(self, scheme):
        """What is written leaves at once, and waits for no acknowledgement of what went before."""
        with FaultServer() as server, proxy(
            socks if scheme == "socks5h" else tunnel
        ) as between:
            between.url = f"{scheme}://{between.authority}"
            by = between if scheme else None
            connection = Connection.open(route(server, by), Call("tenant.test", 5.0))
            sock = connection.wire.sock
            assert 0 != sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            connection.end()

    def test_many_at_once(self):
        """Connections share nothing."""
        with FaultServer(echo) as server:
            there = route(server)
            wrong = []

            def work(number):
                connection = Connection.open(there, Call("tenant.test", 10.0))
                for _ in range(10):
                    body = b"reason=%d" % number
                    if b"stt-for-%d" % number not in post(connection, body).body:
                        wrong.append(number)
                connection.end()

            threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [] == wrong


@pytest.mark.parametrize(
    "name", ["connections", "transport", "own_session", "failures"]
)
def test_no_private_name(name):
    """No underscored name of another library is used: none that is not defined here."""
    tree = ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))
    defined, used = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            used |= {each.name for each in node.names if each.name.startswith("_")}
    assert set() == {each for each in used if not each.startswith("__")} - defined
