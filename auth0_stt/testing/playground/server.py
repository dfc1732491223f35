"""Serves the playground: three ports on loopback, and a tenant for every browser."""

import threading
import webbrowser
from collections import OrderedDict
from typing import Any, Dict, List, Optional
from urllib.parse import urlencode

from attr import attrs
from werkzeug.http import dump_cookie
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from .console import console_app
from .shop import shop_app
from .state import VISITOR_HEADER, Addresses, Visitor
from .trail import Recorder
from .wire import SERVER_ADDRESS, tenant_app

LOOPBACK = "127.0.0.1"
MOST_VISITORS = 20
# Those of the console, the shop and the tenant.
PORTS = 3


def serve(port: int = 0, open_browser: bool = False) -> int:
    """Serve the playground until it is interrupted; return the exit code.

    ``port`` is the console's; the shop has the next one, the tenant the one after it.
    By default they are any free ones. A port that is taken ends the process with a
    message, as Werkzeug does it.
    """
    if port and not 0 < port <= 65536 - PORTS:
        print(f"The port must be from 1 to {65536 - PORTS}.")
        return 2
    try:
        with Playground(port) as playground:
            print(f"The playground is open: {playground.url}", flush=True)
            print("Ctrl-C closes it.", flush=True)
            if open_browser:
                webbrowser.open(playground.url)
            playground.wait()
    except KeyboardInterrupt:
        print("\nClosed.")
    return 0


@attrs(auto_attribs=True, eq=False)
class _Room:
    """A visitor, and the three parties that serve nobody else."""

    visitor: Visitor
    console: Any
    shop: Any
    tenant: Any


class Playground:
    """Three servers. A cookie says which visitor's console, shop and tenant answer."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._servers: List[_Server] = []
        self._rooms: OrderedDict[str, _Room] = OrderedDict()
        self._lock = threading.Lock()

    def __enter__(self) -> "Playground":
        doors = (self._console, self._shop, self._tenant)
        try:
            for number, door in enumerate(doors):
                port = self._port and self._port + number
                self._servers.append(_Server(port, door))
            self.addresses: Addresses = Addresses(
                *[server.server_port for server in self._servers]
            )
            for server in self._servers:
                server.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address to open."""
        return self.addresses.console

    @property
    def cookie(self) -> str:
        """The name of the cookie that tells visitors apart."""
        return f"playground_{self.addresses.console_port}"

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.stop()

    def wait(self) -> None:
        """Wait for an interrupt."""
        threading.Event().wait()

    def visitor(self, visitor_id: str) -> Visitor:
        """Return a visitor by the value of the cookie."""
        return self._rooms[visitor_id].visitor

    def _room(self, visitor_id: Optional[str]) -> Optional[_Room]:
        with self._lock:
            room = self._rooms.get(visitor_id or "")
            if room is not None:
                self._rooms.move_to_end(room.visitor.id)
            return room

    def _new_room(self) -> _Room:
        visitor = Visitor(self.addresses)
        trail, clock = visitor.trail, visitor.tenant.clock
        room = _Room(
            visitor,
            Recorder(console_app(visitor), "Console", trail, clock),
            Recorder(shop_app(visitor), "Shop", trail, clock),
            tenant_app(visitor),
        )
        with self._lock:
            self._rooms[visitor.id] = room
            while len(self._rooms) > MOST_VISITORS:
                self._rooms.popitem(last=False)
        return room

    def _room_of_token(self, token: Optional[str]) -> Optional[_Room]:
        """Return the room in which a session transfer token was minted."""
        with self._lock:
            for room in self._rooms.values():
                if token in room.visitor.tenant.records.session_transfer_tokens:
                    return room
        return None

    def _console(self, environ: Dict[str, Any], start_response: Any) -> Any:
        request, addresses = Request(environ), self.addresses
        if request.method == "GET" and request.host == _loopback(addresses):
            answer = redirect(addresses.console + request.full_path.lstrip("/"))
            return answer(environ, start_response)
        # No page of another name for this machine may read this one.
        if request.host != addresses.console_host:
            return Response("Forbidden", 403)(environ, start_response)
        room = self._room(request.cookies.get(self.cookie)) or self._new_room()
        return self._with_cookie(room, room.console, environ, start_response)

    def _shop(self, environ: Dict[str, Any], start_response: Any) -> Any:
        request, addresses = Request(environ), self.addresses
        if request.host != addresses.shop_host:
            return Response("Forbidden", 403)(environ, start_response)
        room = self._room_of_token(request.args.get("session_transfer_token"))
        room = room or self._room(request.cookies.get(self.cookie))
        if request.path == "/visit":
            room = self._room(request.args.get("visitor"))
            answer: Any = Response("Forbidden", 403)
            if room is not None:
                to = request.args.get("to", "").lstrip("/")
                answer = redirect(addresses.shop + to)
                return self._with_cookie(room, answer, environ, start_response)
            return answer(environ, start_response)
        if room is None:
            # The console knows whose browser this is.
            to = addresses.console + "visit?" + urlencode({"to": request.full_path})
            return redirect(to)(environ, start_response)
        return self._with_cookie(room, room.shop, environ, start_response)

    def _tenant(self, environ: Dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        caller = request.headers.get(VISITOR_HEADER)
        room = self._room(caller or request.cookies.get(self.cookie))
        if room is None:
            text = f"Start at {self.addresses.console}"
            return Response(text, 404)(environ, start_response)
        if caller is not None:
            environ["REMOTE_ADDR"] = SERVER_ADDRESS
        return room.tenant(environ, start_response)

    def _with_cookie(
        self, room: _Room, app: Any, environ: Dict[str, Any], start_response: Any
    ) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            cookie = dump_cookie(
                self.cookie, room.visitor.id, httponly=True, samesite="Lax"
            )
            headers = [*headers, ("Set-Cookie", cookie)]
            return start_response(status, headers, exc_info)

        known = Request(environ).cookies.get(self.cookie) == room.visitor.id
        return app(environ, start_response if known else start)


def _loopback(addresses: Addresses) -> str:
    return f"{LOOPBACK}:{addresses.console_port}"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Stay silent: the trail tells it better."""


class _Server(ThreadedWSGIServer):
    """A server on loopback that starts once the others have their ports, too."""

    def __init__(self, port: int, app: Any) -> None:
        super().__init__(LOOPBACK, port, app, handler=_Quiet)
        self._thread = threading.Thread(
            target=self.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="auth0-stt playground",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.server_close()
