"""Downloads, rare and bounded, and never two on one circuit at once.

Each gives two results: BEGAN when it is asked for, so that whoever judges latency can wait, and how it ended. A target
whose circuit is not named shares one with all others of that kind.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace

import aiohttp

from anycast.probe import Outcome
from collector.probe.agent.bucket import SECOND
from collector.probe.agent.kit import Asks, Kit
from collector.probe.agent.web import Line, Web, failed
from collector.probe.taken import Taken


class Circuits:
    """Who fills which circuit: one at a time."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def lock(self, circuit: str | None) -> asyncio.Lock:
        """Return the right to fill a circuit; None is all that are not named."""
        return self._locks[circuit or ""]


@dataclass(slots=True)
class _Came:
    """What came so far."""

    octets: int = 0
    first: int = 0
    last: int = 0
    status: int = 0
    line: Line = field(default_factory=Line)


class Transfer:
    """Downloads from one target, again and again."""

    def __init__(self, kit: Kit, lock: asyncio.Lock, asks: Asks, web: Web, bounds: tuple[int, int], every: int) -> None:
        """`lock` is the right to fill the circuit; `bounds`: octets, and ns from the first octet, at which a download
        ends; `every` ns."""
        self.every = every
        self._kit, self._asks, self._web, self._lock = kit, asks, web, lock
        self._octets, self._time = bounds
        self._waits = False

    def fire(self) -> None:
        """Begin one as soon as the circuit is free."""
        if self._waits or self._kit.tasks.full:
            self._kit.unsent(self._asks, "the download before waits for its circuit still")
            return
        self._waits = True
        self._kit.tasks.start(self._run())

    async def _run(self) -> None:
        try:
            async with self._lock:
                await self._download()
        finally:
            self._waits = False

    async def _download(self) -> None:
        kit, asks, came = self._kit, self._asks, _Came()
        begun = Taken(kit.clock.mono(), kit.clock.wall(), asks.probe, asks.target, Outcome.BEGAN)
        kit.deliver(begun)
        how, why = Outcome.ANSWERED, ""
        try:
            async with (
                asyncio.timeout(kit.timeout / SECOND) as limit,
                self._web.session(came.line) as session,
                await self._web.get(session) as response,
            ):
                piece = await response.content.readany()
                limit.reschedule(None)
                how, why = await self._fill(response, piece, came)
        except TimeoutError:
            how, why = Outcome.SILENT, "no octet of the body came within the time limit"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            how, why = failed(error)
        kit.deliver(self._ended(begun, came, how, why))

    async def _fill(self, response: aiohttp.ClientResponse, piece: bytes, came: _Came) -> tuple[Outcome, str]:
        mono = self._kit.clock.mono
        came.status, came.first = response.status, mono()
        if response.status >= 400:
            return Outcome.BROKEN, f"status {response.status}"
        began_with = len(piece)
        try:
            async with asyncio.timeout(self._time / SECOND):
                while piece and came.octets + began_with < self._octets:
                    piece = await response.content.readany()
                    came.octets += len(piece)
                    came.last = mono()
        except TimeoutError:
            pass  # the bound in time
        if not came.octets:
            return Outcome.BROKEN, f"the body ended after {began_with} octets: too few to tell a rate"
        return Outcome.ANSWERED, ""

    def _ended(self, begun: Taken, came: _Came, how: Outcome, why: str) -> Taken:
        seconds = (came.last - came.first) / SECOND
        return replace(
            begun,
            outcome=how,
            port=came.line.port,
            status=came.status,
            connect=came.line.handshake,
            first_byte=came.first - came.line.since if came.first and came.line.since else None,
            rtt=self._kit.clock.mono() - begun.mono if came.first else None,
            value=came.octets / seconds if seconds > 0 else None,
            detail=why,
        )
