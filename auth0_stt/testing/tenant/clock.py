"""The tenant's own time."""

import time


class Clock:
    """The time of day, which a test may move. Everything in the tenant goes by it."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return the tenant's time in seconds since the epoch."""
        return time.time() + self._ahead

    @property
    def ahead(self) -> float:
        """By how many seconds the tenant's time is ahead of this machine's."""
        return self._ahead

    def advance(self, seconds: float) -> None:
        """Move the tenant's time forward by so many seconds."""
        self._ahead += seconds
