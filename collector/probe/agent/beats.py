"""The two connections that a canary can live on: a TCP echo, and HTTP kept alive. Each says when it is over.

A beat that is late does not end a connection: TCP may still be sending it again. A reset, or an end that we did not
ask for, does, at once.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, Protocol

import aiohttp

from anycast.prefix import Address
from collector.probe.agent.web import Line, Web

BEAT: Final = 16
"""Octets of a beat: its number, and padding."""
WAITING: Final = 64
"""Beats that may wait for their echoes; a canary gives up long before."""


class Ended(Exception):
    """The far end closed the connection in order, where it was meant to last."""


class Living(Protocol):
    """A connection that is meant to last."""

    @property
    def port(self) -> int:
        """Our own."""
        ...

    async def open(self) -> None:
        """Connect. Raises OSError or aiohttp.ClientError."""
        ...

    def beat(self) -> "asyncio.Future[None]":
        """Send a beat; the future ends with its echo, or with what ended the connection."""
        ...

    async def close(self) -> None:
        """Give the connection up."""
        ...


class EchoLine:
    """A connection to a port that sends back what it gets."""

    def __init__(self, address: Address, port: int) -> None:
        self._to = str(address), port
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._over: Exception | None = None
        self._number = 0
        self.port = 0

    async def open(self) -> None:
        """Connect."""
        reader, self._writer = await asyncio.open_connection(*self._to, limit=1 << 12)
        self.port = int(self._writer.get_extra_info("sockname")[1])
        self._reading = asyncio.get_running_loop().create_task(self._read(reader))

    def beat(self) -> "asyncio.Future[None]":
        """Send a beat."""
        echoed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._over is not None or self._writer is None or len(self._waiting) >= WAITING:
            echoed.set_exception(self._over or ConnectionResetError("not open"))
            return echoed
        self._number += 1
        self._waiting.append((self._number, echoed))
        self._writer.write(self._number.to_bytes(BEAT, "big"))
        return echoed

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                came = int.from_bytes(await reader.readexactly(BEAT), "big")
                while self._waiting and self._waiting[0][0] <= came:
                    number, echoed = self._waiting.popleft()
                    if number == came and not echoed.done():
                        echoed.set_result(None)
        except asyncio.IncompleteReadError:
            self._end(Ended("the far end closed the connection"))
        except OSError as error:
            self._end(error)

    def _end(self, error: Exception) -> None:
        self._over = error
        while self._waiting:
            _, echoed = self._waiting.popleft()
            if not echoed.done():
                echoed.set_exception(error)
                echoed.exception()  # whoever waits is told; who gave up waiting need not hear of it

    async def close(self) -> None:
        """Give the connection up."""
        self._end(Ended("given up"))
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.transport.abort()


class WebLine:
    """A URL that is asked again and again over one connection."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._line = Line()
        self._under_way: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None
        self._end = asyncio.Event()
        self._holding: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Our own."""
        return self._line.port

    async def open(self) -> None:
        """Connect, with a first request."""
        held: asyncio.Future[aiohttp.ClientSession] = asyncio.get_running_loop().create_future()
        self._holding = asyncio.create_task(self._hold(held))
        self._session = await held
        await self._ask()

    async def _hold(self, held: "asyncio.Future[aiohttp.ClientSession]") -> None:
        async with self._web.session(self._line, keep=True) as session:
            held.set_result(session)
            await self._end.wait()

    def beat(self) -> "asyncio.Future[None]":
        """Send a request, unless the one before waits for its answer still: then that one is the beat."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.get_running_loop().create_task(self._ask())
            self._under_way.add_done_callback(lambda task: task.cancelled() or task.exception())
        return asyncio.shield(self._under_way)

    async def _ask(self) -> None:
        assert self._session is not None, "a beat comes after open"
        before = len(self._line.opened)
        async with await self._web.get(self._session) as response:
            while await response.content.readany():
                pass
        if before and len(self._line.opened) > before:
            raise Ended("the far end closed the connection, and another had to be opened")

    async def close(self) -> None:
        """Give the connection up."""
        self._end.set()
        for task in (self._under_way, self._holding):
            if task is not None:
                task.cancel()
                with suppress(BaseException):
                    await task
