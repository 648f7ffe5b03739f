"""The story played from a recording: the routers' bytes, to the real daemon over TCP, without root or a lab."""

import asyncio
import io
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from anycast.intent import Thresholds
from anycast.kinds import KINDS
from lab.intent import render
from lab.story import LENGTH, STORY, Step
from lab.tape import Act, Tape, read
from lab.topology import Lab
from pipeline.demo.play import perform_on
from pipeline.demo.player import NoSource, Player, loopback
from pipeline.demo.watcher import PlainWatcher

SPEED = "CATCHMENT_DEMO_SPEED"
"""Environment variable for tests: how many recorded seconds pass in one. Hold-downs shrink with it."""


class RecordingStage:
    """A recording of the lab, and a daemon whose station listens on loopback."""

    mode = "recording"

    def __init__(self, tape: Tape, folder: Path, port: int, why: str = "", speed: float = 1.0) -> None:
        """`why`: why it is not live, for people. Raises NoSource where its routers cannot dial from here."""
        self._tape, self._folder, self._port, self._why, self._speed = tape, folder, port, why, speed
        self._sources = loopback(tape.exporters)
        self._acts = iter(tape.acts)
        self._tasks: list[asyncio.Task[None]] = []
        self._began = 0.0
        self.log, self.data = folder / "daemon.log", folder / "data"
        self.steps = steps(tape, speed)

    async def rise(self, webhook: str, say: Callable[[str], None]) -> PlainWatcher:
        """Start the daemon; the recorded routers dial it as soon as it listens."""
        why = f" (not live: {self._why})" if self._why else ""
        say(f"BMP of the lab's own routers, recorded on {self._tape.made}, to the real station over TCP{why}")
        station = ("127.0.0.1", _free_port())
        intent = self._folder / "demo.yaml"
        intent.write_text(self._intent(station, webhook))
        self._player = Player(self._tape, station, self._sources, self._speed)
        daemon = PlainWatcher(intent, self.data, self.log, self.mode)
        self._tasks.append(asyncio.create_task(self._player.tables(), name="tables"))
        return daemon

    def _intent(self, station: tuple[str, int], webhook: str) -> str:
        """The lab's own intent, but for where the routers dial, and from where."""
        yaml, text = YAML(), io.StringIO()
        yaml.preserve_quotes = True
        intent = yaml.load(render(Lab(), data=str(self.data), webhook=webhook, page=self._port))
        intent["listen"]["bmp"] = "{}:{}".format(*station)
        for exporter, address in self._sources.items():
            intent["exporters"][exporter]["addresses"] = [address]
        if self._speed != 1.0:
            intent.update(hurried(self._speed))
        yaml.dump(intent, text)
        return text.getvalue()

    def begin(self) -> None:
        """The recorded routers go on from where the story began."""
        self._began = time.monotonic()
        self._tasks.append(asyncio.create_task(self._story(), name="story"))

    async def _story(self) -> None:
        await self._tasks[0]
        await self._player.story()

    async def act(self, verb: str, arguments: tuple[str, ...]) -> str:
        """What the witness said of this fault when it was recorded, at the time when it said so."""
        act = next(self._acts)
        due = self._began + (act.seen_at - self._tape.story) / self._speed
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        for task in self._tasks:
            if task.done():
                task.result()  # a player that failed is a failed demo
        return act.seen

    async def fall(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await task
        if self._tasks:
            await self._player.stop()


def steps(tape: Tape, speed: float = 1.0) -> tuple[Step, ...]:
    """The story at the times at which it was recorded.

    Raises ValueError when the recording is of another story, which is then to be recorded anew.
    """
    recorded = [(act.verb, act.arguments) for act in tape.acts]
    if recorded != [(step.verb, step.arguments) for step in STORY if step.verb is not None]:
        raise ValueError("the recording is of another story than is told now; make it anew: python -m lab.recording")
    acts = iter(tape.acts)
    return tuple(replace(step, at=_at(step, acts, tape) / speed) for step in STORY)


def _at(step: Step, acts: Iterator[Act], tape: Tape) -> float:
    return step.at if step.verb is None else next(acts).at - tape.story


def hurried(speed: float) -> dict[str, dict[str, Any]]:
    """Sections of an intent in which every time is as much shorter as the recording is faster."""
    kinds = {
        str(kind): {
            "open": _short(about.hold_down.open, speed),
            "clear": _short(about.hold_down.clear, speed),
        }
        for kind, about in KINDS.items()
    }
    usual = Thresholds()
    return {
        "hold_downs": kinds,
        "thresholds": {"quiet": _short(usual.quiet, speed), "settle": _short(usual.settle, speed)},
    }


def _short(time_span: timedelta, speed: float) -> str:
    return f"{time_span.total_seconds() / speed * 1000:.0f}ms"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def perform(seconds: float, keep: bool, port: int, why: str = "") -> int:
    """Play the recording, in a folder that goes away afterwards; 2 where its routers cannot dial from here."""
    if seconds != LENGTH:
        sys.stderr.write(f"catchment demo: a recording keeps its own times, so --seconds {seconds:g} changes nothing\n")
    with tempfile.TemporaryDirectory(prefix="catchment-demo-") as folder:
        try:
            stage = RecordingStage(read(), Path(folder), port, why, float(os.environ.get(SPEED, "1")))
        except NoSource as error:
            sys.stderr.write(f"catchment demo: {error}\n")
            return 2
        return perform_on(stage, port, keep)
