"""Address families by their numbers (IANA), with the field's own names."""

from typing import Final, NamedTuple

from anycast.prefix import Family


class Afi(NamedTuple):
    """AFI and SAFI, as they stand on the wire."""

    afi: int
    safi: int

    def __str__(self) -> str:
        return NAMES.get(self, f"afi {self.afi} safi {self.safi}")

    @property
    def family(self) -> Family | None:
        """The family of unicast routes; None for every other family."""
        return UNICAST.get(self)


IPV4_UNICAST: Final = Afi(1, 1)
IPV6_UNICAST: Final = Afi(2, 1)

UNICAST: Final[dict[Afi, Family]] = {IPV4_UNICAST: Family.IPV4, IPV6_UNICAST: Family.IPV6}

EVPN: Final = Afi(25, 70)


class Shape(NamedTuple):
    """What stands in front of the prefixes of a family."""

    family: Family
    """Of the prefix itself."""
    labelled: bool
    """MPLS labels (RFC 8277, 2)."""
    distinguished: bool
    """A route distinguisher (RFC 4364, 4.1; RFC 4659, 2)."""


PREFIXED: Final[dict[Afi, Shape]] = {
    Afi(1, 2): Shape(Family.IPV4, False, False),
    Afi(2, 2): Shape(Family.IPV6, False, False),
    Afi(1, 4): Shape(Family.IPV4, True, False),
    Afi(2, 4): Shape(Family.IPV6, True, False),
    Afi(1, 128): Shape(Family.IPV4, True, True),
    Afi(2, 128): Shape(Family.IPV6, True, True),
}
"""The families beside unicast whose routes are prefixes."""

DECODED: Final[frozenset[Afi]] = frozenset((*UNICAST, *PREFIXED, EVPN))
"""The families whose routes are told apart; all others are kept as one piece of octets."""

NAMES: Final[dict[Afi, str]] = {
    IPV4_UNICAST: "ipv4-unicast",
    IPV6_UNICAST: "ipv6-unicast",
    Afi(1, 2): "ipv4-multicast",
    Afi(2, 2): "ipv6-multicast",
    Afi(1, 4): "ipv4-labeled-unicast",
    Afi(2, 4): "ipv6-labeled-unicast",
    Afi(1, 5): "ipv4-mcast-vpn",
    Afi(2, 5): "ipv6-mcast-vpn",
    Afi(1, 73): "ipv4-sr-policy",
    Afi(2, 73): "ipv6-sr-policy",
    Afi(1, 85): "ipv4-mup",
    Afi(2, 85): "ipv6-mup",
    Afi(1, 66): "ipv4-mdt",
    Afi(1, 128): "vpnv4",
    Afi(2, 128): "vpnv6",
    Afi(1, 129): "vpnv4-multicast",
    Afi(2, 129): "vpnv6-multicast",
    Afi(1, 132): "route-target",
    Afi(1, 133): "ipv4-flowspec",
    Afi(2, 133): "ipv6-flowspec",
    Afi(1, 134): "vpnv4-flowspec",
    Afi(2, 134): "vpnv6-flowspec",
    Afi(25, 65): "vpls",
    Afi(25, 70): "evpn",
    Afi(16388, 71): "link-state",
    Afi(16388, 72): "link-state-vpn",
}
