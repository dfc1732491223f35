"""The switches: each breaks one rule of :mod:`auth0_stt.rules`, whose id is its name.

What one sees then and what corrects it stand there. Here is how to break it, and which
hop of the trail shows the cause.
"""

from typing import Callable, Container, Dict, Tuple

from attr import attrs

from ...rules import RULES, Rule
from ..local_tenant import LocalTenant
from ..tenant.action import Api
from ..tenant.event import Event

AGENT = "auth0|sam"
Change = Callable[[LocalTenant], None]


def _nothing(tenant: LocalTenant) -> None:
    """Leave the tenant as it is: the console, the shop or the browser differs."""


@attrs(frozen=True, auto_attribs=True)
class Switch:
    """A rule to break."""

    rule: Rule
    label: str
    # The step of the trail at which the cause can be seen, and what can be seen there.
    step: str
    cause: str
    apply: Change = _nothing


@attrs(frozen=True, auto_attribs=True)
class Group:
    """The switches that belong to one place."""

    title: str
    switches: Tuple[Switch, ...]


def _code(rule: str, label: str, step: str, cause: str) -> Switch:
    return Switch(RULES[rule], label, step, cause)


def _setting(rule_id: str, label: str, step: str, cause: str = "") -> Switch:
    """Return a switch that sets what the rule names to the value that breaks it."""
    rule = RULES[rule_id]
    path = rule.setting or ""

    def apply(tenant: LocalTenant) -> None:
        *outer, name = path.split(".")
        settings = tenant.settings[rule.whose]
        for key in outer:
            settings = settings[key]
        settings[name] = rule.wrong

    return Switch(rule, label, step, cause or f"{path} is not set right.", apply)


def _no_actor(tenant: LocalTenant) -> None:
    def action(event: Event, api: Api) -> None:
        api.authentication.setUserById("auth0|ada")

    tenant.action = action


def _deny(tenant: LocalTenant) -> None:
    tenant.action = lambda event, api: api.access.deny(
        "unauthorized_actor", "Sam is not on call this week."
    )


def _mfa(tenant: LocalTenant) -> None:
    tenant.settings["tenant"]["guardian_policies"] = RULES["mfa"].wrong


def _rate(tenant: LocalTenant) -> None:
    tenant.token_exchanges_per_second = 0


def _block(user_id: str) -> Change:
    def apply(tenant: LocalTenant) -> None:
        tenant.users[user_id]["blocked"] = True

    return apply


def _block_customers(tenant: LocalTenant) -> None:
    for user_id in tenant.users:
        if user_id != AGENT:
            tenant.users[user_id]["blocked"] = True


def _enable_for(*client_ids: str) -> Change:
    def apply(tenant: LocalTenant) -> None:
        for connection in tenant.connections.values():
            connection["enabled_clients"] = list(client_ids)

    return apply


GROUPS = (
    Group(
        "In the console\u2019s code",
        (
            _code(
                "client-credentials",
                "It has the wrong client secret",
                "mint",
                "client_secret is not the one that the tenant has for the console.",
            ),
            _code(
                "profile-exists",
                "It misspells subject_token_type",
                "mint",
                "No token exchange profile has this subject_token_type.",
            ),
            _code(
                "session-transfer-audience",
                "It asks for an API\u2019s audience",
                "mint",
                "audience is not urn:{domain}:session_transfer.",
            ),
            _code(
                "actor-token-fresh",
                "It passes on an expired ID token",
                "mint",
                "The actor_token has expired: see its exp.",
            ),
            _code(
                "forwarded-address",
                "It forgets forwarded_for",
                "mint",
                "The header auth0-forwarded-for is missing, so the token is bound to "
                "the console\u2019s server.",
            ),
        ),
    ),
    Group(
        "In the tenant, for the console",
        (
            _setting(
                "console-may-mint",
                "Session transfer is not enabled",
                "mint answer",
            ),
            _setting(
                "forwarded-address-trusted",
                "Trust Token Endpoint IP Header is off",
                "mint answer",
                "The tenant ignored auth0-forwarded-for: the token is bound to the "
                "console\u2019s server.",
            ),
            Switch(
                RULES["action-sets-actor"],
                "The Action forgets setActor",
                "mint answer",
                "The Action ended without api.authentication.setActor().",
                _no_actor,
            ),
            Switch(
                RULES["action-allows"],
                "The Action says no",
                "mint answer",
                "The Action called api.access.deny().",
                _deny,
            ),
            Switch(
                RULES["actor-active"],
                "The agent is blocked",
                "mint answer",
                "The user of the actor_token is blocked.",
                _block(AGENT),
            ),
            Switch(
                RULES["customer-active"],
                "The customer is blocked",
                "mint answer",
                "The user that the Action set is blocked.",
                _block_customers,
            ),
            Switch(
                RULES["mfa"],
                "Everyone needs a second factor",
                "mint answer",
                "An MFA policy holds for every application.",
                _mfa,
            ),
            Switch(
                RULES["console-connection"],
                "The customer\u2019s connection is not enabled",
                "authorize answer",
                "The customer\u2019s connection is not enabled for the console.",
                _enable_for("shop"),
            ),
            Switch(
                RULES["exchange-rate"],
                "Too many mints in one second (429)",
                "mint answer",
                "Too many exchanges in one second, for the whole tenant.",
                _rate,
            ),
            _code(
                "tenant-answers",
                "It is down (503)",
                "mint answer",
                "The tenant is temporarily unavailable.",
            ),
        ),
    ),
    Group(
        "In the tenant, for the shop",
        (
            _setting(
                "shop-allows-delegation",
                "allow_delegated_access is off",
                "authorize answer",
            ),
            _setting(
                "shop-accepts-query",
                "\u201cquery\u201d is not an allowed method",
                "authorize answer",
            ),
            _setting(
                "shop-first-party",
                "It would ask for consent",
                "authorize answer",
            ),
            _setting(
                "loopback-prompt",
                "It would ask whether the callback is right",
                "authorize answer",
                "The callback is on loopback, and skip_non_verifiable_callback_uri_"
                "confirmation_prompt is not true.",
            ),
            Switch(
                RULES["shop-connection"],
                "The customer\u2019s connection is not enabled",
                "authorize answer",
                "The customer\u2019s connection is not enabled for the shop.",
                _enable_for("console"),
            ),
        ),
    ),
    Group(
        "In the shop\u2019s code",
        (
            _code(
                "login-route-passes-token",
                "The login route drops the token",
                "login answer",
                "session_transfer_token is missing from the redirect to /authorize.",
            ),
        ),
    ),
    Group(
        "On the agent\u2019s side",
        (
            _code(
                "same-address",
                "The agent\u2019s address changes after the click",
                "authorize",
                "The browser comes from another address than the one in "
                "auth0-forwarded-for.",
            ),
            _code(
                "token-fresh",
                "61 seconds pass before the browser follows",
                "login",
                "The token was minted more than 60 seconds ago.",
            ),
            _code(
                "token-unused",
                "Something opens the link first",
                "scan",
                "A scanner opens the link. That is the token\u2019s one use.",
            ),
            _code(
                "no-open-session",
                "A second customer, without logging out",
                "authorize",
                "The browser still has the session of the last account on this domain.",
            ),
            _code(
                "two-domains",
                "Console and shop share a domain",
                "authorize",
                "The browser has the agent\u2019s own session on this domain.",
            ),
        ),
    ),
)
SWITCHES: Dict[str, Switch] = {
    switch.rule.id: switch for group in GROUPS for switch in group.switches
}


def explained(rule_id: str, on: Container[str]) -> str:
    """Return the rule that is to blame, given the one that the tenant named.

    To the tenant, a session is a session: it can't know why it is there.
    """
    if rule_id == "no-open-session" and "two-domains" in on:
        return "two-domains"
    return rule_id
