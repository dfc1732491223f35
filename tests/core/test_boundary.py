"""What leaves the public functions: our errors clean, everything else as it is."""

import copy
import http.client
import signal
import ssl
import sys
import threading
import traceback
from pathlib import Path

import pytest
import requests
from calls import mint
from faults import HOLD, REQUEST, FaultServer
from reachable import texts
from requests.adapters import HTTPAdapter
from values import CLIENT_SECRET, SECRETS, SUBJECT_TOKEN

from auth0_stt import (
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
    build_session_transfer_redirect,
    errors,
    request_session_transfer_token,
)


@pytest.fixture
def session():
    """A session of the caller's."""
    with requests.Session() as session:
        yield session


def wrapped(function):
    """Return a function with a frame of another library around it, as tracers do it."""
    scope = {"__name__": "tracer", "function": function}
    code = "def call(*args, **kwargs): return function(*args, **kwargs)"
    exec(compile(code, "/usr/lib/site-packages/tracer.py", "exec"), scope)
    return scope["call"]


class SoftTimeLimitError(Exception):
    """As Celery raises one in a signal handler."""


def frames(error):
    """Return module and function of each frame of a traceback, the caller's first."""
    traceback, found = error.__traceback__, []
    while traceback is not None:
        frame = traceback.tb_frame
        found.append((frame.f_globals["__name__"], frame.f_code.co_name))
        traceback = traceback.tb_next
    return found


def modules(error):
    return [module.partition(".")[0] for module, _ in frames(error)]


def behind(error):
    """Yield what frames of the package hold that the last frame leads back to."""
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    frame = traceback.tb_frame
    while frame is not None:
        if frame.f_globals["__name__"].startswith("auth0_stt"):
            yield from texts(dict(frame.f_locals), {})
        frame = frame.f_back


def raised(kind, call, *arguments, **changes):
    with pytest.raises(kind) as caught:
        call(*arguments, **changes)
    return caught.value


class TestOurErrors:
    @pytest.mark.parametrize(
        ("kind", "changes"),
        [
            (InvalidArgumentError, {"scope": CLIENT_SECRET + "  x"}),
            (CustomTokenExchangeError, {"actor_token": None}),
            (TransportError, {"domain": "http://127.0.0.1:1"}),
        ],
        ids=["argument", "token", "transport"],
    )
    def test_one_frame(self, endpoint, kind, changes):
        """A traceback has the caller's frames and one of ours, which holds nothing."""
        domain = changes.pop("domain", endpoint)
        error = raised(kind, mint, domain, **changes)
        ours = [each for each in frames(error) if each[0].startswith("auth0_stt")]
        assert [("auth0_stt.errors", "call")] == ours
        assert ("auth0_stt.errors", "call") == frames(error)[-1]
        assert not [t for t in texts(error, {}) if any(s in t for s in SECRETS)]

    def test_no_chain(self, endpoint):
        """Neither a cause nor a context leads to what was seen inside."""
        endpoint.drop()
        error = raised(TransportError, mint, endpoint)
        assert (None, None, False) == (
            error.__cause__,
            error.__context__,
            error.__suppress_context__,
        )

    def test_context_of_the_caller(self, endpoint):
        """What the caller was just handling stays the context, as with any exception."""
        error = None
        try:
            raise KeyError("theirs")
        except KeyError:
            error = raised(SessionTransferError, mint, endpoint, actor_token=None)
        assert KeyError is type(error.__context__)

    def test_raised_twice(self, endpoint):
        """Two calls raise two errors, each with a traceback of its own."""
        first = raised(SessionTransferError, mint, endpoint, actor_token=None)
        length = len(frames(first))
        second = raised(SessionTransferError, mint, endpoint, actor_token=None)
        assert first is not second
        assert length == len(frames(first))
        assert copy.copy(first).code == second.code


class TestOthers:
    def test_callable_assertion(self, endpoint):
        """What a callable raises passes, with its own frames and none of ours."""

        def assertion(audience):
            return {}["no key today"]

        error = raised(
            KeyError, mint, endpoint, client_secret=None, client_assertion=assertion
        )
        assert ("auth0_stt.errors", "call") == frames(error)[-2]
        assert "assertion" == frames(error)[-1][1]
        assert 1 == modules(error).count("auth0_stt")
        assert not [t for t in texts(error, {}) if any(s in t for s in SECRETS)]

    def test_bug_in_an_adapter(self, endpoint, session):
        """A bug in the caller's adapter is not a network's failure."""

        class Buggy(HTTPAdapter):
            def send(self, request, **kwargs):
                raise LookupError("a bug")

        session.mount("http://", Buggy())
        error = raised(LookupError, mint, endpoint, session=session)
        assert "requests" not in modules(error)
        assert 1 == modules(error).count("auth0_stt")

    def test_context_from_inside(self, endpoint, session):
        """An exception that never left our frames and those of requests is dropped."""

        class Rewording(HTTPAdapter):
            def send(self, request, **kwargs):
                super().send(request, **kwargs)

        session.mount("http://", Rewording())
        endpoint.drop()
        assert raised(TransportError, mint, endpoint, session=session).sent

    def test_file_that_an_adapter_misses(self, endpoint, session):
        """An OSError of the caller's own code is not the network's, nor a lost token."""

        class Keeping(HTTPAdapter):
            def send(self, request, **kwargs):
                response = super().send(request, **kwargs)
                Path("/nowhere/log").read_bytes()
                return response

        session.mount("http://", Keeping())
        error = raised(FileNotFoundError, mint, endpoint, session=session)
        assert "send" in [function for _, function in frames(error)]

    def test_adapter_that_says_unreachable(self, endpoint, session):
        """An adapter that raises an exception of requests speaks of the network."""

        class Offline(HTTPAdapter):
            def send(self, request, **kwargs):
                raise requests.ConnectionError("no network here")

        session.mount("http://", Offline())
        error = raised(TransportError, mint, endpoint, session=session)
        assert ("unreachable", True) == (error.code, error.retryable)

    def test_cause_from_inside(self, endpoint):
        """An exception that never left what runs below takes no part in a chain."""
        scope = {"__name__": "requests.somewhere"}
        code = "def caught():\n try: 1/0\n except ZeroDivisionError as e: return e"
        exec(code, scope)

        def assertion(audience):
            raise KeyError("no key today") from scope["caught"]()

        error = raised(
            KeyError, mint, endpoint, client_secret=None, client_assertion=assertion
        )
        assert (None, True) == (error.__cause__, error.__suppress_context__)

    def test_traceback_kept_elsewhere(self, endpoint):
        """A traceback that the caller's code kept, as a log record does, stays whole."""
        kept = []

        def assertion(audience):
            try:
                requests.get("nonsense://")
            except requests.RequestException as error:
                kept.extend(traceback.walk_tb(error.__traceback__))
                kept.append(error.__traceback__)
                raise

        raised(
            requests.RequestException,
            mint,
            endpoint,
            client_secret=None,
            client_assertion=assertion,
        )
        *before, held = kept
        assert before == list(traceback.walk_tb(held))

    def test_context_of_a_missing_module(self, endpoint, session):
        """What an adapter was handling when it missed a module is shown with that."""

        class Optional(HTTPAdapter):
            def send(self, *args, **kwargs):
                try:
                    raise ValueError("the quick way fails")
                except ValueError:
                    raise ImportError("the slow way is not installed")  # noqa: B904

        session.mount("http://", Optional())
        error = raised(ImportError, mint, endpoint, session=session)
        assert isinstance(error.__context__, ValueError)
        assert not error.__suppress_context__

    def test_cause_and_context_from_inside(self, endpoint):
        """Nor does one that is both cause and context, as ``raise from`` makes it."""
        scope = {"__name__": "requests.somewhere"}
        code = "def handled(hook):\n try: 1/0\n except ArithmeticError as e: hook(e)"
        exec(code, scope)

        def hook(error):
            raise KeyError("no key today") from error

        def assertion(audience):
            scope["handled"](hook)

        error = raised(
            KeyError, mint, endpoint, client_secret=None, client_assertion=assertion
        )
        assert (None, None) == (error.__cause__, error.__context__)

    def test_long_chain(self, endpoint, monkeypatch):
        """The time that a chain takes grows with its length, not with a power of two."""
        looked, real = [], errors._callers_frames

        def assertion(audience, attempts=16):
            try:
                if attempts:
                    assertion(audience, attempts - 1)
                raise ValueError("no key file")
            except (KeyError, ValueError) as error:
                raise KeyError("no key today") from error

        def counted(traceback):
            looked.append(traceback)
            return real(traceback)

        monkeypatch.setattr(errors, "_callers_frames", counted)
        raised(KeyError, mint, endpoint, client_secret=None, client_assertion=assertion)
        assert 17 <= len(looked) < 100

    def test_cause_of_the_callers_own(self, endpoint):
        """A chain that the caller's code made stays as it is."""

        def assertion(audience):
            try:
                raise ValueError("no key file")
            except ValueError as error:
                raise KeyError("no key today") from error

        error = raised(
            KeyError, mint, endpoint, client_secret=None, client_assertion=assertion
        )
        assert isinstance(error.__cause__, ValueError)
        assert "assertion" == frames(error.__cause__)[-1][1]

    def test_what_the_caller_handles_is_left_alone(self, endpoint):
        """An exception that the caller was handling keeps the frames that it has."""

        def assertion(audience):
            raise KeyError("no key today")

        try:
            requests.get("nonsense://")
        except requests.RequestException as handled:
            before = frames(handled)
            error = raised(
                KeyError, mint, endpoint, client_secret=None, client_assertion=assertion
            )
            after = frames(handled)
        assert before == after
        assert isinstance(error.__context__, requests.RequestException)

    @pytest.mark.skipif(
        not hasattr(signal, "setitimer"), reason="this system has no interval timer"
    )
    @pytest.mark.parametrize(
        "kind", [SoftTimeLimitError, KeyboardInterrupt, TimeoutError]
    )
    @pytest.mark.parametrize("own", [False, True], ids=["ours", "own"])
    def test_signal_handler(self, endpoint, session, kind, own):
        """What a signal handler raises in the middle of a mint passes as it is."""

        def handler(number, frame):
            raise kind("enough")

        before = signal.signal(signal.SIGALRM, handler)
        endpoint.hang()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            error = raised(
                kind, mint, endpoint, timeout=20, session=session if own else None
            )
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert "handler" == frames(error)[-1][1]
        assert {"auth0_stt", "test_boundary", "calls"} == set(modules(error))
        assert 1 == modules(error).count("auth0_stt")
        assert not [t for t in texts(error, {}) if any(s in t for s in SECRETS)]
        assert not [t for t in behind(error) if any(s in t for s in SECRETS)]
        endpoint.reset()
        assert mint(endpoint)

    def test_name_and_signature(self):
        """The boundary shows in no name, no docstring and no signature."""
        function = request_session_transfer_token
        assert "request_session_transfer_token" == function.__name__
        assert "auth0_stt.exchange" == function.__module__
        assert function.__doc__.startswith("Exchange proof")

    def test_wrong_call(self):
        """A missing argument is Python's own TypeError, without our frames."""
        error = raised(TypeError, build_session_transfer_redirect)
        assert ("auth0_stt.errors", "call") == frames(error)[-1]


def test_other_threads_go_on(endpoint):
    """An error in one thread leaves nothing behind for another."""
    failed = []

    def fail():
        try:
            mint(endpoint, subject_token=SUBJECT_TOKEN + " ")
        except SessionTransferError as error:
            failed.append(error.code)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert ["invalid_token_format"] == failed
    assert sys.exc_info() == (None, None, None)
    assert mint(endpoint)


class TestTracers:
    """What another library wraps is the network's all the same."""

    def test_given_session(self, session, monkeypatch):
        """Sentry, for one, wraps getresponse() of http.client."""
        connection = http.client.HTTPConnection
        monkeypatch.setattr(connection, "getresponse", wrapped(connection.getresponse))
        with FaultServer([REQUEST, HOLD], context=None) as server, pytest.raises(
            TransportError
        ) as caught:
            mint(server, session=session, timeout=0.2)
        assert "timeout" == caught.value.code

    @pytest.mark.parametrize("given", [False, True])
    def test_tls(self, session, monkeypatch, given):
        """truststore, for one, wraps the handshake."""
        name = "SSLSocket" if given else "SSLObject"
        kind = getattr(ssl, name)
        monkeypatch.setattr(kind, "do_handshake", wrapped(kind.do_handshake))
        with FaultServer() as server, pytest.raises(TransportError) as caught:
            mint(server, session=session if given else None)
        assert "tls" == caught.value.code
