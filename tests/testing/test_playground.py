"""The playground over HTTP: each switch makes its failure, and the trail says why and hides the tokens."""

import html
import re
import signal
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import requests

from auth0_stt.testing.playground import Playground, serve
from auth0_stt.testing.playground.switches import SWITCHES

#: What the agent's browser ends with, and a word of the reason that the trail gives.
ENDS = {
    "no-address": ("login", "203.0.113.10"),
    "stale-id-token": ("console", "'exp' claim"),
    "untrusted-address": ("login", "is_token_endpoint_ip_header_trusted is off"),
    "no-transfer": ("console", "not enabled"),
    "no-actor": ("console", "setActor is required"),
    "deny": ("console", "not on call"),
    "mfa": ("console", "MFA is not supported"),
    "no-delegation": ("login", "allow_delegated_access"),
    "no-query": ("login", "allowed_authentication_methods"),
    "consent": ("told", "consent"),
    "no-connection": ("told", "not enabled for the application"),
    "dropped-token": ("login", "did not pass it on"),
    "moved": ("login", "198.51.100.7"),
    "late": ("login", "expired"),
    "opened-before": ("login", "used before"),
    "open-session": ("error", "already has a session"),
}


class Visitor:
    """A person at the playground."""

    def __init__(self, playground):
        self.playground = playground
        self.web = requests.Session()
        self.web.trust_env = False

    def get(self, path, **kwargs):
        return self.web.get(self.playground.url + path, timeout=10, **kwargs)

    def enter(self, *switches, customer="auth0|ada", follow=True):
        form = {"customer": customer, "reason": "TICKET-4711", "switch": switches}
        return self.web.post(
            self.playground.url + "enter", form, timeout=10, allow_redirects=follow
        )

    def log_out(self):
        return self.web.get(self.playground.shop_url + "logout", timeout=10)

    def verdict(self):
        """What the page on the hops says at its head, as text."""
        return re.search(
            r'(?s)<div class="note (\w*)">(.*?)</div>',
            html.unescape(self.get("trail").text),
        ).groups()


@pytest.fixture(scope="module")
def playground():
    with Playground() as playground:
        yield playground


@pytest.fixture
def visitor(playground):
    visitor = Visitor(playground)
    with visitor.web:
        yield visitor
        visitor.log_out()


class TestEnter:
    def test_ends_in_the_customers_account(self, playground, visitor):
        """From click to banner, and the trail says so."""
        page = visitor.enter()
        assert playground.shop_url + "account" == page.url
        assert "Sam Rivers" in re.search(r"(?s)<aside.*?</aside>", page.text).group()
        kind, verdict = visitor.verdict()
        assert "good" == kind
        assert "The agent is in" in verdict

    def test_redirects_as_the_library_says(self, visitor):
        """303, kept by no cache and told by no Referer."""
        answer = visitor.enter(follow=False)
        assert 303 == answer.status_code
        assert ("no-store", "no-referrer") == (
            answer.headers["Cache-Control"],
            answer.headers["Referrer-Policy"],
        )

    def test_refuses_a_second_account_before_the_log_out(self, visitor):
        """As on Auth0; the console's page says it beforehand."""
        visitor.enter()
        assert "This browser has a session" in visitor.get("").text
        assert 400 == visitor.enter(customer="auth0|lin").status_code
        visitor.log_out()
        assert "This browser has a session" not in visitor.get("").text
        assert "Lin Okafor" in visitor.enter(customer="auth0|lin").text

    def test_an_agent_deletes_nothing(self, playground, visitor):
        """The shop refuses it."""
        visitor.enter()
        assert (
            403
            == visitor.web.post(
                playground.shop_url + "account/delete", timeout=10
            ).status_code
        )

    def test_takes_only_its_own_customers(self, visitor):
        """What a form can't send is 400."""
        assert 400 == visitor.enter(customer="auth0|sam").status_code

    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}]
    )
    def test_takes_no_click_of_another_page(self, playground, visitor, headers):
        """Neither a form elsewhere nor another name for this machine mints."""
        form = {"customer": "auth0|ada", "reason": "x"}
        answer = visitor.web.post(
            playground.url + "enter", form, headers=headers, timeout=10
        )
        assert 403 == answer.status_code


class TestSwitches:
    def test_each_has_its_test(self):
        """A switch that is added is tested."""
        assert set(SWITCHES) == set(ENDS)

    @pytest.mark.parametrize("key", sorted(SWITCHES))
    def test_fails_as_on_auth0_and_says_why(self, playground, visitor, key):
        """What the agent sees, the reason, and what to change."""
        kind, reason = ENDS[key]
        page = visitor.enter(key)
        assert "Who is really there" not in page.text
        assert kind == playground.trail.outcome.kind
        assert reason in playground.trail.outcome.reason
        tone, verdict = visitor.verdict()
        assert "bad" == tone
        assert reason in verdict
        assert SWITCHES[key].mend in verdict

    @pytest.mark.parametrize("key", ["no-actor", "no-query", "late", "open-session"])
    def test_every_page_leads_to_the_trail(self, playground, visitor, key):
        """Also where the flow ended on a page of the tenant's own."""
        page = visitor.enter(key)
        assert re.search(f'href="({re.escape(playground.url)}|/)trail"', page.text)

    def test_are_off_again_after_the_next_click(self, visitor):
        """Whatever was on: no switch leaves anything behind."""
        visitor.enter(*SWITCHES)
        visitor.log_out()
        assert "Who is really there" in visitor.enter().text

    def test_stay_on_until_put_in_order(self, visitor):
        """The console's page shows what is on; its link switches all off."""
        visitor.enter("late")
        assert 1 == len(re.findall(r'value="late" checked', visitor.get("").text))
        assert 0 == len(
            re.findall(r'role="switch"[^>]* checked', visitor.get("?reset").text)
        )


class TestTrail:
    def test_shows_every_hop_in_order(self, playground, visitor):
        """Who asked whom, and who answered."""
        visitor.enter()
        hops = [
            f"{message.sender[0]}{message.receiver[0]}"
            for message in playground.trail.messages
        ]
        assert "BC CT TC CB BS SB BT TB BS ST TS SB" == " ".join(hops)

    @pytest.mark.parametrize("switches", [(), ("opened-before",), ("no-query",)])
    def test_masks_every_token(self, playground, visitor, switches):
        """Not one token or secret is on the page, nor in the tenant's logs below it."""
        visitor.enter(*switches)
        page, records = visitor.get("trail").text, playground.tenant.records
        secrets = [
            *records.session_transfer_tokens,
            *records.sessions,
            *records.refresh_tokens,
        ]
        secrets += [
            settings.get("client_secret", "-" * 40)
            for settings in playground.tenant.settings.values()
        ]
        assert [] == [secret for secret in secrets if secret in page]
        assert None is re.search(r"eyJ[\w-]{6,}", page)

    def test_marks_where_it_failed(self, playground, visitor):
        """The silent failure is the tenant's good-looking answer."""
        visitor.enter("no-query")
        (failed,) = [message for message in playground.trail.messages if message.failed]
        assert ("Tenant", "Browser", "200 OK") == (
            failed.sender,
            failed.receiver,
            failed.line,
        )

    def test_says_whether_an_agent_or_a_customer_came(self, playground, visitor):
        """A login by hand is no delegated one."""
        page = visitor.web.get(playground.shop_url + "login", timeout=10)
        action = html.unescape(re.search(r'action="([^"]+)"', page.text).group(1))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        page = visitor.web.post(
            origin + action,
            {"username": "ada@example.com", "password": "password"},
            timeout=10,
        )
        assert "Who is really there" not in page.text
        assert "customer" == playground.trail.outcome.kind

    def test_what_it_shows_is_text(self, visitor):
        """A reason in HTML is no HTML."""
        form = {"customer": "auth0|ada", "reason": "<b>bold</b>"}
        visitor.web.post(visitor.playground.url + "enter", form, timeout=10)
        assert "<b>bold</b>" not in visitor.get("trail").text
        assert "&lt;b&gt;bold" in visitor.get("trail").text


class TestPages:
    def test_use_nothing_from_elsewhere(self, playground, visitor):
        """Every address on them is on this machine; there is no script."""
        visitor.enter()
        for page in ("", "trail", "static/style.css"):
            text = visitor.get(page).text
            assert "<script" not in text
            hosts = {
                urlsplit(url).hostname
                for url in re.findall(r"https?://[^\"'\s<)]+", text)
            }
            assert hosts <= {
                "localhost",
                "127.0.0.1",
                "console.example.com",
                "shop.example.com",
            }

    def test_are_kept_by_no_cache(self, visitor):
        """What they show holds for one click."""
        assert {"no-store"} == {
            visitor.get(page).headers["Cache-Control"] for page in ("", "trail")
        }


class TestServe:
    def test_prints_one_address_and_ends_with_an_interrupt(self):
        """``demo --serve`` serves until Ctrl-C, and that is no failure."""
        command = [sys.executable, "-m", "auth0_stt", "demo", "--serve"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            (address,) = re.findall(r"http://localhost:\d+/", process.stdout.readline())
            with requests.Session() as web:
                web.trust_env = False
                assert 200 == web.get(address, timeout=10).status_code
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(timeout=20), process.stderr.read()

    def test_takes_the_port_it_is_given(self):
        """So that a bookmark holds."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with Playground(port) as playground:
            assert f"http://localhost:{port}/" == playground.url

    def test_a_port_that_is_taken(self):
        """It says so and ends, with nothing left running."""
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(
            SystemExit
        ) as caught:
            serve(taken.getsockname()[1])
        assert caught.value.code not in (0, None)

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_a_port_that_is_none(self, port):
        """Exit code 2, as for any wrong argument."""
        assert 2 == serve(port)
