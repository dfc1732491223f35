"""What callers pass: a request, or the typed error that names the argument, before anything is sent."""

import ipaddress
import string
from collections import OrderedDict
from types import MappingProxyType

import pytest
from calls import mint, refused, resolve
from django.utils.functional import SimpleLazyObject
from hypothesis import given, reject
from hypothesis import strategies as st
from values import (
    ACTOR_TOKEN,
    BLANKS,
    NO_TEXTS,
    SPACED,
    SUBJECT_TOKEN,
    Choice,
    Hostile,
    Word,
    ids,
)
from werkzeug.local import LocalProxy

from auth0_stt import CustomTokenExchangeError, InvalidArgumentError
from auth0_stt.tenant import parse_domain

try:
    import ada_url
except ImportError:
    ada_url = None

needs_whatwg = pytest.mark.skipif(
    ada_url is None, reason="ada-url has no release for this Python"
)


def accepted(domain):
    """Return the tenant of a domain, or try another if there is none."""
    try:
        return parse_domain(domain)
    except InvalidArgumentError:
        reject()


class TestDomain:
    @pytest.mark.parametrize(
        ("domain", "expected"),
        [
            ("acme.eu.auth0.com", "acme.eu.auth0.com"),
            ("https://acme.eu.auth0.com", "acme.eu.auth0.com"),
            ("https://acme.eu.auth0.com/", "acme.eu.auth0.com"),
            ("acme.eu.auth0.com/", "acme.eu.auth0.com"),
            ("HTTPS://Login.ACME.com/", "login.acme.com"),
            ("Login.Acme.Com:8443", "login.acme.com:8443"),
            ("https://login.acme.com:443/", "login.acme.com"),
            ("login.acme.com:65535", "login.acme.com:65535"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("xn--strae-oqa.example", "xn--strae-oqa.example"),
            ("xn--i-7iq.example", "xn--i-7iq.example"),
            ("xn--4dbrk0ce.example", "xn--4dbrk0ce.example"),
            ("xn--mgbh0fb.xn--kgbechtv", "xn--mgbh0fb.xn--kgbechtv"),
            ("my_tenant.example-1.com", "my_tenant.example-1.com"),
            ("1and1.2-.-3.example", "1and1.2-.-3.example"),
            (
                ".".join(["a" * 63] * 3 + ["b" * 61]),
                ".".join(["a" * 63] * 3 + ["b" * 61]),
            ),
            ("192.0.2.7", "192.0.2.7"),
            ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
            ("[::ffff:192.0.2.7]", "[::ffff:c000:207]"),  # as browsers write it
            ("localhost", "localhost"),
        ],
    )
    def test_normalised_once(self, domain, expected):
        """A domain is read once, to its scheme and its host."""
        tenant = parse_domain(domain)
        assert ("https", expected) == (tenant.scheme, tenant.domain)
        assert expected == tenant.domain

    @pytest.mark.parametrize(
        "domain",
        [
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://127.8.9.1:80/",
            "HTTP://[::1]:3000",
        ],
    )
    def test_http_for_loopback(self, domain):
        """A tenant on this machine needs no TLS."""
        assert "http" == parse_domain(domain).scheme

    @pytest.mark.parametrize(
        ("domain", "expected"),
        [
            ("http://localhost:80", "localhost"),
            ("http://localhost:443", "localhost:443"),
            ("localhost:80", "localhost:80"),
        ],
    )
    def test_own_port_of_the_scheme(self, domain, expected):
        """Only the port that the scheme has anyway is left out."""
        assert expected == parse_domain(domain).domain

    @pytest.mark.parametrize(
        "domain",
        [
            *NO_TEXTS,
            "",
            "acme.com/path",
            "acme.com//",  # one slash at the end, no more
            "acme.com?x=1",
            "acme.com#f",
            "user@acme.com",
            "ftp://acme.com",
            "http://acme.com",  # only for loopback
            "http://127.0.0.1.evil.example",
            "http://[::ffff:127.0.0.1]",
            "http://foo.localhost",  # not everybody resolves it to loopback
            "https://",
            "acme.com:",
            "acme.com:0",
            "acme.com:0443",  # the same port in another way
            "acme.com:65536",
            "acme.com:1_0",  # a number for int()
            "acme.com:\uff18\uff10",  # so are digits of other scripts
            " acme.com",
            "acme.com\n",
            "ac\tme.com",  # browsers leave tabs out
            "acme\0.com",
            "https:\\\\acme.com",  # a slash for browsers
            "acme%2ecom",  # which browsers decode
            "acme\u3002com",  # a full stop for browsers
            "büchner.example",  # only as punycode
            "acme\u00ad.com",  # browsers leave it out
            "localho\u017ft",  # a long s, in lower case an s
            "acme\ud800.com",
            "acme..com",
            "acme.com.",
            "acme*.com",
            "acme.com,evil.com",
            "a" * 64 + ".com",
            ".".join(["a" * 63] * 3 + ["b" * 62]),  # 254 characters
            "xn--a",  # punycode of nothing
            "xn--acme-.com",  # punycode of plain ASCII
            "xn--a-qib.com",  # an unassigned character
            "xn--strae-oqa0896c.com",  # a joiner
            "xn--bcher-2pa.com",  # punycode in another than its normal form
            "a-.xn--4dbrk0ce",  # beside a label from right to left (RFC 5893, 2)
            "127.1",  # IPv4 for browsers, as the next four
            "0x7f000001",
            "127.0.0.01",
            "256.1.1.1",
            "acme.0x",
            "[::1",
            "::1",
            "[1.2.3.4]",
            "[fe80::1%25eth0]",  # a zone is for one machine
            "[v1.x]",
            "[::1]x",
            "[1:2:3:4:5:6:7:8:9]",
        ],
        ids=ids,
    )
    def test_refused(self, endpoint, domain):
        """Anything but a host, by the rules of URLs, is a mistake; the message does not show it."""
        error = refused(endpoint, "domain", domain=domain)
        if isinstance(domain, str) and len(domain.strip()) > 11:
            assert domain.strip() not in str(error)
        refused(endpoint, "domain", resolve, domain=domain)

    def test_empty_port_digits_of_another_script(self, endpoint):
        """Digits are ASCII digits."""
        for digit in ("\u0661", "\u0967", "\uff11", "\u00b2"):
            refused(endpoint, "domain", domain="acme.com:" + digit)

    def test_str_subclass(self, endpoint):
        """A str of a framework's own class is a str."""
        mint(
            Word(endpoint.domain),
            organization=Word("org_1"),
            reason=Word("r"),
            scope=Word("openid"),
        )
        assert "org_1" == endpoint.last.form["organization"]

    def test_huge(self, endpoint):
        """A megabyte of anything is refused without effort."""
        for huge in (
            "a" * 1_000_000,
            "a." * 500_000,
            "https://" + ":" * 1_000_000,
            "1" * 1_000_000,
            "[" * 1_000_000,
        ):
            refused(endpoint, "domain", domain=huge)

    @needs_whatwg
    @given(
        st.text(string.ascii_letters + string.digits + ".-_:[]%@/\\?#xn", max_size=20)
    )
    def test_browsers_read_it_alike(self, domain):
        """What is accepted is the host and port that a WHATWG parser finds in the URL."""
        tenant = accepted(domain)
        assert ada_url.URL(f"https://{tenant.domain}/").host == tenant.domain
        assert (
            f"https://{tenant.domain}/" == ada_url.URL(f"https://{tenant.domain}/").href
        )

    @needs_whatwg
    @given(
        st.from_regex(
            r"\A(xn--[a-z0-9-]{1,12}|[0-9a-fx]{1,4}|[a-z_-]{1,5})(\.(xn--[a-z0-9-]{1,12}|[0-9a-fx]{1,4})){0,4}\Z"
        )
    )
    def test_browsers_read_punycode_and_numbers_alike(self, domain):
        """Also where labels look like punycode, or like an IPv4 address in an odd notation."""
        tenant = accepted(domain)
        assert (
            f"https://{tenant.domain}/" == ada_url.URL(f"https://{tenant.domain}/").href
        )


class TestTexts:
    @pytest.mark.parametrize(
        "argument", ["client_id", "client_secret", "client_assertion", "organization"]
    )
    @pytest.mark.parametrize("value", NO_TEXTS + BLANKS + SPACED, ids=ids)
    def test_what_has_no_blanks(self, endpoint, argument, value):
        """Identifiers and secrets are str without white space or control characters."""
        changes = (
            {"client_secret": None, argument: value}
            if argument == "client_assertion"
            else {argument: value}
        )
        refused(endpoint, argument, **changes)

    @pytest.mark.parametrize(
        "value",
        [*NO_TEXTS, "", " ", "\t\n", "\u3000", "a\0b", "a\ud800b", "\udfff"],
        ids=ids,
    )
    def test_reason(self, endpoint, value):
        """A reason may be any text that can be sent and says something."""
        refused(endpoint, "reason", reason=value)

    @pytest.mark.parametrize(
        "value",
        ["Ticket 4711", "a\nb\tc", "ünïcode ✓ 😀", "a&b=c;d+e%20", "x" * 10_000],
    )
    def test_reason_arrives(self, endpoint, value):
        """What is sent is what the Action reads."""
        mint(endpoint, reason=value)
        assert value == endpoint.last.form["reason"]

    @pytest.mark.parametrize(
        "value", ["a&b=c;d+e%20", "ünïcode-✓-😀", "+", "%00", "x" * 10_000]
    )
    @pytest.mark.parametrize(
        "argument",
        ["client_id", "client_secret", "organization", "subject_token", "actor_token"],
    )
    def test_texts_arrive(self, endpoint, argument, value):
        """Every printable character arrives as it was passed."""
        mint(endpoint, **{argument: value})
        assert value == endpoint.last.form[argument]

    def test_client_id_is_needed(self, endpoint):
        """None is no client."""
        refused(endpoint, "client_id", client_id=None)
        refused(endpoint, "client_id", resolve, client_id=None)

    @pytest.mark.parametrize("call", [mint, resolve])
    def test_message_shows_no_value(self, endpoint, call):
        """The message names argument and remedy, never the value."""
        error = refused(endpoint, "client_secret", call, client_secret="hush hush")
        assert "client_secret" in str(error)
        assert "hush" not in str(error)


class TestTokens:
    @pytest.mark.parametrize(
        "value",
        [
            *NO_TEXTS,
            *BLANKS,
            *SPACED,
            "Bearer abc",
            "bearer abc",
            "BEARER\tabc",
            " Bearer abc",
            "Bearer",
            "Bearer ",
        ],
        ids=ids,
    )
    @pytest.mark.parametrize("argument", ["subject_token", "actor_token"])
    def test_malformed(self, endpoint, argument, value):
        """A token is one bare word; nothing is sent with another."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, **{argument: value})
        error = caught.value
        assert "invalid_token_format" == error.code
        assert (None, None, None, None, False) == (
            error.error,
            error.error_description,
            error.status_code,
            error.retry_after,
            error.retryable,
        )
        assert argument in str(error)
        assert [] == endpoint.requests

    @pytest.mark.parametrize(
        "value", [*NO_TEXTS, *BLANKS, *SPACED, "Bearer abc"], ids=ids
    )
    def test_malformed_refresh_token(self, endpoint, value):
        """A refresh token is one too."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            resolve(endpoint, refresh_token=value)
        assert "invalid_token_format" == caught.value.code
        assert [] == endpoint.requests

    @pytest.mark.parametrize("value", NO_TEXTS, ids=ids)
    def test_id_token_of_another_type(self, endpoint, value):
        """What is no str was not stored as a token."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            resolve(endpoint, id_token=value)
        assert "invalid_token_format" == caught.value.code
        assert [] == endpoint.requests

    def test_subject_token_is_needed(self, endpoint):
        """None is a token of the wrong form, since only the actor may be unavailable."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, subject_token=None)
        assert "invalid_token_format" == caught.value.code

    @pytest.mark.parametrize(
        "value",
        ["bearerabc", "Bearer-abc", "abcBearer", "a.b.c", "~+/=", "x" * 65_536],
    )
    def test_well_formed(self, endpoint, value):
        """Opaque is opaque: what merely looks odd is sent."""
        mint(endpoint, subject_token=value, actor_token=value)
        assert (value, value) == (
            endpoint.last.form["subject_token"],
            endpoint.last.form["actor_token"],
        )

    @pytest.mark.parametrize(
        "proxy", [SimpleLazyObject, LocalProxy], ids=["Django", "Werkzeug"]
    )
    def test_proxies(self, endpoint, proxy):
        """A proxy that claims to be a str is sent as the str that it stands for."""
        mint(endpoint, subject_token=proxy(lambda: "the-token"))
        assert "the-token" == endpoint.last.form["subject_token"]

    @pytest.mark.parametrize(
        "proxy", [SimpleLazyObject, LocalProxy], ids=["Django", "Werkzeug"]
    )
    def test_proxied_settings(self, endpoint, proxy):
        """So is every other text that a settings module may make a proxy of."""
        mint(
            proxy(lambda: endpoint.domain),
            client_id=proxy(lambda: "console"),
            reason=proxy(lambda: "ticket 7"),
            forwarded_for=proxy(lambda: "203.0.113.9"),
            scope=proxy(lambda: "openid"),
            extra={"a": proxy(lambda: "b")},
        )
        form = endpoint.last.form
        assert ("console", "ticket 7", "openid", "b") == tuple(
            form[name] for name in ("client_id", "reason", "scope", "a")
        )

    @pytest.mark.parametrize(
        "name", ["client_id", "client_secret", "organization", "reason"]
    )
    def test_too_long_texts(self, endpoint, name):
        """No other text may be larger either: what is masked later is bounded."""
        refused(endpoint, name, **{name: "x" * 65_537})

    @pytest.mark.parametrize("name", ["subject_token", "actor_token"])
    def test_too_long(self, endpoint, name):
        """Nothing larger than 64 KiB is a token."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, **{name: "x" * 65_537})
        assert "invalid_token_format" == caught.value.code
        assert [] == endpoint.requests

    def test_actor_unavailable(self, endpoint):
        """No actor token: nothing is sent, and the code says so."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, actor_token=None)
        assert ("actor_unavailable", None, False) == (
            caught.value.code,
            caught.value.status_code,
            caught.value.retryable,
        )
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, actor_token=None, actor_token_type=None)
        assert "actor_unavailable" == caught.value.code
        assert [] == endpoint.requests

    @pytest.mark.parametrize("value", [None, ""])
    def test_missing_actor_token_type(self, endpoint, value):
        """A token without its type can't be sent."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(endpoint, actor_token_type=value)
        assert "missing_actor_token_type" == caught.value.code
        assert [] == endpoint.requests

    def test_bearer_prefix_says_what_to_do(self, endpoint):
        """A message names the argument and does not repeat the token."""
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(
                endpoint,
                actor_token="Bearer " + ACTOR_TOKEN,
                subject_token=SUBJECT_TOKEN,
            )
        assert ACTOR_TOKEN not in str(caught.value)


class TestTokenTypes:
    @pytest.mark.parametrize(
        "value",
        [value for value in NO_TEXTS if value is not None]
        + [
            " ",
            "customer",
            "urn",
            "urn:",
            ":x",
            "1urn:x",
            "urn:a b",
            "urn:ü",
            "urn:a\n",
            " urn:a",
            "/urn:a",
            "urn:a\0",
        ],
        ids=ids,
    )
    @pytest.mark.parametrize("argument", ["subject_token_type", "actor_token_type"])
    def test_refused(self, endpoint, argument, value):
        """A type is an absolute URI."""
        refused(endpoint, argument, **{argument: value})

    @pytest.mark.parametrize("value", [None, ""])
    def test_subject_token_type_is_needed(self, endpoint, value):
        """It picks the exchange profile."""
        refused(endpoint, "subject_token_type", subject_token_type=value)

    @pytest.mark.parametrize(
        "value",
        ["urn:acme:customer", "https://acme.com/customer", "acme+x.1:y", "URN:ACME:X"],
    )
    def test_sent(self, endpoint, value):
        """Any URI of the company's own is sent as it is."""
        mint(endpoint, subject_token_type=value, actor_token_type=value)
        assert (value, value) == (
            endpoint.last.form["subject_token_type"],
            endpoint.last.form["actor_token_type"],
        )


class TestSeconds:
    BAD = (
        None, "10", b"1", True, False, -1, -0.0001, float("nan"), float("inf"), -float("inf"), 10**400, 86_401, 1j,
        [], (1, 2), object(), Hostile(),
    )  # fmt: skip

    @pytest.mark.parametrize("value", [*BAD, 0, 0.0], ids=ids)
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_timeout_refused(self, endpoint, call, value):
        """A timeout is a number of seconds above 0, at most a day."""
        refused(endpoint, "timeout", call, timeout=value)

    @pytest.mark.parametrize("value", [1, 0.9, 86_400])
    @pytest.mark.parametrize("call", [mint])
    def test_timeout_taken(self, endpoint, call, value):
        """int or float."""
        call(endpoint, timeout=value)
        assert 1 == len(endpoint.requests)

    @pytest.mark.parametrize("value", BAD, ids=ids)
    def test_leeway_refused(self, endpoint, value):
        """A leeway is a number of seconds from 0, at most a day."""
        refused(endpoint, "leeway", resolve, leeway=value)


class TestScope:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("openid", "openid"),
            ("openid email", "openid email"),
            (["openid", "email"], "openid email"),
            (("read:orders",), "read:orders"),
            ([Choice.ticket], "ticket-number"),
            (Choice.ticket, "ticket-number"),
            ("!#[]~", "!#[]~"),
        ],
    )
    def test_sent(self, endpoint, value, expected):
        """A str or a sequence of str, parted by spaces."""
        mint(endpoint, scope=value)
        assert expected == endpoint.last.form["scope"]

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "a  b",  # two spaces
            " a",
            "a\nb",
            'a"b',  # two characters that the RFC leaves out
            "a\\b",
            "ü",
            "a\ud800",
            [],
            [""],
            ["a b"],  # one name that would be two
            ["a", None],
            [Hostile()],
            b"a",
            7,
            {"a"},  # in which order?
            iter(["a"]),  # gone when it is sent
            Hostile(),
        ],
        ids=ids,
    )
    def test_refused(self, endpoint, value):
        """Scopes are those of RFC 6749, 3.3, in a str, list or tuple."""
        refused(endpoint, "scope", scope=value)

    def test_left_out(self, endpoint):
        """None asks for nothing."""
        mint(endpoint, scope=None)
        assert "scope" not in endpoint.last.form


class TestForwardedFor:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("203.0.113.9", "203.0.113.9"),
            ("0.0.0.0", "0.0.0.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("2001:db8::9", "2001:db8::9"),
            ("2001:0DB8:0000::0009", "2001:db8::9"),
            ("::", "::"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
            ("::FFFF:cb00:7109", "203.0.113.9"),
            (Word("203.0.113.9"), "203.0.113.9"),
        ],
    )
    def test_header(self, endpoint, value, expected):
        """One address, in its canonical form; a dual-stack socket's view of IPv4 as the IPv4 address."""
        mint(endpoint, forwarded_for=value)
        assert [expected] == endpoint.last.headers.get_all("auth0-forwarded-for")

    @pytest.mark.parametrize(
        "value",
        [
            *NO_TEXTS,
            *BLANKS,
            "203.0.113.9, 10.0.0.1",  # what a proxy's header may hold
            "203.0.113.9:443",
            " 203.0.113.9",
            "203.0.113.9\r\nX-Evil: 1",
            "203.0.113",
            "203.0.113.256",
            "203.0.113.09",  # octal for some
            "3405803785",
            "203.0.113.9/32",
            "\uff1203.0.113.9",
            "[2001:db8::9]",
            "[2001:db8::9]:443",
            "fe80::1%eth0",
            "2001:db8:::9",
            "::ffff:203.0.113.09",
            "localhost",
            "unknown",  # RFC 7239 has it
            ipaddress.ip_address("203.0.113.9"),
        ],
        ids=ids,
    )
    def test_refused(self, endpoint, value):
        """No list, port, brackets, zone or name: Auth0 would ignore it, and every redemption would fail."""
        refused(endpoint, "forwarded_for", forwarded_for=value)

    def test_left_out(self, endpoint):
        """None sends no header."""
        mint(endpoint, forwarded_for=None)
        assert "auth0-forwarded-for" not in endpoint.last.headers

    @given(address=st.ip_addresses())
    def test_every_address(self, endpoint_server, address):
        """Any address comes through as that address."""
        endpoint_server.reset()
        mint(endpoint_server, forwarded_for=str(address))
        sent = ipaddress.ip_address(endpoint_server.last.headers["auth0-forwarded-for"])
        assert (getattr(address, "ipv4_mapped", None) or address) == sent


class TestExtra:
    #: What the library or the protocol says itself.
    OWNED = (
        "grant_type", "audience", "resource", "requested_token_type", "scope", "organization", "reason", "client_id",
        "client_secret", "client_assertion", "client_assertion_type", "subject_token", "subject_token_type",
        "actor_token", "actor_token_type", "refresh_token",
    )  # fmt: skip

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ({"ticket": "4711"}, [("ticket", "4711")]),
            ({"ticket": ["1", "2"]}, [("ticket", "1"), ("ticket", "2")]),
            ({"ticket": ("1",)}, [("ticket", "1")]),
            ({"ticket": ""}, [("ticket", "")]),
            ({"a&b": "c=d&e ü\n"}, [("a&b", "c=d&e ü\n")]),
            (OrderedDict([("b", "1"), ("a", "2")]), [("b", "1"), ("a", "2")]),
            (MappingProxyType({"a": "1"}), [("a", "1")]),
            ({Word("a"): Word("1")}, [("a", "1")]),
            ({Choice.ticket: Choice.ticket}, [("ticket-number", "ticket-number")]),
            ({"Audience": "x"}, [("Audience", "x")]),
            ({}, []),
            (None, []),
        ],
        ids=ids,
    )
    def test_sent(self, endpoint, value, expected):
        """Further fields reach the Action beside the protocol's own, in their order."""
        mint(endpoint)
        plain = len(endpoint.last.pairs)
        endpoint.requests.clear()
        mint(endpoint, extra=value)
        names = [name for name, _ in expected]
        assert expected == [
            (name, text) for name, text in endpoint.last.pairs if name in names
        ]
        assert plain + len(expected) == len(endpoint.last.pairs)

    @pytest.mark.parametrize("name", [*OWNED, *map(Word, OWNED)])
    def test_owned_names(self, endpoint, name):
        """A name that the protocol owns is an error, not silently dropped; a str of any class is that name."""
        refused(endpoint, "extra", extra={name: "x"})

    def test_name_of_an_unusual_str(self, endpoint):
        """A str class can't smuggle in a name by another notion of equality or text."""

        class Sly(str):
            __slots__ = ()

            def __eq__(self, other):
                return False

            def __hash__(self):
                return 1

            def __str__(self):
                return "harmless"

        refused(endpoint, "extra", extra={Sly("audience"): "x"})

    @pytest.mark.parametrize(
        "value",
        [
            "a=b",
            7,
            [("a", "b")],
            Hostile(),
            {1: "a"},
            {b"a": "a"},
            {"": "a"},
            {"a b": "a"},
            {"a\n": "a"},
            {"a\ud800": "a"},
            {"a": None},
            {"a": 1},
            {"a": True},
            {"a": b"b"},
            {"a": []},
            {"a": ["b", 1]},
            {"a": {"b"}},  # in which order?
            {"a": iter("b")},
            {"a": "\ud800"},
            {"a": ["\ud800"]},
            {"a": [["b"]]},
            {"a": Hostile()},
        ],
        ids=ids,
    )
    def test_refused(self, endpoint, value):
        """Only str and lists of str, by names that can be sent."""
        refused(endpoint, "extra", extra=value)

    def test_is_not_changed(self, endpoint):
        """The caller's mapping stays the caller's."""
        extra = {"a": ["1", "2"]}
        mint(endpoint, extra=extra)
        assert {"a": ["1", "2"]} == extra


class TestOrganization:
    @pytest.mark.parametrize("value", ["org_1a2B", "acme-shop", "Straße"])
    def test_sent(self, endpoint, value):
        """Id or name, as it is."""
        mint(endpoint, organization=value)
        assert value == endpoint.last.form["organization"]

    def test_left_out(self, endpoint):
        """None sends no field."""
        mint(endpoint)
        assert "organization" not in endpoint.last.form


class TestSession:
    @pytest.mark.parametrize("value", [*NO_TEXTS, "", "session"], ids=ids)
    @pytest.mark.parametrize("call", [mint, resolve])
    def test_refused(self, endpoint, call, value):
        """A session is a requests.Session."""
        refused(endpoint, "session", call, session=value)
