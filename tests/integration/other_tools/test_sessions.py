"""What a caller's session does for other requests does no harm to a mint."""

import json

import pytest
import requests
import requests_cache
from requests.adapters import HTTPAdapter
from test_stand_ins import ANSWER, mint
from urllib3.util.retry import Retry
from werkzeug import Response

from auth0_stt import CustomTokenExchangeError, TransportError


@pytest.mark.parametrize(
    "eager", [True, False], ids=["caches all it can", "obeys the server"]
)
def test_no_token_is_ever_cached(httpserver, eager):
    """A cache that also keeps answers to POST gets nothing to keep: each mint is a request."""
    answers = iter(
        [{**ANSWER, "access_token": "stt-1"}, {**ANSWER, "access_token": "stt-2"}]
    )
    httpserver.expect_request("/oauth/token").respond_with_handler(
        lambda request: Response(
            json.dumps(next(answers)), headers={"Cache-Control": "max-age=600"}
        )
    )
    with requests_cache.CachedSession(
        backend="memory",
        allowable_methods=["GET", "POST"],
        cache_control=not eager,
        expire_after=600,
    ) as session:
        for token in ["stt-1", "stt-2"]:
            assert (
                token
                == mint(httpserver.url_for(""), session=session).session_transfer_token
            )
        assert 0 == len(session.cache.responses)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_retrying_adapter_repeats_nothing(httpserver, status):
    """An Action may take a subject token once only: what may have reached the tenant is never sent twice."""
    httpserver.expect_request("/oauth/token").respond_with_data(
        "busy", status=status, headers={"Retry-After": "1"}
    )
    retry = Retry(
        total=3,
        status_forcelist=[429, 500, 503],
        allowed_methods=None,
        backoff_factor=0,
    )
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        with pytest.raises(CustomTokenExchangeError) as caught:
            mint(httpserver.url_for(""), session=session)
    assert status == caught.value.status_code
    assert 1 == len(httpserver.log)


def test_a_retrying_adapter_keeps_its_settings_for_others(httpserver):
    """The session is the caller's: a mint leaves it as it was."""
    httpserver.expect_request("/oauth/token").respond_with_json(ANSWER)
    answers = iter([Response("busy", status=503), Response("fine")])
    httpserver.expect_request("/other").respond_with_handler(
        lambda request: next(answers)
    )
    retry = Retry(
        total=3, status_forcelist=[503], allowed_methods=None, backoff_factor=0
    )
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        mint(httpserver.url_for(""), session=session)
        assert "fine" == session.get(httpserver.url_for("/other")).text


def test_a_session_that_raises_for_status(httpserver):
    """A hook of the session that raises on its own account becomes an error of ours, or its answer is judged by us."""
    httpserver.expect_request("/oauth/token").respond_with_json(
        {"error": "invalid_grant"}, status=400
    )
    with requests.Session() as session:
        session.hooks["response"].append(
            lambda response, **_: response.raise_for_status()
        )
        with pytest.raises((CustomTokenExchangeError, TransportError)):
            mint(httpserver.url_for(""), session=session)
