"""What the README says of Auth0's SDKs, in the versions that it names."""

import importlib.metadata
import inspect
import json
import re
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.rst").read_text("utf-8")
PAGES = ["README.rst", "docs/migrating.rst", "docs/interoperability.rst"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def in_the_version_of_the_readme(name):
    """Skip the test if another version is installed: the README does not speak of it."""
    named = re.search(rf"\*\*{name}\*\* \((\S+)\)", README).group(1)
    installed = importlib.metadata.version(name)
    if not f"{installed}.".startswith(f"{named}."):
        pytest.skip(f"{name} {installed} is installed; the README speaks of {named}")


def test_auth0_server_python_is_for_asyncio_and_sends_no_address():
    """It makes the token, in a coroutine, and can't be told where the agent is."""
    in_the_version_of_the_readme("auth0-server-python")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from auth0_server_python.auth_server.server_client import ServerClient
    mint = ServerClient.request_session_transfer_token
    assert inspect.iscoroutinefunction(mint)
    assert {
        "self",
        "subject_token",
        "subject_token_type",
        "actor_token",
        "actor_token_type",
        "scope",
        "organization",
        "store_options",
    } == set(inspect.signature(mint).parameters)
    assert "forwarded" not in inspect.getsource(ServerClient.custom_token_exchange)


def test_auth0_python_does_not_make_the_token():
    """Its client of the token endpoint knows no actor."""
    in_the_version_of_the_readme("auth0-python")
    from auth0.authentication import get_token

    source = inspect.getsource(get_token)
    assert "actor_token" not in source
    assert "session_transfer" not in source


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "name", ["auth0-server-js", "express-openid-connect", "nextjs-auth0"]
)
def test_the_sdks_for_node_have_the_versions_that_are_tested(page, name):
    """Each page that names one names the version that the tests install."""
    peers = Path(__file__).parent / "peers" / "package.json"
    versions = json.loads(peers.read_text("utf-8"))["dependencies"]
    tested = versions.get(f"@auth0/{name}") or versions[name]
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(rf"{name}\*{{0,2}} \(?(\d[\d.]*\d)", text)
    assert named
    for version in named:
        assert f"{tested}.".startswith(f"{version}.")
