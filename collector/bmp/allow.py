"""Who may connect, and under which name."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

from anycast.prefix import Address, Prefix, inside


class Allow:
    """Exporters by the addresses they connect from; the longest prefix that holds an address decides."""

    def __init__(self, exporters: Iterable[tuple[Prefix | Address, str]]) -> None:
        """`exporters`: (address or prefix, exporter's name); one name may have several."""
        known = [(ip_network(place), name) for place, name in exporters]
        self._known = sorted(known, key=lambda entry: -entry[0].prefixlen)
        self.names = tuple(dict.fromkeys(name for _, name in known))

    def name(self, address: Address) -> str | None:
        """Return the exporter that may connect from an address; None for a stranger."""
        host = ip_network(address)
        return next((name for place, name in self._known if inside(host, place)), None)


def caller(peername: tuple[object, ...]) -> Address:
    """Return the address of a socket's `getpeername`, an IPv4 caller of an IPv6 socket as IPv4."""
    address = ip_address(str(peername[0]).partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
