"""The daemon beside the demo, as a process of its own: started, watched, and ended by its pid."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from lab import state
from lab.faults import catchment
from lab.topology import Lab

GRACE = 12.0  # seconds that a daemon has to stop
GUARD = 'read -r _; kill "$0" 2>/dev/null'
"""Waits for the end of its input, which is the end of whoever holds the other end, and ends the process named."""


class Watcher(Protocol):
    """A daemon that somebody started."""

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        ...

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, and return when it has ended; what does not stop in time is killed."""
        ...


def command(intent: Path, data: Path) -> tuple[str, ...]:
    """The command line of a daemon."""
    return sys.executable, "-m", "pipeline", "run", "-c", str(intent), "--data", str(data)


class LabWatcher:
    """A daemon whose station listens inside a lab; the lab knows its pid, for its verbs may restart it."""

    def __init__(self, lab: Lab, intent: Path, data: Path, log: Path) -> None:
        self._lab = lab
        catchment.start(lab, command(intent, data), {}, str(log))

    @property
    def pid(self) -> int:
        """The process now, also after a restart."""
        return catchment.registered(self._lab).pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        state.reap(self.pid)
        return state.start_time(self.pid) is not None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        pid, deadline = self.pid, time.monotonic() + GRACE
        if self.alive:
            os.kill(pid, how)
        while state.start_time(pid) is not None:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            state.reap(pid)
            time.sleep(0.02)
        state.reap(pid)


class PlainWatcher:
    """A daemon whose station listens where its intent says. It ends when we do, and be it that we are killed."""

    def __init__(self, intent: Path, data: Path, log: Path, mode: str) -> None:
        with log.open("ab") as output:
            environment = os.environ | {"CATCHMENT_MODE": mode}
            self._child = subprocess.Popen(command(intent, data), stdout=output, stderr=output, env=environment)
        # In a session of its own, so that Ctrl-C at the terminal does not end it before it has done its duty.
        guard = ["sh", "-c", GUARD, str(self._child.pid)]
        self._guard = subprocess.Popen(guard, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child.poll() is None

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.alive:
            self._child.send_signal(how)
        try:
            self._child.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._dismiss()

    def _dismiss(self) -> None:
        """End the guard, and not by its input: the daemon's number may be somebody else's by now."""
        self._guard.kill()
        self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
