"""The error tree: what a program branches on, what a person reads, and what survives a trip to another process."""

import copy
import pickle
import re

import pytest
from values import SERVER_CODES

from auth0_stt import (
    CustomTokenExchangeError,
    CustomTokenExchangeErrorCode,
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
    TransportErrorCode,
)

LOCAL_CODES = ["actor_unavailable", "missing_actor_token_type", "invalid_token_format"]
ANSWER_CODES = ["token_exchange_failed", "invalid_response", "unexpected_token_type"]

ERRORS = [
    InvalidArgumentError("domain must be a host", "domain"),
    TransportError("timeout", "no answer", True),
    TransportError(TransportErrorCode.UNREACHABLE, "no such name", False, True),
    CustomTokenExchangeError("actor_unavailable", "no actor"),
    CustomTokenExchangeError(
        "too_many_requests",
        "refused",
        "too_many_requests",
        "Slow down",
        429,
        7.5,
        "4ad5",
    ),
]


def facts(error):
    names = (
        "code",
        "message",
        "retryable",
        "hint",
        "argument",
        "sent",
        "error",
        "error_description",
    )
    return {
        name: getattr(error, name, None)
        for name in (*names, "status_code", "retry_after", "request_id")
    }


class TestTree:
    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_every_error_is_a_session_transfer_error(self, error):
        """One except clause catches whatever the package raises."""
        assert isinstance(error, SessionTransferError)
        assert isinstance(error, Exception)

    def test_invalid_argument_is_a_value_error(self):
        """A caller who expects Python's own error for a bad value gets it, with code and argument."""
        error = InvalidArgumentError("timeout must be a number", "timeout")
        assert isinstance(error, ValueError)
        assert ("invalid_argument", "timeout", False, None) == (
            error.code,
            error.argument,
            error.retryable,
            error.hint,
        )

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_str_is_the_message(self, error):
        """A person reads a sentence, not the tuple of the fields."""
        assert error.message == str(error)
        assert error.message == f"{error}"

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_fields_of_every_error(self, error):
        """The shared fields are there on each error, so that no handler has to ask."""
        assert isinstance(error.code, str)
        assert isinstance(error.message, str)
        assert isinstance(error.retryable, bool)
        assert error.hint is None or isinstance(error.hint, str)
        assert error.retry_after is None or isinstance(error.retry_after, float)

    def test_unused_facts_are_none(self):
        """What the server did not say is None."""
        error = CustomTokenExchangeError(code="actor_unavailable", message="no actor")
        assert (None,) * 4 == (
            error.error,
            error.error_description,
            error.status_code,
            error.retry_after,
        )


class TestCodes:
    def test_members(self):
        """Exactly the documented codes, each member named as its value in capitals."""
        words = LOCAL_CODES + SERVER_CODES + ANSWER_CODES
        expected = {word.upper(): word for word in words}
        assert expected == {
            name: code.value
            for name, code in CustomTokenExchangeErrorCode.__members__.items()
        }

    def test_transport_members(self):
        """The three ways in which no answer comes."""
        words = ("timeout", "tls", "unreachable")
        expected = {word.upper(): word for word in words}
        assert expected == {
            name: code.value for name, code in TransportErrorCode.__members__.items()
        }

    @pytest.mark.parametrize(
        "code", [*CustomTokenExchangeErrorCode, *TransportErrorCode]
    )
    def test_codes_are_their_plain_strings(self, code):
        """A code equals, hashes, prints and formats as its string: also to another copy of the package."""
        assert code == code.value
        assert code.value == code
        assert hash(code.value) == hash(code)
        assert code.value == str(code)
        assert code.value == f"{code}"
        assert code.value == "%s" % code  # noqa: UP031
        assert code.value == format(code)

    def test_code_is_a_member(self):
        """A code given as plain text becomes the member, so that `is` works too."""
        assert (
            CustomTokenExchangeErrorCode.INVALID_GRANT
            is CustomTokenExchangeError("invalid_grant", "no").code
        )
        assert TransportErrorCode.TLS is TransportError("tls", "no", False).code


class TestRetryable:
    @pytest.mark.parametrize(
        ("status", "word", "code", "expected"),
        [
            (429, "too_many_requests", "too_many_requests", True),
            (429, "too_many_attempts", "too_many_attempts", True),
            (429, "oops", "token_exchange_failed", True),
            (429, "access_denied", "access_denied", True),
            (500, None, "server_error", True),
            (502, None, "invalid_response", False),
            (503, "temporarily_unavailable", "temporarily_unavailable", True),
            (500, "server_error", "server_error", True),
            (500, "unauthorized_actor", "token_exchange_failed", False),
            (500, "access_denied", "access_denied", False),
            (400, "server_error", "server_error", True),
            (400, "temporarily_unavailable", "temporarily_unavailable", True),
            (500, "oops", "token_exchange_failed", False),
            (400, "invalid_request", "invalid_request", False),
            (404, None, "token_exchange_failed", False),
            (428, None, "token_exchange_failed", False),
            (430, None, "token_exchange_failed", False),
            (200, None, "invalid_response", False),
            (302, None, "invalid_response", False),
            (600, None, "invalid_response", False),
            (None, None, "invalid_response", False),
            (None, None, "actor_unavailable", False),
        ],
    )
    def test_answers(self, status, word, code, expected):
        """A server in trouble is worth another try; an Action's refusal is not."""
        assert (
            expected
            is CustomTokenExchangeError(
                code, "no", error=word, status_code=status
            ).retryable
        )

    @pytest.mark.parametrize(
        ("code", "expected"), [("timeout", True), ("unreachable", True), ("tls", False)]
    )
    def test_transport(self, code, expected):
        """Timeouts and lost connections are worth another try, TLS failures are not."""
        assert expected is TransportError(code, "no", False).retryable


class TestHint:
    #: Nothing that a person could change: the tenant is in trouble, or the Action has words of its own.
    WITHOUT = (
        "invalid_request",
        "server_error",
        "temporarily_unavailable",
        "token_exchange_failed",
    )

    @pytest.mark.parametrize(
        "code", [*CustomTokenExchangeErrorCode, *TransportErrorCode]
    )
    def test_one_sentence(self, code):
        """A hint is one sentence for a person, wherever there is something to change."""
        if isinstance(code, TransportErrorCode):
            hint = TransportError(code, "no", False).hint
        else:
            hint = CustomTokenExchangeError(code, "no").hint
        if code in self.WITHOUT:
            assert hint is None
        else:
            assert hint.endswith(".")
            assert hint[0].isupper()
            assert 1 == len(re.findall(r"\. |\.$", hint))
            assert "\n" not in hint

    @pytest.mark.parametrize(
        ("description", "like"),
        [
            (
                "setActor is required when requesting a session transfer token via token exchange.",
                "setactor_required",
            ),
            (
                "MFA is not supported using actor_token with the requested token exchange profile.",
                "mfa_required",
            ),
            (
                "We have detected suspicious login behavior and further attempts will be blocked.",
                "too_many_attempts",
            ),
            (
                "Session transfer is not enabled for this client.",
                "session_transfer_disabled",
            ),
        ],
    )
    def test_description_may_choose_the_hint(self, description, like):
        """Where today's tenant says it only in words, the hint is that of the code it will get; the code is not."""
        error = CustomTokenExchangeError(
            "invalid_request", "no", "invalid_request", description, 400
        )
        assert CustomTokenExchangeError(like, "no").hint == error.hint
        assert "invalid_request" == error.code

    @pytest.mark.parametrize(
        ("description", "word"),
        [
            ("Invalid actor token: unexpected 'aud' claim value", "ID token"),
            ("Invalid actor token: signature verification failed", "ID token"),
            ("Invalid actor token: the user is unknown or blocked", "blocked"),
            ("The user that the Action set is unknown or blocked.", "user id"),
            (
                "Invalid subject_token_type and requested_token_type combination.",
                "subject_token_type",
            ),
            ("The subject token is invalid or has expired.", "subject token"),
        ],
    )
    def test_refusals_that_a_newcomer_meets(self, description, word):
        """Each says what to look at, though the code is only invalid_request."""
        error = CustomTokenExchangeError(
            "invalid_request", "no", "invalid_request", description, 400
        )
        assert word in error.hint
        assert 1 == len(re.findall(r"\. |\.$", error.hint))

    def test_stale_id_token(self):
        """The commonest failure of all says what to call."""
        description = "Invalid actor token: 'exp' claim timestamp check failed"
        error = CustomTokenExchangeError(
            "invalid_request", "no", "invalid_request", description, 400
        )
        assert "resolve_actor_token" in error.hint


class TestCopies:
    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_pickle(self, error, protocol):
        """An error reaches the parent of a worker process whole."""
        twin = pickle.loads(pickle.dumps(error, protocol))
        assert type(error) is type(twin)
        assert facts(error) == facts(twin)
        assert str(error) == str(twin)

    @pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_copy(self, error, duplicate):
        """A copy says the same."""
        twin = duplicate(error)
        assert type(error) is type(twin)
        assert facts(error) == facts(twin)

    @pytest.mark.parametrize(
        "duplicate",
        [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))],
    )
    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_what_others_hang_on_it(self, error, duplicate):
        """What an application or a note adds to an error is still there, and its code is what it was."""
        noted = copy.copy(error)
        noted.__notes__ = ["seen at 12:00"]
        twin = duplicate(noted)
        assert ["seen at 12:00"] == twin.__notes__
        assert facts(error) == facts(twin)

    @pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.code))
    def test_hash_and_raise_again(self, error):
        """An error can be a key, as error trackers use it, and be raised again, from another too."""
        assert {error: 1}[error] == 1
        for _ in range(2):
            with pytest.raises(SessionTransferError) as caught:
                raise error
            assert error is caught.value
        with pytest.raises(SessionTransferError) as caught:
            raise error.with_traceback(None) from KeyError("x")
        assert isinstance(caught.value.__cause__, KeyError)

    def test_every_code_survives(self):
        """Each code is the same member after a pickle."""
        for code in CustomTokenExchangeErrorCode:
            assert (
                code
                is pickle.loads(pickle.dumps(CustomTokenExchangeError(code, "no"))).code
            )
        for code in TransportErrorCode:
            assert (
                code
                is pickle.loads(pickle.dumps(TransportError(code, "no", True))).code
            )
