"""Processes of a lab: started inside a namespace, marked, written down, signalled and stopped by identity."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab import space, state
from lab.state import Process
from lab.topology import Lab

MARK = "CATCHMENT_LAB"
"""The environment variable that names the lab's folder in every process of it, for a sweep after a crash."""
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/frr"
PATIENCE = 3.0
"""Seconds that a daemon has to end after SIGTERM; gobgpd says goodbye to each peer first."""


def start(lab: Lab, node: str, name: str, argv: Sequence[str]) -> Process:
    """Start a program in a node's namespace, its output in `<node>/<name>.log`, and write it down.

    It is in a session of its own and outlives us. Raises OSError when the program is not there.
    """
    folder = lab.node_folder(node)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            space.entering(lab.namespace(node), argv),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd="/",
            env=environment(lab),
        )
    # We never wait for it through this object; a dead child is collected by its pid in `stop`.
    child.returncode = 0
    process = Process(node, name, child.pid, state.start_time(child.pid) or 0)
    state.remember(lab, process)
    return process


def environment(lab: Lab) -> dict[str, str]:
    """Return the environment of the lab's processes: Python ones find this package, and all carry the mark."""
    root = Path(__file__).resolve().parent.parent
    return {"PATH": SEARCHED, "LANG": "C.UTF-8", "PYTHONPATH": str(root), MARK: str(lab.folder)}


def find(lab: Lab, node: str, name: str) -> Process | None:
    """Return a node's running process by name; None when it is not there or has ended."""
    known = state.load(lab)
    process = known.find(node, name) if known else None
    return process if process is not None and state.alive(process) else None


def send(process: Process, number: int) -> bool:
    """Send a signal to this very process; False when it has ended."""
    if not state.alive(process):
        state.reap(process.pid)
        return False
    os.kill(process.pid, number)
    return True


def stop(processes: Iterable[Process], patience: float = PATIENCE) -> None:
    """End processes: SIGTERM to all, SIGKILL to those still there after `patience` seconds; return when all are gone.

    Raises RuntimeError naming those that do not die.
    """
    left = ended = [process for process in processes if send(process, signal.SIGTERM)]
    for process in left:
        send(process, signal.SIGCONT)  # a frozen one must wake up to die
    left = _wait(left, patience)
    for process in left:
        send(process, signal.SIGKILL)
    left = _wait(left, PATIENCE)
    if left:
        names = ", ".join(f"{each.node}/{each.name} (pid {each.pid})" for each in left)
        raise RuntimeError(f"SIGKILL does not end {names}; /proc/PID/stack says what the kernel is waiting for")
    _until_reaped(ended)


def _wait(processes: list[Process], patience: float) -> list[Process]:
    """Return those that still run after `patience` seconds."""
    deadline = time.monotonic() + patience
    while (processes := [each for each in processes if state.alive(each)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return processes


def _until_reaped(processes: list[Process], patience: float = 1.0) -> None:
    """Collect our dead children, and wait for whoever is the others' parent now, so that `ps` shows nothing either."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        for process in processes:
            state.reap(process.pid)
        if not any(Path("/proc", str(each.pid)).exists() for each in processes):
            return
        time.sleep(0.01)


def strays(lab: Lab) -> tuple[Process, ...]:
    """Return the lab's processes that the state file may not know.

    These are whatever stands in one of its namespaces and whatever carries its mark, ourselves excepted.
    """
    inside = {pid for namespace in space.named(lab.prefix) for pid in space.pids(namespace)}
    found = (inside | set(_marked(lab))) - {os.getpid()}
    stamped = ((pid, state.start_time(pid)) for pid in sorted(found))
    return tuple(Process("", "stray", pid, started) for pid, started in stamped if started is not None)


def _marked(lab: Lab) -> Iterable[int]:
    """Pids with the lab's mark in their environment."""
    mark = f"{MARK}={lab.folder}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found = mark in (entry / "environ").read_bytes().split(b"\0")
            except (PermissionError, ProcessLookupError, FileNotFoundError):
                continue  # it ended while we looked
            if found:
                yield int(entry.name)
