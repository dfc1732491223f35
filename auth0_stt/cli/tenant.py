"""``auth0-stt tenant``: the local tenant in a process of its own."""

import argparse
import socket
import sys
import threading
from typing import Any, Mapping

from .ends import DONE, CommandError

_DESCRIPTION = """\
Serve a tenant on this machine, for applications in any language. It writes what they
need to standard output, as variables for a shell. Ids, secrets and keys are always the
same. It listens on loopback only. Ctrl-C ends it. Needs Python 3.10 and
"auth0-stt[testing]".

It expects the console on PORT + 1 and the shop on PORT + 2: with --port 8400 on
http://localhost:8401 and http://127.0.0.1:8402. Their callback is /callback,
/auth/callback or /oauth2/callback.
"""

_EPILOG = """\
The agent is auth0|sam, the customers are auth0|ada and auth0|lin, and every password is
"password".

example:
  auth0-stt tenant --port 8400 > tenant.env
and in another terminal, for auth0|ada and then for auth0|lin:
  . ./tenant.env
  auth0-stt mint --target-login-url "$SHOP_LOGIN_URL"
  export AUTH0_SUBJECT_TOKEN="$AUTH0_SUBJECT_TOKEN_LIN"
  auth0-stt mint --target-login-url "$SHOP_LOGIN_URL"

The settings file is JSON under the names of Auth0's Management API. It is merged into
the settings that the tenant begins with; a list is replaced as a whole. This one has an
example of each part: a console on port 8000, a shop on port 3000, and so on.
  {"console": {"callbacks": ["http://localhost:8000/callback"]},
   "shop": {"callbacks": ["http://127.0.0.1:3000/callback"],
            "allowed_logout_urls": ["http://127.0.0.1:3000/"],
            "initiate_login_uri": "http://127.0.0.1:3000/login",
            "session_transfer": {"delegation": {"allow_delegated_access": false}}},
   "tenant": {"guardian_policies": ["all-applications"]},
   "users": {"auth0|kim": {"email": "kim@example.com", "password": "password"},
             "auth0|sam": {"app_metadata": {"support": {"customers": ["auth0|ada"]}}}},
   "organizations": {"org_acme": {"members": ["auth0|sam", "auth0|kim"]}},
   "connections": {"con_acme": {"enabled_clients": ["console", "shop"]}},
   "resource_servers": {"https://api.acme.example/": {"token_lifetime": 3600}},
   "token_exchange_profiles": {"tep_acme": {"name": "Enter an account"}},
   "actions": {"act_enter_customer": {"name": "Enter an account"}}}
"shop" is an application's client id; a new one needs "client_id" in it. The others are
tables: by user id; by id or name; profiles by id, name or subject token type. A list
of objects, as the API returns it, does as well.
"""


def add_parser(commands: Any) -> None:
    """Add the command ``tenant``."""
    parser = commands.add_parser(
        "tenant",
        help="serve a tenant on this machine",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=_run)
    parser.add_argument(
        "--port", type=int, default=8400, help="8400 by default; 0 takes a free one"
    )
    parser.add_argument(
        "--tls",
        action="store_true",
        help="serve HTTPS, under a certificate authority that is made for this run",
    )
    parser.add_argument(
        "--settings", metavar="FILE", help="settings to change, in JSON"
    )


def _run(options: argparse.Namespace) -> int:
    from ..testing.settings_file import SettingsError
    from ..testing.standalone import standalone_tenant, write_environment

    port = options.port or _free_port()
    settings = _settings(options.settings) if options.settings else {}
    _check_port(port)
    try:
        tenant = standalone_tenant(port, options.tls, settings)
    except SettingsError as error:
        raise CommandError(f"--settings {options.settings}: {error}") from None
    try:
        with tenant:
            write_environment(tenant, sys.stdout)
            print(f"The tenant listens on {tenant.domain}", file=sys.stderr)
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return DONE


def _settings(path: str) -> Mapping[str, Any]:
    from ..testing.settings_file import load_settings

    try:
        return load_settings(path)
    except (OSError, ValueError) as error:
        raise CommandError(f"--settings {path}: {error}") from None


def _check_port(port: int) -> None:
    if not 0 < port <= 65533:
        raise CommandError("--port must be from 0 to 65533")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            text = f"--port {port}: {error.strerror}"
            raise CommandError(text, "port_unavailable") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
