"""How a rule says no."""

from attr import attrs


@attrs(auto_exc=True, auto_attribs=True, str=False)
class Refusal(Exception):  # noqa: N818
    """An OAuth error: a word, a text for people and an HTTP status."""

    error: str
    description: str
    status: int = 400

    def __str__(self) -> str:
        return self.description


@attrs(auto_exc=True, auto_attribs=True, str=False)
class PageInstead(Exception):  # noqa: N818
    """The browser gets a page of the tenant's and the application hears nothing."""

    # "login" or "error".
    page: str
    reason: str

    def __str__(self) -> str:
        return self.reason
