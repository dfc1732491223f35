"""Each example of the pages, run as it stands.

``test_errors_retry`` runs the blocks named ``retry`` on the page ``errors.rst``: the
fixture ``example`` finds them by the name of the test.
"""

import asyncio
import importlib
import inspect
import json
import logging
import logging.config
import os
import re
import shlex
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import flask
import jwt
import own_project
import processes
import pytest
import requests
import stamina
from authlib.integrations.flask_client import OAuth
from calls import mint_for
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from release.blocks import PAGES, ROOT, blocks, code, in_language, run
from running import Agent, free_ports, started

import auth0_stt
from auth0_stt import (
    ID_TOKEN_TYPE,
    ActorToken,
    CustomTokenExchangeError,
    CustomTokenExchangeErrorCode,
    InvalidArgumentError,
    TransportErrorCode,
    build_session_transfer_redirect,
    request_session_transfer_token,
)
from auth0_stt.rules import RULES
from auth0_stt.testing import LocalTenant

ERRORS = ROOT / "docs/errors.rst"

#: What a page may import from the package.
PUBLIC = {name: getattr(auth0_stt, name) for name in auth0_stt.__all__}


def test_name(path, name):
    """Return the name of the test that runs an example."""
    return "test_" + re.sub(r"\W", "_", f"{path.stem}_{name}")


test_name.__test__ = False


@pytest.fixture
def example(request):
    """A function that runs the example with what its page takes for granted."""
    ((path, name),) = {
        (path, block.name)
        for path in PAGES
        for block in blocks(path)
        if block.name and request.function.__name__ == test_name(path, block.name)
    }
    return lambda **given: run(path, name, **given)


@pytest.fixture
def agent(tenant):
    """The agent's token, as the console gets it from its session."""
    tokens = tenant.agent_tokens()
    return ActorToken(
        tokens["id_token"], ID_TOKEN_TYPE, tokens["refresh_token"], refreshed=False
    )


@pytest.fixture
def console(tenant):
    """What a console has: its settings, and the signing of subject tokens."""
    signed = []

    def sign_subject(customer_id):
        signed.append(tenant.subject_token(customer_id))
        return signed[-1]

    return SimpleNamespace(
        AUTH0=tenant.console, sign_subject=sign_subject, signed=signed
    )


def entered(tenant, token):
    """Whose account a token opens."""
    url = build_session_transfer_redirect("https://shop.example.com/login", token)
    return tenant.redeem(url)["sub"]


def test_errors_explain(example):
    """The agent's matter, a short wait, and everything else are told differently."""
    explain = example()["explain"]
    busy = CustomTokenExchangeError("server_error", "Down.", status_code=503)
    told = {
        explain(CustomTokenExchangeError("actor_unavailable", "No ID token.")),
        explain(busy),
        explain(CustomTokenExchangeError("invalid_client", "Wrong secret.")),
    }
    assert 3 == len(told)
    assert not any("None" in each for each in told)
    with pytest.raises(InvalidArgumentError):
        explain(InvalidArgumentError("message", argument="domain"))


def outage(tenant, times, **fault):
    for _ in range(times):
        tenant.fail_next(**fault)


def test_errors_stamina(example, tenant, agent, console, caplog, capsys):
    """Two failures are got over, each attempt has its own subject token, none is logged."""
    mint = example(AUTH0=console.AUTH0, sign_subject=console.sign_subject)["mint"]
    outage(tenant, 2, status=503, headers={"Retry-After": "0"})
    with caplog.at_level(0), stamina.set_testing(True, attempts=3):  # without waiting
        token = mint("auth0|ada", agent, "ticket 7", "127.0.0.1")
    assert "auth0|ada" == entered(tenant, token)
    assert 3 == len(console.signed)
    logged = [str(vars(record)) for record in caplog.records]
    logged += capsys.readouterr()  # stamina prints by structlog, if that is installed
    secrets = [*console.signed, agent.actor_token, console.AUTH0["client_secret"]]
    assert any("stamina" in each for each in logged)
    assert not [each for each in logged for secret in secrets if secret in each]


@pytest.mark.parametrize("name", ["stamina", "tenacity"])
def test_which_errors_are_worth_a_retry(name):
    """A short wait is, a long one and a final refusal are not."""
    worth = run(ERRORS, name, AUTH0={}, sign_subject=None)["worth_a_retry"]

    def busy(wait):
        return CustomTokenExchangeError(
            "too_many_requests", "Busy.", status_code=429, retry_after=wait
        )

    assert worth(busy(None))
    assert worth(busy(1.0))
    assert not worth(busy(600.0))
    assert not worth(CustomTokenExchangeError("access_denied", "No."))
    assert not worth(KeyError("domain"))


def test_errors_tenacity(example, tenant, agent, console):
    """The same with tenacity; an error that lasts comes through as it is."""
    retry = example()["retry"]

    @retry
    def mint():
        return request_session_transfer_token(
            **console.AUTH0,
            subject_token=console.sign_subject("auth0|ada"),
            subject_token_type=tenant.subject_token_type,
            actor_token=agent.actor_token,
            actor_token_type=agent.actor_token_type,
        )

    outage(tenant, 2, status=503, headers={"Retry-After": "0"})
    mint.retry.sleep = lambda seconds: None
    assert "auth0|ada" == entered(tenant, mint())
    outage(tenant, 3, status=503)
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint()
    assert "temporarily_unavailable" == caught.value.code


def test_audit_customer(example, caplog):
    """The record names the agent, the customer and the reason."""
    with caplog.at_level("INFO"):
        example()["entered"]("auth0|sam", "auth0|ada", "ticket 7")
    (record,) = caplog.records
    assert ("auth0|sam", "auth0|ada", "ticket 7") == (
        record.agent,
        record.customer,
        record.reason,
    )


@pytest.fixture
def log_restored():
    """The library's logger as it was, after a test that configured it."""
    logger = logging.getLogger("auth0_stt")
    before = logger.handlers[:], logger.level, logger.propagate
    yield logger
    for handler in set(logger.handlers) - set(before[0]):
        handler.close()
    logger.handlers[:], logger.level, logger.propagate = before


def test_audit_django(example, tenant, agent, tmp_path, log_restored):
    """Django's setting writes the agent and the reason to the file."""
    file = tmp_path / "audit.log"
    logging.config.dictConfig(example(AUDIT_FILE=str(file))["LOGGING"])
    mint_for(tenant, reason="ticket 7")
    assert re.search(
        r"INFO .* issued .* actor=auth0\|sam reason=ticket 7", file.read_text()
    )


def test_audit_structlog(example, tenant, agent, capsys, log_restored):
    """structlog writes one JSON object with the record's fields, and all of them."""
    scope = example()
    mint_for(tenant, reason="ticket 7")
    event = json.loads(capsys.readouterr().err)
    assert scope["FIELDS"] | {"event"} == set(event)
    assert ("auth0|sam", "ticket 7") == (
        event["auth0_actor_sub"],
        event["auth0_reason"],
    )


def test_audit_fields():
    """The page has the fields of the record, all of them and no others."""
    page = (ROOT / "docs/audit.rst").read_text("utf-8")
    shown = set(re.findall(r"^``(auth0_\w+)``$", page, re.M))
    assert shown == run(ROOT / "docs/audit.rst", "structlog")["FIELDS"]


def test_async_view(example, tenant, agent, console):
    """The coroutine returns a URL that opens the account."""
    view = example(AUTH0=console.AUTH0, sign_subject=console.sign_subject)
    url = asyncio.run(view["url_to_enter"]("auth0|ada", agent, "127.0.0.1"))
    assert "auth0|ada" == tenant.redeem(url)["sub"]


def test_migrating_python(example, tenant, console):
    """The new code stores what was renewed, and its URL opens the account."""
    session = {**tenant.agent_tokens(), "id_token": None}
    before = session["refresh_token"]
    scope = example(
        AUTH0=console.AUTH0,
        sign_subject=console.sign_subject,
        session=session,
        customer_id="auth0|ada",
        address="127.0.0.1",
    )
    assert "auth0|ada" == tenant.redeem(scope["url"])["sub"]
    assert session["id_token"]
    assert before != session["refresh_token"]


def test_every_code_is_on_the_page():
    """The page of errors names every code, and no others."""
    page = ERRORS.read_text("utf-8")
    every = page[page.index("Every code\n") : page.index("Retries\n")]
    terms = re.findall(r"^``.*$", every, re.M)
    shown = {code for term in terms for code in re.findall(r"``(\w+)``", term)}
    codes = {
        "invalid_argument",
        *map(str, CustomTokenExchangeErrorCode),
        *map(str, TransportErrorCode),
    }
    assert codes == shown


def test_console_allowed_hosts(example):
    """The example lets the shop pass, and nothing else."""
    stt = auth0_stt.SessionTransferTokenResult(
        "stt", auth0_stt.SESSION_TRANSFER_TOKEN_TYPE, 60
    )

    def url(shop):
        request = SimpleNamespace(POST={"shop": shop})
        return example(**PUBLIC, request=request, stt=stt)["url"]

    for shop in (
        "https://shop.example.com/login",
        "https://staging.example.com:8443/login",
    ):
        assert url(shop).startswith(shop)
    with pytest.raises(auth0_stt.InvalidArgumentError):
        url("https://evil.example/login")


def test_console_private_key(example):
    """The settings sign an assertion for the audience that they are given."""
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    settings = example(**PUBLIC, pem=pem)["AUTH0"]
    audience = "https://login.acme.com/"
    assertion = settings["client_assertion"](audience)
    claims = jwt.decode(assertion, key.public_key(), ["RS256"], audience=audience)
    assert settings["client_id"] == claims["sub"]


def test_console_certificate(example):
    """All that is wrong with the settings is that there are no such files here."""
    settings = example(**PUBLIC)["AUTH0"]
    with pytest.raises(auth0_stt.InvalidArgumentError) as caught:
        auth0_stt.resolve_actor_token(**settings, id_token=None)
    assert "client_certificate" == caught.value.argument


def test_console_session(example):
    """A session with its own CA bundle reaches a tenant over TLS."""
    with LocalTenant(tls=True) as tenant, requests.Session() as session:
        session.trust_env = False

        scope = example(
            **PUBLIC,
            requests=SimpleNamespace(Session=lambda: session),
            settings=SimpleNamespace(AUTH0=tenant.console),
            ca_file=tenant.ca_file,
            proof={
                "subject_token": tenant.subject_token("auth0|ada"),
                "subject_token_type": tenant.subject_token_type,
                "actor_token": tenant.agent_tokens()["id_token"],
                "actor_token_type": auth0_stt.ID_TOKEN_TYPE,
            },
        )
        assert 60 == scope["stt"].expires_in


#: What the console's settings read, as ``auth0-stt tenant`` prints it.
TENANT_ENV = {
    "CONSOLE_DOMAIN": "http://localhost:8400",
    "CONSOLE_CLIENT_ID": "console",
    "CONSOLE_CLIENT_SECRET": "as in tenant.env",
    "CONSOLE_SCHEME": "http",
    "SUBJECT_TOKEN_TYPE": "urn:acme:customer",
    "SUBJECT_TOKEN_KEY": "as in tenant.env",
    "SHOP_LOGIN_URL": "http://127.0.0.1:8402/login",
}


@pytest.mark.parametrize("command", ["check", "makemigrations --check"])
def test_console_installed(tmp_path, command):
    """In a new project, Django has nothing to say about it."""
    own_project.make(tmp_path)
    done = own_project.manage(tmp_path, command, **TENANT_ENV)
    assert 0 == done.returncode, done.stderr


#: Imports what is in the folder that was copied.
IMPORT_ALL = """
import importlib, pkgutil, django, support
django.setup()
for each in pkgutil.walk_packages(support.__path__, "support."):
    importlib.import_module(each.name)
"""


def test_console_copy(tmp_path):
    """All that is copied can be used in the project; the example's site stays behind."""
    own_project.make(tmp_path)
    environ = {"DJANGO_SETTINGS_MODULE": "site_.settings", **TENANT_ENV}
    done = own_project.python(tmp_path, "-c", IMPORT_ALL, **environ)
    assert 0 == done.returncode, done.stderr


def test_console_with_a_key_pair(tmp_path):
    """With the sign_subject of the setup page, there is no shared key to set."""
    own_project.make(tmp_path)
    shutil.copy(ROOT / "docs/action/sign_subject.py", tmp_path / "support")
    environ = {"DJANGO_SETTINGS_MODULE": "site_.settings", **TENANT_ENV}
    del environ["SUBJECT_TOKEN_KEY"]
    done = own_project.python(tmp_path, "-c", IMPORT_ALL, **environ)
    assert 0 == done.returncode, done.stderr


def test_console_urls(tmp_path):
    """A new project gets a console by the page's steps, beside its own pages."""
    own_project.make(tmp_path)
    port = free_ports(4)
    console = port + 3
    (text,) = in_language(own_project.PAGE, "json", "tenant-settings")
    (tmp_path / "tenant.json").write_text(text.replace(":8401", f":{console}"))
    (command,) = own_project.commands("tenant")
    assert "auth0-stt tenant --settings tenant.json | tee tenant.env" == command
    options = ["--port", port, "--settings", tmp_path / "tenant.json"]
    with started("-m", "auth0_stt", "tenant", *options, ready="listens") as lines:
        words = [shlex.split(line) for line in lines]
        told = dict(line[1].split("=", 1) for line in words if line[0] == "export")
        origin = f"http://localhost:{console}"
        apps = SimpleNamespace(console=SimpleNamespace(origin=origin + "/console"))
        agent = Agent(apps)
        with own_project.served(tmp_path, origin, **told), agent.web:
            assert "Sam Rivers" in agent.sign_in().text
            entered = agent.enter(follow=False)
            assert 404 == agent.get(origin + "/").status_code
            out = agent.submit(agent.get(origin + "/console/"))
            assert out.url.startswith(told["CONSOLE_DOMAIN"])
    assert 303 == entered.status_code
    assert entered.headers["Location"].startswith(told["SHOP_LOGIN_URL"] + "?")


class Session(dict):
    """Django's session as far as a shop uses it."""

    expiry = None

    def set_expiry(self, value):
        self.expiry = value

    flush = dict.clear


@pytest.fixture
def django():
    """Django with the URLs of a shop; its settings hold for the process."""
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["testserver"], ROOT_URLCONF=())
    view = HttpResponse
    urls = (path("", view, name="home"), path("callback", view, name="callback"))
    from django.test import RequestFactory, override_settings

    auth0 = {"domain": "login.shop.example", "client_id": "shop"}
    with override_settings(ROOT_URLCONF=urls, AUTH0=auth0):
        yield RequestFactory()


def test_shop_django(example, django, monkeypatch):
    """Login, callback and way out; the session of an agent ends after two hours."""
    passed, claims = [], {"sub": "auth0|ada"}
    answer = {"userinfo": claims}
    auth0 = SimpleNamespace(
        authorize_redirect=lambda request, url, **more: passed.append((url, more)),
        authorize_access_token=lambda request: answer,
    )
    shop = example(oauth=SimpleNamespace(auth0=auth0))

    for query in ("?session_transfer_token=stt&organization=org", ""):
        request = django.get("/login" + query)
        request.session = Session()
        shop["login"](request)
        assert bool(query) is request.session["entering"]
    more = {"session_transfer_token": "stt", "organization": "org"}
    callback = "http://testserver/callback"
    assert [(callback, more), (callback, {"max_age": "999999999"})] == passed
    twice = "/login?session_transfer_token=a&session_transfer_token=b"
    assert 400 == shop["login"](django.get(twice)).status_code

    request = django.get("/callback")
    request.session = Session(left="behind")
    assert "/" == shop["callback"](request)["Location"]
    assert ({"user": claims}, None) == (request.session, request.session.expiry)
    assert {"actor": None} == shop["banner"](request)

    claims["act"] = {"sub": "auth0|sam"}
    request.session["entering"] = True
    shop["callback"](request)
    assert timedelta(hours=2) == request.session.expiry
    assert "auth0|sam" == shop["banner"](request)["actor"].sub

    # The second login is silent: the session is as old as the tenant's.
    monkeypatch.setattr("time.time", lambda: 10_000.0)
    for auth_time, left in ((3400, 600), (10_100, 7200), (0, 0), (None, 0)):
        claims["auth_time"] = auth_time
        if auth_time is None:
            del claims["auth_time"]
        shop["callback"](request)
        assert timedelta(seconds=left) == request.session.expiry

    del answer["userinfo"]  # no ID token: the scope openid was not granted
    assert 403 == shop["callback"](request).status_code

    auth0.authorize_redirect = Mock(side_effect=requests.ConnectionError)
    assert 502 == shop["login"](request).status_code
    for error in (requests.ConnectionError, ValueError("not JSON")):
        auth0.authorize_access_token = Mock(side_effect=error)
        assert 502 == shop["callback"](request).status_code

    request.method = "POST"
    leave = shop["logout"](request)["Location"]
    assert leave.startswith("https://login.shop.example/v2/logout?client_id=shop&")
    assert {} == request.session


def test_shop_django_last_login():
    """The signal has the name that the page gives, and the functions are where it says."""
    source = (ROOT / "docs/shop.rst").read_text("utf-8")
    from django.contrib.auth import apps, signals

    assert "update_last_login(None, user)" in source
    text = inspect.getsource(apps)
    assert "update_last_login" in text
    assert 'dispatch_uid="update_last_login"' in text
    assert "user_logged_in" in vars(signals)


def test_doctor_nightly(example, tenant):
    """The job names what is wrong in the tenant that it reads."""
    shop = tenant.settings["shop"]
    shop["session_transfer"]["delegation"]["allow_delegated_access"] = False
    what_to_fix = example()["what_to_fix"]
    (sentence,) = what_to_fix(tenant.domain, tenant.management_token, "console", "shop")
    assert sentence == RULES["shop-allows-delegation"].fix


def test_the_lines_for_cron(tenant, agent, tmp_path):
    """The command line's example prints a URL that opens the account."""
    (script,) = in_language(ROOT / "docs/commandline.rst", "sh")
    settings = {
        "AUTH0_DOMAIN": tenant.console["domain"],
        "AUTH0_CLIENT_ID": tenant.console["client_id"],
        "AUTH0_CLIENT_SECRET": tenant.console["client_secret"],
        "AUTH0_SUBJECT_TOKEN_TYPE": tenant.subject_token_type,
        "AUTH0_ACTOR_TOKEN": agent.actor_token,
    }
    tokens = {"auth0|ada": tenant.subject_token("auth0|ada")}
    (tmp_path / "sign_subject.py").write_text(f"sign_subject = {tokens!r}.get\n")
    file = tmp_path / "auth0.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    for name, body in {
        "python": f'exec "{sys.executable}" "$@"',
        "auth0-stt": f'exec "{sys.executable}" -m auth0_stt "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    script = script.replace("/etc/console/auth0.env", str(file))
    done = processes.run(
        ["sh", "-euc", script, "sh", "auth0|ada", "ticket 7", "127.0.0.1"],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:/usr/bin:/bin",
            "PYTHONPATH": str(Path(auth0_stt.__file__).parents[1]),
        },
        text=True,
    )
    assert "" == done.stderr
    assert "auth0|ada" == tenant.redeem(done.stdout.strip())["sub"]


TESTING = ROOT / "docs/testing.rst"


def run_pytest(directory, environ=(), **files):
    """Run files of tests in a directory of their own; return how it ended."""
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)
    return processes.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=directory,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(auth0_stt.__file__).parents[1]),
            **dict(environ),
        },
        text=True,
    )


def test_testing_plugin(example):
    """The module of fixtures that the page names is there."""
    for name in example()["pytest_plugins"]:
        importlib.import_module(name)


def test_testing_pytest(tmp_path):
    """The page's two tests pass as they stand, with its line in conftest.py."""
    done = run_pytest(
        tmp_path, conftest=code(TESTING, "plugin"), test_app=code(TESTING, "pytest")
    )
    assert "2 passed" in done.stdout, done.stdout


def test_testing_console(tmp_path):
    """The tests of one's own console pass with the console of the console page."""
    own_project.make(tmp_path)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nDJANGO_SETTINGS_MODULE = site_.settings\n"
    )
    (text,) = in_language(TESTING, "python", "console")
    done = run_pytest(
        tmp_path, TENANT_ENV, conftest=code(TESTING, "plugin"), test_app=text
    )
    assert "2 passed" in done.stdout, done.stdout


def create_app(domain, client_id, client_secret):
    """A shop in Flask, with the three pieces that the README has."""
    app = flask.Flask("shop")
    app.secret_key = "tests"
    oauth = OAuth(app)
    oauth.register(
        "auth0",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{domain}/.well-known/openid-configuration",
        client_kwargs={"scope": "openid"},
    )
    run(
        ROOT / "README.rst",
        "shop",
        app=app,
        oauth=oauth,
        DOMAIN=domain,
        CLIENT_ID=client_id,
    )

    @app.get("/")
    def home():
        return flask.g.actor.sub if flask.g.actor else "nobody"

    return app


@pytest.mark.parametrize("name", re.findall(r"def (test_\w+)", code(TESTING, "shop")))
def test_testing_shop(tenant, name):
    """The tests of one's own shop pass against a shop that does what it should."""
    scope = run(TESTING, "shop", create_app=create_app)
    scope[name](tenant)


def test_testing_clock(tenant):
    """As the page says, a login after clock.advance() fails at the shop's callback."""
    agent = run(TESTING, "shop", create_app=create_app)["Agent"](tenant)
    tenant.clock.advance(200)
    page = agent.arrive(agent.enter("auth0|ada"))
    assert 403 == page.status_code
    assert "issued" in page.text


def test_testing_settings_file():
    """The page's settings file is one that the tenant takes, each part of it."""
    from auth0_stt.testing.settings_file import TABLES
    from auth0_stt.testing.standalone import standalone_tenant

    (text,) = [each for each in in_language(TESTING, "json") if '"shop"' in each]
    settings = json.loads(text)
    assert {"console", "shop", "tenant", *TABLES} == set(settings)
    changed = standalone_tenant(8400, False, settings)
    assert ["auth0|sam", "auth0|kim"] == changed.organizations["org_acme"]["members"]
    assert 1 == len(changed.token_exchange_profiles) == len(changed.actions)


def test_testing_action(example, tenant, signing):
    """The Action in Python lets the agent in, and refuses what the JavaScript refuses."""
    agent = tenant.agent_tokens()["id_token"]

    def mint(tenant, subject_token):
        return request_session_transfer_token(
            **tenant.console,
            subject_token=subject_token,
            subject_token_type=tenant.subject_token_type,
            actor_token=agent,
            actor_token_type=ID_TOKEN_TYPE,
        )

    scope = example(
        PUBLIC_KEY=signing._private_key().public_key(),
        sign_subject=signing.sign_subject,
        mint=mint,
    )
    scope["test_who_may_enter"](tenant)
    for subject_token, word in (
        (signing.sign_subject("auth0|lin"), "unauthorized_actor"),
        (signing.sign_subject("auth0|ada")[:-4] + "AAAA", "invalid_request"),
    ):
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(tenant, subject_token)
        assert word == caught.value.error
