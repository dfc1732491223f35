"""Everything that this package raises on purpose.

::

    SessionTransferError                 .code  .message  .retryable  .hint
    ├── InvalidArgumentError (ValueError)  .argument
    ├── TransportError                     .sent
    └── CustomTokenExchangeError           .error .error_description .status_code .retry_after

A program branches on ``.code``, a person reads ``str(error)`` and ``.hint``. No error holds a token or a
secret. Every one can be pickled, copied, hashed and raised again.
"""

from enum import Enum
from typing import Dict, Optional

from attr import define, field


class CustomTokenExchangeErrorCode(str, Enum):
    """Why no usable token came; equal to, and printed as, its plain string."""

    # Found here, before anything is sent.
    actor_unavailable = "actor_unavailable"
    missing_actor_token_type = "missing_actor_token_type"
    invalid_token_format = "invalid_token_format"

    # The server's ``error`` field: RFC 6749 (5.2), RFC 8693 (2.2.2) and Auth0's own words.
    setactor_required = "setactor_required"
    session_transfer_disabled = "session_transfer_disabled"
    invalid_request = "invalid_request"
    invalid_client = "invalid_client"
    invalid_grant = "invalid_grant"
    unauthorized_client = "unauthorized_client"
    unsupported_grant_type = "unsupported_grant_type"
    invalid_scope = "invalid_scope"
    invalid_target = "invalid_target"
    access_denied = "access_denied"
    mfa_required = "mfa_required"
    too_many_attempts = "too_many_attempts"
    too_many_requests = "too_many_requests"
    server_error = "server_error"
    temporarily_unavailable = "temporarily_unavailable"

    # What this package makes of the answer.
    token_exchange_failed = "token_exchange_failed"
    invalid_response = "invalid_response"
    unexpected_token_type = "unexpected_token_type"

    def __str__(
        self,
    ) -> str:  # "__str__ = str.__str__" would be undone by Python 3.7's Enum
        return str(self.value)


class TransportErrorCode(str, Enum):
    """Why no usable answer came; equal to, and printed as, its plain string."""

    timeout = "timeout"
    tls = "tls"
    unreachable = "unreachable"

    def __str__(
        self,
    ) -> str:  # "__str__ = str.__str__" would be undone by Python 3.7's Enum
        return str(self.value)


Code = CustomTokenExchangeErrorCode

#: The codes of a call that sent nothing.
FOUND_HERE = frozenset(
    (Code.actor_unavailable, Code.missing_actor_token_type, Code.invalid_token_format)
)

#: The ``error`` words that a server may send and that are codes here as they are.
SERVER_WORDS = (
    frozenset(Code)
    - FOUND_HERE
    - {Code.token_exchange_failed, Code.invalid_response, Code.unexpected_token_type}
)


@define(slots=False)
class SessionTransferError(Exception):
    """The base of every error here: ``.code``, ``.message``, ``.retryable``, ``.hint``."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later, with nothing changed."""
        return False

    @property
    def hint(self) -> Optional[str]:
        """One sentence that tells a person what to change and where, or None."""
        return _HINTS.get(self.code)


@define(slots=False)
class InvalidArgumentError(SessionTransferError, ValueError):
    """The caller's mistake, found before anything is sent; ``.argument`` names it."""

    argument: str
    code: str = field(default="invalid_argument", init=False)


@define(slots=False)
class TransportError(SessionTransferError):
    """No usable answer came. ``.sent`` is False only where the tenant can't have seen the request."""

    code: TransportErrorCode = field(converter=TransportErrorCode)
    message: str
    sent: bool
    #: False where no later try can do better: a name that does not exist, a proxy's refusal.
    hopeful: bool = field(default=True, repr=False)

    @property
    def retryable(self) -> bool:
        """True for timeouts and lost connections, False for TLS failures and what can't be reached for good."""
        return self.hopeful and self.code != TransportErrorCode.tls


@define(slots=False)
class CustomTokenExchangeError(SessionTransferError):
    """No usable token came: a check here failed, the tenant refused, or its answer can't be used.

    ``.error`` and ``.error_description`` are the server's words, cut and masked; ``.status_code`` its HTTP
    status; ``.retry_after`` the seconds that it asks to wait. Each is None where there is none.
    """

    code: CustomTokenExchangeErrorCode = field(converter=CustomTokenExchangeErrorCode)
    message: str
    error: Optional[str] = None
    error_description: Optional[str] = None
    status_code: Optional[int] = None
    retry_after: Optional[float] = None

    @property
    def retryable(self) -> bool:
        """True for 429 and for 5xx, but not where a 5xx carries the refusal of an Action."""
        status = self.status_code or 0
        refused = self.error is not None and self.code not in (
            Code.server_error,
            Code.temporarily_unavailable,
        )
        return status == 429 or (500 <= status <= 599 and not refused)

    @property
    def hint(self) -> Optional[str]:
        description = (self.error_description or "").lower()
        for words, hint in _DESCRIPTION_HINTS:
            if words in description:
                return hint
        if (
            self.code == Code.actor_unavailable
            and self.error != Code.invalid_grant
            and self.error in _HINTS
        ):
            return _HINTS[
                self.error
            ]  # the application's settings, no sign-in, mend that
        return _HINTS.get(self.code)


_SET_ACTOR = "The tenant's Action must call api.authentication.setActor() when it grants a session transfer token."
_DISABLED = (
    "Set session_transfer.can_create_session_transfer_token to true on this application, and ask Auth0 whether the "
    "tenant's plan has Session Delegation."
)
_MFA = (
    "Multi-factor authentication can't be done here: exempt the mint from it in the tenant, and where a renewal asks "
    "for it, let the agent sign in again."
)
_FORWARD = (
    "Pass forwarded_for with the agent's address, and switch on Trust Token Endpoint IP Header in the application's "
    "settings, so that agents don't share the server's budget of failed attempts."
)

#: The code does not depend on the description, but what to tell a person may.
_DESCRIPTION_HINTS = (
    ("setactor is required", _SET_ACTOR),
    ("session transfer is not enabled", _DISABLED),
    ("mfa is not supported", _MFA),
    (
        "'exp' claim",
        "The agent's ID token has expired: renew it with resolve_actor_token() before each mint.",
    ),
    ("suspicious login behavior", _FORWARD),
)

_HINTS: Dict[str, str] = {
    Code.actor_unavailable: "Let the agent sign in to the console again, so that there is an ID token to pass on.",
    Code.missing_actor_token_type: "Pass actor_token_type=ID_TOKEN_TYPE for an Auth0 ID token.",
    Code.invalid_token_format: "Pass the bare token, as it was issued: no prefix, no white space, no line break.",
    Code.setactor_required: _SET_ACTOR,
    Code.session_transfer_disabled: _DISABLED,
    Code.invalid_client: "Check client_id and the application's credentials against Auth0's Applications page.",
    Code.invalid_grant: "Check that the subject token is what the tenant's Action expects and that none has expired.",
    Code.unauthorized_client: (
        'Allow the exchange on this application: token_exchange.allow_any_profile_of_type: ["custom_authentication"].'
    ),
    Code.unsupported_grant_type: "Allow the grant type in the application's Advanced Settings, Grant Types.",
    Code.invalid_scope: "Ask for scopes only that the tenant knows; offline_access is never granted to a delegation.",
    Code.invalid_target: (
        "Check that domain is the tenant's own or its custom domain, and that the tenant has Session Delegation."
    ),
    Code.access_denied: "The tenant's Action refused: see its code and the tenant's logs (fecte) for the reason.",
    Code.mfa_required: _MFA,
    Code.too_many_attempts: _FORWARD,
    Code.too_many_requests: "Wait for retry_after seconds: the tenant's rate limit is used up.",
    Code.unexpected_token_type: (
        "Set session_transfer.can_create_session_transfer_token to true on this application, and let the exchange "
        "profile of this subject_token_type grant session transfer."
    ),
    Code.invalid_response: "Check that domain is the tenant's, and that no proxy in between answers in its place.",
    TransportErrorCode.timeout: "Raise timeout, or look at what lies between this server and the tenant.",
    TransportErrorCode.tls: (
        "Check domain, this machine's clock, and REQUESTS_CA_BUNDLE where a proxy has certificates of its own."
    ),
    TransportErrorCode.unreachable: "Check domain, this server's name resolution, and its proxy settings.",
}
