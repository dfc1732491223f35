"""The inputs that the fuzzer started from and those that it found, on every Python and without it."""

import os
import subprocess
import sys
from pathlib import Path

import processes
import pytest

for needed in ("ada_url", "django", "werkzeug"):
    pytest.importorskip(needed, reason=f"{needed} has no release for this Python")


def test_kept_inputs():
    """What targets.py says of every input holds for the kept ones."""
    # In a process of its own: it replaces the HTTP request, and Django's settings are for a process.
    script = Path(__file__).parents[1] / "fuzz" / "targets.py"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = processes.run(
        [sys.executable, str(script)],
        env=environ,
        stderr=subprocess.STDOUT,
    )
    assert (0, b"") == (done.returncode, done.stdout)
