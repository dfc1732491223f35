"""The log has the fields of Auth0's published schema, and no others."""

import json

import pytest
import requests
from calls import base, post_form, post_mint, redirect_url

from auth0_stt.testing import LocalTenant, RedemptionFailed

#: Of all the types below, [doc] main/docs/oas/tenant-logs/logs-schema.json in Auth0's
#: public docs repository. `_id` is the Management API's.
COMMON = {
    *("_id", "log_id", "date", "type", "description", "details", "tenant_name"),
    *("environment_name", "client_id", "client_name", "user_id", "user_name", "ip"),
    "user_agent",
}
CONNECTION = {"connection", "connection_id"}
LOGIN = {"hostname", "strategy", "strategy_type"}
EXCHANGE = {"audience", "scope", "auth0_client"}
ORGANIZATION = {"organization_id", "organization_name"}
FIELDS = {
    "secte": EXCHANGE | ORGANIZATION,
    "fecte": EXCHANGE | ORGANIZATION,
    "sdel": LOGIN | ORGANIZATION | {"auth0_client"},
    "sdeleacft": {"hostname", "audience", "auth0_client"} | ORGANIZATION,
    "fdeleacft": {"hostname", "audience", "auth0_client"} | ORGANIZATION,
    "sdelsa": {"hostname", "auth0_client"} | ORGANIZATION,
    "fdelsa": {"hostname", "auth0_client"} | ORGANIZATION,
    "seacft": {"hostname", "audience", "auth0_client"} | ORGANIZATION,
    "sertft": {"hostname", "audience", "auth0_client", "scope"},
    "fertft": {"hostname", "audience", "auth0_client", "scope"},
    "w": {"audience", "scope", "strategy", "strategy_type"},
    "s": LOGIN | ORGANIZATION,
    "f": LOGIN | ORGANIZATION | {"audience", "scope"},
    "fp": LOGIN,
    "slo": LOGIN,
    "actions_execution_failed": LOGIN | ORGANIZATION,
}
DETAILS = {
    "secte": {"subject_token_type", "actor", "access_token_jti"},
    "fecte": {"subject_token_type", "actor"},
    "sdel": {"actor", "session_id", "session", "triggered_by_session_transfer_token"},
    "sdeleacft": {"actor", "code", "access_token_jti"},
    "fdeleacft": {"actor", "code"},
    "sdelsa": {"actor"},
    "fdelsa": {"actor"},
    "w": {"method", "path", "opts", "session_id"},
    "actions_execution_failed": {
        *("trigger_id", "action_id", "action_name", "error_class", "action_error"),
    },
}


@pytest.fixture(scope="module")
def logs():
    """The log of a tenant where something of each kind happened, as the API has it."""
    with LocalTenant() as tenant:
        url = redirect_url(tenant, organization="acme")
        with tenant.browser() as browser:
            browser.redeem(url)
            browser.log_in(tenant.shop, prompt="none")
            with pytest.raises(RedemptionFailed):
                browser.log_in(tenant.shop, prompt="none", max_age="0")
            browser.log_out()
            with pytest.raises(RedemptionFailed):
                browser.redeem(url)
            browser.sign_in("auth0|ada")
            with pytest.raises(RedemptionFailed):
                browser.log_in(tenant.shop, audience="https://nowhere.example/")
        wrong = dict(tenant.shop, client_secret="wrong")
        token = post_mint(tenant).json()["access_token"]
        with tenant.browser() as browser, pytest.raises(RedemptionFailed):
            browser.log_in(wrong, session_transfer_token=token)
        form = {"grant_type": "refresh_token", **tenant.console}
        held = tenant.agent_tokens()["refresh_token"]
        for _ in range(2):
            post_form(tenant, {**form, "refresh_token": held})
        tenant.users["auth0|lin"]["blocked"] = True
        with tenant.browser() as browser, pytest.raises(RedemptionFailed):
            browser.sign_in("auth0|lin")
        tenant.action = lambda event, api: 1 / 0
        post_mint(tenant)
        headers = {"Authorization": "Bearer " + tenant.management_token}
        yield requests.get(
            base(tenant) + "/api/v2/logs", headers=headers, timeout=10
        ).json()


def test_every_kind(logs):
    """Something of each kind is in it."""
    assert set(FIELDS) == {log["type"] for log in logs}


@pytest.mark.parametrize("kind", FIELDS)
def test_fields(logs, kind):
    """No entry has a field that its type has not on Auth0."""
    entries = [log for log in logs if log["type"] == kind]
    assert entries
    for log in entries:
        known = COMMON | FIELDS[kind]
        known |= CONNECTION if kind not in ("sdelsa", "fdelsa") else set()
        assert set() == set(log) - known
        if kind in DETAILS:
            assert set() == set(log.get("details", {})) - DETAILS[kind]


def test_names_the_agent(logs):
    """Every entry of a delegated session has the agent's sub in its details."""
    for log in logs:
        if "del" in log["type"]:
            assert "auth0|sam" == log["details"]["actor"]["sub"]


def test_ids_sort_by_time(logs):
    """The newest entry has the greatest log_id."""
    ids = [log["log_id"] for log in logs]
    assert sorted(ids, reverse=True) == ids
    assert len(set(ids)) == len(ids)


def test_holds_no_token(logs):
    """No token and no secret is anywhere in it."""
    text = str(logs)
    for word in ("eyJ", "client_secret", "session_transfer_token="):
        assert word not in text


def test_as_json(tenant):
    """An entry is a mapping, too: what applies, ready for JSON."""
    post_mint(tenant, organization="acme")
    (log,) = tenant.logs
    assert ("secte", "acme") == (log["type"], log["organization_name"])
    assert "hostname" not in log
    assert dict(log) == json.loads(json.dumps(dict(log)))
    assert len(log) == len(dict(log))


def test_ids_stay_unique(tenant):
    """Also after the log was cleared."""
    post_mint(tenant)
    first = tenant.logs[0].log_id
    tenant.logs.clear()
    post_mint(tenant)
    assert first < tenant.logs[0].log_id
