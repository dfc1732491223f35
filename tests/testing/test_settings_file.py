"""The settings file of the tenant in a process of its own."""

import json

import pytest
import requests
from calls import base

from auth0_stt.testing.settings_file import SettingsError
from auth0_stt.testing.standalone import standalone_tenant

ACME = "urn:acme:customer"


@pytest.fixture
def state():
    """What the settings make of a tenant that does not run."""
    return lambda changes: standalone_tenant(8400, False, changes).state


class TestTables:
    @pytest.mark.parametrize("name", ["tep_acme", "Enter a customer's account", ACME])
    @pytest.mark.parametrize("as_list", [False, True])
    def test_profile(self, state, name, as_list):
        """A profile is known by its id, name or subject token type; none is added."""
        changes = {name: {"action_id": "act_2"}}
        if as_list:
            field = "id" if name == "tep_acme" else "name"
            field = "subject_token_type" if name == ACME else field
            changes = [{field: name, "action_id": "act_2"}]
        found = state({"token_exchange_profiles": changes}).token_exchange_profiles
        assert [ACME] == list(found)
        assert ("tep_acme", "act_2") == (found[ACME]["id"], found[ACME]["action_id"])

    def test_profile_of_another_type(self, state):
        """The type that picks it may change, and the variables say so."""
        changes = {"tep_acme": {"subject_token_type": "urn:x"}}
        tenant = standalone_tenant(8400, False, {"token_exchange_profiles": changes})
        assert ["urn:x"] == list(tenant.token_exchange_profiles)
        assert "urn:x" == tenant.subject_token_type

    def test_new_profile(self, state):
        """One that is new is whole."""
        changes = {"urn:x": {"action_id": "act_enter_customer"}}
        found = state({"token_exchange_profiles": changes}).token_exchange_profiles
        assert set(found[ACME]) == set(found["urn:x"])
        assert "urn:x" == found["urn:x"]["subject_token_type"]

    @pytest.mark.parametrize(
        "name", ["act_enter_customer", "Enter a customer's account"]
    )
    def test_action(self, state, name):
        """An Action is known by id or name."""
        found = state({"actions": {name: {"runtime": "node24"}}}).actions
        assert ["act_enter_customer"] == list(found)
        assert "node24" == found["act_enter_customer"]["runtime"]

    def test_new_entries(self, state):
        """A new user, organization, connection or API has all that the others have."""
        names = {
            "users": "auth0|kim",
            "organizations": "org_kim",
            "connections": "kim",
            "resource_servers": "https://kim.example/",
            "actions": "act_kim",
        }
        found = state({table: {name: {}} for table, name in names.items()})
        for table, name in names.items():
            entries = getattr(found, table)
            assert set(next(iter(entries.values()))) == set(entries[name])

    def test_new_application(self, state):
        """It has what an application needs."""
        other = {"client_id": "forum", "callbacks": ["http://127.0.0.1:3000/callback"]}
        settings = state({"forum": other}).settings
        assert other["callbacks"] == settings["forum"]["callbacks"]
        assert set(settings["forum"]) <= set(settings["shop"])


class TestConnections:
    @pytest.mark.parametrize("name", ["con_acme", "Username-Password-Authentication"])
    @pytest.mark.parametrize(
        ("client_id", "hint"),
        [
            ("consol", "did you mean 'console'?"),
            ("tenant", "there are console, shop"),
            ("forum", "there are console, shop"),
        ],
    )
    def test_unknown_application(self, state, name, client_id, hint):
        """A connection is enabled only for applications that the tenant has."""
        changes = {"connections": {name: {"enabled_clients": [client_id, "shop"]}}}
        with pytest.raises(SettingsError) as info:
            state(changes)
        assert (
            "connections.Username-Password-Authentication.enabled_clients: "
            f"the tenant has no application {client_id!r}, {hint}"
        ) == str(info.value)

    @pytest.mark.parametrize("order", [1, -1])
    def test_new_application(self, state, order):
        """An application of the file counts, wherever in the file it is."""
        changes = {
            "connections": {"con_acme": {"enabled_clients": ["forum"]}},
            "forum": {"client_id": "forum"},
        }
        found = state(dict(list(changes.items())[::order])).connections
        (connection,) = found.values()
        assert ["forum"] == connection["enabled_clients"]


class TestManagementApi:
    PATHS = (
        *("clients", "clients/console", "clients/shop", "clients/shop/connections"),
        *("token-exchange-profiles", "actions/actions", "custom-domains"),
        *("tenants/settings", "guardian/policies", "connections", "resource-servers"),
        *("attack-protection/suspicious-ip-throttling", "organizations/org_acme"),
        *("organizations/org_acme/enabled_connections", "organizations/name/acme"),
    )

    @pytest.mark.parametrize("value", [None, "text", 1, True, [], [1], {}, {"a": 1}])
    def test_no_500(self, value):
        """Whatever the file says is refused, or leaves the API in order."""
        tenant = standalone_tenant(0, False, {})
        entries = {"console": tenant.settings["console"]}
        entries.update(shop=tenant.settings["shop"], tenant=tenant.settings["tenant"])
        tables = {
            name: next(iter(getattr(tenant.state, name).items()))
            for name in (
                *("users", "organizations", "connections", "resource_servers"),
                *("token_exchange_profiles", "actions"),
            )
        }
        changes = [
            {name: {field: value}} for name in entries for field in entries[name]
        ]
        for table, (key, entry) in tables.items():
            changes += [{table: {key: {field: value}}} for field in entry]
            changes.append({table: {key: value}})
            changes.append({table: value})
        whole = {}
        for change in changes:
            try:
                standalone_tenant(0, False, change)
            except SettingsError:
                continue
            ((name, inner),) = change.items()
            if name in entries:
                whole.setdefault(name, {}).update(inner)
            elif isinstance(inner, dict):
                for key, fields in inner.items():
                    whole.setdefault(name, {}).setdefault(key, {}).update(fields)
        with standalone_tenant(0, False, json.loads(json.dumps(whole))) as running:
            token = {"Authorization": "Bearer " + running.management_token}
            for path in self.PATHS:
                url = f"{base(running)}/api/v2/{path}"
                status = requests.get(url, headers=token, timeout=5).status_code
                assert status in (200, 404), path
