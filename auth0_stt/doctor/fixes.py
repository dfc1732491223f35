"""What to run to correct what is wrong, for three tools. Nothing here runs anything."""

import copy
import json
import shlex
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from attr import frozen

from ..rules import RULES, Rule
from .documents import Documents
from .finding import Finding

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
    #: The same for Terraform: the lines of a resource.
    terraform: str


def changes(
    findings: Sequence[Finding],
    documents: Mapping[str, Any],
    subject_token_type: Optional[str] = None,
) -> List[Change]:
    """Return what corrects the wrong findings, as far as calls of the API can.

    The settings of one application go into one call. A setting that is an object is
    sent whole, as ``documents`` has it but for what changes, since the API may replace
    it.
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
) -> str:
    """Return snippets for ``curl``, ``terraform`` or ``auth0-cli``, as text."""
    calls = changes(findings, documents, subject_token_type)
    corrected = {rule for call in calls for rule in call.rules}
    parts = [_snippet(call, tool) for call in calls]
    for finding in findings:
        if finding.status == "wrong" and finding.rule not in corrected:
            parts.append(f"# {finding.rule}: no setting. {finding.fix}")
    return "\n\n".join(parts) + "\n" if parts else "# Nothing is wrong.\n"


def _settable(rule: Rule, whose: str) -> bool:
    return rule.whose == whose and rule.setting is not None and rule.value is not None


def _snippet(call: Change, tool: str) -> str:
    comment = "# " + ", ".join(call.rules)
    if tool == "terraform":
        return f"{comment}\n{call.terraform}"
    data = "" if call.body is None else shlex.quote(json.dumps(call.body))
    if tool == "auth0-cli":
        command = f"auth0 api {call.method.lower()} {shlex.quote(call.path)}"
        return f"{comment}\n{command}" + (f" --data {data}" if data else "")
    lines = [
        f'curl -X {call.method} "https://$AUTH0_DOMAIN/api/v2/{call.path}"',
        '  -H "Authorization: Bearer $AUTH0_MANAGEMENT_TOKEN"',
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
        "clients/" + client_id,
        body,
        _terraform_client(whose, body),
    )


def _with(current: Any, path: List[str], value: Any) -> Any:
    """Return a setting with another value at a path; a list keeps what it has."""
    if path:
        inner = dict(current) if isinstance(current, dict) else {}
        inner[path[0]] = _with(inner.get(path[0]), path[1:], value)
        return inner
    if isinstance(value, tuple):
        listed = [each for each in current or [] if each not in value]
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
            shown = value if isinstance(value, _Reference) else json.dumps(value)
            lines.append(f"{indent}{name} = {shown}")
    return lines


# What is not a setting of an application.


def _profile(subject_token_type: str, read: Documents) -> Change:
    body = {
        "name": "session-delegation",
        "subject_token_type": subject_token_type,
        "action_id": _action_id(read),
        "type": "custom_authentication",
    }
    return Change(
        ("profile-exists",),
        "POST",
        "token-exchange-profiles",
        body,
        _resource("auth0_token_exchange_profile", "session_delegation", body),
    )


def _action_id(read: Documents) -> str:
    action = read["action"].object()
    found = action.value.get("id") if action.reason is None else None
    return found if isinstance(found, str) else "ACTION_ID"


def _deploy(finding: Finding, read: Documents) -> Change:
    return Change(
        (finding.rule,),
        "POST",
        f"actions/actions/{_action_id(read)}/deploy",
        None,
        _resource("auth0_action", "session_delegation", {"deploy": True}),
    )


def _connection(finding: Finding, read: Documents) -> Change:
    whose = finding.rule.partition("-")[0]
    other = "shop" if whose == "console" else "console"
    listed = read[other + "-connections"].items()
    first = listed.value[0] if listed.reason is None and listed.value else {}
    name = first.get("id") if isinstance(first, dict) else None
    client_id = finding.client_id or whose.upper() + "_CLIENT_ID"
    return Change(
        (finding.rule,),
        "PATCH",
        "connections/{}/clients".format(name or "CONNECTION_ID"),
        [{"client_id": client_id, "status": True}],
        _resource(
            "auth0_connection_client",
            whose,
            {"connection_id": name or "CONNECTION_ID", "client_id": client_id},
        ),
    )


def _policies(finding: Finding, read: Documents) -> Change:
    return Change(
        (finding.rule,),
        "PUT",
        "guardian/policies",
        [],
        _resource("auth0_guardian", "mfa", {"policy": "never"}),
    )


def _domain(finding: Finding, read: Documents) -> Change:
    body = {"domain": "login.shop.example.com", "type": "auth0_managed_certs"}
    return Change(
        (finding.rule,),
        "POST",
        "custom-domains",
        body,
        _resource("auth0_custom_domain", "shop", body),
    )


def _organization(finding: Finding, read: Documents) -> Change:
    organization = read["organization"].object()
    found = organization.value.get("id") if organization.reason is None else None
    listed = read["shop-connections"].items()
    first = listed.value[0] if listed.reason is None and listed.value else {}
    name = first.get("id") if isinstance(first, dict) else None
    body = {"connection_id": name or "CONNECTION_ID"}
    return Change(
        (finding.rule,),
        "POST",
        "organizations/{}/enabled_connections".format(found or "ORGANIZATION_ID"),
        {**body, "assign_membership_on_login": False},
        _resource(
            "auth0_organization_connection",
            "customers",
            {"organization_id": found or "ORGANIZATION_ID", **body},
        ),
    )


_CALLS: Dict[str, Callable[[Finding, Documents], Change]] = {
    "action-deployed": _deploy,
    "console-connection": _connection,
    "shop-connection": _connection,
    "mfa": _policies,
    "two-domains": _domain,
    "organization-connection": _organization,
}
