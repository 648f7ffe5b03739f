"""Delays of each direction by themselves: the least of every ten seconds, against the least of the minutes before.

The far clock is not ours, so a delay's value means nothing and its change does. A clock that drifts or steps moves both
directions by the same amount in opposite senses, which no change of a path does: that is how they are told apart.
"""

from collections import deque
from datetime import datetime, timedelta
from statistics import median

from anycast.plain import Plain

SPAN = timedelta(seconds=10)
KEPT = 30  # spans: five minutes
NEEDED = 3  # spans of before, and two of after
LEAST, PART = 0.003, 0.15  # a change that counts: 3 ms and 15 % of the round trip
ALONE = 1 / 3  # the other direction moved by no more than this part of it


class OneWay:
    """The two directions of one leg."""

    __slots__ = ("alone", "back", "forward", "spans", "until")

    def __init__(self) -> None:
        self.until: datetime | None = None
        self.forward = self.back = float("inf")
        self.spans: deque[tuple[float, float]] = deque(maxlen=KEPT)
        self.alone: tuple[str, float] | None = None
        """The direction whose delay changed by itself, and by how many seconds; None where none did."""

    def add(self, at: datetime, forward: float, back: float) -> None:
        """Count one round trip, seconds each way."""
        if self.until is None or at >= self.until:
            self._turn(at)
        if forward < self.forward:
            self.forward = forward
        if back < self.back:
            self.back = back

    def _turn(self, at: datetime) -> None:
        if self.until is not None and self.forward < float("inf"):
            self.spans.append((self.forward, self.back))
            self.alone = self._alone()
        self.until, self.forward, self.back = at + SPAN, float("inf"), float("inf")

    def _alone(self) -> tuple[str, float] | None:
        if len(self.spans) < NEEDED + 2:
            return None
        spans = list(self.spans)
        changes = []
        for way in (0, 1):
            before, after = [span[way] for span in spans[:-2]], [span[way] for span in spans[-2:]]
            base = median(before)
            settled = min(abs(value - base) for value in after)
            changes.append(settled if after[-1] > base else -settled)
        there, back = changes
        limit = max(LEAST, PART * (spans[0][0] + spans[0][1]))
        for name, this, other in (("requests", there, back), ("answers", back, there)):
            if abs(this) >= limit and abs(other) <= ALONE * abs(this):
                return name, this
        return None

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return [list(span) for span in self.spans]

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        self.spans.extend((float(there), float(back)) for there, back in plain)
        self.alone = self._alone()
