"""What is set up in the tenant, under the names of Auth0's Management API.

Everything here is a plain dict for a test to change: ``tenant.settings[client_id]`` for an
application, ``tenant.settings["tenant"]`` for what holds everywhere, ``tenant.users``,
``tenant.organizations``, ``tenant.connections``, ``tenant.resource_servers`` and
``tenant.token_exchange_profiles``.
"""

import secrets
from typing import Any, Dict, List

CONSOLE_ID = "console"
SHOP_ID = "shop"
SUBJECT_TOKEN_TYPE = "urn:acme:customer"
CONNECTION = "Username-Password-Authentication"
PASSWORD = "password"

Settings = Dict[str, Any]


def lookup(settings: Settings, path: str) -> Any:
    """Return the setting at a dotted path, None where any part of it is missing."""
    value: Any = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def default_settings() -> Dict[str, Settings]:
    """Return the settings of the tenant and its two applications, with which all works."""
    console = _application(CONSOLE_ID, "Support console", "https://console.example.com")
    console.update(
        is_token_endpoint_ip_header_trusted=True,
        token_exchange={"allow_any_profile_of_type": ["custom_authentication"]},
        session_transfer={"can_create_session_transfer_token": True},
        client_authentication_methods={},
    )
    shop = _application(SHOP_ID, "Shop", "https://shop.example.com")
    shop.update(
        session_transfer={
            "can_create_session_transfer_token": False,
            "allowed_authentication_methods": ["cookie", "query"],
            "delegation": {"allow_delegated_access": True},
        },
    )
    tenant = {
        # "production" refuses redirect URIs on localhost.
        "environment_tag": "development",
        # ["all-applications"] asks everyone for a second factor.
        "guardian_policies": [],
        "allowed_logout_urls": [],
    }
    return {CONSOLE_ID: console, SHOP_ID: shop, "tenant": tenant}


def _application(client_id: str, name: str, origin: str) -> Settings:
    return {
        "client_id": client_id,
        "client_secret": secrets.token_urlsafe(32),
        "name": name,
        "app_type": "regular_web",
        # False asks the user for consent, which a delegated login cannot give.
        "is_first_party": True,
        "callbacks": [origin + "/callback"],
        "allowed_logout_urls": [origin + "/"],
        "initiate_login_uri": origin + "/login",
        "grant_types": ["authorization_code", "refresh_token"],
        # None: no client secret is accepted; else both ways of sending one are.
        "token_endpoint_auth_method": "client_secret_post",
        "is_token_endpoint_ip_header_trusted": False,
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
        "organization_usage": "allow",
    }


def default_users() -> Dict[str, Settings]:
    """Return the agent and two customers."""
    return {
        user_id: {
            "user_id": user_id,
            "email": email,
            "name": name,
            "password": PASSWORD,
            "blocked": False,
            "connection": CONNECTION,
        }
        for user_id, email, name in (
            ("auth0|sam", "sam@acme.example", "Sam Rivers"),
            ("auth0|ada", "ada@example.com", "Ada Ferro"),
            ("auth0|lin", "lin@example.com", "Lin Okafor"),
        )
    }


def default_organizations() -> Dict[str, Settings]:
    """Return two organizations with one customer each."""
    return {
        "org_acme": {"name": "acme", "members": ["auth0|sam", "auth0|ada"]},
        "org_globex": {"name": "globex", "members": ["auth0|lin"]},
    }


def default_connections() -> Dict[str, Settings]:
    """Return the one connection all users come from."""
    return {CONNECTION: {"enabled_clients": [CONSOLE_ID, SHOP_ID]}}


def default_profiles() -> Dict[str, Settings]:
    """Return the one exchange profile, by the subject token type that picks it."""
    # session_transfer False: the exchange answers with an ordinary access token.
    return {
        SUBJECT_TOKEN_TYPE: {"type": "custom_authentication", "session_transfer": True}
    }


def default_resource_servers() -> List[str]:
    """Return the audiences for which ordinary access tokens can be had."""
    return ["https://api.acme.example/"]
