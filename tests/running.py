"""The two applications of examples/, each served on loopback, against a LocalTenant."""

import contextlib
import html
import importlib
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from unittest import mock
from urllib.parse import urljoin

import processes
import requests
from werkzeug.serving import WSGIRequestHandler, make_server

EXAMPLES = Path(__file__).parents[1] / "examples"
REASON = "TICKET-4711"


class Quiet(WSGIRequestHandler):
    def log(self, *args):
        pass


class Network:
    """Stands before an application; ``client`` is the address that it then sees."""

    def __init__(self):
        self.app = self.client = None
        #: The path with its query, and the Referer, of each request.
        self.seen = []

    def __call__(self, environ, start_response):
        target = environ["PATH_INFO"] + "?" + environ.get("QUERY_STRING", "")
        self.seen.append((target, environ.get("HTTP_REFERER")))
        if self.client is not None:
            environ["REMOTE_ADDR"] = self.client
        return self.app(environ, start_response)


@contextlib.contextmanager
def served(name):
    """Serve an application that is put into ``.network.app`` later."""
    network = Network()
    server = make_server("127.0.0.1", 0, network, threaded=True, request_handler=Quiet)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}
    )
    thread.start()
    try:
        yield SimpleNamespace(
            network=network, origin=f"http://{name}:{server.server_port}"
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def running(tenant, folder):
    """Run console and shop; ``folder`` is where the console's database goes."""
    # Cookies know no ports: two host names keep them apart, as in production.
    with served("localhost") as console, served("127.0.0.1") as shop:
        settings = tenant.settings[tenant.console["client_id"]]
        settings.update(
            callbacks=[console.origin + "/callback"],
            initiate_login_uri=console.origin + "/sign-in",
        )
        settings = tenant.settings[tenant.shop["client_id"]]
        settings.update(
            callbacks=[shop.origin + "/callback"],
            allowed_logout_urls=[shop.origin + "/"],
            initiate_login_uri=shop.origin + "/login",
        )
        shop.network.app = shop_app(tenant)
        with own_settings():
            console.network.app = console_app(tenant, shop.origin + "/login", folder)
            yield SimpleNamespace(tenant=tenant, console=console, shop=shop)


def shop_app(tenant):
    """Return the shop, which reads its settings once, when it is imported."""
    environ = {
        "SHOP_DOMAIN": tenant.shop["domain"],
        "SHOP_CLIENT_ID": tenant.shop["client_id"],
        "SHOP_CLIENT_SECRET": tenant.shop["client_secret"],
        "SHOP_SCHEME": "http",
        "SHOP_SECRET_KEY": secrets.token_hex(),
    }
    with mock.patch.dict(os.environ, environ):
        return fresh("shop", EXAMPLES / "shop").app


def console_app(tenant, shop_login_url, folder, **more):
    """Return the console. Django keeps settings and URLs: there is one per process."""
    from django.apps import apps
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    environ = {
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "CONSOLE_DOMAIN": tenant.console["domain"],
        "CONSOLE_CLIENT_ID": tenant.console["client_id"],
        "CONSOLE_CLIENT_SECRET": tenant.console["client_secret"],
        "CONSOLE_SCHEME": "http",
        "CONSOLE_SECRET_KEY": secrets.token_hex(),
        "CONSOLE_DATABASE": str(folder / "console.sqlite3"),
        "SUBJECT_TOKEN_TYPE": tenant.subject_token_type,
        "SUBJECT_TOKEN_KEY": tenant.subject_token_key,
        "SHOP_LOGIN_URL": shop_login_url,
    }
    with mock.patch.dict(os.environ, {**environ, **more}):
        fresh("support.console_settings", EXAMPLES / "console")
        settings = fresh("site_settings", EXAMPLES / "console")
    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    if apps.ready:
        apps.set_installed_apps(settings.INSTALLED_APPS)
    application = get_wsgi_application()
    call_command("migrate", verbosity=0)
    call_command("loaddata", "example", verbosity=0)
    return application


def fresh(name, folder):
    """Import a module of an example anew."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    sys.modules.pop(name, None)
    return importlib.import_module(name)


@contextlib.contextmanager
def own_settings():
    """Put aside the settings and applications that other tests gave to Django."""
    from django.apps import apps
    from django.conf import settings
    from django.utils.functional import empty

    aside, settings._wrapped = settings._wrapped, empty
    try:
        with mock.patch.dict(os.environ):
            yield
    finally:
        if apps.stored_app_configs:
            apps.unset_installed_apps()
        settings._wrapped = aside


@contextlib.contextmanager
def started(*arguments, ready, cwd=EXAMPLES.parent, **environ):
    """Run a command of Python's; its lines, up to the one that says it is ready."""
    with processes.started(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONUNBUFFERED": "1",  # what it says goes to a pipe
            **environ,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = [process.stdout.readline()]
        while ready not in lines[-1]:
            assert lines[-1], "".join(lines)
            lines.append(process.stdout.readline())
        # A full pipe would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield lines


def free_ports(count):
    """Return a number of free ports in a row: the first."""
    while True:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
            sockets[0].bind(("127.0.0.1", 0))
            first = sockets[0].getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                for offset, each in enumerate(sockets[1:], 1):
                    each.bind(("127.0.0.1", first + offset))
                return first


class Agent:
    """A person with a browser; ``apps`` has the origins of console and shop."""

    def __init__(self, apps):
        self.apps = apps
        self.web = requests.Session()
        self.web.trust_env = False

    def get(self, url, **kwargs):
        return self.web.get(url, timeout=10, **kwargs)

    def submit(self, answer, form_number=0, follow=True, **fields):
        """Fill a form of a page in and send it."""
        form = re.findall(r"(?s)<form.*?</form>", answer.text)[form_number]
        assert re.search(r'<form method="post"', form), form
        action = html.unescape(re.search(r'action="([^"]+)"', form).group(1))
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
        url = urljoin(answer.url, action)
        return self.web.post(
            url, dict(hidden, **fields), timeout=10, allow_redirects=follow
        )

    def sign_in(self):
        page = self.get(self.apps.console.origin + "/")
        return self.submit(page, username="sam@acme.example", password="password")

    def enter(self, customer=0, follow=True, **fields):
        page = self.get(self.apps.console.origin + "/")
        # The first form signs the agent out.
        return self.submit(page, 1 + customer, follow, **{"reason": REASON, **fields})

    def leave(self):
        """Press the banner's button."""
        return self.submit(self.get(self.apps.shop.origin + "/"))
