"""How far something is: round trips of the last minute, and since when there are any."""

from collections import deque
from typing import Final

SPAN: Final = 60.0  # seconds
STRIDE: Final = 0.5  # seconds between round trips that are kept
FEWEST: Final = 20
FRESH: Final = 10.0


class Distance:
    """Round trips to one thing."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, float]] = deque(maxlen=int(SPAN / STRIDE))

    def take(self, at: float, rtt: float) -> None:
        """Fold in one round trip."""
        if not self._kept or at - self._kept[-1][0] >= STRIDE:
            self._kept.append((at, rtt))

    def median(self, now: float) -> float | None:
        """Return the median round trip of the last minute, in seconds; None where there are too few, or none lately."""
        kept = [rtt for at, rtt in self._kept if now - at <= SPAN]
        if len(kept) < FEWEST or now - self._kept[-1][0] > FRESH:
            return None
        return sorted(kept)[len(kept) // 2]
