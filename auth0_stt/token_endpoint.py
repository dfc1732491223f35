"""The token endpoint: one grant, what its answer means, and its line in the log.

Source: RFC 6749, 5.1 and 5.2; RFC 8693, 2.2.
"""

from __future__ import annotations

import base64
import json
import logging
import platform
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any, Dict, List, Mapping, Optional

from attr import define, field, frozen

from . import __version__
from .answers import clean_text, jwt_claims, parse_object, retry_after
from .client_auth import Client
from .connections import UnusableAnswerError
from .errors import (
    SERVER_WORDS,
    Code,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
)
from .transport import Session, post_form

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


@frozen(eq=False, repr=False)
class Answer:
    """What the tenant said to one request; no content if it is not a JSON object."""

    domain: str
    status: Optional[int]
    headers: Mapping[str, str]
    content: Dict[str, Any]
    #: Secrets of the request: no error may show them.
    secrets: List[str]

    @property
    def request_id(self) -> Optional[str]:
        """Auth0's name for the request."""
        names = ("x-auth0-requestid", "x-request-id")
        found = [self.headers[name] for name in names if name in self.headers]
        return clean_text(found[0], self.secrets) if found else None

    def error(
        self,
        code: Code,
        message: str,
        error: Optional[str] = None,
        description: Optional[str] = None,
    ) -> CustomTokenExchangeError:
        """Return an error with what the answer says about itself."""
        return CustomTokenExchangeError(
            code,
            message,
            error=error,
            error_description=description,
            status_code=self.status,
            retry_after=retry_after(self.headers),
            request_id=self.request_id,
        )

    def unusable(self, problem: str) -> CustomTokenExchangeError:
        """Return the error of an answer that can't be used."""
        message = f"the answer of {self.domain} can't be used: {problem}"
        return self.error(Code.INVALID_RESPONSE, message)

    def refusal(self) -> CustomTokenExchangeError:
        """Return the error of an answer that is not a success (RFC 6749, 5.2)."""
        word = self.content.get("error")
        known = isinstance(word, str) and word in SERVER_WORDS
        # The protocol's own words stay whole, even if a secret is a part of one.
        error = word if known else clean_text(word, self.secrets)
        description = clean_text(self.content.get("error_description"), self.secrets)
        said = ": ".join(filter(None, (error, description))) or "no reason given"
        message = f"{self.domain} refused: {said} (HTTP {self.status})"
        return self.error(
            _code(self.status or 0, word, known), message, error, description
        )


_BY_STATUS = {429: Code.TOO_MANY_REQUESTS, 503: Code.TEMPORARILY_UNAVAILABLE}


def _code(status: int, word: Any, known: bool) -> Code:
    """Return the code of a refusal. The status decides if it says more."""
    # RFC 6749, 5.2. Auth0 says access_denied here for a wrong client secret.
    if status == 401:
        return Code.INVALID_CLIENT
    if known:
        return Code(word)
    if isinstance(word, str) and word.strip():
        return Code.TOKEN_EXCHANGE_FAILED
    other = Code.SERVER_ERROR if status >= 500 else Code.TOKEN_EXCHANGE_FAILED
    return _BY_STATUS.get(status, other)


def request_tokens(
    client: Client,
    form: Mapping[str, Any],
    timeout: float,
    session: Optional[Session],
    forwarded_for: Optional[str] = None,
) -> Answer:
    """POST a grant once and return the answer of a success, or raise."""
    headers = {**_constant_headers()}
    if forwarded_for is not None:
        headers["auth0-forwarded-for"] = forwarded_for
    form = {name: value for name, value in form.items() if value is not None}
    secrets = [form[name] for name in _SECRETS if name in form]
    domain = client.tenant.domain
    try:
        reply = post_form(
            client.token_endpoint, form, headers, timeout, session, client.certificate
        )
    except UnusableAnswerError as error:
        unusable = Answer(domain, error.status, error.headers, {}, secrets)
        raise unusable.unusable(error.problem) from None
    content = parse_object(reply.body)
    answer = Answer(domain, reply.status, reply.headers, content or {}, secrets)
    if reply.status != 200 or answer.content.get("error") is not None:
        raise answer.refusal()
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


@define(eq=False, repr=False)
class AuditRecord:
    """The line of one exchange in the log: use it around all that can fail.

    INFO when a token was issued, WARNING when not, whatever the reason. A caller's
    mistake is not logged: its error says all there is to say. Nothing that is raised
    while a line is logged costs a token, not even what a signal handler raises there.
    """

    what: str
    client: Client
    organization: Optional[str] = None
    reason: Optional[str] = None
    forwarded_for: Optional[str] = None
    #: The ID token of the agent, if there is one.
    id_token: Optional[str] = None
    started: float = field(factory=time.monotonic)

    def __enter__(self) -> AuditRecord:
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is not None and not isinstance(error, InvalidArgumentError):
            ours = isinstance(error, SessionTransferError)
            reason = error.code if ours else kind.__name__
            self._log(logging.WARNING, f"not issued: {reason}", error if ours else None)

    def issued(self, answer: Answer) -> None:
        """Log that a token was issued."""
        self._log(logging.INFO, "issued", answer)

    def _log(self, level: int, said: str, source: Any) -> None:
        if not _logger.isEnabledFor(level):
            return
        domain, client_id = self.client.tenant.domain, self.client.client_id
        duration = time.monotonic() - self.started
        status = getattr(source, "status_code", getattr(source, "status", None))
        code = getattr(source, "code", None)
        actor = jwt_claims(self.id_token or "")
        # The prefix keeps them apart from what a LogRecord or its factory has already.
        facts = {
            "auth0_domain": domain,
            "auth0_client_id": client_id,
            "auth0_organization": self.organization,
            "auth0_reason": self.reason,
            "auth0_forwarded_for": self.forwarded_for,
            "auth0_actor_sub": clean_text(actor.get("sub"), ()),
            "auth0_code": str(code) if isinstance(code, str) else None,
            "auth0_status": status,
            "auth0_request_id": getattr(source, "request_id", None),
            "auth0_duration": duration,
        }
        message = "%s for %s at %s %s (%.0f ms)"
        words = (self.what, client_id, domain, said, duration * 1000)
        with suppress(Exception):  # a filter's, a handler's, or a signal handler's
            _logger.log(level, message, *words, extra=facts)
