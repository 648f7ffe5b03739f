"""A lab with a daemon that watches it, for tests: faults go in, findings and events come out."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lab import lifecycle
from lab.topology import Lab
from pipeline.client import Client, NoDaemon
from pipeline.demo.stage import write_intent
from pipeline.demo.watcher import LabWatcher

T = TypeVar("T")
START = 20.0


def eventually(ask: Callable[[], T], within: float, every: float = 0.1, what: str = "") -> T:
    """Ask until the answer is true; the last answer is in the failure."""
    deadline = time.monotonic() + within
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(
                f"{what or 'it'} did not come true within {within:.0f} s; the last answer was {answer!r}"
            )
        time.sleep(every)


@dataclass
class Rig:
    """A running lab and daemon."""

    lab: Lab
    folder: Path
    intent: Path
    daemon: LabWatcher | None = None
    seen_open: set[str] = field(default_factory=set)
    """Keys of findings that were open at any look since `forget`."""

    @property
    def client(self) -> Client:
        """A way to ask the daemon."""
        return Client(self.folder / "data")

    def start(self) -> None:
        """Start the daemon and wait until it is ready."""
        self.daemon = LabWatcher(self.lab, self.intent, self.folder / "data", self.folder / "daemon.log")
        eventually(self.answers, START, what=f"an answer from the daemon ({self.folder / 'daemon.log'})")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the daemon."""
        if self.daemon is not None:
            self.daemon.stop(how)
            self.daemon = None

    def answers(self) -> bool:
        """Whether the daemon answers; raises AssertionError with its log when it has ended."""
        assert self.daemon is not None
        if not self.daemon.alive:
            raise AssertionError("the daemon ended:\n" + (self.folder / "daemon.log").read_text()[-3000:])
        try:
            return bool(self.client.get("/api/v1/status"))
        except NoDaemon:
            return False

    def records(self, *states: str) -> list[Any]:
        """Findings in these states (pending and open by default)."""
        return list(self.client.get("/api/v1/findings", state=list(states) or None)["findings"])

    def open_keys(self) -> set[str]:
        """Keys of what is open now."""
        keys = {record["key"] for record in self.records("open")}
        self.seen_open |= keys
        return keys

    def forget(self) -> None:
        """Begin a new account of what was open."""
        self.seen_open = set()

    def settled(self, expected: set[str], within: float, steady: float) -> None:
        """Wait until exactly `expected` is open, and stays so for `steady` seconds."""
        since: float | None = None
        deadline = time.monotonic() + within
        while True:
            keys = self.open_keys()
            since = (since or time.monotonic()) if keys == expected else None
            if since is not None and time.monotonic() - since >= steady:
                return
            if since is None and time.monotonic() > deadline:
                raise AssertionError(_difference(expected, keys))
            time.sleep(0.1)

    def healthy(self) -> bool:
        """Whether every service is ok and nothing is wrong, as the daemon sees it."""
        services = self.client.get("/api/v1/services")["services"]
        return bool(services) and all(each["health"] == "ok" for each in services) and not self.records()

    def events(self, since: str, **query: str) -> list[Any]:
        """Events from a time on."""
        return list(self.client.get("/api/v1/history", **{"from": since}, **query)["events"])


def _difference(expected: set[str], found: set[str]) -> str:
    return f"expected but not open: {sorted(expected - found)}\nopen but not expected: {sorted(found - expected)}"


@contextmanager
def rig(name: str, folder: Path, port: int, healthy: bool = True, probes: bool = False) -> Iterator[Rig]:
    """Bring a lab up with a daemon on it; take both down, whatever happens."""
    lab = Lab(name)
    lifecycle.down(lab)
    lifecycle.up(lab, probes=probes)
    intent = folder / "lab.yaml"
    made = Rig(lab, folder, intent)
    try:
        write_intent(lab, intent, folder / "data", port)
        with intent.open("a") as file:
            file.write("thresholds: {flap_window: 30s}\n")  # faults of one test must not count as flaps in the next
        made.start()
        if healthy:
            eventually(lambda: made.healthy(), 60, what="a healthy network")
        yield made
    finally:
        made.stop(signal.SIGKILL)
        lifecycle.down(lab)
