"""The demo in the terminal: what it shows, what it keeps to itself, and its exit code."""

import io
import os
import re
import subprocess
import sys

import processes
import pytest

from auth0_stt.testing import LocalTenant
from auth0_stt.testing.demo import run_demo


def demo(**environment):
    return processes.run(
        [sys.executable, "-W", "error", "-m", "auth0_stt", "demo"],
        env=dict(os.environ, **environment),
    )


@pytest.fixture
def issued(monkeypatch):
    """Every token and secret that a tenant gave away during the test."""
    tenants = []
    enter = LocalTenant.__enter__
    monkeypatch.setattr(
        LocalTenant, "__enter__", lambda self: tenants.append(self) or enter(self)
    )

    def tokens():
        for tenant in tenants:
            yield from tenant.records.session_transfer_tokens
            yield from tenant.records.refresh_tokens
            yield from tenant.records.sessions
            yield tenant.settings["console"]["client_secret"]
            yield tenant.settings["shop"]["client_secret"]

    return tokens


class TestCommand:
    def test_works(self):
        """``python -m auth0_stt demo`` says so with exit code 0, and ends with the redirect URL."""
        done = demo()
        lines = done.stdout.decode("ascii").splitlines()
        assert 0 == done.returncode, done.stderr
        assert b"" == done.stderr
        assert re.fullmatch(
            r"https://shop\.example\.com/login\?session_transfer_token=[\w-]{43}",
            lines[-1],
        )

    @pytest.mark.parametrize(
        "environment",
        [
            {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
            {"PYTHONIOENCODING": "ascii:strict"},
            {
                "http_proxy": "http://127.0.0.1:9",
                "https_proxy": "http://127.0.0.1:9",
                "no_proxy": "",
            },
        ],
        ids=["locale C", "ascii", "proxy"],
    )
    def test_works_anywhere(self, environment):
        """Neither a locale without a single accent nor a proxy in the environment is in its way."""
        done = demo(**environment)
        assert 0 == done.returncode, done.stderr

    def test_a_reader_that_leaves(self):
        """Where nobody reads on, it ends without a traceback."""
        command = [sys.executable, "-m", "auth0_stt", "demo"]
        with processes.started(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdout.close()
            complaints = process.stderr.read()
            assert 0 != process.wait(timeout=60)
        assert b"" == complaints


class TestRunDemo:
    def test_tells_the_story(self):
        """Who, to whom, what came back: all of it is there."""
        stream = io.StringIO()
        assert 0 == run_demo(stream)
        for word in (
            "Sam Rivers",
            "Ada Ferro",
            "auth0|sam",
            "auth0|ada",
            "secte",
            "sdel",
            "used before",
        ):
            assert word in stream.getvalue()

    def test_writes_each_step_as_it_happens(self, monkeypatch):
        """The mint has not happened yet when the agent's sign-in is on the screen."""
        stream = io.StringIO()
        seen = []

        def subject_token(self, user_id, lifetime=300.0):
            seen.append(stream.getvalue())
            return "not-a-token"

        monkeypatch.setattr(LocalTenant, "subject_token", subject_token)
        run_demo(stream)
        assert "Sam Rivers signs in" in seen[0]

    def test_masks_every_token_but_the_one_in_the_last_line(self, issued):
        """That one has been used, and its tenant is gone."""
        stream = io.StringIO()
        run_demo(stream)
        story, _, url = stream.getvalue().rstrip("\n").rpartition("\n")
        tokens = list(issued())
        assert 1 == sum(url.endswith("=" + token) for token in tokens)
        assert [] == [token for token in tokens if token in story]
        assert None is re.search(r"eyJ[\w-]{6,}", story)

    def test_a_refusal_is_no_success(self, monkeypatch):
        """A tenant that refuses to mint: exit code 1, what it said, and no URL."""
        monkeypatch.setattr(
            LocalTenant, "subject_token", lambda self, user_id: "not-a-token"
        )
        stream = io.StringIO()
        assert 1 == run_demo(stream)
        assert "It did not work" in stream.getvalue()
        assert "session_transfer_token=" not in stream.getvalue()

    def test_the_wrong_person_is_no_success(self, monkeypatch):
        """An ID token that names somebody else is not the flow that was promised."""
        monkeypatch.setattr(
            LocalTenant, "redeem", lambda self, url, ip: {"sub": "auth0|ada"}
        )
        assert 1 == run_demo(io.StringIO())

    def test_a_token_good_for_two_uses_is_no_success(self, monkeypatch):
        """The second use has to fail."""
        claims = {"sub": "auth0|ada", "act": {"sub": "auth0|sam"}}
        monkeypatch.setattr(LocalTenant, "redeem", lambda self, url, ip: claims)
        assert 1 == run_demo(io.StringIO())
