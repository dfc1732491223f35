"""Chromium, headless, and the two applications."""

import contextlib
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from running import Network, running

from auth0_stt.testing import LocalTenant

TIMEOUT = 10

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
)


def missing():
    """Return why there is no browser here, None where there is one."""
    for name in ("chromium", "chromedriver"):
        if shutil.which(name) is None:
            return f"{name} is not installed"
    return None


@pytest.fixture(scope="session", autouse=True)
def browser_or_skip():
    reason = missing()
    if reason is not None and os.environ.get("AUTH0_STT_REQUIRE_BROWSER"):
        pytest.fail(f"AUTH0_STT_REQUIRE_BROWSER is set, and {reason}", pytrace=False)
    if reason is not None:
        pytest.skip(f"no browser: {reason}")


@contextlib.contextmanager
def chromium(profile):
    """Start a browser with a folder in which it keeps everything that it keeps."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in (
        *ARGUMENTS,
        f"--user-data-dir={profile}",
        "--window-size=1180,900",
    ):
        options.add_argument(argument)
    # Without a path, selenium would look for a driver on the network.
    driver = webdriver.Chrome(
        options=options, service=Service(shutil.which("chromedriver"))
    )
    driver.set_page_load_timeout(TIMEOUT)
    try:
        yield driver
    finally:
        if driver.service.is_connectable():
            driver.quit()


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture
def browser_at():
    """Starts a browser whose folder is given."""
    return chromium


@pytest.fixture
def browser(started):
    """A browser without a cookie."""
    started.execute_cdp_cmd("Network.clearBrowserCookies", {})
    started.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    started.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return started


@pytest.fixture(scope="session")
def applications(tmp_path_factory):
    """Django's settings hold for a process: one console, one shop, one tenant."""
    with LocalTenant() as tenant:
        network = Network()
        network.app, tenant._app.wsgi_app = tenant._app.wsgi_app, network
        with running(tenant, Path(tmp_path_factory.mktemp("console"))) as both:
            yield SimpleNamespace(
                tenant=tenant,
                console=both.console,
                shop=both.shop,
                tenant_network=network,
            )


@pytest.fixture
def apps(applications):
    applications.tenant.logs.clear()
    applications.tenant.records.sessions.clear()
    for network in (
        applications.console.network,
        applications.shop.network,
        applications.tenant_network,
    ):
        network.seen.clear()
    delegation = applications.tenant.settings["shop"]["session_transfer"]["delegation"]
    yield applications
    applications.console.network.client = None
    delegation["allow_delegated_access"] = True
