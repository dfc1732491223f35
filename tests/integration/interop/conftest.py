"""One tenant over TLS, trusted by our package (requests) and by Auth0's SDK (httpx)."""

import copy

import pytest

from auth0_stt.testing import LocalTenant, localhost_names


@pytest.fixture(scope="session")
def running_tenant():
    with localhost_names(), LocalTenant(tls=True) as tenant:
        yield tenant


@pytest.fixture
def tenant(running_tenant, monkeypatch):
    """The tenant as it came up, whatever the test before did to it."""
    tenant = running_tenant
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", tenant.ca_file)
    tenant.logs.clear()
    settings, action = copy.deepcopy(tenant.settings), tenant.action
    yield tenant
    tenant.settings.clear()
    tenant.settings.update(settings)
    tenant.action = action
    tenant.clock.advance(-tenant.clock.ahead)
    tenant.records.faults.clear()
