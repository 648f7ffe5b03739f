"""BMP of many exporters, each message behind the binary header of OpenBMP's collector (docs of its Kafka API, 1.7).

RouteViews and CAIDA publish such streams; saved to a file they are these headers and messages one after the other.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from collector.wire.bmp.elements import Feed, skipped
from collector.wire.cursor import Cursor
from collector.wire.cutting import Cutter, Damaged, Framing, Piece
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.mrt.records import CHUNK, Readable

MAGIC: Final = b"OBMP"
LONGEST: Final = (1 << 20) + (1 << 12)
ROUTERS: Final = 65_536
"""Exporters that are told apart in one file; those of the longest silence are forgotten beyond it."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BMP_RAW: Final = 12


def looks_like_openbmp(start: bytes) -> bool:
    """Whether the first octets of a file are those of such a stream."""
    return start[:4] == MAGIC


def _size(data: bytearray, at: int) -> int | str:
    if data[at : at + 4] != MAGIC:
        return "an OpenBMP message begins with OBMP"
    size = int.from_bytes(data[at + 6 : at + 8], "big") + int.from_bytes(data[at + 8 : at + 12], "big")
    return size if 12 <= size <= LONGEST else f"an OpenBMP message is 12 to {LONGEST} octets long, not {size}"


OPENBMP: Final = Framing("OpenBMP message", 12, _size, re.compile(rb"(?=OBMP.{8})", re.DOTALL), lambda *_: True)


def openbmp_elements(file: Readable) -> Iterator[Element]:
    """Yield the elements of an (uncompressed) file; raises Malformed where reading it does, after what came before."""
    cutter, routers = Cutter(OPENBMP), dict[bytes, Feed]()
    failure = None
    try:
        while chunk := file.read(CHUNK):
            for piece in cutter.feed(chunk):
                yield from _told(piece, routers)
    except Malformed as error:
        failure = error
    for piece in cutter.end():
        yield from _told(piece, routers)
    if failure is not None:
        raise failure


def _told(piece: Piece, routers: dict[bytes, Feed]) -> Iterator[Element]:
    if isinstance(piece, Damaged):
        yield skipped(Element(ElementType.MALFORMED), piece.reason, piece.offset, piece.raw)
        return
    try:
        at, key, address, message = _header(piece.data)
    except Malformed as error:
        yield skipped(Element(ElementType.MALFORMED), error.reason, piece.offset, piece.data)
        return
    feed = routers.pop(key, None) or Feed(address)
    routers[key] = feed
    if len(routers) > ROUTERS:
        del routers[next(iter(routers))]
    yield from feed.elements(message, at, piece.offset)


def _header(data: bytes) -> tuple[datetime, bytes, str, bytes]:
    """Time of the collector, hash and address of the router, and the BMP message."""
    cursor = Cursor(data, "OpenBMP header")
    cursor.take(4)
    major = cursor.u8()
    cursor.u8()
    header = cursor.u16()
    cursor.u32()
    flags, kind = cursor.u8(), cursor.u8()
    if major != 1 or kind != _BMP_RAW or not flags & 0x80:
        raise cursor.malformed(f"an OpenBMP message of version {major} and type {kind} is no raw BMP of a router")
    at = _EPOCH + timedelta(seconds=cursor.u32(), microseconds=cursor.u32())
    cursor.take(16)
    cursor.take(cursor.u16())
    key, raw = cursor.take(16), cursor.take(16)
    address = str(IPv6Address(raw) if flags & 0x40 else IPv4Address(raw[:4]))
    return at, key, address, data[header:]
