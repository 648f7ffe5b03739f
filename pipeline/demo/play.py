"""Play the story: the page's address first, then what happens, as the daemon itself tells it."""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from rich.text import Text

from anycast.plain import Plain
from pipeline.cli.shown import SEVERITY_STYLE, clock, console
from pipeline.client import Client, DaemonRefused, NoDaemon
from pipeline.demo.sink import Sink
from pipeline.demo.stage import LiveStage
from pipeline.demo.story import Step, scaled
from pipeline.demo.watcher import Watcher

READY = timedelta(seconds=40)
SHOWN = {"feed-opened", "feed-lost", "peer-down", "withdrawn", "opened", "cleared", "told"}
"""Words of events worth a line in the terminal; the page shows all."""


class Play:
    """One performance."""

    def __init__(self, stage: LiveStage, port: int, seconds: float) -> None:
        self._stage, self._port, self._steps = stage, port, scaled(seconds)
        self._sink = Sink(self._told)
        self._number = 0

    async def run(self, keep: bool) -> int:
        """Perform; 0 when everything that had to be seen was."""
        say(f"page: http://127.0.0.1:{self._port}   mode: {self._stage.mode}   (it opens when the network is up)")
        url = await self._sink.start()
        daemon: Watcher | None = None
        try:
            daemon = await self._stage.rise(url, lambda line: console.print(Text(f"  {line}", style="dim")))
            client = Client(self._stage.data)
            await self._healthy(client, daemon)
            await self._perform(client)
            while keep:
                await self._relay(client)
                await asyncio.sleep(0.5)
            return await self._verdict(client)
        finally:
            if daemon is not None:
                await asyncio.to_thread(daemon.stop)
            await self._stage.fall()
            await self._sink.stop()

    async def _healthy(self, client: Client, daemon: Watcher) -> None:
        """Wait until both regions are seen present."""
        deadline = time.monotonic() + READY.total_seconds()
        while True:
            try:
                services = (await asyncio.to_thread(client.get, "/api/v1/services"))["services"]
                if services and all(each["health"] == "ok" for each in services):
                    break
            except (NoDaemon, DaemonRefused):
                services = []
            if not daemon.alive:
                raise SystemExit(f"the daemon ended; its log is {self._stage.log}")
            if time.monotonic() > deadline:
                raise SystemExit(f"the network did not look healthy within {READY.seconds} s: {_states(services)}")
            await asyncio.sleep(0.3)
        for service in services:
            regions = ", ".join(f"{each['region']} {each['presence']}" for each in service["regions"])
            lands = ", ".join(f"{each['site']} on {each.get('landed') or 'unknown'}" for each in service["sites"])
            console.print(f"  {service['service']:<4} {service['prefix']:<15} {regions};  {lands}")

    async def _perform(self, client: Client) -> None:
        began = time.monotonic()
        self._number = int((await asyncio.to_thread(client.get, "/api/v1/status"))["events"])
        for step in self._steps:
            while time.monotonic() - began < step.at:
                await self._relay(client)
                await asyncio.sleep(0.2)
            await self._step(step)

    async def _step(self, step: Step) -> None:
        say(step.say)
        if step.verb is not None:
            console.print(Text(f"  lab: {await self._stage.act(step.verb, step.arguments)}", style="dim"))

    async def _relay(self, client: Client) -> None:
        """Print what the daemon's timeline says since the last look."""
        events = await asyncio.to_thread(client.get, "/api/v1/timeline", after=self._number)
        for event in events["events"]:
            self._number = event["number"]
            if event["what"] in SHOWN:
                style = SEVERITY_STYLE.get(event.get("severity", ""), "")
                word = (f"{event['what']:<11} ", style)
                console.print(Text.assemble((clock(event["at"]), "dim"), "  ", word, event["text"]))

    def _told(self, message: Plain) -> None:
        lasted = message.get("duration_seconds")
        length = "" if lasted is None else f" after {lasted:.1f} s"
        line = f"webhook: {message['status']} {message['severity']} {message['kind']}: {message['summary']}{length}"
        console.print(Text(f"  ✉ {line}", style="magenta"))

    async def _verdict(self, client: Client) -> int:
        """Say what was told, and whether the story came out as it should."""
        await asyncio.sleep(1)
        kinds = {message["kind"] for message in self._sink.received if message["status"] == "opened"}
        lacking = {"missing", "unexpected-origin"} - kinds
        await self._relay(client)
        say(f"{len(self._sink.received)} notifications, of {len(kinds)} kinds: {', '.join(sorted(kinds)) or 'none'}")
        if lacking:
            say(f"but nothing told of: {', '.join(sorted(lacking))}")
        return int(bool(lacking))


def say(sentence: str) -> None:
    """One sentence of the narrator."""
    console.print(Text(f"▶ {sentence}", style="bold"))


def _states(services: Iterable[Plain]) -> str:
    return ", ".join(f"{each['service']} {each['health']}" for each in services) or "no answer from the daemon"


def perform(seconds: float, keep: bool, port: int) -> int:
    """Play live, in a folder that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="catchment-demo-") as folder:
        stage = LiveStage("demo", Path(folder), port)
        return asyncio.run(Play(stage, port, seconds).run(keep))
