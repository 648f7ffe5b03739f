"""Long-lived connections: which beat, which broke, and whether many broke together.

A canary breaks when it is reset, or when three beats in a row stay unanswered while the service answers others: a
connection whose packets go to an NVA that does not know it hangs, and new ones work. One beat that is late is TCP
mending a loss.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from anycast.probe import Outcome, ProbeResult

TOGETHER: Final = 10.0  # seconds within which breaks belong together
PART, LEAST = 0.25, 2
"""A quarter of the canaries, and two."""
BEATS: Final = 3  # in a row that stay unanswered
ALIVE: Final = 60.0  # seconds since its last beat, after which a canary is none
MOST: Final = 128


@dataclass(frozen=True, slots=True)
class Broken:
    """Canaries that broke together. `since` is seconds since 1970."""

    since: float
    reset: int
    hung: int
    of: int


class Canaries:
    """The canaries of one service at one site."""

    def __init__(self) -> None:
        self._beats: dict[int, float] = {}
        """When each was last answered, or came to be."""
        self._silent: dict[int, tuple[int, float]] = {}
        """Unanswered beats in a row, and when the first was sent."""
        self._breaks: deque[tuple[float, int, bool]] = deque(maxlen=MOST)
        """When it broke, which, and whether it was reset."""
        self.works = 0.0
        """When the probe was sent by which the service last proved that it answers anybody."""

    def take(self, at: float, result: ProbeResult) -> None:
        """Fold in one beat, or the end of a connection; one that did not open has no age, and did not break."""
        canary, outcome = result.flow, result.outcome
        if canary not in self._beats and len(self._beats) >= MOST:
            return
        if outcome is Outcome.ANSWERED:
            self._beats[canary] = at
            self._silent.pop(canary, None)
        elif canary not in self._beats or result.value is None:
            return
        elif outcome is Outcome.RESET:
            self._silent.pop(canary, None)
            self._breaks.append((at, canary, True))
        elif outcome is Outcome.SILENT:
            beats, since = self._silent.get(canary, (0, at))
            self._silent[canary] = (beats + 1, since)
            if beats + 1 == BEATS:
                self._breaks.append((since, canary, False))

    def gap(self) -> None:
        """A new run of the agent opens new connections: the old ones did not break."""
        self._beats.clear()
        self._silent.clear()
        self._breaks.clear()

    def found(self, now: float) -> Broken | None:
        """Return the canaries that broke together within the last seconds."""
        if not self._breaks or now - self._breaks[-1][0] > TOGETHER + BEATS:
            return None
        broke = [b for b in self._breaks if now - b[0] <= TOGETHER + BEATS and (b[2] or self.works > b[0])]
        which = {canary: reset for _, canary, reset in broke}
        alive = sum(now - at <= ALIVE for at in self._beats.values())
        if len(which) < max(LEAST, PART * alive):
            return None
        resets = sum(which.values())
        return Broken(min(at for at, _, _ in broke), resets, len(which) - resets, alive)
