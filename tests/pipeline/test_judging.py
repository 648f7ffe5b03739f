"""The judging loop by itself: when it judges although nothing is heard, and what a stop says."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.ledger import Ledger
from alerts.outbox import Telling
from analyzers.view import View
from anycast.intent import HoldDown
from anycast.observation import FeedLost, FeedOpened, LostReason
from pipeline import judging as module
from pipeline.gauges import Gauges
from pipeline.judging import Judging
from pipeline.timeline import Timeline
from store.ledger import LedgerFile
from tests.analyzers import network

HOLD_DOWN = timedelta(seconds=0.3)


@pytest.fixture
async def judging(tmp_path: Path) -> AsyncIterator[Judging]:
    intent, file = network.intent(), LedgerFile(tmp_path / "ledger.sqlite")
    ledger = Ledger(lambda kind: HoldDown(HOLD_DOWN, HOLD_DOWN))
    made = Judging(intent, View(intent), ledger, Telling(()), file, Timeline(), Gauges(), lambda changes, owed: None)
    made.hear([FeedOpened(datetime.now(UTC) - timedelta(hours=1), "ams-ce1")])
    yield made
    await file.close()


def _lost() -> FeedLost:
    return FeedLost(datetime.now(UTC), "ams-ce1", LostReason.RESET)


async def test_a_finding_opens_when_its_hold_down_runs_out_and_not_at_the_next_tick(
    judging: Judging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TICK", 4.0)
    task = asyncio.create_task(judging.run())
    judging.hear([_lost()])
    while not (opened := [record for record in judging.ledger.records if record.opened_at]):
        await asyncio.sleep(0.01)
    task.cancel()
    held = [record.opened_at - record.pending_at for record in opened if record.opened_at is not None]
    assert HOLD_DOWN <= min(held) < timedelta(seconds=3)


async def test_nothing_is_judged_at_a_stop(judging: Judging) -> None:
    await judging.round(datetime.now(UTC))
    before = judging.ledger.records
    judging.hear([_lost()])
    await judging.finish(datetime.now(UTC))
    assert judging.ledger.records == before
    await judging.round(datetime.now(UTC))
    assert [r.finding.key for r in judging.ledger.records if r not in before] == ["blind|site=ams|exporter=ams-ce1"]
