"""``auth0-stt doctor``: from the command line to an exit code."""

import io
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import processes
import pytest
from breaks import BREAKS
from healthy import CONSOLE, SHOP, documents
from management_api import ORGANIZATION, TOKEN, serving

from auth0_stt.cli import doctor
from auth0_stt.cli.main import main
from auth0_stt.doctor.documents import SOURCES, TRY_LOGIN

IDS = ["--console", CONSOLE, "--shop", SHOP, "--organization", ORGANIZATION]


@pytest.fixture
def api(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AUTH0_")]:
        monkeypatch.delenv(name)
    with serving() as management_api:
        monkeypatch.setenv("AUTH0_DOMAIN", management_api.domain)
        monkeypatch.setenv("AUTH0_MANAGEMENT_TOKEN", TOKEN)
        yield management_api


@pytest.fixture
def written(tmp_path):
    def write(*rules):
        found = documents()
        for rule in rules:
            BREAKS[rule](found)
        for name, document in found.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(document))
        return tmp_path

    return write


def run(*arguments):
    return main(["doctor", *map(str, arguments)])


class TestExitCodes:
    def test_nothing_is_wrong(self, api, capsys):
        """0, and the report says so at its end."""
        assert 0 == run(*IDS)
        captured = capsys.readouterr()
        assert captured.out.endswith("\nNothing is wrong.\n")
        assert "" == captured.err

    def test_something_is_wrong(self, api, capsys):
        """1, and the last line says what to fix first."""
        api.answer("mfa-policies", ["all-applications"])
        assert 1 == run(*IDS)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("Fix first: Ask for a second factor")

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ([], "--console, --shop"),
            (["--try-login", *IDS], "--try-login needs --target-login-url"),
            (["--documents", "/nowhere"], "can't be read"),
            (["--management-token-file", "/nowhere", *IDS], "can't be read"),
            (["--timeout", "0", *IDS], "timeout"),
        ],
    )
    def test_usage(self, api, capsys, arguments, said):
        """2, and what is missing is named, all of it at once."""
        assert 2 == run(*arguments)
        assert said in capsys.readouterr().err
        assert [] == api.requests

    def test_missing_settings(self, api, monkeypatch, capsys):
        """Without its variables the command names them, and the way without them."""
        monkeypatch.delenv("AUTH0_DOMAIN")
        monkeypatch.delenv("AUTH0_MANAGEMENT_TOKEN")
        assert 2 == run("--console", CONSOLE)
        said = capsys.readouterr().err
        assert "missing: AUTH0_DOMAIN, AUTH0_MANAGEMENT_TOKEN, --shop" in said
        assert "--documents" in said

    def test_unknown_tool(self, api, capsys):
        """2 for a tool that --fix does not know."""
        with pytest.raises(SystemExit) as stop:
            run("--fix", "pulumi", *IDS)
        assert 2 == stop.value.code

    def test_refused_token(self, api, monkeypatch, capsys):
        """2 for a token that the tenant refuses, which is not repeated."""
        monkeypatch.setenv("AUTH0_MANAGEMENT_TOKEN", "other-" + TOKEN)
        assert 2 == run(*IDS)
        captured = capsys.readouterr()
        assert "the management token was refused" in captured.err
        assert TOKEN not in captured.out + captured.err

    @pytest.mark.parametrize("name", ["console", "shop"])
    def test_unknown_client(self, api, capsys, name):
        """2 for a client ID that the tenant does not have: all would be unknown."""
        arguments = [*IDS, f"--{name}", "mistyped"]
        assert 2 == run(*arguments)
        captured = capsys.readouterr()
        assert f"not_found: --{name} mistyped: " in captured.err
        assert "" == captured.out

    @pytest.mark.parametrize("name", ["console", "shop", "logs"])
    def test_throttled(self, api, capsys, name):
        """4 for what is worth a retry, with the seconds to wait."""
        api.answer(name, {}, 429, Retry_After="9")
        assert 4 == run(*IDS)
        assert "retry after 9 seconds" in capsys.readouterr().err

    def test_throttled_in_between(self, api, capsys):
        """1 if something is wrong in what was read before a 429."""
        api.answer("mfa-policies", ["all-applications"])
        api.answer("logs", {}, 429, Retry_After="9")
        assert 1 == run(*IDS)
        captured = capsys.readouterr()
        assert "Fix first: Ask for a second factor" in captured.out
        assert "throttled: " in captured.err
        assert "retry after 9 seconds" in captured.err

    def test_throttled_without_a_finding(self, api, capsys):
        """The report of what was read before a 429 says that it is not all."""
        api.answer("logs", {}, 429)
        run(*IDS)
        captured = capsys.readouterr()
        assert "\u2713 shop: is_first_party: true\n" in captured.out
        last = captured.out.splitlines()[-1]
        assert last.startswith("Nothing is wrong as far as could be read.")
        assert "Enter an account" not in last
        assert "retry after" not in captured.err

    def test_slow(self, api):
        """4 for a tenant that takes too long."""
        api.answers[api.path("shop")] = lambda handler, query: api.stop.wait(20)
        assert 4 == run("--timeout", "0.3", *IDS)

    def test_unreachable(self, api, monkeypatch):
        """5 for a tenant that is not there."""
        monkeypatch.setenv("AUTH0_DOMAIN", "http://127.0.0.1:1")
        assert 5 == run(*IDS)

    def test_no_management_api(self, api):
        """5 for a server that is no Management API."""
        api.answer_all(b"<html>")
        assert 5 == run(*IDS)


def _methods(stream):
    return {name: getattr(stream, name) for name in ("write", "flush", "isatty")}


class TestOutput:
    def test_json(self, api, capsys):
        """--json prints the findings as a list of objects."""
        assert 0 == run("--json", *IDS)
        findings = json.loads(capsys.readouterr().out)
        assert [
            "rule",
            "status",
            "client_id",
            "setting",
            "expected",
            "found",
            "symptom",
            "fix",
            "source",
        ] == list(findings[0])

    def test_json_failure(self, api, capsys):
        """A failure is an object with --json, where the findings would be."""
        api.answer("shop", {}, 429, Retry_After="9")
        assert 4 == run("--json", *IDS)
        failure = json.loads(capsys.readouterr().out)
        assert ("throttled", 9.0) == (failure["code"], failure["retry_after"])

    def test_json_of_a_part(self, api, capsys):
        """--json prints the findings if both applications were read before a 429."""
        api.answer("action", {}, 429, Retry_After="9")
        assert 4 == run("--json", *IDS)
        captured = capsys.readouterr()
        statuses = {each["rule"]: each["status"] for each in json.loads(captured.out)}
        assert "ok" == statuses["shop-allows-delegation"]
        assert "unknown" == statuses["shop-connection"]
        assert "retry after 9 seconds" in captured.err

    @pytest.mark.parametrize("tool", ["curl", "terraform", "auth0-cli"])
    def test_fix_changes_nothing(self, api, capsys, tool):
        """--fix prints what to run, and reads only."""
        api.answer("mfa-policies", ["all-applications"])
        assert 1 == run("--fix", tool, *IDS)
        said = capsys.readouterr().out
        assert "guardian" in said
        # The domain is on loopback and has a scheme.
        assert "auth0-stt tenant --settings FILE" in said
        assert "https://$AUTH0_DOMAIN" not in said

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252", "unheard-of", None])
    def test_narrow_output(self, written, monkeypatch, encoding):
        """An output that has no check mark gets other ones."""
        stream = io.StringIO()
        monkeypatch.setattr(
            "sys.stdout", SimpleNamespace(encoding=encoding, **_methods(stream))
        )
        assert 0 == run("--documents", written())
        assert stream.getvalue().startswith("+ console: ")

    def test_no_colour_in_a_file(self, written):
        """A pipe gets no escape sequence, and ASCII where it takes nothing else."""
        command = [sys.executable, "-m", "auth0_stt", "doctor", "--documents"]
        environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
        ended = processes.run(
            [*command, str(written("shop-first-party"))], env=environment
        )
        assert 1 == ended.returncode
        assert b"\nx shop: is_first_party [shop-first-party]\n" in ended.stdout.replace(
            b"\r", b""
        )
        assert b"\x1b" not in ended.stdout


class TestToken:
    def test_from_a_file(self, api, monkeypatch, tmp_path):
        """The token may be in a file; the line end is not part of it."""
        monkeypatch.delenv("AUTH0_MANAGEMENT_TOKEN")
        path = tmp_path / "token"
        path.write_text(TOKEN + "\n")
        assert 0 == run("--management-token-file", path, *IDS)

    def test_not_text(self, api, tmp_path, capsys):
        """A file that is not text is a mistake, and is not shown."""
        path = tmp_path / "token"
        path.write_bytes(b"\xff\xfe")
        assert 2 == run("--management-token-file", path, *IDS)
        assert "it is not UTF-8" in capsys.readouterr().err


class TestDocuments:
    def test_no_network(self, api, written, capsys):
        """With --documents nothing is read from the tenant, and no id is needed."""
        assert 0 == run("--documents", written(), "--organization", ORGANIZATION)
        assert [] == api.requests
        assert capsys.readouterr().out.endswith("\nNothing is wrong.\n")

    def test_wrong(self, written):
        """What is wrong in the files is found."""
        assert 1 == run("--documents", written("shop-accepts-query"))

    def test_unreadable_file(self, written, capsys):
        """A file that holds no JSON, as a command that failed leaves it, is unknown."""
        directory = written()
        (directory / "logs.json").write_text("")
        assert 0 == run("--documents", directory)
        assert "(1) logs.json is not JSON" in capsys.readouterr().out

    def test_other_files(self, written, capsys):
        """A directory may hold other files; what can't be opened is unknown."""
        directory = written()
        (directory / "notes.txt").write_text("not ours")
        (directory / "logs.json").unlink()
        (directory / "logs.json").mkdir()
        assert 0 == run("--documents", directory)
        assert "(1) logs.json can't be read" in capsys.readouterr().out

    def test_empty_directory(self, tmp_path, capsys):
        """A directory without documents is a mistake."""
        assert 2 == run("--documents", tmp_path)
        assert "no file that ends in .json" in capsys.readouterr().err

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
    def test_commands_of_the_help(self, api, tmp_path):
        """The commands that --help shows write files that the doctor reads."""
        asking = Path(__file__).with_name("auth0_cli.py")
        script = "\n".join(
            line
            for line in doctor._documents_help().splitlines()
            if line.startswith("  ") and "=..." not in line
        )
        variables = {
            "CONSOLE": CONSOLE,
            "SHOP": SHOP,
            "ORGANIZATION": ORGANIZATION,
            "ACTION": "910b1053-577f-4d81-a8c8-020e7319a38a",
            "DIR": str(tmp_path),
        }
        processes.run(
            [
                "/bin/sh",
                "-ec",
                f'auth0() {{ "{sys.executable}" "{asking}" "$@"; }}\n{script}',
            ],
            env={**os.environ, **variables},
            check=True,
            timeout=120,
        )
        expected = documents()
        del expected[TRY_LOGIN]
        assert expected == {
            path.stem: json.loads(path.read_text()) for path in tmp_path.iterdir()
        }
        log = {path: query for path, query, _ in api.requests}["logs"]
        assert [f'client_id:("{CONSOLE}" OR "{SHOP}")'] == log["q"]

    def test_help_names_every_document(self, capsys):
        """The help has a command for each document."""
        with pytest.raises(SystemExit):
            run("--help")
        text = capsys.readouterr().out
        assert [] == [name for name in SOURCES if f"$DIR/{name}.json" not in text]


class TestTryLogin:
    def test_passes_on(self, api, written):
        """The login URL is opened once, with --documents, too."""

        def pass_on(handler, query):
            found = "&".join(f"{name}={value[0]}" for name, value in query.items())
            location = "https://login.acme.example/authorize?redirect_uri="
            location += "https%3A%2F%2Fshop.acme.example%2Fcallback&" + found
            return (302, {"Location": location}, b"")

        api.answers["/login"] = pass_on
        directory = written()
        (directory / "try-login.json").unlink()
        shop = documents()["shop"]
        shop["initiate_login_uri"] = url = api.domain + "/login"
        (directory / "shop.json").write_text(json.dumps(shop))
        given = ["--documents", directory, "--target-login-url", url, "--try-login"]
        assert 0 == run(*given)
        assert ["/login"] == [path for path, _, _ in api.requests]
        api.answers["/login"] = (
            302,
            {"Location": "https://a.example/authorize?x=y"},
            b"",
        )
        assert 1 == run(*given)

    def test_shop_is_down(self, api, written, capsys):
        """A shop that does not answer leaves the settings judged."""
        given = ["--target-login-url", "http://127.0.0.1:1/login", "--try-login"]
        assert 1 == run("--documents", written("shop-accepts-query"), *given)
        assert "the login URL: the server can't be reached" in capsys.readouterr().out
