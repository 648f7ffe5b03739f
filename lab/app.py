"""The application of a region: it says who answered, over HTTP and over UDP, and nothing else.

    python -m lab.app --region weu --nva weu-nva1 --instance app1 --http 8080 --udp 3112

HTTP/1.1: `GET /.well-known/anycast-id`. UDP: a request of at least `HEADER.size` octets, whose first four are `MAGIC`,
is answered with its own header, two times and the identity. A reply is never longer than its request, so nobody can
be flooded through it; whatever else arrives is dropped without a word. SIGTERM and SIGINT end it.
"""

import argparse
import asyncio
import json
import operator
import random
import signal
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

PATH = "/.well-known/anycast-id"
BULK = "/throughput"
"""Where a client downloads as much as it is let."""
BULK_OCTETS = 4_000_000
MAGIC = b"ANYC"
HEADER = struct.Struct("!4sBBH8sIQ")
"""Magic, version, flags, flow, session, sequence number, time sent (ns since the epoch by the sender's clock)."""
TIMES = struct.Struct("!QQ")
"""Time received and time answered, ns since the epoch by the application's clock."""
LONGEST_HEAD = 8192  # what Apache and nginx allow for one request line and its headers
IDLE_SECONDS = 75.0  # nginx' default for a kept connection


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers."""

    region: str
    nva: str
    """The NVA that this process answers behind; the same host may run one process for each."""
    app: str
    generation: str = "1"

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The identity as HTTP headers."""
        return (
            ("X-Anycast-Region", self.region),
            ("X-Anycast-NVA", self.nva),
            ("X-Anycast-App", self.app),
            ("X-Anycast-Generation", self.generation),
        )

    @property
    def text(self) -> str:
        """The identity as UDP replies carry it."""
        return "|".join((self.region, self.nva, self.app, self.generation))


@dataclass(frozen=True, slots=True)
class Trouble:
    """What ails the application."""

    slow: float = 0.0
    """Seconds before each answer over HTTP."""
    failing: float = 0.0
    """The part of the answers over HTTP that are 503, 0 to 1."""

    @property
    def strikes(self) -> bool:
        """Whether this answer is a failure."""
        return self.failing > random.random()


WELL = Trouble()


def respond(request: bytes, identity: Identity, fails: bool = False) -> tuple[bytes, bool]:
    """Return the response to one request head (up to its empty line), and whether the connection is kept."""
    line, _, rest = request.decode("latin-1").partition("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _response("400 Bad Request", {"error": "the request line is not METHOD PATH HTTP/1.x"}, identity), False
    method, path, version = words
    if method not in ("GET", "HEAD"):
        return _response("405 Method Not Allowed", {"error": f"{method} is not GET or HEAD"}, identity), False
    if path == BULK and method == "GET":
        return _bulk(identity), _kept(version, rest)
    if path.partition("?")[0] != PATH:
        return _response("404 Not Found", {"error": f"only {PATH} is here"}, identity, method), _kept(version, rest)
    if fails:
        return _response("503 Service Unavailable", {"error": "as ordered"}, identity, method), _kept(version, rest)
    return _response("200 OK", asdict(identity), identity, method), _kept(version, rest)


def _bulk(identity: Identity) -> bytes:
    fields = (*identity.headers, ("Content-Type", "application/octet-stream"), ("Content-Length", str(BULK_OCTETS)))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 200 OK\r\n{head}\r\n".encode("latin-1") + bytes(BULK_OCTETS)


def _kept(version: str, headers: str) -> bool:
    fields = (line.partition(":") for line in headers.split("\r\n"))
    wish = next((value.strip().lower() for name, _, value in fields if name.strip().lower() == "connection"), "")
    return wish == "keep-alive" if version == "HTTP/1.0" else wish != "close"


def _response(status: str, value: dict[str, str], identity: Identity, method: str = "GET") -> bytes:
    body = json.dumps(value).encode() + b"\n"
    fields = (
        *identity.headers,
        ("Content-Type", "application/json"),
        ("Cache-Control", "no-store"),
        ("Content-Length", str(len(body))),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + (b"" if method == "HEAD" else body)


def request(session: bytes, sequence: int, at: int, size: int = 200, flow: int = 0) -> bytes:
    """Return a UDP request of `size` octets; the reply can be no longer than that."""
    return HEADER.pack(MAGIC, 1, 0, flow, session, sequence, at).ljust(size, b"\0")


def reply(datagram: bytes, identity: Identity, received: int, now: int) -> bytes | None:
    """Return the answer to a UDP request, cut to the request's own length; None for what is not a request."""
    if len(datagram) < HEADER.size or not datagram.startswith(MAGIC):
        return None
    name = identity.text.encode()[:255]
    whole = datagram[: HEADER.size] + TIMES.pack(received, now) + bytes([len(name)]) + name
    return whole[: len(datagram)]


def identity_of(answer: bytes) -> Identity | None:
    """Return who sent a UDP reply; None where it is no reply or was cut before the end of the identity."""
    start = HEADER.size + TIMES.size
    if not answer.startswith(MAGIC) or len(answer) <= start:
        return None
    name = answer[start + 1 : start + 1 + answer[start]]
    parts = name.decode("ascii", "replace").split("|")
    return Identity(*parts) if len(name) == answer[start] and len(parts) == 4 else None


class _Echo(asyncio.DatagramProtocol):
    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # asyncio's own class does not inherit from it

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        received = time.time_ns()
        answer = reply(data, self._identity, received, time.time_ns())
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, address)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, identity: Identity, trouble: Callable[[], Trouble]
) -> None:
    try:
        kept = True
        while kept:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
            now = trouble()
            answer, kept = respond(head, identity, now.strikes)
            if now.slow:
                await asyncio.sleep(now.slow)
            writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ConnectionError):
        pass  # the client has left, fell asleep, or does not speak HTTP: its connection ends, ours is the next one
    finally:
        writer.close()


async def serve(
    identity: Identity,
    http: int,
    udp: int,
    stop: asyncio.Event,
    bind: str = "0.0.0.0",
    trouble: Callable[[], Trouble] = lambda: WELL,
) -> None:
    """Answer on both ports until `stop` is set, as `trouble` lets us. Raises OSError where a port cannot be had."""
    open_now: set[asyncio.StreamWriter] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        await _converse(reader, writer, identity, trouble)
        open_now.discard(writer)

    server = await asyncio.start_server(converse, bind, http, limit=LONGEST_HEAD)
    echo, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Echo(identity), local_addr=(bind, udp))
    try:
        await stop.wait()
    finally:
        server.close()
        echo.close()
        for writer in open_now:
            writer.close()
        await asyncio.sleep(0)  # the loop closes them on its next turn


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    identity = Identity(options.region, options.nva, options.instance, options.generation)
    ails = [read_trouble(options.trouble)]
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGHUP, lambda: operator.setitem(ails, 0, read_trouble(options.trouble))
    )
    await serve(identity, options.http, options.udp, stop, options.bind, lambda: ails[0])


def read_trouble(path: Path | None) -> Trouble:
    """Read what ails us from a file of JSON; nothing does where there is none."""
    if path is None or not path.exists():
        return WELL
    return Trouble(**json.loads(path.read_text()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m lab.app", description="Say who answered, over HTTP and UDP.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--nva", required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--generation", default="1")
    parser.add_argument("--http", type=int, required=True, metavar="PORT")
    parser.add_argument("--udp", type=int, required=True, metavar="PORT")
    parser.add_argument("--trouble", type=Path, metavar="FILE", help="what ails it, in JSON; read again on SIGHUP")
    parser.add_argument("--bind", default="0.0.0.0", metavar="ADDRESS")
    asyncio.run(_run(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
