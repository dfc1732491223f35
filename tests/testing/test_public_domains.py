"""A tenant under names that are not those of loopback."""

import pytest
import requests
from calls import post_mint

from auth0_stt import (
    ID_TOKEN_TYPE,
    build_session_transfer_redirect,
    request_session_transfer_token,
)
from auth0_stt.testing import LocalTenant, localhost_names

DOMAINS = ("login.console.test", "login.shop.test")


@pytest.fixture
def tenant(monkeypatch):
    with LocalTenant(tls=True, public_domains=DOMAINS) as tenant, localhost_names(
        tenant
    ):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_file)
        yield tenant


def test_flow(tenant):
    """The whole flow under names without a port."""
    assert DOMAINS == (tenant.console["domain"], tenant.shop["domain"])
    result = request_session_transfer_token(
        **tenant.console,
        subject_token=tenant.subject_token("auth0|ada"),
        subject_token_type=tenant.subject_token_type,
        actor_token=tenant.agent_tokens()["id_token"],
        actor_token_type=ID_TOKEN_TYPE,
    )
    url = build_session_transfer_redirect("https://shop.example.com/login", result)
    claims = tenant.redeem(url)
    assert ("https://login.shop.test/", {"sub": "auth0|sam"}) == (
        claims["iss"],
        claims["act"],
    )


def test_audience_is_that_of_the_domain(tenant):
    """The shorter audience is for loopback: here the port is none of the domain."""
    host = "https://login.console.test/oauth/token"
    good, bad = ("urn:login.console.test", "urn:login.console.test:443")
    assert (
        200
        == post_mint(tenant, url=host, audience=good + ":session_transfer").status_code
    )
    assert (
        400
        == post_mint(tenant, url=host, audience=bad + ":session_transfer").status_code
    )


def test_discovery(tenant):
    """Each domain publishes itself."""
    for domain in DOMAINS:
        url = f"https://{domain}/.well-known/openid-configuration"
        document = requests.get(url, timeout=10).json()
        assert f"https://{domain}/authorize" == document["authorization_endpoint"]


def test_browser_without_names(monkeypatch):
    """The browser that is played needs no names: it knows the port."""
    with LocalTenant(public_domains=DOMAINS) as tenant, tenant.browser() as browser:
        claims = browser.sign_in("auth0|ada")
    assert ("auth0|ada", "https://login.shop.test/") == (claims["sub"], claims["iss"])


def test_fixed_port():
    """A port may be given."""
    with LocalTenant() as tenant:
        port = tenant.port
    with LocalTenant(port=port) as tenant:
        assert port == tenant.port
