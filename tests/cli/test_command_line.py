"""What all commands share: the help, and how they end."""

import os
import signal
import subprocess
import sys
import time
from unittest.mock import Mock

import processes
import pytest

from auth0_stt.cli import mint
from auth0_stt.cli.main import main

needs_dev_full = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="there is no /dev/full"
)

MINT = [sys.executable, "-m", "auth0_stt", "mint"]


class TestHelp:
    def test_says_what_it_is_for(self, run):
        """The main help has a sentence, the commands and an example that works."""
        done = run("--help")
        assert 0 == done.returncode
        assert "Auth0 Session Delegation from the command line" in done.stdout
        assert "auth0-stt mint --reason" in done.stdout
        assert {"mint", "demo"} <= {
            line.split()[0] for line in done.stdout.splitlines() if line[:4] == "    "
        }

    def test_the_example_works(self, run, endpoint):
        """What the main help shows can be pasted."""
        example = run("--help").stdout.partition("auth0-stt mint --reason")[2]
        words = ("--reason" + example).replace('"', "").replace("\\\n", "").split()
        words[1:3] = [" ".join(words[1:3])]
        done = run("mint", *words)
        assert 0 == done.returncode
        assert "ticket 4711" == endpoint.last.form["reason"]

    @pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"]])
    def test_2_for_usage(self, run, arguments):
        """A usage error ends with 2 and nothing on standard output."""
        done = run(*arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert "usage: auth0-stt" in done.stderr


class TestStandardStreams:
    def test_a_closed_pipe(self, environment):
        """A reader that is gone ends the command quietly, with 141."""
        reader, writer = os.pipe()
        os.close(reader)
        done = processes.run(
            MINT, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=60
        )
        os.close(writer)
        assert (141, b"") == (done.returncode, done.stderr)

    def test_a_closed_pipe_in_this_process(self, run, monkeypatch):
        """What is still to be written to a closed pipe goes nowhere."""
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w", encoding="utf-8") as stream:
            monkeypatch.setattr("sys.stdout", stream)
            assert 141 == run("mint").returncode

    def test_json_to_a_closed_pipe(self, run, monkeypatch):
        """So it is with a failure as JSON."""
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w", encoding="utf-8") as stream:
            monkeypatch.setattr("sys.stdout", stream)
            assert 141 == run("mint", "--json", AUTH0_DOMAIN=None).returncode

    @needs_dev_full
    def test_a_full_disk(self, environment):
        """A full disk ends the command with 141 and one line, not a traceback."""
        with open("/dev/full", "wb") as full:
            done = processes.run(
                MINT, env=environment, stdout=full, stderr=subprocess.PIPE, timeout=60
            )
        assert 141 == done.returncode
        assert 1 == done.stderr.count(b"\n")
        assert b"no space" in done.stderr

    @needs_dev_full
    def test_a_full_disk_in_this_process(self, run, monkeypatch):
        """What can't be printed is reported on standard error."""
        with open("/dev/full", "w", encoding="utf-8") as full:
            monkeypatch.setattr("sys.stdout", full)
            done = run("mint")
        assert 141 == done.returncode
        assert "no space" in done.stderr

    def test_a_closed_standard_error(self, environment):
        """Failures are never printed where results are read."""
        del environment["AUTH0_DOMAIN"]
        done = processes.run(
            ["sh", "-c", '"$@" 2>&-', "sh", *MINT],
            env=environment,
        )
        assert (2, b"") == (done.returncode, done.stdout)

    def test_a_closed_standard_error_in_this_process(self, run, monkeypatch):
        """Without standard error, failures are not printed."""
        monkeypatch.setattr("sys.stderr", None)
        assert (2, "") == (run("mint", AUTH0_DOMAIN=None).returncode, "")
        sys.stderr.close()

    def test_a_closed_standard_output(self, endpoint, environment):
        """Where the token could not be printed, none is minted."""
        command = ["sh", "-c", '"$@" >&-', "sh", *MINT]
        done = processes.run(
            command, env=environment, stderr=subprocess.PIPE, timeout=60
        )
        assert (2, []) == (done.returncode, endpoint.requests)
        assert b"standard output must be open" in done.stderr

    def test_a_closed_standard_output_in_this_process(self, run, endpoint, monkeypatch):
        """So it is in this process."""
        monkeypatch.setattr("sys.stdout", None)
        done = run("mint")
        assert (2, []) == (done.returncode, endpoint.requests)

    def test_a_closed_standard_input(self, endpoint, environment):
        """Standard input matters only if something is to be read from it."""
        command = ["sh", "-c", '"$@" <&-', "sh", *MINT]
        done = processes.run(
            command, env=environment, stdout=subprocess.PIPE, timeout=60
        )
        assert 0 == done.returncode
        command += ["--reason", "x", "--client-secret-file", "-"]
        done = processes.run(
            command, env=environment, stderr=subprocess.PIPE, timeout=60
        )
        assert 2 == done.returncode
        assert b"--client-secret-file can't be read" in done.stderr

    def test_other_trouble_passes(self, run, monkeypatch):
        """Other errors of the system are not mistaken for a closed pipe."""
        failing = Mock(side_effect=PermissionError(13, "no"))
        monkeypatch.setattr(mint, "request_session_transfer_token", failing)
        with pytest.raises(PermissionError):
            run("mint")


class TestSignals:
    @pytest.mark.parametrize("ignored", [False, True], ids=["", "ignored at the start"])
    @pytest.mark.parametrize(
        ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
    )
    def test_a_signal_ends_it_quietly(
        self, endpoint, environment, child, number, code, ignored
    ):
        """Ctrl-C and SIGTERM end a waiting command without a traceback.

        Also where they were ignored at its start, as a shell does in the background.
        """
        endpoint.hang()
        command = ["sh", "-c", 'trap "" INT TERM; exec "$@"', "sh"] if ignored else []
        process = child([*command, *MINT], env=environment, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 30
        while not endpoint.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        stderr = process.communicate(timeout=30)[1]
        assert (code, b"") == (process.returncode, stderr)

    def test_a_second_one_ends_the_process(self, run, monkeypatch):
        """After the first signal the next one has the system's own effect."""
        seen = []

        def interrupted(**_):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(30)
            finally:
                seen.extend(map(signal.getsignal, (signal.SIGINT, signal.SIGTERM)))

        monkeypatch.setattr(mint, "request_session_transfer_token", interrupted)
        done = run("mint")
        assert (143, "", "") == (done.returncode, done.stdout, done.stderr)
        assert [signal.SIG_DFL, signal.SIG_DFL] == seen

    def test_an_interrupt_from_elsewhere(self, run, monkeypatch):
        """A KeyboardInterrupt that no signal raised is 130, too."""
        monkeypatch.setattr(
            mint, "request_session_transfer_token", Mock(side_effect=KeyboardInterrupt)
        )
        done = run("mint")
        assert (130, "", "") == (done.returncode, done.stdout, done.stderr)


def test_the_module_runs_the_same(environment):
    """``python -m auth0_stt`` and the command ``auth0-stt`` are one function."""
    from auth0_stt import __main__

    assert main is __main__.main
