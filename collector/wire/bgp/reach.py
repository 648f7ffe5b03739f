"""MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760, 3 and 4), and their next hops (RFC 2545, 3; RFC 8950)."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycast.prefix import Address
from collector.wire.bgp.families import DECODED, EVPN, PREFIXED, Afi
from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed


@dataclass(frozen=True, slots=True)
class Reach:
    """Prefixes of one family, still in their bytes. For MP_UNREACH_NLRI the next hop is empty."""

    family: Afi
    next_hop: bytes
    nlri: bytes


LONGEST_NEXT_HOP: Final = 251  # what fits, with its family, into the one length octet of the canonical form


def decode_reach(value: bytes) -> Reach:
    """Decode the value of an MP_REACH_NLRI; raises Malformed when it ends too early."""
    cursor = Cursor(value, "MP_REACH_NLRI")
    family, size = Afi(cursor.u16(), cursor.u8()), cursor.u8()
    next_hop = cursor.take(size)
    cursor.u8()  # reserved; a count of SNPAs in RFC 2858, and 0 ever since
    if size > LONGEST_NEXT_HOP:
        raise Malformed(f"a next hop of {size} octets is longer than that of any family", 3, value)
    if family in DECODED:
        decode_next_hop(family, next_hop)
    return Reach(family, next_hop, cursor.rest())


def decode_cut_reach(value: bytes) -> Reach:
    """Decode the value of an MP_REACH_NLRI in canonical form: no reserved octet and no prefixes."""
    cursor = Cursor(value, "MP_REACH_NLRI in canonical form")
    family = Afi(cursor.u16(), cursor.u8())
    with cursor.within(cursor.u8(), "next hop"):
        next_hop = cursor.rest()
    if cursor.remaining:
        raise cursor.malformed(f"{cursor.remaining} octets are left over behind the next hop")
    if family in DECODED:
        decode_next_hop(family, next_hop)
    return Reach(family, next_hop, b"")


def decode_unreach(value: bytes) -> Reach:
    """Decode the value of an MP_UNREACH_NLRI; raises Malformed when it has no family."""
    cursor = Cursor(value, "MP_UNREACH_NLRI")
    return Reach(Afi(cursor.u16(), cursor.u8()), b"", cursor.rest())


def decode_next_hop(family: Afi, value: bytes) -> tuple[Address, Address | None]:
    """Return the next hop of a decoded family and its link-local companion, where there is one.

    Raises Malformed on a length that the family cannot have (RFC 7606, 7.11). IPv4 routes may have IPv6 next hops (RFC
    8950, and routers that never negotiated it), never the other way round. In front of the next hops of VPN routes
    stands a route distinguisher of zero (RFC 4364, 4.3.2), which is left out; Junos leaves it out itself where an IPv4
    VPN has an IPv6 next hop (as RFC 5549, 3, had it).
    """
    sizes = _next_hops(family)
    if len(value) not in sizes:
        *most, last = map(str, sizes)
        right = f"{', '.join(most)} or {last}"
        raise Malformed(f"a next hop of {family} has {right} octets, not {len(value)}", 3, value)
    if len(value) in (12, 24, 48):
        value = b"".join(value[at + 8 : at + 24] for at in range(0, len(value), 24))
    if len(value) == 4:
        return IPv4Address(value), None
    return IPv6Address(value[:16]), IPv6Address(value[16:]) if len(value) == 32 else None


def _next_hops(family: Afi) -> tuple[int, ...]:
    """Octets that a next hop of a decoded family may have."""
    if family == EVPN:
        return 4, 16, 32
    if family in PREFIXED and PREFIXED[family].distinguished:
        return (4, 12, 16, 24, 32, 48) if family.afi == 1 else (16, 24, 32, 48)
    return (4, 16, 32) if family.afi == 1 else (16, 32)
