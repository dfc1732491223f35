"""Auth0's Management SDK and the doctor agree on what the documents look like.

The SDK's types are made from Auth0's own definition of the API: a field that is not
theirs is one that we made up.
"""

import ssl
import sys
from pathlib import Path

import httpx
import pydantic
import pytest
from auth0.management import ManagementClient
from auth0.management import types as sdk

from auth0_stt.doctor import diagnose
from auth0_stt.doctor.reader import read

sys.path.append(str(Path(__file__).parents[2] / "doctor"))
import healthy

OBJECTS = {
    "console": sdk.GetClientResponseContent,
    "shop": sdk.GetClientResponseContent,
    "action": sdk.GetActionResponseContent,
    "console-connections": sdk.ListClientConnectionsResponseContent,
    "shop-connections": sdk.ListClientConnectionsResponseContent,
    "suspicious-ip-throttling": sdk.GetSuspiciousIpThrottlingSettingsResponseContent,
    "tenant-settings": sdk.GetTenantSettingsResponseContent,
    "organization": sdk.GetOrganizationResponseContent,
    "token-exchange-profiles": sdk.ListTokenExchangeProfileResponseContent,
}
LISTS = {
    "custom-domains": sdk.CustomDomain,
    "organization-connections": sdk.OrganizationConnection,
    "resource-servers": sdk.ResourceServer,
    "logs": sdk.Log,
}
# In the published schema of the log, but not in the SDK's type.
ONLY_IN_SCHEMA = {
    "_id",
    "auth0_client",
    "environment_name",
    "organization_id",
    "organization_name",
    "tenant_name",
}


def unknown_fields(value, where=""):
    """Yield the fields of a model that its type does not have."""
    if isinstance(value, pydantic.BaseModel):
        yield from (f"{where}.{name}" for name in value.model_extra or {})
        for name in type(value).model_fields:
            yield from unknown_fields(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from unknown_fields(each, where)


def check(documents):
    for name, model in OBJECTS.items():
        assert [] == list(unknown_fields(model.model_validate(documents[name]), name))
    for name, model in LISTS.items():
        for each in documents[name]:
            known = {key: each[key] for key in each if key not in ONLY_IN_SCHEMA}
            assert [] == list(unknown_fields(model.model_validate(known), name))


def test_documents_of_the_tests():
    """The documents that the doctor is tested with have the SDK's fields, and no others."""
    check(healthy.documents())


def test_documents_of_the_local_tenant(tenant):
    """So have those that the local tenant answers with."""
    documents = read(
        tenant.domain,
        tenant.management_token,
        console="console",
        shop="shop",
        organization="org_acme",
        verify=tenant.ca_file,
    )
    check(documents)


@pytest.mark.parametrize("allowed", [True, False])
def test_diagnosis_of_what_the_sdk_read(tenant, allowed):
    """What the SDK reads of the local tenant is judged like what the doctor reads."""
    delegation = tenant.settings["shop"]["session_transfer"]["delegation"]
    delegation["allow_delegated_access"] = allowed
    with httpx.Client(verify=ssl.create_default_context(cafile=tenant.ca_file)) as http:
        token = tenant.management_token
        auth0 = ManagementClient(domain=tenant.domain, token=token, httpx_client=http)
        documents = {name: plain(each) for name, each in read_by_sdk(auth0)}
    wrong = [each.rule for each in diagnose(documents) if each.status == "wrong"]
    assert ([] if allowed else ["shop-allows-delegation"]) == wrong


def read_by_sdk(auth0):
    profiles = list(auth0.token_exchange_profiles.list())
    found = {
        "console": auth0.clients.get("console"),
        "shop": auth0.clients.get("shop"),
        "token-exchange-profiles": profiles,
        "action": auth0.actions.get(profiles[0].action_id),
        "console-connections": list(auth0.clients.connections.get("console")),
        "shop-connections": list(auth0.clients.connections.get("shop")),
        "suspicious-ip-throttling": auth0.attack_protection.suspicious_ip_throttling.get(),
        "tenant-settings": auth0.tenants.settings.get(),
        "custom-domains": auth0.custom_domains.list(),
        "mfa-policies": auth0.guardian.policies.list(),
        "resource-servers": list(auth0.resource_servers.list()),
        "logs": list(auth0.logs.list()),
    }
    return found.items()


def plain(value):
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value
