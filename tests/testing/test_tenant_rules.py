"""The one table of rules and the tenant: each rule bites, and the tenant knows no other."""

import re
from pathlib import Path

import pytest
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from calls import base, post_form, post_mint, redirect_url
from joserfc.jwk import RSAKey

import auth0_stt.testing
from auth0_stt.rules import RULES
from auth0_stt.testing import LocalTenant, RedemptionFailed

#: What the tenant can't see, or does not refuse: it is for the code of an application.
NOT_THE_TENANTS = {
    "tenant-answers",  # fail_next() is for that
    "action-checks-audience",
    "login-uri",
    "login-route-ends",
    "device-binding",  # Auth0 takes one value
    "no-refresh-token",  # left out without a word
    "session-capped",
}
AGENTS_ADDRESS = "203.0.113.7"
API = "https://api.acme.example/"
CONNECTION = "Username-Password-Authentication"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
HEADER = "Local-Tenant-Rule"


def break_by_setting(tenant, rule):
    """Set what the table says is wrong."""
    settings = tenant.settings[rule.whose]
    *outer, name = rule.setting.split(".")
    for each in outer:
        settings = settings[each]
    settings[name] = rule.wrong


def minted(tenant, **changes):
    """Return the rule that a mint broke."""
    return post_mint(tenant, **changes).headers.get(HEADER)


def redeemed(tenant, url=None, ip="127.0.0.1", browser=None, headers=None):
    """Return the rule that a redemption broke."""
    url = url or redirect_url(tenant, headers=headers)
    with pytest.raises(RedemptionFailed) as info:
        (browser or tenant.browser(ip)).redeem(url)
    return info.value.rule


def acting(tenant, action, **changes):
    """Return the rule that an Action broke."""
    tenant.action = action
    return minted(tenant, **changes)


def at_another_address(tenant):
    headers = {"auth0-forwarded-for": AGENTS_ADDRESS}
    return redeemed(tenant, ip=AGENTS_ADDRESS, headers=headers)


def with_an_assertion(tenant):
    headers = {"auth0-forwarded-for": AGENTS_ADDRESS}
    key = RSAKey.import_key(tenant.private_key)
    answer = post_mint(
        tenant,
        headers,
        client_secret=None,
        client_assertion_type=JWT_BEARER,
        client_assertion=private_key_jwt_sign(key, "console", base(tenant) + "/"),
    )
    token = answer.json()["access_token"]
    url = f"https://shop.example.com/?session_transfer_token={token}"
    return redeemed(tenant, url, ip=AGENTS_ADDRESS)


def too_often(tenant):
    for _ in range(10):
        post_mint(tenant, subject_token="bad")
    return minted(tenant)


def too_fast(tenant):
    tenant.token_exchanges_per_second = 1
    post_mint(tenant)
    return minted(tenant)


def stale(tenant):
    token = tenant.agent_tokens()["id_token"]
    tenant.clock.advance(36001)
    return minted(tenant, actor_token=token)


def of_another_tenant(tenant):
    with LocalTenant() as other:
        return minted(tenant, actor_token=other.agent_tokens()["id_token"])


def renewing(tenant):
    token = tenant.agent_tokens()["refresh_token"]
    tenant.settings["console"]["grant_types"] = ["authorization_code"]
    assert "refresh_token" not in tenant.agent_tokens()
    form = {"grant_type": "refresh_token", "refresh_token": token, **tenant.console}
    del form["domain"]
    return post_form(tenant, form).headers[HEADER]


def blocked(tenant, user_id):
    tenant.users[user_id]["blocked"] = True
    return minted(tenant)


def without_client(tenant, client_id):
    tenant.connections[CONNECTION]["enabled_clients"].remove(client_id)
    return redeemed(tenant)


def required(tenant):
    tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]
    return minted(tenant)


def used(tenant):
    url = redirect_url(tenant)
    tenant.redeem(url)
    return redeemed(tenant, url)


def late(tenant):
    url = redirect_url(tenant)
    tenant.clock.advance(61)
    return redeemed(tenant, url)


def on_loopback(tenant):
    callbacks = ["http://localhost:8000/callback"]
    tenant.settings["shop"]["callbacks"] = callbacks
    break_by_setting(tenant, RULES["loopback-prompt"])
    return redeemed(tenant)


def asking(tenant, **parameters):
    """Return the rule that the shop's own parameters broke."""
    token = post_mint(tenant).json()["access_token"]
    with tenant.browser() as browser, pytest.raises(RedemptionFailed) as info:
        browser.log_in(tenant.shop, session_transfer_token=token, **parameters)
    return info.value.rule


def second_account(tenant):
    with tenant.browser() as browser:
        browser.redeem(redirect_url(tenant))
        return redeemed(tenant, browser=browser)


def one_domain(tenant):
    tenant.settings["tenant"]["custom_domains"] = []
    with tenant.browser() as browser:
        browser.sign_in("auth0|sam", tenant.console)
        return redeemed(tenant, browser=browser)


def other_organization(tenant):
    token = post_mint(tenant, organization="acme").json()["access_token"]
    url = f"https://shop.example.com/?session_transfer_token={token}"
    return redeemed(tenant, url + "&organization=globex")


def organization_required(tenant):
    tenant.settings["shop"]["organization_usage"] = "require"
    return redeemed(tenant)


def connection_of_organization(tenant):
    tenant.organizations["org_acme"]["enabled_connections"] = []
    return redeemed(tenant, redirect_url(tenant, organization="acme"))


def consent_of_api(tenant):
    setting = "skip_consent_for_verifiable_first_party_clients"
    tenant.resource_servers[API][setting] = False
    return asking(tenant, audience=API)


def post_login_prompt(tenant):
    tenant.post_login_action = lambda event, api: api.multifactor.enable("any")
    return redeemed(tenant)


def logging_out(tenant):
    with tenant.browser() as browser:
        url = f"{base(tenant, 'shop')}/v2/logout?client_id=shop&returnTo=https://x.example"
        return browser.session.get(url, withhold_token=True).headers[HEADER]


def undeployed(tenant):
    tenant.actions["act_enter_customer"]["deployed_version"] = None
    return minted(tenant)


def of_another_trigger(tenant):
    triggers = [{"id": "post-login", "version": "v3"}]
    tenant.actions["act_enter_customer"]["supported_triggers"] = triggers
    return minted(tenant)


def another_profile(tenant):
    profile = tenant.token_exchange_profiles[tenant.subject_token_type]
    profile["type"] = RULES["profile-type"].wrong
    return minted(tenant)


def not_in_the_plan(tenant):
    tenant.delegation_available = False
    return minted(tenant)


ADA = "auth0|ada"
BROKEN = {
    "client-credentials": lambda tenant: minted(tenant, client_secret="x"),
    "plan": not_in_the_plan,
    "profile-exists": lambda tenant: minted(tenant, subject_token_type="urn:x:y"),
    "profile-type": another_profile,
    "session-transfer-audience": lambda tenant: minted(
        tenant, audience="urn:x:session_transfer"
    ),
    "attempts-per-address": too_often,
    "exchange-rate": too_fast,
    "actor-token-fresh": stale,
    "actor-token-own": of_another_tenant,
    "console-refresh-grant": renewing,
    "actor-active": lambda tenant: blocked(tenant, "auth0|sam"),
    "action-trigger": of_another_trigger,
    "action-deployed": undeployed,
    "action-reads-actor": lambda tenant: acting(
        tenant, lambda event, api: event.transaction.actor
    ),
    "subject-token-accepted": lambda tenant: minted(tenant, subject_token="bad"),
    "action-allows": lambda tenant: acting(
        tenant, lambda event, api: api.access.deny("no", "No")
    ),
    "action-runs": lambda tenant: acting(tenant, lambda event, api: 1 / 0),
    "action-sets-user": lambda tenant: acting(tenant, lambda event, api: None),
    "action-sets-actor": lambda tenant: acting(
        tenant, lambda event, api: api.authentication.setUserById(ADA)
    ),
    "actor-shape": lambda tenant: acting(
        tenant, lambda event, api: api.authentication.setActor({})
    ),
    "customer-active": lambda tenant: blocked(tenant, ADA),
    "console-connection": lambda tenant: without_client(tenant, "console"),
    "mfa": required,
    "organization-exists": lambda tenant: minted(tenant, organization="x"),
    "organization-member": lambda tenant: minted(tenant, organization="globex"),
    "forwarded-address": lambda tenant: redeemed(tenant, ip=AGENTS_ADDRESS),
    "forwarded-address-method": with_an_assertion,
    "token-fresh": late,
    "token-unused": used,
    "login-route-passes-token": lambda tenant: redeemed(
        tenant, "https://shop.example.com/"
    ),
    "loopback-prompt": on_loopback,
    "no-reauthentication": lambda tenant: asking(tenant, prompt="login"),
    "no-open-session": second_account,
    "two-domains": one_domain,
    "same-address": lambda tenant: redeemed(
        tenant, headers={"auth0-forwarded-for": AGENTS_ADDRESS}
    ),
    "shop-connection": lambda tenant: without_client(tenant, "shop"),
    "same-organization": other_organization,
    "shop-organization": organization_required,
    "organization-connection": connection_of_organization,
    "api-skips-consent": consent_of_api,
    "no-prompts": post_login_prompt,
    "logout-url": logging_out,
}
#: How to see that a setting of an application is wrong.
SEEN = {
    "console-app-type": at_another_address,
    "forwarded-address-trusted": at_another_address,
}
BY_SETTING = [
    rule
    for rule in RULES.values()
    if rule.id not in BROKEN and rule.id not in NOT_THE_TENANTS
]


def test_everything_works(tenant):
    """With the defaults no rule is broken."""
    assert minted(tenant) is None
    assert tenant.redeem(redirect_url(tenant, organization="acme"))["act"]


@pytest.mark.parametrize("rule", BROKEN)
def test_bites(tenant, rule):
    """What breaks a rule is refused, and the rule is named."""
    assert rule == BROKEN[rule](tenant)


@pytest.mark.parametrize("rule", BY_SETTING, ids=lambda rule: rule.id)
def test_bites_by_its_setting(tenant, rule):
    """So is what the table says is a wrong value, at the place that the table names."""
    assert rule.whose in ("console", "shop")
    break_by_setting(tenant, rule)
    see = SEEN.get(rule.id, minted if rule.whose == "console" else redeemed)
    assert rule.id == see(tenant)


def test_the_tenant_knows_no_other():
    """Every rule that the tenant names has a row in the table."""
    folder = Path(auth0_stt.testing.__file__).parent
    named = set()
    for path in [*folder.rglob("tenant/**/*.py"), folder / "browser.py"]:
        text = path.read_text("utf-8")
        named |= set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text))
    known = named & set(RULES)
    assert set(RULES) - NOT_THE_TENANTS <= known | {"plan", "mfa"}
    assert set(BROKEN) | {rule.id for rule in BY_SETTING} <= set(RULES)
    assert not NOT_THE_TENANTS & known


def test_every_rule_has_its_evidence():
    """The table says of each row on what it stands."""
    for rule in RULES.values():
        assert re.search(r"\[(doc|sdk|rfc|assumed)\]", rule.evidence), rule.id
