"""Our own functions against the local tenant: the whole flow of the README."""

import pytest
from calls import mint_for

from auth0_stt import (
    CustomTokenExchangeError,
    TransportError,
    actor_from_claims,
    build_session_transfer_redirect,
    private_key_jwt,
    resolve_actor_token,
)
from auth0_stt.testing import LocalTenant, RedemptionFailed, localhost_names


class TestFlow:
    def test_mint_and_redeem(self, tenant):
        """Mint, hand over, enter: the shop knows both customer and agent."""
        url = build_session_transfer_redirect(
            "https://shop.example.com/login", mint_for(tenant), "acme"
        )
        claims = tenant.redeem(url)
        assert ("auth0|ada", "auth0|sam") == (
            claims["sub"],
            actor_from_claims(claims).sub,
        )
        assert "org_acme" == claims["org_id"]

    def test_stale_agent(self, tenant):
        """A stale ID token is renewed and then mints; the new refresh token renews again."""
        held = tenant.agent_tokens()
        for _ in range(2):
            actor = resolve_actor_token(
                **tenant.console, id_token=None, refresh_token=held["refresh_token"]
            )
            assert actor.refreshed
            assert actor.refresh_token != held["refresh_token"]
            held["refresh_token"] = actor.refresh_token
        result = mint_for(
            tenant,
            actor_token=actor.actor_token,
            actor_token_type=actor.actor_token_type,
        )
        assert 60 == result.expires_in

    def test_forwarded_for_and_reason(self, tenant):
        """The agent's address binds the token, the reason reaches the Action's event."""
        seen, action = [], tenant.action

        def watched(event, api):
            seen.append(event.request.body["reason"])
            action(event, api)

        tenant.action = watched
        result = mint_for(tenant, forwarded_for="203.0.113.7", reason="T-1")
        assert ["T-1"] == seen
        assert {"name", "version"} <= set(tenant.logs[-1].auth0_client)
        url = build_session_transfer_redirect("https://shop.example.com/login", result)
        with pytest.raises(RedemptionFailed):
            tenant.redeem(url)
        assert tenant.redeem(url, ip="203.0.113.7")

    def test_private_key_jwt(self, tenant):
        """Our assertions are accepted, a new one each time."""
        pytest.importorskip("jwt")
        sign = private_key_jwt("console", tenant.private_key)
        for _ in range(2):
            assert mint_for(tenant, client_secret=None, client_assertion=sign)

    def test_certificate_over_tls(self, monkeypatch):
        """Over TLS with a client certificate, the request going to mtls.{domain}."""
        with localhost_names(), LocalTenant(tls=True) as tenant:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", tenant.ca_file)
            assert mint_for(tenant)
            assert mint_for(
                tenant, client_secret=None, client_certificate=tenant.client_certificate
            )


class TestErrors:
    def test_refusal(self, tenant):
        """What the Action denies arrives as the typed error."""
        tenant.action = lambda event, api: api.access.deny("unauthorized_actor", "No")
        with pytest.raises(CustomTokenExchangeError) as info:
            mint_for(tenant)
        assert ("unauthorized_actor", 400) == (info.value.error, info.value.status_code)

    def test_throttled(self, tenant):
        """Faults on demand: a rate limit with its seconds."""
        tenant.fail_next(
            status=429,
            headers={"Content-Type": "application/json", "Retry-After": "7"},
            body=b'{"error": "too_many_requests"}',
        )
        with pytest.raises(CustomTokenExchangeError) as info:
            mint_for(tenant)
        assert ("too_many_requests", 7) == (info.value.code, info.value.retry_after)

    def test_dropped(self, tenant):
        """A connection that dies is a TransportError that may be retried."""
        tenant.fail_next(drop=True)
        with pytest.raises(TransportError) as info:
            mint_for(tenant)
        assert info.value.retryable

    def test_timeout(self, tenant):
        """So is an answer that comes too late."""
        tenant.fail_next(status=None, delay=5)
        with pytest.raises(TransportError) as info:
            mint_for(tenant, timeout=0.1)
        assert "timeout" == info.value.code
