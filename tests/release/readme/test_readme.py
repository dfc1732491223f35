"""The README's code, run as it stands. A comment ``.. test: NAME`` before a block says which test runs it."""

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import flask
import jwt
import pytest
import requests
from authlib.integrations.flask_client import OAuth
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.conf import settings as django_settings
from django.http import HttpResponseRedirect
from django.test import RequestFactory

import auth0_stt
from auth0_stt import ID_TOKEN_TYPE
from auth0_stt.testing import LocalTenant

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.rst").read_text("utf-8")
BLOCK = re.compile(
    r"(?:^\.\. test: (?P<name>[\w-]+)\n\n)?^\.\. code-block:: (?P<language>\w+)\n\n(?P<code>(?:    .*\n|\n)+)",
    re.M,
)
BLOCKS = [
    (match["name"], match["language"], textwrap.dedent(match["code"]).strip() + "\n")
    for match in BLOCK.finditer(README)
]

if not django_settings.configured:
    django_settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="tests")


def code(name):
    """All the blocks of one name, one after the other."""
    return "\n\n".join(
        text
        for label, language, text in BLOCKS
        if label == name and language == "python"
    )


def run(name, **namespace):
    """Run the blocks of a name in a namespace of the public names and those given, and return it."""
    public = {each: getattr(auth0_stt, each) for each in auth0_stt.__all__}
    scope = {**public, **namespace}
    exec(compile(code(name), "README.rst:" + name, "exec"), scope)
    return scope


@pytest.fixture
def tenant():
    with LocalTenant() as tenant:
        yield tenant


@pytest.fixture
def proof(tenant):
    return {
        "subject_token": tenant.subject_token("auth0|ada"),
        "subject_token_type": tenant.subject_token_type,
        "actor_token": tenant.agent_tokens()["id_token"],
        "actor_token_type": ID_TOKEN_TYPE,
    }


def test_every_python_block_is_run_here():
    """No block of Python stands in the README that no test runs, but the one for comparison."""
    unnamed = [
        text for name, language, text in BLOCKS if language == "python" and name is None
    ]
    assert 1 == len(unnamed)
    ast.parse(textwrap.dedent(unnamed[0]), mode="exec") if "await" not in unnamed[
        0
    ] else compile(
        unnamed[0], "README.rst", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )


def test_console(tenant):
    """The view answers 303 with the headers, and its Location opens a session as the customer."""
    scope = run(
        "console",
        settings=SimpleNamespace(AUTH0=tenant.console),
        sign_subject=tenant.subject_token,
        HttpResponseRedirect=HttpResponseRedirect,
    )
    request = RequestFactory().post("/enter", {"ticket": "T-1"})
    request.session = {"id_token": tenant.agent_tokens()["id_token"]}
    response = scope["sign_in_as"](request, "auth0|ada")
    assert (303, "no-store", "no-referrer") == (
        response.status_code,
        response["Cache-Control"],
        response["Referrer-Policy"],
    )
    assert "auth0|ada" == tenant.redeem(response["Location"])["sub"]


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [
        ({"status": 503}, "Auth0 is busy"),
        ({"drop": True}, "Auth0 is busy"),
        ({"status": 400, "body": b'{"error": "mfa_required"}'}, "sign in again"),
        ({"status": 403, "body": b'{"error": "access_denied"}'}, "Not possible"),
    ],
)
def test_errors(tenant, proof, trouble, answer):
    """The example tells what a retry mends from what the agent and the tenant must mend."""
    tenant.fail_next(**trouble)
    assert (
        answer
        in run("errors", console=tenant.console, proof=proof, **_exchange())["answer"]
    )


def _exchange():
    return {"request_session_transfer_token": auth0_stt.request_session_transfer_token}


def test_actor(tenant):
    """A stale session is renewed and stored; the mint then works with what comes back."""
    session = dict(tenant.agent_tokens(), id_token=None)
    before = session["refresh_token"]
    actor = run("actor", settings=SimpleNamespace(AUTH0=tenant.console))["actor_of"](
        session
    )
    assert {
        "actor_token": session["id_token"],
        "actor_token_type": ID_TOKEN_TYPE,
    } == actor
    assert before != session["refresh_token"]


class TestShop:
    @pytest.fixture
    def app(self, tenant):
        app = flask.Flask("shop")
        app.secret_key = "tests"
        app.add_url_rule("/callback", "callback", lambda: "")
        app.add_url_rule(
            "/",
            "home",
            lambda: flask.render_template_string(
                "{{ actor.sub if actor else 'customer' }}"
            ),
        )
        oauth = OAuth(app)
        oauth.register(
            "auth0",
            client_id=tenant.shop["client_id"],
            authorize_url=tenant.shop["domain"] + "/authorize",
            access_token_url=tenant.shop["domain"] + "/oauth/token",
        )
        names = {
            each: getattr(flask, each)
            for each in ("abort", "request", "session", "url_for")
        }
        run("shop", app=app, oauth=oauth, **names)
        return app

    def test_the_token_is_passed_on(self, app):
        """With a token it goes to /authorize, without offline_access; without one nothing changes."""
        delegated = (
            app.test_client()
            .get("/login?session_transfer_token=stt&organization=org")
            .location
        )
        ordinary = app.test_client().get("/login").location
        assert "session_transfer_token=stt" in delegated
        assert "organization=org" in delegated
        assert "offline_access" not in delegated
        assert "session_transfer_token" not in ordinary
        assert "offline_access" in ordinary

    def test_a_malformed_token_is_400(self, app):
        """A repeated token is a bad request."""
        assert (
            400
            == app.test_client()
            .get("/login?session_transfer_token=a&session_transfer_token=b")
            .status_code
        )

    @pytest.mark.parametrize(
        ("user", "shown"),
        [
            ({"act": {"sub": "auth0|sam"}}, b"auth0|sam"),
            ({}, b"customer"),
            (None, b"customer"),
        ],
    )
    def test_the_banner(self, app, user, shown):
        """Pages know who is really there."""
        client = app.test_client()
        if user is not None:
            with client.session_transaction() as session:
                session["user"] = user
        assert shown == client.get("/").data


def test_key():
    """The dict of settings signs an assertion for the audience that it is given."""
    key = rsa.generate_private_key(65_537, 2_048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    auth0 = run("key", pem=pem)["AUTH0"]
    assertion = auth0["client_assertion"]("https://login.acme.com/")
    claims = jwt.decode(
        assertion, key.public_key(), ["RS256"], audience="https://login.acme.com/"
    )
    assert auth0["client_id"] == claims["sub"]


def test_session():
    """A session with its own CA bundle reaches a tenant over TLS."""
    with LocalTenant(tls=True) as tenant, requests.Session() as session:
        proof = {
            "subject_token": tenant.subject_token("auth0|ada"),
            "subject_token_type": tenant.subject_token_type,
            "actor_token": tenant.agent_tokens()["id_token"],
            "actor_token_type": ID_TOKEN_TYPE,
        }
        module = SimpleNamespace(Session=lambda: session)
        scope = run(
            "session",
            requests=module,
            ca_file=str(tenant.ca_file),
            console=tenant.console,
            proof=proof,
        )
        assert 60 == scope["stt"].expires_in


def test_allowed_hosts():
    """The example lets the shop pass, and nothing else."""
    stt = auth0_stt.SessionTransferTokenResult(
        "stt", auth0_stt.SESSION_TRANSFER_TOKEN_TYPE, 60
    )
    for url in (
        "https://shop.example.com/login",
        "https://staging.example.com:8443/login",
    ):
        request = SimpleNamespace(GET={"shop": url})
        assert url in run("allowed-hosts", request=request, stt=stt)["url"]
    with pytest.raises(auth0_stt.InvalidArgumentError):
        run(
            "allowed-hosts",
            request=SimpleNamespace(GET={"shop": "https://evil.example"}),
            stt=stt,
        )


def test_pytest(tmp_path):
    """The tests for users' own apps pass as they stand."""
    (tmp_path / "test_app.py").write_text(code("pytest"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "test_app.py",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (0, True) == (done.returncode, "2 passed" in done.stdout)


def test_shell(tenant, tmp_path):
    """The lines for cron print a URL that works."""
    (script,) = [text for _, language, text in BLOCKS if language == "sh"]
    lines = {
        "AUTH0_DOMAIN": tenant.console["domain"],
        "AUTH0_CLIENT_ID": tenant.console["client_id"],
        "AUTH0_CLIENT_SECRET": tenant.console["client_secret"],
        "AUTH0_SUBJECT_TOKEN_TYPE": tenant.subject_token_type,
        "AUTH0_ACTOR_TOKEN": tenant.agent_tokens()["id_token"],
    }
    (tmp_path / "auth0.env").write_text(
        "".join(f"{name}={value}\n" for name, value in lines.items())
    )
    for name, body in {
        "sign-subject": "echo " + tenant.subject_token("auth0|ada"),
        "auth0-stt": f'exec "{sys.executable}" -m auth0_stt "$@"',
    }.items():
        (tmp_path / name).write_text("#!/bin/sh\n" + body + "\n")
        (tmp_path / name).chmod(0o755)
    script = script.replace("/etc/console/auth0.env", str(tmp_path / "auth0.env"))
    environment = {"PATH": str(tmp_path) + os.pathsep + os.defpath}
    done = subprocess.run(
        ["sh", "-e", "-c", script, "sh", "auth0|ada", "T-1", "127.0.0.1"],
        env=environment,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "" == done.stderr
    assert "auth0|ada" == tenant.redeem(done.stdout.strip())["sub"]


def test_settings(tenant):
    """The two applications' settings are those with which the local tenant's flow works."""
    console, shop = [
        json.loads(text) for _, language, text in BLOCKS if language == "json"
    ]
    assert console.pop("is_token_endpoint_ip_header_trusted") is True
    assert shop.pop("initiate_login_uri").startswith("https://")
    for application, shown in ((tenant.console, console), (tenant.shop, shop)):
        settings = tenant.settings[application["client_id"]]
        for name, value in shown.items():
            assert value == {key: settings[name][key] for key in value}


def test_what_holds_a_promise_exists():
    """Each file that the README names as holding a promise is there."""
    named = set(re.findall(r"``(tests/[\w./]+)``", README))
    assert len(named) > 8
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_code_is_in_the_table():
    """The table of errors has a line for every code, and none for others."""
    table = README[
        README.index("``error.code``") : README.index("``.retryable`` is True")
    ]
    shown = set(re.findall(r"^``(\w+)``", table, re.M))
    codes = {
        *auth0_stt.CustomTokenExchangeErrorCode,
        *auth0_stt.TransportErrorCode,
        "invalid_argument",
    }
    assert {str(each) for each in codes} == shown
