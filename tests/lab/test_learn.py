"""`catchment learn` on real routers, as one begins: nothing but who may connect, then what was learned, unedited."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import faults, lifecycle
from lab.topology import BMP_PORT, COLLECTOR_ADDRESS, Lab
from pipeline.client import Client, NoDaemon
from pipeline.config import check
from pipeline.demo.watcher import LabWatcher
from tests import needs
from tests.pipeline.terminal import catchment
from tests.rig import eventually

pytestmark = pytest.mark.lab
NAME, PORT = "learn", 8517
QUIET = 30.0  # seconds without any finding after settling
SETTLED = 20.0  # GoBGP dials its station again after up to that long, and tables are complete 5 s later
FIRST = f"""\
catchment: 1
listen: {{bmp: "{COLLECTOR_ADDRESS}:{BMP_PORT}", http: "127.0.0.1:{PORT}"}}
services: {{}}
regions: {{}}
exporters:
  gobgp: {{addresses: [{COLLECTOR_ADDRESS}], collector: true}}
  ams-ce1: {{addresses: [10.90.0.1]}}
  nyc-ce1: {{addresses: [10.91.0.1]}}
"""
GONE = "missing|service=service-1|prefix=10.250.0.10/32|region=region-1"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    needs.root()
    made = Lab(NAME)
    lifecycle.down(made)
    lifecycle.up(made)
    try:
        yield made
    finally:
        lifecycle.down(made)


class Daemon:
    """A daemon on the lab with an intent file and a data folder of its own."""

    def __init__(self, lab: Lab, intent: Path, data: Path) -> None:
        self._log = data.with_suffix(".log")
        self.client = Client(data)
        self._watcher = LabWatcher(lab, intent, data, self._log)
        eventually(self._answers, 30, what="an answer of the daemon")

    def _answers(self) -> bool:
        assert self._watcher.alive, self._log.read_text()[-3000:]
        try:
            return bool(self.client.get("/api/v1/status"))
        except NoDaemon:
            return False

    def stop(self) -> None:
        self._watcher.stop(signal.SIGTERM)

    def keys(self, *states: str) -> set[str]:
        return {record["key"] for record in self.client.get("/api/v1/findings", state=list(states))["findings"]}

    def health(self) -> list[str]:
        return [service["health"] for service in self.client.get("/api/v1/services")["services"]]


def _learned(lab: Lab, folder: Path) -> Path:
    """Run a daemon on nothing but exporters, and have the rest written."""
    first, mine = folder / "first.yaml", folder / "mine.yaml"
    first.write_text(FIRST)
    assert {str(problem.severity) for problem in check(first)} == {"lint"}
    daemon = Daemon(lab, first, folder / "before")
    try:
        eventually(lambda: _whole(daemon.client.get("/api/v1/seen")), SETTLED + 20, what="every table in the journal")
        said = catchment("learn", "--data", str(folder / "before"), "-o", str(mine))
        assert said.code == 0, said.err
    finally:
        daemon.stop()
    return mine


def _whole(seen: Any) -> bool:
    """Whether all three routers are heard, and of GoBGP every peer's table."""
    exporters = {each["name"]: each["sessions"] for each in seen["exporters"]}
    return len(exporters) == 3 and len(exporters["gobgp"]) == 10 and all(each["routes"] for each in exporters["gobgp"])


def test_what_is_learned_passes_check_is_silent_on_the_healthy_lab_and_finds_a_withdrawal(
    lab: Lab, tmp_path: Path
) -> None:
    mine = _learned(lab, tmp_path)
    assert check(mine) == ()
    asked = [line.strip() for line in mine.read_text().split("catchment: 1")[1].splitlines() if "?" in line]
    assert set(asked) == {"# owner: ?", "# mode: ?"}, "nothing is lacking but names"
    daemon = Daemon(lab, mine, tmp_path / "after")
    try:
        eventually(lambda: daemon.health() == ["ok"] * 3, SETTLED + 20, what="three healthy services")
        deadline = time.monotonic() + QUIET
        while time.monotonic() < deadline:
            assert daemon.keys("pending", "open") == set()
            assert daemon.health() == ["ok"] * 3
            time.sleep(0.5)
        assert daemon.keys("cleared") == set()
        events = daemon.client.get("/api/v1/history", limit=10_000)["events"]
        assert {event["kind"] for event in events} <= {"route", "session", "feed"}

        faults.inject(lab, "withdraw", ())
        try:
            eventually(lambda: GONE in daemon.keys("open"), 10, what="the withdrawal open")
        finally:
            faults.heal(lab)
        eventually(lambda: daemon.keys("pending", "open") == set(), 30, what="all clear")
    finally:
        daemon.stop()
