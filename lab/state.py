"""What a lab has started, written down before it matters: `down` works from this file, whoever made the lab.

A process is known by its pid *and* its start time, so that a pid that the kernel gave out again is never touched.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lab.topology import Lab, Timers


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a lab."""

    node: str
    name: str
    """What it is on its node: `bird`, `zebra`, `bgpd`, `gobgpd`, `haproxy`, `app`, `health`, `delay`,
    `responder`, `agent` or what a fault started."""
    pid: int
    started: int
    """Its start time in clock ticks since boot (field 22 of proc(5)'s stat)."""


@dataclass(frozen=True, slots=True)
class State:
    """The state file."""

    lab: str
    timers: Timers = Timers.LAB
    processes: tuple[Process, ...] = ()
    probing: bool = False
    """Whether responders and agents belong to it."""

    def find(self, node: str, name: str) -> Process | None:
        """Return a node's process by name; None when none was started."""
        return next((each for each in self.processes if (each.node, each.name) == (node, name)), None)

    def with_process(self, process: Process) -> "State":
        """Return the state with `process` in place of the one that had its node and name before."""
        kept = tuple(each for each in self.processes if (each.node, each.name) != (process.node, process.name))
        return replace(self, processes=(*kept, process))


def path(lab: Lab) -> Path:
    """Return the state file of a lab."""
    return lab.folder / "state.json"


def load(lab: Lab) -> State | None:
    """Return what the state file says; None when there is none, or when a crash left it unreadable."""
    try:
        value = json.loads(path(lab).read_text())
        processes = tuple(Process(**each) for each in value["processes"])
        return State(value["lab"], Timers(value["timers"]), processes, value["probing"])
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def save(lab: Lab, state: State) -> None:
    """Write the state file: whole or not at all."""
    draft = path(lab).with_suffix(".new")
    draft.write_text(json.dumps(asdict(state), indent=1))
    draft.replace(path(lab))


def remember(lab: Lab, process: Process) -> None:
    """Add a process to the state file, also while others do the same."""
    with locked(lab):
        save(lab, (load(lab) or State(lab.name)).with_process(process))


@contextmanager
def locked(lab: Lab) -> Iterator[None]:
    """Hold the lab's lock, waiting for whoever has it."""
    with (lab.folder / "lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def start_time(pid: int) -> int | None:
    """Return a process' start time in ticks since boot; None when it is gone, or dead and only not yet reaped."""
    try:
        stat = Path("/proc", str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold spaces and parentheses itself.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def alive(process: Process) -> bool:
    """Whether this very process still runs (or is stopped), and not another with its pid."""
    return start_time(process.pid) == process.started


def reap(pid: int) -> None:
    """Collect a dead child of ours; one that is not ours, or not dead, is left alone."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return
