"""Feeds without a socket: whole streams through `BmpFeed`, with compiled code or without it, and what came of them."""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from anycast.observation import Observation
from collector.batch import AttributeTable, schema
from collector.bmp.ids import Numbered
from collector.bmp.session import BmpFeed
from collector.bmp.watch import Watch
from collector.heard import Heard

KEY = b"sixteen octets k"
AT = 1_795_000_000 * 10**9
"""When streams of tests are received, ns."""


def everything(session: object) -> bool:
    """Watch every session whole."""
    return True


@dataclass
class Outcome:
    """All that a feed handed over."""

    feed: BmpFeed
    heard: list[Heard] = field(default_factory=list)

    @property
    def observations(self) -> list[Observation]:
        """Every observation, in order."""
        return [observation for heard in self.heard for observation in heard.observations]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Every row of a table, in order; times as ns, blobs as bytes."""
        batches = [heard.tables[name] for heard in self.heard if name in heard.tables]
        whole = pa.Table.from_batches(batches, schema=schema(name))
        for position, column in enumerate(whole.schema):
            if pa.types.is_timestamp(column.type):
                whole = whole.set_column(position, column.name, whole.column(position).cast(pa.int64()))
        rows: list[dict[str, Any]] = whole.to_pylist()
        return rows

    def take(self) -> None:
        """Take whatever can be taken."""
        while (heard := self.feed.take()) is not None or self.feed.more:
            if heard is not None:
                self.heard.append(heard)


def make(watch: Watch | None = None, *, plain: bool = False, router: str = "edge1") -> Outcome:
    """Make a feed that watches every session whole unless told otherwise; `plain` leaves compiled code out."""
    feed = BmpFeed(router, AttributeTable(KEY), Numbered(), watch or Watch((), everything))
    if plain:
        feed._kernel = _no_kernel
    return Outcome(feed)


def run(
    stream: bytes | Iterable[bytes], watch: Watch | None = None, *, plain: bool = False, at: int = AT, step: int = 0
) -> Outcome:
    """Send a stream through a feed, `step` ns between two chunks, taking after each."""
    outcome = make(watch, plain=plain)
    for number, chunk in enumerate([stream] if isinstance(stream, bytes) else stream):
        outcome.feed.feed(chunk, at + number * step)
        outcome.take()
    return outcome


def cut(stream: bytes, size: int) -> Iterator[bytes]:
    """Cut a stream into chunks."""
    return (stream[start : start + size] for start in range(0, len(stream), size))


def captured(path: Path) -> bytes:
    """Read a BMP stream out of a gzip file, or out of a pcap: TCP payloads in capture order, largest stream."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return max(pcap_streams(path.read_bytes()), key=len)


def pcap_streams(data: bytes) -> list[bytes]:
    """Join the payloads of each TCP four-tuple of a pcap of Ethernet frames, in capture order."""
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    at, streams = 24, dict[bytes, bytes]()
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], "little" if order == "<" else "big")
        key, payload = _payload(data[at + 16 : at + 16 + size])
        streams[key] = streams.get(key, b"") + payload
        at += 16 + size
    return list(streams.values())


def _payload(frame: bytes) -> tuple[bytes, bytes]:
    kind, ip = int.from_bytes(frame[12:14], "big"), 14
    while kind == 0x8100:
        kind, ip = int.from_bytes(frame[ip + 2 : ip + 4], "big"), ip + 4
    if kind == 0x0800:
        tcp, end = ip + 4 * (frame[ip] & 15), ip + int.from_bytes(frame[ip + 2 : ip + 4], "big")
        addresses = frame[ip + 12 : ip + 20]
    elif kind == 0x86DD:
        tcp, end = ip + 40, ip + 40 + int.from_bytes(frame[ip + 4 : ip + 6], "big")
        addresses = frame[ip + 8 : ip + 40]
    else:
        return b"", b""
    return addresses + frame[tcp : tcp + 4], frame[tcp + 4 * (frame[tcp + 12] >> 4) : end]


def _no_kernel(
    buffer: Any,
    start: Any,
    longest: Any,
    marks: Any,
    times: Any,
    peers: Any,
    table: Any,
    rows: Any,
    first: Any,
    work: Any,
    clock: Any,
) -> tuple[Any, Any, int, int, Any]:
    """Frame messages as the kernel does, and leave each of them to the plain decoder."""
    data = buffer[int(start) :].tobytes()
    stop = 0
    if data and data[0] != 3:
        stop = 4
    elif len(data) >= 6:
        size = int.from_bytes(data[1:5], "big")
        stop = 4 if not 6 <= size <= int(longest) else 3 if size <= len(data) else 0
    return np.uint64(start), first, 0, stop, clock
