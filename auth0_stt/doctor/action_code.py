"""What the code of an Action calls and reads, as far as the text shows."""

import re

# A string or a template is kept, so that a "//" within one begins no comment.
_TOKEN = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"""
    r"""|//[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
_ACTOR = re.compile(
    r"transaction\s*(?:\?\s*)?"
    r"(?:\.\s*actor(?![A-Za-z0-9_$])|(?:\.\s*)?\[\s*['\"]actor['\"])"
    r"|\{[^{}]*(?<![A-Za-z0-9_$.])actor(?![A-Za-z0-9_$])[^{}]*\}\s*=\s*"
    r"event\s*(?:\?\s*)?\.\s*transaction(?![A-Za-z0-9_$])"
)


def without_comments(code: str) -> str:
    """Return JavaScript without its comments."""
    return _TOKEN.sub(lambda match: match.group(1) or " ", code)


def sets_actor(code: str) -> bool:
    return re.search(r"\bsetActor\s*(\?\.\s*)?\(", code) is not None


def sets_user(code: str) -> bool:
    return re.search(r"\bsetUserBy(Id|Connection)\s*(\?\.\s*)?\(", code) is not None


def checks_audience(code: str) -> bool:
    return ":session_transfer" in code


def reads_wrong_actor(code: str) -> bool:
    """Tell whether the code reads ``event.transaction.actor``, Post-Login's."""
    return _ACTOR.search(code) is not None
