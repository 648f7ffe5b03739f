"""A station on loopback with routers made of sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from anycast.observation import Observation
from collector.bmp.allow import Allow
from collector.bmp.ids import Numbered
from collector.bmp.station import Limits, OnHeard, Station
from collector.bmp.status import ExporterStatus
from collector.bmp.watch import Watch
from collector.heard import Heard
from tests.collector.bmp.feeds import KEY, everything

T = TypeVar("T", bound=Observation)
EDGE, OTHER = "127.0.0.1", "127.0.0.2"


class Running:
    """A station and everything that it handed over."""

    def __init__(self, station: Station, address: tuple[str, int], heard: list[Heard]) -> None:
        self.station, self.address, self.heard = station, address, heard
        self.routers: list[Router] = []

    @property
    def observations(self) -> list[Observation]:
        """Every observation, in order of hand-over."""
        return [observation for heard in self.heard for observation in heard.observations]

    def of(self, kind: type[T]) -> list[T]:
        """Every observation of one kind."""
        return [observation for observation in self.observations if isinstance(observation, kind)]

    def exporter(self, name: str = "edge1") -> ExporterStatus:
        """How one exporter is now."""
        return next(status for status in self.station.status().exporters if status.exporter == name)

    async def router(self, source: str = EDGE) -> "Router":
        """Connect as a router would."""
        self.routers.append(Router(*await asyncio.open_connection(*self.address, local_addr=(source, 0))))
        return self.routers[-1]


class Router:
    """One BMP connection, from the router's end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *messages: bytes) -> None:
        """Send messages."""
        self.writer.write(b"".join(messages))
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection with a RST."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.writer.transport.abort()

    async def close(self) -> None:
        """End the connection with a FIN."""
        self.writer.close()
        await self.writer.wait_closed()


@asynccontextmanager
async def running(
    watch: Watch | None = None,
    *,
    limits: Limits | None = None,
    spool: Path | None = None,
    on_heard: OnHeard | None = None,
    exporters: Iterable[tuple[str, str]] = ((f"{EDGE}/32", "edge1"), (f"{OTHER}/32", "edge2")),
) -> AsyncIterator[Running]:
    """Run a station that watches everything unless told otherwise."""
    heard: list[Heard] = []
    allow = Allow((ip_network(place), name) for place, name in exporters)
    station = Station(
        allow,
        watch or Watch((), everything),
        Numbered(),
        on_heard or heard.append,
        key=KEY,
        spool=spool,
        limits=limits or Limits(),
    )
    await station.start()
    up = Running(station, await station.serve(("127.0.0.1", 0)), heard)
    try:
        yield up
    finally:
        await station.close()
        for router in up.routers:
            router.writer.transport.abort()
        await asyncio.sleep(0)


async def eventually(what: Callable[[], object], within: float = 10.0) -> None:
    """Wait until something holds; fails when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not what():
        assert loop.time() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)
