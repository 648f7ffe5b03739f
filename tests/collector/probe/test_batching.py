"""Results on their way into the spool: batches without gaps, halved where they are too much, counted where lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from anycast.probe import Outcome, Probe, Target, TargetKind
from collector.probe import batching as under_test
from collector.probe.batch import MOST_ROWS, Batch, decode
from collector.probe.batching import Batching, Desk
from collector.probe.spool import Frame, Spool
from collector.probe.taken import Health, Taken

TARGETS = (Target("web", TargetKind.SERVICE),)


class Failing(Spool):
    """A spool that may refuse."""

    failing = False

    def append(self, frame: Frame) -> None:
        """Refuse, when told."""
        if self.failing:
            raise OSError("no")
        super().append(frame)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(Failing(tmp_path / "s", 1 << 30))
    yield made
    await made.close()


def result(number: int = 0, detail: str = "") -> Taken:
    return Taken(1, 1, Probe.UDP, "web", Outcome.ANSWERED, flow=number % 60_000, detail=detail)


def batching_of(desk: Desk, health: Health | None = None) -> Batching:
    return Batching("ams", "host", TARGETS, desk, lambda: health or Health())


async def read(desk: Desk) -> list[Batch]:
    frames = await desk.ask(lambda spool: spool.next(10_000, 1 << 30))
    return [batch for frame in frames for batch in decode(frame.body)]


async def test_what_was_taken_is_in_numbered_batches_and_the_first_names_the_targets(desk: Desk) -> None:
    batching = batching_of(desk, Health(lag=5, lacking=("No ICMP.",)))
    for number in range(3):
        batching.take(result(number))
        await batching.close_one()
    await batching.close_one()
    batches = await read(desk)
    assert [each.sequence for each in batches] == [1, 2, 3, 4]
    assert [each.rows for each in batches] == [1, 1, 1, 0], "a batch without results is a sign of life"
    assert [each.targets for each in batches] == [TARGETS, (), (), ()]
    assert batches[0].health == Health(lag=5, lacking=("No ICMP.",))
    assert {each.run for each in batches} == {batching.run_id}


async def test_more_than_one_batch_holds_becomes_several(desk: Desk) -> None:
    batching = batching_of(desk)
    for number in range(MOST_ROWS + 10):
        batching.take(result(number))
    await batching.close_one()
    batches = await read(desk)
    assert [(each.sequence, each.rows) for each in batches] == [(1, MOST_ROWS), (2, 10)]
    assert [flow for each in batches for flow in each.columns["flow"]] == list(range(MOST_ROWS + 10))


async def test_a_batch_that_is_too_large_is_halved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "PLAIN", 20_000)
    batching = batching_of(desk)
    for number in range(100):
        batching.take(result(number, "x" * 490))
    await batching.close_one()
    batches = await read(desk)
    assert len(batches) > 2
    assert [each.sequence for each in batches] == list(range(1, len(batches) + 1))
    assert [flow for each in batches for flow in each.columns["flow"]] == list(range(100))


async def test_what_the_spool_does_not_take_is_counted_and_reported_and_leaves_no_gap(desk: Desk) -> None:
    batching = batching_of(desk)
    batching.take(result())
    await batching.close_one()
    spool = await desk.ask(lambda spool: spool)
    assert isinstance(spool, Failing)
    spool.failing = True
    for _ in range(5):
        batching.take(result())
    await batching.close_one()
    spool.failing = False
    batching.take(result())
    await batching.close_one()
    assert [(each.sequence, each.rows, each.dropped) for each in await read(desk)] == [(1, 1, 0), (2, 1, 5)]


async def test_what_memory_does_not_hold_is_counted_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MOST", 4)
    batching = batching_of(desk)
    for number in range(10):
        batching.take(result(number))
    await batching.close_one()
    assert [(each.rows, each.dropped) for each in await read(desk)] == [(4, 6)]


async def test_it_closes_a_last_batch_when_it_is_stopped(desk: Desk) -> None:
    batching = batching_of(desk)
    running = asyncio.create_task(batching.run())
    await asyncio.sleep(0.4)
    batching.take(result(7))
    batching.stop()
    await running
    batches = await read(desk)
    assert [each.sequence for each in batches] == list(range(1, len(batches) + 1))
    assert batches[-1].columns["flow"] == [7]
