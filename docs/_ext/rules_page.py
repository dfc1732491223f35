"""The directive ``rules``: each rule of ``auth0_stt/rules.py``, by its owner."""

import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from auth0_stt.rules import RULES

HEADINGS = {
    "console": "The console",
    "shop": "The shop",
    "profile": "The exchange profile",
    "action": "The Action",
    "connection": "The customers' connection",
    "organization": "The organization",
    "tenant": "The tenant",
    "browser": "The agent's browser",
}


class Rules(SphinxDirective):
    """Insert a section for each owner, and in it an entry for each rule."""

    def run(self):
        return [self.section(owner) for owner in HEADINGS]

    def section(self, owner):
        section = nodes.section(ids=[f"rules-{owner}"])
        section += nodes.title(text=HEADINGS[owner])
        entries = nodes.definition_list()
        entries += [entry(rule) for rule in RULES.values() if rule.whose == owner]
        section += entries
        return section


def entry(rule):
    term = nodes.term(ids=[f"rule-{rule.id}"])
    if rule.setting:
        term += [nodes.literal(text=rule.setting), nodes.Text(": ")]
    term += nodes.strong(text=rule.expected)
    definition = nodes.definition()
    for label, text in (("Otherwise", rule.symptom), ("To fix it", rule.fix)):
        definition += nodes.paragraph(
            "", "", nodes.strong(text=label + ": "), nodes.Text(text)
        )
    definition += nodes.paragraph("", "", *evidence(rule), classes=["evidence"])
    return nodes.definition_list_item("", term, definition)


def evidence(rule):
    yield nodes.literal(text=rule.id)
    yield nodes.Text(". Evidence: ")
    rest = rule.evidence
    while match := re.search(r"\[doc\] ([\w/-]+)", rest):
        yield nodes.Text(rest[: match.start()])
        url = "https://auth0.com/docs/" + match[1]
        yield nodes.reference("", "Auth0, " + match[1].split("/")[-1], refuri=url)
        rest = rest[match.end() :]
    yield nodes.Text(rest + ("" if rest.endswith(".") else "."))


def setup(app):
    app.add_directive("rules", Rules)
    return {"parallel_read_safe": True}
