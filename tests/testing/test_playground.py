"""The playground: each switch breaks its rule, and the trail says where and why."""

import contextlib
import html
import re
import shlex
import signal
import socket
import subprocess
import sys
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from auth0_stt.rules import RULES
from auth0_stt.testing.playground import Playground, serve
from auth0_stt.testing.playground.diagnosis import findings
from auth0_stt.testing.playground.switches import SWITCHES
from auth0_stt.testing.tenant.settings import lookup

#: Where the agent's browser ends, a word of the reason, and the hop with the cause.
ENDS = {
    "client-credentials": ("console", "invalid_client", 2),
    "profile-exists": ("console", "subject_token_type", 2),
    "session-transfer-audience": ("console", "unexpected_token_type", 2),
    "actor-token-fresh": ("console", "'exp' claim", 2),
    "forwarded-address": ("login", "203.0.113.10", 2),
    "console-may-mint": ("console", "not enabled", 3),
    "forwarded-address-trusted": ("login", "ip_header_trusted is off", 3),
    "action-sets-actor": ("console", "setActor is required", 3),
    "action-allows": ("console", "not on call", 3),
    "actor-active": ("console", "unknown or blocked", 3),
    "customer-active": ("console", "unknown or blocked", 3),
    "mfa": ("console", "MFA is not supported", 3),
    "exchange-rate": ("console", "too_many_requests", 3),
    "tenant-answers": ("console", "temporarily_unavailable", 3),
    "shop-allows-delegation": ("login", "allow_delegated_access", 8),
    "shop-accepts-query": ("login", "allowed_authentication_methods", 8),
    "shop-first-party": ("told", "consent", 8),
    "loopback-prompt": ("told", "callback", 8),
    "console-connection": ("told", "not enabled for", 8),
    "shop-connection": ("told", "not enabled for the application", 8),
    "login-route-passes-token": ("login", "without the session_transfer_token", 6),
    "same-address": ("login", "198.51.100.7", 7),
    "token-fresh": ("login", "expired", 5),
    "token-unused": ("login", "used before", 4),
    "no-open-session": ("error", "of auth0|lin", 7),
    "two-domains": ("error", "of auth0|sam", 7),
}


PARTIES = ("console", "shop")
#: The switches that change a setting of one of the applications.
SETTINGS = [
    each for each in SWITCHES if RULES[each].setting and RULES[each].whose in PARTIES
]
#: The switches that the doctor can't see, and what it sees instead.
UNSEEN = {
    "forwarded-address": ["same-address"],
    "login-route-passes-token": [],
    "session-transfer-audience": [],
    "tenant-answers": [],
    "two-domains": ["no-open-session"],
}
#: The domain under which requests files the cookies of localhost.
LOCALHOST = "localhost.local"


class Person:
    """Somebody with a browser at the playground."""

    def __init__(self, playground):
        self.playground = playground
        self.web = requests.Session()
        self.web.trust_env = False
        self.get("")

    @property
    def visitor(self):
        name = self.playground.cookie
        return self.playground.visitor(self.web.cookies.get(name, domain=LOCALHOST))

    @property
    def trail(self):
        return self.visitor.trail

    def get(self, path, **kwargs):
        return self.web.get(self.playground.url + path, timeout=10, **kwargs)

    def post(self, path, form=None, **kwargs):
        form = {"token": self.visitor.form_token, **(form or {})}
        url = path if "://" in path else self.playground.url + path
        return self.web.post(url, form, timeout=10, **kwargs)

    def enter(self, *switches, customer="auth0|ada", **kwargs):
        form = {"customer": customer, "reason": "TICKET-4711", "switch": switches}
        return self.post("enter", form, **kwargs)

    def shop(self, path=""):
        return self.web.get(self.playground.addresses.shop + path, timeout=10)

    def log_in(self, page, email="ada@example.com"):
        """Fill in the tenant's login page."""
        action = html.unescape(re.search(r'action="([^"]+)"', page.text).group(1))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        form = {"username": email, "password": "password"}
        return self.web.post(origin + action, form, timeout=10)

    def verdict(self):
        """What the page on the hops says at its head: its tone, and its text."""
        page = html.unescape(self.get("trail").text)
        tone, text = re.search(
            r'(?s)<div class="note (\w*)">(.*?)</div>', page
        ).groups()
        return tone, re.sub(r"\s+", " ", re.sub("<.*?>", "", text))


def three_free_ports():
    """Return the first of three ports in a row that were free a moment ago."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = taken.getsockname()[1]
            for number in (port + 1, port + 2):
                stack.enter_context(socket.create_server(("127.0.0.1", number)))
            return port


@pytest.fixture(scope="module")
def playground():
    with Playground() as playground:
        yield playground


@pytest.fixture
def person(playground):
    person = Person(playground)
    with person.web:
        yield person


class TestEnter:
    def test_ends_in_the_customers_account(self, playground, person):
        """From click to banner, and the trail says so."""
        page = person.enter()
        assert playground.addresses.shop + "account" == page.url
        assert "Sam Rivers" in re.search(r"(?s)<aside.*?</aside>", page.text).group()
        tone, verdict = person.verdict()
        assert "good" == tone
        assert "The agent is in" in verdict

    def test_redirects_as_the_library_says(self, person):
        """303, kept by no cache and passed on by no Referer."""
        answer = person.enter(allow_redirects=False)
        assert 303 == answer.status_code
        assert ("no-store", "no-referrer") == (
            answer.headers["Cache-Control"],
            answer.headers["Referrer-Policy"],
        )

    def test_refuses_a_second_account_before_the_log_out(self, person):
        """As on Auth0; the console's page says it beforehand."""
        person.enter()
        assert "This browser has a session" in person.get("").text
        assert 400 == person.enter(customer="auth0|lin").status_code
        assert "no-open-session" == person.trail.outcome.rule
        person.shop("logout")
        assert "This browser has a session" not in person.get("").text
        assert "Lin Okafor" in person.enter(customer="auth0|lin").text

    def test_a_log_out_closes_forgotten_sessions_too(self, person):
        """The browser may have lost its cookie; the next account must not suffer."""
        person.enter()
        person.web.cookies.clear("127.0.0.1")
        assert "This browser has a session" in person.get("").text
        person.shop("logout")
        assert "This browser has a session" not in person.get("").text

    def test_an_agent_deletes_nothing(self, playground, person):
        """The shop refuses it."""
        person.enter()
        answer = person.post(playground.addresses.shop + "account/delete")
        assert 403 == answer.status_code
        assert "An agent can\u2019t delete" in answer.text

    def test_a_customer_may(self, playground, person):
        """It is the agent who is refused, not the account."""
        person.log_in(person.shop("login"))
        answer = person.post(playground.addresses.shop + "account/delete")
        assert 200 == answer.status_code
        assert "would be gone" in answer.text

    def test_renews_the_agents_id_token(self, person):
        """In time, before the mint, as a hop of its own."""
        agent, clock = person.visitor.agent, person.visitor.tenant.clock
        clock.advance(-40000)
        agent["id_token"] = person.visitor.tenant.agent_tokens()["id_token"]
        assert "Who is really there" in person.enter().text
        steps = [message.step for message in person.trail.messages]
        assert ["click", "renew", "renew answer", "mint"] == steps[:4]

    def test_takes_only_its_own_customers(self, person):
        """What a form can't send is 400."""
        assert 400 == person.enter(customer="auth0|sam").status_code


class TestGuard:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_takes_no_click_of_another_page(self, person, site):
        """A form elsewhere mints nothing, not even one on another port of localhost."""
        answer = person.enter(headers={"Sec-Fetch-Site": site})
        assert 403 == answer.status_code
        assert [] == person.visitor.tenant.logs

    def test_a_browser_that_says_same_origin_needs_no_token(self, person):
        """Sec-Fetch-Site can't be forged by a page."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        assert 200 == person.enter(headers=headers).status_code
        person.visitor.form_token = "another"
        assert 200 == person.post("reset", {"token": ""}, headers=headers).status_code

    @pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "none"}])
    @pytest.mark.parametrize("token", ["", "wrong", "\u20ac"])
    def test_an_older_browser_needs_the_forms_token(
        self, playground, person, token, headers
    ):
        """Without Sec-Fetch-Site, a POST has to hold what only our own form holds."""
        form = {"customer": "auth0|ada", "reason": "x", "token": token}
        assert 403 == person.post("enter", form, headers=headers).status_code
        delete = playground.addresses.shop + "account/delete"
        person.enter()
        page = person.post(delete, {"token": token}, headers=headers)
        assert "An agent" not in page.text

    @pytest.mark.parametrize("party", ["console", "shop"])
    def test_answers_to_its_own_name_only(self, playground, person, party):
        """A page that gives this machine another name reads nothing."""
        url = getattr(playground.addresses, party)
        headers = {"Host": "evil.example"}
        assert 403 == person.web.get(url, headers=headers, timeout=10).status_code

    def test_can_be_framed_by_nobody(self, person):
        """And its pages load nothing from elsewhere."""
        person.enter()
        for page in (person.get(""), person.get("trail"), person.shop("account")):
            assert "DENY" == page.headers["X-Frame-Options"]
            policy = page.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy


class TestVisitors:
    def test_two_browsers_do_not_meet(self, playground):
        """Each has its own switches, tenant, sessions and trail."""
        one, other = Person(playground), Person(playground)
        one.enter("shop-accepts-query")
        assert "Who is really there" in other.enter().text
        assert "login" == one.trail.outcome.kind
        assert "entered" == other.trail.outcome.kind
        assert "This browser has a session" not in one.get("").text
        checked = re.findall(r'value="([^"]+)" checked', other.get("").text)
        assert ["auth0|ada"] == checked

    def test_the_shop_asks_the_console_who_it_is(self, person):
        """A browser that comes to the shop first gets there as the same visitor."""
        page = person.shop()
        assert "Not signed in" in page.text
        assert person.playground.addresses.shop == page.url

    def test_nobody_is_let_in_by_a_guess(self, playground, person):
        """Neither the shop nor the tenant takes a visitor that it does not know."""
        with requests.Session() as web:
            web.trust_env = False
            visit = playground.addresses.shop + "visit?visitor=guess&to=/"
            assert 403 == web.get(visit, timeout=10).status_code
            port = playground.addresses.tenant_port
            answer = web.get(f"http://127.0.0.1:{port}/v2/logout", timeout=10)
            assert 404 == answer.status_code
            assert playground.url in answer.text

    def test_many_do_not_fill_the_memory(self, playground, monkeypatch):
        """The oldest is forgotten; whoever comes back is a new visitor."""
        monkeypatch.setattr("auth0_stt.testing.playground.server.MOST_VISITORS", 2)
        first = Person(playground)
        cookie = first.visitor.id
        Person(playground), Person(playground)
        with pytest.raises(KeyError):
            playground.visitor(cookie)
        assert "Who is really there" in (first.get(""), first.enter())[1].text


class TestSwitches:
    def test_each_has_its_test(self):
        """A switch that is added is tested."""
        assert set(SWITCHES) == set(ENDS)

    @pytest.mark.parametrize("rule", sorted(SWITCHES))
    def test_fails_as_on_auth0_and_says_why(self, person, rule):
        """What the agent sees, the reason, the rule, its remedy, and the hop."""
        kind, reason, cause = ENDS[rule]
        page = person.enter(rule)
        assert "Who is really there" not in page.text
        outcome = person.trail.outcome
        assert kind == outcome.kind
        assert reason in outcome.reason
        tone, verdict = person.verdict()
        assert "bad" == tone
        assert reason in verdict
        assert RULES[rule].fix in verdict
        assert f"Rule {rule}." in verdict
        assert f"the cause is in hop {cause}" in verdict

    @pytest.mark.parametrize("rule", sorted(SWITCHES))
    def test_marks_the_cause_and_what_was_missing(self, person, rule):
        """The hop that caused it says what is wrong there, and is linked to."""
        person.enter(rule)
        page = html.unescape(person.get("trail").text)
        (hop,) = re.findall(
            r'(?s)<li id="hop-(\d+)" tabindex="-1"\s*class="cause', page
        )
        assert ENDS[rule][2] == int(hop)
        assert f'href="#hop-{hop}"' in page
        assert 1 == page.count(f'<p class="missing">{SWITCHES[rule].cause}</p>')
        assert 1 == page.count("it shows here")

    def test_blames_the_one_that_bites(self, person):
        """Of several that are on, the tenant's answer tells which one it was."""
        person.enter("shop-accepts-query", "forwarded-address", "tenant-answers")
        assert RULES["tenant-answers"].fix in person.verdict()[1]
        person.enter("shop-accepts-query", "forwarded-address")
        assert RULES["shop-accepts-query"].fix in person.verdict()[1]

    @pytest.mark.parametrize("rule", SETTINGS)
    def test_a_setting_is_broken_as_its_rule_says(self, person, rule):
        """The rule calls right what is there by default, and wrong what the switch sets."""
        rule = RULES[rule]
        settings = person.visitor.tenant.settings
        assert rule.holds(lookup(settings[rule.whose], rule.setting))
        person.enter(rule.id)
        settings = person.visitor.tenant.settings
        assert not rule.holds(lookup(settings[rule.whose], rule.setting))

    @pytest.mark.parametrize(
        "rule",
        ["action-sets-actor", "shop-accepts-query", "token-fresh", "two-domains"],
    )
    def test_every_page_leads_to_the_trail(self, playground, person, rule):
        """Also where the flow ended on a page of the tenant's own."""
        page = person.enter(rule)
        assert re.search(f'href="({re.escape(playground.url)}|/)trail"', page.text)

    def test_are_off_again_after_the_next_click(self, person):
        """Whatever was on: no switch leaves anything behind."""
        person.enter(*SWITCHES)
        person.shop("logout")
        assert "Who is really there" in person.enter().text

    def test_stay_on_until_switched_off(self, person):
        """The console's page shows what is on; its button switches all off."""
        person.enter("token-fresh")
        assert 1 == len(re.findall(r'value="token-fresh" checked', person.get("").text))
        page = person.post("reset").text
        assert [] == re.findall(r'role="switch"[^>]* checked', page)

    def test_all_is_well_only_if_it_is(self, person):
        """The page does not praise a setup in which the next click fails."""
        assert "as it should be" in person.get("").text
        person.enter()
        page = person.get("").text
        assert "as it should be" not in page
        assert "Log out of the shop first" in page


class TestDoctor:
    @pytest.mark.parametrize("rule", sorted(set(SWITCHES) - set(UNSEEN)))
    def test_finds_the_cause(self, person, rule):
        """It names the same rule as the tenant, from settings and the log alone."""
        person.enter(rule)
        assert [rule] == [finding.rule for finding in findings(person.visitor)]

    @pytest.mark.parametrize("rule", sorted(UNSEEN))
    def test_does_not_guess(self, person, rule):
        """What neither a setting nor the log can show, it does not claim to see."""
        person.enter(rule)
        assert UNSEEN[rule] == [each.rule for each in findings(person.visitor)]

    def test_finds_nothing_if_all_is_well(self, person):
        """The playground's tenant is set up right."""
        person.enter()
        assert [] == findings(person.visitor)
        assert "What the doctor says" not in person.get("trail").text

    def test_stands_on_the_page_of_a_failure(self, person):
        """What it found and where, next to the library's error and below the hops."""
        for page in (person.enter("console-may-mint"), person.get("trail")):
            assert "What the doctor says" in page.text
            assert "<dd>false (in console)</dd>" in page.text
        person.enter("tenant-answers")
        assert "neither a setting nor the log" in person.get("trail").text


class TestScenario:
    def test_a_link_reproduces_it(self, playground, person):
        """The trail has a link that sets customer and switches, for another browser."""
        person.enter("token-fresh", "mfa", customer="auth0|lin")
        (link,) = re.findall(r'href="([^"]+\?[^"]+)"', person.get("trail").text)
        query = parse_qs(urlsplit(html.unescape(link)).query)
        assert {"customer": ["auth0|lin"], "switch": ["mfa", "token-fresh"]} == query
        page = Person(playground).web.get(html.unescape(link), timeout=10).text
        checked = re.findall(r'value="([^"]+)" checked', page)
        assert ["auth0|lin", "mfa", "token-fresh"] == checked

    def test_changes_nothing_before_the_click(self, person):
        """A link that somebody sent only fills in the form."""
        person.get("?switch=mfa")
        assert set() == person.visitor.switches

    def test_a_switch_that_does_not_exist(self, person):
        """Is named, since the scenario is not the one that was meant."""
        assert "no-such-thing" in person.get("?switch=no-such-thing").text
        assert "does not" not in person.get("?switch=mfa").text


class TestTrail:
    def test_shows_every_hop_in_order(self, person):
        """Who asked whom, and who answered."""
        person.enter()
        hops = [f"{m.sender[0]}{m.receiver[0]}" for m in person.trail.messages]
        assert "BC CT TC CB BS SB BT TB BS ST TS SB" == " ".join(hops)

    @pytest.mark.parametrize(
        "rule", ["", "session-transfer-audience", "token-unused", "shop-accepts-query"]
    )
    def test_masks_every_token(self, person, rule):
        """Not one token or secret is on the page, nor in the logs below it."""
        person.enter(rule)
        page, tenant = person.get("trail").text, person.visitor.tenant
        records = tenant.records
        secrets = [*records.session_transfer_tokens, *records.sessions]
        secrets += [*records.refresh_tokens, *records.codes]
        for client_id in ("console", "shop"):
            secrets.append(tenant.settings[client_id]["client_secret"])
        assert 3 <= len(secrets)
        assert [] == [secret for secret in secrets if secret in page]
        assert None is re.search(r"eyJ[\w-]{6,}", page)

    def test_decodes_the_id_tokens(self, person):
        """The agent's and the session's: for whom, by whom, until when."""
        person.enter()
        (mint,) = [m for m in person.trail.messages if m.step == "mint"]
        (told,) = [m for m in person.trail.messages if m.step == "trade answer"]
        agents, sessions = dict(mint.claims), dict(told.claims)
        assert ("auth0|sam", "console") == (agents["sub"], agents["aud"])
        assert ("auth0|ada", "shop") == (sessions["sub"], sessions["aud"])
        assert '{"sub": "auth0|sam"}' == sessions["act"]
        assert re.fullmatch(r"\d+ \(in 10\.0 hours\)", agents["exp"])
        assert "act" not in agents

    def test_an_expired_id_token_says_so(self, person):
        """Its exp is the cause, so it is readable."""
        person.enter("actor-token-fresh")
        (mint,) = [m for m in person.trail.messages if m.step == "mint"]
        assert re.fullmatch(r"\d+ \(6\d seconds ago\)", dict(mint.claims)["exp"])

    def test_marks_where_it_failed(self, person):
        """The silent failure is the tenant's good-looking answer."""
        person.enter("shop-accepts-query")
        (failed,) = [message for message in person.trail.messages if message.failed]
        assert ("Tenant", "Browser", "200 OK") == (
            failed.sender,
            failed.receiver,
            failed.line,
        )

    def test_the_reason_is_in_the_consoles_log(self, person):
        """The page shows what the library logged, the agent's reason included."""
        person.enter()
        assert "reason='TICKET-4711'" in html.unescape(person.get("trail").text)

    def test_the_tenants_log_names_the_actor(self, person):
        """So that nobody has to guess who was there."""
        person.enter()
        assert "actor auth0|sam" in html.unescape(person.get("trail").text)

    def test_says_whether_an_agent_or_a_customer_came(self, person):
        """A login by hand is no delegated one, and no failure."""
        page = person.shop("login")
        assert None is person.trail.outcome
        assert "A login is under way" in person.verdict()[1]
        assert "Who is really there" not in person.log_in(page).text
        assert "customer" == person.trail.outcome.kind
        assert "good" == person.verdict()[0]

    def test_blames_nothing_on_the_failure_before(self, person):
        """A token that nobody minted breaks no rule, whatever happened earlier."""
        person.enter("shop-accepts-query")
        person.visitor.prepare(())
        person.shop("login?session_transfer_token=made-up")
        assert ("login", "") == (
            person.trail.outcome.kind,
            person.trail.outcome.rule,
        )

    def test_a_callback_that_is_repeated(self, person):
        """The code works once; the trail says that the shop refused, and why."""
        page = person.enter()
        (url,) = [
            each.headers["Location"]
            for each in page.history
            if each.headers["Location"].startswith(
                person.playground.addresses.shop + "callback"
            )
        ]
        assert 403 == person.web.get(url, timeout=10).status_code
        assert "told" == person.trail.outcome.kind
        assert "State not equal" in person.verdict()[1]

    def test_a_login_url_that_makes_no_sense(self, person):
        """Two tokens in a URL are a 400, as in the README."""
        url = "login?session_transfer_token=a&session_transfer_token=b"
        assert 400 == person.shop(url).status_code

    def test_what_it_shows_is_text(self, person):
        """A reason in HTML stays text."""
        person.post("enter", {"customer": "auth0|ada", "reason": "<b>bold</b>"})
        assert "<b>bold</b>" not in person.get("trail").text
        assert "&lt;b&gt;bold" in person.get("trail").text


class TestSnippets:
    @pytest.fixture
    def calls(self, person):
        """The calls of a good flow, by step."""
        person.enter()
        return {m.step: m.call for m in person.trail.messages if m.call}

    def test_python_is_the_librarys_call(self, calls, person, monkeypatch):
        """It mints, with the secrets from the environment and the visitor's session."""
        visitor, names = person.visitor, {}
        exec(
            compile(calls["mint"].as_python.partition("result")[0], "x", "exec"), names
        )
        secrets = {
            "CLIENT_SECRET": visitor.application("console")["client_secret"],
            "SUBJECT_TOKEN": visitor.tenant.subject_token("auth0|ada"),
            "ACTOR_TOKEN": visitor.agent["id_token"],
        }
        for name, value in secrets.items():
            monkeypatch.setenv(name, value)
        web = requests.Session()
        web.headers["Playground-Visitor"] = visitor.id
        names["request_session_transfer_token"] = partial(
            names["request_session_transfer_token"], session=web
        )
        exec(calls["mint"].as_python.partition("token\n\n")[2], names)
        assert 60 == names["result"].expires_in

    def test_curl_sends_the_same_form(self, calls):
        """Fields as they are, secrets as variables of the shell, the agent's address."""
        words = shlex.split(calls["mint"].as_curl)
        fields = [w for flag, w in zip(words, words[1:]) if flag == "--data-urlencode"]
        sent = dict(field.split("=", 1) for field in fields)
        assert dict(calls["mint"].fields).keys() == sent.keys()
        assert "$CLIENT_SECRET" == sent["client_secret"]
        assert "$ACTOR_TOKEN" == sent["actor_token"]
        assert "TICKET-4711" == sent["reason"]
        assert "auth0-forwarded-for: 127.0.0.1" in words

    @pytest.mark.parametrize(
        "step", ["mint", "login", "authorize", "callback", "trade"]
    )
    def test_every_request_has_both(self, calls, step):
        """Python that compiles, and curl for the same URL."""
        compile(calls[step].as_python, step, "exec")
        assert calls[step].url.partition("/oauth")[0] in calls[step].as_python
        assert calls[step].url in shlex.split(calls[step].as_curl)


class TestPages:
    def test_use_nothing_from_elsewhere(self, person):
        """Every address on them is on this machine."""
        person.enter()
        for page in ("", "trail", "static/style.css", "static/copy.js"):
            answer = person.get(page)
            assert 200 == answer.status_code
            hosts = {
                urlsplit(url).hostname
                for url in re.findall(r"https?://[^\"'\s<)]+", answer.text)
            }
            assert hosts <= {"localhost", "127.0.0.1"}

    def test_are_kept_by_no_cache(self, person):
        """What they show holds for one click."""
        assert {"no-store"} == {
            person.get(page).headers["Cache-Control"] for page in ("", "trail")
        }


class TestServe:
    def test_prints_one_address_and_ends_with_an_interrupt(self, child):
        """``demo --serve`` serves until Ctrl-C, and that is no failure."""
        command = [sys.executable, "-m", "auth0_stt", "demo", "--serve"]
        process = child(command, stdout=subprocess.PIPE, text=True)
        (address,) = re.findall(r"http://localhost:\d+/", process.stdout.readline())
        with requests.Session() as web:
            web.trust_env = False
            assert 200 == web.get(address, timeout=10).status_code
        process.send_signal(signal.SIGINT)
        assert "Closed." in process.communicate(timeout=20)[0]
        assert 0 == process.returncode

    def test_a_port_fixes_all_three(self):
        """So that a bookmark, a container and a firewall know them."""
        port = three_free_ports()
        with Playground(port) as playground:
            assert f"http://localhost:{port}/" == playground.url
            assert f"http://127.0.0.1:{port + 1}/" == playground.addresses.shop
            assert port + 2 == playground.addresses.tenant_port
            page = Person(playground).enter()
        assert "Who is really there" in page.text

    def test_the_other_name_of_this_machine_leads_there(self, playground):
        """Whoever types 127.0.0.1 arrives at localhost, with path and query."""
        url = f"http://127.0.0.1:{playground.addresses.console_port}/?switch=mfa"
        with requests.Session() as web:
            web.trust_env = False
            assert playground.url + "?switch=mfa" == web.get(url, timeout=10).url

    def test_a_port_that_is_taken(self):
        """It says so and ends, with nothing left running."""
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(
            SystemExit
        ) as caught:
            serve(taken.getsockname()[1])
        assert caught.value.code not in (0, None)

    @pytest.mark.parametrize("port", [-1, 65534, 65536])
    def test_a_port_that_leaves_no_room(self, port):
        """Exit code 2, as for any wrong argument."""
        assert 2 == serve(port)
