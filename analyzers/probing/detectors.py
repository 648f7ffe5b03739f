"""Three detectors of a changed level, each blind to something that another sees. One alone proves nothing: two of
three must agree (measuring-anycast.md 2.6: each of them alone gives false alarms on real series of round trips).

- `RankTest` asks whether the last samples come from the same distribution as the base (Mann-Whitney). It needs no
  assumption about shape, and is as slow as its window is long.
- `Cusum` and `PageHinkley` add up how far each window lies above (and, beside it, below) the base. They are quick and
  find small shifts, and believe what they are told about the base's level and spread.

None knows time or units: residuals come in as multiples of a spread.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable
from math import sqrt
from typing import Final

CERTAIN: Final = 6.0
"""z of the rank test: once in 5e8 by chance for independent samples, but round trips are none."""
LEAST_RECENT: Final = 12  # samples: fewer cannot reach CERTAIN against any base
LEAST_BASE: Final = 16
SLACK, BOUND, CLIP = 0.5, 8.0, 8.0
"""CUSUM: k and h in standard deviations, and the most that one window may add before k is taken off."""
DELTA, LAMBDA, REACH = 0.5, 20.0, 14.0
"""Page-Hinkley, in median absolute deviations; REACH is the most that one window may count."""
CEILING: Final = 2.0  # times the bound: what has long been proven must not take long to be disproven


class RankTest:
    """Mann-Whitney of the last samples against a base, kept up to date in O(log n) a sample.

    Each sample is placed in the base when it comes (the part of the base below it), and the mean of the places is
    compared with one half. The base moves slowly against the life of a sample here, so old places stay good enough.
    """

    __slots__ = ("_base", "_places", "_span", "_sum")

    def __init__(self, most: int, span: float) -> None:
        """Look at the last `most` samples, none older than `span` seconds."""
        self._base: array[float] = array("f")
        self._places: deque[tuple[float, float]] = deque(maxlen=most)
        self._sum, self._span = 0.0, span

    def rebase(self, base: Iterable[float]) -> None:
        """Compare with these samples from now on."""
        self._base = array("f", sorted(base))

    def take(self, at: float, value: float) -> None:
        """Place one sample, taken at `at` seconds."""
        base, places = self._base, self._places
        if len(base) < LEAST_BASE:
            return
        place = (bisect_left(base, value) + bisect_right(base, value)) / (2 * len(base))
        if len(places) == places.maxlen:
            self._sum -= places[0][1]
        places.append((at, place))
        self._sum += place

    def z(self, now: float) -> float:
        """Return how surely the last samples lie above the base (below, when negative), in standard deviations."""
        places = self._places
        while places and places[0][0] < now - self._span:
            self._sum -= places.popleft()[1]
        n, m = len(places), len(self._base)
        if n < LEAST_RECENT:
            return 0.0
        return (self._sum / n - 0.5) * sqrt(12.0 * n * m / (n + m + 1))

    def forget(self) -> None:
        """Drop the last samples, and keep the base."""
        self._places.clear()
        self._sum = 0.0


class Cusum:
    """A two-sided cumulative sum of standardised residuals (Page 1954)."""

    __slots__ = ("down", "up")

    def __init__(self) -> None:
        self.up = self.down = 0.0

    def take(self, residual: float) -> None:
        """Add one window's residual, in standard deviations."""
        residual = max(-CLIP, min(CLIP, residual))
        self.up = min(max(0.0, self.up + residual - SLACK), CEILING * BOUND)
        self.down = min(max(0.0, self.down - residual - SLACK), CEILING * BOUND)

    @property
    def says(self) -> int:
        """1 for higher, -1 for lower, 0 for no change."""
        return _side(self.up, self.down, BOUND)

    def forget(self) -> None:
        """Begin anew."""
        self.up = self.down = 0.0


class PageHinkley:
    """Page and Hinkley's test, two-sided: how far the sum of deviations has risen above its lowest point.

    Kept as the rise itself, which is the same sum stopped at zero: it needs no growing total.
    """

    __slots__ = ("down", "up")

    def __init__(self) -> None:
        self.up = self.down = 0.0

    def take(self, deviation: float) -> None:
        """Add one window's deviation from the base, in median absolute deviations."""
        deviation = max(-REACH, min(REACH, deviation))
        self.up = min(max(0.0, self.up + deviation - DELTA), CEILING * LAMBDA)
        self.down = min(max(0.0, self.down - deviation - DELTA), CEILING * LAMBDA)

    @property
    def says(self) -> int:
        """1 for higher, -1 for lower, 0 for no change."""
        return _side(self.up, self.down, LAMBDA)

    def forget(self) -> None:
        """Begin anew."""
        self.up = self.down = 0.0


def _side(up: float, down: float, bound: float) -> int:
    return 1 if up > bound and up >= down else -1 if down > bound else 0
