"""Points on their way into the journal: each series within its cap, each event at a time of its own, as rows."""

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pyarrow as pa

from anycast.point import Point
from anycast.series import MEASUREMENTS, OVERFLOW, When
from store.influx import line
from store.schema import SUBMITTED

MILLISECOND: Final = 1_000_000
REMEMBERED: Final = 50_000
"""Times of events that are remembered, the latest."""


class Rows:
    """Keeps what makes one point differ from another."""

    def __init__(self, cap: int) -> None:
        """Let a measurement have `cap` series at most."""
        self._cap = cap
        self._series: dict[str, set[tuple[str, ...]]] = {}
        self._times: OrderedDict[tuple[str, int], int] = OrderedDict()
        """Milliseconds that an event of a series has, and the next after it that may be free."""
        self.overflowed: Counter[str] = Counter()
        """Points that were written to an overflow series, by measurement."""

    def table(self, points: Iterable[Point]) -> pa.RecordBatch:
        """Return points as rows of the table `points`; those without any field are none."""
        made = [row for point in points if (row := self._row(self._capped(point))) is not None]
        columns = zip(*made, strict=True) if made else [()] * len(SUBMITTED["points"])
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SUBMITTED["points"], strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=SUBMITTED["points"])

    def forget(self) -> None:
        """Begin to count series anew: the intent changed, and names with it."""
        self._series.clear()

    def _capped(self, point: Point) -> Point:
        known = self._series.setdefault(point.measurement, set())
        if point.tags in known:
            return point
        if len(known) < self._cap:
            known.add(point.tags)
            return point
        self.overflowed[point.measurement] += 1
        return replace(point, tags=(OVERFLOW,) * len(point.tags))

    def _row(self, point: Point) -> tuple[int, str, str, str] | None:
        fields = line.fields_of(point)
        if not fields:
            return None
        key = line.key(point.measurement, point.tags)
        event = MEASUREMENTS[point.measurement].when is When.EVENT
        return self._apart(key, point.at) if event else point.at, point.measurement, key, fields

    def _apart(self, key: str, at: int) -> int:
        """A time that no other event of the series has: in the first free millisecond from its own on.

        A millisecond, and not a nanosecond: VictoriaMetrics knows none smaller, and counts what it has twice.
        """
        wanted = free = at // MILLISECOND
        while (taken := self._times.get((key, free))) is not None:
            free = taken
        for place in (wanted, free):
            self._times[key, place] = free + 1
        while len(self._times) > REMEMBERED:
            self._times.popitem(last=False)
        return at + (free - wanted) * MILLISECOND
