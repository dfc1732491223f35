"""Everything together: the console's Python, the Action under node, the local tenant."""

import json

import pytest
from calls import mint_for

from auth0_stt import CustomTokenExchangeError, build_session_transfer_redirect
from auth0_stt.testing import LocalTenant

#: What the Action insists on.
WHY = {"reason": "ticket 7"}


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


def test_an_agent_enters(tenant, signing):
    """What Python signed and JavaScript verified opens the account, with the reason."""
    token = mint_for(tenant, subject_token=signing.sign_subject("auth0|ada"), **WHY)
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
        mint_for(
            tenant, subject_token=signing.sign_subject(customer), **{**WHY, **more}
        )
    assert (code, word) == (str(caught.value.code), caught.value.error)


def test_a_forged_token(tenant, signing, new_key, monkeypatch):
    """A token that another key signed opens nothing, and the hint says where to look."""
    monkeypatch.setenv("SUBJECT_KEY_FILE", str(new_key("other.pem")))
    with pytest.raises(CustomTokenExchangeError) as caught:
        mint_for(tenant, subject_token=signing.sign_subject("auth0|ada"), **WHY)
    assert "ERR_JWKS_NO_MATCHING_KEY" in caught.value.error_description
    assert "signed" in caught.value.hint
