"""The agent's token: as it is while fresh, renewed once stale, and never lost."""

import inspect
import time

import pytest
from calls import resolve
from hypothesis import given
from hypothesis import strategies as st
from values import REFRESH_TOKEN, SPACED, encoded, id_token, ids

from auth0_stt import (
    ID_TOKEN_TYPE,
    ActorToken,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
    resolve_actor_token,
)


def expiring(seconds):
    return id_token({"sub": "auth0|sam", "exp": time.time() + seconds})


RENEWED = {
    "id_token": "renewed.id.token",
    "access_token": "a",
    "token_type": "Bearer",
    "expires_in": 86_400,
}


@pytest.fixture
def tenant(endpoint):
    """An endpoint that renews."""
    endpoint.answer(RENEWED)
    return endpoint


def refusal(call, *arguments, **changes):
    with pytest.raises(CustomTokenExchangeError) as caught:
        call(*arguments, **changes)
    return caught.value


class TestSignature:
    def test_keyword_only(self):
        """Everything after the domain is keyword-only; the id token has no default, since it may be None."""
        parameters = inspect.signature(resolve_actor_token).parameters
        assert ["domain"] == [
            name
            for name, each in parameters.items()
            if each.kind is not each.KEYWORD_ONLY
        ]
        optional = {
            name: each.default
            for name, each in parameters.items()
            if each.default is not each.empty
        }
        nones = dict.fromkeys(
            ["refresh_token", "client_secret", "client_assertion", "client_certificate", "session"]
        )  # fmt: skip
        assert {**nones, "leeway": 30.0, "timeout": 10.0} == optional


class TestFresh:
    @pytest.mark.parametrize("refresh_token", [None, REFRESH_TOKEN])
    @pytest.mark.parametrize("seconds", [40, 3_600, 10**9])
    def test_used_as_it_is(self, tenant, seconds, refresh_token):
        """Without a request; what is stored already comes back."""
        token = expiring(seconds)
        assert ActorToken(token, ID_TOKEN_TYPE, refresh_token, False) == resolve(
            tenant, id_token=token, refresh_token=refresh_token
        )
        assert [] == tenant.requests

    def test_domain_is_not_needed_to_answer(self):
        """There is no request, so no tenant has to be there."""
        token = expiring(3_600)
        assert token == resolve("tenant.invalid", id_token=token).actor_token

    @pytest.mark.parametrize(
        ("seconds", "leeway", "fresh"),
        [
            (20, 30, False),
            (20, 10, True),
            (20, 0, True),
            (-1, 0, False),
            (100, 86_400, False),
            (100, 30.5, True),
        ],
    )
    def test_leeway(self, tenant, seconds, leeway, fresh):
        """It must stay valid for leeway seconds."""
        assert (
            fresh
            is not resolve(tenant, id_token=expiring(seconds), leeway=leeway).refreshed
        )
        assert (0 if fresh else 1) == len(tenant.requests)

    def test_only_exp_is_read(self, tenant):
        """Other claims, the header and the signature are the tenant's to check."""
        token = "x." + encoded({"exp": time.time() + 99, "iss": 7, "nbf": 10**12}) + "."
        assert not resolve(tenant, id_token=token).refreshed

    @pytest.mark.parametrize("exp", [10**10, 1e10, 10**30])
    def test_forms_of_exp(self, tenant, exp):
        """A NumericDate is any number of JSON."""
        assert not resolve(tenant, id_token=id_token({"exp": exp})).refreshed


class TestStale:
    #: What says nothing that holds.
    UNREADABLE = (
        "",
        " ",
        "a",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "...",
        "..",
        "ü.ü.ü",
        "\ud800.\ud800.\ud800",
        "a.!!!!.c",
        "x" * 100_000,
        id_token(b""),
        id_token(b"null"),
        id_token(b"[]"),
        id_token(b"7"),
        id_token(b"\xff"),
        id_token(b"[" * 50_000),
        id_token(b'{"exp": NaN}'),
        id_token(b'{"exp": Infinity}'),
        id_token(b'{"exp": 1e999}'),
        id_token(b'{"exp": 1, "exp": 99999999999}'),
        id_token(b'{"exp": 99999999999, "exp": 99999999999}'),
        id_token(b'{"exp": ' + b"9" * 400 + b"}"),
        id_token(b'{"exp": ' + b"9" * 10_000 + b"}"),
        id_token({}),
        id_token({"exp": None}),
        id_token({"exp": True}),
        id_token({"exp": "99999999999"}),
        id_token({"exp": [99999999999]}),
        id_token({"exp": {}}),
        id_token({"exp": -1}),
        id_token({"exp": 0}),
        id_token({"exp": -1e308}),
        id_token({"exp": 99999999999}) + "\n",
        " " + id_token({"exp": 99999999999}),
        "Bearer " + id_token({"exp": 99999999999}),
    )

    @pytest.mark.parametrize("token", [None, *UNREADABLE, *SPACED, "expired"], ids=ids)
    def test_renewed(self, tenant, token):
        """Missing, expired, unreadable, or with an exp that is no finite number: renewed."""
        token = expiring(-5) if token == "expired" else token
        assert ActorToken(
            "renewed.id.token", ID_TOKEN_TYPE, REFRESH_TOKEN, True
        ) == resolve(tenant, id_token=token)

    def test_request(self, tenant):
        """RFC 6749, 6, with the scope that brings an ID token, and the client's own authentication."""
        resolve(tenant)
        assert "/oauth/token" == tenant.last.path
        assert {
            "grant_type": "refresh_token",
            "refresh_token": REFRESH_TOKEN,
            "scope": "openid",
            "client_id": "console",
            "client_secret": "client-secret-Kq8vXz2LwT5rYp1N",
        } == tenant.last.form
        assert "auth0-forwarded-for" not in tenant.last.headers

    def test_rotated(self, tenant):
        """The tenant's new refresh token takes the place of the old one."""
        tenant.answer({**RENEWED, "refresh_token": "rotated"})
        assert ("rotated", True) == (
            resolve(tenant).refresh_token,
            resolve(tenant).refreshed,
        )

    @pytest.mark.parametrize(
        "rotated", [None, "", " ", 7, True, [], {}, "a b", "\0"], ids=ids
    )
    def test_not_rotated(self, tenant, rotated):
        """Nothing is lost when the answer brings no new one, or none that can be one."""
        tenant.answer({**RENEWED, "refresh_token": rotated})
        assert REFRESH_TOKEN == resolve(tenant).refresh_token

    def test_used_as_it_came(self, tenant):
        """A renewed token is the tenant's newest word: the local clock may be wrong."""
        for token in (expiring(-10_000), "opaque"):
            tenant.answer({**RENEWED, "id_token": token})
            assert token == resolve(tenant, id_token=expiring(-5)).actor_token

    def test_one_request(self, tenant):
        """A refresh token used twice can revoke its family."""
        tenant.answer({"error": "server_error"}, 500)
        with pytest.raises(CustomTokenExchangeError):
            resolve(tenant)
        assert 1 == len(tenant.requests)


class TestUnavailable:
    @pytest.mark.parametrize("token", [None, "unreadable", "", "expired"])
    def test_no_refresh_token(self, tenant, token):
        """Nothing usable and nothing to renew it with: no request."""
        token = expiring(-5) if token == "expired" else token
        error = refusal(resolve, tenant, id_token=token, refresh_token=None)
        assert ("actor_unavailable", None, None, None, False) == (
            error.code,
            error.error,
            error.error_description,
            error.status_code,
            error.retryable,
        )
        assert error.hint
        assert [] == tenant.requests

    def test_reasons_differ(self, tenant):
        """The message says which of the reasons it is."""
        messages = {
            str(refusal(resolve, tenant, id_token=token, refresh_token=None))
            for token in (None, "stale")
        }
        for answer, status in (
            (RENEWED["access_token"], 200),
            ({"error": "invalid_grant"}, 403),
        ):
            tenant.answer({} if status == 200 else answer, status)
            messages.add(str(refusal(resolve, tenant)))
        assert 4 == len(messages)

    @pytest.mark.parametrize("status", [403, 400])
    def test_refused(self, tenant, status):
        """A refresh token that is refused means the agent: sign in again."""
        word = "invalid_grant"
        tenant.answer(
            {"error": word, "error_description": "Unknown or invalid refresh token."},
            status,
            x_auth0_requestid="4ad55daa560e468bdfe1",
        )
        error = refusal(resolve, tenant, id_token=expiring(-5))
        assert (
            "actor_unavailable",
            word,
            "Unknown or invalid refresh token.",
            status,
            False,
            "4ad55daa560e468bdfe1",
        ) == (
            error.code,
            error.error,
            error.error_description,
            error.status_code,
            error.retryable,
            error.request_id,
        )

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"error": "invalid_client"}, 401, "invalid_client"),
            ({"error": "access_denied"}, 401, "invalid_client"),
            ({"error": "unauthorized_client"}, 403, "unauthorized_client"),
            ({"error": "access_denied"}, 403, "access_denied"),
            ({"error": "invalid_request"}, 400, "invalid_request"),
            ({"error": "a_word_of_an_action"}, 400, "token_exchange_failed"),
            (b"<html>Forbidden</html>", 403, "token_exchange_failed"),
            (b"", 404, "token_exchange_failed"),
            (b"", 408, "token_exchange_failed"),
            (b"", 413, "token_exchange_failed"),
        ],
        ids=ids,
    )
    def test_other_refusals(self, tenant, body, status, code):
        """Any other refusal keeps its code: a new sign-in would not help."""
        tenant.answer(body, status)
        error = refusal(resolve, tenant)
        assert (code, status) == (error.code, error.status_code)

    @pytest.mark.parametrize(
        "value", [None, "", " ", 7, True, [], {}, "a b", "\0", "Bearer x"], ids=ids
    )
    def test_no_id_token_in_the_answer(self, tenant, value):
        """None in the answer, or none that can be one: no actor."""
        tenant.answer({**RENEWED, "id_token": value})
        error = refusal(resolve, tenant)
        assert ("actor_unavailable", 200) == (error.code, error.status_code)


class TestToldApart:
    def test_mfa_required(self, tenant):
        """The agent must sign in anew, which is something else than having no token."""
        tenant.answer(
            {
                "error": "mfa_required",
                "error_description": "Multifactor authentication required",
            },
            403,
        )
        error = refusal(resolve, tenant)
        assert ("mfa_required", 403, False) == (
            error.code,
            error.status_code,
            error.retryable,
        )

    @pytest.mark.parametrize(
        ("answer", "status", "code"),
        [
            ({"error": "too_many_requests"}, 429, "too_many_requests"),
            ({"error": "too_many_attempts"}, 429, "too_many_attempts"),
            (b"", 429, "too_many_requests"),
            (b"<html>", 502, "server_error"),
            (b"", 503, "temporarily_unavailable"),
            ({"error": "server_error"}, 500, "server_error"),
            ({"error": "temporarily_unavailable"}, 503, "temporarily_unavailable"),
            ({"error": "server_error"}, 400, "server_error"),
            ({"error": "temporarily_unavailable"}, 400, "temporarily_unavailable"),
        ],
        ids=ids,
    )
    def test_tenant_in_trouble(self, tenant, answer, status, code):
        """A tenant in trouble says nothing about the agent: the error stays what it is."""
        tenant.answer(answer, status, Retry_After="7")
        error = refusal(resolve, tenant)
        assert (code, status, 7.0, True) == (
            error.code,
            error.status_code,
            error.retry_after,
            error.retryable,
        )

    def test_refusal_with_500(self, tenant):
        """A 500 stays what it is, also with a word that makes it no matter of a retry."""
        tenant.answer({"error": "unauthorized_actor"}, 500)
        error = refusal(resolve, tenant)
        assert ("token_exchange_failed", "unauthorized_actor", False) == (
            error.code,
            error.error,
            error.retryable,
        )

    @pytest.mark.parametrize(
        ("body", "status"), [(b"", 200), (b"[]", 200), (b"", 302), (b"x" * 70_000, 200)]
    )
    def test_unusable_answer(self, tenant, body, status):
        """Nor does a proxy that answers in its place."""
        tenant.answer(body, status)
        assert "invalid_response" == refusal(resolve, tenant).code

    def test_unreachable(self, tenant):
        """Nor a lost connection."""
        tenant.drop()
        with pytest.raises(TransportError) as caught:
            resolve(tenant)
        assert ("unreachable", True) == (caught.value.code, caught.value.sent)

    def test_timeout(self, tenant):
        """The deadline is that of minting."""
        tenant.hang()
        with pytest.raises(TransportError) as caught:
            resolve(tenant, timeout=0.1)
        assert "timeout" == caught.value.code


class TestArguments:
    def test_checked_even_while_fresh(self, tenant):
        """A mistake in the settings is found at once, not when the token goes stale."""
        for changes in (
            {"client_secret": None},
            {"client_id": ""},
            {"timeout": 0},
            {"session": 1},
            {"leeway": -1},
        ):
            with pytest.raises(InvalidArgumentError):
                resolve(tenant, id_token=expiring(3_600), **changes)
        with pytest.raises(CustomTokenExchangeError) as caught:
            resolve(tenant, id_token=expiring(3_600), refresh_token="a b")
        assert "invalid_token_format" == caught.value.code

    @given(
        token=st.text()
        | st.binary().map(id_token)
        | st.floats().map(lambda exp: id_token({"exp": exp}))
    )
    def test_any_id_token(self, endpoint_server, token):
        """Any text is either used as it is, or renewed."""
        endpoint_server.reset()
        endpoint_server.answer(RENEWED)
        actor = resolve(endpoint_server, id_token=token)
        assert (token, 0) == (
            actor.actor_token,
            len(endpoint_server.requests),
        ) or actor.refreshed

    @given(
        answer=st.dictionaries(
            st.sampled_from(
                ["id_token", "refresh_token", "error", "error_description"]
            ),
            st.none()
            | st.text(st.characters(), max_size=8)
            | st.integers()
            | st.lists(st.text(), max_size=2),
        ),
        status=st.sampled_from([200, 200, 200, 400, 403, 429, 500]),
    )
    def test_any_answer(self, endpoint_server, answer, status):
        """Whatever the tenant says: what is to be stored, or a typed error; the refresh token is never lost."""
        endpoint_server.reset()
        endpoint_server.answer(answer, status)
        try:
            actor = resolve(endpoint_server)
        except SessionTransferError as error:
            assert error.code  # noqa: PT017
            return
        assert answer["id_token"] == actor.actor_token
        assert actor.refresh_token in (REFRESH_TOKEN, answer.get("refresh_token"))
        assert actor.refresh_token
