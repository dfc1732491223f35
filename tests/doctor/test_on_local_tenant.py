"""The doctor on the local tenant: it finds what breaks a delegated login there.

Each rule is broken in the tenant, somebody tries to enter an account, and the doctor
reads the tenant through its Management API.
"""

import json
import random

import pytest
from calls import post_mint

from auth0_stt import (
    ID_TOKEN_TYPE,
    SessionTransferError,
    build_session_transfer_redirect,
    private_key_jwt,
    request_session_transfer_token,
)
from auth0_stt.doctor import diagnose
from auth0_stt.doctor.diagnosis import NOT_JUDGED
from auth0_stt.doctor.documents import SOURCES
from auth0_stt.doctor.fixes import changes
from auth0_stt.doctor.reader import ReadError, read
from auth0_stt.doctor.report import missing_scopes
from auth0_stt.rules import RULES
from auth0_stt.testing import LocalTenant, RedemptionFailed

LOGIN_URL = "https://shop.example.com/login"
AGENT, ELSEWHERE = "203.0.113.7", "192.0.2.99"


class Attempt:
    """Somebody tries to enter an account; each keyword is something that goes wrong."""

    def __init__(self, tenant, **wrong):
        self.tenant, self.wrong = tenant, wrong

    def __call__(self):
        """Return the rule that the tenant refused by, None if it did not refuse."""
        try:
            self.enter(self.mint())
        except SessionTransferError:
            return "mint"
        except RedemptionFailed as failure:
            return failure.rule
        return None

    def mint(self):
        tenant, wrong = self.tenant, self.wrong
        id_token = tenant.agent_tokens()["id_token"]
        if "lifetime" in wrong:
            tenant.clock.advance(wrong["lifetime"])
        if wrong.get("forged"):
            id_token = id_token[:-8] + "AAAAAAAA"
        credentials = dict(tenant.console)
        if wrong.get("assertion"):
            del credentials["client_secret"]
            key = tenant.private_key
            credentials["client_assertion"] = private_key_jwt("console", key)
        given = {
            "subject_token": tenant.subject_token("auth0|ada"),
            "subject_token_type": tenant.subject_token_type,
            "actor_token": id_token,
            "actor_token_type": ID_TOKEN_TYPE,
            "forwarded_for": AGENT,
            **credentials,
            **wrong.get("mint", {}),
        }
        return request_session_transfer_token(**given)

    def enter(self, result):
        tenant, wrong = self.tenant, self.wrong
        url = build_session_transfer_redirect(LOGIN_URL, result)
        tenant.clock.advance(wrong.get("seconds", 1))
        with tenant.browser(wrong.get("ip", AGENT)) as browser:
            if wrong.get("signed_in"):
                browser.sign_in("auth0|sam", tenant.console)
            if wrong.get("session"):
                browser.sign_in("auth0|lin")
            if wrong.get("used"):
                tenant.redeem(url, ip=AGENT)
            more = {
                "session_transfer_token": result.session_transfer_token,
                **wrong.get("authorize", {}),
            }
            if "organization" in wrong:
                more["organization"] = wrong["organization"]
            browser.log_in(tenant.shop, None, "openid", **more)


def setting(rule):
    """Break a setting of an application, as the table of rules has it."""

    def break_it(tenant):
        *outer, name = RULES[rule].setting.split(".")
        document = tenant.settings[RULES[rule].whose]
        for each in outer:
            document = document[each]
        document[name] = RULES[rule].wrong

    return break_it


def action(change):
    """Let the Action do something else after what it usually does."""

    def break_it(tenant):
        usual = tenant.action

        def run(event, api):
            usual(event, api)
            change(event, api)

        tenant.action = run

    return break_it


def only(function):
    """Let the Action do something else instead of what it usually does."""

    def break_it(tenant):
        tenant.action = function

    return break_it


def code(old, new):
    """Change the code of the Action, as far as it can be read."""

    def break_it(tenant):
        (document,) = tenant.actions.values()
        for version in (document, document["deployed_version"]):
            assert old in version["code"]
            version["code"] = version["code"].replace(old, new)

    return break_it


def in_action(name, value):
    def break_it(tenant):
        (document,) = tenant.actions.values()
        document[name] = value

    return break_it


def enabled(*clients):
    def break_it(tenant):
        (connection,) = tenant.connections.values()
        connection["enabled_clients"] = list(clients)

    return break_it


def blocked(user_id):
    def break_it(tenant):
        tenant.users[user_id]["blocked"] = True

    return break_it


def loopback_callback(tenant):
    tenant.settings["shop"]["callbacks"] = ["http://localhost:3000/callback"]
    name = "skip_non_verifiable_callback_uri_confirmation_prompt"
    tenant.settings["shop"][name] = False


def many_attempts(tenant):
    for _ in range(10):
        attempt = Attempt(tenant, mint={"subject_token": "nonsense"})
        assert "mint" == attempt()


def too_often(tenant):
    tenant.token_exchanges_per_second = 1
    Attempt(tenant).mint()


def no_organization_connection(tenant):
    tenant.organizations["org_acme"]["enabled_connections"] = []


ACME = {"mint": {"organization": "org_acme"}, "organization": "org_acme"}
GLOBEX = {"mint": {"organization": "org_globex"}, "organization": "org_globex"}
NONE = {"mint": {"organization": "org_none"}, "organization": "org_none"}


def consenting_api(tenant):
    (api,) = tenant.resource_servers.values()
    api["skip_consent_for_verifiable_first_party_clients"] = False


def other_audience(tenant):
    post_mint(tenant, audience="urn:acme.example.com:session_transfer")


def nothing(tenant):
    """What is wrong is in the attempt."""


# How each rule is broken on the local tenant: a change, what goes wrong in the attempt,
# and the options of the doctor.
BREAKS = {
    rule.id: (setting(rule.id), {}, {})
    for rule in RULES.values()
    if rule.whose in ("console", "shop") and rule.value is not None
}
BREAKS.update(
    {
        "forwarded-address-method": (
            setting("forwarded-address-method"),
            {"assertion": True},
            {},
        ),
        "loopback-prompt": (loopback_callback, {}, {}),
        "client-credentials": (nothing, {"mint": {"client_secret": "wrong"}}, {}),
        "profile-exists": (
            lambda tenant: tenant.token_exchange_profiles.clear(),
            {},
            {},
        ),
        "profile-type": (
            lambda tenant: tenant.token_exchange_profiles[
                tenant.subject_token_type
            ].update(type="on_behalf_of_token_exchange"),
            {},
            {},
        ),
        "plan": (lambda tenant: setattr(tenant, "delegation_available", False), {}, {}),
        "attempts-per-address": (many_attempts, {}, {}),
        "exchange-rate": (too_often, {}, {}),
        "actor-token-fresh": (nothing, {"lifetime": 36001}, {}),
        "actor-token-own": (nothing, {"forged": True}, {}),
        "actor-active": (blocked("auth0|sam"), {}, {}),
        "customer-active": (blocked("auth0|ada"), {}, {}),
        "action-trigger": (
            in_action("supported_triggers", [{"id": "post-login", "version": "v3"}]),
            {},
            {},
        ),
        "action-deployed": (in_action("deployed_version", None), {}, {}),
        "action-checks-audience": (code(":session_transfer", ":other"), {}, {}),
        "action-reads-actor": (
            code("transaction.actor_token_user", "transaction.actor"),
            {},
            {},
        ),
        "action-sets-user": (
            only(lambda event, api: api.authentication.setActor({"sub": "auth0|sam"})),
            {},
            {},
        ),
        "action-sets-actor": (
            only(lambda event, api: api.authentication.setUserById("auth0|ada")),
            {},
            {},
        ),
        "actor-shape": (
            action(
                lambda event, api: api.authentication.setActor(
                    {"sub": "a", "act": {"sub": "b"}}
                )
            ),
            {},
            {},
        ),
        "action-allows": (
            action(lambda event, api: api.access.deny("not_on_call", "Not this week.")),
            {},
            {},
        ),
        "action-runs": (only(lambda event, api: 1 / 0), {}, {}),
        "subject-token-accepted": (
            nothing,
            {"mint": {"subject_token": "nonsense"}},
            {},
        ),
        "console-connection": (enabled("shop"), {}, {}),
        "shop-connection": (enabled("console"), {}, {}),
        "mfa": (
            lambda tenant: tenant.settings["tenant"].update(
                guardian_policies=["all-applications"]
            ),
            {},
            {},
        ),
        "organization-exists": (nothing, NONE, {"organization": "org_none"}),
        "organization-member": (nothing, GLOBEX, {"organization": "org_globex"}),
        "organization-connection": (
            no_organization_connection,
            ACME,
            {"organization": "org_acme"},
        ),
        "shop-organization": (
            lambda tenant: tenant.settings["shop"].update(organization_usage="deny"),
            ACME,
            {"organization": "org_acme"},
        ),
        "same-organization": (
            nothing,
            {"mint": {"organization": "org_acme"}},
            {"organization": "org_acme"},
        ),
        "forwarded-address": (nothing, {"mint": {"forwarded_for": None}}, {}),
        "two-domains": (
            lambda tenant: tenant.settings["tenant"].update(custom_domains=[]),
            {"signed_in": True},
            {},
        ),
        "same-address": (nothing, {"ip": ELSEWHERE}, {}),
        "token-fresh": (nothing, {"seconds": 61}, {}),
        "token-unused": (nothing, {"used": True}, {}),
        "no-open-session": (nothing, {"session": True}, {}),
        "login-uri": (
            lambda tenant: tenant.settings["shop"].update(
                initiate_login_uri="http://shop.example.com/login"
            ),
            {},
            {},
        ),
        "session-transfer-audience": (other_audience, None, {}),
        "no-reauthentication": (nothing, {"authorize": {"prompt": "login"}}, {}),
        "api-skips-consent": (
            consenting_api,
            {"authorize": {"audience": "https://api.acme.example/"}},
            {},
        ),
        "callback-registered": (
            lambda tenant: tenant.settings["shop"].update(callbacks=[]),
            {},
            {},
        ),
        "logout-url": (
            lambda tenant: tenant.settings["shop"].update(allowed_logout_urls=[]),
            {},
            {},
        ),
    }
)

UNSEEN = {
    # The local tenant has no trace of these; --try-login finds the first one.
    "login-route-passes-token",
    "no-prompts",
}


@pytest.fixture
def tenant():
    with LocalTenant() as tenant:
        yield tenant


def documents_of(tenant, organization=None, token=None):
    return read(
        tenant.domain,
        token or tenant.management_token,
        console=tenant.console["client_id"],
        shop=tenant.shop["client_id"],
        subject_token_type=tenant.subject_token_type,
        organization=organization,
        verify=tenant.ca_file,
    )


def findings_on(tenant, **given):
    found = documents_of(tenant, given.get("organization"))
    options = {"subject_token_type": tenant.subject_token_type, **given}
    return diagnose(found, target_login_url=LOGIN_URL, **options)


def wrong_on(tenant, **given):
    found = findings_on(tenant, **given)
    return [each.rule for each in found if each.status == "wrong"]


class TestMatrix:
    def test_covers_the_table(self):
        """Every rule is broken here, except those that leave no trace."""
        assert set(RULES) == set(BREAKS) | UNSEEN | NOT_JUDGED

    @pytest.mark.parametrize("rule", sorted(BREAKS))
    def test_alone(self, tenant, rule):
        """The rule that is broken is found, and nothing else is called wrong."""
        change, attempt, given = BREAKS[rule]
        change(tenant)
        if attempt is not None:
            Attempt(tenant, **attempt)()
        assert [rule] == wrong_on(tenant, **given)

    def test_nothing(self, tenant):
        """On a tenant that works, nothing is wrong, before and after a login."""
        assert [] == wrong_on(tenant)
        assert None is Attempt(tenant)()
        assert [] == wrong_on(tenant)

    def test_action_of_another_trigger(self, tenant):
        """An Action that reads event.transaction.actor shows in the log, too."""
        only(lambda event, api: event.transaction.actor)(tenant)
        Attempt(tenant)()
        assert ["action-reads-actor"] == wrong_on(tenant)

    def test_all_settings_at_once(self, tenant):
        """Whatever else is broken, each broken setting is found."""
        alone = {
            # Each of these would hide another one of the list; without a profile, for
            # one, there is no telling which Action it would lead to.
            "profile-exists",
            *("forwarded-address-method", "profile-type", "loopback-prompt"),
            *("attempts-per-address", "console-connection", "shop-organization"),
            "organization-connection",
            # Only an attempt tells which API the shop asks for.
            "api-skips-consent",
        }
        together = {rule for rule in BREAKS if RULES[rule].setting} - alone
        for rule in together:
            BREAKS[rule][0](tenant)
        Attempt(tenant)()
        assert together <= set(wrong_on(tenant))

    def test_found_before_anyone_tries(self, tenant):
        """A setting is found wrong on an empty log."""
        setting("shop-allows-delegation")(tenant)
        assert ["shop-allows-delegation"] == wrong_on(tenant)


# What follows from these is seen in the log, and might just as well be a mistake of the
# console's or an open session: only another attempt tells.
AMBIGUOUS = {
    "console-app-type": "forwarded-address",
    "forwarded-address-method": "forwarded-address",
    "forwarded-address-trusted": "forwarded-address",
    "two-domains": "no-open-session",
}
SETTINGS = [rule for rule in BREAKS if RULES[rule].setting]


class TestAfterTheFix:
    """A setting was broken, somebody tried, the setting is right again."""

    def documents(self, tenant, rule):
        change, attempt, given = BREAKS[rule]
        found = documents_of(tenant, given.get("organization"))
        change(tenant)
        if attempt is not None:
            Attempt(tenant, **attempt)()
        found["logs"] = documents_of(tenant)["logs"]
        options = {"subject_token_type": tenant.subject_token_type, **given}
        return found, options

    @pytest.mark.parametrize("rule", sorted({*SETTINGS} - {*AMBIGUOUS}))
    def test_is_history(self, tenant, rule):
        """The old failure in the log makes nothing wrong, under no rule."""
        found, given = self.documents(tenant, rule)
        if rule == "attempts-per-address":
            found["suspicious-ip-throttling"]["allowlist"] = [AGENT]
        findings = diagnose(found, **given)
        assert [] == [each.rule for each in findings if each.status == "wrong"]

    @pytest.mark.parametrize("rule", sorted(AMBIGUOUS))
    def test_says_when(self, tenant, rule):
        """What only another attempt can tell is dated, so that nobody takes it for now."""
        found, given = self.documents(tenant, rule)
        when = found["logs"][0]["date"][:19].replace("T", " ")
        wrong = [each for each in diagnose(found, **given) if each.status == "wrong"]
        assert [AMBIGUOUS[rule]] == [each.rule for each in wrong]
        assert wrong[0].found.startswith(f"{when} UTC")

    def test_shows_the_failure(self, tenant):
        """What could not be seen at the last mint says what the tenant's log says."""
        found, given = self.documents(tenant, "console-may-mint")
        findings = {each.rule: each for each in diagnose(found, **given)}
        assert "unknown" == findings["action-runs"].status
        assert "Session transfer is not enabled" in findings["action-runs"].found


# Two documents, which either of two scopes may read.
ORGANIZATION = {"organization", "organization-connections"}


class TestReading:
    def test_no_scopes(self, tenant):
        """A token without scopes: everything is unknown, and nothing is wrong."""
        for rule in ("shop-accepts-query", "console-may-mint", "mfa", "logout-url"):
            BREAKS[rule][0](tenant)
        found = documents_of(tenant, token=tenant.new_management_token())
        assert {"unknown"} == {each.status for each in diagnose(found)}
        assert "read:clients" in missing_scopes(found)

    @pytest.mark.parametrize("name", sorted(set(SOURCES) - ORGANIZATION))
    def test_one_scope_missing(self, tenant, name):
        """Whatever scope is missing, nothing is called wrong for that."""
        scopes = {each.scope for each in SOURCES.values()} - {SOURCES[name].scope}
        token = tenant.new_management_token(*scopes)
        found = documents_of(tenant, "org_acme", token)
        assert {"ok", "unknown"} == {each.status for each in diagnose(found)}
        assert SOURCES[name].scope in missing_scopes(found)

    def test_expired_token(self, tenant):
        """A token that has expired is an error."""
        token = tenant.management_token
        tenant.clock.advance(86401)
        with pytest.raises(ReadError) as caught:
            documents_of(tenant, token=token)
        assert "unauthorized" == caught.value.code

    def test_tls(self):
        """A tenant with its own certificate authority is read with verify."""
        with LocalTenant(tls=True) as tenant:
            assert [] == wrong_on(tenant)

    def test_no_secret_is_read(self, tenant):
        """Nothing that was read holds a secret, of the tenant's or of an application's."""
        Attempt(tenant)()
        text = json.dumps(documents_of(tenant))
        for whose in ("console", "shop"):
            assert tenant.settings[whose]["client_secret"] not in text

    def test_many_connections(self, tenant):
        """Lists are read to their last page."""
        (connection,) = tenant.connections.values()
        for number in range(120):
            more = {**connection, "id": f"con_{number}", "name": f"c{number}"}
            tenant.connections[f"c{number}"] = more
        found = documents_of(tenant)["shop-connections"]["connections"]
        assert 121 == len(found)


def apply(change, tenant):
    """Do in the tenant what a call of the Management API would do."""
    kind, *rest = change.path.split("/")
    if kind == "clients":
        tenant.settings[rest[0]].update(change.body)
    elif kind == "guardian":
        tenant.settings["tenant"]["guardian_policies"] = change.body
    elif kind == "connections":
        (connection,) = tenant.connections.values()
        connection["enabled_clients"] += [each["client_id"] for each in change.body]
    elif kind == "actions":
        (document,) = tenant.actions.values()
        document["deployed_version"] = {"status": "built", "code": document["code"]}
    elif kind == "organizations":
        connection = change.body["connection_id"]
        tenant.organizations[rest[0]]["enabled_connections"].append(connection)
    elif kind == "resource-servers":
        (api,) = tenant.resource_servers.values()
        api.update(change.body)
    else:
        raise AssertionError(change.path)


# What a person sets right by hand, having read the fix.
BY_HAND = {
    "callback-registered": ("callbacks", "https://shop.example.com/callback"),
    "logout-url": ("allowed_logout_urls", "https://shop.example.com/"),
}
TRIAL = [
    rule
    for rule in BREAKS
    if RULES[rule].value is not None
    or rule in BY_HAND
    or rule in ("console-connection", "shop-connection", "mfa", "login-uri")
    or rule in ("token-fresh", "same-address", "no-open-session", "actor-token-fresh")
    or rule in ("forwarded-address", "client-credentials")
]


class TestTrial:
    @pytest.mark.parametrize("seed", range(10))
    def test_ten_broken_tenants(self, tenant, seed):
        """Whoever does what the doctor says, and tries again, gets in at last."""
        choice = random.Random(seed)
        rules = choice.sample(TRIAL, choice.randint(2, 8))
        attempt = {}
        for rule in rules:
            change, more, _ = BREAKS[rule]
            change(tenant)
            attempt.update(more)
        for _ in range(10):
            refused = Attempt(tenant, **attempt)()
            found = documents_of(tenant)
            findings = findings_on(tenant)
            wrong = [each.rule for each in findings if each.status == "wrong"]
            if not wrong:
                break
            self.correct(tenant, changes(findings, found), wrong, attempt)
        assert (None, []) == (refused, wrong)

    def correct(self, tenant, made, wrong, attempt):
        for change in made:
            apply(change, tenant)
        for rule in wrong:
            for name in BREAKS[rule][1]:
                attempt.pop(name, None)
            if rule in BY_HAND:
                name, value = BY_HAND[rule]
                tenant.settings["shop"][name] = [value]
            elif rule == "login-uri":
                tenant.settings["shop"]["initiate_login_uri"] = LOGIN_URL
