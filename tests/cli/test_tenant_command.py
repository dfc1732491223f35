"""``auth0-stt tenant``: a tenant in a process of its own."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading

import processes
import pytest
import requests

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 10), reason="the local tenant needs Python 3.10"
)

BACK_HOME = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """The command, running: its variables, and how it ended."""

    def __init__(self, *arguments):
        self._started = processes.started(
            [sys.executable, "-m", "auth0_stt", "tenant", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def __enter__(self):
        self.process = self._started.__enter__()
        # It writes this once it has told everything.
        self.said = self.process.stderr.readline()
        return self

    def __exit__(self, *exc_info):
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        self._started.__exit__(*exc_info)

    def end(self, number):
        self.process.send_signal(number)
        out, self.rest = self.process.communicate(timeout=30)
        pairs = (line.split("=", 1) for line in out.splitlines())
        self.variables = {
            name.replace("export ", ""): shlex.split(value)[0] for name, value in pairs
        }
        return self.process.returncode


class TestServed:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_ends_clean(self, number):
        """Ctrl-C and SIGTERM end it with 0 and without a word; the port is free then."""
        port = free_port()
        with Served("--port", str(port)) as served:
            assert f"http://localhost:{port}" in served.said
            assert (0, "") == (served.end(number), served.rest)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def test_variables(self):
        """Ids, secrets and keys are the same in each run; tokens are not."""
        port = free_port()
        runs = []
        for _ in range(2):
            with Served("--port", str(port)) as served:
                served.end(signal.SIGTERM)
                runs.append(served.variables)
        first, second = runs
        assert set(first) == set(second)
        assert {
            *("AUTH0_SUBJECT_TOKEN", "AUTH0_ACTOR_TOKEN", "AUTH0_MANAGEMENT_TOKEN"),
            *("AUTH0_SUBJECT_TOKEN_ADA", "AUTH0_SUBJECT_TOKEN_LIN"),
        } >= {name for name in first if first[name] != second[name]}
        assert f"http://127.0.0.1:{port}" == first["SHOP_DOMAIN"]
        assert first["AUTH0_CLIENT_SECRET"] == first["CONSOLE_CLIENT_SECRET"]
        assert "http" == first["CONSOLE_SCHEME"] == first["SHOP_SCHEME"]

    def test_mint_by_the_variables_of_the_run_before(self):
        """The session of an agent goes on when the tenant starts anew."""
        port = str(free_port())
        with Served("--port", port) as served:
            served.end(signal.SIGTERM)
        with Served("--port", port):
            done = processes.run(
                [sys.executable, "-m", "auth0_stt", "mint", "--json"],
                env={**BACK_HOME, **served.variables},
                encoding="utf-8",
            )
        assert 0 == done.returncode, done.stderr

    def test_mint_by_the_variables(self, tmp_path):
        """What is written is all that `auth0-stt mint` needs, with TLS too."""
        with Served("--port", str(free_port()), "--tls") as served:
            lines = []
            while "SSL_CERT_FILE" not in "".join(lines):
                lines.append(served.process.stdout.readline())
            script = "".join(lines) + '"$PYTHON" -m auth0_stt mint --json'
            done = processes.run(
                ["/bin/sh", "-c", script],
                env={**BACK_HOME, "PYTHON": sys.executable},
                encoding="utf-8",
            )
        assert 0 == done.returncode, done.stderr
        assert 60 == json.loads(done.stdout)["expires_in"]

    def test_second_customer(self, run):
        """The help's example enters both customers, one after the other."""
        shown = run("tenant", "--help").stdout
        script = shown[shown.index("  . ./tenant.env") : shown.index("The settings")]
        script = script.replace("./tenant.env", "/dev/stdin")
        script = script.replace("auth0-stt", '"$PYTHON" -m auth0_stt')
        with Served("--port", str(free_port())) as served:
            lines = []
            while "SHOP_LOGIN_URL" not in "".join(lines):
                lines.append(served.process.stdout.readline())
            done = processes.run(
                ["/bin/sh", "-c", script],
                env={**BACK_HOME, "PYTHON": sys.executable},
                input="".join(lines),
                encoding="utf-8",
            )
            served.end(signal.SIGTERM)
        assert 0 == done.returncode, done.stderr
        assert 2 == len(done.stdout.splitlines())
        told = "".join(lines)
        assert re.search(r"AUTH0_SUBJECT_TOKEN=\S+  # auth0\|ada\n", told)
        assert re.search(r"AUTH0_SUBJECT_TOKEN_LIN=\S+  # auth0\|lin\n", told)
        assert re.search(r"SUBJECT_TOKEN_KEY=\S+  # signs subject tokens", told)

    def test_settings(self, tmp_path):
        """A file changes settings, and says who may log in."""
        file = tmp_path / "settings.json"
        changes = {
            "shop": {"callbacks": ["http://127.0.0.1:3000/callback"]},
            "users": {"auth0|ada": {"name": "Ada Lovelace"}},
        }
        file.write_text(json.dumps(changes))
        port = free_port()
        with Served("--port", str(port), "--settings", str(file)) as served:
            lines = [served.process.stdout.readline() for _ in range(7)]
            token = re.search("MANAGEMENT_TOKEN=(.*)", "".join(lines)).group(1)
            with requests.Session() as session:
                session.trust_env = False
                shop = session.get(
                    f"http://localhost:{port}/api/v2/clients/shop",
                    headers={"Authorization": "Bearer " + token},
                ).json()
        assert changes["shop"]["callbacks"] == shop["callbacks"]
        assert "shop-secret-of-the-local-tenant" == shop["client_secret"]


class TestHelp:
    def test_its_settings_file(self, run, tmp_path):
        """The example of the help is a settings file that the command takes."""
        shown = run("tenant", "--help").stdout
        example = shown[shown.index('  {"console"') : shown.index('"shop" is an')]
        file = tmp_path / "settings.json"
        file.write_text(example)
        port = str(free_port())
        with Served("--port", port, "--settings", str(file)) as served:
            served.end(signal.SIGTERM)
        assert "http://127.0.0.1:3000/login" == served.variables["SHOP_LOGIN_URL"]


class TestMistakes:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ('{"shop": {"callback": []}}', "did you mean 'callbacks'?"),
            ('{"users": {"auth0|ada": {"nam": ""}}}', "did you mean 'name'?"),
            ('{"users": {"auth0|ada": []}}', "users.auth0|ada must be an object"),
            ('{"users": 1}', "users must be an object"),
            ('{"users": [{"name": "Ada"}]}', "users.0 needs one of: user_id"),
            ('{"shop": {"callbacks": "http://a"}}', "shop.callbacks must be a list"),
            ('{"shop": {"callbacks": [1]}}', "shop.callbacks.0 must be a string"),
            ('{"shop": {"session_transfer": 1}}', "session_transfer must be an object"),
            (
                '{"shop": {"session_transfer": {"delegation": {"allow_delegated_access"'
                ': "yes"}}}}',
                "shop.session_transfer.delegation.allow_delegated_access must be true",
            ),
            ('{"shop": {"refresh_token": []}}', "shop.refresh_token must be an object"),
            ('{"tenant": {"custom_domains": ["a"]}}', "custom_domains.0 must be an"),
            ('{"user": {}}', "user: did you mean 'users'?"),
            ('{"website": {}}', "website: there are console, shop, tenant"),
            (
                '{"token_exchange_profiles": {"tep_2": {"action_id": "a"}}}',
                "tep_2: a new one needs subject_token_type",
            ),
            (
                '{"token_exchange_profiles": {"urn:x": {"name": "x"}}}',
                "urn:x: a new one needs action_id",
            ),
            (
                '{"token_exchange_profiles": {"tep_acme": {"id": null}}}',
                "token_exchange_profiles.tep_acme.id must be a string",
            ),
            ("[]", "a JSON object is needed"),
            ("no JSON", "Expecting value"),
            (None, "No such file"),
        ],
    )
    def test_settings(self, run, tmp_path, content, said):
        """A file that can't be used ends it with 2 and says what is wrong."""
        file = tmp_path / "settings.json"
        if content is not None:
            file.write_text(content)
        port = str(free_port())
        done = run("tenant", "--port", port, "--settings", str(file))
        assert 2 == done.returncode
        assert said in done.stderr

    def test_port_in_use(self, run):
        """A port that somebody has is named."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            done = run("tenant", "--port", str(port))
        assert 2 == done.returncode
        assert f"--port {port}: Address already in use" in done.stderr

    @pytest.mark.parametrize("port", ["-1", "70000"])
    def test_no_port(self, run, port):
        """A port is a number that there is."""
        done = run("tenant", "--port", port)
        assert 2 == done.returncode
        assert "--port must be from 0" in done.stderr


class TestInThisProcess:
    """The same command, where its lines are counted."""

    def test_serves_until_an_interrupt(self, run, monkeypatch):
        """It writes the variables, waits, and ends clean."""
        from auth0_stt.testing import standalone

        told = []

        def interrupt_soon(tenant, file):
            told.append(tenant.domain)
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

        monkeypatch.setattr(standalone, "write_environment", interrupt_soon)
        done = run("tenant", "--port", "0")
        assert (0, f"The tenant listens on {told[0]}\n") == (
            done.returncode,
            done.stderr,
        )

    def test_bad_settings(self, run, tmp_path):
        """A file whose content no tenant could have is a usage error."""
        path = tmp_path / "settings.json"
        path.write_text('{"console": {"no_such_setting": 1}}')
        done = run("tenant", "--port", "0", "--settings", str(path))
        assert 2 == done.returncode
        assert "no_such_setting" in done.stderr
