"""BMP values with defaults, for tests that care about one field."""

from ipaddress import IPv4Address

from anycast.observation import PeerType
from anycast.prefix import Address
from anycast.route import Asn
from collector.wire.bgp.families import IPV4_UNICAST, Afi
from collector.wire.bgp.open import Direction, Open
from collector.wire.bmp.values import V_FLAG, PeerUp, PerPeerHeader

NVA = IPv4Address("10.10.1.4")


def header(
    address: Address | None = NVA,
    flags: int = 0,
    peer_type: PeerType = PeerType.GLOBAL,
    distinguisher: int = 0,
    seconds: int = 1_700_000_000,
    microseconds: int = 250_000,
) -> PerPeerHeader:
    """Build a per-peer header of an NVA; the V flag is set where the address wants it."""
    if address is not None and address.version == 6:
        flags |= V_FLAG
    return PerPeerHeader(peer_type, flags, distinguisher, address, Asn(65010), NVA, seconds, microseconds)


def speaker(
    asn: int = 65010, families: tuple[Afi, ...] = (IPV4_UNICAST,), add_path: dict[Afi, Direction] | None = None
) -> Open:
    """Build an OPEN."""
    return Open(
        version=4,
        asn=Asn(asn),
        hold_time=180,
        identifier=NVA,
        families=families,
        add_path=add_path or {},
        four_octet_as=True,
    )


def peer_up(of: PerPeerHeader | None = None, sent: Open | None = None, received: Open | None = None) -> PeerUp:
    """Build a Peer Up of two plain speakers."""
    local = IPv4Address("10.10.255.4")
    return PeerUp(of or header(), local, 179, 40000, sent or speaker(65515), received or speaker())
