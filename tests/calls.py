"""Calls that the tests make: with the library, and with plain requests."""

from urllib.parse import urlencode

import pytest
import requests
from values import (
    CALL,
    CLIENT_SECRET,
    ID_TOKEN_TYPE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)

from auth0_stt import (
    InvalidArgumentError,
    request_session_transfer_token,
    resolve_actor_token,
)

# --- with the library -------------------------------------------------------------------


def mint(domain, **changes):
    """Mint with good arguments, some of them changed. A server can be its domain."""
    return request_session_transfer_token(
        getattr(domain, "domain", domain), **{**CALL, **changes}
    )


def resolve(domain, **changes):
    """Resolve with a refresh token and no ID token, or with what is changed."""
    arguments = {
        "client_id": "console",
        "client_secret": CLIENT_SECRET,
        "id_token": None,
        "refresh_token": REFRESH_TOKEN,
    }
    return resolve_actor_token(
        getattr(domain, "domain", domain), **{**arguments, **changes}
    )


def mint_for(tenant, **changes):
    """Mint at a LocalTenant, for Ada."""
    arguments = {
        **tenant.console,
        "subject_token": tenant.subject_token("auth0|ada"),
        "subject_token_type": tenant.subject_token_type,
        "actor_token": tenant.agent_tokens()["id_token"],
        "actor_token_type": ID_TOKEN_TYPE,
        **changes,
    }
    return request_session_transfer_token(arguments.pop("domain"), **arguments)


def refused(endpoint, argument, call=mint, **changes):
    """Check that a call is refused for an argument, before anything is sent."""
    with pytest.raises(InvalidArgumentError) as caught:
        call(changes.pop("domain", endpoint), **changes)
    assert ("invalid_argument", argument) == (caught.value.code, caught.value.argument)
    assert [] == endpoint.requests
    return caught.value


# --- with plain requests, of a LocalTenant ----------------------------------------------


def base(tenant, application="console"):
    """Return the URL of an application's domain."""
    domain = getattr(tenant, application)["domain"]
    return domain if "://" in domain else "https://" + domain


def post_form(tenant, form, headers=None, url=None, **kwargs):
    """POST a form to /oauth/token. What is None in it is left out."""
    with requests.Session() as session:
        session.trust_env = False
        return session.post(
            url or base(tenant) + "/oauth/token",
            data={name: value for name, value in form.items() if value is not None},
            headers=headers,
            verify=tenant.ca_file or True,
            timeout=10,
            **kwargs,
        )


def post_mint(tenant, headers=None, url=None, cert=None, **changes):
    """Ask for a session transfer token for Ada, with some fields changed or None."""
    form = {
        "grant_type": TOKEN_EXCHANGE,
        "audience": f"urn:localhost:{tenant.port}:session_transfer",
        "client_id": tenant.console["client_id"],
        "client_secret": tenant.console["client_secret"],
        "subject_token_type": tenant.subject_token_type,
        "actor_token_type": ID_TOKEN_TYPE,
    }
    if "subject_token" not in changes:
        form["subject_token"] = tenant.subject_token("auth0|ada")
    if "actor_token" not in changes:
        form["actor_token"] = tenant.agent_tokens()["id_token"]
    form.update(changes)
    return post_form(tenant, form, headers, url, cert=cert)


def redirect_url(tenant, organization=None, **kwargs):
    """Mint and return the URL that the agent's browser is sent to."""
    answer = post_mint(tenant, **kwargs)
    assert 200 == answer.status_code, answer.text
    query = {"session_transfer_token": answer.json()["access_token"]}
    if organization is not None:
        query["organization"] = organization
    return "https://shop.example.com/login?" + urlencode(query)
