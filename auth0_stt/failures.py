"""A failure on the way, and the error that stands for it: a table.

The words are the system's, OpenSSL's or our own, never those of the other side.
"""

from __future__ import annotations

import errno
import re
import ssl
import time
from http.client import HTTPException, IncompleteRead, RemoteDisconnected, responses
from socket import EAI_AGAIN, gaierror, timeout
from typing import Any, Callable, List, Optional, Union

from attr import frozen
from requests import exceptions
from urllib3.exceptions import HTTPError, LocationValueError
from urllib3.exceptions import InvalidHeader as MalformedLength

from .connections import Call, UnusableAnswerError
from .errors import TransportError, raised_by_caller
from .errors import TransportErrorCode as Code

#: What can fail on the way (ImportError: PySocks is missing). All else passes through.
CAUGHT = (OSError, HTTPException, HTTPError, UnicodeError, ImportError)
#: Of these, what means the network even if the caller's adapter raises it.
_NETWORK = (exceptions.RequestException, HTTPException, ConnectionError, gaierror)

_LOST = "the connection was lost"
_BAD_URL = (exceptions.InvalidURL, LocationValueError, UnicodeError)
_SOCKS = "there is no adapter for it (SOCKS needs PySocks)"
_BAD_PROXY = "the proxy's URL is invalid: see HTTPS_PROXY"


def failure(error: Exception, call: Call, outer: Any) -> BaseException:
    """Return the TransportError or UnusableAnswerError for one of :data:`CAUGHT`.

    What the caller's code raised comes back as it is: a signal handler may raise
    TimeoutError, an adapter FileNotFoundError, and urllib3 may have wrapped it.
    ``outer`` is what the caller was handling when the call began, not a cause of this.
    """
    wrapped = _chain(error, outer)
    # urllib3 1.26 gives its own exception the traceback of the one that it wraps.
    own = [e for e in wrapped if raised_by_caller(e) and not isinstance(e, HTTPError)]
    if own and not isinstance(own[0], _NETWORK):
        if own[0] is not error:
            own[0].__suppress_context__ = True  # hides what wrapped it
        return own[0]
    if time.monotonic() >= call.deadline:
        wrapped.append(timeout())  # whatever failed, failed because of it
    found = [(row, each) for row in _TABLE for each in wrapped if row.reason(each)]
    row, cause = found[0]
    sent = call.sent and not any(fit.unsent for fit, _ in found)  # one sign is enough
    if sent and isinstance(error, UnusableAnswerError):
        return error
    if sent and row.code is None:
        return UnusableAnswerError("it is not HTTP")
    secure = "secure " if row.code == Code.TLS else ""
    message = f"no {secure}connection to {call.host}: {row.reason(cause)}"
    if row.code == Code.TIMEOUT:
        message = f"{call.host} did not answer within {call.seconds:g} seconds"
    if call.doing:
        message += f" (while {call.doing})"
    return TransportError(row.code or Code.UNREACHABLE, message, sent, row.permanent)


def _chain(error: BaseException, outer: Optional[BaseException]) -> List[BaseException]:
    """Return an exception and all that requests and urllib3 wrapped in it."""
    found, seen = [error], {id(error), id(outer)}
    for each in found:  # which grows
        linked = [each.__cause__, *each.args, getattr(each, "reason", None)]
        context = each.__context__
        # urllib3 1.26 wraps without "from": its context counts. What an adapter was
        # handling when it sent, such as the failure of an earlier attempt, does not.
        wraps = isinstance(each, HTTPError) or not raised_by_caller(context)
        if wraps and not isinstance(context, exceptions.RequestException):
            linked.append(context)
        for link in linked:
            if isinstance(link, BaseException) and id(link) not in seen:
                seen.add(id(link))
                found.append(link)
    return found


def _words(error: Any) -> Any:
    """Return what OpenSSL or the system says."""
    said = (getattr(error, n, "") for n in ("verify_message", "reason", "strerror"))
    default = "TLS failed" if isinstance(error, ssl.SSLError) else _LOST
    return next((words for words in said if words and isinstance(words, str)), default)


def _file(error: Any) -> Any:
    """Return what is wrong with a file, such as a CA bundle or an SSLKEYLOGFILE."""
    if type(error) is OSError and not error.errno:  # how requests reports it
        return "the CA bundle or certificate can't be read: see REQUESTS_CA_BUNDLE"
    return error.filename and f"{error.filename}: {error.strerror}"


def _cut(error: Any) -> str:
    """Return words for an answer that was cut, unless a chunk's size is malformed."""
    context = error.__context__  # int()'s ValueError, or what the caller was handling
    if type(context) is ValueError and not raised_by_caller(context):
        return ""
    return _LOST


def _refusal(error: Any, statuses: str) -> str:
    """Return how a proxy refused a tunnel, from http.client's words, or nothing."""
    found = re.match(rf"Tunnel connection failed: ({statuses})\b", str(error))
    if found is None:
        return ""
    return f"the proxy refused: {found[1]} {responses.get(int(found[1]), '')}".rstrip()


@frozen(eq=False, repr=False)
class _Row:
    """What an exception of a kind means. The words may be a function of it."""

    kind: Any
    words: Union[str, Callable[[Any], Any]]
    code: Optional[Code] = Code.UNREACHABLE  # None for an answer that is not HTTP
    unsent: bool = False  # it can't happen once anything is sent
    permanent: bool = False  # no later try can do better

    def reason(self, error: Any) -> Any:
        """Return the words, or none if the row does not fit."""
        fits = isinstance(error, self.kind)
        return fits and (self.words(error) if callable(self.words) else self.words)


#: The first row that fits any of the wrapped exceptions tells what happened.
_TABLE = (
    _Row(exceptions.ConnectTimeout, _LOST, Code.TIMEOUT, unsent=True),
    # Not the system's own ETIMEDOUT, which does not come from our clock.
    _Row((timeout, exceptions.Timeout), lambda e: not e.errno and _LOST, Code.TIMEOUT),
    _Row(UnusableAnswerError, lambda e: e.problem),
    _Row(OSError, lambda e: _refusal(e, "429|50[234]"), unsent=True),
    _Row(OSError, lambda e: _refusal(e, r"\d{3}"), unsent=True, permanent=True),
    _Row(OSError, _file, Code.TLS, unsent=True),
    _Row(gaierror, lambda e: e.errno == EAI_AGAIN and _words(e), unsent=True),
    _Row(gaierror, _words, unsent=True, permanent=True),
    _Row((exceptions.InvalidSchema, ImportError), _SOCKS, unsent=True, permanent=True),
    _Row(_BAD_URL, _BAD_PROXY, unsent=True, permanent=True),
    _Row(ssl.SSLCertVerificationError, _words, Code.TLS, unsent=True),
    _Row(ConnectionRefusedError, _words, unsent=True),
    _Row((ssl.SSLEOFError, ssl.SSLZeroReturnError, RemoteDisconnected), _LOST),
    # An end for which Python 3.7 has no class, and one before the handshake.
    _Row(ssl.SSLError, lambda e: "unexpected eof" in str(e) and _LOST),
    _Row(ssl.SSLError, lambda e: e.errno == errno.ENOTCONN and _LOST),
    _Row(IncompleteRead, _cut),
    _Row((MalformedLength, HTTPException), "what came is not HTTP", None),
    _Row(ssl.SSLError, _words, Code.TLS),
    _Row(exceptions.SSLError, "TLS failed", Code.TLS),
    _Row(OSError, lambda e: getattr(e, "msg", "")),  # PySocks'
    _Row(OSError, lambda e: e.strerror and _words(e)),
    _Row(BaseException, _LOST),
)
