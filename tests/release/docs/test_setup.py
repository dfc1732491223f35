"""The settings of *Set up Auth0*: the files, the commands that send them, and Terraform."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import hcl2
import processes
import pytest
from release.blocks import ROOT, in_language

from auth0_stt import (
    ID_TOKEN_TYPE,
    build_session_transfer_redirect,
    request_session_transfer_token,
)
from auth0_stt.doctor import diagnose
from auth0_stt.rules import RULES
from auth0_stt.testing import LocalTenant

SETUP = ROOT / "docs" / "setup"

#: Rules that the files keep by leaving the setting at its default.
DEFAULTS = {"no-pushed-request", "loopback-prompt"}


def read(name):
    return json.loads((SETUP / name).read_text("utf-8"))


def plain(value):
    """Terraform's data as JSON has it: a block is a list of one, a string is quoted."""
    if isinstance(value, dict):
        return {
            name: plain(each)
            for name, each in value.items()
            if not name.startswith("__")
        }
    if isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], dict):
            return plain(value[0])
        return [plain(each) for each in value]
    return value.strip('"') if isinstance(value, str) else value


@pytest.fixture
def commands(tmp_path):
    """What the page's commands for a shell call, with the files beside them."""
    for name in ("console.json", "shop.json"):
        shutil.copy(SETUP / name, tmp_path)
    log = tmp_path / "log"
    for name in ("curl", "auth0"):
        program = tmp_path / name
        program.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(log)!r}, 'a').write(json.dumps(sys.argv) + '\\n')\n"
            "listed = [each for each in sys.argv if each.endswith('connections')]\n"
            """print('[{"id": "con_1"}]' if listed else '{"access_token": "a token"}')\n"""
        )
        program.chmod(0o755)
    script = "set -eu\n" + "\n".join(in_language(ROOT / "docs/setup.rst", "sh"))
    environment = {
        "PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "MANAGEMENT_CLIENT_ID": "management",
        "MANAGEMENT_CLIENT_SECRET": "secret",
        "CONSOLE_CLIENT_ID": "console",
        "SHOP_CLIENT_ID": "shop",
    }
    done = processes.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env=environment,
        text=True,
    )
    assert "" == done.stderr
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_commands_send_the_files(commands):
    """curl and the Auth0 CLI patch the same two applications with the same files."""
    called = [
        (Path(program).name, path)
        for program, *arguments in commands
        for path in arguments
        if "PATCH" in arguments or "patch" in arguments
        if "clients/" in path
    ]
    base = "https://acme.eu.auth0.com/api/v2/"
    assert [
        ("curl", base + "clients/console"),
        ("curl", base + "clients/shop"),
        ("auth0", "clients/console"),
        ("auth0", "clients/shop"),
    ] == called
    bodies = [
        each[each.index("--data") + 1]
        for each in commands
        if "patch" in each and any(word.startswith("clients/") for word in each)
    ]
    assert [read("console.json"), read("shop.json")] == list(map(json.loads, bodies))
    tokens = {
        word for each in commands for word in each if word.startswith("Authorization")
    }
    assert {"Authorization: Bearer a token"} == tokens


def test_the_connection_is_enabled_for_both(commands):
    """Both tools find the connection by its name and send the same JSON."""
    name = "name=Username-Password-Authentication"
    assert ["curl", "auth0"] == [
        Path(each[0]).name for each in commands if name in each
    ]
    called = [
        (Path(each[0]).name, json.loads(each[each.index("--data") + 1]))
        for each in commands
        if any("connections/con_1/clients" in word for word in each)
    ]
    assert [
        (program, [{"client_id": client_id, "status": True}])
        for program in ("curl", "auth0")
        for client_id in ("console", "shop")
    ] == called


def test_the_second_factor():
    """Only a login of a person's own asks for one: no mint, and no delegated session."""
    if shutil.which("node") is None:
        pytest.skip("no node here")
    (action,) = in_language(ROOT / "docs/setup.rst", "javascript")
    events = [
        {"transaction": {"protocol": "oidc-basic-profile"}, "session": {"id": "s"}},
        {"transaction": {"protocol": "oauth2-token-exchange"}},
        {"transaction": {}, "session": {"actor": {"sub": "auth0|sam"}}},
    ]
    script = f"""{action}
    for (const event of {json.dumps(events)}) {{
      let asked = false;
      const api = {{ multifactor: {{ enable: () => (asked = true) }} }};
      exports.onExecutePostLogin(event, api);
      console.log(asked);
    }}"""
    done = processes.run(["node", "-e", script], text=True)
    assert ["true", "false", "false"] == done.stdout.split(), done.stderr


def test_the_files_satisfy_every_rule():
    """Each rule that a setting of an application decides is kept by the files."""
    for whose in ("console", "shop"):
        settings = read(f"{whose}.json")
        for rule in RULES.values():
            if rule.whose == whose and rule.setting and rule.value is not None:
                found = settings
                for name in rule.setting.split("."):
                    found = found.get(name, {})
                if rule.id not in DEFAULTS:
                    assert rule.holds(found), rule.id


def test_the_local_tenant_takes_the_files():
    """The names are Auth0's, and the whole flow works with these settings."""
    with LocalTenant() as tenant:
        for whose, application in (
            ("console", tenant.console),
            ("shop", tenant.shop),
        ):
            settings = tenant.settings[application["client_id"]]
            for name, value in read(f"{whose}.json").items():
                settings[name] = value
        token = request_session_transfer_token(
            **tenant.console,
            subject_token=tenant.subject_token("auth0|ada"),
            subject_token_type=tenant.subject_token_type,
            actor_token=tenant.agent_tokens()["id_token"],
            actor_token_type=ID_TOKEN_TYPE,
        )
        url = build_session_transfer_redirect("https://shop.example.com/login", token)
        assert "auth0|ada" == tenant.redeem(url)["sub"]


def test_terraform_says_the_same():
    """What the JSON sets, the blocks of the Terraform file set as well."""
    resources = hcl2.loads((SETUP / "main.tf").read_text("utf-8"))["resource"]
    for whose in ("console", "shop"):
        (block,) = [
            each['"auth0_client"'][f'"{whose}"']
            for each in resources
            if f'"{whose}"' in each.get('"auth0_client"', {})
        ]
        expected = read(f"{whose}.json")
        expected.pop("token_endpoint_auth_method", None)  # see below
        assert plain(expected) == {
            name: value for name, value in plain(block).items() if name in expected
        }


def test_terraform_sets_the_authentication_method():
    """An imported console gets the method of the JSON, which only this resource sets."""
    resources = hcl2.loads((SETUP / "main.tf").read_text("utf-8"))["resource"]
    (credentials,) = [
        plain(each['"auth0_client_credentials"']['"console"'])
        for each in resources
        if '"auth0_client_credentials"' in each
    ]
    method = read("console.json")["token_endpoint_auth_method"]
    assert method == credentials["authentication_method"]
    assert "${auth0_client.console.id}" == credentials["client_id"]


def test_the_versions_of_jose_are_one():
    """What the tests run is what the page and Terraform tell Auth0 to install."""
    version = json.loads((ROOT / "docs/action/package.json").read_text())[
        "dependencies"
    ]["jose"]
    assert f"``{version}``" in (ROOT / "docs/setup.rst").read_text("utf-8")
    assert f'"{version}"' in (SETUP / "main.tf").read_text("utf-8")


def test_the_doctor_finds_nothing_wrong():
    """A tenant that was set up by these pages passes the doctor."""
    console, shop = (
        {"client_id": whose, "name": whose, **read(f"{whose}.json")}
        for whose in ("console", "shop")
    )
    profile = {
        "id": "tep_1",
        "name": "customer",
        "type": "custom_authentication",
        "subject_token_type": "urn:acme:customer",
        "action_id": "act_1",
    }
    action = {
        "id": "act_1",
        "code": (ROOT / "docs/action/action.js").read_text("utf-8"),
        "supported_triggers": [{"id": "custom-token-exchange", "version": "v1"}],
        "all_changes_deployed": True,
    }
    documents = {
        "console": console,
        "shop": shop,
        "token-exchange-profiles": [profile],
        "action": action,
    }
    findings = diagnose(
        documents,
        subject_token_type="urn:acme:customer",
        target_login_url=shop["initiate_login_uri"],
    )
    found = {finding.rule: finding.status for finding in findings}
    assert [] == [rule for rule, status in found.items() if status == "wrong"]
    judged = {"action-sets-actor", "action-checks-audience", "action-reads-actor"}
    judged |= {"shop-allows-delegation", "console-may-mint", "profile-exists"}
    assert {"ok"} == {found[rule] for rule in judged}


def test_the_key_is_made_as_the_page_says(tmp_path):
    """What openssl makes by the page's command, the page's program can print."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    page = (ROOT / "docs/setup.rst").read_text("utf-8")
    command = re.search(r"^    (openssl .*)$", page, re.M)[1]
    processes.run(command.split(), cwd=tmp_path, check=True)
    done = processes.run(
        [sys.executable, str(ROOT / "docs/action/sign_subject.py")],
        cwd=tmp_path,
        env={**os.environ, "SUBJECT_KEY_FILE": "subject-key.pem"},
        check=True,
    )
    (key,) = json.loads(done.stdout)["keys"]
    assert ("EC", "P-256", "ES256") == (key["kty"], key["crv"], key["alg"])
