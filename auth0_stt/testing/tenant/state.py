"""What the tenant is: its settings, its records and its clock. No HTTP in here."""

import secrets
from typing import Any, Dict, List, Optional

from attr import Factory, attrib, attrs

from .action import Action, default_action
from .clients import Client
from .clock import Clock
from .origin import Origin
from .records import Fault, Log, Records, Session
from .settings import (
    SHOP_ID,
    Settings,
    default_connections,
    default_organizations,
    default_profiles,
    default_resource_servers,
    default_settings,
    default_users,
    lookup,
)
from .tokens import SubjectTokens


@attrs(auto_attribs=True, eq=False)
class State:
    """One tenant. ``port`` is 0 until somebody listens."""

    tls: bool = False
    port: int = 0
    ca_file: Optional[str] = None
    clock: Clock = Factory(Clock)
    settings: Dict[str, Settings] = Factory(default_settings)
    users: Dict[str, Settings] = Factory(default_users)
    organizations: Dict[str, Settings] = Factory(default_organizations)
    connections: Dict[str, Settings] = Factory(default_connections)
    token_exchange_profiles: Dict[str, Settings] = Factory(default_profiles)
    resource_servers: List[str] = Factory(default_resource_servers)
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
        return "https" if self.tls else "http"

    @property
    def cookie(self) -> str:
        """Name of the session cookie: ports share cookies, tenants must not."""
        return f"auth0_{self.port}"

    @property
    def domains(self) -> List[str]:
        """The custom domains, with the port: the console's and the shop's."""
        return [f"{name}:{self.port}" for name in ("localhost", "127.0.0.1")]

    @property
    def hosts(self) -> List[str]:
        """What may stand in the Host header of a request."""
        return self.domains + ([f"mtls.localhost:{self.port}"] if self.tls else [])

    @property
    def issuers(self) -> List[str]:
        """The issuers of its tokens, one for each custom domain."""
        return [f"{self.scheme}://{domain}/" for domain in self.domains]

    def domain_of(self, client_id: str) -> str:
        """Return the domain that an application is told: the shop has one of its own."""
        domain = self.domains[client_id == SHOP_ID]
        return domain if self.tls else "http://" + domain

    def application(self, client_id: str) -> Dict[str, Any]:
        """Return what an application has to know: ``domain``, ``client_id``, ``client_secret``."""
        return {
            "domain": self.domain_of(client_id),
            "client_id": client_id,
            "client_secret": self.settings[client_id].get("client_secret"),
        }

    def client(self, client_id: str) -> Optional[Client]:
        """Return an application by its id."""
        found = None if client_id == "tenant" else self.settings.get(client_id)
        return None if found is None else Client(client_id, found)

    def active_user(self, user_id: str) -> Optional[Settings]:
        """Return a user by id, None for one who is unknown or blocked."""
        user = self.users.get(user_id)
        return None if user is None or user.get("blocked") else user

    def new_session(self, user_id: str, issuer: str, lifetime: float) -> Session:
        """Return a session of a user's own on a domain, for so many seconds."""
        now = self.clock()
        return Session(secrets.token_urlsafe(), user_id, issuer, now, now + lifetime)

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
        return bool(lookup(self.settings, "tenant.guardian_policies"))

    def log(
        self,
        type: str,  # noqa: A002
        description: str,
        origin: Optional[Origin] = None,
        client_id: Optional[str] = None,
        user_id: Optional[str] = None,
        details: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Add an entry to the log."""
        entry = Log(
            type,
            description,
            self.clock(),
            client_id,
            user_id,
            origin.ip if origin else None,
            origin.host if origin else None,
            details or {},
        )
        self.records.logs.append(entry)

    def fault(self) -> Optional[Fault]:
        """Return what is to go wrong with the next request, if anything."""
        with self.records.lock:
            return self.records.faults.pop(0) if self.records.faults else None
