"""The prober: one loop that sends what is due, hears what comes, and says what it did not do.

A wake reads every socket and sends everything that is due until the next one could be, so that many probes share the
cost of waking; each has stamps of its own, so that sharing changes no round trip. Nothing is declared lost before the
sockets are empty: an answer that waited in one while the loop was late has its kernel stamp and is no loss.
"""

import asyncio
import resource
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from collector.probe.agent.bucket import SECOND, Bucket
from collector.probe.agent.clock import Clock
from collector.probe.agent.ears import Ears
from collector.probe.agent.kit import Kit, ns
from collector.probe.agent.lag import Lag
from collector.probe.agent.schedule import Schedule, phase
from collector.probe.agent.senders import Senders
from collector.probe.agent.stamping import Stamping
from collector.probe.config.values import AgentSettings
from collector.probe.identity.keys import Keys
from collector.probe.taken import Health, Taken

TOGETHER: Final = 20
"""Probes that share a wake, as far as the next two allow: so few stand in each other's way on no line."""
BUSY: Final = 1_000_000
"""ns between two wakes at least,"""
IDLE: Final = 40_000_000
"""and at most: by so much an answer or a loss may be told too late, and a probe sent too early."""
READING: Final = 10_000_000
"""ns for which sockets are read before what is due is sent."""
STEP: Final = 1_000_000
"""ns: NTP slews by 0.5 ms a second at most, so what the wall clock does beyond that is a step."""


class Prober:
    """All probes of one agent. `open` what needs root, then `run`; `health` at any time."""

    def __init__(
        self,
        settings: AgentSettings,
        deliver: Callable[[Taken], None],
        keys: Keys,
        clock: Clock | None = None,
    ) -> None:
        """`deliver` is called in the loop and must not wait. The first of `keys` asks."""
        self._settings = settings
        self._clock = clock or Clock()
        now = self._clock.mono()
        self._lag = Lag(ns(settings.lag), deliver, now)
        self._bucket = Bucket(settings.cap, now)
        self._schedule = Schedule()
        self._kit = Kit(self._clock, self._lag.take, Ears(), ns(settings.timeout), ns(settings.late), self._allowed)
        self._senders = Senders(self._kit, keys, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._together = int(min(IDLE, max(BUSY, TOGETHER * SECOND / max(1.0, settings.rate))))
        self._opened = False
        self._sent = self._unsent = self._unread_since = 0
        self._offset, self._asked_at = self._clock.offset, now

    def open(self) -> None:
        """Open what needs rights; after it, they may be given up."""
        if not self._opened:
            _more_descriptors()
            self._senders.open()
            self._opened = True

    async def run(self) -> None:
        """Probe until cancelled. Raises what a probe did not expect: that is an error of ours."""
        self.open()
        self._loop, stamping = asyncio.get_running_loop(), Stamping()
        try:
            if not await stamping.begin():
                self._kit.lacks("no stamps of the kernel: round trips have the lag of our own loop in them")
            self._begin(self._clock.mono())
            self._wake()
            while self._kit.tasks.failed is None:
                self._lag.due = max(self._lag.due, self._clock.mono())
                await asyncio.sleep((self._lag.due - self._clock.mono()) / 1e9)
                self._lag.tick(self._clock.mono())
            raise self._kit.tasks.failed
        finally:
            self._loop = None
            self._schedule.clear()
            await self._kit.tasks.close()
            await self._senders.close()
            self._kit.ears.close()
            stamping.close()
            self._lag.tick(self._clock.mono())

    def _begin(self, now: int) -> None:
        """Let every stream be due at its phase from now on."""
        self._lag.begin(now)
        for name, stream in self._senders.streams():
            self._schedule.add(stream, now + phase(f"{self._settings.site} {name}", stream.every))
            self._together = max(1, min(self._together, stream.every // 2))

    def health(self) -> Health:
        """Return how the agent did since this was last asked."""
        now, offset = self._clock.mono(), self._clock.offset
        lag, tainted = self._lag.report(now)
        step = offset - self._offset
        slewed = STEP + (now - self._asked_at) // 2000
        said = Health(
            lag,
            tainted,
            self._unsent + self._schedule.missed + self._lag.dropped,
            self._sent,
            step if abs(step) > slewed else 0,
            tuple(self._kit.lacking),
        )
        self._sent = self._unsent = self._schedule.missed = self._lag.dropped = 0
        self._offset, self._asked_at = offset, now
        return said

    @property
    def sockets(self) -> int:
        """How many sockets of datagrams and handshakes are open."""
        return self._kit.sockets

    def _allowed(self) -> bool:
        """Take the right to send one packet or open one connection, under the cap on all; count what has none."""
        if self._bucket.take(self._clock.mono()):
            self._sent += 1
            return True
        self._unsent += 1
        return False

    def _drained(self, now: int) -> bool:
        """Read the sockets empty before anything is declared lost. What keeps them from being empty may put the
        declaration off, but not for longer than a second."""
        self._unread_since = self._unread_since or now
        end = self._clock.mono() + READING
        while self._kit.ears.listen():
            if self._clock.mono() > end:
                if now - self._unread_since < SECOND:
                    return False
                break
        self._unread_since = 0
        return True

    def _wake(self) -> None:
        if self._loop is None:
            return
        try:
            at = self._step(self._clock.mono())
        except Exception as error:  # told by `run`, which ends with it: a loop that only stopped waking would seem well
            self._kit.tasks.failed = error
        else:
            self._loop.call_at(at / SECOND, self._wake)

    def _step(self, now: int) -> int:
        """Read, expire and send; return when to do so again."""
        if self._drained(now) and self._senders.due(now):
            self._senders.expire(now)
        for stream in self._schedule.take(now + self._together):
            if self._allowed():
                stream.fire()
        due = self._schedule.next
        return now + IDLE if due is None else max(now + self._together, min(now + IDLE, due))


def _more_descriptors() -> None:
    """Raise the limit on open files as far as this process may."""
    with suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
