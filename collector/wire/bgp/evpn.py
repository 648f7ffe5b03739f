"""EVPN routes (RFC 7432, 7; RFC 9136): told apart, with type and route distinguisher, and kept in their octets."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from anycast.prefix import Prefix
from collector.wire.bgp.distinguisher import SIZE, RouteDistinguisher
from collector.wire.cursor import Cursor

TYPES: Final[dict[int, str]] = {  # IANA, EVPN Route Types
    1: "ethernet-auto-discovery",
    2: "mac-ip-advertisement",
    3: "inclusive-multicast-ethernet-tag",
    4: "ethernet-segment",
    5: "ip-prefix",
    6: "selective-multicast-ethernet-tag",
    7: "multicast-membership-report-synch",
    8: "multicast-leave-synch",
    9: "per-region-i-pmsi-a-d",
    10: "s-pmsi-a-d",
    11: "leaf-a-d",
}
"""All of them begin with a route distinguisher, except a leaf's, which begins with the route that it answers."""

_IP_PREFIX: Final = 5
_PREFIX_AT: Final = SIZE + 10 + 4
"""Behind the Ethernet segment identifier and the tag (RFC 9136, 3.1)."""


@dataclass(frozen=True, slots=True)
class EvpnRoute:
    """One route."""

    kind: int
    octets: bytes
    """Route type and length included, the path id left out."""
    path_id: int = 0

    @property
    def name(self) -> str:
        """The route type in words, or its number."""
        return TYPES.get(self.kind, f"type {self.kind}")

    @property
    def distinguisher(self) -> RouteDistinguisher | None:
        """None where the route type has none, or its value is too short for one."""
        value = self.octets[2:]
        has_one = self.kind in TYPES and self.kind != 11 and len(value) >= SIZE
        return RouteDistinguisher(value[:SIZE]) if has_one else None

    @property
    def prefix(self) -> Prefix | None:
        """Of an IP prefix route (RFC 9136, 3.1), whose length tells its family; None for every other."""
        value = self.octets[2:]
        if self.kind != _IP_PREFIX or len(value) not in (34, 58):
            return None
        bits, size = value[_PREFIX_AT], 4 if len(value) == 34 else 16
        address = int.from_bytes(value[_PREFIX_AT + 1 : _PREFIX_AT + 1 + size], "big")
        if bits > size * 8:
            return None
        network = IPv4Network if size == 4 else IPv6Network
        return network((address, bits), strict=False)


def decode_evpn(data: bytes, add_path: bool) -> tuple[EvpnRoute, ...]:
    """Tell the routes of a list apart, each behind a path id where `add_path` says so.

    Raises Malformed when the list ends inside a route.
    """
    cursor, found = Cursor(data, "list of evpn routes"), []
    while cursor.remaining:
        path_id = cursor.u32() if add_path else 0
        kind, size = cursor.u8(), cursor.u8()
        found.append(EvpnRoute(kind, bytes((kind, size)) + cursor.take(size), path_id))
    return tuple(found)


def encode_evpn(routes: tuple[EvpnRoute, ...], add_path: bool = False) -> bytes:
    """Encode a list of routes."""
    return b"".join((route.path_id.to_bytes(4, "big") if add_path else b"") + route.octets for route in routes)
