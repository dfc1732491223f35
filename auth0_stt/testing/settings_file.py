"""The settings file of ``auth0-stt tenant``: JSON under the names that Auth0 has.

An object: applications by their ids, ``tenant``, and the tables below. A table is an
object by ids, names or keys, or a list as the Management API returns it.
"""

import copy
import difflib
import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

from attr import frozen

from .tenant import settings as defaults
from .tenant.names import Named
from .tenant.settings import Settings
from .tenant.state import State

_TYPES: Tuple[Tuple[Any, str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
)


@frozen
class Table:
    """What is listed in the tenant, and how its entries are named."""

    #: The field by which the tenant finds an entry.
    key: str
    #: What else names one.
    aliases: Tuple[str, ...]
    #: What the file must say of a new one.
    needed: Tuple[str, ...] = ()


TABLES = {
    "users": Table("user_id", ()),
    "organizations": Table("id", ("name",)),
    "connections": Table("name", ("id",)),
    "resource_servers": Table("identifier", ("id", "name")),
    "token_exchange_profiles": Table(
        "subject_token_type", ("id", "name"), ("subject_token_type", "action_id")
    ),
    "actions": Table("id", ("name",)),
}


# What has a value in any case: entries are found by them.
KEYS = {"id", "client_id", *(table.key for table in TABLES.values())}


class SettingsError(ValueError):
    """What is wrong in the file, with the path."""


def load_settings(path: str) -> Mapping[str, Any]:
    """Read a settings file.

    Raises:
        OSError: it can't be read.
        ValueError: it is not JSON, or not an object.
    """
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    if not isinstance(found, dict):
        raise SettingsError("a JSON object is needed")
    return found


def apply(state: State, changes: Mapping[str, Any]) -> None:
    """Change what the file names, at any depth; a list is replaced as a whole.

    Raises:
        SettingsError: Auth0 has no such name, the value is of the wrong type, or a
            connection is enabled for an application that the tenant does not have.
    """
    for name, value in changes.items():
        try:
            if name in TABLES:
                _change_table(getattr(state, name), name, value)
            else:
                _change_application(state.settings, name, value)
        except KeyError as error:
            raise SettingsError(error.args[0]) from None
    # At the end: an application may come after its connection in the file.
    known = [each for each in state.settings if each != "tenant"]
    for name, connection in state.connections.items():
        for client_id in connection.get("enabled_clients") or []:
            if client_id not in known:
                raise SettingsError(
                    f"connections.{name}.enabled_clients: the tenant has no "
                    f"application {client_id!r}, {_suggestion(str(client_id), known)}"
                )


def _change_application(settings: Settings, name: str, value: Any) -> None:
    if name not in settings:
        new = isinstance(value, dict) and value.get("client_id") == name
        if not new:
            raise SettingsError(_unknown(settings, name))
        settings[name] = defaults.application(name, name, "https://" + name)
    _merge(settings[name], value, name)


def _unknown(settings: Settings, name: str) -> str:
    hint = _suggestion(name, [*settings, *TABLES])
    return f"{name}: {hint} A new application needs its client_id in it."


def _suggestion(name: str, known: List[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else "there are " + ", ".join(known)


def _change_table(entries: Settings, where: str, value: Any) -> None:
    table = TABLES[where]
    if isinstance(value, list):
        names = (table.key, *table.aliases)
        listed: List[Tuple[Optional[str], Any]] = []
        for number, each in enumerate(value):
            _check(f"{where}.{number}", each, {})
            found = [each[name] for name in names if isinstance(each.get(name), str)]
            if not found:
                text = f"{where}.{number} needs one of: " + ", ".join(names)
                raise SettingsError(text)
            listed.append((found[0], each))
    else:
        _check(where, value, {})
        listed = list(value.items())
    for name, each in listed:
        _change_entry(entries, table, where, str(name), each)


def _change_entry(
    entries: Settings, table: Table, where: str, name: str, value: Any
) -> None:
    path = f"{where}.{name}"
    _check(path, value, {})
    old = next((key for key, each in entries.items() if _is(each, table, name)), None)
    if old is None:
        entry = _new(entries, table, where, name, value)
    else:
        entry = entries[old]
    _merge(entry, value, path)
    key = entry[table.key]
    if old is not None and key != old:
        del entries[old]
    entries[key] = entry


def _is(entry: Settings, table: Table, name: str) -> bool:
    return name in [entry.get(field) for field in (table.key, *table.aliases)]


def _new(
    entries: Settings, table: Table, where: str, name: str, value: Dict[str, Any]
) -> Settings:
    """Return a new entry: like the first of the defaults, under its own name."""
    if where == "users":
        entry = defaults.user(name, None, None)
    else:
        first = next(iter(DEFAULTS[where]().values()))
        entry = {**copy.deepcopy(dict(first)), "id": name, "name": name}
        entry[table.key] = value.get(table.key, name)
        if where == "organizations":
            entry.update(display_name=name, members=[], enabled_connections=[])
    is_key = where == "token_exchange_profiles" and ":" in name
    given = {*value, table.key} if is_key else set(value)
    for field in table.needed:
        if field not in given:
            raise SettingsError(f"{where}.{name}: a new one needs {field}")
    entries[name] = entry
    found: Settings = entries[name]
    del entries[name]
    return found


DEFAULTS: Dict[str, Any] = {
    "organizations": defaults.default_organizations,
    "connections": defaults.default_connections,
    "resource_servers": defaults.default_resource_servers,
    "token_exchange_profiles": defaults.default_profiles,
    "actions": defaults.default_actions,
}


def _merge(target: Settings, changes: Any, path: str) -> None:
    _check(path, changes, {})
    for name, value in changes.items():
        where = f"{path}.{name}"
        current = target.get(name)
        if current is None and isinstance(target, Named) and target.has_names(name):
            current = {}
        if name == "custom_domains":
            current = [{}]
        if value is not None or name in KEYS:
            _check(where, value, current)
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value, where)
        else:
            target[name] = value


def _check(where: str, value: Any, current: Any) -> None:
    """Refuse a value of another type than the one that is there."""
    for kind, said in _TYPES:
        if isinstance(current, kind):
            other = isinstance(value, bool) and kind is not bool
            if other or not isinstance(value, kind):
                raise SettingsError(f"{where} must be {said}")
            break
    if isinstance(current, list) and current:
        for number, each in enumerate(value):
            _check(f"{where}.{number}", each, current[0])
