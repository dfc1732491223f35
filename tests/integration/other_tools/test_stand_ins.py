"""What users' tests put in place of the token endpoint works here as it does for any code on requests."""

import json
from urllib.parse import parse_qs

import pytest
import requests
import requests_mock
import responses
import vcr
from calls import mint
from values import ACTOR_TOKEN, CLIENT_SECRET, GOOD, SUBJECT_TOKEN

from auth0_stt import (
    CustomTokenExchangeError,
    TransportError,
)

ANSWER = {**GOOD, "access_token": "stt-1"}
REFUSAL = {
    "error": "invalid_grant",
    "error_description": "The subject token has expired.",
}
DOMAIN = "acme.eu.auth0.com"
ENDPOINT = f"https://{DOMAIN}/oauth/token"


@pytest.fixture(params=["no session", "a session"])
def sessions(request):
    """The keyword arguments of a call on the package's own session, and of one on a session of the caller's."""
    if request.param == "no session":
        yield {}
    else:
        with requests.Session() as session:
            yield {"session": session}


class TestResponses:
    def test_answers(self, sessions):
        """A mint gets the answer of the mock, which sees the form."""
        with responses.RequestsMock() as mock:
            mock.post(ENDPOINT, json=ANSWER)
            assert "stt-1" == mint(DOMAIN, **sessions).session_transfer_token
            (call,) = mock.calls
        assert [SUBJECT_TOKEN] == parse_qs(call.request.body.decode())["subject_token"]

    def test_matchers_read_the_form(self, sessions):
        """A matcher reads the form: one that does not match is no answer."""
        with responses.RequestsMock() as mock:
            form = {"subject_token": SUBJECT_TOKEN, "client_id": "console"}
            mock.post(
                ENDPOINT,
                json=ANSWER,
                match=[
                    responses.matchers.urlencoded_params_matcher(form, allow_blank=True)
                ],
            )
            with pytest.raises(TransportError):  # the matcher wants the whole form
                mint(DOMAIN, **sessions)
            mock.assert_all_requests_are_fired = False

    def test_refuses(self, sessions):
        """The mock's refusal is a refusal of the tenant."""
        with responses.RequestsMock() as mock:
            mock.post(ENDPOINT, json=REFUSAL, status=400)
            with pytest.raises(CustomTokenExchangeError) as caught:
                mint(DOMAIN, **sessions)
        assert "invalid_grant" == caught.value.code

    def test_fails(self, sessions):
        """An exception of the mock is a failure of the network."""
        with responses.RequestsMock() as mock:
            mock.post(ENDPOINT, body=requests.exceptions.ConnectTimeout())
            with pytest.raises(TransportError) as caught:
                mint(DOMAIN, **sessions)
        assert "timeout" == caught.value.code


class TestRequestsMock:
    def test_answers(self, sessions):
        """A mint gets the answer of the mock, which sees the form."""
        with requests_mock.Mocker() as mock:
            mock.post(ENDPOINT, json=ANSWER)
            assert "stt-1" == mint(DOMAIN, **sessions).session_transfer_token
            assert 1 == mock.call_count
            assert [ACTOR_TOKEN] == parse_qs(mock.last_request.text)["actor_token"]

    def test_an_adapter_on_a_session(self):
        """Its adapter can be mounted on a session for one mint."""
        adapter = requests_mock.Adapter()
        adapter.register_uri("POST", ENDPOINT, json=ANSWER)
        with requests.Session() as session:
            session.mount("https://", adapter)
            assert "stt-1" == mint(DOMAIN, session=session).session_transfer_token

    def test_refuses(self, sessions):
        """The mock's refusal is a refusal of the tenant."""
        with requests_mock.Mocker() as mock:
            mock.post(ENDPOINT, json=REFUSAL, status_code=403)
            with pytest.raises(CustomTokenExchangeError) as caught:
                mint(DOMAIN, **sessions)
        assert 403 == caught.value.status_code

    def test_fails(self, sessions):
        """An exception of the mock is a failure of the network."""
        with requests_mock.Mocker() as mock:
            mock.post(ENDPOINT, exc=requests.exceptions.ConnectTimeout)
            with pytest.raises(TransportError) as caught:
                mint(DOMAIN, **sessions)
        assert "timeout" == caught.value.code


class TestVcr:
    def test_records_and_plays_back(self, sessions, httpserver, tmp_path):
        """A tape made once stands in for the tenant afterwards; it is the user's part to filter its secrets."""
        httpserver.expect_ordered_request(
            "/oauth/token", method="POST"
        ).respond_with_json(ANSWER)
        tape = tmp_path / "tape.yaml"
        domain = httpserver.url_for("")
        recorder = vcr.VCR(
            filter_post_data_parameters=[
                "client_secret",
                "subject_token",
                "actor_token",
            ]
        )
        for _ in range(2):
            with recorder.use_cassette(str(tape)) as cassette:
                assert "stt-1" == mint(domain, **sessions).session_transfer_token
        assert 1 == cassette.play_count
        assert 1 == len(httpserver.log)
        assert CLIENT_SECRET not in tape.read_text()

    def test_plays_back_https(self, sessions, tmp_path):
        """A tape of an https answer plays back without a connection."""
        tape = tmp_path / "tape.json"
        tape.write_text(
            json.dumps(
                {
                    "version": 1,
                    "interactions": [
                        {
                            "request": {
                                "method": "POST",
                                "uri": ENDPOINT,
                                "body": None,
                                "headers": {},
                            },
                            "response": {
                                "status": {"code": 200, "message": "OK"},
                                "headers": {"Content-Type": ["application/json"]},
                                "body": {"string": json.dumps(ANSWER)},
                            },
                        }
                    ],
                }
            )
        )
        with vcr.VCR(serializer="json", record_mode="none").use_cassette(
            str(tape)
        ) as cassette:
            assert "stt-1" == mint(DOMAIN, **sessions).session_transfer_token
        assert cassette.all_played


class TestHttpServer:
    def test_answers(self, sessions, httpserver):
        """A mint gets the answer of a real server."""
        httpserver.expect_oneshot_request(
            "/oauth/token", method="POST"
        ).respond_with_json(ANSWER)
        assert (
            "stt-1" == mint(httpserver.url_for(""), **sessions).session_transfer_token
        )
        httpserver.check_assertions()

    def test_refuses(self, sessions, httpserver):
        """Its refusal is a refusal of the tenant."""
        httpserver.expect_request("/oauth/token").respond_with_json(REFUSAL, status=400)
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(httpserver.url_for(""), **sessions)
        assert "invalid_grant" == caught.value.code
