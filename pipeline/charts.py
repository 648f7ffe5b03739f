"""What probes showed over time, from the data folder alone: with or without a daemon that writes to it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from analyzers.probing.shares import wilson
from anycast.catchment import LegKind
from anycast.charted import Answered, LegsChart, LegStep, SharesChart, ShareStep, Smoke, SmokeChart, ToldShift, Window
from anycast.finding import Kind, Step, Transition
from anycast.probe import Probe, Proof
from anycast.situation import EventKind
from store.answers import Page
from store.charts import Charts as Questions
from store.charts import Flowed, Place, Shared, Smoked, Way
from store.ledger import LedgerReader
from store.probed import PROOFS, Probed

MOST_STEPS: Final = 1_000
MOST_TOLD: Final = 500  # findings of one site and service that are looked through for shifts
TOLD_WITHIN: Final = timedelta(seconds=30)  # after traffic moved
TOLD_AGAIN: Final = timedelta(minutes=10)  # a shift that was told before the window may have been followed by others
PARTINGS: Final = 3  # places on the way at which flows part, nearest first
NANOSECONDS: Final = 1e9


class Charts:
    """Answers from one data folder. Threads may share it."""

    def __init__(self, data: Path) -> None:
        """Raises JournalError for a journal that a newer Catchment wrote."""
        self._ledger, self._questions = data / "ledger.sqlite", Questions(data / "journal")

    def follow(self, now: datetime) -> None:
        """Read what was added to the journal, so that the next chart does not wait for it."""
        self._questions.follow(now)

    def smoke(self, site: str, target: str, window: Window, probe: Probe | None = None) -> SmokeChart:
        """Return round trips from a site to a target, by the way of asking that says most when `probe` is None."""
        way, rows = self._questions.smoke(site, target, window.start, window.end, _width(window), probe)
        return SmokeChart(site, target, window, way, tuple(_smoke(row, window) for row in rows))

    def shares(self, site: str, service: str, window: Window) -> SharesChart:
        """Return where a site's traffic for a service landed, and the shifts that were told meanwhile."""
        way, rows = self._questions.shares(site, service, window.start, window.end, _width(window))
        steps = tuple(_shares(step, at, window) for step, at in _by_step(rows, lambda row: row.step))
        return SharesChart(site, service, window, way, steps, self.shifts(site, service, window))

    def legs(self, site: str, service: str, window: Window, ends: Collection[str] = ()) -> LegsChart:
        """Return what each leg lost, and how long it took; `ends` are addresses on the way that are no circuit's."""
        asked = (site, service, window.start, window.end)
        rows, ways = self._questions.flows(*asked, _width(window)), self._questions.ways(*asked)
        return LegsChart(site, service, window, tuple(_legs(rows, ways, window, ends)))

    def results(
        self, site: str, target: str | None, window: Window, limit: int, after: Place | None = None
    ) -> Page[Probed]:
        """Return results one by one, oldest first, those behind `after` where it is given."""
        return self._questions.results(site, target, window.start, window.end, limit, after)

    def shifts(self, site: str, service: str, window: Window) -> tuple[ToldShift, ...]:
        """Return the shifts that were told; none where there is no ledger."""
        if not self._ledger.exists():
            return ()
        with LedgerReader(self._ledger) as reader:
            opened = reader.events(
                start=window.start - TOLD_AGAIN, end=window.end + TOLD_WITHIN, limit=MOST_TOLD, newest=True,
                kind=str(EventKind.FINDING), what=str(Step.OPENED), site=site, service=service,
            )  # fmt: skip
            ids = [event.finding for event in opened if event.finding and event.text.startswith(Kind.CATCHMENT_SHIFT)]
            found = [shift for ident in dict.fromkeys(ids) for shift in _told(reader.transitions(ident, MOST_TOLD))]
        return tuple(each for each in found if window.start <= each.at < window.end)


def _told(steps: Sequence[Transition]) -> Iterator[ToldShift]:
    """The shifts of one record: traffic that moves back within a minute changes what is told of the first."""
    before = ""
    for step in steps:
        told = step.record.finding
        if step.step in (Step.OPENED, Step.CHANGED) and told.summary != before:
            at = step.at if before else told.since
            before = told.summary
            yield ToldShift(at, told.summary, told.severity, dict(told.evidence).get("event", ""), step.record.id)


def _width(window: Window) -> int:
    return int(window.step * NANOSECONDS)


def _at(window: Window, step: int) -> datetime:
    return window.start + timedelta(seconds=step * window.step)


def _proof(index: int | None) -> Proof:
    return Proof.NONE if index is None else PROOFS[index]


def _smoke(row: Smoked, window: Window) -> Smoke:
    times = (row.least, row.p25, row.p50, row.p75, row.p90, row.p99, row.most)
    least, p25, p50, p75, p90, p99, most = (None if each is None else each / NANOSECONDS for each in times)
    return Smoke(
        _at(window, row.step), row.region, row.sent, row.lost, least, p25, p50, p75, p90, p99, most, _proof(row.proof)
    )


def _shares(step: int, rows: Sequence[Shared], window: Window) -> ShareStep:
    """One step; answers that prove no region count as sent, and in nobody's share."""
    sent, lost = sum(row.sent for row in rows), sum(row.lost for row in rows)
    whole = sum(row.sent for row in rows if row.region)
    regions = (Answered(r.region, r.sent, wilson(r.sent, whole), _proof(r.proof)) for r in rows if r.region)
    return ShareStep(_at(window, step), sent, lost, wilson(lost, sent), tuple(regions))


Row = TypeVar("Row")


def _by_step(rows: Sequence[Row], step: Callable[[Row], int]) -> Iterator[tuple[int, list[Row]]]:
    grouped: dict[int, list[Row]] = {}
    for row in rows:
        grouped.setdefault(step(row), []).append(row)
    return iter(sorted(grouped.items()))


def _legs(rows: Sequence[Flowed], ways: Sequence[Way], window: Window, ends: Collection[str]) -> Iterator[LegStep]:
    """Every leg of every step. A flow's losses are those of the leg that answered it in the step, else of the last."""
    lands = _first(rows)
    hops = _Hops(ways, ends)
    for step, found in _by_step(rows, lambda row: row.step):
        of_flow: dict[int, list[Flowed]] = {}
        for row in found:
            of_flow.setdefault(row.flow, []).append(row)
        for flow, own in of_flow.items():
            answered = max((row for row in own if row.nva), key=lambda row: row.sent, default=None)
            if answered is not None and lands.get(flow) != (answered.nva, answered.region):
                lands[flow] = (answered.nva, answered.region)
                hops.forget(flow, _at(window, step).timestamp() * NANOSECONDS)
        end = _at(window, step + 1).timestamp() * NANOSECONDS
        circuits = hops.until(end, of_flow)
        members: dict[tuple[LegKind, str], list[int]] = {}
        for flow in sorted(of_flow):
            if (place := lands.get(flow)) is not None:
                members.setdefault((LegKind.NVA, place[0]), []).append(flow)
            for name in circuits.get(flow, ()):
                members.setdefault((LegKind.CIRCUIT, name), []).append(flow)
        for (kind, name), flows in sorted(members.items()):
            yield _leg(_at(window, step), kind, name, {flow: of_flow[flow] for flow in flows}, lands)


def _leg(
    at: datetime, kind: LegKind, name: str, flows: Mapping[int, list[Flowed]], lands: Mapping[int, tuple[str, str]]
) -> LegStep:
    rows = [row for own in flows.values() for row in own if kind is LegKind.CIRCUIT or row.nva in ("", name)]
    times = [row.p50 for row in rows if row.p50 is not None and row.nva]
    regions = {lands[flow][1] for flow in flows if flow in lands}
    lost, sent = sum(row.lost for row in rows), sum(row.sent for row in rows)
    region = regions.pop() if len(regions) == 1 else ""
    latency = median(times) / NANOSECONDS if times else None
    return LegStep(at, kind, name, region, len(flows), wilson(lost, sent), latency)


def _first(rows: Sequence[Flowed]) -> dict[int, tuple[str, str]]:
    """Where each flow landed first: what it lost before is taken to be lost there."""
    found: dict[int, tuple[str, str]] = {}
    for row in rows:
        if row.nva:
            found.setdefault(row.flow, (row.nva, row.region))
    return found


class _Hops:
    """The ways of flows, as time goes on."""

    def __init__(self, ways: Sequence[Way], ends: Collection[str]) -> None:
        self._ways, self._next = sorted(ways, key=lambda way: way.at), 0
        self._ends = {"*", *ends}
        self._hops: dict[int, tuple[str, ...]] = {}
        self._since: dict[int, float] = {}
        for way in reversed(self._ways):
            self._hops[way.flow] = way.hops  # the first one is taken to be the way before it, too

    def forget(self, flow: int, at: float) -> None:
        """A flow lands elsewhere (ns since 1970): its way there is not known until it is traced again."""
        self._hops.pop(flow, None)
        self._since[flow] = at

    def until(self, end: float, flows: Collection[int]) -> dict[int, list[str]]:
        """Return the circuits of flows at a time (ns since 1970): the routers at which they part."""
        while self._next < len(self._ways) and self._ways[self._next].at < end:
            way = self._ways[self._next]
            self._next += 1
            if way.at >= self._since.get(way.flow, 0.0):
                before = self._hops.get(way.flow, ()) + ("*",) * len(way.hops)
                self._hops[way.flow] = tuple(n if n != "*" else o for n, o in zip(way.hops, before, strict=False))
        known = {
            flow: tuple("*" if hop in self._ends else hop for hop in hops)
            for flow, hops in self._hops.items()
            if flow in flows
        }
        found: dict[int, list[str]] = {}
        for index in _partings(known):
            for flow, hops in known.items():
                if index < len(hops) and hops[index] != "*":
                    found.setdefault(flow, []).append(hops[index])
        return found


def _partings(hops: Mapping[int, tuple[str, ...]]) -> list[int]:
    """Places on the way at which flows part, the nearest first; one that parts them as another does is left out."""
    seen: set[frozenset[frozenset[int]]] = set()
    found = []
    for index in range(max(map(len, hops.values()), default=0)):
        here = {flow: way[index] for flow, way in hops.items() if index < len(way) and way[index] != "*"}
        groups = _groups(here)
        if len(groups) > 1 and groups not in seen:
            seen.add(groups)
            found.append(index)
    return found[:PARTINGS]


def _groups(places: Mapping[int, str]) -> frozenset[frozenset[int]]:
    groups: dict[str, set[int]] = {}
    for flow, place in places.items():
        groups.setdefault(place, set()).add(flow)
    return frozenset(map(frozenset, groups.values()))
