"""What to run to correct what is wrong, for three tools. Nothing here runs anything."""

import copy
import json
import shlex
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import parse_qs, quote

from attr import frozen

from ..rules import RULES, Rule
from .case import is_loopback, split_url
from .documents import TRY_LOGIN, Documents
from .finding import Finding

# What stands for a URL that only the shop knows.
CALLBACK = "https://shop.example.com/callback"
LOGOUT_PAGE = "https://shop.example.com/"

#: The tools that :func:`fixes` writes for.
TOOLS = ("curl", "terraform", "auth0-cli")


@frozen
class Change:
    """One call of the Management API that corrects one or more findings."""

    rules: Tuple[str, ...]
    method: str
    #: Below ``/api/v2/``. What is in capitals must be filled in.
    path: str
    body: Any
    #: What the token must be allowed to do.
    scope: str
    #: The same for Terraform: the lines of a resource.
    terraform: str
    #: What to know before one runs it.
    caution: str = ""


def changes(
    findings: Sequence[Finding],
    documents: Mapping[str, Any],
    subject_token_type: Optional[str] = None,
) -> List[Change]:
    """Return what corrects the wrong findings, as far as calls of the API can.

    The settings of one application go into one call. A setting that is an object is
    sent whole, with what ``documents`` has in it, since the API may replace it.
    """
    wrong = [finding for finding in findings if finding.status == "wrong"]
    read = Documents(documents)
    calls = []
    for whose in ("console", "shop"):
        mine = [each for each in wrong if _settable(RULES[each.rule], whose)]
        if mine:
            calls.append(_application(whose, mine, read))
    for finding in wrong:
        make = _CALLS.get(finding.rule)
        if make is not None:
            calls.append(make(finding, read))
        elif finding.rule == "profile-exists":
            calls.append(_profile(subject_token_type or "SUBJECT_TOKEN_TYPE", read))
    return calls


def fixes(
    findings: Sequence[Finding],
    documents: Mapping[str, Any],
    tool: str,
    subject_token_type: Optional[str] = None,
    domain: Optional[str] = None,
) -> str:
    """Return snippets for ``curl``, ``terraform`` or ``auth0-cli``, as text.

    ``domain`` is what ``AUTH0_DOMAIN`` holds, with or without a scheme.
    """
    calls = changes(findings, documents, subject_token_type)
    corrected = {rule for call in calls for rule in call.rules}
    base = "$AUTH0_DOMAIN" if "://" in (domain or "") else "https://$AUTH0_DOMAIN"
    parts = [_snippet(call, tool, base.rstrip("/")) for call in calls]
    if tool == "terraform" and parts:
        parts.insert(0, "# Merge these into the resources that you have.")
    elif tool == "curl" and parts:
        parts.insert(0, _TOKEN)
    url = split_url(domain)
    if parts and url is not None and is_loopback(url):
        parts.insert(0, _LOCAL)
    for finding in findings:
        if finding.status == "wrong" and finding.rule not in corrected:
            parts.append(f"# {finding.rule}: {finding.fix}")
    if parts:
        return "\n\n".join(parts) + "\n"
    unknown = any(finding.status == "unknown" for finding in findings)
    return "# Nothing is wrong{}.\n".format(
        " as far as could be read" if unknown else ""
    )


_TOKEN = """\
# AUTH0_UPDATE_TOKEN is a token for the Management API with the scopes that are named
# below. The token that the doctor reads with need not have them."""
_LOCAL = """\
# A local tenant takes no changes from here. Put the settings into the file that
# "auth0-stt tenant --settings FILE" reads, or change them in the test."""


def _settable(rule: Rule, whose: str) -> bool:
    return rule.whose == whose and rule.setting is not None and rule.value is not None


def _snippet(call: Change, tool: str, base: str) -> str:
    comment = "# " + ", ".join(call.rules)
    if tool != "terraform":
        comment += "\n# Scope: " + call.scope
    if call.caution:
        comment += "\n# " + call.caution
    if tool == "terraform":
        return f"{comment}\n{call.terraform}"
    data = "" if call.body is None else shlex.quote(json.dumps(call.body))
    if tool == "auth0-cli":
        command = f"auth0 api {call.method.lower()} {shlex.quote(call.path)}"
        return f"{comment}\n{command}" + (f" --data {data}" if data else "")
    lines = [
        f'curl -sS --fail-with-body -X {call.method} "{base}/api/v2/{call.path}"',
        '  -H "Authorization: Bearer $AUTH0_UPDATE_TOKEN"',
    ]
    if data:
        lines += ['  -H "Content-Type: application/json"', f"  -d {data}"]
    return comment + "\n" + " \\\n".join(lines)


def _application(whose: str, findings: List[Finding], read: Documents) -> Change:
    document = read[whose].object()
    body: Dict[str, Any] = {}
    for finding in findings:
        rule = RULES[finding.rule]
        top, _, rest = str(rule.setting).partition(".")
        if top not in body:
            current = document.value.get(top) if document.reason is None else None
            body[top] = copy.deepcopy(current)
        body[top] = _with(body[top], rest.split(".") if rest else [], rule.value)
    client_id = findings[0].client_id or whose.upper() + "_CLIENT_ID"
    return Change(
        tuple(finding.rule for finding in findings),
        "PATCH",
        "clients/" + _quoted(client_id),
        body,
        "update:clients",
        _terraform_client(whose, body),
    )


def _with(current: Any, path: List[str], value: Any) -> Any:
    """Return a setting with another value at a path; a list keeps what it has."""
    if path:
        inner = dict(current) if isinstance(current, dict) else {}
        inner[path[0]] = _with(inner.get(path[0]), path[1:], value)
        return inner
    if isinstance(value, tuple):
        kept = current if isinstance(current, list) else []
        listed = [each for each in kept if each not in value]
        return listed + list(value)
    return value


def _terraform_client(whose: str, body: Dict[str, Any]) -> str:
    settings = dict(body)
    method = settings.pop("token_endpoint_auth_method", None)
    parts = []
    if settings:
        parts.append(_resource("auth0_client", whose, settings))
    if method is not None:
        credentials = {
            "client_id": _Reference(f"auth0_client.{whose}.id"),
            "authentication_method": method,
        }
        parts.append(_resource("auth0_client_credentials", whose, credentials))
    return "\n".join(parts)


class _Reference(str):
    """An expression of Terraform's, which stands without quotes."""


def _resource(kind: str, name: str, settings: Mapping[str, Any]) -> str:
    return "\n".join([f'resource "{kind}" "{name}" {{', *_block(settings, 1), "}"])


def _block(settings: Mapping[str, Any], depth: int) -> List[str]:
    indent, lines = "  " * depth, []
    for name, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name} {{", *_block(value, depth + 1), indent + "}"]
        else:
            shown = value
            if not isinstance(value, _Reference):
                # In Terraform, ${ begins an expression.
                shown = json.dumps(value).replace("${", "$${")
            lines.append(f"{indent}{name} = {shown}")
    return lines


# What is not a setting of an application.


def _profile(subject_token_type: str, read: Documents) -> Change:
    body = {
        "name": "Customer, named by the console",
        "subject_token_type": subject_token_type,
        "action_id": _action_id(read),
        "type": "custom_authentication",
    }
    return Change(
        ("profile-exists",),
        "POST",
        "token-exchange-profiles",
        body,
        "create:token_exchange_profiles",
        _resource("auth0_token_exchange_profile", "customer", body),
    )


def _action_id(read: Documents) -> str:
    return _known(read["action"].object().value, "ACTION_ID")


def _known(document: Any, otherwise: str) -> str:
    """Return the id of something, or what stands for it in a snippet."""
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) else otherwise


def _quoted(identifier: str) -> str:
    return quote(identifier, safe="")


def _deploy(finding: Finding, read: Documents) -> Change:
    return Change(
        (finding.rule,),
        "POST",
        f"actions/actions/{_quoted(_action_id(read))}/deploy",
        None,
        "update:actions",
        _resource("auth0_action", "enter_account", {"deploy": True}),
    )


def _connection(finding: Finding, read: Documents) -> Change:
    whose = finding.rule.partition("-")[0]
    other = "shop" if whose == "console" else "console"
    listed = read[other + "-connections"].items()
    first = listed.value[0] if listed.reason is None and listed.value else {}
    name = _known(first, "CONNECTION_ID")
    client_id = finding.client_id or whose.upper() + "_CLIENT_ID"
    return Change(
        (finding.rule,),
        "PATCH",
        f"connections/{_quoted(name)}/clients",
        [{"client_id": client_id, "status": True}],
        "update:connections",
        _resource(
            "auth0_connection_client",
            whose,
            {"connection_id": name, "client_id": client_id},
        ),
    )


def _callback(finding: Finding, read: Documents) -> Change:
    login = read[TRY_LOGIN].object().value
    location = login.get("location") if isinstance(login, dict) else None
    url = split_url(location)
    used = parse_qs(url.query).get("redirect_uri") if url is not None else None
    caution = "" if used else f"Replace {CALLBACK} by the shop's callback URL."
    return _urls(finding, read, "callbacks", (used or [CALLBACK])[0], caution)


def _logout(finding: Finding, read: Documents) -> Change:
    caution = f"Replace {LOGOUT_PAGE} by the page that the logout returns to."
    return _urls(finding, read, "allowed_logout_urls", LOGOUT_PAGE, caution)


def _urls(
    finding: Finding, read: Documents, name: str, url: str, caution: str
) -> Change:
    """Return what adds a URL to a list of the shop's, which is sent whole."""
    document = read["shop"].object()
    current = document.value.get(name) if document.reason is None else None
    body = {name: _with(current, [], (url,))}
    return Change(
        (finding.rule,),
        "PATCH",
        "clients/" + _quoted(finding.client_id or "SHOP_CLIENT_ID"),
        body,
        "update:clients",
        _terraform_client("shop", body),
        caution,
    )


def _policies(finding: Finding, read: Documents) -> Change:
    return Change(
        (finding.rule,),
        "PUT",
        "guardian/policies",
        [],
        "update:mfa_policies",
        _resource("auth0_guardian", "mfa", {"policy": "never"}),
        "Caution: nobody is asked for a second factor then, unless an Action asks.",
    )


def _domain(finding: Finding, read: Documents) -> Change:
    body = {"domain": "login.shop.example.com", "type": "auth0_managed_certs"}
    return Change(
        (finding.rule,),
        "POST",
        "custom-domains",
        body,
        "create:custom_domains",
        _resource("auth0_custom_domain", "shop", body),
        "Replace the domain by yours; Auth0 answers with the DNS record to set.",
    )


def _consent(finding: Finding, read: Documents) -> Change:
    name = "skip_consent_for_verifiable_first_party_clients"
    listed = read["resource-servers"].items()
    asking = [
        each
        for each in (listed.value if listed.reason is None else [])
        if isinstance(each, dict)
        and json.dumps(each.get("identifier")) == finding.found
    ]
    found = _known(asking[0] if asking else None, "API_ID")
    return Change(
        (finding.rule,),
        "PATCH",
        f"resource-servers/{_quoted(found)}",
        {name: True},
        "update:resource_servers",
        _resource("auth0_resource_server", "api", {name: True}),
    )


def _organization(finding: Finding, read: Documents) -> Change:
    organization = read["organization"].object()
    found = _known(organization.value, "ORGANIZATION_ID")
    listed = read["shop-connections"].items()
    first = listed.value[0] if listed.reason is None and listed.value else {}
    body = {"connection_id": _known(first, "CONNECTION_ID")}
    return Change(
        (finding.rule,),
        "POST",
        f"organizations/{_quoted(found)}/enabled_connections",
        {**body, "assign_membership_on_login": False},
        "create:organization_connections",
        _resource(
            "auth0_organization_connection",
            "customers",
            {"organization_id": found, **body},
        ),
    )


_CALLS: Dict[str, Callable[[Finding, Documents], Change]] = {
    "action-deployed": _deploy,
    "console-connection": _connection,
    "shop-connection": _connection,
    "mfa": _policies,
    "api-skips-consent": _consent,
    "two-domains": _domain,
    "organization-connection": _organization,
    "callback-registered": _callback,
    "logout-url": _logout,
}
