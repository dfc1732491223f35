"""How a rule says no. ``rule`` is the id of a row of :mod:`auth0_stt.rules`."""

from typing import Dict, Optional

from attr import Factory, attrs


@attrs(auto_exc=True, auto_attribs=True, str=False)
class Refusal(Exception):  # noqa: N818
    """An OAuth error: a word, a text for people and an HTTP status."""

    error: str
    description: str
    status: int = 400
    rule: Optional[str] = None
    headers: Dict[str, str] = Factory(dict)

    def __str__(self) -> str:
        return self.description


@attrs(auto_exc=True, auto_attribs=True, str=False)
class PageInstead(Exception):  # noqa: N818
    """The browser gets a page of the tenant's and the application hears nothing."""

    # "login" or "error".
    page: str
    # Why, in words that Auth0 does not show.
    reason: str
    rule: Optional[str] = None
    # What Auth0 writes to its log, as type "w".
    warning: str = ""

    def __str__(self) -> str:
        return self.reason
