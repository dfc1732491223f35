"""What to run: printed for three tools, and enough to correct what is wrong."""

import copy
import json
import random
import re
import shlex
import sys
from pathlib import Path

import processes
import pytest
from breaks import BREAKS, OPTIONS, wrong
from healthy import CONSOLE, SHOP, documents

from auth0_stt.doctor import diagnose
from auth0_stt.doctor.fixes import TOOLS, changes, fixes
from auth0_stt.rules import RULES

ROOT = Path(__file__).parents[2]


def broken(*rules):
    found = documents()
    for rule in rules:
        BREAKS[rule](found)
    return found


def apply(change, found):
    """Do what the Management API would do, to the documents."""
    kind, _, rest = change.path.partition("/")
    if kind == "clients":
        found["console" if rest == CONSOLE else "shop"].update(change.body)
    elif kind == "guardian":
        found["mfa-policies"] = change.body
    elif kind == "custom-domains":
        found["custom-domains"].append({**change.body, "status": "ready"})
    elif kind == "token-exchange-profiles":
        found["token-exchange-profiles"]["token_exchange_profiles"].append(change.body)
    elif kind == "actions":
        found["action"]["all_changes_deployed"] = True
    elif kind == "organizations":
        found["organization-connections"].append(change.body)
    elif kind == "resource-servers":
        found["resource-servers"][0].update(change.body)
    elif kind == "connections":
        for each in change.body:
            whose = "console" if each["client_id"] == CONSOLE else "shop"
            connection = {"id": rest.partition("/")[0], "name": "customers"}
            found[whose + "-connections"]["connections"].append(connection)
    else:
        raise AssertionError(change.path)


# Rules that one call of the API corrects. (A profile's type can't be changed.)
CORRECTED = [
    rule
    for rule in BREAKS
    if changes(diagnose(broken(rule), **OPTIONS), broken(rule), "urn:acme:customer")
]


class TestChanges:
    def test_cover_the_settings(self):
        """Every setting with a value to set is corrected, and more than those."""
        settable = {
            rule.id
            for rule in RULES.values()
            if rule.whose in ("console", "shop") and rule.value is not None
        }
        assert settable < set(CORRECTED)
        assert {"mfa", "two-domains", "profile-exists", "console-connection"} < set(
            CORRECTED
        )

    @pytest.mark.parametrize("rule", CORRECTED)
    def test_correct(self, rule):
        """What a change sets makes its rule right, and breaks no other one."""
        found = broken(rule)
        made = changes(diagnose(found, **OPTIONS), found, "urn:acme:customer")
        assert [(rule,)] == [change.rules for change in made]
        for change in made:
            apply(change, found)
        assert [] == wrong(found, **OPTIONS)

    @pytest.mark.parametrize("seed", range(10))
    def test_ten_broken_tenants(self, seed):
        """Several broken at once are all corrected by doing what is printed."""
        choice = random.Random(seed)
        rules = choice.sample(CORRECTED, choice.randint(2, 12))
        found = broken(*rules)
        for _ in range(4):  # one may hide another, as a connection that is not there
            for change in changes(
                diagnose(found, **OPTIONS), found, "urn:acme:customer"
            ):
                apply(change, found)
        assert [] == wrong(found, **OPTIONS)

    def test_one_call_for_an_application(self):
        """Two settings within one object don't undo each other."""
        found = broken("shop-allows-delegation", "shop-accepts-query")
        (change,) = changes(diagnose(found), found)
        expected = documents()["shop"]["session_transfer"]
        assert ("PATCH", "clients/" + SHOP) == (change.method, change.path)
        assert {"session_transfer": expected} == change.body

    def test_other_settings_stay(self):
        """What else is in the object or the list is sent as it was."""
        found = broken("shop-accepts-query")
        found["shop"]["session_transfer"]["allow_refresh_token"] = False
        (change,) = changes(diagnose(found), found)
        assert False is change.body["session_transfer"]["allow_refresh_token"]
        assert ["cookie", "query"] == change.body["session_transfer"][
            "allowed_authentication_methods"
        ]

    def test_value_of_another_type(self):
        """What is not the list that it must be is replaced."""
        found = documents()
        found["shop"]["grant_types"] = 1
        (change,) = changes(diagnose(found), found)
        assert {"grant_types": ["authorization_code"]} == change.body

    def test_documents_are_not_changed(self):
        """The documents stay as they were read."""
        found = broken(*CORRECTED)
        before = copy.deepcopy(found)
        changes(diagnose(found), found)
        assert before == found


class TestSnippets:
    @pytest.mark.parametrize("tool", TOOLS)
    def test_name_every_wrong_rule(self, tool):
        """Each wrong finding is in the snippets, if only as a comment."""
        rules = [*CORRECTED, "logout-url", "action-sets-actor"]
        found = broken(*rules)
        findings = diagnose(found, **OPTIONS)
        text = fixes(findings, found, tool)
        comments = [line for line in text.splitlines() if line.startswith("# ")]
        named = set(re.findall(r"[a-z-]+", " ".join(comments)))
        for finding in findings:
            assert (finding.status == "wrong") is (finding.rule in named)

    @pytest.mark.parametrize("tool", TOOLS)
    def test_nothing_is_wrong(self, tool):
        """Nothing to run without a wrong finding; it says if not all could be read."""
        found = documents()
        assert "# Nothing is wrong.\n" == fixes(diagnose(found), found, tool)
        del found["shop"]
        said = "# Nothing is wrong as far as could be read.\n"
        assert said == fixes(diagnose(found), found, tool)

    def test_curl(self):
        """The snippet is one command for a shell, with the token in a variable."""
        found = broken("shop-allows-delegation")
        text = fixes(diagnose(found), found, "curl")
        words = shlex.split(text, comments=True)
        assert ["curl", "-sS", "--fail-with-body", "-X", "PATCH"] == words[:5]
        assert f"https://$AUTH0_DOMAIN/api/v2/clients/{SHOP}" == words[5]
        body = json.loads(words[-1])
        assert True is body["session_transfer"]["delegation"]["allow_delegated_access"]

    def test_curl_token(self):
        """Another token than the one that reads, with the scope that the change needs."""
        found = broken(*CORRECTED)
        made = changes(diagnose(found, **OPTIONS), found)
        text = fixes(diagnose(found, **OPTIONS), found, "curl")
        assert "AUTH0_MANAGEMENT_TOKEN" not in text
        assert len(made) == text.count("Bearer $AUTH0_UPDATE_TOKEN")
        for change in made:
            verb, _, what = change.scope.partition(":")
            assert ("create" == verb) is (change.method == "POST" and what != "actions")
            assert f"# Scope: {change.scope}\n" in text

    @pytest.mark.parametrize(
        ("domain", "url", "local"),
        [
            (None, "https://$AUTH0_DOMAIN/api/v2/", False),
            ("acme.eu.auth0.com", "https://$AUTH0_DOMAIN/api/v2/", False),
            ("https://acme.eu.auth0.com", '"$AUTH0_DOMAIN/api/v2/', False),
            ("http://localhost:8400", '"$AUTH0_DOMAIN/api/v2/', True),
        ],
    )
    def test_curl_domain(self, domain, url, local):
        """A domain with a scheme makes a URL; a local tenant has a file of settings."""
        found = broken("shop-allows-delegation")
        text = fixes(diagnose(found), found, "curl", domain=domain)
        assert url in text
        assert local is ("--settings FILE" in text)

    @pytest.mark.parametrize("tool", TOOLS)
    def test_callback(self, tool):
        """The list that is there, and the URL that the shop uses."""
        found = documents()
        found["shop"]["callbacks"] = ["https://a.example/callback"]
        (finding,) = [each for each in diagnose(found) if each.status == "wrong"]
        used = "https://shop.acme.example/callback"
        assert f"Add {used} to callbacks of the shop." == finding.fix
        (change,) = changes([finding], found)
        assert {"callbacks": ["https://a.example/callback", used]} == change.body
        assert used in fixes([finding], found, tool)

    def test_placeholder(self):
        """What only the shop knows is to be filled in, and a comment says so."""
        found = broken("logout-url", "callback-registered")
        del found["try-login"]
        text = fixes(diagnose(found), found, "auth0-cli")
        assert "# Replace https://shop.example.com/callback by" in text
        assert "# Replace https://shop.example.com/ by" in text

    def test_terraform_names(self):
        """The resources have the names that they have in the documentation's file."""
        found = broken(*CORRECTED)
        text = fixes(diagnose(found, **OPTIONS), found, "terraform")
        known = (ROOT / "docs/setup/main.tf").read_text("utf-8")
        kinds = ("action", "client", "token_exchange_profile", "connection_client")
        for kind in kinds:
            names = re.findall(f'resource "auth0_{kind}" "(.*)"', text)
            assert names
            assert set(names) <= set(
                re.findall(f'resource "auth0_{kind}" "(.*)"', known)
            )

    @pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
    def test_shell_runs_nothing_else(self):
        """What a document holds can't end the command or begin another."""
        found = broken("shop-allows-delegation")
        evil = "x'\"; echo pwned >&2; $(echo pwned >&2) `echo pwned >&2`"
        found["shop"]["client_id"] = evil
        found["shop"]["session_transfer"]["note"] = evil
        for tool in ("curl", "auth0-cli"):
            text = fixes(diagnose(found), found, tool)
            script = "curl() { :; }; auth0() { :; }\n" + text
            ended = processes.run(["/bin/sh", "-c", script], check=True, timeout=20)
            assert b"" == ended.stdout + ended.stderr

    def test_terraform(self):
        """Objects are blocks; the method of authentication is a separate resource."""
        found = broken("shop-allows-delegation", "console-confidential")
        text = fixes(diagnose(found), found, "terraform")
        assert (
            "  session_transfer {\n    can_create_session_transfer_token = false\n"
            in text
        )
        assert "    delegation {\n      allow_delegated_access = true\n" in text
        assert 'resource "auth0_client_credentials" "console" {' in text
        assert "  client_id = auth0_client.console.id\n" in text

    def test_auth0_cli(self):
        """The Auth0 CLI sends the same call with its own login."""
        found = broken("mfa")
        text = fixes(diagnose(found), found, "auth0-cli")
        assert "\nauth0 api put guardian/policies --data '[]'\n" in text
        assert "Caution" in text
