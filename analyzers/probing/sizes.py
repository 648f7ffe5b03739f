"""The ladder of sizes: which arrive, which are said to be too big, and which vanish without a word.

A size vanishes when it was silent twice in a row while smaller ones were answered and no larger one was. Where smaller
ones are silent too now and then the path loses packets, and a third silence is asked for.
"""

from dataclasses import dataclass, field
from typing import Final

from anycast.probe import Outcome, ProbeResult

TWICE, THRICE = 2, 3
MOST: Final = 32  # sizes of a ladder
REMEMBERED: Final = 4  # rounds in which a silence of a smaller size is doubt
OLD: Final = 600.0  # seconds after which the last round says nothing of now


@dataclass(slots=True)
class _Rung:
    silent: int = 0
    """In a row."""
    since: float = 0.0
    """The first of them."""
    answered: float = 0.0
    """When it was last answered."""
    asked: float = 0.0
    lately: list[bool] = field(default_factory=list)
    """Whether each of the last rounds was silent."""


@dataclass(frozen=True, slots=True)
class Swallowed:
    """Sizes that vanish. `since` is seconds since 1970, sizes are octets of the IP packet."""

    since: float
    arrives: int
    """The largest size that is answered."""
    vanishes: int
    """The smallest that is not."""


class Ladder:
    """The sizes of one target."""

    def __init__(self) -> None:
        self._rungs: dict[int, _Rung] = {}

    def take(self, at: float, result: ProbeResult) -> None:
        """Fold in one size; one that is too big, and is said to be, is no silence."""
        if result.value is None:
            return
        if result.outcome is Outcome.TOO_BIG:
            fits = int(result.value)  # the MTU that was told: what is larger is not judged
            self._rungs = {size: rung for size, rung in self._rungs.items() if size <= fits}
            return
        size = int(result.value)
        rung = self._rungs.get(size)
        if rung is None:
            if len(self._rungs) >= MOST:
                return
            rung = self._rungs[size] = _Rung()
        silent = result.outcome is Outcome.SILENT
        rung.asked = at
        rung.lately = [*rung.lately[1 - REMEMBERED :], silent]
        if not silent:
            rung.silent = 0
            if result.outcome is Outcome.ANSWERED:
                rung.answered = at
        else:
            rung.since = at if rung.silent == 0 else rung.since
            rung.silent += 1

    def gap(self) -> None:
        """What counts in a row begins anew."""
        self._rungs.clear()

    def found(self, now: float) -> Swallowed | None:
        """Return which sizes vanish."""
        rungs = sorted((size, rung) for size, rung in self._rungs.items() if now - rung.asked <= OLD)
        for index, (size, rung) in enumerate(rungs):
            smaller, larger = rungs[:index], rungs[index + 1 :]
            doubt = any(any(below.lately) for _, below in smaller)
            if rung.silent < (THRICE if doubt else TWICE) or any(above.answered > rung.since for _, above in larger):
                continue
            arrived = [below for below, kept in smaller if kept.silent == 0 and kept.answered > rung.since]
            if arrived and len(arrived) == len(smaller):
                return Swallowed(rung.since, max(arrived), size)
        return None
