"""The diagnosis: JSON documents in, findings out."""

import json

import pytest
from breaks import (
    AGENT,
    BINDING,
    BREAKS,
    ELSEWHERE,
    OPTIONS,
    ORGANIZATION,
    SERVER,
    bound_to_server,
    by_rule,
    location,
    mint_failed,
    put,
    redemption,
    wrong,
)
from healthy import ACTION_CODE, CONSOLE, SHOP, documents, entry
from hypothesis import given
from hypothesis import strategies as st

from auth0_stt.doctor import Finding, diagnose
from auth0_stt.doctor.diagnosis import NOT_JUDGED
from auth0_stt.doctor.fixes import TOOLS, fixes
from auth0_stt.doctor.report import report
from auth0_stt.rules import RULES

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "http://[", "http://a:b/", "2026-11-25T03:00:00Z", "secte"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class TestEachRule:
    def test_all_are_broken_here(self):
        """Every rule that can be judged has its case below."""
        assert set(RULES) - NOT_JUDGED == set(BREAKS)

    @pytest.mark.parametrize("rule", sorted(BREAKS))
    def test_alone(self, rule):
        """What is wrong is found, and nothing else is called wrong."""
        found = documents()
        BREAKS[rule](found)
        assert [rule] == wrong(found, **OPTIONS)

    def test_none(self):
        """A tenant on which everything is right has no other finding."""
        findings = diagnose(documents(), **OPTIONS)
        assert {"ok"} == {each.status for each in findings}
        assert [each for each in RULES if each not in NOT_JUDGED] == [
            each.rule for each in findings
        ]

    def test_all_settings_at_once(self):
        """One broken setting hides no other one."""
        # Without a connection or a callback of the shop, these can't be judged.
        follow = {"console-connection", "organization-connection", "loopback-prompt"}
        # The first comes from the log, and each other one is broken by its neighbour.
        apart = {"attempts-per-address", "forwarded-address-method", "profile-type"}
        together = {rule for rule in BREAKS if RULES[rule].setting} - follow - apart
        found = documents()
        for rule in together:
            BREAKS[rule](found)
        said = wrong(found, **OPTIONS)
        assert [rule for rule in RULES if rule in together] == [
            rule for rule in said if RULES[rule].setting
        ]


class TestFinding:
    def test_says_all(self):
        """A finding has the rule's words, the value found, and where it was read."""
        found = documents()
        put(found["shop"], "session_transfer.delegation.allow_delegated_access", False)
        rule = RULES["shop-allows-delegation"]
        assert (
            Finding(
                rule="shop-allows-delegation",
                status="wrong",
                client_id=SHOP,
                setting="session_transfer.delegation.allow_delegated_access",
                expected="true",
                found="false",
                symptom=rule.symptom,
                fix=rule.fix,
                source="shop",
            )
            == by_rule(found)["shop-allows-delegation"]
        )

    @pytest.mark.parametrize("kind", ["JWT", "opaque", "named"])
    def test_holds_no_secret(self, kind):
        """No finding repeats a secret or a token, wherever in the documents it is."""
        secret = {
            "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhdXRoMHxhZGEifQ.c2lnbmF0dXJl",
            "opaque": "Zx4" * 16,
            "named": "hunter2-hunter2",
        }[kind]
        found = documents()
        found["console"]["client_secret"] = secret
        found["shop"]["client_secret"] = secret
        found["action"]["code"] += f"\n// {secret}"
        found["shop"]["initiate_login_uri"] = f"http://shop.example/?token={secret}"
        mint_failed(found, f"Bad token {secret} given", details={"error": secret})
        text = json.dumps([str(each) for each in diagnose(found)])
        assert "Bad token *** given" in text
        assert secret not in text

    def test_names_are_shown(self):
        """The name of Auth0's first connection is as long as a token, and stays."""
        found = documents()
        found["shop-connections"] = [{"name": "Username-Password-Authentication"}]
        finding = by_rule(found)["shop-connection"]
        assert "Username-Password-Authentication" == finding.found

    def test_is_one_line(self):
        """What a server or an Action wrote can't forge a line of the report."""
        found = documents()
        mint_failed(found, "no\n\x1b[32m✓ console: all is well\u2028" + "x " * 500)
        finding = by_rule(found)["action-allows"]
        assert finding.found.isprintable()
        assert len(finding.found) <= 300


class TestUnknown:
    @pytest.mark.parametrize(
        "found",
        [
            {},
            dict.fromkeys(documents()),
            {name: [] for name in ("console", "shop", "action")},
            dict.fromkeys(documents(), "text"),
            {name: {"unexpected": 1} for name in documents() if name != "try-login"},
        ],
        ids=["nothing", "null", "lists", "text", "other objects"],
    )
    def test_nothing_readable(self, found):
        """What can't be read is unknown: nothing is wrong, and nothing is right."""
        findings = diagnose(found)
        assert {"unknown"} == {each.status for each in findings}
        assert len(findings) > 50

    def test_forbidden(self):
        """A document that the token may not read says so, and is never wrong."""
        error = {
            "statusCode": 403,
            "error": "Forbidden",
            "message": "Insufficient scope, expected any of: read:clients",
            "errorCode": "insufficient_scope",
        }
        found = by_rule(dict.fromkeys(documents(), error))
        assert {"unknown"} == {each.status for each in found.values()}
        assert (
            "HTTP 403: Insufficient scope, expected any of: read:clients"
            == found["shop-allows-delegation"].found
        )

    @pytest.mark.parametrize(
        "rule",
        [
            rule.id
            for rule in RULES.values()
            if rule.whose in ("console", "shop") and rule.setting
        ],
    )
    def test_absent_is_not_false(self, rule):
        """A field that is not there makes its rule unknown."""
        found = documents()
        del found["try-login"]
        top, _, _ = RULES[rule].setting.partition(".")
        found[RULES[rule].whose].pop(top, None)
        if rule == "loopback-prompt":
            put(found["shop"], "callbacks", ["http://127.0.0.1/callback"])
            del found["tenant-settings"]
        assert "unknown" == by_rule(found)[rule].status
        assert [] == wrong(found)

    def test_empty_session_transfer(self):
        """The list of applications shows an empty session_transfer: that says nothing."""
        found = documents()
        found["shop"]["session_transfer"] = {}
        assert "unknown" == by_rule(found)["shop-allows-delegation"].status

    def test_null_is_a_value(self):
        """A setting that the API states as null is not what it must be."""
        found = documents()
        found["shop"]["session_transfer"]["delegation"] = None
        finding = by_rule(found)["shop-allows-delegation"]
        assert ("wrong", "null") == (finding.status, finding.found)

    def test_list_that_goes_on(self):
        """A list with more pages does not prove that something is missing."""
        found = documents()
        found["token-exchange-profiles"] = {"token_exchange_profiles": [], "next": "x"}
        found["custom-domains"] = {"custom_domains": [], "next": "x"}
        found["shop-connections"]["next"] = "x"
        assert [] == wrong(found)

    def test_other_application(self):
        """A document about another application says nothing about this one."""
        found = documents()
        found["shop"]["is_first_party"] = False
        findings = by_rule(found, shop="another-client-id")
        assert "unknown" == findings["shop-first-party"].status

    def test_other_action(self):
        """An Action that is not the profile's says nothing."""
        found = documents()
        found["action"] = {"id": "other", "code": "exports.x = 1"}
        assert "unknown" == by_rule(found)["action-sets-actor"].status
        assert [] == wrong(found)

    def test_no_attempt_in_the_log(self):
        """An empty log proves nothing."""
        found = documents()
        found["logs"] = []
        assert "unknown" == by_rule(found)["same-address"].status
        assert [] == wrong(found)


class TestKeys:
    @pytest.mark.parametrize(
        "spelling",
        [
            lambda name, path: name + ".json",
            lambda name, path: name.replace("-", "_"),
            lambda name, path: path,
            lambda name, path: "/api/v2/" + path,
            lambda name, path: f"https://acme.eu.auth0.com/api/v2/{path}?fields=a",
        ],
        ids=["file", "underscores", "path", "API path", "URL"],
    )
    def test_spellings(self, spelling):
        """A document may be named by its file or by the path that it was read from."""
        paths = {
            "console": f"clients/{CONSOLE}",
            "shop": f"clients/{SHOP}",
            "action": "actions/actions/910b1053",
            "console-connections": f"clients/{CONSOLE}/connections",
            "shop-connections": f"clients/{SHOP}/connections",
            "mfa-policies": "guardian/policies",
            "suspicious-ip-throttling": "attack-protection/suspicious-ip-throttling",
            "tenant-settings": "tenants/settings",
            "organization": f"organizations/{ORGANIZATION}",
            "organization-connections": f"organizations/{ORGANIZATION}"
            "/enabled_connections",
        }
        found = documents()
        put(found["shop"], "session_transfer.delegation.allow_delegated_access", False)
        given = {
            spelling(name, paths.get(name, name)): value
            for name, value in found.items()
        }
        findings = diagnose(given, **OPTIONS)
        assert {"shop-allows-delegation": "wrong"} == {
            each.rule: each.status for each in findings if each.status != "ok"
        }

    @pytest.mark.parametrize("known", ["console", "shop"])
    def test_which_is_which(self, known):
        """With one application known by what it does, the other one is the other."""
        found = documents()
        other = {"console": "shop", "shop": "console"}[known]
        for name in ("token_exchange", "session_transfer"):
            found[other].pop(name, None)
        for name in ("console", "shop"):
            client = found.pop(name)
            found["clients/" + client["client_id"]] = client
        findings = by_rule(found)
        assert CONSOLE == findings["console-first-party"].client_id
        assert "ok" == findings["console-first-party"].status
        assert SHOP == findings["shop-first-party"].client_id
        assert "ok" == findings["shop-first-party"].status

    def test_speaking_ids(self):
        """Client ids that say which is which are believed."""
        found = {"clients/console": {"is_first_party": False}, "clients/shop": {}}
        assert ["console-first-party"] == wrong(found)

    def test_nobody_knows_which(self):
        """Of two applications that show nothing, neither is taken for the console."""
        found = {"clients/a": {"is_first_party": False}, "clients/b": {}}
        assert [] == wrong(found)
        assert [] == wrong({"clients": [{"is_first_party": False}]})

    def test_bare_lists(self):
        """A list may be bare or in a paging envelope."""
        found = documents()
        bare = {
            name: next(iter(value.values()))
            for name, value in found.items()
            if name in ("token-exchange-profiles", "shop-connections")
        }
        found.update(bare)
        found["logs"] = {"start": 0, "limit": 50, "total": 4, "logs": found["logs"]}
        assert {"ok"} == {each.status for each in diagnose(found, **OPTIONS)}

    def test_list_of_applications(self):
        """The applications may come as one list, and the connections as another."""
        found = documents()
        found["clients"] = [found.pop("console"), found.pop("shop")]
        for name in ("console-connections", "shop-connections"):
            del found[name]
        found["connections"] = [
            {
                "id": "con_customers0000001",
                "name": "customers",
                "enabled_clients": [CONSOLE, SHOP],
            }
        ]
        findings = diagnose(found, console=CONSOLE, shop=SHOP, **OPTIONS)
        assert {"ok"} == {each.status for each in findings}

    def test_connections_without_applications(self):
        """A list of connections that does not say for whom says nothing."""
        found = documents()
        for name in ("console-connections", "shop-connections"):
            del found[name]
        found["connections"] = [{"id": "con_1", "name": "customers"}]
        assert "unknown" == by_rule(found)["shop-connection"].status
        assert [] == wrong(found)

    def test_grouped(self):
        """The applications and their connections may come in one object each."""
        found = documents()
        found["clients"] = {name: found.pop(name) for name in ("console", "shop")}
        found["connections"] = {
            name: found.pop(name + "-connections") for name in ("console", "shop")
        }
        assert {"ok"} == {each.status for each in diagnose(found, **OPTIONS)}


class TestAnything:
    @given(data=st.data())
    def test_any_value_anywhere(self, data):
        """Whatever JSON a document holds, every rule gets a finding."""
        found = documents()
        for _ in range(data.draw(st.integers(1, 3))):
            place, name = found, data.draw(st.sampled_from(sorted(found)))
            while isinstance(place[name], (dict, list)) and place[name]:
                if data.draw(st.booleans()):
                    break
                place = place[name]
                names = place if isinstance(place, dict) else range(len(place))
                name = data.draw(st.sampled_from(sorted(names)))
            place[name] = data.draw(JSON)
        findings = diagnose(found, **OPTIONS)
        assert len(RULES) - len(NOT_JUDGED) == len(findings)
        assert {"ok", "wrong", "unknown"} >= {each.status for each in findings}
        for tool in TOOLS:
            fixes(findings, found, tool)
        report(findings, found)


class TestAction:
    @pytest.mark.parametrize(
        "code",
        [
            "const who = event.transaction.actor;",
            "event.transaction?.actor?.sub",
            "event.transaction['actor']",
            'event.transaction?.["actor"]',
            "const { subject_token, actor } = event.transaction;",
        ],
    )
    def test_wrong_actor(self, code):
        """Each way to read event.transaction.actor is seen."""
        found = documents()
        found["action"]["deployed_version"]["code"] = ACTION_CODE + code
        assert ["action-reads-actor"] == wrong(found)

    @pytest.mark.parametrize(
        "code",
        [
            "event.transaction.actor_token",
            "const { actor_token_user } = event.transaction;",
            "/* event.transaction.actor */ // event.transaction.actor",
            "event.session.actor",
        ],
    )
    def test_right_actor(self, code):
        """What only looks alike is not."""
        found = documents()
        found["action"]["deployed_version"]["code"] = ACTION_CODE + code
        assert [] == wrong(found)

    def test_call_in_a_comment(self):
        """A call in a comment does not count, and a URL does not begin a comment."""
        found = documents()
        changed = ACTION_CODE.replace("  api.authentication.setA", "  // setA")
        found["action"]["deployed_version"]["code"] = changed
        assert ["action-sets-actor"] == wrong(found)

    def test_deployed_version_counts(self):
        """The code that runs is judged, not the draft."""
        found = documents()
        found["action"]["code"] = "exports.draft = 1"
        assert [] == wrong(found)

    def test_log_knows_better(self):
        """The code has the call, but the log says that it was not reached."""
        found = documents()
        mint_failed(
            found,
            "setActor is required when requesting a session transfer token via token "
            "exchange.",
        )
        assert ["action-sets-actor"] == wrong(found)


class TestConnections:
    def test_names_only(self):
        """A list of names will do."""
        found = documents()
        found["console-connections"] = ["customers"]
        found["shop-connections"] = ["customers"]
        del found["organization-connections"]
        assert [] == wrong(found)

    def test_one_that_only_the_shop_has(self):
        """Customers may come from it or not: unknown, and it is named."""
        found = documents()
        found["shop-connections"]["connections"].append({"id": "x", "name": "google"})
        finding = by_rule(found)["console-connection"]
        assert "unknown" == finding.status
        assert "google" in finding.found


class TestThrottling:
    @pytest.mark.parametrize(
        "throttling", [{"enabled": False}, {"allowlist": ["198.51.100.10"]}]
    )
    def test_no_matter(self, throttling):
        """Without throttling, or with an allowlist, the server's address is no matter."""
        found = documents()
        found["suspicious-ip-throttling"] = throttling
        found["console"]["is_token_endpoint_ip_header_trusted"] = False
        assert "ok" == by_rule(found)["attempts-per-address"].status

    def test_of_all_agents(self):
        """Failures count against the server's address if the header is not trusted."""
        found = documents()
        found["console"]["is_token_endpoint_ip_header_trusted"] = False
        assert "unknown" == by_rule(found)["attempts-per-address"].status

    @pytest.mark.parametrize(
        ("throttling", "status"),
        [
            ({"enabled": False}, "ok"),
            ({"allowlist": [AGENT]}, "ok"),
            ({"allowlist": [ELSEWHERE]}, "wrong"),
        ],
    )
    def test_was_throttled(self, throttling, status):
        """An address is no longer throttled once it is on the allowlist."""
        found = documents()
        BREAKS["attempts-per-address"](found)
        found["suspicious-ip-throttling"] = throttling
        assert status == by_rule(found)["attempts-per-address"].status


class TestProfile:
    def two(self):
        found = documents()
        listed = found["token-exchange-profiles"]["token_exchange_profiles"]
        listed.append({**listed[0], "subject_token_type": "urn:acme:b", "type": "x"})
        found["logs"] = []
        return found, listed

    def test_of_the_action(self):
        """Of several profiles, the one that leads to the Action is judged."""
        found, listed = self.two()
        listed[1]["action_id"] = "another"
        assert [] == wrong(found)
        listed[0]["type"] = "x"
        assert ["profile-type"] == wrong(found)

    def test_of_the_log(self):
        """Of several profiles, the one of the last mint is judged."""
        found, _ = self.two()
        found["logs"] = documents()["logs"]
        assert [] == wrong(found)

    def test_given(self):
        """Of several profiles, the one that the console uses is judged."""
        found, _ = self.two()
        assert ["profile-type"] == wrong(found, subject_token_type="urn:acme:b")
        assert ["profile-exists"] == wrong(found, subject_token_type="urn:acme:c")

    def test_which_one(self):
        """If several profiles have one Action, none of them is judged."""
        found, _ = self.two()
        assert "unknown" == by_rule(found)["profile-type"].status


class TestOrganization:
    def test_required(self):
        """A shop that requires an organization needs to be asked for with one."""
        found = documents()
        found["shop"]["organization_usage"] = "require"
        assert "unknown" == by_rule(found)["shop-organization"].status
        assert "ok" == by_rule(found, **OPTIONS)["shop-organization"].status

    def test_none(self):
        """Without an organization, there is no finding on one."""
        found = documents()
        del found["organization"], found["organization-connections"]
        whose = {RULES[each.rule].whose for each in diagnose(found)}
        assert "organization" not in whose

    def test_does_not_exist(self):
        """An organization that the tenant does not have is wrong before anyone tries."""
        found = documents()
        error = {"statusCode": 404, "message": "The organization does not exist."}
        found["organization"] = found["organization-connections"] = error
        assert ["organization-exists"] == wrong(found, **OPTIONS)

    def test_no_connection(self):
        """An organization without a connection lets nobody in."""
        found = documents()
        found["organization-connections"] = []
        assert ["organization-connection"] == wrong(found, **OPTIONS)


class TestCallbacks:
    def test_used_but_not_registered(self):
        """The callback that the login route names must be registered."""
        found = documents()
        location("shop.acme.example%2Fcallback", "shop.acme.example%2Fcb")(found)
        assert ["callback-registered"] == wrong(found)

    @pytest.mark.parametrize("callback", ["https://[", "https://a:b/", "https:///x"])
    def test_no_url(self, callback):
        """What is not a URL is not on loopback."""
        found = documents()
        found["shop"]["callbacks"] = [callback]
        del found["try-login"]
        assert [] == wrong(found)

    def test_placeholder(self):
        """A star in a registered callback stands for a subdomain."""
        found = documents()
        found["shop"]["callbacks"] = ["https://*.acme.example/callback"]
        assert [] == wrong(found)

    def test_one_of_several_on_loopback(self):
        """It depends on the callback that is used, if only one is on loopback."""
        found = documents()
        name = "skip_non_verifiable_callback_uri_confirmation_prompt"
        found["shop"]["callbacks"].append("http://127.0.0.1:3000/callback")
        found["shop"][name] = False
        del found["try-login"]
        assert "unknown" == by_rule(found)["loopback-prompt"].status

    @pytest.mark.parametrize(("client", "tenant"), [(True, False), (None, True)])
    def test_prompt_is_off(self, client, tenant):
        """The application's setting counts, or else the tenant's."""
        found = documents()
        name = "skip_non_verifiable_callback_uri_confirmation_prompt"
        found["shop"]["callbacks"] = ["http://127.0.0.1:3000/callback"]
        found["shop"][name], found["tenant-settings"][name] = client, tenant
        del found["try-login"]
        assert [] == wrong(found)


class TestLog:
    def test_addresses_side_by_side(self):
        """The address that the token was bound to stands beside the browser's."""
        found = documents()
        redemption(found, ("w", 3, BINDING, ELSEWHERE))
        finding = by_rule(found)["same-address"]
        assert (
            f"the token was bound to {AGENT}; the browser came from {ELSEWHERE}"
            in finding.found
        )

    @pytest.mark.parametrize(
        ("ip", "what"), [(SERVER, "the console's server"), ("10.1.2.3", "internal")]
    )
    def test_not_an_agents_address(self, ip, what):
        """The server's address and an internal one are no agent's, and it is named."""
        found = documents()
        bound_to_server(found)
        found["logs"][-2]["ip"] = ip
        finding = by_rule(found)["forwarded-address"]
        assert "wrong" == finding.status
        assert what in finding.found

    def test_setting_explains_the_log(self):
        """The header is not trusted: that is wrong, and the address only follows."""
        found = documents()
        bound_to_server(found)
        put(found["console"], "is_token_endpoint_ip_header_trusted", False)
        findings = by_rule(found)
        assert ["forwarded-address-trusted"] == wrong(found)
        assert "see forwarded-address-trusted" in findings["same-address"].found

    def test_newer_success(self):
        """A failure before the last success is history."""
        found = documents()
        found["logs"].append(entry("fecte", 0, CONSOLE, "Unauthorized", AGENT))
        assert [] == wrong(found)

    @pytest.mark.parametrize("rule", ["action-sets-actor", "action-allows"])
    @pytest.mark.parametrize(("minute", "is_history"), [(1, True), (0, False)])
    def test_older_than_the_action(self, rule, minute, is_history):
        """A failure from before the Action was deployed is not the deployed one's."""
        found = documents()
        BREAKS["action-runs"](found)
        found["logs"][0]["description"] = {
            "action-sets-actor": "setActor is required",
            "action-allows": "Sam is not on call this week.",
        }[rule]
        version = found["action"]["deployed_version"]
        version["built_at"] = f"2026-11-25T03:0{minute}:00.000Z"
        assert ([] if is_history else [rule]) == wrong(found)

    def test_older_than_the_action_and_wrong(self):
        """What the code that is deployed lacks is wrong, however old the failure is."""
        found = documents()
        BREAKS["action-sets-actor"](found)
        mint_failed(found, "setActor is required")
        version = found["action"]["deployed_version"]
        version["built_at"] = "2026-11-25T04:00:00.000Z"
        assert ["action-sets-actor"] == wrong(found)

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("Only for applications with is_first_party.", "console-first-party"),
            ("Only for OIDC conformant clients", "console-oidc-conformant"),
            ("The profile has no Action that is deployed.", "action-deployed"),
            ("The Action is not one for custom token exchange.", "action-trigger"),
        ],
    )
    def test_settings_in_the_log(self, text, rule):
        """If a setting can't be read, the log's words on it are the witness."""
        found = documents()
        del found["console"], found["action"]
        mint_failed(found, text)
        assert [rule] == wrong(found, console=CONSOLE)

    def test_other_applications(self):
        """What other applications do is not looked at."""
        found = documents()
        found["logs"].insert(0, entry("fecte", 50, "other", "Unauthorized", AGENT))
        found["logs"].insert(0, entry("w", 51, "other", BINDING, AGENT))
        assert [] == wrong(found)

    def test_one_domain_that_worked(self):
        """One domain is enough for an agent in a browser without a session."""
        found = documents()
        found["custom-domains"] = []
        finding = by_rule(found)["two-domains"]
        assert ("ok", "logs") == (finding.status, finding.source)

    def test_order(self):
        """Entries are sorted by their dates, whatever the order of the document."""
        found = documents()
        redemption(found, ("w", 3, BINDING, ELSEWHERE))
        found["logs"].reverse()
        assert ["same-address"] == wrong(found)

    def test_log_stream(self):
        """An entry may be wrapped as a log stream wraps it."""
        found = documents()
        redemption(found, ("w", 3, BINDING, ELSEWHERE))
        found["logs"] = [
            {"log_id": each["log_id"], "data": each} for each in found["logs"]
        ]
        assert ["same-address"] == wrong(found)

    @pytest.mark.parametrize("date", [None, 7, "soon", "9999-99-99T99:99:99Z"])
    def test_no_date(self, date):
        """An entry without a date counts; nothing is said about when."""
        found = documents()
        mint_failed(found, "Unauthorized", date=date)
        found["logs"] = found["logs"][:1]
        assert 'fecte: "Unauthorized"' == by_rule(found)["client-credentials"].found

    @pytest.mark.parametrize("ip", [None, "elsewhere"])
    def test_no_address(self, ip):
        """An entry without a valid address says nothing about the server."""
        found = documents()
        redemption(found, ("w", 3, BINDING, ELSEWHERE))
        found["logs"][1]["ip"] = ip
        assert ["same-address"] == wrong(found)

    def test_failure_in_other_words(self):
        """A failure that no rule knows is shown, and proves nothing."""
        found = documents()
        redemption(found, ("w", 3, "Something else is wrong", AGENT))
        assert [] == wrong(found)
        assert "Something else" in by_rule(found)["token-unused"].found

    @pytest.mark.parametrize("logs", [[None, 1, {}, {"type": 3}], [{"type": "secte"}]])
    def test_unreadable_entries(self, logs):
        """Entries that can't be read are passed over."""
        found = documents()
        found["logs"] = logs
        assert [] == wrong(found)


class TestLogin:
    def test_pushed(self):
        """A login route that pushes its request is not blamed for dropping the token."""
        found = documents()
        found["try-login"]["location"] = (
            "https://login.acme.example/authorize?client_id=x"
            "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aabc"
        )
        assert ["no-pushed-request"] == wrong(found)

    def test_drops_the_organization(self):
        """The parameter that is lost is named."""
        found = documents()
        location("&organization=org_0000000000000000", "")(found)
        finding = by_rule(found)["login-route-passes-token"]
        assert "not passed on to /authorize: organization" == finding.found

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            ({"status": 200, "location": None}, "wrong"),
            ({"status": 500, "location": None}, "unknown"),
            ({"status": 404, "location": None}, "unknown"),
            (
                {"status": 301, "location": "https://shop.acme.example/login/"},
                "unknown",
            ),
        ],
    )
    def test_no_authorize(self, answer, status):
        """An answer that is no redirect to /authorize is not called right."""
        found = documents()
        found["try-login"].update(answer)
        assert status == by_rule(found)["login-route-passes-token"].status

    def test_token_never_arrived(self):
        """A mint without a redemption hints at the login route."""
        found = documents()
        del found["try-login"]
        redemption(found)
        finding = by_rule(found)["login-route-passes-token"]
        assert "unknown" == finding.status
        assert "--try-login" in finding.found

    def test_implicit_flow(self):
        """A login route that does not use the code flow can't take a delegated login."""
        found = documents()
        location("response_type=code", "response_type=id_token")(found)
        assert ["code-flow"] == wrong(found)

    def test_other_target(self):
        """The console must redirect to the login URI; a query makes no difference."""
        registered = "https://shop.acme.example/login"
        for other in ("/signin", "/login/", "/"):
            target = "https://shop.acme.example" + other
            found = by_rule(documents(), target_login_url=target)["login-uri"]
            assert "wrong" == found.status
            assert f'"{registered}", but the console redirects to "{target}"' == (
                found.found
            )
        assert ["login-uri"] == wrong(documents(), target_login_url="shop/login")
        query = registered + "?next=/orders"
        assert [] == wrong(documents(), target_login_url=query)
