"""Route Monitoring of BMP version 4 (draft-ietf-grow-bmp-tlv): the UPDATE is one TLV among others.

Code points are those that FRR of 6WIND sends in November 2025, as the shared captures have them; the draft may still
renumber them, which is why only files are read so, and a live router is asked for version 3. Of the other messages
version 4 changes nothing that is read here; Route Mirroring has not been seen in it, and is not guessed.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from anycast.observation import Rib
from collector.wire.bgp import message as bgp
from collector.wire.bgp.families import Afi
from collector.wire.bgp.open import Capability, Direction
from collector.wire.bmp.decode import decode, per_peer_header
from collector.wire.bmp.frames import HEADER
from collector.wire.bmp.information import Names, information
from collector.wire.bmp.values import Message, MessageType, PerPeerHeader, Tlv, rib_of
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed


class Code(IntEnum):
    """Types of the TLVs of a Route Monitoring."""

    STATELESS_PARSING = 1
    GROUP = 2
    VRF_TABLE_NAME = 3
    BGP_MESSAGE = 4
    PATH_MARKING = 5


NAMES: Final[Names] = {code: code.name.lower().replace("_", "-") for code in Code}


@dataclass(frozen=True, slots=True)
class IndexedTlv:
    """A TLV about one route of the UPDATE, by its index from 1 on, about a group of them, or (index 0) about all."""

    code: int
    index: int
    value: bytes


@dataclass(frozen=True, slots=True)
class IndexedRouteMonitoring:
    """An UPDATE as a view holds it, with what is said of its routes."""

    header: PerPeerHeader
    update: bytes
    """The BGP message, its 19-octet header included."""
    tlvs: tuple[IndexedTlv, ...]
    """In the order of the wire, without that of the BGP message."""
    path_ids: frozenset[Afi] | None
    """Families whose routes carry path ids, as the message itself says; None where it leaves that to the OPENs."""

    @property
    def information(self) -> tuple[dict[str, Any], ...]:
        """The TLVs as a line has them."""
        found = information((Tlv(tlv.code, tlv.value) for tlv in self.tlvs), NAMES)
        return tuple({**shown, "index": tlv.index} for shown, tlv in zip(found, self.tlvs, strict=True))


def decode_version4(frame: bytes) -> Message | IndexedRouteMonitoring:
    """Decode one whole message of version 4, common header included; raises Malformed with the frame as its data."""
    if frame[5] == MessageType.ROUTE_MIRRORING:
        raise Malformed("Route Mirroring of BMP version 4 is not read: nobody has shown one", 5, frame)
    if frame[5] != MessageType.ROUTE_MONITORING:
        return decode(b"\x03" + frame[1:])
    cursor = Cursor(frame, "BMP message of version 4")
    cursor.take(HEADER)
    try:
        return _route_monitoring(per_peer_header(cursor), cursor)
    except Malformed as error:
        raise Malformed(error.reason, cursor.position, frame) from error


def _route_monitoring(header: PerPeerHeader, cursor: Cursor) -> IndexedRouteMonitoring:
    """What follows the per-peer header: exactly one TLV is a whole BGP message."""
    tlvs: list[IndexedTlv] = []
    updates: list[IndexedTlv] = []
    while cursor.remaining:
        code, size = cursor.u16(), cursor.u16()
        tlv = IndexedTlv(code, cursor.u16(), cursor.take(size))
        (updates if code == Code.BGP_MESSAGE else tlvs).append(tlv)
    if len(updates) != 1:
        raise cursor.malformed(f"a Route Monitoring of version 4 has one TLV of a BGP message, not {len(updates)}")
    [update] = updates
    if bgp.size_of(update.value) != len(update.value):
        raise cursor.malformed("the BGP message does not fill its TLV")
    return IndexedRouteMonitoring(header, update.value, tuple(tlvs), _path_ids(header, tlvs))


def _path_ids(header: PerPeerHeader, tlvs: list[IndexedTlv]) -> frozenset[Afi] | None:
    said = [tlv.value for tlv in tlvs if tlv.code == Code.STATELESS_PARSING]
    if not said:
        return None
    view = rib_of(header)
    wanted = Direction.SEND if view in (Rib.ADJ_OUT_PRE, Rib.ADJ_OUT_POST) else Direction.RECEIVE
    if view is Rib.LOC:
        wanted = Direction.SEND | Direction.RECEIVE
    return frozenset(family for value in said for family, way in _capabilities(value) if way & wanted)


def _capabilities(value: bytes) -> list[tuple[Afi, int]]:
    """The families of the ADD-PATH capabilities (RFC 7911, 4) among some capabilities (RFC 5492, 4)."""
    found, cursor = [], Cursor(value, "stateless parsing TLV")
    while cursor.remaining:
        code = cursor.u8()
        inner = cursor.take(cursor.u8())
        if code != Capability.ADD_PATH:
            continue
        if len(inner) % 4:
            raise Malformed("ADD-PATH has 4 octets for each family", 0, value)
        for at in range(0, len(inner), 4):
            found.append((Afi(int.from_bytes(inner[at : at + 2], "big"), inner[at + 2]), inner[at + 3]))
    return found
