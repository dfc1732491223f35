"""One case: the documents, the log, and what the console uses; and how to judge one."""

import json
import re
from typing import Any, Dict, Iterable, List, Optional, Tuple
from urllib.parse import SplitResult, parse_qs, urlsplit

from attr import frozen

from ..rules import Rule
from .documents import TRY_LOGIN, Document, Documents
from .witness import Testimony

#: What a field that is not there may mean: Auth0 leaves out what was never set.
NEVER_SET = "it was never set, or not read"

#: What stands for a field that is not there, since null is a value.
MISSING = object()


@frozen
class Verdict:
    """What a check says: ``ok``, ``wrong`` or ``unknown``, what is there, and where."""

    status: str
    found: str
    source: Optional[str] = None
    #: What to do, where more can be said than the rule says.
    fix: Optional[str] = None


@frozen
class Case:
    """What the checks look at."""

    documents: Documents
    log: Testimony
    subject_token_type: Optional[str]
    target_login_url: Optional[str]
    organization: Optional[str]

    def concerns(self, rule: Rule) -> bool:
        """Return whether a rule applies: without an organization, some don't."""
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
        url = split_url(location)
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


def by_setting(rule: Rule, document: Document) -> Verdict:
    """Judge a rule by the value that its setting has in a document."""
    if document.reason is not None:
        return Verdict("unknown", document.reason, document.name)
    value = _at(document.value, str(rule.setting))
    if value is MISSING:
        found = f"{rule.setting} is not in {document.name}: {NEVER_SET}"
        return Verdict("unknown", found, document.name)
    return right_if(rule.holds(value), shown(value), document.name)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if value is None:
            return None
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def right_if(holds: bool, found: str, source: str) -> Verdict:
    """Return ``ok`` or ``wrong``."""
    return Verdict("ok" if holds else "wrong", found, source)


def unread(document: Document) -> Verdict:
    """Return ``unknown``, since a document can't be read."""
    return Verdict("unknown", str(document.reason), document.name)


def shown(value: Any) -> str:
    """Return a JSON value as text, not too long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:119] + "\u2026"


def split_url(url: Any) -> Optional[SplitResult]:
    """Return the parts of an absolute URL, None for anything else."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (an invalid port raises here)
    except ValueError:
        return None
    return parts if parts.scheme and parts.hostname else None


def is_loopback(url: Optional[SplitResult]) -> bool:
    """Return whether a URL leads to the machine it is opened on."""
    if url is None or url.hostname is None:
        return False
    return re.fullmatch(r"localhost|::1|127\.[0-9.]+", url.hostname) is not None


def connections(case: Case, name: str) -> Tuple[Document, Dict[str, str]]:
    """Return the list of an application's connections, and their names by ids."""
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


def names(found: Iterable[str]) -> str:
    """Return names of connections for a person."""
    return ", ".join(sorted(found)) or "no connection"
