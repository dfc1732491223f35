"""Makes texts fit to be shown: no secret, one short line."""

import re
from typing import Any, Callable, List, Mapping

_SECRET_NAME = re.compile(
    r"secret|password|assertion$|_key$|(^|_)tokens?$|^code_verifier$"
    r"|authorization|cookie",
    re.IGNORECASE,
)
# A JWT, or a run of characters with a digit that is longer than any word.
_SECRET_TEXT = re.compile(
    r"eyJ[\w-]+(\.[\w-]*){1,4}"
    r"|(?<![\w.:/-])(?=[A-Za-z_+=-]*[0-9])[A-Za-z0-9_+=-]{32,}"
)


def concealer(documents: Mapping[str, Any]) -> Callable[[str], str]:
    """Return a function that makes a text fit to show: no secret, one short line."""
    secrets: List[str] = []
    waiting: List[Any] = list(documents.values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if isinstance(inner, str):
                    if len(inner) > 3 and _SECRET_NAME.search(str(name)):
                        secrets.append(inner)
                else:
                    waiting.append(inner)
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
    secrets.sort(key=len, reverse=True)

    known = [re.compile(rf"(?<!\w){re.escape(secret)}(?!\w)") for secret in secrets]

    def conceal(text: str) -> str:
        for pattern in [*known, _SECRET_TEXT]:
            text = pattern.sub("***", text)
        text = "".join(char if char.isprintable() else " " for char in text)
        return text if len(text) <= 300 else text[:299] + "\u2026"

    return conceal
