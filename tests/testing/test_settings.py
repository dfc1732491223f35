"""Settings have Auth0's names, and no others."""

import copy
import json

import pytest

from auth0_stt.testing import LocalTenant


@pytest.fixture
def tenant():
    return LocalTenant()


class TestNames:
    @pytest.mark.parametrize(
        ("path", "suggested"),
        [
            ("shop.session_transfr", "session_transfer"),
            ("shop.session_transfer.delegation.allow_delegate_access", "allow_"),
            ("shop.allow_delegated_access", "session_transfer.delegation.allow_"),
            ("console.is_token_endpoint_ip_header_trustd", "is_token_endpoint_ip"),
            ("console.token_exchange.allow_any_profile_of_types", "_of_type"),
            ("tenant.guardian_policys", "guardian_policies"),
        ],
    )
    def test_typing_error(self, tenant, path, suggested):
        """A name that Auth0 does not have can't be set or read; the right one is named."""
        *outer, name = path.split(".")
        settings = tenant.settings
        for each in outer:
            settings = settings[each]
        for attempt in (
            lambda: settings.__setitem__(name, True),
            lambda: settings[name],
            lambda: settings.update({name: True}),
            lambda: settings.setdefault(name, True),
            lambda: settings.__delitem__(name),
        ):
            with pytest.raises(KeyError) as info:
                attempt()
            assert f"did you mean '{suggested}" in str(info.value) or (
                suggested in str(info.value)
            )
        assert name not in settings

    def test_within_a_dict(self, tenant):
        """A whole dict is looked through before it is taken."""
        with pytest.raises(KeyError, match="delegation"):
            tenant.settings["shop"]["session_transfer"] = {"delegatoin": {}}
        assert tenant.settings["shop"]["session_transfer"]["delegation"]

    def test_names_of_the_companys_own(self, tenant):
        """Metadata has any name."""
        tenant.settings["shop"]["client_metadata"] = {"anything": "goes"}
        assert "goes" == tenant.settings["shop"]["client_metadata"]["anything"]

    @pytest.mark.parametrize(
        ("table", "key"),
        [
            ("users", "auth0|ada"),
            ("organizations", "org_acme"),
            ("connections", "Username-Password-Authentication"),
            ("token_exchange_profiles", "urn:acme:customer"),
            ("resource_servers", "https://api.acme.example/"),
            ("actions", "act_enter_customer"),
        ],
    )
    def test_of_everything_else(self, tenant, table, key):
        """The same holds for what is no application."""
        with pytest.raises(KeyError):
            getattr(tenant, table)[key]["no_such_name"] = 1
        assert key in getattr(tenant, table)

    def test_another_application(self, tenant):
        """An application of one's own has the same names."""
        tenant.settings["app"] = {"client_id": "app", "callbacks": []}
        with pytest.raises(KeyError):
            tenant.settings["app"]["callback"] = []
        assert [] == tenant.settings["app"]["callbacks"]

    def test_known_but_not_set(self, tenant):
        """A name that Auth0 has may be missing: get() gives None, an index says so."""
        assert tenant.settings["shop"].get("client_metadata") is None
        with pytest.raises(KeyError, match="is not set"):
            tenant.settings["shop"]["client_metadata"]


class TestAsADict:
    def test_copies(self, tenant):
        """They copy, compare and go into JSON as dicts do; a copy knows the names, too."""
        shop = tenant.settings["shop"]
        for other in (copy.deepcopy(shop), copy.copy(shop), shop.copy()):
            assert shop == other
            with pytest.raises(KeyError):
                other["session_transfer"]["x"] = 1
        assert shop == json.loads(json.dumps(shop))
        copied = copy.deepcopy(tenant.settings)
        copied["shop"]["session_transfer"]["delegation"]["allow_delegated_access"] = 0
        assert shop["session_transfer"]["delegation"]["allow_delegated_access"] is True

    def test_in_place(self, tenant):
        """The operator that updates looks at the names as well."""
        shop = tenant.settings["shop"]
        shop |= {"name": "Other"}
        assert "Other" == shop["name"]
        with pytest.raises(KeyError):
            shop |= {"nam": "Other"}
