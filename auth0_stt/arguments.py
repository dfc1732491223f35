"""Checks on what callers pass: texts, tokens, hosts, addresses. No message shows a value.

A check of something secret *returns* its error and the caller raises it, so that no frame of a traceback holds
the secret in a local variable. The others raise.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any, Dict, List, Mapping, Optional, Union
from unicodedata import bidirectional

from .errors import (
    Code,
    CustomTokenExchangeError,
    InvalidArgumentError,
    SessionTransferError,
)

#: A day, in seconds: more is a mistake, and much more overflows what sockets take.
_LONGEST = 86_400

# The patterns are compiled as they are first used, which takes 1 ms off the import.

# RFC 3986, 3.1: an absolute URI begins with its scheme.
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+"

# RFC 6749, 3.3.
_SCOPE = r"[!#-\[\]-~]+"

_DOMAIN = r"(?i:(?:(https?)://)?([^/\\?#@%\s]+)/?)"
_AUTHORITY = r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([1-9][0-9]{0,4}))?"
_NAME = r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*"

# A digit first, or `0x`: the URL Standard reads a host whose last label looks so as an IPv4 address.
_NUMERIC = r"(.*\.)?([0-9]+|0x[0-9a-f]*)"

_LOOPBACK = r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?"


def text_error(
    argument: str, value: Any, remedy: str = "", spaces: bool = False
) -> Optional[InvalidArgumentError]:
    """Return the error of a text that is no str, blank, or holds what can't be sent."""
    if not isinstance(value, str):
        problem = "must be a str"
    elif not value.strip():
        problem = "is blank"
    elif spaces and (not _encodable(value) or "\0" in value):
        problem = "holds characters that can't be sent"
    elif not spaces and (not value.isprintable() or " " in value):
        problem = "holds white space or control characters: remove them"
    else:
        return None
    return InvalidArgumentError(
        f"{argument} {problem}" + (f" ({remedy})" if remedy else ""), argument
    )


def optional_text_error(
    argument: str, value: Any, spaces: bool = False
) -> Optional[InvalidArgumentError]:
    """Return the error of a text that may be None."""
    if value is None:
        return None
    return text_error(argument, value, "pass None to leave it out", spaces)


def token_error(argument: str, value: Any) -> Optional[CustomTokenExchangeError]:
    """Return ``invalid_token_format`` for what can't be a bare token."""
    if not isinstance(value, str):
        problem = "must be a str"
    elif not value.strip():
        problem = "is blank"
    elif value.lstrip()[:7].lower().rstrip() == "bearer":
        problem = "begins with Bearer: pass the token alone"
    elif not value.isprintable() or " " in value:
        problem = "holds white space or control characters: pass the token alone"
    else:
        return None
    return CustomTokenExchangeError(Code.invalid_token_format, f"{argument} {problem}")


def uri_error(argument: str, value: Any) -> Optional[InvalidArgumentError]:
    """Return the error of what is no absolute URI, as the types of tokens are (RFC 8693, 2.1)."""
    if isinstance(value, str) and re.fullmatch(_URI, value):
        return None
    return InvalidArgumentError(
        f"{argument} must be a URI such as urn:acme:customer", argument
    )


def actor_error(
    actor_token: Any, actor_token_type: Any
) -> Optional[SessionTransferError]:
    """Return the error of an actor that is missing, untyped or malformed."""
    if actor_token is None:
        return CustomTokenExchangeError(
            Code.actor_unavailable,
            "actor_token is None: a session transfer token needs an actor, in practice the agent's ID token",
        )
    if actor_token_type is None or (
        isinstance(actor_token_type, str) and not actor_token_type
    ):
        return CustomTokenExchangeError(
            Code.missing_actor_token_type,
            "actor_token_type is missing: for an Auth0 ID token pass ID_TOKEN_TYPE",
        )
    return token_error("actor_token", actor_token) or uri_error(
        "actor_token_type", actor_token_type
    )


def seconds(argument: str, value: Any, zero: bool = False) -> float:
    """Return a number of seconds, above 0 (or 0 too) and within a day, or raise InvalidArgumentError."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if is_number and (0 < value <= _LONGEST or (zero and value == 0)):
        return float(value)
    del value  # what stands in the wrong place may be a secret: frames of a traceback keep their variables
    raise InvalidArgumentError(
        "{} must be a number of seconds, {} 0 and at most {}".format(
            argument, "from" if zero else "above", _LONGEST
        ),
        argument,
    )


def scope_text(value: Any) -> Optional[str]:
    """Return scopes, given as a str or a list or tuple of str, as the protocol has them: parted by spaces."""
    if value is None:
        return None
    names = value.split(" ") if isinstance(value, str) else value
    if (
        isinstance(names, (list, tuple))
        and names
        and all(isinstance(name, str) and re.fullmatch(_SCOPE, name) for name in names)
    ):
        return " ".join(names)
    del value, names
    raise InvalidArgumentError(
        "scope must be names parted by single spaces, or a list of names (pass None to leave it out)",
        "scope",
    )


def ip_address(argument: str, value: Any) -> Optional[str]:
    """Return one IP address in its canonical form; an IPv4 address mapped into IPv6 as the IPv4 address it is."""
    if value is None:
        return None
    if isinstance(value, str):
        if _is_ipv4(value):
            return value
        address = _ipv6(value)
        if address is not None:
            return str(address.ipv4_mapped or address)
    del value
    raise InvalidArgumentError(
        f"{argument} must be one IPv4 or IPv6 address: no list, port, brackets, zone or name",
        argument,
    )


#: What this package or the protocol says itself (RFC 8693, 2.1; RFC 7521, 4.2; Auth0).
_OWNED = frozenset(
    (
        *(
            "grant_type",
            "audience",
            "resource",
            "requested_token_type",
            "scope",
            "organization",
            "reason",
        ),
        *(
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
            "refresh_token",
        ),
        *("client_id", "client_secret", "client_assertion", "client_assertion_type"),
    )
)


def extra_fields(extra: Any) -> Union[Dict[str, List[str]], InvalidArgumentError]:
    """Return further form fields, each with its values, or the error: a caller may have put a secret in."""
    if extra is None:
        return {}
    try:
        items = (
            [(name, values) for name, values in extra.items()]
            if isinstance(extra, Mapping)
            else None
        )
    except Exception:  # whatever a mapping of the caller's own raises
        items = None
    if items is None:
        return InvalidArgumentError(
            "extra must be a mapping of names to str or lists of str", "extra"
        )
    fields = {}
    for name, values in items:
        if text_error("extra", name) is not None:
            return InvalidArgumentError(
                "extra has a name that is no str, blank, or holds white space", "extra"
            )
        name = str.__str__(
            name
        )  # what is checked is what is sent, also of an Enum that is a str
        if name in _OWNED:
            return InvalidArgumentError(
                f"extra has the name {name}, which the protocol owns: use the argument instead",
                "extra",
            )
        values = [values] if isinstance(values, str) else values
        if not isinstance(values, (list, tuple)) or not values:
            return InvalidArgumentError(
                "extra has a value that is neither a str nor a list of str", "extra"
            )
        if not all(isinstance(value, str) and _encodable(value) for value in values):
            return InvalidArgumentError(
                "extra has a value that is no str, or that can't be sent", "extra"
            )
        fields[name] = [str.__str__(value) for value in values]
    return fields


def parse_authority(authority: Any, scheme: str = "https") -> Optional[str]:
    """Return ``host[:port]`` in lower case and without the scheme's own port; None if it is none.

    What the URL Standard (whatwg.org) would rewrite, such as IPv4 in odd notations, zones, percent-encoding or
    ideographic dots, is no host here, so that no two readers can differ about it.
    """
    match = re.fullmatch(_AUTHORITY, authority) if isinstance(authority, str) else None
    if match is None:
        return None
    name, port = match.group(1).lower(), match.group(2)
    if port and int(port) > 65_535:
        return None
    if name.startswith("["):
        address = _ipv6(name[1:-1])
        if address is None:
            return None
        # The form that browsers write: an IPv4 tail as two groups of hexadecimal digits.
        tail = address.ipv4_mapped
        name = (
            "[::ffff:{:x}:{:x}]".format(*divmod(int(tail), 65_536))
            if tail
            else f"[{address}]"
        )
    elif not _is_ipv4(name) and not _is_name(name):
        return None
    return (
        name
        if port in (None, {"https": "443", "http": "80"}[scheme])
        else f"{name}:{port}"
    )


def is_loopback(authority: str) -> bool:
    """Return whether what :func:`parse_authority` returned is this machine."""
    return re.fullmatch(_LOOPBACK, authority) is not None


class Tenant:
    """Where a tenant is, worked out once from ``domain``."""

    def __init__(self, scheme: str, domain: str) -> None:
        self.scheme = scheme
        #: ``host[:port]``, as it stands in the audience and in logs.
        self.domain = domain
        #: The audience of a session transfer token.
        self.audience: str = f"urn:{domain}:session_transfer"
        #: The audience of a client assertion.
        self.issuer: str = f"https://{domain}/"
        self.token_endpoint: str = f"{scheme}://{self.domain}/oauth/token"
        #: Where a client that proves itself by its certificate goes (Auth0, mTLS aliases).
        self.mtls_token_endpoint: str = f"https://mtls.{domain}/oauth/token"


def parse_domain(domain: Any) -> Tenant:
    """Return the tenant of ``[https://]host[:port][/]``, or raise InvalidArgumentError."""
    match = re.fullmatch(_DOMAIN, domain) if isinstance(domain, str) else None
    if match is not None and domain.isascii():
        scheme = (match.group(1) or "https").lower()
        host = parse_authority(match.group(2), scheme)
        if host is not None and (scheme == "https" or is_loopback(host)):
            return Tenant(scheme, host)
    del (
        domain,
        match,
    )  # which may hold a password: frames of a traceback keep their variables
    raise InvalidArgumentError(
        "domain must be the tenant's host, such as acme.eu.auth0.com or https://login.acme.com: "
        "no path, query, user or blank, and http for loopback alone",
        "domain",
    )


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_ipv4(text: str) -> bool:
    # The comparison refuses `010.0.0.1`, which IPv4Address reads as 10.0.0.1 before Python 3.9.5.
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def _ipv6(text: str) -> Optional[IPv6Address]:
    try:
        return None if "%" in text else IPv6Address(text)
    except AddressValueError:
        return None


def _is_name(name: str) -> bool:
    if len(name) > 253 or re.fullmatch(_NUMERIC, name) or not re.fullmatch(_NAME, name):
        return False
    if "xn--" not in name:
        return True
    labels = [_to_unicode(label) for label in name.split(".")]
    # RFC 5893, 2: one label written from right to left binds the form of all the others.
    if any(
        bidirectional(char) in ("R", "AL", "AN")
        for label in labels
        for char in label or ""
    ):
        return all(
            label and label[0].isalpha() and label[-1].isalnum() for label in labels
        )
    return None not in labels


def _to_unicode(label: str) -> Optional[str]:
    """Return a label as people read it; None for an ``xn--`` label that stands for nothing."""
    if not label.startswith("xn--"):
        return label
    try:
        text = label.encode("ascii").decode("idna")
        return (
            text
            if text.encode("idna").decode("ascii") == label and not text.isascii()
            else None
        )
    except UnicodeError:
        return None
