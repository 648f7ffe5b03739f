"""Points while the daemon runs: samples on whole multiples, events once, and nothing that goes wrong gets out."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from anycast.agent import AgentStatus
from anycast.catchment import SiteServiceCatchment
from anycast.change import Cause, Change, ChangeKind
from anycast.convergence import Episode
from anycast.finding import Finding, Kind, Record, Severity, State, Step, Subject, Transition
from anycast.intent import Intent
from anycast.observation import StatsReported
from anycast.prefix import Prefix
from anycast.probe import AgentReported
from anycast.sink import SinkStatus
from anycast.situation import Situation
from pipeline.points.making import Journalled, Making
from pipeline.points.own import Own
from store.schema import JournalError
from tests.analyzers.network import WEB, intent, nva_source
from tests.dashboards.landing import agent, catchment, episode
from tests.dashboards.scene import situation
from tests.pipeline.points.contract import Read, read
from tests.pipeline.points.test_probes import START, result

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = int(NOW.timestamp())


class Told:
    """A daemon that says what a test set."""

    def __init__(self) -> None:
        self.meant: Intent = intent()
        self.over: list[Episode] = []
        self.opened: list[Record] = []
        self.fails = False

    def intent(self) -> Intent:
        return self.meant

    def situation(self) -> Situation:
        if self.fails:
            raise ValueError("no picture")
        return situation()

    def landings(self) -> Sequence[SiteServiceCatchment]:
        return (catchment(),)

    def agents(self) -> Sequence[AgentStatus]:
        return (agent(),)

    def results(self) -> Mapping[str, int]:
        return {"ams": 3}

    def episodes(self) -> Iterable[Episode]:
        return self.over

    def objective(self, episode: Episode) -> timedelta | None:
        return timedelta(seconds=3)

    def records(self) -> Sequence[Record]:
        return self.opened

    def sinks(self) -> Sequence[SinkStatus]:
        return ()

    def say(self, change: Change) -> str:
        if self.fails:
            raise ValueError("no words")
        return "it changed"

    def whose(self, prefix: Prefix) -> tuple[str, str] | None:
        return "web", str(prefix)

    def own(self, overflowed: int) -> Own:
        return Own(0.0, None, None, 0, None, None, None, 0, overflowed, 1.0)

    async def measure(self) -> None:
        pass


class Kept:
    """A journal that keeps what it gets in memory."""

    def __init__(self) -> None:
        self.points: list[Read] = []
        self.told = 0
        self.full = False

    def submit(self, table: pa.RecordBatch) -> "Future[int]":
        if self.full:
            raise JournalError("full")
        future: Future[int] = Future()
        columns = (table["key"], table["fields"], table["at"].cast("int64"))
        for key, fields, at in zip(*(column.to_pylist() for column in columns), strict=True):
            self.points.append(read(f"{key} {fields} {at}"))
        future.set_result(1)
        return future

    def there(self) -> None:
        self.told += 1

    def of(self, measurement: str) -> list[Read]:
        return [point for point in self.points if point.measurement == measurement]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def kept() -> Kept:
    return Kept()


def making(told: Told, kept: Kept, **more: object) -> Making:
    return Making(told, Journalled(kept.submit, kept.there), timedelta(seconds=10), 100, **more)  # type: ignore[arg-type]


def transition(step: Step, seconds: float, **more: object) -> Transition:
    at = NOW + timedelta(seconds=seconds)
    finding = Finding(Kind.MISSING, Subject("web", str(WEB), "weu"), Severity.MAJOR, NOW, "missing")
    state = State.CLEARED if step is Step.CLEARED else State.OPEN
    cleared = at if step is Step.CLEARED else None
    return Transition(at, step, Record("id1", finding, state, NOW, NOW, cleared))


async def test_a_sample_has_the_state_at_its_own_time(told: Told, kept: Kept) -> None:
    await making(told, kept).sample(SECOND)
    assert {p.at for p in kept.points} == {SECOND * 1_000_000_000}
    names = {p.measurement for p in kept.points}
    assert names >= {"service", "presence", "feed", "landing", "share", "leg", "agent", "findings", "incidents", "own"}
    assert kept.told == 1


async def test_samples_fall_on_whole_multiples_and_one_that_stops_writes_its_windows(told: Told, kept: Kept) -> None:
    times = iter([SECOND - 0.05])
    made = making(told, kept, clock=lambda: next(times, SECOND + 0.01))
    made.heard([AgentReported(START, "ams", "run", 1, (result(1),))])
    task = asyncio.create_task(made.run())
    while not kept.of("own"):
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [p.at for p in kept.of("own")] == [SECOND * 1_000_000_000]
    assert [p.fields["n"] for p in kept.of("probe")] == [1]


async def test_what_is_heard_and_concluded_becomes_points_at_once(told: Told, kept: Kept) -> None:
    made = making(told, kept)
    made.heard([StatsReported(NOW, nva_source("weu-nva1").session, ((7, 0, 0, 5),))])
    change = Change(NOW, ChangeKind.WITHDRAWN, Cause.UPDATE, nva_source("weu-nva1"), WEB, 0, None, None)
    opened = transition(Step.OPENED, 0)
    made.concluded([change, change], [opened], [opened])
    assert [p.measurement for p in kept.points] == ["bmp_stats", "change", "change", "finding", "incident"]
    assert kept.points[2].at - kept.points[1].at == 1_000_000


async def test_an_incident_that_was_open_before_a_restart_goes_on_and_is_not_told_again(told: Told, kept: Kept) -> None:
    made = making(told, kept)
    made.restore([transition(Step.OPENED, 0).record])
    assert kept.points == []
    cleared = transition(Step.CLEARED, 60)
    made.concluded([], [cleared], [cleared])
    assert {p.tags["step"] for p in kept.of("incident")} == {"closed"}


async def test_an_episode_is_told_once_and_none_that_was_over_before_us(told: Told, kept: Kept) -> None:
    told.over.append(episode())
    made = making(told, kept)
    await made.sample(SECOND)
    assert kept.of("convergence") == []
    ended = episode().ended
    assert ended is not None
    told.over.append(episode(ended=ended + timedelta(seconds=30)))
    await made.sample(SECOND + 10)
    await made.sample(SECOND + 20)
    assert [p.fields["objective"] for p in kept.of("convergence")] == [3]


async def test_what_goes_wrong_with_points_stays_with_them(
    told: Told, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    made = making(told, kept)
    told.fails = True
    change = Change(NOW, ChangeKind.WITHDRAWN, Cause.UPDATE, nva_source("weu-nva1"), WEB, 0, None, None)
    with caplog.at_level(logging.ERROR):
        made.concluded([change], [], [])
    assert "no points were made of what was concluded" in caplog.text
    told.fails = False
    made.concluded([change], [], [])
    assert len(kept.of("change")) == 1


async def test_a_journal_that_takes_nothing_costs_points_and_says_so(
    told: Told, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    made = making(told, kept)
    kept.full = True
    with caplog.at_level(logging.ERROR):
        await made.sample(SECOND)
    assert made.unwritten > 100
    assert "points of time series were not kept" in caplog.text


async def test_a_new_intent_begins_to_count_series_anew(told: Told, kept: Kept) -> None:
    made = Making(told, Journalled(kept.submit, kept.there), timedelta(seconds=10), 10)
    await made.sample(SECOND)
    assert made.overflowed > 0
    before = made.overflowed
    told.meant = intent()
    await made.sample(SECOND + 10)
    assert made.overflowed > before
    assert any(p.tags["kind"] == "missing" for p in kept.of("findings") if p.at == (SECOND + 10) * 1_000_000_000)
