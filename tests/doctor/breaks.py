"""How each rule that the doctor judges is broken in the documents of a tenant."""

import copy

from healthy import ACTION_CODE, CONSOLE, SHOP, entry

from auth0_stt.doctor import diagnose
from auth0_stt.rules import RULES

ORGANIZATION = "org_acme000000000001"
AGENT, SERVER, ELSEWHERE = "203.0.113.7", "198.51.100.10", "192.0.2.99"


def wrong(found, **given):
    return [each.rule for each in diagnose(found, **given) if each.status == "wrong"]


def by_rule(found, **given):
    return {each.rule: each for each in diagnose(found, **given)}


def put(document, path, value):
    *outer, name = path.split(".")
    for each in outer:
        document = document[each]
    document[name] = value


def mint_failed(found, description, **rest):
    found["logs"].insert(0, entry("fecte", 59, CONSOLE, description, AGENT, **rest))


def redemption(found, *events):
    found["logs"] = [entry("secte", 1, CONSOLE, "", AGENT), *found["logs"][3:]]
    found["logs"][:0] = [
        entry(kind, second, SHOP, text, ip) for kind, second, text, ip in events
    ]


NOT_FOUND = (
    "Single Sign-On failed: Session Transfer Token not found or expired. "
    "This may indicate token reuse or expiration."
)
BINDING = (
    "Single Sign-On failed: device binding validation failed due to IP/ASN mismatch."
)
OTHER_ORGANIZATION = "Single Sign-On failed: organization mismatch detected."


def by_setting(rule):
    def break_it(found):
        put(found[rule.whose], rule.setting, copy.deepcopy(rule.wrong))

    return break_it


def code(old, new):
    def break_it(found):
        changed = ACTION_CODE.replace(old, new)
        assert changed != ACTION_CODE
        found["action"]["deployed_version"]["code"] = changed

    return break_it


def location(old, new):
    def break_it(found):
        changed = found["try-login"]["location"].replace(old, new)
        assert changed != found["try-login"]["location"]
        found["try-login"]["location"] = changed

    return break_it


def bound_to_server(found):
    redemption(found, ("w", 3, BINDING, AGENT))
    found["logs"][-2]["ip"] = SERVER


# How each rule is broken in the documents, by its id.
BREAKS = {
    rule.id: by_setting(rule)
    for rule in RULES.values()
    if rule.whose in ("console", "shop") and rule.value is not None
}
BREAKS.update(
    {
        "forwarded-address-method": lambda d: put(
            d["console"], "token_endpoint_auth_method", None
        ),
        "loopback-prompt": lambda d: (
            put(d["shop"], "callbacks", ["http://localhost:3000/callback"]),
            location(
                "https%3A%2F%2Fshop.acme.example", "http%3A%2F%2Flocalhost%3A3000"
            )(d),
        ),
        "profile-exists": lambda d: d.update(
            {"token-exchange-profiles": {"token_exchange_profiles": []}}
        ),
        "profile-type": lambda d: put(
            d["token-exchange-profiles"]["token_exchange_profiles"][0],
            "type",
            "on_behalf_of_token_exchange",
        ),
        "action-trigger": lambda d: put(
            d["action"], "supported_triggers", [{"id": "post-login", "version": "v3"}]
        ),
        "action-deployed": lambda d: put(d["action"], "all_changes_deployed", False),
        "action-checks-audience": code(":session_transfer", ":other"),
        "action-reads-actor": code("transaction.actor_token_user", "transaction.actor"),
        "action-sets-user": code("api.authentication.setUserById(", "const user = ("),
        "action-sets-actor": code("api.authentication.setActor(", "console.log("),
        "mfa": lambda d: d.update({"mfa-policies": ["all-applications"]}),
        "two-domains": lambda d: (d.update({"custom-domains": []}), redemption(d)),
        "console-connection": lambda d: put(
            d["console-connections"],
            "connections",
            d["console-connections"]["connections"][1:],
        ),
        "shop-connection": lambda d: put(d["shop-connections"], "connections", []),
        "login-uri": lambda d: put(
            d["shop"], "initiate_login_uri", "http://shop.acme.example/login"
        ),
        "callback-registered": lambda d: put(d["shop"], "callbacks", []),
        "logout-url": lambda d: put(d["shop"], "allowed_logout_urls", []),
        "shop-organization": lambda d: put(d["shop"], "organization_usage", "deny"),
        "organization-connection": lambda d: put(
            d["organization-connections"][0], "connection_id", "con_other"
        ),
        "api-skips-consent": lambda d: (
            put(
                d["resource-servers"][0],
                "skip_consent_for_verifiable_first_party_clients",
                False,
            ),
            location("&scope", "&audience=https%3A%2F%2Fapi.acme.example%2F&scope")(d),
        ),
        "login-route-passes-token": location("&session_transfer_token=made-up", ""),
        "no-reauthentication": location("&scope", "&prompt=login&scope"),
        # What only the log shows.
        "client-credentials": lambda d: mint_failed(d, "Unauthorized"),
        "plan": lambda d: (
            mint_failed(d, "session_transfer_disabled"),
            put(d["shop"], "session_transfer", {}),
            put(d["console"], "session_transfer", {}),
        ),
        "session-transfer-audience": lambda d: mint_failed(
            d, "Service not found: urn:acme.com:session_transfer"
        ),
        "attempts-per-address": lambda d: mint_failed(
            d, "We have detected suspicious login behavior"
        ),
        "exchange-rate": lambda d: mint_failed(d, "Global limit has been reached"),
        "actor-token-fresh": lambda d: mint_failed(
            d, "Invalid actor token: 'exp' claim timestamp check failed"
        ),
        "actor-token-own": lambda d: mint_failed(
            d, "Invalid actor token: unexpected 'aud' claim value"
        ),
        "actor-active": lambda d: mint_failed(
            d, "Invalid actor token: user is blocked"
        ),
        "actor-shape": lambda d: mint_failed(d, "The actor has too many properties"),
        "subject-token-accepted": lambda d: mint_failed(d, "subject_token has expired"),
        "action-allows": lambda d: mint_failed(d, "Sam is not on call this week."),
        "action-runs": lambda d: mint_failed(
            d, "The Action raised TypeError: undefined"
        ),
        "customer-active": lambda d: mint_failed(d, "The user does not exist"),
        "organization-exists": lambda d: mint_failed(
            d, "parameter organization is invalid"
        ),
        "organization-member": lambda d: mint_failed(
            d, "user is not a member of the organization"
        ),
        "forwarded-address": bound_to_server,
        "same-address": lambda d: redemption(d, ("w", 3, BINDING, ELSEWHERE)),
        "same-organization": lambda d: redemption(
            d, ("w", 3, OTHER_ORGANIZATION, AGENT)
        ),
        "token-fresh": lambda d: redemption(d, ("w", 63, NOT_FOUND, AGENT)),
        "token-unused": lambda d: redemption(
            d, ("w", 63, NOT_FOUND, AGENT), ("sdel", 2, "", AGENT)
        ),
        "no-open-session": lambda d: redemption(
            d, ("f", 3, "There is an active session: log out first.", AGENT)
        ),
        "no-prompts": lambda d: redemption(
            d, ("fdeleacft", 3, "interaction_required", AGENT)
        ),
    }
)
OPTIONS = {
    "organization": ORGANIZATION,
    "target_login_url": "https://shop.acme.example/login?next=%2Forders",
}
