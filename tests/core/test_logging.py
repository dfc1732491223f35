"""Log records: what an operator needs, under one logger's name, and no token."""

import logging

import pytest
from calls import mint, resolve
from values import GOOD, REFRESH_TOKEN, id_token

from auth0_stt import ID_TOKEN_TYPE, InvalidArgumentError, SessionTransferError


@pytest.fixture
def records(caplog):
    """The records of our logger."""
    caplog.set_level(logging.DEBUG, "auth0_stt")

    def ours():
        return [
            record
            for record in caplog.records
            if record.name.partition(".")[0] == "auth0_stt"
        ]

    return ours


def facts(record):
    return {
        name: getattr(record, "auth0_" + name)
        for name in ("domain", "client_id", "organization", "code", "status")
    }


def facts_of_all(record):
    return {name for name in vars(record) if name.startswith("auth0_")}


class TestIssued:
    def test_info(self, endpoint, records):
        """One INFO for a token issued, with the facts in extra."""
        mint(endpoint, organization="org_1")
        (record,) = records()
        assert ("auth0_stt", logging.INFO) == (record.name, record.levelno)
        assert {
            "domain": endpoint.authority,
            "client_id": "console",
            "organization": "org_1",
            "code": None,
            "status": 200,
        } == facts(record)
        assert 0 < record.auth0_duration < 10

    def test_renewed(self, endpoint, records):
        """Renewing an ID token is told as well; using a fresh one is no event."""
        endpoint.answer({**GOOD, "id_token": "new"})
        resolve(endpoint)
        (record,) = records()
        assert (logging.INFO, 200, None) == (
            record.levelno,
            record.auth0_status,
            record.auth0_organization,
        )


class TestNotIssued:
    @pytest.mark.parametrize(
        ("answer", "status", "code"),
        [
            (
                {"error": "access_denied", "error_description": "no"},
                403,
                "access_denied",
            ),
            ({"error": "unauthorized_actor"}, 500, "token_exchange_failed"),
            (b"", 200, "invalid_response"),
            (b"", 302, "invalid_response"),
            ({**GOOD, "issued_token_type": "x"}, 200, "unexpected_token_type"),
        ],
    )
    def test_refused(self, endpoint, records, answer, status, code):
        """One WARNING with code and status."""
        endpoint.answer(answer, status)
        with pytest.raises(SessionTransferError):
            mint(endpoint)
        (record,) = records()
        assert logging.WARNING == record.levelno
        assert {
            "domain": endpoint.authority,
            "client_id": "console",
            "organization": None,
            "code": code,
            "status": status,
        } == facts(record)
        assert str is type(record.auth0_code)

    def test_transport(self, endpoint, records):
        """A lost connection has a code and no status."""
        endpoint.drop()
        with pytest.raises(SessionTransferError):
            mint(endpoint)
        (record,) = records()
        assert (logging.WARNING, "unreachable", None) == (
            record.levelno,
            record.auth0_code,
            record.auth0_status,
        )

    @pytest.mark.parametrize(
        "changes",
        [{"actor_token": None}, {"subject_token": "a b"}, {"actor_token_type": None}],
    )
    def test_found_here(self, endpoint, records, changes):
        """A missing actor is worth a warning, though nothing was sent."""
        with pytest.raises(SessionTransferError) as caught:
            mint(endpoint, **changes)
        (record,) = records()
        assert (logging.WARNING, caught.value.code, None) == (
            record.levelno,
            record.auth0_code,
            record.auth0_status,
        )

    def test_no_actor(self, endpoint, records):
        """Nor is a stale session anything but that."""
        with pytest.raises(SessionTransferError):
            resolve(endpoint, refresh_token=None)
        (record,) = records()
        assert (logging.WARNING, "actor_unavailable") == (
            record.levelno,
            record.auth0_code,
        )

    @pytest.mark.parametrize(
        "changes",
        [{"timeout": 0}, {"client_secret": None}, {"organization": " "}, {"extra": 1}],
    )
    def test_bad_arguments(self, endpoint, records, changes):
        """A caller's mistake is no event of the tenant's: its error says all there is to say."""
        with pytest.raises(InvalidArgumentError):
            mint(endpoint, **changes)
        assert [] == records()


class TestText:
    def test_no_value_of_the_server(self, endpoint, records):
        """A record holds the code, never the server's words: they may be anything, in any number of lines."""
        endpoint.answer(
            {"error": "evil\nINFO all is well", "error_description": "evil"}, 400
        )
        with pytest.raises(SessionTransferError):
            mint(endpoint)
        (record,) = records()
        assert "evil" not in record.getMessage() + str(vars(record))

    def test_no_token(self, endpoint, records):
        """Nor a secret."""
        mint(endpoint)
        with pytest.raises(SessionTransferError):
            resolve(endpoint)
        for record in records():
            for secret in (
                GOOD["access_token"],
                REFRESH_TOKEN,
                "client-secret",
                "subject-token",
                "actor-token",
            ):
                assert secret not in record.getMessage() + str(vars(record))

    def test_silent_by_default(self, endpoint, capfd):
        """A library writes nothing on its own: no handler of last resort speaks up."""
        endpoint.answer(b"", 400)
        logger = logging.getLogger("auth0_stt")
        assert any(
            isinstance(handler, logging.NullHandler) for handler in logger.handlers
        )
        assert logging.NOTSET == logger.level
        assert logger.propagate


class TestAudit:
    def test_who_entered_whom_and_why(self, endpoint, records):
        """The record has what an audit asks for: agent, reason, address, request."""
        endpoint.answer(GOOD, x_auth0_requestid="4ad55daa560e468bdfe1")
        mint(
            endpoint,
            actor_token=id_token({"sub": "auth0|sam"}),
            actor_token_type=ID_TOKEN_TYPE,
            reason="ticket 7",
            forwarded_for="203.0.113.9",
        )
        (record,) = records()
        assert ("auth0|sam", "ticket 7", "203.0.113.9", "4ad55daa560e468bdfe1") == (
            record.auth0_actor_sub,
            record.auth0_reason,
            record.auth0_forwarded_for,
            record.auth0_request_id,
        )

    @pytest.mark.parametrize("code", [None, "access_denied"])
    def test_message(self, endpoint, records, code):
        """The message alone names client, domain, outcome and milliseconds."""
        if code is None:
            mint(endpoint)
        else:
            endpoint.answer({"error": code}, 403)
            with pytest.raises(SessionTransferError):
                mint(endpoint)
        message = records()[0].getMessage()
        for part in ("console", endpoint.authority, code or "issued", " ms"):
            assert part in message

    def test_renewal(self, endpoint, records):
        """A renewal names the agent by the stale ID token."""
        endpoint.answer({**GOOD, "id_token": "new"})
        resolve(endpoint, id_token=id_token({"sub": "auth0|sam", "exp": 1}))
        assert "auth0|sam" == records()[0].auth0_actor_sub

    def test_cut_short(self, endpoint, records):
        """What ends a mint from outside is in the trail: a token may have been issued."""

        def assertion(audience):
            raise KeyError("no key today")

        with pytest.raises(KeyError):
            mint(endpoint, client_secret=None, client_assertion=assertion)
        (record,) = records()
        assert (logging.WARNING, None) == (record.levelno, record.auth0_code)
        assert "KeyError" in record.getMessage()

    def test_only_prefixed_names(self, endpoint, records):
        """What we add to a record can't collide with what a factory has added."""
        mint(endpoint)
        (record,) = records()
        plain = {*vars(logging.makeLogRecord({})), "message"}
        assert facts_of_all(record) == set(vars(record)) - plain


class Raising(logging.Filter):
    def filter(self, record):
        raise RuntimeError("no log today")


class VaultError(Exception):
    """What fails where an assertion is made, with fields that an answer has, too."""

    code = status_code = 503
    request_id = "theirs"


def test_exception_of_the_caller(endpoint, records):
    """Its fields say nothing about the tenant, which was not asked."""

    def assertion(audience):
        raise VaultError

    with pytest.raises(VaultError):
        mint(endpoint, client_secret=None, client_assertion=assertion)
    (record,) = records()
    assert "not issued: VaultError" in record.getMessage()
    assert {None} == {
        record.auth0_code,
        record.auth0_status,
        record.auth0_request_id,
    }


class TestNeverCostsAToken:
    @pytest.fixture
    def factory(self):
        """A LogRecord factory with names that another library might use."""
        before = logging.getLogRecordFactory()

        def make(*args, **kwargs):
            record = before(*args, **kwargs)
            record.client_id = record.domain = record.code = "theirs"
            return record

        logging.setLogRecordFactory(make)
        yield
        logging.setLogRecordFactory(before)

    def test_factory(self, endpoint, factory, records):
        """A factory with names that we might use costs nothing: ours have a prefix."""
        assert mint(endpoint)
        (record,) = records()
        assert ("theirs", "console") == (record.client_id, record.auth0_client_id)

    def test_filter(self, endpoint, records):
        """A filter that raises costs the record, not the token."""
        logger, raising = logging.getLogger("auth0_stt"), Raising()
        logger.addFilter(raising)
        try:
            assert mint(endpoint)
            endpoint.answer({**GOOD, "id_token": "new", "refresh_token": "rotated"})
            assert "rotated" == resolve(endpoint).refresh_token
            endpoint.answer({"error": "access_denied"}, 403)
            with pytest.raises(SessionTransferError) as caught:
                mint(endpoint)
        finally:
            logger.removeFilter(raising)
        assert "access_denied" == caught.value.code
