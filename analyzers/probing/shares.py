"""Shares of regions among answers to probes that never use a source port twice, counted in slots of five seconds.

A share moved when it grew by a fifth of all probes, and a two-proportion test says z > 5, over thirty seconds against
the thirty before. Only growth counts: a region that dies gives its share to nobody. Source: measuring-anycast.md 2.7.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import sqrt

from anycast.catchment import Interval
from anycast.plain import Plain

SLOT = 5  # seconds
SLOTS = 120  # ten minutes
WINDOW = 6  # slots of each side of the test
MOST_REGIONS = 32
GROWN = 0.2
Z_SHIFT = 5.0
Z_95 = 1.959964


def wilson(part: float, whole: int) -> Interval:
    """Return a share with its 95 % interval (Wilson's score)."""
    if whole == 0:
        return Interval(0.0, 0.0, 1.0, 0)
    share, spread = part / whole, Z_95**2 / whole
    middle = (share + spread / 2) / (1 + spread)
    half = Z_95 * sqrt(share * (1 - share) / whole + spread / (4 * whole)) / (1 + spread)
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half), whole)


def apart(before: int, of: int, after: int, out_of: int) -> float:
    """Return z of the two-proportion test, positive where the second share is larger; 0 without samples."""
    if not of or not out_of:
        return 0.0
    pooled = (before + after) / (of + out_of)
    deviation = sqrt(pooled * (1 - pooled) * (1 / of + 1 / out_of))
    return (after / out_of - before / of) / deviation if deviation else 0.0


@dataclass(slots=True)
class Slot:
    """Five seconds."""

    number: int
    sent: int = 0
    lost: int = 0
    regions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moved:
    """A share that moved."""

    at: datetime
    before: Mapping[str, int]
    """Answers of each region in the thirty seconds before,"""
    after: Mapping[str, int]
    """and after."""


class Shares:
    """Who answered how often, of late."""

    def __init__(self) -> None:
        self.slots: deque[Slot] = deque(maxlen=SLOTS)

    def count(self, at: datetime, region: str | None) -> Moved | None:
        """Count a probe, lost where `region` is None; return the shift that a slot that is over shows."""
        number = int(at.timestamp()) // SLOT
        slots, moved = self.slots, None
        slot = slots[-1] if slots else None
        if slot is None or number > slot.number:
            moved = self._shift()
            slot = Slot(number)
            slots.append(slot)
        elif number < slot.number:
            slot = next((each for each in reversed(slots) if each.number == number), slot)
        slot.sent += 1
        if region is None:
            slot.lost += 1
        elif region in slot.regions or len(slot.regions) < MOST_REGIONS:
            slot.regions[region] = slot.regions.get(region, 0) + 1
        return moved

    def since(self, at: datetime) -> tuple[int, int, Mapping[str, int], float]:
        """Return probes, losses, answers by region, and the seconds they were counted over, from `at` on."""
        first = -(-int(at.timestamp()) // SLOT)  # a slot that began before would mix what was and what is
        slots = [slot for slot in self.slots if slot.number >= first]
        sent, lost = sum(slot.sent for slot in slots), sum(slot.lost for slot in slots)
        span = (slots[-1].number - slots[0].number + 1) * SLOT if slots else 0
        return sent, lost, _summed(slots), float(span)

    def _shift(self) -> Moved | None:
        if len(self.slots) < 2 * WINDOW:
            return None
        last = self.slots[-1].number
        after = [slot for slot in self._back(2 * WINDOW) if slot.number > last - WINDOW]
        before = [slot for slot in self._back(2 * WINDOW) if last - 2 * WINDOW < slot.number <= last - WINDOW]
        sent, out_of = sum(slot.sent for slot in before), sum(slot.sent for slot in after)
        olds, news = _summed(before), _summed(after)
        for region, count in news.items():
            old = olds.get(region, 0)
            if not sent or count / out_of - old / sent < GROWN or apart(old, sent, count, out_of) <= Z_SHIFT:
                continue
            middle = (count / out_of + old / sent) / 2
            first = next((s for s in after if s.regions.get(region, 0) > middle * s.sent), after[-1])
            return Moved(datetime.fromtimestamp(first.number * SLOT, UTC), olds, news)
        return None

    def _back(self, count: int) -> Iterator[Slot]:
        return (self.slots[index] for index in range(max(0, len(self.slots) - count), len(self.slots)))

    def plain(self) -> Plain:
        """Return what survives a restart."""
        return [[slot.number, slot.sent, slot.lost, dict(sorted(slot.regions.items()))] for slot in self.slots]

    def restore(self, plain: Plain) -> None:
        """Take it back."""
        self.slots.extend(Slot(number, sent, lost, dict(regions)) for number, sent, lost, regions in plain)


def _summed(slots: list[Slot]) -> dict[str, int]:
    total: dict[str, int] = {}
    for slot in slots:
        for region, count in slot.regions.items():
            total[region] = total.get(region, 0) + count
    return total
