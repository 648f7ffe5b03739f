"""Where the story plays: the live lab."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lab import faults, lifecycle, state
from lab.intent import render
from lab.topology import STATE, Lab, Timers
from pipeline.demo.play import perform_on
from pipeline.demo.story import scaled
from pipeline.demo.watcher import LabWatcher, Watcher

Say = Callable[[str], None]


class LiveStage:
    """Real routers in network namespaces on this machine."""

    mode = "live"

    def __init__(self, name: str, folder: Path, port: int, seconds: float) -> None:
        """`seconds`: how long the story is to take."""
        self.lab = Lab(name)
        self.steps = scaled(seconds)
        self._folder, self._port = folder, port
        self.log = folder / "daemon.log"
        self.data = folder / "data"

    async def rise(self, webhook: str, say: Say) -> Watcher:
        """Bring the lab up and start the daemon on it."""
        await asyncio.to_thread(take_down_what_crashed)
        made = await asyncio.to_thread(lifecycle.up, self.lab, progress=say)
        say(f"{made.sessions} BGP sessions are up after {made.took.total_seconds():.0f} s")
        intent = self._folder / "demo.yaml"
        write_intent(self.lab, intent, self.data, self._port, webhook)
        return LabWatcher(self.lab, intent, self.data, self.log)

    def begin(self) -> None:
        """Nothing: live routers need no cue."""

    async def act(self, verb: str, arguments: tuple[str, ...]) -> str:
        """Make a fault, or heal what was made; says what an independent witness saw."""
        said: list[str] = []
        if verb == "heal":
            await asyncio.to_thread(faults.heal, self.lab, said.append)
        else:
            await asyncio.to_thread(faults.inject, self.lab, verb, arguments, said.append)
        return said[-1] if said else f"{verb}: nothing to do"

    async def fall(self) -> None:
        """Take the lab down."""
        await asyncio.to_thread(lifecycle.down, self.lab)


def perform(seconds: float, keep: bool, port: int) -> int:
    """Play live, in a folder that goes away afterwards; 1 when the lab did not do as it was told."""
    with tempfile.TemporaryDirectory(prefix="catchment-demo-") as folder:
        # A lab of its own for each demo, and the process in its name, so that two may play and a crash can be told.
        stage = LiveStage(f"demo{os.getpid()}", Path(folder), port, seconds)
        try:
            return perform_on(stage, port, keep)
        except (RuntimeError, faults.EffectNotSeen, faults.FaultError) as error:
            sys.stderr.write(f"catchment demo: {error}\n")
            return 1


def take_down_what_crashed() -> None:
    """Take down the labs of demos whose process is gone."""
    for folder in STATE.glob("demo*"):
        owner = folder.name.removeprefix("demo")
        if owner.isdecimal() and state.start_time(int(owner)) is None:
            lifecycle.down(Lab(folder.name))


def write_intent(
    lab: Lab, path: Path, data: Path, port: int, webhook: str | None = None, host: str = "127.0.0.1", more: str = ""
) -> None:
    """Write a lab's intent file for a daemon with a page on `port` of `host`; `more` stands at its end."""
    timers = lifecycle.status(lab).timers or Timers.LAB
    path.write_text(render(lab, timers, data=str(data), webhook=webhook, page=port, host=host) + more)


def watch(name: str, data: Path | None, port: int, host: str = "127.0.0.1", more: Path | None = None) -> int:
    """Run the daemon on a lab that is up, until it ends or is interrupted; `more` is a file with more of its intent.

    Raises OSError when that file cannot be read.
    """
    lab = Lab(name)
    if not lifecycle.status(lab).up:
        sys.stderr.write(f"lab {name!r} is not up; catchment lab up --name {name}\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="catchment-") as folder:
        intent, log = Path(folder) / "lab.yaml", Path(folder) / "daemon.log"
        where = (data or Path(folder) / "data").absolute()
        write_intent(lab, intent, where, port, host=host, more=more.read_text() if more else "")
        sys.stderr.write(f"the data folder is {where}; ask it with: catchment status --data {where}\n")
        daemon = LabWatcher(lab, intent, where, log)
        with suppress(KeyboardInterrupt):
            _follow(daemon, log)
        daemon.stop()
    return 0


def _follow(daemon: Watcher, log: Path) -> None:
    """Show the daemon's log until it ends."""
    with log.open() as lines:
        while daemon.alive:
            sys.stderr.write(lines.read())
            time.sleep(0.2)
        sys.stderr.write(lines.read())
