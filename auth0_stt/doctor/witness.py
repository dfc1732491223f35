"""What the tenant's log says about the last attempt: the best witness there is.

``secte`` and ``fecte`` are exchanges of the console, ``sdel`` is a delegated login,
``sdeleacft`` and ``fdeleacft`` are its code exchange, ``w`` is a warning (Auth0,
Session Delegation, Monitoring).
"""

import re
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any, FrozenSet, List, Optional, Tuple

from attr import frozen

from .documents import Document

#: What a failed mint says, most telling first.
MINT_TEXTS = (
    (r"setactor is required|setactor_required", "action-sets-actor"),
    (r"mfa is not supported|mfa_required", "mfa"),
    (r"transaction has no .actor", "action-reads-actor"),
    (r"setactor\(\)|actor.{0,40}(nested|properties|level)", "actor-shape"),
    (r"invalid actor token.*('?exp'?\b|expired)", "actor-token-fresh"),
    (r"invalid actor token.*(user|blocked)", "actor-active"),
    (r"invalid actor token.*(alg\b|algorithm|signed with)", "id-token-algorithm"),
    (r"invalid actor token", "actor-token-own"),
    (r"suspicious|too_many_attempts", "attempts-per-address"),
    (r"too_many_requests|rate limit|global limit", "exchange-rate"),
    (r"session_transfer_disabled|not available for this tenant", "plan"),
    (r"public client", "console-confidential"),
    (r"is_first_party|first.?party (client|app)", "console-first-party"),
    (r"oidc.?conformant", "console-oidc-conformant"),
    (r"no action .*deployed|action .*not deployed", "action-deployed"),
    (r"action .*not one for", "action-trigger"),
    (r"not a member|no member", "organization-member"),
    (r"organization", "organization-exists"),
    (r"may not use|not allowed|unauthorized_client", "console-may-exchange"),
    (r"session transfer is not enabled|create session transfer", "console-may-mint"),
    (r"no .*profile|profile .*not|subject_token_type", "profile-exists"),
    (r"invalid_target|service not found", "session-transfer-audience"),
    (r"connection", "console-connection"),
    (
        r"^unauthorized\W*$|invalid_client|invalid client|assertion",
        "client-credentials",
    ),
    (r"action (raised|threw|failed|timed out)|server_error", "action-runs"),
    (r"set no user", "action-sets-user"),
    (r"user .*(block|unknown|not exist|not found)", "customer-active"),
    (r"subject.?token", "subject-token-accepted"),
)
#: What a failed redemption says.
REDEMPTION_TEXTS = (
    (r"ip/asn|device binding|bound to the ip", "same-address"),
    (r"organization mismatch", "same-organization"),
    (r"not found or expired", "token-unused"),
    (
        r"already has a session|existing session|active session|log ?out",
        "no-open-session",
    ),
    (r"allow_delegated_access|delegat\w+ (access|login)", "shop-allows-delegation"),
    (r"authentication_methods|\bquery\b", "shop-accepts-query"),
    (r"callback url mismatch", "callback-registered"),
    (r"non.?verifiable|loopback|localhost", "loopback-prompt"),
    (r"multi-?factor|\bmfa\b", "mfa"),
    (r"skip_consent|of the api\b", "api-skips-consent"),
    (r"consent", "shop-first-party"),
    (r"user .*(block|unknown)", "customer-active"),
    (r"pushed|request_uri", "no-pushed-request"),
    (r"fresh login|max_age|prompt=login", "no-reauthentication"),
    (r"not a member|organization", "shop-organization"),
    (r"connection", "shop-connection"),
    (r"prompt|interaction|enrol", "no-prompts"),
)

NO_MINT = "no mint of the console has succeeded yet: enter an account, then ask again"

_MINTS = ("secte", "fecte")
_LIFETIME = timedelta(seconds=60)

# Not ip_address().is_private, which counts the networks for documentation, too.
_INSIDE = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)


@frozen
class Event:
    """One entry of the log, as far as the doctor reads it."""

    type: str
    client_id: Optional[str]
    #: In UTC, None if the entry has none that can be read.
    date: Optional[datetime]
    text: str
    ip: Optional[str]
    audience: str
    subject_token_type: Optional[str]
    failed: bool

    def quoted(self) -> str:
        """Return when and what, for a person."""
        said = f'{self.type}: "{self.text}"' if self.text else self.type
        return self.dated(said)

    def dated(self, text: str) -> str:
        """Return a text with the date of the entry before it."""
        when = "" if self.date is None else f"{self.date:%Y-%m-%d %H:%M:%S} UTC, "
        return when + text


@frozen
class Testimony:
    """What the log says: the last mint, and how its token was redeemed."""

    #: Why the log says nothing, None if it does.
    reason: Optional[str] = None
    mint: Optional[Event] = None
    #: The last mint that succeeded; it may be ``mint`` itself.
    minted: Optional[Event] = None
    #: The shop's last event after that.
    redemption: Optional[Event] = None
    #: Whether a login succeeded with that token, before or at the last event.
    entered: bool = False
    #: Addresses from which the console's own server speaks to the tenant.
    servers: FrozenSet[str] = frozenset()

    def mint_failure(self) -> Optional[str]:
        """Return the rule that the last mint failed by, None if it did not fail."""
        if self.mint is None or not self.mint.failed:
            return None
        return _match(MINT_TEXTS, self.mint.text) or "action-allows"

    def redemption_failure(self) -> Optional[str]:
        """Return the rule that the last redemption failed by, or None."""
        event = self.redemption
        if event is None or not event.failed:
            return None
        rule = _match(REDEMPTION_TEXTS, event.text)
        if rule == "token-unused" and not self.entered and self._is_late():
            return "token-fresh"
        return rule

    def arrived(self) -> bool:
        """Tell whether the last token reached ``/authorize``, whatever became of it."""
        return self.entered or self.redemption_failure() is not None

    def _is_late(self) -> bool:
        begin = self.minted.date if self.minted else None
        end = self.redemption.date if self.redemption else None
        return begin is not None and end is not None and end - begin > _LIFETIME

    def not_an_agents(self) -> Optional[str]:
        """Return what else the last token is bound to than the address of an agent."""
        ip = self.minted.ip if self.minted else None
        if ip is None:
            return None
        if ip in self.servers:
            return "the address of the console's server"
        return "an internal address, which Auth0 never sees" if _is_inside(ip) else None


def hear(logs: Document, console: Optional[str], shop: Optional[str]) -> Testimony:
    """Read the log for the last mint of the console and what the shop did after it."""
    listed = logs.items()
    if listed.reason is not None:
        return Testimony(listed.reason)
    events = _events(listed.value)
    ours = [each for each in events if console in (None, each.client_id)]
    mints = [
        each
        for each in ours
        if each.type in _MINTS
        and (not each.audience or each.audience.endswith(":session_transfer"))
    ]
    mint = mints[-1] if mints else None
    good = [each for each in mints if not each.failed]
    minted = good[-1] if good else None
    after = []
    if minted is not None:
        after = [
            each
            for each in events[events.index(minted) + 1 :]
            if _is_redemption(each)
            and each.client_id != console
            and shop in (None, each.client_id)
        ]
    from_browser = {each.ip for each in ours if each.type in ("s", "ssa")}
    from_server = {each.ip for each in ours if each.type in ("seacft", "sertft")}
    return Testimony(
        mint=mint,
        minted=minted,
        redemption=after[-1] if after else None,
        entered=any(each.type in ("sdel", "sdeleacft") for each in after),
        servers=frozenset(ip for ip in from_server - from_browser if ip),
    )


def _is_redemption(event: Event) -> bool:
    return event.type in ("w", "f", "fco") or "del" in event.type


def _match(texts: Tuple[Tuple[str, str], ...], text: str) -> Optional[str]:
    for pattern, rule in texts:
        if re.search(pattern, text, re.IGNORECASE):
            return rule
    return None


def _events(entries: List[Any]) -> List[Event]:
    """Return the entries that can be read, oldest first."""
    events = [event for event in map(_event, entries) if event is not None]
    # The API answers newest first: what has one date keeps that order, reversed.
    events.reverse()
    return sorted(events, key=lambda event: event.date or datetime.min)


def _event(entry: Any) -> Optional[Event]:
    # A log stream wraps each entry: {"log_id": ..., "data": {...}}.
    if isinstance(entry, dict) and isinstance(entry.get("data"), dict):
        entry = entry["data"]
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        return None
    details = entry.get("details")
    details = details if isinstance(details, dict) else {}
    kind = entry["type"]
    return Event(
        type=kind,
        client_id=_text(entry.get("client_id")) or None,
        date=read_date(entry.get("date")),
        text=_said(entry, details),
        ip=_text(entry.get("ip")) or None,
        audience=_text(entry.get("audience")),
        subject_token_type=_text(details.get("subject_token_type")) or None,
        failed=kind == "w" or kind.startswith("f"),
    )


def _said(entry: Any, details: Any) -> str:
    """Return the words of an entry: its description, and the error in its details."""
    error = details.get("error")
    parts = [_text(entry.get("description"))]
    if isinstance(error, dict):
        parts += [_text(error.get(name)) for name in ("oauthError", "message")]
    else:
        parts.append(_text(error))
    words: List[str] = []
    for part in parts:
        if part and part not in words:
            words.append(part)
    return re.sub(r"\s+", " ", "; ".join(words))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def read_date(value: Any) -> Optional[datetime]:
    """Return a date as Auth0 writes it, such as ``2026-11-25T03:10:00.000Z``."""
    match = re.match(r"([0-9-]{10})[T ]([0-9:]{8})(\.\d{1,6})?", _text(value))
    if match is None:
        return None
    text = "{} {}{}".format(*match.groups(".0"))
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")
    except ValueError:
        return None


def _is_inside(ip: str) -> bool:
    """Return whether an address never comes from the internet."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in _INSIDE)
