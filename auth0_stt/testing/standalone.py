"""A tenant in a separate process: what ``auth0-stt tenant`` serves.

Its ids, secrets and keys are always the same: applications in other terminals have to
be set up only once, and a token stays valid when the tenant starts anew. It writes
these variables to standard output, ready for a shell:

======================================  ==============================================
``AUTH0_DOMAIN``                        the console's domain, for the library and its
                                        command line; with scheme and port
``AUTH0_CLIENT_ID``                     ``console``
``AUTH0_CLIENT_SECRET``                 the console's secret
``AUTH0_SUBJECT_TOKEN_TYPE``            what picks the exchange profile
``AUTH0_SUBJECT_TOKEN``                 names Ada, for a day
``AUTH0_SUBJECT_TOKEN_LIN``             names Lin; there is one for each customer
``AUTH0_ACTOR_TOKEN``                   Sam's ID token, for ten hours
``AUTH0_MANAGEMENT_TOKEN``              reads the Management API, for ``doctor``
``CONSOLE_DOMAIN``                      the same three once more, under the names that
``CONSOLE_CLIENT_ID``                   the example console has
``CONSOLE_CLIENT_SECRET``
``CONSOLE_SCHEME``                      ``http``: the console needs no HTTPS, so its
                                        cookies must not be limited to it
``SUBJECT_TOKEN_TYPE``                  what picks the exchange profile
``SUBJECT_TOKEN_KEY``                   the key of the subject tokens: JWTs with ``sub``
                                        and ``exp``, HS256
``SHOP_DOMAIN``                         the shop's domain
``SHOP_CLIENT_ID``                      ``shop``
``SHOP_CLIENT_SECRET``                  the shop's secret
``SHOP_SCHEME``                         ``http``, as for the console
``SHOP_LOGIN_URL``                      the shop's ``initiate_login_uri``
======================================  ==============================================

With TLS also ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` and ``NODE_EXTRA_CA_CERTS``, all
three the path of the certificate authority.

The console may be at ``http://localhost:{port + 1}`` and the shop at
``http://127.0.0.1:{port + 2}``, each with its callback at ``/callback``,
``/auth/callback`` or ``/oauth2/callback``; a settings file may say otherwise.
"""

import re
import shlex
from typing import Any, Dict, Mapping, TextIO

from .local_tenant import LocalTenant
from .settings_file import apply
from .tenant.settings import CONSOLE_ID, SHOP_ID

SECRETS = {
    CONSOLE_ID: "console-secret-of-the-local-tenant",
    SHOP_ID: "shop-secret-of-the-local-tenant",
}
SUBJECT_TOKEN_KEY = "subject-token-key-of-the-local-tenant"
CALLBACKS = ("/callback", "/auth/callback", "/oauth2/callback")
AGENT, CUSTOMER = "auth0|sam", "auth0|ada"
DAY = 24 * 60 * 60.0


def standalone_tenant(port: int, tls: bool, settings: Mapping[str, Any]) -> LocalTenant:
    """Return a tenant with fixed ids and secrets, not yet running.

    ``settings`` come from a settings file, see :mod:`.settings_file`. They are merged
    into the defaults.

    Raises:
        SettingsError: Auth0 has no such name, or the value is of the wrong type.
    """
    tenant = LocalTenant(tls=tls, port=port)
    state = tenant.state
    state.subject_tokens.key = SUBJECT_TOKEN_KEY
    for client_id, secret in SECRETS.items():
        tenant.settings[client_id]["client_secret"] = secret
    origins = {CONSOLE_ID: f"http://localhost:{port + 1}"}
    origins[SHOP_ID] = f"http://127.0.0.1:{port + 2}"
    for client_id, origin in origins.items():
        tenant.settings[client_id].update(
            callbacks=[origin + path for path in CALLBACKS],
            allowed_logout_urls=[origin, origin + "/"],
            initiate_login_uri=origin + "/login",
        )
    apply(state, settings)
    kinds = list(state.token_exchange_profiles)
    if tenant.subject_token_type not in kinds:
        tenant.subject_token_type = kinds[0]
    return tenant


def environment(tenant: LocalTenant) -> Dict[str, str]:
    """Return the variables that tell applications of a running tenant."""
    console, shop = tenant.console, tenant.shop
    variables = {f"AUTH0_{name.upper()}": value for name, value in console.items()}
    variables.update(
        AUTH0_SUBJECT_TOKEN_TYPE=tenant.subject_token_type,
        AUTH0_SUBJECT_TOKEN=tenant.subject_token(CUSTOMER, DAY),
        AUTH0_ACTOR_TOKEN=tenant.agent_tokens()["id_token"],
        AUTH0_MANAGEMENT_TOKEN=tenant.management_token,
    )
    for prefix, application in (("CONSOLE_", console), ("SHOP_", shop)):
        for name, value in application.items():
            variables[prefix + name.upper()] = value
        variables[prefix + "SCHEME"] = "http"
    for user_id in tenant.users:
        if user_id != AGENT:
            token = tenant.subject_token(user_id, DAY)
            variables["AUTH0_SUBJECT_TOKEN_" + _in_capitals(user_id)] = token
    variables.update(
        SUBJECT_TOKEN_TYPE=tenant.subject_token_type,
        SUBJECT_TOKEN_KEY=tenant.subject_token_key,
        SHOP_LOGIN_URL=str(tenant.settings[SHOP_ID].get("initiate_login_uri")),
    )
    if tenant.ca_file is not None:
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
            variables[name] = tenant.ca_file
    return variables


def write_environment(tenant: LocalTenant, stream: TextIO) -> None:
    """Write the variables so that a shell takes them."""
    remarks = {"AUTH0_ACTOR_TOKEN": AGENT, "AUTH0_SUBJECT_TOKEN": CUSTOMER}
    for user_id in tenant.users:
        remarks["AUTH0_SUBJECT_TOKEN_" + _in_capitals(user_id)] = user_id
    remarks["SUBJECT_TOKEN_KEY"] = "signs subject tokens: JWTs, HS256, sub and exp"
    for name, value in environment(tenant).items():
        remark = f"  # {remarks[name]}" if name in remarks else ""
        print(f"export {name}={shlex.quote(str(value))}{remark}", file=stream)
    stream.flush()


def _in_capitals(user_id: str) -> str:
    """Return what a variable for a user is called: LIN for auth0|lin."""
    return re.sub(r"\W+", "_", user_id.rpartition("|")[2], flags=re.ASCII).upper()
