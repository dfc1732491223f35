"""A failure on the way, and the error that stands for it: a table.

The words of our errors are the system's, OpenSSL's or our own, never those of the
other side.
"""

from __future__ import annotations

import errno
import re
import ssl
import time
from http.client import HTTPException, IncompleteRead, RemoteDisconnected, responses
from socket import EAI_AGAIN, gaierror, timeout
from typing import Any, Callable, Iterator, Optional, Union

from attr import frozen
from requests.exceptions import (
    ConnectTimeout,
    InvalidSchema,
    InvalidURL,
    RequestException,
    SSLError,
    Timeout,
)
from urllib3.exceptions import HTTPError, LocationValueError
from urllib3.exceptions import InvalidHeader as MalformedLength

from .connections import Call, UnusableAnswerError
from .errors import TransportError, raised_by_caller
from .errors import TransportErrorCode as Code

#: What can fail on the way. Any other exception passes as it is.
CAUGHT = (
    *(OSError, HTTPException, HTTPError, UnicodeError, UnusableAnswerError),
    ImportError,  # of PySocks
)

#: How requests and urllib3 refuse the URL of a proxy, or what is in it.
_UNUSABLE_URLS = (InvalidURL, LocationValueError, UnicodeError)

#: Of these, what means the network even if an adapter of the caller's raises it.
_NEVER_THE_CALLERS = (RequestException, HTTPException, ConnectionError, gaierror)

#: How http.client words the answer of a proxy that refuses a tunnel.
_REFUSAL = r"Tunnel connection failed: (\d{3})\b"

#: What a proxy answers if a later try may succeed.
_BUSY_PROXY = ("429", "502", "503", "504")


def failure(
    error: Exception, call: Call, outer: Optional[BaseException]
) -> BaseException:
    """Return the TransportError or UnusableAnswerError for one of :data:`CAUGHT`.

    Return what the caller's code raised as it is: a signal handler may raise
    TimeoutError, an adapter FileNotFoundError. They are OSErrors, but not the
    network's, and urllib3 may have wrapped them.

    ``outer`` is the exception that the caller was handling when the call began. It is
    no reason for the failure.

    ``sent`` is what the call knows, but False if any row that fits can only happen
    before sending.
    """
    wrapped = list(_chain(error, outer))
    # urllib3 1.26 gives its own exception the traceback of the one that it wraps.
    theirs = [
        e for e in wrapped if raised_by_caller(e) and not isinstance(e, HTTPError)
    ]
    if theirs and not isinstance(theirs[0], _NEVER_THE_CALLERS):
        theirs[0].__suppress_context__ = True  # what wrapped it
        return theirs[0]
    found = [(row, each) for row in _TABLE for each in wrapped if row.fits(each)]
    row, cause = found[0]
    sent = call.sent and not any(row.unsent for row, _ in found)
    code = Code.TIMEOUT if time.monotonic() >= call.deadline else row.code
    if isinstance(cause, UnusableAnswerError) and sent:
        return cause
    if code is None and sent:
        return UnusableAnswerError("it is not HTTP")
    if code == Code.TIMEOUT:
        message = f"{call.host} did not answer within {call.seconds:g} seconds"
    elif code == Code.TLS:
        message = f"no secure connection to {call.host}: {row.reason(cause)}"
    else:
        message = f"no connection to {call.host}: {row.reason(cause)}"
    if call.doing:
        message += f" (while {call.doing})"
    permanent = code != Code.TIMEOUT and row.permanent
    return TransportError(code or Code.UNREACHABLE, message, sent, permanent)


_LOST = "the connection was lost"
_NO_FILE = "the CA bundle or certificate can't be read: see REQUESTS_CA_BUNDLE"
_BAD_PROXY = "the proxy's URL is invalid: see HTTPS_PROXY"


def _chain(
    error: Optional[BaseException], outer: Optional[BaseException]
) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps, as requests and urllib3 wrap it.

    What an adapter was handling when it sent, such as an attempt before, is left out.
    """
    waiting, seen = [error], {id(outer)}
    while waiting:
        current: Any = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__cause__, *current.args]
            waiting.append(getattr(current, "reason", None))
            context = current.__context__
            # urllib3 1.26 wraps without "from": of its exceptions, the context is the
            # cause.
            wraps = isinstance(current, HTTPError) or not raised_by_caller(context)
            if wraps and not isinstance(context, RequestException):
                waiting.append(context)


def _system(error: Any) -> str:
    """Return the words of the operating system."""
    return error.strerror if isinstance(error.strerror, str) else _LOST


def _openssl(error: Any) -> str:
    """Return the words of OpenSSL."""
    found = getattr(error, "verify_message", "") or getattr(error, "reason", "")
    return found if isinstance(found, str) and found else "TLS failed"


def _file(error: Any) -> str:
    return f"{error.filename}: {error.strerror}"


def _schema(error: Any) -> str:
    missing = "socks" in str(error).lower()
    return "SOCKS needs PySocks" if missing else "the session has no adapter for it"


def _is_missing_file(error: Any) -> bool:
    """Whether it is requests' error for a missing file: an OSError without errno."""
    return type(error) is OSError and not error.errno


def _refused(error: BaseException) -> str:
    """Return the status by which a proxy refused a tunnel, or nothing."""
    found = re.match(_REFUSAL, str(error))
    return found[1] if found else ""


def _refusal(error: BaseException) -> str:
    status = _refused(error)
    return f"the proxy refused: {status} {responses.get(int(status), '')}".rstrip()


def _is_lost(error: BaseException) -> bool:
    if isinstance(error, ssl.SSLError):
        # Python 3.7 has no class for what a newer OpenSSL calls an unexpected end, and
        # ENOTCONN is a connection that was lost before the handshake began.
        ended = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
        return ended or error.errno == errno.ENOTCONN or "unexpected eof" in str(error)
    cut = isinstance(error, (RemoteDisconnected, IncompleteRead))
    # A chunk of no size is an IncompleteRead, too.
    return cut and not isinstance(error.__context__, ValueError)


@frozen(eq=False, repr=False)
class _Row:
    """What an exception means, if it is of this kind and ``also`` is true."""

    kind: Any
    words: Union[str, Callable[[Any], str]] = ""
    #: None for an answer that is not HTTP.
    code: Optional[Code] = Code.UNREACHABLE
    also: Callable[[Any], Any] = lambda error: True
    #: Whether it can't happen once anything is sent.
    unsent: bool = False
    #: Whether no later try can do better.
    permanent: bool = False

    def fits(self, error: BaseException) -> bool:
        return isinstance(error, self.kind) and bool(self.also(error))

    def reason(self, error: BaseException) -> str:
        return self.words if isinstance(self.words, str) else self.words(error)


#: The first row that fits any of the wrapped exceptions tells what happened.
_TABLE = (
    _Row(UnusableAnswerError, lambda error: error.problem, None),
    _Row(ConnectTimeout, code=Code.TIMEOUT, unsent=True),
    # Not the system's own ETIMEDOUT, which comes when it pleases.
    _Row((timeout, Timeout), code=Code.TIMEOUT, also=lambda e: not e.errno),
    # A CA bundle that can't be read, or an SSLKEYLOGFILE that can't be written.
    _Row(OSError, _file, Code.TLS, lambda e: getattr(e, "filename", ""), unsent=True),
    _Row(gaierror, _system, also=lambda e: e.errno == EAI_AGAIN, unsent=True),
    _Row(gaierror, _system, unsent=True, permanent=True),
    _Row(OSError, _refusal, also=lambda e: _refused(e) in _BUSY_PROXY, unsent=True),
    _Row(OSError, _refusal, also=_refused, unsent=True, permanent=True),
    _Row((InvalidSchema, ImportError), _schema, unsent=True, permanent=True),
    _Row(_UNUSABLE_URLS, _BAD_PROXY, unsent=True, permanent=True),
    _Row(ssl.SSLCertVerificationError, _openssl, Code.TLS, unsent=True),
    _Row(ConnectionRefusedError, _system, unsent=True),
    _Row((ssl.SSLError, HTTPException), _LOST, also=_is_lost),
    _Row((MalformedLength, HTTPException), "what came is not HTTP", None),
    _Row((ssl.SSLError, SSLError), _openssl, Code.TLS),
    _Row(OSError, _NO_FILE, Code.TLS, _is_missing_file, unsent=True),
    _Row(OSError, lambda e: e.msg, also=lambda e: hasattr(e, "msg")),  # PySocks'
    _Row(OSError, _system, also=lambda e: isinstance(e.strerror, str)),
    _Row(BaseException, _LOST),
)
