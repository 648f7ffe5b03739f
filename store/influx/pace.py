"""When a server is tried again: later and later, and never all sinks at once. Pure, but for chance."""

import random
from collections.abc import Callable
from typing import Final

FIRST: Final = 0.5
MOST: Final = 15.0
"""Seconds: so soon after it is back, a server that was away for hours is found."""
HELD: Final = 30.0
"""Seconds between attempts where somebody must mend something."""


class Pace:
    """Counts failures, and says how long to wait."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """`chance` gives numbers from 0 up to 1."""
        self._chance, self._failures = chance, 0

    def well(self) -> None:
        """It went well: the next failure is the first."""
        self._failures = 0

    def again(self) -> float:
        """Seconds after one more failure: half of a doubling step, and as much at random."""
        step: float = min(MOST, FIRST * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return step * (0.5 + 0.5 * self._chance())

    def later(self, asked: float | None) -> float:
        """Seconds after a server asked for a pause: never less than it asked for."""
        return self.again() if asked is None else asked + self._chance() * min(1.0, 0.1 * asked + 0.1)

    def held(self) -> float:
        """Seconds until somebody may have mended it."""
        return HELD * (0.5 + 0.5 * self._chance())
