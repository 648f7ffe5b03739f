"""The lab with a daemon that watches it and a receiver that it tells: what the proofs on real routers stand on."""

import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from anycast.plain import stamp
from lab import faults, lifecycle, truth
from lab.daemons import bird, gobgp
from lab.topology import SERVICES, Lab
from pipeline.demo.stage import write_intent
from tests.pipeline.watched import Hook
from tests.prove import tables
from tests.rig import Rig, eventually

RESYNCED = 90.0
"""Seconds in which every feed must be back and every table complete: GoBGP tries its station again after up to 32 s."""
SESSIONS = 20
"""Sessions of the lab that carry the services: 10 of GoBGP's, 10 of the edge routers'."""


@dataclass
class WatchedLab:
    """A lab, its daemon, and what the daemon told."""

    rig: Rig
    hook: Hook

    @property
    def lab(self) -> Lab:
        """The lab."""
        return self.rig.lab

    def synced(self) -> bool:
        """Whether nothing is unknown and every table is complete."""
        status = self.rig.client.get("/api/v1/status")
        up = sum(each["state"] == "up" for each in status["sessions"])
        return not status["unknown"] and up == len(status["sessions"]) and up >= SESSIONS

    def resynced(self) -> None:
        """Wait until all feeds are back and every table is complete."""
        gobgp.redial(self.lab)
        eventually(lambda: self._ask(self.synced), RESYNCED, what=f"all in sight again ({self.rig.folder})")

    def equal(self) -> list[str]:
        """Return how our state differs from the routers' tables; asks for some seconds, for routers take their time."""
        deadline = time.monotonic() + 10
        while found := tables.differences(self.lab, self.rig.client):
            if time.monotonic() > deadline:
                return found
            time.sleep(0.5)
        return []

    def healthy(self) -> None:
        """Wait until every service is well, as the daemon sees it."""
        eventually(lambda: self._ask(self.rig.healthy), RESYNCED, what=f"a healthy network ({self.rig.folder})")

    def withdraw(self, region: str, service: str = "web") -> float:
        """Have every NVA of a region withdraw a service; returns when its gateway forwarded to none any more."""
        return self._administer(region, service, "disable")

    def announce(self, region: str, service: str = "web") -> float:
        """Have them announce it again."""
        return self._administer(region, service, "enable")

    def _administer(self, region: str, service: str, word: str) -> float:
        nvas = [node for node in self.lab.nodes if node.name.startswith(f"{region}-nva")]
        for nva in nvas:
            bird.ask(self.lab, nva.name, f"{word} svc_{service}")
        prefix = next(str(each.prefix) for each in SERVICES if each.name == service)
        there = word == "enable"
        eventually(lambda: bool(truth.fib(self.lab, f"{region}-gw", prefix)) is there, 20, 0.02, f"{word} {service}")
        return time.time()

    def lines(self, since: datetime, kind: str) -> list[dict[str, Any]]:
        """Return the lines of the history since a time, of one kind (`route`, `finding`, ...)."""
        shown = self.rig.client.get("/api/v1/history", **{"from": stamp(since), "limit": "10000"})["events"]
        return [line for line in shown if line["kind"] == kind]

    def told(self) -> list[tuple[str, str, str]]:
        """Return what the receiver was told so far: kind, finding's id and step."""
        return [(message["kind"], message["id"], message["status"]) for message in self.hook.messages]

    def _ask(self, question: Callable[[], bool]) -> bool:
        try:
            return question()
        except (AssertionError, OSError):
            return False


NO_FLAPPING = "thresholds: {flap_count: 1000}\n"
"""What is withdrawn every half minute flaps, and that is not what is asked here."""


@contextmanager
def watched_lab(name: str, probes: bool = False) -> Iterator[WatchedLab]:
    """Bring a lab up with a daemon on it and a receiver; take all down, whatever happens. With `probes`, agents too.

    `name` is six letters at most; the process' number is put behind, so that others may run theirs.
    """
    lab = Lab(f"{name}{os.getpid() % 1_000_000}")
    lifecycle.down(lab)
    lifecycle.up(lab, probes=probes)
    hook = Hook()
    with tempfile.TemporaryDirectory(prefix=f"{lab.name}-") as folder:
        made = WatchedLab(Rig(lab, Path(folder), Path(folder) / "lab.yaml"), hook)
        try:
            write_intent(lab, made.rig.intent, made.rig.folder / "data", _free_port(), hook.url)
            with made.rig.intent.open("a") as intent:
                intent.write(NO_FLAPPING)
            made.rig.start()
            made.healthy()
            made.resynced()
            yield made
        finally:
            made.rig.stop(signal.SIGKILL)
            faults.heal(lab)
            lifecycle.down(lab)
            hook.shutdown()
            hook.server_close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def now() -> datetime:
    """Return the time, as the daemon stamps it."""
    return datetime.now(UTC)
