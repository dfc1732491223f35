"""Requests to a LocalTenant by means of plain requests, not of our own functions."""

from urllib.parse import urlencode

import requests

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"


def base(tenant, application="console"):
    domain = getattr(tenant, application)["domain"]
    return domain if "://" in domain else "https://" + domain


def token_request(tenant, form, headers=None, url=None, **kwargs):
    """POST a form to /oauth/token; what is None in it is left out."""
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


def mint(tenant, headers=None, url=None, cert=None, **changes):
    """Ask for a session transfer token for Ada; `changes` replace fields, None leaves one out."""
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
    return token_request(tenant, form, headers, url, cert=cert)


def redirect_url(tenant, organization=None, **kwargs):
    """Mint and return the URL that the agent's browser is sent to."""
    answer = mint(tenant, **kwargs)
    assert 200 == answer.status_code, answer.text
    query = {"session_transfer_token": answer.json()["access_token"]}
    if organization is not None:
        query["organization"] = organization
    return "https://shop.example.com/login?" + urlencode(query)
