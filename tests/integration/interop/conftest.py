"""One tenant over TLS, trusted by our package (requests) and by Auth0's SDK (httpx)."""

import contextlib
import copy

import pytest

from auth0_stt.testing import LocalTenant, localhost_names


@contextlib.contextmanager
def as_it_came_up(tenant, monkeypatch):
    """Trust the tenant, and undo afterwards what a test did to it."""
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


@pytest.fixture(scope="session")
def running_tenant():
    with localhost_names(), LocalTenant(tls=True) as tenant:
        yield tenant


@pytest.fixture
def ported_tenant(running_tenant, monkeypatch):
    """The tenant as it came up, whatever the test before did to it."""
    with as_it_came_up(running_tenant, monkeypatch) as tenant:
        yield tenant


@pytest.fixture
def tenant(ported_tenant):
    """The same; most clients don't mind a port."""
    return ported_tenant


@pytest.fixture(scope="session")
def running_public_tenant():
    domains = ("login.console.test", "login.shop.test")
    with LocalTenant(tls=True, public_domains=domains) as tenant, localhost_names(
        tenant
    ):
        yield tenant


@pytest.fixture
def public_tenant(running_public_tenant, monkeypatch):
    """The same under names without a port, for clients that want it so."""
    with as_it_came_up(running_public_tenant, monkeypatch) as tenant:
        yield tenant
