"""Clients in Python that know nothing of session delegation, as console and as shop."""

import warnings
from types import SimpleNamespace
from urllib.parse import urlsplit

import jwt as pyjwt
import pytest
import requests
from calls import base, mint_for
from person import SHOP_LOGIN, Person, query
from values import ID_TOKEN_TYPE, SESSION_TRANSFER_TOKEN_TYPE, TOKEN_EXCHANGE

from auth0_stt import (
    SessionTransferTokenResult,
    actor_from_claims,
    build_session_transfer_redirect,
    session_transfer_params,
)

CALLBACK = "https://shop.example.com/callback"


def handed_over(tenant, organization=None):
    """Return what a login route gets from a console of ours, as its query."""
    result = mint_for(tenant)
    return query(build_session_transfer_redirect(SHOP_LOGIN, result, organization))


def claims_of(id_token):
    return pyjwt.decode(id_token, options={"verify_signature": False})


class TestGoogleAuth:
    @pytest.mark.parametrize("kind", ["basic", "request_body"])
    def test_mints(self, tenant, kind):
        """google-auth's client for RFC 8693 mints what opens the shop."""
        transport = pytest.importorskip("google.auth.transport.requests")
        from google.oauth2 import sts, utils

        console = tenant.console
        auth = utils.ClientAuthentication(
            getattr(utils.ClientAuthType, kind),
            console["client_id"],
            console["client_secret"],
        )
        with requests.Session() as session:
            answer = sts.Client(base(tenant) + "/oauth/token", auth).exchange_token(
                transport.Request(session),
                TOKEN_EXCHANGE,
                tenant.subject_token("auth0|ada"),
                tenant.subject_token_type,
                audience=f"urn:{console['domain']}:session_transfer",
                actor_token=tenant.agent_tokens()["id_token"],
                actor_token_type=ID_TOKEN_TYPE,
            )
        assert SESSION_TRANSFER_TOKEN_TYPE == answer["issued_token_type"]
        result = SessionTransferTokenResult(
            answer["access_token"], answer["issued_token_type"], answer["expires_in"]
        )
        claims = tenant.redeem(build_session_transfer_redirect(SHOP_LOGIN, result))
        assert "auth0|sam" == actor_from_claims(claims).sub


class TestRequestsOauthlib:
    @pytest.fixture
    def web(self, tenant):
        """Its session for the shop."""
        library = pytest.importorskip("requests_oauthlib")
        shop = tenant.shop["client_id"]
        with library.OAuth2Session(
            shop, redirect_uri=CALLBACK, scope="openid profile email", pkce="S256"
        ) as web:
            yield web

    def test_redeems(self, tenant, web):
        """What is passed on with the other parameters logs the agent in."""
        passed_on = session_transfer_params(handed_over(tenant, "org_acme"))
        issuer = base(tenant, "shop")
        address, _ = web.authorization_url(issuer + "/authorize", **passed_on)
        with Person(tenant) as sam:
            callback = sam.open(address)
        token = web.fetch_token(
            issuer + "/oauth/token",
            authorization_response=callback,
            client_secret=tenant.shop["client_secret"],
        )
        claims = claims_of(token["id_token"])
        assert ("auth0|ada", "auth0|sam", "org_acme") == (
            claims["sub"],
            actor_from_claims(claims).sub,
            claims["org_id"],
        )
        userinfo = web.get(issuer + "/userinfo").json()
        assert "auth0|ada" == userinfo["sub"]


class TestSocialAuth:
    @pytest.fixture
    def backend(self, tenant):
        """Its backend for Auth0, with as much of a framework around it as it needs."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = pytest.importorskip("social_core.backends.auth0_openidconnect")
            from social_core.strategy import BaseStrategy

        shop = tenant.shop
        settings = {
            "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_DOMAIN": shop["domain"],
            "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_KEY": shop["client_id"],
            "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_SECRET": shop["client_secret"],
            # What goes on to /authorize, and may come from the login route's query.
            "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_AUTH_EXTRA_ARGUMENTS": {
                "session_transfer_token": "",
                "organization": "",
            },
            "SOCIAL_AUTH_AUTH0_OPENIDCONNECT_AUTH_EXTRA_ARGUMENTS_OVERRIDE_ALLOWLIST": [
                "session_transfer_token",
                "organization",
            ],
        }

        class Strategy(BaseStrategy):
            def __init__(self):
                super().__init__(storage=Storage)
                self.session, self.data = {}, {}

            def get_setting(self, name):
                return settings[name]

            def request_data(self, merge=True):
                return self.data

            def request_host(self):
                return "shop.example.com"

            def build_absolute_uri(self, path=None):
                return path

            def redirect(self, url):
                return url

            def session_get(self, name, default=None):
                return self.session.get(name, default)

            def session_set(self, name, value):
                self.session[name] = value

            def session_pop(self, name):
                return self.session.pop(name, None)

            def authenticate(self, backend, *args, **kwargs):
                return SimpleNamespace(claims=backend.id_token, is_active=True)

        kept = []
        association = SimpleNamespace(
            get=lambda server_url, handle: [
                each for each in kept if each.handle == handle
            ],
            store=lambda url, each: kept.append(
                SimpleNamespace(
                    id=1,
                    handle=each.handle,
                    assoc_type=each.assoc_type,
                    is_expired=lambda: False,
                )
            ),
            remove=lambda ids: kept.clear(),
        )
        nonce = SimpleNamespace(use=lambda *_: True, consume=lambda *_, **__: True)
        Storage = SimpleNamespace(association=association, nonce=nonce)  # noqa: N806
        return module.Auth0OpenIdConnectAuth(Strategy(), redirect_uri=CALLBACK)

    def test_redeems(self, tenant, backend):
        """With two names in two settings it passes on what it was handed."""
        backend.data = handed_over(tenant, "org_acme")
        with Person(tenant) as sam:
            callback = sam.open(backend.start())
        backend.data = query(callback)
        claims = backend.complete().claims
        assert "auth0|sam" == actor_from_claims(claims).sub

    def test_ordinary_login(self, tenant, backend):
        """Else it sends both without a value, which means nothing (RFC 6749, 3.1)."""
        with Person(tenant) as ada:
            callback = ada.log_in(backend.start(), "ada@example.com")
        backend.data = query(callback)
        assert "auth0|ada" == backend.complete().claims["sub"]


class TestAuth0Fastapi:
    @pytest.fixture
    def app(self, tenant):
        """An application as the SDK's README has it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            auth = pytest.importorskip("auth0_fastapi.auth")
            from auth0_fastapi.config import Auth0Config
            from auth0_fastapi.server.routes import register_auth_routes, router
            from fastapi import Depends, FastAPI, Request, Response

        def start(application, **more):
            told = getattr(tenant, application)
            origin = f"https://{application}.example.com"
            callbacks = [origin + "/auth/callback"]
            tenant.settings[application]["callbacks"] = callbacks
            config = Auth0Config(
                **told,
                app_base_url=origin,
                secret="of the application, long enough for its cookies",
                authorization_params={"scope": "openid profile email offline_access"},
                **more,
            )
            client = auth.AuthClient(config)
            app = FastAPI()
            app.state.auth_client = client
            register_auth_routes(router, config)
            app.include_router(router)

            @app.get("/me")
            async def me(session=Depends(client.require_session)):  # noqa: B008
                return session.get("user")

            @app.post("/enter")
            async def enter(request: Request, response: Response):
                options = {"request": request, "response": response}
                asked = await request.json()
                result = await client.request_session_transfer_token(
                    asked["subject_token"],
                    asked["subject_token_type"],
                    store_options=options,
                )
                return {
                    "url": client.build_session_transfer_redirect(SHOP_LOGIN, result)
                }

            return app, origin

        return start

    @pytest.fixture
    def visit(self, app):
        """A client of the application in this process, which follows nothing."""
        testclient = pytest.importorskip("starlette.testclient")

        def start(application, **more):
            running, origin = app(application, **more)
            return testclient.TestClient(
                running, base_url=origin, follow_redirects=False
            )

        return start

    @pytest.mark.filterwarnings("ignore")
    def test_shop(self, tenant, visit):
        """Its login route passes on whatever it is handed: no code is needed."""
        shop, shown = visit("shop"), handed_over(tenant)
        address = shop.get("/auth/login", params=shown).headers["location"]
        with Person(tenant) as sam:
            callback = sam.open(address)
        shop.get("/auth/callback?" + urlsplit(callback).query)
        me = shop.get("/me").json()
        assert ("auth0|ada", "auth0|sam") == (me["sub"], actor_from_claims(me).sub)

    @pytest.mark.filterwarnings("ignore")
    def test_pushed(self, tenant, visit):
        """With pushed requests the token stays behind: the login page, and no error."""
        shop = visit("shop", pushed_authorization_requests=True)
        answer = shop.get("/auth/login", params=handed_over(tenant))
        with Person(tenant) as sam:
            assert sam.open(answer.headers["location"]) is None
        assert ["secte"] == [log.type for log in tenant.logs]

    @pytest.mark.filterwarnings("ignore")
    def test_console(self, tenant, visit):
        """Its agent's session mints what opens our shop."""
        console = visit("console")
        address = console.get("/auth/login").headers["location"]
        with Person(tenant) as sam:
            callback = sam.log_in(address, "sam@acme.example")
        console.get("/auth/callback?" + urlsplit(callback).query)
        asked = {
            "subject_token": tenant.subject_token("auth0|ada"),
            "subject_token_type": tenant.subject_token_type,
        }
        url = console.post("/enter", json=asked).json()["url"]
        assert {"sub": "auth0|sam"} == tenant.redeem(url)["act"]
