"""For the application that is entered: what to pass on, and who is there."""

from collections import ChainMap, OrderedDict, UserDict, defaultdict
from types import MappingProxyType
from unittest.mock import Mock
from urllib.parse import parse_qs, parse_qsl, urlsplit

import django
import pytest
from django.conf import settings
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st
from values import NO_TEXTS, SPACED, Hostile, Word, ids
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from auth0_stt import (
    DELEGATED_SESSION_LIFETIME,
    SESSION_TRANSFER_TOKEN_TYPE,
    Actor,
    InvalidArgumentError,
    SessionTransferTokenResult,
    actor_from_claims,
    build_logout_url,
    build_session_transfer_redirect,
    session_transfer_params,
)

if not settings.configured:
    settings.configure(DEFAULT_CHARSET="utf-8")
    django.setup()

NO_MAPPINGS = [value for value in NO_TEXTS if not isinstance(value, dict)]
NO_VALUES = [value for value in NO_TEXTS if not isinstance(value, (list, tuple))]
STT = "stt-Fr7iXe1KvN3uOq6T"


def multi_dict(query):
    return MultiDict(parse_qsl(query, keep_blank_values=True))


def immutable_multi_dict(query):
    return ImmutableMultiDict(multi_dict(query))


def lists(query):
    return multi_dict(query).to_dict(flat=False)


READERS = pytest.mark.parametrize(
    "read", [QueryDict, multi_dict, immutable_multi_dict, lists]
)


def refused(call, argument, value):
    with pytest.raises(InvalidArgumentError) as caught:
        call(value)
    assert ("invalid_argument", argument) == (caught.value.code, caught.value.argument)
    return caught.value


class TestParams:
    @READERS
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", {}),
            ("organization=org_1", {}),
            ("organization=a&organization=b", {}),
            ("organization=", {}),
            ("next=/&a=1&a=2", {}),
            ("session_transfer_token=x", {"session_transfer_token": "x"}),
            (
                "session_transfer_token=x&organization=org_1&next=/",
                {"session_transfer_token": "x", "organization": "org_1"},
            ),
            ("a=1&a=2&session_transfer_token=x%2By", {"session_transfer_token": "x+y"}),
            ("Session_transfer_token=x", {}),
        ],
    )
    def test_passed_on(self, read, query, expected):
        """Nothing for an ordinary login; else the token and, if there is one, the organization."""
        assert expected == session_transfer_params(read(query))

    @READERS
    @pytest.mark.parametrize(
        "query",
        [
            "session_transfer_token=x&session_transfer_token=y",
            "session_transfer_token=x&session_transfer_token=x",
            "session_transfer_token=&session_transfer_token=x",
            "session_transfer_token=",
            "session_transfer_token",
            "session_transfer_token=+",
            "session_transfer_token=a+b",
            "session_transfer_token=a%0Ab",
            "session_transfer_token=a%00",
            "session_transfer_token=x&organization=a&organization=b",
            "session_transfer_token=x&organization=",
            "session_transfer_token=x&organization=a%0D%0Ab",
            "session_transfer_token=&organization=a",
        ],
    )
    def test_repeated_or_malformed(self, read, query):
        """What can't be from our redirect is a bad request; the message does not show it."""
        assert STT not in str(
            refused(session_transfer_params, "query", read(query.replace("x", STT)))
        )

    @pytest.mark.parametrize(
        "mapping",
        [
            dict,
            OrderedDict,
            UserDict,
            MappingProxyType,
            ChainMap,
            lambda query: defaultdict(str, query),
            lambda query: {name: [value] for name, value in query.items()},
            lambda query: {name: (value,) for name, value in query.items()},
        ],
    )
    def test_any_mapping(self, mapping):
        """A framework's own mapping, or a dict of str or lists of str."""
        assert {} == session_transfer_params(mapping({}))
        assert {} == session_transfer_params(mapping({"a": "b"}))
        query = {"session_transfer_token": STT, "organization": "org_1", "a": "b"}
        assert {
            "session_transfer_token": STT,
            "organization": "org_1",
        } == session_transfer_params(mapping(query))

    def test_is_not_changed(self):
        """Looking for a parameter does not make it."""
        query = defaultdict(str)
        session_transfer_params(query)
        assert {} == query

    @pytest.mark.parametrize(
        "value",
        [*NO_VALUES, *SPACED, None, "", ["a", "b"], [None], ["a", 1], {"a": "b"}],
        ids=ids,
    )
    def test_values_of_other_types(self, value):
        """A mapping made by hand is checked as well; an empty list is no value."""
        refused(session_transfer_params, "query", {"session_transfer_token": value})

    @pytest.mark.parametrize("value", [[], ()])
    def test_empty_list_is_no_value(self, value):
        """What a mapping of lists may say of a parameter that is not there."""
        assert {} == session_transfer_params({"session_transfer_token": value})

    @pytest.mark.parametrize(
        "value",
        [
            *NO_MAPPINGS,
            None,
            "session_transfer_token=x",
            b"session_transfer_token=x",
            [("session_transfer_token", "x")],
            QueryDict,
            MultiDict,
            Mock(),
            Mock(getlist=None),
            Mock(getlist=Mock(side_effect=RuntimeError)),
            Mock(getlist=Mock(return_value=None)),
        ],
        ids=ids,
    )
    def test_no_mapping(self, value):
        """Anything else is a mistake of the caller's."""
        refused(session_transfer_params, "query", value)

    @READERS
    @given(token=st.text(min_size=1), organization=st.none() | st.text(min_size=1))
    def test_what_was_built_is_read(self, read, token, organization):
        """The login route gets what the console put into the URL, by every framework's parser."""
        result = SessionTransferTokenResult(token, SESSION_TRANSFER_TOKEN_TYPE, 60)
        try:
            url = build_session_transfer_redirect(
                "https://a.example/l?x=1", result, organization
            )
        except InvalidArgumentError:
            return
        expected = {"session_transfer_token": token, "organization": organization}
        params = session_transfer_params(read(url.split("?")[1]))
        assert {
            name: value for name, value in expected.items() if value is not None
        } == params

    @READERS
    @given(
        query=st.text(
            st.sampled_from("&=;%+0aF \nsorg") | st.characters(max_codepoint=0x3FF)
        )
    )
    def test_any_query(self, read, query):
        """A login route either goes on or answers 400."""
        for start in (
            "",
            "session_transfer_token=",
            "organization=&session_transfer_token=",
        ):
            try:
                params = session_transfer_params(read(start + query))
            except InvalidArgumentError:
                continue
            assert set(params) <= {"session_transfer_token", "organization"}
            assert all(
                value.isprintable() and value.split() == [value]
                for value in params.values()
            )

    @pytest.mark.parametrize(("values", "good"), [(["a"], True), (["a", "b"], False)])
    def test_mapping_with_getall(self, values, good):
        """Pyramid's and aiohttp's mappings have all values of a name in getall()."""

        class Query(dict):
            def getall(self, name):
                return values if name == "session_transfer_token" else []

        query = Query(session_transfer_token=values[-1])
        if good:
            assert {"session_transfer_token": "a"} == session_transfer_params(query)
        else:
            with pytest.raises(InvalidArgumentError):
                session_transfer_params(query)


class TestActor:
    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ({}, None),
            ({"sub": "auth0|ada"}, None),
            ({"sub": "auth0|ada", "act": {"sub": "auth0|sam"}}, Actor("auth0|sam", {})),
            (
                {"act": {"sub": "auth0|sam", "team": "support", "n": 1}},
                Actor("auth0|sam", {"team": "support", "n": 1}),
            ),
            (
                MappingProxyType({"act": MappingProxyType({"sub": "auth0|sam"})}),
                Actor("auth0|sam", {}),
            ),
            (
                UserDict(act=UserDict(sub=Word("auth0|sam"), a=None)),
                Actor("auth0|sam", {"a": None}),
            ),
            ({"act": {"sub": "Sam Smith"}}, Actor("Sam Smith", {})),
        ],
        ids=ids,
    )
    def test_actor(self, claims, expected):
        """None for the customer's own session, else the agent and the claims that the Action set."""
        assert expected == actor_from_claims(claims)

    @pytest.mark.parametrize(
        "act",
        [
            None,
            "auth0|sam",
            "",
            b"x",
            7,
            0,
            True,
            False,
            [],
            [{"sub": "auth0|sam"}],
            {},
            {"Sub": "auth0|sam"},
            {"sub": None},
            {"sub": ""},
            {"sub": " \n"},
            {"sub": 7},
            {"sub": ["auth0|sam"]},
            {"sub": b"auth0|sam"},
            {"sub": Hostile()},
            object(),
            Hostile(),
        ],
        ids=ids,
    )
    def test_malformed_act(self, act):
        """A session with a malformed act must not pass for the customer's own."""
        refused(actor_from_claims, "claims", {"sub": "auth0|ada", "act": act})

    @pytest.mark.parametrize(
        "claims", [*NO_MAPPINGS, None, "act", [("act", {"sub": "x"})]], ids=ids
    )
    def test_no_mapping(self, claims):
        """Claims are a mapping."""
        refused(actor_from_claims, "claims", claims)

    def test_is_a_copy(self):
        """Changing what came back does not change the session."""
        claims = {"act": {"sub": "auth0|sam", "team": "support"}}
        actor_from_claims(claims).claims["team"] = "other"
        assert {"act": {"sub": "auth0|sam", "team": "support"}} == claims

    JSON = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text() | st.just("sub"), inner, max_size=3)
        ),
        max_leaves=5,
    )

    @given(act=JSON)
    def test_any_act(self, act):
        """Whatever the claim is: an actor with a sub, or an error."""
        try:
            actor = actor_from_claims({"act": act})
        except InvalidArgumentError:
            assert not (
                isinstance(act, dict)
                and isinstance(act.get("sub"), str)
                and act["sub"].strip()
            )
            return
        assert act == {"sub": actor.sub, **actor.claims}


class TestLogout:
    def test_url(self):
        """Auth0's logout endpoint, with the application and the way back."""
        url = build_logout_url(
            "Login.Acme.com",
            client_id="shop",
            return_to="https://shop.example.com/?a=b",
        )
        parts = urlsplit(url)
        assert ("https", "login.acme.com", "/v2/logout") == parts[:3]
        assert {
            "client_id": ["shop"],
            "returnTo": ["https://shop.example.com/?a=b"],
        } == parse_qs(parts.query)

    def test_without_a_way_back(self):
        """The tenant then sends the browser to the first URL that it allows."""
        url = build_logout_url("http://127.0.0.1:8400", client_id="a&b")
        assert "http://127.0.0.1:8400/v2/logout?client_id=a%26b" == url

    @pytest.mark.parametrize(
        ("argument", "changes"),
        [
            ("domain", {"domain": "https://login.acme.com/v2"}),
            ("client_id", {"client_id": ""}),
            ("return_to", {"return_to": "/"}),
            ("return_to", {"return_to": "javascript:alert(1)"}),
            ("return_to", {"return_to": "https://shop.example.com/a b"}),
            ("return_to", {"return_to": b"https://shop.example.com/"}),
        ],
    )
    def test_refused(self, argument, changes):
        """Each argument is checked before a browser is sent anywhere."""
        arguments = {"domain": "login.acme.com", "client_id": "shop", **changes}
        refused(lambda given: build_logout_url(**given), argument, arguments)


def test_lifetime():
    """Auth0 ends a delegated session after two hours."""
    assert 2 * 60 * 60 == DELEGATED_SESSION_LIFETIME
