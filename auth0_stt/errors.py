"""All that this package raises on purpose, and the boundary it is raised through.

::

    SessionTransferError            .code .message .retryable .retry_after .hint
    ├── InvalidArgumentError        .argument; also a ValueError
    ├── TransportError              .sent
    └── CustomTokenExchangeError    .error .error_description .status_code
                                    .request_id

A program branches on ``.code``. A person reads ``str(error)`` and ``.hint``. No error
holds a token or a secret, and each can be pickled, copied, hashed and raised again.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from enum import Enum
from functools import wraps
from types import TracebackType
from typing import Any, Callable, List, Optional, Tuple, TypeVar, cast

from attr import define, field, fields

from .hints import hint_for

#: What runs below the boundary, vendored copies beside this one included.
_PACKAGE = __name__.rpartition(".")[0]
_VENDOR = _PACKAGE.rpartition(".")[0]
_BELOW = (
    _PACKAGE + ".",
    *("requests.", "urllib3.", "idna.", "eventlet.", "gevent.", "socks."),
    *(f"{_VENDOR}.requests.", f"{_VENDOR}.urllib3."),
    *("http.client.", "socket.", "ssl.", "OpenSSL.", "truststore."),
)
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_Function = TypeVar("_Function", bound=Callable[..., Any])


class _Code(str, Enum):
    """A word, printed as its plain string."""

    def __str__(self) -> str:  # Python 3.7's Enum would undo "= str.__str__"
        return str(self.value)


class CustomTokenExchangeErrorCode(_Code):
    """Why there is no usable token. Equal to its plain string, and printed as such.

    The first three are found here before anything is sent; the first also stands for a
    refused renewal. The last three are about unusable answers. The others are the
    ``error`` field (RFC 6749, 5.2; RFC 8693, 2.2.2; Auth0's), or what the status says.
    """

    ACTOR_UNAVAILABLE = "actor_unavailable"  #: no usable token: the agent must sign in
    MISSING_ACTOR_TOKEN_TYPE = "missing_actor_token_type"  #: the argument is missing
    #: Not a str, blank, over 64 KiB, with white space, or beginning with ``Bearer``
    INVALID_TOKEN_FORMAT = "invalid_token_format"
    SETACTOR_REQUIRED = "setactor_required"  #: the Action did not call ``setActor()``
    #: The application or the tenant does not allow it
    SESSION_TRANSFER_DISABLED = "session_transfer_disabled"
    INVALID_REQUEST = "invalid_request"  #: most mistakes: see the description
    INVALID_CLIENT = "invalid_client"  #: wrong id or credentials, and any status 401
    INVALID_GRANT = "invalid_grant"  #: a token was not accepted
    UNAUTHORIZED_CLIENT = "unauthorized_client"  #: it may not make this exchange
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"  #: off for the application
    INVALID_SCOPE = "invalid_scope"  #: an unknown scope
    INVALID_TARGET = "invalid_target"  #: an unknown audience
    ACCESS_DENIED = "access_denied"  #: somebody refused, in practice the Action
    MFA_REQUIRED = "mfa_required"  #: the tenant wants a second factor
    TOO_MANY_ATTEMPTS = "too_many_attempts"  #: bad subject tokens from one address
    TOO_MANY_REQUESTS = "too_many_requests"  #: the rate limit; status 429 with no word
    SERVER_ERROR = "server_error"  #: trouble at the tenant; a 5xx status with no word
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"  #: or status 503 with no word
    TOKEN_EXCHANGE_FAILED = "token_exchange_failed"  #: any other word, or none
    INVALID_RESPONSE = "invalid_response"  #: unusable, such as HTML or a redirect
    UNEXPECTED_TOKEN_TYPE = "unexpected_token_type"  #: not a session transfer token


class TransportErrorCode(_Code):
    """Why no usable answer came. Equal to its plain string, and printed as such."""

    TIMEOUT = "timeout"  #: the call was not over within ``timeout`` seconds
    TLS = "tls"  #: no connection that can be trusted
    UNREACHABLE = "unreachable"  #: no connection, or it was lost


Code = CustomTokenExchangeErrorCode

#: The words in a server's ``error`` field that are codes: not the first and last three.
SERVER_WORDS = frozenset(list(Code)[3:-3])


@define(slots=False, repr=False)
class SessionTransferError(Exception):
    """The base of every error here: a word to branch on, and a sentence for people."""

    code: str
    message: str
    #: Seconds to wait before another try, if the server says so, else None.
    retry_after = None  # type: Optional[float] # an annotation would make it a field

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:  # attrs would compile one for every class at import
        shown = [each.name for each in fields(type(self)) if each.repr]
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__name__}({values})"

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later, with nothing changed."""
        return False

    @property
    def hint(self) -> Optional[str]:
        """One sentence that tells a person what to change and where, or None."""
        return hint_for(str(self.code), getattr(self, "error_description", None))


@define(slots=False, repr=False)
class InvalidArgumentError(SessionTransferError, ValueError):
    """The caller's mistake, found before anything is sent. ``.argument`` names it."""

    argument: str
    code: str = field(default="invalid_argument", init=False)


def invalid(message: str) -> InvalidArgumentError:
    """Return the error about the argument that a message's first word names."""
    return InvalidArgumentError(message, message.partition(" ")[0])


@define(slots=False, repr=False)
class TransportError(SessionTransferError):
    """No usable answer came.

    ``.sent`` is False only if the tenant cannot have seen the request, so that the
    caller can safely repeat it.
    """

    code: TransportErrorCode = field(converter=TransportErrorCode)
    message: str
    sent: bool
    permanent: bool = field(default=False, repr=False)  # such as an unknown name

    @property
    def retryable(self) -> bool:
        """True for timeouts and lost connections, not for TLS or unknown names."""
        return not self.permanent and self.code != TransportErrorCode.TLS


@define(slots=False, repr=False)
class CustomTokenExchangeError(SessionTransferError):
    """No usable token: a check failed, the tenant refused, or its answer is unusable.

    ``.error`` and ``.error_description`` are the server's words: cut at 500 characters,
    without control characters, and with every secret of the request masked.
    ``.status_code`` is the HTTP status, ``.request_id`` Auth0's name for the request,
    which its support asks for. Each is None if unknown.
    """

    code: CustomTokenExchangeErrorCode = field(converter=CustomTokenExchangeErrorCode)
    message: str
    error: Optional[str] = None
    error_description: Optional[str] = None
    status_code: Optional[int] = None
    retry_after: Optional[float] = None
    request_id: Optional[str] = None

    @property
    def retryable(self) -> bool:
        """True for status 429, ``server_error`` and ``temporarily_unavailable``."""
        trouble = (Code.SERVER_ERROR, Code.TEMPORARILY_UNAVAILABLE)
        return self.status_code == 429 or self.code in trouble


def boundary(function: _Function) -> _Function:
    """Let errors out of a public function without the frames and causes below it.

    They hold arguments, requests and answers. Our errors leave with the caller's frames
    and this one, which holds nothing; all others with only the caller's frames.
    """

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        handled = sys.exc_info()[1]  # by the caller, who may call from an except block
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            leaving = _cleaned(error, handled)
        del handled
        try:
            raise leaving
        finally:
            del leaving  # which refers to this frame

    return cast(_Function, call)


def _cleaned(error: BaseException, handled: Optional[BaseException]) -> BaseException:
    if isinstance(error, SessionTransferError):
        error.__cause__ = error.__context__ = None
        error.__suppress_context__ = False  # set by the line above
        return error.with_traceback(None)
    error.__traceback__ = _callers_frames(error.__traceback__)
    # Do the same to all that it links to, except what the caller was handling.
    found, seen, below = [error], {id(None), id(handled), id(error)}, set()
    for current in found:  # which grows
        for link in ("__cause__", "__context__"):
            linked = getattr(current, link)
            if id(linked) not in seen:
                seen.add(id(linked))
                frames = linked.__traceback__
                linked.__traceback__ = _callers_frames(frames)
                if frames and not linked.__traceback__:
                    below.add(id(linked))  # it never left what runs below
                else:
                    found.append(linked)
            if id(linked) in below:
                setattr(current, link, None)
    return error


def raised_by_caller(error: Optional[BaseException]) -> bool:
    """Whether its innermost frame is the caller's: a signal handler's, an adapter's."""
    return any(own for _, own in _whose(error.__traceback__ if error else None)[-1:])


def _whose(traceback: Optional[TracebackType]) -> List[Tuple[TracebackType, bool]]:
    """Return the entries of a traceback, each with whether it is the caller's own."""
    entries, own = [], False
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        # A frame of the standard library belongs to whoever called it.
        if f"{traceback.tb_frame.f_globals.get('__name__')}.".startswith(_BELOW):
            own = False
        elif "-packages" in file or not file.startswith((_STANDARD_LIBRARY, "<frozen")):
            own = True
        entries.append((traceback, own))
        traceback = traceback.tb_next
    return entries


def _callers_frames(traceback: Optional[TracebackType]) -> Optional[TracebackType]:
    """Return a traceback with only the caller's frames, such as a signal handler's.

    The others lose their variables, since ``f_back`` leads to them.
    """
    kept = None
    for entry, own in reversed(_whose(traceback)):
        if own:  # a new entry, since a log record may refer to the old one
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        else:
            with suppress(RuntimeError):  # the boundary's frame still runs
                entry.tb_frame.clear()
    return kept
