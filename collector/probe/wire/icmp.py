"""ICMP and ICMPv6, bytes to value and back (RFC 792, RFC 1191, RFC 4443).

A raw IPv4 socket gives the IP header too, a raw IPv6 socket and a datagram socket do not: `decode_packet` and
`decode_message` are for the two.
"""

import struct
from dataclasses import dataclass
from typing import Final

from collector.probe.wire.checksum import checksum
from collector.probe.wire.ip import IPV4, Header, decode_header
from collector.probe.wire.quoted import Quoted, decode_quoted
from collector.wire.errors import Malformed

HEADER: Final = struct.Struct("!BBHHH")
ECHO_REQUEST: Final = {4: 8, 6: 128}
ECHO_REPLY: Final = {4: 0, 6: 129}
UNREACHABLE: Final = {4: 3, 6: 1}
TIME_EXCEEDED: Final = {4: 11, 6: 3}
PARAMETER_PROBLEM: Final = {4: 12, 6: 4}
TOO_BIG_6: Final = 2
FRAGMENTATION_NEEDED_4: Final = 4
"""Code of UNREACHABLE in IPv4; its next-hop MTU stands in the last two octets of the header (RFC 1191, 4)."""
_ERRORS: Final = {
    4: frozenset((UNREACHABLE[4], TIME_EXCEEDED[4], PARAMETER_PROBLEM[4])),
    6: frozenset((UNREACHABLE[6], TOO_BIG_6, TIME_EXCEEDED[6], PARAMETER_PROBLEM[6])),
}


@dataclass(slots=True)
class Echo:
    """An echo request or reply. Not frozen, as `Header`."""

    reply: bool
    identifier: int
    sequence: int
    payload: bytes
    header: Header | None = None
    """None where the socket did not give it."""


@dataclass(frozen=True, slots=True)
class IcmpError:
    """What a router or a host has against one of our datagrams."""

    version: int
    type: int
    code: int
    mtu: int
    """Of the next hop, where a datagram was too big for it; 0 where it is not said."""
    quoted: Quoted | None
    """None when too little of the datagram came back to know it."""
    header: Header | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """A whole ICMP message of a type that is not for us."""

    type: int


def encode_echo(version: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Encode an echo request. In IPv6 the kernel fills in the checksum, which covers addresses (RFC 3542, 3.1)."""
    kind = ECHO_REQUEST[version]
    head = HEADER.pack(kind, 0, 0, identifier, sequence)
    if version == IPV4:
        head = HEADER.pack(kind, 0, checksum(head + payload), identifier, sequence)
    return head + payload


def decode_packet(packet: bytes) -> Echo | IcmpError | Other:
    """Decode an IPv4 packet with an ICMP message in it; raises Malformed."""
    header = decode_header(packet)
    return decode_message(header.version, packet[header.size :], header)


def decode_message(version: int, message: bytes, header: Header | None = None) -> Echo | IcmpError | Other:
    """Decode an ICMP message of IP `version`; raises Malformed.

    The checksum of IPv4 is verified here, that of IPv6 by the kernel.
    """
    if len(message) < HEADER.size:
        raise Malformed(f"an ICMP message has {HEADER.size} octets at least, this one {len(message)}", 0, message)
    kind, code, _, identifier, sequence = HEADER.unpack_from(message)
    if kind == ECHO_REPLY[version] or kind == ECHO_REQUEST[version]:
        _verify(version, message)
        return Echo(kind == ECHO_REPLY[version], identifier, sequence, message[HEADER.size :], header)
    if kind not in _ERRORS[version]:
        return Other(kind)
    _verify(version, message)
    return IcmpError(version, kind, code, _mtu(version, message), _quoted(message[HEADER.size :]), header)


def _verify(version: int, message: bytes) -> None:
    if version == IPV4 and checksum(message):
        raise Malformed("the checksum of an ICMP message is wrong", 2, message)


def _mtu(version: int, message: bytes) -> int:
    if version == IPV4:
        told = message[0] == UNREACHABLE[4] and message[1] == FRAGMENTATION_NEEDED_4
        return int.from_bytes(message[6:8], "big") if told else 0
    return int.from_bytes(message[4:8], "big") if message[0] == TOO_BIG_6 else 0


def _quoted(octets: bytes) -> Quoted | None:
    try:
        return decode_quoted(octets)
    except Malformed:
        return None  # RFC 792 lets a host send less than it should; the error itself is still one
