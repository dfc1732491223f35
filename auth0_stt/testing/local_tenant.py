"""LocalTenant: the tenant as a test sees it."""

from functools import cached_property
from typing import Any, Dict, Generic, List, Mapping, Optional, Tuple, TypeVar, Union

from flask import Flask

from .browser import Browser
from .tenant.action import Action
from .tenant.clients import Client
from .tenant.clock import Clock
from .tenant.issue import refresh_token, tokens_for
from .tenant.login import SESSION_LIFETIME
from .tenant.logs import Log
from .tenant.management import SCOPES, management_token
from .tenant.origin import ADDRESS_HEADER
from .tenant.post_login import PostLoginAction
from .tenant.records import Fault, Records, Session
from .tenant.settings import CONSOLE_ID, SHOP_ID, SUBJECT_TOKEN_TYPE, Settings
from .tenant.state import State
from .tenant.tokens import application_key
from .tenant.web.app import tenant_app
from .tenant.web.server import Server
from .tenant.web.tls import Certificates

T = TypeVar("T")

NOT_RUNNING = "The tenant is not running: with LocalTenant() as tenant: ..."


class Part(Generic[T]):
    """A part of the tenant's state, as a member that can be replaced."""

    def __set_name__(self, owner: Any, name: str) -> None:
        self._name = name

    def __get__(self, tenant: "LocalTenant", owner: Any) -> T:
        value: T = getattr(tenant.state, self._name)
        return value

    def __set__(self, tenant: "LocalTenant", value: T) -> None:
        setattr(tenant.state, self._name, value)


class LocalTenant:
    """A tenant on loopback, served by a thread until the ``with`` block ends.

    With the defaults the whole flow works. ``settings``, ``users``, ``organizations``,
    ``connections``, ``token_exchange_profiles``, ``actions`` and ``resource_servers``
    are dicts under Auth0's names. Change them at any time, also in the middle of a
    flow. A name that Auth0 does not have is a ``KeyError`` that suggests the right one.

    ``action`` is the Action of the exchange profile: a function of ``event`` and
    ``api``, both spelled as Auth0 spells them. ``action_secrets`` is its
    ``event.secrets``. ``post_login_action`` is the same for the Post-Login trigger,
    None by default. ``deny_status`` is the HTTP status of ``api.access.deny()``.
    ``clock`` is the tenant's time, ``logs`` what Auth0 would have logged.
    ``delegation_available=False`` makes a tenant whose plan lacks Session Delegation;
    ``token_exchanges_per_second`` limits the custom token exchange, as Auth0 does (4 on
    Professional plans, 15 on Enterprise).

    The console's domain and the shop's are ``localhost`` and ``127.0.0.1``, so that the
    agent's own session does not stop the delegated login.

    ``tls=True`` serves HTTPS, under the certificate authority in ``ca_file``. ``port``
    is a fixed port instead of a free one. ``public_domains`` are two names to use
    instead of those of loopback, for clients that refuse loopback or a port. The names
    must lead to the tenant's port, as ``localhost_names(tenant)`` makes them do, and
    something has to serve HTTPS there: the tenant itself with ``tls=True``, or a proxy.
    """

    subject_token_type: str = SUBJECT_TOKEN_TYPE
    address_header = ADDRESS_HEADER

    settings: Part[Dict[str, Settings]] = Part()
    users: Part[Dict[str, Settings]] = Part()
    organizations: Part[Dict[str, Settings]] = Part()
    connections: Part[Dict[str, Settings]] = Part()
    token_exchange_profiles: Part[Dict[str, Settings]] = Part()
    actions: Part[Dict[str, Settings]] = Part()
    resource_servers: Part[Dict[str, Settings]] = Part()
    action: Part[Action] = Part()
    post_login_action: Part[Optional[PostLoginAction]] = Part()
    action_secrets: Part[Dict[str, str]] = Part()
    delegation_available: Part[bool] = Part()
    token_exchanges_per_second: Part[Optional[int]] = Part()
    deny_status: Part[int] = Part()
    clock: Part[Clock] = Part()
    records: Part[Records] = Part()

    def __init__(
        self,
        tls: bool = False,
        port: int = 0,
        public_domains: Optional[Tuple[str, str]] = None,
    ) -> None:
        self.state: State = State(tls=tls, public_domains=public_domains)
        self._wanted_port = port
        self._server: Optional[Server] = None
        self._certificates: Optional[Certificates] = None
        self._client_certificate: Optional[Tuple[str, str]] = None

    @cached_property
    def _app(self) -> Flask:
        return tenant_app(self.state)

    def __enter__(self) -> "LocalTenant":
        context = None
        if self.state.tls:
            self._certificates = Certificates()
            names = self.public_domains or ()
            context = self._certificates.server_context(*names)
            self.state.ca_file = self._certificates.ca_file
        self._server = Server(self._app, self.state.fault, context, self._wanted_port)
        self.state.port = int(self._server.server_address[1])
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._running.close()
        self._server = None
        if self._certificates is not None:
            self._certificates.close()
            self._certificates = self.state.ca_file = None

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError(NOT_RUNNING)
        return self._server

    @property
    def tls(self) -> bool:
        """Whether it serves HTTPS."""
        return self.state.tls

    @property
    def public_domains(self) -> Optional[Tuple[str, str]]:
        """The console's domain and the shop's, where they are not those of loopback."""
        return self.state.public_domains

    @property
    def subject_token_key(self) -> str:
        """The key of the subject tokens: JWTs with ``sub`` and ``exp``, under HS256."""
        return self.state.subject_tokens.key

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._running.server_address[1])

    @property
    def domain(self) -> str:
        """What to pass as ``domain``: the console's."""
        return str(self.console["domain"])

    @property
    def ca_file(self) -> Optional[str]:
        """Path of the certificate authority to trust, with ``tls=True``."""
        return self.state.ca_file

    @property
    def console(self) -> Dict[str, Any]:
        """The application that mints: ``domain``, ``client_id``, ``client_secret``."""
        return self._application(CONSOLE_ID)

    @property
    def shop(self) -> Dict[str, Any]:
        """The application to enter: ``domain``, ``client_id``, ``client_secret``."""
        return self._application(SHOP_ID)

    def _application(self, client_id: str) -> Dict[str, Any]:
        if not self._server:
            raise RuntimeError(NOT_RUNNING)
        return self.state.application(client_id)

    def agent_tokens(
        self,
        user_id: str = "auth0|sam",
        scope: str = "openid profile email offline_access",
    ) -> Dict[str, Any]:
        """Return what the console holds once an agent has signed in.

        ``id_token``, ``refresh_token``, ``access_token``, ``expires_in``, ``scope``,
        ``token_type``.
        """
        state, client = self.state, Client(CONSOLE_ID, self.settings[CONSOLE_ID])
        session = state.new_session(user_id, state.issuers[0], SESSION_LIFETIME)
        grant = state, client, session, scope
        return {**tokens_for(*grant), **refresh_token(*grant)}

    def subject_token(self, user_id: str, lifetime: float = 300.0) -> str:
        """Return a subject token for the default Action. ``lifetime`` is in seconds."""
        return self.state.subject_tokens.sign(user_id, lifetime)

    @property
    def private_key(self) -> str:
        """A private key in PEM, whose public half is registered for the console."""
        pem = application_key().as_pem(private=False).decode()
        self._register("private_key_jwt", {"credential_type": "public_key", "pem": pem})
        return application_key().as_pem(private=True).decode()

    @property
    def client_certificate(self) -> Tuple[str, str]:
        """A client certificate's path and its key's, registered for the console.

        Needs ``tls=True``. The request goes to ``mtls.localhost``: see
        ``localhost_names``.
        """
        if self._client_certificate is None:
            certificate, key, thumbprint = self.new_certificate("console")
            self._register(
                "self_signed_tls_client_auth", {"thumbprint_sha256": thumbprint}
            )
            self._client_certificate = certificate, key
        return self._client_certificate

    def new_certificate(self, name: str) -> Tuple[str, str, str]:
        """Return a new client certificate's path, its key's path and its thumbprint."""
        if self._certificates is None:
            raise RuntimeError("Client certificates need LocalTenant(tls=True)")
        return self._certificates.client_certificate(name)

    def _register(self, method: str, credential: Dict[str, str]) -> None:
        name, console = "client_authentication_methods", self.settings[CONSOLE_ID]
        console[name] = console.get(name) or {}
        methods = console[name]
        methods.setdefault(method, {"credentials": []})
        credentials = methods[method]["credentials"]
        if credential not in credentials:
            credentials.append(credential)

    @property
    def management_token(self) -> str:
        """An access token that reads all of the Management API below ``/api/v2/``."""
        return self.new_management_token(*SCOPES)

    def new_management_token(self, *scopes: str, lifetime: float = 86400.0) -> str:
        """Return an access token for the Management API with these scopes."""
        return management_token(self.state, list(scopes), lifetime)

    def browser(self, ip: str = "127.0.0.1") -> Browser:
        """Return a browser that keeps its cookies, at an IP address."""
        return Browser(self.state, ip)

    def redeem(self, url: str, ip: str = "127.0.0.1", **kwargs: Any) -> Dict[str, Any]:
        """Follow a redirect URL with a fresh browser; return the claims the shop gets.

        ``scope`` is what the shop asks for.

        Raises:
            RedemptionFailed: ``reason`` says in words why the agent did not get in.
        """
        with self.browser(ip) as browser:
            return browser.redeem(url, **kwargs)

    def fail_next(
        self,
        status: Optional[int] = 503,
        headers: Optional[Mapping[str, str]] = None,
        body: Union[bytes, str] = b"",
        delay: float = 0.0,
        drop: bool = False,
    ) -> None:
        """Make the next request go wrong; called again, the one after it.

        After ``delay`` seconds it gets this answer, its usual one with ``status=None``,
        or, with ``drop``, a closed connection.
        """
        content = body.encode() if isinstance(body, str) else body
        fault = Fault(status, dict(headers or {}), content, delay, drop)
        self.records.faults.append(fault)

    @property
    def logs(self) -> List[Log]:
        """What Auth0 would have logged, oldest first."""
        return self.records.logs

    @property
    def address_secret(self) -> str:
        """What makes the tenant believe ``address_header``."""
        return self.state.address_secret

    @property
    def cookie(self) -> str:
        """Name of the session cookie: ports share cookies, tenants must not."""
        return self.state.cookie

    def new_session(self, user_id: str, issuer: str, lifetime: float) -> Session:
        """Return a session of a user's own on a domain, for so many seconds."""
        return self.state.new_session(user_id, issuer, lifetime)
