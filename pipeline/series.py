"""Time series of a running daemon: what points are made of, and the sinks that deliver them. Only where configured."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from analyzers.settling import objective
from anycast.agent import AgentStatus
from anycast.catchment import SiteServiceCatchment
from anycast.change import Change
from anycast.convergence import Episode
from anycast.finding import Record
from anycast.intent import Intent
from anycast.message import DeliveryState
from anycast.prefix import Prefix
from anycast.sink import SinkStatus
from anycast.situation import Situation
from pipeline.agents.agents import Agents
from pipeline.config.settings import Influx
from pipeline.engine import Engine
from pipeline.gauges import Gauges
from pipeline.judging import Judging
from pipeline.memory import Memory
from pipeline.own import Gathered
from pipeline.points.making import Journalled, Making
from pipeline.points.own import Own
from pipeline.sinks import Sinks

DEAD_LETTERS = 10_000
"""As many are counted."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The daemon's parts that points are made of."""

    judging: Judging
    engine: Engine
    gauges: Gauges
    memory: Memory
    agents: Agents | None
    gathered: Gathered
    refused: Callable[[], int]
    """BMP connections refused since the start."""


class Series:
    """Makes points and delivers them, until cancelled."""

    def __init__(self, influx: Influx, data: Path, parts: Parts) -> None:
        memory = parts.memory
        self.sinks = Sinks(influx, data, memory.file, memory.facts, memory.journal.committed)
        self.source = Source(parts, self.sinks.status)
        writer = memory.writer

        def submit(table: pa.RecordBatch) -> "Future[int]":
            return writer.submit([("points", table)], urgent=True)

        self.making = Making(self.source, Journalled(submit, self.sinks.wake), influx.every, influx.series_cap)
        self.making.restore(parts.judging.ledger.records)
        parts.judging.watcher = self.making
        parts.judging.sinks = self.sinks.status

    async def run(self) -> None:
        """Make and deliver."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.making.run(), name="points")
            tasks.create_task(self.sinks.run(), name="sinks")


class Source:
    """What points are made of, out of the daemon's parts (`pipeline.points.making.Daemon`)."""

    def __init__(self, parts: Parts, sinks: Callable[[], Sequence[SinkStatus]]) -> None:
        self._parts, self._sinks = parts, sinks
        self._begun = time.monotonic()
        self._dead: int | None = None
        self._commit: float | None = None
        writer = parts.memory.writer
        before = writer.observe

        def observe(seconds: float, submissions: int) -> None:
            self._commit = seconds
            before(seconds, submissions)

        writer.observe = observe

    def intent(self) -> Intent:
        """What is meant."""
        return self._parts.judging.intent

    def situation(self) -> Situation:
        """Everything at a glance."""
        return self._parts.engine.situation()

    def landings(self) -> Sequence[SiteServiceCatchment]:
        """Where sites land."""
        return self._parts.engine.catchments.now()

    def agents(self) -> Sequence[AgentStatus]:
        """Every agent."""
        return self._parts.engine.catchments.agents()

    def results(self) -> Mapping[str, int]:
        """How many results were taken of each site."""
        agents = self._parts.agents
        return {} if agents is None else {site: counts.results for site, counts in agents.counts()[0].items()}

    def episodes(self) -> Iterable[Episode]:
        """How sites came to rest."""
        return self._parts.judging.view.convergence.episodes

    def objective(self, episode: Episode) -> timedelta | None:
        """How long that may take."""
        judging = self._parts.judging
        return objective(judging.view, judging.intent, episode)

    def records(self) -> Sequence[Record]:
        """Findings that are pending or open."""
        return self._parts.judging.ledger.records

    def sinks(self) -> Sequence[SinkStatus]:
        """How servers take what is made."""
        return self._sinks()

    def say(self, change: Change) -> str:
        """A change in one sentence, as the timeline has it."""
        return self._parts.judging.narrator.changed(change).text

    def whose(self, prefix: Prefix) -> tuple[str, str] | None:
        """The service whose prefix this is, else one that it lies in or covers, and that service's prefix."""
        how = self._parts.judging.view.recogniser.relevance(prefix)
        if how.service is not None:
            return how.service.name, str(prefix)
        return next(((service.name, str(watched)) for service, watched in (*how.inside_of, *how.covers)), None)

    def own(self, overflowed: int) -> Own:
        """How we are, since the last time that was asked."""
        gauges, writer, gathered = self._parts.gauges, self._parts.memory.writer, self._parts.gathered
        lag, gauges.longest_lag = gauges.longest_lag, 0.0
        return Own(
            loop_lag=lag,
            judging=gauges.last_judging,
            commit=self._commit,
            journal_queue=writer.waiting,
            journal_bytes=gathered.data or None,
            owed=sum(each.messages for each in gathered.owed.values()),
            dead_letters=self._dead,
            refused=self._parts.refused(),
            overflowed=overflowed,
            uptime=time.monotonic() - self._begun,
        )

    async def measure(self) -> None:
        """Look at what costs a look."""
        file = self._parts.memory.file
        self._dead = await file.ask(lambda reader: len(reader.outbox((DeliveryState.DEAD,), limit=DEAD_LETTERS)))
