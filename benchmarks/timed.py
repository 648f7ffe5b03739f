"""A process from its start to its end: seconds of the clock and of the processor, and its peak of memory."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT = 180.0
"""Seconds after which a tool is given up."""
POLL = 0.01
CORE = max(os.sched_getaffinity(0))
"""Every tool runs on this one core, and what measures beside it."""


class Failed(Exception):
    """A tool ended with an error, or did not end: a sentence."""


@dataclass(frozen=True, slots=True)
class Took:
    """What a process took."""

    wall: float
    cpu: float
    """Seconds, user and system, of the process and its children."""
    peak: int
    """Octets."""
    said: str
    """Its standard output, where that was asked for."""


def timed(
    argv: Sequence[str | Path], keep: bool = False, env: Mapping[str, str] | None = None, ok: tuple[int, ...] = (0,)
) -> Took:
    """Run a command on one core, its output to /dev/null (`keep`: returned); raises Failed."""
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as complaints:
        begun = time.perf_counter()
        child = subprocess.Popen(
            ["taskset", "-c", str(CORE), *map(str, argv)],
            stdin=subprocess.DEVNULL,
            stdout=told if keep else subprocess.DEVNULL,
            stderr=complaints,
            env=None if env is None else dict(env),
        )
        peak, wall, status, used = _until_the_end(child.pid, begun)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in ok:
            complaints.seek(0)
            why = complaints.read()[-600:].decode(errors="replace").strip()
            raise Failed(f"{Path(argv[0]).name} ended with {child.returncode}: {why}")
        told.seek(0)
        return Took(wall, used.ru_utime + used.ru_stime, peak, told.read().decode() if keep else "")


def _until_the_end(pid: int, begun: float) -> tuple[int, float, int, resource.struct_rusage]:
    """Wait, and look at the peak now and then: what wait says of it counts our own memory, before the exec."""
    peak = 0
    while True:
        found, status, used = os.wait4(pid, os.WNOHANG)
        if found:
            own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            exact = used.ru_maxrss if used.ru_maxrss > own else 0
            return max(peak, exact * 1024), time.perf_counter() - begun, status, used
        peak = max(peak, peak_of(pid))
        if time.perf_counter() - begun > LIMIT:
            os.kill(pid, 9)
        time.sleep(POLL if time.perf_counter() - begun > 0.05 else 0.001)


def peak_of(pid: int) -> int:
    """Return the most memory that a process has held so far, octets; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def plain_environment(folder: Path) -> dict[str, str]:
    """What an installed Catchment runs with: Python's byte code is kept (in `folder`), whatever this machine says."""
    env = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return env | {"PYTHONPYCACHEPREFIX": str(folder)}


PYTHON = sys.executable
