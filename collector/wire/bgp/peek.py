"""What an UPDATE is about, without decoding it."""

from collections.abc import Iterator

from collector.wire.bgp.attributes import Code
from collector.wire.bgp.families import IPV4_UNICAST, Afi
from collector.wire.bgp.raw import raw_attributes
from collector.wire.errors import Malformed


def families_of(body: bytes) -> frozenset[Afi]:
    """Return the families of the routes in the body of an UPDATE; those that can be seen, where it is malformed."""
    return frozenset(family for family, _ in lists_of(body))


def lists_of(body: bytes) -> Iterator[tuple[Afi, bytes]]:
    """Yield the lists of routes in the body of an UPDATE, and their families; likewise."""
    removed = int.from_bytes(body[:2], "big")
    size = int.from_bytes(body[2 + removed : 4 + removed], "big")
    start = 4 + removed
    for classic in (body[2 : 2 + removed], body[start + size :]):
        if classic:
            yield IPV4_UNICAST, classic
    try:
        for attribute in raw_attributes(body[start : start + size]):
            value = attribute.value
            if attribute.code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI) and len(value) > 3:
                hop = 2 + value[3] if attribute.code == Code.MP_REACH_NLRI else 0  # and the octets around it
                yield Afi(int.from_bytes(value[:2], "big"), value[2]), value[3 + hop :]
    except Malformed:
        return  # whoever decodes it says what is wrong
