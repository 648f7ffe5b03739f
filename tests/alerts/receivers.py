"""Receivers for tests: real HTTP servers on loopback, well behaved or not."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """One POST as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def key(self) -> str:
        return self.headers["idempotency-key"]


@dataclass
class Receiver:
    """A server that notes every request and then does what it is told to."""

    behave: Behaviour
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def keys(self) -> list[str]:
        return [request.key for request in self.requests]

    async def until(self, count: int, within: float = 10) -> None:
        """Wait for so many requests."""
        async with asyncio.timeout(within):
            while len(self.requests) < count:
                self.arrived.clear()
                await self.arrived.wait()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Request(head[0], headers, body))
            self.arrived.set()
            await self.behave(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def receiver(behave: Behaviour) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port."""
    running = Receiver(behave)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None
        await asyncio.sleep(0)


def answers(status: int, *headers: str, body: bytes = b"") -> Behaviour:
    """Answer with a status, headers and a body."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        head = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'No'}", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join([*head, "", ""]).encode() + body)
        await writer.drain()

    return behave


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Do each once, and then the last for ever."""
    left = list(behaviours)

    async def behave(writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(writer)

    return behave


async def hang(writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing until the other side gives up."""
    await _gone(writer)


async def reset(writer: asyncio.StreamWriter) -> None:
    """Send RST instead of an answer."""
    writer.transport.abort()


async def closes(writer: asyncio.StreamWriter) -> None:
    """Close without an answer."""


async def slow_body(writer: asyncio.StreamWriter) -> None:
    """Accept at once, and then never finish the body."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n.")
    await writer.drain()
    await _gone(writer)


def huge_body(taken: list[int]) -> Behaviour:
    """Accept, and then send without end for as long as anybody takes it; note the size of each piece taken."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"." * 65536)
            await writer.drain()
            taken.append(65536)

    return behave


async def nonsense(writer: asyncio.StreamWriter) -> None:
    """Answer in a language of its own."""
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def huge_header(writer: asyncio.StreamWriter) -> None:
    """Answer with a header that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        writer.write(b"." * 65536)
        await writer.drain()


async def _gone(writer: asyncio.StreamWriter) -> None:
    while not writer.transport.is_closing():
        await asyncio.sleep(0.02)
