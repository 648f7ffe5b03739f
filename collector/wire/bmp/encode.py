"""BMP messages as bytes, the mirror of `collector.wire.bmp.decode`."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from typing import Any, Final

from anycast.prefix import Address
from collector.wire.bgp.encode import encode_message, encode_notification, encode_open
from collector.wire.bgp.message import MessageType as BgpType
from collector.wire.bgp.open import Open
from collector.wire.bmp.frames import HEADER
from collector.wire.bmp.values import (
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


def encode(message: Message) -> bytes:
    """Encode one whole BMP version 3 message, common header included."""
    kind, write = _WRITERS[type(message)]
    body = write(message)
    return b"\x03" + (HEADER + len(body)).to_bytes(4, "big") + bytes((kind,)) + body


def encode_header(header: PerPeerHeader) -> bytes:
    """Encode the per-peer header, its flags as they stand."""
    return (
        bytes((header.peer_type, header.flags))
        + header.distinguisher.to_bytes(8, "big")
        + _address(header.address or IPv4Address(0))
        + header.asn.to_bytes(4, "big")
        + header.identifier.packed
        + header.seconds.to_bytes(4, "big")
        + header.microseconds.to_bytes(4, "big")
    )


def _address(address: Address) -> bytes:
    return address.packed.rjust(16, b"\0")


def _tlvs(tlvs: Iterable[Tlv]) -> bytes:
    return b"".join(tlv.code.to_bytes(2, "big") + len(tlv.value).to_bytes(2, "big") + tlv.value for tlv in tlvs)


def _route_monitoring(message: RouteMonitoring) -> bytes:
    return encode_header(message.header) + message.update + message.trailing


def _statistics_report(message: StatisticsReport) -> bytes:
    tlvs = (*map(_count, message.counts), *message.opaque)
    return encode_header(message.header) + len(tlvs).to_bytes(4, "big") + _tlvs(tlvs)


def _count(count: Count) -> Tlv:
    """A gauge of one family where it has one, a counter where that is wide enough, else a gauge."""
    if count.afi or count.safi:
        family = count.afi.to_bytes(2, "big") + bytes((count.safi,))
        return Tlv(count.code, family + count.value.to_bytes(8, "big"))
    return Tlv(count.code, count.value.to_bytes(4 if count.value < 1 << 32 else 8, "big"))


def _peer_down(message: PeerDown) -> bytes:
    data = b""
    if message.notification is not None:
        data = encode_message(BgpType.NOTIFICATION, encode_notification(message.notification))
    elif message.code == PeerDownCode.LOCAL_FSM and message.fsm_event is not None:
        data = message.fsm_event.to_bytes(2, "big")
    return encode_header(message.header) + bytes((message.code,)) + data + _tlvs(message.tlvs) + message.rest


def _peer_up(message: PeerUp) -> bytes:
    ports = message.local_port.to_bytes(2, "big") + message.remote_port.to_bytes(2, "big")
    opens = _open(message.sent) + _open(message.received)
    return encode_header(message.header) + _address(message.local_address) + ports + opens + _tlvs(message.tlvs)


def _open(value: Open | None) -> bytes:
    """An OPEN, or its bare header where there is none to show, as some routers send it."""
    return encode_message(BgpType.OPEN, b"" if value is None else encode_open(value))


def _information(message: Initiation | Termination) -> bytes:
    return _tlvs(message.tlvs)


def _route_mirroring(message: RouteMirroring) -> bytes:
    return encode_header(message.header) + _tlvs(message.tlvs)


_WRITERS: Final[dict[type[Message], tuple[MessageType, Callable[[Any], bytes]]]] = {
    RouteMonitoring: (MessageType.ROUTE_MONITORING, _route_monitoring),
    StatisticsReport: (MessageType.STATISTICS_REPORT, _statistics_report),
    PeerDown: (MessageType.PEER_DOWN, _peer_down),
    PeerUp: (MessageType.PEER_UP, _peer_up),
    Initiation: (MessageType.INITIATION, _information),
    Termination: (MessageType.TERMINATION, _information),
    RouteMirroring: (MessageType.ROUTE_MIRRORING, _route_mirroring),
}
