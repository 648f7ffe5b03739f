"""Fixed flows of a series that became slower while the others did not: one leg of several.

A leg that carries a third of the flows moves neither the least nor the median of all. But a fixed flow stays on its
leg, so each is held against its own past: one that was slow four times in a row is slow, and three of them, a fifth of
all, are a leg. One flow alone that stays slow was hashed anew, and learns its new way.
"""

from dataclasses import dataclass
from math import expm1, log1p
from typing import Final

LEAST, LEAST_PART = 0.003, 0.15
"""Seconds, and part of the round trip, that a flow must be slower by."""
RUN: Final = 4  # in a row: two seconds at two probes a second
LEARNT, PACE = 40, 1 / 256
"""Samples until a flow is known, and the part that each later one moves its level by (two minutes)."""
FLOWS, PART = 3, 0.2
"""How many flows, and which part of those that are alive, make a leg."""
NEARLY_ALL: Final = 0.8  # of them are no leg: the whole is slower
ALONE: Final = 120  # in a row, after which a flow that is slow by itself has another way
ALIVE: Final = 5.0  # seconds since its last answer
MOST: Final = 128  # flows that are remembered
NORMAL_AFTER: Final = 1800.0


@dataclass(slots=True)
class _Flow:
    level: float = 0.0
    samples: int = 0
    slow: int = 0
    """In a row."""
    fast: int = 0
    last: float = 0.0
    excess: float = 0.0


class SlowFlows:
    """The fixed flows of one series."""

    def __init__(self) -> None:
        self.since: float | None = None
        """Since when some flows are slower; None while none are."""
        self.slow: tuple[int, ...] = ()
        """Which, as they were told: the list changes only when it grows by half or falls by half."""
        self.of = 0
        self.moved = 0.0
        """By how much they are slower, in seconds, as it was told."""
        self._nearly_all = False
        self._flows: dict[int, _Flow] = {}
        self._need = 0.0
        self._normal = 0.0

    @property
    def leg(self) -> bool:
        """Whether some flows are slower and others are not."""
        return self.since is not None and not self._nearly_all

    def expect(self, level: float) -> None:
        """Hear the round trip that is normal; nothing is judged before."""
        self._normal = level
        self._need = log1p(max(LEAST / level, LEAST_PART))

    def take(self, at: float, number: int, value: float) -> bool:
        """Fold in the logarithm of one round trip; say whether its flow is at another level than it was."""
        flow = self._flows.get(number)
        if flow is None:
            if len(self._flows) >= MOST:
                return False
            flow = self._flows[number] = _Flow(value)
        flow.last = at
        excess = value - flow.level
        if flow.samples < LEARNT:
            flow.samples += 1
            flow.level += excess / flow.samples
        elif -self._need <= excess <= self._need:
            flow.slow = flow.fast = 0
            flow.level += excess * PACE
            flow.excess = excess
        elif self._need:
            flow.slow, flow.fast = (flow.slow + 1, 0) if excess > 0 else (0, flow.fast + 1)
            flow.excess = excess
            if flow.slow + flow.fast > ALONE and self.since is None:
                flow.samples = flow.slow = flow.fast = 0
        return flow.slow + flow.fast >= RUN

    def judge(self, at: float) -> None:
        """See whether a leg's worth of flows is slow."""
        if self.since is None and not any(flow.slow >= RUN for flow in self._flows.values()):
            return
        alive = [(number, flow) for number, flow in self._flows.items() if at - flow.last <= ALIVE]
        slow = tuple(sorted(number for number, flow in alive if flow.slow >= RUN))
        self._nearly_all = len(slow) >= NEARLY_ALL * len(alive)
        others = sorted(flow.excess for _, flow in alive if flow.slow < RUN)
        apart = bool(others) and others[len(others) // 2] < self._need / 2
        enough = len(slow) >= FLOWS and len(slow) >= PART * len(alive) and not self._nearly_all and apart
        if self.since is None and enough:
            self.since = at - RUN / 2.0
            self._tell(slow, alive)
        elif self.since is not None and (len(slow) < 2 or at - self.since >= NORMAL_AFTER):
            self.since, self.slow = None, ()
            if len(slow) >= 2:
                self._flows.clear()  # their new ways are normal now
        elif self.since is not None and not 0.5 < len(slow) / len(self.slow) < 1.5:
            self._tell(slow, alive)

    def _tell(self, slow: tuple[int, ...], alive: list[tuple[int, _Flow]]) -> None:
        excesses = sorted(flow.excess for number, flow in alive if number in slow)
        self.slow, self.of = slow, len(alive)
        self.moved = self._normal * expm1(excesses[len(excesses) // 2])

    def gap(self) -> None:
        """The flows may have other ways now: they are learnt anew."""
        self.since, self.slow = None, ()
        self._flows.clear()
