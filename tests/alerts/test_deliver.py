"""The deliverer with a real ledger file and real receivers: order, repetition, and who holds back whom."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerts.deliver import AT_ONCE, Backoff, Deliverer
from alerts.notify.outcome import Delivered, Outcome, Retry, Sender
from alerts.notify.payload import Links
from alerts.notify.webhook import WebhookSender
from anycast.finding import Step
from anycast.intent import Webhook
from anycast.message import Delivery, DeliveryState, Message
from store.ledger import LedgerFile
from tests.alerts.receivers import Receiver, answers, hang, in_turn, receiver, reset
from tests.alerts.samples import finding, opened, told

SOON = Backoff(timedelta(milliseconds=5), timedelta(milliseconds=40))


def clock() -> datetime:
    return datetime.now(UTC)


def webhook(server: Receiver, name: str = "ops", timeout: float = 0.3) -> WebhookSender:
    return WebhookSender(Webhook(name, server.url, timeout=timedelta(seconds=timeout)), Links(), clock)


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[LedgerFile]:
    file = LedgerFile(tmp_path / "ledger.db")
    yield file
    await file.close()


@asynccontextmanager
async def delivering(
    outbox: LedgerFile, senders: Mapping[str, Sender], settled: list[Delivery] | None = None, chance: float = 1
) -> AsyncIterator[Deliverer]:
    """A deliverer at work."""
    note = (lambda delivery: None) if settled is None else settled.append
    deliverer = Deliverer(outbox, senders, clock, note, SOON, lambda: chance)
    task = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def drained(outbox: LedgerFile, receivers: Sequence[str] = (), within: float = 10) -> None:
    """Wait until nothing is owed, but to `receivers`."""
    async with asyncio.timeout(within):
        while [name for name in await outbox.receivers() if name not in receivers]:
            await asyncio.sleep(0.01)


def both(ident: str, name: str = "ops") -> list[Message]:
    return [told(ident, name), told(ident, name, Step.CLEARED)]


async def test_what_is_owed_is_told_in_order_and_settled(outbox: LedgerFile) -> None:
    settled: list[Delivery] = []
    async with receiver(answers(200)) as server, delivering(outbox, {"ops": webhook(server)}, settled) as deliverer:
        await outbox.commit(owed=both("a"))
        deliverer.wake()
        await drained(outbox)
        assert server.keys == ["a.opened", "a.cleared"]
    assert [(d.message.step, d.state, d.attempts) for d in settled] == [
        (Step.OPENED, DeliveryState.DELIVERED, 1),
        (Step.CLEARED, DeliveryState.DELIVERED, 1),
    ]


async def test_what_a_crash_left_owed_is_told_at_the_next_start(outbox: LedgerFile) -> None:
    await outbox.commit(owed=both("a"))
    async with receiver(answers(200)) as server, delivering(outbox, {"ops": webhook(server)}):
        await drained(outbox)
        assert server.keys == ["a.opened", "a.cleared"]


async def test_failures_are_repeated_under_the_same_key_until_it_is_accepted_and_the_clearing_waits(
    outbox: LedgerFile,
) -> None:
    behave = in_turn(answers(500), hang, reset, answers(429, "Retry-After: 0"), answers(200))
    async with receiver(behave) as server, delivering(outbox, {"ops": webhook(server)}):
        await outbox.commit(owed=both("a"))
        await drained(outbox)
        assert server.keys == ["a.opened"] * 5 + ["a.cleared"]
        assert len({request.body for request in server.requests[:5]}) == 1
    [_, opening] = await outbox.ask(lambda reader: reader.outbox())
    assert (opening.attempts, opening.last_error) == (5, "")


async def test_a_dead_receiver_holds_back_no_other(outbox: LedgerFile) -> None:
    async with receiver(hang) as dead, receiver(answers(200)) as well:
        senders = {"dead": webhook(dead, "dead", timeout=30), "ops": webhook(well)}
        await outbox.commit(owed=[m for ident in "abcdefgh" for name in senders for m in both(ident, name)])
        async with delivering(outbox, senders):
            await drained(outbox, ["dead"], within=5)
            assert len(well.requests) == 16
            assert len(dead.requests) == AT_ONCE


async def test_a_finding_whose_message_is_refused_holds_back_no_other_finding(outbox: LedgerFile) -> None:
    behave = in_turn(answers(500), answers(200))
    async with receiver(behave) as server:
        await outbox.commit(owed=[*both("a"), *both("b")])
        async with delivering(outbox, {"ops": webhook(server)}):
            await drained(outbox)
        for ident in "ab":
            accepted = [key for key in server.keys[1:] if key.startswith(ident)]
            assert accepted[-2:] == [f"{ident}.opened", f"{ident}.cleared"]


async def test_a_4xx_is_a_dead_letter_tried_once_and_its_clearing_is_not_told(outbox: LedgerFile) -> None:
    async with receiver(answers(404)) as server:
        await outbox.commit(owed=both("a"))
        async with delivering(outbox, {"ops": webhook(server)}):
            await drained(outbox)
        assert server.keys == ["a.opened"]
    cleared, opening = await outbox.ask(lambda reader: reader.outbox([DeliveryState.DEAD]))
    assert opening.last_error == "it answered 404 Not Found"
    assert cleared.last_error == "it never accepted the opening, so there is nothing to clear"


async def test_a_clearing_is_told_when_the_opening_was_accepted(outbox: LedgerFile) -> None:
    async with receiver(in_turn(answers(200), answers(400), answers(200))) as server:
        risen = replace(told("a", step=Step.CHANGED), id="a.changed.critical@ops")
        await outbox.commit(owed=[told("a"), risen, told("a", step=Step.CLEARED)])
        async with delivering(outbox, {"ops": webhook(server)}):
            await drained(outbox)
        assert server.keys == ["a.opened", "a.changed.critical", "a.cleared"]


async def test_a_receiver_that_asks_to_be_left_alone_is_and_others_are_not(outbox: LedgerFile) -> None:
    settled: list[Delivery] = []
    async with receiver(in_turn(answers(429, "Retry-After: 2"), answers(200))) as busy, receiver(answers(200)) as well:
        senders = {"busy": webhook(busy, "busy"), "ops": webhook(well)}
        await outbox.commit(owed=[told("a", "busy")])
        began = asyncio.get_running_loop().time()
        async with delivering(outbox, senders, settled) as deliverer:
            async with asyncio.timeout(5):
                while not settled:
                    await asyncio.sleep(0.01)
            await outbox.commit(owed=[told("b", "busy"), told("b", "ops")])
            deliverer.wake()
            await well.until(1)
            assert busy.keys == ["a.opened"]
            await drained(outbox)
        assert asyncio.get_running_loop().time() - began >= 2
        assert sorted(busy.keys[1:]) == ["a.opened", "b.opened"]


async def test_a_receiver_that_was_away_hears_everything_once_and_in_order(outbox: LedgerFile) -> None:
    idents = [f"r{number}" for number in range(30)]
    async with receiver(answers(503)) as server:
        await outbox.commit(owed=[m for ident in idents for m in both(ident)])
        async with delivering(outbox, {"ops": webhook(server)}):
            await server.until(20)
            away = len(server.requests)
            server.behave = answers(200)
            await drained(outbox)
        accepted = server.keys[away:]
        # An answer may have been under way when it came back; what it accepted is told once all the same.
        assert sorted(key for key in set(accepted)) == sorted(f"{i}.{s}" for i in idents for s in ("cleared", "opened"))
        for ident in idents:
            assert accepted.index(f"{ident}.opened") < accepted.index(f"{ident}.cleared")
        assert len(accepted) - len(set(accepted)) <= 1


async def test_a_receiver_that_is_down_costs_one_attempt_at_a_time(outbox: LedgerFile) -> None:
    class Down:
        busy = most = attempts = 0

        async def send(self, message: Message) -> Outcome:
            self.busy, self.attempts = self.busy + 1, self.attempts + 1
            if self.attempts > AT_ONCE:
                self.most = max(self.most, self.busy)
            await asyncio.sleep(0.01)
            self.busy -= 1
            return Retry("no connection to it")

    down = Down()
    await outbox.commit(owed=[told(f"r{number}") for number in range(40)])
    async with delivering(outbox, {"ops": down}):
        await asyncio.sleep(0.6)
    assert down.most == 1
    assert AT_ONCE < down.attempts < 40


async def test_a_message_it_always_chokes_on_lets_the_others_pass(outbox: LedgerFile) -> None:
    class Chokes:
        async def send(self, message: Message) -> Outcome:
            return Retry("it answered 500") if message.record.id == "poison" else Delivered()

    await outbox.commit(owed=[told("poison"), *(told(f"r{number}") for number in range(20))])
    async with delivering(outbox, {"ops": Chokes()}), asyncio.timeout(5):
        while len(await outbox.ask(lambda reader: reader.outbox([DeliveryState.OWED]))) > 1:
            await asyncio.sleep(0.01)
    [poison] = await outbox.ask(lambda reader: reader.outbox([DeliveryState.OWED]))
    assert (poison.message.record.id, poison.last_error) == ("poison", "it answered 500")


async def test_a_sender_that_fails_loses_nothing_and_holds_back_nobody(
    outbox: LedgerFile, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        async def send(self, message: Message) -> Outcome:
            raise ValueError("https://hooks.example/tOkEnSeCrEt is strange")

    async with receiver(answers(200)) as server:
        await outbox.commit(owed=[told("a", "broken"), told("a", "ops")])
        async with delivering(outbox, {"broken": Broken(), "ops": webhook(server)}):
            await drained(outbox, ["broken"])
            async with asyncio.timeout(5):
                while not (await outbox.ask(lambda reader: reader.outbox(receiver="broken")))[0].attempts:
                    await asyncio.sleep(0.01)
    [owed] = await outbox.ask(lambda reader: reader.outbox([DeliveryState.OWED]))
    assert owed.last_error == "our sender failed with ValueError; this is a fault of Catchment"
    assert "the sender for broken failed with ValueError" in caplog.text
    assert "tOkEnSeCrEt" not in caplog.text


async def test_what_is_owed_to_a_receiver_that_is_gone_is_a_dead_letter(outbox: LedgerFile) -> None:
    await outbox.commit(owed=[told("a", "former")])
    async with delivering(outbox, {}):
        await drained(outbox)
    [dead] = await outbox.ask(lambda reader: reader.outbox([DeliveryState.DEAD]))
    assert dead.last_error == "no receiver of this name is configured any more"


async def test_another_configuration_holds_for_what_is_owed_already(outbox: LedgerFile) -> None:
    async with receiver(answers(500)) as old, receiver(answers(200)) as new:
        await outbox.commit(owed=[told("a")])
        async with delivering(outbox, {"ops": webhook(old)}) as deliverer:
            await old.until(2)
            deliverer.configure({"ops": webhook(new)})
            await drained(outbox)
        assert new.keys == ["a.opened"]


async def test_an_outbox_that_cannot_be_written_ends_the_delivering_loudly(outbox: LedgerFile) -> None:
    class Full:
        def __init__(self, file: LedgerFile) -> None:
            self.receivers, self.due, self.accepted = file.receivers, file.due, file.accepted
            self.next_attempt = file.next_attempt

        async def settle(self, delivery: Delivery) -> None:
            raise OSError("no space left")

    async with receiver(answers(200)) as server:
        await outbox.commit(owed=[told("a")])
        deliverer = Deliverer(Full(outbox), {"ops": webhook(server)}, clock)
        with pytest.raises(ExceptionGroup) as caught:
            await asyncio.wait_for(deliverer.run(), 5)
        assert caught.value.subgroup(OSError) is not None
    assert await outbox.receivers() == ["ops"], "still owed"


async def test_what_is_told_is_the_finding_as_it_stood_then(outbox: LedgerFile) -> None:
    async with receiver(answers(200)) as server:
        before = replace(told("a"), record=opened(finding(summary="as it was"), "a"))
        await outbox.commit(owed=[before])
        async with delivering(outbox, {"ops": webhook(server)}):
            await drained(outbox)
        assert server.requests[0].document["summary"] == "as it was"


@pytest.mark.parametrize(
    ("attempts", "chance", "seconds"),
    [(1, 1, 1), (2, 1, 2), (3, 0.5, 2), (6, 1, 32), (7, 1, 60), (1000, 1, 60), (1000, 0, 0), (7, 0.25, 15)],
)
def test_the_bound_of_a_wait_doubles_to_a_minute_and_the_wait_is_anywhere_below(
    attempts: int, chance: float, seconds: float
) -> None:
    assert Backoff().wait(attempts, chance) == timedelta(seconds=seconds)
