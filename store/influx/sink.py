"""A sink: points from the journal to one server, in order, until all is delivered; for as long as the daemon lives.

Theory of operation. The journal is the buffer. One part at a time is sent, and it stays in memory until the server took
it, or every line of it that the server refuses by itself is in quarantine. The cursor (the row before the first line
that is not settled) is kept in the ledger after that, never before: what was sent and not noted is sent again after a
crash, with the same times, and overwrites itself. While the server is away nothing is read, so memory does not grow.
"""

import asyncio
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from anycast.sink import Quarantined, SinkState, SinkStatus
from store.influx.answer import Answer, Verdict
from store.influx.follow import Follower
from store.influx.lines import Lines, lines
from store.influx.pace import Pace
from store.influx.pending import Pending
from store.influx.quarantine import Quarantine
from store.influx.token import TokenError, shared
from store.influx.where import AHEAD, ServerKind, Where

log = logging.getLogger(__name__)
NICE: Final = 10
"""Of the delivering thread."""
IDLE: Final = 1.0
"""Seconds between looks at the journal when nobody says that there is something new."""
NOTED: Final = 1.0
"""Seconds between cursors that are noted while there is more to deliver: each costs a commit of the ledger."""
QUIET: Final = timedelta(minutes=1)
"""A refusal that comes so long after the one before has a line in the log."""
SAMPLES: Final = 100
"""Lines of one part that go to quarantine where all of them do; the others are counted."""


class Sending(Protocol):
    """What carries lines to a server (`store.influx.post.Post`)."""

    def send(self, lines: Lines) -> Answer:
        """Send lines in one request, and judge the answer."""
        ...

    def stale(self) -> bool:
        """Whether another token is to be used now."""
        ...

    def cut(self) -> None:
        """Break off what is under way. From any thread."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(slots=True)
class _Counts:
    delivered: int = 0
    requests: int = 0
    quarantined: int = 0
    unfit: int = 0


class Sink:
    """Delivers until cancelled."""

    def __init__(
        self,
        where: Where,
        journal: Path,
        quarantine: Quarantine,
        cursor: int,
        note: Callable[[int], Awaitable[None]],
        connect: Callable[[Where], Sending],
        pace: Pace | None = None,
    ) -> None:
        """Deliver what stands in the journal behind `cursor`; `note` keeps a cursor durably."""
        self.where, self.quarantine = where, quarantine
        self._follower = Follower(journal, cursor)
        self._pending = Pending(where.lines, where.octets)
        self._pending.cursor = self._noted = cursor
        self._note, self._connect = note, connect
        self._sending: Sending | None = None
        self._pace = pace or Pace()
        self._counts = _Counts()
        self._state, self._since = SinkState.DELIVERING, datetime.now(UTC)
        self._error: tuple[str, datetime] | None = None
        self._next: datetime | None = None
        self._refused_at: datetime | None = None
        self._forgotten_at: datetime | None = None
        self._noted_at = 0.0
        self._oldest: int | None = None
        """Time of the first point that is not settled, nanoseconds since 1970; None when there is none."""
        self._all_refused = 0
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"sink {where.name}", initializer=_yielding)
        if where.token_file and (said := shared(where.token_file)):
            log.warning("sink %s: %s", where.name, said)

    def wake(self) -> None:
        """There is something new in the journal. Call it from the event loop."""
        self._wake.set()

    def status(self) -> SinkStatus:
        """How it stands."""
        counts, now = self._counts, datetime.now(UTC)
        oldest = self._oldest
        return SinkStatus(
            self.where.name,
            self.where.url,
            self.where.bucket,
            self._state,
            self._since,
            self._pending.cursor,
            0.0 if oldest is None else max(0.0, now.timestamp() - oldest / 1e9),
            counts.delivered,
            counts.requests,
            counts.quarantined,
            counts.unfit,
            self._follower.forgotten,
            self._refused_at,
            self._forgotten_at,
            self._error[0] if self._error else "",
            self._error[1] if self._error else None,
            self._next,
        )

    async def run(self) -> None:
        """Deliver until cancelled; then the cursor is noted once more."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self._wake.clear()
                wait = await loop.run_in_executor(self._thread, self._turn)
                await self._keep(wait is not None)
                if wait is not None:
                    await self._pause(wait)
        finally:
            if self._sending is not None:
                self._sending.cut()  # whoever stops does not wait for a server
            self._thread.shutdown(wait=False, cancel_futures=True)
            await asyncio.shield(self._keep(True))

    async def _pause(self, wait: float) -> None:
        """Wait: what is new wakes one who has nothing to do, and nobody whom the server keeps waiting."""
        if self._state is not SinkState.DELIVERING:
            await asyncio.sleep(wait)
            return
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _keep(self, now: bool) -> None:
        cursor = self._pending.cursor
        if cursor != self._noted and (now or time.monotonic() - self._noted_at > NOTED):
            await self._note(cursor)
            self._noted, self._noted_at = cursor, time.monotonic()

    def _turn(self) -> float | None:
        """Do one thing; returns the seconds until the next, None for at once."""
        try:
            wait = self._step()
        except Exception as error:
            log.exception("sink %s stumbled", self.where.name)
            wait = self._unwell(SinkState.WAITING, f"{type(error).__name__}: {error}", self._pace.again())
        self._oldest = int(self._pending.first.at[0]) if self._pending else None
        return wait

    def _step(self) -> float | None:
        if not self._pending and not self._load():
            self._well()
            return IDLE
        try:
            self._sending = self._sending or self._connect(self.where)
        except (TokenError, ValueError) as error:
            return self._unwell(SinkState.HOLDING, str(error), self._pace.held())
        self._counts.requests += 1
        return self._settle(self._sending.send(self._pending.first))

    def _settle(self, answer: Answer) -> float | None:
        """Do with the first part what its answer says."""
        pending, size = self._pending, len(self._pending.first)
        match answer.verdict:
            case Verdict.TAKEN:
                self._counts.delivered += size
                pending.settle()
                if not pending.split_of:
                    pending.grow()
                    self._all_refused = 0
                self._well()
                return None
            case Verdict.REFUSED if answer.dropped == size > 1:
                self._all_aside(answer.said)
                return None
            case Verdict.REFUSED:
                return self._aside(answer.said) if pending.refuse() else None
            case Verdict.LARGE:
                return self._aside(answer.said) if pending.shrink() else None
            case Verdict.LATER:
                return self._unwell(SinkState.WAITING, answer.said, self._pace.later(answer.wait))
            case Verdict.AGAIN:
                return self._unwell(SinkState.WAITING, answer.said, self._pace.again())
            case Verdict.HELD:
                self._forget_connection()
                return self._unwell(SinkState.HOLDING, answer.said, self._pace.held())

    def _aside(self, reason: str) -> float | None:
        """Give up the first part, which is one line. Where a whole part went so, the next waits: who refuses each line
        of thousands may be no server for them, and what is in quarantine does not come back by itself."""
        pending = self._pending
        self._quarantine(pending.first, reason)
        self._counts.quarantined += 1
        all_of_it = 1 < pending.split_of == pending.refused_of
        pending.settle()
        self._refused(1, reason)
        if not all_of_it:
            return None
        self._all_refused += 1
        return min(60.0, 2.0**self._all_refused)

    def _all_aside(self, reason: str) -> None:
        """Give up the first part: the server counted, and refused every line of it (too old for it, mostly)."""
        part = self._pending.first
        self._quarantine(part.part(0, min(len(part), SAMPLES)), reason)
        self._counts.quarantined += len(part)
        self._refused(len(part), reason)
        self._pending.settle()

    def _refused(self, count: int, reason: str) -> None:
        now = datetime.now(UTC)
        said = f"a point was refused: {reason}" if count == 1 else f"{count} points were refused: {reason}"
        if self._refused_at is None or now - self._refused_at > QUIET:
            log.warning("sink %s: %s; it is in quarantine, and others that follow now are, too", self.where.name, said)
        self._refused_at, self._error = now, (said, now)

    def _load(self) -> bool:
        """Read on; False when there is nothing more."""
        lost = self._follower.forgotten
        batches = self._follower.read(self.where.lines, self.where.octets)
        if self._follower.forgotten > lost:
            gone, self._forgotten_at = self._follower.forgotten - lost, datetime.now(UTC)
            log.error("sink %s: retention took %d points before they were delivered", self.where.name, gone)
        if batches:
            self._pending.put(self._fit(lines(batches, self._texts)), self._follower.cursor)
        elif self._follower.cursor > self._pending.cursor:
            self._pending.cursor = self._follower.cursor
        return bool(self._pending)

    @property
    def _texts(self) -> bool:
        return self.where.kind is not ServerKind.VICTORIA_METRICS

    def _fit(self, read: Lines) -> Lines:
        """Leave out what is too old, or of a time that is yet to come; it is counted, and some of it kept."""
        now = datetime.now(UTC)
        oldest = None if self.where.max_age is None else _ns(now - self.where.max_age)
        old = read.at < (oldest if oldest is not None else np.iinfo(np.int64).min)
        ahead = read.at > _ns(now + AHEAD)
        for which, reason in ((old, f"older than {self.where.max_age}"), (ahead, "of a time that is yet to come")):
            if which.any():
                unfit = read.pick(which)
                self._counts.unfit += len(unfit)
                self._quarantine(unfit.part(0, min(len(unfit), SAMPLES)), f"not sent: the point is {reason}")
                log.warning("sink %s: %d points are not sent: they are %s", self.where.name, len(unfit), reason)
        return read.pick(~(old | ahead))

    def _quarantine(self, refused: Lines, reason: str) -> None:
        now = datetime.now(UTC)
        kept = [Quarantined(now, int(refused.rows[n]), refused.text(n), reason) for n in range(len(refused))]
        try:
            self.quarantine.put(kept)
        except OSError as error:
            log.error("sink %s: the quarantine cannot be written: %s", self.where.name, error)

    def _well(self) -> None:
        self._pace.well()
        self._next = None
        if self._state is not SinkState.DELIVERING:
            log.info("sink %s delivers again, after %s", self.where.name, self._state)
            self._state, self._since = SinkState.DELIVERING, datetime.now(UTC)

    def _unwell(self, state: SinkState, said: str, wait: float) -> float:
        now = datetime.now(UTC)
        if self._state is not state:
            log.warning("sink %s is %s: %s", self.where.name, state, said)
            self._state, self._since = state, now
        self._error, self._next = (said, now), now + timedelta(seconds=wait)
        return wait

    def _forget_connection(self) -> None:
        """Begin anew where the token has changed meanwhile."""
        if self._sending is not None and self._sending.stale():
            self._sending.close()
            self._sending = None


def _yielding() -> None:
    """Whoever judges comes first where there are too few processors."""
    if sys.platform == "linux":  # where a thread has a priority of its own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000
