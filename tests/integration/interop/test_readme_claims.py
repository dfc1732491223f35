"""What the README says of Auth0's Python SDKs, in the versions that it names."""

import importlib.metadata
import inspect
import re
import warnings
from pathlib import Path

import pytest

README = (Path(__file__).parents[3] / "README.rst").read_text("utf-8")

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
