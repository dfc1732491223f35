"""Checks of the mint: the console, the profile, its Action and the tenant."""

from datetime import datetime
from typing import Callable, Dict, Optional

from attr import evolve

from ..rules import RULES
from . import action_code
from .case import Case, Verdict, by_setting, connections, names, right_if, shown, unread
from .documents import Document
from .witness import NO_MINT, Testimony, read_date


def _forwarded_address_method(case: Case) -> Optional[Verdict]:
    said = by_setting(
        RULES["forwarded-address-method"], case.documents["console"].object()
    )
    if said.status == "wrong" and said.found == '"none"':
        return evolve(said, status="unknown", found="the console sends no credentials")
    return said


def _plan(case: Case) -> Optional[Verdict]:
    for name in ("shop", "console"):
        document = case.documents[name].object()
        if document.reason is None and document.value.get("session_transfer"):
            found = "the application has settings for session transfer"
            return Verdict("ok", found, name)
    return None


def _profile_exists(case: Case) -> Optional[Verdict]:
    document = case.documents["token-exchange-profiles"]
    profile, reason = case.profile()
    if reason is not None:
        return Verdict("unknown", reason, document.name)
    if profile is not None:
        return Verdict("ok", shown(profile.get("subject_token_type")), document.name)
    if not document.complete():
        return Verdict("unknown", "the list goes on on another page", document.name)
    types = sorted(
        str(each.get("subject_token_type"))
        for each in document.items().value
        if isinstance(each, dict)
    )
    found = ", ".join(types) if types else "no profile at all"
    return Verdict("wrong", found, document.name)


def _profile_type(case: Case) -> Optional[Verdict]:
    name = "token-exchange-profiles"
    profile, reason = case.profile()
    if profile is None:
        return Verdict("unknown", reason or "there is no such profile", name)
    return by_setting(RULES["profile-type"], Document(name, profile))


def _action(case: Case) -> Document:
    """Return the Action of the profile that the console uses."""
    action = case.documents["action"].object()
    profile, _ = case.profile()
    if action.reason is None and profile is not None:
        expected, found = profile.get("action_id"), action.value.get("id")
        if expected and found and expected != found:
            return Document("action", reason="the profile has another Action")
    return action


def _action_trigger(case: Case) -> Optional[Verdict]:
    action = _action(case)
    if action.reason is not None:
        return unread(action)
    triggers = action.value.get("supported_triggers")
    if not isinstance(triggers, list):
        return Verdict("unknown", "supported_triggers is not in action", "action")
    found = [each.get("id") for each in triggers if isinstance(each, dict)]
    return right_if(RULES["action-trigger"].holds(found), shown(found), "action")


def _action_deployed(case: Case) -> Optional[Verdict]:
    action = _action(case)
    if action.reason is not None:
        return unread(action)
    known = False
    for name, right in (("all_changes_deployed", True), ("status", "built")):
        value = action.value.get(name)
        if value is None:
            continue
        if value != right:
            return Verdict("wrong", f"{name} is {shown(value)}", "action")
        known = True
    if "deployed_version" in action.value and not action.value["deployed_version"]:
        return Verdict("wrong", "no version is deployed", "action")
    if not known:
        found = "all_changes_deployed and status are not in action"
        return Verdict("unknown", found, "action")
    return Verdict("ok", "built and deployed", "action")


def deployed_since(case: Case, date: Optional[datetime]) -> bool:
    """Return whether the deployed version of the Action is younger than a date."""
    action = _action(case)
    version = action.value.get("deployed_version") if action.reason is None else None
    built = read_date(version.get("built_at")) if isinstance(version, dict) else None
    return date is not None and built is not None and date < built


def _code(case: Case) -> Document:
    """Return the code that runs, without its comments."""
    action = _action(case)
    if action.reason is not None:
        return action
    deployed = action.value.get("deployed_version")
    code = deployed.get("code") if isinstance(deployed, dict) else None
    code = code or action.value.get("code")
    if not isinstance(code, str) or not code.strip():
        return Document("action", reason="the code is not in action")
    return Document("action", action_code.without_comments(code))


def _by_code(
    check: Callable[[str], bool], right: str, wrong: str
) -> Callable[[Case], Optional[Verdict]]:
    def judge(case: Case) -> Optional[Verdict]:
        code = _code(case)
        if code.reason is not None:
            return unread(code)
        holds = check(code.value)
        return right_if(holds, right if holds else wrong, "action")

    return judge


def _console_connection(case: Case) -> Optional[Verdict]:
    document, console = connections(case, "console-connections")
    if document.reason is not None:
        return unread(document)
    if not console:
        return Verdict("wrong", "no connection", document.name)
    others, shop = connections(case, "shop-connections")
    if others.reason is not None:
        return unread(others)
    only = names(shop[each] for each in sorted(shop) if each not in console)
    if not shop:
        return Verdict("unknown", "the shop has none to compare with", document.name)
    if set(shop) <= set(console):
        return Verdict("ok", names(console.values()), document.name)
    if not set(shop) & set(console):
        found = f"enabled for the shop only: {only}"
        return Verdict("wrong", found, document.name)
    found = f"wrong if customers come from a connection that only the shop has: {only}"
    return Verdict("unknown", found, document.name)


def _mfa(case: Case) -> Optional[Verdict]:
    document = case.documents["mfa-policies"]
    listed = document.items()
    if listed.reason is not None:
        return unread(listed)
    return right_if(not listed.value, shown(listed.value), document.name)


def _attempts(case: Case) -> Optional[Verdict]:
    document = case.documents["suspicious-ip-throttling"].object()
    if document.reason is not None:
        return unread(document)
    if document.value.get("enabled") is False:
        return Verdict("ok", "the throttling is off", document.name)
    allowed = document.value.get("allowlist")
    if case.log.mint_failure() == "attempts-per-address":
        ip = case.log.mint.ip if case.log.mint else None
        if not isinstance(allowed, list) or ip not in allowed:
            return None
        return Verdict("ok", f"the allowlist has {ip}", document.name)
    if allowed:
        return Verdict("ok", "the allowlist has entries", document.name)
    console = case.documents["console"].object()
    trusted = None
    if console.reason is None:
        trusted = console.value.get("is_token_endpoint_ip_header_trusted")
    if trusted is True:
        found = "failures count against the agent's address"
        return Verdict("ok", found, document.name)
    found = "failures of all agents may count against the console's own address"
    return Verdict("unknown", found, document.name)


def _forwarded_address(case: Case) -> Optional[Verdict]:
    log = case.log
    if log.reason is not None or log.minted is None:
        reason = log.reason or NO_MINT
        return Verdict("unknown", reason, "logs")
    bound = f"the last token is bound to {log.minted.ip}"
    instead = log.not_an_agents()
    if log.redemption_failure() == "same-address" and instead is not None:
        found = f"{bound}, {instead}; {_came_from(log)}"
        return Verdict("wrong", _dated(log, found), "logs")
    if log.redemption is not None and not log.redemption.failed:
        return Verdict("ok", bound, "logs")
    return Verdict("unknown", f"{bound}: is that the agent's address?", "logs")


def _same_address(case: Case) -> Optional[Verdict]:
    log = case.log
    if log.redemption_failure() == "same-address" and log.minted is not None:
        found = f"the token was bound to {log.minted.ip}; {_came_from(log)}"
        if log.not_an_agents() is None:
            found += (
                f". If {log.minted.ip} is the server's address, the console does not "
                "pass forwarded_for"
            )
        return Verdict("wrong", _dated(log, found), "logs")
    return None


def _dated(log: Testimony, found: str) -> str:
    return log.redemption.dated(found) if log.redemption else found


def _came_from(log: Testimony) -> str:
    return "the browser came from {}".format(
        log.redemption.ip if log.redemption else "?"
    )


CHECKS: Dict[str, Callable[[Case], Optional[Verdict]]] = {
    "plan": _plan,
    "profile-exists": _profile_exists,
    "profile-type": _profile_type,
    "attempts-per-address": _attempts,
    "action-trigger": _action_trigger,
    "action-deployed": _action_deployed,
    "action-checks-audience": _by_code(
        action_code.checks_audience,
        "the code looks for :session_transfer",
        "the code does not mention :session_transfer",
    ),
    "action-reads-actor": _by_code(
        lambda code: not action_code.reads_wrong_actor(code),
        "the code does not read event.transaction.actor",
        "the code reads event.transaction.actor",
    ),
    "action-sets-user": _by_code(
        action_code.sets_user, "the code calls it", "the code calls neither"
    ),
    "action-sets-actor": _by_code(
        action_code.sets_actor, "the code calls it", "the code does not call it"
    ),
    "console-connection": _console_connection,
    "mfa": _mfa,
    "forwarded-address": _forwarded_address,
    "forwarded-address-method": _forwarded_address_method,
    "same-address": _same_address,
}
