"""The diagnosis: every rule, judged by the documents. No network, no clock."""

import json
import re
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Tuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from attr import evolve, frozen

from ..rules import RULES, Rule
from . import action_code
from .documents import TRY_LOGIN, Document, Documents
from .finding import Finding
from .witness import Testimony, hear

#: Rules that neither a setting nor the log shows: they are matters of the shop's code.
NOT_JUDGED = frozenset(
    {"login-route-ends", "no-refresh-token", "session-capped", "tenant-answers"}
)

_MISSING = object()


@frozen
class _Verdict:
    status: str
    found: str
    source: Optional[str] = None


def diagnose(
    documents: Mapping[str, Any],
    *,
    console: Optional[str] = None,
    shop: Optional[str] = None,
    subject_token_type: Optional[str] = None,
    target_login_url: Optional[str] = None,
    organization: Optional[str] = None,
) -> List[Finding]:
    """Judge a tenant by JSON documents, and return the findings in the order of the flow.

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
    case = _Case(
        read,
        hear(read["logs"], read.console, read.shop),
        subject_token_type,
        target_login_url,
        organization,
    )
    verdicts: Dict[str, _Verdict] = {}
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
    conceal = _concealer(documents)
    return [
        _finding(RULES[name], verdict, case, conceal)
        for name, verdict in verdicts.items()
    ]


@frozen
class _Case:
    documents: Documents
    log: Testimony
    subject_token_type: Optional[str]
    target_login_url: Optional[str]
    organization: Optional[str]

    def concerns(self, rule: Rule) -> bool:
        """Tell whether a rule is in question: without an organization, some are not."""
        return rule.whose != "organization" or bool(
            self.organization or self.documents.has("organization")
        )

    def login(self) -> Document:
        """Return the answer of the login URL, if somebody tried it."""
        return self.documents[TRY_LOGIN].object()

    def authorize_query(self) -> Optional[Dict[str, List[str]]]:
        """Return the query with which the login route went to ``/authorize``."""
        login = self.login()
        location = login.value.get("location") if login.reason is None else None
        url = _split(location)
        if url is None or not url.path.endswith("/authorize"):
            return None
        return parse_qs(url.query, keep_blank_values=True)

    def profile(self) -> Tuple[Optional[Dict[str, Any]], Optional[str]]:
        """Return the profile that the console's mints use, or why it is not known."""
        listed = self.documents["token-exchange-profiles"].items()
        if listed.reason is not None:
            return None, listed.reason
        profiles = [each for each in listed.value if isinstance(each, dict)]
        wanted = self.subject_token_type or self._type_in_log()
        if wanted is not None:
            profiles = [p for p in profiles if p.get("subject_token_type") == wanted]
        elif len(profiles) > 1:
            action = self.documents["action"].object()
            used = action.value.get("id") if action.reason is None else None
            profiles = [p for p in profiles if used and p.get("action_id") == used]
            if len(profiles) != 1:
                reason = "there are several profiles, and no --subject-token-type"
                return None, reason
        return (profiles[0] if profiles else None), None

    def _type_in_log(self) -> Optional[str]:
        minted = self.log.minted
        return minted.subject_token_type if minted else None


def _judge(rule: Rule, case: _Case) -> _Verdict:
    """Return what the documents say on a rule, and what the log says on it."""
    judge = _JUDGES.get(rule.id)
    if judge is not None:
        said = judge(case)
    elif rule.whose in ("console", "shop") and rule.setting:
        said = _setting(rule, case.documents[rule.whose].object())
    else:
        return _by_log(rule, case)
    if said is not None and (
        said.status == "wrong" or (rule.setting and said.status == "ok")
    ):
        # A setting says how it is now; the log says how it was at the last attempt.
        return said
    return _by_log(rule, case, said)


def _setting(rule: Rule, document: Document) -> _Verdict:
    if document.reason is not None:
        return _Verdict("unknown", document.reason, document.name)
    value = _at(document.value, str(rule.setting))
    if value is _MISSING:
        found = (
            f"{rule.setting} is not in {document.name}: it was never set, or not read"
        )
        return _Verdict("unknown", found, document.name)
    return _verdict(rule.holds(value), _shown(value), document.name)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict) or name not in value:
            return _MISSING
        value = value[name]
    return value


def _verdict(holds: bool, found: str, source: str) -> _Verdict:
    return _Verdict("ok" if holds else "wrong", found, source)


def _unread(document: Document) -> _Verdict:
    return _Verdict("unknown", str(document.reason), document.name)


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


def _by_log(rule: Rule, case: _Case, said: Optional[_Verdict] = None) -> _Verdict:
    """Return what the log says on a rule, else what the documents ``said``."""
    log = case.log
    if log.reason is not None:
        return said or _Verdict("unknown", log.reason, "logs")
    if rule.id == log.mint_failure() and log.mint is not None:
        return _Verdict("wrong", log.mint.quoted(), "logs")
    if rule.id == log.redemption_failure() and log.redemption is not None:
        return _Verdict("wrong", log.redemption.quoted(), "logs")
    if said is not None:
        return said
    if rule.id in _MINT_RULES:
        if log.mint is None:
            return _Verdict("unknown", "the log has no mint of the console", "logs")
        if log.mint.failed:
            found = "the last mint failed for another reason"
            return _Verdict("unknown", found, "logs")
        return _Verdict("ok", log.mint.quoted(), "logs")
    if rule.id in _REDEMPTION_RULES:
        if log.minted is None:
            return _Verdict("unknown", "the log has no mint of the console", "logs")
        if log.redemption is None:
            found = "the log has no redemption after the last mint"
            return _Verdict("unknown", found, "logs")
        if log.redemption_failure() is not None:
            found = "the last redemption failed for another reason"
            return _Verdict("unknown", found, "logs")
        if log.redemption.failed:
            return _Verdict("unknown", log.redemption.quoted(), "logs")
        return _Verdict("ok", log.redemption.quoted(), "logs")
    return _Verdict("unknown", "neither a setting nor the log shows it", "logs")


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


def _is_wrong(verdicts: Dict[str, _Verdict], rule: str) -> bool:
    return rule in verdicts and verdicts[rule].status == "wrong"


# One function for each rule that more than one value decides.


def _forwarded_address_method(case: _Case) -> Optional[_Verdict]:
    said = _setting(
        RULES["forwarded-address-method"], case.documents["console"].object()
    )
    if said.status == "wrong" and said.found == '"none"':
        return evolve(said, status="unknown", found="the console sends no credentials")
    return said


def _plan(case: _Case) -> Optional[_Verdict]:
    for name in ("shop", "console"):
        document = case.documents[name].object()
        if document.reason is None and document.value.get("session_transfer"):
            found = "the application has settings for session transfer"
            return _Verdict("ok", found, name)
    return None


def _profile_exists(case: _Case) -> Optional[_Verdict]:
    document = case.documents["token-exchange-profiles"]
    profile, reason = case.profile()
    if reason is not None:
        return _Verdict("unknown", reason, document.name)
    if profile is not None:
        return _Verdict("ok", _shown(profile.get("subject_token_type")), document.name)
    if not document.complete():
        return _Verdict("unknown", "the list goes on on another page", document.name)
    types = sorted(
        str(each.get("subject_token_type"))
        for each in document.items().value
        if isinstance(each, dict)
    )
    found = ", ".join(types) if types else "no profile at all"
    return _Verdict("wrong", found, document.name)


def _profile_type(case: _Case) -> Optional[_Verdict]:
    name = "token-exchange-profiles"
    profile, reason = case.profile()
    if profile is None:
        return _Verdict("unknown", reason or "there is no such profile", name)
    return _setting(RULES["profile-type"], Document(name, profile))


def _action(case: _Case) -> Document:
    """Return the Action of the profile that the console uses."""
    action = case.documents["action"].object()
    profile, _ = case.profile()
    if action.reason is None and profile is not None:
        expected, found = profile.get("action_id"), action.value.get("id")
        if expected and found and expected != found:
            return Document("action", reason="the profile has another Action")
    return action


def _action_trigger(case: _Case) -> Optional[_Verdict]:
    action = _action(case)
    if action.reason is not None:
        return _unread(action)
    triggers = action.value.get("supported_triggers")
    if not isinstance(triggers, list):
        return _Verdict("unknown", "supported_triggers is not in action", "action")
    found = [each.get("id") for each in triggers if isinstance(each, dict)]
    return _verdict(RULES["action-trigger"].holds(found), _shown(found), "action")


def _action_deployed(case: _Case) -> Optional[_Verdict]:
    action = _action(case)
    if action.reason is not None:
        return _unread(action)
    known = False
    for name, right in (("all_changes_deployed", True), ("status", "built")):
        value = action.value.get(name)
        if value is None:
            continue
        if value != right:
            return _Verdict("wrong", f"{name} is {_shown(value)}", "action")
        known = True
    if "deployed_version" in action.value and not action.value["deployed_version"]:
        return _Verdict("wrong", "no version is deployed", "action")
    if not known:
        found = "all_changes_deployed and status are not in action"
        return _Verdict("unknown", found, "action")
    return _Verdict("ok", "built and deployed", "action")


def _code(case: _Case) -> Document:
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
) -> Callable[[_Case], Optional[_Verdict]]:
    def judge(case: _Case) -> Optional[_Verdict]:
        code = _code(case)
        if code.reason is not None:
            return _unread(code)
        holds = check(code.value)
        return _verdict(holds, right if holds else wrong, "action")

    return judge


def _connections(case: _Case, name: str) -> Tuple[Document, Dict[str, str]]:
    """Return the connections of an application, names by ids."""
    document = case.documents[name]
    listed = document.items()
    found = {}
    for each in listed.value if listed.reason is None else []:
        if isinstance(each, dict):
            key = each.get("id") or each.get("connection_id") or each.get("name")
            inner = each.get("connection")
            label = inner.get("name") if isinstance(inner, dict) else each.get("name")
            found[str(key)] = str(label or key)
        elif isinstance(each, str):
            found[each] = each
    if listed.reason is None and not document.complete():
        listed = Document(name, reason="the list goes on on another page")
    return listed, found


def _shop_connection(case: _Case) -> Optional[_Verdict]:
    document, shop = _connections(case, "shop-connections")
    if document.reason is not None:
        return _unread(document)
    return _verdict(bool(shop), _names(shop.values()), document.name)


def _console_connection(case: _Case) -> Optional[_Verdict]:
    document, console = _connections(case, "console-connections")
    if document.reason is not None:
        return _unread(document)
    if not console:
        return _Verdict("wrong", "no connection", document.name)
    others, shop = _connections(case, "shop-connections")
    if others.reason is not None:
        return _unread(others)
    only = _names(shop[each] for each in sorted(shop) if each not in console)
    if not shop:
        return _Verdict("unknown", "the shop has none to compare with", document.name)
    if set(shop) <= set(console):
        return _Verdict("ok", _names(console.values()), document.name)
    if not set(shop) & set(console):
        found = f"enabled for the shop only: {only}"
        return _Verdict("wrong", found, document.name)
    found = f"wrong if customers come from what the shop alone has: {only}"
    return _Verdict("unknown", found, document.name)


def _names(names: Any) -> str:
    return ", ".join(sorted(names)) or "no connection"


def _mfa(case: _Case) -> Optional[_Verdict]:
    document = case.documents["mfa-policies"]
    listed = document.items()
    if listed.reason is not None:
        return _unread(listed)
    return _verdict(not listed.value, _shown(listed.value), document.name)


def _attempts(case: _Case) -> Optional[_Verdict]:
    document = case.documents["suspicious-ip-throttling"].object()
    if case.log.mint_failure() == "attempts-per-address":
        return None
    if document.reason is not None:
        return _unread(document)
    if document.value.get("enabled") is False:
        return _Verdict("ok", "the throttling is off", document.name)
    if document.value.get("allowlist"):
        return _Verdict("ok", "the allowlist has entries", document.name)
    console = case.documents["console"].object()
    trusted = None
    if console.reason is None:
        trusted = console.value.get("is_token_endpoint_ip_header_trusted")
    if trusted is True:
        found = "failures count against the agent's address"
        return _Verdict("ok", found, document.name)
    found = "failures of all agents may count against the console's own address"
    return _Verdict("unknown", found, document.name)


def _forwarded_address(case: _Case) -> Optional[_Verdict]:
    log = case.log
    if log.reason is not None or log.minted is None:
        reason = log.reason or "the log has no mint of the console"
        return _Verdict("unknown", reason, "logs")
    bound = f"the last token is bound to {log.minted.ip}"
    if log.redemption_failure() == "same-address" and log.from_server():
        found = f"{bound}, which is the server's address; {_came_from(log)}"
        return _Verdict("wrong", found, "logs")
    if log.redemption is not None and not log.redemption.failed:
        return _Verdict("ok", bound, "logs")
    return _Verdict("unknown", f"{bound}: is that the agent's address?", "logs")


def _same_address(case: _Case) -> Optional[_Verdict]:
    log = case.log
    if log.redemption_failure() == "same-address" and log.minted is not None:
        found = f"the token was bound to {log.minted.ip}; {_came_from(log)}"
        if not log.from_server():
            found += (
                f". If {log.minted.ip} is the server's address, the console does not "
                "pass forwarded_for"
            )
        return _Verdict("wrong", found, "logs")
    return None


def _came_from(log: Testimony) -> str:
    return "the browser came from {}".format(
        log.redemption.ip if log.redemption else "?"
    )


def _login_uri(case: _Case) -> Optional[_Verdict]:
    document = case.documents["shop"].object()
    if document.reason is not None:
        return _unread(document)
    value = document.value.get("initiate_login_uri", _MISSING)
    if value is _MISSING:
        return _Verdict("unknown", "initiate_login_uri is not in shop", "shop")
    url = _split(value)
    if url is None or (url.scheme != "https" and not _is_loopback(url)):
        return _Verdict("wrong", _shown(value), "shop")
    target = _split(case.target_login_url)
    if target is not None and _place(target) != _place(url):
        found = f"{_shown(value)}, but the console redirects elsewhere"
        return _Verdict("wrong", found, "shop")
    return _Verdict("ok", _shown(value), "shop")


def _place(url: SplitResult) -> Tuple[Any, ...]:
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.hostname, port, url.path.rstrip("/")


def _login_route(case: _Case) -> Optional[_Verdict]:
    login = case.login()
    if login.reason is not None and case.documents.has(TRY_LOGIN):
        return _unread(login)
    if login.reason is not None:
        log = case.log
        if log.minted is not None and log.redemption is None:
            found = (
                "the log has no redemption after the last mint: perhaps the token never "
                "reached /authorize. --try-login tells"
            )
            return _Verdict("unknown", found, "logs")
        return None
    status, location = login.value.get("status"), login.value.get("location")
    query = case.authorize_query()
    if query is None:
        if isinstance(status, int) and status >= 400:
            return _Verdict(
                "unknown", f"the login URL answers HTTP {status}", TRY_LOGIN
            )
        url = _split(location)
        if url is not None:
            found = f"the login URL redirects to {url.hostname}{url.path} first"
            return _Verdict("unknown", found, TRY_LOGIN)
        found = f"the login URL answers HTTP {status} and no redirect to /authorize"
        return _Verdict("wrong", found, TRY_LOGIN)
    if "request_uri" in query:
        found = "the login route pushes its request (PAR): the token stays behind"
        return _Verdict("unknown", found, TRY_LOGIN)
    sent = login.value.get("sent")
    sent = sent if isinstance(sent, dict) else {"session_transfer_token": None}
    lost = [
        name
        for name, value in sent.items()
        if (query.get(name) != [value] if value is not None else name not in query)
    ]
    if lost:
        return _Verdict(
            "wrong",
            "not passed on to /authorize: " + ", ".join(sorted(lost)),
            TRY_LOGIN,
        )
    return _Verdict("ok", "both parameters reach /authorize", TRY_LOGIN)


def _pushed(case: _Case) -> Optional[_Verdict]:
    if "request_uri" in (case.authorize_query() or {}):
        found = "the login route pushes its request (PAR)"
        return _Verdict("wrong", found, TRY_LOGIN)
    return _setting(RULES["no-pushed-request"], case.documents["shop"].object())


def _code_flow(case: _Case) -> Optional[_Verdict]:
    asked = (case.authorize_query() or {}).get("response_type")
    if asked and asked != ["code"]:
        return _Verdict("wrong", f"response_type={asked[0]}", TRY_LOGIN)
    return _setting(RULES["code-flow"], case.documents["shop"].object())


def _reauthentication(case: _Case) -> Optional[_Verdict]:
    query = case.authorize_query()
    if query is None:
        return None
    asked = sorted({"prompt", "max_age"} & set(query))
    if asked:
        found = "the login route sends {}".format(" and ".join(asked))
        return _Verdict("wrong", found, TRY_LOGIN)
    return _Verdict("ok", "neither prompt nor max_age is sent", TRY_LOGIN)


def _callbacks(case: _Case) -> Tuple[Document, List[str]]:
    document = case.documents["shop"].object()
    if document.reason is not None:
        return document, []
    callbacks = document.value.get("callbacks", _MISSING)
    if callbacks is _MISSING:
        return Document("shop", reason="callbacks is not in shop"), []
    listed = callbacks if isinstance(callbacks, list) else []
    return document, [each for each in listed if isinstance(each, str)]


def _callback_registered(case: _Case) -> Optional[_Verdict]:
    document, callbacks = _callbacks(case)
    if document.reason is not None:
        return _unread(document)
    used = (case.authorize_query() or {}).get("redirect_uri", [None])[0]
    if not callbacks:
        return _Verdict("wrong", "no callback", "shop")
    if used is None or any(_covers(each, used) for each in callbacks):
        return _Verdict("ok", _shown(callbacks), "shop")
    found = f"{_shown(callbacks)}, but the shop uses {_shown(used)}"
    return _Verdict("wrong", found, "shop")


def _covers(pattern: str, url: str) -> bool:
    # A star stands for one or more labels of the host (Auth0, Subdomain URL Placeholders).
    expression = re.escape(pattern).replace(r"\*", r"[A-Za-z0-9.-]+")
    return re.fullmatch(expression, url) is not None


def _loopback_prompt(case: _Case) -> Optional[_Verdict]:
    document, callbacks = _callbacks(case)
    if document.reason is not None:
        return _unread(document)
    used = (case.authorize_query() or {}).get("redirect_uri")
    callbacks = used or callbacks
    local = [each for each in callbacks if _is_not_verifiable(each)]
    if not local:
        return _Verdict("ok", "no callback on localhost or 127.0.0.1", "shop")
    name = "skip_non_verifiable_callback_uri_confirmation_prompt"
    skip, source = document.value.get(name), "shop"
    if skip is None:
        # The tenant's setting counts if the application has none.
        tenant = case.documents["tenant-settings"].object()
        if tenant.reason is not None:
            return _unread(tenant)
        skip, source = tenant.value.get(name), tenant.name
    if skip is True:
        return _Verdict("ok", "true", source)
    found = f"{_shown(skip)}, and the callback is {_shown(local[0])}"
    if skip is None or len(local) < len(callbacks):
        return _Verdict("unknown", found, source)
    return _Verdict("wrong", found, source)


def _is_not_verifiable(callback: str) -> bool:
    scheme = callback.partition(":")[0]
    return scheme not in ("http", "https") or _is_loopback(_split(callback))


def _is_loopback(url: Optional[SplitResult]) -> bool:
    if url is None or url.hostname is None:
        return False
    return re.fullmatch(r"localhost|::1|127\.[0-9.]+", url.hostname) is not None


def _logout_url(case: _Case) -> Optional[_Verdict]:
    document = case.documents["shop"].object()
    if document.reason is not None:
        return _unread(document)
    value = document.value.get("allowed_logout_urls", _MISSING)
    if value is _MISSING:
        return _Verdict("unknown", "allowed_logout_urls is not in shop", "shop")
    return _verdict(bool(value), _shown(value), "shop")


def _two_domains(case: _Case) -> Optional[_Verdict]:
    document = case.documents["custom-domains"]
    listed = document.items()
    if listed.reason is not None:
        return _unread(listed)
    domains = [each for each in listed.value if isinstance(each, dict)]
    ready = [str(each.get("domain")) for each in domains if _is_ready(each)]
    if ready:
        return _Verdict("ok", ", ".join(sorted(ready)), document.name)
    if not document.complete():
        return _Verdict("unknown", "the list goes on on another page", document.name)
    found = "no custom domain is ready" if domains else "no custom domain"
    if case.log.entered:
        # In a browser without a session of the agent's, one domain is enough.
        return _Verdict("ok", f"{found}, but the last login worked", "logs")
    return _Verdict("wrong", found, document.name)


def _is_ready(domain: Dict[str, Any]) -> bool:
    return bool(domain.get("status", "ready") == "ready")


def _shop_organization(case: _Case) -> Optional[_Verdict]:
    document = case.documents["shop"].object()
    if document.reason is not None:
        return _unread(document)
    usage = document.value.get("organization_usage", _MISSING)
    if usage is _MISSING:
        return _Verdict("unknown", "organization_usage is not in shop", "shop")
    if usage == "require" and not case.organization:
        found = '"require": name the organization with --organization'
        return _Verdict("unknown", found, "shop")
    if usage == "deny" and case.organization:
        return _Verdict("wrong", '"deny", and the console names one', "shop")
    return _Verdict("ok", _shown(usage), "shop")


def _organization_exists(case: _Case) -> Optional[_Verdict]:
    if not case.organization:
        return None
    document = case.documents["organization"].object()
    if document.reason is not None:
        return _unread(document)
    return _Verdict("ok", _shown(document.value.get("name")), document.name)


def _organization_connection(case: _Case) -> Optional[_Verdict]:
    document, enabled = _connections(case, "organization-connections")
    if document.reason is not None:
        return _unread(document)
    if not enabled:
        return _Verdict("wrong", "no connection", document.name)
    _, shop = _connections(case, "shop-connections")
    if shop and not set(shop) & set(enabled):
        found = f"{_names(enabled.values())}, none of which the shop has"
        return _Verdict("wrong", found, document.name)
    return _Verdict("ok", _names(enabled.values()), document.name)


def _api_consent(case: _Case) -> Optional[_Verdict]:
    name = "skip_consent_for_verifiable_first_party_clients"
    listed = case.documents["resource-servers"].items()
    if listed.reason is not None:
        return _unread(listed)
    asking = [
        str(each.get("identifier"))
        for each in listed.value
        if isinstance(each, dict)
        and not each.get("is_system")
        and each.get(name) is False
    ]
    asked = (case.authorize_query() or {}).get("audience", [None])[0]
    if asked is not None:
        return _verdict(asked not in asking, _shown(asked), listed.name)
    if not asking:
        return _Verdict("ok", "no API asks for consent", listed.name)
    found = "wrong if the shop asks for {}".format(", ".join(sorted(asking)))
    return _Verdict("unknown", found, listed.name)


_JUDGES: Dict[str, Callable[[_Case], Optional[_Verdict]]] = {
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
        action_code.sets_user,
        "the code calls it",
        "the code calls neither",
    ),
    "action-sets-actor": _by_code(
        action_code.sets_actor, "the code calls it", "the code does not call it"
    ),
    "console-connection": _console_connection,
    "mfa": _mfa,
    "organization-exists": _organization_exists,
    "forwarded-address": _forwarded_address,
    "forwarded-address-method": _forwarded_address_method,
    "login-uri": _login_uri,
    "login-route-passes-token": _login_route,
    "no-pushed-request": _pushed,
    "code-flow": _code_flow,
    "callback-registered": _callback_registered,
    "loopback-prompt": _loopback_prompt,
    "no-reauthentication": _reauthentication,
    "two-domains": _two_domains,
    "same-address": _same_address,
    "shop-connection": _shop_connection,
    "shop-organization": _shop_organization,
    "organization-connection": _organization_connection,
    "api-skips-consent": _api_consent,
    "logout-url": _logout_url,
}


# From verdicts to findings.


def _finding(
    rule: Rule, verdict: _Verdict, case: _Case, conceal: Callable[[str], str]
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
        fix=rule.fix,
        source=verdict.source,
    )


_SECRET_NAME = re.compile(
    r"secret|password|assertion$|_key$|(^|_)tokens?$|^code_verifier$|authorization|cookie",
    re.IGNORECASE,
)
# A JWT, or a run of characters that is longer than any word or id.
_SECRET_TEXT = re.compile(r"eyJ[\w-]+(\.[\w-]*){1,4}|(?<![\w.:/-])[A-Za-z0-9_+=-]{32,}")


def _concealer(documents: Mapping[str, Any]) -> Callable[[str], str]:
    """Return a function that makes a text fit to be shown: no secret, one short line."""
    secrets: List[str] = []
    waiting: List[Any] = list(documents.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, str):
                    if len(inner) > 3 and _SECRET_NAME.search(str(name)):
                        secrets.append(inner)
                else:
                    waiting.append(inner)
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
    secrets.sort(key=len, reverse=True)

    known = [re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)") for secret in secrets]

    def conceal(text: str) -> str:
        for pattern in [*known, _SECRET_TEXT]:
            text = pattern.sub("***", text)
        text = "".join(char if char.isprintable() else " " for char in text)
        return text if len(text) <= 300 else text[:299] + "\u2026"

    return conceal


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "\u2026"


def _split(url: Any) -> Optional[SplitResult]:
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (a port that is no number raises here)
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None
