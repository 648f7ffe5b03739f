"""Path attributes, one reader each (RFC 4271, 4.3 and 5; RFC 7606, 7), and what to do when a reader fails."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Any, Final

from anycast.route import Aggregator, Asn, Community, LargeCommunity, Origin
from collector.wire.bgp.as_path import decode_as4_path, decode_as_path
from collector.wire.bgp.problems import Remedy
from collector.wire.errors import Malformed


class Code(IntEnum):
    """Attribute type codes (IANA, BGP Path Attributes)."""

    ORIGIN = 1
    AS_PATH = 2
    NEXT_HOP = 3
    MULTI_EXIT_DISC = 4
    LOCAL_PREF = 5
    ATOMIC_AGGREGATE = 6
    AGGREGATOR = 7
    COMMUNITIES = 8
    ORIGINATOR_ID = 9
    CLUSTER_LIST = 10
    MP_REACH_NLRI = 14
    MP_UNREACH_NLRI = 15
    EXTENDED_COMMUNITIES = 16
    AS4_PATH = 17
    AS4_AGGREGATOR = 18
    PMSI_TUNNEL = 22
    TUNNEL_ENCAPSULATION = 23
    IPV6_EXTENDED_COMMUNITIES = 25
    AIGP = 26
    BGP_LS = 29
    LARGE_COMMUNITIES = 32
    BGPSEC_PATH = 33
    ONLY_TO_CUSTOMER = 35
    PREFIX_SID = 40
    ATTR_SET = 128


AIGP_SIZE: Final = 11
"""Octets of an AIGP attribute that says nothing but the metric."""

INTERNAL: Final = (Code.LOCAL_PREF, Code.ORIGINATOR_ID, Code.CLUSTER_LIST)
"""What an external peer has no business to send (RFC 7606, 7.5, 7.9 and 7.10)."""

OPTIONAL: Final = 0x80
TRANSITIVE: Final = 0x40
EXTENDED_LENGTH: Final = 0x10

WELL_KNOWN: Final = TRANSITIVE
OPTIONAL_TRANSITIVE: Final = OPTIONAL | TRANSITIVE

Value = Any  # one of the types of anycast.route.Attributes' fields
Reader = Callable[[bytes, int], Value]
"""(value octets, octets of an AS number) -> value; raises Malformed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one attribute is read."""

    flags: int
    """What its Optional and Transitive bits must be."""
    field: str | None
    """The field of `anycast.route.Attributes` that it fills; None keeps its bytes among the unknown ones."""
    read: Reader
    remedy: Remedy = Remedy.TREAT_AS_WITHDRAW
    """What RFC 7606, 7 (or the attribute's own RFC) says when its value is malformed."""


def _sized(value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise Malformed(f"it has {size} octets, not {len(value)}", 0, value)
    return value


def _items(value: bytes, size: int) -> list[bytes]:
    if not value or len(value) % size:
        raise Malformed(f"it is a list of {size}-octet values and not empty, not {len(value)} octets", 0, value)
    return [value[at : at + size] for at in range(0, len(value), size)]


def _origin(value: bytes, width: int) -> Origin:
    code = _sized(value, 1)[0]
    if code > Origin.INCOMPLETE:
        raise Malformed(f"it is 0, 1 or 2, not {code}", 0, value)
    return Origin(code)


def _address(value: bytes, width: int) -> IPv4Address:
    return IPv4Address(_sized(value, 4))


def _number(value: bytes, width: int) -> int:
    return int.from_bytes(_sized(value, 4), "big")


def _nothing(value: bytes, width: int) -> bool:
    _sized(value, 0)
    return True


def _aggregator(value: bytes, width: int) -> Aggregator:
    _sized(value, width + 4)
    return Aggregator(Asn(int.from_bytes(value[:width], "big")), IPv4Address(value[width:]))


def _as4_aggregator(value: bytes, width: int) -> Aggregator:
    return _aggregator(value, 4)


def _communities(value: bytes, width: int) -> tuple[Community, ...]:
    return tuple(Community(int.from_bytes(item, "big")) for item in _items(value, 4))


def _addresses(value: bytes, width: int) -> tuple[IPv4Address, ...]:
    return tuple(IPv4Address(item) for item in _items(value, 4))


def _extended_communities(value: bytes, width: int) -> tuple[bytes, ...]:
    return tuple(_items(value, 8))


def _ipv6_extended_communities(value: bytes, width: int) -> tuple[bytes, ...]:
    return tuple(_items(value, 20))


def _large_communities(value: bytes, width: int) -> tuple[LargeCommunity, ...]:
    def number(item: bytes, at: int) -> int:
        return int.from_bytes(item[at : at + 4], "big")

    return tuple((number(item, 0), number(item, 4), number(item, 8)) for item in _items(value, 12))


def _aigp(value: bytes, width: int) -> int | None:
    """TLVs of (type, length of the whole TLV, value); the first of type 1, of 11 octets, counts (RFC 7311, 3)."""
    position, metric = 0, None
    while position < len(value):
        size = int.from_bytes(value[position + 1 : position + 3], "big")
        if size < 3 or position + size > len(value) or (value[position] == 1 and size != AIGP_SIZE):
            raise Malformed(f"the AIGP TLV at octet {position} has an impossible length of {size}", position, value)
        if value[position] == 1 and metric is None:
            metric = int.from_bytes(value[position + 3 : position + size], "big")
        position += size
    return metric


def _attr_set(value: bytes, width: int) -> None:
    """An AS number and the path attributes of a customer, without the ones that carry routes (RFC 6368, 5)."""
    if len(value) < 4:
        raise Malformed(f"it begins with an AS number of 4 octets, and has {len(value)}", 0, value)
    position = 4
    while position < len(value):
        header = 4 if value[position] & EXTENDED_LENGTH else 3
        size = int.from_bytes(value[position + 2 : position + header], "big")
        if position + header + size > len(value):
            raise Malformed(f"its attribute at octet {position} overruns it", position, value)
        if value[position + 1] in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI):
            raise Malformed(f"it holds an {name_of(value[position + 1])}", position, value)
        position += header + size


RULES: Final[dict[int, Rule]] = {
    Code.ORIGIN: Rule(WELL_KNOWN, "origin", _origin),
    Code.AS_PATH: Rule(WELL_KNOWN, "as_path", decode_as_path),
    Code.NEXT_HOP: Rule(WELL_KNOWN, "next_hop", _address),
    Code.MULTI_EXIT_DISC: Rule(OPTIONAL, "med", _number),
    Code.LOCAL_PREF: Rule(WELL_KNOWN, "local_pref", _number),
    Code.ATOMIC_AGGREGATE: Rule(WELL_KNOWN, "atomic_aggregate", _nothing, Remedy.ATTRIBUTE_DISCARD),
    Code.AGGREGATOR: Rule(OPTIONAL_TRANSITIVE, "aggregator", _aggregator, Remedy.ATTRIBUTE_DISCARD),
    Code.COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, "communities", _communities),
    Code.ORIGINATOR_ID: Rule(OPTIONAL, "originator_id", _address),
    Code.CLUSTER_LIST: Rule(OPTIONAL, "cluster_list", _addresses),
    Code.EXTENDED_COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, "extended_communities", _extended_communities),
    Code.AS4_PATH: Rule(OPTIONAL_TRANSITIVE, "as4_path", decode_as4_path, Remedy.ATTRIBUTE_DISCARD),
    Code.AS4_AGGREGATOR: Rule(OPTIONAL_TRANSITIVE, "as4_aggregator", _as4_aggregator, Remedy.ATTRIBUTE_DISCARD),
    Code.IPV6_EXTENDED_COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, "ipv6_extended_communities", _ipv6_extended_communities),
    Code.AIGP: Rule(OPTIONAL, "aigp", _aigp, Remedy.ATTRIBUTE_DISCARD),
    Code.LARGE_COMMUNITIES: Rule(OPTIONAL_TRANSITIVE, "large_communities", _large_communities),
    Code.ONLY_TO_CUSTOMER: Rule(OPTIONAL_TRANSITIVE, "otc", _number),
    Code.ATTR_SET: Rule(OPTIONAL_TRANSITIVE, None, _attr_set),
}
"""Every attribute that we check. MP_REACH_NLRI and MP_UNREACH_NLRI carry prefixes and are read by `reach`."""

FLAGS: Final[dict[int, int]] = {code: rule.flags for code, rule in RULES.items()} | {
    Code.MP_REACH_NLRI: OPTIONAL,
    Code.MP_UNREACH_NLRI: OPTIONAL,
}
"""What the Optional and Transitive bits of a known attribute must be."""

NAMES: Final[dict[int, str]] = {int(code): code.name for code in Code}


def name_of(code: int) -> str:
    """Return an attribute's name, or its number."""
    return NAMES.get(code, f"attribute {code}")
