"""Packet captures as the BMP streams that were on the wire, at the times of their packets.

Each connection on which a router spoke BMP is put together and cut into messages. As at the station, a second
connection of an exporter takes over with its first message. A connection that the capture has from its middle on only,
or of which it lacks octets, is joined in its middle there: what was sent unseen is unknown.
"""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from anycast.prefix import Address
from collector.recorded.moment import Moment, What
from collector.recorded.mrt import Passed
from collector.wire.bmp.values import MessageType
from collector.wire.cutting import Cutter, Damaged, Piece
from collector.wire.errors import Malformed
from collector.wire.feeds import BGP, BMP
from collector.wire.mrt.records import Readable
from collector.wire.pcap.conversations import LIMITS, begins
from collector.wire.pcap.files import packets
from collector.wire.pcap.fragments import Segments
from collector.wire.pcap.packets import FIN, RST, SYN, End, Segment
from collector.wire.pcap.tcp import Direction, Flow, Gap

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Named = Callable[[Address], str | None]
"""The exporter that sends from an address; None for one that is passed over."""


@dataclass(slots=True)
class _Line:
    """What one end of a connection sends."""

    direction: Direction = field(default_factory=Direction)
    begun: bool = False
    """Its SYN was captured, and nothing is missing since."""
    unknown: bytes = b""
    looked: int = 0
    """Octets of it in which BMP was looked for."""
    cutter: Cutter | None = None
    """None until it has been recognised as BMP."""
    lacks: str = ""
    """Why it was lost, until its next message; empty while it is whole."""
    over: bool = False
    """It is no BMP, was closed, or another connection took over."""


def pcap_moments(files: Iterable[Readable], named: Named, passed: Passed) -> Iterator[Moment]:
    """Yield the moments of (uncompressed) pcap or pcapng files that follow each other.

    Times are those of the packets and never go back. What is damaged, and where octets lack, is counted in `passed`.
    """
    lines, segments, clock = _Lines(named, passed), Segments(), 0
    for file in files:
        try:
            for packet in packets(file):
                if isinstance(packet, Damaged):
                    passed.damaged += 1
                    continue
                clock = clock if packet.time is None else max(clock, (packet.time - _EPOCH) // _MICROSECOND * 1_000)
                part = segments.take(packet)
                if isinstance(part, Segment):
                    yield from lines.take(part, packet.time, clock)
        except Malformed:
            passed.damaged += 1  # what came before it counts
    yield from lines.end(clock)


def bmp_speakers(file: Readable) -> tuple[Address, ...]:
    """Return the addresses from which BMP was spoken in a capture, in the order in which they began."""
    names: dict[str, Address] = {}

    def named(address: Address) -> str:
        names[str(address)] = address
        return str(address)

    opened = (moment.exporter for moment in pcap_moments((file,), named, Passed()) if moment.what is What.OPEN)
    return tuple(names[name] for name in dict.fromkeys(opened))


class _Lines:
    """The connections of captures that are followed."""

    def __init__(self, named: Named, passed: Passed) -> None:
        self._named, self._passed = named, passed
        self._lines: OrderedDict[tuple[End, End], _Line] = OrderedDict()
        self._current: dict[str, _Line] = {}

    def take(self, part: Segment, at: datetime | None, clock: int) -> Iterator[Moment]:
        """Take the next segment."""
        back = self._lines.get((part.target, part.source))
        if back is not None and part.flags & RST:
            yield from self._close(back, part.target, "reset", clock)
        elif back is not None and part.acknowledged is not None:
            yield from self._flow(back, part.target, back.direction.acknowledge(part.acknowledged, at), clock)
        if self._named(part.source[0]) is None:
            return
        line = yield from self._line(part, clock)
        if part.flags & SYN:
            if not line.direction.busy:
                line.begun = True
                yield from self._flow(line, part.source, line.direction.syn(part.sequence, part.payload), clock)
        elif part.payload:
            yield from self._flow(line, part.source, line.direction.add(part.sequence, part.payload, at), clock)
        if part.flags & FIN:
            line.direction.fin((part.sequence + len(part.payload) + part.lost) & 0xFFFFFFFF)
        if part.flags & RST or line.direction.ended:
            yield from self._close(line, part.source, "reset" if part.flags & RST else "closed", clock)

    def end(self, clock: int) -> Iterator[Moment]:
        """The captures end: what waits behind gaps is all that there is."""
        for (source, _), line in self._lines.items():
            yield from self._finish(line, source, clock)

    def _line(self, part: Segment, clock: int) -> Generator[Moment, None, _Line]:
        """Return the line of a segment; a SYN of another connection ends the one between the same ends."""
        ends = part.source, part.target
        line = self._lines.pop(ends, None)
        if line is not None and part.flags & SYN and line.direction.busy and not line.direction.began(part.sequence):
            yield from self._close(line, part.source, "followed by another", clock)
            line = None
        self._lines[ends] = line = line or _Line()
        if len(self._lines) > LIMITS.streams:
            self._lines.popitem(last=False)
        return line

    def _flow(self, line: _Line, source: End, flow: Iterator[Flow], clock: int) -> Iterator[Moment]:
        for item in flow:
            if line.over:
                continue
            if isinstance(item, Gap):
                yield from self._gap(line, source, item, clock)
            elif line.cutter is not None:
                yield from self._cut(line, source, line.cutter.feed(item), clock)
            else:
                yield from self._recognised(line, source, line.unknown + item, clock)

    def _finish(self, line: _Line, source: End, clock: int) -> Iterator[Moment]:
        """No more of it will come."""
        yield from self._flow(line, source, line.direction.finish(), clock)
        if line.unknown:
            yield from self._recognised(line, source, line.unknown, clock, final=True)

    def _gap(self, line: _Line, source: End, gap: Gap, clock: int) -> Iterator[Moment]:
        line.begun, line.unknown, line.looked = False, b"", 0
        if line.cutter is not None:
            size = "an unknown number of" if gap.size is None else gap.size
            line.lacks = f"the capture lacks {size} octets of it"
            self._passed.damaged += 1
            yield from self._cut(line, source, line.cutter.torn(line.lacks), clock)
            yield from self._lost(line, source, line.lacks, clock)

    def _recognised(self, line: _Line, source: End, data: bytes, clock: int, final: bool = False) -> Iterator[Moment]:
        line.unknown = data
        searching = False
        if begins(BGP, data):
            line.over = True
        elif begins(BMP, data):
            line.cutter = Cutter(BMP, strict=False, live=True)
        elif not line.begun and (
            final or len(data) - line.looked >= len(data) >> 7
        ):  # not at each of a host of segments
            line.looked = len(data)
            if any(not isinstance(piece, Damaged) for piece in _sought().feed(data)):
                line.cutter, searching = _sought(), True
        if line.cutter is None and len(data) >= LIMITS.look:
            line.over = True
        if line.over or line.cutter is not None:
            line.unknown = b""
        if line.cutter is not None:
            pieces = line.cutter.feed(data)
            whole = (piece for piece in pieces if not isinstance(piece, Damaged)) if searching else pieces
            yield from self._cut(line, source, whole, clock)

    def _cut(self, line: _Line, source: End, pieces: Iterator[Piece], clock: int) -> Iterator[Moment]:
        exporter = self._named(source[0])
        assert exporter is not None, "only lines of exporters are followed"
        octets = b""
        for piece in pieces:
            if isinstance(piece, Damaged):
                if octets:
                    yield Moment(clock, exporter, What.OCTETS, octets)
                    octets = b""
                if not line.lacks:
                    self._passed.damaged += 1
                    line.lacks = piece.reason
                    yield from self._lost(line, source, piece.reason, clock)
                continue
            if self._current.get(exporter) is not line:
                yield from self._open(line, exporter, piece.data, clock)
            octets += piece.data
        if octets:
            yield Moment(clock, exporter, What.OCTETS, octets)

    def _open(self, line: _Line, exporter: str, first: bytes, clock: int) -> Iterator[Moment]:
        before = self._current.get(exporter)
        if before is not None:
            before.over = True
        self._current[exporter], line.lacks = line, ""
        yield Moment(clock, exporter, What.OPEN)
        if first[5] != MessageType.INITIATION:
            yield Moment(clock, exporter, What.MIDWAY)

    def _close(self, line: _Line, source: End, how: str, clock: int) -> Iterator[Moment]:
        yield from self._finish(line, source, clock)
        yield from self._lost(line, source, f"the connection was {how}", clock)
        line.over = True

    def _lost(self, line: _Line, source: End, why: str, clock: int) -> Iterator[Moment]:
        exporter = self._named(source[0])
        if exporter is not None and self._current.get(exporter) is line:
            del self._current[exporter]
            yield Moment(clock, exporter, What.LOST, detail=why)


def _sought() -> Cutter:
    return Cutter(BMP, strict=False, live=True, searching=True)
