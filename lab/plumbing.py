"""What each namespace needs before a daemon starts: sysctls, cables, addresses, and the routes that Azure's fabric has.

All of it as `ip` command lines and settings, pure. Routes that BGP must bring are not here. On an NVA the way back to
the sites is: it must not die with its BGP daemon, and in Azure it does not.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from lab.daemons.application import behind
from lab.topology import COLLECTOR_ADDRESS, ON_PREMISES, REGIONS, SERVICES, SITES, Lab, Node, Port, Role, region

BASE: Mapping[str, int] = MappingProxyType(
    {
        # Before any interface is made: each takes its own copy of `default`, and the machine's own values until then.
        **{f"net.ipv4.conf.{which}.rp_filter": 0 for which in ("all", "default")},
        # An NVA hears its server and sends on over the same interface; a redirect would lead the server around it.
        **{f"net.ipv4.conf.{which}.send_redirects": 0 for which in ("all", "default")},
        **{f"net.ipv4.conf.{which}.accept_redirects": 0 for which in ("all", "default")},
        **{f"net.ipv6.conf.{which}.disable_ipv6": 1 for which in ("all", "default")},
        # A hardware router says `time exceeded` some hundreds of times a second; Linux would say it once a second.
        "net.ipv4.icmp_ratelimit": 0,
    }
)
LAYER_4: Mapping[str, int] = MappingProxyType({"net.ipv4.fib_multipath_hash_policy": 1})
OTHER_LAYER_4: Mapping[str, int] = MappingProxyType(
    # Addresses and ports without the protocol: in one kernel all namespaces share one hash seed, and a gateway that
    # hashed what the edge hashed would send all of its share of the flows to one NVA.
    {"net.ipv4.fib_multipath_hash_policy": 3, "net.ipv4.fib_multipath_hash_fields": 0x33}
)
ROUTING: Mapping[Role, Mapping[str, int]] = MappingProxyType(
    {
        Role.EDGE: LAYER_4,
        Role.GATEWAY: OTHER_LAYER_4,
        Role.VPN: OTHER_LAYER_4,
        Role.MSEE: LAYER_4,
        Role.NVA: MappingProxyType({}),
        Role.ROGUE: MappingProxyType({}),
    }
)
"""Nodes that forward, and how they hash flows over equal paths."""


def settings(node: Node) -> dict[str, int]:
    """Return a node's sysctls, to be written before it has interfaces."""
    forwards = {"net.ipv4.ip_forward": 1, **ROUTING[node.role]} if node.role in ROUTING else {}
    return {**forwards, **BASE}


def cables(lab: Lab) -> tuple[str, ...]:
    """Return the `ip` commands that make every veth pair, both ends where they belong from the start."""
    return tuple(
        f"link add {link.left.interface} netns {lab.namespace(link.left.node)} type veth "
        f"peer name {link.right.interface} netns {lab.namespace(link.right.node)}"
        for link in lab.links
    )


def commands(lab: Lab, node: Node) -> tuple[str, ...]:
    """Return the `ip -n` commands of one node: interfaces up, addresses, routes."""
    return tuple(_commands(lab, node))


def _commands(lab: Lab, node: Node) -> Iterator[str]:
    ports = ports_of(lab, node)
    if node.role is Role.FABRIC:
        yield "link add fabric type bridge"
        yield from (f"link set {port.interface} master fabric" for port in ports)
        yield "link set fabric up"
    for port in ports:
        if port.address is not None:
            yield f"address add {port.address} dev {port.interface}"
        yield f"link set {port.interface} up"
    yield from _routes(lab, node)


def ports_of(lab: Lab, node: Node) -> tuple[Port, ...]:
    """Return the interfaces of a node."""
    return tuple(port for link in lab.links for port in (link.left, link.right) if port.node == node.name)


def _routes(lab: Lab, node: Node) -> Iterator[str]:
    match node.role:
        case Role.ROUTE_SERVER:
            yield f"route add {COLLECTOR_ADDRESS} dev eth0"
        case Role.NVA:
            yield f"route add {COLLECTOR_ADDRESS} dev eth0"
            yield f"route add {ON_PREMISES} via {lab.by_name[f'{node.place}-gw'].address}"
            yield from _anycast(node)
        case Role.APPLICATION:
            yield f"route add default via {behind(lab, node).address}"
        case Role.EDGE:
            yield f"address add {node.address}/32 dev lo"
            yield f"route add {COLLECTOR_ADDRESS} dev oob src {node.address}"
        case Role.CLIENT:
            yield f"route add default via {next(site for site in SITES if site.name == node.place).lan[1]}"
        case Role.COLLECTOR:
            yield from (f"route add {each.vnet} dev {each.name} src {COLLECTOR_ADDRESS}" for each in REGIONS)
            for site in SITES:
                yield f"route add {site.loopback} dev {site.edge} src {COLLECTOR_ADDRESS}"
                yield f"route add {site.lan} via {site.loopback} dev {site.edge} src {COLLECTOR_ADDRESS} onlink"
        case _:
            return


def _anycast(node: Node) -> Iterator[str]:
    """The service prefixes as the NVA's own addresses: HAProxy binds them, and a ping is answered."""
    for service in SERVICES:
        if region(node.place).name in service.prepends:
            yield f"route add local {service.prefix} dev lo"
