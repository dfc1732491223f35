"""The token endpoint: the request that every grant makes there, and what its answer means.

Source: RFC 6749, 5.1 and 5.2; RFC 8693, 2.2.
"""

import base64
import json
import logging
import math
import platform
import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union
from urllib.parse import quote, quote_plus

from . import __version__
from .arguments import Tenant
from .client_auth import Credentials
from .connections import UnusableAnswerError
from .errors import (
    SERVER_WORDS,
    Code,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
)
from .transport import Reply, post_form

#: Characters kept of a text from the server.
_LONGEST_TEXT = 500

#: Characters of a secret that are too many to be a coincidence in a text from the server.
_RECOGNIZABLE = 16

#: Seconds, a year: a server that asks for more did not mean it.
_LONGEST_WAIT = 31_536_000.0

_MASK = "***"

#: The fields of a form that no error may repeat.
_SECRETS = (
    "client_secret",
    "client_assertion",
    "subject_token",
    "actor_token",
    "refresh_token",
)

_logger = logging.getLogger(__name__.rpartition(".")[0])
_logger.addHandler(logging.NullHandler())


def request_tokens(
    tenant: Tenant,
    form: Mapping[str, Any],
    credentials: Credentials,
    forwarded_for: Optional[str],
    timeout: float,
    session: Any,
) -> Union[Dict[str, Any], SessionTransferError]:
    """POST a grant once and return the JSON object of a success, or the error to raise."""
    headers = {**_constant_headers()}
    if forwarded_for is not None:
        headers["auth0-forwarded-for"] = forwarded_for
    fields, certificate = credentials
    url = tenant.token_endpoint if certificate is None else tenant.mtls_token_endpoint
    form = {
        name: value for name, value in {**form, **fields}.items() if value is not None
    }
    try:
        reply = post_form(url, form, headers, timeout, session, certificate)
    except UnusableAnswerError as error:
        return invalid_response(
            tenant.domain, error.problem, error.status, _retry_after(error.headers)
        )
    except SessionTransferError as error:
        # Without the frames below, which hold the form.
        error.__traceback__ = error.__context__ = None
        return error
    return read_reply(
        reply, tenant.domain, [form[name] for name in _SECRETS if name in form]
    )


@lru_cache(maxsize=None)
def _constant_headers() -> Mapping[str, str]:
    client = {
        "name": "auth0-stt",
        "version": __version__,
        "env": {"python": platform.python_version()},
    }
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Auth0-Client": base64.b64encode(json.dumps(client).encode("ascii")).decode(
            "ascii"
        ),
        # For caches between here and the tenant, and for those that a caller mounts on a session.
        "Cache-Control": "no-store",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "auth0-stt/" + __version__,
    }


def read_reply(
    reply: Reply, domain: str, secrets: List[str]
) -> Union[Dict[str, Any], SessionTransferError]:
    """Return the JSON object of a success, or the error that the reply stands for."""
    answer = parse_object(reply.body)
    if reply.status == 200:
        if answer is None:
            return invalid_response(
                domain, "it is not one JSON object in UTF-8 with each name once"
            )
        if answer.get("error") is None:
            return answer
    return _refusal(reply, answer or {}, domain, secrets)


def invalid_response(
    domain: str,
    problem: str,
    status: Optional[int] = 200,
    retry_after: Optional[float] = None,
) -> CustomTokenExchangeError:
    """Return the error of an answer that can't be used."""
    message = f"the answer of {domain} can't be used: {problem}"
    return CustomTokenExchangeError(
        Code.invalid_response, message, status_code=status, retry_after=retry_after
    )


def log_outcome(
    what: str,
    outcome: Any,
    tenant: Tenant,
    client_id: str,
    organization: Optional[str],
    started: float,
) -> None:
    """Log that a token was issued, or why not; ``started`` is the ``time.monotonic()`` before the call.

    A caller's mistake is no event of the tenant's: its error says all there is to say.
    """
    if isinstance(outcome, InvalidArgumentError):
        return
    facts = {
        "domain": tenant.domain,
        "client_id": client_id,
        "organization": organization,
        "code": None,
        "status": 200,
        "duration": time.monotonic() - started,
    }
    if isinstance(outcome, SessionTransferError):
        facts.update(
            code=str(outcome.code), status=getattr(outcome, "status_code", None)
        )
        _logger.warning("no %s issued: %s", what, outcome.code, extra=facts)
    else:
        _logger.info("%s issued", what, extra=facts)


def _refusal(
    reply: Reply, answer: Dict[str, Any], domain: str, secrets: List[str]
) -> CustomTokenExchangeError:
    word = answer.get("error")
    known = isinstance(word, str) and word in SERVER_WORDS
    error = clean_text(word, secrets)
    description = clean_text(answer.get("error_description"), secrets)
    return CustomTokenExchangeError(
        Code(word) if known else Code.token_exchange_failed,
        "{} refused: {} (HTTP {})".format(
            domain, ": ".join(filter(None, (error, description))) or "-", reply.status
        ),
        error=error,
        error_description=description,
        status_code=reply.status,
        retry_after=_retry_after(reply.headers),
    )


def clean_text(text: Any, secrets: List[str]) -> Optional[str]:
    """Return a text from the server without control characters, with echoed secrets masked, and cut."""
    if not isinstance(text, str):
        return None
    text = "".join(
        char if char.isprintable() else " " for char in text[:20_000]
    ).strip()
    for secret in sorted(secrets, key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret)):
            text = text.replace(form, _MASK)
        # A server may quote the beginning of a token only.
        pieces = {
            secret[at : at + _RECOGNIZABLE]
            for at in range(len(secret) - _RECOGNIZABLE + 1)
        }
        at = 0
        while at <= len(text) - _RECOGNIZABLE:
            end = at + _RECOGNIZABLE
            if text[at:end] in pieces:
                while text[end - _RECOGNIZABLE + 1 : end + 1] in pieces:
                    end += 1
                text = text[:at] + _MASK + text[end:]
            at += 1
    return text[:_LONGEST_TEXT] or None


def _retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Return the seconds to wait: Retry-After (RFC 9110, 10.2.3) or, in epoch seconds, x-ratelimit-reset."""
    value = headers.get("Retry-After", "").strip()
    now = time.time()
    if value.isascii() and value.isdigit():
        return _wait(value, 0.0)
    try:
        moment = parsedate_to_datetime(value)
        # A date that names no zone, such as C's asctime() writes it, is in GMT (RFC 9110, 5.6.7).
        return _wait(
            moment.replace(tzinfo=moment.tzinfo or timezone.utc).timestamp(), now
        )
    except (TypeError, ValueError, OverflowError, IndexError):
        pass
    return _wait(headers.get("x-ratelimit-reset", "").strip(), now)


def _wait(moment: Union[str, float], now: float) -> Optional[float]:
    try:
        left = float(moment) - now
    except ValueError:
        return None
    return max(0.0, left) if math.isfinite(left) and left <= _LONGEST_WAIT else None


def parse_object(body: bytes) -> Optional[Dict[str, Any]]:
    """Return the one JSON object that the bytes hold, or None: UTF-8, no name twice, no NaN or infinity."""
    try:
        answer = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_finite,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError
    return names


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number
