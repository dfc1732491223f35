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
from typing import Any, Collection, Dict, Mapping, Optional

from attr import define, field

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
from .transport import post_form

# Fields of a form that no error may repeat.
_SECRETS = ["client_secret", "client_assertion"]
_SECRETS += ["subject_token", "actor_token", "refresh_token"]
# The code of a refusal without an OAuth error, by its status.
_BY_STATUS = {429: Code.TOO_MANY_REQUESTS, 503: Code.TEMPORARILY_UNAVAILABLE}

_logger = logging.getLogger(__name__.rpartition(".")[0])
_logger.addHandler(logging.NullHandler())


@lru_cache(maxsize=None)
def _constant_headers() -> Mapping[str, str]:
    env = {"python": platform.python_version()}
    client = {"name": "auth0-stt", "version": __version__, "env": env}
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Auth0-Client": base64.b64encode(json.dumps(client).encode()).decode(),
        "Cache-Control": "no-store",  # for a cache that a session has mounted
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "auth0-stt/" + __version__,
    }


@define(eq=False, repr=False)
class TokenRequest:
    """One request to the token endpoint, its answer, and its line in the log.

    Use it around all that can fail. The line is INFO when a token was issued, WARNING
    when not. Nothing is logged if nothing had to be sent, or for a caller's mistake.
    Nothing that is raised while a line is logged costs a token.
    """

    what: str  # for the log, such as "actor token"
    client: Client
    organization: Optional[str] = None
    reason: Optional[str] = None
    forwarded_for: Optional[str] = None
    id_token: Optional[str] = None  # the agent's
    secrets: Collection[str] = ()  # of the form: no error may show them
    status: Optional[int] = None  # of the answer, once its head is read
    headers: Mapping[str, str] = field(factory=dict)
    started: float = field(factory=time.monotonic)

    def __enter__(self) -> TokenRequest:
        return self

    def send(self, form: Mapping[str, Any]) -> Dict[str, Any]:
        """POST a grant once and return the JSON of a success, or raise."""
        headers = {**_constant_headers()}
        if self.forwarded_for is not None:
            headers["auth0-forwarded-for"] = self.forwarded_for
        form = {name: value for name, value in form.items() if value is not None}
        self.secrets = [form[name] for name in _SECRETS if name in form]
        client, tenant = self.client, self.client.tenant
        alias = "" if client.certificate is None else "mtls."  # Auth0, mTLS aliases
        url = f"{tenant.scheme}://{alias}{tenant.domain}/oauth/token"
        sending = client.timeout, client.session, client.certificate
        try:
            reply = post_form(url, form, headers, *sending)
        except UnusableAnswerError as error:
            self.status, self.headers = error.status, error.headers
            raise self.unusable(error.problem) from None
        self.status, self.headers = reply.status, reply.headers
        content = parse_object(reply.body)
        if reply.status != 200 or (content or {}).get("error") is not None:
            raise self.refusal(reply.status, content or {})
        if content is None:
            raise self.unusable("it is not one valid JSON object in UTF-8")
        return content

    @property
    def request_id(self) -> Optional[str]:
        """Auth0's name for the request."""
        found = self.headers.get("x-auth0-requestid", self.headers.get("x-request-id"))
        return clean_text(found, self.secrets)

    def error(self, code: Code, message: str, *words: Any) -> CustomTokenExchangeError:
        """Return an error with the facts of the answer, and its two words if any."""
        error, description = words or (None, None)
        facts = self.status, retry_after(self.headers), self.request_id
        return CustomTokenExchangeError(code, message, error, description, *facts)

    def unusable(self, problem: str) -> CustomTokenExchangeError:
        """Return the error for an answer that can't be used."""
        message = f"the answer of {self.client.tenant.domain} can't be used: {problem}"
        return self.error(Code.INVALID_RESPONSE, message)

    def refusal(self, status: int, content: Dict[str, Any]) -> CustomTokenExchangeError:
        """Return the error for an answer that is not a success (RFC 6749, 5.2)."""
        word = content.get("error")
        known = isinstance(word, str) and word in SERVER_WORDS
        # The protocol's own words are not masked, even if a secret is part of one.
        error = word if known else clean_text(word, self.secrets)
        description = clean_text(content.get("error_description"), self.secrets)
        said = ": ".join(filter(None, (error, description))) or "no reason given"
        message = f"{self.client.tenant.domain} refused: {said} (HTTP {status})"
        if status == 401:  # RFC 6749, 5.2. Auth0's word here is access_denied.
            code = Code.INVALID_CLIENT
        elif error is not None:
            code = Code(word) if known else Code.TOKEN_EXCHANGE_FAILED
        else:
            other = Code.SERVER_ERROR if status >= 500 else Code.TOKEN_EXCHANGE_FAILED
            code = _BY_STATUS.get(status, other)
        return self.error(code, message, error, description)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        level, said, code = logging.INFO, "issued", None
        quiet = self.status is None and error is None
        if quiet or isinstance(error, InvalidArgumentError):
            return
        if error is not None:
            code = str(error.code) if isinstance(error, SessionTransferError) else None
            level, said = logging.WARNING, f"not issued: {code or kind.__name__}"
        if not _logger.isEnabledFor(level):
            return
        domain, client_id = self.client.tenant.domain, self.client.client_id
        duration = time.monotonic() - self.started
        actor = jwt_claims(self.id_token or "")
        facts = {  # with a prefix, since a LogRecord factory may set such names itself
            "auth0_domain": domain,
            "auth0_client_id": client_id,
            "auth0_organization": self.organization,
            "auth0_reason": self.reason,
            "auth0_forwarded_for": self.forwarded_for,
            "auth0_actor_sub": clean_text(actor.get("sub"), ()),
            "auth0_code": code,
            "auth0_status": self.status,
            "auth0_request_id": self.request_id,
            "auth0_duration": duration,
        }
        message = "%s for %s at %s %s (%.0f ms)"
        words = (self.what, client_id, domain, said, duration * 1000)
        with suppress(Exception):  # a filter's, a handler's, or a signal handler's
            _logger.log(level, message, *words, extra=facts)
