"""Bring a lab up, take it down, look at it.

`up` writes down each process as it starts; `down` works from that file, from the names of the namespaces and from the
mark that each process carries, so that it does not matter who made the lab or how far they came.
"""

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from anycast.counted import counted
from anycast.intent import TrafficMode
from lab import packages, plumbing, processes, space, state, truth
from lab.daemons import application, bird, frr, gobgp, haproxy, nft, probing
from lab.lateness import Report, read, void
from lab.state import Process, State
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, SERVICES, SITES, Lab, Role, Timers, region
from lab.truth import SessionState

Progress = Callable[[str], None]
"""Is told one sentence for each step."""

READY_WITHIN = timedelta(seconds=60)
PROGRAMS = ("ip", "bgpd", "bird", "gobgpd", "haproxy", "nft")


@dataclass(frozen=True, slots=True)
class Up:
    """A lab that has come up."""

    lab: Lab
    timers: Timers
    took: timedelta
    """From the first namespace until every session was established and every service was where it must be."""
    namespaces: int
    processes: int
    sessions: int


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process, and whether it still runs."""

    process: Process
    alive: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A lab as it is now."""

    lab: Lab
    timers: Timers | None
    """None when it is not up."""
    namespaces: int
    processes: tuple[ProcessState, ...]
    sessions: tuple[SessionState, ...]
    lateness: Report | None = None
    """What the delay line says of itself; None where it says nothing (yet)."""

    @property
    def void(self) -> str | None:
        """Why a run proves nothing about times; None where it is fit."""
        return "the delay line does not report" if self.lateness is None else void(self.lateness)

    @property
    def up(self) -> bool:
        """Whether the lab is there at all."""
        return self.timers is not None

    @property
    def healthy(self) -> bool:
        """Whether every process runs and every session is established."""
        return (
            self.up and all(each.alive for each in self.processes) and all(each.established for each in self.sessions)
        )


@dataclass(frozen=True, slots=True)
class Down:
    """What `down` found and took away."""

    processes: int
    namespaces: int


def _silent(_: str) -> None:
    return


def up(
    lab: Lab,
    timers: Timers = Timers.LAB,
    progress: Progress = _silent,
    within: timedelta = READY_WITHIN,
    probes: bool = False,
) -> Up:
    """Make the whole network and return when it is healthy. What a failure leaves is taken down before it is raised.

    With `probes` there are responders on NVAs and application servers, and an agent at each site.

    Raises RuntimeError when this machine cannot hold a lab or holds this one already, when a daemon ends, or when
    sessions or routes are not there `within` that time (it names them).
    """
    began = time.monotonic()
    _able()
    _claim(lab)
    try:
        progress(f"making {len(lab.nodes)} namespaces and {len(lab.links)} cables")
        _namespaces(lab)
        state.save(lab, State(lab.name, timers, probing=probes))
        progress("starting applications, the delay line and routers")
        _daemons(lab, timers)
        if probes:
            _responders(lab)
        progress(f"waiting for {len(lab.sessions)} BGP sessions")
        _wait(lab, began + within.total_seconds(), progress)
        if probes:
            progress("starting an agent at each site")
            for site in SITES:
                probing.start_agent(lab, site)
    except BaseException:
        down(lab)
        raise
    known = state.load(lab)
    return Up(
        lab,
        timers,
        timedelta(seconds=time.monotonic() - began),
        len(lab.nodes),
        len(known.processes) if known else 0,
        len(lab.sessions),
    )


def _able() -> None:
    if os.geteuid() != 0:
        raise RuntimeError("only root can make the lab's network namespaces; run this as root")
    if absent := packages.missing({program: packages.LAB[program] for program in PROGRAMS}):
        names = " ".join(absent)
        raise RuntimeError(f"the lab needs programs that are not here: apt-get install --no-install-recommends {names}")


def _claim(lab: Lab) -> None:
    """Take the lab's name, by making its folder: of two who try at once, one fails."""
    said = f"lab {lab.name!r} is up already, or a crash left it half up"
    there = RuntimeError(f"{said}; take it down first: catchment lab down --name {lab.name}")
    if space.named(lab.prefix):
        raise there
    lab.state.mkdir(parents=True, exist_ok=True)
    try:
        lab.folder.mkdir()
    except FileExistsError:
        raise there from None
    for folder in (lab.state, lab.folder):
        folder.chmod(0o755)  # FRR's own user must get through, whatever our umask


def _namespaces(lab: Lab) -> None:
    space.create([lab.namespace(node.name) for node in lab.nodes])
    for node in lab.nodes:
        space.sysctl(lab.namespace(node.name), plumbing.settings(node))
    space.batch(plumbing.cables(lab))
    for node in lab.nodes:
        space.batch(plumbing.commands(lab, node), lab.namespace(node.name))
    for namespace, interfaces in _wired(lab).items():
        space.offloads_off(namespace, interfaces)


def _wired(lab: Lab) -> dict[str, list[str]]:
    """Interfaces at either side of the delay line, by namespace."""
    found: dict[str, list[str]] = {}
    for link in lab.links:
        ports = (link.left, link.right)
        if any(lab.by_name[port.node].role is Role.WIRE for port in ports):
            for port in ports:
                found.setdefault(lab.namespace(port.node), []).append(port.interface)
    return found


def _daemons(lab: Lab, timers: Timers) -> None:
    """Start everything: first what others lean on, last the health checks, which must find applications that answer."""
    application.start_delay(lab)
    for node in lab.of(Role.APPLICATION):
        application.start_app(lab, node)
    for node in lab.of(Role.NVA):
        nft.load(lab, node)
        if region(node.place).mode is TrafficMode.PROXY:
            haproxy.write(lab, node)
            haproxy.start(lab, node)
    for node in lab.of(Role.EDGE):
        frr.write(lab, node, timers)
        frr.start(lab, node)
    for node in lab.of(*truth.BIRDS):
        bird.write(lab, node, timers)
        bird.start(lab, node)
    gobgp.write(lab, timers)
    gobgp.start(lab)
    for node in lab.of(Role.NVA):
        application.start_health(lab, node)


def _responders(lab: Lab) -> None:
    probing.make_secrets(lab)
    for node in lab.of(*probing.RESPONDS):
        probing.start_responder(lab, node)


def _wait(lab: Lab, deadline: float, progress: Progress) -> None:
    told = -1
    while missing := lacking(lab):
        _all_alive(lab)
        if time.monotonic() > deadline:
            raise RuntimeError(f"lab {lab.name!r} is not healthy in time; still missing: {'; '.join(missing[:12])}")
        if len(missing) != told:
            told = len(missing)
            progress(f"{counted(told, 'thing')} still missing, such as {missing[0]}")
        time.sleep(0.2)


def _all_alive(lab: Lab) -> None:
    """Raise RuntimeError with the last words of the first daemon that has ended: nothing will come of waiting."""
    known = state.load(lab)
    dead = next((each for each in known.processes if not state.alive(each)), None) if known else None
    if dead is not None:
        words = (lab.node_folder(dead.node) / f"{dead.name}.log").read_text(errors="replace").strip()
        raise RuntimeError(f"{dead.name} on {dead.node} has ended; its last words: {words[-400:] or 'none'}")


def lacking(lab: Lab) -> tuple[str, ...]:
    """Return what a healthy lab has and this one lacks: sessions, then services at edges and at the collector."""
    down_now = [each for each in truth.sessions(lab) if not each.established]
    if down_now:
        return tuple(f"session {each.session.dialer.node} to {each.session.listener.node}" for each in down_now)
    return tuple(_missing_routes(lab))


def _missing_routes(lab: Lab) -> Iterable[str]:
    heard = {(row.peer, row.prefix) for row in truth.adj_in_of_collector(lab)}
    for service in SERVICES:
        for node in lab.of(Role.EDGE):
            if not truth.fib(lab, node.name, str(service.prefix)):
                yield f"{service.name} in the forwarding table of {node.name}"
        for node in lab.of(Role.NVA, Role.ROUTE_SERVER, Role.EDGE):
            told = node.role is Role.EDGE or node.place in service.prepends
            if told and (str(node.address), str(service.prefix)) not in heard:
                yield f"{service.name} from {node.name} at the collector"


def down(lab: Lab) -> Down:
    """Take away every process, namespace and file of a lab, however much of it there is. Nothing there is no error.

    Raises RuntimeError naming what refuses to die.
    """
    known = state.load(lab)
    ended = 0
    found: tuple[Process, ...] = known.processes if known else ()
    # Daemons that were being born while we looked turn up as strays in the next round.
    while found := tuple(each for each in (*found, *processes.strays(lab)) if state.alive(each)):
        unique = {each.pid: each for each in found}
        processes.stop(unique.values())
        ended += len(unique)
        found = ()
    for each in known.processes if known else ():
        state.reap(each.pid)
    namespaces = space.named(lab.prefix)
    space.delete(namespaces)
    shutil.rmtree(lab.folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # another lab's folder is in it, or it was never there
        lab.state.rmdir()
    return Down(ended, len(namespaces))


def status(lab: Lab) -> Status:
    """Return what runs and which sessions are established; never fails for a lab that is not there."""
    known = state.load(lab)
    namespaces = len(space.named(lab.prefix))
    if known is None:
        return Status(lab, None, namespaces, (), ())
    states = tuple(ProcessState(each, state.alive(each)) for each in known.processes)
    return Status(lab, known.timers, namespaces, states, truth.sessions(lab), _lateness(lab))


def _lateness(lab: Lab) -> Report | None:
    try:
        return read(application.lateness(lab))
    except (OSError, ValueError, TypeError):
        return None


def bmp_listener(lab: Lab) -> socket.socket:
    """Return the listening socket that the lab's routers dial with BMP, for Catchment to inherit.

    They dial at once: FRR tries every 2 s, and GoBGP is told to.
    """
    listener = space.listening_socket(lab.namespace("collector"), COLLECTOR_ADDRESS, BMP_PORT)
    try:
        gobgp.redial(lab)
    except BaseException:
        listener.close()
        raise
    return listener
