"""What the routers themselves say: sessions, tables and forwarding, for waiting, for witnesses and for comparison.

Each is asked through its own door: BIRD's control socket, vtysh's JSON, gobgp's JSON, the kernel's routes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from anycast.route import community_text
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
    """Return the addresses of the peers from which GoBGP has a route to a prefix, before its import policy."""
    return frozenset(row.peer for row in adj_in_of_collector(lab) if row.prefix == prefix)


def adj_in_of_collector(lab: Lab) -> tuple[Row, ...]:
    """Return GoBGP's Adj-RIB-In, all peers: what V1, V2 and V6 must equal."""
    return tuple(
        _gobgp_row(str(session.listener.address), path)
        for session in lab.sessions_of(gobgp.NODE)
        for paths in (gobgp.ask(lab, "neighbor", str(session.listener.address), "adj-in") or {}).values()
        for path in paths
    )


def _gobgp_row(peer: str, path: Mapping[str, Any]) -> Row:
    values = {attribute["type"]: attribute for attribute in path["attrs"]}
    return Row(
        router=gobgp.NODE,
        peer=peer,
        prefix=path["nlri"]["prefix"],
        next_hop=values[3]["nexthop"],
        as_path=tuple(asn for segment in values.get(2, {}).get("as_paths", ()) for asn in segment["asns"]),
        communities=tuple(community_text(number) for number in values.get(8, {}).get("communities", ())),
        local_pref=values.get(5, {}).get("value"),
        med=values.get(4, {}).get("metric"),
        best=bool(path.get("best")),
    )


def adj_in_of_edge(lab: Lab, node: str) -> tuple[Row, ...]:
    """Return an edge router's Adj-RIB-In before policy (so without LOCAL_PREF), all eBGP peers: V5 must equal it."""
    rows: list[Row] = []
    for session in lab.sessions_of(node):
        far = session.far(node)
        if lab.by_name[far.node].role is not Role.COLLECTOR:
            shown = frr.show(lab, node, f"show bgp ipv4 unicast neighbors {far.address} received-routes json")
            rows += (_frr_row(node, str(far.address), each) for each in shown.get("receivedRoutes", {}).values())
    marks = {(row.peer, row.prefix): row for row in table_of_edge(lab, node)}
    # That command leaves communities out; the edges' policies do not change any.
    return tuple(_with_communities(row, marks.get((row.peer, row.prefix))) for row in rows)


def _with_communities(row: Row, same: Row | None) -> Row:
    return replace(row, communities=same.communities, best=same.best) if same else row


def _frr_row(node: str, peer: str, shown: Mapping[str, Any]) -> Row:
    path = tuple(int(word) for word in shown["path"].split())
    return Row(node, peer, shown["network"], shown["nextHop"], path, med=shown.get("metric"))


def table_of_edge(lab: Lab, node: str) -> tuple[Row, ...]:
    """Return an edge router's BGP table after its policy, every path, the chosen ones marked `best`."""
    prefixes = list(frr.show(lab, node, "show bgp ipv4 unicast json").get("routes", {}))
    printed = frr.ask(lab, node, *(f"show bgp ipv4 unicast {prefix} json" for prefix in prefixes)) if prefixes else ""
    return tuple(_table_row(node, each["prefix"], path) for each in _values(printed) for path in each["paths"])


def _table_row(node: str, prefix: str, path: Mapping[str, Any]) -> Row:
    return Row(
        router=node,
        peer=path["peer"]["peerId"] if path["peer"].get("type") else "",
        prefix=prefix,
        next_hop=path["nexthops"][0]["ip"],
        as_path=tuple(asn for segment in path["aspath"]["segments"] for asn in segment["list"]),
        communities=tuple(path.get("community", {}).get("list", ())),
        local_pref=path.get("locPrf"),
        med=path.get("metric"),
        best=bool(path.get("bestpath", {}).get("overall")) or bool(path.get("multipath")),
    )


def _values(printed: str) -> Iterator[Any]:
    """JSON values one after the other, as vtysh prints them for several commands."""
    decoder, rest = json.JSONDecoder(), printed.strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()


_PREFIX = re.compile(r"^(?P<prefix>[0-9.]+/\d+)?\s+\S+ \[(?P<protocol>\w+) [^\]]*\](?P<best> \*)?")
_FIELD = re.compile(r"^\tBGP\.(?P<name>\w+): (?P<value>.*)$")


def table_of_bird(lab: Lab, node: str) -> tuple[Row, ...]:
    """Return the BGP routes of a BIRD's table, every path, the chosen one marked `best`."""
    return tuple(parse_bird(lab, node, bird.ask(lab, node, "show route all")))


def parse_bird(lab: Lab, node: str, printed: str) -> Iterator[Row]:
    """Read what `show route all` prints: a line for each path (the prefix only on the first), its attributes below."""
    peers = {bird.protocol(each.far(node).node): str(each.far(node).address) for each in lab.sessions_of(node)}
    prefix, head, fields = "", None, dict[str, str]()
    for line in (*printed.splitlines(), ""):
        start, field = _PREFIX.match(line), _FIELD.match(line)
        if field:
            fields[field["name"]] = field["value"]
        if (start or not line) and head is not None and head["protocol"] in peers:
            yield _bird_row(node, peers[head["protocol"]], prefix, bool(head["best"]), fields)
        if start:
            prefix, head, fields = start["prefix"] or prefix, start, {}


def _bird_row(node: str, peer: str, prefix: str, best: bool, fields: Mapping[str, str]) -> Row:
    return Row(
        router=node,
        peer=peer,
        prefix=prefix,
        next_hop=fields["next_hop"].split()[0],
        as_path=tuple(int(word) for word in fields.get("as_path", "").split()),
        communities=tuple(f"{high}:{low}" for high, low in re.findall(r"\((\d+),(\d+)\)", fields.get("community", ""))),
        local_pref=int(fields["local_pref"]) if "local_pref" in fields else None,
        med=int(fields["med"]) if "med" in fields else None,
        best=best,
    )
