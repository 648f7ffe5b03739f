"""The BMP station: listens, knows who may connect, never makes a router wait, and hands over what it hears.

The event loop reads and stamps: BMP is TCP, so the time of receipt is that of the read, not the kernel's. Octets go to
each connection's bounded inbox; one thread decodes, in fair turns; what was heard comes back to the event loop, in
order.

When we cannot keep up with a router, the order of sacrifice is: its octets wait on disk, then the unwatched routes of
its heaviest session are left out, then its feed is closed (LostReason.OVERLOADED) and what it said is unknown. Each
step is counted and logged.

One connection an exporter. A second one takes over with its first octet of BMP, so that a stray connection ends
nothing; the first is then lost as CLOSED. See `Exporter.may_take_over` for two that would chase each other off. Of two
routers that connect from one address, and call themselves by two names, the one that came first is heard: the sessions
of the other are others, whatever their addresses.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from inspect import isawaitable
from pathlib import Path
from typing import Any, Final

from anycast.observation import LostReason
from anycast.prefix import Address
from collector.archive.raw import RawFiles
from collector.batch import AttributeTable
from collector.bmp.allow import Allow
from collector.bmp.connection import Connection
from collector.bmp.decoding import Decoding
from collector.bmp.exporters import Exporter
from collector.bmp.ids import SessionIds
from collector.bmp.inbox import Inbox, Room
from collector.bmp.line import Line
from collector.bmp.recorder import moment
from collector.bmp.refused import Refused
from collector.bmp.session import QUIET, BmpFeed
from collector.bmp.status import StationStatus
from collector.bmp.warm import warm
from collector.bmp.watch import Watch
from collector.heard import Heard
from collector.wire.bmp.decode import said_name

ATTRIBUTES: Final = "attributes"
LONGEST_NAME: Final = 64
"""Characters of a router's own name that are compared and shown."""
log = logging.getLogger(__name__)

OnHeard = Callable[[Heard], Awaitable[None] | None]
OnAttributes = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds, in octets."""

    inbox: int = 32 << 20
    """Memory for what connections sent and nobody decoded, all of them together."""
    spool: int = 256 << 20
    """Disk for the same of one connection, after that."""
    attributes: int = 32 << 20
    """Memory for attribute blobs: of two full tables. Past it all are forgotten, and told when they come again."""


class Station:
    """Listens for BMP and tells `on_heard` everything, on the event loop, in order for each router.

    `on_heard` may return an awaitable: the router's next `Heard` waits for it, and so, in the end, does its inbox;
    other routers' do not.
    """

    def __init__(
        self,
        allow: Allow,
        watch: Watch,
        ids: SessionIds,
        on_heard: OnHeard,
        *,
        key: bytes,
        spool: Path | None = None,
        limits: Limits = Limits(),
        quiet: float = QUIET,
        on_attributes: OnAttributes | None = None,
        archive: RawFiles | None = None,
    ) -> None:
        """`key`: 16 octets of the data folder, for attribute ids; `spool`: folder for what memory cannot hold;
        `archive`: gets every octet that is decoded, as it came.

        `on_attributes` is called from the decoding thread with each batch of the `attributes` table, before anything
        that refers to it is told: a set comes once, with whoever sent it first, and while that router's `Heard` waits
        its turn, others' refer to it. Without it the batch stays in that `Heard`.
        """
        self._allow, self._watch, self._ids, self._on_heard = allow, watch, ids, on_heard
        self._limits, self._spool, self._quiet = limits, spool, quiet
        self._on_attributes = on_attributes
        self._table = AttributeTable(key, limits.attributes)
        self._room = Room(limits.inbox)
        self._decoding = Decoding(self._from_thread, archive)
        self._servers: list[asyncio.Server] = []
        self._exporters = {name: Exporter(name) for name in allow.names}
        self._connections: dict[Line, Connection] = {}
        self._refused = Refused()
        self._queues: dict[Line, asyncio.Queue[Heard | None]] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._failure: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Compile what is needed and begin to decode; `serve` then takes connections."""
        self._failure = asyncio.get_running_loop().create_future()
        await asyncio.to_thread(warm)
        self._decoding.start()

    async def serve(self, where: socket.socket | tuple[str, int]) -> tuple[str, int]:
        """Listen on (host, port), or on a socket that listens already; returns the address it listens on.

        Raises OSError when it cannot.
        """
        loop = asyncio.get_running_loop()
        if isinstance(where, socket.socket):
            server = await loop.create_server(lambda: Connection(self), sock=where)
        else:
            server = await loop.create_server(lambda: Connection(self), *where)
        self._servers.append(server)
        host, port, *_ = server.sockets[0].getsockname()
        log.info("listening for BMP on %s port %d", host, port)
        return str(host), int(port)

    async def failed(self) -> None:
        """Wait until `on_heard` raises, and raise that; returns when the station is closed."""
        if self._failure is not None:
            await asyncio.shield(self._failure)

    async def close(self, patience: float = 5.0) -> None:
        """Stop listening, let go of the routers, and hand over what was received, for at most `patience` seconds.

        No FeedLost is said: that Catchment stops is for others to say.
        """
        for server in self._servers:
            server.close()
        for connection in list(self._connections.values()):
            connection.stop()
        if self._telling:
            await asyncio.wait(self._telling, timeout=patience)
        await asyncio.to_thread(self._decoding.stop)
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        for line in self._connections:
            line.inbox.close()
        if self._failure is not None and not self._failure.done():
            self._failure.set_result(None)

    def watch(self, watch: Watch) -> None:
        """Watch something else from now on."""
        self._watch = watch
        self._decoding.watch(watch)

    def quiet_after(self, seconds: float) -> None:
        """Let so many seconds of silence end a dump from now on, on every feed."""
        self._quiet = seconds
        for line in self._connections:
            line.feed.quiet_after(seconds)

    def allow(self, allow: Allow) -> None:
        """Let others connect from now on; a connected exporter that may not any more is let go."""
        self._allow = allow
        for name in allow.names:
            self._exporters.setdefault(name, Exporter(name))
        for name in [name for name in self._exporters if name not in allow.names]:
            line = self._exporters.pop(name).line
            if line is not None:
                self._connections[line].end(LostReason.CLOSED, f"{name} is not in the intent any more")

    def status(self) -> StationStatus:
        """Return how everything is at this moment."""
        listening = [sock.getsockname() for server in self._servers for sock in server.sockets]
        return StationStatus(
            exporters=tuple(exporter.status() for exporter in self._exporters.values()),
            addresses=tuple(f"{host}:{port}" for host, port, *_ in listening),
            refused=self._refused.count,
            strangers=dict(self._refused.strangers),
            attributes=len(self._table),
            attribute_octets=self._table.octets,
            attribute_collisions=self._table.collisions,
            attributes_forgotten=self._table.forgotten,
            undelivered=self._decoding.undelivered,
            failures=self._decoding.failures,
        )

    # What connections ask (collector.bmp.connection.Desk).

    def admit(self, connection: Connection, address: Address) -> Line | None:
        """Give a caller its line; None for a stranger."""
        name = self._allow.name(address)
        if name is None:
            self._refuse(address, "it is no exporter of the intent")
            return None
        exporter = self._exporters[name]
        feed = BmpFeed(name, self._table, self._ids, self._watch, quiet=self._quiet)
        line = Line(feed, Inbox(self._limits.inbox, self._limits.spool, self._spool, self._room), str(address))
        self._connections[line] = connection
        if exporter.line is None:
            exporter.began(line, moment(time.time_ns()))
            log.info("%s connected from %s", name, address)
        self._queues[line] = asyncio.Queue()
        task = asyncio.create_task(self._tell(line), name=f"bmp-{name}")
        self._telling.add(task)
        task.add_done_callback(self._told)
        self._decoding.add(line)
        return line

    def began(self, connection: Connection, data: bytes) -> bool:
        """The first octets came: a second connection of an exporter takes over now, or must go."""
        line = connection.line
        assert line is not None
        exporter = self._exporters.get(line.feed.router)
        if exporter is None:
            return False
        if exporter.line is line:
            return True
        before = exporter.line
        if before is not None:
            name, known = said_name(data)[:LONGEST_NAME], before.feed.name[:LONGEST_NAME]
            if before.end is None and name and known and name != known:
                why = f"it calls itself {name!r}, and {known!r} is connected as {exporter.name}; "
                self._refuse(line.address, why + "let each router connect from an address of its own")
                return False
            if before.end is None and not exporter.may_take_over(time.monotonic()):
                self._refuse(line.address, f"{exporter.name} changes its connection too often")
                return False
            line.after = before
            self._connections[before].give_way()
        exporter.began(line, moment(time.time_ns()))
        log.info("%s connected from %s, in place of another connection", exporter.name, line.address)
        return True

    def received(self, line: Line) -> None:
        """Something was put into a line's inbox, or it ended."""
        self._decoding.wake()

    def overflowed(self, line: Line) -> bool:
        """A line's inbox is full: give up a part of it, once; False when that was not enough."""
        exporter = self._exporters.get(line.feed.router)
        if exporter is not None:
            exporter.overloads += 1
        if line.overloaded:
            return False
        line.overloaded = line.inbox.stretched = True
        return True

    def _refuse(self, address: Address | str, why: str) -> None:
        self._refused.add(str(address), why, time.monotonic())

    # What was heard.

    def _from_thread(self, line: Line, heard: Heard | None) -> None:
        if heard is not None and self._on_attributes is not None and ATTRIBUTES in heard.tables:
            self._on_attributes(heard.tables[ATTRIBUTES])
            rest = {table: rows for table, rows in heard.tables.items() if table != ATTRIBUTES}
            heard = replace(heard, tables=rest)
        assert self._failure is not None
        self._failure.get_loop().call_soon_threadsafe(self._queues[line].put_nowait, heard)

    async def _tell(self, line: Line) -> None:
        """Hand over what a line heard, until its last word."""
        queue = self._queues[line]
        while (heard := await queue.get()) is not None:
            try:
                answer = self._on_heard(replace(heard, lag=moment(time.time_ns()) - heard.at))
                if isawaitable(answer):
                    await answer
            finally:
                self._decoding.delivered(line)
        self._finished(line)

    def _told(self, task: asyncio.Task[None]) -> None:
        self._telling.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    def _finished(self, line: Line) -> None:
        """A line's last word was told."""
        connection = self._connections.pop(line)
        del self._queues[line]
        connection.close()
        line.inbox.close()
        ended = line.feed.ended or (line.end[0] if line.end else LostReason.CLOSED)
        detail = line.end[1] if line.end and line.feed.ended in (None, line.end[0]) else ""
        log.info("the feed of %s ended: %s%s", line.feed.router, ended, f" ({detail})" if detail else "")
        exporter = self._exporters.get(line.feed.router)
        if exporter is not None:
            exporter.ended(line, f"{ended}: {detail}" if detail else str(ended), moment(time.time_ns()))
