"""Auth0's SDKs for Node.js and two OpenID Connect clients, as console and as shop.

Each is an application of its own in peers/. An agent signs in to it on the tenant's page
and mints; what we mint opens it, and what it mints opens our shop.
"""

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import processes
import pytest
import requests
from calls import mint_for

from auth0_stt import actor_from_claims, build_session_transfer_redirect

PEERS = Path(__file__).parent / "peers"
NODE = shutil.which("node")
TARGET = "https://shop.example.com/login"

if NODE is None:
    pytest.skip("there is no node", allow_module_level=True)
if not (PEERS / "node_modules").is_dir():
    text = "python tests/integration/interop/peers/install.py first"
    if os.environ.get("AUTH0_STT_REQUIRE_NODE"):
        raise RuntimeError(text)
    pytest.skip(text, allow_module_level=True)

#: Script, settings of its own, and the names of its routes where they are others.
PEERS_OF = {
    "auth0-server-js": ("auth0-server-js", {}),
    "express-openid-connect": ("express-openid-connect", {"flow": "code"}),
    "nextjs-auth0": ("nextjs-auth0", {}),
    "openid-client": ("openid-client", {}),
    "openid-client-basic": ("openid-client", {"basic": True}),
    "oauth4webapi": ("oauth4webapi", {}),
}
ROUTES = {"nextjs-auth0": {"login": "/auth/login", "me": "/auth/profile"}}
CALLBACKS = ("/callback", "/auth/callback")


class Peer:
    """An application in a process of its own, and a person with a browser at it."""

    def __init__(self, tenant, script, application, **settings):
        self.tenant = tenant
        self.routes = {"login": "/login", "me": "/me", **ROUTES.get(script, {})}
        self._settings = tenant.settings[application]
        told = json.dumps(
            {
                **getattr(tenant, application),
                "public_domains": tenant.public_domains,
                "port": tenant.port,
                **settings,
            }
        )
        self._started = processes.started(
            [NODE, str(PEERS / f"{script}.mjs")],
            env={**os.environ, "PEER": told, "NODE_EXTRA_CA_CERTS": tenant.ca_file},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.web = requests.Session()
        self.web.trust_env = False
        self.web.verify = tenant.ca_file

    def __enter__(self):
        self.process = self._started.__enter__()
        # A peer may have something to say before.
        lines = iter(self.process.stdout.readline, "")
        self.origin = next((line.strip() for line in lines if "http://127" in line), "")
        assert self.origin
        self._settings["callbacks"] = [self.origin + path for path in CALLBACKS]
        return self

    def __exit__(self, *exc_info):
        self.web.close()
        self._started.__exit__(*exc_info)

    def get(self, url):
        """Open a URL as a browser does: follow redirects, submit a form that submits itself."""
        answer = self.web.get(urljoin(self.origin, url), timeout=20)
        while 'id="answer"' in answer.text:
            form = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
            action = unescape(re.search(r'action="([^"]+)"', answer.text)[1])
            fields = {name: unescape(value) for name, value in form}
            answer = self.web.post(action, fields, timeout=20)
        return answer

    def sign_in(self, username):
        """Sign in on the tenant's page."""
        page = self.get(self.routes["login"])
        action = unescape(re.search(r'action="([^"]+)"', page.text)[1])
        form = {"username": username, "password": "password"}
        answer = self.web.post(
            urljoin(page.url, action), form, timeout=20, allow_redirects=False
        )
        return self.get(urljoin(page.url, answer.headers["Location"]))

    def enter(self, query=""):
        """Open the login route with what a console hands over."""
        return self.get(self.routes["login"] + "?" + query)

    def me(self):
        """Return the claims that the application has of its visitor."""
        answer = self.web.get(self.origin + self.routes["me"], timeout=20)
        return answer.json() if answer.ok and answer.text else None

    def mint(self, **changes):
        """Mint for Ada, the agent being signed in; return the URL or the error."""
        body = {
            "subject_token": self.tenant.subject_token("auth0|ada"),
            "subject_token_type": self.tenant.subject_token_type,
            "target": TARGET,
            "reason": "TICKET-4711",
            **changes,
        }
        answer = self.web.post(
            self.origin + "/enter", json=body, timeout=20, allow_redirects=False
        )
        return answer.headers.get("Location") or answer.json()


@pytest.fixture
def tenant(request):
    """A tenant with a port, or without one for a peer that refuses ports."""
    named = getattr(request.node, "callspec", None)
    portless = named is not None and named.params.get("name") == "nextjs-auth0"
    return request.getfixturevalue("public_tenant" if portless else "ported_tenant")


@pytest.fixture
def peer(tenant):
    """The peer that a test names, as the application that it names."""
    running = []

    def start(name, application, **more):
        script, settings = PEERS_OF[name]
        peer = Peer(tenant, script, application, **{**settings, **more})
        running.append(peer)
        return peer.__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


def handed_over(tenant, organization=None):
    """Return the query of a redirect URL of ours."""
    result = mint_for(tenant)
    url = build_session_transfer_redirect(TARGET, result, organization)
    return urlsplit(url).query


@pytest.mark.parametrize("name", PEERS_OF)
class TestEach:
    def test_shop(self, tenant, peer, name):
        """What we mint opens it as the customer, the agent named, until the log-out."""
        shop = peer(name, "shop")
        shop.enter(handed_over(tenant, "org_acme"))
        me = shop.me()
        assert ("auth0|ada", "auth0|sam") == (me["sub"], actor_from_claims(me).sub)
        assert "org_acme" == me["org_id"]
        assert ["secte", "sdel", "sdeleacft"] == [log.type for log in tenant.logs]

    def test_console(self, tenant, peer, name):
        """What it mints with its agent's session opens our shop, the reason known."""
        seen, action = [], tenant.action

        def watched(event, api):
            seen.append((event.request.body.reason, event.resource_server.identifier))
            action(event, api)

        tenant.action = watched
        console = peer(name, "console")
        console.sign_in("sam@acme.example")
        assert "auth0|sam" == console.me()["sub"]
        claims = tenant.redeem(console.mint())
        assert {"sub": "auth0|sam"} == claims["act"]
        ((reason, audience),) = seen
        assert "TICKET-4711" == reason
        # express-openid-connect leaves the port out.
        domain = tenant.console["domain"]
        assert audience in (
            f"urn:{domain}:session_transfer",
            "urn:localhost:session_transfer",
        )

    def test_ordinary_login(self, tenant, peer, name):
        """The customer logs in on the same route, and there is no agent."""
        shop = peer(name, "shop")
        shop.sign_in("ada@example.com")
        assert ("auth0|ada", None) == (
            shop.me()["sub"],
            actor_from_claims(shop.me()),
        )

    def test_used_token(self, tenant, peer, name):
        """A token that was used ends on the tenant's login page, and not in a loop."""
        query = handed_over(tenant)
        shop = peer(name, "shop")
        shop.enter(query)
        with requests.Session() as browser:
            shop.web, first = browser, shop.web
            browser.trust_env, browser.verify = False, tenant.ca_file
            page = shop.enter(query)
            first.close()
        assert "Log in" in page.text
        assert "used before" in page.headers["Local-Tenant-Reason"]

    def test_refused(self, tenant, peer, name):
        """What the Action denies arrives, with its word or its reason."""
        console = peer(name, "console")
        console.sign_in("sam@acme.example")
        tenant.action = lambda event, api: api.access.deny("not_on_call", "Not today")
        answer = json.dumps(console.mint())
        assert "not_on_call" in answer or "Not today" in answer


class TestSome:
    def test_form_post(self, tenant, peer):
        """express-openid-connect by default asks for an ID token alone, in a form."""
        shop = peer("express-openid-connect", "shop", flow="default")
        shop.sign_in("ada@example.com")
        assert "auth0|ada" == shop.me()["sub"]

    def test_form_post_is_not_for_a_delegated_login(self, tenant, peer):
        """By default it can't be entered by a token: only the code flow can."""
        shop = peer("express-openid-connect", "shop", flow="default")
        shop.enter(handed_over(tenant))
        assert shop.me() is None
        assert "unsupported_response_type" in str(tenant.logs[-1].details)

    @pytest.mark.parametrize(
        "name", ["auth0-server-js", "nextjs-auth0", "openid-client"]
    )
    def test_pushed_requests(self, tenant, peer, name):
        """A shop that pushes its requests logs customers in, and no agent."""
        shop = peer(name, "shop", push=True)
        page = shop.enter(handed_over(tenant))
        assert "Log in" in page.text
        assert shop.me() is None
        shop.sign_in("ada@example.com")
        assert "auth0|ada" == shop.me()["sub"]

    def test_max_age(self, tenant, peer):
        """openid-client checks auth_time where it asked for max_age."""
        shop = peer("openid-client", "shop", max_age=3600)
        shop.sign_in("ada@example.com")
        assert "auth0|ada" == shop.me()["sub"]
