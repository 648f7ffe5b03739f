"""Makes points while the daemon runs: of events when they happen, of the state on whole multiples of the time between
samples, and hands them to the journal.

Nothing waits for it: what is folded here is folded after it was judged, and what the journal has no room for is
counted and given up, for the state is sampled again and a sink must never hold up judging.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Final, Protocol

import pyarrow as pa

from alerts.incidents.fold import Incidents
from anycast.agent import AgentStatus
from anycast.catchment import SiteServiceCatchment
from anycast.change import Change
from anycast.convergence import Episode
from anycast.finding import Record, State, Step, Transition
from anycast.intent import Intent
from anycast.observation import Observation, StatsReported
from anycast.point import Point
from anycast.prefix import Prefix
from anycast.probe import AgentReported
from anycast.sink import SinkStatus
from anycast.situation import Situation
from pipeline.points.findings import finding_point, findings_points, incident_point, incidents_points
from pipeline.points.landings import agent_points, convergence_point, landing_points
from pipeline.points.own import Own, descriptors, own_point, resident
from pipeline.points.probes import ProbeWindows
from pipeline.points.routes import change_points, statistic_points
from pipeline.points.rows import Rows
from pipeline.points.situation import situation_points
from store.schema import EPOCH, JournalError

log = logging.getLogger(__name__)
MEASURED: Final = 60.0
"""Seconds between looks at what costs a look."""


class Daemon(Protocol):
    """What points are made of."""

    def intent(self) -> Intent: ...
    def situation(self) -> Situation: ...
    def landings(self) -> Sequence[SiteServiceCatchment]: ...
    def agents(self) -> Sequence[AgentStatus]: ...
    def results(self) -> Mapping[str, int]: ...
    def episodes(self) -> Iterable[Episode]: ...
    def objective(self, episode: Episode) -> timedelta | None: ...
    def records(self) -> Sequence[Record]: ...
    def sinks(self) -> Sequence[SinkStatus]: ...
    def say(self, change: Change) -> str: ...
    def whose(self, prefix: Prefix) -> tuple[str, str] | None: ...
    def own(self, overflowed: int) -> Own: ...
    async def measure(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Journalled:
    """Where points go."""

    submit: Callable[[pa.RecordBatch], "Future[int]"]
    """Hands rows to the journal. Raises JournalError."""
    there: Callable[[], None]
    """Called once they are on disk, from any thread."""


class Making:
    """Makes points until cancelled."""

    def __init__(
        self, daemon: Daemon, journal: Journalled, every: timedelta, cap: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Sample each `every` (whole seconds), with `cap` series of each measurement at most."""
        self._daemon, self._journal, self._clock = daemon, journal, clock
        self._every = int(every.total_seconds())
        self._events, self._samples = Rows(cap), Rows(cap)
        """Two, for samples are made beside the loop; no measurement is in both."""
        self._windows = ProbeWindows(self._every * 1_000_000_000)
        self._incidents = Incidents(daemon.intent())
        self._intent = daemon.intent()
        self._told_until = max((e.ended for e in daemon.episodes() if e.ended), default=EPOCH)
        """The end of the last episode whose point was made, or was before us."""
        self._measured = -MEASURED
        self._complained = -MEASURED
        self.unwritten = 0
        """Points that the journal did not take."""

    @property
    def overflowed(self) -> int:
        """Points that were written to an overflow series."""
        return self._events.overflowed.total() + self._samples.overflowed.total()

    def restore(self, records: Iterable[Record]) -> None:
        """Take up findings that are open, so that what follows from them joins their incidents; no point is made."""
        opened = sorted((r for r in records if r.state is State.OPEN and r.opened_at), key=lambda r: str(r.opened_at))
        for record in opened:
            assert record.opened_at is not None
            self._incidents.take(Transition(record.opened_at, Step.OPENED, record))

    def heard(self, observations: Sequence[Observation]) -> None:
        """Take what routers and agents reported."""
        intent = self._daemon.intent()
        points: list[Point] = []
        with self._alone("what was heard"):
            for observation in observations:
                if isinstance(observation, AgentReported):
                    self._windows.take(observation, intent)
                elif isinstance(observation, StatsReported):
                    points += statistic_points(observation, intent)
            self._put(points)

    def concluded(
        self, changes: Sequence[Change], steps: Sequence[Transition], transitions: Sequence[Transition]
    ) -> None:
        """Take what was committed: changes, steps that are worth a line, and all that the ledger did at one time."""
        with self._alone("what was concluded"):
            daemon = self._daemon
            points = list(change_points(changes, daemon.say, daemon.whose, daemon.intent()))
            points += map(finding_point, steps)
            points += map(incident_point, self._incidents.take(*transitions))
            self._put(points)

    async def run(self) -> None:
        """Sample until cancelled; then write the windows that are not over."""
        try:
            while True:
                now = self._clock()
                due = (int(now) // self._every + 1) * self._every
                await asyncio.sleep(max(0.05, due - now))
                if self._clock() >= due:
                    with self._alone("the state"):
                        await self._measure()
                        await self.sample(due)
        finally:
            self._put(self._windows.over(0, all_of_them=True))

    async def sample(self, second: int) -> None:
        """Make the points of the state; `second` since 1970, a multiple of the time between samples.

        What there is is looked at on the loop, at once; what it comes to is written beside it, for it may be much.
        """
        daemon, at = self._daemon, second * 1_000_000_000
        intent = daemon.intent()
        if intent is not self._intent:
            self._intent = intent
            self._events.forget()
            self._samples.forget()
            self._incidents.configure(intent)
        self._put([convergence_point(episode, daemon.objective(episode)) for episode in self._over()])
        own = own_point(daemon.own(self.overflowed), daemon.sinks(), resident(), descriptors(), at)
        made = chain(
            list(self._windows.over(at)),
            situation_points(daemon.situation(), intent, at),
            landing_points(tuple(daemon.landings()), at),
            agent_points(tuple(daemon.agents()), daemon.results(), at),
            findings_points(tuple(daemon.records()), at),
            incidents_points(self._incidents.incidents, at),
            (own,),
        )
        self._submit(await asyncio.to_thread(self._samples.table, made))

    def _over(self) -> list[Episode]:
        """Episodes that are over since the last sample. One that turned out to go on is told again, at its new end."""
        ended = [(e.ended, e) for e in self._daemon.episodes() if e.ended is not None and e.ended > self._told_until]
        self._told_until = max((end for end, _ in ended), default=self._told_until)
        return [episode for _, episode in sorted(ended, key=lambda pair: pair[0])]

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        """Whatever is wrong with points stays here: who judges and who hears must not know of it."""
        try:
            yield
        except Exception:
            if time.monotonic() - self._complained > MEASURED:
                self._complained = time.monotonic()
                log.exception("no points were made of %s", what)

    async def _measure(self) -> None:
        if time.monotonic() - self._measured >= MEASURED:
            self._measured = time.monotonic()
            await self._daemon.measure()

    def _put(self, points: Iterable[Point]) -> None:
        self._submit(self._events.table(points))

    def _submit(self, table: pa.RecordBatch) -> None:
        if not table.num_rows:
            return
        try:
            self._journal.submit(table).add_done_callback(self._written(table.num_rows))
        except JournalError as error:
            self._lost(table.num_rows, error)

    def _written(self, count: int) -> Callable[["Future[int]"], None]:
        def written(future: "Future[int]") -> None:
            error = future.exception()
            if error is None:
                self._journal.there()
            else:
                self._lost(count, error)

        return written

    def _lost(self, count: int, error: BaseException) -> None:
        self.unwritten += count
        if time.monotonic() - self._complained > MEASURED:
            self._complained = time.monotonic()
            log.error("points of time series were not kept, %d so far: %s", self.unwritten, error)
