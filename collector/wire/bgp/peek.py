"""What an UPDATE is about, without decoding it."""

from collector.wire.bgp.attributes import Code
from collector.wire.bgp.families import IPV4_UNICAST, Afi
from collector.wire.bgp.raw import raw_attributes
from collector.wire.errors import Malformed


def families_of(body: bytes) -> frozenset[Afi]:
    """Return the families of the routes in the body of an UPDATE; those that can be seen, where it is malformed."""
    families: set[Afi] = set()
    removed = int.from_bytes(body[:2], "big")
    size = int.from_bytes(body[2 + removed : 4 + removed], "big")
    start = 4 + removed
    if removed or len(body) > start + size:
        families.add(IPV4_UNICAST)
    try:
        for attribute in raw_attributes(body[start : start + size]):
            if attribute.code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI) and len(attribute.value) > 3:
                families.add(Afi(int.from_bytes(attribute.value[:2], "big"), attribute.value[2]))
    except Malformed:
        return frozenset(families)  # whoever decodes it says what is wrong
    return frozenset(families)
