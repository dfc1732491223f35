"""A call never outlives its timeout by more than a tenth of a second, whatever the other side does."""

import contextlib
import gc
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests.utils
from faults import (
    HOLD,
    REQUEST,
    FaultServer,
    answer,
    black_holes,
    ca_file,
    client_certificate,
    connect,
    dripping,
    forever,
    head,
    mint,
    needs_socks,
    proxy,
    server_context,
    socks,
    token_body,
    tunnel,
)

from auth0_stt import CustomTokenExchangeError, InvalidArgumentError, TransportError

TIMEOUT = 0.5

#: The tenth of a second, and a little for a machine that does other things too.
SLACK = 0.15 * max(
    1.0, os.getloadavg()[0] / (os.cpu_count() or 1)
)  # a machine with more to do wakes us later

DRIPPING_HEAD = head("Content-Length: 4", "X-Slow: " + "x" * 200)
CHUNKED = head("Transfer-Encoding: chunked")
LARGE = {"extra": {"evidence": "x" * 8_000_000}}


def slow_reader(peer):
    """Read a request a little at a time."""
    while peer.sock.recv(1024):
        peer.wait(0.02)


def half_handshake(peer):
    """Answer a TLS hello byte by byte: a record that promises more than it brings."""
    peer.sock.recv(65536)
    peer.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 100)


def half_record(peer):
    """Answer a request with one TLS record, byte by byte: nothing of it can be decrypted."""
    peer.request()
    plain = socket.socket(fileno=os.dup(peer.sock.fileno()))
    with plain:
        for byte in b"\x17\x03\x03\x40\x00" + b"\x02" * 1000:
            plain.sendall(bytes([byte]))
            peer.wait(0.04)


def no_handshake(peer):
    """Establish a tunnel to a server that says nothing."""
    peer.read_head()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    peer.wait()


def no_handshake_but_drops(peer):
    """Establish a tunnel to a server that is at its handshake for ever."""
    peer.read_head()
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    half_handshake(peer)


def dripping_tunnel(peer):
    """Carry what comes back byte by byte."""
    upstream = connect(peer)
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    with upstream:
        thread = threading.Thread(target=lambda: relay_up(peer, upstream), daemon=True)
        thread.start()
        try:
            for data in iter(lambda: upstream.recv(1), b""):
                peer.drip(data)
        finally:
            with contextlib.suppress(OSError):
                upstream.shutdown(socket.SHUT_RDWR)
            peer.shut_down()
            thread.join()


def relay_up(peer, upstream):
    """Carry what the client sends."""
    with contextlib.suppress(OSError, ValueError):
        for data in iter(lambda: peer.sock.recv(65536), b""):
            upstream.sendall(data)


WAITED = ("timeout", True)
UNSENT = ("timeout", False)
REFUSED = ("unreachable", False)
UNUSABLE = ("invalid_response", None)

#: A script, the server's other settings, what the call changes, and what is expected.
SERVERS = {
    "silent before TLS": ([HOLD], {"handshake": False}, {}, UNSENT),
    "slow TLS": (half_handshake, {"handshake": False}, {}, UNSENT),
    "silent after TLS": ([HOLD], {}, {}, WAITED),
    "silent after the request": ([REQUEST, HOLD], {}, {}, WAITED),
    "silent in the status line": ([REQUEST, b"HTTP/1.1 20", HOLD], {}, {}, WAITED),
    "silent in the head": ([REQUEST, DRIPPING_HEAD[:-5], HOLD], {}, {}, WAITED),
    "silent in the body": ([REQUEST, answer(b"{", length=9), HOLD], {}, {}, WAITED),
    "silent in a chunk": ([REQUEST, CHUNKED + b"9\r\n{", HOLD], {}, {}, WAITED),
    "silent before the last chunk": (
        [REQUEST, CHUNKED + b"1\r\n{\r\n", HOLD],
        {},
        {},
        WAITED,
    ),
    "silent in the trailer": (
        [REQUEST, CHUNKED + b"1\r\n{\r\n0\r\nX-", HOLD],
        {},
        {},
        WAITED,
    ),
    "silent before the end": ([REQUEST, head() + b"{}", HOLD], {}, {}, WAITED),
    "silent where a redirect's body is": (
        [REQUEST, head("Location: /", status="302 Found"), HOLD],
        {},
        {},
        UNUSABLE,
    ),
    "a byte of the head now and then": (
        [REQUEST, dripping(DRIPPING_HEAD)],
        {},
        {},
        WAITED,
    ),
    "a header line now and then": (
        [REQUEST, b"HTTP/1.1 200 OK\r\n", forever(b"X-A: b\r\n")],
        {},
        {},
        WAITED,
    ),
    "a byte of the body now and then": (
        [REQUEST, answer(b"", length=99), forever(b" ")],
        {},
        {},
        WAITED,
    ),
    "just before each silence ends": (
        [REQUEST, answer(b"", length=99), forever(b" ", TIMEOUT - 0.05)],
        {},
        {},
        WAITED,
    ),
    "a byte of a TLS record now and then": (half_record, {}, {}, WAITED),
    "a body that never ends": ([REQUEST, head(), forever(b" ")], {}, {}, WAITED),
    "an error that never ends": (
        [REQUEST, head(status="500 Oops"), forever(b" ")],
        {},
        {},
        WAITED,
    ),
    "endless chunks": ([REQUEST, CHUNKED, forever(b"1\r\n \r\n")], {}, {}, WAITED),
    "an endless chunk line": ([REQUEST, CHUNKED, forever(b"0")], {}, {}, WAITED),
    "endless 100 Continue": (
        [REQUEST, forever(b"HTTP/1.1 100 Continue\r\n\r\n")],
        {},
        {},
        WAITED,
    ),
    "slow reader": (slow_reader, {}, LARGE, WAITED),
    "slow reader, plain": (slow_reader, {"context": None}, LARGE, WAITED),
    "no reader": ([HOLD], {}, LARGE, WAITED),
    "plain, silent": ([HOLD], {"context": None}, {}, WAITED),
    "plain, a byte now and then": (
        [REQUEST, dripping(DRIPPING_HEAD)],
        {"context": None},
        {},
        WAITED,
    ),
    "mTLS, silent before TLS": ([HOLD], {"handshake": False}, "certificate", UNSENT),
    "costly header": (
        [
            REQUEST,
            head('Content-Type: multipart/mixed; boundary="' + ";" * 60_000),
            HOLD,
        ],
        {},
        {},
        UNUSABLE,
    ),
    "costly header, folded": (
        [
            REQUEST,
            head(
                'Content-Type: multipart/mixed; boundary="', *[" " + ";" * 3_000] * 40
            ),
            HOLD,
        ],
        {},
        {},
        UNUSABLE,
    ),
}

#: Missing is a SOCKS proxy that sends a byte now and then: PySocks reads by itself, and begins anew for each step.
#: A script of the proxy, and of the server behind it, the proxy's other settings, and what is expected.
PROXIES = {
    "silent": ([HOLD], None, {}, UNSENT),
    "silent after CONNECT": ([lambda peer: peer.read_head(), HOLD], None, {}, UNSENT),
    "a byte of the answer now and then": (
        [lambda peer: peer.read_head(), dripping(DRIPPING_HEAD)],
        None,
        {},
        UNSENT,
    ),
    "endless 100 Continue": (
        [lambda peer: peer.read_head(), forever(b"HTTP/1.1 100 Continue\r\n\r\n")],
        None,
        {},
        UNSENT,
    ),
    "endless refusal": (
        [lambda peer: peer.read_head(), head(status="407 No"), forever(b"x")],
        None,
        {},
        REFUSED,
    ),
    "no TLS behind": (no_handshake, None, {}, UNSENT),
    "slow TLS behind": (no_handshake_but_drops, None, {}, UNSENT),
    "slow, byte by byte": (dripping_tunnel, None, {}, UNSENT),
    "silent behind": (tunnel, [REQUEST, HOLD], {}, WAITED),
    "slow behind": (tunnel, [REQUEST, dripping(DRIPPING_HEAD)], {}, WAITED),
    "slow reader behind": (tunnel, slow_reader, {}, WAITED),
    "https, silent before TLS": (
        [HOLD],
        None,
        {"context": "known", "handshake": False},
        UNSENT,
    ),
    "https, slow TLS": (
        half_handshake,
        None,
        {"context": "known", "handshake": False},
        UNSENT,
    ),
    "https, silent": ([HOLD], None, {"context": "known"}, UNSENT),
    "https, slow answer": (
        [lambda peer: peer.read_head(), dripping(DRIPPING_HEAD)],
        None,
        {"context": "known"},
        UNSENT,
    ),
    "https, no TLS behind": (no_handshake, None, {"context": "known"}, UNSENT),
    "https, slow TLS behind": (
        no_handshake_but_drops,
        None,
        {"context": "known"},
        UNSENT,
    ),
    "SOCKS, silent": ([HOLD], None, {}, UNSENT),
    "SOCKS, silent behind": (socks, [HOLD], {}, UNSENT),
    "SOCKS, slow, then silent behind": (
        lambda peer: socks(peer, 0.03),
        [HOLD],
        {},
        UNSENT,
    ),
    "https, slow behind": (
        tunnel,
        [REQUEST, dripping(DRIPPING_HEAD)],
        {"context": "known"},
        WAITED,
    ),
}


#: What some cases need, by the first word of their name.
NEEDS = {"SOCKS": needs_socks}


def timed(server, **changes):
    """Return what a mint raised, and the seconds it took."""
    started = time.monotonic()
    with pytest.raises((TransportError, CustomTokenExchangeError)) as caught:
        mint(server, **{"timeout": TIMEOUT, **changes})
    return caught.value, time.monotonic() - started


def against_server(name):
    script, options, changes, _ = SERVERS[name]
    if changes == "certificate":
        changes = {
            "client_certificate": client_certificate("deadline"),
            "client_secret": None,
        }
    with FaultServer(script, **options) as server:
        return timed(server, **changes)


def against_proxy(name):
    script, behind, options, _ = PROXIES[name]
    # The server ends first: a proxy may wait for it to read.
    with proxy(script, **options) as between, FaultServer(
        behind or [HOLD], handshake=behind != [HOLD]
    ) as server:
        # Each case has its own name, which resolves to loopback: the environment is the whole process's.
        server.domain = f"{proxy_host(name)}:{server.port}"
        PROXY_URLS[server.domain] = (
            between.url.replace("http:", "socks5h:") if "SOCKS" in name else between.url
        )
        return timed(server, **(LARGE if behind is slow_reader else {}))


PROXY_URLS = {}


def proxy_host(name):
    """Return a host name for a case."""
    return f"case{sorted(PROXIES).index(name)}.proxied.test"


@pytest.fixture(scope="module")
def loopback():
    """Trust the tests' authority, resolve their names, and find each case's proxy."""
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        local = name.endswith(".proxied.test") or name == "mtls.localhost"
        return real("127.0.0.1" if local else host, port, *args, **kwargs)

    def proxies(url, no_proxy=None):
        found = PROXY_URLS.get(url.split("/")[2])
        return {"https": found} if found else {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", ca_file())
        patch.setattr(socket, "getaddrinfo", getaddrinfo)
        patch.setenv("NO_PROXY", "")  # so that it asks for proxies at all
        patch.setattr(requests.utils, "get_environ_proxies", proxies)
        yield


@pytest.fixture(scope="module")
def outcomes(loopback):
    """Run all cases at the same time, since they do nothing but wait."""
    server_context()
    client_certificate("deadline")
    with ThreadPoolExecutor(8) as pool:
        waiting = {
            ("server", name): pool.submit(against_server, name) for name in SERVERS
        }
        waiting.update(
            {("proxy", name): pool.submit(against_proxy, name) for name in PROXIES}
        )
        return {case: future.result() for case, future in waiting.items()}


def best(outcome, again, expected):
    """Return the first outcome of three that is in time and as expected: one may have had to wait for others."""
    for _ in range(2):
        error, seconds = outcome
        if seconds <= TIMEOUT + SLACK and facts(error) == expected:
            break
        outcome = again()
    return outcome


def facts(error):
    """Return what tells one failure from another."""
    return error.code, error.sent if isinstance(error, TransportError) else None


class TestDeadline:
    """Each case in :data:`SERVERS` and :data:`PROXIES` is a way to take longer."""

    @pytest.mark.parametrize("name", SERVERS)
    def test_server(self, outcomes, name):
        """A server that is slow in its own way."""
        expected = SERVERS[name][-1]
        error, seconds = best(
            outcomes["server", name], lambda: against_server(name), expected
        )
        assert expected == facts(error)
        assert seconds <= TIMEOUT + SLACK
        if error.code == "timeout":
            assert seconds >= TIMEOUT - 0.01

    @pytest.mark.parametrize(
        "name",
        [
            pytest.param(name, marks=NEEDS.get(name.split(",")[0], ()))
            for name in PROXIES
        ],
    )
    def test_proxy(self, outcomes, name):
        """A proxy that is slow in its own way, or a server behind it."""
        expected = PROXIES[name][-1]
        error, seconds = best(
            outcomes["proxy", name], lambda: against_proxy(name), expected
        )
        assert expected == facts(error)
        assert seconds <= TIMEOUT + SLACK

    def test_dead_addresses(self, monkeypatch):
        """Several addresses of one name that never answer share one clock."""
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file())
        with black_holes(4) as addresses:
            found = [
                (socket.AF_INET, socket.SOCK_STREAM, 0, "", address)
                for address in addresses
            ]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
            with FaultServer(host="tenant.test") as server:
                error, seconds = timed(server)
        assert ("timeout", False) == (error.code, error.sent)
        assert TIMEOUT - 0.01 <= seconds <= TIMEOUT + SLACK

    def test_kept_connection(self, loopback):
        """A connection that was good once has no more time than a new one."""
        with FaultServer([REQUEST, answer(), REQUEST, HOLD]) as server:
            assert "the-stt" == mint(server, timeout=30)
            error, seconds = timed(server)
        assert ("timeout", True) == (error.code, error.sent)
        assert seconds <= TIMEOUT + SLACK

    def test_not_too_early(self, loopback):
        """What is slow, but in time, is a success."""
        data = answer(token_body())
        with FaultServer([REQUEST, dripping(data, 0.001)]) as server:
            assert "the-stt" == mint(server, timeout=10)

    def test_message(self, loopback):
        """The error tells the host, the seconds and the phase."""
        with FaultServer([REQUEST, HOLD]) as server:
            error, _ = timed(server, timeout=0.3)
        assert server.authority in str(error)
        assert "0.3 seconds" in str(error)
        assert "waiting for the answer" in str(error)

    @pytest.mark.parametrize(
        "timeout", [0, -1, float("nan"), float("inf"), 1e10, "1", True, None]
    )
    def test_no_time(self, timeout):
        """A timeout that is no number of seconds is an argument's error."""
        with FaultServer() as server, pytest.raises(InvalidArgumentError) as caught:
            mint(server, timeout=timeout)
        assert ("timeout", 0) == (caught.value.argument, server.connections)

    def test_tiny(self, loopback):
        """The smallest timeout is one."""
        with FaultServer() as server:
            error, seconds = timed(server, timeout=1e-9)
        assert "timeout" == error.code
        assert seconds <= SLACK


class TestNothingLeft:
    """Nothing stays behind a call that failed."""

    @pytest.mark.skipif(
        not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc"
    )
    def test_threads_and_sockets(self, loopback, monkeypatch):
        """No thread and no socket is left, not even until the garbage is collected."""
        monkeypatch.setitem(globals(), "TIMEOUT", 0.2)
        gc.collect()
        gc.disable()
        try:
            before = sockets()
            threads = threading.active_count()
            for name in (
                "silent before TLS",
                "silent after TLS",
                "silent in the body",
                "slow reader",
            ):
                against_server(name)
            for name in ("silent", "no TLS behind", "silent behind", "slow TLS behind"):
                against_proxy(name)
            assert not sockets() - before
            assert threads == threading.active_count()
        finally:
            gc.enable()


def sockets():
    """Return the open sockets of this process."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            name = os.readlink("/proc/self/fd/" + number)
            if name.startswith("socket:"):
                found.add(name)
    return found
