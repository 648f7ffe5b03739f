"""Catchment itself as something to restart: how whoever runs it in a lab registers it, and the fault.

The process stands outside the lab's namespaces and inherits its sockets, which listen inside (sd_listen_fds(3):
LISTEN_FDS and LISTEN_FDNAMES, descriptors from 3 on): one for BMP, and one for what agents report.
"""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import processes, space, state
from lab.faults.verb import Fault, FaultError, Say
from lab.segments import FIN, RST, Segment
from lab.topology import AGENTS_PORT, BMP_PORT, COLLECTOR_ADDRESS, Lab
from lab.witness import PacketTap, TableWatcher

BECOME = """
import os, sys
count = int(sys.argv[1])
given = [int(word) for word in sys.argv[2:2 + count]]
spare = [os.dup(descriptor) for descriptor in given]
for number, descriptor in enumerate(spare):
    os.dup2(descriptor, 3 + number)
    os.set_inheritable(3 + number, True)
for descriptor in {*given, *spare}:
    if descriptor >= 3 + count:
        os.close(descriptor)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2 + count], sys.argv[2 + count:])
"""
"""Puts the sockets where the convention wants them, and becomes Catchment: the pid stays."""
PORTS = {"bmp": BMP_PORT, "agents": AGENTS_PORT}
LET_GO = 5.0
PATIENCE = 15.0
"""Seconds that it has to end after SIGTERM, before it is killed."""


@dataclass(frozen=True, slots=True)
class Registered:
    """The file `catchment.json` in the lab's folder."""

    pid: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment, without LISTEN_*; empty for our own."""
    log: str
    """Where its output goes, appended."""


def path(lab: Lab) -> Path:
    """Return the file in which the running Catchment is registered."""
    return lab.folder / "catchment.json"


def register(lab: Lab, registered: Registered) -> None:
    """Write down how Catchment was started, so that `restart-catchment` can."""
    draft = path(lab).with_suffix(".new")
    draft.write_text(json.dumps(asdict(registered)))
    draft.replace(path(lab))


def registered(lab: Lab) -> Registered:
    """Return what is registered. Raises FaultError when nothing is."""
    try:
        value = json.loads(path(lab).read_text())
    except FileNotFoundError:
        raise FaultError(f"no Catchment is registered with lab {lab.name!r}: {path(lab)} is not there") from None
    return Registered(value["pid"], tuple(value["argv"]), value["env"], value["log"])


def start(lab: Lab, argv: Sequence[str], env: Mapping[str, str], log: str) -> Registered:
    """Start Catchment with sockets that listen on the collector host, and register it.

    Raises OSError when a port is taken: another one runs.
    """
    with ExitStack() as opened:
        output = opened.enter_context(Path(log).open("ab"))
        numbers = [opened.enter_context(_listen(lab, port)).fileno() for port in PORTS.values()]
        child = subprocess.Popen(
            [sys.executable, "-c", BECOME, str(len(numbers)), *map(str, numbers), *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=numbers,
            # With the lab's mark, so that `down` ends it, too, should nobody else.
            env={
                **(env or os.environ),
                "LISTEN_FDS": str(len(numbers)),
                "LISTEN_FDNAMES": ":".join(PORTS),
                processes.MARK: str(lab.folder),
            },
            start_new_session=True,
        )
    child.returncode = 0  # never waited for through this object; `state.reap` collects it by its pid
    found = Registered(child.pid, tuple(argv), dict(env), log)
    register(lab, found)
    return found


def _listen(lab: Lab, port: int) -> socket.socket:
    """Listen; the threads of one that has just ended may hold its sockets a moment longer than it lives."""
    deadline = time.monotonic() + LET_GO
    while True:
        try:
            return space.listening_socket(lab.namespace("collector"), COLLECTOR_ADDRESS, port)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def restart_catchment(lab: Lab, words: Sequence[str]) -> Fault:
    """Stop Catchment, gracefully or with --kill, and start it again as it was."""
    if any(word != "--kill" for word in words):
        raise FaultError("restart-catchment takes --kill, or nothing")
    known = registered(lab)
    connections = _connections(lab)
    return Fault(
        target="catchment, killed" if words else "catchment",
        onset=lambda: PacketTap(lab.namespace("collector"), _hung_up),
        inject=lambda say: _stop(known.pid, bool(words), say),
        recovery=lambda: TableWatcher("ss on the collector host", lambda: _taken(lab, connections)),
        heal=lambda say: _again(lab, say),
        passes=True,
    )


def _hung_up(segment: Segment) -> str | None:
    if segment.source_port == BMP_PORT and segment.flags & (FIN | RST):
        return f"the station's kernel closed BMP with {segment.target}"
    return None


def _stop(pid: int, kill: bool, say: Say) -> None:
    if state.start_time(pid) is None:
        raise FaultError(f"Catchment (pid {pid}) does not run, so it cannot be restarted")
    os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while state.start_time(pid) is not None:
        if time.monotonic() > deadline:
            say(f"Catchment did not end within {PATIENCE:g} s of SIGTERM")
            os.kill(pid, signal.SIGKILL)
            deadline += PATIENCE
        state.reap(pid)
        time.sleep(0.02)
    state.reap(pid)
    say(f"Catchment {'killed' if kill else 'stopped'} (pid {pid})")


def _again(lab: Lab, say: Say) -> None:
    before = registered(lab)
    if state.start_time(before.pid) is None:
        say(f"Catchment started (pid {start(lab, before.argv, before.env, before.log).pid})")


def _connections(lab: Lab) -> int:
    """How many BMP connections there are whose bytes the station has taken; one just queued does not count."""
    chosen = ["-Htn", "src", str(COLLECTOR_ADDRESS), "and", "sport", "=", str(BMP_PORT)]
    rows = (line.split() for line in space.run(lab.namespace("collector"), ["ss", *chosen]).stdout.splitlines())
    return sum(row[:2] == ["ESTAB", "0"] for row in rows)


def _taken(lab: Lab, before: int) -> str | None:
    now = _connections(lab)
    return f"{now} BMP connections" if now >= max(1, before) else None
