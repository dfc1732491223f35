"""Ordinary logins, with Authlib's client as the application, and the documents around them."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.discovery import OpenIDProviderMetadata
from calls import base
from joserfc import jwt
from joserfc.jwk import KeySet

from auth0_stt.testing import LocalTenant, RedemptionFailed

CALLBACK = "http://127.0.0.1:8001/callback"


@pytest.fixture
def tenant(tenant):
    """A local tenant whose console is on another port than its own."""
    console = tenant.settings["console"]
    console["callbacks"] = [CALLBACK]
    console["allowed_logout_urls"] = ["http://127.0.0.1:8001/"]
    return tenant


@pytest.fixture
def client(tenant):
    """Authlib's client for the console; its cookies are the browser's too."""
    with OAuth2Session(
        "console",
        tenant.console["client_secret"],
        scope="openid profile email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    ) as client:
        client.trust_env = False
        yield client


def visit(client, url, method="GET", **kwargs):
    return client.request(
        method, url, withhold_token=True, allow_redirects=False, **kwargs
    )


def submit(client, tenant, page, username="sam@acme.example", password="password"):
    """Fill in the login form as a browser would."""
    action = re.search(r'action="([^"]+)"', page.text).group(1).replace("&amp;", "&")
    form = {"username": username, "password": password}
    return visit(client, base(tenant) + action, "POST", data=form)


def log_in(client, tenant, **parameters):
    """Run the flow as far as the callback; return its query."""
    url, _ = client.create_authorization_url(
        base(tenant) + "/authorize", code_verifier="v" * 43, nonce="n-1", **parameters
    )
    answer = submit(client, tenant, visit(client, url))
    assert 302 == answer.status_code
    answer = visit(client, base(tenant) + answer.headers["Location"])
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def fetch(client, tenant, code):
    return client.fetch_token(
        base(tenant) + "/oauth/token", code=code, code_verifier="v" * 43
    )


class TestLogin:
    def test_authlib_signs_in(self, tenant, client):
        """Code flow, PKCE, nonce, refresh token: what any OIDC client expects."""
        token = fetch(client, tenant, log_in(client, tenant)["code"])
        keys = visit(client, base(tenant) + "/.well-known/jwks.json").json()
        claims = jwt.decode(token["id_token"], KeySet.import_key_set(keys)).claims
        assert ("auth0|sam", "n-1") == (claims["sub"], claims["nonce"])
        assert "act" not in claims
        assert token["refresh_token"]
        assert ["s", "seacft"] == [log.type for log in tenant.logs]

    def test_single_sign_on(self, tenant, client):
        """With a session there is no second login page."""
        log_in(client, tenant)
        url, state = client.create_authorization_url(base(tenant) + "/authorize")
        answer = visit(client, url)
        assert answer.headers["Location"].startswith(CALLBACK + "?code=")
        assert answer.headers["Location"].endswith("state=" + state)

    @pytest.mark.parametrize(
        ("username", "password"),
        [("sam@acme.example", "wrong"), ("nobody@acme.example", "password")],
    )
    def test_wrong_password(self, tenant, client, username, password):
        """The page comes again and says so; the next try may succeed."""
        url, _ = client.create_authorization_url(base(tenant) + "/authorize")
        answer = submit(client, tenant, visit(client, url), username, password)
        assert 401 == answer.status_code
        assert 'role="alert"' in answer.text
        assert "fp" == tenant.logs[-1].type
        assert 302 == submit(client, tenant, answer).status_code

    def test_blocked(self, tenant):
        """A blocked user can't log in."""
        tenant.users["auth0|sam"]["blocked"] = True
        with tenant.browser() as browser, pytest.raises(RedemptionFailed):
            browser.sign_in("auth0|sam")

    def test_page_is_not_cached(self, tenant, client):
        """The page is in no cache, and its address in no Referer."""
        url, _ = client.create_authorization_url(base(tenant) + "/authorize")
        headers = visit(client, url).headers
        assert "no-store" == headers["Cache-Control"]
        assert "no-referrer" == headers["Referrer-Policy"]

    def test_page_escapes(self, tenant, client):
        """What the query and the settings say is text, not markup."""
        tenant.settings["console"]["name"] = "<b>Console</b>"
        url, _ = client.create_authorization_url(
            base(tenant) + "/authorize", ui='"><i>'
        )
        page = visit(client, url).text
        assert "<b>" not in page
        assert "<i>" not in page

    def test_login_page_without_a_query(self, tenant, client):
        """A login form posted from nowhere leads nowhere."""
        assert 400 == visit(client, base(tenant) + "/u/login", "POST").status_code

    def test_prompt(self, tenant, client):
        """prompt=login asks again; prompt=none never asks."""
        assert "login_required" == self.prompted(client, tenant, "none")["error"]
        log_in(client, tenant)
        assert "code" in self.prompted(client, tenant, "none")
        assert "code" in log_in(client, tenant, prompt="login")

    def test_prompt_without_openid(self, tenant, client):
        """prompt=none holds for a login without openid too."""
        client.scope = "profile"
        assert "login_required" == self.prompted(client, tenant, "none")["error"]

    def prompted(self, client, tenant, prompt):
        url, _ = client.create_authorization_url(
            base(tenant) + "/authorize", prompt=prompt
        )
        return dict(parse_qsl(urlsplit(visit(client, url).headers["Location"]).query))

    def test_organization(self, tenant, client):
        """A login within an organization says so in its tokens; it must be one's own."""
        assert "error" in log_in(client, tenant, organization="globex")
        url, _ = client.create_authorization_url(
            base(tenant) + "/authorize", organization="acme", code_verifier="v" * 43
        )
        query = dict(parse_qsl(urlsplit(visit(client, url).headers["Location"]).query))
        token = fetch(client, tenant, query["code"])
        claims = jwt.decode(token["id_token"], self.keys(client, tenant)).claims
        assert "org_acme" == claims["org_id"]

    def keys(self, client, tenant):
        url = base(tenant) + "/.well-known/jwks.json"
        return KeySet.import_key_set(visit(client, url).json())


class TestAuthorize:
    @pytest.mark.parametrize(
        "query",
        [
            "",
            "response_type=code&client_id=nobody",
            "response_type=code&client_id=tenant",
            "response_type=code&client_id=console",
            "response_type=code&client_id=console&redirect_uri=https://evil.example/",
            "response_type=code&client_id=console&redirect_uri=%C3%A9%22",
            "response_type=%C3%A9&client_id=console",
            "response_type=token&client_id=console",
            "response_type=code&client_id=console&client_id=shop",
        ],
    )
    def test_no_safe_place_to_return_to(self, tenant, client, query):
        """Where the application can't be told, the browser gets an error page."""
        answer = visit(client, base(tenant) + "/authorize?" + query)
        assert 400 == answer.status_code
        assert "Oops" in answer.text

    @pytest.mark.parametrize(
        ("parameters", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_mode": "web_message"}, "invalid_request"),
            ({"max_age": "soon"}, "invalid_request"),
            (
                {"code_challenge": "short", "code_challenge_method": "S256"},
                "invalid_request",
            ),
        ],
    )
    def test_application_is_told(self, tenant, client, parameters, error):
        """Else the error goes to the callback, with the state."""
        query = {
            "response_type": "code",
            "client_id": "console",
            "redirect_uri": CALLBACK,
        }
        query.update(parameters, state="s-1")
        answer = visit(client, base(tenant) + "/authorize", params=query)
        told = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        assert (error, "s-1") == (told["error"], told["state"])


class TestLogout:
    def test_return_to(self, tenant, client):
        """The session is gone, and the browser goes where the application may send it."""
        log_in(client, tenant)
        query = {"client_id": "console", "returnTo": "http://127.0.0.1:8001/"}
        answer = visit(client, base(tenant) + "/v2/logout", params=query)
        assert "http://127.0.0.1:8001/" == answer.headers["Location"]
        url, _ = client.create_authorization_url(base(tenant) + "/authorize")
        assert "Log in" in visit(client, url).text
        assert "slo" == tenant.logs[-1].type

    def test_elsewhere(self, tenant, client):
        """Any other address is an error page; the session is gone all the same."""
        log_in(client, tenant)
        answer = visit(
            client,
            base(tenant) + "/v2/logout",
            params={"returnTo": "https://x.example"},
        )
        assert 400 == answer.status_code
        assert not client.cookies

    def test_nowhere(self, tenant, client):
        """Without returnTo a page says that one is logged out."""
        assert "Logged out" in visit(client, base(tenant) + "/v2/logout").text


class TestUserinfo:
    def test_claims(self, tenant, client):
        """What the scope allows, of the user whose token it is."""
        fetch(client, tenant, log_in(client, tenant)["code"])
        assert {
            "sub": "auth0|sam",
            "name": "Sam Rivers",
            "email": "sam@acme.example",
            "email_verified": True,
        } == client.get(base(tenant) + "/userinfo").json()

    @pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic x"])
    def test_refusals(self, tenant, header):
        """No token, or none of the tenant's: 401."""
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": header}
            assert (
                401
                == session.get(base(tenant) + "/userinfo", headers=headers).status_code
            )

    def test_token_of_an_api(self, tenant, client):
        """An ID token is no access token, and an expired one neither."""
        token = fetch(client, tenant, log_in(client, tenant)["code"])
        tenant.clock.advance(86401)
        assert (
            401
            == visit(
                client,
                base(tenant) + "/userinfo",
                headers={"Authorization": "Bearer " + token["access_token"]},
            ).status_code
        )


class TestDocuments:
    def test_discovery(self, tenant, client):
        """The metadata is valid for each custom domain."""
        for application in ("console", "shop"):
            origin = base(tenant, application)
            document = visit(
                client, origin + "/.well-known/openid-configuration"
            ).json()
            assert origin + "/" == document["issuer"]
            secure = {
                name: value.replace("http://", "https://")
                if isinstance(value, str)
                else value
                for name, value in document.items()
            }
            OpenIDProviderMetadata(secure).validate()

    def test_keys_are_public(self, tenant, client):
        """The key set holds no private part."""
        [key] = visit(client, base(tenant) + "/.well-known/jwks.json").json()["keys"]
        assert {"kty", "kid", "n", "e", "use"} == set(key)

    def test_alias_for_certificates(self):
        """Over TLS the metadata says where to go with a client certificate (RFC 8705, 5)."""
        with LocalTenant(tls=True) as tenant, tenant.browser() as browser:
            url = base(tenant) + "/.well-known/openid-configuration"
            aliases = visit(browser.session, url).json()["mtls_endpoint_aliases"]
        assert f"https://mtls.{host(url)}/oauth/token" == aliases["token_endpoint"]


def host(url):
    return urlsplit(url).netloc
