"""Routes of the families beside unicast that are prefixes: multicast, labelled, and VPNs (RFC 8277; RFC 4364)."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from anycast.prefix import Family, Prefix
from collector.wire.bgp.distinguisher import SIZE, RouteDistinguisher
from collector.wire.bgp.evpn import EvpnRoute
from collector.wire.bgp.families import PREFIXED, Afi, Shape
from collector.wire.bgp.nlri import LONGEST
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed

_NO_LABEL: Final = 0x800000
"""What RFC 8277, 2.4, sends where a withdrawn route has no label to name."""
_BOTTOM: Final = 1


@dataclass(frozen=True, slots=True)
class PrefixedRoute:
    """One prefix with what stands in front of it."""

    prefix: Prefix
    path_id: int = 0
    labels: tuple[int, ...] = ()
    """MPLS labels, the top of the stack first; empty for a withdrawn route, whose label says nothing."""
    distinguisher: RouteDistinguisher | None = None


FamilyRoute = PrefixedRoute | EvpnRoute


def decode_prefixed(data: bytes, family: Afi, add_path: bool, announced: bool) -> tuple[PrefixedRoute, ...]:
    """Decode a whole list of prefixes of a family in `PREFIXED`, behind path ids where `add_path` says so.

    Raises Malformed when a length does not fit the family or the list.
    """
    shape, cursor = PREFIXED[family], Cursor(data, f"list of {family} prefixes")
    found = []
    while cursor.remaining:
        path_id, bits = cursor.u32() if add_path else 0, cursor.u8()
        octets = cursor.take((bits + 7) // 8)
        try:
            found.append(_route(octets, bits, shape, path_id, announced))
        except Malformed as error:
            raise Malformed(f"/{bits} is no length of a {family} route: {error}", cursor.position, data) from error
    return tuple(found)


def _route(octets: bytes, bits: int, shape: Shape, path_id: int, announced: bool) -> PrefixedRoute:
    labels: tuple[int, ...] = ()
    distinguisher, at = None, 0
    room = bits // 8 - (SIZE if shape.distinguished else 0)
    if shape.labelled:
        if room < 3:
            raise Malformed("it has no room for a label", 0, octets)
        if announced:
            labels, at = _labels(octets[:room])
        else:  # one label (RFC 8277, 2.4), but GoBGP sends all of them: without, no prefix is that long
            at = 3 if room - 3 <= LONGEST[shape.family] // 8 else _labels(octets[:room])[1]
    if shape.distinguished:
        distinguisher = RouteDistinguisher(octets[at : at + SIZE])
        at += SIZE
    return PrefixedRoute(_prefix(octets[at:], bits - 8 * at, shape.family), path_id, labels, distinguisher)


def _labels(octets: bytes) -> tuple[tuple[int, ...], int]:
    """Return the labels and how many octets they take.

    A stack ends with its bottom bit (RFC 3107, 3). A speaker that never spoke of several labels may leave the bit out
    (RFC 8277, 2.2): where no label has it, there is one.
    """
    labels: list[int] = []
    for at in range(0, len(octets) - 2, 3):
        field = int.from_bytes(octets[at : at + 3], "big")
        if field == _NO_LABEL and at == 0:
            return (), 3
        labels.append(field >> 4)
        if field & _BOTTOM:
            return tuple(labels), at + 3
    return tuple(labels[:1]), 3


def _prefix(octets: bytes, bits: int, family: Family) -> Prefix:
    longest = LONGEST[family]
    if not 0 <= bits <= longest:
        raise Malformed(f"{bits} bits are left for an {family} prefix", 0, octets)
    shift = longest - bits
    address = int.from_bytes(octets.ljust(longest // 8, b"\0"), "big") >> shift << shift
    return IPv4Network((address, bits)) if family is Family.IPV4 else IPv6Network((address, bits))


def encode_prefixed(routes: tuple[PrefixedRoute, ...], family: Afi, add_path: bool = False) -> bytes:
    """Encode a list of prefixes of a family in `PREFIXED`; a route without labels gets the label of a withdrawal."""
    return b"".join(_encoded(route, PREFIXED[family], add_path) for route in routes)


def _encoded(route: PrefixedRoute, shape: Shape, add_path: bool) -> bytes:
    front = b""
    if shape.labelled:
        *upper, last = route.labels or (None,)
        fields = [label << 4 for label in upper if label is not None]
        front = b"".join(
            field.to_bytes(3, "big") for field in (*fields, _NO_LABEL if last is None else last << 4 | _BOTTOM)
        )
    if route.distinguisher is not None:
        front += route.distinguisher.octets
    bits = route.prefix.prefixlen
    octets = front + route.prefix.network_address.packed[: (bits + 7) // 8]
    sized = bytes((8 * len(front) + bits,)) + octets
    return route.path_id.to_bytes(4, "big") + sized if add_path else sized
