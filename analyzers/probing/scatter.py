"""How much round trips of one series scatter: the 95th percentile above the median, in slots of a few seconds.

A slot lasts three seconds and until it has twenty samples. Two slots in a row that are wide make it so, for a hiccup of
less than a second may straddle the border of two; the hold-down of `jitter` asks for more than that. While it is wide
nothing is learnt; what stays wide for half an hour becomes normal.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from analyzers.probing.packed import packed, unpacked
from anycast.plain import Plain

SLOT, FEWEST, LONGEST, MOST = 3.0, 20, 10.0, 256
"""Seconds, samples, seconds after which a slot with fewer samples says nothing, and samples that it keeps at most."""
KEPT, WARM = 100, 12
TIMES, LEAST = 4.0, 0.005
"""Times the base, and seconds: what scatters less is not told."""
BACK: Final = 0.6
STALE: Final = 15.0
NORMAL_AFTER: Final = 1800.0
QUIETEST: Final = 1e-5  # seconds: a base that is taken for the least


@dataclass(frozen=True, slots=True)
class Wide:
    """Round trips that scatter. Times are seconds since 1970, durations seconds."""

    since: float
    before: float
    """The spread as it was."""
    spread: float
    """The spread when it was told."""


class Scatter:
    """The spread of one series, against what it was."""

    def __init__(self) -> None:
        self.wide: Wide | None = None
        self._values: list[float] = []
        self._opened = self._last = 0.0
        self._base: array[float] = array("f")
        self._next: array[float] = array("f")
        self._before: tuple[float, float] | None = None
        """When the slot before opened, and its spread; it enters the base when the next one is no wider."""

    @property
    def usual(self) -> float | None:
        """The spread that is normal, in seconds; None until it is known."""
        if len(self._base) < WARM:
            return None
        return float(max(QUIETEST, sorted(self._base)[len(self._base) // 2]))

    def take(self, at: float, rtt: float) -> None:
        """Fold in one round trip."""
        self._last = max(self._last, at)
        if not self._values:
            self._opened = at
        if len(self._values) < MOST:
            self._values.append(rtt)
        lasted = at - self._opened
        if lasted >= SLOT and (len(self._values) >= FEWEST or lasted >= LONGEST):
            self._close(at)

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self._values.clear()
        self._before = None

    def found(self, now: float) -> Wide | None:
        """Return what stands, if it is seen."""
        return self.wide if now - self._last <= STALE else None

    def _close(self, at: float) -> None:
        values, self._values = sorted(self._values), []
        if len(values) < FEWEST:
            self._before = None
            return
        spread = values[int(len(values) * 0.95)] - values[len(values) // 2]
        usual, before = self.usual, self._before
        self._before = (self._opened, spread)
        if usual is None:
            self._learn(self._base, spread)
            return
        bound = max(TIMES * usual, LEAST)
        if self.wide is None:
            if before is not None and spread >= bound and before[1] >= bound:
                self.wide = Wide(before[0], usual, (before[1] + spread) / 2)
            elif before is not None and max(spread, before[1]) < bound:
                self._learn(self._base, before[1])
            return
        self._learn(self._next, spread)
        if before is not None and max(spread, before[1]) < BACK * bound:
            self._settle()
        elif at - self.wide.since >= NORMAL_AFTER and len(self._next) >= WARM:
            self._base = self._next
            self._settle()

    def _settle(self) -> None:
        self.wide, self._next = None, array("f")

    @staticmethod
    def _learn(into: "array[float]", spread: float) -> None:
        into.append(spread)
        if len(into) > KEPT:
            del into[0]

    def plain(self) -> Plain:
        """Return what survives a restart."""
        wide = None if self.wide is None else [self.wide.since, self.wide.before, self.wide.spread]
        return {"base": packed(self._base), "next": packed(self._next), "wide": wide}

    def restore(self, plain: Mapping[str, Plain]) -> None:
        """Take it back."""
        self._base, self._next = unpacked(plain["base"]), unpacked(plain["next"])
        self.wide = None if plain["wide"] is None else Wide(*plain["wide"])
