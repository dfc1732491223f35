"""Where a tenant is, and hosts as browsers read them."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Any, Optional
from unicodedata import bidirectional

from attr import frozen

from .arguments import parse_ip, plain
from .errors import invalid

_DOMAIN = r"(?ai:(?:(https?)://)?([^/\\?#@%\s]+)/?)"  # "a": no U+017F for "s"
_AUTHORITY = r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:]+)(?::([1-9][0-9]{0,4}))?"
# The URL Standard reads a host as IPv4 if its last label is a number or begins with 0x.
_NAME = r"([a-z0-9_-]{1,63}\.)*(?!([0-9]+|0x[0-9a-f]*)\Z)[a-z0-9_-]{1,63}"
_LOOPBACK = r"(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?"


@frozen(eq=False, repr=False)
class Tenant:
    """A tenant, by its scheme and its domain: ``host[:port]`` in lower case."""

    scheme: str
    domain: str


@lru_cache(maxsize=64)
def parse_domain(domain: str) -> Tenant:
    """Return the tenant at ``[https://]host[:port][/]``, for loopback also ``http``."""
    match = re.fullmatch(_DOMAIN, domain)
    scheme, authority = match.groups("https") if match else ("https", "")
    host = parse_authority(authority, scheme.lower())
    if host is None or (scheme.lower() == "http" and not is_loopback(host)):
        raise invalid(
            "domain must be the tenant's host, such as acme.eu.auth0.com: no path, "
            "query, user or white space, and http only for loopback"
        )
    return Tenant(scheme.lower(), host)


def parse_authority(authority: Any, scheme: str = "https") -> Optional[str]:
    """Return ``host[:port]`` in lower case without the scheme's own port, or None.

    None is for what browsers would rewrite (url.spec.whatwg.org), such as IPv4 in odd
    notations, so that no two programs can disagree on a host.
    """
    found = plain(authority)
    # isascii() before lower(), which makes an ordinary "k" of the Kelvin sign U+212A.
    match = re.fullmatch(_AUTHORITY, found) if found and found.isascii() else None
    if match is None:
        return None
    name, port = match.group(1).lower(), match.group(2)
    if port and int(port) > 65_535:
        return None
    if not _is_name(name):
        address = parse_ip(name.strip("[]"))
        if isinstance(address, IPv6Address):
            name, mapped = f"[{address}]", address.ipv4_mapped
            if mapped is not None:  # browsers write two groups of hexadecimal digits
                name = "[::ffff:{:x}:{:x}]".format(*divmod(int(mapped), 65_536))
        elif address is None or str(address) != name:  # such as "[127.0.0.1]"
            return None
    default = {"https": "443", "http": "80"}[scheme]
    return name if port in (None, default) else f"{name}:{port}"


def is_loopback(authority: str) -> bool:
    """Return whether a host that :func:`parse_authority` returned is this machine."""
    return re.fullmatch(_LOOPBACK, authority) is not None


def _is_name(name: str) -> bool:
    if len(name) > 253 or not re.fullmatch(_NAME, name):
        return False
    if "xn--" not in name:
        return True
    labels = [_to_unicode(label) for label in name.split(".")]
    # RFC 5893, 2: one label from right to left binds the form of all the others.
    if any(bidirectional(char) in ("R", "AL", "AN") for char in "".join(labels)):
        return all(each[:1].isalpha() and each[-1:].isalnum() for each in labels)
    return all(labels)


def _to_unicode(label: str) -> str:
    """Return a label as people read it, or nothing for an invalid ``xn--`` label."""
    if not label.startswith("xn--"):
        return label
    from idna import uts46_remap  # which requests brings

    try:
        text = label[4:].encode().decode("punycode")
        same = text.encode("punycode").decode() == label[4:]
        valid = same and uts46_remap(text, std3_rules=False) == text
    except UnicodeError:
        return ""
    # Joiners are valid only between certain letters (RFC 5892, A.1): too rare to allow.
    valid = valid and not text.isascii() and not re.search("[\u200c\u200d]", text)
    return text if valid else ""
