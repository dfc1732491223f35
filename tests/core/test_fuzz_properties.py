"""Whatever is passed in and whatever is answered: a result, or a typed error of ours, and nothing else."""

import json

import pytest
from calls import mint, resolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from values import ACTOR_TOKEN, CLIENT_SECRET, SUBJECT_TOKEN

from auth0_stt import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    Actor,
    ActorToken,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
    SessionTransferTokenResult,
    actor_from_claims,
    build_session_transfer_redirect,
    request_session_transfer_token,
    resolve_actor_token,
    session_transfer_params,
)

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "access_token": JSON | st.just("stt"),
        "issued_token_type": JSON | st.just(SESSION_TRANSFER_TOKEN_TYPE),
        "token_type": JSON | st.just("N_A"),
        "expires_in": JSON | st.integers(1, 100),
        "scope": JSON,
        "error": JSON | st.sampled_from(["invalid_grant", "server_error"]),
        "error_description": JSON | st.just(CLIENT_SECRET),
        "id_token": JSON,
        "refresh_token": JSON,
    },
)
BODIES = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | ANSWERS.map(lambda value: json.dumps(value).encode())
)
STATUSES = st.sampled_from(
    [200, 200, 200, 201, 204, 302, 400, 401, 403, 429, 500, 503, 599]
)

#: The endpoint serves all the examples of one test.
examples = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(call, *arguments, **named):
    """What a call returns, or the error of ours that it raises."""
    try:
        return call(*arguments, **named)
    except SessionTransferError as error:
        return error


@pytest.mark.parametrize(
    ("call", "kind"), [(mint, SessionTransferTokenResult), (resolve, ActorToken)]
)
class TestAnswers:
    @examples
    @given(body=BODIES, status=STATUSES)
    def test_a_result_or_a_typed_error(self, endpoint, call, kind, body, status):
        """Any status with any body is a result, or an error that tells the status and no secret."""
        endpoint.answer(b"" if status == 204 else body, status)
        found = outcome(call, endpoint)
        assert isinstance(found, (kind, CustomTokenExchangeError))
        assert status == getattr(found, "status_code", 200)
        assert not [
            secret
            for secret in (CLIENT_SECRET, SUBJECT_TOKEN, ACTOR_TOKEN)
            if secret in repr(found)
        ]


def signature(function):
    """The arguments that a call needs, good ones."""
    good = {
        "domain": "http://127.0.0.1:1",
        "client_id": "console",
        "client_secret": CLIENT_SECRET,
        "subject_token": SUBJECT_TOKEN,
        "subject_token_type": "urn:acme:customer",
        "actor_token": ACTOR_TOKEN,
        "actor_token_type": ID_TOKEN_TYPE,
    }
    if function is resolve_actor_token:
        good = {
            **{name: good[name] for name in ("domain", "client_id", "client_secret")},
            "id_token": None,
        }
    return good


class TestArguments:
    @pytest.mark.parametrize(
        "name",
        [
            *(
                "domain",
                "client_id",
                "client_secret",
                "client_assertion",
                "client_certificate",
                "subject_token",
            ),
            *(
                "subject_token_type",
                "actor_token",
                "actor_token_type",
                "organization",
                "scope",
                "reason",
            ),
            *("forwarded_for", "extra", "timeout", "session"),
        ],
    )
    @examples
    @given(value=ANYTHING)
    def test_mint(self, name, value):
        """Any value of any argument is sent (here: to a port where nobody listens), or refused by a typed error."""
        arguments = {**signature(request_session_transfer_token), name: value}
        with pytest.raises(SessionTransferError):
            request_session_transfer_token(**arguments)

    @pytest.mark.parametrize(
        "name",
        [
            "domain",
            "client_id",
            "id_token",
            "refresh_token",
            "leeway",
            "timeout",
            "session",
        ],
    )
    @examples
    @given(value=ANYTHING)
    def test_resolve(self, name, value):
        """Any value of any argument is sent, or refused by a typed error."""
        with pytest.raises(SessionTransferError):
            resolve_actor_token(**{**signature(resolve_actor_token), name: value})

    @examples
    @given(url=ANYTHING, organization=ANYTHING, hosts=ANYTHING)
    def test_redirect(self, url, organization, hosts):
        """Any target, organization and allowed hosts give a URL with one token, or a typed error."""
        stt = SessionTransferTokenResult("the-stt", SESSION_TRANSFER_TOKEN_TYPE, 60)
        built = outcome(
            build_session_transfer_redirect, url, stt, organization, allowed_hosts=hosts
        )
        if isinstance(built, InvalidArgumentError):
            assert built.argument in (
                "target_login_url",
                "organization",
                "allowed_hosts",
            )
        else:
            assert 1 == built.count("session_transfer_token=the-stt")

    @given(result=ANYTHING)
    def test_result(self, result):
        """What is no result is refused."""
        with pytest.raises(InvalidArgumentError) as caught:
            build_session_transfer_redirect("https://shop.example.com/", result)
        assert "result" == caught.value.argument

    @given(
        query=ANYTHING
        | st.dictionaries(
            st.sampled_from(["session_transfer_token", "organization"]), ANYTHING
        )
    )
    def test_query(self, query):
        """Any query gives what to pass on, or a typed error."""
        found = outcome(session_transfer_params, query)
        if isinstance(found, InvalidArgumentError):
            assert "query" == found.argument
        else:
            assert set(found) <= {"session_transfer_token", "organization"}
            assert all(value.isprintable() and value for value in found.values())

    @given(
        claims=ANYTHING
        | st.fixed_dictionaries(
            {"act": ANYTHING | st.fixed_dictionaries({"sub": ANYTHING})}
        )
    )
    def test_claims(self, claims):
        """Any claims name the agent, or none where there is no act claim, or are a typed error."""
        actor = outcome(actor_from_claims, claims)
        if isinstance(actor, InvalidArgumentError):
            assert "claims" == actor.argument
        else:
            assert (actor is None) == ("act" not in claims)
            assert actor is None or isinstance(actor, Actor)
