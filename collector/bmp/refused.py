"""Callers that were refused: each is counted, and the log is told of a few and of how many more there were.

Whoever scans, or a router that dials once a second and is in no intent, must not fill the log.
"""

import logging
from collections import Counter
from typing import Final

STRANGERS: Final = 256
"""Addresses of refused callers that are kept."""
LINES: Final = 10
"""Lines about new callers in one WINDOW; the rest is summed up."""
WINDOW: Final = 60.0
"""Seconds."""
log = logging.getLogger(__name__)


class Refused:
    """Counts refused callers by address."""

    def __init__(self) -> None:
        self.count = 0
        self.strangers: Counter[str] = Counter()
        self._untold = 0
        self._lines = 0
        self._since = 0.0

    def add(self, address: str, why: str, now: float) -> None:
        """Count one, at `now` (monotonic seconds). New ones have a line, so long as there are few of them."""
        self.count += 1
        new = address not in self.strangers
        if not new or len(self.strangers) < STRANGERS:
            self.strangers[address] += 1
        if now - self._since >= WINDOW:
            self._begin(now)
        if new and self._lines < LINES:
            self._lines += 1
            log.warning("refused a connection from %s: %s", address, why)
        else:
            self._untold += 1

    def _begin(self, now: float) -> None:
        if self._untold:
            many = "connection was" if self._untold == 1 else "connections were"
            log.warning("%s more %s refused, of %s in all", f"{self._untold:,}", many, f"{self.count:,}")
        self._untold, self._lines, self._since = 0, 0, now
