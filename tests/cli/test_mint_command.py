"""``auth0-stt mint``, as cron and scripts run it."""

import json
import sys

import pytest
from values import ACTOR_TOKEN, CLIENT_SECRET, ISSUED, SUBJECT_TOKEN

from auth0_stt import SESSION_TRANSFER_TOKEN_TYPE

LOGIN = "https://shop.example.com/login"
URL = f"{LOGIN}?session_transfer_token={ISSUED}"

#: Everything that is missing where nothing is set.
ALL_MISSING = {
    "AUTH0_DOMAIN",
    "AUTH0_CLIENT_ID",
    "AUTH0_CLIENT_SECRET",
    "AUTH0_SUBJECT_TOKEN",
    "AUTH0_SUBJECT_TOKEN_TYPE",
    "AUTH0_ACTOR_TOKEN",
}


class TestResults:
    def test_the_token_is_printed_as_json(self, run):
        """Without a target the token is printed as JSON, and nothing is said."""
        done = run("mint")
        assert (0, "") == (done.returncode, done.stderr)
        assert {
            "session_transfer_token": ISSUED,
            "issued_token_type": SESSION_TRANSFER_TOKEN_TYPE,
            "token_type": "N_A",
            "expires_in": 60,
        } == json.loads(done.stdout)

    def test_the_url_is_printed_alone(self, run):
        """With a target the URL is the only line on standard output."""
        done = run("mint", "--target-login-url", LOGIN)
        assert (0, URL + "\n", "") == (done.returncode, done.stdout, done.stderr)

    def test_json_has_both(self, run):
        """--json prints the token and the URL that contains it."""
        answer = json.loads(run("mint", "--json", "--target-login-url", LOGIN).stdout)
        assert (ISSUED, URL) == (answer["session_transfer_token"], answer["url"])

    def test_the_organization_is_in_both(self, run, endpoint):
        """--organization goes to the tenant and into the URL."""
        done = run("mint", "--organization", "org_1", "--target-login-url", LOGIN)
        assert "org_1" == endpoint.last.form["organization"]
        assert URL + "&organization=org_1\n" == done.stdout

    def test_what_the_action_reads_is_passed_on(self, run, endpoint):
        """--reason, --extra, --scope and --forwarded-for reach the tenant as given."""
        arguments = ["--reason", "T-1", "--extra", "a=1", "--extra", "a=2=3"]
        run(
            "mint",
            *arguments,
            "--scope",
            "openid email",
            "--forwarded-for",
            "192.0.2.7",
        )
        pairs = endpoint.last.pairs
        assert {
            ("reason", "T-1"),
            ("a", "1"),
            ("a", "2=3"),
            ("scope", "openid email"),
        } <= set(pairs)
        assert "192.0.2.7" == endpoint.last.headers["auth0-forwarded-for"]


class TestSettings:
    @pytest.mark.parametrize(
        "name", ["client-secret", "subject-token", "actor-token", "domain"]
    )
    def test_from_a_file(self, run, environment, tmp_path, name):
        """A setting can come from a file, whose last line break is not part of it."""
        variable = "AUTH0_" + name.upper().replace("-", "_")
        path = tmp_path / name
        path.write_text(environment[variable] + "\n")
        done = run("mint", f"--{name}-file", str(path), **{variable: None})
        assert 0 == done.returncode

    def test_from_standard_input(self, spawn):
        """One setting can come from standard input."""
        done = spawn(
            *("mint", "--client-secret-file", "-"),
            AUTH0_CLIENT_SECRET=None,
            text=CLIENT_SECRET + "\n",
        )
        assert 0 == done.returncode

    @pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
    def test_standard_input_is_utf_8(self, spawn, endpoint, encoding):
        """Standard input is UTF-8, whatever the locale says."""
        spawn(
            *("mint", "--client-secret-file", "-"),
            AUTH0_CLIENT_SECRET=None,
            PYTHONIOENCODING=encoding,
            text="secret-ü",
        )
        assert "client_secret=secret-%C3%BC" in endpoint.last.body.decode("ascii")

    @pytest.mark.parametrize(
        "argument",
        ["--client-secret=TOPSECRET", "--subject-token=TOPSECRET", "TOPSECRET"],
    )
    def test_never_from_an_argument(self, run, argument):
        """A secret on the command line is refused, and not repeated."""
        done = run("mint", argument)
        assert 2 == done.returncode
        assert "TOPSECRET" not in done.stdout + done.stderr

    def test_every_missing_one_is_named(self, run):
        """One run names all that is missing, as the variables to set."""
        done = run("mint", **dict.fromkeys(ALL_MISSING))
        assert 2 == done.returncode
        assert ALL_MISSING == {word.strip(",") for word in done.stderr.split()} & (
            ALL_MISSING
        )

    @pytest.mark.parametrize("name", sorted(ALL_MISSING))
    def test_an_empty_one_is_missing(self, run, endpoint, name):
        """An empty variable counts as missing, and only that one is named."""
        done = run("mint", **{name: ""})
        assert (2, []) == (done.returncode, endpoint.requests)
        others = [each for each in ALL_MISSING if each not in name]
        assert name in done.stderr
        assert [] == [each for each in others if each + "," in done.stderr]

    def test_one_credential_is_enough(self, run):
        """Two credentials are an error that names both."""
        done = run("mint", AUTH0_PRIVATE_KEY="key", AUTH0_CLIENT_ASSERTION="a.b.c")
        assert 2 == done.returncode
        assert {
            "AUTH0_CLIENT_SECRET",
            "AUTH0_PRIVATE_KEY",
            "AUTH0_CLIENT_ASSERTION",
        } <= {word.strip(",") for word in done.stderr.split()}

    def test_a_private_key_signs(self, run, endpoint):
        """AUTH0_PRIVATE_KEY replaces the secret: the tenant sees a signed assertion."""
        pytest.importorskip("jwt", reason="needs the extra private-key-jwt")
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        done = run("mint", AUTH0_CLIENT_SECRET=None, AUTH0_PRIVATE_KEY=pem.decode())
        assert 0 == done.returncode
        assert 2 == endpoint.last.form["client_assertion"].count(".")
        assert "client_secret" not in endpoint.last.form

    def test_a_private_key_without_its_library(self, run, monkeypatch):
        """Without PyJWT, AUTH0_PRIVATE_KEY says what to install."""
        monkeypatch.setitem(sys.modules, "jwt", None)
        done = run("mint", AUTH0_CLIENT_SECRET=None, AUTH0_PRIVATE_KEY="key")
        assert 2 == done.returncode
        assert "auth0-stt[private-key-jwt]" in done.stderr


class TestFailures:
    @pytest.mark.parametrize(
        ("arguments", "changes", "name"),
        [
            (["--forwarded-for", "1.2.3.4, 5.6.7.8"], {}, "--forwarded-for"),
            (["--timeout", "nan"], {}, "--timeout"),
            (["--timeout", "soon"], {}, "--timeout"),
            (["--scope", ""], {}, "--scope"),
            (["--reason", " "], {}, "--reason"),
            (["--organization", "a b"], {}, "--organization"),
            (["--extra", "pair"], {}, "--extra"),
            (["--extra", "client_id=x"], {}, "--extra"),
            (
                ["--target-login-url", "http://shop.example.com"],
                {},
                "--target-login-url",
            ),
            ([], {"AUTH0_DOMAIN": "a/b"}, "AUTH0_DOMAIN"),
            ([], {"AUTH0_CLIENT_ID": "a b"}, "AUTH0_CLIENT_ID"),
            ([], {"AUTH0_SUBJECT_TOKEN_TYPE": "customer"}, "AUTH0_SUBJECT_TOKEN_TYPE"),
            ([], {"AUTH0_SUBJECT_TOKEN": "Bearer abc"}, "AUTH0_SUBJECT_TOKEN"),
            ([], {"AUTH0_ACTOR_TOKEN": "a b"}, "AUTH0_ACTOR_TOKEN"),
            ([], {"AUTH0_ACTOR_TOKEN_TYPE": "id"}, "AUTH0_ACTOR_TOKEN_TYPE"),
            (
                [],
                {
                    "AUTH0_CLIENT_SECRET": None,
                    "AUTH0_CLIENT_CERTIFICATE": "/nowhere.crt",
                },
                "AUTH0_CLIENT_CERTIFICATE",
            ),
        ],
    )
    def test_an_argument_is_named_as_it_is_given(
        self, run, endpoint, arguments, changes, name
    ):
        """A bad argument ends with 2, under its option's or variable's own name."""
        done = run("mint", *arguments, **changes)
        assert (2, "", []) == (done.returncode, done.stdout, endpoint.requests)
        # Before it: the usage, or "auth0-stt: ", a code and ": ".
        message = done.stderr.rpartition("error: argument ")[2].split("\n")[0]
        assert name in message.replace(":", " ").split()
        assert name.strip("-").replace("-", "_").replace("AUTH0_", "").lower() not in (
            message.split()
        )
        assert "None" not in message

    def test_a_setting_from_a_file_is_named_by_its_option(self, run, tmp_path):
        """Where a bad value came from a file, the option is named."""
        path = tmp_path / "token"
        path.write_text("a b")
        done = run("mint", "--actor-token-file", str(path))
        assert "auth0-stt: invalid_token_format: --actor-token-file" in done.stderr

    def test_a_private_key_that_is_none(self, run):
        """A malformed private key is named."""
        pytest.importorskip("jwt", reason="needs the extra private-key-jwt")
        done = run("mint", AUTH0_CLIENT_SECRET=None, AUTH0_PRIVATE_KEY="key")
        assert 2 == done.returncode
        assert "AUTH0_PRIVATE_KEY must be" in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--subject-token-file", "/nowhere"], "No such file"),
            (["--subject-token-file", "-", "--actor-token-file", "-"], "only one"),
        ],
    )
    def test_a_file_that_cannot_be_read(self, run, arguments, complaint):
        """A missing file, and a second use of standard input, end with 2."""
        done = run("mint", *arguments)
        assert 2 == done.returncode
        assert complaint in done.stderr

    def test_a_file_that_is_not_text(self, run, tmp_path):
        """A file that is not UTF-8 ends with 2."""
        path = tmp_path / "token"
        path.write_bytes(b"\xff\xfe")
        done = run("mint", "--subject-token-file", str(path))
        assert 2 == done.returncode
        assert "--subject-token-file can't be read: it is not UTF-8" in done.stderr

    def test_a_refusal(self, run, endpoint):
        """What the tenant refuses ends with 3, its word, and what to do about it."""
        endpoint.answer({"error": "invalid_client"}, status=401)
        done = run("mint")
        assert (3, "") == (done.returncode, done.stdout)
        assert "invalid_client" in done.stderr
        assert "Check AUTH0_CLIENT_ID" in done.stderr

    def test_the_tenants_words_stay(self, run, endpoint):
        """The description is the tenant's: names in it are not translated."""
        description = "client_id is unknown"
        endpoint.answer(
            {"error": "invalid_request", "error_description": description}, status=400
        )
        assert description in run("mint").stderr

    def test_worth_a_retry(self, run, endpoint):
        """What is worth a retry ends with 4, and says when."""
        endpoint.answer(b"<html>", status=503, Retry_After="17")
        done = run("mint")
        assert 4 == done.returncode
        assert "retry after 17 seconds" in done.stderr

    def test_worth_a_retry_at_an_unknown_time(self, run, endpoint):
        """A lost connection is worth a retry."""
        endpoint.drop()
        done = run("mint")
        assert 4 == done.returncode
        assert "retry after" not in done.stderr

    def test_unreachable(self, run, endpoint):
        """TLS to a port that doesn't speak it ends with 5: a retry won't help."""
        done = run("mint", AUTH0_DOMAIN=endpoint.domain.replace("http:", "https:"))
        assert 5 == done.returncode


class TestFailuresAsJson:
    def failure(self, done):
        """Return what a failed run printed, and check that it printed nothing else."""
        assert "" == done.stderr
        failure = json.loads(done.stdout)
        assert ["code", "message", "hint", "retryable", "retry_after"] == list(failure)
        secrets = (CLIENT_SECRET, SUBJECT_TOKEN, ACTOR_TOKEN)
        assert [] == [secret for secret in secrets if secret in done.stdout]
        return failure

    def test_worth_a_retry(self, run, endpoint):
        """A script reads from standard output whether and when to try again."""
        endpoint.answer({"error": "too_many_requests"}, status=429, Retry_After="17")
        done = run("mint", "--json")
        failure = self.failure(done)
        assert 4 == done.returncode
        assert "too_many_requests" == failure["code"]
        assert (True, 17.0) == (failure["retryable"], failure["retry_after"])
        assert failure["hint"]

    def test_a_refusal(self, run, endpoint):
        """What is unknown is null."""
        description = f"not for {SUBJECT_TOKEN}"
        endpoint.answer(
            {"error": "no_such_code", "error_description": description}, status=400
        )
        done = run("mint", "--json")
        failure = self.failure(done)
        assert 3 == done.returncode
        assert "token_exchange_failed" == failure["code"]
        assert (False, None) == (failure["retryable"], failure["retry_after"])

    def test_nothing_sent(self, run):
        """Bad and missing settings have the library's code for them."""
        for changes in ({"AUTH0_DOMAIN": None}, {"AUTH0_DOMAIN": "a/b"}):
            done = run("mint", "--json", **changes)
            failure = self.failure(done)
            assert (2, "invalid_argument") == (done.returncode, failure["code"])
            assert "AUTH0_DOMAIN" in failure["message"]


class TestEnvironments:
    @pytest.mark.parametrize(
        "variables",
        [
            {"LC_ALL": "C"},
            {"PYTHONIOENCODING": "ascii"},
            {"PYTHONOPTIMIZE": "2"},
            {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"},
            {"HOME": "/nonexistent"},
        ],
        ids=lambda variables: next(iter(variables)),
    )
    def test_it_mints_wherever_it_runs(self, spawn, endpoint, variables):
        """Locales, optimization, warnings as errors and homes make no difference."""
        done = spawn("mint", "--reason", "grüße", **variables)
        assert (0, "") == (done.returncode, done.stderr)
        assert "reason=gr%C3%BC%C3%9Fe" in endpoint.last.body.decode("ascii")

    def test_help_has_the_exit_codes(self, spawn):
        """--help shows the exit codes, also where docstrings are stripped."""
        done = spawn("mint", "--help", PYTHONOPTIMIZE="2")
        assert 0 == done.returncode
        assert "worth a retry" in done.stdout
