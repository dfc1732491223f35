"""The exchange, judged by the bodies and statuses that Auth0 documents."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from local_tenant_calls import (
    ACCESS_TOKEN_TYPE,
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    mint,
    token_request,
)

from auth0_stt.testing import LocalTenant
from auth0_stt.testing.tenant.tokens import sign


@pytest.fixture
def tenant():
    with LocalTenant() as tenant:
        yield tenant


def refused(answer):
    return answer.status_code, answer.json()["error"]


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


class TestAnswer:
    def test_default_flow_gives_a_session_transfer_token(self, tenant):
        """With the defaults the answer is exactly the documented one."""
        answer = mint(tenant)
        body = answer.json()
        assert 200 == answer.status_code
        assert len(body.pop("access_token")) >= 32
        assert {
            "issued_token_type": SESSION_TRANSFER_TOKEN_TYPE,
            "token_type": "N_A",
            "expires_in": 60,
        } == body
        assert "no-store" == answer.headers["Cache-Control"]

    def test_scope_comes_back_without_offline_access(self, tenant):
        """offline_access is dropped: a delegated session gets no refresh token."""
        assert (
            "openid email"
            == mint(tenant, scope="openid offline_access email").json()["scope"]
        )

    def test_ordinary_audience_gives_an_access_token(self, tenant):
        """Any other audience answers with a bearer token, that carries act."""
        body = mint(tenant, audience="https://api.acme.example/", scope="read").json()
        assert (ACCESS_TOKEN_TYPE, "Bearer") == (
            body["issued_token_type"],
            body["token_type"],
        )
        token = claims(body["access_token"])
        assert {"sub": "auth0|sam"} == token["act"]
        assert ["https://api.acme.example/"] == token["aud"]
        assert "auth0|ada" == token["sub"]

    def test_profile_without_session_transfer_gives_an_access_token(self, tenant):
        """A profile that is not set up answers 200 with an ordinary access token."""
        tenant.token_exchange_profiles[tenant.subject_token_type][
            "session_transfer"
        ] = False
        assert ACCESS_TOKEN_TYPE == mint(tenant).json()["issued_token_type"]

    def test_both_custom_domains_mint(self, tenant):
        """The audience names the domain that the very request goes to."""
        host = f"127.0.0.1:{tenant.port}"
        url = f"http://{host}/oauth/token"
        assert (
            200
            == mint(
                tenant, url=url, audience=f"urn:{host}:session_transfer"
            ).status_code
        )
        assert (400, "invalid_target") == refused(mint(tenant, url=url))


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"client_secret": "wrong"}, 401, "invalid_client"),
            ({"client_secret": None}, 401, "invalid_client"),
            ({"client_id": "nobody"}, 400, "invalid_client"),
            ({"grant_type": "password"}, 400, "unsupported_grant_type"),
            ({"subject_token": None}, 400, "invalid_request"),
            ({"subject_token_type": None}, 400, "invalid_request"),
            ({"subject_token_type": "urn:other"}, 400, "invalid_request"),
            ({"actor_token_type": None}, 400, "invalid_request"),
            ({"actor_token": None}, 400, "invalid_request"),
            ({"audience": "https://nowhere.example/"}, 400, "invalid_target"),
            ({"organization": "nowhere"}, 400, "invalid_request"),
            ({"organization": "globex"}, 400, "access_denied"),
        ],
    )
    def test_bad_requests(self, tenant, changes, status, error):
        """Each flaw has its OAuth error."""
        assert (status, error) == refused(mint(tenant, **changes))

    def test_application_that_is_not_set_up(self, tenant):
        """Both settings of the initiating application are needed."""
        settings = tenant.settings["console"]
        settings["session_transfer"]["can_create_session_transfer_token"] = False
        assert (400, "invalid_request") == refused(mint(tenant))
        settings["token_exchange"]["allow_any_profile_of_type"] = []
        assert (400, "unauthorized_client") == refused(mint(tenant))

    def test_shop_may_not_mint(self, tenant):
        """An application without the settings is refused though its secret is right."""
        shop = {name: tenant.shop[name] for name in ("client_id", "client_secret")}
        assert (400, "unauthorized_client") == refused(mint(tenant, **shop))

    def test_repeated_parameters(self, tenant):
        """A field of the protocol given twice is an invalid request (RFC 6749, 3.2)."""
        assert (400, "invalid_request") == refused(mint(tenant, scope=["a", "b"]))

    def test_parameters_in_the_url(self, tenant):
        """Nothing belongs into the query of the token endpoint (RFC 6749, 3.2)."""
        url = tenant.domain + "/oauth/token?scope=openid"
        assert (400, "invalid_request") == refused(mint(tenant, url=url))

    def test_mfa(self, tenant):
        """MFA cannot be done with an actor; the text is Auth0's."""
        tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]
        answer = mint(tenant)
        assert (400, "mfa_required") == refused(answer)
        assert answer.json()["error_description"].startswith(
            "MFA is not supported using actor_"
        )

    def test_domain_of_somebody_else(self, tenant):
        """A request whose Host is not the tenant's is not served."""
        assert 421 == mint(tenant, headers={"Host": "acme.example"}).status_code


class TestActorToken:
    def complaint(self, answer):
        assert (400, "invalid_request") == refused(answer)
        head, _, complaint = answer.json()["error_description"].partition(
            "Invalid actor token: "
        )
        assert "" == head
        return complaint

    def test_stale(self, tenant):
        """An expired ID token is refused in Auth0's words."""
        stale = tenant.agent_tokens()["id_token"]
        tenant.clock.advance(36001)
        assert "'exp' claim timestamp check failed" == self.complaint(
            mint(tenant, actor_token=stale)
        )

    def test_of_another_application(self, tenant):
        """The audience must be the client that asks."""
        foreign = claims(tenant.agent_tokens()["id_token"])
        assert "unexpected 'aud' claim value" == self.complaint(
            mint(tenant, actor_token=sign(dict(foreign, aud="shop")))
        )

    def test_of_another_tenant(self, tenant):
        """The issuer must be one of the tenant's own domains, though the key is the same."""
        with LocalTenant() as other:
            foreign = other.agent_tokens()["id_token"]
        assert "unexpected 'iss' claim value" == self.complaint(
            mint(tenant, actor_token=foreign)
        )

    def test_without_a_claim(self, tenant):
        """sub, iss, exp, iat and aud are needed."""
        whole = claims(tenant.agent_tokens()["id_token"])
        for name in ("sub", "iss", "exp", "iat", "aud"):
            token = sign({key: value for key, value in whole.items() if key != name})
            assert f"missing required '{name}' claim" == self.complaint(
                mint(tenant, actor_token=token)
            )

    def test_signature(self, tenant):
        """Another key's signature is refused."""
        whole = claims(tenant.agent_tokens()["id_token"])
        forged = jwt.encode({"alg": "RS256"}, whole, RSAKey.generate_key(2048))
        assert "signature verification failed" == self.complaint(
            mint(tenant, actor_token=forged)
        )

    def test_algorithm(self, tenant):
        """RS256 and PS256 only."""
        whole = claims(tenant.agent_tokens()["id_token"])
        other = jwt.encode({"alg": "HS256"}, whole, OctKey.import_key("x" * 32))
        assert "it is no JWT signed with RS256 or PS256" == self.complaint(
            mint(tenant, actor_token=other)
        )
        assert 200 == mint(tenant, actor_token=sign(whole, "PS256")).status_code

    def test_no_jwt(self, tenant):
        """Any other text is refused."""
        for text in ("nonsense", "a.b.c", "é.é.é", "..."):
            assert (400, "invalid_request") == refused(mint(tenant, actor_token=text))

    def test_blocked_agent(self, tenant):
        """The agent must exist and not be blocked."""
        tenant.users["auth0|sam"]["blocked"] = True
        assert "the user is unknown or blocked" == self.complaint(mint(tenant))

    def test_other_type_is_left_to_the_action(self, tenant):
        """A token that is no ID token reaches the Action unchecked."""
        seen = []
        tenant.action = lambda event, api: (
            seen.append(event.transaction) or api.deny("no", "")
        )
        mint(tenant, actor_token="opaque", actor_token_type="urn:acme:agent")
        assert ("opaque", "urn:acme:agent", None) == (
            seen[0].actor_token,
            seen[0].actor_token_type,
            seen[0].actor,
        )


class TestAction:
    def test_what_it_sees(self, tenant):
        """The event carries Auth0's names; unknown fields are in the body, credentials not."""
        seen = []

        def action(event, api):
            seen.append(event)
            api.set_user("auth0|lin")
            api.set_actor({"sub": "auth0|sam"}, reason=event.request.body["reason"])

        tenant.action = action
        answer = mint(
            tenant,
            reason="T-1",
            subject_token="x",
            organization="globex",
            scope="openid email",
        )
        assert 200 == answer.status_code
        event = seen[0]
        assert "console" == event.client["client_id"]
        assert "x" == event.transaction.subject_token
        assert tenant.subject_token_type == event.transaction.subject_token_type
        assert (
            "auth0|sam"
            == event.transaction.actor["user_id"]
            == event.transaction.actor["sub"]
        )
        assert "password" not in event.transaction.actor
        assert ["openid", "email"] == event.transaction.requested_scopes
        assert ("org_globex", "globex") == (
            event.organization["id"],
            event.organization["name"],
        )
        assert ("127.0.0.1", "POST") == (event.request.ip, event.request.method)
        assert f"localhost:{tenant.port}" == event.request.hostname
        assert "T-1" == event.request.body["reason"]
        assert "client_secret" not in event.request.body

    def test_repeated_fields(self, tenant):
        """A field of the Action's own may come several times: the body has a list."""
        seen = []
        tenant.action = lambda event, api: seen.append(event.request.body["ticket"])
        mint(tenant, ticket=["T-1", "T-2"])
        assert [["T-1", "T-2"]] == seen

    def test_set_actor_forgotten(self, tenant):
        """Without set_actor no session transfer token is issued; the text is Auth0's."""
        tenant.action = lambda event, api: api.set_user("auth0|ada")
        answer = mint(tenant)
        assert (400, "invalid_request") == refused(answer)
        assert (
            "setActor is required when requesting a session transfer token via token exchange."
            == answer.json()["error_description"]
        )

    def test_default_action_wants_an_id_token(self, tenant):
        """Without a verified agent the default Action sets no actor."""
        answer = mint(tenant, actor_token="opaque", actor_token_type="urn:acme:agent")
        assert "setActor is required" in answer.json()["error_description"]

    @pytest.mark.parametrize("user_id", [None, "auth0|nobody"])
    def test_set_user_forgotten(self, tenant, user_id):
        """Without an existing user there is nobody to act for."""
        tenant.action = lambda event, api: user_id and api.set_user(user_id)
        assert (400, "invalid_request") == refused(mint(tenant))

    def test_blocked_customer(self, tenant):
        """A blocked account cannot be entered."""
        tenant.users["auth0|ada"]["blocked"] = True
        assert (400, "invalid_request") == refused(mint(tenant))

    @pytest.mark.parametrize("status", [400, 403, 500])
    def test_deny(self, tenant, status):
        """deny() gives the caller the Action's own word and text, in the wild also as a 500."""
        tenant.action = lambda event, api: api.deny(
            "unauthorized_actor", 'Not "you", ä', status
        )
        answer = mint(tenant)
        assert (status, "unauthorized_actor") == refused(answer)
        assert 'Not "you", ä' == answer.json()["error_description"]

    def test_first_refusal_counts(self, tenant):
        """A refusal does not end the Action, and what comes later does not undo it."""

        def action(event, api):
            api.deny("first", "")
            api.deny("second", "")
            api.set_user("auth0|ada")
            api.set_actor("auth0|sam")

        tenant.action = action
        assert (400, "first") == refused(mint(tenant))

    def test_exception(self, tenant):
        """An Action that raises is the server's error; the log has the traceback."""
        tenant.action = lambda event, api: 1 / 0
        answer = mint(tenant)
        assert (500, "server_error") == refused(answer)
        assert (
            "The Action raised ZeroDivisionError: division by zero"
            == (answer.json()["error_description"])
        )
        assert "1 / 0" in tenant.logs[-1].details["traceback"]

    @pytest.mark.parametrize(
        "actor",
        [
            {},
            {"sub": "a", "act": {"sub": "b"}},
            dict.fromkeys(
                "abcdef",
                1,
            )
            | {"sub": "a"},
        ],
    )
    def test_actor_rules(self, tenant, actor):
        """An actor has a sub, at most five further claims, and no actor of its own."""
        tenant.action = lambda event, api: api.set_actor(actor)
        assert (500, "server_error") == refused(mint(tenant))


class TestThrottling:
    def bad(self, tenant, **kwargs):
        return refused(
            mint(
                tenant,
                actor_token="",
                actor_token_type="",
                subject_token="bad",
                **kwargs,
            )
        )

    def test_ten_bad_subject_tokens(self, tenant):
        """After ten from one address even a good one is refused; ten minutes regain one try."""
        for _ in range(10):
            assert (400, "invalid_request") == self.bad(tenant)
        assert (429, "too_many_attempts") == refused(mint(tenant))
        tenant.clock.advance(599)
        assert (429, "too_many_attempts") == refused(mint(tenant))
        tenant.clock.advance(1)
        assert 200 == mint(tenant).status_code
        assert (400, "invalid_request") == self.bad(tenant)
        assert (429, "too_many_attempts") == self.bad(tenant)

    def test_budget_is_that_of_the_forwarded_address(self, tenant):
        """With a trusted forwarded address each agent has a budget, else all share one."""
        ada, lin = (
            {"auth0-forwarded-for": ip} for ip in ("203.0.113.7", "203.0.113.8")
        )
        for _ in range(10):
            self.bad(tenant, headers=ada)
        assert (429, "too_many_attempts") == self.bad(tenant, headers=ada)
        assert (400, "invalid_request") == self.bad(tenant, headers=lin)
        tenant.settings["console"]["is_token_endpoint_ip_header_trusted"] = False
        for _ in range(10):
            self.bad(tenant, headers=ada)
        assert (429, "too_many_attempts") == self.bad(tenant, headers=lin)

    def test_budget_does_not_grow_past_ten(self, tenant):
        """A day without a bad token gives no more than ten."""
        self.bad(tenant)
        tenant.clock.advance(86400)
        assert [400] * 10 + [429] == [self.bad(tenant)[0] for _ in range(11)]


class TestSubjectToken:
    def test_expires(self, tenant):
        """The default Action's subject tokens live for the time that was asked for."""
        token = tenant.subject_token("auth0|ada", lifetime=30)
        agent = tenant.agent_tokens()["id_token"]
        tenant.clock.advance(31)
        assert (400, "invalid_request") == refused(
            mint(tenant, subject_token=token, actor_token=agent)
        )

    def test_of_another_tenant(self, tenant):
        """Several tenants at once don't meet: their subject tokens are their own."""
        with LocalTenant() as other:
            assert (400, "invalid_request") == refused(
                mint(tenant, subject_token=other.subject_token("auth0|ada"))
            )


class TestLogs:
    def test_success(self, tenant):
        """A good exchange is logged as secte with what the request carried, but no token."""
        header = base64.b64encode(json.dumps({"name": "auth0-stt"}).encode()).decode()
        mint(
            tenant,
            reason="T-1",
            headers={"Auth0-Client": header, "auth0-forwarded-for": "203.0.113.7"},
        )
        log = tenant.logs[-1]
        assert ("secte", "console", "auth0|ada") == (
            log.type,
            log.client_id,
            log.user_id,
        )
        assert {"name": "auth0-stt"} == log.details["auth0_client"]
        assert "203.0.113.7" == log.details["auth0_forwarded_for"]
        assert "T-1" == log.details["body"]["reason"]
        assert not {"subject_token", "actor_token", "client_secret"} & set(
            log.details["body"]
        )

    def test_failure(self, tenant):
        """A refused exchange is logged as fecte, with the description and the error's word."""
        tenant.action = lambda event, api: api.deny("unauthorized_actor", "Not you")
        mint(tenant, headers={"Auth0-Client": "no base64!"})
        log = tenant.logs[-1]
        assert ("fecte", "Not you") == (log.type, log.description)
        assert "unauthorized_actor" == log.details["error"]
        assert "no base64!" == log.details["auth0_client"]

    def test_no_grant_type(self, tenant):
        """A request that says nothing is answered and logged all the same."""
        assert (400, "unsupported_grant_type") == refused(token_request(tenant, {}))
        assert "feacft" == tenant.logs[-1].type


def test_agent_tokens(tenant):
    """What the console holds after the agent's sign-in: all of a token response."""
    tokens = tenant.agent_tokens()
    assert {
        "access_token",
        "expires_in",
        "id_token",
        "refresh_token",
        "scope",
        "token_type",
    } == set(tokens)
    id_token = claims(tokens["id_token"])
    assert ("auth0|sam", "console") == (id_token["sub"], id_token["aud"])
    assert tenant.domain + "/" == id_token["iss"]
    assert "act" not in id_token
    assert ID_TOKEN_TYPE.endswith("id_token")
