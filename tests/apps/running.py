"""The two applications, running: each served on loopback by a thread, against a LocalTenant."""

import contextlib
import secrets
import threading
from pathlib import Path
from types import SimpleNamespace

from werkzeug.serving import WSGIRequestHandler, make_server

TEMPLATES = Path(__file__).parent / "templates"
CUSTOMERS = {"auth0|ada": "Ada Ferro", "auth0|lin": "Lin Okafor"}


class Quiet(WSGIRequestHandler):
    def log(self, *args):
        pass


class Network:
    """Stands in front of an application; ``client`` is the address it sees every request come from."""

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
    """Serve an application that is put into ``.network.app`` later: its address comes first."""
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
    # Cookies know no ports: two host names keep the applications' apart, as in production.
    with served("localhost") as console, served("127.0.0.1") as shop:
        settings = tenant.settings["console"]
        settings.update(
            callbacks=[console.origin + "/callback"],
            initiate_login_uri=console.origin + "/sign-in",
        )
        settings = tenant.settings["shop"]
        settings.update(
            callbacks=[shop.origin + "/callback"],
            allowed_logout_urls=[shop.origin + "/"],
            initiate_login_uri=shop.origin + "/login",
        )
        from apps.shop import create_app

        shop.network.app = create_app(tenant.shop, secrets.token_hex())
        with own_settings():
            console.network.app = console_app(tenant, shop.origin + "/login", folder)
            yield SimpleNamespace(tenant=tenant, console=console, shop=shop)


@contextlib.contextmanager
def own_settings():
    """Put Django's settings and its applications aside: other tests of the same process may have made some."""
    from django.apps import apps
    from django.conf import settings
    from django.utils.functional import empty

    aside, settings._wrapped = settings._wrapped, empty
    try:
        yield
    finally:
        if apps.stored_app_configs:
            apps.unset_installed_apps()
        settings._wrapped = aside


def console_app(tenant, shop_login_url, folder):
    """Return the console; Django keeps its URLs and its database for a process, so there is one."""
    import django
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    auth0 = tenant.console
    settings.configure(
        ALLOWED_HOSTS=["localhost"],
        AUTH0=auth0,
        AUTH0_METADATA=auth0["domain"] + "/.well-known/openid-configuration",
        AUTHLIB_OAUTH_CLIENTS={
            "auth0": {name: auth0[name] for name in ("client_id", "client_secret")}
        },
        CUSTOMERS=CUSTOMERS,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "console.sqlite3"),
            }
        },
        INSTALLED_APPS=["django.contrib.sessions"],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        ROOT_URLCONF="apps.console",
        SECRET_KEY=secrets.token_hex(),
        SHOP_LOGIN_URL=shop_login_url,
        SIGN_SUBJECT=tenant.subject_token,
        SUBJECT_TOKEN_TYPE=tenant.subject_token_type,
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [str(TEMPLATES)],
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"]
                },
            }
        ],
        USE_TZ=True,
    )
    if apps.ready:
        apps.set_installed_apps(settings.INSTALLED_APPS)
    else:
        django.setup()
    call_command("migrate", verbosity=0)
    return get_wsgi_application()
