"""The allow-list: whether an address is in any of its prefixes, at the same cost for whomever and however long it is.

A flood from made-up addresses must not cost more than reading it: each address takes one look-up for each length that
occurs among the prefixes, and there are few.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from anycast.prefix import Address, Prefix

MOST_REMEMBERED = 4096  # addresses whose answer is remembered


class Allow:
    """Prefixes, to be asked by text as sockets give it."""

    def __init__(self, prefixes: Iterable[Prefix] = ()) -> None:
        self._by_shift: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        for prefix in prefixes:
            shift = prefix.max_prefixlen - prefix.prefixlen
            here = self._by_shift[prefix.version].setdefault(shift, set())
            here.add(int(prefix.network_address) >> shift)
        self.find = lru_cache(maxsize=MOST_REMEMBERED)(self._find)
        """Return the address that a text names, IPv4 where it is mapped into IPv6; None where it is not allowed."""

    def _find(self, text: str) -> Address | None:
        found = ip_address(text.partition("%")[0])
        mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        address = mapped or found
        number = int(address)
        known = self._by_shift[address.version].items()
        return address if any(number >> shift in networks for shift, networks in known) else None
