"""How far something is: the median round trip of about a minute."""

from collections import deque
from typing import Final

STRIDE: Final = 0.5  # seconds between round trips that are kept
KEPT, FEWEST, EVERY = 120, 20, 10
"""Round trips that are kept, how many are enough, and how many come before the median is taken anew."""
FRESH: Final = 10.0


class Distance:
    """Round trips to one thing."""

    def __init__(self) -> None:
        self._kept: deque[float] = deque(maxlen=KEPT)
        self._last = 0.0
        self._came = 0
        self._median: float | None = None

    def take(self, at: float, rtt: float) -> None:
        """Fold in one round trip."""
        if at - self._last < STRIDE:
            return
        if at - self._last > FRESH:
            self._kept.clear()
            self._median = None
        self._last = at
        self._kept.append(rtt)
        self._came += 1
        if len(self._kept) >= FEWEST and (self._median is None or self._came % EVERY == 0):
            self._median = sorted(self._kept)[len(self._kept) // 2]

    def median(self, now: float) -> float | None:
        """Return the median in seconds; None where there are too few round trips, or none lately."""
        return self._median if now - self._last <= FRESH else None
