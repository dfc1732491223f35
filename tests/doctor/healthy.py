"""A tenant on which everything is right, as documents.

Written by hand in the shapes of the public Management types (auth0-python 6.8,
node-auth0 7.1) and of the published schema of the log.
"""

CONSOLE, SHOP = "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPp", "QqRrSsTtUuVvWwXxYyZz001122334455"

ACTION_CODE = """\
// Not event.transaction.actor, which is Post-Login's.
exports.onExecuteCustomTokenExchange = async (event, api) => {
  if (!event.resource_server.identifier.endsWith(":session_transfer")) {
    return api.access.deny("invalid_request", "Only session transfer.");
  }
  const agent = event.transaction.actor_token_user;
  if (!agent?.app_metadata?.support) {
    return api.access.deny("unauthorized_actor", "https://acme.example/support");
  }
  api.authentication.setUserById(verified(event.transaction.subject_token));
  api.authentication.setActor({ sub: agent.user_id });
};
"""


def documents():
    """Return new documents, for a test to change."""
    return {
        "console": {
            "client_id": CONSOLE,
            "name": "Support console",
            "app_type": "regular_web",
            "is_first_party": True,
            "oidc_conformant": True,
            "is_token_endpoint_ip_header_trusted": True,
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "refresh_token"],
            "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 36000},
            "token_exchange": {"allow_any_profile_of_type": ["custom_authentication"]},
            "session_transfer": {"can_create_session_transfer_token": True},
        },
        "shop": {
            "client_id": SHOP,
            "name": "Shop",
            "is_first_party": True,
            "initiate_login_uri": "https://shop.acme.example/login",
            "callbacks": ["https://shop.acme.example/callback"],
            "allowed_logout_urls": ["https://shop.acme.example/"],
            "grant_types": ["authorization_code"],
            "organization_usage": "allow",
            "require_pushed_authorization_requests": False,
            "session_transfer": {
                "can_create_session_transfer_token": False,
                "allowed_authentication_methods": ["cookie", "query"],
                "delegation": {
                    "allow_delegated_access": True,
                    "enforce_device_binding": "ip",
                },
            },
        },
        "token-exchange-profiles": {
            "token_exchange_profiles": [
                {
                    "id": "tep_9xqewuejpa2RTltf",
                    "name": "session-delegation",
                    "subject_token_type": "urn:acme:customer",
                    "action_id": "910b1053-577f-4d81-a8c8-020e7319a38a",
                    "type": "custom_authentication",
                    "created_at": "2026-09-01T10:00:00.000Z",
                    "updated_at": "2026-09-01T10:00:00.000Z",
                }
            ]
        },
        "action": {
            "id": "910b1053-577f-4d81-a8c8-020e7319a38a",
            "name": "session-delegation",
            "supported_triggers": [{"id": "custom-token-exchange", "version": "v1"}],
            "all_changes_deployed": True,
            "status": "built",
            "code": ACTION_CODE,
            "secrets": [{"name": "SUBJECT_TOKEN_KEY"}],
            "deployed_version": {
                "id": "12a3b9e6-06e6-4a29-96bf-90c82fe79a0d",
                "number": 3,
                "deployed": True,
                "status": "built",
                "code": ACTION_CODE,
            },
        },
        "console-connections": {
            "connections": [
                {
                    "id": "con_customers0000001",
                    "name": "customers",
                    "strategy": "auth0",
                },
                {"id": "con_agents0000000001", "name": "agents", "strategy": "okta"},
            ]
        },
        "shop-connections": {
            "connections": [
                {"id": "con_customers0000001", "name": "customers", "strategy": "auth0"}
            ]
        },
        "mfa-policies": [],
        "suspicious-ip-throttling": {
            "enabled": True,
            "shields": ["block", "admin_notification"],
            "allowlist": [],
            "stage": {
                "pre-custom-token-exchange": {"max_attempts": 10, "rate": 600000}
            },
        },
        "tenant-settings": {
            "skip_non_verifiable_callback_uri_confirmation_prompt": False
        },
        "custom-domains": [
            {
                "custom_domain_id": "cd_0000000000000001",
                "domain": "login.acme.example",
                "primary": True,
                "status": "ready",
                "type": "auth0_managed_certs",
            }
        ],
        "organization": {"id": "org_acme000000000001", "name": "acme"},
        "organization-connections": [
            {
                "connection_id": "con_customers0000001",
                "assign_membership_on_login": False,
                "connection": {"name": "customers", "strategy": "auth0"},
            }
        ],
        "resource-servers": [
            {
                "id": "67e1c2a0c5d2f7a1b2c3d4e5",
                "identifier": "https://api.acme.example/",
                "is_system": False,
                "skip_consent_for_verifiable_first_party_clients": True,
            }
        ],
        "logs": logs(),
        "try-login": {
            "status": 302,
            "location": "https://login.acme.example/authorize?response_type=code"
            "&redirect_uri=https%3A%2F%2Fshop.acme.example%2Fcallback&scope=openid"
            "&session_transfer_token=made-up&organization=org_0000000000000000",
            "sent": {
                "session_transfer_token": "made-up",
                "organization": "org_0000000000000000",
            },
        },
    }


def logs():
    """Return the log of a login that worked, newest entry first."""
    return [
        entry("sdeleacft", 4, SHOP, "", ip="198.51.100.20"),
        entry("sdel", 3, SHOP, "", ip="203.0.113.7"),
        entry("secte", 1, CONSOLE, "", ip="203.0.113.7"),
        entry("seacft", 0, CONSOLE, "", ip="198.51.100.10"),
    ]


def entry(kind, second, client_id, description, ip, **rest):
    """Return an entry of the log, at a second of one minute (or the next ones)."""
    minutes, seconds = divmod(second, 60)
    return {
        "log_id": f"9002026112500{second:04}",
        "date": f"2026-11-25T03:{minutes:02}:{seconds:02}.000Z",
        "type": kind,
        "description": description,
        "client_id": client_id,
        "ip": ip,
        "hostname": "acme.eu.auth0.com"
        if client_id == CONSOLE
        else "login.acme.example",
        "details": {"subject_token_type": "urn:acme:customer"} if "ct" in kind else {},
        **rest,
    }
