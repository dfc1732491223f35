"""The documents that a diagnosis rests on: their names, and how to read them.

A document is the JSON answer of one GET request to the Management API. An answer that
is an error, such as ``{"statusCode": 403, "message": ...}``, is a document too: it says
why nothing is known.
"""

import re
from typing import Any, Dict, List, Mapping, Optional, Tuple

from attr import evolve, frozen

from ..rules import RULES


@frozen
class Source:
    """Where a document comes from."""

    name: str
    #: Below ``/api/v2/``; what is in braces is filled in by the reader.
    path: str
    scope: str
    query: Tuple[Tuple[str, str], ...] = ()
    #: The key of the list within an answer with a paging envelope.
    items: Optional[str] = None


def _fields(whose: str) -> Tuple[Tuple[str, str], ...]:
    """Ask for the settings that the rules name, and so for no secret."""
    settings = {
        rule.setting.partition(".")[0]
        for rule in RULES.values()
        if rule.whose == whose and rule.setting
    }
    names = ["client_id", "name", *sorted(settings)]
    return (("fields", ",".join(names)),)


_LOG_FIELDS = "log_id,date,type,client_id,description,ip,audience,details"

SOURCES: Dict[str, Source] = {
    source.name: source
    for source in (
        Source("console", "clients/{console}", "read:clients", _fields("console")),
        Source("shop", "clients/{shop}", "read:clients", _fields("shop")),
        Source(
            "token-exchange-profiles",
            "token-exchange-profiles",
            "read:token_exchange_profiles",
            items="token_exchange_profiles",
        ),
        Source("action", "actions/actions/{action}", "read:actions"),
        Source(
            "console-connections",
            "clients/{console}/connections",
            "read:connections",
            items="connections",
        ),
        Source(
            "shop-connections",
            "clients/{shop}/connections",
            "read:connections",
            items="connections",
        ),
        Source("mfa-policies", "guardian/policies", "read:mfa_policies", items="-"),
        Source(
            "suspicious-ip-throttling",
            "attack-protection/suspicious-ip-throttling",
            "read:attack_protection",
        ),
        Source(
            "tenant-settings",
            "tenants/settings",
            "read:tenant_settings",
            (("fields", "skip_non_verifiable_callback_uri_confirmation_prompt"),),
        ),
        Source(
            "custom-domains",
            "custom-domains",
            "read:custom_domains",
            items="custom_domains",
        ),
        Source("organization", "organizations/{organization}", "read:organizations"),
        Source(
            "organization-connections",
            "organizations/{organization}/enabled_connections",
            "read:organization_connections",
            items="enabled_connections",
        ),
        Source(
            "resource-servers",
            "resource-servers",
            "read:resource_servers",
            items="resource_servers",
        ),
        Source(
            "logs",
            "logs",
            "read:logs",
            (
                ("q", 'client_id:("{console}" OR "{shop}")'),
                ("sort", "date:-1"),
                ("per_page", "100"),
                ("fields", _LOG_FIELDS),
            ),
            items="logs",
        ),
    )
}

#: What one GET of the login URL answered: the doctor's own, not the Management API's.
TRY_LOGIN = "try-login"

# Other words under which a document may be given, the paths of the API among them.
_ALIASES = {
    "console-client": "console",
    "requesting-application": "console",
    "initiator": "console",
    "shop-client": "shop",
    "target": "shop",
    "target-application": "shop",
    "profiles": "token-exchange-profiles",
    "profile": "token-exchange-profiles",
    "token-exchange-profile": "token-exchange-profiles",
    "actions": "action",
    "console/connections": "console-connections",
    "shop/connections": "shop-connections",
    "mfa": "mfa-policies",
    "guardian": "mfa-policies",
    "console-client-connections": "console-connections",
    "shop-client-connections": "shop-connections",
    "policies": "mfa-policies",
    "guardian-policies": "mfa-policies",
    "guardian/policies": "mfa-policies",
    "throttling": "suspicious-ip-throttling",
    "attack-protection": "suspicious-ip-throttling",
    "attack-protection-suspicious-ip-throttling": "suspicious-ip-throttling",
    "attack-protection/suspicious-ip-throttling": "suspicious-ip-throttling",
    "tenant": "tenant-settings",
    "tenants-settings": "tenant-settings",
    "tenants/settings": "tenant-settings",
    "settings": "tenant-settings",
    "domains": "custom-domains",
    "organization-enabled-connections": "organization-connections",
    "apis": "resource-servers",
    "resource-server": "resource-servers",
    "api": "resource-servers",
    "log": "logs",
    "login": TRY_LOGIN,
}


@frozen
class Document:
    """One document as it was given, or the reason why it can't be read."""

    name: str
    value: Any = None
    reason: Optional[str] = None

    def object(self) -> "Document":
        """Return the document if it is a JSON object, else one that says it is not."""
        if self.reason is None and not isinstance(self.value, dict):
            return Document(self.name, reason=f"{self.name} is not a JSON object")
        return self

    def items(self) -> "Document":
        """Return the list in the document, out of its paging envelope.

        A list that goes on elsewhere still has its items, and :meth:`complete` tells.
        """
        if self.reason is not None or isinstance(self.value, list):
            return self
        found = _within(self.value, SOURCES[self.name].items or self.name)
        if found is None:
            return Document(self.name, reason=f"{self.name} is not a list")
        return evolve(self, value=found)

    def complete(self) -> bool:
        """Return whether the list is whole: no further page is announced."""
        if not isinstance(self.value, dict):
            return True
        total, found = self.value.get("total"), self.items().value
        more = isinstance(total, int) and total > len(found or [])
        return not (self.value.get("next") or more)


def _within(value: Any, key: str) -> Optional[List[Any]]:
    if not isinstance(value, dict):
        return None
    if isinstance(value.get(key), list):
        return list(value[key])
    lists = [each for each in value.values() if isinstance(each, list)]
    if len(lists) == 1:
        return list(lists[0])
    # One profile, one API, one log entry, given by itself.
    return [value] if {"id", "log_id", "type"} & set(value) else None


class Documents:
    """All documents of one diagnosis, by their names."""

    def __init__(
        self,
        given: Mapping[str, Any],
        console: Optional[str] = None,
        shop: Optional[str] = None,
    ) -> None:
        paths = {_path(key): value for key, value in given.items()}
        self._found: Dict[str, Any] = {}
        for whose in ("console", "shop"):
            for group, suffix in (("clients", ""), ("connections", "-connections")):
                listed = paths.get(group)
                if isinstance(listed, dict) and whose in listed:
                    self._found[whose + suffix] = listed[whose]
        for path, value in paths.items():
            if not path.startswith("clients"):
                self._found.setdefault(_name(path), value)
        clients = _clients(paths)
        self.console = console or _id(self._found.get("console"))
        self.shop = shop or _id(self._found.get("shop"))
        self.console, self.shop = _guess(clients, self.console, self.shop)
        for name, client_id in (("console", self.console), ("shop", self.shop)):
            if client_id is None:
                continue
            if client_id in clients:
                self._found.setdefault(name, clients[client_id])
            listed = paths.get(f"clients/{client_id}/connections")
            if listed is not None:
                self._found.setdefault(name + "-connections", listed)
            elif "connections" in self._found:
                enabled = _enabled(self._found["connections"], client_id)
                if enabled is not None:
                    self._found.setdefault(name + "-connections", enabled)

    def has(self, name: str) -> bool:
        """Return whether a document of that name was given, whatever it says."""
        return name in self._found

    def __getitem__(self, name: str) -> Document:
        if name not in self._found:
            return Document(name, reason=f"{name} was not read")
        value = self._found[name]
        problem = _problem(value)
        if problem is not None:
            return Document(name, reason=problem)
        if name in ("console", "shop"):
            expected = self.console if name == "console" else self.shop
            if expected and _id(value) not in (None, expected):
                reason = f"{name} describes another application"
                return Document(name, reason=reason)
        return Document(name, value)


def _path(key: Any) -> str:
    """Return a key as a path of the API without what stands around it."""
    text = str(key).strip()
    text = re.sub(r"^https?://[^/]+", "", text)
    text = re.sub(r"^(GET )?/?(api/v2/)?", "", text).partition("?")[0].rstrip("/")
    return text[: -len(".json")] if text.endswith(".json") else text


def _name(path: str) -> str:
    """Return the name of the document at a path, or the path in the same spelling."""
    if re.fullmatch(r"organizations/(name/)?[^/]+", path):
        return "organization"
    if re.fullmatch(r"organizations/[^/]+/enabled_connections", path):
        return "organization-connections"
    for prefix, name in (
        ("actions/actions/", "action"),
        ("token-exchange-profiles/", "token-exchange-profiles"),
        ("resource-servers/", "resource-servers"),
        ("logs/", "logs"),
    ):
        if path.startswith(prefix):
            return name
    text = path.lower().replace("_", "-").replace(" ", "-")
    return _ALIASES.get(text, text)


def _clients(paths: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the applications given by path or in a list, by their ids."""
    clients = {}
    for path, value in paths.items():
        match = re.fullmatch(r"clients/([^/]+)", path)
        if match:
            clients[match.group(1)] = value
        elif path == "clients":
            found = value if isinstance(value, list) else _within(value, "clients")
            for each in found or []:
                if _id(each):
                    clients.setdefault(str(_id(each)), each)
    return clients


def _guess(
    clients: Dict[str, Any], console: Optional[str], shop: Optional[str]
) -> Tuple[Optional[str], Optional[str]]:
    """Find out which of the applications given by path is which, if nobody said."""
    if {"console", "shop"} <= set(clients):
        console, shop = console or "console", shop or "shop"
    rest = [each for each in clients if each not in (console, shop)]
    mints = [each for each in rest if _has(clients[each], "token_exchange")]
    redeems = [
        each for each in rest if _has(clients[each], "session_transfer", "delegation")
    ]
    if console is None and len(mints) == 1:
        console = mints[0]
    if shop is None and len(redeems) == 1:
        shop = redeems[0]
    rest = [each for each in rest if each not in (console, shop)]
    if console is None and shop is not None and len(rest) == 1:
        console = rest[0]
    elif shop is None and console is not None and len(rest) == 1:
        shop = rest[0]
    return console, shop


def _has(value: Any, *names: str) -> bool:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return bool(value)


def _id(value: Any) -> Optional[str]:
    found = value.get("client_id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _enabled(connections: Any, client_id: str) -> Any:
    """Return an application's connections out of a list with ``enabled_clients``."""
    found = (
        connections
        if isinstance(connections, list)
        else _within(connections, "connections")
    )
    clients = [
        each.get("enabled_clients") for each in found or [] if isinstance(each, dict)
    ]
    if not clients or not all(isinstance(each, list) for each in clients):
        return None
    return [
        each
        for each in found or []
        if isinstance(each, dict) and client_id in each["enabled_clients"]
    ]


def _problem(value: Any) -> Optional[str]:
    """Return why a document says nothing, if it is an error of the API or null."""
    if value is None:
        return "the document is null"
    if not isinstance(value, dict) or "statusCode" not in value:
        return None
    status, message = value["statusCode"], value.get("message")
    text = message if isinstance(message, str) else value.get("error")
    shown = re.sub(r"\s+", " ", text) if isinstance(text, str) else ""
    return f"HTTP {status}: {shown}"[:200] if status else shown[:200]
