"""Nodes, cables, wires and BGP sessions of the lab, derived from its services, regions and sites."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from itertools import product

from anycast.intent import ROUTE_SERVER
from lab.plan import (
    COLLECTOR,
    COLLECTOR_ADDRESS,
    MICROSOFT,
    REGIONS,
    ROGUE,
    SITES,
    VPN_EXTRA,
    Link,
    Node,
    Port,
    Region,
    Role,
    Session,
    Site,
    Speaker,
    Wire,
)

GATEWAY_SUBNET, NVA_SUBNET, APP_SUBNET, ROUTE_SERVER_SUBNET = 0, 1, 2, 255
MEMBERS: tuple[tuple[str, Role, int, int], ...] = (
    ("gw", Role.GATEWAY, GATEWAY_SUBNET, 4),
    ("vpn", Role.VPN, GATEWAY_SUBNET, 5),
    ("nva1", Role.NVA, NVA_SUBNET, 4),
    ("nva2", Role.NVA, NVA_SUBNET, 5),
    ("app1", Role.APPLICATION, APP_SUBNET, 4),
    ("app2", Role.APPLICATION, APP_SUBNET, 5),
    ("rs0", Role.ROUTE_SERVER, ROUTE_SERVER_SUBNET, 4),
    ("rs1", Role.ROUTE_SERVER, ROUTE_SERVER_SUBNET, 5),
)
"""What hangs off a region's fabric: suffix, role, subnet and host part of the address (Azure gives out .4 first)."""
PAIR = (1, 2)
"""MSEEs come in pairs; NVA n serves application server n."""


def nodes() -> tuple[Node, ...]:
    """Return every node."""
    return tuple(_nodes())


def _nodes() -> Iterator[Node]:
    for region in REGIONS:
        yield Node(f"{region.name}-net", Role.FABRIC, region.name)
        for suffix, role, subnet, host in MEMBERS:
            asn = {Role.NVA: region.nva_asn, Role.APPLICATION: None}.get(role, ROUTE_SERVER)
            yield Node(f"{region.name}-{suffix}", role, region.name, asn, region.address(subnet, host))
        for number in PAIR:
            yield Node(msee(region, number), Role.MSEE, region.name, MICROSOFT, _uplink(region, number)[1].ip)
    for site in SITES:
        yield Node(site.edge, Role.EDGE, site.name, site.asn, site.loopback)
        yield Node(site.client, Role.CLIENT, site.name, None, _lan(site, 10).ip)
        if site.rogue:
            yield Node(rogue(site), Role.ROGUE, site.name, ROGUE, _partner(site)[1].ip)
    yield Node("collector", Role.COLLECTOR, "", COLLECTOR, COLLECTOR_ADDRESS)
    yield Node("wire", Role.WIRE)


def msee(region: Region, number: int) -> str:
    """Return the node of a region's MSEE 1 or 2."""
    return f"{region.name}-msee{number}"


def rogue(site: Site) -> str:
    """Return the node of a site's rogue router."""
    return f"{site.name}-rogue"


def links() -> tuple[Link, ...]:
    """Return every veth pair; the two halves of a wired link are two pairs that end in the namespace `wire`."""
    return tuple(_links())


def _links() -> Iterator[Link]:
    for region in REGIONS:
        yield from _fabric(region)
        for number in PAIR:
            near, far = _uplink(region, number)
            yield Link(Port(f"{region.name}-gw", msee(region, number), near), Port(msee(region, number), "gw", far))
    for site in SITES:
        yield Link(Port(site.edge, "lan", _lan(site, 1)), Port(site.client, "lan", _lan(site, 10)))
        yield Link(Port("collector", site.edge, _host(COLLECTOR_ADDRESS)), Port(site.edge, "oob", None))
        if site.rogue:
            near, far = _partner(site)
            yield Link(Port(site.edge, "partner", near), Port(rogue(site), "partner", far))
    for name, azure, edge in _wired():
        yield Link(azure, Port("wire", f"{name}-a"))
        yield Link(Port("wire", f"{name}-b"), edge)


def _fabric(region: Region) -> Iterator[Link]:
    fabric = f"{region.name}-net"
    for suffix, _, subnet, host in MEMBERS:
        address = IPv4Interface((region.address(subnet, host), region.vnet.prefixlen))
        yield Link(Port(fabric, suffix), Port(f"{region.name}-{suffix}", "eth0", address))
    # The same address on every leg: it is a host route, so no leg claims a network.
    yield Link(Port(fabric, "collector"), Port("collector", region.name, _host(COLLECTOR_ADDRESS)))


def _wired() -> Iterator[tuple[str, Port, Port]]:
    """Name, Azure's end and the site's end of each link that crosses the delay line."""
    for site, region in product(SITES, REGIONS):
        for number in PAIR:
            near, far = _circuit(site, region, number)
            name = f"{site.name}-{region.name}{number}"
            yield name, Port(msee(region, number), site.edge, near), Port(site.edge, msee(region, number), far)
        if site.vpn:
            near, far = _tunnel(site, region)
            name = f"{site.name}-{region.name}v"
            yield name, Port(f"{region.name}-vpn", site.edge, near), Port(site.edge, f"{region.name}-vpn", far)


def wires(namespace: str) -> tuple[Wire, ...]:
    """Return the pairs of interfaces in `namespace` that the delay line joins, with their delays."""
    return tuple(_wire(namespace, name, azure, edge) for name, azure, edge in _wired())


def _wire(namespace: str, name: str, azure: Port, edge: Port) -> Wire:
    site = next(each for each in SITES if each.edge == edge.node)
    region = next(each for each in REGIONS if azure.node.startswith(f"{each.name}-"))
    round_trip = site.round_trip[region.name]
    if azure.node.endswith("-vpn"):
        round_trip += VPN_EXTRA
    return Wire(name, namespace, f"{name}-a", f"{name}-b", round_trip / 2)


def sessions() -> tuple[Session, ...]:
    """Return every BGP session."""
    return tuple(_sessions())


def _sessions() -> Iterator[Session]:
    for region in REGIONS:
        yield from _inside(region)
    for site in SITES:
        yield from _outside(site)
    # GoBGP dials: Route Server only ever sees the collector as one more peer of its own list.
    for node in nodes():
        if node.role in (Role.NVA, Role.ROUTE_SERVER):
            yield Session(_self("collector"), _self(node.name))
        if node.role is Role.EDGE:
            assert node.asn is not None
            yield Session(Speaker("collector", COLLECTOR_ADDRESS, node.asn), _self(node.name))


def _inside(region: Region) -> Iterator[Session]:
    """The region's own sessions: NVAs and gateways dial both Route Server instances, the gateway dials the MSEEs."""
    dialers = ("nva1", "nva2", "gw", "vpn")
    for dialer, instance in product(dialers, ("rs0", "rs1")):
        yield Session(_self(f"{region.name}-{dialer}"), _self(f"{region.name}-{instance}"))
    yield Session(_self(f"{region.name}-gw"), _self(f"{region.name}-vpn"))
    for number in PAIR:
        near, far = _uplink(region, number)
        yield Session(
            Speaker(f"{region.name}-gw", near.ip, ROUTE_SERVER), Speaker(msee(region, number), far.ip, MICROSOFT)
        )


def _outside(site: Site) -> Iterator[Session]:
    """The sessions of a site's edge router with Azure and with its partner."""
    for region in REGIONS:
        for number in PAIR:
            near, far = _circuit(site, region, number)
            yield Session(Speaker(msee(region, number), near.ip, MICROSOFT), Speaker(site.edge, far.ip, site.asn))
        if site.vpn:
            near, far = _tunnel(site, region)
            yield Session(Speaker(f"{region.name}-vpn", near.ip, ROUTE_SERVER), Speaker(site.edge, far.ip, site.asn))
    if site.rogue:
        near, far = _partner(site)
        yield Session(Speaker(rogue(site), far.ip, ROGUE), Speaker(site.edge, near.ip, site.asn))


def _self(name: str) -> Speaker:
    node = next(each for each in nodes() if each.name == name)
    assert node.asn is not None
    assert node.address is not None
    return Speaker(node.name, node.address, node.asn)


def _uplink(region: Region, number: int) -> tuple[IPv4Interface, IPv4Interface]:
    """Gateway's and MSEE's address."""
    return _pair(IPv4Network((int(IPv4Address("172.20.0.0")) + (region.number << 8) + number * 4, 30)))


def _circuit(site: Site, region: Region, number: int) -> tuple[IPv4Interface, IPv4Interface]:
    """MSEE's and edge's address."""
    third = site.number * 10 + region.number * len(PAIR) + number - 1
    return _pair(IPv4Network((int(IPv4Address("172.16.0.0")) + (third << 8), 30)))


def _tunnel(site: Site, region: Region) -> tuple[IPv4Interface, IPv4Interface]:
    """VPN gateway's and edge's address."""
    third = site.number * 10 + region.number
    return _pair(IPv4Network((int(IPv4Address("172.17.0.0")) + (third << 8), 30)))


def _partner(site: Site) -> tuple[IPv4Interface, IPv4Interface]:
    """Edge's and rogue's address."""
    return _pair(IPv4Network((int(IPv4Address("172.18.0.0")) + (site.number << 8), 30)))


def _pair(network: IPv4Network) -> tuple[IPv4Interface, IPv4Interface]:
    near, far = (IPv4Interface((network.network_address + host, network.prefixlen)) for host in (1, 2))
    return near, far


def _lan(site: Site, host: int) -> IPv4Interface:
    return IPv4Interface((site.lan.network_address + host, site.lan.prefixlen))


def _host(address: IPv4Address) -> IPv4Interface:
    return IPv4Interface((address, 32))
