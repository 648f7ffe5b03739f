"""What the routers themselves say: sessions, tables and forwarding, for waiting, for witnesses and for comparison.

Each daemon is asked through its own tool's door: BIRD's control socket, vtysh's JSON, gobgp's JSON, the kernel's routes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab import space
from lab.daemons import bird, frr, gobgp
from lab.topology import Lab, Node, Role, Session

BIRDS = (Role.ROUTE_SERVER, Role.NVA, Role.GATEWAY, Role.VPN, Role.MSEE, Role.ROGUE)
_ESTABLISHED = 6  # GoBGP's PeerState.SessionState


@dataclass(frozen=True, slots=True)
class Row:
    """One route in a router's own table."""

    router: str
    peer: str
    """Address of the peer it was learned from; empty for the router's own."""
    prefix: str
    next_hop: str
    as_path: tuple[int, ...]
    communities: tuple[str, ...] = ()
    local_pref: int | None = None
    med: int | None = None
    best: bool = False


@dataclass(frozen=True, slots=True)
class SessionState:
    """One BGP session as both of its ends see it."""

    session: Session
    dialer_up: bool
    listener_up: bool

    @property
    def established(self) -> bool:
        """Whether both ends say Established."""
        return self.dialer_up and self.listener_up


def sessions(lab: Lab) -> tuple[SessionState, ...]:
    """Return every session with what its two ends say; a daemon that does not answer has no session up."""
    up = {node.name: established(lab, node) for node in lab.nodes if node.role in _ASKED}
    return tuple(
        SessionState(
            session,
            str(session.listener.address) in up[session.dialer.node],
            str(session.dialer.address) in up[session.listener.node],
        )
        for session in lab.sessions
    )


def established(lab: Lab, node: Node) -> frozenset[str]:
    """Return the addresses of the peers with which a node says its session is Established; none when it is silent."""
    try:
        return frozenset(_ASKED[node.role](lab, node.name))
    except (OSError, RuntimeError, json.JSONDecodeError):
        return frozenset()


def _bird_peers(lab: Lab, node: str) -> Iterator[str]:
    lines = [line.split() for line in bird.ask(lab, node, "show protocols").splitlines()]
    up = {words[0] for words in lines if len(words) >= 6 and words[1] == "BGP" and words[5] == "Established"}
    for session in lab.sessions_of(node):
        far = session.far(node)
        if bird.protocol(far.node) in up:
            yield str(far.address)


def _frr_peers(lab: Lab, node: str) -> Iterator[str]:
    peers = frr.show(lab, node, "show bgp ipv4 unicast summary json").get("peers", {})
    yield from (address for address, peer in peers.items() if peer.get("state") == "Established")


def _gobgp_peers(lab: Lab, node: str) -> Iterator[str]:
    for peer in gobgp.ask(lab, "neighbor") or ():
        state = peer["state"]
        if state.get("session_state") == _ESTABLISHED:
            yield state["neighbor_address"]


_ASKED = {**dict.fromkeys(BIRDS, _bird_peers), Role.EDGE: _frr_peers, Role.COLLECTOR: _gobgp_peers}


def fib(lab: Lab, node: str, prefix: str) -> tuple[str, ...]:
    """Return the next hops of a prefix in a node's kernel, sorted; none when it has no such route."""
    printed = space.run(lab.namespace(node), ["ip", "-j", "route", "show", "exact", prefix]).stdout.strip()
    routes: list[Mapping[str, Any]] = json.loads(printed) if printed else []
    hops = [hop for route in routes for hop in route.get("nexthops", [route])]
    return tuple(sorted(hop.get("gateway") or hop.get("via", {}).get("host") or hop.get("dev", "") for hop in hops))


def heard_by_collector(lab: Lab, prefix: str) -> frozenset[str]:
    """Return the addresses of the peers from which GoBGP has a route to a prefix."""
    try:
        table: Mapping[str, list[Mapping[str, Any]]] = gobgp.ask(lab, "global", "rib", prefix) or {}
    except RuntimeError:  # "Network not in table"
        return frozenset()
    return frozenset(path["neighbor-ip"] for paths in table.values() for path in paths)
