"""A network with agents, on a clock of its own, whose points are made as the daemon makes them, through many faults.

What the lab has in namespaces stands here as values, so that every panel can be held to a fault within a minute. The
points are those of `pipeline.points`; only what they are made of is simulated.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import timedelta

import pyarrow as pa

from analyzers.probing.attendance import attendance
from analyzers.probing.picture import catchments
from analyzers.settling import objective
from analyzers.situation import situation
from anycast.agent import AgentStatus
from anycast.catchment import SiteServiceCatchment
from anycast.change import Change
from anycast.convergence import Episode
from anycast.finding import Finding, Record, Step
from anycast.intent import Intent
from anycast.observation import Observation, StatsReported
from anycast.prefix import Prefix
from anycast.probe import AgentReported
from anycast.sink import SinkState, SinkStatus
from anycast.situation import FeedStatus, Situation
from pipeline.points.making import Journalled, Making
from pipeline.points.own import Own
from tests.analyzers import probed
from tests.analyzers.network import WEB, best_route, best_source, looks, nva_source
from tests.analyzers.probed import Agent, Probed, at_nva
from tests.analyzers.sinks import sink

LASTS = 20
"""Seconds of each fault, and of the time between two."""
EVERY = timedelta(seconds=2)
WELL = Own(0.002, 0.003, 0.004, 100, 1_000_000, 0, 0, 0, 0, 1000.0)
AILING = Own(2.5, 1.5, 9.0, 5_000_000, 900_000_000, 400, 3, 12, 7, 3.0)


class World(Probed):
    """The network, and what Catchment would write of it."""

    def __init__(self) -> None:
        self.making: Making | None = None
        self.tables: list[pa.RecordBatch] = []
        self.own, self.sink = WELL, sink()
        self.connected, self.extra_results, self.heard = True, 0, 0
        self.messages, self.malformed = 0, 0
        super().__init__(services=("web",), flows=12, settle=12.0)
        self.told = len(self.changes)
        self.making = Making(_Source(self), Journalled(self._take, lambda: None), EVERY, 5000)

    def _take(self, table: pa.RecordBatch) -> "Future[int]":
        self.tables.append(table)
        done: Future[int] = Future()
        done.set_result(table.num_rows)
        return done

    def see(self, *observations: Observation) -> None:
        """Hear something of a router."""
        super().see(*observations)
        if self.making is not None:
            self.making.heard(observations)

    def _batch(self, agent: Agent, at: object) -> AgentReported:
        report = super()._batch(agent, at)  # type: ignore[arg-type]
        report = replace(report, skew=3.0 if agent.tainted else 0.001, lag=0.4 if agent.tainted else 0.001)
        if self.making is not None:
            self.heard += len(report.results)
            self.making.heard((report,))
        return report

    def passes(self, seconds: int) -> None:
        """Let time pass, and make points."""
        assert self.making is not None
        for _ in range(seconds // 2):
            self.messages += 10 if self.connected else 0
            self.run(EVERY.total_seconds())
            asyncio.run(self.making.sample(self.second))

    def judge(self) -> tuple[Finding, ...]:
        """Judge, and tell what came of it."""
        before = len(self.steps)
        found = super().judge()
        if self.making is not None:
            changes, self.told = self.changes[self.told :], len(self.changes)
            steps = self.steps[before:]
            worth = [each for each in steps if each.step in (Step.OPENED, Step.CHANGED, Step.CLEARED)]
            self.making.concluded(changes, worth, steps)
        return found

    @property
    def second(self) -> int:
        """Now, in seconds since the epoch."""
        return int(self.now.timestamp()) // 2 * 2

    def lines(self, later: int) -> Iterator[str]:
        """All points as line protocol, so many seconds later."""
        for table in self.tables:
            for row in table.to_pylist():
                at = row["at"]
                nanoseconds = at if isinstance(at, int) else round(at.timestamp() * 1e9)
                yield f"{row['key']} {row['fields']} {nanoseconds + later * 10**9}"


class _Source:
    """What points are made of (`pipeline.points.making.Daemon`)."""

    def __init__(self, world: World) -> None:
        self._world = world

    def intent(self) -> Intent:
        return self._world.intent

    def situation(self) -> Situation:
        world = self._world
        names = [exporter.name for exporter in world.intent.exporters]
        feeds = [
            FeedStatus(name, "127.0.0.1", world.connected, None, "", world.messages, world.messages, world.malformed)
            for name in names
        ]
        return situation(world.view, world.intent, world.ledger.records, feeds, world.now)

    def landings(self) -> Sequence[SiteServiceCatchment]:
        return catchments(self._world.view, self._world.intent, self._world.now)

    def agents(self) -> Sequence[AgentStatus]:
        lost = 50 if self._world.malformed else 0
        return [replace(each, dropped=lost) for each in attendance(self._world.view.probing, self._world.now)]

    def results(self) -> Mapping[str, int]:
        return {agent.site: self._world.heard for agent in self._world.agents}

    def episodes(self) -> Iterable[Episode]:
        return self._world.view.convergence.episodes

    def objective(self, episode: Episode) -> timedelta | None:
        return objective(self._world.view, self._world.intent, episode)

    def records(self) -> Sequence[Record]:
        return self._world.ledger.records

    def sinks(self) -> Sequence[SinkStatus]:
        return (self._world.sink,)

    def say(self, change: Change) -> str:
        return f"{change.prefix} {change.kind}"

    def whose(self, prefix: Prefix) -> tuple[str, str] | None:
        return next(((row[0].name, str(row[1])) for row in self._world.intent.services_of(prefix)), None)

    def own(self, overflowed: int) -> Own:
        return self._world.own

    async def measure(self) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, and how it is mended."""

    name: str
    begin: Callable[[World], object]
    end: Callable[[World], object]


def _fails_over(world: World) -> None:
    """A region falls silent, is withdrawn some seconds later, and traffic goes to the other one."""
    world.faults = [at_nva("weu-nva1", "weu-nva2")]
    world.passes(4)
    world.withdraw_region("weu", WEB)
    world.passes(4)
    for site in ("ams", "nyc"):
        world.announce(best_source(site), WEB, best_route(site, "eus"))
        world.lands[site, "web"] = ("eus",)
    world.faults = []


def _comes_back(world: World) -> None:
    world.heal()
    world.lands["ams", "web"] = ("weu",)
    world.lands["nyc", "web"] = ("weu", "eus")


def _prepends(world: World) -> None:
    source = nva_source("weu-nva1")
    worse = looks(65010, 65010, 65010, hop="10.10.1.4", marks=("12076:51002",), lp=150, med=20)
    world.announce(source, WEB, worse)
    world.see(StatsReported(world.now, source.session, ((7, 0, 0, 5000), (0, 0, 0, 3))))


def _holds(world: World, seconds: int) -> None:
    source = nva_source("eus-nva1")
    world.down(source)
    world.up(source, seconds)


def _slows(world: World) -> None:
    probed.RTT["ams", "weu"], probed.RTT["nyc", "weu"] = 0.2, 0.4


def _quickens(world: World) -> None:
    probed.RTT["ams", "weu"], probed.RTT["nyc", "weu"] = 0.010, 0.080


def _ails(world: World) -> None:
    world.own = AILING
    world.sink = sink(SinkState.WAITING, behind=400.0, quarantined=5, unfit=4, forgotten=3)
    world.malformed = 9


def _recovers(world: World) -> None:
    world.own, world.sink, world.malformed = WELL, sink(), 0


def _cut(world: World) -> None:
    world.connected = False
    world.cut("gobgp")


def _reconnected(world: World) -> None:
    world.connected = True
    world.reconnect("gobgp")


NOTHING, AGAIN = "nothing", "nothing again"
FAULTS: tuple[Fault, ...] = (
    Fault(NOTHING, lambda world: None, lambda world: None),
    Fault(AGAIN, lambda world: None, lambda world: None),
    Fault("an NVA swallows packets", lambda w: w.faults.append(at_nva("weu-nva1")), lambda w: w.faults.clear()),
    Fault("traffic moves", lambda w: w.lands.update({("ams", "web"): ("eus",)}), _comes_back),
    Fault("a region is withdrawn", _fails_over, _comes_back),
    Fault("a route changes its attributes", _prepends, lambda world: world.heal()),
    Fault("a session ends", lambda w: w.down(nva_source("weu-nva1")), lambda w: w.up(nva_source("weu-nva1"), 30)),
    Fault("a timer changes", lambda world: _holds(world, 3), lambda world: _holds(world, 9)),
    Fault("a feed is cut", _cut, _reconnected),
    Fault("distances grow", _slows, _quickens),
    Fault(
        "an agent lags", lambda w: setattr(w.agents[0], "tainted", 0.6), lambda w: setattr(w.agents[0], "tainted", 0.0)
    ),
    Fault(
        "an agent is lost",
        lambda w: setattr(w.agents[0], "alive", False),
        lambda w: setattr(w.agents[0], "alive", True),
    ),
    Fault("Catchment ails", _ails, _recovers),
)


@dataclass(frozen=True, slots=True)
class Story:
    """What was written, and when each fault lasted: seconds from its begin to its end, as they were written."""

    lines: bytes
    when: Mapping[str, tuple[int, int]]


def told(end: int) -> Story:
    """The whole story; its last second is written as `end`, seconds since the epoch."""
    world, when = World(), {}
    try:
        for fault in FAULTS:
            world.passes(LASTS)
            begun = world.second
            fault.begin(world)
            world.passes(LASTS)
            when[fault.name] = (begun, world.second)
            fault.end(world)
        world.passes(LASTS)
    finally:
        _quickens(world)
    later = (end - world.second) // 60 * 60
    return Story(
        "\n".join(world.lines(later)).encode(), {name: (b + later, e + later) for name, (b, e) in when.items()}
    )
