"""``python -m auth0_stt demo --serve``: the flow in a browser, and a switch for each way it fails.

Tenant, console and shop run on loopback, each served by a thread; what they say to each other is
kept, masked, in a trail that the console shows as a page.
"""

import copy
import threading
import webbrowser
from types import TracebackType
from typing import Any, Dict, Iterable, List, Optional, Set, Type

from flask import Response, request
from requests import Session
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from ..local_tenant import LocalTenant
from .console import AGENT, console_app
from .shop import shop_app
from .switches import SWITCHES
from .trail import Recorder, Trail

LOOPBACK = "127.0.0.1"
# Where the console's server seems to be (RFC 5737).
SERVER_ADDRESS = "203.0.113.10"


def serve(port: int = 0, open_browser: bool = False) -> int:
    """Serve the playground until interrupted; return the exit code.

    ``port`` is the one of the address to open, a free one by default. A port that is taken ends
    the process with a message, as Werkzeug does it.
    """
    if not 0 <= port <= 65535:
        print("The port must be from 0 to 65535.")
        return 2
    with Playground(port) as playground:
        print(f"The playground is open: {playground.url}", flush=True)
        print("Ctrl-C closes it.", flush=True)
        if open_browser:
            webbrowser.open(playground.url)
        try:
            playground.wait()
        except KeyboardInterrupt:
            print("\nClosed.")
    return 0


class Playground:
    """The three parties, the switches that are on, and the trail of the last click."""

    def __init__(self, port: int = 0) -> None:
        self.tenant: LocalTenant = LocalTenant()
        self.trail: Trail = Trail()
        self.switches: Set[str] = set()
        self.web: Session = Session()
        # A proxy from the environment can't reach this machine's loopback.
        self.web.trust_env = False
        self.web.headers[self.tenant.address_header] = (
            f"{self.tenant.address_secret} {SERVER_ADDRESS}"
        )
        self._port = port
        self._defaults: Dict[str, Any] = {}
        self._servers: List[_Server] = []

    def __enter__(self) -> "Playground":
        self._watch_tenant()
        self.tenant.__enter__()
        try:
            # Cookies know no ports: two host names keep the applications' apart, as in production.
            console, shop = _Server(self._port), _Server(0)
            self._servers = [console, shop]
            self.url: str = f"http://localhost:{console.server_port}/"
            self.shop_url: str = f"http://{LOOPBACK}:{shop.server_port}/"
            self._register()
            shop.start(Recorder(shop_app(self), "Shop", self.trail))
            console.start(Recorder(console_app(self), "Console", self.trail))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop all three."""
        for server in self._servers:
            server.stop()
        self.tenant.__exit__(None, None, None)
        self.web.close()

    def wait(self) -> None:
        """Wait for an interrupt."""
        threading.Event().wait()

    def prepare(self, switches: Iterable[str]) -> None:
        """Make the tenant what it is by default, but for the switches that are on."""
        tenant = self.tenant
        self.switches = {key for key in switches if key in SWITCHES}
        for name, value in self._defaults.items():
            setattr(tenant, name, copy.deepcopy(value) if name != "action" else value)
        # Only for this click, else it would wear the agent's tokens out.
        tenant.clock.advance(-tenant.clock.ahead)
        for key in sorted(self.switches):
            SWITCHES[key].apply(tenant)
        tenant.logs.clear()

    def open_sessions(self) -> List[str]:
        """Return whose sessions are open on the shop's domain."""
        sessions, now = list(self.tenant.records.sessions.values()), self.tenant.clock()
        return [
            one.user_id
            for one in sessions
            if one.issuer == self._issuer and one.expires_at > now
        ]

    @property
    def _issuer(self) -> str:
        return f"{self.tenant.shop['domain']}/"

    def _register(self) -> None:
        settings = self.tenant.settings
        settings["console"].update(
            callbacks=[self.url + "callback"], initiate_login_uri=self.url
        )
        settings["shop"].update(
            callbacks=[self.shop_url + "callback"],
            allowed_logout_urls=[self.shop_url],
            initiate_login_uri=self.shop_url + "login",
        )
        names = ("settings", "connections", "token_exchange_profiles", "action")
        self._defaults = {
            name: copy.deepcopy(getattr(self.tenant, name)) for name in names[:3]
        }
        self._defaults["action"] = self.tenant.action

    def _way_back(self) -> str:
        text = "Playground: every hop, and why"
        return f'<p><a href="{self.url}trail">{text}</a></p>'

    def _watch_tenant(self) -> None:
        app = self.tenant._app
        recorded = Recorder(app.wsgi_app, "Tenant", self.trail)

        def wsgi_app(environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
            delegated = "session_transfer_token=" in environ["QUERY_STRING"]
            if "open-session" not in self.switches or not delegated:
                return recorded(environ, start_response)
            session, sessions = (
                self.tenant.new_session(AGENT, self._issuer, 3600),
                self.tenant.records.sessions,
            )
            sessions[session.id] = session
            environ["HTTP_COOKIE"] = f"{self.tenant.cookie}={session.id}"
            try:
                return recorded(environ, start_response)
            finally:
                del sessions[session.id]

        @app.after_request
        def forget(response: Response) -> Response:
            # Also those of browsers that were closed: there is one visitor.
            if request.path == "/v2/logout":
                sessions = self.tenant.records.sessions
                for session in [
                    session
                    for session in sessions.values()
                    if session.issuer == self._issuer
                ]:
                    sessions.pop(session.id, None)
            return response

        @app.after_request
        def way_back(response: Response) -> Response:
            if response.mimetype == "text/html" and request.path != "/oauth/token":
                page = response.get_data(as_text=True)
                response.set_data(page.replace("</main>", self._way_back() + "</main>"))
            return response

        app.wsgi_app = wsgi_app  # type: ignore[method-assign]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: the trail tells it better."""


class _Server(ThreadedWSGIServer):
    """A server on loopback, whose application comes once its address is known."""

    def __init__(self, port: int) -> None:
        super().__init__(LOOPBACK, port, _not_yet, handler=_Quiet)
        self._thread = threading.Thread(
            target=self.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="auth0-stt playground",
            daemon=True,
        )

    def start(self, app: Any) -> None:
        self.app = app
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()


def _not_yet(environ: Dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("503 Service Unavailable", [])
    return []
