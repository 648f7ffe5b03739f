"""A route's path attributes as values, with the field's own spelling."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NewType

from anycast.prefix import Address

Asn = NewType("Asn", int)
Community = NewType("Community", int)
LargeCommunity = tuple[int, int, int]

WELL_KNOWN: Final[dict[int, str]] = {  # IANA, BGP Well-known Communities
    0xFFFF0000: "graceful-shutdown",
    0xFFFF0001: "accept-own",
    0xFFFF0002: "route-filter-translated-v4",
    0xFFFF0003: "route-filter-v4",
    0xFFFF0004: "route-filter-translated-v6",
    0xFFFF0005: "route-filter-v6",
    0xFFFF0006: "llgr-stale",
    0xFFFF0007: "no-llgr",
    0xFFFF0008: "accept-own-nexthop",
    0xFFFF0009: "standby-pe",
    0xFFFF029A: "blackhole",
    0xFFFFFF01: "no-export",
    0xFFFFFF02: "no-advertise",
    0xFFFFFF03: "no-export-subconfed",
    0xFFFFFF04: "no-peer",
}


class Origin(IntEnum):
    """ORIGIN (RFC 4271, 5.1.1)."""

    IGP = 0
    EGP = 1
    INCOMPLETE = 2


class SegmentKind(IntEnum):
    """AS_PATH segment types (RFC 4271, 4.3 and RFC 5065, 3)."""

    SET = 1
    SEQUENCE = 2
    CONFED_SEQUENCE = 3
    CONFED_SET = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """One AS_PATH segment."""

    kind: SegmentKind
    asns: tuple[Asn, ...]

    def __str__(self) -> str:
        match self.kind:
            case SegmentKind.SEQUENCE:
                return " ".join(map(str, self.asns))
            case SegmentKind.SET:
                return "{" + ",".join(map(str, self.asns)) + "}"
            case SegmentKind.CONFED_SEQUENCE:
                return "(" + " ".join(map(str, self.asns)) + ")"
            case SegmentKind.CONFED_SET:
                return "[" + ",".join(map(str, self.asns)) + "]"


@dataclass(frozen=True, slots=True)
class AsPath:
    """AS_PATH, nearest AS first, the origin last."""

    segments: tuple[Segment, ...] = ()

    @staticmethod
    def of(*asns: int) -> "AsPath":
        """Build a path of one sequence; no AS at all is the empty path of a local route."""
        return AsPath((Segment(SegmentKind.SEQUENCE, tuple(map(Asn, asns))),) if asns else ())

    @property
    def asns(self) -> tuple[Asn, ...]:
        """Every AS in the order of the wire, sets included."""
        return tuple(asn for segment in self.segments for asn in segment.asns)

    @property
    def length(self) -> int:
        """Length for the decision process: a set counts one, confederations none (RFC 4271, 9.1.2.2; RFC 5065, 5.3)."""
        return sum(
            len(segment.asns) if segment.kind is SegmentKind.SEQUENCE else int(segment.kind is SegmentKind.SET)
            for segment in self.segments
        )

    @property
    def origin(self) -> Asn | None:
        """The AS that originated the route; None for the empty path and for a path that ends in a set of several."""
        if not self.segments:
            return None
        last = self.segments[-1]
        if last.kind in (SegmentKind.SET, SegmentKind.CONFED_SET) and len(last.asns) != 1:
            return None
        return last.asns[-1] if last.asns else None

    @property
    def origin_repeats(self) -> int:
        """How many times the origin stands at the end of the path: 1 without prepends, 0 for the empty path."""
        origin, count = self.origin, 0
        for asn in reversed(self.asns):
            if asn != origin:
                break
            count += 1
        return count if origin is not None else 0

    def __str__(self) -> str:
        return " ".join(map(str, self.segments))


@dataclass(frozen=True, slots=True)
class UnknownAttribute:
    """A path attribute that we keep without understanding it."""

    flags: int
    code: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Aggregator:
    """AGGREGATOR (RFC 4271, 5.1.7), after the AS4_AGGREGATOR merge of RFC 6793."""

    asn: Asn
    address: Address


@dataclass(frozen=True, slots=True)
class Attributes:
    """Path attributes of one route; None or empty means that the attribute was not sent."""

    origin: Origin | None = None
    as_path: AsPath = AsPath()
    next_hop: Address | None = None
    link_local: Address | None = None
    """The second, link-local next hop of an IPv6 MP_REACH_NLRI (RFC 2545, 3)."""
    med: int | None = None
    local_pref: int | None = None
    atomic_aggregate: bool = False
    aggregator: Aggregator | None = None
    communities: tuple[Community, ...] = ()
    large_communities: tuple[LargeCommunity, ...] = ()
    extended_communities: tuple[bytes, ...] = ()
    originator_id: Address | None = None
    cluster_list: tuple[Address, ...] = ()
    unknown: tuple[UnknownAttribute, ...] = ()
    ipv6_extended_communities: tuple[bytes, ...] = ()
    """Twenty octets each (RFC 5701)."""
    aigp: int | None = None
    """Accumulated IGP metric (RFC 7311); an attribute that holds more than that stands among the unknown ones, too."""
    otc: Asn | None = None
    """ONLY_TO_CUSTOMER (RFC 9234, 5)."""


def parse_community(text: str) -> Community:
    """Parse `12076:51004`, a well-known name such as `no-export`, or a plain number.

    Raises ValueError with what would be right.
    """
    named = {name: value for value, name in WELL_KNOWN.items()}
    if text in named:
        return Community(named[text])
    high, colon, low = text.partition(":")
    halves = (high, low) if colon else (text,)
    limit = 0xFFFF if colon else 0xFFFFFFFF
    if not all(half.isascii() and half.isdigit() and int(half) <= limit for half in halves):
        raise ValueError(f"{text!r} is not a community such as 12076:51004 or no-export")
    return Community(int(high) << 16 | int(low) if colon else int(text))


def community_text(community: int) -> str:
    """Write a community as `12076:51004`, or by its well-known name."""
    return WELL_KNOWN.get(community) or f"{community >> 16}:{community & 0xFFFF}"
