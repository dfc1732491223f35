"""The ``event`` of the custom-token-exchange trigger, spelled as Auth0 spells it.

[doc] actions/reference/custom-token-exchange/custom-token-exchange-event-object
"""

from typing import Any, Collection, Dict, Mapping, Optional

from .clients import Client
from .origin import Origin
from .settings import TENANT_NAME, Settings

# Fields of the form that an Action does not see.
CREDENTIALS = ("client_secret", "client_assertion", "client_assertion_type")


class UnknownNameError(AttributeError, KeyError):
    """A name that the event or the API of this trigger does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class Record(Dict[str, Any]):
    """A part of ``event``: its fields as attributes or as items.

    A field that Auth0 has but that is absent now is None, like ``undefined`` there.
    """

    def __init__(self, path: str, optional: str = "", **fields: Any) -> None:
        super().__init__(**fields)
        self._path = path
        self._optional = optional.split()

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__missing__(name)

    def __missing__(self, name: str) -> Any:
        if name in self._optional:
            return None
        known = ", ".join(sorted({*self, *self._optional}))
        raise UnknownNameError(
            f"{self._path} has no {name!r} in this trigger, only: {known}"
        )


class Dictionary(Dict[str, Any]):
    """A part of ``event`` with names of the tenant's choice; an absent one is None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


Event = Record


def exchange_event(
    form: Mapping[str, Any],
    ip: str,
    requested_token_type: str,
    actor: Optional[Settings],
    organization: Optional[Settings],
    secrets: Mapping[str, str],
    client: Client,
    origin: Origin,
) -> Event:
    """Return the event of a custom token exchange. A repeated field is a list."""
    audience = form.get("audience") or ""
    event = Record(
        "event",
        "organization",
        secrets=Dictionary(secrets),
        client=client_record(client),
        request=_request(form, ip, origin),
        resource_server=Record("event.resource_server", identifier=audience),
        tenant=Record("event.tenant", id=TENANT_NAME),
        transaction=_transaction(form, requested_token_type, actor),
    )
    if organization is not None:
        event["organization"] = _organization(organization)
    return event


def client_record(client: Client) -> Record:
    """Return ``event.client``."""
    return Record(
        "event.client",
        client_id=client.client_id,
        name=client.setting("name"),
        metadata=Dictionary(client.setting("client_metadata") or {}),
    )


def _request(form: Mapping[str, Any], ip: str, origin: Origin) -> Record:
    return Record(
        "event.request",
        ip=ip,
        method=origin.method,
        hostname=origin.host,
        user_agent=origin.user_agent or None,
        language=origin.language,
        body=Dictionary(without(CREDENTIALS, form)),
        geoip=Dictionary(),
    )


def _transaction(
    form: Mapping[str, Any], requested_token_type: str, actor: Optional[Settings]
) -> Record:
    fields = {
        "subject_token": form["subject_token"],
        "subject_token_type": form["subject_token_type"],
        "requested_scopes": str(form.get("scope", "")).split(),
        "requested_token_type": requested_token_type,
    }
    for name in ("actor_token", "actor_token_type"):
        if form.get(name):
            fields[name] = form[name]
    if actor is not None:
        fields["actor_token_user"] = _actor_token_user(actor)
    optional = "actor_token actor_token_type actor_token_user"
    return Record("event.transaction", optional, **fields)


def _organization(organization: Settings) -> Record:
    return Record(
        "event.organization",
        id=organization["id"],
        name=organization["name"],
        display_name=organization.get("display_name") or organization["name"],
        metadata=Dictionary(organization.get("metadata") or {}),
    )


def _actor_token_user(user: Mapping[str, Any]) -> Record:
    """Return the agent's profile, which has ``user_id`` and no ``sub``."""
    strategy, _, identity = user["user_id"].partition("|")
    kept = {
        name: value
        for name, value in user.items()
        if name not in ("password", "blocked", "connection") and value is not None
    }
    for name in ("app_metadata", "user_metadata"):
        kept[name] = Dictionary(user.get(name) or {})
    connection = user.get("connection")
    kept["identities"] = [
        Dictionary(provider=strategy, user_id=identity, connection=connection)
    ]
    optional = (
        "email family_name given_name last_password_reset name nickname phone_number "
        "phone_verified picture username enrolledFactors multifactor "
        "email_verified created_at updated_at"
    )
    return Record("event.transaction.actor_token_user", optional, **kept)


def without(names: Collection[str], fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the fields that have other names."""
    return {name: value for name, value in fields.items() if name not in names}
