"""What a packet tap needs to know of TCP and BGP, and no more: written for the lab's witnesses alone.

A witness that shared a decoder with what it checks would share its errors, so nothing here is Catchment's collector.
Messages are found by their marker; one that is cut by the end of a segment is looked at as far as it goes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

FIN, SYN, RST = 0x01, 0x02, 0x04
BGP_PORT = 179
UPDATE, NOTIFICATION, KEEPALIVE = 2, 3, 4
CEASE = 6  # RFC 4486
AS_PATH, LOCAL_PREF = 2, 5
BMP_INITIATION = 4
_MARKER = b"\xff" * 16


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment over IPv4."""

    source: IPv4Address
    target: IPv4Address
    source_port: int
    target_port: int
    flags: int
    payload: bytes

    def between(self, one: IPv4Address, other: IPv4Address) -> bool:
        """Whether it goes from one of the two to the other."""
        return {self.source, self.target} == {one, other}

    @property
    def bgp(self) -> bool:
        """Whether one of its ports is BGP's."""
        return BGP_PORT in (self.source_port, self.target_port)


def segment(packet: bytes) -> Segment | None:
    """Read an IPv4 packet without its link layer; None for what is not TCP, or not whole."""
    if len(packet) < 40 or packet[0] >> 4 != 4 or packet[9] != 6:
        return None
    start = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4], "big") or len(packet)  # 0 where the kernel left it to a large-segment card
    tcp = packet[start:total]
    if len(tcp) < 20:
        return None
    source_port, target_port = struct.unpack_from("!HH", tcp)
    source, target = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    return Segment(source, target, source_port, target_port, tcp[13], tcp[(tcp[12] >> 4) * 4 :])


@dataclass(frozen=True, slots=True)
class Message:
    """One BGP message: its type, and what follows the 19 octets of its header."""

    kind: int
    body: bytes


def messages(payload: bytes) -> Iterator[Message]:
    """Find the BGP messages of a segment."""
    at = payload.find(_MARKER)
    while at >= 0 and len(payload) >= at + 19:
        length = int.from_bytes(payload[at + 16 : at + 18], "big")
        yield Message(payload[at + 18], payload[at + 19 : at + length])
        at = payload.find(_MARKER, at + max(length, 19))


@dataclass(frozen=True, slots=True)
class Update:
    """An UPDATE's IPv4 unicast part."""

    withdrawn: tuple[IPv4Network, ...]
    attributes: dict[int, bytes]
    """Attribute type to value."""
    announced: tuple[IPv4Network, ...]

    def hops(self, asn: int) -> int:
        """How many times an AS stands in the path (4-octet AS numbers)."""
        path, found = self.attributes.get(AS_PATH, b""), 0
        while len(path) >= 2:
            end = 2 + path[1] * 4
            found += sum(number == asn for (number,) in struct.iter_unpack("!I", path[2 : end - (end - 2) % 4]))
            path = path[end:]
        return found

    @property
    def local_pref(self) -> int | None:
        """LOCAL_PREF; None where there is none."""
        value = self.attributes.get(LOCAL_PREF)
        return int.from_bytes(value, "big") if value is not None else None


def update(body: bytes) -> Update:
    """Read the body of an UPDATE, as far as it goes."""
    withdrawn_end = 2 + int.from_bytes(body[:2], "big")
    attributes_end = withdrawn_end + 2 + int.from_bytes(body[withdrawn_end : withdrawn_end + 2], "big")
    return Update(
        tuple(_prefixes(body[2:withdrawn_end])),
        dict(_attributes(body[withdrawn_end + 2 : attributes_end])),
        tuple(_prefixes(body[attributes_end:])),
    )


def _prefixes(data: bytes) -> Iterator[IPv4Network]:
    while data and data[0] <= 32:
        end = 1 + (data[0] + 7) // 8
        address = int.from_bytes(data[1:end].ljust(4, b"\0"), "big")
        yield IPv4Network((address, data[0]), strict=False)
        data = data[end:]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 3:
        start = 4 if data[0] & 0x10 else 3
        end = start + int.from_bytes(data[2:start], "big")
        yield data[1], data[start:end]
        data = data[end:]


def updates(payload: bytes) -> Iterator[Update]:
    """Find the UPDATEs of a segment."""
    return (update(message.body) for message in messages(payload) if message.kind == UPDATE)
