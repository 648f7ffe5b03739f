"""What the lab is made of, as values: services, regions, sites, and the shapes of nodes, cables and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from types import MappingProxyType

from anycast.intent import TrafficMode
from anycast.route import Asn

MICROSOFT = Asn(12076)
"""The AS of every MSEE."""
COLLECTOR = Asn(65099)
ROGUE = Asn(65999)

BMP_PORT = 11019
HTTP_PORT = 80
"""Where clients ask an anycast address `GET /.well-known/anycast-id`."""
ID_PORT = 3112
"""Where clients ask an anycast address by UDP."""
APP_HTTP_PORT = 8080
APP_ID_PORT = 3112
RESPONDER_PORT = 3113
"""Where Catchment's responders answer: on application servers (behind the anycast addresses) and on NVAs."""
AGENTS_PORT = 8471
"""Where the centre takes what agents report."""


class Role(StrEnum):
    """What a node is."""

    FABRIC = "fabric"
    ROUTE_SERVER = "route-server"
    NVA = "nva"
    APPLICATION = "application"
    GATEWAY = "gateway"
    VPN = "vpn"
    MSEE = "msee"
    EDGE = "edge"
    CLIENT = "client"
    ROGUE = "rogue"
    COLLECTOR = "collector"
    WIRE = "wire"


class Timers(StrEnum):
    """Which BGP timers every session has."""

    LAB = "lab"
    AZURE = "azure"

    @property
    def keepalive(self) -> int:
        """Seconds between KEEPALIVEs."""
        return {Timers.LAB: 3, Timers.AZURE: 60}[self]

    @property
    def hold(self) -> int:
        """Hold time in seconds."""
        return {Timers.LAB: 9, Timers.AZURE: 180}[self]


@dataclass(frozen=True, slots=True)
class Service:
    """One anycast service of the lab."""

    name: str
    prefix: IPv4Network
    address: IPv4Address
    """The address in `prefix` that clients dial."""
    prepends: Mapping[str, int]
    """By region that advertises it: how many extra times the NVA's AS stands in the path."""
    backup: tuple[str, ...] = ()

    @property
    def protocol(self) -> str:
        """The static protocol in an NVA's BIRD: `birdc disable svc_web` withdraws the service there."""
        return f"svc_{self.name}"


@dataclass(frozen=True, slots=True)
class Region:
    """One Azure region."""

    name: str
    number: int
    vnet: IPv4Network
    community: str
    nva_asn: Asn
    mode: TrafficMode

    def address(self, subnet: int, host: int) -> IPv4Address:
        """Return an address of the VNet: `.<subnet>.<host>`."""
        return self.vnet.network_address + (subnet << 8) + host


@dataclass(frozen=True, slots=True)
class Site:
    """One site on premises."""

    name: str
    number: int
    asn: Asn
    loopback: IPv4Address
    lan: IPv4Network
    local_pref: Mapping[str, int]
    """By region community's region; empty where no region is preferred."""
    tiers: tuple[tuple[str, ...], ...]
    service_tiers: Mapping[str, tuple[tuple[str, ...], ...]]
    round_trip: Mapping[str, timedelta]
    """By region, over ExpressRoute."""
    vpn: bool = False
    rogue: bool = False

    @property
    def range(self) -> IPv4Network:
        """All of the site's addresses."""
        return IPv4Network((self.loopback, 16), strict=False)

    @property
    def edge(self) -> str:
        """The edge router's node."""
        return f"{self.name}-ce1"

    @property
    def client(self) -> str:
        """The client host's node."""
        return f"{self.name}-client"


SERVICES: tuple[Service, ...] = (
    Service("web", IPv4Network("10.250.0.10/32"), IPv4Address("10.250.0.10"), MappingProxyType({"weu": 0, "eus": 0})),
    Service(
        "dns",
        IPv4Network("10.250.0.53/32"),
        IPv4Address("10.250.0.53"),
        MappingProxyType({"weu": 0, "eus": 3}),
        backup=("eus",),
    ),
    Service("vdi", IPv4Network("10.250.8.0/24"), IPv4Address("10.250.8.10"), MappingProxyType({"weu": 0, "eus": 0})),
)

REGIONS: tuple[Region, ...] = (
    Region("weu", 0, IPv4Network("10.10.0.0/16"), "12076:51002", Asn(65010), TrafficMode.PROXY),
    Region("eus", 1, IPv4Network("10.20.0.0/16"), "12076:51004", Asn(65020), TrafficMode.DNAT),
)

_MS = timedelta(milliseconds=1)

SITES: tuple[Site, ...] = (
    Site(
        "ams",
        0,
        Asn(65101),
        IPv4Address("10.90.0.1"),
        IPv4Network("10.90.1.0/24"),
        local_pref=MappingProxyType({"weu": 200, "eus": 100}),
        tiers=(("weu",), ("eus",)),
        service_tiers=MappingProxyType({}),
        round_trip=MappingProxyType({"weu": 8 * _MS, "eus": 80 * _MS}),
    ),
    Site(
        "nyc",
        1,
        Asn(65102),
        IPv4Address("10.91.0.1"),
        IPv4Network("10.91.1.0/24"),
        local_pref=MappingProxyType({}),
        tiers=(("weu", "eus"),),
        service_tiers=MappingProxyType({"dns": (("weu",), ("eus",))}),
        round_trip=MappingProxyType({"weu": 80 * _MS, "eus": 12 * _MS}),
        vpn=True,
        rogue=True,
    ),
)

ON_PREMISES = IPv4Network("10.90.0.0/15")
"""Both sites' ranges: what an NVA reaches through its region's gateway."""
COLLECTOR_ADDRESS = IPv4Address("10.99.0.10")
VPN_SERVICE = "dns"
"""The service whose routes nyc prefers over the VPN, so that the prepend decides there."""
VPN_EXTRA = 4 * _MS
"""What a tunnel over the Internet adds to ExpressRoute's round trip."""


@dataclass(frozen=True, slots=True)
class Node:
    """One namespace."""

    name: str
    role: Role
    place: str = ""
    """Its region or site."""
    asn: Asn | None = None
    address: IPv4Address | None = None
    """Its own address, by which others know it, and its BGP identifier; None where it has none."""


@dataclass(frozen=True, slots=True)
class Port:
    """One end of a cable."""

    node: str
    interface: str
    address: IPv4Interface | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One veth pair."""

    left: Port
    right: Port


@dataclass(frozen=True, slots=True)
class Wire:
    """Two interfaces between which the delay line carries frames, both ways, each `one_way_delay` late."""

    name: str
    namespace: str
    """Full name of the namespace that holds both interfaces."""
    left: str
    right: str
    one_way_delay: timedelta


@dataclass(frozen=True, slots=True)
class Speaker:
    """One side of a BGP session."""

    node: str
    address: IPv4Address
    asn: Asn


@dataclass(frozen=True, slots=True)
class Session:
    """One BGP session. `dialer` opens the connection; `listener` waits for it."""

    dialer: Speaker
    listener: Speaker

    def side(self, node: str) -> Speaker | None:
        """Return the node's own side; None when it has no part in the session."""
        return next((end for end in (self.dialer, self.listener) if end.node == node), None)

    def far(self, node: str) -> Speaker:
        """Return the side across from `node`."""
        return self.listener if self.dialer.node == node else self.dialer


def region(name: str) -> Region:
    """Return a region by name; KeyError for one that the lab does not have."""
    return {each.name: each for each in REGIONS}[name]


def site(name: str) -> Site:
    """Return a site by name; KeyError for one that the lab does not have."""
    return {each.name: each for each in SITES}[name]


def service(name: str) -> Service:
    """Return a service by name; KeyError for one that the lab does not have."""
    return {each.name: each for each in SERVICES}[name]
