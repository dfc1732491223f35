"""What a caller's session does for other requests does no harm to a mint."""

import json

import pytest
import requests
import requests_cache
from calls import mint
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
from values import GOOD
from werkzeug import Response

from auth0_stt import (
    CustomTokenExchangeError,
    InvalidArgumentError,
    TransportError,
)


@pytest.mark.parametrize(
    "eager", [True, False], ids=["caches all it can", "obeys the server"]
)
def test_no_token_is_ever_cached(httpserver, eager):
    """A cache that also keeps answers to POST gets nothing to keep: each mint is a request."""
    answers = iter(
        [{**GOOD, "access_token": "stt-1"}, {**GOOD, "access_token": "stt-2"}]
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


def test_a_retrying_adapter_is_a_mistake(httpserver):
    """What may have reached the tenant is never sent twice, so nothing is sent at all."""
    retry = Retry(3, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=retry))
        with pytest.raises(InvalidArgumentError) as caught:
            mint(httpserver.url_for(""), session=session)
    assert "session" == caught.value.argument
    assert [] == httpserver.log


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
