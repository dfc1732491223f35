"""Processes that tests start: each ends with its test, with all that it started itself."""

import atexit
import contextlib
import os
import signal
import subprocess
import time

#: When the time of each process is up, on the monotonic clock.
_running = {}


def run(command, timeout=60.0, input=None, check=False, **options):  # noqa: A002
    """Run a command to its end, as :func:`subprocess.run` does, and capture its output.

    ``subprocess.run`` ends only the process that it started. If one of its children keeps
    the pipes open, it waits without end, whatever the timeout is.
    """
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with started(command, **options) as process:
        _running[process] = time.monotonic() + timeout
        stdout, stderr = process.communicate(input, timeout)
    done = subprocess.CompletedProcess(command, process.returncode, stdout, stderr)
    if check:
        done.check_returncode()
    return done


@contextlib.contextmanager
def started(command, **options):
    """Start a process as :class:`subprocess.Popen` does; it ends with the block."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    _running[process] = 0.0
    try:
        yield process
    finally:
        _end(process)
        process.wait()
        del _running[process]
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def within_their_time():
    """Return whether a process runs that may still take its time."""
    return any(end > time.monotonic() for end in list(_running.values()))


@atexit.register
def end_all():
    """End every process that is still there."""
    for process in list(_running):
        _end(process)


def _end(process):
    # Its session holds what it started itself, also after it has ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
