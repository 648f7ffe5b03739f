"""Results on their way into the spool: four times a second what was taken becomes a batch, and is kept.

A result counts as taken once its batch is in the spool. What is in memory until then (a quarter of a second's worth;
more only while the disk stands still) is lost with the process.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from anycast.probe import Target
from collector.probe.batch import MOST_ROWS, Batch, plain, sealed
from collector.probe.spool import LARGEST, Frame, Spool
from collector.probe.taken import Health, Taken

log = logging.getLogger(__name__)
T = TypeVar("T")
INTERVAL: Final = 0.25
SYNC: Final = 1.0
"""Seconds between forcing the spool to disk: what a loss of power may take."""
TARGETS: Final = 10.0
"""Seconds after which the targets are told again, so that a centre that forgot them knows them soon."""
MOST: Final = 200_000
"""Results in memory; more can only wait there while the disk stands still, and is given up."""
PLAIN: Final = 4 << 20
"""Octets of a batch's JSON; a larger one is halved."""


class Desk:
    """The spool behind a thread of its own: a slow disk holds up no probe. One call at a time."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._thread = ThreadPoolExecutor(1, "spool")
        self.appended = asyncio.Event()
        """Something new waits."""

    @property
    def dropped(self) -> int:
        """Results that were given up and not yet reported: a number to look at, which needs no turn."""
        return self._spool.dropped

    async def ask(self, work: Callable[[Spool], T]) -> T:
        """Do something with the spool."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._spool)

    async def close(self) -> None:
        """Put everything on the disk and let go of it."""
        await self.ask(Spool.close)
        self._thread.shutdown()


class Batching:
    """Takes results, and turns them into batches until stopped."""

    def __init__(
        self,
        site: str,
        host: str,
        targets: tuple[Target, ...],
        desk: Desk,
        health: Callable[[], Health],
        *,
        interval: float = INTERVAL,
    ) -> None:
        self._site, self._host, self._targets = site, host, targets
        self._desk, self._health, self._interval = desk, health, interval
        self.run_id = secrets.token_hex(8)
        self._boot = boot_id()
        self._sequence = 0
        self._taken: list[Taken] = []
        self._lost = 0
        self._told_targets: float | None = None
        self._failed = False
        self._stopping = asyncio.Event()

    def take(self, taken: Taken) -> None:
        """Take a result; never waits."""
        if len(self._taken) < MOST:
            self._taken.append(taken)
        else:
            self._lost += 1

    def stop(self) -> None:
        """Have `run` close a last batch and end. It must not be cancelled: a number would be given twice."""
        self._stopping.set()

    async def run(self) -> None:
        """Close a batch every interval until stopped."""
        due = time.monotonic()
        synced = due
        while not self._stopping.is_set():
            due = max(due + self._interval, time.monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(due - time.monotonic()):
                    await self._stopping.wait()
            await self.close_one()
            if due - synced >= SYNC:
                synced = due
                await self._sync()

    async def close_one(self) -> None:
        """Put what was taken into the spool, as one batch or, where it is too much for one, as several."""
        taken, self._taken = self._taken, []
        health = self._health()
        first = True
        while taken or first:
            taken = taken[await self._close(taken[:MOST_ROWS], health if first else Health(lacking=health.lacking)) :]
            first = False
        self._desk.appended.set()

    async def _close(self, taken: list[Taken], health: Health) -> int:
        """Put one batch into the spool, of as many of the results as fit; returns how many."""
        lost, self._lost = self._lost, 0
        if lost:
            await self._desk.ask(lambda spool: spool.give_up(lost))
        dropped = self._desk.dropped
        now = time.monotonic()
        tell = self._told_targets is None or now - self._told_targets >= TARGETS
        batch = Batch(
            site=self._site, run=self.run_id, sequence=self._sequence + 1, boot=self._boot,
            mono=time.monotonic_ns(), wall=time.time_ns(), host=self._host, interval=self._interval,
            dropped=dropped, health=health, targets=self._targets if tell else (),
        )  # fmt: skip
        document = plain(batch, taken)
        body = sealed(document)
        if len(taken) > 1 and (len(document) > PLAIN or len(body) > LARGEST):
            return await self._close(taken[: len(taken) // 2], health)
        frame = Frame(self.run_id, batch.sequence, len(taken), dropped, body)
        if await self._append(frame):
            self._sequence = batch.sequence
            self._told_targets = now if tell else self._told_targets
        return len(taken)

    async def _append(self, frame: Frame) -> bool:
        try:
            await self._desk.ask(lambda spool: spool.append(frame))
        except OSError as error:
            if not self._failed:
                log.error("the spool does not take what was probed, which is dropped: %s", error)
            self._failed = True
            self._lost += frame.rows
            return False
        if self._failed:
            log.warning("the spool takes what is probed again")
        self._failed = False
        return True

    async def _sync(self) -> None:
        try:
            await self._desk.ask(Spool.sync)
        except OSError as error:
            log.error("the spool cannot be put on the disk: %s", error)


def boot_id() -> str:
    """Return the kernel's name for the time since it started, to which a monotonic clock belongs."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return secrets.token_hex(8)
