"""A restart in every state: the ledger, what was told and what is owed come back from the file; nobody hears twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alerts.ledger import Ledger
from alerts.outbox import Telling
from anycast.finding import Finding, State, Step
from anycast.intent import Webhook
from store.ledger import LedgerFile, LedgerReader
from tests.alerts.samples import SEEN, at, finding, held, steps

WRONG = [finding()]
BLIND = frozenset({"weu-rs0"})


@dataclass
class Daemon:
    """The judging half of a daemon: what the pipeline does around the ledger, and no more."""

    path: Path
    file: LedgerFile
    ledger: Ledger
    telling: Telling

    @classmethod
    async def start(cls, path: Path) -> "Daemon":
        file = await asyncio.to_thread(LedgerFile, path)
        ledger, telling = Ledger(lambda kind: held(2, 2)), Telling([Webhook("ops", "https://ops.example/")])
        ledger.restore(await file.ask(LedgerReader.live))
        telling.restore(await file.ask(LedgerReader.told))
        return cls(path, file, ledger, telling)

    async def judge(self, findings: list[Finding], unknown: frozenset[str], second: float) -> list[Step]:
        transitions = self.ledger.judge(findings, unknown, at(second))
        await self.file.commit(transitions, owed=self.telling.owe(transitions))
        return steps(transitions)

    async def restart(self) -> "Daemon":
        await self.file.close()
        return await Daemon.start(self.path)

    async def owed(self) -> list[Step]:
        return [delivery.message.step for delivery in reversed(await self.file.ask(lambda reader: reader.outbox()))]


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[list[Daemon]]:
    """A list of one, so that a test can put the restarted daemon in its place."""
    running = [await Daemon.start(tmp_path / "ledger.db")]
    yield running
    await running[0].file.close()


async def test_restarted_while_pending_it_opens_once_under_the_same_id(daemon: list[Daemon]) -> None:
    assert await daemon[0].judge(WRONG, SEEN, 0) == [Step.PENDING]
    [before] = daemon[0].ledger.records
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].judge([], BLIND, 10) == []
    assert await daemon[0].judge(WRONG, SEEN, 20) == []
    assert await daemon[0].judge(WRONG, SEEN, 22) == [Step.OPENED]
    assert daemon[0].ledger.records[0].id == before.id
    assert await daemon[0].owed() == [Step.OPENED]


async def test_restarted_while_pending_it_is_dropped_when_it_healed_meanwhile(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].judge([], BLIND, 10) == []
    assert await daemon[0].judge([], SEEN, 20) == [Step.DROPPED]
    assert await daemon[0].owed() == []


async def test_restarted_while_open_nobody_hears_anything_until_it_is_over(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    await daemon[0].judge(WRONG, SEEN, 2)
    for round_ in range(3):
        daemon[0] = await daemon[0].restart()
        assert await daemon[0].judge([], BLIND, 10 + 10 * round_) == []
        assert await daemon[0].judge([finding(since=10 + 10 * round_)], SEEN, 15 + 10 * round_) == []
    assert await daemon[0].owed() == [Step.OPENED]
    await daemon[0].judge([], SEEN, 50)
    assert await daemon[0].judge([], SEEN, 52) == [Step.CLEARED]
    assert await daemon[0].owed() == [Step.OPENED, Step.CLEARED]
    [record] = await daemon[0].file.ask(lambda reader: reader.records([State.CLEARED]))
    assert (record.finding.since, record.cleared_at) == (at(0), at(50))


async def test_restarted_while_clearing_it_clears_once(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    await daemon[0].judge(WRONG, SEEN, 2)
    assert await daemon[0].judge([], SEEN, 10) == []
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].judge([], BLIND, 20) == []
    assert await daemon[0].judge([], SEEN, 30) == []
    assert await daemon[0].judge([], SEEN, 32) == [Step.CLEARED]
    assert await daemon[0].owed() == [Step.OPENED, Step.CLEARED]


async def test_restarted_while_clearing_it_stays_open_when_it_is_wrong_again(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    await daemon[0].judge(WRONG, SEEN, 2)
    await daemon[0].judge([], SEEN, 10)
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].judge([], BLIND, 20) == []
    assert await daemon[0].judge(WRONG, SEEN, 30) == []
    assert await daemon[0].owed() == [Step.OPENED]


async def test_restarted_after_it_cleared_the_next_time_is_another_record_and_is_told(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    await daemon[0].judge(WRONG, SEEN, 2)
    await daemon[0].judge([], SEEN, 10)
    await daemon[0].judge([], SEEN, 12)
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].judge(WRONG, SEEN, 20) == [Step.PENDING]
    assert await daemon[0].judge(WRONG, SEEN, 22) == [Step.OPENED]
    assert await daemon[0].owed() == [Step.OPENED, Step.CLEARED, Step.OPENED]


async def test_a_step_that_was_taken_but_not_committed_is_taken_again_after_the_crash(daemon: list[Daemon]) -> None:
    await daemon[0].judge(WRONG, SEEN, 0)
    daemon[0].ledger.judge(WRONG, SEEN, at(2))  # opened in memory; the crash comes before the commit
    daemon[0] = await daemon[0].restart()
    assert await daemon[0].owed() == []
    await daemon[0].judge(WRONG, SEEN, 10)
    assert await daemon[0].judge(WRONG, SEEN, 12) == [Step.OPENED]
    assert await daemon[0].owed() == [Step.OPENED]
