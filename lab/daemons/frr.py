"""FRR: the sites' edge routers (zebra and bgpd).

Traps met here: with kernel next-hop groups a failing ECMP member takes its flows with it, so they are off; zebra must
listen before bgpd starts; pre-policy BMP needs soft reconfiguration inbound.
"""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import processes, space
from lab.state import Process
from lab.topology import (
    BMP_PORT,
    COLLECTOR_ADDRESS,
    REGIONS,
    VPN_SERVICE,
    Lab,
    Node,
    Role,
    Session,
    Site,
    Timers,
    service,
    site,
)

USER = "frr"
VPN_PREFERRED, VPN_LAST, ROGUE_PREFERRED = 300, 50, 250
"""LOCAL_PREF of the VPN's own service, of everything else over the VPN, and of what the partner says."""


def zebra_config(node: Node) -> str:
    """Return zebra's configuration."""
    return f"hostname {node.name}\nno zebra nexthop kernel enable\n"


def config(lab: Lab, node: Node, timers: Timers, local_pref: dict[str, int] | None = None) -> str:
    """Return bgpd's configuration. `local_pref`, by region, stands in for the site's own."""
    place = site(node.place)
    preferences = dict(place.local_pref) if local_pref is None else local_pref
    lines = (
        *(f"hostname {node.name}", "log timestamp precision 6", "bgp route-map delay-timer 1", "!"),
        *_policy(place, preferences),
        *_router(lab, node, place, timers),
    )
    return "\n".join((*lines, ""))


def _policy(place: Site, local_pref: dict[str, int]) -> Iterator[str]:
    yield f"ip prefix-list own seq 5 permit {place.loopback}/32"
    yield f"ip prefix-list own seq 10 permit {place.lan}"
    yield f"ip prefix-list vpn-service seq 5 permit {service(VPN_SERVICE).prefix}"
    for region in REGIONS:
        yield f"bgp community-list standard {region.name} seq 5 permit {region.community}"
    for number, region in enumerate(REGIONS, 1):
        if region.name in local_pref:
            yield f"route-map from-azure permit {number * 10}"
            yield f" match community {region.name}"
            yield f" set local-preference {local_pref[region.name]}"
            yield "exit"
    yield from ("route-map from-azure permit 100", "exit")
    yield from ("route-map from-vpn permit 10", " match ip address prefix-list vpn-service")
    yield from (f" set local-preference {VPN_PREFERRED}", "exit")
    yield from ("route-map from-vpn permit 20", f" set local-preference {VPN_LAST}", "exit")
    yield from ("route-map from-partner permit 10", f" set local-preference {ROGUE_PREFERRED}", "exit")
    yield from ("route-map own permit 10", " match ip address prefix-list own", "exit")
    yield from ("route-map nothing deny 10", "exit", "!")


def _router(lab: Lab, node: Node, place: Site, timers: Timers) -> Iterator[str]:
    sessions = lab.sessions_of(node.name)
    yield f"router bgp {node.asn}"
    yield f" bgp router-id {node.address}"
    yield from (
        " no bgp ebgp-requires-policy",
        " bgp bestpath as-path multipath-relax",
        " bgp graceful-restart-disable",
    )
    yield f" timers bgp {timers.keepalive} {timers.hold}"
    for session in sessions:
        yield from _neighbor(lab, node, session)
    yield " address-family ipv4 unicast"
    yield from (f"  network {place.lan}", f"  network {place.loopback}/32", "  maximum-paths 8")
    for session in sessions:
        yield from _exchange(lab, node, session)
    yield " exit-address-family"
    yield " bmp targets catchment"
    yield "  bmp stats interval 30000"
    yield "  bmp monitor ipv4 unicast pre-policy"
    yield f"  bmp connect {COLLECTOR_ADDRESS} port {BMP_PORT} min-retry 1000 max-retry 2000"
    yield from (" exit", "exit")


def _neighbor(lab: Lab, node: Node, session: Session) -> Iterator[str]:
    far = session.far(node.name)
    yield f" neighbor {far.address} remote-as {session.dialer.asn if far == session.dialer else far.asn}"
    yield f" neighbor {far.address} description {far.node}"
    yield f" neighbor {far.address} timers connect 2"
    yield f" neighbor {far.address} advertisement-interval 0"
    if session.listener.node == node.name:
        yield f" neighbor {far.address} passive"
    if lab.by_name[far.node].role is Role.COLLECTOR:
        yield f" neighbor {far.address} update-source {node.address}"


POLICIES = {
    Role.MSEE: ("from-azure", "own"),
    Role.VPN: ("from-vpn", "own"),
    Role.ROGUE: ("from-partner", "nothing"),
}
"""Route maps in and out; the collector gets the best path of everything."""


def _exchange(lab: Lab, node: Node, session: Session) -> Iterator[str]:
    far = session.far(node.name)
    yield f"  neighbor {far.address} soft-reconfiguration inbound"
    policy = POLICIES.get(lab.by_name[far.node].role)
    if policy:
        yield f"  neighbor {far.address} route-map {policy[0]} in"
        yield f"  neighbor {far.address} route-map {policy[1]} out"


def write(lab: Lab, node: Node, timers: Timers) -> Path:
    """Write a node's configurations into a folder that FRR's own user may use, and return it."""
    folder = lab.node_folder(node.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "zebra.conf").write_text(zebra_config(node))
    (folder / "bgpd.conf").write_text(config(lab, node, timers))
    for entry in (folder, folder / "zebra.conf", folder / "bgpd.conf"):
        shutil.chown(entry, USER, USER)
    return folder


def _argv(lab: Lab, node: str, daemon: str) -> list[str]:
    folder = lab.node_folder(node)
    # Sockets in our own folder: nothing of ours is ever under /var/run/frr.
    where = ["-f", f"{folder}/{daemon}.conf", "-i", f"{folder}/{daemon}.pid", "-z", f"{folder}/zserv.api"]
    talk = ["--vty_socket", str(folder), "-A", "127.0.0.1", "-P", "0", "--log", "stdout", "--log-level", "debug"]
    return [f"/usr/lib/frr/{daemon}", *where, *talk]


def start(lab: Lab, node: Node, patience: float = 5.0) -> tuple[Process, ...]:
    """Start zebra, and bgpd once zebra listens. Raises RuntimeError when it does not within `patience` seconds."""
    zebra = processes.start(lab, node.name, "zebra", _argv(lab, node.name, "zebra"))
    socket, deadline = lab.node_folder(node.name) / "zserv.api", time.monotonic() + patience
    while not socket.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"zebra of {node.name} does not listen; see {socket.parent}/zebra.log")
        time.sleep(0.02)
    return zebra, start_bgpd(lab, node)


def start_bgpd(lab: Lab, node: Node) -> Process:
    """Start bgpd alone, beside a zebra that runs."""
    return processes.start(lab, node.name, "bgpd", [*_argv(lab, node.name, "bgpd"), "-M", "bmp"])


def ask(lab: Lab, node: str, *commands: str) -> str:
    """Run vtysh commands (`configure terminal` among them) on an edge router and return what they print.

    Raises RuntimeError with FRR's words when one is refused.
    """
    argv = ["vtysh", "--vty_socket", str(lab.node_folder(node))]
    for command in commands:
        argv += ["-c", command]
    done = space.run(lab.namespace(node), argv)
    if "% " in done.stdout:
        raise RuntimeError(f"FRR of {node} refuses {commands}: {done.stdout.strip()}")
    return done.stdout


def show(lab: Lab, node: str, command: str) -> Any:
    """Return what a `show ... json` command says, parsed."""
    return json.loads(ask(lab, node, command))
