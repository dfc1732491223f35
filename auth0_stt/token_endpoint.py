"""The token endpoint: one grant, what its answer means, and its line in the log.

Source: RFC 6749, 5.1 and 5.2; RFC 8693, 2.2.
"""

import base64
import json
import logging
import platform
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any, Collection, Dict, Mapping, Optional

from attr import define, field, frozen

from . import __version__
from .answers import clean_text, jwt_claims, parse_object, retry_after
from .client_auth import Client
from .connections import UnusableAnswerError
from .errors import (
    SERVER_WORDS,
    Code,
    CustomTokenExchangeError,
    TransportError,
)
from .transport import Reply, Session, post_form

#: Fields of a form that no error may repeat.
_SECRETS = (
    "client_secret",
    "client_assertion",
    "subject_token",
    "actor_token",
    "refresh_token",
)

_logger = logging.getLogger(__name__.rpartition(".")[0])
_logger.addHandler(logging.NullHandler())


@frozen
class Answer:
    """The JSON object of a success, and where it came from."""

    content: Dict[str, Any]
    domain: str
    headers: Mapping[str, str]

    @property
    def request_id(self) -> Optional[str]:
        return _request_id(self.headers)

    def unusable(self, problem: str) -> CustomTokenExchangeError:
        """Return the error of an answer whose content is no use."""
        return _unusable(self.domain, problem, 200, self.headers)


def request_tokens(
    client: Client,
    form: Mapping[str, Any],
    timeout: float,
    session: Optional[Session],
    forwarded_for: Optional[str] = None,
) -> Answer:
    """POST a grant once and return the answer, or raise what stands for it."""
    headers = {**_constant_headers()}
    if forwarded_for is not None:
        headers["auth0-forwarded-for"] = forwarded_for
    form = {name: value for name, value in form.items() if value is not None}
    domain = client.tenant.domain
    try:
        reply = post_form(
            client.token_endpoint, form, headers, timeout, session, client.certificate
        )
    except UnusableAnswerError as error:
        raise _unusable(domain, error.problem, error.status, error.headers) from None
    content = parse_object(reply.body)
    if reply.status != 200 or (content or {}).get("error") is not None:
        secrets = [form[name] for name in _SECRETS if name in form]
        raise _refusal(reply, content or {}, domain, secrets)
    answer = Answer(content or {}, domain, reply.headers)
    if content is None:
        raise answer.unusable("it is not one JSON object in UTF-8 with each name once")
    return answer


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
        "Auth0-Client": base64.b64encode(json.dumps(client).encode()).decode(),
        # For caches on the way, and those that a caller mounts on a session.
        "Cache-Control": "no-store",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "auth0-stt/" + __version__,
    }


def _unusable(
    domain: str, problem: str, status: Optional[int], headers: Mapping[str, str]
) -> CustomTokenExchangeError:
    return CustomTokenExchangeError(
        Code.INVALID_RESPONSE,
        f"the answer of {domain} can't be used: {problem}",
        status_code=status,
        retry_after=retry_after(headers),
        request_id=_request_id(headers),
    )


def _refusal(
    reply: Reply, content: Dict[str, Any], domain: str, secrets: Collection[str]
) -> CustomTokenExchangeError:
    word = content.get("error")
    known = isinstance(word, str) and word in SERVER_WORDS
    # The protocol's own words stay whole, even if a secret is a part of one.
    error = word if known else clean_text(word, secrets)
    description = clean_text(content.get("error_description"), secrets)
    said = ": ".join(filter(None, (error, description))) or "no reason given"
    return CustomTokenExchangeError(
        _code(reply.status, word, known),
        f"{domain} refused: {said} (HTTP {reply.status})",
        error=error,
        error_description=description,
        status_code=reply.status,
        retry_after=retry_after(reply.headers),
        request_id=_request_id(reply.headers),
    )


def _code(status: int, word: Any, known: bool) -> Code:
    """Return the code of a refusal: the status decides where it says more."""
    # RFC 6749, 5.2. Auth0 says access_denied here for a wrong client secret.
    if status == 401:
        return Code.INVALID_CLIENT
    if known:
        return Code(word)
    if isinstance(word, str) and word.strip():
        return Code.TOKEN_EXCHANGE_FAILED
    if status == 429:
        return Code.TOO_MANY_REQUESTS
    if status == 503:
        return Code.TEMPORARILY_UNAVAILABLE
    return Code.SERVER_ERROR if status >= 500 else Code.TOKEN_EXCHANGE_FAILED


def _request_id(headers: Mapping[str, str]) -> Optional[str]:
    found = headers.get("x-auth0-requestid") or headers.get("x-request-id")
    return clean_text(found, ())


@define
class Outcome:
    """How one exchange ended, in the log: use it around all that can fail.

    INFO when a token was issued, WARNING when not. A caller's mistake is not logged: its
    error says all there is to say. Nothing that logging raises costs a token.
    """

    what: str
    client: Client
    organization: Optional[str] = None
    reason: Optional[str] = None
    forwarded_for: Optional[str] = None
    actor_token: Optional[str] = None
    started: float = field(factory=time.monotonic)

    def __enter__(self) -> "Outcome":
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if isinstance(error, (CustomTokenExchangeError, TransportError)):
            status = getattr(error, "status_code", None)
            request_id = getattr(error, "request_id", None)
            self._log(logging.WARNING, error.code, status, request_id)

    def issued(self, request_id: Optional[str]) -> None:
        """Log that a token was issued."""
        self._log(logging.INFO, None, 200, request_id)

    def _log(
        self,
        level: int,
        code: Optional[str],
        status: Optional[int],
        request_id: Optional[str],
    ) -> None:
        if not _logger.isEnabledFor(level):
            return
        domain, client_id = self.client.tenant.domain, self.client.client_id
        duration = time.monotonic() - self.started
        # The prefix keeps them apart from what a LogRecord or its factory has already.
        facts = {
            "auth0_domain": domain,
            "auth0_client_id": client_id,
            "auth0_organization": self.organization,
            "auth0_reason": self.reason,
            "auth0_forwarded_for": self.forwarded_for,
            "auth0_actor_sub": _sub(self.actor_token),
            "auth0_code": None if code is None else str(code),
            "auth0_status": status,
            "auth0_request_id": request_id,
            "auth0_duration": duration,
        }
        said = "issued" if code is None else f"not issued: {code}"
        message = "%s for %s at %s %s (%.0f ms)"
        words = (self.what, client_id, domain, said, duration * 1000)
        with suppress(Exception):  # a filter's, a handler's or a LogRecord factory's
            _logger.log(level, message, *words, extra=facts)


def _sub(actor_token: Optional[str]) -> Optional[str]:
    """Return whom an ID token names, unverified."""
    return clean_text(jwt_claims(actor_token or "").get("sub"), ())
