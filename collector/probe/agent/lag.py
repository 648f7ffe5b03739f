"""How late the agent's own loop is, and what was taken meanwhile.

A ticker is due every tenth of a second. When it comes late by more than a limit, the loop, the process or the whole
machine stood still, and what was under way then proves nothing about the network. Results wait for the tick that ends
their window, so that each is marked before it leaves.
"""

from collections.abc import Callable
from typing import Final

from collector.probe.taken import Taken

WINDOW: Final = 100_000_000
"""ns between two ticks."""
ROOM: Final = 1 << 18
"""Results that wait for a tick at most; a loop that stood still cannot take more than its sockets hold."""
KEPT: Final = 6000
"""Lags that are remembered until somebody asks: ten minutes of them."""


class Lag:
    """The ticker's lateness, and results that wait for it. Times are monotonic ns."""

    def __init__(self, limit: int, deliver: Callable[[Taken], None], now: int) -> None:
        """`limit` in ns."""
        self._limit, self._deliver = limit, deliver
        self._waiting: list[Taken] = []
        self._lags: list[int] = []
        self._lagged_until = -1
        self._since, self._lagged = now, 0
        self.due = now + WINDOW
        self.dropped = 0

    def begin(self, now: int) -> None:
        """Begin a window: nothing was due before."""
        self.due = now + WINDOW

    def take(self, taken: Taken) -> None:
        """Take a result; it is delivered at the end of the window."""
        if len(self._waiting) < ROOM:
            self._waiting.append(taken)
        else:
            self.dropped += 1

    def tick(self, now: int) -> None:
        """End a window: deliver what was taken in it, marked where the loop lagged while it was under way."""
        late = max(0, now - self.due)
        if len(self._lags) < KEPT:
            self._lags.append(late)
        if late > self._limit:
            self._lagged_until = now
            self._lagged += late + WINDOW
        self.due = max(self.due + WINDOW, now + WINDOW // 2)
        waiting, self._waiting = self._waiting, []
        for taken in waiting:
            taken.tainted = taken.mono < self._lagged_until
            self._deliver(taken)

    def report(self, now: int) -> tuple[int, float]:
        """Return the lag's 99th percentile (ns) and the tainted part of the time since last asked."""
        lags = sorted(self._lags)
        percentile = lags[min(len(lags) - 1, len(lags) * 99 // 100)] if lags else 0
        part = min(1.0, self._lagged / max(1, now - self._since))
        self._lags, self._since, self._lagged = [], now, 0
        return percentile, part
