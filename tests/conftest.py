"""What holds for every test: a neutral environment, and a word on what could not be run."""

import contextlib
import importlib.util
import os
import re
from pathlib import Path

import processes
import pytest

pytest_plugins = ["progress"]

HERE = Path(__file__).parent

#: What `auth0_stt.testing` needs, the extra `testing`.
TENANT_LIBRARIES = ["flask", "authlib", "joserfc", "trustme"]
missing = [name for name in TENANT_LIBRARIES if importlib.util.find_spec(name) is None]

#: Settings of whoever runs the tests, which requests would obey.
FOREIGN_SETTINGS = [
    name
    for name in os.environ
    if re.fullmatch(
        r"(?i:(https?|all|no)_proxy)|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)|SSLKEYLOGFILE"
        r"|NETRC|AUTH0_(?!STT_)\w+",
        name,
    )
]

if os.environ.get("AUTH0_STT_INJECT_PYOPENSSL"):
    from urllib3.contrib import pyopenssl

    pyopenssl.inject_into_urllib3()

if importlib.util.find_spec("hypothesis"):
    import hypothesis

    # Several environments run at once on a busy machine: how long one example takes says nothing.
    examples = 20 if os.environ.get("AUTH0_STT_FEW_EXAMPLES") else 60
    hypothesis.settings.register_profile(
        "auth0-stt",
        deadline=None,
        max_examples=examples,
        # Most hosts that are made up are invalid, and say nothing about the valid ones.
        suppress_health_check=[hypothesis.HealthCheck.filter_too_much],
    )
    hypothesis.settings.load_profile("auth0-stt")

# They ask for Python 3.10: what imports one of them, or the local tenant, is left out before.
NEEDS_TENANT = r"^\s*(from|import) (auth0_stt\.testing|{})\b".format(
    "|".join(TENANT_LIBRARIES[:3])
)
collect_ignore = [
    path.relative_to(HERE).as_posix()
    for path in HERE.rglob("test_*.py")
    if missing
    and (
        path.parent.name == "testing"
        or re.search(NEEDS_TENANT, path.read_text("utf-8"), re.M)
    )
]


def pytest_report_header():
    import attr
    import requests
    import urllib3

    import auth0_stt

    yield (
        f"auth0_stt: {auth0_stt.__version__} from {Path(auth0_stt.__file__).parent}; "
        f"requests {requests.__version__}, urllib3 {urllib3.__version__}, attrs {attr.__version__}"
    )
    if missing:
        yield (
            f"NOT RUN: {', '.join(collect_ignore) or 'nothing'}: the local tenant needs "
            f"{', '.join(missing)}, not to be had here (pip install 'auth0-stt[testing]')"
        )


@pytest.fixture(scope="session", autouse=True)
def neutral_environment(tmp_path_factory):
    """No proxy, certificate bundle, .netrc or credential of whoever runs the tests plays a part."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOREIGN_SETTINGS:
            patch.delenv(name)
        patch.setenv("NETRC", str(tmp_path_factory.mktemp("home") / "no-netrc"))
        yield


@pytest.fixture
def child():
    """Start a process that ends with the test, however that ends.

    ``child(command, **options)`` takes what :class:`subprocess.Popen` takes.
    """
    with contextlib.ExitStack() as stack:
        yield lambda command, **options: stack.enter_context(
            processes.started(command, **options)
        )


@pytest.fixture
def tenant():
    """A local tenant, as it starts."""
    if missing:
        pytest.skip("the local tenant needs " + ", ".join(missing))
    from auth0_stt.testing import LocalTenant

    with LocalTenant() as tenant:
        yield tenant


@pytest.fixture(scope="session")
def endpoint_server():
    """One endpoint for all tests."""
    # Not above: it imports the package, which the lines above prepare for.
    from endpoint import Endpoint

    with Endpoint() as server:
        yield server


@pytest.fixture
def endpoint(endpoint_server):
    """The endpoint, with nothing left of the test before."""
    endpoint_server.reset()
    return endpoint_server


@pytest.fixture
def trusted(monkeypatch):
    """Trust the authority of the servers in faults.py."""
    # Not above: some environments have no trustme.
    from faults import ca_file

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file())


@pytest.fixture
def server():
    """A server that answers every request with a token for it."""
    from faults import FaultServer

    with FaultServer() as server:
        yield server
