"""Traceroutes with the five-tuple of a fixed flow: sent from the flow's own socket, with a TTL for that packet alone.

So every router's hash treats them as the flow itself, and no right is needed: what routers say comes off the socket's
error queue. One packet of a trace is under way at a time, so that an error that quotes too little still belongs to its
TTL, and all traces together keep to a pace that routers answer (most limit what they say; RFC 1812, 4.3.2.8).
"""

import asyncio
import socket
import struct
from dataclasses import replace
from typing import Final

from anycast.probe import Outcome
from collector.probe.agent.bucket import SECOND
from collector.probe.agent.errors import Trouble
from collector.probe.agent.flows import Flow
from collector.probe.agent.kit import Asks, Kit, result
from collector.probe.agent.udp import Udp
from collector.probe.identity.datagram import SIZE
from collector.probe.taken import Taken
from collector.probe.wire.ancillary import IP_TTL, IPV6_HOPLIMIT

PACE: Final = SECOND // 20
"""ns between two packets of all traces together."""
TOGETHER: Final = 20
"""Traces under way: as many as can wait a second each at that pace."""
QUIET: Final = 4
"""Silent hops in a row after which a trace ends: nobody further on will say more."""
SILENCE: Final = "*"


class Tracer:
    """The pace of all traces."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.under_way = 0
        self._next = 0

    async def turn(self) -> None:
        """Wait until the next packet may be sent."""
        now = self.kit.clock.mono()
        at = max(now, self._next)
        self._next = at + PACE
        await asyncio.sleep((at - now) / SECOND)


class Trace:
    """Traces of one fixed flow, again and again."""

    def __init__(self, tracer: Tracer, udp: Udp, flow: Flow, asks: Asks, hops: int, every: int) -> None:
        """`asks` is the flow's, as Probe.TRACE; `hops` the highest TTL; `every` ns."""
        self.every = every
        self._tracer, self._udp, self._flow, self._asks, self._hops = tracer, udp, flow, asks, hops

    def fire(self) -> None:
        """Begin one, unless too many are under way."""
        kit = self._tracer.kit
        if self._tracer.under_way >= TOGETHER or kit.tasks.full:
            kit.unsent(self._asks, f"{self._tracer.under_way} traces are under way")
            return
        self._tracer.under_way += 1
        kit.tasks.start(self._run())

    async def _run(self) -> None:
        try:
            await self._trace()
        finally:
            self._tracer.under_way -= 1

    async def _trace(self) -> None:
        kit = self._tracer.kit
        mono, wall, hops = kit.clock.mono(), kit.clock.wall(), list[str]()
        last = result(self._asks, mono, wall, Outcome.SILENT)
        while len(hops) < self._hops and hops[-QUIET:] != [SILENCE] * QUIET:
            await self._tracer.turn()
            last, hop = await self._step(len(hops) + 1)
            if last.outcome in (Outcome.UNSENT, Outcome.TOO_BIG) or (not hop and not hops):
                break
            hops.append(hop)
            if last.outcome is not Outcome.SILENT:
                break
        kit.deliver(replace(last, mono=mono, wall=wall, hops=tuple(hops)))

    async def _step(self, ttl: int) -> tuple[Taken, str]:
        """Send one packet; return how it ended and who answered. A hop on the way leaves the end silent still."""
        kit, told = self._tracer.kit, asyncio.get_running_loop().create_future()
        sender = self._flow.sender() if kit.allowed() else None
        if sender is None:
            return result(self._asks, 0, 0, Outcome.UNSENT, detail="not sent"), ""

        def end(taken: Taken, by: str = "") -> None:
            if not told.done():
                told.set_result((taken, by))

        def hop(trouble: Trouble, taken: Taken) -> None:
            end(replace(taken, outcome=Outcome.SILENT, detail="") if trouble.expired else taken, trouble.by)

        self._udp.send(sender, self._asks, SIZE, end, _lifetime(self._asks, ttl), hop)
        taken, by = await told
        heard = taken.outcome not in (Outcome.SILENT, Outcome.UNSENT)
        return taken, by or (str(self._asks.address) if heard else SILENCE)


def _lifetime(asks: Asks, ttl: int) -> tuple[tuple[int, int, bytes], ...]:
    """Return the ancillary data that give one packet its TTL (ip(7), RFC 3542 section 6.3)."""
    if asks.address.version == 4:
        return ((socket.IPPROTO_IP, IP_TTL, struct.pack("@i", ttl)),)
    return ((socket.IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", ttl)),)
