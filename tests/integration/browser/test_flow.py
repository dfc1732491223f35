"""The two applications of examples/ in a browser: from the click to the banner."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

#: Where Chromium notes which pages were opened: the history, the open tabs, and what it counts of them.
HISTORIES = (
    "Default/History",
    "Default/Favicons",
    "Default/Sessions/",
    "segmentation_platform/ukm_db",
)

PARAMETER = "session_transfer_token="


class Agent:
    def __init__(self, browser, apps):
        self.browser, self.apps = browser, apps

    def find(self, selector):
        located = expected_conditions.presence_of_element_located(
            (By.CSS_SELECTOR, selector)
        )
        return WebDriverWait(self.browser, 10, poll_frequency=0.05).until(located)

    def log_in(self, email):
        self.find("[name=username]").send_keys(email)
        self.find("[name=password]").send_keys("password")
        self.click("button")

    def click(self, selector):
        """Click on what leads to another page, and wait for that."""
        old = self.find("html")
        self.find(selector).click()
        # Not staleness_of: it asks the old page, which can fail while the new one loads.
        WebDriverWait(self.browser, 10, poll_frequency=0.05).until(
            lambda browser: browser.find_element(By.CSS_SELECTOR, "html") != old
        )
        self.find("h1")

    def sign_in(self):
        self.browser.get(self.apps.console.origin + "/")
        self.log_in("sam@acme.example")
        assert "Sam Rivers" == self.find("#agent").text

    def enter(self, customer="ada", page=""):
        self.browser.get(self.apps.console.origin + "/")
        form = f"form[action*={customer}]"
        self.find(form + " [name=reason]").send_keys("TICKET-4711")
        self.find(form + " [name=page]").send_keys(page)
        self.click(form + " button")

    @property
    def banner(self):
        return "".join(
            found.text
            for found in self.browser.find_elements(By.CSS_SELECTOR, ".banner")
        )

    @property
    def text(self):
        return self.find("main").text

    def redirect_urls(self):
        """The URLs with a token that the browser opened, oldest first."""
        return [
            self.apps.shop.origin + target
            for target, _ in self.apps.shop.network.seen
            if PARAMETER in target
        ]


@pytest.fixture
def agent(browser, apps):
    agent = Agent(browser, apps)
    agent.sign_in()
    return agent


def test_from_the_click_to_the_banner(agent, apps):
    """The agent is in the account, sees who they are there, and no address shows the token any more."""
    agent.enter()
    assert agent.banner.startswith("auth0|sam is signed in as Ada Ferro.")
    assert apps.shop.origin + "/" == agent.browser.current_url
    assert [] == agent.browser.find_elements(By.CSS_SELECTOR, "[action*=delete]")


def test_the_page_that_the_ticket_is_about(agent, apps):
    """The browser ends on it, and is not sent back to the login."""
    agent.enter(page="/orders/4711")
    assert apps.shop.origin + "/orders/4711" == agent.browser.current_url
    assert "its price is wrong" in agent.text


def test_a_blank_reason(agent, apps):
    """The browser asks for one; if it doesn't, the form comes back with the error."""
    agent.browser.get(apps.console.origin + "/")
    agent.browser.execute_script(
        "for (const form of document.forms) form.noValidate = true"
    )
    agent.find("form[action*=lin] [name=reason]").send_keys(" ")
    agent.click("form[action*=lin] button")
    alert = agent.find("section:has(form[action*=lin]) [role=alert]")
    assert "Reason: This field is required." == alert.text
    assert [] == [log for log in apps.tenant.logs if log.type == "secte"]


def test_the_next_account(agent):
    """After the banner's way out, and not before."""
    agent.enter("ada")
    agent.enter("lin")
    assert "You are already logged in." in agent.text
    agent.browser.get(agent.apps.shop.origin + "/")
    agent.click(".banner button")
    agent.enter("lin")
    assert "Lin Okafor" in agent.banner


def test_the_second_use_of_a_url(agent):
    """From the history, say: the shop says that the login failed."""
    agent.enter()
    agent.click(".banner button")
    agent.browser.get(agent.redirect_urls()[0])
    assert "" == agent.banner
    assert "used before" in agent.text


def test_back_forward_and_reload(agent):
    """None of them mints again, repeats the POST, or opens the URL with the token again."""
    agent.enter()
    agent.browser.refresh()
    assert "Ada Ferro" in agent.banner
    agent.browser.back()
    assert "Sam Rivers" == agent.find("#agent").text
    agent.browser.refresh()
    agent.browser.forward()
    assert "Ada Ferro" in agent.banner
    assert 1 == len(agent.redirect_urls())
    assert 1 == [log.type for log in agent.apps.tenant.logs].count("secte")


def test_the_wrong_address(agent, apps):
    """The console saw the agent elsewhere than the tenant does."""
    apps.console.network.client = "198.51.100.7"
    agent.enter()
    assert "" == agent.banner
    assert "bound to the IP address 198.51.100.7" in agent.text


def test_an_open_session(agent, apps):
    """Somebody is logged in to the shop in this browser: log out, then it works."""
    agent.browser.get(apps.shop.origin + "/login")
    agent.log_in("lin@example.com")
    assert "" == agent.banner
    agent.enter("ada")
    assert "Log out before you enter another account" in agent.text
    agent.click("a.button")
    agent.enter("ada")
    assert "Ada Ferro" in agent.banner


def test_no_referer_tells_the_token(agent, apps):
    """Neither on the way in nor from a page whose address still has it: a login page in place of the shop."""
    agent.enter()
    agent.click(".banner button")
    apps.tenant.settings["shop"]["session_transfer"]["delegation"][
        "allow_delegated_access"
    ] = False
    agent.enter()
    assert PARAMETER in agent.browser.current_url
    agent.log_in("ada@example.com")
    assert "Ada Ferro" in agent.text
    seen = apps.console.network.seen + apps.shop.network.seen + apps.tenant_network.seen
    assert 2 == len(agent.redirect_urls())
    assert [] == [
        referer for _, referer in seen if referer is not None and PARAMETER in referer
    ]


def test_no_cache_keeps_the_token(apps, browser_at, tmp_path):
    """Of all that the browser leaves on the disk, its histories alone hold it.

    They do: that its token is good for one use, for a minute and from one address makes up for it.
    """
    profile = tmp_path / "profile"
    with browser_at(profile) as browser:
        agent = Agent(browser, apps)
        agent.sign_in()
        agent.enter()
        browser.get(apps.shop.origin + "/")
    (url,) = agent.redirect_urls()
    token = url.partition(PARAMETER)[2].encode()
    files = [path for path in profile.rglob("*") if path.is_file()]
    assert any("Cache_Data" in path.parts for path in files)
    holding = {
        path.relative_to(profile).as_posix()
        for path in files
        if token in path.read_bytes()
    }
    assert set() == {path for path in holding if not path.startswith(HISTORIES)}
