"""What a change does to traffic: bursts of loss among the fixed flows of one service at one site, and flows that move.

Loss that is there all the time is no burst: it takes three losses within a second, a tenth of what was sent. Answers
come at once and losses only after their time limit, so when a loss is heard all answers of its second are in.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

BUCKET: Final = 0.25  # seconds
BUCKETS: Final = 64
LEAST, PART = 3, 0.1
JOINS: Final = 1.5  # seconds between losses of one burst: three rounds of every flow
REMEMBERED: Final = 64
MOST: Final = 256  # flows

Place = tuple[str, str]
"""Region and NVA."""
NOWHERE: Final = ("", "")


@dataclass(slots=True)
class Burst:
    """Losses that belong together. Times are seconds since 1970, of sending."""

    first: float
    last: float
    lost: int = 0
    places: dict[Place, int] = field(default_factory=dict)
    """Where the flows landed that lost, and how many probes."""

    def count(self, at: float, place: Place) -> None:
        """Count one more."""
        self.first, self.last = min(self.first, at), max(self.last, at)
        self.lost += 1
        self.places[place] = self.places.get(place, 0) + 1


class Plane:
    """The fixed flows of one pair, as far as convergence asks."""

    def __init__(self) -> None:
        self.bursts: deque[Burst] = deque(maxlen=REMEMBERED)
        self.moves: deque[tuple[float, int, Place, Place]] = deque(maxlen=REMEMBERED)
        """When a flow was first answered from elsewhere, which, from where and to where."""
        self.answered: dict[str, float] = {}
        """When each region last answered."""
        self.version = 0
        """Grows with each burst's loss and each move."""
        self._places: dict[int, Place] = {}
        self._stamps = [0] * BUCKETS
        self._sent = [0] * BUCKETS
        self._losses: deque[tuple[float, Place]] = deque(maxlen=MOST)
        """Losses of the last second,"""
        self._waiting = 0
        """and how many of them belong to no burst yet; those that are too old by now never will."""

    def answer(self, at: float, flow: int, region: str, nva: str) -> None:
        """Fold in an answer to a fixed flow."""
        self._count(at)
        self.answered[region] = at
        before, place = self._places.get(flow), (region, nva)
        if before != place:
            if before is not None:
                self.version += 1
                self.moves.append((at, flow, before, place))
            if before is not None or len(self._places) < MOST:
                self._places[flow] = place

    def loss(self, at: float, flow: int) -> None:
        """Fold in a lost probe of a fixed flow."""
        self._count(at)
        losses, place = self._losses, self._places.get(flow, NOWHERE)
        losses.append((at, place))
        self._waiting += 1
        while losses[0][0] < at - 1.0:
            losses.popleft()
        if len(losses) < LEAST or len(losses) < PART * self._lately(at):
            return
        if not self.bursts or at > self.bursts[-1].last + JOINS:
            self.bursts.append(Burst(at, at))
        for when, where in list(losses)[-self._waiting :]:
            self.bursts[-1].count(when, where)
        self._waiting = 0
        self.version += 1

    def gap(self) -> None:
        """Flows may land elsewhere after a gap, and nobody saw them move."""
        self._places.clear()
        self.bursts.clear()
        self.moves.clear()
        self._losses.clear()
        self._waiting = 0

    def _count(self, at: float) -> None:
        number = int(at / BUCKET)
        slot = number % BUCKETS
        if self._stamps[slot] != number:
            self._stamps[slot], self._sent[slot] = number, 0
        self._sent[slot] += 1

    def _lately(self, at: float) -> int:
        """How many probes were sent in the second before `at`."""
        number = int(at / BUCKET)
        wanted = range(number - 4, number + 1)
        return sum(self._sent[n % BUCKETS] for n in wanted if self._stamps[n % BUCKETS] == n)
