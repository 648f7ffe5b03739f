"""Long-lived TCP connections with a beat a second: what a router that hashes anew, or a lost NVA, does to sessions.

A reset or an unasked end is told from silence, with the connection's age. After ten silent beats a connection is given
up and another is opened; whatever ends one, the next begins a beat later.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import aiohttp

from anycast.probe import Outcome
from collector.probe.agent.beats import Ended, Living
from collector.probe.agent.bucket import SECOND
from collector.probe.agent.kit import Asks, Kit
from collector.probe.agent.web import failed
from collector.probe.taken import Taken

PATIENCE: Final = 10
"""Silent beats in a row after which a connection is given up; TCP has then tried about six times."""
EXPECTED: Final = (aiohttp.ClientError, OSError, ValueError, Ended)


class Canary:
    """One connection after another to one target; `run` is a task."""

    def __init__(self, kit: Kit, asks: Asks, made: Callable[[], Living], every: int, wait: int) -> None:
        """`made` makes a connection that is not open; `every` and `wait` (before the first) in ns."""
        self._kit, self._asks, self._made = kit, asks, made
        self._every, self._wait = every, wait

    async def run(self) -> None:
        """Keep a connection for as long as the agent runs."""
        await asyncio.sleep(self._wait / SECOND)
        while True:
            line = self._made()
            try:
                if self._kit.allowed() and (opened := await self._open(line)):
                    await self._beats(line, opened)
            finally:
                await line.close()
            await asyncio.sleep(self._every / SECOND)

    async def _open(self, line: Living) -> int | None:
        """Return when a connection was opened; None when it could not be, and that is delivered."""
        kit = self._kit
        begun = self._taken(line, 0)
        try:
            async with asyncio.timeout(kit.timeout / SECOND):
                await line.open()
        except TimeoutError:
            kit.deliver(replace(begun, outcome=Outcome.SILENT, detail="it does not open", value=None))
        except EXPECTED as error:
            how, why = failed(error)
            kit.deliver(replace(begun, outcome=how, detail=f"it does not open: {why}", value=None))
        else:
            return kit.clock.mono()
        return None

    async def _beats(self, line: Living, opened: int) -> None:
        kit, silent, due = self._kit, 0, opened
        while silent < PATIENCE:
            due += self._every
            await asyncio.sleep(max(0, due - kit.clock.mono()) / SECOND)
            due = max(due, kit.clock.mono() - self._every)
            if not kit.allowed():
                continue
            beat, begun = line.beat(), self._taken(line, opened)
            done, _ = await asyncio.wait({beat}, timeout=kit.timeout / SECOND)
            if not done:
                silent += 1
                kit.deliver(replace(begun, outcome=Outcome.SILENT))
                beat.add_done_callback(self._late(begun))
                continue
            silent = 0
            how, why = self._ended(beat)
            rtt = kit.clock.mono() - begun.mono
            kit.deliver(replace(begun, outcome=how, detail=why, rtt=rtt))
            if how is not Outcome.ANSWERED:
                return

    def _ended(self, beat: "asyncio.Future[None]") -> tuple[Outcome, str]:
        error = beat.exception()
        if error is None:
            return Outcome.ANSWERED, ""
        if isinstance(error, Ended | aiohttp.ServerDisconnectedError):
            return Outcome.RESET, str(error) or "the far end closed the connection"
        if not isinstance(error, EXPECTED):
            raise error
        how, why = failed(error)
        return (Outcome.RESET if how in (Outcome.REFUSED, Outcome.BROKEN) else how), why

    def _late(self, begun: Taken) -> "Callable[[asyncio.Future[None]], None]":
        def ended(beat: "asyncio.Future[None]") -> None:
            if not beat.cancelled() and beat.exception() is None:
                rtt = self._kit.clock.mono() - begun.mono
                self._kit.deliver(replace(begun, outcome=Outcome.LATE, rtt=rtt))

        return ended

    def _taken(self, line: Living, opened: int) -> Taken:
        mono, wall = self._kit.clock.mono(), self._kit.clock.wall()
        age = (mono - opened) / SECOND
        asks = self._asks
        return Taken(mono, wall, asks.probe, asks.target, Outcome.ANSWERED, asks.flow, line.port, value=age)
