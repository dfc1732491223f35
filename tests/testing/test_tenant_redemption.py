"""Entering the customer's account: every rule of redemption, over HTTP."""

import base64
import json
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from calls import base, post_form, post_mint, redirect_url
from joserfc import jwt
from joserfc.jwk import KeySet

from auth0_stt.testing import LocalTenant, RedemptionFailed


@pytest.fixture
def failure(tenant):
    """The RedemptionFailed of a redemption."""

    def fail(url=None, **kwargs):
        with pytest.raises(RedemptionFailed) as info:
            tenant.redeem(url or redirect_url(tenant), **kwargs)
        return info.value

    return fail


def types(tenant):
    return [log.type for log in tenant.logs]


def authorize(tenant, method="GET", **changes):
    """Ask /authorize as the shop would send the browser there."""
    query = {
        "response_type": "code",
        "client_id": "shop",
        "redirect_uri": "https://shop.example.com/callback",
        "scope": "openid",
        "state": "s-1",
    }
    query.update(changes)
    query = {name: value for name, value in query.items() if value is not None}
    with requests.Session() as session:
        session.trust_env = False
        where = "params" if method == "GET" else "data"
        url = f"{base(tenant, 'shop')}/authorize"
        fields = {where: urlencode(query, doseq=True)}
        if method == "POST":
            form = "application/x-www-form-urlencoded"
            fields["headers"] = {"Content-Type": form}
        return session.request(method, url, allow_redirects=False, **fields)


def stt(tenant, **kwargs):
    return dict(parse_qsl(urlsplit(redirect_url(tenant, **kwargs)).query))[
        "session_transfer_token"
    ]


def callback(answer):
    assert 302 == answer.status_code
    return {
        k: v for k, [v] in parse_qs(urlsplit(answer.headers["Location"]).query).items()
    }


class TestSuccess:
    def test_claims(self, tenant):
        """The shop's ID token is the customer's and names the agent."""
        claims = tenant.redeem(redirect_url(tenant))
        assert "auth0|ada" == claims["sub"]
        assert {"sub": "auth0|sam"} == claims["act"]
        assert "Ada Ferro" == claims["name"]
        assert "shop" == claims["aud"]
        assert tenant.shop["domain"] + "/" == claims["iss"]

    def test_logs(self, tenant):
        """Auth0's log types, in the order of the flow."""
        tenant.redeem(redirect_url(tenant))
        assert ["secte", "sdel", "sdeleacft"] == types(tenant)
        assert {"auth0|ada"} == {log.user_id for log in tenant.logs}
        assert {"auth0|sam"} == {log.details["actor"]["sub"] for log in tenant.logs}
        shop = f"127.0.0.1:{tenant.port}"
        assert [None, shop, shop] == [log.hostname for log in tenant.logs]

    @pytest.mark.parametrize(("late", "expected"), [(0, "sdelsa"), (7201, None)])
    def test_silent_authentication(self, tenant, late, expected):
        """A silent login in the delegated session is logged with the agent."""
        with tenant.browser() as browser:
            browser.redeem(redirect_url(tenant))
            tenant.clock.advance(late)
            if expected is None:
                with pytest.raises(RedemptionFailed):
                    browser.log_in(tenant.shop, prompt="none")
            else:
                assert browser.log_in(tenant.shop, prompt="none")["act"]
                silent = tenant.logs[-2]
                assert (expected, "auth0|sam") == (
                    silent.type,
                    silent.details["actor"]["sub"],
                )

    def test_silent_authentication_that_fails(self, tenant):
        """So is one that fails, here for max_age."""
        with tenant.browser() as browser:
            browser.redeem(redirect_url(tenant))
            with pytest.raises(RedemptionFailed) as info:
                browser.log_in(tenant.shop, prompt="none", max_age="0")
        assert "login_required" == info.value.error
        assert "fdelsa" in types(tenant)

    @pytest.mark.parametrize(
        ("spoil", "text"),
        [
            (lambda tenant, url: tenant.redeem(url), "not found or expired"),
            (lambda tenant, url: tenant.clock.advance(61), "not found or expired"),
            (lambda tenant, url: {"ip": "203.0.113.9"}, "IP/ASN mismatch."),
        ],
    )
    def test_warnings(self, tenant, failure, spoil, text):
        """What Auth0 warns of in its log, in its words."""
        url = redirect_url(tenant)
        more = spoil(tenant, url)
        failure(url, **(more if more and "ip" in more else {}))
        log = tenant.logs[-1]
        assert ("w", "shop", None) == (log.type, log.client_id, log.hostname)
        assert log.description.startswith("Single Sign-On failed: Session Transfer ")
        assert text in log.description

    def test_actor_claims(self, tenant):
        """Up to five extra claims that the Action gave the actor arrive."""

        def action(event, api):
            api.authentication.setUserById("auth0|lin")
            api.authentication.setActor(
                {"sub": "auth0|sam", "ticket": "T-1", "team": "north"}
            )

        tenant.action = action
        claims = tenant.redeem(redirect_url(tenant))
        assert {"sub": "auth0|sam", "ticket": "T-1", "team": "north"} == claims["act"]
        assert "auth0|lin" == claims["sub"]

    @pytest.mark.parametrize("name", ["acme", "org_acme"])
    def test_organization(self, tenant, name):
        """An organization by id or name scopes the session."""
        assert (
            "org_acme"
            == tenant.redeem(redirect_url(tenant, organization=name))["org_id"]
        )

    def test_over_tls(self):
        """The same over TLS."""
        with LocalTenant(tls=True) as tenant:
            claims = tenant.redeem(redirect_url(tenant))
        assert f"https://127.0.0.1:{tenant_port(claims)}/" == claims["iss"]

    def test_ps256(self, tenant):
        """An application may have its ID tokens signed with PS256."""
        tenant.settings["shop"]["jwt_configuration"]["alg"] = "PS256"
        assert "auth0|ada" == tenant.redeem(redirect_url(tenant))["sub"]

    def test_session_cookie(self, tenant):
        """The session's cookie ends with the browser and is not for scripts."""
        answer = authorize(tenant, session_transfer_token=stt(tenant))
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Max-Age" not in cookie
        assert "Expires" not in cookie
        assert "no-store" == answer.headers["Cache-Control"]
        assert "no-referrer" == answer.headers["Referrer-Policy"]


def tenant_port(claims):
    return urlsplit(claims["iss"]).port


class TestSessionTransferToken:
    def test_second_use(self, tenant, failure):
        """A token is redeemed once."""
        url = redirect_url(tenant)
        tenant.redeem(url)
        failed = failure(url)
        assert ("login", None, "token-unused") == (
            failed.page,
            failed.error,
            failed.rule,
        )
        assert "used before" in failed.reason

    def test_expired(self, tenant, failure):
        """It lives for sixty seconds."""
        in_time, late = redirect_url(tenant), redirect_url(tenant)
        tenant.clock.advance(59)
        tenant.redeem(in_time)
        tenant.clock.advance(2)
        failed = failure(late)
        assert ("login", "token-fresh") == (failed.page, failed.rule)
        assert "expired" in failed.reason

    def test_unknown(self, failure):
        """What the tenant did not issue is refused."""
        reason = failure("https://shop.example.com/?session_transfer_token=x").reason
        assert "not one of this tenant's" in reason

    def test_of_another_tenant(self, tenant, failure):
        """Several tenants at once don't meet."""
        with LocalTenant() as other:
            url = redirect_url(other)
            assert "not one of this tenant's" in failure(url).reason
            other.redeem(url)

    def test_url_without_one(self, failure):
        """A URL without the parameter is an ordinary login."""
        assert (
            "carries no session_transfer_token"
            in failure("https://shop.example.com/").reason
        )

    def test_repeated(self, tenant, failure):
        """A parameter given twice is refused with an error page, and nothing is redeemed."""
        url = redirect_url(tenant)
        assert "error" == failure(url + "&session_transfer_token=x").page
        tenant.redeem(url)


class TestAddress:
    def test_other_address(self, tenant, failure):
        """The token is bound to the address that minted it; a wrong one does not spend it."""
        url = redirect_url(tenant)
        reason = failure(url, ip="203.0.113.9").reason
        assert "bound to the IP address 127.0.0.1, not 203.0.113.9" in reason
        tenant.redeem(url)

    @pytest.mark.parametrize("ip", ["203.0.113.7", "2001:DB8:0::7"])
    def test_forwarded(self, tenant, failure, ip):
        """A trusted auth0-forwarded-for names the agent's address."""
        url = redirect_url(tenant, headers={"auth0-forwarded-for": ip})
        failed = failure(url)
        assert ("login", "same-address") == (failed.page, failed.rule)
        assert "auth0|ada" == tenant.redeem(url, ip=ip)["sub"]

    def test_untrusted(self, tenant, failure):
        """Without the setting the header is not believed, and the reason says so."""
        tenant.settings["console"]["is_token_endpoint_ip_header_trusted"] = False
        url = redirect_url(tenant, headers={"auth0-forwarded-for": "203.0.113.7"})
        reason = failure(url, ip="203.0.113.7").reason
        assert "is_token_endpoint_ip_header_trusted is off" in reason

    @pytest.mark.parametrize(
        "value", ["203.0.113.7, 10.0.0.1", "203.0.113.7:443", "x", ""]
    )
    def test_no_address(self, tenant, failure, value):
        """A list, a port, anything but one address is ignored."""
        url = redirect_url(tenant, headers={"auth0-forwarded-for": value})
        assert "it is not one IP address" in failure(url, ip="203.0.113.7").reason
        tenant.redeem(url)

    def test_cannot_be_spoofed(self, tenant):
        """The header by which `redeem` names an address needs the tenant's secret."""
        for value in ("203.0.113.7", "secret 203.0.113.7", "x"):
            tenant.action = lambda event, api: api.access.deny(event.request.ip, "")
            answer = post_mint(tenant, headers={tenant.address_header: value})
            assert "127.0.0.1" == answer.json()["error"]


class TestSettings:
    def test_delegated_access_not_allowed(self, tenant, failure):
        """Without the setting the ordinary login page comes, and a log of type w."""
        tenant.settings["shop"]["session_transfer"]["delegation"][
            "allow_delegated_access"
        ] = False
        failed = failure()
        assert ("login", None) == (failed.page, failed.error)
        assert "allow_delegated_access" in failed.reason
        assert "w" == types(tenant)[-1]
        assert "allow_delegated_access" in tenant.logs[-1].description

    def test_query_not_allowed(self, tenant, failure):
        """So it is where the token may not come in the query."""
        tenant.settings["shop"]["session_transfer"][
            "allowed_authentication_methods"
        ] = ["cookie"]
        failed = failure()
        assert "login" == failed.page
        assert "allowed_authentication_methods" in failed.reason
        assert "w" == types(tenant)[-1]

    def test_no_settings_at_all(self, tenant, failure):
        """An application that was never set up for it shows the login page too."""
        del tenant.settings["shop"]["session_transfer"]
        assert "login" == failure().page

    def test_login_page_does_not_spend_the_token(self, tenant, failure):
        """Once the setting is mended the same URL works."""
        delegation = tenant.settings["shop"]["session_transfer"]["delegation"]
        delegation["allow_delegated_access"] = False
        url = redirect_url(tenant)
        failure(url)
        delegation["allow_delegated_access"] = True
        tenant.redeem(url)

    @pytest.mark.parametrize(
        "change",
        [
            lambda tenant: tenant.settings["shop"].update(is_first_party=False),
            lambda tenant: tenant.settings["tenant"].update(
                guardian_policies=["all-applications"]
            ),
        ],
    )
    def test_interaction_required(self, tenant, failure, change):
        """Consent and MFA would need the agent to answer for the customer."""
        url = redirect_url(tenant)
        change(tenant)
        assert "interaction_required" == failure(url).error

    def test_offline_access_is_left_out(self, tenant):
        """Asking for offline_access does no harm: it is left out of the tokens."""
        claims = tenant.redeem(redirect_url(tenant), scope="openid offline_access")
        assert "auth0|ada" == claims["sub"]

    def test_consent_of_the_api(self, tenant):
        """An API that does not skip consent would ask for it."""
        setting = "skip_consent_for_verifiable_first_party_clients"
        api = "https://api.acme.example/"
        tenant.resource_servers[api][setting] = False
        told = callback(
            authorize(tenant, audience=api, session_transfer_token=stt(tenant))
        )
        assert "interaction_required" == told["error"]
        assert setting in told["error_description"]

    @pytest.mark.parametrize("client_id", ["shop", "console"])
    def test_connection_of_both(self, tenant, failure, client_id):
        """The customer's connection must be enabled for the console, too."""
        connection = tenant.connections["Username-Password-Authentication"]
        connection["enabled_clients"].remove(client_id)
        failed = failure()
        assert ("access_denied", f"{client_id}-connection") == (
            failed.error,
            failed.rule,
        )

    def test_connection_of_the_organization(self, tenant, failure):
        """And it must be enabled in the organization, if there is one."""
        tenant.organizations["org_acme"]["enabled_connections"] = []
        tenant.redeem(redirect_url(tenant))
        failed = failure(redirect_url(tenant, organization="acme"))
        assert "organization-connection" == failed.rule

    @pytest.mark.parametrize("form", ["none", "other", "id"])
    def test_organization_of_the_mint(self, tenant, failure, form):
        """A token minted for an organization opens a session in it and in no other."""
        token = post_mint(tenant, organization="acme").json()["access_token"]
        url = "https://shop.example.com/login?session_transfer_token=" + token
        wrong = {"none": "", "other": "&organization=globex", "id": "&organization="}
        failed = failure(url + wrong[form])
        assert ("login", "same-organization") == (failed.page, failed.rule)
        assert tenant.logs[-1].description.endswith("organization mismatch detected.")
        assert "org_acme" == tenant.redeem(url + "&organization=org_acme")["org_id"]

    def test_connection_not_enabled(self, tenant, failure):
        """The customer's connection must be enabled for the shop."""
        tenant.connections["Username-Password-Authentication"][
            "enabled_clients"
        ].remove("shop")
        failed = failure()
        assert "access_denied" == failed.error
        assert "connection" in failed.reason

    def test_blocked_customer(self, tenant, failure):
        """A customer blocked since the mint cannot be entered."""
        url = redirect_url(tenant)
        tenant.users["auth0|ada"]["blocked"] = True
        assert "blocked" in failure(url).reason

    @pytest.mark.parametrize(
        ("usage", "organization", "error"),
        [
            ("require", None, "invalid_request"),
            ("deny", "acme", "invalid_request"),
            ("allow", "nowhere", "invalid_request"),
            ("allow", "globex", "access_denied"),
        ],
    )
    def test_organizations(self, tenant, failure, usage, organization, error):
        """No picker can be shown, so what is required must come along and fit."""
        tenant.settings["shop"]["organization_usage"] = usage
        failed = failure(redirect_url(tenant, organization=organization))
        assert error == failed.error
        assert "organization" in failed.reason

    @pytest.mark.parametrize(
        ("callback", "own", "tenants", "page"),
        [
            ("http://localhost:8000/callback", True, None, True),
            ("http://localhost:8000/callback", None, None, False),
            ("http://127.0.0.1:8000/callback", False, True, False),
            ("http://127.0.0.1:8000/callback", None, True, True),
            ("http://[::1]:8000/callback", None, None, False),
            ("http://app.localhost:8000/callback", None, None, True),
            ("https://shop.example.com/callback", False, False, True),
        ],
    )
    def test_non_verifiable_callback(
        self, tenant, failure, callback, own, tenants, page
    ):
        """A callback on loopback needs a confirmation, unless it is switched off."""
        setting = "skip_non_verifiable_callback_uri_confirmation_prompt"
        tenant.settings["shop"].update({"callbacks": [callback], setting: own})
        tenant.settings["tenant"][setting] = tenants
        if page:
            assert "auth0|ada" == tenant.redeem(redirect_url(tenant))["sub"]
        else:
            failed = failure()
            assert ("interaction_required", "loopback-prompt") == (
                failed.error,
                failed.rule,
            )

    def test_pushed_request(self, tenant, failure):
        """A pushed request leaves the token behind: the login page, and nothing is spent."""
        tenant.settings["shop"]["require_pushed_authorization_requests"] = True
        url = redirect_url(tenant)
        failed = failure(url)
        assert ("login", "no-pushed-request") == (failed.page, failed.rule)
        # A shop that does not push is refused at its callback.
        told = callback(authorize(tenant, session_transfer_token=stt(tenant)))
        assert "invalid_request" == told["error"]
        assert (
            "Pushed authorization requests are required." == told["error_description"]
        )
        tenant.settings["shop"]["require_pushed_authorization_requests"] = False
        tenant.redeem(url)

    @pytest.mark.parametrize("parameters", [{"prompt": "login"}, {"max_age": "0"}])
    def test_fresh_login(self, tenant, parameters):
        """A token is no fresh login: where one is asked for, the login page comes."""
        token = stt(tenant)
        answer = authorize(tenant, session_transfer_token=token, **parameters)
        assert "no-reauthentication" == answer.headers["Local-Tenant-Rule"]
        assert "Log in" in answer.text
        assert "code" in callback(authorize(tenant, session_transfer_token=token))

    def test_without_a_prompt(self, tenant):
        """prompt=none does not stand in its way: there is nothing to ask."""
        answer = authorize(tenant, session_transfer_token=stt(tenant), prompt="none")
        assert "code" in callback(answer)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_methods_of_authorize(self, tenant, method):
        """The request may be posted (OIDC Core, 3.1.2.1)."""
        answer = authorize(tenant, method, session_transfer_token=stt(tenant))
        assert "code" in callback(answer)

    def test_id_token_without_a_code(self, tenant):
        """Only the authorization code flow takes a delegated login."""
        answer = authorize(
            tenant,
            session_transfer_token=stt(tenant),
            response_type="id_token",
            nonce="n-1",
        )
        assert "error=unsupported_response_type" in answer.headers["Location"]
        assert "code-flow" == answer.headers["Local-Tenant-Rule"]

    def test_form_post(self, tenant):
        """The code may come as a form (OAuth 2.0 Form Post Response Mode)."""
        page = authorize(
            tenant, session_transfer_token=stt(tenant), response_mode="form_post"
        )
        assert 'action="https://shop.example.com/callback"' in page.text
        assert 'name="code"' in page.text


class TestLeavesNoTrace:
    def test_last_login(self, tenant):
        """The customer's last login is theirs: a delegated one does not count."""
        with tenant.browser("203.0.113.9") as browser:
            browser.sign_in("auth0|ada")
        before = dict(tenant.users["auth0|ada"])
        assert (1, "203.0.113.9") == (before["logins_count"], before["last_ip"])
        tenant.redeem(redirect_url(tenant))
        assert before == tenant.users["auth0|ada"]


class TestOpenSession:
    def test_of_a_user_who_is_blocked(self, tenant):
        """A session ends with its user: the delegated login goes on."""
        with tenant.browser() as browser:
            browser.sign_in("auth0|lin")
            tenant.users["auth0|lin"]["blocked"] = True
            assert "auth0|ada" == browser.redeem(redirect_url(tenant))["sub"]

    def test_stops_a_delegated_login(self, tenant):
        """Any session on the domain gives the error page that asks to log out."""
        with tenant.browser() as browser:
            browser.sign_in("auth0|lin")
            url = redirect_url(tenant)
            with pytest.raises(RedemptionFailed) as info:
                browser.redeem(url)
            assert "error" == info.value.page
            assert "log out there first" in info.value.reason
            browser.log_out()
            assert "auth0|ada" == browser.redeem(url)["sub"]

    def test_also_a_delegated_one(self, tenant):
        """The agent must log out before entering another account."""
        with tenant.browser() as browser:
            browser.redeem(redirect_url(tenant))
            with pytest.raises(RedemptionFailed) as info:
                browser.redeem(redirect_url(tenant))
            assert "error" == info.value.page

    def test_lasts_two_hours(self, tenant):
        """After two hours the delegated session is over."""
        with tenant.browser() as browser:
            browser.redeem(redirect_url(tenant))
            tenant.clock.advance(7199)
            again = browser.log_in(tenant.shop)
            assert {"sub": "auth0|sam"} == again["act"]
            tenant.clock.advance(2)
            with pytest.raises(RedemptionFailed):
                browser.log_in(tenant.shop)

    def test_of_another_domain(self, tenant):
        """The agent's session on the console's custom domain is no obstacle."""
        with tenant.browser() as browser:
            browser.sign_in("auth0|sam", tenant.console)
            assert "auth0|ada" == browser.redeem(redirect_url(tenant))["sub"]


class TestCode:
    def code(self, tenant, **changes):
        return callback(
            authorize(tenant, session_transfer_token=stt(tenant), **changes)
        )["code"]

    def exchange(self, tenant, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "client_id": "shop",
            "client_secret": tenant.shop["client_secret"],
            "redirect_uri": "https://shop.example.com/callback",
            "code": code,
        }
        form.update(changes)
        return post_form(tenant, form, url=base(tenant, "shop") + "/oauth/token")

    def test_tokens(self, tenant):
        """ID and access token carry act, and there is no refresh token."""
        body = self.exchange(tenant, self.code(tenant)).json()
        assert {"access_token", "expires_in", "id_token", "scope", "token_type"} == set(
            body
        )
        with requests.Session() as session:
            session.trust_env = False
            keys = session.get(base(tenant) + "/.well-known/jwks.json").json()
        assert 7200 == body["expires_in"]
        for token in (body["id_token"], body["access_token"]):
            claims = jwt.decode(token, KeySet.import_key_set(keys)).claims
            assert {"sub": "auth0|sam"} == claims["act"]

    def test_audience(self, tenant):
        """The access token is for the API that was asked for, and for userinfo."""
        body = self.exchange(
            tenant, self.code(tenant, audience="https://api.acme.example/")
        ).json()
        claims = json.loads(
            base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "==")
        )
        assert [
            "https://api.acme.example/",
            base(tenant, "shop") + "/userinfo",
        ] == claims["aud"]
        answer = authorize(tenant, audience="https://nowhere.example/")
        assert "access_denied" == callback(answer)["error"]

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code": "unknown"}, "invalid_grant"),
            ({"code": None}, "invalid_request"),
            ({"redirect_uri": "https://shop.example.com/other"}, "invalid_grant"),
            ({"code_verifier": "v" * 43}, "invalid_request"),
        ],
    )
    def test_refusals(self, tenant, changes, error):
        """What does not fit the code is refused."""
        changes = dict({"code": self.code(tenant)}, **changes)
        assert error == self.exchange(tenant, **changes).json()["error"]

    def test_once(self, tenant):
        """A code is used once, and a failed delegated exchange is logged as fdeleacft."""
        code = self.code(tenant)
        assert 200 == self.exchange(tenant, code).status_code
        assert "invalid_grant" == self.exchange(tenant, code).json()["error"]
        assert ("fdeleacft", "auth0|ada") == (
            tenant.logs[-1].type,
            tenant.logs[-1].user_id,
        )
        assert (
            "access_denied"
            == self.exchange(tenant, self.code(tenant), client_secret="x").json()[
                "error"
            ]
        )
        assert "fdeleacft" == types(tenant)[-1]
        late = self.code(tenant)
        tenant.clock.advance(61)
        assert "invalid_grant" == self.exchange(tenant, late).json()["error"]
        assert "fdeleacft" == types(tenant)[-1]

    def test_of_another_application(self, tenant):
        """A code is bound to its client."""
        answer = self.exchange(
            tenant,
            self.code(tenant),
            client_id="console",
            client_secret=tenant.console["client_secret"],
        )
        assert "invalid_grant" == answer.json()["error"]

    def test_pkce(self, tenant):
        """The verifier must belong to the challenge."""
        code = self.code(tenant, code_challenge="c" * 43, code_challenge_method="S256")
        answer = self.exchange(tenant, code, code_verifier="v" * 43)
        assert "invalid_grant" == answer.json()["error"]

    def test_customer_who_is_gone(self, tenant):
        """A user deleted meanwhile gets no token."""
        code = self.code(tenant)
        del tenant.users["auth0|ada"]
        assert "invalid_grant" == self.exchange(tenant, code).json()["error"]

    def test_state(self, tenant):
        """state comes back, with a code and with an error."""
        good = callback(authorize(tenant, session_transfer_token=stt(tenant)))
        bad = callback(
            authorize(tenant, organization="x", session_transfer_token=stt(tenant))
        )
        assert ["s-1", "s-1"] == [good["state"], bad["state"]]
        assert "invalid_request" == bad["error"]


class TestFailure:
    def test_no_answer(self, tenant, failure):
        """A tenant that hangs up is a failed redemption too."""
        url = redirect_url(tenant)
        tenant.fail_next(drop=True)
        assert "no answer" in failure(url).reason

    def test_fault(self, tenant, failure):
        """A status that was ordered is named, and is no login page."""
        url = redirect_url(tenant)
        tenant.fail_next(status=503)
        error = failure(url)
        assert "error" == error.page
        assert "503" in error.reason

    def test_no_id_token(self, tenant, failure):
        """A shop that does not ask for openid has nobody's claims."""
        assert "ID token" in failure(scope="profile").reason

    def test_failed_code_exchange(self, tenant):
        """So is a token endpoint that refuses the code; its word is kept."""
        application = dict(tenant.shop, client_secret="wrong")
        with tenant.browser() as browser, pytest.raises(RedemptionFailed) as info:
            browser.log_in(application, session_transfer_token=stt(tenant))
        assert "access_denied" == info.value.error
        assert str(info.value) == info.value.reason
