"""Faults of sessions: a BGP session shut down, and BMP cut off from the station."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address

from lab import space
from lab.daemons import bird, frr
from lab.faults import sights
from lab.faults.machines import fresh
from lab.faults.verb import Fault, FaultError, Say
from lab.segments import CEASE, NOTIFICATION, RST, UPDATE, Segment, messages
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, Lab, Role, Session
from lab.truth import BIRDS
from lab.witness import PacketTap, Witness, dropped

DEFAULT = ("weu-msee1", "ams-ce1")


def session_down(lab: Lab, words: Sequence[str]) -> Fault:
    """Shut one BGP session down, at the first of the two routers when that is a BIRD, else at the other."""
    session = _session(lab, tuple(words) or DEFAULT)
    near, far = (words or DEFAULT)[:2]
    if lab.by_name[near].role is Role.COLLECTOR or (
        lab.by_name[near].role not in BIRDS and lab.by_name[far].role in BIRDS
    ):
        near, far = far, near
    return Fault(
        target=f"{near} and {far}",
        onset=lambda: _tap(lab, far, session, NOTIFICATION),
        inject=lambda say: _administer(lab, near, session, True, say),
        recovery=lambda: _tap(lab, far, session, UPDATE),
        heal=lambda say: _administer(lab, near, session, False, say),
    )


def _session(lab: Lab, names: tuple[str, ...]) -> Session:
    found = [each for each in lab.sessions if {each.dialer.node, each.listener.node} == set(names)]
    if len(names) == 2 and found:
        return found[0]
    known = lab.sessions_of(names[0]) if names else ()
    peers = ", ".join(each.far(names[0]).node for each in known)
    hint = f"{names[0]} has sessions with {peers}" if peers else f"such as {' '.join(DEFAULT)}"
    raise FaultError(f"session-down takes the names of two nodes that have a BGP session: {hint}")


def _administer(lab: Lab, near: str, session: Session, down: bool, say: Say) -> None:
    far = session.far(near)
    if lab.by_name[near].role in BIRDS:
        said = bird.ask(lab, near, f"{'disable' if down else 'enable'} {bird.protocol(far.node)}").strip()
        say(f"{near}: BIRD says {said}")
        return
    asn = lab.by_name[near].asn
    command = f"{'' if down else 'no '}neighbor {far.address} shutdown"
    frr.ask(lab, near, "configure terminal", f"router bgp {asn}", command)
    say(f"{near}: {command}")


def _tap(lab: Lab, node: str, session: Session, kind: int) -> Witness:
    ends = (session.dialer.address, session.listener.address)

    def telling(segment: Segment) -> str | None:
        if not (segment.bgp and segment.between(*ends)):
            return None
        for message in messages(segment.payload):
            if message.kind == kind and (kind != NOTIFICATION or message.body[:1] == bytes([CEASE])):
                word = "NOTIFICATION Cease" if kind == NOTIFICATION else "UPDATE"
                return f"{word} from {segment.source} to {segment.target}"
        return None

    return PacketTap(lab.namespace(node), telling)


def cut_bmp(lab: Lab, words: Sequence[str]) -> Fault:
    """Cut an exporter's BMP off from the station: with a reset, or so that both sides hear nothing."""
    ways = [word for word in words if word.startswith("--")]
    names = [word for word in words if not word.startswith("--")]
    exporters = _exporters(lab)
    name = names[0] if names else "ams-ce1"
    way = ways[0] if ways else "--reset"
    if len(ways) > 1 or len(names) > 1 or name not in exporters or way not in ("--reset", "--silent"):
        raise FaultError(f"cut-bmp takes --reset or --silent and one of {', '.join(exporters)}")
    node, address = exporters[name]
    silent = way == "--silent"
    collector, table = lab.namespace("collector"), f"fault_bmp_{name.replace('-', '_')}"
    return Fault(
        target=f"{name} {'silently' if silent else 'with a reset'}",
        onset=lambda: (
            sights.counted(collector, lambda: dropped(collector, table)) if silent else _reset_seen(lab, address)
        ),
        inject=lambda say: (
            _swallow(lab, node, address, table, say) if silent else _reset(lab, node, address, table, say)
        ),
        recovery=lambda: sights.bmp_opened(lab, address),
        heal=lambda say: _mend(lab, node, address, table, say),
    )


def _exporters(lab: Lab) -> dict[str, tuple[str, IPv4Address]]:
    """By name: the node that dials the station, and the address it dials from."""
    edges = {node.name: (node.name, node.address) for node in lab.of(Role.EDGE) if node.address is not None}
    return {**edges, "gobgp": ("collector", COLLECTOR_ADDRESS)}


def _rules(lab: Lab, table: str, address: IPv4Address, rules: str) -> None:
    """Load rules on what arrives at the station from an exporter, and on what goes back."""
    chains = (
        f"""table inet {table} {{
  chain arriving {{ type filter hook input priority -300; ip saddr {address} tcp dport {BMP_PORT} {rules}; }}
  chain leaving {{ type filter hook output priority -300; ip daddr {address} tcp sport {BMP_PORT} {rules}; }}
}}
"""
        if rules
        else ""
    )
    space.run(lab.namespace("collector"), ["nft", "-f", "-"], stdin=fresh(table, chains))


def _reset(lab: Lab, node: str, address: IPv4Address, table: str, say: Say) -> None:
    """Abort the exporter's own socket, which sends a true RST; new connections are refused."""
    if not _connected(lab, node, address):
        raise FaultError(f"{address} has no BMP connection to {sights.STATION} to be reset; does Catchment run?")
    # The RST itself must pass. What the exporter sends afterwards is answered with one.
    _rules(lab, table, address, "tcp flags & rst == 0 reject with tcp reset")
    say(f"collector: BMP from {address} is refused")
    _abort(lab, node, address)
    say(f"{node}: its BMP connection is aborted with a RST")


def _connected(lab: Lab, node: str, address: IPv4Address) -> bool:
    return bool(_ss(lab, node, address, "-Htn"))


def _abort(lab: Lab, node: str, address: IPv4Address) -> bool:
    """Abort the exporter's connections to the station; False when it had none."""
    return bool(_ss(lab, node, address, "-KHtn"))


def _ss(lab: Lab, node: str, address: IPv4Address, options: str) -> str:
    chosen = ["src", str(address), "and", "dst", str(COLLECTOR_ADDRESS), "and", "dport", "=", str(BMP_PORT)]
    return space.run(lab.namespace(node), ["ss", options, "state", "established", *chosen]).stdout.strip()


def _reset_seen(lab: Lab, address: IPv4Address) -> Witness:
    def telling(segment: Segment) -> str | None:
        ours = segment.source == address and segment.target_port == BMP_PORT
        return f"RST from {address} to the station" if ours and segment.flags & RST else None

    return PacketTap(lab.namespace("collector"), telling)


def _swallow(lab: Lab, node: str, address: IPv4Address, table: str, say: Say) -> None:
    """Drop both ways, and send one SYN of the exporter's that must be lost: BMP itself may be quiet for long."""
    _rules(lab, table, address, "counter drop")
    say(f"collector: BMP from and to {address} is dropped without a word")

    space.inside(lab.namespace(node), lambda: _knock(address))


def _knock(address: IPv4Address) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as exporter:
        exporter.bind((str(address), 0))
        exporter.setblocking(False)
        exporter.connect_ex((str(COLLECTOR_ADDRESS), BMP_PORT))  # sends its SYN at once; closing says no more


def _mend(lab: Lab, node: str, address: IPv4Address, table: str, say: Say) -> None:
    """Let BMP pass, and have the exporter dial anew: its TCP might wait two minutes before it tries again.

    The end of what was left of its connection passes first. Else its TCP could use the moment to send again what was
    swallowed, and there would have been no gap.
    """
    _rules(lab, table, address, "tcp flags & rst == 0 drop")
    if _abort(lab, node, address):
        say(f"{node}: what was left of its BMP connection is aborted, so that it dials anew")
    _rules(lab, table, address, "")
    say(f"collector: BMP from {address} passes again")
