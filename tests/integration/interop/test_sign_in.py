"""Authlib signs in on the tenant over TLS, as a script and as a Flask shop; joserfc verifies what comes out."""

import pytest
import requests
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from calls import base, mint_for
from flask import Flask, redirect, request, session, url_for
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, RSAKey
from person import SHOP_LOGIN, Person, query

from auth0_stt import (
    actor_from_claims,
    build_session_transfer_redirect,
    session_transfer_params,
)

VERIFIER = "v" * 43


@pytest.fixture
def client(tenant):
    """Authlib's client for the shop."""
    with OAuth2Session(
        tenant.shop["client_id"],
        tenant.shop["client_secret"],
        redirect_uri="https://shop.example.com/callback",
        code_challenge_method="S256",
    ) as client:
        client.trust_env = False
        client.verify = tenant.ca_file
        yield client


def enter(client, tenant, url, **more):
    """Follow a redirect URL into the shop; return the tokens."""
    passed_on = session_transfer_params(query(url))
    issuer = base(tenant, "shop")
    address, state = client.create_authorization_url(
        issuer + "/authorize",
        code_verifier=VERIFIER,
        nonce="n-1",
        scope="openid profile email",
        **passed_on,
        **more,
    )
    with Person(tenant) as sam:
        callback = sam.open(address)
    return client.fetch_token(
        issuer + "/oauth/token",
        authorization_response=callback,
        state=state,
        code_verifier=VERIFIER,
    )


def keys(tenant):
    """Return the keys that the tenant publishes where its metadata says so."""
    metadata = requests.get(
        base(tenant, "shop") + "/.well-known/openid-configuration", timeout=10
    ).json()
    return metadata, KeySet.import_key_set(
        requests.get(metadata["jwks_uri"], timeout=10).json()
    )


def verified(tenant, token, **expected):
    """Return the claims of a token, its signature, times and expected claims checked by joserfc."""
    metadata, published = keys(tenant)
    decoded = jwt.decode(
        token, published, algorithms=metadata["id_token_signing_alg_values_supported"]
    )
    expected = {**expected, "iss": metadata["issuer"]}
    jwt.JWTClaimsRegistry(
        exp={"essential": True},
        iat={"essential": True},
        **{
            name: {"essential": True, "value": value}
            for name, value in expected.items()
        },
    ).validate(decoded.claims)
    return decoded.claims


class TestTokens:
    @pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
    def test_id_token(self, tenant, client, algorithm):
        """It is the customer's, for the shop, with the agent in `act`, under the published key."""
        tenant.settings["shop"]["jwt_configuration"]["alg"] = algorithm
        tokens = enter(
            client,
            tenant,
            build_session_transfer_redirect(SHOP_LOGIN, mint_for(tenant)),
        )
        claims = verified(
            tenant, tokens["id_token"], aud="shop", nonce="n-1", sub="auth0|ada"
        )
        assert {"sub": "auth0|sam"} == claims["act"]
        assert "auth0|sam" == actor_from_claims(claims).sub
        assert "refresh_token" not in tokens

    def test_access_token(self, tenant, client):
        """An API sees the agent too: the access token carries the same `act`."""
        tokens = enter(
            client,
            tenant,
            build_session_transfer_redirect(SHOP_LOGIN, mint_for(tenant)),
            audience="https://api.acme.example/",
        )
        claims = verified(tenant, tokens["access_token"], sub="auth0|ada", azp="shop")
        assert "https://api.acme.example/" in claims["aud"]
        assert "auth0|sam" == actor_from_claims(claims).sub

    def test_claims_of_the_actor(self, tenant, client):
        """What the Action says of the agent arrives in both tokens."""

        def action(event, api):
            api.authentication.setUserById("auth0|ada")
            agent = event.transaction.actor_token_user
            api.authentication.setActor({"sub": agent.user_id, "team": "tier 2"})

        tenant.action = action
        tokens = enter(
            client,
            tenant,
            build_session_transfer_redirect(SHOP_LOGIN, mint_for(tenant)),
        )
        for token in (tokens["id_token"], tokens["access_token"]):
            assert {"team": "tier 2"} == actor_from_claims(
                verified(tenant, token)
            ).claims

    def test_agents_own(self, tenant):
        """The agent's tokens have no `act`: joserfc takes the ID token, and so does our mint."""
        held = tenant.agent_tokens()
        _, published = keys(tenant)
        claims = jwt.decode(held["id_token"], published, ["RS256"]).claims
        assert ("auth0|sam", "console") == (claims["sub"], claims["aud"])
        assert actor_from_claims(claims) is None

    def test_another_key(self, tenant):
        """joserfc looks at the signature: with another key there is nothing to read."""
        with pytest.raises(BadSignatureError):
            jwt.decode(
                tenant.agent_tokens()["id_token"], RSAKey.generate_key(2048), ["RS256"]
            )


class TestFlaskShop:
    @pytest.fixture
    def shop(self, tenant):
        """A shop as Authlib's documentation has it, with our one call in its login route."""
        app = Flask("shop")
        app.secret_key = "of the shop"
        oauth = OAuth(app)
        oauth.register(
            "auth0",
            client_id=tenant.shop["client_id"],
            client_secret=tenant.shop["client_secret"],
            server_metadata_url=base(tenant, "shop")
            + "/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
            },
        )

        @app.get("/login")
        def login():
            callback = url_for("callback", _external=True)
            return oauth.auth0.authorize_redirect(
                callback, **session_transfer_params(request.args)
            )

        @app.get("/callback")
        def callback():
            session["user"] = oauth.auth0.authorize_access_token()["userinfo"]
            return redirect("/")

        @app.get("/")
        def account():
            actor = actor_from_claims(session["user"])
            return {"sub": session["user"]["sub"], "actor": actor and actor.sub}

        return app.test_client()

    @staticmethod
    def open(shop, url):
        """Let the browser open a URL of the shop's, under its public name."""
        return shop.get(url, base_url="https://shop.example.com")

    @pytest.mark.parametrize("organization", [None, "acme"])
    def test_delegated_login(self, tenant, shop, organization):
        """From the URL that we build to the banner."""
        url = build_session_transfer_redirect(
            SHOP_LOGIN, mint_for(tenant), organization
        )
        with Person(tenant) as sam:
            callback = sam.open(
                self.open(shop, url.replace("https://shop.example.com", "")).location
            )
        self.open(shop, callback.replace("https://shop.example.com", ""))
        assert {"sub": "auth0|ada", "actor": "auth0|sam"} == self.open(shop, "/").json

    def test_ordinary_login(self, tenant, shop):
        """The same route takes the customer, who is asked for the password."""
        with Person(tenant) as ada:
            callback = ada.log_in(self.open(shop, "/login").location, "ada@example.com")
        self.open(shop, callback.replace("https://shop.example.com", ""))
        assert {"sub": "auth0|ada", "actor": None} == self.open(shop, "/").json
