"""How the tests of the command line run it: in this process, or in one of its own."""

import os
import signal
import sys

import processes
import pytest
from values import ACTOR_TOKEN, CLIENT_SECRET, SUBJECT_TOKEN

from auth0_stt.cli.main import main


@pytest.fixture
def environment(endpoint):
    """What a cron job has set: everything that a mint needs, and little else."""
    return {
        "PATH": os.defpath,
        "AUTH0_DOMAIN": endpoint.domain,
        "AUTH0_CLIENT_ID": "console",
        "AUTH0_CLIENT_SECRET": CLIENT_SECRET,
        "AUTH0_SUBJECT_TOKEN": SUBJECT_TOKEN,
        "AUTH0_SUBJECT_TOKEN_TYPE": "urn:acme:customer",
        "AUTH0_ACTOR_TOKEN": ACTOR_TOKEN,
    }


class Done:
    """What a run in this process left behind."""

    def __init__(self, returncode, captured):
        self.returncode = returncode
        self.stdout = captured.out
        self.stderr = captured.err


@pytest.fixture
def run(environment, monkeypatch, capsys):
    """Run the command line in this process: ``run(*arguments, AUTH0_DOMAIN=None)``.

    Keywords change variables of the environment; None removes one.
    """

    def run(*arguments, **changes):
        handlers = {
            each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)
        }
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AUTH0_")]:
                patch.delenv(name)
            for name, value in {**environment, **changes}.items():
                if value is not None:
                    patch.setenv(name, value)
            try:
                code = main(list(arguments))
            except SystemExit as stop:
                code = stop.code
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        return Done(code, capsys.readouterr())

    return run


@pytest.fixture
def spawn(environment):
    """Run the command line in a process of its own, as :func:`run` does."""

    def spawn(*arguments, text=None, **changes):
        values = {**environment, **changes}
        return processes.run(
            [sys.executable, "-m", "auth0_stt", *arguments],
            env={name: value for name, value in values.items() if value is not None},
            input=text,
            encoding="utf-8",
        )

    return spawn
