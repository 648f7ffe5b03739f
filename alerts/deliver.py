"""Drains the outbox: at least once, in order for each finding, no receiver holding back another.

Theory of operation. Whoever commits messages calls `wake`. The loop starts what is due: of each finding only its first
message that is owed, a few at once for each receiver. An attempt writes its outcome into the outbox before the next
message of its finding may start. What a crash leaves is still owed, and is sent again under the same idempotency key;
nothing is ever superseded, so a receiver that was away hears everything in order.

A message that failed waits by its own count of attempts. A receiver that failed is left alone too, by its count of
failures in a row, and is then tried with one message at a time until it accepts: a dead receiver costs an attempt now
and then however much it is owed, and one message that it always chokes on holds the others back a second at most.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.notify.outcome import Delivered, Outcome, Refused, Retry, Sender
from anycast.finding import Step
from anycast.message import Delivery, DeliveryState
from anycast.ports import Outbox

log = logging.getLogger(__name__)

AT_ONCE = 4  # attempts in flight for one receiver: enough for a storm of faults, too few to be one
LONGEST_SLEEP = 60.0  # seconds: a wall clock that was set back may make a wait look longer than it is


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with full jitter: a wait is anywhere between nothing and a bound that doubles."""

    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(seconds=60)

    def wait(self, attempts: int, chance: float) -> timedelta:
        """How long to wait after so many attempts (1 for the first); `chance` is drawn from [0, 1)."""
        doubled = self.first * (1 << min(attempts - 1, 30))
        return min(doubled, self.longest) * chance


class Deliverer:
    """Sends what the outbox holds, until it is cancelled."""

    def __init__(
        self,
        outbox: Outbox,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        settled: Callable[[Delivery], None] = lambda delivery: None,
        backoff: Backoff = Backoff(),
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`senders` are by receiver's name; `settled` is called after each attempt, once its outcome is written."""
        self._outbox, self._senders, self._clock, self._settled = outbox, senders, clock, settled
        self._backoff, self._chance = backoff, chance
        self._wake = asyncio.Event()
        self._in_flight: dict[str, set[str]] = {}
        self._paused: dict[str, float] = {}
        """Loop time until which a receiver is left alone."""
        self._failures: dict[str, int] = {}
        """Failures of a receiver since it last accepted."""

    def wake(self) -> None:
        """Say that something new is owed."""
        self._wake.set()

    def configure(self, senders: Mapping[str, Sender]) -> None:
        """Take other senders; attempts in flight end as they began."""
        self._senders = senders
        self._paused.clear()
        self._failures.clear()
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled. An attempt that is cut off by the cancellation stays owed.

        Raises what the outbox raises: when outcomes cannot be written, sending on would only repeat them.
        """
        async with asyncio.TaskGroup() as attempts:
            while True:
                self._wake.clear()
                now = self._clock()
                for receiver in await self._outbox.receivers():
                    await self._start(receiver, now, attempts)
                await self._sleep(now)

    async def _start(self, receiver: str, now: datetime, attempts: asyncio.TaskGroup) -> None:
        busy = self._in_flight.setdefault(receiver, set())
        at_once = 1 if self._failures.get(receiver) else AT_ONCE
        if len(busy) >= at_once or self._pause(receiver) > 0:
            return
        for delivery in await self._outbox.due(receiver, now, limit=at_once + len(busy)):
            if len(busy) < at_once and delivery.message.record.id not in busy:
                busy.add(delivery.message.record.id)
                attempts.create_task(self._attempt(delivery))

    async def _sleep(self, started: datetime) -> None:
        """Wait until something is owed, an attempt ends, or the time comes of what was not due at `started`."""
        seconds = [LONGEST_SLEEP]
        for receiver in await self._outbox.receivers():
            waiting = await self._outbox.next_attempt(receiver, started)
            if (pause := self._pause(receiver)) > 0:
                seconds.append(pause)
            elif waiting is not None:
                seconds.append(max(0.0, (waiting - self._clock()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds)):
                await self._wake.wait()

    def _pause(self, receiver: str) -> float:
        """Seconds for which a receiver is still to be left alone; not above 0 when it may be told."""
        return self._paused.get(receiver, 0.0) - asyncio.get_running_loop().time()

    async def _attempt(self, delivery: Delivery) -> None:
        message = delivery.message
        failures = self._failures.get(message.receiver, 0)
        try:
            outcome = await self._send(delivery)
            self._mind(message.receiver, outcome, failures)
            settled = self._after(delivery, outcome)
            await self._outbox.settle(settled)
        finally:
            self._in_flight[message.receiver].discard(message.record.id)
            self._wake.set()
        self._settled(settled)

    async def _send(self, delivery: Delivery) -> Outcome:
        message = delivery.message
        sender = self._senders.get(message.receiver)
        if sender is None:
            return Refused("no receiver of this name is configured any more")
        if message.step is Step.CLEARED and not await self._outbox.accepted(message.receiver, message.record.id):
            return Refused("it never accepted the opening, so there is nothing to clear")
        try:
            return await sender.send(message)
        except Exception as error:  # a sender's own fault must cost neither the message nor the other receivers
            # Without its text and traceback, which may hold what the sender keeps secret.
            log.error("the sender for %s failed with %s", message.receiver, type(error).__name__)
            return Retry(f"our sender failed with {type(error).__name__}; this is a fault of Catchment")

    def _mind(self, receiver: str, outcome: Outcome, failures: int) -> None:
        """Leave a receiver alone that fails; `failures` is the count when the attempt began."""
        match outcome:
            case Retry(after=after):
                # Attempts that were in flight together are one failure, not several.
                count = self._failures[receiver] = max(self._failures.get(receiver, 0), failures + 1)
                pause = self._backoff.wait(count, self._chance()) if after is None else after
                until = asyncio.get_running_loop().time() + pause.total_seconds()
                self._paused[receiver] = max(until, self._paused.get(receiver, 0.0))
            case _:
                self._failures.pop(receiver, None)

    def _after(self, delivery: Delivery, outcome: Outcome) -> Delivery:
        """The delivery as it stands after an attempt."""
        now, receiver = self._clock(), delivery.message.receiver
        tried = replace(delivery, attempts=delivery.attempts + 1)
        match outcome:
            case Delivered():
                log.info("%s was told: %s", receiver, delivery.message.id)
                return replace(tried, state=DeliveryState.DELIVERED, last_error="", settled_at=now)
            case Refused(reason):
                log.error("%s will not be told %s: %s", receiver, delivery.message.id, reason)
                return replace(tried, state=DeliveryState.DEAD, last_error=reason, settled_at=now)
            case Retry(reason, after):
                log.warning("%s was not told %s yet: %s", receiver, delivery.message.id, reason)
                wait = self._backoff.wait(tried.attempts, self._chance()) if after is None else after
                return replace(tried, next_attempt=now + wait, last_error=reason)
