"""What OpenID Connect and its relatives ask of /authorize, the logout and the clients."""

import base64
import re
from urllib.parse import parse_qsl, quote_plus, urlsplit

import pytest
import requests
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from calls import base, post_form, post_mint, redirect_url
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CALLBACK = "https://console.example.com/callback"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Visitor:
    """A browser at the tenant that follows no redirect by itself."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.web = requests.Session()
        self.web.trust_env = False

    def authorize(self, method="GET", **parameters):
        """Go where the console would send the browser."""
        fields = {
            "response_type": "code",
            "client_id": "console",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "s-1",
            **parameters,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        where = "params" if method == "GET" else "data"
        return self.send(method, base(self.tenant) + "/authorize", **{where: fields})

    def send(self, method, url, **kwargs):
        return self.web.request(method, url, allow_redirects=False, **kwargs)

    def submit(self, page, username="sam@acme.example"):
        """Fill in the login page, and follow to the answer."""
        action = re.search(r'action="([^"]+)"', page.text)[1].replace("&amp;", "&")
        form = {"username": username, "password": "password"}
        answer = self.send("POST", base(self.tenant) + action, data=form)
        return self.send("GET", base(self.tenant) + answer.headers["Location"])

    def log_in(self, **parameters):
        return self.submit(self.authorize(**parameters))


@pytest.fixture
def visitor(tenant):
    visitor = Visitor(tenant)
    with visitor.web:
        yield visitor


def query(answer):
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def claims(tenant, token):
    keys = requests.get(base(tenant) + "/.well-known/jwks.json", timeout=10).json()
    return jwt.decode(token, KeySet.import_key_set(keys)).claims


class TestAuthorize:
    def test_post(self, visitor):
        """The request may be posted, and goes on after the login page."""
        assert "code" in query(visitor.submit(visitor.authorize("POST")))

    def test_login_hint(self, visitor):
        """The hint is in the field, as text."""
        page = visitor.authorize(login_hint='sam@acme.example"><b>')
        assert 'value="sam@acme.example&#34;' in page.text
        assert "<b>" not in page.text

    def test_max_age(self, tenant, visitor):
        """A login that is too old is made again; a fresh one does, even for 0."""
        visitor.log_in()
        assert "code" in query(visitor.authorize(max_age="3600"))
        tenant.clock.advance(3601)
        assert "Log in" in visitor.authorize(max_age="3600").text
        silent = query(visitor.authorize(max_age="3600", prompt="none"))
        assert "login_required" == silent["error"]
        assert "code" in query(visitor.log_in(max_age="3600"))
        assert "code" in query(visitor.log_in(max_age="0"))

    @pytest.mark.parametrize(
        "asked", [{"max_age": "3600"}, {"max_age": "0"}, {"prompt": "login"}]
    )
    def test_auth_time(self, tenant, visitor, asked):
        """The ID token says when that was, if the request asked how old a login may be."""
        token = self.id_token(tenant, visitor.log_in(**asked))
        assert 0 <= token["iat"] - token["auth_time"] <= 5

    def test_no_auth_time(self, tenant, visitor):
        """An application that relies on it learns here that it must ask for it."""
        assert "auth_time" not in self.id_token(tenant, visitor.log_in())

    def id_token(self, tenant, answer):
        code = query(answer)["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            **tenant.console,
        }
        return claims(tenant, post_form(tenant, form).json()["id_token"])

    def test_organization_name(self, tenant):
        """With names allowed the tokens carry the name beside the id."""
        with tenant.browser() as browser:
            token = browser.sign_in("auth0|ada")
            assert "org_id" not in token
            named = browser.log_in(tenant.shop, organization="acme")
        assert ("org_acme", "acme") == (named["org_id"], named["org_name"])
        setting = "allow_organization_name_in_authentication_api"
        tenant.settings["tenant"][setting] = False
        url = redirect_url(tenant, organization="org_acme")
        assert "org_name" not in tenant.redeem(url)


class TestResponseModes:
    def test_form_post(self, visitor):
        """Code and state in a form that submits itself."""
        page = visitor.log_in(response_mode="form_post")
        assert 200 == page.status_code
        assert f'action="{CALLBACK}"' in page.text
        fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', page.text))
        assert {"code", "state"} == set(fields)

    def test_error_as_a_form(self, visitor):
        """An error comes in the same way."""
        page = visitor.authorize(response_mode="form_post", prompt="none")
        assert 'name="error" value="login_required"' in page.text

    def test_fragment(self, visitor):
        """Or in the fragment, where it was asked for."""
        location = visitor.log_in(response_mode="fragment").headers["Location"]
        assert location.startswith(CALLBACK + "#code=")

    @pytest.mark.parametrize("mode", [None, "form_post"])
    def test_id_token(self, tenant, visitor, mode):
        """response_type=id_token gives an ordinary login its ID token at once."""
        answer = visitor.log_in(
            response_type="id_token", nonce="n-1", response_mode=mode
        )
        if mode is None:
            found = dict(parse_qsl(urlsplit(answer.headers["Location"]).fragment))
        else:
            found = dict(re.findall(r'name="(\w+)" value="([^"]+)"', answer.text))
        token = claims(tenant, found["id_token"])
        assert ("auth0|sam", "n-1", "s-1") == (
            token["sub"],
            token["nonce"],
            found["state"],
        )

    @pytest.mark.parametrize(
        ("parameters", "error"),
        [
            ({"nonce": None}, "invalid_request"),
            ({"response_mode": "query"}, "invalid_request"),
            ({"scope": "profile"}, "invalid_scope"),
        ],
    )
    def test_id_token_refused(self, visitor, parameters, error):
        """It needs a nonce and openid, and does not belong in a query."""
        asked = {"response_type": "id_token", "nonce": "n-1", **parameters}
        location = visitor.authorize(**asked).headers["Location"]
        assert error in location

    def test_grant_of_the_id_token(self, tenant, visitor):
        """The application must have the grant type implicit."""
        tenant.settings["console"]["grant_types"].remove("implicit")
        answer = visitor.authorize(response_type="id_token", nonce="n-1")
        assert "error=unauthorized_client" in answer.headers["Location"]


class TestPushedRequests:
    def push(self, tenant, **changes):
        form = {
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "pushed",
            **tenant.console,
            **changes,
        }
        return post_form(tenant, form, url=base(tenant) + "/oauth/par")

    def test_login(self, tenant, visitor):
        """What was pushed is what counts, through the login page and back (RFC 9126)."""
        answer = self.push(tenant)
        assert 201 == answer.status_code
        uri = answer.json()["request_uri"]
        page = visitor.authorize(request_uri=uri, state="not this")
        assert "pushed" == query(visitor.submit(page))["state"]

    def test_client_must_prove_itself(self, tenant):
        """Only the application itself pushes."""
        assert 401 == self.push(tenant, client_secret="wrong").status_code

    def test_expires(self, tenant, visitor):
        """It lives for half a minute, and is its application's."""
        uri = self.push(tenant).json()["request_uri"]
        other = visitor.authorize(request_uri=uri, client_id="shop", state="own")
        assert "pushed" not in other.text
        tenant.clock.advance(31)
        page = visitor.authorize(request_uri=uri, redirect_uri=None)
        assert 400 == page.status_code

    def test_required(self, tenant, visitor):
        """An application that has to push can't ask otherwise."""
        setting = "require_pushed_authorization_requests"
        tenant.settings["console"][setting] = True
        assert "invalid_request" == query(visitor.authorize())["error"]


class TestLogout:
    def test_query_does_not_count(self, tenant, visitor):
        """returnTo is checked without its query, and keeps it."""
        target = "https://console.example.com/?from=logout"
        answer = visitor.send(
            "GET",
            base(tenant) + "/v2/logout",
            params={"client_id": "console", "returnTo": target},
        )
        assert target == answer.headers["Location"]
        refused = visitor.send(
            "GET",
            base(tenant) + "/v2/logout",
            params={"client_id": "console", "returnTo": target.replace("/?", "/x?")},
        )
        assert 400 == refused.status_code

    @pytest.mark.parametrize("by", ["client_id", "id_token_hint"])
    def test_end_session_endpoint(self, tenant, visitor, by):
        """The metadata names it; the application by its id or by an ID token, even an old one."""
        visitor.log_in()
        metadata = visitor.send(
            "GET", base(tenant) + "/.well-known/openid-configuration"
        ).json()
        hint = tenant.agent_tokens()["id_token"]
        tenant.clock.advance(36001)
        known = {"client_id": "console", "id_token_hint": hint}
        answer = visitor.send(
            "GET",
            metadata["end_session_endpoint"],
            params={
                "post_logout_redirect_uri": "https://console.example.com/",
                "state": "s-2",
                by: known[by],
            },
        )
        location = answer.headers["Location"]
        assert "https://console.example.com/?state=s-2" == location
        assert "Log in" in visitor.authorize().text

    def test_end_session_elsewhere(self, tenant, visitor):
        """A forged hint names no application, so no address is allowed."""
        answer = visitor.send(
            "GET",
            base(tenant) + "/oidc/logout",
            params={
                "post_logout_redirect_uri": "https://console.example.com/",
                "id_token_hint": "a.b.c",
            },
        )
        assert 400 == answer.status_code


class TestChallenges:
    def test_userinfo_without_a_token(self, tenant, visitor):
        """No code where no token was sent (RFC 6750, 3.1); one where it is bad."""
        url = base(tenant) + "/userinfo"
        challenge = visitor.send("GET", url).headers["WWW-Authenticate"]
        assert f'Bearer realm="localhost:{tenant.port}"' == challenge
        bad = visitor.send("GET", url, headers={"Authorization": "Bearer x"})
        assert 'error="invalid_token"' in bad.headers["WWW-Authenticate"]
        assert 401 == bad.status_code

    def test_basic_has_its_realm(self, tenant):
        """A client that fails is told by which scheme (RFC 6749, 5.2)."""
        answer = post_mint(tenant, client_secret="wrong")
        assert {"error": "access_denied", "error_description": "Unauthorized"} == (
            answer.json()
        )
        realm = f'Basic realm="localhost:{tenant.port}"'
        assert realm == answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("encode", [str, quote_plus])
    def test_basic_encoded(self, tenant, encode):
        """Id and secret form-encoded as RFC 6749, 2.3.1 asks, or as they are."""
        tenant.settings["console"]["client_secret"] = secret = "a+b/c=:d %e"
        text = f"{encode('console')}:{encode(secret)}"
        header = "Basic " + base64.b64encode(text.encode()).decode()
        answer = post_mint(
            tenant, {"Authorization": header}, client_id=None, client_secret=None
        )
        assert 200 == answer.status_code

    @pytest.mark.parametrize("header", ["Basic", "Basic x", "Basic ====", "Digest x"])
    def test_basic_nonsense(self, tenant, header):
        """What is no HTTP Basic proves nothing."""
        answer = post_mint(tenant, {"Authorization": header}, client_secret=None)
        assert 401 == answer.status_code


class TestTokenEndpoint:
    @pytest.mark.parametrize(
        ("audience", "status"),
        [
            ("https://{}/", 200),
            ("http://{}/", 200),
            ("https://{}/oauth/token", 200),
            (["https://{}/"], 200),
            (["https://other.example/", "https://{}/oauth/token"], 200),
            ("https://{}", 400),
            ("https://{}/userinfo", 400),
        ],
    )
    def test_audience_of_an_assertion(self, tenant, audience, status):
        """The issuer, or the endpoint's URL, alone or in a list, as Auth0 takes them today."""
        host = f"localhost:{tenant.port}"
        texts = audience if isinstance(audience, list) else [audience]
        named = [text.format(host) for text in texts]
        key = RSAKey.import_key(tenant.private_key)
        assertion = private_key_jwt_sign(
            key, "console", named if isinstance(audience, list) else named[0]
        )
        answer = post_mint(
            tenant,
            client_secret=None,
            client_assertion_type=JWT_BEARER,
            client_assertion=assertion,
        )
        assert status == answer.status_code

    def test_json(self, tenant):
        """Auth0 takes JSON as well as a form."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": tenant.agent_tokens()["refresh_token"],
            **tenant.console,
        }
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(base(tenant) + "/oauth/token", json=form)
        assert "id_token" in answer.json()

    def test_public_client(self, tenant, visitor):
        """An application without a secret may log users in, with PKCE."""
        tenant.settings["console"]["token_endpoint_auth_method"] = "none"
        challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, B
        code = query(
            visitor.log_in(code_challenge=challenge, code_challenge_method="S256")
        )["code"]
        form = {
            "grant_type": "authorization_code",
            "client_id": "console",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        }
        assert "id_token" in post_form(tenant, form).json()


class TestPostLogin:
    def test_sees_the_agent(self, tenant):
        """event.session.actor is the agent in a delegated login, and absent in any other."""
        seen = []
        tenant.post_login_action = lambda event, api: seen.append(event.session.actor)
        tenant.redeem(redirect_url(tenant))
        with tenant.browser() as browser:
            browser.sign_in("auth0|ada")
        assert [{"sub": "auth0|sam"}, None] == seen

    @pytest.mark.parametrize(
        "ask",
        [
            lambda api: api.multifactor.enable("any"),
            lambda api: api.authentication.challengeWith({"type": "otp"}),
            lambda api: api.authentication.challengeWithAny([]),
            lambda api: api.authentication.enrollWith({"type": "otp"}),
            lambda api: api.authentication.enrollWithAny([]),
            lambda api: api.redirect.sendUserTo("https://x.example/"),
        ],
    )
    def test_prompts_break_a_delegated_login(self, tenant, ask):
        """What asks the user for something can't be answered; an ordinary login goes on."""
        tenant.post_login_action = lambda event, api: ask(api)
        with pytest.raises(Exception, match="A Post-Login Action asks") as info:
            tenant.redeem(redirect_url(tenant))
        assert "interaction_required" == info.value.error
        with tenant.browser() as browser:
            assert "auth0|ada" == browser.sign_in("auth0|ada")["sub"]

    def test_returns_early(self, tenant):
        """An Action that leaves delegated sessions alone does no harm."""
        tenant.post_login_action = lambda event, api: (
            event.session.actor or api.multifactor.enable("any")
        )
        assert "act" in tenant.redeem(redirect_url(tenant))

    @pytest.mark.parametrize(
        ("action", "error"),
        [
            (lambda event, api: api.access.deny("Not today"), "access_denied"),
            (lambda event, api: event.transaction.subject_token, "server_error"),
        ],
    )
    def test_refuses(self, tenant, action, error):
        """It may refuse, and it may be wrong."""
        tenant.post_login_action = action
        with pytest.raises(Exception, match=r"Not today|has no 'transaction'") as info:
            tenant.redeem(redirect_url(tenant))
        assert error == info.value.error


def test_parameter_without_a_value(visitor):
    """It is treated as if it were omitted (RFC 6749, 3.1)."""
    answer = visitor.log_in(session_transfer_token="", organization="")
    assert "code" in query(answer)


NONSENSE = [5, None, True, ["a", "b"], {"a": 1}, "é", "\x00", "", "%"]
FIELDS = ["client_id", "scope", "code", "request_uri", "response_type", "max_age"]


@pytest.mark.parametrize("path", ["oauth/token", "oauth/par", "oidc/logout"])
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize("name", FIELDS)
def test_nonsense_is_no_fault_of_the_tenant(tenant, path, name, value):
    """Whatever a field holds, in JSON too, the answer is not that the server failed."""
    form = {"grant_type": "refresh_token", **tenant.console, name: value}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{base(tenant)}/{path}", json=form, allow_redirects=False, timeout=10
        )
    assert answer.status_code < 500
