"""What the doctor says about the visitor's tenant: which settings and which log entry."""

from typing import Any, Dict, List

from ...doctor import Finding, diagnose
from .state import Visitor


def findings(visitor: Visitor) -> List[Finding]:
    """Return what is wrong, as ``auth0-stt doctor`` would find it."""
    found = diagnose(
        documents(visitor),
        subject_token_type=visitor.subject_token_type,
        target_login_url=visitor.addresses.shop + "login",
    )
    return [finding for finding in found if finding.status == "wrong"]


def documents(visitor: Visitor) -> Dict[str, Any]:
    """Return the tenant as its Management API would: the log has its newest entry first."""
    tenant = visitor.tenant
    general = tenant.settings["tenant"]
    (profile,) = tenant.token_exchange_profiles.values()
    enabled = {
        client_id: [
            connection
            for connection in tenant.connections.values()
            if client_id in connection["enabled_clients"]
        ]
        for client_id in ("console", "shop")
    }
    return {
        "console": tenant.settings["console"],
        "shop": tenant.settings["shop"],
        "token-exchange-profiles": [profile],
        "action": tenant.actions[profile["action_id"]],
        "console-connections": enabled["console"],
        "shop-connections": enabled["shop"],
        "mfa-policies": general["guardian_policies"],
        "suspicious-ip-throttling": general["suspicious_ip_throttling"],
        "tenant-settings": general,
        "resource-servers": list(tenant.resource_servers.values()),
        "logs": [entry.document() for entry in reversed(tenant.logs)],
    }
