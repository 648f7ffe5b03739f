"""Where a notification must never go: addresses that hand out a machine's own credentials, and no host at all."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from anycast.prefix import Address

# Each answers anybody on the machine with tokens or keys; a receiver's URL, or a name that resolves here, is a trap.
METADATA = tuple(
    map(
        ip_network,
        (
            "169.254.0.0/16",  # RFC 3927; 169.254.169.254 is the instance metadata of Azure, AWS, GCP and others
            "fe80::/10",  # RFC 4291, 2.5.6
            "168.63.129.16/32",  # Azure's wire server
            "fd00:ec2::/32",  # AWS's metadata over IPv6
            "100.100.100.200/32",  # Alibaba Cloud
            "192.0.0.192/32",  # Oracle Cloud
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, 2.1


def refusal(text: str, plain_http_beyond_loopback: bool) -> str | None:
    """Say why nothing may be sent to the address `text`; None when it may. Raises ValueError when it is no address."""
    address = _meant(ip_address(text))
    if address.is_loopback:
        return None
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return f"{text} is not the address of a receiver"
    if any(address.version == net.version and address in net for net in METADATA):
        return f"{text} is a link-local or metadata address, where no receiver can be"
    if not plain_http_beyond_loopback:
        return f"{text} is beyond this machine and the url is http; use https, or allow it with plain_http"
    return None


def _meant(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that stands for it, or the address itself."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
