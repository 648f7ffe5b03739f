"""Bounded transfers: how fast each was, against the ones before, and when one runs.

A test that is slow is kept aside: what it is held against does not sink with it. One alone is worth a line and no more,
for a lost packet or two at the wrong moment do it. When eight in a row were slow, that is the circuit's speed now.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from anycast.finding import Severity
from anycast.plain import Plain
from anycast.probe import Outcome, ProbeResult

KEPT, FEWEST, LEARNT = 12, 3, 8
"""Tests that are remembered, how many are enough to judge, and slow ones in a row that make a new normal."""
HALF, FIFTH, BACK = 0.5, 0.2, 0.6
"""Of the median: less than half is a drop, less than a fifth is worse, and with more than 0.6 it is over."""
BELOW, BESIDE = 0.7, 0.85
"""Of the slowest that was usual: a way on which TCP is fast now and slow then must be slower still, to be told."""
SETTLES: Final = 5.0  # seconds after a test until queues are empty, and what they taught is forgotten
LONGEST: Final = 60.0  # seconds that a test of which no end was heard is taken to run
OLD: Final = 86400.0  # seconds after which the last test says nothing of now


@dataclass(frozen=True, slots=True)
class Drop:
    """Transfers that are slower. `since` is seconds since 1970, speeds are octets a second."""

    since: float
    usual: float
    speed: float
    """Of the last test."""
    severity: Severity


class Transfers:
    """The tests of one target."""

    def __init__(self) -> None:
        self._usual: deque[float] = deque(maxlen=KEPT)
        self._slow: deque[tuple[float, float]] = deque(maxlen=LEARNT)
        self._last = 0.0
        self._began: float | None = None
        """The start of the test that runs; None while none does, as far as we heard."""
        self._ended = (0.0, 0.0)
        """Beginning and end of the last test."""

    def take(self, at: float, result: ProbeResult) -> None:
        """Fold in the beginning or the end of a test."""
        if result.outcome is Outcome.BEGAN:
            self._began = at
            return
        self._began, self._ended = None, (at, at + (result.rtt or 0.0))
        if result.outcome is not Outcome.ANSWERED or not result.value or result.tainted:
            return  # a test that did not come to its end says nothing of speed
        self._last = at
        if len(self._usual) < FEWEST or result.value >= self._bound:
            self._usual.append(result.value)
            self._slow.clear()
            return
        self._slow.append((at, result.value))
        if len(self._slow) == LEARNT:
            self._usual = deque((speed for _, speed in self._slow), maxlen=KEPT)
            self._slow.clear()

    @property
    def _median(self) -> float:
        return sorted(self._usual)[len(self._usual) // 2]

    @property
    def _bound(self) -> float:
        """What a test must reach to be usual; more once one did not."""
        middle, slowest = (BACK, BESIDE) if self._slow else (HALF, BELOW)
        return min(middle * self._median, slowest * min(self._usual))

    def found(self, now: float) -> Drop | None:
        """Return the drop that the last test showed."""
        if not self._slow or now - self._last > OLD:
            return None
        speed = self._slow[-1][1]
        if len(self._slow) == 1:
            severity = Severity.INFO
        else:
            severity = Severity.MAJOR if speed < FIFTH * self._median else Severity.WARNING
        return Drop(self._slow[0][0], self._median, speed, severity)

    def disturbs(self, now: float) -> float | None:
        """Return since when a test disturbs what else is measured; None while none does."""
        if self._began is not None and now - self._began <= LONGEST:
            return self._began
        began, ended = self._ended
        return began if now - ended <= SETTLES else None

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return {"usual": list(self._usual), "slow": [list(test) for test in self._slow], "last": self._last}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self._usual = deque(plain["usual"], maxlen=KEPT)
        self._slow = deque(((at, speed) for at, speed in plain["slow"]), maxlen=LEARNT)
        self._last = plain["last"]
