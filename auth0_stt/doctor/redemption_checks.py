"""Checks of hand-over and redemption: the shop, its domain, its organization."""

import re
from typing import Any, Callable, Dict, List, Optional, Tuple
from urllib.parse import SplitResult

from ..rules import RULES
from .case import (
    NEVER_SET,
    Case,
    Verdict,
    by_setting,
    connections,
    is_loopback,
    names,
    right_if,
    shown,
    split_url,
    unread,
)
from .documents import TRY_LOGIN, Document


def _shop_connection(case: Case) -> Optional[Verdict]:
    document, shop = connections(case, "shop-connections")
    if document.reason is not None:
        return unread(document)
    return right_if(bool(shop), names(shop.values()), document.name)


def _of_shop(case: Case, setting: str) -> Document:
    """Return a setting of the shop, or why it is not known."""
    shop = case.documents["shop"].object()
    if shop.reason is not None:
        return shop
    if setting not in shop.value:
        return Document("shop", reason=f"{setting} is not in shop: {NEVER_SET}")
    return Document("shop", shop.value[setting])


def _login_uri(case: Case) -> Optional[Verdict]:
    setting = _of_shop(case, "initiate_login_uri")
    if setting.reason is not None:
        return unread(setting)
    value = setting.value
    url = split_url(value)
    if url is None or (url.scheme != "https" and not is_loopback(url)):
        return Verdict("wrong", shown(value), "shop")
    target = case.target_login_url
    if target is None:
        return Verdict("ok", shown(value), "shop")
    other = split_url(target)
    if other is None or _place(other) != _place(url):
        found = f"{shown(value)}, but the console redirects to {shown(target)}"
        return Verdict("wrong", found, "shop")
    return Verdict("ok", shown(value), "shop")


def _place(url: SplitResult) -> Tuple[Any, ...]:
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.hostname, port, url.path or "/"


def _login_route(case: Case) -> Optional[Verdict]:
    login = case.login()
    if login.reason is not None and case.documents.has(TRY_LOGIN):
        return unread(login)
    if login.reason is not None:
        log = case.log
        if log.minted is not None and log.redemption is None:
            found = (
                "the log has no redemption after the last mint: perhaps the token "
                "never reached /authorize. --try-login tells"
            )
            return Verdict("unknown", found, "logs")
        return None
    status, location = login.value.get("status"), login.value.get("location")
    query = case.authorize_query()
    if query is None:
        if isinstance(status, int) and status >= 400:
            return Verdict("unknown", f"the login URL answers HTTP {status}", TRY_LOGIN)
        url = split_url(location)
        if url is not None:
            found = f"the login URL redirects to {url.hostname}{url.path} first"
            return Verdict("unknown", found, TRY_LOGIN)
        found = f"the login URL answers HTTP {status} and no redirect to /authorize"
        return Verdict("wrong", found, TRY_LOGIN)
    if "request_uri" in query:
        found = "the login route pushes its request (PAR): the token stays behind"
        return Verdict("unknown", found, TRY_LOGIN)
    sent = login.value.get("sent")
    sent = sent if isinstance(sent, dict) else {"session_transfer_token": None}
    lost = [
        name
        for name, value in sent.items()
        if (query.get(name) != [value] if value is not None else name not in query)
    ]
    if lost:
        return Verdict(
            "wrong",
            "not passed on to /authorize: " + ", ".join(sorted(lost)),
            TRY_LOGIN,
        )
    return Verdict("ok", "both parameters reach /authorize", TRY_LOGIN)


def _pushed(case: Case) -> Optional[Verdict]:
    if "request_uri" in (case.authorize_query() or {}):
        found = "the login route pushes its request (PAR)"
        return Verdict("wrong", found, TRY_LOGIN)
    return by_setting(RULES["no-pushed-request"], case.documents["shop"].object())


def _code_flow(case: Case) -> Optional[Verdict]:
    asked = (case.authorize_query() or {}).get("response_type")
    if asked and asked != ["code"]:
        return Verdict("wrong", f"response_type={asked[0]}", TRY_LOGIN)
    return by_setting(RULES["code-flow"], case.documents["shop"].object())


def _reauthentication(case: Case) -> Optional[Verdict]:
    query = case.authorize_query()
    if query is None:
        return None
    asked = sorted({"prompt", "max_age"} & set(query))
    if asked:
        found = "the login route sends {}".format(" and ".join(asked))
        return Verdict("wrong", found, TRY_LOGIN)
    return Verdict("ok", "neither prompt nor max_age is sent", TRY_LOGIN)


def _callbacks(case: Case) -> Tuple[Document, List[str]]:
    setting = _of_shop(case, "callbacks")
    listed = setting.value if isinstance(setting.value, list) else []
    return setting, [each for each in listed if isinstance(each, str)]


def _callback_registered(case: Case) -> Optional[Verdict]:
    setting, callbacks = _callbacks(case)
    if setting.reason is not None:
        return unread(setting)
    used = (case.authorize_query() or {}).get("redirect_uri", [None])[0]
    if used is None and not callbacks:
        return Verdict("wrong", "no callback", "shop")
    if used is None or any(_covers(each, used) for each in callbacks):
        return Verdict("ok", shown(callbacks), "shop")
    listed = shown(callbacks) if callbacks else "no callback"
    found = f"{listed}, but the shop uses {shown(used)}"
    fix = f"Add {used} to callbacks of the shop."
    return Verdict("wrong", found, "shop", fix)


def _covers(pattern: str, url: str) -> bool:
    # A star stands for one or more labels of the host (Auth0, Subdomain URL
    # Placeholders).
    expression = re.escape(pattern).replace(r"\*", r"[A-Za-z0-9.-]+")
    return re.fullmatch(expression, url) is not None


def _loopback_prompt(case: Case) -> Optional[Verdict]:
    setting, callbacks = _callbacks(case)
    if setting.reason is not None:
        return unread(setting)
    used = (case.authorize_query() or {}).get("redirect_uri")
    callbacks = used or callbacks
    local = [each for each in callbacks if _is_not_verifiable(each)]
    if not local:
        return Verdict("ok", "no callback on localhost or 127.0.0.1", "shop")
    name = "skip_non_verifiable_callback_uri_confirmation_prompt"
    skip, source = case.documents["shop"].object().value.get(name), "shop"
    if skip is None:
        # The tenant's setting counts if the application has none.
        tenant = case.documents["tenant-settings"].object()
        if tenant.reason is not None:
            return unread(tenant)
        skip, source = tenant.value.get(name), tenant.name
    if skip is True:
        return Verdict("ok", "true", source)
    found = f"{shown(skip)}, and the callback is {shown(local[0])}"
    if skip is None or len(local) < len(callbacks):
        return Verdict("unknown", found, source)
    return Verdict("wrong", found, source)


def _is_not_verifiable(callback: str) -> bool:
    scheme = callback.partition(":")[0]
    return scheme not in ("http", "https") or is_loopback(split_url(callback))


def _logout_url(case: Case) -> Optional[Verdict]:
    setting = _of_shop(case, "allowed_logout_urls")
    if setting.reason is not None:
        return unread(setting)
    return right_if(bool(setting.value), shown(setting.value), "shop")


def _two_domains(case: Case) -> Optional[Verdict]:
    document = case.documents["custom-domains"]
    listed = document.items()
    if listed.reason is not None:
        return unread(listed)
    domains = [each for each in listed.value if isinstance(each, dict)]
    ready = [str(each.get("domain")) for each in domains if _is_ready(each)]
    if ready:
        return Verdict("ok", ", ".join(sorted(ready)), document.name)
    if not document.complete():
        return Verdict("unknown", "the list goes on on another page", document.name)
    found = "no custom domain is ready" if domains else "no custom domain"
    if case.log.entered:
        # In a browser without a session of the agent's, one domain is enough.
        return Verdict("ok", f"{found}, but the last login worked", "logs")
    return Verdict("wrong", found, document.name)


def _is_ready(domain: Dict[str, Any]) -> bool:
    return bool(domain.get("status", "ready") == "ready")


def _shop_organization(case: Case) -> Optional[Verdict]:
    setting = _of_shop(case, "organization_usage")
    if setting.reason is not None:
        return unread(setting)
    usage = setting.value
    if usage == "require" and not case.organization:
        found = '"require": name the organization with --organization'
        return Verdict("unknown", found, "shop")
    if usage == "deny" and case.organization:
        return Verdict("wrong", '"deny", and the console names one', "shop")
    return Verdict("ok", shown(usage), "shop")


def _organization_exists(case: Case) -> Optional[Verdict]:
    if not case.organization:
        return None
    document = case.documents["organization"].object()
    if document.reason is not None and document.reason.startswith("HTTP 404"):
        return Verdict("wrong", document.reason, document.name)
    if document.reason is not None:
        return unread(document)
    return Verdict("ok", shown(document.value.get("name")), document.name)


def _organization_connection(case: Case) -> Optional[Verdict]:
    document, enabled = connections(case, "organization-connections")
    if document.reason is not None:
        return unread(document)
    if not enabled:
        return Verdict("wrong", "no connection", document.name)
    _, shop = connections(case, "shop-connections")
    if shop and not set(shop) & set(enabled):
        found = f"{names(enabled.values())}, none of which the shop has"
        return Verdict("wrong", found, document.name)
    return Verdict("ok", names(enabled.values()), document.name)


def _api_consent(case: Case) -> Optional[Verdict]:
    name = "skip_consent_for_verifiable_first_party_clients"
    listed = case.documents["resource-servers"].items()
    if listed.reason is not None:
        return unread(listed)
    asking = [
        str(each.get("identifier"))
        for each in listed.value
        if isinstance(each, dict)
        and not each.get("is_system")
        and each.get(name) is False
    ]
    asked = (case.authorize_query() or {}).get("audience", [None])[0]
    if asked is not None:
        return right_if(asked not in asking, shown(asked), listed.name)
    if not asking:
        return Verdict("ok", "no API asks for consent", listed.name)
    found = "wrong if the shop asks for {}".format(", ".join(sorted(asking)))
    return Verdict("unknown", found, listed.name)


CHECKS: Dict[str, Callable[[Case], Optional[Verdict]]] = {
    "organization-exists": _organization_exists,
    "login-uri": _login_uri,
    "login-route-passes-token": _login_route,
    "no-pushed-request": _pushed,
    "code-flow": _code_flow,
    "callback-registered": _callback_registered,
    "loopback-prompt": _loopback_prompt,
    "no-reauthentication": _reauthentication,
    "two-domains": _two_domains,
    "shop-connection": _shop_connection,
    "shop-organization": _shop_organization,
    "organization-connection": _organization_connection,
    "api-skips-consent": _api_consent,
    "logout-url": _logout_url,
}
