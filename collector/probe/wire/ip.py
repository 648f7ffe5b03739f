"""IP headers, bytes to value (RFC 791, 3.1; RFC 8200, 3). Extension headers of IPv6 are not walked: we send none."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycast.prefix import Address
from collector.wire.errors import Malformed

IPV4: Final = 4
SHORTEST_4: Final = 20
SIZE_6: Final = 40


@dataclass(frozen=True, slots=True)
class Header:
    """What we need of an IP header."""

    version: int
    size: int
    """Octets of the header, options included."""
    ttl: int
    protocol: int
    source: Address
    destination: Address
    length: int
    """Octets of the whole packet, as its header says."""


def decode_header(packet: bytes) -> Header:
    """Decode the header that a packet begins with; raises Malformed."""
    if not packet:
        raise Malformed("a packet of no octets has no IP header")
    if packet[0] >> 4 == IPV4:
        return _version4(packet)
    if packet[0] >> 4 == 6:
        return _version6(packet)
    raise Malformed(f"an IP packet is of version 4 or 6, not {packet[0] >> 4}", 0, packet)


def _version4(packet: bytes) -> Header:
    size = (packet[0] & 15) * 4
    if size < SHORTEST_4 or len(packet) < size:
        raise Malformed(f"an IPv4 header says {size} octets where {len(packet)} came", 0, packet)
    source, destination = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    return Header(4, size, packet[8], packet[9], source, destination, int.from_bytes(packet[2:4], "big"))


def _version6(packet: bytes) -> Header:
    if len(packet) < SIZE_6:
        raise Malformed(f"an IPv6 header has {SIZE_6} octets, and {len(packet)} came", 0, packet)
    source, destination = IPv6Address(packet[8:24]), IPv6Address(packet[24:40])
    return Header(6, SIZE_6, packet[7], packet[6], source, destination, SIZE_6 + int.from_bytes(packet[4:6], "big"))
