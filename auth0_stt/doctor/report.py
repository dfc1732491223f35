"""The findings as text for people."""

import re
from typing import Any, Dict, List, Mapping, Sequence, Set

from ..rules import RULES
from .documents import SOURCES, Documents
from .finding import Finding

_MARKS = {"ok": "\u2713", "wrong": "\u2717", "unknown": "?"}
_PLAIN = {"ok": "+", "wrong": "x", "unknown": "?"}
_OWNERS = {
    "console-connection": "connection of the console",
    "shop-connection": "connection of the shop",
}
_COLOURS = {"ok": "32", "wrong": "31", "unknown": "33"}


def report(
    findings: Sequence[Finding],
    documents: Mapping[str, Any],
    *,
    colour: bool = False,
    plain: bool = False,
) -> str:
    """Return the report: one line for each rule, and all about what is wrong.

    Why rules are unknown stands at the end: many often share one reason.
    ``colour`` is for a terminal, ``plain`` for an output that has ASCII only.
    """
    marks = _PLAIN if plain else _MARKS
    reasons: List[str] = []
    lines: List[str] = []
    for finding in findings:
        mark = marks[finding.status]
        if colour:
            mark = f"\x1b[{_COLOURS[finding.status]}m{mark}\x1b[0m"
        if finding.status == "unknown" and _reason(finding) not in reasons:
            reasons.append(_reason(finding))
        lines += _about(finding, mark, reasons)
    if reasons:
        lines += ["", "Unknown:"]
        lines += [f"({number}) {text}" for number, text in enumerate(reasons, 1)]
    lines += ["", *_summary(findings, documents)]
    text = "\n".join(lines) + "\n"
    return text.encode("ascii", "replace").decode("ascii") if plain else text


def _about(finding: Finding, mark: str, reasons: List[str]) -> List[str]:
    whose = _OWNERS.get(finding.rule) or RULES[finding.rule].whose
    if whose == "action":
        whose = "Action"
    head = f"{mark} {whose}: {finding.setting or finding.expected}"
    if finding.status == "ok":
        return [f"{head}: {finding.found}" if finding.setting else head]
    if finding.status == "unknown":
        return [f"{head} ({reasons.index(_reason(finding)) + 1})"]
    lines = [
        f"{head} [{finding.rule}]",
        f"    found:    {finding.found} (in {finding.source})",
    ]
    if finding.setting:
        lines.append(f"    expected: {finding.expected}")
    return [
        *lines,
        f"    you see:  {finding.symptom}",
        f"    fix:      {finding.fix}",
    ]


def _reason(finding: Finding) -> str:
    known = finding.found.startswith(finding.source or "")
    return finding.found if known else f"{finding.source}: {finding.found}"


def missing_scopes(documents: Mapping[str, Any]) -> List[str]:
    """Return the scopes that the management token lacks.

    A 403 that does not speak of a scope is about the tenant's plan. Without the
    profiles, the Action was not even asked for: its scope is named, too.
    """
    lacking: Set[str] = set()
    for name, value in documents.items():
        if not isinstance(value, dict) or value.get("statusCode") != 403:
            continue
        message = str(value.get("message") or "scope")
        named = re.findall(r"\bread:[a-z_]+", message)
        if name in SOURCES and "scope" in message:
            # Of several that would do, the one that this package asks for elsewhere.
            named = [SOURCES[name].scope]
        lacking.update(named)
    profiles = SOURCES["token-exchange-profiles"]
    if profiles.scope in lacking and not Documents(documents).has("action"):
        lacking.add(SOURCES["action"].scope)
    return sorted(lacking)


def _summary(findings: Sequence[Finding], documents: Mapping[str, Any]) -> List[str]:
    count: Dict[str, int] = {"ok": 0, "wrong": 0, "unknown": 0}
    for finding in findings:
        count[finding.status] += 1
    lines = ["{ok} right, {wrong} wrong, {unknown} unknown.".format(**count)]
    scopes = missing_scopes(documents)
    if scopes:
        lines.append("The management token lacks: {}.".format(" ".join(scopes)))
    wrong = [finding for finding in findings if finding.status == "wrong"]
    settings = [finding for finding in wrong if finding.source != "logs"]
    if settings:
        lines.append("What to run: add --fix curl, --fix terraform or --fix auth0-cli.")
    if len(settings) < len(wrong):
        lines.append("The log tells of the last attempt: after a fix, try again.")
    if settings:
        lines.append("Fix first: " + settings[0].fix)
    elif wrong:
        lines.append(
            "Try again. If it fails in the same way, fix first: " + wrong[0].fix
        )
    elif count["unknown"]:
        lines.append(
            "Nothing is wrong as far as could be read. Enter an account once, and the "
            "log tells more."
        )
    else:
        lines.append("Nothing is wrong.")
    return lines
