"""The report: what a person reads."""

import attr
import pytest
from breaks import BREAKS
from healthy import documents

from auth0_stt.doctor import diagnose
from auth0_stt.doctor.report import missing_scopes, report
from auth0_stt.rules import RULES


def reported(*rules, **options):
    found = documents()
    for rule in rules:
        BREAKS[rule](found)
    return report(diagnose(found), found, **options)


class TestReport:
    def test_all_is_well(self):
        """One line for each rule, and the last line says that nothing is wrong."""
        lines = reported().splitlines()
        assert {"\u2713"} == {line[0] for line in lines[:-3]}
        assert "\u2713 shop: is_first_party: true" in lines
        assert "Nothing is wrong." == lines[-1]

    def test_wrong(self):
        """A rule that is broken says what is there, what one sees, and what to do."""
        text = reported("shop-accepts-query")
        rule = RULES["shop-accepts-query"]
        assert (
            "\u2717 shop: session_transfer.allowed_authentication_methods "
            "[shop-accepts-query]\n"
            '    found:    ["cookie"] (in shop)\n'
            '    expected: contains "query"\n'
            f"    you see:  {rule.symptom}\n"
            f"    fix:      {rule.fix}\n"
        ) in text

    def test_the_log_is_of_the_past(self):
        """What the log has is true of the last attempt, and the report says so."""
        hint = "after a fix, try again."
        assert hint in reported("action-allows")
        assert hint not in reported("shop-first-party")

    def test_groups(self):
        """What is right, what is unknown, what is wrong: the last is next to the summary."""
        found = documents()
        BREAKS["console-may-mint"](found)
        del found["mfa-policies"]
        marks = [
            line[0] for line in report(diagnose(found), found).splitlines() if line
        ]
        marks = [mark for mark in marks if mark in "\u2713?(\u2717"]
        assert ["\u2713", "?", "(", "\u2717"] == list(dict.fromkeys(marks))
        assert marks == sorted(marks, key="\u2713?(\u2717".index)

    def test_order(self):
        """Findings stand in the order of the flow, and the first one is fixed first."""
        text = reported("logout-url", "console-may-mint", "shop-first-party")
        owners = [line for line in text.splitlines() if line.startswith("\u2717")]
        assert [
            "\u2717 console: session_transfer.can_create_session_transfer_token "
            "[console-may-mint]",
            "\u2717 shop: is_first_party [shop-first-party]",
            "\u2717 shop: allowed_logout_urls [logout-url]",
        ] == owners
        last = text.splitlines()[-1]
        assert "Fix first: " + RULES["console-may-mint"].fix == last

    def test_unknown(self):
        """What is unknown says why, and the scopes that the token lacks are named."""
        error = {
            "statusCode": 403,
            "message": "Insufficient scope, expected any of: read:mfa_policies",
        }
        found = {**documents(), "mfa-policies": error}
        text = report(diagnose(found), found)
        assert "\n? tenant: guardian_policies (1)\n" in text
        assert "\nUnknown:\n(1) mfa-policies: HTTP 403: Insufficient scope" in text
        assert "The management token lacks: read:mfa_policies." in text
        assert text.splitlines()[-1].startswith("Nothing is wrong as far as")

    def test_never_set(self):
        """Settings that may never have been set are the next thing to look at."""
        found = documents()
        found["shop"]["session_transfer"] = {}
        text = report(diagnose(found), found)
        setting = "session_transfer.delegation.allow_delegated_access"
        assert f"\n(1) shop: {setting} is not in shop: it was never set" in text
        last = text.splitlines()[-1]
        assert last.startswith("Nothing is wrong as far as could be read.")
        assert last.endswith("Look at what was never set, or not read: (1) (2) (3).")

    def test_shared_reason(self):
        """A reason that several documents share stands there once, with their names."""
        error = {"statusCode": 429, "message": "Too many requests"}
        found = {**documents(), "resource-servers": error, "logs": error}
        text = report(diagnose(found), found)
        assert "\n(1) logs, resource-servers: HTTP 429: Too many requests\n" in text
        assert "(2)" not in text

    def test_only_the_log(self):
        """If only the log has a failure, the first thing to do is to try again."""
        first, *_ = diagnose(documents())
        found = attr.evolve(first, status="wrong", source="logs", fix="Do this.")
        last = report([found], documents()).splitlines()[-1]
        assert last.startswith("Try again.")
        assert last.endswith("Do this.")

    @pytest.mark.parametrize("colour", [True, False])
    def test_colour(self, colour):
        """There are escape sequences for a terminal, and only there."""
        assert colour is ("\x1b[" in reported("shop-first-party", colour=colour))

    def test_plain(self):
        """An output that has ASCII only gets no other character."""
        text = reported("shop-first-party", plain=True)
        assert text.isascii()
        assert "\nx shop: is_first_party [shop-first-party]\n" in text


class TestMissingScopes:
    def test_forbidden_without_words(self):
        """A 403 without a message lacks the scope of its document."""
        found = {"logs": {"statusCode": 403}, "shop": {"statusCode": 404}}
        assert ["read:logs"] == missing_scopes(found)

    def test_forbidden_profiles(self):
        """Without the profiles the Action can't be found, so its scope is named too."""
        forbidden = {"statusCode": 403, "message": "Insufficient scope"}
        found = {"token-exchange-profiles": forbidden}
        both = ["read:actions", "read:token_exchange_profiles"]
        assert both == missing_scopes(found)
        for name in ("action", "action.json"):
            assert both[1:] == missing_scopes({**found, name: documents()["action"]})

    def test_forbidden_by_the_plan(self):
        """A 403 that does not speak of scopes is no missing scope."""
        text = "This feature is not available on your plan."
        found = {"custom-domains": {"statusCode": 403, "message": text}}
        assert [] == missing_scopes(found)
        assert f"HTTP 403: {text}" in report(diagnose(found), found)
