"""Checks on what callers pass: return the value, or raise without showing it."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from .errors import Code, CustomTokenExchangeError, InvalidArgumentError, invalid

_LONGEST_TIME = 86_400  # seconds: a day
_LONGEST = 65_536  # characters. Real tokens have a few thousand
_URI = r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+"  # RFC 3986, 3.1: it begins with its scheme
_SCOPE = r"[!#-\[\]-~]+"  # RFC 6749, 3.3
_HALF = "[\ud800-\udfff]"  # of a surrogate pair, which UTF-8 can't encode

#: Form fields that the protocol owns (RFC 8693, 2.1; RFC 7521, 4.2; Auth0).
_OWNED = ["grant_type", "audience", "resource", "requested_token_type", "scope"]
_OWNED += ["subject_token", "subject_token_type", "actor_token", "actor_token_type"]
_OWNED += ["refresh_token", "organization", "reason", "client_id", "client_secret"]
_OWNED += ["client_assertion", "client_assertion_type"]


def text(argument: str, value: Any, note: str = "", spaces: bool = False) -> str:
    """Return a str that is not blank and can be sent; ``spaces`` allows white space."""
    found = plain(value)
    if found is None:
        problem = "must be a str"
    elif not found.strip():
        problem = "is blank"
    elif len(found) > _LONGEST:
        problem = "is longer than 64 KiB"
    elif spaces and ("\0" in found or re.search(_HALF, found)):
        problem = "has characters that can't be sent"
    elif not spaces and (" " in found or not found.isprintable()):
        problem = "has white space or control characters: remove them"
    else:
        return found
    raise invalid(f"{argument} {problem}" + (note and f" ({note})"))


def optional_text(argument: str, value: Any, spaces: bool = False) -> Optional[str]:
    """Return None, or what :func:`text` returns."""
    if value is None:
        return None
    return text(argument, value, "pass None to leave it out", spaces)


def token(argument: str, value: Any) -> str:
    """Return a bare token, or raise ``invalid_token_format``."""
    try:
        if re.match(r"\s*bearer(\s|$)", plain(value) or "", re.IGNORECASE):
            raise invalid(f"{argument} begins with Bearer: pass only the token")
        return text(argument, value)
    except InvalidArgumentError as error:
        raise CustomTokenExchangeError(Code.INVALID_TOKEN_FORMAT, str(error)) from None


def actor(actor_token: Any, actor_token_type: Any) -> Tuple[str, str]:
    """Return an actor token and its type."""
    if actor_token is None:
        problem = "actor_token is None: pass the agent's ID token"
        raise CustomTokenExchangeError(Code.ACTOR_UNAVAILABLE, problem)
    if actor_token_type is None or plain(actor_token_type) == "":
        problem = "actor_token_type is missing: for an ID token pass ID_TOKEN_TYPE"
        raise CustomTokenExchangeError(Code.MISSING_ACTOR_TOKEN_TYPE, problem)
    return token("actor_token", actor_token), uri("actor_token_type", actor_token_type)


def uri(argument: str, value: Any) -> str:
    """Return an absolute URI, as token types are (RFC 8693, 2.1)."""
    found = plain(value)
    if found is None or not re.fullmatch(_URI, found):
        raise invalid(f"{argument} must be a URI such as urn:acme:customer")
    return found


def seconds(argument: str, value: Any, zero: bool = False) -> float:
    """Return seconds: above 0, or from 0 if ``zero``, and at most a day."""
    if is_number(value) and (0 < value <= _LONGEST_TIME or (zero and value == 0)):
        return float(value)
    least = "from 0" if zero else "above 0"
    raise invalid(f"{argument} must be seconds, {least} and at most {_LONGEST_TIME}")


def scope_text(value: Any) -> Optional[str]:
    """Return scopes, given as a str or a list of str, separated by spaces."""
    if value is None:
        return None
    single = plain(value) or ""
    names = value if isinstance(value, (list, tuple)) else single.split(" ")
    scopes = [plain(name) or "" for name in names]
    if not scopes or not all(re.fullmatch(_SCOPE, scope) for scope in scopes):
        raise invalid("scope must be names with single spaces between them, or a list")
    return " ".join(scopes)


def address_text(argument: str, value: Any) -> Optional[str]:
    """Return one IP address in canonical form, an IPv4-mapped IPv6 address as IPv4."""
    if value is None:
        return None
    address = parse_ip(plain(value) or "")
    if address is None:
        raise invalid(f"{argument} must be one IP address, without port, zone or name")
    return str(getattr(address, "ipv4_mapped", None) or address)


def extra_fields(extra: Any) -> Dict[str, List[str]]:
    """Return the additional form fields, each with a list of its values."""
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise invalid("extra must be a mapping of names to str or lists of str")
    fields = {}
    for given, values in extra.items():
        name = plain(given)
        if not name or " " in name or not name.isprintable():
            raise invalid("extra has a name that is not a str, or has white space")
        if name in _OWNED:
            raise invalid(f"extra has the name {name}, which this package sets")
        every = values if isinstance(values, (list, tuple)) else [values]
        texts = [each for each in map(plain, every) if each is not None]
        if not texts or len(texts) != len(every) or re.search(_HALF, "".join(texts)):
            raise invalid("extra has a value that can't be sent, or is not a str")
        fields[name] = texts
    return fields


def plain(value: Any) -> Optional[str]:
    """Return the str that a value is or, like Django's SimpleLazyObject, stands for."""
    if not isinstance(value, str):
        return None
    # str() asks a proxy for the real thing. Of an Enum it would return the name.
    return str.__str__(value) if issubclass(type(value), str) else str(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number. To Python, but not to JSON, a bool is one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def parse_ip(text: str) -> Union[IPv4Address, IPv6Address, None]:
    """Return an IP address, IPv4 in its canonical form and IPv6 without a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # Python before 3.9.5 reads 010.0.0.1 as 10.0.0.1.
    canonical = address.version == 6 or str(address) == text
    return address if canonical and "%" not in text else None
