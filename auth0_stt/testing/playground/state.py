"""What one visitor has: a tenant, a signed-in agent, switches and a trail.

Nobody else sees any of it: two browsers can try two things at the same time.
"""

import copy
import secrets
from typing import Any, Dict, Iterable, List, Set

from attr import Factory, attrs

from ..local_tenant import LocalTenant
from .switches import AGENT, SWITCHES
from .trail import Trail

CUSTOMERS = {
    "auth0|ada": "her cart shows the wrong price",
    "auth0|lin": "an order that never arrived",
}
MISSPELT = "urn:acme:costumer"
# What a switch may change in the tenant.
CHANGEABLE = (
    "settings",
    "users",
    "connections",
    "action",
    "token_exchanges_per_second",
)
# The applications name the visitor in this header when they call the tenant.
VISITOR_HEADER = "Playground-Visitor"


@attrs(frozen=True, auto_attribs=True)
class Addresses:
    """Where the three parties listen.

    Cookies know no ports, so console and shop need two host names, as in production.
    """

    console_port: int
    shop_port: int
    tenant_port: int

    @property
    def console_host(self) -> str:
        return f"localhost:{self.console_port}"

    @property
    def shop_host(self) -> str:
        return f"127.0.0.1:{self.shop_port}"

    @property
    def console(self) -> str:
        return f"http://{self.console_host}/"

    @property
    def shop(self) -> str:
        return f"http://{self.shop_host}/"


@attrs(auto_attribs=True, eq=False)
class Visitor:
    """One browser's playground."""

    addresses: Addresses
    id: str = Factory(secrets.token_urlsafe)
    # What a form must hold if the browser does not say which site it comes from.
    form_token: str = Factory(secrets.token_urlsafe)
    tenant: LocalTenant = Factory(LocalTenant)
    trail: Trail = Factory(Trail)
    switches: Set[str] = Factory(set)
    customer: str = ""
    # The tokens that the console keeps for the agent.
    agent: Dict[str, Any] = Factory(dict)
    # What the library logged in the console, the audit trail.
    audit: List[str] = Factory(list)
    _defaults: Dict[str, Any] = Factory(dict)

    def __attrs_post_init__(self) -> None:
        tenant, addresses = self.tenant, self.addresses
        tenant.state.port = addresses.tenant_port
        tenant.settings["console"].update(
            callbacks=[addresses.console + "callback"],
            initiate_login_uri=addresses.console,
        )
        tenant.settings["shop"].update(
            callbacks=[addresses.shop + "callback"],
            allowed_logout_urls=[addresses.shop],
            initiate_login_uri=addresses.shop + "login",
        )
        for name in CHANGEABLE:
            self._defaults[name] = copy.deepcopy(getattr(tenant, name))
        self.agent.update(tenant.agent_tokens(AGENT))

    def on(self, *rules: str) -> bool:
        """Return whether a switch is on that breaks one of these rules."""
        return not self.switches.isdisjoint(rules)

    @property
    def other_customer(self) -> str:
        """The customer who is not entered now."""
        return next(each for each in CUSTOMERS if each != self.customer)

    @property
    def subject_token_type(self) -> str:
        """The one that the console sends."""
        right = self.tenant.subject_token_type
        return MISSPELT if self.on("profile-exists") else right

    def application(self, client_id: str) -> Dict[str, Any]:
        """Return an application's ``domain``, ``client_id`` and ``client_secret``."""
        return self.tenant.state.application(client_id)

    def prepare(self, switches: Iterable[str]) -> None:
        """Make the tenant what it is by default, except for what is switched on."""
        tenant = self.tenant
        self.switches = {rule for rule in switches if rule in SWITCHES}
        for name in CHANGEABLE:
            setattr(tenant, name, copy.deepcopy(self._defaults[name]))
        # The time that passed for the last click is over, for the agent's tokens too.
        tenant.clock.advance(-tenant.clock.ahead)
        for rule in SWITCHES:
            if rule in self.switches:
                SWITCHES[rule].apply(tenant)
        tenant.logs.clear()
        self.audit.clear()

    @property
    def issuer(self) -> str:
        """The shop's domain, as issuer of its tokens."""
        return f"{self.application('shop')['domain']}/"

    def open_sessions(self) -> List[str]:
        """Return the names of those who have a session on the shop's domain."""
        now, users = self.tenant.clock(), self.tenant.users
        return [
            users[session.user_id]["name"]
            for session in list(self.tenant.records.sessions.values())
            if session.issuer == self.issuer and session.expires_at > now
        ]

    def close_sessions(self) -> None:
        """End all sessions on the shop's domain, forgotten ones included."""
        sessions = self.tenant.records.sessions
        for session in list(sessions.values()):
            if session.issuer == self.issuer:
                sessions.pop(session.id, None)
