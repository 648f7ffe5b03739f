"""BIRD 2: Route Server instances, NVAs, gateways, MSEEs and the rogue router.

Protocols are named after the far node (`weu_rs0`), service routes on an NVA after the service (`svc_web`).
Traps met here: between single-hop eBGP neighbours on one network BIRD leaves the next hop alone, so `next hop self` is
written out; a multihop next hop needs `protocol direct` to be resolved.
"""

import socket
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from lab import processes
from lab.state import Process
from lab.topology import SERVICES, Lab, Node, Role, Session, Timers, region

BEHIND = " where source = RTS_BGP"
PRIVATE = "[ 64512..65534, 4200000000..4294967294 ]"
"""Private AS numbers (RFC 6996), 65515 among them."""
TAG = 100
"""Every NVA tags its routes `<its AS>:100`."""


def protocol(node: str) -> str:
    """Return the name of the protocol that speaks with a node."""
    return node.replace("-", "_")


def config(lab: Lab, node: Node, timers: Timers, dropped_prepends: Collection[str] = ()) -> str:
    """Return the configuration of one BIRD. `dropped_prepends` names services that an NVA announces without theirs."""
    body = {
        Role.NVA: lambda: _nva(lab, node, dropped_prepends),
        Role.ROUTE_SERVER: lambda: _route_server(lab, node),
        Role.GATEWAY: lambda: _gateway(lab, node),
        Role.VPN: lambda: _vpn(lab, node),
        Role.MSEE: lambda: _msee(lab, node),
        Role.ROGUE: lambda: _rogue(lab, node),
    }[node.role]()
    return "\n".join((*_head(node, timers), *body, ""))


def _head(node: Node, timers: Timers) -> Iterator[str]:
    yield f"router id {node.address};"
    yield "log stderr all;"
    yield "timeformat log iso long us;"
    yield "debug protocols { states, routes };"
    yield "protocol device { scan time 60; }"
    yield "protocol direct { ipv4; }"
    yield "template bgp peer {"
    yield f"  hold time {timers.hold}; keepalive time {timers.keepalive};"
    yield "  connect delay time 1; connect retry time 2; error wait time 1, 4; error forget time 5;"
    yield "  graceful restart off; long lived graceful restart off;"
    yield "}"


def _kernel() -> Iterator[str]:
    """Routes into the kernel, equal ones as one ECMP route."""
    yield "protocol kernel { merge paths on limit 8; ipv4 { import none; export where source = RTS_BGP; }; }"


def _session(node: str, session: Session, channel: str, reach: str) -> Iterator[str]:
    """One BGP protocol; `reach` is `direct` or `multihop`."""
    near, far = session.side(node), session.far(node)
    assert near is not None
    yield f"protocol bgp {protocol(far.node)} from peer {{"
    yield f"  local {near.address} as {near.asn}; neighbor {far.address} as {far.asn}; {reach};"
    if session.listener.node == node:
        yield "  passive yes;"
    yield f"  ipv4 {{ {channel} }};"
    yield "}"


def _nva(lab: Lab, node: Node, dropped: Collection[str]) -> Iterator[str]:
    """Announces each service by a static route of its own; learns on-premises routes but never forwards by them.

    Azure's fabric carries an NVA's packets whatever next hop its BGP hears, so the kernel's routes are the lab's.
    """
    place = region(node.place)
    mine = [service for service in SERVICES if place.name in service.prepends]
    for service in mine:
        yield f"protocol static {service.protocol} {{ ipv4; route {service.prefix} blackhole; }}"
    yield "filter announced {"
    yield "  if source != RTS_STATIC then reject;"
    yield f"  bgp_community.add(({node.asn}, {TAG}));"
    for service in mine:
        count = 0 if service.name in dropped else service.prepends[place.name]
        if count:
            yield f"  if net = {service.prefix} then {{ {f'bgp_path.prepend({node.asn}); ' * count}}}"
    yield "  accept;"
    yield "}"
    for session in lab.sessions_of(node.name):
        yield from _session(node.name, session, "import all; export filter announced;", "multihop 2")


def _route_server(lab: Lab, node: Node) -> Iterator[str]:
    """Own address as next hop towards eBGP peers; to the gateways every path, with the NVA's next hop."""
    vnet = region(node.place).vnet
    yield "filter to_peers {"
    yield f"  if source != RTS_BGP && net != {vnet} then reject;"
    # What Azure's UPDATEs were seen to carry: this community, and no MED.
    yield "  bgp_community.add((65517, 65517));"
    yield "  unset(bgp_med);"
    yield "  accept;"
    yield "}"
    for session in lab.sessions_of(node.name):
        if session.far(node.name).asn == node.asn:
            channel = f"add paths tx; import all; export{BEHIND};"
            yield from _session(node.name, session, channel, "direct")
        else:
            yield from _session(node.name, session, "import all; next hop self; export filter to_peers;", "multihop 2")


def _gateway(lab: Lab, node: Node) -> Iterator[str]:
    """ExpressRoute first: what the MSEEs say of the sites is preferred to what the VPN gateway says."""
    yield from _kernel()
    vnet = region(node.place).vnet
    for session in lab.sessions_of(node.name):
        far = lab.by_name[session.far(node.name).node]
        match far.role:
            case Role.ROUTE_SERVER:
                yield from _session(node.name, session, _towards_route_server(f"{node.place}_msee*"), "direct")
            case Role.VPN:
                yield from _session(node.name, session, "import all; export none;", "direct")
            case _:
                preferred = "import filter { bgp_local_pref = 200; accept; };"
                channel = f"{preferred} next hop self; export {_azure(node.place, str(vnet))};"
                yield from _session(node.name, session, channel, "direct")


def _vpn(lab: Lab, node: Node) -> Iterator[str]:
    """Like the gateway, over tunnels, with AS paths as they are."""
    yield from _kernel()
    vnet = region(node.place).vnet
    for session in lab.sessions_of(node.name):
        far = lab.by_name[session.far(node.name).node]
        match far.role:
            case Role.ROUTE_SERVER:
                yield from _session(node.name, session, _towards_route_server("*_ce1"), "direct")
            case Role.GATEWAY:
                channel = 'import all; next hop self; export where proto ~ "*_ce1";'
                yield from _session(node.name, session, channel, "direct")
            case _:
                yield from _session(
                    node.name, session, f"import all; next hop self; export {_azure(node.place, str(vnet))};", "direct"
                )


def _towards_route_server(sites: str) -> str:
    """The channel of a gateway to a Route Server instance: every path in, the sites' routes out."""
    return f'add paths rx; import all; next hop self; export where proto ~ "{sites}";'


def _azure(place: str, vnet: str) -> str:
    """What a gateway tells on-premises: the VNet and what Route Server gave it."""
    return f'where net = {vnet} || proto ~ "{place}_rs*"'


def _msee(lab: Lab, node: Node) -> Iterator[str]:
    """Private AS numbers go, the regional community comes, and sites never hear each other."""
    yield from _kernel()
    gateway = f"{node.place}_gw"
    high, low = region(node.place).community.split(":")
    yield "filter to_sites {"
    yield f'  if proto != "{gateway}" then reject;'
    yield f"  bgp_path.delete({PRIVATE});"
    yield f"  bgp_community.add(({high}, {low}));"
    yield "  accept;"
    yield "}"
    for session in lab.sessions_of(node.name):
        if lab.by_name[session.far(node.name).node].role is Role.GATEWAY:
            channel = f'import all; next hop self; export where proto != "{gateway}" && source = RTS_BGP;'
        else:
            channel = "import all; next hop self; export filter to_sites;"
        yield from _session(node.name, session, channel, "direct")


ROGUE_ROUTES = {"hijack": "10.250.0.10/32", "more_specific": "10.250.8.0/25"}
"""The static protocols of the rogue router, disabled until a fault enables one."""


def _rogue(lab: Lab, node: Node) -> Iterator[str]:
    """Peers and says nothing, until one of its static protocols is enabled."""
    for name, prefix in ROGUE_ROUTES.items():
        yield f"protocol static {name} {{ disabled; ipv4; route {prefix} blackhole; }}"
    for session in lab.sessions_of(node.name):
        yield from _session(node.name, session, "import all; export where source = RTS_STATIC;", "direct")


def control(lab: Lab, node: str) -> Path:
    """Return the control socket of a node's BIRD."""
    return lab.node_folder(node) / "bird.ctl"


def write(lab: Lab, node: Node, timers: Timers, dropped_prepends: Collection[str] = ()) -> Path:
    """Write a node's configuration and return its path."""
    path = lab.node_folder(node.name) / "bird.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(config(lab, node, timers, dropped_prepends))
    return path


def start(lab: Lab, node: Node) -> Process:
    """Start BIRD on the configuration that `write` wrote."""
    folder = lab.node_folder(node.name)
    argv = ["bird", "-f", "-c", f"{folder}/bird.conf", "-s", str(control(lab, node.name)), "-P", f"{folder}/bird.pid"]
    return processes.start(lab, node.name, "bird", argv)


def ask(lab: Lab, node: str, command: str, patience: float = 5.0) -> str:
    """Send one command to a node's BIRD and return its answer without reply codes, as birdc prints it.

    Raises RuntimeError with BIRD's words when it refuses, and when nobody listens or answers in time.
    """
    try:
        code, text = _told(control(lab, node), command, patience)
    except OSError as problem:
        said = f"BIRD of {node} does not answer ({problem}); `catchment lab status --name {lab.name}` tells what runs"
        raise RuntimeError(said) from problem
    if code >= 8000:  # runtime errors are 8xxx and parse errors 9xxx
        raise RuntimeError(f"BIRD of {node} refuses {command!r}: {text}")
    return text


def _told(control: Path, command: str, patience: float) -> tuple[int, str]:
    """Say one command at a control socket, and return the reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(patience)
        connection.connect(str(control))
        with connection.makefile("rw", encoding="utf-8") as stream:
            _reply(stream.readline)
            stream.write(f"{command}\n")
            stream.flush()
            return _reply(stream.readline)


def _reply(readline: Callable[[], str]) -> tuple[int, str]:
    """Read one reply: lines with a code and `-`, lines that go on, and a last one with a code and a blank."""
    lines: list[str] = []
    while line := readline():
        code, mark, text = line[:4], line[4:5], line[5:].rstrip("\n")
        if not code.isdigit():
            lines.append(line[1:].rstrip("\n"))
            continue
        lines.append(text)
        if mark == " ":
            return int(code), "\n".join(lines)
    raise ConnectionError("BIRD closed its control socket before it had answered")
