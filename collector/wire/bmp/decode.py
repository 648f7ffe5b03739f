"""One BMP message, bytes to value (RFC 7854; RFC 8671; RFC 9069; RFC 9736; RFC 9972)."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycast.observation import PeerType
from anycast.prefix import Address
from anycast.route import Asn
from collector.wire.bgp import message as bgp
from collector.wire.bgp.notification import Notification, decode_notification
from collector.wire.bgp.open import Open, decode_open
from collector.wire.bmp.frames import HEADER
from collector.wire.bmp.values import (
    V_FLAG,
    Count,
    Initiation,
    Message,
    MessageType,
    PeerDown,
    PeerDownCode,
    PeerUp,
    PerPeerHeader,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    Tlv,
)
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed

PER_PEER_HEADER: Final = 42
"""Octets of the per-peer header (RFC 7854, 4.2)."""


def decode(frame: bytes) -> Message:
    """Decode one whole message, common header included, as `Framer.feed` returns it.

    Raises Malformed, with the frame as its data, on any other bytes. The UPDATE of a Route Monitoring is cut out and
    not looked into: `collector.wire.bgp.update.decode_update` does that.
    """
    cursor = Cursor(frame, "BMP message")
    version, size, kind = cursor.u8(), cursor.u32(), cursor.u8()
    if version != 3 or size != len(frame):
        raise Malformed(
            f"a version 3 BMP message of {len(frame)} octets says version {version}, {size} octets", 0, frame
        )
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise Malformed(f"BMP message type {kind} is none of 0 to {max(_DECODERS)}", HEADER - 1, frame)
    try:
        return decoder(cursor)
    except Malformed as error:
        raise Malformed(error.reason, cursor.position, frame) from error


def said_name(stream: bytes) -> str:
    """Return the sysName of the Initiation that a stream begins with; empty where it does not, or not all is there."""
    try:
        message = decode(stream[: int.from_bytes(stream[1:5], "big")])
    except Malformed:
        return ""
    return message.name if isinstance(message, Initiation) else ""


def per_peer_header(cursor: Cursor) -> PerPeerHeader:
    """Take the per-peer header; raises Malformed."""
    kind = cursor.u8()
    if kind not in _PEER_TYPES:
        raise cursor.malformed(f"BMP peer type {kind} is none of 0 to {max(_PEER_TYPES)}")
    peer_type, flags, distinguisher = PeerType(kind), cursor.u8(), cursor.u64()
    address = _address(cursor, bool(flags & V_FLAG) and peer_type is not PeerType.LOC_RIB)
    return PerPeerHeader(
        peer_type=peer_type,
        flags=flags,
        distinguisher=distinguisher,
        address=None if peer_type is PeerType.LOC_RIB else address,
        asn=Asn(cursor.u32()),
        identifier=IPv4Address(cursor.take(4)),
        seconds=cursor.u32(),
        microseconds=cursor.u32(),
    )


_PEER_TYPES: Final = frozenset(int(kind) for kind in PeerType)


def _address(cursor: Cursor, ipv6: bool) -> Address:
    octets = cursor.take(16)
    return IPv6Address(octets) if ipv6 else IPv4Address(octets[12:])


def _tlvs(cursor: Cursor) -> Iterator[Tlv]:
    while cursor.remaining:
        yield Tlv(cursor.u16(), cursor.take(cursor.u16()))


def _pdu(cursor: Cursor) -> bytes:
    """One BGP message by its own length; what comes after it is somebody else's."""
    after = cursor.rest()
    size = bgp.size_of(after)
    cursor.back(len(after) - size)
    return after[:size]


def _route_monitoring(cursor: Cursor) -> RouteMonitoring:
    header = per_peer_header(cursor)
    return RouteMonitoring(header, _pdu(cursor), cursor.rest())


def _statistics_report(cursor: Cursor) -> StatisticsReport:
    header, announced = per_peer_header(cursor), cursor.u32()
    sent = tuple(_tlvs(cursor))
    if len(sent) != announced:
        raise cursor.malformed(f"a statistics report announces {announced} statistics and has {len(sent)}")
    return StatisticsReport(
        header,
        tuple(_count(tlv) for tlv in sent if len(tlv.value) in _COUNT_SIZES),
        tuple(tlv for tlv in sent if len(tlv.value) not in _COUNT_SIZES),
    )


_COUNT_SIZES: Final = (4, 8, 11)  # counter, gauge, gauge of one family


def _count(tlv: Tlv) -> Count:
    if len(tlv.value) < 11:
        return Count(tlv.code, int.from_bytes(tlv.value, "big"))
    value = Cursor(tlv.value)
    afi, safi = value.u16(), value.u8()
    return Count(tlv.code, value.u64(), afi, safi)


def _peer_down(cursor: Cursor) -> PeerDown:
    header, code = per_peer_header(cursor), cursor.u8()
    match code:
        case PeerDownCode.LOCAL_NOTIFICATION | PeerDownCode.REMOTE_NOTIFICATION:
            return PeerDown(header, code, notification=_notification(cursor), rest=cursor.rest())
        case PeerDownCode.LOCAL_FSM:
            event = cursor.u16() if cursor.remaining >= 2 else None
            return PeerDown(header, code, fsm_event=event, rest=cursor.rest())
        case PeerDownCode.LOC_RIB_CLOSED:
            return PeerDown(header, code, tlvs=tuple(_tlvs(cursor)))
    return PeerDown(header, code, rest=cursor.rest())


def _notification(cursor: Cursor) -> Notification | None:
    """The BGP message of reasons 1 and 3; routers that have none to show leave it out."""
    if not cursor.remaining:
        return None
    return decode_notification(bgp.body_of(_pdu(cursor), bgp.MessageType.NOTIFICATION))


def _peer_up(cursor: Cursor) -> PeerUp:
    header = per_peer_header(cursor)
    problems: list[str] = []
    return PeerUp(
        header=header,
        local_address=_address(cursor, bool(header.flags & V_FLAG) and header.peer_type is not PeerType.LOC_RIB),
        local_port=cursor.u16(),
        remote_port=cursor.u16(),
        sent=_open(_pdu(cursor), "sent", problems),
        received=_open(_pdu(cursor), "received", problems),
        tlvs=tuple(_trailing_tlvs(cursor, problems)),
        problems=tuple(problems),
    )


def _open(pdu: bytes, which: str, problems: list[str]) -> Open | None:
    """Read one of the two OPENs. One that cannot be read costs its capabilities, not the Peer Up: the peer is up."""
    if len(pdu) == bgp.HEADER:
        problems.append(f"the {which} OPEN is a bare header of {bgp.HEADER} octets")
        return None
    try:
        return decode_open(bgp.body_of(pdu, bgp.MessageType.OPEN))
    except Malformed as error:
        problems.append(f"the {which} OPEN cannot be read: {error}")
        return None


def _trailing_tlvs(cursor: Cursor, problems: list[str]) -> Iterator[Tlv]:
    try:
        yield from _tlvs(cursor)
    except Malformed as error:
        problems.append(f"the information TLVs cannot be read: {error}")
        cursor.rest()


def _initiation(cursor: Cursor) -> Initiation:
    return Initiation(tuple(_tlvs(cursor)))


def _termination(cursor: Cursor) -> Termination:
    return Termination(tuple(_tlvs(cursor)))


def _route_mirroring(cursor: Cursor) -> RouteMirroring:
    return RouteMirroring(per_peer_header(cursor), tuple(_tlvs(cursor)))


_DECODERS: Final[dict[int, Callable[[Cursor], Message]]] = {
    MessageType.ROUTE_MONITORING: _route_monitoring,
    MessageType.STATISTICS_REPORT: _statistics_report,
    MessageType.PEER_DOWN: _peer_down,
    MessageType.PEER_UP: _peer_up,
    MessageType.INITIATION: _initiation,
    MessageType.TERMINATION: _termination,
    MessageType.ROUTE_MIRRORING: _route_mirroring,
}
