"""The archive of a running daemon: what routers sent, as MRT that bgpdump reads and that replays to the same story."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from anycast.situation import Event
from pipeline.config import load
from pipeline.replay.recordings import recordings
from pipeline.replay.run import replay
from tests import needs
from tests.pipeline.watched import NVAS, WEB, Watched

FOUND = {f"missing|service=web|prefix={WEB}|region=weu", f"redundancy-low|service=web|prefix={WEB}"}
KEPT = "storage: {archive: {every: 10s}}\n"


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    made.intent.write_text(made.intent.read_text() + KEPT)
    try:
        made.start()
        yield made
    finally:
        made.close()


def files(watched: Watched, suffix: str = ".mrt.gz") -> list[Path]:
    return sorted(path for path in (watched.folder / "data" / "archive").rglob(f"*{suffix}"))


def printed(paths: Sequence[Path]) -> list[list[str]]:
    """What bgpdump prints of some files, cut into fields."""
    lines = []
    for path in paths:
        run = subprocess.run([needs.tool("bgpdump"), "-m", path], check=True, capture_output=True, text=True)
        lines += [line.split("|") for line in run.stdout.splitlines()]
    return lines


def test_what_routers_sent_is_in_the_archive_after_a_stop(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.withdraw("weu")
    watched.wait(lambda: watched.presence("weu") == "absent", what="web withdrawn")
    assert watched.stop() == 0
    nva = NVAS["weu"][0]
    told = [(line[2], line[5]) for line in printed(files(watched)) if line[3] == nva and line[2] in "AW"]
    assert told == [("A", WEB), ("W", WEB)]
    assert not files(watched, ".part")
    assert not files(watched, ".raw")


def test_files_are_made_while_it_runs(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: bool(files(watched)), 60, "a file whose time was over")
    assert {line[2] for line in printed(files(watched))} == {"STATE", "A"}


def test_what_a_kill_left_is_converted_after_the_next_start(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.wait(lambda: bool(files(watched, ".part")), what="an open file")
    watched.stop(signal.SIGKILL)
    assert not files(watched)
    watched.start()
    watched.wait(lambda: bool(files(watched)), 60, "the file of before the kill")


def test_the_archive_replays_to_what_was_found_live(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == watched.presence("eus") == "present", what="both present")
    time.sleep(2)  # tables are quiet after one second
    watched.withdraw("weu")
    watched.wait(lambda: watched.findings("open") >= FOUND, what="missing and redundancy-low open")
    watched.stop()
    intent = load(watched.intent).intent
    told: list[Event] = []
    made = recordings([f"gobgp={path}" for path in files(watched)], intent)
    outcome = asyncio.run(replay(intent, made, told.extend, linger=timedelta(seconds=10)))
    assert {record.finding.key for record in outcome.findings if record.opened_at} >= FOUND
