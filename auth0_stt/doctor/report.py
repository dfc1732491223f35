"""The findings as text for people."""

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from ..rules import RULES
from .case import NEVER_SET
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

    What is wrong comes last, next to the summary, where a terminal shows it: first
    what is right, then what is unknown with the reasons, which many rules often share.
    Each group keeps the order of the findings. ``colour`` is for a terminal, ``plain``
    for an output that has ASCII only.
    """
    marks = _PLAIN if plain else _MARKS
    reasons = _reasons(findings)
    lines: List[str] = []
    for status in ("ok", "unknown", "wrong"):
        mark = marks[status]
        if colour:
            mark = f"\x1b[{_COLOURS[status]}m{mark}\x1b[0m"
        group = [each for each in findings if each.status == status]
        for finding in group:
            lines += _about(finding, mark, list(reasons))
        if status == "unknown" and reasons:
            lines += ["", "Unknown:"]
            for number, (why, sources) in enumerate(reasons.items(), 1):
                about = ", ".join(sources) + ": " if sources else ""
                lines.append(f"({number}) {about}{why}")
        if group:
            lines.append("")
    lines += _summary(findings, documents)
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
        return [f"{head} ({reasons.index(finding.found) + 1})"]
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


def _reasons(findings: Sequence[Finding]) -> Dict[str, List[str]]:
    """Return why something is unknown, each with the documents that it is about."""
    reasons: Dict[str, List[str]] = {}
    for finding in findings:
        if finding.status == "unknown":
            sources = reasons.setdefault(finding.found, [])
            source = finding.source or ""
            if source not in sources and not finding.found.startswith(source):
                sources.append(source)
    return reasons


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


def _next(findings: Sequence[Finding]) -> str:
    """Return what to do where nothing is wrong, but not all is known."""
    numbered = enumerate(_reasons(findings), 1)
    absent = [f"({number})" for number, why in numbered if why.endswith(NEVER_SET)]
    if absent:
        return "Look at what was never set, or not read: {}.".format(" ".join(absent))
    return "Enter an account once, and the log tells more."


def throttled(documents: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """Return the 429 after which nothing more was read, None if there was none."""
    for value in documents.values():
        if isinstance(value, dict) and value.get("statusCode") == 429:
            return value
    return None


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
    elif throttled(documents):
        lines.append(
            "Nothing is wrong as far as could be read. Ask again for the rest."
        )
    elif count["unknown"]:
        lines.append("Nothing is wrong as far as could be read. " + _next(findings))
    else:
        lines.append("Nothing is wrong.")
    return lines
