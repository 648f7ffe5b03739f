"""TCP connections of a capture: put together, recognised by their octets, told of or passed over with a count."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Final

from collector.wire.bmp.elements import skipped
from collector.wire.cutting import Cutter, Framing, Whole
from collector.wire.element import Element, ElementType
from collector.wire.feeds import BGP, BMP, BgpSession, BgpStream, BmpStream, spoken_elsewhere
from collector.wire.pcap.packets import FIN, RST, SYN, End, Segment
from collector.wire.pcap.tcp import Direction, Flow, Gap


@dataclass(frozen=True, slots=True)
class Limits:
    """What following the connections of a capture may take."""

    look: int = 1 << 17
    """Octets of a connection, captured from its middle on, in which BMP or BGP is looked for."""
    streams: int = 4096
    """Connections followed at once; the one that was silent the longest makes room, other protocols first."""
    held: int = 64 << 20
    """Octets that all connections together may hold: behind gaps, and as unfinished messages."""


LIMITS: Final = Limits()


class Side:
    """What one end of a connection sends."""

    def __init__(self, session: BgpSession, source: End, target: End, look: int) -> None:
        self.direction = Direction()
        self.name = f"{_named(source)} > {_named(target)}"
        self._session, self._source, self._target = session, source, target
        self._unknown = b""
        self._look = look
        self._looked = 0
        self._begun = False
        self.stream: BmpStream | BgpStream | None = None
        self.other = False
        """It is neither BMP nor BGP, as far as could be seen."""
        self.passed = 0
        """Octets of it that were passed over, for that reason."""

    @property
    def held(self) -> int:
        """Octets that are held for it."""
        return self.direction.held + len(self._unknown) + (self.stream.pending if self.stream is not None else 0)

    def syn(self, part: Segment, at: datetime | None, place: int) -> Iterator[Element]:
        """The connection begins, and with it the first message."""
        self._begun = True
        yield from self.take(self.direction.syn(part.sequence, part.payload), at, place)

    def take(self, flow: Iterator[Flow], at: datetime | None, place: int) -> Iterator[Element]:
        """Take what the direction hands out."""
        for item in flow:
            if isinstance(item, Gap):
                yield from self._gap(item, at, place)
            elif self.stream is not None:
                yield from self.stream.feed(item, at, place)
            elif self.other:
                self.passed += len(item)
            else:
                yield from self._recognised(self._unknown + item, at, place)

    def end(self, at: datetime | None, place: int) -> Iterator[Element]:
        """The connection ends, or nothing more was captured of it."""
        yield from self.take(self.direction.finish(), at, place)
        if self.stream is None and self._unknown:
            yield from self._recognised(self._unknown, at, place, final=True)
            self.passed += len(self._unknown)
            self._unknown, self._looked = b"", 0
        if self.stream is not None:
            yield from self.stream.end(at, place)

    def closed(self, at: datetime | None) -> Iterator[Element]:
        """This end has closed the connection."""
        if isinstance(self.stream, BgpStream):
            yield from self.stream.closed(at)

    def _gap(self, gap: Gap, at: datetime | None, place: int) -> Iterator[Element]:
        self._begun = False
        self.passed += len(self._unknown)
        self._unknown, self._looked = b"", 0
        if self.stream is None:
            return
        size = "an unknown number of" if gap.size is None else str(gap.size)
        yield skipped(self.stream.now(at), f"the capture lacks {size} octets of {self.name}", place, b"")
        yield from self.stream.torn(f"the message is torn by a gap in {self.name}", at, place)

    def _recognised(self, data: bytes, at: datetime | None, place: int, final: bool = False) -> Iterator[Element]:
        """Tell what it is. From its beginning on, the first octets decide; in the middle, what follows on what."""
        self._unknown = data
        found: BmpStream | BgpStream | None = None
        if begins(BGP, data):
            found = self._bgp()
        elif begins(BMP, data):
            found = BmpStream(str(self._source[0]), live=True)
        elif not self._begun and (final or len(data) * 7 // 8 >= self._looked):  # not at each of many small segments
            self._looked = len(data)
            if any(
                isinstance(piece, Whole) for piece in Cutter(BMP, strict=False, live=True, searching=True).feed(data)
            ):
                found = BmpStream(str(self._source[0]), live=True, searching=True)
            elif _speaks_bgp(data):
                found = self._bgp()
        if found is not None:
            self.stream, self._unknown = found, b""
            yield from found.feed(data, at, place)
        elif len(data) >= self._look or (self._begun and len(data) >= BGP.header and not _may_begin(data)):
            self.other, self.passed, self._unknown = True, self.passed + len(data), b""

    def _bgp(self) -> BgpStream:
        return BgpStream(self._session, self._source[0], self._target[0], self._source, self._target)


def _may_begin(data: bytes) -> bool:
    """Whether these octets can be the beginning of a message of BMP, or of BGP, of which more is to come."""
    start = bytearray(data[:84])
    size = BGP.size(start, 0)
    if not isinstance(size, str):
        return len(data) < min(size, 84)
    return not isinstance(BMP.size(start, 0), str) and data[5] <= 6


def begins(framing: Framing, data: bytes) -> bool:
    """Whether the octets begin with a message, as far as its first ones can tell."""
    if len(data) < framing.header:
        return False
    start = bytearray(data[:84])  # as much of it as anybody looks at
    size = framing.size(start, 0)
    if framing is BMP and data[0] in (1, 4) and isinstance(size, str):
        return spoken_elsewhere(data)
    return not isinstance(size, str) and len(data) >= min(size, 84) and framing.sound(start, 0, size)


def _speaks_bgp(data: bytes) -> bool:
    """Whether BGP messages follow each other up to the end. Alone, or as a pair of OPENs, they may stand in BMP."""
    start = BGP.start.search(data)
    if start is None:
        return False
    kinds, at, held = [], start.start(), bytearray(data)
    while len(data) - at >= BGP.header:
        size = BGP.size(held, at)
        if isinstance(size, str) or not BGP.sound(held, at, size):
            return False
        kinds.append(data[at + 18])
        at += size
    return len(kinds) > 1 and kinds != [1, 1] and data[at : at + 16] == b"\xff" * len(data[at : at + 16])


def _named(end: End) -> str:
    address, port = end
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


@dataclass
class Conversation:
    """One connection: both its sides, by their ends."""

    sides: dict[End, Side]

    @property
    def told(self) -> bool:
        """Whether it is one of BMP or BGP."""
        return any(side.stream is not None for side in self.sides.values())

    @property
    def held(self) -> int:
        """Octets that are held for it."""
        return sum(side.held for side in self.sides.values())


Key = frozenset[End]


@dataclass
class Passed:
    """What was passed over, for the note at the end."""

    streams: int = 0
    octets: int = 0
    repeated: int = 0
    room: int = 0
    """Connections closed to make room for others."""


@dataclass
class Conversations:
    """The connections of one capture that are followed now."""

    limits: Limits = LIMITS
    passed: Passed = field(default_factory=Passed)
    _followed: OrderedDict[Key, Conversation] = field(default_factory=OrderedDict)
    _others: OrderedDict[Key, Conversation] = field(default_factory=OrderedDict)
    _held: int = 0

    def take(self, part: Segment, at: datetime | None, place: int) -> Iterator[Element]:
        """Take the next segment of the capture; yields what it completes."""
        key = frozenset((part.source, part.target))
        talk = self._followed.pop(key, None) or self._others.pop(key, None)
        if talk is not None and _begins_anew(talk.sides[part.source], part):
            yield from self._close(talk, at, place)
            talk = None
        if talk is None:
            session = BgpSession()
            ends = (part.source, part.target), (part.target, part.source)
            talk = Conversation({one: Side(session, one, other, self.limits.look) for one, other in ends})
        before = talk.held
        yield from _taken(talk, part, at, place)
        (self._followed if talk.told else self._others)[key] = talk
        self._held += talk.held - before
        if self._held > self.limits.held:
            yield from self._lighten(key, at, place)
        if len(self._followed) + len(self._others) > max(1, self.limits.streams):
            yield from self._make_room(key, at, place)

    def end(self, at: datetime | None, place: int) -> Iterator[Element]:
        """The capture ends."""
        for talks in (self._followed, self._others):
            while talks:
                yield from self._close(talks.popitem(last=False)[1], at, place)

    def _close(self, talk: Conversation, at: datetime | None, place: int) -> Iterator[Element]:
        self._held -= talk.held
        for side in talk.sides.values():
            yield from side.end(at, place)
            self.passed.octets += side.passed
            self.passed.repeated += side.direction.repeated
        self.passed.streams += not talk.told and any(side.passed for side in talk.sides.values())

    def _lighten(self, key: Key, at: datetime | None, place: int) -> Iterator[Element]:
        """Too much is held: what this connection holds is given up, for it is the one that holds more now."""
        talk = self._followed.pop(key, None) or self._others.pop(key)
        names = " and ".join(side.name for side in talk.sides.values())
        why = f"connections hold more than {self.limits.held} octets: what was held of {names} is given up"
        yield skipped(Element(ElementType.MALFORMED, at), why, place, b"")
        yield from self._close(talk, at, place)

    def _make_room(self, key: Key, at: datetime | None, place: int) -> Iterator[Element]:
        """More connections than are followed: the one that was silent the longest is closed, but not this one."""
        gone = next(one for one in chain(self._others, self._followed) if one != key)
        talk = self._others.pop(gone, None) or self._followed.pop(gone)
        self.passed.room += 1
        if talk.told:
            names = " and ".join(side.name for side in talk.sides.values())
            why = f"more than {self.limits.streams} connections: {names}, silent the longest, is not followed any more"
            yield skipped(Element(ElementType.MALFORMED, at), why, place, b"")
        yield from self._close(talk, at, place)


def _begins_anew(side: Side, part: Segment) -> bool:
    """Whether a SYN opens another connection between the same ends; it may have been captured late."""
    return bool(part.flags & SYN) and side.direction.busy and not side.direction.began(part.sequence)


def _taken(talk: Conversation, part: Segment, at: datetime | None, place: int) -> Iterator[Element]:
    side, back = talk.sides[part.source], talk.sides[part.target]
    direction = side.direction
    if part.flags & SYN:
        if not direction.busy:
            yield from side.syn(part, at, place)
    elif part.payload:
        yield from side.take(direction.add(part.sequence, part.payload, at), at, place)
    if part.acknowledged is not None and not part.flags & RST:
        yield from back.take(back.direction.acknowledge(part.acknowledged, at), at, place)
    if part.flags & FIN:
        direction.fin((part.sequence + len(part.payload) + part.lost) & 0xFFFFFFFF)
    if part.flags & RST or direction.ended:
        for one in (side, back) if part.flags & RST else (side,):
            yield from one.end(at, place)
        yield from side.closed(at)
