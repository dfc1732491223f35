"""LocalTenant: the tenant as a test sees it."""

import hmac
import secrets
from types import SimpleNamespace
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from flask import Flask, has_request_context, request

from . import settings
from .action import Action, DefaultAction
from .app import SESSION_LIFETIME, tenant_app
from .clients import Client
from .clock import Clock
from .grants import IdTokens, TokenGenerator
from .records import Fault, Log, Records, Session, parse_ip
from .redemption import Browser
from .server import Server
from .signing import SubjectTokens, application_key
from .tls import Certificates


class LocalTenant:
    """A tenant on a free loopback port, served by a thread until the ``with`` block ends.

    With the defaults the whole flow works. ``settings``, ``users``, ``organizations``,
    ``connections``, ``token_exchange_profiles`` and ``resource_servers`` are dicts and lists to
    change at will, also in the middle of a flow; ``action`` is the Action of the one exchange
    profile, ``clock`` the time the tenant goes by, ``logs`` what Auth0 would have logged.

    The console's domain and the shop's are two custom domains of the one tenant (``localhost``
    and ``127.0.0.1``), so that the agent's own session does not stop the delegated login.

    ``tls=True`` serves HTTPS under a certificate authority of its own, in ``ca_file``.
    """

    subject_token_type = settings.SUBJECT_TOKEN_TYPE
    address_header = "Local-Tenant-Address"

    def __init__(self, tls: bool = False) -> None:
        self.tls = tls
        self.clock: Clock = Clock()
        self.settings: Dict[str, settings.Settings] = settings.default_settings()
        self.users: Dict[str, settings.Settings] = settings.default_users()
        self.organizations: Dict[str, settings.Settings] = (
            settings.default_organizations()
        )
        self.connections: Dict[str, settings.Settings] = settings.default_connections()
        self.token_exchange_profiles: Dict[str, settings.Settings] = (
            settings.default_profiles()
        )
        self.resource_servers: List[str] = settings.default_resource_servers()
        self.records: Records = Records()
        self.address_secret: str = secrets.token_urlsafe(32)
        self._subject_tokens = SubjectTokens(self.clock)
        self.action: Action = DefaultAction(self._subject_tokens)
        self._server: Optional[Server] = None
        self._certificates: Optional[Certificates] = None
        self._client_certificate: Optional[Tuple[str, str]] = None
        self._app: Flask = tenant_app(self)

    def __enter__(self) -> "LocalTenant":
        if self.tls:
            self._certificates = Certificates()
        context = self._certificates.server_context() if self._certificates else None
        self._server = Server(self._app, context)
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self._running.close()
        self._server = None
        if self._certificates is not None:
            self._certificates.close()
            self._certificates = None

    @property
    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError(
                "The tenant is not running: with LocalTenant() as tenant: ..."
            )
        return self._server

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._running.server_address[1])

    @property
    def domain(self) -> str:
        """What to pass as ``domain``: the console's."""
        return self._domain("localhost")

    @property
    def ca_file(self) -> Optional[str]:
        """Path of the certificate authority to trust, with ``tls=True``."""
        return self._certificates.ca_file if self._certificates else None

    @property
    def console(self) -> Dict[str, Any]:
        """The application that mints: ``domain``, ``client_id``, ``client_secret``."""
        return self._application(settings.CONSOLE_ID, self.domain)

    @property
    def shop(self) -> Dict[str, Any]:
        """The application that is entered: ``domain``, ``client_id``, ``client_secret``."""
        return self._application(settings.SHOP_ID, self._domain("127.0.0.1"))

    def _domain(self, name: str) -> str:
        return "{}{}:{}".format("" if self.tls else "http://", name, self.port)

    def _application(self, client_id: str, domain: str) -> Dict[str, Any]:
        secret = self.settings[client_id].get("client_secret")
        return {"domain": domain, "client_id": client_id, "client_secret": secret}

    def agent_tokens(
        self,
        user_id: str = "auth0|sam",
        scope: str = "openid profile email offline_access",
    ) -> Dict[str, Any]:
        """Return what the console holds once an agent has signed in.

        ``id_token``, ``refresh_token``, ``access_token``, ``expires_in``, ``scope``,
        ``token_type``.
        """
        client = self.client(settings.CONSOLE_ID)
        issuer = f"{self._scheme}://localhost:{self.port}/"
        session = self.new_session(user_id, issuer, SESSION_LIFETIME)
        with self._app.app_context():
            token = TokenGenerator(self)("authorization_code", client, session, scope)
        signed_in = SimpleNamespace(
            client=client, user=session, authorization_code=None
        )
        token["id_token"] = IdTokens(self).encode_id_token(token, signed_in)
        return dict(token)

    def subject_token(self, user_id: str, lifetime: float = 300.0) -> str:
        """Return a subject token that the default Action understands, for so many seconds."""
        return self._subject_tokens.sign(user_id, lifetime)

    @property
    def private_key(self) -> str:
        """A private key in PEM, whose public half is registered for the console."""
        pem = application_key().as_pem(private=False).decode()
        self._register("private_key_jwt", {"credential_type": "public_key", "pem": pem})
        return application_key().as_pem(private=True).decode()

    @property
    def client_certificate(self) -> Tuple[str, str]:
        """A client certificate's path and its key's, registered for the console.

        Needs ``tls=True``. The request goes to ``mtls.localhost``: see ``localhost_names``.
        """
        if self._client_certificate is None:
            certificate, key, thumbprint = self.new_certificate("console")
            self._register(
                "self_signed_tls_client_auth", {"thumbprint_sha256": thumbprint}
            )
            self._client_certificate = certificate, key
        return self._client_certificate

    def new_certificate(self, name: str) -> Tuple[str, str, str]:
        """Return another client certificate: its path, its key's path and its thumbprint."""
        if self._certificates is None:
            raise RuntimeError("Client certificates need LocalTenant(tls=True)")
        return self._certificates.client_certificate(name)

    def _register(self, method: str, credential: Dict[str, str]) -> None:
        console = self.settings[settings.CONSOLE_ID]
        methods = console["client_authentication_methods"] = (
            console.get("client_authentication_methods") or {}
        )
        credentials = methods.setdefault(method, {}).setdefault("credentials", [])
        if credential not in credentials:
            credentials.append(credential)

    def browser(self, ip: str = "127.0.0.1") -> Browser:
        """Return a browser that keeps its cookies, at an IP address."""
        return Browser(self, ip)

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

        After ``delay`` seconds it gets this answer, its usual one with ``status=None``, or,
        with ``drop``, a closed connection.
        """
        fault = Fault(
            status,
            dict(headers or {}),
            body.encode() if isinstance(body, str) else body,
            delay,
            drop,
        )
        self._running.faults.append(fault)

    @property
    def logs(self) -> List[Log]:
        """What Auth0 would have logged, oldest first."""
        return self.records.logs

    def log(
        self,
        type: str,  # noqa: A002
        description: str,
        client_id: Optional[str] = None,
        user_id: Optional[str] = None,
        details: Optional[Dict[str, Any]] = None,
    ) -> None:
        """Add an entry to ``logs``."""
        ip, hostname = (
            (self.address(), self.host()) if has_request_context() else (None, None)
        )
        entry = Log(
            type,
            description,
            self.clock(),
            client_id,
            user_id,
            ip,
            hostname,
            details or {},
        )
        self.records.logs.append(entry)

    def client(self, client_id: str) -> Optional[Client]:
        """Return an application by its id."""
        found = None if client_id == "tenant" else self.settings.get(client_id)
        return None if found is None else Client(client_id, found)

    def active_user(self, user_id: str) -> Optional[settings.Settings]:
        """Return a user by id, None for one who is unknown or blocked."""
        user = self.users.get(user_id)
        return None if user is None or user.get("blocked") else user

    def new_session(self, user_id: str, issuer: str, lifetime: float) -> Session:
        """Return a session of a user's own on a domain, for so many seconds."""
        now = self.clock()
        return Session(secrets.token_urlsafe(), user_id, issuer, now, now + lifetime)

    def wants_mfa(self) -> bool:
        """Return whether everybody needs a second factor."""
        return bool(settings.lookup(self.settings, "tenant.guardian_policies"))

    @property
    def _scheme(self) -> str:
        return "https" if self.tls else "http"

    @property
    def cookie(self) -> str:
        """Name of the session cookie: ports share cookies, tenants must not."""
        return f"auth0_{self.port}"

    def hosts(self) -> List[str]:
        """Return the domains that the tenant answers for."""
        names = ["localhost", "127.0.0.1"] + (["mtls.localhost"] if self.tls else [])
        return [f"{name}:{self.port}" for name in names]

    def issuers(self) -> List[str]:
        """Return the issuers of its tokens, one for each custom domain."""
        names = ("localhost", "127.0.0.1")
        return [f"{self._scheme}://{name}:{self.port}/" for name in names]

    def host(self) -> str:
        """Return the custom domain of the current request."""
        host = request.host
        return host[len("mtls.") :] if host.startswith("mtls.") else host

    def issuer(self) -> str:
        """Return the issuer for the current request."""
        return f"{self._scheme}://{self.host()}/"

    def address(self) -> str:
        """Return the IP address of the current request; a ``Browser`` may have another."""
        secret, _, ip = request.headers.get(self.address_header, "").partition(" ")
        if hmac.compare_digest(secret.encode(), self.address_secret.encode()):
            return parse_ip(ip) or ip
        return str(request.remote_addr)
