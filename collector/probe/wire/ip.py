"""IP headers, bytes to value (RFC 791, 3.1; RFC 8200, 3). Extension headers of IPv6 are not walked: we send none."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from anycast.prefix import Address
from collector.wire.errors import Malformed

IPV4: Final = 4
SHORTEST_4: Final = 20
SIZE_6: Final = 40


@dataclass(slots=True)
class Header:
    """What we need of an IP header. Not frozen, which would be most of an echo's cost; nobody writes to it."""

    version: int
    size: int
    """Octets of the header, options included."""
    ttl: int
    protocol: int
    addresses: bytes
    """Source and destination; addresses are made of them where they are asked for: that costs more than the rest."""
    length: int
    """Octets of the whole packet, as its header says."""

    @property
    def source(self) -> Address:
        """Who sent it."""
        return ip_address(self.addresses[: len(self.addresses) // 2])

    @property
    def destination(self) -> Address:
        """Whom it was for."""
        return ip_address(self.addresses[len(self.addresses) // 2 :])


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
    return Header(4, size, packet[8], packet[9], packet[12:20], int.from_bytes(packet[2:4], "big"))


def _version6(packet: bytes) -> Header:
    if len(packet) < SIZE_6:
        raise Malformed(f"an IPv6 header has {SIZE_6} octets, and {len(packet)} came", 0, packet)
    return Header(6, SIZE_6, packet[7], packet[6], packet[8:40], SIZE_6 + int.from_bytes(packet[4:6], "big"))
