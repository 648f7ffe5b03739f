"""Lists of IPv4 and IPv6 prefixes (RFC 4271, 4.3; RFC 7911, 3)."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from anycast.prefix import Family, Prefix
from collector.wire.errors import Malformed

LONGEST: Final[dict[Family, int]] = {Family.IPV4: 32, Family.IPV6: 128}
"""Bits of the longest prefix of a family."""

_NETWORK: Final[dict[Family, type[IPv4Network] | type[IPv6Network]]] = {
    Family.IPV4: IPv4Network,
    Family.IPV6: IPv6Network,
}


@dataclass(frozen=True, slots=True)
class Nlri:
    """One prefix, and its path id (0 where the session carries none)."""

    prefix: Prefix
    path_id: int = 0


def decode_nlri(data: bytes, family: Family, add_path: bool) -> tuple[Nlri, ...]:
    """Decode a whole list of prefixes, each behind a 4-octet path id where `add_path` says so.

    Bits behind a prefix's length are irrelevant and set to zero (RFC 4271, 4.3). Raises Malformed when a prefix is
    longer than the family's addresses, the list ends inside one, or it holds the default route twice: nobody says that
    of one route in one message, and path ids that no OPEN offered look like it (GoBGP 4.2 to 4.7 sends such).
    """
    bits, network = LONGEST[family], _NETWORK[family]
    found: list[Nlri] = []
    defaults = 0
    position, end = 0, len(data)
    while position < end:
        start, path_id = position, 0
        if add_path:
            path_id = int.from_bytes(data[position : position + 4], "big")
            position += 4
        length = data[position] if position < end else 0
        after = position + 1 + (length + 7) // 8
        if length > bits:
            raise Malformed(f"/{length} is longer than any {family} prefix", position, data)
        if after > end:
            raise Malformed(f"the list of {family} prefixes ends inside the prefix at octet {start}", start, data)
        defaults += length == 0
        if defaults > 1 and not add_path:
            raise Malformed(
                f"the list of {family} prefixes holds the default route twice, as if path ids did", start, data
            )
        shift = bits - length
        address = int.from_bytes(data[position + 1 : after].ljust(bits // 8, b"\0"), "big") >> shift << shift
        found.append(Nlri(network((address, length)), path_id))
        position = after
    return tuple(found)
