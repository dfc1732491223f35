"""The command line, as cron and a shell run it: real processes, hostile environments, the local tenant."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from unittest.mock import Mock

import pytest

pytest.importorskip(
    "auth0_stt.testing",
    reason="the local tenant's libraries have no release for this Python",
)

from auth0_stt import SESSION_TRANSFER_TOKEN_TYPE
from auth0_stt import __main__ as command
from auth0_stt.testing import LocalTenant

needs_dev_full = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="there is no /dev/full"
)

COMMAND = [sys.executable, "-m", "auth0_stt"]


@pytest.fixture
def tenant():
    with LocalTenant() as tenant:
        yield tenant


@pytest.fixture
def environment(tenant):
    """What a cron job has set: everything that a mint needs, and little else."""
    return {
        "PATH": os.defpath,
        "AUTH0_DOMAIN": tenant.console["domain"],
        "AUTH0_CLIENT_ID": tenant.console["client_id"],
        "AUTH0_CLIENT_SECRET": tenant.console["client_secret"],
        "AUTH0_SUBJECT_TOKEN": tenant.subject_token("auth0|ada"),
        "AUTH0_SUBJECT_TOKEN_TYPE": tenant.subject_token_type,
        "AUTH0_ACTOR_TOKEN": tenant.agent_tokens()["id_token"],
    }


class Done:
    """What a run in this process left."""

    def __init__(self, returncode, captured):
        self.returncode = returncode
        self.stdout = captured.out
        self.stderr = captured.err


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: `run(environment, *arguments, input=...)`."""

    def run(environment, *arguments, **options):
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AUTH0_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(
                "sys.stdin",
                io.TextIOWrapper(io.BytesIO(options.get("input", "").encode())),
            )
            try:
                code = command.main(list(arguments))
            except SystemExit as stop:
                code = stop.code
        return Done(code, capsys.readouterr())

    return run


def spawn(environment, *arguments):
    """Run the command line in a process of its own."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


class TestResults:
    def test_the_token_is_printed_as_json(self, run, environment):
        """Without a target the token comes as JSON on standard output, and nothing on standard error."""
        done = run(environment, "mint")
        assert (0, "") == (done.returncode, done.stderr)
        answer = json.loads(done.stdout)
        assert SESSION_TRANSFER_TOKEN_TYPE == answer["issued_token_type"]
        assert 60 == answer["expires_in"]

    def test_the_url_is_printed_alone_and_works(self, run, tenant, environment):
        """With a target the URL is the one line printed, and it opens a session as the customer."""
        done = run(
            environment, "mint", "--target-login-url", "https://shop.example.com/login"
        )
        assert 0 == done.returncode
        assert "auth0|ada" == tenant.redeem(done.stdout.strip())["sub"]

    def test_json_has_both(self, run, environment):
        """--json beside a target prints the token and the URL that holds it."""
        done = run(
            environment,
            "mint",
            "--json",
            "--target-login-url",
            "https://shop.example.com/login",
        )
        answer = json.loads(done.stdout)
        assert (
            answer["url"]
            == "https://shop.example.com/login?session_transfer_token="
            + answer["session_transfer_token"]
        )

    def test_what_the_action_reads_is_passed_on(self, run, tenant, environment):
        """--reason, --extra and --scope reach the tenant as they were given."""
        run(
            environment,
            "mint",
            "--reason",
            "T-1",
            "--extra",
            "a=1",
            "--extra",
            "a=2",
            "--scope",
            "openid email",
        )
        body = next(log for log in tenant.logs if log.type == "secte").details["body"]
        assert ("T-1", "openid email") == (body["reason"], body["scope"])
        assert ["1", "2"] == body["a"]

    def test_the_browser_is_opened(self, run, environment, tmp_path):
        """--open gives the URL to the browser that BROWSER names."""
        seen = tmp_path / "seen"
        browser = tmp_path / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{seen}"\n')
        browser.chmod(0o755)
        environment["BROWSER"] = str(browser)
        done = run(
            environment,
            "mint",
            "--open",
            "--target-login-url",
            "https://shop.example.com/login",
        )
        assert done.stdout.strip() == seen.read_text()


class TestWhereSecretsComeFrom:
    @pytest.mark.parametrize(
        "name", ["client-secret", "subject-token", "actor-token", "domain"]
    )
    def test_from_a_file(self, run, environment, tmp_path, name):
        """Every setting may come from a file, whose last line break is not part of it."""
        path = tmp_path / name
        path.write_text(
            environment.pop("AUTH0_" + name.upper().replace("-", "_")) + "\n"
        )
        assert 0 == run(environment, "mint", f"--{name}-file", str(path)).returncode

    def test_from_standard_input(self, run, environment):
        """One setting may come from standard input."""
        secret = environment.pop("AUTH0_CLIENT_SECRET")
        assert (
            0
            == run(
                environment, "mint", "--client-secret-file", "-", input=secret + "\n"
            ).returncode
        )

    @pytest.mark.parametrize(
        "argument",
        ["--client-secret=TOPSECRET", "--subject-token=TOPSECRET", "TOPSECRET"],
    )
    def test_never_from_an_argument(self, run, environment, argument):
        """A secret on the command line is refused, and not repeated."""
        done = run(environment, "mint", argument)
        assert 2 == done.returncode
        assert "TOPSECRET" not in done.stdout + done.stderr

    def test_a_private_key_signs(self, run, tenant, environment):
        """AUTH0_PRIVATE_KEY stands in for the secret: the tenant sees a signed assertion."""
        pytest.importorskip("jwt", reason="needs the extra private-key-jwt")
        del environment["AUTH0_CLIENT_SECRET"]
        environment["AUTH0_PRIVATE_KEY"] = "no key"
        done = run(environment, "mint")
        assert 2 == done.returncode
        assert "private_key" in done.stderr

    def test_a_certificate_needs_tls(self, run, environment):
        """AUTH0_CLIENT_CERTIFICATE is checked before anything is sent."""
        del environment["AUTH0_CLIENT_SECRET"]
        environment.update(
            AUTH0_CLIENT_CERTIFICATE="/nowhere.crt",
            AUTH0_CLIENT_CERTIFICATE_KEY="/nowhere.key",
        )
        done = run(environment, "mint")
        assert 2 == done.returncode
        assert "client_certificate" in done.stderr


class TestExitCodes:
    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["nonsense"],
            ["mint", "--timeout", "soon"],
            ["mint", "--timeout", "nan"],
            ["mint", "--extra", "pair"],
            ["mint", "--extra", "client_id=x"],
            ["mint", "--forwarded-for", "1.2.3.4, 5.6.7.8"],
            ["mint", "--open"],
            ["mint", "--target-login-url", "http://shop.example.com"],
            ["mint", "--subject-token-file", "/nowhere"],
            ["mint", "--subject-token-file", "-", "--actor-token-file", "-"],
        ],
    )
    def test_2_for_usage(self, run, tenant, environment, arguments):
        """A bad argument is found before anything is sent."""
        done = run(environment, *arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert [] == tenant.logs

    @pytest.mark.parametrize(
        "name",
        ["DOMAIN", "CLIENT_ID", "CLIENT_SECRET", "SUBJECT_TOKEN", "SUBJECT_TOKEN_TYPE"],
    )
    @pytest.mark.parametrize("value", [None, ""])
    def test_2_for_a_missing_setting(self, run, environment, name, value):
        """A setting that is missing or empty is named."""
        environment["AUTH0_" + name] = value
        done = run(
            {key: text for key, text in environment.items() if text is not None}, "mint"
        )
        assert 2 == done.returncode
        assert name.lower() in done.stderr.lower()

    @pytest.mark.parametrize("token", ["Bearer abc", "a b", None])
    def test_2_for_a_token_that_is_none(self, run, environment, token):
        """A malformed or missing actor token is a bad argument."""
        environment["AUTH0_ACTOR_TOKEN"] = token or ""
        assert 2 == run(environment, "mint").returncode

    def test_2_for_a_file_that_is_no_text(self, run, environment, tmp_path):
        """A file that is not UTF-8 is a bad argument."""
        path = tmp_path / "token"
        path.write_bytes(b"\xff\xfe")
        assert (
            2 == run(environment, "mint", "--subject-token-file", str(path)).returncode
        )

    def test_3_for_a_refusal(self, run, environment):
        """What the tenant refuses ends with 3, its word and what to do about it."""
        environment["AUTH0_CLIENT_SECRET"] = "wrong"
        done = run(environment, "mint")
        assert (3, "") == (done.returncode, done.stdout)
        assert "invalid_client" in done.stderr

    def test_4_for_trouble_with_the_seconds(self, run, tenant, environment):
        """What is worth a retry ends with 4, and says when."""
        tenant.fail_next(status=503, headers={"Retry-After": "17"}, body=b"<html>")
        done = run(environment, "mint")
        assert 4 == done.returncode
        assert "retry after 17 seconds" in done.stderr

    def test_4_without_the_seconds(self, run, tenant, environment):
        """A lost connection is worth a retry."""
        tenant.fail_next(drop=True)
        assert 4 == run(environment, "mint").returncode

    def test_5_for_good(self, run, environment):
        """TLS to a port that speaks none will not get better."""
        environment["AUTH0_DOMAIN"] = environment["AUTH0_DOMAIN"].replace(
            "http://", "https://"
        )
        assert 5 == run(environment, "mint").returncode

    def test_a_closed_pipe_leaves_no_traceback(self, environment):
        """A reader that is gone ends the command quietly."""
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            [*COMMAND, "mint"],
            env=environment,
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
        )
        os.close(writer)
        assert (141, b"") == (done.returncode, done.stderr)

    @needs_dev_full
    def test_a_full_disk_leaves_no_traceback(self, environment):
        """Nor does a standard output that takes nothing."""
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*COMMAND, "mint"],
                env=environment,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
            )
        assert 141 == done.returncode
        assert b"Traceback" not in done.stderr

    def test_a_closed_standard_error(self, environment):
        """Complaints don't go where results are read."""
        del environment["AUTH0_DOMAIN"]
        command = ["sh", "-c", '"$@" 2>&-', "sh", *COMMAND, "mint"]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, timeout=60
        )
        assert (2, b"") == (done.returncode, done.stdout)

    def test_a_closed_standard_output_is_found_before_minting(
        self, tenant, environment
    ):
        """Where there is nowhere to print, nothing is minted."""
        done = subprocess.run(
            ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "mint"],
            env=environment,
            timeout=60,
        )
        assert 2 == done.returncode
        assert [] == tenant.logs

    def test_ctrl_c_leaves_no_traceback(self, tenant, environment):
        """An interrupt while waiting for the tenant ends the command quietly, with 130."""
        tenant.fail_next(status=503, delay=30.0)
        with subprocess.Popen(
            [*COMMAND, "mint"], env=environment, stderr=subprocess.PIPE
        ) as process:
            for _ in range(200):
                if process.poll() is not None or _is_connected(process.pid):
                    break
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            stderr = process.communicate(timeout=60)[1]
        assert (130, b"") == (process.returncode, stderr)


class TestEnds:
    """The same ends without a process of their own: what is printed and returned is seen from within."""

    def test_ctrl_c(self, run, environment, monkeypatch):
        """An interrupt is 130."""
        monkeypatch.setattr(
            command,
            "request_session_transfer_token",
            Mock(side_effect=KeyboardInterrupt),
        )
        done = run(environment, "mint")
        assert (130, "", "") == (done.returncode, done.stdout, done.stderr)

    def test_a_closed_pipe(self, run, environment, monkeypatch):
        """A reader that is gone is 141, and what is still to be written goes nowhere."""
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w", encoding="utf-8") as stream:
            monkeypatch.setattr("sys.stdout", stream)
            assert 141 == run(environment, "mint").returncode

    def test_no_standard_output(self, run, tenant, environment, monkeypatch):
        """Without one, nothing is minted."""
        monkeypatch.setattr("sys.stdout", None)
        done = run(environment, "mint")
        assert (2, []) == (done.returncode, tenant.logs)
        assert "standard output" in done.stderr

    def test_no_browser(self, run, environment, monkeypatch):
        """Without a browser to open the URL is printed all the same."""
        monkeypatch.setattr("webbrowser.open", lambda url: False)
        done = run(
            environment,
            "mint",
            "--open",
            "--target-login-url",
            "https://shop.example.com/login",
        )
        assert 0 == done.returncode
        assert done.stdout.startswith(
            "https://shop.example.com/login?session_transfer_token="
        )
        assert "no browser" in done.stderr

    @pytest.mark.parametrize("browser", ["'%s", "  "])
    def test_malformed_browser(self, run, environment, monkeypatch, browser):
        """So it is where BROWSER can't be read."""
        monkeypatch.setattr("webbrowser._tryorder", None)
        monkeypatch.setattr("webbrowser._browsers", {})
        monkeypatch.setenv("BROWSER", browser)
        done = run(
            environment,
            "mint",
            "--open",
            "--target-login-url",
            "https://shop.example.com/login",
        )
        assert 0 == done.returncode
        assert done.stdout.startswith(
            "https://shop.example.com/login?session_transfer_token="
        )

    def test_no_standard_error(self, environment, monkeypatch):
        """Without one, complaints go nowhere."""
        monkeypatch.setattr("sys.stderr", None)
        assert 2 == command.main(["mint", "--open"])
        sys.stderr.close()

    @needs_dev_full
    def test_a_full_disk(self, run, environment, monkeypatch):
        """What can't be printed is said, with the code of a closed standard output."""
        with open("/dev/full", "w", encoding="utf-8") as full:
            monkeypatch.setattr("sys.stdout", full)
            done = run(environment, "mint")
        assert 141 == done.returncode
        assert "no space" in done.stderr

    def test_other_trouble_passes(self, run, monkeypatch):
        """What has nothing to do with standard output is not taken for that."""
        monkeypatch.setattr(
            "auth0_stt.testing.playground.serve",
            Mock(side_effect=PermissionError(13, "no")),
        )
        with pytest.raises(PermissionError):
            run({}, "demo", "--serve")

    def test_demo(self, run, monkeypatch):
        """The demo's exit code is the command's; --serve has the port."""
        assert 0 == run({}, "demo").returncode
        monkeypatch.setattr("auth0_stt.testing.playground.serve", lambda port: port)
        assert 4711 == run({}, "demo", "--serve", "--port", "4711").returncode

    def test_demo_without_its_libraries(self, run, monkeypatch):
        """It says what to install."""
        monkeypatch.setitem(sys.modules, "auth0_stt.testing.demo", None)
        done = run({}, "demo")
        assert 2 == done.returncode
        assert "auth0-stt[testing]" in done.stderr


def _is_connected(pid):
    descriptors = f"/proc/{pid}/fd"
    links = [os.path.join(descriptors, name) for name in os.listdir(descriptors)]
    return any(
        os.readlink(link).startswith("socket:")
        for link in links
        if os.path.islink(link)
    )


class TestEnvironments:
    @pytest.mark.parametrize(
        "extra",
        [
            {"LC_ALL": "C"},
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONOPTIMIZE": "2"},
            {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"},
            {"HOME": "/nonexistent"},
            {"PYTHONHASHSEED": "7"},
        ],
        ids=lambda extra: next(iter(extra)),
    )
    def test_it_mints_wherever_it_runs(self, environment, extra):
        """Locales, optimization, warnings as errors and homes make no difference."""
        done = spawn({**environment, **extra}, "mint", "--reason", "grüße")
        assert (0, "") == (done.returncode, done.stderr)

    @pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
    def test_standard_input_is_utf_8(self, environment, encoding):
        """As files are, whatever the locale says: a token of other characters arrives as it is, to be refused."""
        reason = "reason-ü".encode()
        environment.update(PYTHONIOENCODING=encoding, AUTH0_CLIENT_SECRET="")
        command = [*COMMAND, "mint", "--client-secret-file", "-"]
        done = subprocess.run(
            command, env=environment, input=reason, stderr=subprocess.PIPE, timeout=60
        )
        assert 3 == done.returncode
        assert b"invalid_client" in done.stderr

    def test_help_has_the_exit_codes(self, environment):
        """--help shows the table of exit codes, also where docstrings are stripped."""
        done = spawn({**environment, "PYTHONOPTIMIZE": "2"}, "mint", "--help")
        assert 0 == done.returncode
        assert "worth a retry" in done.stdout
