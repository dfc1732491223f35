"""Auth0's own SDK beside this package: both before the same tenant, each taking the other's results."""

import asyncio
import json
import ssl
import warnings

import pytest
from calls import mint_for
from person import SHOP_LOGIN, Person, query

from auth0_stt import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferTokenResult,
    actor_from_claims,
    build_session_transfer_redirect,
    private_key_jwt,
    resolve_actor_token,
    session_transfer_params,
)

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # the SDK still writes pydantic 1
    from auth0_server_python.auth_server.server_client import ServerClient
    from auth0_server_python.auth_types import SessionTransferTokenResult as SdkResult
    from auth0_server_python.auth_types import StartInteractiveLoginOptions
    from auth0_server_python.error import CustomTokenExchangeError as SdkError

pytestmark = pytest.mark.filterwarnings(
    "ignore::pydantic.warnings.PydanticDeprecatedSince20"
)

CONSOLE_CALLBACK = "https://console.example.com/callback"
STT = "stt.Aa0-_~" + "x" * 33
RESULT = SessionTransferTokenResult(STT, SESSION_TRANSFER_TOKEN_TYPE, 60, "N_A")


class Store:
    """Where the SDK keeps sessions and transactions."""

    def __init__(self):
        self.kept = {}

    async def set(self, identifier, state, remove_if_expires=False, options=None):
        self.kept[identifier] = state

    async def get(self, identifier, options=None):
        return self.kept.get(identifier)

    async def delete(self, identifier, options=None):
        self.kept.pop(identifier, None)

    def update(self, **changes):
        """Change the one session that is kept, and return it as it was before."""
        ((identifier, state),) = self.kept.items()
        before = state if isinstance(state, dict) else state.model_dump()
        self.kept[identifier] = {**before, **changes}
        return before


class Sdk:
    """The SDK's clients for the tenant's applications, all in one event loop; gone after the test."""

    def __init__(self, tenant):
        self.tenant = tenant
        self._loop = asyncio.new_event_loop()
        self.run = self._loop.run_until_complete
        self._clients = []

    def close(self):
        for client in self._clients:
            self.run(
                client._oauth.aclose()
            )  # the SDK has no other way to close its connections
        self.run(self._loop.shutdown_default_executor())
        self._loop.close()

    def client(self, application, **changes):
        """Return a client for an application."""
        client = ServerClient(
            **{**application, **changes},
            secret="of-the-SDK's-own-stores",
            state_store=Store(),
            transaction_store=Store(),
        )
        self._clients.append(client)
        return client

    def mint(self, client=None, **changes):
        """Mint for Ada."""
        tenant = self.tenant
        arguments = {
            "subject_token": tenant.subject_token("auth0|ada"),
            "subject_token_type": tenant.subject_token_type,
            "actor_token": tenant.agent_tokens()["id_token"],
            "actor_token_type": ID_TOKEN_TYPE,
            **changes,
        }
        return self.run(
            (client or self.client(tenant.console)).request_session_transfer_token(
                **arguments
            )
        )

    def console(self, **changes):
        """Return a client for the console into which the agent has signed in."""
        client = self.client(
            self.tenant.console, redirect_uri=CONSOLE_CALLBACK, **changes
        )
        options = StartInteractiveLoginOptions(
            authorization_params={"scope": "openid profile email offline_access"}
        )
        with Person(self.tenant) as sam:
            callback = sam.log_in(
                self.run(client.start_interactive_login(options)), "sam@acme.example"
            )
        self.run(client.complete_interactive_login(callback))
        return client

    def enter_shop(self, url, scope):
        """Follow a redirect URL into a shop that is made with the SDK; return its session."""
        client = self.client(
            self.tenant.shop, redirect_uri="https://shop.example.com/callback"
        )
        passed_on = {**session_transfer_params(query(url)), "scope": scope}
        options = StartInteractiveLoginOptions(authorization_params=passed_on)
        with Person(self.tenant) as sam:
            callback = sam.open(self.run(client.start_interactive_login(options)))
        return self.run(client.complete_interactive_login(callback))["state_data"]


@pytest.fixture
def sdk(tenant):
    sdk = Sdk(tenant)
    yield sdk
    sdk.close()


def sdk_redirect(target, token, organization=None):
    """Return the SDK's URL; its method needs no client."""
    result = SdkResult(
        session_transfer_token=token, issued_token_type="", expires_in=60
    )
    return ServerClient.build_session_transfer_redirect(
        None, target, result, organization
    )


def issued(tenant):
    """Return the log of each token that was issued."""
    return [log for log in tenant.logs if log.type == "secte"]


class TestMint:
    def test_client_secret(self, tenant, sdk):
        """What the SDK mints, with HTTP Basic, opens the shop as the customer, the agent named."""
        result = sdk.mint()
        assert (SESSION_TRANSFER_TOKEN_TYPE, "N_A", 60) == (
            result.issued_token_type,
            result.token_type,
            result.expires_in,
        )
        claims = tenant.redeem(sdk_redirect(SHOP_LOGIN, result.session_transfer_token))
        assert ("auth0|ada", "auth0|sam") == (
            claims["sub"],
            actor_from_claims(claims).sub,
        )

    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256"])
    def test_private_key_jwt(self, tenant, sdk, algorithm):
        """The SDK's client assertions are as good as ours."""
        key = {
            "client_assertion_signing_key": tenant.private_key,
            "client_assertion_signing_alg": algorithm,
        }
        result = sdk.mint(sdk.client(tenant.console, client_secret=None, **key))
        assert tenant.redeem(sdk_redirect(SHOP_LOGIN, result.session_transfer_token))
        ours = private_key_jwt("console", tenant.private_key, algorithm)
        assert mint_for(tenant, client_secret=None, client_assertion=ours)

    def test_certificate(self, tenant, sdk):
        """The SDK finds in the tenant's metadata where certificates go; we go there by ourselves."""
        context = ssl.create_default_context(cafile=tenant.ca_file)
        context.load_cert_chain(*tenant.client_certificate)
        assert sdk.mint(
            sdk.client(
                tenant.console, client_secret=None, use_mtls=True, ssl_context=context
            )
        )
        assert mint_for(
            tenant, client_secret=None, client_certificate=tenant.client_certificate
        )
        theirs, ours = issued(tenant)
        assert theirs.details == ours.details

    def test_same_request(self, tenant, sdk):
        """The Action is told the same by both, word for word."""
        told = []
        default = tenant.action
        tenant.action = lambda event, api: told.append(event) or default(event, api)
        same = {
            "subject_token": tenant.subject_token("auth0|ada"),
            "actor_token": tenant.agent_tokens()["id_token"],
            "scope": "openid profile",
            "organization": "acme",
        }
        theirs, ours = sdk.mint(**same), mint_for(tenant, **same)
        assert theirs.scope == ours.scope
        theirs, ours = told
        assert theirs.request.body == ours.request.body
        assert theirs.transaction == ours.transaction
        assert theirs.resource_server == ours.resource_server

    def test_both_say_who_they_are(self, tenant, sdk):
        """`Auth0-Client` has the same form."""
        sdk.mint()
        mint_for(tenant)
        theirs, ours = [log.auth0_client for log in issued(tenant)]
        assert ("auth0-server-python", "auth0-stt") == (theirs["name"], ours["name"])
        assert set(theirs) == set(ours)
        assert theirs["env"] == ours["env"]


class TestAgent:
    def test_signs_in_and_acts(self, tenant, sdk):
        """The SDK signs the agent in on the tenant's page, and that session is the actor."""
        result = sdk.mint(sdk.console(), actor_token=None)
        assert {"sub": "auth0|sam"} == tenant.redeem(
            sdk_redirect(SHOP_LOGIN, result.session_transfer_token)
        )["act"]

    def test_private_key_jwt(self, tenant, sdk):
        """The same with assertions all the way: code, refresh token, exchange."""
        client = sdk.console(
            client_secret=None, client_assertion_signing_key=tenant.private_key
        )
        client._state_store.update(id_token=None)
        assert sdk.mint(client, actor_token=None)

    def test_renews_a_stale_session(self, tenant, sdk):
        """As resolve_actor_token does: with the refresh token, which rotates, again and again."""
        client = sdk.console()
        for _ in range(2):
            client._state_store.update(id_token=None)
            assert sdk.mint(client, actor_token=None)
        assert 2 == [log.type for log in tenant.logs].count("sertft")

    def test_our_renewal_of_its_session(self, tenant, sdk):
        """What the SDK keeps of a sign-in is what resolve_actor_token takes, and the result is what it takes back."""
        client = sdk.console()
        session = client._state_store.update(id_token=None)
        actor = resolve_actor_token(
            **tenant.console, id_token=None, refresh_token=session["refresh_token"]
        )
        client._state_store.update(
            id_token=actor.actor_token, refresh_token=actor.refresh_token
        )
        assert sdk.mint(client, actor_token=None)
        assert 1 == [log.type for log in tenant.logs].count("sertft")

    def test_nobody_there(self, tenant, sdk):
        """Without a session the SDK's error has the code that ours has."""
        with pytest.raises(SdkError) as theirs:
            sdk.mint(actor_token=None)
        with pytest.raises(CustomTokenExchangeError) as ours:
            mint_for(tenant, actor_token=None)
        assert theirs.value.code == ours.value.code


class TestTarget:
    @pytest.mark.parametrize("organization", [None, "org_acme"])
    def test_is_entered(self, tenant, sdk, organization):
        """The SDK as the shop: what session_transfer_params passes on gets the agent in as the customer."""
        url = build_session_transfer_redirect(
            SHOP_LOGIN, mint_for(tenant), organization
        )
        state = sdk.enter_shop(url, "openid profile email")
        assert "auth0|ada" == state["user"]["sub"]
        assert "auth0|sam" == actor_from_claims(state["user"]).sub
        assert not state["refresh_token"]

    def test_offline_access(self, tenant, sdk):
        """Asking for offline_access does no harm: the SDK's session has no refresh token."""
        url = build_session_transfer_redirect(SHOP_LOGIN, mint_for(tenant))
        state = sdk.enter_shop(url, "openid offline_access")
        assert ("auth0|sam", None) == (
            actor_from_claims(state["user"]).sub,
            state["refresh_token"],
        )


class TestRedirect:
    @pytest.mark.parametrize("organization", [None, "acme", "org_Ab12", "a&b=c"])
    @pytest.mark.parametrize(
        "target",
        [
            SHOP_LOGIN,
            "https://shop.example.com/",
            "https://SHOP.example.com:8443/a/b/login",
            SHOP_LOGIN + "?connection=google&x=%20%C3%A4+y",
            SHOP_LOGIN + "?a=1&a=2&empty=&bare",
            "http://localhost:5000/login",
            "http://127.0.0.1/login",
            "http://[::1]:5000/login",
        ],
    )
    def test_equal(self, target, organization):
        """Byte for byte the same URL for the same token."""
        assert sdk_redirect(
            target, STT, organization
        ) == build_session_transfer_redirect(target, RESULT, organization)

    @pytest.mark.parametrize("token", ["a+b/c==", "ä%20&x=1#?", "~.-_"])
    def test_any_token(self, token):
        """Also for tokens of characters that have to be encoded."""
        ours = SessionTransferTokenResult(token, SESSION_TRANSFER_TOKEN_TYPE, 60)
        assert sdk_redirect(SHOP_LOGIN, token) == build_session_transfer_redirect(
            SHOP_LOGIN, ours
        )

    @pytest.mark.parametrize(
        ("target", "theirs", "ours"),
        [
            # A browser would add the slash; both read alike.
            (
                "https://shop.example.com",
                "https://shop.example.com?{}",
                "https://shop.example.com/?{}",
            ),
            (SHOP_LOGIN + "?", SHOP_LOGIN + "?&{}", SHOP_LOGIN + "?{}"),
            (SHOP_LOGIN + "?a=1&", SHOP_LOGIN + "?a=1&&{}", SHOP_LOGIN + "?a=1&{}"),
            # The target's own old token: theirs has the parameter twice, which a login route has to refuse.
            (
                SHOP_LOGIN + "?session_transfer_token=old",
                SHOP_LOGIN + "?session_transfer_token=old&{}",
                SHOP_LOGIN + "?{}",
            ),
        ],
    )
    def test_different(self, target, theirs, ours):
        """Where the two differ on purpose."""
        added = "session_transfer_token=" + STT
        assert theirs.format(added) == sdk_redirect(target, STT)
        assert ours.format(added) == build_session_transfer_redirect(target, RESULT)

    def test_other_token_type(self, tenant, sdk):
        """The SDK puts an access token into the URL, whoever answered with one; we refuse."""
        answer = {
            "access_token": "an-access-token",
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 86400,
        }
        headers = {"Content-Type": "application/json"}
        body = json.dumps(answer)
        client = sdk.client(tenant.console)
        sdk.mint(client)  # reads the metadata
        tenant.fail_next(status=200, headers=headers, body=body)
        result = sdk.mint(client)
        tenant.fail_next(status=200, headers=headers, body=body)
        with pytest.raises(CustomTokenExchangeError) as info:
            mint_for(tenant)
        assert "unexpected_token_type" == info.value.code
        url = sdk_redirect(SHOP_LOGIN, result.session_transfer_token)
        assert result.session_transfer_token in url
        with pytest.raises(InvalidArgumentError):
            build_session_transfer_redirect(
                SHOP_LOGIN, SessionTransferTokenResult(**result.model_dump())
            )


class TestErrors:
    @pytest.fixture(
        params=[
            "denied",
            "no actor set",
            "not enabled",
            "no profile",
            "stale actor",
            "unknown customer",
            "throttled",
        ]
    )
    def refusing(self, request, tenant):
        """The tenant, refusing in one of the ways it has; with what a caller has to do for it."""
        console, changes = tenant.settings["console"], {}
        if request.param == "denied":
            tenant.action = lambda event, api: api.access.deny(
                "unauthorized_actor", "Not you."
            )
        elif request.param == "no actor set":
            tenant.action = lambda event, api: api.authentication.setUserById(
                "auth0|ada"
            )
        elif request.param == "not enabled":
            console["session_transfer"]["can_create_session_transfer_token"] = False
        elif request.param == "no profile":
            console["token_exchange"]["allow_any_profile_of_type"] = []
        elif request.param == "stale actor":
            changes["actor_token"] = tenant.agent_tokens()["id_token"]
            tenant.clock.advance(36_001)
        elif request.param == "unknown customer":
            changes["subject_token"] = "who-is-that"
        else:
            body = b'{"error": "too_many_requests", "error_description": "Global limit has been reached"}'
            headers = {"Content-Type": "application/json", "x-ratelimit-reset": "1"}
            # The SDK asks for the metadata first.
            tenant.fail_next(status=None)
            for _ in range(2):
                tenant.fail_next(status=429, headers=headers, body=body)
        return tenant, changes

    def test_same_word(self, refusing, sdk):
        """The tenant's own word reaches the caller through both, and its description."""
        tenant, changes = refusing
        with pytest.raises(SdkError) as theirs:
            sdk.mint(**changes)
        with pytest.raises(CustomTokenExchangeError) as ours:
            mint_for(tenant, **changes)
        assert theirs.value.code == ours.value.error
        assert str(theirs.value) == ours.value.error_description

    @pytest.mark.parametrize(
        "changes",
        [
            {"subject_token": " "},
            {"subject_token": "Bearer x"},
            {"actor_token": "Bearer x"},
            {"actor_token": " "},
        ],
    )
    def test_same_code(self, tenant, sdk, changes):
        """What both find out before they send anything has the same code."""
        with pytest.raises(SdkError) as theirs:
            sdk.mint(**changes)
        with pytest.raises(CustomTokenExchangeError) as ours:
            mint_for(tenant, **changes)
        assert "invalid_token_format" == theirs.value.code == ours.value.code
        assert not tenant.logs
