"""Everything together: the console's Python, the Action under node, the local tenant."""

import json

import pytest

from auth0_stt import (
    ID_TOKEN_TYPE,
    CustomTokenExchangeError,
    build_session_transfer_redirect,
    request_session_transfer_token,
)
from auth0_stt.testing import LocalTenant


@pytest.fixture
def tenant(play, signing):
    """A tenant whose Action is the documentation's, with the console's public key."""
    key = signing.public_jwk(signing._private_key())

    def action(event, api):
        (outcome,) = play(event)
        if outcome["thrown"]:
            raise RuntimeError(outcome["thrown"])
        for name, *arguments in outcome["calls"]:
            refuses = name in ("deny", "rejectInvalidSubjectToken")
            part = api.access if refuses else api.authentication
            getattr(part, name)(*arguments)

    with LocalTenant() as tenant:
        tenant.action = action
        tenant.action_secrets["SUBJECT_JWKS"] = json.dumps({"keys": [key]})
        support = {"support": {"customers": ["auth0|ada"]}}
        tenant.users["auth0|sam"]["app_metadata"] = support
        yield tenant


def mint(tenant, subject_token, **more):
    return request_session_transfer_token(
        **tenant.console,
        subject_token=subject_token,
        subject_token_type=tenant.subject_token_type,
        actor_token=tenant.agent_tokens()["id_token"],
        actor_token_type=ID_TOKEN_TYPE,
        **{"reason": "ticket 7", **more},
    )


def test_an_agent_enters(tenant, signing):
    """What Python signed and JavaScript verified opens the account, with the reason."""
    token = mint(tenant, signing.sign_subject("auth0|ada"))
    url = build_session_transfer_redirect("https://shop.example.com/login", token)
    claims = tenant.redeem(url)
    assert ("auth0|ada", {"sub": "auth0|sam", "reason": "ticket 7"}) == (
        claims["sub"],
        claims["act"],
    )


@pytest.mark.parametrize(
    ("customer", "more", "code", "word"),
    [
        ("auth0|lin", {}, "token_exchange_failed", "unauthorized_actor"),
        ("auth0|ada", {"reason": None}, "invalid_request", "invalid_request"),
        ("github|ada", {}, "invalid_request", "invalid_request"),
    ],
)
def test_refusals_reach_the_console(tenant, signing, customer, more, code, word):
    """The library raises what the Action decided, and the Action's word is kept."""
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint(tenant, signing.sign_subject(customer), **more)
    assert (code, word) == (str(caught.value.code), caught.value.error)


def test_a_forged_token(tenant, signing, new_key, monkeypatch):
    """A token that another key signed opens nothing, and the hint says where to look."""
    monkeypatch.setenv("SUBJECT_KEY_FILE", str(new_key("other.pem")))
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint(tenant, signing.sign_subject("auth0|ada"))
    assert "ERR_JWKS_NO_MATCHING_KEY" in caught.value.error_description
    assert "signed" in caught.value.hint
