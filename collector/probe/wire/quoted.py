"""The datagram of ours that an ICMP error quotes: its header and eight octets at least (RFC 792; RFC 1812, 4.3.2.3)."""

import struct
from dataclasses import dataclass
from typing import Final

from anycast.prefix import Address
from collector.probe.wire.ip import decode_header
from collector.wire.errors import Malformed

WORDS: Final = struct.Struct("!HHHH")
"""A UDP header, and as many octets of what any router quotes."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What came back of a datagram that we sent."""

    protocol: int
    """17 is UDP, 6 TCP, 1 and 58 ICMP."""
    source: Address
    destination: Address
    first: int
    """Our port; of ICMP, type and code."""
    second: int
    """Their port; of ICMP, the checksum."""
    third: int
    """The UDP length; of ICMP, the identifier."""
    fourth: int
    """The UDP checksum; of ICMP echo, the sequence number."""
    payload: bytes
    """As much as was quoted of what follows these eight octets; often nothing."""
    size: int
    """Octets of the whole packet that we sent, as its header said."""


def decode_quoted(octets: bytes) -> Quoted:
    """Decode what follows the eight octets of an ICMP error's header; raises Malformed."""
    header = decode_header(octets)
    end = header.size + WORDS.size
    if len(octets) < end:
        raise Malformed(
            f"an ICMP error quotes {WORDS.size} octets after the IP header, not {len(octets) - header.size}"
        )
    first, second, third, fourth = WORDS.unpack_from(octets, header.size)
    return Quoted(
        header.protocol, header.source, header.destination, first, second, third, fourth, octets[end:], header.length
    )
