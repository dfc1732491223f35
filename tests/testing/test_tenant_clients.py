"""How applications prove themselves, and refresh tokens, with Authlib's client as the other side."""

import base64
import ssl
import time
from pathlib import Path

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from calls import post_form, post_mint
from joserfc.jwk import RSAKey

from auth0_stt.testing import LocalTenant, localhost_names
from auth0_stt.testing.tenant.tokens import sign, verified

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def secure():
    with localhost_names(), LocalTenant(tls=True) as tenant:
        yield tenant


def refused(answer):
    return answer.status_code, answer.json()["error"]


def assertion(tenant, key=None, client_id="console", audience=None, **kwargs):
    key = RSAKey.import_key(key or tenant.private_key)
    audience = audience or f"https://localhost:{tenant.port}/"
    return private_key_jwt_sign(key, client_id, audience, **kwargs)


def mint_with(tenant, text, **changes):
    fields = {
        "client_secret": None,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": text,
    }
    fields.update(changes)
    return post_mint(tenant, **fields)


class TestSecrets:
    def test_basic(self, tenant):
        """HTTP Basic does as well as the form."""
        auth = (tenant.console["client_id"], tenant.console["client_secret"])
        header = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        answer = post_mint(
            tenant,
            client_id=None,
            client_secret=None,
            headers={"Authorization": header},
        )
        assert (200, "console") == (answer.status_code, tenant.logs[-1].client_id)
        another = post_mint(
            tenant,
            client_id="shop",
            client_secret=None,
            headers={"Authorization": header},
        )
        assert (401, "access_denied") == refused(another)

    def test_two_ways_at_once(self, tenant):
        """A client must not use more than one way (RFC 6749, 2.3)."""
        assert (400, "invalid_request") == refused(
            post_mint(tenant, client_assertion="x")
        )
        assert (400, "invalid_request") == refused(
            post_mint(tenant, headers={"Authorization": "x"})
        )

    def test_switched_off(self, tenant):
        """An application that authenticates with a key only has no valid secret."""
        tenant.settings["console"]["token_endpoint_auth_method"] = None
        assert (401, "access_denied") == refused(post_mint(tenant))

    @pytest.mark.parametrize(
        "name",
        [
            "client_secret",
            "token_endpoint_auth_method",
            "client_authentication_methods",
        ],
    )
    def test_missing(self, tenant, name):
        """An application may have no secret, and a setting may be missing: it just can't prove itself so."""
        console = tenant.console
        del tenant.settings["console"][name]
        assert 200 == mint_with(tenant, assertion(tenant)).status_code
        expected = {"client_authentication_methods": 200}.get(name, 401)
        assert (
            expected
            == post_mint(tenant, client_secret=console["client_secret"]).status_code
        )

    def test_rotated(self, tenant):
        """A new secret in the settings is the one that counts."""
        old = tenant.console["client_secret"]
        tenant.settings["console"]["client_secret"] = "new"
        assert "new" == tenant.console["client_secret"]
        assert (401, "access_denied") == refused(post_mint(tenant, client_secret=old))


class TestPrivateKeyJwt:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256"])
    def test_algorithms(self, tenant, algorithm):
        """The three that Auth0 knows."""
        assert 200 == mint_with(tenant, assertion(tenant, alg=algorithm)).status_code

    def test_authlib_client(self, tenant):
        """Authlib's own client authenticates with it; over plain HTTP its URL may be http."""
        refresh_token = tenant.agent_tokens()["refresh_token"]
        with OAuth2Session("console", tenant.private_key) as session:
            session.trust_env = False
            session.register_client_auth_method(PrivateKeyJWT(tenant.domain + "/"))
            session.client_secret = RSAKey.import_key(tenant.private_key)
            session.token_endpoint_auth_method = "private_key_jwt"
            token = session.refresh_token(tenant.domain + "/oauth/token", refresh_token)
        assert "id_token" in token

    def test_used_once(self, tenant):
        """The same jti is refused the second time."""
        once = assertion(tenant)
        assert 200 == mint_with(tenant, once).status_code
        assert (400, "invalid_client") == refused(mint_with(tenant, once))

    def test_used_once_by_each(self, tenant):
        """A jti is its issuer's: another application may use the same."""
        assert tenant.private_key  # registered for the console
        name = "client_authentication_methods"
        tenant.settings["shop"][name] = tenant.settings["console"][name]
        assert (
            200 == mint_with(tenant, assertion(tenant, claims={"jti": "1"})).status_code
        )
        shops = assertion(tenant, client_id="shop", claims={"jti": "1"})
        assert (
            "unauthorized_client"
            == mint_with(tenant, shops, client_id="shop").json()["error"]
        )

    def test_client_id_beside_it(self, tenant):
        """A client_id in the form must be the one that the assertion names; without one it is."""
        assert 200 == mint_with(tenant, assertion(tenant), client_id=None).status_code
        assert "console" == tenant.logs[-1].client_id
        assert (400, "invalid_client") == refused(
            mint_with(tenant, assertion(tenant), client_id="shop")
        )

    def test_expiry_goes_by_the_tenants_clock(self, tenant):
        """Made now for a minute, it is void a minute later."""
        late = assertion(tenant, expires_in=60)
        tenant.clock.advance(61)
        assert (400, "invalid_client") == refused(mint_with(tenant, late))
        tenant.clock.advance(3539)
        fresh = assertion(tenant, issued_at=int(time.time()) + 3600, expires_in=60)
        assert 200 == mint_with(tenant, fresh).status_code

    @pytest.mark.parametrize(
        "flaw",
        [
            {"audience": "https://other.example/"},
            {"client_id": "nobody"},
            {"client_id": "shop"},
            {"alg": "RS512"},
            {"claims": {"jti": None}},
            {"claims": {"iat": None}},
            {"claims": {"exp": "soon"}},
            {"claims": {"sub": "shop"}},
            {"claims": {"sub": 7}},
        ],
    )
    def test_flaws(self, tenant, flaw):
        """Wrong audience, client, algorithm or claims."""
        assert (400, "invalid_client") == refused(
            mint_with(tenant, assertion(tenant, **flaw))
        )

    @pytest.mark.parametrize("text", ["x", "a.b.c", "e30.e30.e30", "é"])
    def test_no_jwt(self, tenant, text):
        """What is no JWT is no proof."""
        assert (400, "invalid_client") == refused(mint_with(tenant, text))

    def test_unregistered_key(self, tenant):
        """The key must be one of those registered."""
        registered = tenant.private_key
        other = RSAKey.generate_key(2048).as_pem(private=True)
        assert (400, "invalid_client") == refused(
            mint_with(tenant, assertion(tenant, other))
        )
        assert registered == tenant.private_key
        methods = tenant.settings["console"]["client_authentication_methods"]
        assert 1 == len(methods["private_key_jwt"]["credentials"])

    def test_forwarded_address_is_not_believed(self, tenant):
        """Auth0 trusts auth0-forwarded-for only beside a client secret."""
        seen = []
        tenant.action = lambda event, api: seen.append(event.request.ip)
        headers = {"auth0-forwarded-for": "203.0.113.7"}
        mint_with(tenant, assertion(tenant), headers=headers)
        post_mint(tenant, headers=headers)
        assert ["127.0.0.1", "203.0.113.7"] == seen


class TestCertificates:
    def mint_by_certificate(self, tenant, cert, host="mtls.localhost", **changes):
        url = f"https://{host}:{tenant.port}/oauth/token"
        return post_mint(tenant, url=url, cert=cert, client_secret=None, **changes)

    def test_registered(self, secure):
        """The request goes to mtls.{domain}, the audience stays that of the domain."""
        answer = self.mint_by_certificate(secure, secure.client_certificate)
        assert 200 == answer.status_code
        assert "secte" == secure.logs[-1].type

    @pytest.mark.parametrize("form", ["pem", "thumbprint"])
    def test_registered_otherwise(self, form):
        """By the certificate itself, as Auth0 takes it, or by a thumbprint in capitals."""
        with localhost_names(), LocalTenant(tls=True) as tenant:
            certificate, key, thumbprint = tenant.new_certificate("another")
            pem = Path(certificate).read_text()
            registered = (
                {"pem": pem}
                if form == "pem"
                else {"thumbprint_sha256": thumbprint.upper()}
            )
            methods = {"self_signed_tls_client_auth": {"credentials": [registered]}}
            tenant.settings["console"]["client_authentication_methods"] = methods
            url = f"https://mtls.localhost:{tenant.port}/oauth/token"
            assert (
                200
                == post_mint(
                    tenant, url=url, cert=(certificate, key), client_secret=None
                ).status_code
            )

    def test_another_certificate_of_the_same_authority(self, secure):
        """Only the certificate itself counts, not who signed it."""
        certificate, key, _ = secure.new_certificate("other")
        answer = self.mint_by_certificate(secure, (certificate, key))
        assert (401, "access_denied") == refused(answer)

    def test_a_second_registered_certificate(self, secure):
        """Several may be registered by their thumbprints."""
        certificate, key, thumbprint = secure.new_certificate("second")
        assert secure.client_certificate
        methods = secure.settings["console"]["client_authentication_methods"]
        credentials = methods["self_signed_tls_client_auth"]["credentials"]
        credentials.append({"thumbprint_sha256": thumbprint})
        assert 200 == self.mint_by_certificate(secure, (certificate, key)).status_code

    def test_no_certificate(self, secure):
        """Without one there is no proof."""
        assert (401, "access_denied") == refused(self.mint_by_certificate(secure, None))

    def test_other_domain(self, secure):
        """On the ordinary domain a certificate proves nothing."""
        answer = self.mint_by_certificate(
            secure, secure.client_certificate, "localhost"
        )
        assert (401, "access_denied") == refused(answer)

    def test_of_another_authority(self, secure):
        """A certificate of another tenant's authority ends the connection."""
        with LocalTenant(tls=True) as other:
            certificate = other.client_certificate
            with pytest.raises((requests.ConnectionError, ssl.SSLError)):
                self.mint_by_certificate(secure, certificate)

    def test_files_are_those_of_the_application(self, secure):
        """The property gives the same pair each time."""
        assert secure.client_certificate == secure.client_certificate

    def test_plain_http_has_none(self, tenant):
        """Certificates need TLS."""
        with pytest.raises(RuntimeError):
            assert tenant.client_certificate


class TestRefreshTokens:
    def refresh(self, tenant, refresh_token, **changes):
        form = {
            "grant_type": "refresh_token",
            "client_id": tenant.console["client_id"],
            "client_secret": tenant.console["client_secret"],
            "refresh_token": refresh_token,
        }
        form.update(changes)
        return post_form(tenant, form)

    def test_renews_and_rotates(self, tenant):
        """A new ID token, as good as the first for acting, and a new refresh token."""
        old = tenant.agent_tokens()
        tenant.clock.advance(36001)
        new = self.refresh(tenant, old["refresh_token"], scope="openid").json()
        assert "openid" == new["scope"]
        assert old["refresh_token"] != new["refresh_token"]
        assert 200 == post_mint(tenant, actor_token=new["id_token"]).status_code
        assert ("sertft", "auth0|sam") == (tenant.logs[0].type, tenant.logs[0].user_id)

    def test_grant_stays_whole(self, tenant):
        """A renewal that asks for less leaves the next one the whole grant."""
        first = tenant.agent_tokens()
        second = self.refresh(tenant, first["refresh_token"], scope="openid").json()
        assert "openid" == verified(second["access_token"], tenant.clock())["scope"]
        third = self.refresh(tenant, second["refresh_token"]).json()
        assert first["scope"] == third["scope"]

    def test_reuse_revokes_the_family(self, tenant):
        """A refresh token used twice is stolen: what came of it dies too, others live."""
        other = tenant.agent_tokens()["refresh_token"]
        first = tenant.agent_tokens()["refresh_token"]
        second = self.refresh(tenant, first).json()["refresh_token"]
        assert (400, "invalid_grant") == refused(self.refresh(tenant, first))
        assert (400, "invalid_grant") == refused(self.refresh(tenant, second))
        assert 200 == self.refresh(tenant, other).status_code
        assert "fertft" in [log.type for log in tenant.logs]

    def test_without_rotation(self, tenant):
        """Where the application's refresh tokens don't rotate, no new one comes, and the old one stays good."""
        tenant.settings["console"]["refresh_token"] = {"rotation_type": "non-rotating"}
        token = tenant.agent_tokens()["refresh_token"]
        for _ in range(2):
            answer = self.refresh(tenant, token)
            assert (200, False) == (
                answer.status_code,
                "refresh_token" in answer.json(),
            )

    def test_of_another_application(self, tenant):
        """A refresh token is bound to its client, and a foreign try does not spend it."""
        mine = tenant.agent_tokens()["refresh_token"]
        shop = {name: tenant.shop[name] for name in ("client_id", "client_secret")}
        assert (400, "invalid_grant") == refused(self.refresh(tenant, mine, **shop))
        assert 200 == self.refresh(tenant, mine).status_code

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"refresh_token": None}, "invalid_request"),
            ({"refresh_token": "unknown"}, "invalid_grant"),
            ({"scope": "openid admin"}, "invalid_scope"),
        ],
    )
    def test_refusals(self, tenant, changes, error):
        """Each flaw has its OAuth error."""
        good = tenant.agent_tokens()["refresh_token"]
        changes = dict({"refresh_token": good}, **changes)
        assert error == self.refresh(tenant, **changes).json()["error"]
        assert 200 == self.refresh(tenant, good).status_code

    def test_grant_not_allowed(self, tenant):
        """The application must have the grant."""
        token = tenant.agent_tokens()["refresh_token"]
        tenant.settings["console"]["grant_types"].remove("refresh_token")
        assert (400, "unauthorized_client") == refused(self.refresh(tenant, token))

    def test_mfa(self, tenant):
        """Where MFA is wanted a renewal may ask for it; the token stays good."""
        token = tenant.agent_tokens()["refresh_token"]
        tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]
        assert (403, "mfa_required") == refused(self.refresh(tenant, token))
        tenant.settings["tenant"]["guardian_policies"] = []
        assert 200 == self.refresh(tenant, token).status_code

    def test_blocked_agent(self, tenant):
        """A blocked user's session can't be renewed while they are blocked, nor that of one who is gone."""
        token = tenant.agent_tokens()["refresh_token"]
        tenant.users["auth0|sam"]["blocked"] = True
        assert (400, "invalid_grant") == refused(self.refresh(tenant, token))
        del tenant.users["auth0|sam"]["blocked"]
        token = self.refresh(tenant, token).json()["refresh_token"]
        del tenant.users["auth0|sam"]
        assert (400, "invalid_grant") == refused(self.refresh(tenant, token))

    def test_only_with_offline_access(self, tenant):
        """A login without that scope has no refresh token."""
        assert "refresh_token" not in tenant.agent_tokens(scope="openid")

    def test_id_token_of_the_agent(self, tenant):
        """The renewed ID token is the agent's, signed with the published key."""
        old = tenant.agent_tokens("auth0|lin")
        new = self.refresh(tenant, old["refresh_token"]).json()
        assert "auth0|lin" == verified(new["id_token"], tenant.clock())["sub"]
        assert sign({}) != new["id_token"]
