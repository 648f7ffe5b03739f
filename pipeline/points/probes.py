"""Results of probes, folded into windows: who answered, how fast, and what was lost."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from anycast.intent import Intent
from anycast.point import Point
from anycast.probe import AgentReported, Outcome, Probe, ProbeResult
from anycast.series import NONE
from store.schema import nanoseconds

WAYS: Final = frozenset((Probe.UDP, Probe.TCP, Probe.HTTP, Probe.DNS, Probe.ICMP))
"""Ways of asking that have a round trip."""
WAITING: Final = 12_000_000_000
"""ns for which a window waits after its end: an agent's batch is judged while it is fresh, ten seconds."""
MOST_TRIPS: Final = 65_536
"""Round trips of one series in one window; beyond them probes are only counted."""
MOST_KEYS: Final = 100_000
"""Series of all windows that wait."""

_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class _Fold:
    n: int = 0
    lost: int = 0
    trips: "array[float]" = field(default_factory=lambda: array("d"))


class ProbeWindows:
    """Windows that are not over, or wait for what is on its way."""

    def __init__(self, every: int) -> None:
        """Fold windows of `every` ns."""
        self._every = every
        self._windows: dict[int, dict[_Key, _Fold]] = {}
        self._written = 0
        """The end of the last window that was written."""
        self._keys = 0
        self.late = 0
        """Results that came when their window was written, or that there was no room for."""

    def take(self, report: AgentReported, intent: Intent) -> None:
        """Fold in what an agent reported of services."""
        services = {service.name for service in intent.services}
        for result in report.results:
            if result.counts and result.probe in WAYS and result.target in services:
                self._put(report.site, result, _region(result, intent))

    def _put(self, site: str, result: ProbeResult, region: str) -> None:
        end = (nanoseconds(result.at) // self._every + 1) * self._every
        if end <= self._written:
            self.late += 1
            return
        key = (site, result.target, region, str(result.probe))
        window = self._windows.setdefault(end, {})
        fold = window.get(key)
        if fold is None:
            if self._keys >= MOST_KEYS:
                self.late += 1
                return
            fold = window[key] = _Fold()
            self._keys += 1
        fold.n += 1
        fold.lost += result.lost
        if result.outcome is Outcome.ANSWERED and result.rtt is not None and len(fold.trips) < MOST_TRIPS:
            fold.trips.append(result.rtt)

    def over(self, now: int, all_of_them: bool = False) -> Iterator[Point]:
        """Yield the points of windows that are over by `now` (ns), and of all others, too, where we stop."""
        for end in sorted(self._windows):
            if all_of_them or end + WAITING <= now:
                window = self._windows.pop(end)
                self._keys -= len(window)
                self._written = max(self._written, end)
                yield from (_point(key, fold, end) for key, fold in window.items())


def _region(result: ProbeResult, intent: Intent) -> str:
    """Who answered, by a proof; nobody else is a region of ours, whatever it calls itself."""
    named = result.identity.region if result.proven and result.identity is not None else ""
    return named if named in intent.by_region else NONE


def _point(key: _Key, fold: _Fold, end: int) -> Point:
    trips = sorted(fold.trips)
    fields: dict[str, float | int | str | None] = {"n": fold.n, "lost": fold.lost}
    for name, share in (("min", 0.0), ("median", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)):
        fields[name] = round(_quantile(trips, share), 9) if trips else None
    return Point("probe", key, fields, end)


def _quantile(ordered: list[float], share: float) -> float:
    """Between the two values next to it, as far as it lies between them."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
