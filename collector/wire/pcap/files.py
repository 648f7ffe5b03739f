"""Capture files, pcap and pcapng, cut into packets. Formats: tcpdump's pcap-savefile(5), and the pcapng draft (opsawg).

Both orders of octets, micro- and nanoseconds; packet times are cut to microseconds, which is what elements have.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final, Literal

from collector.wire.cutting import Cutter, Damaged, Framing, Piece
from collector.wire.errors import Malformed
from collector.wire.mrt.records import CHUNK, Readable

LONGEST: Final = 1 << 20
"""The longest packet we read, with its header. Captures hold up to 262,144 octets of one (tcpdump's default)."""

Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured packet."""

    time: datetime | None
    """None where the file does not say (a simple packet block of pcapng)."""
    link: int
    """What its first header is: a LINKTYPE of tcpdump.org."""
    data: bytes
    offset: int
    """Of its record in the (decompressed) file."""


_MAGICS: Final[dict[bytes, tuple[Order, int, int]]] = {
    b"\xd4\xc3\xb2\xa1": ("little", 1, 16),
    b"\xa1\xb2\xc3\xd4": ("big", 1, 16),
    b"\x4d\x3c\xb2\xa1": ("little", 1000, 16),
    b"\xa1\xb2\x3c\x4d": ("big", 1000, 16),
    b"\x34\xcd\xb2\xa1": ("little", 1, 24),  # an old libpcap of Linux distributions, with the interface of each packet
    b"\xa1\xb2\xcd\x34": ("big", 1, 24),
}
"""How a pcap file begins: order of octets, parts of a microsecond in which it counts, octets in front of a packet."""

_SECTION: Final = b"\x0a\x0d\x0d\x0a"  # the same in both orders
_ORDERS: Final[dict[bytes, Order]] = {b"\x4d\x3c\x2b\x1a": "little", b"\x1a\x2b\x3c\x4d": "big"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def looks_like_capture(start: bytes) -> bool:
    """Whether the first octets of a file are those of a pcap or pcapng file."""
    return start[:4] in _MAGICS or (start[:4] == _SECTION and start[8:12] in _ORDERS)


def packets(file: Readable) -> Iterator[Packet | Damaged]:
    """Yield the packets of an (uncompressed) capture file, in order; `collector.wire.cutting` has the rule for damage.

    Raises Malformed where the file ends inside its own header, and where reading it raises that.
    """
    start = b""
    while len(start) < 24 and (more := file.read(24 - len(start))):
        start += more
    if start[:4] == _SECTION:
        blocks = _Blocks()
        yield from _read(file, start, Cutter(_BLOCKS), blocks.packets, 0)
        return
    if len(start) < 24:
        raise Malformed(f"a pcap file begins with a header of 24 octets; {len(start)} are here", 0, start)
    order, parts, front = _MAGICS[start[:4]]
    link = int.from_bytes(start[20:24], order) & 0xFFFF  # the high octets tell of a frame check sequence

    def one(piece: Piece, at: int) -> Iterator[Packet | Damaged]:
        if isinstance(piece, Damaged):
            yield replace(piece, offset=at)
        else:
            yield Packet(_time(piece.data, order, parts), link, piece.data[front:], at)

    yield from _read(file, b"", Cutter(_RECORDS[order, front]), one, 24)


def _read(
    file: Readable,
    ahead: bytes,
    cutter: Cutter,
    told: Callable[[Piece, int], Iterator[Packet | Damaged]],
    before: int,
) -> Iterator[Packet | Damaged]:
    """Read to the end; where reading raises, what is held is yielded first."""
    failure = None
    try:
        for chunk in chain([ahead], iter(lambda: file.read(CHUNK), b"")):
            for piece in cutter.feed(chunk):
                yield from told(piece, before + piece.offset)
    except Malformed as error:
        failure = error
    for piece in cutter.end():
        yield from told(piece, before + piece.offset)
    if failure is not None:
        raise failure


def _time(raw: bytes, order: Order, parts: int) -> datetime:
    seconds, fraction = int.from_bytes(raw[:4], order), int.from_bytes(raw[4:8], order)
    return _EPOCH + timedelta(seconds=seconds, microseconds=fraction // parts)


def _records(order: Order, front: int) -> Framing:
    def size(data: bytearray, at: int) -> int | str:
        held, sent = int.from_bytes(data[at + 8 : at + 12], order), int.from_bytes(data[at + 12 : at + 16], order)
        if held + front > LONGEST:
            return f"a packet of {held} octets is longer than {LONGEST - front}"
        if held > sent and sent:
            return f"a packet of {sent} octets cannot have {held} captured"
        return front + held

    def sound(data: bytearray, at: int, size: int) -> bool:
        """An IPv4 header at the least, as much sent as captured, and the next packet not a month away."""
        seconds = (int.from_bytes(data[here : here + 4], order) for here in (at, at + size))
        near = at + size >= len(data) or abs(next(seconds) - next(seconds)) < 30 * 86_400
        return near and size >= front + 20 and int.from_bytes(data[at + 12 : at + 16], order) >= size - front

    small = rb"..[\0-\x0f]\0" if order == "little" else rb"\0[\0-\x0f].."
    parts = rb"...[\0-\x3b]" if order == "little" else rb"[\0-\x3b]..."
    start = re.compile(rb"(?=...." + parts + small + small + rb")", re.DOTALL)
    return Framing("packet", front, size, start, sound)


_RECORDS: Final = {(order, front): _records(order, front) for order, _, front in _MAGICS.values()}


def _block_order(data: bytes | bytearray, at: int) -> Order:
    """A block does not say its order; its type is a small number, or a private one with only the top bit beside it."""
    if data[at : at + 4] == _SECTION:
        return _ORDERS.get(bytes(data[at + 8 : at + 12]), "little")
    little = int.from_bytes(data[at : at + 4], "little")
    return "little" if little & 0x7FFFFFFF < 1 << 16 else "big"


def _block_size(data: bytearray, at: int) -> int | str:
    order = _block_order(data, at)
    kind, size = int.from_bytes(data[at : at + 4], order), int.from_bytes(data[at + 4 : at + 8], order)
    if data[at : at + 4] != _SECTION and not 0 < kind & 0x7FFFFFFF < 1 << 16:
        return f"no pcapng block is of type {kind}"
    if size % 4 or not 12 <= size <= LONGEST:
        return f"a pcapng block is 12 to {LONGEST} octets long, and a multiple of 4; not {size}"
    return size


def _block_sound(data: bytearray, at: int, size: int) -> bool:
    return data[at + 4 : at + 8] == data[at + size - 4 : at + size]


_BLOCKS: Final = Framing(
    "pcapng block",
    12,
    _block_size,
    re.compile(rb"(?=(?:[\x01-\x0a]\0\0\0|\0\0\0[\x01-\x0a]|\x0a\x0d\x0d\x0a)........)", re.DOTALL),
    _block_sound,
)


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    unit: int = 1_000_000
    """Parts of a second in which its times count."""
    shift: int = 0
    """Seconds to add."""


@dataclass
class _Blocks:
    """The interfaces of a pcapng section, to which its packets point."""

    order: Order = "little"
    interfaces: list[_Interface] = field(default_factory=list)

    def packets(self, piece: Piece, offset: int) -> Iterator[Packet | Damaged]:
        if isinstance(piece, Damaged):
            yield piece
            return
        block = piece.data
        if block[:4] == _SECTION:
            self.order, self.interfaces = _block_order(block, 0), []
            return
        kind, body = int.from_bytes(block[:4], self.order), block[8:-4]
        try:
            yield from self._block(kind, body, offset)
        except Malformed as error:
            yield Damaged(f"{error.reason}; the block is passed over", offset, block[:4096], len(block))

    def _block(self, kind: int, body: bytes, offset: int) -> Iterator[Packet]:
        if kind == 1:
            self.interfaces.append(self._interface(body))
        elif kind == 6 and len(body) >= 20:
            yield self._timed(self._number(body, 0), body, offset)
        elif kind == 2 and len(body) >= 20:  # the obsolete packet block: interface and drops count have two octets each
            yield self._timed(int.from_bytes(body[:2], self.order), body, offset)
        elif kind == 3 and len(body) >= 4:
            held = min(self._number(body, 0), len(body) - 4)
            yield Packet(None, self._of(0).link, body[4 : 4 + held], offset)
        elif kind in (2, 3, 6):
            raise Malformed(f"a pcapng block of type {kind} cannot be {len(body) + 12} octets long")

    def _number(self, body: bytes, at: int) -> int:
        return int.from_bytes(body[at : at + 4], self.order)

    def _of(self, index: int) -> _Interface:
        if index >= len(self.interfaces):
            raise Malformed(f"a packet of interface {index}, where {len(self.interfaces)} are described before it")
        return self.interfaces[index]

    def _timed(self, index: int, body: bytes, offset: int) -> Packet:
        interface = self._of(index)
        ticks = self._number(body, 4) << 32 | self._number(body, 8)
        held = self._number(body, 12)
        if held > len(body) - 20:
            raise Malformed(f"a packet of {held} octets in a block that has room for {len(body) - 20}")
        seconds, rest = divmod(ticks, interface.unit)
        micros = rest * 1_000_000 // interface.unit
        try:
            time = _EPOCH + timedelta(seconds=seconds + interface.shift, microseconds=micros)
        except OverflowError:
            raise Malformed(f"a packet time of {seconds} seconds is no time") from None
        return Packet(time, interface.link, body[20 : 20 + held], offset)

    def _interface(self, body: bytes) -> _Interface:
        unit, shift, at = 1_000_000, 0, 8
        while at + 4 <= len(body):
            code = int.from_bytes(body[at : at + 2], self.order)
            size = int.from_bytes(body[at + 2 : at + 4], self.order)
            value = body[at + 4 : at + 4 + size]
            if code == 9 and value:  # if_tsresol: a power of ten, or of two where the top bit is set
                power = value[0] & 0x7F
                unit = 2 ** min(power, 63) if value[0] & 0x80 else 10 ** min(power, 18)
            if code == 14:  # if_tsoffset
                shift = int.from_bytes(value[:8], self.order, signed=True)
            at += 4 + size + -size % 4
        return _Interface(int.from_bytes(body[:2], self.order), unit, shift)
