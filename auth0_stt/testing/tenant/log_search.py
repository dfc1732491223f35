"""The ``q`` of GET /api/v2/logs: as much of Lucene's syntax as log queries need."""

import re
from typing import Any, Iterator, List, Mapping

_TOKEN = re.compile(
    r"""\s*(?: (?P<bracket>[()]) | (?P<word>AND|OR|NOT)\b
    | (?P<field>[\w.]+): | "(?P<quoted>[^"]*)" | (?P<plain>[^\s()":]+) )""",
    re.VERBOSE,
)


def search(query: str, entry: Mapping[str, Any]) -> bool:
    """Return whether an entry is what a query looks for; an empty one finds all.

    ``name:value``, ``name:"value"``, ``name:(a OR b)``, ``AND``, ``OR``, ``NOT``,
    brackets and ``*`` at the end of a value.
    """
    tokens = list(_tokens(query))
    return _Query(tokens, entry).either("") if tokens else True


def _tokens(query: str) -> Iterator["re.Match[str]"]:
    position = 0
    while query[position:].strip():
        match = _TOKEN.match(query, position)
        if match is None:
            return
        yield match
        position = match.end()


class _Query:
    """Reads the tokens from left to right, and says whether they fit the entry."""

    def __init__(self, tokens: List["re.Match[str]"], entry: Mapping[str, Any]) -> None:
        self._tokens = tokens
        self._entry = entry

    def either(self, field: str) -> bool:
        found = self._both(field)
        while self._next("OR"):
            found = self._both(field) or found
        return found

    def _both(self, field: str) -> bool:
        found = self._one(field)
        while self._tokens and not self._at("OR") and not self._at(")"):
            self._next("AND")
            found = self._one(field) and found
        return found

    def _one(self, field: str) -> bool:
        if self._next("NOT"):
            return not self._one(field)
        if self._next("("):
            found = self.either(field)
            self._next(")")
            return found
        if not self._tokens:
            return True
        token = self._tokens.pop(0)
        if token["field"]:
            return self._one(token["field"])
        return self._fits(field, token["quoted"] or token["plain"] or "")

    def _fits(self, field: str, value: str) -> bool:
        found: Any = self._entry
        for name in field.split(".") if field else ():
            found = found.get(name) if isinstance(found, Mapping) else None
        if not field:
            return any(value in str(each) for each in self._entry.values())
        if value.endswith("*"):
            return str(found or "").startswith(value[:-1])
        # Texts are searched by their words; ids are one word.
        return str(found) == value or f" {value} " in f" {found} "

    def _at(self, text: str) -> bool:
        token = self._tokens[0] if self._tokens else None
        return token is not None and text in (token["bracket"], token["word"])

    def _next(self, text: str) -> bool:
        if not self._at(text):
            return False
        self._tokens.pop(0)
        return True
