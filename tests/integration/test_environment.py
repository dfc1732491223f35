"""The environment as it is in the field: proxies, bundles, homes, locales, and the interpreter's switches."""

import os
import sys

import processes
import pytest
from faults import CALL, ca_file, needs_socks, proxy, run_beside, socks

#: Mints twice in a process of its own, and tells how it went.
PROGRAM = """
import sys
call = eval(sys.stdin.read())
from auth0_stt import SessionTransferError, request_session_transfer_token
try:
    for mark in sys.argv[2:]:
        print(request_session_transfer_token(sys.argv[1], reason=mark, **call).session_transfer_token)
except SessionTransferError as error:
    print(error.code, getattr(error, "sent", None))
"""

GOOD = ["stt-for-1", "stt-for-2"]
UNTRUSTED = ["tls", "False"]


def outcome(server, options=("-W", "error"), prefix=(), **environment):
    """Return the words that the program prints."""
    bundle = {"REQUESTS_CA_BUNDLE": ca_file(), **environment}
    return run_beside(
        PROGRAM, server.domain, "1", "2", options=options, prefix=prefix, **bundle
    ).split()


class TestProxies:
    """HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

    @pytest.mark.parametrize(
        "name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
    )
    def test_used(self, server, name):
        """The proxy is used, over one connection."""
        with proxy() as between:
            assert GOOD == outcome(server, **{name: between.url})
        assert (1, 1) == (between.connections, server.connections)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("NO_PROXY", "localhost"),
            ("no_proxy", "*"),
            ("NO_PROXY", "example.com, localhost"),
        ],
    )
    def test_not_used(self, server, name, value):
        """Hosts named in NO_PROXY are reached without."""
        with proxy() as between:
            assert GOOD == outcome(server, HTTPS_PROXY=between.url, **{name: value})
        assert 0 == between.connections

    def test_other_hosts(self, server):
        """NO_PROXY for other hosts changes nothing."""
        with proxy() as between:
            assert GOOD == outcome(
                server, HTTPS_PROXY=between.url, NO_PROXY="example.com,127.0.0.1"
            )
        assert 1 == between.connections

    def test_without_scheme(self, server):
        """A proxy may be named as host and port alone."""
        with proxy() as between:
            assert GOOD == outcome(server, HTTPS_PROXY=f"127.0.0.1:{between.port}")
        assert 1 == between.connections

    def test_empty(self, server):
        """Variables that are set to nothing are none."""
        assert GOOD == outcome(server, HTTPS_PROXY="", ALL_PROXY="", NO_PROXY="")

    @needs_socks
    def test_socks(self, server):
        """A SOCKS proxy is used."""
        with proxy(socks) as between:
            assert GOOD == outcome(
                server, ALL_PROXY=between.url.replace("http", "socks5h")
            )
        assert 1 == between.connections

    def test_no_socks(self, server):
        """A SOCKS proxy without PySocks is a typed error, and nothing is sent."""
        program = "import sys\nsys.modules['socks'] = None\n" + PROGRAM
        printed = run_beside(
            program,
            server.domain,
            "1",
            REQUESTS_CA_BUNDLE=ca_file(),
            ALL_PROXY="socks5://127.0.0.1:9",
        )
        assert ["unreachable", "False"] == printed.split()


class TestBundles:
    """REQUESTS_CA_BUNDLE holds; SSL_CERT_FILE has no say, as with requests."""

    def test_none(self, server):
        """Without a bundle only the public authorities are known."""
        assert UNTRUSTED == outcome(server, REQUESTS_CA_BUNDLE=None)

    def test_curl(self, server):
        """CURL_CA_BUNDLE stands in for REQUESTS_CA_BUNDLE."""
        assert GOOD == outcome(
            server, REQUESTS_CA_BUNDLE=None, CURL_CA_BUNDLE=ca_file()
        )
        assert GOOD == outcome(server, CURL_CA_BUNDLE=ca_file("unknown"))

    def test_ssl_cert_file(self, server):
        """SSL_CERT_FILE neither adds trust nor takes it, wherever it points."""
        assert UNTRUSTED == outcome(
            server, REQUESTS_CA_BUNDLE=None, SSL_CERT_FILE=ca_file()
        )
        for path in (ca_file("unknown"), "/missing"):
            assert GOOD == outcome(server, SSL_CERT_FILE=path, SSL_CERT_DIR=path)

    @pytest.mark.parametrize(
        "path", ["/missing", os.devnull, __file__, os.path.dirname(__file__)]
    )
    def test_unusable(self, server, path):
        """A bundle that is missing, empty, no PEM, or a directory without any: a typed error, nothing is sent."""
        assert UNTRUSTED == outcome(server, REQUESTS_CA_BUNDLE=path)
        assert [] == server.requests


class TestHomes:
    """No home is needed, and no .netrc in it is read."""

    def test_netrc(self, server, tmp_path):
        """An entry for the host, in NETRC or at home, adds no header."""
        (tmp_path / ".netrc").write_text(
            "machine localhost login a password b\ndefault login c password d\n"
        )
        assert GOOD == outcome(server, NETRC=str(tmp_path / ".netrc"))
        assert GOOD == outcome(server, NETRC=None, HOME=str(tmp_path))
        assert not any(
            "authorization" in request.headers for request in server.requests
        )

    def test_home(self, server, tmp_path):
        """A home that is missing, empty, read-only, or not set."""
        read_only = tmp_path / "home"
        read_only.mkdir(mode=0o500)
        for home in (None, "/missing", str(read_only)):
            assert GOOD == outcome(
                server, HOME=home, NETRC=None, XDG_CONFIG_HOME=home, TMPDIR="/missing"
            )
        assert [] == os.listdir(str(read_only))


class TestInterpreter:
    """The interpreter's switches and variables."""

    @pytest.mark.parametrize(
        "options",
        [
            ["-O"],
            ["-OO", "-B", "-s", "-u"],
            ["-X", "dev"],
            ["-X", "dev", "-bb", "-W", "error"],
        ],
        ids=" ".join,
    )
    def test_options(self, server, options):
        """Optimised, in development mode, with warnings as errors: the same answers, and not a word more."""
        assert GOOD == outcome(server, options=options)
        assert 1 == server.connections

    def test_hash_seed(self, server):
        """The bytes on the wire do not depend on hashes."""
        for seed in ("0", "4294967295", "random"):
            assert GOOD == outcome(server, PYTHONHASHSEED=seed)
        assert 1 == len(
            {
                request.body
                for request in server.requests
                if request.form["reason"] == "1"
            }
        )
        assert 1 == len({tuple(request.headers) for request in server.requests})

    @pytest.mark.parametrize(
        "variables",
        [
            {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
            {
                "LC_ALL": "tr_TR.UTF-8",
                "PYTHONIOENCODING": "ascii",
                "TZ": "Pacific/Kiritimati",
            },
        ],
        ids=str,
    )
    def test_locale(self, server, variables):
        """No locale and no time zone changes a byte; what is not ASCII arrives as UTF-8."""
        call = {**CALL, "extra": {"name": "Zo\u00eb \u2603"}}
        printed = run_beside(
            "# coding: utf-8\n" + PROGRAM,
            server.domain,
            "1",
            call=call,
            REQUESTS_CA_BUNDLE=ca_file(),
            **variables,
        )
        assert "stt-for-1" == printed.strip()
        assert "Zo\u00eb \u2603" == server.requests[0].form["name"]

    def test_no_standard_streams(self, server):
        """A daemon may have closed its standard streams."""
        program = f"from auth0_stt import *\nrequest_session_transfer_token({server.domain!r}, **{CALL!r})"
        done = processes.run(
            [
                "sh",
                "-c",
                'exec "$@" <&- >&- 2>&-',
                "sh",
                sys.executable,
                "-W",
                "error",
                "-c",
                program,
            ],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "REQUESTS_CA_BUNDLE": ca_file(),
            },
        )
        assert (0, 1) == (done.returncode, len(server.requests))

    def test_few_descriptors(self, server):
        """Where descriptors are used up the error is typed, and says that nothing was sent."""
        program = """
            import os, resource, sys
            call = eval(sys.stdin.read())
            from auth0_stt import TransportError, request_session_transfer_token
            request_session_transfer_token(sys.argv[1], **call)
            resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1], ) * 2)
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            taken = []
            try:
                while True:
                    taken.append(os.dup(0))
            except OSError:
                pass
            try:
                # Another name for the same host needs another connection.
                request_session_transfer_token(sys.argv[1].replace("localhost", "127.0.0.1"), **call)
            except TransportError as error:
                print(error.code, error.sent)
            for number in taken:
                os.close(number)
            print(request_session_transfer_token(sys.argv[1], **call).session_transfer_token)
        """
        printed = run_beside(
            program, server.domain, REQUESTS_CA_BUNDLE=ca_file()
        ).split()
        assert ["False", "stt-for-nobody"] == printed[1:]
        assert printed[0] in ("unreachable", "tls")

    def test_import_does_nothing(self):
        """Importing opens no file of ours, no connection and no thread, and needs no variable."""
        program = """
            import socket, ssl, threading
            import requests  # some releases read the CA bundle when they are imported
            def never(*args, **kwargs):
                raise AssertionError
            socket.socket.connect = ssl.SSLContext.load_verify_locations = threading.Thread.start = never
            import auth0_stt
            print(threading.active_count())
        """
        assert "1" == run_beside(program, HOME=None).strip()
