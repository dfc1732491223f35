"""What is set up in the tenant, under the names of Auth0's Management API.

Everything here is a dict for a test to change: ``tenant.settings[client_id]`` for an
application, ``tenant.settings["tenant"]`` for what holds everywhere, ``tenant.users``,
``tenant.organizations``, ``tenant.connections``, ``tenant.resource_servers``,
``tenant.token_exchange_profiles`` and ``tenant.actions``. A name that Auth0 does not
have is a ``KeyError`` that suggests the right one.
"""

import secrets
from typing import Any, Dict, Optional

from . import names

CONSOLE_ID = "console"
SHOP_ID = "shop"
SUBJECT_TOKEN_TYPE = "urn:acme:customer"
CONNECTION = "Username-Password-Authentication"
CONNECTION_ID = "con_acme"
ACTION_ID = "act_enter_customer"
PASSWORD = "password"
TENANT_NAME = "local"
# Of whatever was created before the tenant came up.
CREATED_AT = "2026-01-05T09:00:00.000Z"

Settings = Dict[str, Any]

# What the default Action does, as Auth0 would have it.
ACTION_CODE = """\
exports.onExecuteCustomTokenExchange = async (event, api) => {
  const agent = event.transaction.actor_token_user;
  const customer = await verify(event.transaction.subject_token, event.secrets);
  if (!customer) {
    api.access.rejectInvalidSubjectToken("The subject token is not valid.");
    return;
  }
  api.authentication.setUserById(customer);
  if (agent) {
    api.authentication.setActor({ sub: agent.user_id });
  } else if (event.resource_server.identifier.endsWith(":session_transfer")) {
    console.log("Nobody acts, so Auth0 will issue no session transfer token.");
  }
};
"""


def lookup(settings: Settings, path: str) -> Any:
    """Return the setting at a dotted path, None where any part of it is missing."""
    value: Any = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def default_settings() -> Settings:
    """Return the settings of the tenant and its applications. Everything works."""
    console = application(CONSOLE_ID, "Support console", "https://console.example.com")
    console.update(
        is_token_endpoint_ip_header_trusted=True,
        token_exchange={"allow_any_profile_of_type": ["custom_authentication"]},
        session_transfer={"can_create_session_transfer_token": True},
        client_authentication_methods={},
    )
    shop = application(SHOP_ID, "Shop", "https://shop.example.com")
    shop.update(
        session_transfer={
            "can_create_session_transfer_token": False,
            "allowed_authentication_methods": ["cookie", "query"],
            "delegation": {
                "allow_delegated_access": True,
                "enforce_device_binding": "ip",
            },
        },
        require_pushed_authorization_requests=False,
    )
    return clients({CONSOLE_ID: console, SHOP_ID: shop, "tenant": _tenant()})


def clients(values: Settings) -> Settings:
    """Return the settings of applications by their ids, and of the tenant."""
    schema = {"tenant": names.TENANT, "*": names.CLIENT}
    return names.Named(schema, values, "settings")


def _tenant() -> Settings:
    return {
        "friendly_name": "Local tenant",
        "allowed_logout_urls": [],
        # Off on Auth0 unless switched on. An organization may then be named, too.
        "allow_organization_name_in_authentication_api": True,
        "skip_non_verifiable_callback_uri_confirmation_prompt": None,
        # ["all-applications"] asks everyone for a second factor.
        "guardian_policies": [],
        "suspicious_ip_throttling": {
            "enabled": True,
            "shields": ["admin_notification", "block"],
            "allowlist": [],
            "stage": {
                "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600000},
            },
        },
        # None: that of the shop. []: console and shop share the canonical one.
        "custom_domains": None,
    }


def application(client_id: str, name: str, origin: str) -> Settings:
    return {
        "client_id": client_id,
        "tenant": TENANT_NAME,
        "client_secret": secrets.token_urlsafe(32),
        "name": name,
        "app_type": "regular_web",
        "oidc_conformant": True,
        # False asks the user for consent, which a delegated login cannot give.
        "is_first_party": True,
        "callbacks": [origin + "/callback"],
        "allowed_logout_urls": [origin + "/"],
        "initiate_login_uri": origin + "/login",
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        # None: no client secret is accepted; else both ways of sending one are.
        "token_endpoint_auth_method": "client_secret_post",
        "is_token_endpoint_ip_header_trusted": False,
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
        "organization_usage": "allow",
        # Unset on Auth0. The applications of a local tenant are on loopback.
        "skip_non_verifiable_callback_uri_confirmation_prompt": True,
    }


def default_users() -> Settings:
    """Return the agent and two customers."""
    people = (
        ("auth0|sam", "sam@acme.example", "Sam Rivers"),
        ("auth0|ada", "ada@example.com", "Ada Ferro"),
        ("auth0|lin", "lin@example.com", "Lin Okafor"),
    )
    users = {user_id: user(user_id, email, name) for user_id, email, name in people}
    return names.table(names.USER, users, "users")


def user(user_id: str, email: Optional[str], name: Optional[str]) -> Settings:
    """Return a user of the one connection."""
    return {
        "user_id": user_id,
        "email": email,
        "email_verified": True,
        "name": name,
        "password": PASSWORD,
        "blocked": False,
        "connection": CONNECTION,
        "app_metadata": {},
        "user_metadata": {},
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
    }


def default_organizations() -> Settings:
    """Return two organizations with one customer each."""
    members = {"acme": ["auth0|sam", "auth0|ada"], "globex": ["auth0|lin"]}
    organizations = {
        f"org_{name}": {
            "id": f"org_{name}",
            "name": name,
            "display_name": name.capitalize(),
            "metadata": {},
            "members": users,
            "enabled_connections": [CONNECTION_ID],
        }
        for name, users in members.items()
    }
    return names.table(names.ORGANIZATION, organizations, "organizations")


def default_connections() -> Settings:
    """Return the one connection all users come from."""
    connection = {
        "id": CONNECTION_ID,
        "name": CONNECTION,
        "strategy": "auth0",
        "enabled_clients": [CONSOLE_ID, SHOP_ID],
        "options": {},
        "realms": [CONNECTION],
        "is_domain_connection": False,
    }
    return names.table(names.CONNECTION, {CONNECTION: connection}, "connections")


def default_profiles() -> Settings:
    """Return the one exchange profile, by the subject token type that picks it."""
    profile = {
        "id": "tep_acme",
        "name": "Enter a customer's account",
        "type": "custom_authentication",
        "subject_token_type": SUBJECT_TOKEN_TYPE,
        "action_id": ACTION_ID,
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
    }
    where = "token_exchange_profiles"
    return names.table(names.PROFILE, {SUBJECT_TOKEN_TYPE: profile}, where)


def default_actions() -> Settings:
    """Return the document of the one Action. Its code is for reading only."""
    version = {
        "id": "ver_1",
        "action_id": ACTION_ID,
        "code": ACTION_CODE,
        "dependencies": [],
        "deployed": True,
        "runtime": "node22",
        "secrets": [],
        "status": "built",
        "number": 1,
        "built_at": CREATED_AT,
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
    }
    action = {
        "id": ACTION_ID,
        "name": "Enter a customer's account",
        "supported_triggers": [{"id": "custom-token-exchange", "version": "v1"}],
        "all_changes_deployed": True,
        "code": ACTION_CODE,
        "dependencies": [],
        "runtime": "node22",
        "secrets": [],
        "status": "built",
        "deployed_version": version,
        "built_at": CREATED_AT,
        "created_at": CREATED_AT,
        "updated_at": CREATED_AT,
    }
    return names.table(names.ACTION, {ACTION_ID: action}, "actions")


def default_resource_servers() -> Settings:
    """Return the APIs for which ordinary access tokens can be had, by identifier."""
    identifier = "https://api.acme.example/"
    api = {
        "id": "rs_acme",
        "name": "Acme API",
        "identifier": identifier,
        "scopes": [{"value": "read", "description": "Read"}],
        "signing_alg": "RS256",
        "token_lifetime": 86400,
        "allow_offline_access": True,
        "skip_consent_for_verifiable_first_party_clients": True,
    }
    where = "resource_servers"
    return names.table(names.RESOURCE_SERVER, {identifier: api}, where)
