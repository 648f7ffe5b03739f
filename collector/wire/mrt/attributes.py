"""Path attributes as table dumps write them, brought into the canonical form of `collector.wire.bgp.raw`."""

from collector.wire.bgp.attributes import OPTIONAL, WELL_KNOWN, Code
from collector.wire.bgp.families import IPV4_UNICAST, Afi
from collector.wire.bgp.raw import RawAttribute, raw_attributes
from collector.wire.errors import Malformed


def canonical(data: bytes, family: Afi) -> bytes:
    """Return the canonical form of a RIB entry's attributes.

    In TABLE_DUMP_V2 an MP_REACH_NLRI holds only the next hop and its length (RFC 6396, 4.3.4); some writers leave it
    whole all the same. Raises Malformed where the list does not fit its lengths.
    """
    return b"".join(_canonical(attribute, family) for attribute in raw_attributes(data))


def with_next_hop(data: bytes, family: Afi, next_hop: bytes) -> bytes:
    """Put a next hop that stands beside the attributes among them, where none is there.

    Raises Malformed where the list does not fit its lengths or the next hop is too long.
    """
    if any(attribute.code in (Code.NEXT_HOP, Code.MP_REACH_NLRI) for attribute in raw_attributes(data)):
        return data
    if family == IPV4_UNICAST and len(next_hop) == 4:
        return data + bytes((WELL_KNOWN, Code.NEXT_HOP, 4)) + next_hop
    return _attribute(bytes((len(next_hop),)) + next_hop) + data


def _canonical(attribute: RawAttribute, family: Afi) -> bytes:
    value = attribute.value
    if attribute.code == Code.MP_REACH_NLRI and value and value[0] == len(value) - 1:
        return _attribute(family.afi.to_bytes(2, "big") + bytes((family.safi,)) + value)
    return attribute.canonical


def _attribute(value: bytes) -> bytes:
    if len(value) > 255:
        raise Malformed(f"MP_REACH_NLRI holds a next hop of one family, not {len(value)} octets", 0, value)
    return bytes((OPTIONAL, Code.MP_REACH_NLRI, len(value))) + value
