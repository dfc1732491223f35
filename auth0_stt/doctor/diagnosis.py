"""The diagnosis: every rule, judged by the documents. No network, no clock."""

from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional

from attr import evolve

from ..rules import RULES, Rule
from . import mint_checks, redemption_checks
from .case import Case, Verdict, by_setting
from .conceal import concealer
from .documents import Documents
from .finding import Finding
from .witness import NO_MINT, hear

#: Rules that neither a setting nor the log shows: they are matters of the shop's code.
NOT_JUDGED = frozenset(
    {"login-route-ends", "no-refresh-token", "session-capped", "tenant-answers"}
)


_CHECKS = {**mint_checks.CHECKS, **redemption_checks.CHECKS}


def diagnose(
    documents: Mapping[str, Any],
    *,
    console: Optional[str] = None,
    shop: Optional[str] = None,
    subject_token_type: Optional[str] = None,
    target_login_url: Optional[str] = None,
    organization: Optional[str] = None,
) -> List[Finding]:
    """Judge a tenant by JSON documents. Return the findings in the order of the flow.

    ``documents`` maps names to what the Management API answered, parsed: ``console``,
    ``shop`` (``GET clients/{id}``), ``token-exchange-profiles``, ``action``,
    ``console-connections``, ``shop-connections``, ``mfa-policies``,
    ``suspicious-ip-throttling``, ``tenant-settings``, ``custom-domains``,
    ``organization``, ``organization-connections``, ``resource-servers``, ``logs`` and
    ``try-login``. All are optional. A key may also be a path of the API, such as
    ``clients/{id}``, ``/api/v2/actions/actions/{id}`` or ``guardian/policies``, or end
    in ``.json``; underscores will do for hyphens. A list may be bare or in a paging
    envelope. The error that the API answered with is a document, too.

    What is not in the documents is ``unknown``, never ``wrong``: a missing document, an
    error in the place of one, a missing field.

    ``console`` and ``shop`` are client ids; they are taken from the documents if they
    are not given. ``subject_token_type``, ``target_login_url`` and ``organization`` are
    what the console uses.
    """
    read = Documents(documents, console, shop)
    case = Case(
        read,
        hear(read["logs"], read.console, read.shop),
        subject_token_type,
        target_login_url,
        organization,
    )
    verdicts: Dict[str, Verdict] = {}
    for rule in RULES.values():
        if rule.id not in NOT_JUDGED:
            verdict = _judge(rule, case)
            if verdict.status == "wrong" or case.concerns(rule):
                verdicts[rule.id] = verdict
    for name, causes in _EXPLAINED_BY.items():
        wrong = [each for each in RULES if each in causes and _is_wrong(verdicts, each)]
        if wrong and _is_wrong(verdicts, name):
            found = f"{verdicts[name].found}: see {wrong[0]}"
            verdicts[name] = evolve(verdicts[name], status="unknown", found=found)
    conceal = concealer(documents)
    return [
        _finding(RULES[name], verdict, case, conceal)
        for name, verdict in verdicts.items()
    ]


def _judge(rule: Rule, case: Case) -> Verdict:
    """Return what the documents say on a rule, and what the log says on it."""
    judge = _CHECKS.get(rule.id)
    if judge is not None:
        said = judge(case)
    elif rule.whose in ("console", "shop") and rule.setting:
        said = by_setting(rule, case.documents[rule.whose].object())
    else:
        return _by_log(rule, case)
    if said is not None and (
        said.status == "wrong" or (rule.setting and said.status == "ok")
    ):
        # A setting says how it is now; the log says how it was at the last attempt.
        return said
    return _by_log(rule, case, said)


# What the log says.

_MINT_RULES = frozenset(
    {
        "action-allows",
        "action-runs",
        "actor-active",
        "actor-shape",
        "actor-token-fresh",
        "actor-token-own",
        "client-credentials",
        "customer-active",
        "exchange-rate",
        "organization-exists",
        "organization-member",
        "session-transfer-audience",
        "subject-token-accepted",
    }
)
_REDEMPTION_RULES = frozenset(
    {
        "login-route-passes-token",
        "no-open-session",
        "no-prompts",
        "no-reauthentication",
        "same-address",
        "same-organization",
        "token-fresh",
        "token-unused",
    }
)


def _by_log(rule: Rule, case: Case, said: Optional[Verdict] = None) -> Verdict:
    """Return what the log says on a rule, else what the documents ``said``."""
    log = case.log
    if log.reason is not None:
        return said or Verdict("unknown", log.reason, "logs")
    if rule.id == log.mint_failure() and log.mint is not None:
        if rule.whose == "action" and mint_checks.deployed_since(case, log.mint.date):
            found = log.mint.quoted() + "; the Action was deployed since: try again"
            return said or Verdict("unknown", found, "logs")
        return Verdict("wrong", log.mint.quoted(), "logs")
    if rule.id == log.redemption_failure() and log.redemption is not None:
        return Verdict("wrong", log.redemption.quoted(), "logs")
    if said is not None:
        return said
    if rule.id in _MINT_RULES:
        if log.mint is None:
            return Verdict("unknown", NO_MINT, "logs")
        if log.mint.failed:
            found = "the last mint failed before this could be seen: "
            return Verdict("unknown", found + log.mint.quoted(), "logs")
        return Verdict("ok", log.mint.quoted(), "logs")
    if rule.id in _REDEMPTION_RULES:
        if log.minted is None:
            return Verdict("unknown", NO_MINT, "logs")
        if log.redemption is None:
            found = "the log has no redemption after the last mint"
            return Verdict("unknown", found, "logs")
        if rule.id == "login-route-passes-token" and log.arrived():
            return Verdict("ok", log.redemption.quoted(), "logs")
        if log.redemption_failure() is not None:
            found = "the last redemption failed before this could be seen: "
            return Verdict("unknown", found + log.redemption.quoted(), "logs")
        if log.redemption.failed:
            return Verdict("unknown", log.redemption.quoted(), "logs")
        return Verdict("ok", log.redemption.quoted(), "logs")
    return Verdict("unknown", "neither a setting nor the log shows it", "logs")


#: What the log complains of may only follow from a setting that is wrong.
_ADDRESS = frozenset(
    {
        "console-app-type",
        "console-confidential",
        "forwarded-address-method",
        "forwarded-address-trusted",
    }
)
_MINT_SETTINGS: FrozenSet[str] = frozenset(
    rule.id
    for rule in RULES.values()
    if rule.whose in ("console", "profile", "action") and rule.id not in _MINT_RULES
) | {"console-connection", "mfa"}
_EXPLAINED_BY: Dict[str, FrozenSet[str]] = {
    "forwarded-address": _ADDRESS,
    "same-address": _ADDRESS | {"forwarded-address"},
    "client-credentials": frozenset({"console-confidential"}),
    "actor-token-own": frozenset({"id-token-algorithm"}),
    "action-allows": _MINT_SETTINGS,
    "action-runs": _MINT_SETTINGS,
    "customer-active": _MINT_SETTINGS,
    "subject-token-accepted": _MINT_SETTINGS,
    "no-open-session": frozenset({"two-domains"}),
    "no-prompts": frozenset(
        {"mfa", "shop-first-party", "api-skips-consent", "loopback-prompt"}
    ),
    "same-organization": frozenset({"shop-organization"}),
    "login-route-passes-token": frozenset({"no-pushed-request"}),
}


def _is_wrong(verdicts: Dict[str, Verdict], rule: str) -> bool:
    return rule in verdicts and verdicts[rule].status == "wrong"


# From verdicts to findings.


def _finding(
    rule: Rule, verdict: Verdict, case: Case, conceal: Callable[[str], str]
) -> Finding:
    owners = {
        "console": case.documents.console,
        "shop": case.documents.shop,
        "console-connection": case.documents.console,
        "shop-connection": case.documents.shop,
    }
    return Finding(
        rule=rule.id,
        status=verdict.status,
        client_id=owners.get(rule.id) or owners.get(rule.whose),
        setting=rule.setting,
        expected=rule.expected,
        found=conceal(verdict.found),
        symptom=rule.symptom,
        fix=conceal(verdict.fix or rule.fix),
        source=verdict.source,
    )
