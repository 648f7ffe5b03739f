"""How many requests each site may send: enough for two agents and a backlog, too few to keep us busy."""

import time
from collections.abc import Callable
from typing import Final

A_SECOND: Final = 50.0
AT_ONCE: Final = 100.0


class Rates:
    """A bucket of tokens for each site (those of the intent: nobody else gets this far)."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}

    def allow(self, site: str) -> bool:
        """Take the right to one request."""
        now = self._now()
        left, at = self._left.get(site, (AT_ONCE, now))
        left = min(AT_ONCE, left + (now - at) * A_SECOND)
        self._left[site] = (max(0.0, left - 1.0) if left >= 1.0 else left, now)
        return left >= 1.0
