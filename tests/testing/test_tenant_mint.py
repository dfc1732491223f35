"""The exchange, judged by the bodies and statuses that Auth0 documents."""

import base64
import json

import pytest
from calls import post_form, post_mint
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from values import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, SESSION_TRANSFER_TOKEN_TYPE

from auth0_stt.testing import LocalTenant
from auth0_stt.testing.tenant.tokens import sign


def refused(answer):
    return answer.status_code, answer.json()["error"]


def claims(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


class TestAnswer:
    def test_default_flow_gives_a_session_transfer_token(self, tenant):
        """With the defaults the answer is exactly the documented one."""
        answer = post_mint(tenant)
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
            == post_mint(tenant, scope="openid offline_access email").json()["scope"]
        )

    def test_ordinary_audience_gives_an_access_token(self, tenant):
        """Any other audience answers with a bearer token, that carries act."""
        body = post_mint(
            tenant, audience="https://api.acme.example/", scope="read"
        ).json()
        assert (ACCESS_TOKEN_TYPE, "Bearer") == (
            body["issued_token_type"],
            body["token_type"],
        )
        token = claims(body["access_token"])
        assert {"sub": "auth0|sam"} == token["act"]
        assert ["https://api.acme.example/"] == token["aud"]
        assert "auth0|ada" == token["sub"]

    def test_the_audience_alone_decides(self, tenant):
        """Without the audience of session transfer the same request gives an access token."""
        answer = post_mint(tenant, audience=None).json()
        assert ACCESS_TOKEN_TYPE == answer["issued_token_type"]
        profile = tenant.token_exchange_profiles[tenant.subject_token_type]
        assert {
            *("id", "name", "type", "subject_token_type", "action_id"),
            *("created_at", "updated_at"),
        } == set(profile)

    def test_audience_without_the_port(self, tenant):
        """A real domain has no port, and some clients leave that of a local one out."""
        body = post_mint(tenant, audience="urn:localhost:session_transfer").json()
        assert SESSION_TRANSFER_TOKEN_TYPE == body["issued_token_type"]

    def test_both_custom_domains_mint(self, tenant):
        """The audience names the domain that the very request goes to."""
        host = f"127.0.0.1:{tenant.port}"
        url = f"http://{host}/oauth/token"
        assert (
            200
            == post_mint(
                tenant, url=url, audience=f"urn:{host}:session_transfer"
            ).status_code
        )
        assert (400, "invalid_target") == refused(post_mint(tenant, url=url))


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "status", "error"),
        [
            ({"client_secret": "wrong"}, 401, "access_denied"),
            ({"client_secret": None}, 401, "access_denied"),
            ({"client_id": "nobody"}, 401, "access_denied"),
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
        assert (status, error) == refused(post_mint(tenant, **changes))

    def test_application_that_is_not_set_up(self, tenant):
        """Both settings of the initiating application are needed."""
        settings = tenant.settings["console"]
        settings["session_transfer"]["can_create_session_transfer_token"] = False
        assert (400, "invalid_request") == refused(post_mint(tenant))
        settings["token_exchange"]["allow_any_profile_of_type"] = []
        assert (400, "unauthorized_client") == refused(post_mint(tenant))

    def test_shop_may_not_mint(self, tenant):
        """An application without the settings is refused though its secret is right."""
        shop = {name: tenant.shop[name] for name in ("client_id", "client_secret")}
        assert (400, "unauthorized_client") == refused(post_mint(tenant, **shop))

    def test_repeated_parameters(self, tenant):
        """A field of the protocol given twice is an invalid request (RFC 6749, 3.2)."""
        assert (400, "invalid_request") == refused(post_mint(tenant, scope=["a", "b"]))

    def test_parameters_in_the_url(self, tenant):
        """Nothing belongs into the query of the token endpoint (RFC 6749, 3.2)."""
        url = tenant.domain + "/oauth/token?scope=openid"
        assert (400, "invalid_request") == refused(post_mint(tenant, url=url))

    def test_mfa(self, tenant):
        """MFA cannot be done with an actor; the text is Auth0's."""
        tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]
        answer = post_mint(tenant)
        assert (400, "mfa_required") == refused(answer)
        assert answer.json()["error_description"].startswith(
            "MFA is not supported using actor_"
        )

    def test_domain_of_somebody_else(self, tenant):
        """A request whose Host is not the tenant's is not served."""
        assert 421 == post_mint(tenant, headers={"Host": "acme.example"}).status_code


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
            post_mint(tenant, actor_token=stale)
        )

    def test_of_another_application(self, tenant):
        """The audience must be the client that asks."""
        foreign = claims(tenant.agent_tokens()["id_token"])
        assert "unexpected 'aud' claim value" == self.complaint(
            post_mint(tenant, actor_token=sign(dict(foreign, aud="shop")))
        )

    def test_of_another_tenant(self, tenant):
        """The issuer must be one of the tenant's own domains, though the key is the same."""
        with LocalTenant() as other:
            foreign = other.agent_tokens()["id_token"]
        assert "unexpected 'iss' claim value" == self.complaint(
            post_mint(tenant, actor_token=foreign)
        )

    def test_without_a_claim(self, tenant):
        """sub, iss, exp, iat and aud are needed."""
        whole = claims(tenant.agent_tokens()["id_token"])
        for name in ("sub", "iss", "exp", "iat", "aud"):
            token = sign({key: value for key, value in whole.items() if key != name})
            assert f"missing required '{name}' claim" == self.complaint(
                post_mint(tenant, actor_token=token)
            )

    def test_signature(self, tenant):
        """Another key's signature is refused."""
        whole = claims(tenant.agent_tokens()["id_token"])
        forged = jwt.encode({"alg": "RS256"}, whole, RSAKey.generate_key(2048))
        assert "signature verification failed" == self.complaint(
            post_mint(tenant, actor_token=forged)
        )

    def test_algorithm(self, tenant):
        """RS256 and PS256 only."""
        whole = claims(tenant.agent_tokens()["id_token"])
        other = jwt.encode({"alg": "HS256"}, whole, OctKey.import_key("x" * 32))
        assert "it is no JWT signed with RS256 or PS256" == self.complaint(
            post_mint(tenant, actor_token=other)
        )
        assert 200 == post_mint(tenant, actor_token=sign(whole, "PS256")).status_code

    def test_no_jwt(self, tenant):
        """Any other text is refused."""
        for text in ("nonsense", "a.b.c", "é.é.é", "..."):
            assert (400, "invalid_request") == refused(
                post_mint(tenant, actor_token=text)
            )

    def test_blocked_agent(self, tenant):
        """The agent must exist and not be blocked."""
        tenant.users["auth0|sam"]["blocked"] = True
        assert "the user is unknown or blocked" == self.complaint(post_mint(tenant))

    def test_other_type_is_left_to_the_action(self, tenant):
        """A token that is no ID token reaches the Action unchecked."""
        seen = []
        tenant.action = lambda event, api: (
            seen.append(event.transaction) or api.access.deny("no", "")
        )
        post_mint(tenant, actor_token="opaque", actor_token_type="urn:acme:agent")
        assert ("opaque", "urn:acme:agent", None) == (
            seen[0].actor_token,
            seen[0].actor_token_type,
            seen[0].actor_token_user,
        )


class TestAction:
    def test_what_it_sees(self, tenant):
        """The event carries Auth0's names; unknown fields are in the body, credentials not."""
        seen = []

        def action(event, api):
            seen.append(event)
            api.authentication.setUserById("auth0|lin")
            api.authentication.setActor({"sub": "auth0|sam"})

        tenant.action = action
        tenant.action_secrets["KEY"] = "value"
        tenant.settings["console"]["client_metadata"] = {"team": "north"}
        answer = post_mint(
            tenant,
            reason="T-1",
            subject_token="x",
            organization="globex",
            scope="openid email",
        )
        assert 200 == answer.status_code
        event = seen[0]
        assert ("console", "Support console", "north") == (
            event.client.client_id,
            event.client.name,
            event.client.metadata.team,
        )
        assert "x" == event.transaction.subject_token
        assert tenant.subject_token_type == event.transaction.subject_token_type
        agent = event.transaction.actor_token_user
        assert ("auth0|sam", "sam@acme.example") == (agent.user_id, agent.email)
        assert "sam" == agent.identities[0].user_id
        assert not {"sub", "password", "blocked"} & set(agent)
        assert ["openid", "email"] == event.transaction.requested_scopes
        assert SESSION_TRANSFER_TOKEN_TYPE == event.transaction.requested_token_type
        assert ("org_globex", "globex", "Globex") == (
            event.organization.id,
            event.organization.name,
            event.organization.display_name,
        )
        assert event.resource_server.identifier.endswith(":session_transfer")
        assert ("127.0.0.1", "POST") == (event.request.ip, event.request.method)
        assert f"localhost:{tenant.port}" == event.request.hostname
        assert "T-1" == event.request.body["reason"] == event.request.body.reason
        assert "client_secret" not in event.request.body
        assert ("value", "local") == (event.secrets.KEY, event.tenant.id)

    def test_absent_fields(self, tenant):
        """What Auth0 has but this request has not is None, as undefined is there."""
        seen = []

        def action(event, api):
            seen.append((event.organization, event.transaction.actor_token))
            seen.append((event.request.body.reason, event.secrets.KEY))

        tenant.action = action
        post_mint(tenant, actor_token=None, actor_token_type=None)
        assert [(None, None), (None, None)] == seen

    @pytest.mark.parametrize(
        ("read", "rule", "names"),
        [
            (
                lambda event, api: event.transaction.actor,
                "action-reads-actor",
                "actor_token_user",
            ),
            (lambda event, api: event.user, "action-runs", "transaction"),
            (lambda event, api: event["session"], "action-runs", "transaction"),
            (lambda event, api: api.idToken, "action-runs", "authentication"),
            (lambda event, api: api.set_user("auth0|ada"), "action-runs", "access"),
            (
                lambda event, api: api.authentication.set_actor({}),
                "action-runs",
                "setActor",
            ),
            (
                lambda event, api: event.transaction.actor_token_user.sub,
                "action-runs",
                "user_id",
            ),
        ],
    )
    def test_copied_from_another_trigger(self, tenant, read, rule, names):
        """What this trigger does not have is an error that names what it has."""
        tenant.action = read
        answer = post_mint(tenant)
        assert (500, "server_error") == refused(answer)
        assert rule == answer.headers["Local-Tenant-Rule"]
        assert "in this trigger, only: " in answer.json()["error_description"]
        assert names in answer.json()["error_description"]

    def test_repeated_fields(self, tenant):
        """A field of the Action's own may come several times: the body has a list."""
        seen = []
        tenant.action = lambda event, api: seen.append(event.request.body["ticket"])
        post_mint(tenant, ticket=["T-1", "T-2"])
        assert [["T-1", "T-2"]] == seen

    def test_set_actor_forgotten(self, tenant):
        """Without setActor no session transfer token is issued; the text is Auth0's."""
        tenant.action = lambda event, api: api.authentication.setUserById("auth0|ada")
        answer = post_mint(tenant)
        assert (400, "invalid_request") == refused(answer)
        assert (
            "setActor is required when requesting a session transfer token via token exchange."
            == answer.json()["error_description"]
        )

    def test_default_action_wants_an_id_token(self, tenant):
        """Without a verified agent the default Action sets no actor."""
        answer = post_mint(
            tenant, actor_token="opaque", actor_token_type="urn:acme:agent"
        )
        assert "setActor is required" in answer.json()["error_description"]

    @pytest.mark.parametrize("user_id", [None, "auth0|nobody"])
    def test_set_user_forgotten(self, tenant, user_id):
        """Without an existing user there is nobody to act for."""
        tenant.action = lambda event, api: (
            user_id and api.authentication.setUserById(user_id)
        )
        assert (400, "invalid_request") == refused(post_mint(tenant))

    def test_blocked_customer(self, tenant):
        """A blocked account cannot be entered."""
        tenant.users["auth0|ada"]["blocked"] = True
        assert (400, "invalid_request") == refused(post_mint(tenant))

    @pytest.mark.parametrize("status", [400, 403, 500])
    def test_deny(self, tenant, status):
        """deny() gives the caller the Action's own word and text, in the wild also as a 500."""
        tenant.deny_status = status
        tenant.action = lambda event, api: api.access.deny(
            "unauthorized_actor", 'Not "you", ä'
        )
        answer = post_mint(tenant)
        assert (status, "unauthorized_actor") == refused(answer)
        assert 'Not "you", ä' == answer.json()["error_description"]

    def test_deny_as_a_fault_of_the_server(self, tenant):
        """The word server_error goes with the status 500."""
        tenant.action = lambda event, api: api.access.deny("server_error", "No idea")
        assert (500, "server_error") == refused(post_mint(tenant))

    def test_first_refusal_counts(self, tenant):
        """A refusal does not end the Action, and what comes later does not undo it."""

        def action(event, api):
            api.access.deny("first", "")
            api.access.deny("second", "")
            api.authentication.setUserById("auth0|ada")
            api.authentication.setActor({"sub": "auth0|sam"})

        tenant.action = action
        assert (400, "first") == refused(post_mint(tenant))

    def test_exception(self, tenant):
        """An Action that raises is the server's error; the log has the stack."""
        tenant.action = lambda event, api: 1 / 0
        answer = post_mint(tenant)
        assert (500, "server_error") == refused(answer)
        assert (
            "The Action raised ZeroDivisionError: division by zero"
            == (answer.json()["error_description"])
        )
        failed, exchange = tenant.logs
        assert ("actions_execution_failed", "fecte") == (failed.type, exchange.type)
        assert "1 / 0" in failed.details["action_error"]["stack"]

    @pytest.mark.parametrize(
        "actor",
        [
            {},
            "auth0|sam",
            {"sub": 1},
            {"sub": "a", "act": {"sub": "b"}},
            {"sub": "a", "teams": ["north"]},
            {"sub": "a", "more": {}},
            {"sub": "a", "none": None},
            {**dict.fromkeys("abcdef", 1), "sub": "a"},
        ],
    )
    def test_actor_rules(self, tenant, actor):
        """An actor has a sub, at most five plain properties more, and no actor of its own."""
        tenant.action = lambda event, api: api.authentication.setActor(actor)
        answer = post_mint(tenant)
        assert (500, "server_error") == refused(answer)
        assert "actor-shape" == answer.headers["Local-Tenant-Rule"]

    def test_actor_within_an_actor(self, tenant):
        """An ordinary access token may carry up to five actors, each within the next."""

        def chain(length):
            return {"sub": "a", **({"act": chain(length - 1)} if length > 1 else {})}

        def action(event, api):
            api.authentication.setUserById("auth0|ada")
            api.authentication.setActor(chain(int(event.request.body.length)))

        tenant.action = action
        api = "https://api.acme.example/"
        body = post_mint(tenant, audience=api, length="5").json()
        assert chain(5) == claims(body["access_token"])["act"]
        answer = post_mint(tenant, audience=api, length="6")
        assert (500, "server_error") == refused(answer)

    def test_set_organization(self, tenant):
        """The Action may choose the organization, by id or name; the user must be in it."""
        chosen = ["acme"]

        def action(event, api):
            api.authentication.setOrganization(chosen[0])
            api.authentication.setUserById("auth0|ada")

        tenant.action = action
        body = post_mint(tenant, audience="https://api.acme.example/").json()
        token = claims(body["access_token"])
        assert ("org_acme", "acme") == (token["org_id"], token["org_name"])
        for chosen[0], error in (("globex", "access_denied"), ("x", "invalid_request")):
            assert (400, error) == refused(post_mint(tenant))

    def test_names_of_organizations_not_allowed(self, tenant):
        """Where the tenant allows no names, an organization goes by its id alone."""
        setting = "allow_organization_name_in_authentication_api"
        tenant.settings["tenant"][setting] = False
        assert (400, "invalid_request") == refused(
            post_mint(tenant, organization="acme")
        )
        answer = post_mint(
            tenant, organization="org_acme", audience="https://api.acme.example/"
        )
        assert "org_name" not in claims(answer.json()["access_token"])

    def test_metadata(self, tenant):
        """What the Action sets in the user's metadata is kept; None removes it."""

        def action(event, api):
            api.authentication.setUserById("auth0|ada")
            api.authentication.setActor({"sub": "auth0|sam"})
            api.user.setAppMetadata("entered", True)
            api.user.setAppMetadata("plan", None)
            api.user.setUserMetadata("locale", "de")

        tenant.users["auth0|ada"]["app_metadata"] = {"plan": "pro", "id": 7}
        tenant.action = action
        assert 200 == post_mint(tenant).status_code
        ada = tenant.users["auth0|ada"]
        assert ({"entered": True, "id": 7}, {"locale": "de"}) == (
            ada["app_metadata"],
            ada["user_metadata"],
        )

    def test_cache(self, tenant):
        """What the Action keeps is there the next time, until it expires."""
        seen = []

        def action(event, api):
            found = api.cache.get("key")
            seen.append(found and found.value)
            if not found:
                assert "success" == api.cache.set("key", "kept", {"ttl": 5000}).type
            elif event.request.body.forget:
                api.cache.delete("key")

        tenant.action = action
        for body in ({}, {"forget": "yes"}, {}):
            post_mint(tenant, **body)
        tenant.clock.advance(6)
        post_mint(tenant)
        assert [None, "kept", None, None] == seen


class TestUserByConnection:
    CONNECTION = "Username-Password-Authentication"

    @pytest.fixture
    def chosen(self, tenant):
        """What the Action passes to setUserByConnection."""
        chosen = {
            "connection": self.CONNECTION,
            "attributes": {"user_id": "ada"},
            "options": {"creationBehavior": "none", "updateBehavior": "none"},
        }

        def action(event, api):
            api.authentication.setUserByConnection(*chosen.values())
            api.authentication.setActor({"sub": "auth0|sam"})

        tenant.action = action
        return chosen

    def test_existing(self, tenant, chosen):
        """The id is the one within the connection."""
        assert 200 == post_mint(tenant).status_code
        assert "auth0|ada" == tenant.logs[-1].user_id

    def test_not_there(self, tenant, chosen):
        """Nobody is created unless the Action says so."""
        chosen["attributes"] = {"user_id": "new", "name": "New"}
        assert (400, "invalid_request") == refused(post_mint(tenant))
        chosen["options"]["creationBehavior"] = "create_if_not_exists"
        assert 200 == post_mint(tenant).status_code
        assert "New" == tenant.users["auth0|new"]["name"]

    def test_update(self, tenant, chosen):
        """Nothing changes unless the Action says so."""
        chosen["attributes"] = {"user_id": "ada", "nickname": "Countess"}
        post_mint(tenant)
        assert tenant.users["auth0|ada"].get("nickname") is None
        chosen["options"]["updateBehavior"] = "replace"
        post_mint(tenant)
        assert "Countess" == tenant.users["auth0|ada"]["nickname"]

    @pytest.mark.parametrize(
        ("name", "value", "status"),
        [
            ("connection", "nowhere", 400),
            ("attributes", {}, 500),
            ("options", {}, 500),
            ("options", {"creationBehavior": "yes", "updateBehavior": "none"}, 500),
        ],
    )
    def test_mistakes(self, tenant, chosen, name, value, status):
        """An unknown connection, no id, or an unknown behaviour is refused."""
        chosen[name] = value
        assert status == post_mint(tenant).status_code

    def test_both_ways(self, tenant):
        """Exactly one of the two ways must be used."""

        def action(event, api):
            api.authentication.setUserById("auth0|ada")
            api.authentication.setUserById("auth0|lin")

        tenant.action = action
        assert (500, "server_error") == refused(post_mint(tenant))


class TestThrottling:
    def bad(self, tenant, **kwargs):
        return refused(
            post_mint(
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
        assert (429, "too_many_attempts") == refused(post_mint(tenant))
        tenant.clock.advance(599)
        assert (429, "too_many_attempts") == refused(post_mint(tenant))
        tenant.clock.advance(1)
        assert 200 == post_mint(tenant).status_code
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

    def test_settings(self, tenant):
        """Numbers, allowlist and the switch are the tenant's settings."""
        throttling = tenant.settings["tenant"]["suspicious_ip_throttling"]
        throttling["stage"]["pre-custom-token-exchange"] = {
            "max_attempts": 1,
            "rate": 1000,
        }
        assert [400, 429] == [self.bad(tenant)[0] for _ in range(2)]
        tenant.clock.advance(1)
        assert [400, 429] == [self.bad(tenant)[0] for _ in range(2)]
        throttling["allowlist"] = ["127.0.0.1"]
        assert 200 == post_mint(tenant).status_code
        throttling.update(allowlist=[], enabled=False)
        assert 200 == post_mint(tenant).status_code

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
            post_mint(tenant, subject_token=token, actor_token=agent)
        )

    def test_of_another_tenant(self, tenant):
        """Several tenants at once don't meet: their subject tokens are their own."""
        with LocalTenant() as other:
            assert (400, "invalid_request") == refused(
                post_mint(tenant, subject_token=other.subject_token("auth0|ada"))
            )


class TestRateLimit:
    def test_four_a_second(self, tenant):
        """Where it is switched on, the tenant exchanges so many tokens a second."""
        tenant.token_exchanges_per_second = 4
        answers = [post_mint(tenant) for _ in range(5)]
        assert [200] * 4 + [429] == [answer.status_code for answer in answers]
        assert (429, "too_many_requests") == refused(answers[-1])
        reset = int(answers[-1].headers["x-ratelimit-reset"])
        assert 0 <= reset - tenant.clock() <= 1
        tenant.clock.advance(1)
        assert 200 == post_mint(tenant).status_code


class TestLogs:
    def test_success(self, tenant):
        """A good exchange is logged as secte, with the fields of Auth0's schema."""
        header = base64.b64encode(json.dumps({"name": "auth0-stt"}).encode()).decode()
        post_mint(
            tenant,
            reason="T-1",
            headers={"Auth0-Client": header, "auth0-forwarded-for": "203.0.113.7"},
        )
        log = tenant.logs[-1]
        assert ("secte", "console", "Support console", "auth0|ada") == (
            log.type,
            log.client_id,
            log.client_name,
            log.user_id,
        )
        assert {"name": "auth0-stt"} == log.auth0_client
        assert {
            "subject_token_type": tenant.subject_token_type,
            "actor": {"sub": "auth0|sam"},
        } == log.details
        assert log.date.endswith("Z")

    @pytest.mark.parametrize(
        ("trusted", "ip"), [(True, "203.0.113.7"), (False, "127.0.0.1")]
    )
    def test_address(self, tenant, trusted, ip):
        """The log has the address that the token is bound to."""
        tenant.settings["console"]["is_token_endpoint_ip_header_trusted"] = trusted
        post_mint(tenant, headers={"auth0-forwarded-for": "203.0.113.7"})
        assert ip == tenant.logs[-1].ip

    def test_failure(self, tenant):
        """A refused exchange is logged as fecte, with the description."""
        tenant.action = lambda event, api: api.access.deny("unauthorized_actor", "No")
        post_mint(tenant, headers={"Auth0-Client": "no base64!"})
        log = tenant.logs[-1]
        assert ("fecte", "No", None) == (log.type, log.description, log.auth0_client)

    def test_no_grant_type(self, tenant):
        """A request that says nothing is answered and logged all the same."""
        assert (400, "unsupported_grant_type") == refused(post_form(tenant, {}))
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
