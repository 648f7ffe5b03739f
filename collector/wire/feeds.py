"""Streams of BMP and of BGP, octets to elements, also where they begin in the middle or have gaps."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from anycast.observation import DownReason, Rib
from anycast.prefix import Address
from collector.wire.bgp import message as bgp
from collector.wire.bgp.context import context_of
from collector.wire.bgp.elements import update_elements
from collector.wire.bgp.notification import decode_notification
from collector.wire.bgp.open import Open, decode_open
from collector.wire.bgp.update import decode_update
from collector.wire.bmp.elements import Feed, skipped
from collector.wire.bmp.frames import HEADER, LONGEST, Framer
from collector.wire.bmp.values import MessageType
from collector.wire.cutting import Cutter, Damaged, Framing, Piece
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed

_SPOKEN: Final = {3: LONGEST, 4: 1 << 14}
"""Versions that are read in files (a live station takes version 3 alone), and their longest message: of version 4 none
of more than 300 octets was seen, and a 4 in the middle of anything must not pass for a long one."""


def _bmp_size(data: bytearray, at: int) -> int | str:
    size = int.from_bytes(data[at + 1 : at + 5], "big")
    if HEADER <= size <= _SPOKEN.get(data[at], 0):
        return size
    if data[at] == 4:
        return f"a BMP message of version 4, a draft, is {HEADER} to {_SPOKEN[4]} octets long here, not {size}"
    framer = Framer()  # knows the other versions, and what to say of those that are not spoken
    framer.feed(bytes(data[at : at + HEADER]))
    return size if framer.failure is None else framer.failure.reason.partition(" (octet ")[0]


def _bmp_sound(data: bytearray, at: int, size: int) -> bool:
    """What RFC 7854 fixes of a message beyond its common header; the UPDATE of version 4 stands anywhere behind it."""
    kind, body = data[at + 5], at + HEADER
    if data[at] == 4 and kind in (MessageType.INITIATION, MessageType.TERMINATION):
        return _filled(data, body, at + size)
    if data[at] == 4 and kind == MessageType.ROUTE_MONITORING:
        return data.find(bgp.MARKER, body + 42, at + size) >= 0
    if data[at] not in _SPOKEN or kind in (MessageType.INITIATION, MessageType.TERMINATION):
        first = int.from_bytes(data[body + 2 : body + 4], "big")
        return size == HEADER or HEADER + 4 + first <= size
    message = {MessageType.ROUTE_MONITORING: body + 42, MessageType.PEER_UP: body + 62}.get(MessageType(kind))
    if message is not None:
        return data[message : message + 16] == bgp.MARKER and message + bgp.HEADER <= at + size
    return size > HEADER + 42 and data[body] <= 3 and int.from_bytes(data[body + 38 : body + 42], "big") < 1_000_000


def _filled(data: bytearray, at: int, end: int) -> bool:
    """Whether TLVs fill [at, end): version 4 is rare, and a 4 in the middle of something is not."""
    while at + 4 <= end:
        at += 4 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at == end


BMP: Final = Framing(
    "BMP message",
    HEADER,
    _bmp_size,
    re.compile(rb"(?=\x03\0[\0-\x10]..[\0-\x06]|\x04\0[\0-\x10]..[\0\x03])", re.DOTALL),
    _bmp_sound,
)

_LEAST: Final = {1: 29, 2: 23, 3: 21, 4: 19, 5: 23}  # octets of the shortest BGP message of each type


def _bgp_size(data: bytearray, at: int) -> int | str:
    if data[at : at + 16] != bgp.MARKER:
        return "the marker of a BGP message is sixteen octets of all ones (RFC 4271, 4.1)"
    size = int.from_bytes(data[at + 16 : at + 18], "big")
    return size if size >= bgp.HEADER else f"a BGP message has at least {bgp.HEADER} octets, not {size}"


def _bgp_sound(data: bytearray, at: int, size: int) -> bool:
    return size >= _LEAST.get(data[at + 18], 1 << 16)


BGP: Final = Framing(
    "BGP message", bgp.HEADER, _bgp_size, re.compile(rb"(?=\xff{16}..[\x01-\x05])", re.DOTALL), _bgp_sound
)


def spoken_elsewhere(data: bytes) -> bool:
    """Whether it is BMP of a version that is not spoken here, which is then said of it."""
    if data[0] == 1:  # no length (draft-ietf-grow-bmp-01): a per-peer header, and the BGP message behind it
        return data[1:2] == b"\0" and data[44:60] == bgp.MARKER
    return int.from_bytes(data[1:5], "big") < LONGEST and data[5] <= 6


class BmpStream:
    """One exporter's octets. `live` and `searching` as in `collector.wire.cutting`."""

    def __init__(self, router: str = "", live: bool = False, searching: bool = False) -> None:
        why = "the stream begins inside a BMP message" if searching else ""
        self._cutter = Cutter(BMP, strict=False, live=live, searching=searching, why=why)
        self._feed = Feed(router)

    @property
    def pending(self) -> int:
        """Octets that are held."""
        return self._cutter.pending

    def feed(self, data: bytes, at: datetime | None = None, place: int | None = None) -> Iterator[Element]:
        """Take octets; `place` is where they stand in a file that has other things too."""
        return self._told(self._cutter.feed(data), at, place)

    def torn(self, why: str, at: datetime | None = None, place: int | None = None) -> Iterator[Element]:
        """Octets are missing from here on."""
        return self._told(self._cutter.torn(why), at, place)

    def end(self, at: datetime | None = None, place: int | None = None) -> Iterator[Element]:
        """The stream ends."""
        return self._told(self._cutter.end(), at, place)

    def now(self, at: datetime | None) -> Element:
        """Whom it is about, and when, as the start of an element."""
        return Element(ElementType.MALFORMED, at, router=self._feed.router)

    def _told(self, pieces: Iterator[Piece], at: datetime | None, place: int | None) -> Iterator[Element]:
        for piece in pieces:
            offset = piece.offset if place is None else place
            if isinstance(piece, Damaged):
                yield skipped(self.now(at), piece.reason, offset, piece.raw)
            else:
                yield from self._feed.elements(piece.data, at, offset)


@dataclass
class BgpSession:
    """What both sides of a session have said so far."""

    opens: dict[object, Open] = field(default_factory=dict)


class BgpStream:
    """What one side of a BGP session sends, as the other side hears it: Adj-RIB-In, pre-policy."""

    def __init__(self, session: BgpSession, sender: Address, hearer: Address, key: object, other: object) -> None:
        self._cutter = Cutter(
            BGP, strict=False, live=True, searching=True, why="the capture begins inside a BGP message"
        )
        self._session, self._key, self._other = session, key, other
        self._seen = Element(ElementType.STATE, router=str(hearer), peer=sender, rib=str(Rib.ADJ_IN_PRE))
        self._up = False
        self._doubted = False

    @property
    def pending(self) -> int:
        """Octets that are held."""
        return self._cutter.pending

    def feed(self, data: bytes, at: datetime | None, place: int | None) -> Iterator[Element]:
        """Take octets."""
        return self._told(self._cutter.feed(data), at, place)

    def torn(self, why: str, at: datetime | None, place: int | None) -> Iterator[Element]:
        """Octets are missing from here on."""
        return self._told(self._cutter.torn(why), at, place)

    def end(self, at: datetime | None, place: int | None) -> Iterator[Element]:
        """The connection ends, or nothing more was captured of it."""
        return self._told(self._cutter.end(), at, place)

    def closed(self, at: datetime | None) -> Iterator[Element]:
        """The connection was closed, and no NOTIFICATION said why."""
        if self._up:
            self._up = False
            yield replace(self.now(at), state="down", reason=str(DownReason.REMOTE_CLOSED))

    def now(self, at: datetime | None) -> Element:
        """Whom it is about, and when, as the start of an element."""
        said = self._session.opens.get(self._key)
        return replace(self._seen, time=at, peer_asn=None if said is None else said.asn)

    def _told(self, pieces: Iterator[Piece], at: datetime | None, place: int | None) -> Iterator[Element]:
        for piece in pieces:
            if isinstance(piece, Damaged):
                yield skipped(self.now(at), piece.reason, place, piece.raw)
                continue
            try:
                yield from self._message(piece.data[18], piece.data[bgp.HEADER :], at, place)
            except Malformed as error:
                yield skipped(self.now(at), error.reason, place, piece.data)

    def _message(self, kind: int, body: bytes, at: datetime | None, place: int | None) -> Iterator[Element]:
        opens = self._session.opens
        match kind:
            case bgp.MessageType.OPEN:
                opens[self._key] = decode_open(body)
            case bgp.MessageType.KEEPALIVE:
                if len(opens) == 2 and not self._up:
                    self._up = True
                    hold = min(side.hold_time for side in opens.values())
                    yield replace(self.now(at), state="up", hold_time=hold)
            case bgp.MessageType.UPDATE:
                yield from self._update(body, at, place)
            case bgp.MessageType.NOTIFICATION:
                self._up = False
                why = str(decode_notification(body))
                yield replace(self.now(at), state="down", reason=str(DownReason.REMOTE_NOTIFICATION), detail=why)
            case bgp.MessageType.ROUTE_REFRESH:
                return
            case _:
                raise Malformed(f"a BGP message is of type 1 to 5, not {kind}")

    def _update(self, body: bytes, at: datetime | None, place: int | None) -> Iterator[Element]:
        opens = self._session.opens
        if len(opens) < 2 and not self._doubted:
            self._doubted = True
            reason = "the capture lacks the OPENs of this session; its UPDATEs are read without path ids"
            yield replace(self.now(at), type=ElementType.NOTE, detail=reason, offset=place)
        hearer, sender = opens.get(self._other), opens.get(self._key)
        narrow = len(opens) == 2 and not all(side.four_octet_as for side in opens.values())
        context = replace(context_of(Rib.ADJ_IN_PRE, narrow, hearer, sender), bare=False)
        yield from update_elements(decode_update(body, context), self.now(at), context.add_path)
