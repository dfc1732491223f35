"""The table of rules: complete, ordered, and usable as data."""

import re

import pytest

from auth0_stt.rules import RULES

EACH = [pytest.param(rule, id=rule.id) for rule in RULES.values()]
SET = [pytest.param(rule, id=rule.id) for rule in RULES.values() if rule.value]
WHOSE = {
    "action",
    "browser",
    "connection",
    "console",
    "organization",
    "profile",
    "shop",
    "tenant",
}


class TestRow:
    @pytest.mark.parametrize("rule", EACH)
    def test_is_complete(self, rule):
        """Every rule has an id in kebab case, an owner, and no empty text."""
        assert re.fullmatch("[a-z]+(-[a-z]+)*", rule.id)
        assert rule.whose in WHOSE
        assert rule.setting is None or re.fullmatch("[a-z_.]+", rule.setting)
        assert all([rule.expected, rule.symptom, rule.fix, rule.evidence])

    @pytest.mark.parametrize("rule", EACH)
    def test_reads_as_sentences(self, rule):
        """The symptom and the fix are sentences, and the fix is one sentence."""
        assert "." == rule.symptom[-1]
        assert "." == rule.fix[-1]
        assert [] == re.findall(r"\. [A-Z]", rule.fix)

    @pytest.mark.parametrize("rule", EACH)
    def test_has_evidence(self, rule):
        """Every rule says on what evidence it stands."""
        assert re.match(r"\[(doc|sdk|rfc|assumed)\]", rule.evidence)

    @pytest.mark.parametrize("rule", SET)
    def test_value_holds(self, rule):
        """What a rule says to set is right, and its wrong example is not."""
        value = list(rule.value) if isinstance(rule.value, tuple) else rule.value
        assert rule.holds(value)
        assert not rule.holds(rule.wrong)


class TestTable:
    def test_ids_are_unique(self):
        """No rule is lost to another one with the same id."""
        from auth0_stt import rules

        assert len(rules._TABLE) == len(RULES)

    def test_follows_the_flow(self):
        """The mint comes before the hand-over, and that before the redemption."""
        ids = list(RULES)
        flow = ["client-credentials", "action-sets-actor", "login-uri", "logout-url"]
        assert flow == sorted(flow, key=ids.index)

    @pytest.mark.parametrize(
        ("rule", "found"),
        [
            ("shop-allows-delegation", 1),
            ("shop-allows-delegation", "true"),
            ("shop-accepts-query", None),
            ("shop-accepts-query", "query"),
            ("console-confidential", ""),
            ("mfa", None),
        ],
    )
    def test_takes_values_as_json_has_them(self, rule, found):
        """A value of another type is wrong, even if Python calls it equal."""
        assert not RULES[rule].holds(found)

    def test_takes_longer_lists(self):
        """A list may hold more than the rule asks for."""
        assert RULES["shop-accepts-query"].holds(["cookie", "query"])
