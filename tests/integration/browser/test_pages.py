"""The playground in a browser: by keyboard, on a phone, and for everyone (axe-core's rules)."""

import importlib.util
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from auth0_stt.testing.playground import Playground

DESKTOP, PHONE = 1180, 360
AXE = (
    Path(importlib.util.find_spec("selenium_axe_python").origin).parent
    / "axe-core"
    / "axe.min.js"
)


@pytest.fixture
def playground():
    with Playground() as playground:
        yield playground


def wait_for(browser, condition):
    WebDriverWait(browser, 10, poll_frequency=0.05).until(lambda _: condition())


def show(browser, width, scheme):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def visitor(browser, playground):
    """Whom the playground takes the browser for."""
    cookies = browser.execute_cdp_cmd("Network.getAllCookies", {})["cookies"]
    (visitor_id,) = {c["value"] for c in cookies if c["name"] == playground.cookie}
    return playground.visitor(visitor_id)


def enter(browser, playground, *switches):
    browser.get(playground.addresses.shop + "logout")
    browser.get(playground.url + "?customer=auth0|ada")
    for key in switches:
        switch = browser.find_element(By.CSS_SELECTOR, f"[value={key}]")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", switch)
        switch.click()
    trail = visitor(browser, playground).trail
    trail.clear()
    browser.find_element(By.CSS_SELECTOR, "button").click()
    wait_for(
        browser,
        lambda: trail.outcome is not None and not browser.title.startswith("Console"),
    )


def flaws(browser):
    """What axe-core finds wrong with the page, and what reaches over its side."""
    if browser.execute_script("return typeof axe === 'undefined'"):
        browser.execute_script(AXE.read_text("utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations), e => done([{id: String(e)}]))"
    )
    too_wide = browser.execute_script(
        "return document.documentElement.scrollWidth - window.innerWidth"
    )
    rules = [
        (rule["id"], [node["html"] for node in rule.get("nodes", [])]) for rule in found
    ]
    return rules + ([("too wide", too_wide)] if too_wide > 0 else [])


def check(browser, where):
    for width in (DESKTOP, PHONE):
        for scheme in ("light", "dark"):
            show(browser, width, scheme)
            assert [] == flaws(browser), (where, width, scheme)


def test_by_keyboard_alone(browser, playground):
    """From the address to the banner with the tabulator, space and enter; nothing hides what has the focus."""
    show(browser, PHONE, "light")
    browser.get(playground.url)
    visited = []
    while browser.switch_to.active_element.text != "Enter the account":
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        visited.append(focused.get_attribute("value"))
        assert browser.execute_script(
            "const focused = document.activeElement, box = focused.getBoundingClientRect();"
            "return focused.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2))"
        ), visited
        if visited[-1] == "shop-accepts-query":
            focused.send_keys(Keys.SPACE)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(browser, lambda: "Log in" in browser.title)
    assert "login" == visitor(browser, playground).trail.outcome.kind
    assert "auth0|ada" in visited


def test_the_check_finds_flaws(browser):
    """A page with a few: else it would prove nothing that it finds none on ours."""
    browser.get(
        "data:text/html,<p style='color:silver;width:3000px'>pale</p><input><img src='data:,'>"
    )
    names = {name for name, _ in flaws(browser)}
    assert {
        "color-contrast",
        "html-has-lang",
        "image-alt",
        "label",
        "too wide",
    } <= names


def test_for_everyone(browser, playground):
    """Each page, on a desk and on a phone, light and dark."""
    browser.get(playground.url + "trail")
    check(browser, "an empty trail")
    browser.get(playground.url)
    check(browser, "the console")
    enter(browser, playground)
    check(browser, "the shop, entered")
    browser.get(playground.url)
    check(browser, "the console, with an open session")
    browser.get(playground.url + "trail")
    check(browser, "the trail of a good flow")
    for summary in browser.find_elements(By.TAG_NAME, "summary"):
        summary.click()
    check(browser, "the trail with all code open")
    browser.get(playground.addresses.shop + "logout")
    check(browser, "the shop, logged out")
    for key in (
        "action-sets-actor",
        "shop-accepts-query",
        "token-fresh",
        "two-domains",
    ):
        enter(browser, playground, key)
        check(browser, key)
    browser.get(playground.url + "trail")
    check(browser, "the trail of a bad flow")


def test_tells_on_from_off_without_colours(browser, playground):
    """In forced-colours mode, too, a switch that is on looks different."""
    browser.get(playground.url)
    switch = browser.find_element(By.CSS_SELECTOR, "[value=mfa]")
    features = [{"name": "forced-colors", "value": "active"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    off = switch.screenshot_as_png
    switch.click()
    browser.execute_script("arguments[0].blur()", switch)
    assert "auto" == switch.value_of_css_property("appearance")
    assert off != switch.screenshot_as_png


def test_copies_a_request(browser, playground):
    """A click puts the code of a request on the clipboard, whole."""
    enter(browser, playground)
    browser.get(playground.url + "trail")
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    mint = browser.find_element(By.ID, "hop-2")
    mint.find_element(By.XPATH, ".//summary[text()='As Python']").click()
    button = mint.find_element(By.CSS_SELECTOR, "details[open] button")
    button.click()
    wait_for(browser, lambda: button.text == "Copied")
    copied = browser.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0])"
    )
    trail = visitor(browser, playground).trail
    assert trail.messages[1].call.as_python == copied


def test_the_example_applications_for_everyone(browser, apps):
    """What the README shows is as good."""
    browser.get(apps.console.origin + "/")
    check(browser, "the tenant's login page")
    browser.find_element(By.NAME, "username").send_keys("sam@acme.example")
    browser.find_element(By.NAME, "password").send_keys("password" + Keys.ENTER)
    wait_for(browser, lambda: browser.title == "Support console")
    check(browser, "the console")
    browser.find_element(By.NAME, "reason").send_keys("TICKET-4711" + Keys.ENTER)
    wait_for(browser, lambda: browser.title == "Shop")
    check(browser, "the shop")
    browser.get(apps.tenant.shop["domain"] + "/v2/logout")
    check(browser, "the tenant's page after logging out")
