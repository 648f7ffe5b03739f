"""Play the story: the page's address first, then what happens, as the daemon itself tells it."""

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from anycast.plain import Plain
from lab.story import Step
from pipeline.client import Client, DaemonRefused, NoDaemon
from pipeline.demo import lines
from pipeline.demo.lines import Line, say
from pipeline.demo.sink import Sink
from pipeline.demo.watcher import Watcher

READY = 120.0
"""Seconds until both regions must be seen: a first start compiles the decoder before it listens."""
LONG = 25.0
"""Seconds after which the wait is explained."""
LOOK = 0.2
"""Seconds between two looks at the daemon's timeline."""
KEPT = 5000
INTERRUPTED = 130
"""Exit code of a demo that did not come to its end, as a shell has it for Ctrl-C."""
WANTED = frozenset({"missing", "unexpected-origin"})
"""Kinds that must be told, or the story did not come out."""
MEANT = WANTED | {"backup-active", "ecmp-shrunk", "redundancy-low", "blind"}
"""Kinds that may be told; anything else is a false alarm."""


class Stage(Protocol):
    """Where the story plays: on live routers, or on a recording of them."""

    mode: str
    """One word: which."""
    log: Path
    """The daemon's log."""
    data: Path
    """The daemon's data folder."""
    steps: tuple[Step, ...]
    """The story at this stage's own pace."""

    async def rise(self, webhook: str, say: Callable[[str], None]) -> Watcher:
        """Have the network begin to come up, and a daemon watch it and tell `webhook`."""
        ...

    def begin(self) -> None:
        """The story begins now."""
        ...

    async def act(self, verb: str, arguments: tuple[str, ...]) -> str:
        """Make a fault, or heal what was made; says what an independent witness saw, once it has seen it."""
        ...

    async def fall(self) -> None:
        """Take the network away."""
        ...


class Play:
    """One performance."""

    def __init__(self, stage: Stage, port: int) -> None:
        self._stage, self._port = stage, port
        self._sink = Sink(lambda message: self._unsaid.append(lines.told(message)))
        self._unsaid: list[Line] = []
        self._number = 0
        self.happened: deque[Plain] = deque(maxlen=KEPT)
        """Events of the daemon's timeline since the story began, the latest of them."""

    @property
    def told(self) -> list[Plain]:
        """Every message that the webhook received."""
        return self._sink.received

    async def run(self, keep: bool) -> int:
        """Perform; 0 when what had to be told was told, and nothing else."""
        say(f"page: http://127.0.0.1:{self._port}   mode: {self._stage.mode}   (it opens in a few seconds)")
        url = await self._sink.start()
        daemon: Watcher | None = None
        try:
            daemon = await self._stage.rise(url, lines.aside)
            client = Client(self._stage.data)
            await self._healthy(client, daemon)
            await self._perform(client)
            verdict = await self._verdict(client)
            if keep:
                say(f"The page stays at http://127.0.0.1:{self._port} until you interrupt this (Ctrl-C).")
            while keep:
                await self._relay(client)
                await asyncio.sleep(LOOK)
            return verdict
        finally:
            if daemon is not None:
                await asyncio.to_thread(daemon.stop)
            await self._stage.fall()
            await self._sink.stop()

    async def _healthy(self, client: Client, daemon: Watcher) -> None:
        """Wait until both regions are seen present."""
        began, explained = time.monotonic(), False
        while True:
            services: list[Plain] = []
            try:
                services = (await asyncio.to_thread(client.get, "/api/v1/services"))["services"]
                if services and all(each["health"] == "ok" for each in services):
                    break
            except (NoDaemon, DaemonRefused):
                pass  # not yet: it compiles and opens its files before it answers
            if not daemon.alive:
                raise SystemExit(f"catchment demo: the daemon ended: {_last_words(self._stage.log)}")
            if time.monotonic() - began > READY:
                raise SystemExit(f"catchment demo: not healthy within {READY:.0f} s: {_states(services)}")
            if time.monotonic() - began > LONG and not explained:
                explained = True
                lines.aside("a first start compiles the decoder, which may take half a minute")
            await asyncio.sleep(0.3)
        for service in services:
            regions = ", ".join(f"{each['region']} {each['presence']}" for each in service["regions"])
            landing = ", ".join(f"{each['site']} on {lands(each)}" for each in service["sites"])
            lines.plain(f"{service['service']:<4} {service['prefix']:<15} {regions}; {landing}")

    async def _perform(self, client: Client) -> None:
        self._number = int((await asyncio.to_thread(client.get, "/api/v1/status"))["events"])
        began = time.monotonic()
        self._stage.begin()
        for step in self._stage.steps:
            while time.monotonic() - began < step.at:
                await self._relay(client)
                await asyncio.sleep(LOOK)
            await self._step(step, client)

    async def _step(self, step: Step, client: Client) -> None:
        """Say what comes, and do it; what the daemon tells of it meanwhile is said meanwhile."""
        say(step.say)
        if step.verb is None:
            return
        acting = asyncio.create_task(self._stage.act(step.verb, step.arguments))
        try:
            while not acting.done():
                await asyncio.wait([acting], timeout=LOOK)
                if not acting.done():
                    await self._relay(client)
            lines.show(Line("lab", acting.result(), style="dim"))
        finally:
            acting.cancel()

    async def _relay(self, client: Client) -> None:
        """Print what the daemon's timeline says since the last look, and then who was told."""
        happened = (await asyncio.to_thread(client.get, "/api/v1/timeline", after=self._number))["events"]
        self.happened.extend(happened)
        self._number = max((event["number"] for event in happened), default=self._number)
        unsaid, self._unsaid = self._unsaid, []
        for line in (*lines.events(happened), *unsaid):
            lines.show(line)

    async def _verdict(self, client: Client) -> int:
        """Say what was told, and whether the story came out as it should."""
        await asyncio.sleep(1)
        await self._relay(client)
        kinds = {message["kind"] for message in self.told if message["status"] == "opened"}
        say(f"{len(self.told)} notifications, of {len(kinds)} kinds: {_listed(kinds)}")
        lacking, false = WANTED - kinds, kinds - MEANT
        if lacking:
            say(f"but nothing told of: {_listed(lacking)}")
        if false:
            say(f"but nothing in the story is a cause for: {_listed(false)}")
        return int(bool(lacking or false))


def perform_on(stage: Stage, port: int, keep: bool) -> int:
    """Perform on a stage; when interrupted or told to end (SIGTERM), leave nothing behind, and say so."""
    try:
        return asyncio.run(_endable(Play(stage, port), keep))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Ended; daemon and network are gone.")
        return 0 if keep else INTERRUPTED


async def _endable(play: Play, keep: bool) -> int:
    """Let SIGTERM do what Ctrl-C does: a daemon or a lab must not outlive the demo."""
    performing = asyncio.current_task()
    assert performing is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, performing.cancel)
    return await play.run(keep)


def _listed(kinds: Iterable[str]) -> str:
    return ", ".join(sorted(kinds)) or "none"


def lands(site: Plain) -> str:
    """Where a site lands: on each region that it hears and that is meant to be equal to the one it lands on."""
    landed = site.get("landed") or "unknown"
    equal = next((tier for tier in site["intended"] if landed in tier), [landed])
    return "+".join(region for region in equal if region == landed or region in site["heard"])


def _states(services: Iterable[Plain]) -> str:
    return ", ".join(f"{each['service']} {each['health']}" for each in services) or "no answer from the daemon"


def _last_words(log: Path) -> str:
    """The end of the daemon's log, which goes away with the demo's folder."""
    return " / ".join(log.read_text(errors="replace").splitlines()[-3:]) or "it said nothing"
