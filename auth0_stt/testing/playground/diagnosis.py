"""What the doctor says about the visitor's tenant: settings and log entries."""

from typing import Any, Dict, List

from ...doctor import Finding, diagnose
from ...doctor.documents import SOURCES
from ..tenant.management import answer
from .state import Visitor


def findings(visitor: Visitor) -> List[Finding]:
    """Return what is wrong, as ``auth0-stt doctor`` would find it."""
    found = diagnose(
        _documents(visitor),
        subject_token_type=visitor.subject_token_type,
        target_login_url=visitor.addresses.shop + "login",
    )
    return [finding for finding in found if finding.status == "wrong"]


def _documents(visitor: Visitor) -> Dict[str, Any]:
    """Return what the Management API answers to the doctor."""
    tenant = visitor.tenant
    (profile,) = tenant.token_exchange_profiles.values()
    ids = {"console": "console", "shop": "shop", "action": profile["action_id"]}
    documents = {}
    for source in SOURCES.values():
        if "{organization}" not in source.path:
            path = source.path.format(**ids)
            query = {name: value.format(**ids) for name, value in source.query}
            scopes = [source.scope]
            documents[source.name] = answer(tenant.state, "GET", path, query, scopes)
    return documents
