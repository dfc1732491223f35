"""What the README says is true, and its code runs as it stands."""

import re
import runpy
import sys
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import django
import flask
import pytest
import requests
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from calls import redirect_url
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory, override_settings
from joserfc.errors import JoseError
from release.blocks import ROOT, blocks, run

import auth0_stt
from auth0_stt import DELEGATED_SESSION_LIFETIME

README = ROOT / "README.rst"
TEXT = README.read_text("utf-8")
FLAT = " ".join(TEXT.split())


class Session(dict):
    """Django's session as far as the view uses it."""

    saved = None

    def save(self):
        self.saved = dict(self)


class TestConsole:
    @pytest.fixture
    def scope(self, tenant, monkeypatch):
        """A project into which the view is pasted, with what the README says it needs."""
        monkeypatch.syspath_prepend(ROOT / "examples" / "console")
        if not settings.configured:
            settings.configure(
                ALLOWED_HOSTS=["testserver"],
                INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
                ROOT_URLCONF="urls",
            )
            django.setup()
        urls = SimpleNamespace(urlpatterns=[])
        monkeypatch.setitem(sys.modules, "urls", urls)
        given = {
            **settings_of_the_readme(),
            "AUTH0": tenant.console,
            "SUBJECT_TOKEN_KEY": tenant.subject_token_key,
        }
        with override_settings(**given):
            scope = run(README, "console")
            from django.urls import path

            urls.urlpatterns.append(path("sign-in", scope["redirect"], name="sign_in"))
            yield scope

    @pytest.fixture
    def view(self, scope):
        return scope["sign_in_as"]

    @pytest.fixture
    def request_(self, tenant):
        """The POST of an agent who may enter accounts."""
        request = RequestFactory().post("/enter", {"reason": "T-1"})
        tokens = tenant.agent_tokens()
        request.session = Session(
            id_token=tokens["id_token"], refresh_token=tokens["refresh_token"]
        )
        request.user = SimpleNamespace(
            is_authenticated=True,
            has_perms=lambda names: set(names) == {"support.enter_customer"},
        )
        return request

    def test_opens_a_session_as_the_customer(self, tenant, view, request_):
        """303, the headers, and a Location that works."""
        response = view(request_, "auth0|ada")
        assert (303, "no-store", "no-referrer") == (
            response.status_code,
            response["Cache-Control"],
            response["Referrer-Policy"],
        )
        claims = tenant.redeem(response["Location"])
        assert ("auth0|ada", "auth0|sam") == (claims["sub"], claims["act"]["sub"])

    def test_answers_only_post(self, view, request_):
        """A link must not enter an account."""
        request_.method = "GET"
        assert 405 == view(request_, "auth0|ada").status_code

    def test_checks_who_it_is(self, view, request_):
        """No session: to the login. No permission: 403."""
        request_.user = SimpleNamespace(
            is_authenticated=True, has_perms=lambda names: False
        )
        with pytest.raises(PermissionDenied):
            view(request_, "auth0|ada")
        request_.user = SimpleNamespace(is_authenticated=False)
        assert 302 == view(request_, "auth0|ada").status_code

    def test_wants_a_reason(self, tenant, view, request_):
        """A blank one is the agent's mistake, and nothing is sent."""
        request_.POST = {"reason": " "}
        assert 400 == view(request_, "auth0|ada").status_code
        assert [] == [log for log in tenant.logs if log.type.endswith("ecte")]

    def test_stores_renewed_tokens_at_once(self, tenant, view, request_):
        """Before anything else can fail."""
        before = request_.session["refresh_token"]
        request_.session["id_token"] = None
        tenant.fail_next(status=None)  # the renewal is as usual
        tenant.fail_next(status=503)
        assert 502 == view(request_, "auth0|ada").status_code
        assert before != request_.session.saved["refresh_token"]

    def test_shows_the_hint_as_plain_text(self, tenant, view, request_):
        """What has to change, and nothing that a browser reads as HTML."""
        tenant.fail_next(
            status=400,
            body=b'{"error": "invalid_request", "error_description": "setActor is '
            b'required when requesting a session transfer token"}',
        )
        response = view(request_, "auth0|ada")
        assert b"setActor" in response.content
        assert "text/plain" == response["Content-Type"]

    def test_sends_the_agent_to_the_login(self, view, request_):
        """Where there is no token left to use."""
        request_.session.clear()
        response = view(request_, "auth0|ada")
        assert (302, "/sign-in") == (response.status_code, response["Location"])

    def test_its_settings_are_those_of_the_local_tenant(self):
        """Whoever pastes them gets in without a change."""
        local = runpy.run_path(str(ROOT / "examples/console/__main__.py"))["LOCAL"]
        shown = settings_of_the_readme()
        assert {
            "domain": local["CONSOLE_DOMAIN"],
            "client_id": local["CONSOLE_CLIENT_ID"],
            "client_secret": local["CONSOLE_CLIENT_SECRET"],
        } == shown["AUTH0"]
        for name in ("SUBJECT_TOKEN_KEY", "SHOP_LOGIN_URL"):
            assert local[name] == shown[name]
        assert f'subject_token_type="{local["SUBJECT_TOKEN_TYPE"]}"' in TEXT


def settings_of_the_readme():
    """Return what the view presumes in Django's settings."""
    scope = run(README, "settings")
    return {name: value for name, value in scope.items() if name.isupper()}


def login_url(tenant):
    """Return the shop's login URL with a new token."""
    return "/login?" + urlsplit(redirect_url(tenant)).query


def callback_url(authorize_url, web=requests):
    """Return where the tenant sends the browser back to."""
    answer = web.get(authorize_url, allow_redirects=False, timeout=5)
    return answer.headers["Location"]


class TestShop:
    @pytest.fixture
    def app(self, tenant):
        app = flask.Flask("shop")
        app.secret_key = "tests"
        app.add_url_rule(
            "/",
            "home",
            lambda: flask.g.actor.sub if flask.g.actor else "customer",
        )
        oauth = OAuth(app)
        oauth.register(
            "auth0",
            client_id=tenant.shop["client_id"],
            client_secret=tenant.shop["client_secret"],
            server_metadata_url=tenant.shop["domain"]
            + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid profile email"},
        )
        run(
            README,
            "shop",
            app=app,
            oauth=oauth,
            DOMAIN=tenant.shop["domain"],
            CLIENT_ID=tenant.shop["client_id"],
        )
        return app

    def enter(self, app, **act):
        client = app.test_client()
        with client.session_transaction() as session:
            session["user"] = {"sub": "auth0|ada", **act}
            session["since"] = time.time()
        return client

    def test_passes_the_token_on(self, app):
        """With a token it goes to /authorize; an ordinary login is as ever."""
        query = "session_transfer_token=stt&organization=org"
        delegated = app.test_client().get("/login?" + query).location
        assert "&" + query in delegated
        assert "session_transfer_token" not in app.test_client().get("/login").location

    def test_answers_400_to_a_malformed_link(self, app):
        """A token that comes twice goes nowhere."""
        url = "/login?session_transfer_token=a&session_transfer_token=b"
        assert 400 == app.test_client().get(url).status_code

    def test_a_failed_login_does_not_loop(self, app):
        """It ends on a page."""
        url = "/callback?error=interaction_required&error_description=MFA"
        assert 403 == app.test_client().get(url).status_code

    @pytest.mark.parametrize(
        "answer", [{"userinfo": {"act": {}}}, {"access_token": "at"}, JoseError("no")]
    )
    def test_an_unusable_id_token_opens_nothing(self, app, monkeypatch, answer):
        """It is missing, does not verify, or its actor is nobody: a page, and no session."""

        def authorize_access_token(client):
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(
            FlaskOAuth2App, "authorize_access_token", authorize_access_token
        )
        client = app.test_client()
        assert 403 == client.get("/callback").status_code
        assert b"customer" == client.get("/").data

    @pytest.mark.parametrize("step", ["login", "token", "keys"])
    @pytest.mark.parametrize(
        "fault", [{"drop": True}, {"status": 503}, {"status": 200, "body": "<html>"}]
    )
    def test_answers_502_to_an_outage(self, app, tenant, step, fault):
        """Auth0 is down, or something else answers: a page, and no session."""
        settings = tenant.settings[tenant.shop["client_id"]]
        settings["callbacks"] = ["http://localhost/callback"]
        browser, url = app.test_client(), "/login"
        if step != "login":
            url = callback_url(browser.get(login_url(tenant)).location)
        if step == "keys":  # they are fetched after the token
            tenant.fail_next(status=None)
        tenant.fail_next(**fault)
        page = browser.get(url)
        assert (502, True) == (page.status_code, "Auth0" in page.text)
        with browser.session_transaction() as session:
            assert "user" not in session

    def test_knows_the_agent(self, app):
        """And the customer who has none."""
        assert b"auth0|sam" == self.enter(app, act={"sub": "auth0|sam"}).get("/").data
        assert b"customer" == self.enter(app).get("/").data
        assert b"customer" == app.test_client().get("/").data

    def test_ends_a_delegated_session(self, app, monkeypatch):
        """After two hours; a customer's own goes on."""
        agent = self.enter(app, act={"sub": "auth0|sam"})
        customer = self.enter(app)
        later = time.time() + DELEGATED_SESSION_LIFETIME + 1
        monkeypatch.setattr("time.time", lambda: later)
        assert b"customer" == agent.get("/").data
        for client, left in ((agent, False), (customer, True)):
            with client.session_transaction() as session:
                assert left is ("user" in session)

    def test_a_new_login_does_not_start_the_two_hours_again(
        self, app, tenant, monkeypatch
    ):
        """The tenant logs the agent in silently, an hour later with a new cookie."""
        settings = tenant.settings[tenant.shop["client_id"]]
        settings["callbacks"] = ["http://localhost/callback"]
        now = time.time()
        with requests.Session() as at_tenant:
            for url in (login_url(tenant), "/login"):
                browser = app.test_client()
                back = callback_url(browser.get(url).location, at_tenant)
                assert b"auth0|sam" == browser.get(back, follow_redirects=True).data
                monkeypatch.setattr("time.time", lambda: now + 6600)
        monkeypatch.setattr("time.time", lambda: now + 7190)
        assert b"auth0|sam" == browser.get("/").data
        monkeypatch.setattr("time.time", lambda: now + 7201)
        assert b"customer" == browser.get("/").data

    def test_leads_out(self, app, tenant):
        """Here and at the tenant."""
        client = self.enter(app, act={"sub": "auth0|sam"})
        response = client.post("/logout")
        assert 303 == response.status_code
        assert response.location.startswith(tenant.shop["domain"] + "/v2/logout?")
        assert b"customer" == client.get("/").data


def test_every_python_block_is_run_here():
    """No code that nobody tried."""
    assert ["console", "settings", "shop"] == [
        block.name for block in blocks(README) if block.language == "python"
    ]


def test_its_size():
    """A page that one reads."""
    assert len(TEXT.splitlines()) <= 250


def test_files_that_are_named_exist():
    """Whoever looks for a file finds it."""
    named = re.findall(r"(?:``|<|: )((?:docs|examples)/[\w./]*|\w+\.rst)", TEXT)
    assert len(named) > 10
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_auth0_is_linked_where_its_documentation_is():
    """Not at a page that is gone."""
    page = "authenticate/single-sign-on/session-delegation"
    assert [page] == re.findall(r"https://auth0\.com/docs/([\w/-]+)", TEXT)


def test_the_names_in_the_text_are_public():
    """A name that is not the package's would send the reader astray."""
    imported = {
        name
        for block in blocks(README)
        for names in re.findall(r"from auth0_stt import \(([^)]*)\)", block.text)
        for name in names.replace(",", " ").split()
    }
    assert len(imported) > 9
    assert set() == imported - set(auth0_stt.__all__)


def test_versions_and_needs_are_those_of_the_package():
    """The Pythons and the requirements."""
    setup = (ROOT / "setup.cfg").read_text("utf-8")
    assert "python_requires = >=3.7" in setup
    assert "It runs on Python 3.7 and later" in FLAT
    assert 4 == setup.count('; python_version >= "3.10"')
    assert "You need a clone of this repository and Python 3.10 or later" in FLAT
    requirements = set(re.findall(r"^    (\w+)>=[\d.]+$", setup, re.M))
    assert {"attrs", "requests", "urllib3"} == requirements
    assert "# needs requests and attrs" in FLAT  # urllib3 comes with requests
    for extra in re.findall(r'"auth0-stt\[(.+?)\]"', TEXT):
        assert f"\n{extra} =\n" in setup


REFUSALS = {
    "never an access token": "tests/core/test_redirect.py",
    "sends no request twice": "tests/core/test_transport.py",
    "verification of certificates": "tests/core/test_transport.py",
    "one IP address": "tests/core/test_arguments.py",
    "browsers read differently": "tests/core/test_redirect.py",
    "no token or secret": "tests/core/test_secrets.py",
}


def test_what_it_refuses_is_tested():
    """Each line of the list has its tests."""
    section = FLAT.partition("What it refuses to do")[2].partition("Where to read")[0]
    assert section.count(" * ") == len(REFUSALS)
    for words, path in REFUSALS.items():
        assert words in section
        assert (ROOT / path).exists(), path
