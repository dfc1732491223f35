"""The one HTTP request that this package makes: POST a form, read a small answer.

It goes through ``Session.send`` of requests, where tracers and mocks look for it. Below
that are our connections or, if the caller gives a session, its adapters. Proxies and CA
bundles are found as requests finds them, but no redirect is followed, no cookie kept,
no ``.netrc`` read.
"""

from __future__ import annotations

import atexit
import io
import os
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import urlencode, urlsplit

from requests import PreparedRequest, Response, utils
from requests import Session as Session  # other modules import it from here
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.exceptions import InvalidProxyURL
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import HTTPSConnectionPool

from .connections import PROXY_PORTS, Call, Connection, Reply, Route
from .failures import CAUGHT, failure
from .own_session import checked_adapter, read_reply, with_session_headers

_LONGEST_IDLE = 30.0  # seconds: NATs forget an idle connection silently
_MOST_IDLE = 256  # connections that are kept; more can be in use


def post_form(
    url: str,
    form: Mapping[str, Any],
    headers: Mapping[str, str],
    timeout: float,
    session: Optional[Session] = None,
    certificate: Optional[Tuple[str, str]] = None,
) -> Reply:
    """POST a form once and return the answer, within ``timeout`` seconds.

    Raises :class:`TransportError`, :class:`UnusableAnswerError`, or, for a session that
    can't be used, :class:`InvalidArgumentError`. Other exceptions pass through.
    """
    outer = sys.exc_info()[1]
    call = Call(urlsplit(url).netloc, timeout)
    try:
        sender = _session
        if session is not None:
            adapter = session.get_adapter(url)
            sender = _Session(checked_adapter(adapter, certificate is not None))
            headers = with_session_headers(headers, session)
        settings = _settings(url, session or _session, certificate)
        settings["timeout"] = call if session is None else call.left()
        request = PreparedRequest()  # by hand: the usual way reads .netrc
        request.method, request.url = "POST", url
        request.body = urlencode(form, doseq=True).encode("ascii")
        request.headers = CaseInsensitiveDict(headers)
        request.headers["Content-Length"] = str(len(request.body))
        call.sent = True  # our own adapter, which knows better, sets it to False first
        response = sender.send(request, stream=True, allow_redirects=False, **settings)
        with response:
            return read_reply(response, sender.adapter, call)
    except CAUGHT as error:
        # No "from": a name for it here would keep it, and the socket, in a cycle.
        raise failure(error, call, outer)  # noqa: B904


def _settings(url: str, session: Session, certificate: Any) -> Dict[str, Any]:
    """Return the settings of a session and the environment, as Session.request does."""
    verify, proxies = session.verify, {}
    if session.trust_env and verify is True:
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        verify = next(filter(None, map(os.environ.get, names)), True)
    if url.startswith("https:"):  # else a proxy could read the form
        proxies = dict(session.proxies or {})
        chosen = utils.select_proxy(url, proxies) if proxies else None
        if session.trust_env and chosen is None:
            # requests reads the environment twice. Windows and macOS have more places.
            elsewhere = sys.platform in ("win32", "darwin")
            if elsewhere or "_proxy" in " ".join(os.environ).lower():
                proxies = utils.get_environ_proxies(url, proxies.get("no_proxy"))
        try:
            parts = urlsplit((proxies and utils.select_proxy(url, proxies)) or "")
            odd = parts.scheme.startswith("socks") and parts.scheme not in PROXY_PORTS
            if odd and parts.netloc:
                raise ValueError  # before urllib3 raises one
        except ValueError:  # whose message may show the password
            raise InvalidProxyURL from None
    return {"verify": verify, "cert": certificate or session.cert, "proxies": proxies}


class _Session(Session):
    """A session that follows, stores and adds nothing, over one adapter."""

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self.adapter = adapter

    def get_adapter(self, url: Any) -> BaseAdapter:
        return self.adapter

    def get_redirect_target(self, resp: Response) -> None:
        """Return None: requests would read the whole body of a redirect."""


_ORIGINAL_SEND = HTTPAdapter.send  # what it is unless a mock replaces it


class _Adapter(HTTPAdapter):
    """An adapter over :class:`Connection`."""

    def send(self, request: Any, *args: Any, **settings: Any) -> Response:
        """Send a request whose ``timeout`` is a Call."""
        # For mocks: responses replaces the method, VCR.py the class of connections.
        known = issubclass(HTTPSConnectionPool.ConnectionCls, HTTPConnection)
        if HTTPAdapter.send is not _ORIGINAL_SEND or not known:
            return super().send(request, *args, **settings)
        call, url, verify = settings["timeout"], request.url, settings["verify"]
        call.sent = False
        if verify is True:
            verify = utils.extract_zipped_paths(utils.DEFAULT_CA_BUNDLE_PATH)
        paths = [verify, *(settings["cert"] or ())] if url.startswith("https:") else []
        files = tuple((path, os.stat(path).st_mtime_ns) for path in paths)
        proxy = settings["proxies"] and utils.select_proxy(url, settings["proxies"])
        route = Route(url, files, proxy or None, os.getpid())
        connection = _take_idle(route, call) or Connection.open(route, call)
        try:
            reply = connection.post(request.headers, request.body)
        finally:  # after an exception it is not reusable
            if connection.reusable and len(_idle) < _MOST_IDLE:
                _idle.append(connection)
            else:
                connection.end()
        response = Response()
        response.status_code, response.raw = reply.status, io.BytesIO(reply.body)
        response.headers = reply.headers  # type: ignore[assignment]
        response.request, response.url = request, url
        return response


_session = _Session(_Adapter())

#: A list's methods take no lock in Python code. urllib3's pool is a queue, whose lock
#: an exception from a signal handler can leave taken forever.
_idle: List[Connection] = []


def _take_idle(route: Route, call: Call) -> Optional[Connection]:
    """Return an idle connection that is quiet, if any. End those idle for too long."""
    old = time.monotonic() - _LONGEST_IDLE
    while True:
        found = (c for c in reversed(_idle.copy()) if c.used <= old or c.route == route)
        connection = next(found, None)
        if connection is None:
            return None
        try:
            _idle.remove(connection)
        except ValueError:  # another thread has it already
            continue
        try:
            if connection.used > old and connection.is_quiet(call):
                return connection
        except BaseException:
            connection.end()
            raise
        connection.end()


def _end_idle() -> None:
    """End all idle connections: at exit, and in a forked child."""
    with suppress(IndexError):  # there are no more
        while True:
            _idle.pop().end()


atexit.register(_end_idle)
with suppress(AttributeError):  # Windows has no forks
    # A route's process id is not enough: in a new namespace a child's may be the same.
    os.register_at_fork(after_in_child=_end_idle)
