"""Faults of machines and their programs: applications, NVAs, and the collector's GoBGP."""

import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from anycast.intent import TrafficMode
from lab import processes, space, state, truth
from lab.daemons import application, bird, gobgp, haproxy, probing
from lab.faults import sights
from lab.faults.targets import nodes, one
from lab.faults.verb import Fault, FaultError, Say
from lab.segments import FIN, RST, Segment
from lab.state import Process
from lab.topology import COLLECTOR_ADDRESS, Lab, Node, Role, Timers, region
from lab.witness import PacketTap, TableWatcher, Witness, dropped

TABLE = "fault_silent"
SILENCE = f"""table inet {TABLE} {{
  chain arriving {{ type filter hook prerouting priority -400; iif != "lo" counter drop; }}
  chain leaving {{ type filter hook output priority -400; oif != "lo" counter drop; }}
}}
"""
"""Both ways: with one way alone the neighbours go on hearing us, and the failure lasts longer than the hold time."""


def kill_app(lab: Lab, words: Sequence[str]) -> Fault:
    """Kill the application of a region; the NVAs' health checks withdraw every service."""
    word = words[0] if words else "weu"
    servers = nodes(lab, word, Role.APPLICATION)
    if len(words) > 1 or not servers:
        raise FaultError(f"say a region or an application server such as weu or weu-app1, not {' '.join(words)!r}")
    nvas = tuple(application.behind(lab, server) for server in servers)
    return Fault(
        target=word,
        onset=lambda: sights.gone(lab, nvas),
        inject=lambda say: _kill(_running(lab, servers), say),
        recovery=lambda: sights.back(lab, nvas),
        heal=lambda say: _start_apps(lab, servers, say),
    )


def _start_apps(lab: Lab, servers: Iterable[Node], say: Say) -> None:
    for server in servers:
        if processes.find(lab, server.name, "app") is None:
            application.start_app(lab, server)
            say(f"{server.name}: application started")
        _respond(lab, server, say)


def _respond(lab: Lab, node: Node, say: Say) -> None:
    """Where responders belong to the lab, a node that came back has one."""
    known = state.load(lab)
    if known is not None and known.probing and processes.find(lab, node.name, "responder") is None:
        probing.start_responder(lab, node)
        say(f"{node.name}: responder started")


def _running(lab: Lab, where: Iterable[Node]) -> tuple[Process, ...]:
    """The lab's living processes on some nodes."""
    known, names = state.load(lab), {node.name for node in where}
    every = known.processes if known is not None else ()
    return tuple(each for each in every if each.node in names and state.alive(each))


def _kill(victims: Iterable[Process], say: Say) -> None:
    """SIGKILL, and wait until they are gone: the kernel has closed their sockets then."""
    left = [each for each in victims if processes.send(each, signal.SIGKILL)]
    deadline = time.monotonic() + 5
    while alive := [each for each in left if state.alive(each)]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"pid {alive[0].pid} ({alive[0].name} on {alive[0].node}) does not die of SIGKILL")
        time.sleep(0.01)
    for each in left:
        state.reap(each.pid)
        say(f"{each.node}: {each.name} killed (pid {each.pid})")


def kill_nva(lab: Lab, words: Sequence[str]) -> Fault:
    """Kill an NVA's programs and pull its cable: a dead virtual machine whose kernel still said goodbye on TCP."""
    nva = one(lab, words, Role.NVA, "weu-nva1")
    return Fault(
        target=nva.name,
        onset=lambda: sights.gone(lab, (nva,)),
        inject=lambda say: _die(lab, nva, say),
        recovery=lambda: sights.back(lab, (nva,)),
        heal=lambda say: _live(lab, nva, say),
    )


def _die(lab: Lab, nva: Node, say: Say) -> None:
    _kill(_running(lab, (nva,)), say)
    _cable(lab, nva, "down", say)


def _live(lab: Lab, nva: Node, say: Say) -> None:
    """What of the NVA does not run is started, in the order in which the lab came up."""
    _cable(lab, nva, "up", say)
    starts = {"haproxy": haproxy.start, "bird": bird.start, "health": application.start_health}
    if region(nva.place).mode is not TrafficMode.PROXY:
        del starts["haproxy"]
    for name, start in starts.items():
        if processes.find(lab, nva.name, name) is None:
            start(lab, nva)
            say(f"{nva.name}: {name} started")
    _respond(lab, nva, say)


def _cable(lab: Lab, nva: Node, way: str, say: Say) -> None:
    """At the fabric's end: the NVA loses its carrier and keeps its routes, as with a pulled cable."""
    ends = ((link.left, link.right) for link in lab.links if nva.name in (link.left.node, link.right.node))
    for left, right in ends:
        far = right if left.node == nva.name else left
        space.batch([f"link set {far.interface} {way}"], lab.namespace(far.node))
        say(f"{far.node}: link {far.interface} {way}")


def freeze_nva(lab: Lab, words: Sequence[str]) -> Fault:
    """Stop an NVA's programs without ending them; its kernel still forwards until the hold time runs out."""
    nva = one(lab, words, Role.NVA, "weu-nva1")
    return Fault(
        target=nva.name,
        onset=lambda: sights.gone(lab, (nva,)) if _missed_soon(lab) else _frozen(lab, nva),
        inject=lambda say: _signal(lab, nva, signal.SIGSTOP, "frozen", say),
        recovery=lambda: sights.back(lab, (nva,)),
        heal=lambda say: _signal(lab, nva, signal.SIGCONT, "thawed", say),
    )


def _missed_soon(lab: Lab) -> bool:
    """Whether neighbours miss a silent NVA within the time that a witness is given."""
    return sights.timers(lab) is Timers.LAB


def _frozen(lab: Lab, nva: Node) -> Witness:
    def ask() -> str | None:
        running = _running(lab, (nva,))
        stopped = running and all(_is_stopped(each) for each in running)
        return f"{len(running)} processes stopped" if stopped else None

    return TableWatcher(f"the kernel's process states on {nva.name}", ask)


def _is_stopped(process: Process) -> bool:
    return Path("/proc", str(process.pid), "stat").read_text().rpartition(")")[2].split()[0] == "T"


def _signal(lab: Lab, nva: Node, number: int, word: str, say: Say) -> None:
    for each in _running(lab, (nva,)):
        if processes.send(each, number):
            say(f"{each.node}: {each.name} {word} (pid {each.pid})")


def silent_drop(lab: Lab, words: Sequence[str]) -> Fault:
    """Drop every packet to and from an NVA without a word; neighbours notice when the hold time runs out."""
    nva = one(lab, words, Role.NVA, "weu-nva1")
    namespace = lab.namespace(nva.name)
    return Fault(
        target=nva.name,
        onset=lambda: (
            sights.gone(lab, (nva,))
            if _missed_soon(lab)
            else sights.counted(namespace, lambda: dropped(namespace, TABLE))
        ),
        inject=lambda say: _silence(namespace, say),
        recovery=lambda: sights.back(lab, (nva,)),
        heal=lambda say: _hear(namespace, say),
    )


def _silence(namespace: str, say: Say) -> None:
    space.run(namespace, ["nft", "-f", "-"], stdin=fresh(TABLE, SILENCE))
    say(f"{namespace}: nftables drops everything in and out")


def _hear(namespace: str, say: Say) -> None:
    space.run(namespace, ["nft", "-f", "-"], stdin=fresh(TABLE, ""))
    say(f"{namespace}: nftables drops nothing any more")


def fresh(table: str, ruleset: str) -> str:
    """Return a ruleset that stands in for whatever the table held; `delete` alone would fail where there is none."""
    return f"table inet {table} {{}}\ndelete table inet {table}\n{ruleset}"


def restart_gobgp(lab: Lab, words: Sequence[str]) -> Fault:
    """Kill the collector's GoBGP and start it again."""
    if words:
        raise FaultError(f"restart-gobgp takes no words, not {' '.join(words)!r}")
    return Fault(
        target="gobgp",
        onset=lambda: PacketTap(lab.namespace("collector"), _hung_up),
        inject=lambda say: _kill(
            [each for each in _running(lab, lab.of(Role.COLLECTOR)) if each.name == "gobgpd"], say
        ),
        recovery=lambda: TableWatcher("gobgp neighbor", lambda: _all_established(lab)),
        heal=lambda say: _start_gobgp(lab, say),
        passes=True,
    )


def _hung_up(segment: Segment) -> str | None:
    if segment.bgp and segment.source == COLLECTOR_ADDRESS and segment.flags & (FIN | RST):
        return f"the collector's kernel closed BGP with {segment.target}"
    return None


def _start_gobgp(lab: Lab, say: Say) -> None:
    if processes.find(lab, "collector", "gobgpd") is None:
        started = gobgp.start(lab)
        say(f"collector: gobgpd started (pid {started.pid})")


def _all_established(lab: Lab) -> str | None:
    up = truth.established(lab, lab.by_name["collector"])
    return f"{len(up)} sessions established" if len(up) == len(lab.sessions_of("collector")) else None
