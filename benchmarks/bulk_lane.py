"""How fast the bulk lane is, and how late a watched UPDATE gets while another router dumps a full table.

    python -m benchmarks.bulk_lane [--routes 1000000] [--repeats 5] [--json]

Four figures on one seeded stream: the kernel alone; a feed with everything around it (columns, interned attributes,
Arrow, watch filter), without a socket; a station over TCP on loopback, socket to `on_heard`, with the sender in a
process of its own; and the time from writing a watched UPDATE to a socket until `on_heard` has it, idle and during
dumps.
"""

import argparse
import asyncio
import json
import platform
import socket
import subprocess
import sys
import tempfile
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import numpy as np

from anycast.observation import Announced
from collector.batch import AttributeTable
from collector.bmp.allow import Allow
from collector.bmp.ids import Numbered
from collector.bmp.session import BmpFeed
from collector.bmp.station import Station
from collector.bmp.warm import warm
from collector.bmp.watch import Watch
from collector.heard import Heard
from tests.collector.bmp import streams

KEY = bytes(16)
READ = 64 << 10
"""Octets of one read of a socket."""
WATCHED = [ip_network(f"10.250.{number}.0/24") for number in range(16)]


def stream_of(routes: int, seed: int) -> bytes:
    """Build a feed: Initiation, Peer Up, and a table."""
    return b"".join((streams.initiation(), streams.peer_up(), *streams.table(routes, seed)))


def kernel_rate(stream: bytes, routes: int) -> float:
    """Routes a second of compiled code alone: frames, UPDATEs, attributes, columns."""
    feed = BmpFeed("big", AttributeTable(KEY), Numbered(), Watch())
    for start in range(0, len(stream), READ):
        feed.feed(stream[start : start + READ], time.time_ns())
    spent = 0.0
    kernel = feed._kernel

    def timed(*arguments: Any) -> Any:
        nonlocal spent
        before = time.perf_counter()
        answer = kernel(*arguments)
        spent += time.perf_counter() - before
        return answer

    feed._kernel = timed
    while feed.take() is not None:
        pass
    assert feed.counted().routes == routes
    return routes / spent


def feed_rate(stream: bytes, routes: int) -> tuple[float, float]:
    """Routes a second of a whole feed, and its longest slice in ms."""
    feed = BmpFeed("big", AttributeTable(KEY), Numbered(), Watch(WATCHED))
    begun = time.perf_counter()
    for start in range(0, len(stream), READ):
        feed.feed(stream[start : start + READ], time.time_ns())
    longest, rows, before = 0.0, 0, begun
    while (heard := feed.take()) is not None:
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
        rows += heard.tables["routes"].num_rows if "routes" in heard.tables else 0
    assert rows == routes
    return routes / (time.perf_counter() - begun), longest * 1000


async def send_elsewhere(port: int, routes: int, source: str) -> None:
    """Send the stream from a process of its own, as fast as the socket takes it."""
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.bulk_lane", "--send", str(port), "--routes", str(routes), "--source", source
    )
    try:
        await sender.wait()
    finally:
        if sender.returncode is None:
            sender.kill()
            await sender.wait()


def send(port: int, routes: int, source: str) -> None:
    """Be that process."""
    stream = stream_of(routes, 1)
    with socket.create_connection(("127.0.0.1", port), source_address=(source, 0)) as connection:
        connection.sendall(stream)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


class Listening:
    """A station and what its `on_heard` saw of it."""

    def __init__(self) -> None:
        allow = Allow([(ip_network("127.0.0.1/32"), "small"), (ip_network("127.0.0.2/32"), "big")])
        spool = Path(tempfile.gettempdir())
        self.station = Station(allow, Watch(WATCHED), Numbered(), self.on_heard, key=KEY, spool=spool)
        self.rows = 0
        self.first = self.last = 0.0
        self.arrived: asyncio.Queue[float] = asyncio.Queue()

    def on_heard(self, heard: Heard) -> None:
        """Count rows, and note when a watched route came."""
        now = time.perf_counter()
        if heard.router == "big" and "routes" in heard.tables:
            self.first = self.first or heard.at.timestamp()
            self.rows += heard.tables["routes"].num_rows
            self.last = time.time()
        if heard.router == "small" and any(isinstance(seen, Announced) for seen in heard.observations):
            self.arrived.put_nowait(now)


async def socket_rate(routes: int) -> float:
    """Routes a second from the first octet read to the last hand-over."""
    listening = Listening()
    await listening.station.start()
    _, port = await listening.station.serve(("127.0.0.1", 0))
    sending = asyncio.create_task(send_elsewhere(port, routes, "127.0.0.2"))
    async with asyncio.timeout(60):
        while listening.rows < routes:
            await asyncio.sleep(0.01)
    await listening.station.close()
    await sending
    return routes / (listening.last - listening.first)


async def latencies(repeats: int, routes: int) -> list[float]:
    """ms from the write of a watched UPDATE to its hand-over, `routes` > 0: while another router dumps again and
    again."""
    listening = Listening()
    await listening.station.start()
    _, port = await listening.station.serve(("127.0.0.1", 0))
    _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.1", 0))
    writer.write(streams.initiation() + streams.peer_up())
    dumps = asyncio.create_task(_dumps(port, routes)) if routes else None
    taken: list[float] = []
    while len(taken) < repeats:
        if dumps is not None and not _pouring(listening):
            await asyncio.sleep(0.005)
            continue
        prefix = WATCHED[len(taken) % len(WATCHED)]
        before = time.perf_counter()
        writer.write(streams.announce(str(prefix), asns=(65001, 64512 + len(taken) % 1000)))
        taken.append((await listening.arrived.get() - before) * 1000)
        await asyncio.sleep(0.02)
    if dumps is not None:
        dumps.cancel()
        await asyncio.gather(dumps, return_exceptions=True)
    writer.close()
    await listening.station.close()
    return taken


def _pouring(listening: Listening) -> bool:
    return time.time() - listening.last < 0.05


async def _dumps(port: int, routes: int) -> None:
    while True:
        await send_elsewhere(port, routes, "127.0.0.2")


def measure(routes: int, repeats: int) -> dict[str, Any]:
    """Take every figure."""
    warm()
    stream = stream_of(routes, 1)
    for _ in range(2):  # the first run also grows the heap
        kernel = kernel_rate(stream, routes)
        feed, longest = feed_rate(stream, routes)
    idle = asyncio.run(latencies(repeats, 0))
    busy = asyncio.run(latencies(repeats, routes))
    return {
        "routes": routes,
        "octets": len(stream),
        "kernel_routes_per_second": round(kernel),
        "feed_routes_per_second": round(feed),
        "feed_longest_slice_ms": round(longest, 2),
        "socket_routes_per_second": round(asyncio.run(socket_rate(routes))),
        "idle_latency_ms": _spread(idle),
        "latency_during_dumps_ms": _spread(busy),
        "machine": f"{platform.machine()}, {_processor()}, Python {platform.python_version()}",
    }


def _spread(values: list[float]) -> dict[str, float]:
    shares = (("p50", 50), ("p99", 99), ("max", 100))
    return {"n": len(values)} | {name: round(float(np.percentile(values, share)), 2) for name, share in shares}


def _processor() -> str:
    answer = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    found = [line.partition(":")[2].strip() for line in answer.splitlines() if line.startswith("Model name")]
    return found[0] if found else platform.processor()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--routes", type=int, default=1_000_000)
    options.add_argument("--repeats", type=int, default=200)
    options.add_argument("--json", action="store_true")
    options.add_argument("--send", type=int, metavar="PORT", help="only send a table to a station on this port")
    options.add_argument("--source", default="127.0.0.2")
    given = options.parse_args()
    if given.send:
        send(given.send, given.routes, given.source)
        return
    figures = measure(given.routes, given.repeats)
    if given.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value:,}" if isinstance(value, int) else f"{name:28} {value}")


if __name__ == "__main__":
    main()
