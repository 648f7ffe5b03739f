"""Prefixes and addresses, and how two prefixes lie to each other."""

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Prefix: TypeAlias = IPv4Network | IPv6Network


class Family(StrEnum):
    """Address family of unicast routes."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class Relation(StrEnum):
    """How a seen prefix lies to a watched one."""

    EQUAL = "equal"
    MORE_SPECIFIC = "more-specific"
    COVERING = "covering"
    APART = "apart"


def family(of: Prefix | Address) -> Family:
    """Return the family of a prefix or an address."""
    return Family.IPV4 if of.version == 4 else Family.IPV6


def relation(seen: Prefix, watched: Prefix) -> Relation:
    """Say how `seen` lies to `watched`: equal to it, inside it, covering it, or apart from it."""
    if seen == watched:
        return Relation.EQUAL
    if inside(seen, watched):
        return Relation.MORE_SPECIFIC
    if inside(watched, seen):
        return Relation.COVERING
    return Relation.APART


def inside(inner: Prefix, outer: Prefix) -> bool:
    """Whether every address of `inner` is in `outer` (equal prefixes are inside each other)."""
    if inner.version != outer.version or inner.prefixlen < outer.prefixlen:
        return False
    shift = outer.max_prefixlen - outer.prefixlen
    return int(inner.network_address) >> shift == int(outer.network_address) >> shift


def parse_prefix(text: str) -> Prefix:
    """Parse `10.250.0.10/32`; a bare address is a host prefix.

    Raises ValueError, naming the right network, when host bits are set.
    """
    try:
        return ip_network(text)
    except ValueError as error:
        try:
            meant = ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{text!r} is not a prefix such as 10.250.0.10/32") from error
        raise ValueError(f"{text!r} has host bits set; the network is {meant}") from error
