"""The table: an exception, and the error of ours that it is."""

import errno
import http.client
import socket
import ssl

import pytest
import urllib3
from requests import exceptions as failed

from auth0_stt import TransportError
from auth0_stt.connections import Call, UnusableAnswerError
from auth0_stt.failures import failure


def caused(error, cause):
    """Return an exception that was raised from another."""
    error.__cause__ = cause
    return error


def wrapped(error):
    """Return an exception as requests and urllib3 wrap it."""
    lost = urllib3.exceptions.ProtocolError("Connection aborted.", error)
    return failed.ConnectionError(lost)


RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
BUSY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
MISSING = FileNotFoundError(errno.ENOENT, "No such file or directory", "/ca.pem")

#: An exception, the code, whether it may have been sent, whether it is worth a retry,
#: and some words.
TABLE = {
    "reset": (RESET, "unreachable", True, True, "Connection reset by peer"),
    "wrapped reset": (wrapped(RESET), "unreachable", True, True, "reset by peer"),
    "refused": (REFUSED, "unreachable", False, True, "Connection refused"),
    "unknown name": (UNKNOWN, "unreachable", False, False, "not known"),
    "resolver is down": (BUSY, "unreachable", False, True, "Temporary failure"),
    "refused, no words": (ConnectionRefusedError(), "unreachable", False, True, "lost"),
    "unknown name, no words": (socket.gaierror(), "unreachable", False, False, "lost"),
    "certificate, no words": (  # so Python 3.7 says that it is another host's
        ssl.SSLCertVerificationError("hostname doesn't match"),
        *("tls", False, False, "TLS failed"),
    ),
    "timeout": (socket.timeout("timed out"), "timeout", True, True, "5 seconds"),
    "read timeout": (failed.ReadTimeout(), "timeout", True, True, "5 seconds"),
    "connect timeout": (failed.ConnectTimeout(), "timeout", False, True, "5 seconds"),
    "timeout of the system": (  # a TimeoutError, too, but not that of the call
        TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
        *("unreachable", True, True, "Connection timed out"),
    ),
    "certificate": (
        ssl.SSLCertVerificationError(1, "certificate verify failed"),
        *("tls", False, False, "certificate verify failed"),
    ),
    "TLS": (ssl.SSLError(1, "WRONG_VERSION"), "tls", True, False, "WRONG_VERSION"),
    "TLS, no words": (ssl.SSLError(), "tls", True, False, "TLS failed"),
    "end in TLS": (ssl.SSLEOFError(8, "EOF"), "unreachable", True, True, "was lost"),
    "end in TLS, old Python": (
        ssl.SSLError(1, "unexpected eof while reading"),
        *("unreachable", True, True, "was lost"),
    ),
    "end before TLS": (  # what Python says of a connection that died before it began
        ssl.SSLError(errno.ENOTCONN, "not connected"),
        *("unreachable", True, True, "was lost"),
    ),
    "requests' TLS": (failed.SSLError("a name"), "tls", True, False, "TLS failed"),
    "file": (MISSING, "tls", False, False, "/ca.pem: No such file"),
    "requests' file": (
        OSError("Could not find a suitable TLS CA certificate bundle"),
        *("tls", False, False, "REQUESTS_CA_BUNDLE"),
    ),
    "tunnel": (
        wrapped(OSError("Tunnel connection failed: 407 Evil words")),
        *("unreachable", False, False, "the proxy refused: 407 Proxy Auth"),
    ),
    "busy proxy": (
        OSError("Tunnel connection failed: 503"),
        *("unreachable", False, True, "the proxy refused: 503 Service"),
    ),
    "no PySocks": (
        failed.InvalidSchema("Missing dependencies for SOCKS support."),
        *("unreachable", False, False, "PySocks"),
    ),
    "no adapter": (
        failed.InvalidSchema("No connection adapters were found"),
        *("unreachable", False, False, "no adapter"),
    ),
    "proxy's URL": (failed.InvalidProxyURL(), "unreachable", False, False, "URL"),
    "cut short": (
        http.client.IncompleteRead(b"secret"),
        *("unreachable", True, True, "was lost"),
    ),
    "no answer": (
        http.client.RemoteDisconnected("secret"),
        *("unreachable", True, True, "was lost"),
    ),
    "anything": (failed.RetryError("secret"), "unreachable", True, True, "was lost"),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name):
    """What it is, whether it may have been sent, and whether a retry may help."""
    error, code, sent, retryable, words = TABLE[name]
    call = Call("tenant.test", 5.0)
    call.sent = True
    found = failure(error, call, None)
    assert isinstance(found, TransportError)
    assert (code, sent, retryable) == (found.code, found.sent, found.retryable)
    assert "tenant.test" in str(found)
    assert words in str(found)
    assert "secret" not in str(found)
    assert "Evil" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        http.client.BadStatusLine("secret"),
        wrapped(http.client.LineTooLong("secret")),
        urllib3.exceptions.InvalidHeader("secret"),
        UnusableAnswerError("what came is not HTTP"),
    ],
)
@pytest.mark.parametrize("sent", [True, False])
def test_not_http(error, sent):
    """An answer that can't be read is one only if a request was sent."""
    call = Call("tenant.test", 5.0)
    call.sent = sent
    found = failure(error, call, None)
    assert (UnusableAnswerError if sent else TransportError) is type(found)
    assert "secret" not in str(found)


def test_where():
    """The step that failed is named, if it is known."""
    call = Call("tenant.test", 5.0)
    assert "while" not in str(failure(RESET, call, None))
    call.doing = "connecting"
    assert str(failure(RESET, call, None)).endswith("(while connecting)")


def test_time_is_over():
    """Whatever failed after the deadline failed because of it."""
    call = Call("tenant.test", 5.0)
    call.deadline = 0.0
    assert "timeout" == failure(RESET, call, None).code


def test_cause():
    """The reason may be a cause, a context, or an argument of what was raised."""
    call = Call("tenant.test", 5.0)
    for error in (caused(RuntimeError(), UNKNOWN), RuntimeError(RuntimeError(UNKNOWN))):
        assert "not known" in str(failure(error, call, None))


def test_outer():
    """What the caller was handling is no reason."""
    call = Call("tenant.test", 5.0)
    error = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    error.__context__ = outer = socket.timeout("the caller's")
    assert "timeout" == failure(error, call, None).code
    assert "unreachable" == failure(error, call, outer).code
