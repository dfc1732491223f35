"""The reader of the Management API: GETs, no secrets, and a clear end in time."""

import socket
import time

import pytest
from healthy import CONSOLE, SHOP, documents
from management_api import ORGANIZATION, TOKEN, serving

from auth0_stt import InvalidArgumentError
from auth0_stt.doctor import diagnose
from auth0_stt.doctor.documents import SOURCES, TRY_LOGIN
from auth0_stt.doctor.reader import ReadError, read, try_login
from auth0_stt.doctor.report import missing_scopes


@pytest.fixture
def api():
    with serving() as management_api:
        yield management_api


def read_from(api, token=TOKEN, **options):
    options = {"organization": ORGANIZATION, "timeout": 20.0, **options}
    return read(api.domain, token, console=CONSOLE, shop=SHOP, **options)


class TestReading:
    def test_all_documents(self, api):
        """What the API answers is what diagnose() takes, under the same names."""
        expected = documents()
        del expected[TRY_LOGIN]
        assert expected == read_from(api)

    def test_findings(self, api):
        """Nothing is wrong with a tenant on which everything is right."""
        findings = diagnose(read_from(api), organization=ORGANIZATION)
        assert {"ok"} == {each.status for each in findings}

    def test_no_secret_is_asked_for(self, api):
        """Applications are read with a list of fields, and no secret is among them."""
        read_from(api)
        asked = {path: query for path, query, _ in api.requests}
        for client_id in (CONSOLE, SHOP):
            query = asked["clients/" + client_id]
            fields = query["fields"][0].split(",")
            assert "session_transfer" in fields
            assert [] == [each for each in fields if "secret" in each or "key" in each]

    def test_log_is_searched(self, api):
        """Only the log of the two applications is read, newest first."""
        read_from(api)
        query = {path: query for path, query, _ in api.requests}["logs"]
        assert [f'client_id:("{CONSOLE}" OR "{SHOP}")'] == query["q"]
        assert ["date:-1"] == query["sort"]

    def test_pages(self, api):
        """A list is read to its end by its checkpoints."""
        whole = documents()["console-connections"]["connections"]
        pages = {None: (whole[:1], "second"), "second": (whole[1:], None)}

        def answer(handler, query):
            items, following = pages[query.get("from", [None])[0]]
            api.answer("console-connections", {"connections": items, "next": following})
            answered = api.answers[path]
            api.answers[path] = answer
            return answered

        path = api.path("console-connections")
        api.answers[path] = answer
        assert whole == read_from(api)["console-connections"]["connections"]

    def test_organization_by_name(self, api):
        """An organization may be given by its name; its connections are read by its id."""
        api.answers["organizations/name/acme"] = api.answers[api.path("organization")]
        found = read_from(api, organization="acme")
        assert documents()["organization"] == found["organization"]
        assert "organization-connections" in found

    def test_no_organization(self, api):
        """Without an organization, none is read."""
        assert "organization" not in read_from(api, organization=None)

    def test_ids_are_quoted(self, api):
        """A client id can't leave its place in the path or in the query."""
        api.answer_all([])
        with pytest.raises(ReadError):
            read(api.domain, "x" + TOKEN, console="../logs?", shop='" OR "')
        assert "clients/../logs?" == api.requests[0][0]

    def test_netrc_is_not_used(self, api, monkeypatch, tmp_path):
        """The token is sent, whatever .netrc has for the host."""
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login a password b")
        monkeypatch.setenv("NETRC", str(netrc))
        read_from(api)
        assert {f"Bearer {TOKEN}"} == {
            headers["Authorization"] for _, _, headers in api.requests
        }


class TestPermissions:
    def test_no_scopes(self, api):
        """A token without scopes: everything is unknown, and the scopes are named."""
        for name, source in SOURCES.items():
            message = f"Insufficient scope, expected any of: {source.scope}"
            error = {"statusCode": 403, "message": message, "error": "Forbidden"}
            api.answer(name, error, 403)
        found = read_from(api)
        assert {"unknown"} == {each.status for each in diagnose(found)}
        asked = {source.scope for source in SOURCES.values()}
        assert sorted(asked) == missing_scopes(found)

    def test_one_scope_missing(self, api):
        """What the token may read is judged all the same."""
        api.answer("logs", {"statusCode": 403, "message": "Insufficient scope"}, 403)
        found = read_from(api)
        assert ["read:logs"] == missing_scopes(found)
        assert {"ok", "unknown"} == {each.status for each in diagnose(found)}

    def test_no_such_application(self, api):
        """An application that does not exist is unknown, not wrong."""
        api.answer(
            "shop", {"statusCode": 404, "message": "The client does not exist"}, 404
        )
        findings = {each.rule: each for each in diagnose(read_from(api))}
        finding = findings["shop-allows-delegation"]
        assert "unknown" == finding.status
        assert "HTTP 404: The client does not exist" == finding.found

    def test_refused_token(self, api):
        """A token that the tenant refuses is an error, which does not repeat it."""
        with pytest.raises(ReadError) as caught:
            read_from(api, token="other-token-Vb6nMk2QwXz9Lp4T")
        assert ("unauthorized", False) == (caught.value.code, caught.value.retryable)
        assert "Vb6nMk2QwXz9Lp4T" not in str(caught.value)

    @pytest.mark.parametrize("token", ["Bearer x", "x\n", "x\r\nHost: y"])
    def test_malformed_token(self, api, token):
        """A token that is not bare is never sent."""
        with pytest.raises(ReadError):
            read_from(api, token=token)
        assert [] == api.requests


class TestBadServers:
    def test_throttled(self, api):
        """After a 429 nothing more is sent; what was read before it is judged."""
        api.answer("action", {"statusCode": 429}, 429, Retry_After="7")
        found = read_from(api)
        asked = [path for path, _, _ in api.requests]
        assert [api.path(name) for name in list(SOURCES)[:4]] == asked
        assert documents()["shop"] == found["shop"]
        assert (429, 7.0) == (found["logs"]["statusCode"], found["logs"]["retry_after"])
        findings = {each.rule: each for each in diagnose(found)}
        assert "ok" == findings["shop-allows-delegation"].status
        assert "unknown" == findings["shop-connection"].status
        assert findings["shop-connection"].found.startswith("HTTP 429: ")

    @pytest.mark.parametrize("name", [*SOURCES][2:])
    def test_throttled_anywhere(self, api, name):
        """Wherever the 429 comes, what was read before it is returned as it is."""
        api.answer(name, {"statusCode": 429}, 429)
        found = read_from(api)
        assert api.path(name) == api.requests[-1][0]
        read = [*SOURCES][: [*SOURCES].index(name)]
        assert {each: documents()[each] for each in read} == {
            each: found[each] for each in read
        }
        assert 429 == found["logs"]["statusCode"]

    def test_throttled_on_a_page(self, api):
        """A list whose next page is refused is unknown as a whole."""
        page = {"connections": [], "next": "second"}

        def answer(handler, query):
            if "from" in query:
                return (429, {}, b"{}")
            api.answer("console-connections", page)
            answered = api.answers[path]
            api.answers[path] = answer
            return answered

        path = api.path("console-connections")
        api.answers[path] = answer
        found = read_from(api)
        assert 429 == found["console-connections"]["statusCode"]
        assert path == api.requests[-1][0]

    @pytest.mark.parametrize(("name", "requests"), [("console", 1), ("shop", 2)])
    def test_throttled_at_once(self, api, name, requests):
        """Without both applications there is nothing to judge: a 429 is an error."""
        api.answer(name, {"statusCode": 429}, 429, Retry_After="7")
        with pytest.raises(ReadError) as caught:
            read_from(api)
        assert requests == len(api.requests)
        error = caught.value
        assert ("throttled", True, 7.0) == (
            error.code,
            error.retryable,
            error.retry_after,
        )

    @pytest.mark.parametrize(
        ("status", "code", "retryable"),
        [
            (200, "invalid_response", False),
            (302, "invalid_response", False),
            (503, "server_error", True),
        ],
    )
    def test_html(self, api, status, code, retryable):
        """A server that answers HTML is no Management API."""
        api.answer_all(b"<html>", status, Location="https://example.com/")
        with pytest.raises(ReadError) as caught:
            read_from(api)
        assert (code, retryable) == (caught.value.code, caught.value.retryable)

    @pytest.mark.parametrize(
        "answer",
        [
            (200, {}, b"<html>"),
            (200, {}, b"[" * 100_000),
            (200, {}, b'"text"'),
            (200, {}, b"\xff"),
            (302, {"Location": "/elsewhere"}, b"{}"),
            (500, {}, b""),
            (200, {"Content_Encoding": "gzip"}, b"not gzip"),
        ],
        ids=["HTML", "deep", "text", "bytes", "redirect", "broken", "coding"],
    )
    def test_one_bad_answer(self, api, answer):
        """One unusable answer makes its rules unknown, and the others stay judged."""
        api.answers[api.path("action")] = answer
        findings = {each.rule: each for each in diagnose(read_from(api))}
        assert "unknown" == findings["action-deployed"].status
        assert "ok" == findings["shop-allows-delegation"].status

    def test_redirect_is_not_followed(self, api):
        """The token goes to the tenant only."""
        api.answer("logs", {}, 307, Location=api.domain + "/api/v2/elsewhere")
        read_from(api)
        assert "elsewhere" not in [path for path, _, _ in api.requests]

    def test_lies(self, api):
        """An answer about another application is not taken for this one."""
        api.answer("shop", {"client_id": "other", "is_first_party": False})
        findings = {
            each.rule: each
            for each in diagnose(read_from(api), console=CONSOLE, shop=SHOP)
        }
        assert "unknown" == findings["shop-first-party"].status

    def test_pages_in_a_circle(self, api):
        """A list that never ends is given up."""
        api.answer("console-connections", {"connections": [], "next": "again"})
        findings = {each.rule: each for each in diagnose(read_from(api))}
        assert "unknown" == findings["console-connection"].status
        assert 2 == [path for path, _, _ in api.requests].count(
            api.path("console-connections")
        )

    def test_endless_answer(self, api):
        """An answer is read up to eight megabytes."""

        def endless(handler, query):
            handler.send_response_only(200)
            handler.end_headers()
            for _ in range(200):
                handler.wfile.write(b" " * 65536)

        api.answers[api.path("logs")] = endless
        findings = {each.rule: each for each in diagnose(read_from(api))}
        assert "GET logs answered too much" == findings["same-address"].found

    @pytest.mark.parametrize("part", ["head", "body"])
    def test_slow(self, api, part):
        """A server that sends a byte now and then has no more than the time given."""

        def drip(handler, query):
            if part == "body":
                handler.send_response_only(200)
                handler.end_headers()
            while not api.stop.wait(0.05):
                handler.wfile.write(b" ")

        api.answers[api.path("shop")] = drip
        began = time.monotonic()
        with pytest.raises(ReadError) as caught:
            read_from(api, timeout=0.4)
        assert ("timeout", True) == (caught.value.code, caught.value.retryable)
        assert time.monotonic() - began < 3.0

    def test_nobody_listens(self):
        """A tenant that can't be reached is an error at once."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            domain = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ReadError) as caught:
            read(domain, TOKEN, console=CONSOLE, shop=SHOP)
        assert "unreachable" == caught.value.code
        assert TOKEN not in repr(caught.value)

    def test_no_certificate(self, api):
        """A server without TLS is not spoken to."""
        with pytest.raises(ReadError) as caught:
            read(api.domain.replace("http:", "https:"), TOKEN, console="a", shop="b")
        assert "tls" == caught.value.code

    def test_no_certificate_authority(self):
        """A CA bundle that is not there is named as the trouble."""
        with pytest.raises(ReadError) as caught:
            read("acme.example", TOKEN, console="a", shop="b", verify="/nowhere")
        assert "the CA bundle can't be read" == str(caught.value)

    def test_slow_answer(self, api, monkeypatch):
        """No single answer takes all of the time."""
        monkeypatch.setattr("auth0_stt.doctor.reader._LONGEST", 0.2)
        api.answers[api.path("shop")] = lambda handler, query: api.stop.wait(20)
        with pytest.raises(ReadError) as caught:
            read_from(api)
        assert ("timeout", True) == (caught.value.code, caught.value.retryable)

    def test_no_http(self, api):
        """A server that breaks HTTP is an error, too."""
        api.answers[api.path("console")] = lambda handler, query: handler.wfile.write(
            b"nonsense\r\n\r\n"
        )
        with pytest.raises(ReadError) as caught:
            read_from(api)
        assert caught.value.code in ("unreachable", "invalid_response")

    @pytest.mark.parametrize(
        "given", [{"domain": "acme.auth0.com/x"}, {"timeout": 0}, {"timeout": "soon"}]
    )
    def test_invalid_arguments(self, given):
        """A domain or a timeout that can't be is the caller's mistake."""
        domain = given.pop("domain", "http://127.0.0.1:1")
        with pytest.raises(InvalidArgumentError):
            read(domain, TOKEN, console=CONSOLE, shop=SHOP, **given)


class TestTryLogin:
    def test_asks_once(self, api):
        """One GET with both parameters and no credentials; no redirect is followed."""
        api.answers["/login"] = (302, {"Location": api.domain + "/authorize?a=b"}, b"")
        try_login(api.domain + "/login?next=%2Fx", ORGANIZATION)
        assert ["/login"] == [path for path, _, _ in api.requests]
        _, query, headers = api.requests[0]
        assert {"next", "session_transfer_token", "organization"} == set(query)
        assert [ORGANIZATION] == query["organization"]
        assert "Authorization" not in headers

    def test_document(self, api):
        """What it returns is what diagnose() takes as try-login."""

        def pass_on(handler, query):
            found = "&".join(f"{name}={value[0]}" for name, value in query.items())
            return (
                303,
                {"Location": "https://login.acme.example/authorize?" + found},
                b"",
            )

        api.answers["/login"] = pass_on
        findings = diagnose({TRY_LOGIN: try_login(api.domain + "/login")})
        found = {each.rule: each.status for each in findings}
        assert "ok" == found["login-route-passes-token"]

    def test_slow(self, api):
        """A shop that does not answer has no more than the time given."""
        api.answers["/login"] = lambda handler, query: api.stop.wait(20)
        with pytest.raises(ReadError) as caught:
            try_login(api.domain + "/login", timeout=0.3)
        assert "timeout" == caught.value.code

    @pytest.mark.parametrize(
        "url",
        ["", "file:///etc/passwd", "shop.example.com/login", "http://", "http://["],
    )
    def test_no_url(self, url):
        """What is not a URL is an error without a request."""
        with pytest.raises(InvalidArgumentError) as caught:
            try_login(url)
        assert "target_login_url" == caught.value.argument
