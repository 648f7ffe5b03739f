"""Route distinguishers (RFC 4364, 4.2): what makes the same prefix of two VPNs two routes.

It is a route's own, and has nothing to do with the peer distinguisher of a BMP message.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class RouteDistinguisher:
    """Eight octets: a type, and an administrator with a number of his."""

    octets: bytes

    def __str__(self) -> str:
        """`65010:1`, `10.0.0.1:1`, `4200000000:1`; `65010L:1` for a 2-octet AS in the 4-octet form; else in hex."""
        value = self.octets[2:]
        match int.from_bytes(self.octets[:2], "big"):
            case 0:
                return f"{int.from_bytes(value[:2], 'big')}:{int.from_bytes(value[2:], 'big')}"
            case 1:
                return f"{IPv4Address(value[:4])}:{int.from_bytes(value[4:], 'big')}"
            case 2:
                asn = int.from_bytes(value[:4], "big")
                return f"{asn}{'L' if asn < 1 << 16 else ''}:{int.from_bytes(value[4:], 'big')}"
        return self.octets.hex()
