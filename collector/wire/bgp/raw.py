"""A list of path attributes cut into its TLVs (RFC 4271, 4.3), and the canonical form of such a list.

The canonical form is what the collector compares, interns and stores: the attributes' own bytes in the order of the
wire, with two exceptions. MP_UNREACH_NLRI is left out, and MP_REACH_NLRI is cut to AFI, SAFI, next hop length and next
hop, behind flags 0x80 and a 1-octet length. So two UPDATEs that say the same of different prefixes have equal blobs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.wire.bgp.attributes import EXTENDED_LENGTH, OPTIONAL, Code, name_of
from collector.wire.bgp.reach import LONGEST_NEXT_HOP
from collector.wire.errors import Malformed


@dataclass(frozen=True, slots=True)
class RawAttribute:
    """One attribute as sent."""

    flags: int
    code: int
    value: bytes
    raw: bytes
    """Header included."""

    @property
    def canonical(self) -> bytes:
        """Its part of the canonical form; raises Malformed for an MP_REACH_NLRI without a whole next hop."""
        match self.code:
            case Code.MP_UNREACH_NLRI:
                return b""
            case Code.MP_REACH_NLRI:
                return _cut(self.value)
        return self.raw


def raw_attributes(data: bytes) -> Iterator[RawAttribute]:
    """Yield the attributes of a list; raises Malformed where an attribute overruns it (RFC 7606, 4)."""
    position, end = 0, len(data)
    while position < end:
        header = 4 if data[position] & EXTENDED_LENGTH else 3
        if end - position < header:
            raise Malformed("the path attributes end inside an attribute's header", position, data)
        flags, code = data[position], data[position + 1]
        size = int.from_bytes(data[position + 2 : position + header], "big")
        after = position + header + size
        if after > end:
            left = end - position - header
            raise Malformed(f"{name_of(code)} claims {size} octets where {left} are left", position, data)
        yield RawAttribute(flags, code, data[position + header : after], data[position:after])
        position = after


def canonical(data: bytes) -> bytes:
    """Return the canonical form of a list of path attributes.

    Raises Malformed when the list does not fit its lengths, or an MP_REACH_NLRI has no whole next hop.
    """
    return b"".join(attribute.canonical for attribute in raw_attributes(data))


def _cut(value: bytes) -> bytes:
    size = value[3] if len(value) > 3 else 0
    if len(value) < 5 + size or size > LONGEST_NEXT_HOP:
        raise Malformed(f"MP_REACH_NLRI of {len(value)} octets has no room for its next hop", 0, value)
    return bytes((OPTIONAL, Code.MP_REACH_NLRI, 4 + size)) + value[: 4 + size]
