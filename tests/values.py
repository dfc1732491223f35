"""The values that tests send and expect, and those that nobody should send."""

import base64
import enum
import json

#: Written out, so that a wrong constant in the library fails a test.
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
SESSION_TRANSFER_TOKEN_TYPE = "urn:auth0:params:oauth:token-type:session_transfer_token"

#: What the console holds. Each is unlike anything else in a test.
CLIENT_SECRET = "client-secret-Kq8vXz2LwT5rYp1N"
SUBJECT_TOKEN = "subject-token-Wd4mJc7RbG0sHf9E"
ACTOR_TOKEN = "actor-token-Ue3nVk6QaZ1xBt8I"
REFRESH_TOKEN = "refresh-token-Po2yLh5DjS9gMw4C"
ISSUED = "issued-stt-Fr7iXe1KvN3uOq6T"
ASSERTION = "client-assertion-Zx5pLm8VcB2nQw6E"
PRIVATE_KEY = "private-key-Tg7yHu4JiK9oPl3M"
SECRETS = (
    CLIENT_SECRET,
    SUBJECT_TOKEN,
    ACTOR_TOKEN,
    REFRESH_TOKEN,
    ISSUED,
    ASSERTION,
    PRIVATE_KEY,
)

#: The arguments of a mint, but for the domain.
CALL = {
    "client_id": "console",
    "client_secret": CLIENT_SECRET,
    "subject_token": SUBJECT_TOKEN,
    "subject_token_type": "urn:acme:customer",
    "actor_token": ACTOR_TOKEN,
    "actor_token_type": ID_TOKEN_TYPE,
}

#: A good answer, as Auth0 documents it.
GOOD = {
    "access_token": ISSUED,
    "issued_token_type": SESSION_TRANSFER_TOKEN_TYPE,
    "token_type": "N_A",
    "expires_in": 60,
}

#: The words in a server's ``error`` field that are codes of the library.
SERVER_CODES = [
    "setactor_required",
    "session_transfer_disabled",
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "access_denied",
    "mfa_required",
    "too_many_attempts",
    "too_many_requests",
    "server_error",
    "temporarily_unavailable",
]


def encoded(data):
    """Return bytes, or anything else as JSON, in the encoding of a JWT's parts."""
    if not isinstance(data, bytes):
        data = json.dumps(data).encode("utf-8")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def id_token(claims):
    """Return a JWT with these claims, or these bytes, and a worthless signature."""
    head = encoded({"alg": "RS256", "typ": "JWT"})
    return ".".join((head, encoded(claims), encoded(b"signature")))


class Word(str):
    """A str that frameworks pass, such as Django's SafeString."""


class Choice(str, enum.Enum):
    """A str whose str() is another one."""

    ticket = "ticket-number"


class Hostile:
    """Raises an exception, whatever it is asked."""

    def _refuse(self, *_):
        raise RuntimeError("asked")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse
    __str__ = __repr__ = __bytes__ = __bool__ = __int__ = __float__ = _refuse
    __index__ = __len__ = __iter__ = __contains__ = __getitem__ = _refuse


#: Not a text, whatever the argument is.
NO_TEXTS = [
    b"bytes",  # as a file or a cache returns them
    7,
    True,
    ["a"],
    {},
    Hostile(),
]
BLANKS = ["", " \t\n", "\u3000", "\u200b"]
#: White space and control characters, in and around what should have none.
SPACED = [
    "a b",
    " a",
    "a\n",  # as read from a file
    "a\r\nb",  # another header
    "a\0b",
    "a\u00a0b",  # as pasted from a page
    "a\u2028b",
    "\u202ea",
    "a\ud800",  # can't be encoded
]


def ids(value):
    """Return the name of a parameter in pytest's report."""
    try:
        return ascii(value)[:40]
    except RuntimeError:
        return type(value).__name__
