"""A prober with ordinary settings, what it delivered, and real peers for it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from time import monotonic_ns
from typing import Any, cast

from anycast.probe import Identity, Outcome, Probe, Target, TargetKind
from collector.probe.agent.clock import Clock
from collector.probe.agent.loop import Prober
from collector.probe.config.values import AgentSettings, Asked, Centre, Probes
from collector.probe.identity.keys import Key, Keys
from collector.probe.identity.nonces import Nonces
from collector.probe.responder import tcp
from collector.probe.responder.answering import Answering
from collector.probe.responder.counters import Counters
from collector.probe.responder.rates import Rates
from collector.probe.responder.settings import Place
from collector.probe.responder.udp import UdpServer
from collector.probe.taken import Taken

HERE = "127.0.0.1"
SOURCE = 24_000 + 1_000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
"""First source port of fixed flows: of each parallel worker its own, and none that the kernel gives to others."""
WHO = Identity("weu", "nva-weu-1", "resolver", "7")
KEY, OTHER_KEY = Key(1, "london", b"k" * 32), Key(1, "london", b"x" * 32)
KEYS = Keys((KEY,))


def asked(probes: Probes, address: str = HERE, name: str = "svc", kind: TargetKind = TargetKind.SERVICE) -> Asked:
    """One target."""
    return Asked(Target(name, kind, ip_address(address)), probes)


def settings(*targets: Asked, **other: Any) -> AgentSettings:
    """An agent's file that asks these."""
    ordinary: dict[str, Any] = {"timeout": 0.3, "late": 1.0, "lag": 5.0, "cap": 5000.0} | other
    return AgentSettings(
        Path("agent.yaml"), "london", Centre("https://x", Path("t")), Path("d"), targets=targets, **ordinary
    )


@dataclass
class Probing:
    """A prober that runs, and what it delivered."""

    prober: Prober
    taken: list[Taken] = field(default_factory=list)

    def of(self, probe: Probe, *outcomes: Outcome) -> list[Taken]:
        """Return the results of a probe that ended in one of these ways; in any, when none is named."""
        return [one for one in self.taken if one.probe is probe and (not outcomes or one.outcome in outcomes)]

    async def until(self, probe: Probe, *outcomes: Outcome, count: int = 1, within: float = 8.0) -> list[Taken]:
        """Wait for so many results and return them all."""
        await eventually(lambda: len(self.of(probe, *outcomes)) >= count, within, lambda: self.taken[-5:])
        return self.of(probe, *outcomes)


async def eventually(holds: Callable[[], object], within: float = 8.0, said: Callable[[], object] = lambda: "") -> None:
    """Wait until something holds."""
    end = monotonic_ns() + int(within * 1e9)
    while not holds():
        assert monotonic_ns() < end, f"not within {within} s: {said()}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def probing(
    *targets: Asked, keys: Keys = KEYS, clock: Clock | None = None, **other: Any
) -> AsyncIterator[Probing]:
    """Run a prober; an error of its own fails the test."""
    taken: list[Taken] = []
    prober = Prober(settings(*targets, **other), taken.append, keys, clock)
    running = asyncio.ensure_future(prober.run())
    try:
        yield Probing(prober, taken)
        assert not running.done() or running.exception() is None
    finally:
        running.cancel()
        ended = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError), ended[0]


@dataclass
class Ports:
    """Where a responder listens."""

    udp: int
    http: int
    echo: int


@asynccontextmanager
async def responder(
    *services: str, keys: Keys = KEYS, who: Identity = WHO, address: str = HERE, allowed: str = "127.0.0.0/8"
) -> AsyncIterator[Ports]:
    """Run the real responder, on ports of the system's choice."""
    answering, counters = Answering(Nonces(), Rates(50_000, 50_000, monotonic_ns())), Counters()
    allow = (ip_network(allowed), ip_network("::1/128"), ip_network("fd00::/8"))
    answering.follow(who, frozenset(services or ("svc",)), keys, allow)
    place = Place(ip_address(address), 0)
    server, doors = UdpServer(place, answering, counters), tcp.Doors(answering, counters)
    server.open()
    web, echo = tcp.bound(place), tcp.bound(place)
    served = [
        await tcp.serve(web, lambda: tcp.HttpConnection(doors)),
        await tcp.serve(echo, lambda: tcp.EchoConnection(doors)),
    ]
    try:
        yield Ports(server.port, web.getsockname()[1], echo.getsockname()[1])
    finally:
        server.close()
        for each in served:
            each.close()


class Datagrams(asyncio.DatagramProtocol):
    """A peer that answers each datagram with what a function makes of it, each after some seconds."""

    def __init__(self, answers: Callable[[bytes], list[tuple[float, bytes]]]) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember how to answer."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: Any) -> None:
        """Answer."""
        for after, answer in self._answers(data):
            asyncio.get_running_loop().call_later(after, self._send, answer, source)

    def _send(self, answer: bytes, to: Any) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(answer, to)


@asynccontextmanager
async def datagrams(answers: Callable[[bytes], list[tuple[float, bytes]]], address: str = HERE) -> AsyncIterator[int]:
    """Run a peer of UDP; its port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Datagrams(answers), local_addr=(address, 0)
    )
    try:
        yield int(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
