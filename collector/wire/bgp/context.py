"""What an UPDATE cannot say about itself: whether path ids stand before its prefixes, and how wide its AS numbers are.

Both come from the session, never from the look of the bytes: lists of prefixes with and without path ids often parse
either way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from anycast.observation import Rib
from collector.wire.bgp.families import IPV4_UNICAST, Afi
from collector.wire.bgp.open import Direction, Open


@dataclass(frozen=True, slots=True)
class UpdateContext:
    """How to read the UPDATEs of one view of one session."""

    add_path: frozenset[Afi] = frozenset()
    """Families whose prefixes carry a path id."""
    two_octet: bool = False
    """AS_PATH and AGGREGATOR hold 2-octet AS numbers."""
    families: frozenset[Afi] | None = None
    """Families that the session negotiated; None where no OPEN says."""
    external: bool = False
    """The UPDATE came over an external session: what only internal ones may send is left out where it is malformed
    (RFC 7606, 7.5, 7.9 and 7.10)."""
    rebuilt: bool = False
    """The router wrote the UPDATE from a table of its own: what is missing is the router's omission, not its peer's.
    FRR 8.0 leaves NEXT_HOP out of the Loc-RIB and post-policy routes of a VRF; GoBGP AS_PATH, of its own routes."""
    bare: bool = False
    """The path ids that the session agreed on may be left out, as BMP exporters do in what they write themselves:
    FRR always, GoBGP in its first dump and behind its policy. A list that does not read with them is read without."""


DEFAULT: Final = UpdateContext()
"""For a view whose Peer Up we never saw: no path ids, 4-octet AS numbers."""


def add_path_of(rib: Rib, sent: Open | None, received: Open | None) -> frozenset[Afi]:
    """Return the families of a view whose prefixes carry path ids.

    `sent` is the router's OPEN, `received` its peer's. ADD-PATH holds only where both agree and the directions
    complement each other (RFC 7911, 4); the two OPENs of a Loc-RIB are made up by the router, so its own word is
    taken (RFC 9069, 5.2).
    """
    if rib is Rib.LOC:
        own = sent or received  # both are the same, and FRR may send one of them as a bare header
        return frozenset(own.add_path) if own is not None else frozenset()
    if sent is None or received is None:
        return frozenset()
    outwards = rib in (Rib.ADJ_OUT_PRE, Rib.ADJ_OUT_POST)
    sender, receiver = (sent, received) if outwards else (received, sent)
    return frozenset(
        family
        for family, direction in sender.add_path.items()
        if direction & Direction.SEND and receiver.add_path.get(family, Direction(0)) & Direction.RECEIVE
    )


def families_of(rib: Rib, sent: Open | None, received: Open | None) -> frozenset[Afi] | None:
    """Return the families that both OPENs speak of; None where one is not known.

    An OPEN that names none stands for IPv4 unicast (RFC 4760, 8), except the made-up one of a Loc-RIB.
    """
    if rib is Rib.LOC:
        own = sent or received
        return frozenset(own.families) or None if own is not None else None
    if sent is None or received is None:
        return None
    return frozenset(sent.families or (IPV4_UNICAST,)) & frozenset(received.families or (IPV4_UNICAST,))


def context_of(rib: Rib, two_octet: bool, sent: Open | None, received: Open | None) -> UpdateContext:
    """Return how to read an UPDATE of `rib` in BMP.

    `two_octet` is the A flag of its own header, for one peer may mix both.
    """
    external = False
    if rib in (Rib.ADJ_IN_PRE, Rib.ADJ_IN_POST) and sent is not None and received is not None:
        external = sent.asn != received.asn
    return UpdateContext(
        add_path_of(rib, sent, received),
        two_octet,
        families=families_of(rib, sent, received),
        external=external,
        rebuilt=rib is not Rib.ADJ_IN_PRE,
        bare=True,
    )


def merged(before: Open | None, now: Open | None) -> Open | None:
    """Join the OPENs of two Peer Ups of one session: some routers send one a family, each with only its capabilities.

    For a family that both name, the later word stands.
    """
    if before is None or now is None:
        return now if before is None else before
    families = tuple(dict.fromkeys(before.families + now.families))
    kept = {family: way for family, way in before.add_path.items() if family not in now.families}
    next_hops = tuple(dict.fromkeys(before.extended_next_hop + now.extended_next_hop))
    add_path: Mapping[Afi, Direction] = MappingProxyType(kept | dict(now.add_path))
    capabilities = tuple(dict.fromkeys(before.capabilities + now.capabilities))
    return replace(now, families=families, add_path=add_path, extended_next_hop=next_hops, capabilities=capabilities)
