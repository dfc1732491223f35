"""What the tenant is: its settings, its records and its clock. No HTTP in here."""

import secrets
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from attr import Factory, attrib, attrs

from . import settings as defaults
from .action import Action, default_action
from .clients import Client
from .clock import Clock
from .event import Dictionary
from .logs import (
    WITH_AUTH0_CLIENT,
    WITH_STRATEGY,
    WITHOUT_CONNECTION,
    WITHOUT_HOSTNAME,
    Log,
    iso,
    log_id,
)
from .origin import Origin
from .records import Fault, Records, Session, find_organization
from .settings import SHOP_ID, Settings, lookup
from .tokens import SubjectTokens

LOOPBACK_NAMES = ("localhost", "127.0.0.1")


@attrs(auto_attribs=True, eq=False)
class State:
    """One tenant. ``port`` is 0 until somebody listens.

    ``public_domains`` are names under which clients reach it through something else
    that ends TLS on port 443: the console's and the shop's.
    """

    tls: bool = False
    public_domains: Optional[Tuple[str, str]] = None
    port: int = 0
    ca_file: Optional[str] = None
    clock: Clock = Factory(Clock)
    settings: Settings = Factory(defaults.default_settings)
    users: Settings = Factory(defaults.default_users)
    organizations: Settings = Factory(defaults.default_organizations)
    connections: Settings = Factory(defaults.default_connections)
    token_exchange_profiles: Settings = Factory(defaults.default_profiles)
    actions: Settings = Factory(defaults.default_actions)
    resource_servers: Settings = Factory(defaults.default_resource_servers)
    # Runs after each login, called with its event and api; see post_login.py.
    post_login_action: Optional[Callable[[Any, Any], Any]] = None
    # What event.secrets has for the Action.
    action_secrets: Dict[str, str] = Factory(Dictionary)
    # False: a tenant whose plan has no session delegation.
    delegation_available: bool = True
    # 4 on Professional plans, 15 on Enterprise; None does not count them.
    token_exchanges_per_second: Optional[int] = None
    # What api.access.deny() answers with; 500 has been seen, too.
    deny_status: int = 400
    records: Records = Factory(Records)
    # Who knows it may claim to have another IP address: the browsers of this package.
    address_secret: str = Factory(lambda: secrets.token_urlsafe(32))
    subject_tokens: SubjectTokens = attrib(
        default=Factory(lambda state: SubjectTokens(state.clock), takes_self=True)
    )
    action: Action = attrib(
        default=Factory(
            lambda state: default_action(state.subject_tokens), takes_self=True
        )
    )

    @property
    def scheme(self) -> str:
        return "https" if self.tls or self.public_domains else "http"

    @property
    def cookie(self) -> str:
        """Name of the session cookie: ports share cookies, tenants must not."""
        return f"auth0_{self.port}"

    @property
    def domains(self) -> List[str]:
        """The two domains, with the port: the console's and the shop's."""
        if self.public_domains:
            return list(self.public_domains)
        return [f"{name}:{self.port}" for name in LOOPBACK_NAMES]

    @property
    def hosts(self) -> List[str]:
        """What may stand in the Host header of a request."""
        mtls = [f"mtls.{domain}" for domain in self.domains if self.scheme == "https"]
        return [*self.domains, *mtls]

    @property
    def issuers(self) -> List[str]:
        """The issuers of its tokens, one for each domain."""
        return [f"{self.scheme}://{domain}/" for domain in self.domains]

    @property
    def custom_domains(self) -> List[Settings]:
        """The custom domains, as the Management API has them: by default the shop's."""
        settings = self.tenant_setting("custom_domains")
        if settings is not None:
            return list(settings)
        shops = {
            "custom_domain_id": "cd_shop",
            "domain": self.domains[1],
            "primary": True,
            "status": "ready",
            "type": "self_managed_certs",
        }
        return [shops]

    def domain_of(self, client_id: str) -> str:
        """Return the domain that an application is told: the shop has a custom one."""
        domain = self.domains[client_id == SHOP_ID and bool(self.custom_domains)]
        return domain if self.scheme == "https" else "http://" + domain

    def application(self, client_id: str) -> Dict[str, Any]:
        """Return what an application has to know: its domain, id and secret."""
        return {
            "domain": self.domain_of(client_id),
            "client_id": client_id,
            "client_secret": self.settings[client_id].get("client_secret"),
        }

    def client(self, client_id: str) -> Optional[Client]:
        """Return an application by its id."""
        found = None if client_id == "tenant" else self.settings.get(client_id)
        return None if found is None else Client(client_id, found)

    def tenant_setting(self, path: str) -> Any:
        """Return a setting of the tenant by its dotted path, or None."""
        return lookup(self.settings["tenant"], path)

    def active_user(self, user_id: str) -> Optional[Settings]:
        """Return a user by id, None for one who is unknown or blocked."""
        user = self.users.get(user_id)
        return None if user is None or user.get("blocked") else user

    def connection_of(self, user_id: Optional[str]) -> Settings:
        """Return the connection that a user comes from."""
        user = self.users.get(user_id or "") or {}
        found: Settings = self.connections.get(user.get("connection") or "") or {}
        return found

    def organization(self, id_or_name: str) -> Optional[Settings]:
        """Return an organization by id, or by name where the tenant allows that."""
        org_id = find_organization(
            self.organizations, id_or_name, self.names_organizations
        )
        return None if org_id is None else {**self.organizations[org_id], "id": org_id}

    @property
    def names_organizations(self) -> bool:
        """Whether organizations are named in requests, and in tokens."""
        setting = "allow_organization_name_in_authentication_api"
        return bool(self.tenant_setting(setting))

    def new_session(
        self,
        user_id: str,
        issuer: str,
        lifetime: float,
        actor: Optional[Dict[str, Any]] = None,
    ) -> Session:
        """Return a session of a user on a domain, for so many seconds."""
        now = self.clock()
        session_id, ends = secrets.token_urlsafe(), now + lifetime
        return Session(session_id, user_id, issuer, now, ends, actor)

    def open_session(self, session_id: str, issuer: str) -> Optional[Session]:
        """Return the session that a cookie names, None if it is over."""
        session = self.records.sessions.get(session_id)
        if (
            session is None
            or session.issuer != issuer
            or session.expires_at <= self.clock()
            or self.active_user(session.user_id) is None
        ):
            return None
        return session

    def wants_mfa(self) -> bool:
        """Return whether everybody needs a second factor."""
        return bool(self.tenant_setting("guardian_policies"))

    def log(
        self,
        type: str,  # noqa: A002
        description: str,
        origin: Optional[Origin] = None,
        client_id: Optional[str] = None,
        user_id: Optional[str] = None,
        details: Optional[Mapping[str, Any]] = None,
        **more: Any,
    ) -> None:
        """Add an entry to the log, with the fields that its type has on Auth0."""
        connection = self.connection_of(user_id)
        client, now = self.client(client_id or ""), self.clock()
        fields: Dict[str, Any] = {
            "client_id": client_id,
            "client_name": client.setting("name") if client else None,
            "user_id": user_id,
            "user_name": (self.users.get(user_id or "") or {}).get("email"),
            "details": _present(details or {}),
            **more,
        }
        if type not in WITHOUT_CONNECTION:
            fields.update(
                connection=connection.get("name"), connection_id=connection.get("id")
            )
        if type in WITH_STRATEGY and connection:
            fields.update(strategy=connection.get("strategy"), strategy_type="database")
        if origin is not None:
            fields.setdefault("ip", origin.ip)
            fields["user_agent"] = origin.user_agent or None
            if type not in WITHOUT_HOSTNAME:
                fields["hostname"] = origin.host
            if type in WITH_AUTH0_CLIENT:
                fields["auth0_client"] = origin.auth0_client
        organization = self.organizations.get(fields.get("organization_id") or "")
        if organization is not None:
            fields["organization_name"] = organization["name"]
        number = log_id(next(self.records.log_numbers), now)
        self.records.logs.append(Log(type, description, iso(now), number, **fields))

    def fault(self) -> Optional[Fault]:
        """Return what is to go wrong with the next request, if anything."""
        with self.records.lock:
            return self.records.faults.pop(0) if self.records.faults else None


def _present(details: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in details.items() if value is not None}
