"""GET /api/v2/...: what a doctor reads of a tenant."""

import re
from pathlib import Path

import pytest
import requests
from calls import base, post_mint, redirect_url

import auth0_stt.testing
from auth0_stt.testing import LocalTenant, RedemptionFailed


@pytest.fixture(scope="module")
def running():
    with LocalTenant() as tenant:
        yield tenant


def call(tenant, path, method="GET", token=None, **query):
    with requests.Session() as session:
        session.trust_env = False
        token = tenant.management_token if token is None else token
        headers = {"Authorization": "Bearer " + token} if token else {}
        url = f"{base(tenant)}/api/v2/{path}"
        return session.request(method, url, params=query, headers=headers)


class TestAccess:
    def test_no_token(self, running):
        """Without a token: 401."""
        answer = call(running, "clients/shop", token="")
        assert 401 == answer.status_code
        assert {
            "statusCode": 401,
            "error": "Unauthorized",
            "message": "Missing authentication",
        } == answer.json()

    def test_bad_token(self, running):
        """Another token than one for this API: 401."""
        for token in ("x", running.agent_tokens()["access_token"]):
            answer = call(running, "clients/shop", token=token)
            assert (401, "Invalid token") == (
                answer.status_code,
                answer.json()["message"],
            )

    def test_expired(self, tenant):
        """A token lives for a day."""
        token = tenant.management_token
        tenant.clock.advance(86401)
        answer = call(tenant, "clients/shop", token=token)
        assert 401 == answer.status_code
        assert answer.json()["message"].startswith("Expired token")

    @pytest.mark.parametrize(
        ("path", "scope"),
        [
            ("clients", "read:clients"),
            ("clients/shop", "read:clients"),
            ("clients/shop/connections", "read:connections"),
            ("token-exchange-profiles", "read:token_exchange_profiles"),
            ("token-exchange-profiles/tep_acme", "read:token_exchange_profiles"),
            ("actions/actions", "read:actions"),
            ("actions/actions/act_enter_customer", "read:actions"),
            ("custom-domains", "read:custom_domains"),
            ("tenants/settings", "read:tenant_settings"),
            ("guardian/policies", "read:mfa_policies"),
            ("attack-protection/suspicious-ip-throttling", "read:attack_protection"),
            ("organizations/org_acme", "read:organizations"),
            ("organizations/name/acme", "read:organizations"),
            ("organizations/org_acme/enabled_connections", "read:organizations"),
            ("connections", "read:connections"),
            ("resource-servers", "read:resource_servers"),
            ("logs", "read:logs"),
        ],
    )
    def test_scopes(self, running, path, scope):
        """Each path needs its scope, and is for reading only."""
        allowed = running.new_management_token(scope)
        assert 200 == call(running, path, token=allowed).status_code
        refused = call(running, path, token=running.new_management_token("read:users"))
        assert (403, "insufficient_scope", "Forbidden") == (
            refused.status_code,
            refused.json()["errorCode"],
            refused.json()["error"],
        )
        assert scope in refused.json()["message"]
        for method in ("PATCH", "POST", "DELETE"):
            assert 403 == call(running, path, method).status_code
        writing = running.new_management_token(scope.replace("read:", "update:"))
        assert 405 == call(running, path, "PATCH", writing).status_code

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("clients/nobody", "inexistent_client"),
            ("clients/tenant", "inexistent_client"),
            ("clients/nobody/connections", "inexistent_client"),
            ("actions/actions/x", None),
            ("token-exchange-profiles/x", None),
            ("organizations/org_x", None),
            ("organizations/name/x", None),
            ("organizations/org_x/enabled_connections", None),
            ("users", None),
            ("", None),
        ],
    )
    def test_not_there(self, running, path, code):
        """What is not there, and what this tenant does not have, is a 404."""
        answer = call(running, path)
        assert 404 == answer.status_code
        assert code == (answer.json() or {}).get("errorCode") if path else True


class TestDocuments:
    def test_client(self, running):
        """An application's settings, without what only those see who may read keys."""
        shop = call(running, "clients/shop").json()
        assert running.settings["shop"]["callbacks"] == shop["callbacks"]
        assert shop["session_transfer"]["delegation"]["allow_delegated_access"] is True
        token = running.new_management_token("read:clients")
        assert "client_secret" not in call(running, "clients/shop", token=token).json()

    def test_list_of_clients(self, running):
        """In the list session_transfer is empty, whatever is set."""
        found = call(running, "clients").json()
        assert ["console", "shop"] == [client["client_id"] for client in found]
        assert [{}, {}] == [client["session_transfer"] for client in found]

    def test_fields(self, running):
        """`fields` names what is wanted, or with include_fields=false what is not."""
        found = call(running, "clients/shop", fields="name,app_type").json()
        assert {"name": "Shop", "app_type": "regular_web"} == found
        others = call(
            running, "clients/shop", fields="name,callbacks", include_fields="false"
        ).json()
        assert not {"name", "callbacks"} & set(others)
        assert "app_type" in others

    def test_follows_the_settings(self, tenant):
        """What a test changes is what the API shows."""
        tenant.settings["shop"]["session_transfer"]["delegation"] = {
            "allow_delegated_access": False
        }
        tenant.connections["Username-Password-Authentication"]["enabled_clients"] = [
            "shop"
        ]
        tenant.settings["tenant"]["guardian_policies"] = ["all-applications"]
        shop = call(tenant, "clients/shop").json()
        assert shop["session_transfer"]["delegation"]["allow_delegated_access"] is False
        assert [] == call(tenant, "clients/console/connections").json()["connections"]
        assert ["all-applications"] == call(tenant, "guardian/policies").json()

    def test_connections(self, running):
        """Of an application, and all."""
        connection = {
            "id": "con_acme",
            "name": "Username-Password-Authentication",
            "strategy": "auth0",
        }
        found = call(running, "clients/shop/connections").json()
        assert {"connections": [connection]} == found
        everything = call(running, "connections").json()
        assert ["console", "shop"] == everything[0]["enabled_clients"]
        assert [] == call(running, "connections", strategy="okta").json()

    def test_profile_and_action(self, running):
        """The profile leads to its Action, whose document has its code and its state."""
        found = call(running, "token-exchange-profiles").json()
        (profile,) = found["token_exchange_profiles"]
        assert "next" not in found
        action = call(running, f"actions/actions/{profile['action_id']}").json()
        assert ("built", True) == (action["status"], action["all_changes_deployed"])
        assert "custom-token-exchange" == action["supported_triggers"][0]["id"]
        assert "actor_token_user" in action["code"]
        assert action["deployed_version"]["deployed"] is True
        (listed,) = call(running, "actions/actions").json()["actions"]
        assert action == listed
        other = call(running, "actions/actions", triggerId="post-login").json()
        assert (0, []) == (other["total"], other["actions"])

    def test_names_of_secrets(self, tenant):
        """Secrets of the Action are named and not shown."""
        tenant.action_secrets["KEY"] = "the value"
        answer = call(tenant, "actions/actions/act_enter_customer")
        assert [{"name": "KEY"}] == answer.json()["secrets"]
        assert "the value" not in answer.text

    def test_organization(self, running):
        """By id or by name, with its connections at an address of their own."""
        acme = call(running, "organizations/org_acme").json()
        assert acme == call(running, "organizations/name/acme").json()
        assert {"id", "name", "display_name", "metadata"} == set(acme)
        (enabled,) = call(running, "organizations/org_acme/enabled_connections").json()
        assert "con_acme" == enabled["connection_id"]

    def test_tenant(self, running):
        """Settings, throttling and domains of the tenant have an address each."""
        settings = call(running, "tenants/settings").json()
        assert not {"guardian_policies", "custom_domains"} & set(settings)
        (domain,) = call(running, "custom-domains").json()
        assert f"127.0.0.1:{running.port}" == domain["domain"]
        throttling = call(running, "attack-protection/suspicious-ip-throttling").json()
        stage = throttling["stage"]["pre-custom-token-exchange"]
        assert {"max_attempts": 10, "rate": 600000} == stage
        (api,) = call(running, "resource-servers").json()
        assert api["skip_consent_for_verifiable_first_party_clients"] is True

    def test_no_custom_domain(self, tenant):
        """Without a custom domain the shop is on the console's, where the agent has a session."""
        tenant.settings["tenant"]["custom_domains"] = []
        assert tenant.console["domain"] == tenant.shop["domain"]
        assert [] == call(tenant, "custom-domains").json()
        with tenant.browser() as browser:
            browser.sign_in("auth0|sam", tenant.console)
            with pytest.raises(RedemptionFailed) as info:
                browser.redeem(redirect_url(tenant))
        assert ("error", "two-domains") == (info.value.page, info.value.rule)


class TestPaging:
    def test_checkpoint(self, tenant):
        """`from` and `take` go from page to page, as long as there is a `next`."""
        for number in range(5):
            name = f"urn:acme:{number}"
            tenant.token_exchange_profiles[name] = {"id": name}
        seen, cursor = [], {}
        while cursor is not None:
            page = call(tenant, "token-exchange-profiles", take="2", **cursor).json()
            assert len(page["token_exchange_profiles"]) <= 2
            seen += [each["id"] for each in page["token_exchange_profiles"]]
            cursor = {"from": page["next"]} if "next" in page else None
        assert 6 == len(seen) == len(set(seen))

    def test_pages(self, running):
        """`page`, `per_page` and totals, where Auth0 has these."""
        found = call(
            running, "clients", page="1", per_page="1", include_totals="true"
        ).json()
        assert (["shop"], 1, 1, 2) == (
            [client["client_id"] for client in found["clients"]],
            found["start"],
            found["limit"],
            found["total"],
        )
        assert 400 == call(running, "clients", per_page="1000").status_code


class TestLogs:
    @pytest.fixture
    def tenant(self, tenant):
        """A tenant in whose log there is something."""
        url = redirect_url(tenant)
        tenant.redeem(url)
        with pytest.raises(RedemptionFailed):
            tenant.redeem(url)
        post_mint(tenant, client_secret="wrong")
        return tenant

    def types(self, tenant, **query):
        return [log["type"] for log in call(tenant, "logs", **query).json()]

    def test_newest_first(self, tenant):
        """All of it, the newest first; sort turns it round."""
        newest = ["fecte", "w", "sdeleacft", "sdel", "secte"]
        assert newest == self.types(tenant)
        assert newest[::-1] == self.types(tenant, sort="date:1")
        assert newest[2:4] == self.types(tenant, per_page="2", page="1")

    @pytest.mark.parametrize(
        ("query", "types"),
        [
            ("type:w", ["w"]),
            ('type:"sdel"', ["sdel"]),
            ("type:sdel*", ["sdeleacft", "sdel"]),
            ('client_id:("shop" OR "x")', ["w", "sdeleacft", "sdel"]),
            ("client_id:shop AND NOT type:w", ["sdeleacft", "sdel"]),
            ("type:(w OR secte) AND client_id:console", ["secte"]),
            ("details.actor.sub:auth0|sam type:sdel", ["sdel"]),
            ("expired.", ["w"]),
            ("type:none", []),
        ],
    )
    def test_search(self, tenant, query, types):
        """`q` finds what Lucene's syntax asks for."""
        assert types == self.types(tenant, q=query)

    def test_checkpoint(self, tenant):
        """`from` a log_id: what came after it, the oldest first."""
        oldest = call(tenant, "logs", sort="date:1").json()[0]
        after = {"from": oldest["log_id"], "take": "2"}
        assert ["sdel", "sdeleacft"] == self.types(tenant, **after)

    def test_fields(self, tenant):
        """Only Auth0's fields, and of these the ones that are asked for."""
        for log in call(tenant, "logs").json():
            assert {"_id", "log_id", "date", "type", "description"} <= set(log)
        first = call(tenant, "logs", fields="type,ip").json()[0]
        assert {"type": "fecte", "ip": "127.0.0.1"} == first


def test_evidence():
    """Every module with a rule of Auth0's says on what evidence it stands."""
    folder = Path(auth0_stt.testing.__file__).parent / "tenant"
    for name in ("management", "redeem", "mint", "logs", "names", "action"):
        text = (folder / f"{name}.py").read_text("utf-8")
        assert re.search(r"\[(doc|sdk|assumed)\]", text), name
