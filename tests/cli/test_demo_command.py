"""``auth0-stt demo``: its options, and what it says where it can't run."""

import signal
import subprocess
import sys
from unittest.mock import Mock

import processes
import pytest

TOO_OLD = "import sys, auth0_stt.cli.main as command; sys.version_info = (3, 9, 1); "
needs_tenant = pytest.mark.skipif(
    sys.version_info < (3, 10), reason="the local tenant needs Python 3.10"
)


def python(code):
    return processes.run(
        [sys.executable, "-c", code],
        encoding="utf-8",
    )


@needs_tenant
class TestOptions:
    @pytest.fixture
    def parts(self, monkeypatch):
        """Replace the demo and the playground, which have tests of their own."""
        demo, serve = Mock(return_value=0), Mock(return_value=0)
        monkeypatch.setattr("auth0_stt.testing.demo.run_demo", demo)
        monkeypatch.setattr("auth0_stt.testing.playground.serve", serve)
        return demo, serve

    def test_plays_in_the_terminal(self, run, parts):
        """Without options the flow is played on standard output."""
        demo, serve = parts
        demo.return_value = 7
        assert 7 == run("demo").returncode
        assert (1, 0) == (demo.call_count, serve.call_count)

    def test_serves_on_a_port(self, run, parts):
        """--serve opens the playground, on --port or on any free one."""
        demo, serve = parts
        assert 0 == run("demo", "--serve", "--port", "4711").returncode
        assert 0 == run("demo", "--serve").returncode
        assert [(4711,), (0,)] == [call[0] for call in serve.call_args_list]
        assert 0 == demo.call_count

    def test_an_interrupt_before_it_waits(self, run, parts):
        """An interrupt ends --serve with 0 at any time, also while it starts."""
        parts[1].side_effect = KeyboardInterrupt
        assert 0 == run("demo", "--serve").returncode

    def test_a_port_needs_serve(self, run, parts):
        """--port without --serve is an error, not ignored."""
        demo, serve = parts
        done = run("demo", "--port", "4711")
        assert 2 == done.returncode
        assert "--port needs --serve" in done.stderr
        assert (0, 0) == (demo.call_count, serve.call_count)


@needs_tenant
@pytest.mark.parametrize(
    ("number", "ignored"),
    [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, False)],
    ids=["Ctrl-C", "Ctrl-C, ignored at the start", "SIGTERM"],
)
def test_a_signal_closes_the_playground(child, number, ignored):
    """Ctrl-C and SIGTERM end --serve with 0, also where a shell had SIGINT ignored."""
    background = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"] if ignored else []
    process = child(
        [*background, sys.executable, "-m", "auth0_stt", "demo", "--serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert b"http://" in process.stdout.readline()
    process.send_signal(number)
    stderr = process.communicate(timeout=30)[1]
    assert (0, b"") == (process.returncode, stderr)


class TestWhereItCannotRun:
    @needs_tenant
    def test_without_its_libraries(self):
        """Without the extra it says what to install."""
        done = python(
            "import sys; sys.modules['flask'] = None; "
            "from auth0_stt.cli.main import main; sys.exit(main(['demo']))"
        )
        assert 2 == done.returncode
        assert "auth0-stt[testing]" in done.stderr
        assert "Traceback" not in done.stderr

    def test_on_an_old_python(self):
        """Before Python 3.10 it names the version it needs, not the extra."""
        done = python(TOO_OLD + "sys.exit(command.main(['demo']))")
        assert 2 == done.returncode
        assert "needs Python 3.10" in done.stderr
        assert "pip install" not in done.stderr
        assert "Traceback" not in done.stderr

    def test_the_package_on_an_old_python(self):
        """``import auth0_stt.testing`` raises an ImportError that says the same."""
        done = python(TOO_OLD + "import auth0_stt.testing")
        assert "ImportError" in done.stderr
        assert "needs Python 3.10" in done.stderr
        assert "pip install" not in done.stderr
