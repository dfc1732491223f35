"""The tenant and the two applications of examples/, started as a reader starts them."""

import runpy
import shlex
from types import SimpleNamespace

import pytest
from running import EXAMPLES, Agent, free_ports, started

# Names the module for conftest.py: before Python 3.10 there is no local tenant.
from auth0_stt.testing import LocalTenant  # noqa: F401

pytest.importorskip("django", reason="the console needs Django")


@pytest.fixture(scope="module")
def port():
    return free_ports(3)


@pytest.fixture(scope="module")
def variables(port):
    """The running tenant's, as a shell takes them."""
    command = ("-m", "auth0_stt", "tenant", "--port", port)
    with started(*command, ready="listens") as lines:
        words = [shlex.split(line) for line in lines]
        yield dict(line[1].split("=", 1) for line in words if line[0] == "export")


@pytest.fixture(scope="module")
def apps(port, variables, tmp_path_factory):
    console, shop = port + 1, port + 2
    variables = {
        **variables,
        "CONSOLE_DATABASE": str(tmp_path_factory.mktemp("console") / "console.sqlite3"),
        "CONSOLE_PORT": str(console),
        "SHOP_PORT": str(shop),
    }
    with started(EXAMPLES / "console", ready="Quit", **variables), started(
        EXAMPLES / "shop", ready="Debug mode", **variables
    ):
        yield SimpleNamespace(
            console=SimpleNamespace(origin=f"http://localhost:{console}"),
            shop=SimpleNamespace(origin=f"http://127.0.0.1:{shop}"),
        )


def test_an_agent_enters_one_account_after_the_other(apps):
    """The tenant's variables are all that the two applications need to be told."""
    agent = Agent(apps)
    with agent.web:
        agent.sign_in()
        page = agent.enter(0, page="/orders/4711")
        assert apps.shop.origin + "/orders/4711" == page.url
        assert "is signed in as Ada Ferro" in page.text
        assert apps.shop.origin + "/" == agent.leave().url
        assert "is signed in as Lin Okafor" in agent.enter(1).text


@pytest.mark.parametrize("name", ["console", "shop"])
def test_the_defaults_are_those_of_port_8400(name, port, variables):
    """Without any variables, the applications find that tenant, and each other."""
    defaults = runpy.run_path(str(EXAMPLES / name / "__main__.py"))["LOCAL"]
    assert str(8401 if name == "console" else 8402) == defaults[name.upper() + "_PORT"]
    shared = set(defaults) & set(variables)
    assert len(shared) >= 3
    for each in shared:
        for offset in range(3):
            told = variables[each].replace(str(port + offset), str(8400 + offset))
            variables[each] = told
        assert variables[each] == defaults[each]
