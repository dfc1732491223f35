"""The test run itself: nothing hangs it."""

import os
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import processes
import pytest

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="it asks /proc what runs"
)

TESTS = Path(__file__).parents[1]


#: Runs of pytest with our plugin, each with its test module: they all go on at once, since
#: what they mostly do is wait. The words before the command, and variables, come after it.
STANDS = """
    import pytest, threading

    def wait_without_end(where):
        if where == {!r}:
            threading.Event().wait()

    @pytest.fixture
    def fixture():
        wait_without_end("fixture")
        yield
        wait_without_end("fixture after the test")

    def test_it(fixture):
        wait_without_end("test")
"""
STARTED = """
    import processes, sys

    def test_it():
        program = "import os, time; print(os.getpid(), flush=True); time.sleep(99)"
        with processes.started([sys.executable, "-c", program], stdout=-1) as child:
            with open("pid", "wb") as file:
                file.write(child.stdout.readline())
            child.wait()
"""
HOLDS = """
    import re

    def test_it():
        re.match(r"(x+x+)+y", "x" * 40)
"""
LONG_TOGETHER = """
    import pytest, time

    @pytest.fixture
    def one():
        time.sleep(1.5)
        yield
        time.sleep(1.5)

    @pytest.fixture
    def other(one):
        time.sleep(1.5)
        yield
        time.sleep(1.5)

    def test_it(other):
        time.sleep(0.5)
"""
COMMAND = """
    import processes

    def test_it():
        processes.run(["sleep", "3"], timeout=20)
"""
INTERRUPTED = """
    import processes, signal, sys

    def test_it():
        program = "print('ready', flush=True); input()"
        command = [sys.executable, "-c", program]
        with processes.started(command, stdin=-1, stdout=-1, stderr=-1) as child:
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            assert b"KeyboardInterrupt" in child.communicate(timeout=20)[1]
"""
PLACES = ["test", "fixture", "fixture after the test"]
RUNS = {
    **{place: (STANDS.format(place), "0.5") for place in PLACES},
    "started": (STARTED, "1"),
    "holds": (HOLDS, "1"),
    "long together": (LONG_TOGETHER, "2.5"),
    "command": (COMMAND, "2"),
    "interrupted": (INTERRUPTED, "60", "sh", "-c", 'trap "" INT; exec "$@"', "sh"),
}


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """How each of the runs ended, and the directory that it ran in."""

    def run(code, stall, *before):
        directory = tmp_path_factory.mktemp("run")
        (directory / "test_one.py").write_text(textwrap.dedent(code))
        (directory / "pytest.ini").write_text("[pytest]\n")
        command = [sys.executable, "-m", "pytest", "-p", "progress", "test_one.py"]
        variables = {"PYTHONPATH": str(TESTS), "AUTH0_STT_STALL": stall}
        done = processes.run(
            [*before, *command],
            cwd=str(directory),
            env={**os.environ, **variables},
            encoding="utf-8",
        )
        return done, directory

    with ThreadPoolExecutor(len(RUNS)) as pool:
        runs = {name: pool.submit(run, *how) for name, how in RUNS.items()}
    return {name: each.result() for name, each in runs.items()}


class TestARunThatStands:
    @pytest.mark.parametrize("place", PLACES)
    def test_ends_with_a_traceback(self, ended, place):
        """Where nothing happens for long, the run ends and shows what every thread does."""
        done, _ = ended[place]
        assert 3 == done.returncode
        assert "No progress for 0.5 seconds" in done.stderr
        assert "in wait_without_end" in done.stderr

    def test_ends_what_it_started(self, ended):
        """No process of a test outlives such a run."""
        done, directory = ended["started"]
        assert 3 == done.returncode
        assert _ended(int((directory / "pid").read_text()))

    def test_ends_what_holds_the_interpreter(self, ended):
        """Also where no other thread of Python's can run, as in a regular expression."""
        done, _ = ended["holds"]
        assert 1 == done.returncode
        assert "in test_it" in done.stderr

    def test_many_tests_may_take_long_together(self, ended):
        """Each test that ends is progress, and so is each fixture."""
        done, _ = ended["long together"]
        assert 0 == done.returncode

    def test_a_command_may_take_its_time(self, ended):
        """A test that waits for a command is given as long as the command is."""
        done, _ = ended["command"]
        assert 0 == done.returncode


class TestSignals:
    def test_children_can_be_interrupted(self, ended):
        """Also in a run that a shell started in the background, with SIGINT ignored."""
        done, _ = ended["interrupted"]
        assert 0 == done.returncode, done.stdout


class TestProcesses:
    def test_what_a_child_started_ends_with_it(self):
        """A child that leaves a process of its own behind does not hold the test up."""
        program = "import subprocess; print(subprocess.Popen(['sleep', '99']).pid)"
        began = time.monotonic()
        with processes.started([sys.executable, "-c", program], stdout=-1) as child:
            grandchild = int(child.stdout.readline())
            child.wait()
            assert _runs(grandchild)
        assert _ended(grandchild)
        assert time.monotonic() - began < 30

    def test_a_timeout_ends_all_of_them(self):
        """A command that takes too long ends with what it started, pipes or not."""
        program = "import subprocess; subprocess.Popen(['sleep', '99']).wait()"
        began = time.monotonic()
        with pytest.raises(processes.subprocess.TimeoutExpired):
            processes.run([sys.executable, "-c", program], timeout=0.5)
        assert time.monotonic() - began < 30


def _runs(pid):
    """Return whether a process is there and has not ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def _ended(pid):
    """Return whether a process ends within a few seconds."""
    deadline = time.monotonic() + 5
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not _runs(pid)
