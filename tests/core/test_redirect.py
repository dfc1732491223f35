"""The redirect: one token, in the query, on the host that browser and server both read."""

import pickle
import string
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest
from django.utils.functional import SimpleLazyObject
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from values import NO_TEXTS, SPACED, Hostile, Word, ids
from werkzeug.local import LocalProxy

from auth0_stt import (
    REDIRECT_HEADERS,
    SESSION_TRANSFER_TOKEN_TYPE,
    InvalidArgumentError,
    SessionTransferTokenResult,
    build_session_transfer_redirect,
)

try:
    import ada_url
except ImportError:
    ada_url = None

needs_whatwg = pytest.mark.skipif(
    ada_url is None, reason="ada-url has no release for this Python"
)

STT = "stt-Fr7iXe1KvN3uOq6T"


def result(token=STT, issued_token_type=SESSION_TRANSFER_TOKEN_TYPE):
    return SessionTransferTokenResult(token, issued_token_type, 60)


RESULT = result()


def build(target, organization=None, **keywords):
    return build_session_transfer_redirect(target, RESULT, organization, **keywords)


def refused(argument, *arguments, **keywords):
    with pytest.raises(InvalidArgumentError) as caught:
        build_session_transfer_redirect(*arguments, **keywords)
    assert ("invalid_argument", argument) == (caught.value.code, caught.value.argument)
    return caught.value


class TestUrl:
    @pytest.mark.parametrize(
        ("target", "expected"),
        [
            (
                "https://shop.example.com/login",
                f"https://shop.example.com/login?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com",
                f"https://shop.example.com/?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/",
                f"https://shop.example.com/?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/a/",
                f"https://shop.example.com/a/?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com?a=1",
                f"https://shop.example.com/?a=1&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?",
                f"https://shop.example.com/l?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?a=1&",
                f"https://shop.example.com/l?a=1&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?a",
                f"https://shop.example.com/l?a&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?&&a=",
                f"https://shop.example.com/l?&&a=&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?a=%C3%BC+%2F&b=x:y/?@",
                f"https://shop.example.com/l?a=%C3%BC+%2F&b=x:y/?@&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?a=1;b=2",
                f"https://shop.example.com/l?a=1;b=2&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l?a=%zz%",
                f"https://shop.example.com/l?a=%zz%&session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/l#",
                f"https://shop.example.com/l?session_transfer_token={STT}#",
            ),
            (
                "https://shop.example.com/l#a?b=c",
                f"https://shop.example.com/l?session_transfer_token={STT}#a?b=c",
            ),
            (
                "https://shop.example.com/l?#",
                f"https://shop.example.com/l?session_transfer_token={STT}#",
            ),
            (
                "https://shop.example.com/l?a=1#session_transfer_token=x",
                f"https://shop.example.com/l?a=1&session_transfer_token={STT}#session_transfer_token=x",
            ),
            (
                "https://shop.example.com:8443/l",
                f"https://shop.example.com:8443/l?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com:443/l",
                f"https://shop.example.com:443/l?session_transfer_token={STT}",
            ),
            (
                "HTTPS://Shop.Example.COM/Login",
                f"HTTPS://Shop.Example.COM/Login?session_transfer_token={STT}",
            ),
            (
                "https://[2001:db8::1]:8443/l",
                f"https://[2001:db8::1]:8443/l?session_transfer_token={STT}",
            ),
            (
                "http://localhost:3000/l",
                f"http://localhost:3000/l?session_transfer_token={STT}",
            ),
            (
                "http://127.0.0.1:3000/l",
                f"http://127.0.0.1:3000/l?session_transfer_token={STT}",
            ),
            ("http://[::1]/l", f"http://[::1]/l?session_transfer_token={STT}"),
            (
                "https://shop.example.com//a//b",
                f"https://shop.example.com//a//b?session_transfer_token={STT}",
            ),
            (
                "https://shop.example.com/a/...",
                f"https://shop.example.com/a/...?session_transfer_token={STT}",
            ),
        ],
    )
    def test_built(self, target, expected):
        """The token is the last parameter, before any fragment; what was there stays byte for byte."""
        assert expected == build(target)

    @pytest.mark.parametrize(
        ("query", "kept"),
        [
            ("session_transfer_token=old", ""),
            ("session_transfer_token", ""),
            ("session_transfer_token=", ""),
            ("session_transfer_token=a&session_transfer_token=b", ""),
            ("a=1&session_transfer_token=old&b=2", "a=1&b=2&"),
            ("%73ession_transfer_token=old", ""),
            ("session%5Ftransfer%5ftoken=old", ""),
            ("%73%65%73%73ion_transfer_token=old&a", "a&"),
            ("session_transfer_token=old&organization=org", "organization=org&"),
            ("Session_transfer_token=x", "Session_transfer_token=x&"),
            ("session_transfer_token2=x", "session_transfer_token2=x&"),
            ("a=session_transfer_token", "a=session_transfer_token&"),
            ("session+transfer+token=x", "session+transfer+token=x&"),
        ],
    )
    def test_earlier_token_is_replaced(self, query, kept):
        """The parameter appears exactly once, however the earlier one was spelled."""
        assert f"https://a.example/?{kept}session_transfer_token={STT}" == build(
            "https://a.example/?" + query
        )

    @pytest.mark.parametrize(
        ("query", "kept"),
        [
            ("organization=old", ""),
            ("%6Frganization=old&a=1&organization", "a=1&"),
            ("session_transfer_token=x&organization=old", ""),
        ],
    )
    def test_earlier_organization_is_replaced(self, query, kept):
        """With an organization there is one of those, too."""
        expected = (
            f"https://a.example/?{kept}session_transfer_token={STT}&organization=org_1"
        )
        assert expected == build("https://a.example/?" + query, "org_1")

    @pytest.mark.parametrize(
        "organization", ["org_1", "a&b=c#d?e/f+g%20", "Straße", Word("org_1")]
    )
    def test_organization(self, organization):
        """The organization follows the token, percent-encoded."""
        url = build("https://a.example/l#f", organization)
        assert [
            ("session_transfer_token", STT),
            ("organization", organization),
        ] == parse_qsl(urlsplit(url).query)
        assert "f" == urlsplit(url).fragment

    @pytest.mark.parametrize(
        "token", ["a&b=c#d?e/f+g%20", "\u00fc\u2713", "~._-", "'\"<>`{}|\\^[]"]
    )
    def test_token_is_encoded(self, token):
        """Whatever an opaque token holds, it is one value."""
        url = build_session_transfer_redirect(
            "https://a.example/l?x=1#f", result(token)
        )
        assert [("x", "1"), ("session_transfer_token", token)] == parse_qsl(
            urlsplit(url).query
        )
        assert url.isascii()
        assert quote(token, safe="") in url

    def test_str_subclasses(self):
        """A str of a framework's own class is a str; what comes back is a plain one."""
        url = build(
            Word("https://a.example/l"), Word("org"), allowed_hosts=[Word("a.example")]
        )
        assert str is type(url)


class TestTarget:
    @pytest.mark.parametrize(
        "target",
        [
            *NO_TEXTS,
            *SPACED,
            "",
            # Not absolute, or absolute only for browsers.
            "/login",
            "//a.example/login",
            "https:a.example",
            "https:/a.example/login",
            "https:///a.example/login",
            "https://",
            "https://:443/",
            "https://?x",
            # Another scheme.
            "http://a.example/",
            "http://localhost.a.example/",
            "javascript://a.example/%0aalert(1)",
            "data:text/html,x",
            "https+x://a.example/",
            "http\u017f://a.example/",  # a long s, in lower case an s
            # A user, or what looks like one.
            "https://user:pw@a.example/",
            "https://@a.example/",
            "https://a.example@evil.example/",
            # A backslash, which is a slash for browsers.
            "https://a.example\\@evil.example/",
            "https:\\\\a.example/",
            "https://a.example/a\\b",
            "https://a.example/?a\\b",
            "https://a.example/#a\\b",
            # White space and control characters, which browsers leave out or encode.
            " https://a.example/",
            "ht\ntps://a.example/",
            "https://a.exa\tmple/",
            "https://a.example/a b",
            "https://a.example/\r\nX: y",
            "https://a.example/#a\nb",
            # Characters that browsers map, encode or take for a slash.
            "https://a\u3002example/",
            "https://a.example\uff0flogin",
            "https://b\u00fccher.example/",
            "https://a.example/\u00fc",
            "https://a.example/?\u00fc",
            "https://a.example/#\u00fc",
            "https://a%2eexample/",
            "https://a.example%2f@evil.example/",
            # Not a port, or not the way to write it.
            "https://a.example:/",
            "https://a.example:0443/",
            "https://a.example:65536/",
            "https://a.example:x/",
            "https://a.example:\uff14\uff14\uff13/",
            # Not a host; the reasons are those of a domain.
            "https://127.1/",
            "https://1.2.3.4.5/",
            "https://[fe80::1%25eth0]/",
            "https://[::1/",
            "https://::1/",
            "https://a..example/",
            "https://a.example./",
            "https://xn--a/",
            # Not the way that browsers write an IPv6 address.
            "https://[2001:db8:0::1]/",
            "https://[::ffff:1.2.3.4]/",
            # Dot segments, which browsers resolve.
            "https://a.example/..",
            "https://a.example/./b",
            "https://a.example/a/.%2E",
            # Characters that are not allowed in a URL, and that browsers encode.
            'https://a.example/?"',
            "https://a.example/<x>",
            "https://a.example/#<x>",
            "https://a.example/`",
            "https://a.example/{x}",
            # A token of its own, for servers that split a query at semicolons.
            "https://a.example/?a=1;session_transfer_token=x",
            "https://a.example/?a;%73ession_transfer_token=x;b",
        ],
        ids=ids,
    )
    def test_refused(self, target):
        """Only an absolute https URL that every browser reads as urllib.parse does."""
        error = refused("target_login_url", target, RESULT)
        if isinstance(target, str) and len(target) > 12:
            assert target not in str(error)

    def test_organization_behind_a_semicolon(self):
        """Servers that part a query at semicolons would see two of them."""
        target = "https://a.example/?a=1;organization=x"
        assert build(target)
        refused("target_login_url", target, RESULT, "org_1")

    def test_huge(self):
        """A megabyte of anything is refused, or built, without effort."""
        for filler in ("a", "/", "&", "%", ";", "."):
            refused("target_login_url", "https://" + filler * 1_000_000, RESULT)
        for filler in ("a", "&", "%", "a=b&", "session_transfer_token&"):
            assert 1 == len([x for x in parse_qsl(urlsplit(build("https://a.example/?" + filler * 1000)).query)
                             if x[0] == "session_transfer_token"])  # fmt: skip


class TestResult:
    def test_out_of_a_pickle(self):
        """A result that was kept elsewhere is as good: its type is compared by value."""
        kept = pickle.loads(pickle.dumps(RESULT))
        url = build_session_transfer_redirect("https://a.example/", kept)
        assert build("https://a.example/") == url

    @pytest.mark.parametrize(
        "value",
        [
            *NO_TEXTS,
            None,
            STT,
            {"session_transfer_token": STT},
            SessionTransferTokenResult,
        ],
        ids=ids,
    )
    def test_other_types(self, value):
        """Only what minting returned has a token that may get into a URL."""
        refused("result", "https://a.example/", value)

    @pytest.mark.parametrize(
        "issued_token_type",
        [
            "urn:ietf:params:oauth:token-type:access_token",
            "urn:ietf:params:oauth:token-type:id_token",
            SESSION_TRANSFER_TOKEN_TYPE.upper(),
            SESSION_TRANSFER_TOKEN_TYPE + " ",
            "",
            None,
            7,
            Hostile(),
        ],
        ids=ids,
    )
    def test_other_token_types(self, issued_token_type):
        """An access token never gets into a URL."""
        refused(
            "result", "https://a.example/", result(issued_token_type=issued_token_type)
        )

    @pytest.mark.parametrize(
        "token", [*NO_TEXTS, *SPACED, None, "", "Bearer abc"], ids=ids
    )
    def test_malformed_token(self, token):
        """A result made by hand is checked too."""
        refused("result", "https://a.example/", result(token))


class TestOrganization:
    @pytest.mark.parametrize("value", [*NO_TEXTS, *SPACED, "", " "], ids=ids)
    def test_refused(self, value):
        """A str without white space, or None."""
        refused("organization", "https://a.example/", RESULT, value)


class TestAllowedHosts:
    def test_keyword_only(self):
        """Hosts are named: in third place they would be taken for an organization."""
        with pytest.raises(TypeError):
            build_session_transfer_redirect(
                "https://a.example/", result(), None, ["a.example"]
            )

    @pytest.mark.parametrize(
        ("target", "allowed"),
        [
            ("https://a.example/l", ["a.example"]),
            ("https://a.example/l", ("b.example", "a.example")),
            ("https://a.example/l", {"a.example"}),
            ("https://a.example/l", frozenset(["a.example"])),
            ("https://a.example/l", {"a.example": 1}),
            ("https://a.example/l", {"a.example": 1}.keys()),
            ("https://A.Example/l", ["a.EXAMPLE"]),
            ("https://a.example/l", ["a.example:443"]),
            ("https://a.example:443/l", ["a.example"]),
            ("https://a.example:8443/l", ["a.example:8443"]),
            ("http://localhost:3000/l", ["localhost:3000"]),
            ("http://localhost/l", ["localhost:80"]),
            ("https://[2001:db8::1]/l", ["[2001:DB8::1]:443"]),
        ],
        ids=ids,
    )
    def test_allowed(self, target, allowed):
        """A host and its port are in the collection, in any letter case."""
        assert build(target, allowed_hosts=allowed)

    @pytest.mark.parametrize(
        ("target", "allowed"),
        [
            ("https://a.example/l", []),
            ("https://a.example/l", ["b.example"]),
            ("https://a.example/l", ["example"]),
            ("https://a.example/l", ["a.example.com"]),
            ("https://sub.a.example/l", ["a.example"]),
            ("https://a.example:8443/l", ["a.example"]),
            ("https://a.example/l", ["a.example:8443"]),
            ("https://a.example:80/l", ["a.example"]),
            ("http://localhost:443/l", ["localhost"]),
            ("http://localhost:3000/l", ["localhost"]),
            ("https://localhost/l", ["localhost:80"]),
        ],
        ids=ids,
    )
    def test_not_allowed(self, target, allowed):
        """Another host or another port is refused, and it is the URL that is at fault."""
        refused("target_login_url", target, RESULT, allowed_hosts=allowed)

    @pytest.mark.parametrize(
        "allowed",
        [
            "a.example",
            b"a.example",
            7,
            True,
            False,
            object(),
            iter(["a.example"]),
            ["a.example", None],
            ["a.example", ""],
            ["a.example", b"a.example"],
            ["https://a.example"],
            ["a.example/"],
            ["*.example"],
            [".example"],
            ["a.example:0"],
            ["a.example:"],
            ["user@a.example"],
            [Hostile()],
        ],
        ids=ids,
    )
    def test_malformed(self, allowed):
        """A collection of host or host:port, nothing that would silently match nothing."""
        refused("allowed_hosts", "https://a.example/", RESULT, allowed_hosts=allowed)


@pytest.mark.parametrize("proxy", [SimpleLazyObject, LocalProxy])
def test_proxied_texts(proxy):
    """A proxy that claims to be a str is read as the str that it stands for."""
    url = build_session_transfer_redirect(
        proxy(lambda: "https://a.example/l"),
        RESULT,
        allowed_hosts=[proxy(lambda: "a.example")],
    )
    assert url.startswith("https://a.example/l?session_transfer_token=")


class TestHeaders:
    def test_redirect_headers(self):
        """The URL holds a token: no cache keeps it, no Referer tells it."""
        assert {
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
        } == REDIRECT_HEADERS


HOSTS = st.one_of(
    st.sampled_from(
        [
            "a.example",
            "A.Example:443",
            "127.0.0.1:1",
            "[::1]:65535",
            "xn--bcher-kva.example",
            "a.example:80",
        ]
    ),
    st.text(
        string.ascii_letters + string.digits + ".-_:[]%@\\x", min_size=1, max_size=15
    ),
    st.from_regex(r"\A[a-f0-9x]{1,4}(\.[0-9a-fx]{1,4}){0,4}(:[0-9]{0,5})?\Z"),
    st.from_regex(r"\A\[[0-9a-f:.]{2,20}\]\Z"),
    st.from_regex(r"\Axn--[a-z0-9-]{1,10}(\.[a-z0-9]{1,4})?\Z"),
)
#: Everything of ASCII, with what steers a URL parser made likely.
ODD = st.text(
    st.one_of(
        st.sampled_from("/?#&=;%.\\@:+[]{}|^`'\"<> \t\n2eE"),
        st.characters(max_codepoint=0x100),
    ),
    max_size=15,
)
#: What the expressions let through, and so reaches the judges.
GENTLE = st.text(st.sampled_from("/?&=;%.@:+'!$()*,~-_[]{}|^2eEaZ0"), max_size=15)
QUERIES = st.lists(
    st.one_of(
        ODD,
        GENTLE,
        st.sampled_from(
            [
                "session_transfer_token=x",
                "%73ession_transfer_token",
                "organization=o",
                "a=b",
                "",
            ]
        ),
    ),
    max_size=4,
).map("&".join)
TARGETS = st.one_of(
    st.builds("https://{}{}".format, HOSTS, ODD),
    st.builds("https://a.example/{}?{}#{}".format, ODD, QUERIES, ODD),
    st.builds("https://a.example/l?{}".format, QUERIES),
    st.builds("https://a.example/{}?{}#{}".format, GENTLE, GENTLE, GENTLE),
    st.builds("https://{}/{}".format, HOSTS, GENTLE),
    st.builds(
        "{}{}".format,
        st.sampled_from(["http:", "https:", "HTTPS://", "https:///", "https:\\"]),
        ODD,
    ),
    st.text(max_size=20),
)


def accepted(target, organization=None, token=RESULT):
    """Return the URL, or None: a target that is refused says nothing to a judge."""
    try:
        return build_session_transfer_redirect(target, token, organization)
    except InvalidArgumentError:
        return None


class TestJudges:
    @settings(max_examples=3 * settings().max_examples)
    @given(target=TARGETS, organization=st.sampled_from([None, "org_1"]))
    @example("https://a.example/l?a='", None)
    def test_urllib(self, target, organization):
        """For urllib.parse the URL is the target, with one more parameter or two at the end of its query."""
        url = accepted(target, organization)
        assume(url is not None)
        before, after = urlsplit(target), urlsplit(url)
        assert (before.scheme, before.netloc, before.path or "/", before.fragment) == (
            after.scheme,
            after.netloc,
            after.path,
            after.fragment,
        )
        replaced = (
            {"session_transfer_token", "organization"}
            if organization
            else {"session_transfer_token"}
        )
        kept = [
            pair
            for pair in parse_qsl(before.query, keep_blank_values=True)
            if pair[0] not in replaced
        ]
        added = [("session_transfer_token", STT)] + [("organization", "org_1")] * bool(
            organization
        )
        assert kept + added == parse_qsl(after.query, keep_blank_values=True)

    @needs_whatwg
    @settings(max_examples=3 * settings().max_examples)
    @given(target=TARGETS, organization=st.sampled_from([None, "org_1"]))
    @example("https://a.example/l?a='", None)
    @example("https://a.example:443/l?a#", None)
    def test_browser(self, target, organization):
        """A browser goes to that host, port and path, and sends that query."""
        url = accepted(target, organization)
        assume(url is not None)
        ours, browser = urlsplit(url), ada_url.URL(url)
        assert ours.scheme + ":" == browser.protocol
        assert ("", "") == (browser.username, browser.password)
        assert ours.hostname == browser.hostname.strip("[]")
        assert {
            None: "",
            443: "" if ours.scheme == "https" else "443",
            80: "" if ours.scheme == "http" else "80",
        }.get(ours.port, str(ours.port)) == browser.port
        assert ours.path == browser.pathname
        assert ours.query.replace("'", "%27") == browser.search[1:]
        assert ours.fragment == browser.hash[1:]
        pairs = ada_url.URLSearchParams(browser.search)
        assert [STT] == pairs.get_all("session_transfer_token")
        if organization:
            assert [organization] == pairs.get_all("organization")

    @needs_whatwg
    @settings(max_examples=3 * settings().max_examples)
    @given(target=TARGETS)
    def test_browser_reads_the_target_alike(self, target):
        """Where the target is accepted, a browser would go to the same place for it as for the URL."""
        url = accepted(target)
        assume(url is not None)
        url, plain = ada_url.URL(url), ada_url.URL(target)
        assert (plain.origin, plain.pathname, plain.hash) == (
            url.origin,
            url.pathname,
            url.hash,
        )

    @given(token=st.text(min_size=1), organization=st.text(min_size=1))
    def test_any_token(self, token, organization):
        """Token and organization arrive as they are, whatever they hold."""
        url = accepted("https://a.example/?x#f", organization, result(token))
        if url is None:
            assert (
                not (token + organization).isprintable() or " " in token + organization
            )
            return
        values = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&")[1:])
        assert {"session_transfer_token": token, "organization": organization} == {
            name: unquote(value) for name, value in values.items()
        }
