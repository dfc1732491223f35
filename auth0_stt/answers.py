"""What a server's answer says: pure functions, from bytes and headers to values."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from contextlib import suppress
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Collection, Dict, List, Mapping, Optional, Set, Tuple, Union
from urllib.parse import quote, quote_plus

_LONGEST_WAIT = 31_536_000.0  # seconds: a year. No server means more
_LONGEST_TEXT = 500  # characters of a server's text that are kept
_LONGEST_SEARCH = 20_000  # characters of it that are searched for secrets first
_RECOGNIZABLE = 16  # characters in common with a secret are no coincidence


def parse_object(body: bytes) -> Optional[Dict[str, Any]]:
    """Return the one JSON object in UTF-8 that the bytes hold, or None.

    No name may occur twice in it, and no number may be NaN or infinite.
    """
    try:
        answer = _JSON.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    names = dict(pairs)
    if len(names) != len(pairs):
        raise ValueError
    return names


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


_JSON = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite
)


def jwt_claims(token: str) -> Dict[str, Any]:
    """Return the claims of a JWT (RFC 7519, 3), unverified; {} if unreadable."""
    try:
        _, payload, _ = token.split(".")
        return parse_object(base64.urlsafe_b64decode(payload + "==")) or {}
    except ValueError:
        return {}


def retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Return the seconds to wait, or None.

    From ``Retry-After`` (RFC 9110, 10.2.3), seconds or a date, or else from
    ``x-ratelimit-reset``, in seconds since 1970.
    """
    value = headers.get("Retry-After", "").strip()
    moment: Union[str, float] = headers.get("x-ratelimit-reset", "")
    now = time.time()
    if value.isascii() and value.isdigit():
        moment, now = value, 0.0  # it counts from now
    else:
        with suppress(TypeError, ValueError, OverflowError, IndexError):
            date = parsedate_to_datetime(value)  # in GMT (RFC 9110, 5.6.7)
            moment = date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp()
    with suppress(ValueError):
        left = float(moment) - now
        if -math.inf < left <= _LONGEST_WAIT:
            return max(0.0, left)
    return None


def clean_text(text: Any, secrets: Collection[str]) -> Optional[str]:
    """Return what may be shown of a text from the server, or None.

    Control characters become spaces, echoed secrets are masked, and the end is cut.
    """
    if not isinstance(text, str):
        return None
    shown = text[:_LONGEST_SEARCH]
    shown = "".join(char if char.isprintable() else " " for char in shown).strip()
    masked = list(shown)
    for secret in secrets:
        for form in {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}:
            for at in _echoed(form, shown):
                masked[at] = "\0"  # which the text no longer has
    return re.sub("\0+", "***", "".join(masked))[:_LONGEST_TEXT] or None


def _echoed(secret: str, text: str) -> Set[int]:
    """Return the places of a text that repeat a secret or, of a long one, a piece."""
    size = min(len(secret), _RECOGNIZABLE)
    pieces: Collection[str] = secret
    if len(text) > 2 * size:  # a set pays only for many look-ups
        pieces = {secret[at : at + size] for at in range(len(secret) - size + 1)}
    starts = range(len(text) - size + 1)
    found = [at for at in starts if text[at : at + size] in pieces]
    return {at + more for at in found for more in range(size)}
