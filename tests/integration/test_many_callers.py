"""Many callers at once: each gets its own answer, over as few connections as there are threads."""

import importlib.util
import os
import signal
import textwrap
import threading

import pytest
import requests
from faults import (
    FORKING,
    GOOD,
    HOLD,
    REQUEST,
    FaultServer,
    answer,
    ca_file,
    echo,
    mint,
    run_beside,
    token_body,
)
from requests.adapters import HTTPAdapter

from auth0_stt import SessionTransferError

pytestmark = pytest.mark.usefixtures("trusted")


def in_threads(number, work):
    """Run work(index) in so many threads that begin together; return what went wrong."""
    wrong = []
    together = threading.Barrier(number)

    def run(index):
        try:
            together.wait()
            work(index)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


class TestThreads:
    """Threads share a session, and nothing else."""

    @pytest.mark.parametrize("given", [False, True], ids=["pooled", "given"])
    def test_own_answers(self, server, given, recwarn):
        """64 threads: every answer is the caller's own, no connection more than threads, no warning."""
        threads, calls = 64, 10 if os.environ.get("AUTH0_STT_FEW_EXAMPLES") else 25
        session = None
        if given:
            session = requests.Session()
            session.mount("https://", HTTPAdapter(pool_maxsize=threads))

        def work(index):
            for number in range(calls):
                mark = f"{index}-{number}"
                assert "stt-for-" + mark == mint(
                    server, session=session, reason=mark, timeout=60
                )

        assert [] == in_threads(threads, work)
        assert threads * calls == len(server.requests)
        assert server.connections <= threads
        assert [] == list(recwarn)
        if given:
            session.close()

    def test_unruly_server(self):
        """A server that answers twice, cuts, and closes: an answer is the caller's own, or an error."""

        def unruly(peer):
            for number, request in enumerate(iter(peer.request, None)):
                own = answer(token_body("stt-for-" + request.form["reason"]))
                if number % 5 == 4:
                    peer.send(own + b" " * (8_192 - len(own) % 8_192) + own)
                elif number % 7 == 6:
                    peer.send(own[:-7])
                    return
                elif number % 11 == 10:
                    peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + own)
                else:
                    peer.send(own)

        errors = []

        def work(index):
            for number in range(20):
                mark = f"{index}-{number}"
                try:
                    assert "stt-for-" + mark == mint(server, reason=mark, timeout=60)
                except SessionTransferError as error:
                    errors.append(error.code)

        with FaultServer(unruly) as server:
            assert [] == in_threads(16, work)
        assert {"unreachable", "invalid_response"} >= set(errors)
        assert 16 * 20 > 2 * len(errors)

    def test_session_begun_by_many(self, server, monkeypatch, tmp_path):
        """Threads that make the process's first call together end up with working connections, all of them."""
        bundle = tmp_path / "first.pem"
        with open(ca_file(), "rb") as known:
            bundle.write_bytes(known.read())
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

        def work(index):
            assert f"stt-for-{index}" == mint(server, reason=str(index), timeout=60)

        assert [] == in_threads(32, work)
        assert server.connections <= 32

    def test_bundle_changes_under_load(self, server, monkeypatch, tmp_path):
        """The CA bundle may change while threads are at work."""
        paths = []
        for number in range(20):
            paths.append(tmp_path / f"{number}.pem")
            with open(ca_file(), "rb") as known:
                paths[-1].write_bytes(known.read())

        def work(index):
            for number in range(20):
                if not index:
                    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(paths[number]))
                mark = f"{index}-{number}"
                assert "stt-for-" + mark == mint(server, reason=mark, timeout=60)

        assert [] == in_threads(8, work)


#: What the programs below begin with: ``own`` mints with a mark and sees that the answer is its own.
BEGINNING = """
import os, sys, threading, warnings
import requests
from auth0_stt import request_session_transfer_token
CALL = {**eval(sys.stdin.read()), "timeout": 60}
SESSION = requests.Session() if "given" in sys.argv else None
def own(mark):
    mark = "%s-%s" % (os.getpid(), mark)
    token = request_session_transfer_token(sys.argv[1], reason=mark, session=SESSION, **CALL).session_transfer_token
    assert token == "stt-for-" + mark, (token, mark)
def children(number, calls):
    pids = []
    for _ in range(number):
        pid = os.fork()
        if not pid:
            try:
                for call in range(calls):
                    own(call)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_alarms(server):
    """An exception of a signal handler, wherever it comes: later calls go on.

    urllib3's pool, which a caller's session has, may then hang for good. In a process of
    its own: coverage's tracer hangs, too.
    """
    program = """
        import random, signal, traceback

        class AlarmError(Exception):
            "As Celery's SoftTimeLimitExceeded."

        def handler(*_):
            raise AlarmError

        def show(*error):
            traceback.print_exception(*error, file=sys.__stderr__)

        # What is hit between two steps leaves its socket to the garbage collector.
        sys.stderr, sys.excepthook = None, show
        sys.unraisablehook = lambda unraisable: None
        signal.signal(signal.SIGALRM, handler)
        chance, interrupted = random.Random(7), 0
        for number in range(600):
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-5, 1.5e-3))
                own(number)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except AlarmError:
                interrupted += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert interrupted > 20
        done = []
        def work():
            own(threading.get_ident())
            done.append(1)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [1] * 4 == done
        own("last")
    """
    run_beside(BEGINNING + textwrap.dedent(program), server.domain)
    assert server.requests[-1].form["reason"].endswith("-last")


def processes(server):
    """Return the processes that used each connection."""
    used = {}
    for request in server.requests:
        used.setdefault(request.connection, set()).add(
            request.form["reason"].split("-")[0]
        )
    return used


class TestForks:
    """A forked child has connections of its own."""

    def test_before_and_after(self, server):
        """Children before the first call and after it, 16 each time, and the parent in between."""
        program = """
            children(16, 3)
            own("first")
            children(16, 3)
            own("last")
        """
        run_beside(BEGINNING + textwrap.dedent(program), server.domain, options=FORKING)
        assert 16 * 3 * 2 + 2 == len(server.requests)
        assert all(1 == len(pids) for pids in processes(server).values())
        assert 33 == server.connections

    def test_during(self, server):
        """Children while threads are in the middle of their calls.

        Not of their very first ones: a fork while OpenSSL loads certificates for the first time, or makes a thread's
        random numbers for the first time, leaves a lock of its own held in the child, for all of Python.
        """
        program = """
            own("first")
            wrong, stop, begun = [], threading.Event(), threading.Barrier(5)
            def busy(index):
                try:
                    own("%s-begun" % index)
                    begun.wait()
                    number = 0
                    while not stop.is_set() or number < 5:
                        own("%s-%s" % (index, number))
                        number += 1
                except BaseException as error:
                    wrong.append(error)
                    raise
            threads = [threading.Thread(target=busy, args=(index,)) for index in range(4)]
            for thread in threads:
                thread.start()
            begun.wait()
            children(16, 3)
            stop.set()
            for thread in threads:
                thread.join()
            assert not wrong
        """
        run_beside(BEGINNING + textwrap.dedent(program), server.domain, options=FORKING)
        assert all(1 == len(pids) for pids in processes(server).values())
        assert server.connections <= 16 + 4

    def test_grandchildren(self, server):
        """And the children of children."""
        program = """
            own("first")
            if not os.fork():
                own("child")
                children(2, 2)
                own("child-again")
                os._exit(0)
            assert os.wait()[1] == 0
            own("last")
        """
        run_beside(BEGINNING + textwrap.dedent(program), server.domain, options=FORKING)
        assert all(1 == len(pids) for pids in processes(server).values())
        assert 4 == server.connections

    def test_same_process_id(self, server):
        """A child with its parent's process id, as in a namespace of its own."""
        program = """
            os.getpid = lambda: 1
            own("first")
            if not os.fork():
                own("child")
                os._exit(0)
            assert os.wait()[1] == 0
            own("last")
        """
        run_beside(BEGINNING + textwrap.dedent(program), server.domain, options=FORKING)
        assert [1, 2, 1] == [request.connection for request in server.requests]

    def test_without_a_hook(self, server):
        """A child of a fork that Python does not know of, told by its process id."""
        program = """
            import auth0_stt.transport
            own("first")
            real = os.getpid()
            os.getpid = lambda: real + 1
            own("child")
        """
        run_beside(BEGINNING + textwrap.dedent(program), server.domain, options=FORKING)
        assert [1, 2] == [request.connection for request in server.requests]

    def test_parent_unharmed(self):
        """What a child does when it ends, closing what it inherited, does not touch the parent's connection."""
        program = """
            own("first")
            if not os.fork():
                import gc
                own("child")
                gc.collect()
                sys.exit(0)
            assert os.wait()[1] == 0
            own("last")
        """
        with FaultServer() as server:
            run_beside(
                BEGINNING + textwrap.dedent(program), server.domain, options=FORKING
            )
        assert [1, 2, 1] == [request.connection for request in server.requests]


PATCHED = "import gevent.monkey\ngevent.monkey.patch_all()\nimport gevent\n" + BEGINNING

#: 32 greenlets with five calls each.
GREENLETS = """
def work(index):
    for number in range(5):
        own("%s-%s" % (index, number))
jobs = [gevent.spawn(work, index) for index in range(32)]
gevent.joinall(jobs, raise_error=True)
"""


@pytest.mark.skipif(
    importlib.util.find_spec("gevent") is None, reason="gevent is not to be had here"
)
class TestGevent:
    """With gevent's monkey-patching, greenlets are what threads are."""

    @pytest.mark.parametrize("given", ["pooled", "given"])
    def test_patched(self, server, given):
        """Patched first, as gunicorn does it: each greenlet gets its own answer."""
        program = PATCHED
        if given == "given":
            program += "SESSION.mount('https://', requests.adapters.HTTPAdapter(pool_maxsize=32))\n"
        run_beside(program + GREENLETS, server.domain, given, options=())
        assert 32 * 5 == len(server.requests)
        assert server.connections <= 32

    def test_other_greenlets_run(self):
        """While one waits for its answer, others go on."""
        program = PATCHED
        program += """
jobs = [gevent.spawn(own, number) for number in range(20)]
gevent.joinall(jobs, raise_error=True)
"""
        together = threading.Barrier(20)

        def slow(peer):
            request = peer.request()
            # Passed only when all twenty requests are here.
            together.wait(30)
            peer.send(answer(token_body("stt-for-" + request.form["reason"])))
            echo(peer)

        with FaultServer(slow) as server:
            run_beside(program, server.domain, options=())
        assert 20 == server.connections

    def test_timeout(self):
        """gevent's own Timeout passes, and its connection is thrown away."""
        program = PATCHED
        program += """
try:
    with gevent.Timeout(0.3):
        own("never")
except gevent.Timeout:
    own("after")
else:
    raise AssertionError
"""
        with FaultServer([REQUEST, HOLD], echo) as server:
            run_beside(program, server.domain, options=())
        assert 2 == server.connections

    def test_deadline(self):
        """Our own timeout holds."""
        program = PATCHED
        program += """
import time
from auth0_stt import TransportError
CALL["timeout"] = 0.3
started = time.monotonic()
try:
    own("never")
except TransportError as error:
    assert (error.code, error.sent) == ("timeout", True), error
    assert time.monotonic() - started < 1
else:
    raise AssertionError
"""
        with FaultServer([REQUEST, GOOD[:-1], HOLD], echo) as server:
            run_beside(program, server.domain, options=())
