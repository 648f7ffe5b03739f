"""A real disk that runs full under a running daemon: it lives, says so, and is well again when there is room."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from anycast.columns import Action
from pipeline.client import Client, DaemonRefused, NoDaemon
from store.reader import Reader
from tests import needs
from tests.pipeline.watched import INSTANCES, WEB, Watched
from tests.speaker import attributes

SIZE = 24 << 20  # octets of the file system
SHELL = 'mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@"'


class Small(Watched):
    """A daemon whose data folder is a small file system in a mount namespace of its own."""

    def start(self) -> None:
        """Start; returns when routers may connect."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        run = [sys.executable, "-m", "pipeline", "run", "-c", str(self.intent), "--data", str(disk / "data")]
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", SHELL, str(SIZE), str(disk), *run]
        with self.log.open("ab") as output:
            self.child = subprocess.Popen(argv, stdout=output, stderr=output, env=os.environ | {"PYTHONWARNINGS": ""})
        self.disk = Path(f"/proc/{self.child.pid}/root{disk}")
        self.client = Client(self.disk / "data")
        self.wait(lambda: "the page is" in self.log.read_text(), 90, "that it listens")

    def why(self) -> str | None:
        """Why it is not ready; None when it is."""
        try:
            self.client._answer("GET", "/readyz")
        except NoDaemon:
            raise
        except DaemonRefused as refused:
            return str(refused) if "HTTP 503" in str(refused) else None
        return None

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.disk / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 20, 4096, 1):
                try:
                    while filler.write(bytes(size)) == size:
                        continue
                except OSError:
                    continue


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    needs.root()
    needs.tool("unshare", "util-linux")
    made = Small(tmp_path)
    try:
        made.start()
        yield made
    finally:
        made.close()


def test_a_full_disk_is_survived_told_and_left_behind_and_nothing_committed_is_damaged(small: Small) -> None:
    small.healthy("weu")
    small.wait(lambda: small.presence("weu") == "present", what="web present")
    time.sleep(2)
    small.fill()
    small.advertise("eus")  # with attribute sets that were never seen before
    small.wait(lambda: small.why() is not None, 20, "that it is not ready")
    small.wait(lambda: small.client.get("/api/v1/status")["trouble"], 20, "trouble in status")
    assert small.child is not None
    assert small.child.poll() is None
    (small.disk / "filler").unlink()
    small.wait(lambda: small.why() is None, 30, "that it is ready again")
    small.wait(lambda: small.presence("eus") == "present", what="judging goes on")
    small.gobgp.announce("10.20.1.4", 65020, "10.251.0.0/24", attributes("10.20.1.4", 65020))
    for instance in INSTANCES["eus"]:
        small.gobgp.announce(instance, 65515, "10.251.0.0/24", attributes(instance, 65515, 65020))
    reader = Reader(small.disk / "data" / "journal")
    small.wait(lambda: len(_sets(reader, "10.251.0.0/24")) == 3, what="what came after it in the journal")
    assert None not in _sets(reader, "10.251.0.0/24")
    assert len(_sets(reader, WEB)) >= 3
    assert None not in _sets(reader, WEB)
    said = small.log.read_text()
    assert "no space left" in said or "disk is full" in said


def _sets(reader: Reader, prefix: str) -> list[object]:
    """The attribute set of each announcement of a prefix in the journal."""
    now = datetime.now(UTC)
    rows = reader.routes(ip_network(prefix), now - timedelta(hours=1), now + timedelta(hours=1)).rows
    return [row.attributes for row in rows if row.action is Action.ANNOUNCE]
