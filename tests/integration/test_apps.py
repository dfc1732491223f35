"""The two applications of examples/ over HTTP, with requests as the browser."""

import copy
import html
import re
import sqlite3
import time
from ipaddress import ip_network
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from running import REASON, Agent, running

from auth0_stt.testing import LocalTenant

pytest.importorskip("django", reason="the console needs Django")


@pytest.fixture(scope="module")
def applications(tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    with LocalTenant() as tenant, running(tenant, folder) as both:
        both.database = folder / "console.sqlite3"
        yield both


@pytest.fixture
def apps(applications):
    """Console, shop and tenant as they were set up, whatever the test before did to them."""
    tenant = applications.tenant
    settings, action = copy.deepcopy(tenant.settings), tenant.action
    tenant.logs.clear()
    yield applications
    tenant.settings.clear()
    tenant.settings.update(settings)
    tenant.action = action
    tenant.clock.advance(-tenant.clock.ahead)
    applications.console.network.client = None


@pytest.fixture
def agent(apps):
    agent = Agent(apps)
    with agent.web:
        agent.sign_in()
        yield agent


@pytest.fixture
def stranger(apps):
    stranger = Agent(apps)
    with stranger.web:
        yield stranger


@pytest.fixture
def no_permission(apps):
    """The agent is not in the group that may enter accounts."""
    from django.contrib.auth.models import Group

    group = Group.objects.get()
    users = list(group.user_set.all())
    group.user_set.clear()
    yield
    group.user_set.set(users)


#: The tenant is down, or what is there is no tenant.
OUTAGES = pytest.mark.parametrize(
    "fault", [{"drop": True}, {"status": 503}, {"status": 200, "body": "<html>"}]
)

#: A change of the URL of /authorize, and what the page then says.
OTHERWISE = pytest.mark.parametrize(
    ("change", "said"),
    [
        ("scope", "The tenant sent no ID token"),
        ("nonce", "claim: 'nonce'"),
        ("issuer", "claim: 'iss'"),
    ],
)


def asked_otherwise(browser, login_url, change):
    """Start a login; return the URL of /authorize, changed so that the answer is wrong."""
    answer = browser.get(login_url, allow_redirects=False)
    url = urlsplit(answer.headers["Location"])
    query = dict(parse_qsl(url.query))
    if change == "issuer":  # the tenant has two names, and an issuer for each
        other = {"localhost": "127.0.0.1", "127.0.0.1": "localhost"}[url.hostname]
        url = url._replace(netloc=f"{other}:{url.port}")
    elif change == "nonce":
        assert query["nonce"]
        query["nonce"] = "another"
    else:
        query["scope"] = query["scope"].replace("openid", "")
    return url._replace(query=urlencode(query)).geturl()


class TestConsole:
    def test_signs_the_agent_in_on_the_tenants_login_page(self, apps, stranger):
        """No one gets to the customers without it."""
        page = stranger.get(apps.console.origin + "/")
        assert page.url.startswith(apps.tenant.domain)
        page = stranger.submit(page, username="sam@acme.example", password="password")
        assert apps.console.origin + "/" == page.url
        assert "Sam Rivers" in page.text

    def test_keeps_the_session_in_its_database(self, apps, agent):
        """In the cookie there is its key alone."""
        with sqlite3.connect(str(apps.database)) as database:
            keys = [
                key
                for (key,) in database.execute("SELECT session_key FROM django_session")
            ]
        database.close()
        assert agent.web.cookies["sessionid"] in keys

    def test_sends_the_agent_over(self, apps, agent):
        """303, to the shop's login route, with the headers that keep the URL to itself."""
        answer = agent.enter(follow=False)
        assert 303 == answer.status_code
        target = urlsplit(answer.headers["Location"])
        assert (
            apps.shop.origin + "/login"
            == f"{target.scheme}://{target.netloc}{target.path}"
        )
        assert "no-store" == answer.headers["Cache-Control"]
        assert "no-referrer" == answer.headers["Referrer-Policy"]

    def test_tells_the_action_who_why_and_from_where(self, apps, agent):
        """Customer, agent, reason and the agent's own address."""
        events = []
        default = apps.tenant.action
        apps.tenant.action = lambda event, api: (
            events.append(event) or default(event, api)
        )
        apps.console.network.client = "198.51.100.7"
        agent.enter(1, follow=False)
        (event,) = events
        assert ("auth0|sam", REASON, "198.51.100.7") == (
            event.transaction.actor_token_user.user_id,
            event.request.body["reason"],
            event.request.ip,
        )

    @pytest.mark.parametrize(
        ("fields", "shown"),
        [
            ({"reason": " "}, "Reason: This field is required."),
            ({"reason": None}, "Reason: This field is required."),
            ({"reason": "x" * 201}, "Reason: Ensure this value has at most 200"),
            ({"page": "https://evil.example/"}, "Page: A path"),
            ({"page": "/orders 4711"}, "Page: A path"),
        ],
    )
    def test_shows_what_is_wrong_with_the_form(self, apps, agent, fields, shown):
        """Above the customer's own form, and nothing is asked of the tenant."""
        page = agent.enter(1, **fields)
        assert 400 == page.status_code
        assert shown in page.text.partition("Lin Okafor")[2]
        assert "secte" not in [log.type for log in apps.tenant.logs]

    def test_refuses_whoever_is_not_an_agent(self, apps, stranger):
        """A customer can sign in to the tenant, and must get nowhere here."""
        page = stranger.get(apps.console.origin + "/")
        page = stranger.submit(page, username="ada@example.com", password="password")
        assert 403 == page.status_code
        assert 403 == stranger.get(apps.console.origin + "/").status_code

    @pytest.mark.usefixtures("no_permission")
    def test_refuses_an_agent_without_the_permission(self, apps, agent):
        """Not in the group: no customer is shown, a POST gets 403, and who can help."""
        page = agent.get(apps.console.origin + "/")
        assert "Ada Ferro" not in page.text
        assert "sign-in-as" not in page.text
        assert "administrator can add you to a group" in page.text
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)', page.text).group(1)
        answer = agent.web.post(
            apps.console.origin + "/customers/auth0%7Cada/sign-in-as",
            {"reason": REASON, "csrfmiddlewaretoken": token},
            timeout=10,
        )
        assert 403 == answer.status_code
        assert "administrator can add you to a group" in answer.text
        assert "secte" not in [log.type for log in apps.tenant.logs]

    def test_answers_only_post(self, apps, agent):
        """A link must not enter an account."""
        url = apps.console.origin + "/customers/auth0%7Cada/sign-in-as"
        assert 405 == agent.get(url).status_code

    def test_keeps_an_audit_record(self, apps, agent):
        """Who, whose account, why, from where and what became of it."""
        from support.models import Entry

        apps.console.network.client = "198.51.100.7"
        agent.enter(1, follow=False)
        apps.tenant.action = lambda event, api: api.access.deny(
            "access_denied", "Not today."
        )
        agent.enter(0)
        fields = ("agent__username", "customer", "reason", "ip", "outcome")
        entries = list(Entry.objects.order_by("pk").values_list(*fields))
        assert [
            ("sam@acme.example", "auth0|lin", REASON, "198.51.100.7", "issued"),
            ("sam@acme.example", "auth0|ada", REASON, "198.51.100.7", "access_denied"),
        ] == entries[-2:]

    def test_wants_its_own_form(self, apps, agent):
        """A POST from another site mints nothing."""
        url = apps.console.origin + "/customers/auth0%7Cada/sign-in-as"
        assert 403 == agent.web.post(url, {"reason": REASON}, timeout=10).status_code

    def test_renews_a_stale_id_token(self, apps, agent):
        """With the refresh token; the rotated one is kept, so that it works again and again."""
        apps.tenant.settings["console"]["jwt_configuration"]["lifetime_in_seconds"] = 10
        agent.get(apps.console.origin + "/sign-in")
        for _ in range(3):
            assert 303 == agent.enter(follow=False).status_code
        assert 3 == [log.type for log in apps.tenant.logs].count("sertft")

    def test_keeps_a_rotated_refresh_token_even_if_the_mint_then_fails(
        self, apps, agent
    ):
        """Django saves no session when the answer is a 5xx; losing the token would sign the agent out."""
        apps.tenant.settings["console"]["jwt_configuration"]["lifetime_in_seconds"] = 10
        agent.get(apps.console.origin + "/sign-in")
        default = apps.tenant.action
        apps.tenant.action = lambda event, api: api.access.deny(
            "unauthorized_actor", "Not today."
        )
        refused = agent.enter()
        assert 502 == refused.status_code
        assert "Not today." in refused.text
        apps.tenant.action = default
        assert 303 == agent.enter(follow=False).status_code
        assert ["sertft", "fecte", "sertft", "secte"] == [
            log.type
            for log in apps.tenant.logs
            if log.type in ("sertft", "fertft", "secte", "fecte")
        ]

    def test_sends_an_agent_without_a_usable_token_to_the_login_page(self, apps, agent):
        """Nothing that the console holds is good any more: sign in again, no error page."""
        apps.tenant.settings["console"]["jwt_configuration"]["lifetime_in_seconds"] = 10
        agent.get(apps.console.origin + "/sign-in")
        apps.tenant.records.refresh_tokens.clear()
        answer = agent.enter(follow=False)
        assert (302, "/sign-in") == (answer.status_code, answer.headers["Location"])
        page = agent.get(apps.console.origin + "/sign-in")
        assert "You had to sign in again" in page.text
        assert f'value="{REASON}"' in page.text
        assert "again" not in agent.get(apps.console.origin + "/").text

    def test_shows_the_hint_of_a_refusal(self, apps, agent):
        """What a person has to change, and where."""
        apps.tenant.action = lambda event, api: api.authentication.setUserById(
            "auth0|ada"
        )
        page = agent.enter()
        assert 502 == page.status_code
        assert "setActor" in page.text


class TestFailedSignIn:
    """The page says what happened, and which settings to check."""

    @pytest.fixture
    def no_metadata(self, monkeypatch):
        """Authlib has not yet asked the tenant where its login page is."""
        from support.auth0 import oauth

        monkeypatch.setattr(oauth.auth0, "server_metadata", {})

    @pytest.fixture
    def code(self, apps, stranger):
        """The callback's URL, with which the tenant sends the agent back."""
        page = stranger.get(apps.console.origin + "/")
        login = {"username": "sam@acme.example", "password": "password"}
        answer = stranger.submit(page, follow=False, **login)
        url = urljoin(answer.url, answer.headers["Location"])
        return stranger.get(url, allow_redirects=False).headers["Location"]

    @pytest.mark.usefixtures("no_metadata")
    @OUTAGES
    def test_no_tenant(self, apps, stranger, fault):
        """It is down, or what is there is no tenant: the domain may be wrong."""
        apps.tenant.fail_next(**fault)
        page = stranger.get(apps.console.origin + "/sign-in")
        assert 502 == page.status_code
        assert f"no usable answer from {apps.tenant.domain}" in page.text
        assert "domain" in hint(page)

    @pytest.mark.usefixtures("no_metadata")
    def test_tenant_hangs(self, apps, stranger, monkeypatch):
        """Authlib alone would wait for as long as the tenant holds the connection."""
        from support.auth0 import oauth

        hang(apps.tenant, oauth, monkeypatch)
        assert 502 == stranger.get(apps.console.origin + "/sign-in").status_code

    @OUTAGES
    def test_tenant_gone(self, apps, stranger, code, fault):
        """It stops between the login page and the callback."""
        apps.tenant.fail_next(**fault)
        page = stranger.get(code)
        assert 502 == page.status_code
        assert "domain" in hint(page)

    def test_wrong_secret(self, apps, stranger, code):
        """All that the tenant says is "Unauthorized"."""
        apps.tenant.settings["console"]["client_secret"] = "another"
        page = stranger.get(code)
        assert 400 == page.status_code
        assert "Unauthorized" in page.text
        assert "client_secret" in hint(page)

    def test_lost_cookie(self, apps, code):
        """The browser did not send it back, as over http if it is a secure one."""
        with Agent(apps).web as browser:
            page = browser.get(code, timeout=10)
        assert 400 == page.status_code
        assert "CSRF Warning" in page.text
        assert "SESSION_COOKIE_SECURE" in hint(page)

    def test_another_name_of_this_machine(self, apps, stranger):
        """Whoever opens 127.0.0.1 is told by the tenant why that does not work."""
        console = apps.console.origin.replace("localhost", "127.0.0.1")
        page = stranger.get(console + "/")
        assert page.url.startswith(apps.tenant.domain)
        assert "Callback URL mismatch" in page.text

    def test_refused_by_the_tenant(self, apps, stranger, code):
        """What the tenant says about it is all that there is to say."""
        url = code.partition("?")[0] + "?error=access_denied&error_description=Not+you."
        page = stranger.get(url)
        assert 400 == page.status_code
        assert "The sign-in failed: Not you." in page.text
        assert 'id="hint"' not in page.text

    @pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
    def test_unusable_id_token(self, apps, stranger, code, algorithm):
        """An ID token that does not verify: a page says so, and signs nobody in."""
        settings = apps.tenant.settings["console"]["jwt_configuration"]
        settings["alg"] = algorithm
        if algorithm == "RS256":
            apps.tenant.clock.advance(-40_000)  # already expired here
        page = stranger.get(code)
        assert 400 == page.status_code
        assert "The sign-in failed" in page.text
        page = stranger.get(apps.console.origin + "/", allow_redirects=False)
        assert 302 == page.status_code

    @OTHERWISE
    def test_another_id_token_than_was_asked_for(self, apps, stranger, change, said):
        """None, another login's or another tenant's: a page says so, signs nobody in."""
        url = asked_otherwise(stranger, apps.console.origin + "/sign-in", change)
        login = {"username": "sam@acme.example", "password": "password"}
        page = stranger.submit(stranger.get(url), **login)
        assert apps.console.origin + "/callback" == page.url.partition("?")[0]
        assert 400 == page.status_code
        assert "The sign-in failed" in page.text
        assert said in html.unescape(page.text)
        assert "client_secret" not in page.text
        page = stranger.get(apps.console.origin + "/", allow_redirects=False)
        assert 302 == page.status_code


def hang(tenant, oauth, monkeypatch):
    """Let the tenant take longer than the application waits, which is now short."""
    assert 10 == oauth.auth0.client_kwargs["default_timeout"]
    monkeypatch.setitem(oauth.auth0.client_kwargs, "default_timeout", 0.1)
    tenant.fail_next(status=None, delay=0.5)


def hint(page):
    """Return the hint of an error page."""
    return re.search('id="hint">(.*?)</p>', page.text)[1]


class TestClientIp:
    @pytest.fixture(autouse=True)
    def trusted_proxies(self, apps):
        from django.test import override_settings

        networks = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]
        with override_settings(TRUSTED_PROXIES=networks):
            yield

    @pytest.mark.parametrize(
        ("peer", "forwarded", "expected"),
        [
            ("192.0.2.7", None, "192.0.2.7"),
            ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
            ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
            ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:DB9::7", "2001:db9::7"),
            ("10.0.0.1", "198.51.100.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
            ("10.0.0.1", "not checked, 192.0.2.7", "192.0.2.7"),
            ("", "198.51.100.1,192.0.2.7", "192.0.2.7"),
        ],
    )
    def test_is_the_last_hop_that_is_not_a_proxy(self, peer, forwarded, expected):
        """Whatever the client claims; on a unix socket the peer has no address."""
        assert expected == self.client_ip(peer, forwarded)

    @pytest.mark.parametrize("peer", ["", "10.0.0.1"])
    def test_is_never_a_proxy(self, peer):
        """A token for the proxy's address would open nothing: better to say so."""
        from django.core.exceptions import ImproperlyConfigured

        with pytest.raises(ImproperlyConfigured):
            self.client_ip(peer, None)

    def client_ip(self, peer, forwarded):
        from django.test import RequestFactory
        from support.client_ip import client_ip

        headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
        return client_ip(RequestFactory().get("/", REMOTE_ADDR=peer, **headers))


class TestShop:
    def test_shows_who_is_really_there(self, apps, agent):
        """From click to banner."""
        page = agent.enter()
        assert apps.shop.origin + "/" == page.url
        assert "<strong>auth0|sam</strong> is signed in as Ada Ferro" in page.text

    def test_opens_the_page_that_the_ticket_is_about(self, apps, agent):
        """The console's link leads there, through the login."""
        page = agent.enter(page="/orders/4711")
        assert apps.shop.origin + "/orders/4711" == page.url
        assert "its price is wrong" in page.text

    @pytest.mark.parametrize(
        "page",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
        ],
    )
    def test_stays_on_its_own_site(self, apps, agent, page):
        """What comes as the page to show may come from anybody."""
        url = agent.enter(follow=False).headers["Location"]
        page = agent.get(url + "&" + urlencode({"next": page}))
        assert apps.shop.origin + "/" == page.url

    @pytest.mark.parametrize("page", ["/login", "/login?next=/login", "/%6cogin"])
    def test_does_not_loop(self, apps, agent, page):
        """Even if the page to show is the login itself."""
        page = agent.enter(page=page)
        assert apps.shop.origin + "/" == page.url
        assert len(page.history) < 9

    def test_ends_a_delegated_session_after_two_hours(self, apps, agent, monkeypatch):
        """Auth0 ends its own session, and nobody but the shop this one."""
        agent.enter()
        now = time.time()
        monkeypatch.setattr("time.time", lambda: now + 7190)
        assert "is signed in as Ada Ferro" in agent.get(apps.shop.origin + "/").text
        monkeypatch.setattr("time.time", lambda: now + 7201)
        page = agent.get(apps.shop.origin + "/")
        assert "Ada Ferro" not in page.text
        assert "Log in" in page.text

    def test_a_new_login_does_not_start_the_two_hours_again(
        self, apps, agent, monkeypatch
    ):
        """The tenant logs the agent in silently: the session is as old as the tenant's."""
        agent.enter()
        now = time.time()
        monkeypatch.setattr("time.time", lambda: now + 6600)
        agent.web.cookies.pop("shop")
        page = agent.get(apps.shop.origin + "/login")
        assert "is signed in as Ada Ferro" in page.text
        monkeypatch.setattr("time.time", lambda: now + 7201)
        assert "Ada Ferro" not in agent.get(apps.shop.origin + "/").text

    def test_a_silent_login_that_is_not_asked_for_its_age_opens_nothing(
        self, apps, agent
    ):
        """An agent who takes max_age out of the URL gets no session without a limit."""
        agent.enter()
        agent.web.cookies.pop("shop")
        url = agent.get(apps.shop.origin + "/login", allow_redirects=False).headers[
            "Location"
        ]
        assert "max_age=" in url
        page = agent.get(re.sub("&max_age=[0-9]+", "", url))
        assert apps.shop.origin + "/" == page.url
        assert "Ada Ferro" not in page.text

    def test_does_not_count_the_agent_as_the_customer(
        self, apps, agent, stranger, caplog
    ):
        """No analytics, no last login; both for the customer."""
        caplog.set_level("INFO", "shop")
        assert "analytics" not in agent.enter().text
        assert [] == [each for each in caplog.messages if "last login" in each]
        page = stranger.get(apps.shop.origin + "/login")
        page = stranger.submit(page, username="ada@example.com", password="password")
        assert "analytics" in page.text
        assert "last login of auth0|ada: now" in caplog.messages

    def test_has_no_banner_for_the_customer(self, apps, stranger):
        """An ordinary login is as ever."""
        page = stranger.get(apps.shop.origin + "/login")
        page = stranger.submit(page, username="ada@example.com", password="password")
        assert "Hello, " in page.text
        assert "is signed in as" not in page.text

    def test_lets_only_the_customer_delete_the_account(self, apps, agent, stranger):
        """An agent is told 403, whatever the page offers."""
        agent.enter()
        assert (
            403
            == agent.web.post(
                apps.shop.origin + "/account/delete", timeout=10
            ).status_code
        )
        page = stranger.get(apps.shop.origin + "/login")
        page = stranger.submit(page, username="ada@example.com", password="password")
        assert "is gone" in stranger.submit(page).text
        deleted = stranger.web.post(apps.shop.origin + "/account/delete", timeout=10)
        assert 403 == deleted.status_code

    def test_lets_the_agent_enter_the_next_account_after_logging_out(self, apps, agent):
        """Before, the tenant's error page asks for it."""
        agent.enter(0)
        assert 400 == agent.enter(1).status_code
        page = agent.leave()
        assert apps.shop.origin + "/" == page.url
        assert "is signed in as Lin Okafor" in agent.enter(1).text

    def test_refuses_a_token_that_was_used(self, agent, stranger):
        """The second use ends on the login page, as for a stranger."""
        url = agent.enter(follow=False).headers["Location"]
        assert 200 == agent.get(url).status_code
        page = stranger.get(url)
        assert "Log in" in page.text
        assert "used before" in page.text

    def test_refuses_an_id_token_that_does_not_verify(self, apps, agent):
        """It says so on a page of its own, and logs nobody in."""
        apps.tenant.settings["shop"]["jwt_configuration"]["alg"] = "HS256"
        page = agent.enter()
        assert 403 == page.status_code
        assert "HS256" in page.text

    @pytest.fixture
    def oauth(self, apps):
        return apps.shop.network.app.extensions["authlib.integrations.flask_client"]

    @pytest.fixture
    def no_metadata(self, oauth, monkeypatch):
        """Authlib has not yet asked the tenant where its login page is."""
        monkeypatch.setattr(oauth.auth0, "server_metadata", {})

    @pytest.mark.usefixtures("no_metadata")
    @OUTAGES
    def test_says_that_the_tenant_is_down(self, apps, stranger, fault):
        """A login without a usable answer from the tenant ends on a page, not a 500."""
        apps.tenant.fail_next(**fault)
        page = stranger.get(apps.shop.origin + "/login")
        assert 502 == page.status_code
        assert f"no usable answer from {apps.tenant.shop['domain']}" in page.text

    @pytest.mark.usefixtures("no_metadata")
    def test_does_not_wait_for_long(self, apps, stranger, oauth, monkeypatch):
        """Authlib alone would wait for as long as the tenant holds the connection."""
        hang(apps.tenant, oauth, monkeypatch)
        assert 502 == stranger.get(apps.shop.origin + "/login").status_code

    @OUTAGES
    def test_says_that_the_tenant_is_gone(self, apps, stranger, fault):
        """So does a callback: it stopped after its login page."""
        page = stranger.get(apps.shop.origin + "/login")
        login = {"username": "ada@example.com", "password": "password"}
        answer = stranger.submit(page, follow=False, **login)
        url = urljoin(answer.url, answer.headers["Location"])
        code = stranger.get(url, allow_redirects=False).headers["Location"]
        apps.tenant.fail_next(**fault)
        page = stranger.get(code)
        assert 502 == page.status_code
        assert "Log in" in stranger.get(apps.shop.origin + "/").text

    @OTHERWISE
    def test_refuses_another_id_token_than_it_asked_for(
        self, apps, stranger, change, said
    ):
        """None, another login's or another tenant's: the same page, and nobody logged in."""
        url = asked_otherwise(stranger, apps.shop.origin + "/login", change)
        login = {"username": "ada@example.com", "password": "password"}
        page = stranger.submit(stranger.get(url), **login)
        assert apps.shop.origin + "/callback" == page.url.partition("?")[0]
        assert 403 == page.status_code
        assert said in html.unescape(page.text)
        assert "Log in" in stranger.get(apps.shop.origin + "/").text

    def test_refuses_a_token_from_elsewhere(self, apps, agent):
        """The console saw the agent at another address than the tenant does."""
        apps.console.network.client = "198.51.100.7"
        page = agent.enter()
        assert "Log in" in page.text
        assert "198.51.100.7" in page.text

    @pytest.mark.parametrize(
        ("where", "name", "value"),
        [
            ("delegation", "allow_delegated_access", False),
            (None, "allowed_authentication_methods", ["cookie"]),
        ],
    )
    def test_ends_on_the_login_page_where_a_setting_is_missing(
        self, apps, agent, where, name, value
    ):
        """Silently, but for a warning in the tenant's logs."""
        settings = apps.tenant.settings["shop"]["session_transfer"]
        (settings[where] if where else settings)[name] = value
        page = agent.enter()
        assert "Log in" in page.text
        (warning,) = [log for log in apps.tenant.logs if log.type == "w"]
        assert name in warning.description

    @pytest.mark.parametrize(
        "query",
        ["{0}=a&{0}=b", "{0}=", "organization=a&organization=b&{0}=c"],
    )
    def test_answers_400_to_a_malformed_link(self, apps, stranger, query):
        """Repeated or empty parameters go nowhere."""
        assert (
            400
            == stranger.get(
                apps.shop.origin + "/login?" + query.format("session_transfer_token")
            ).status_code
        )
