"""When Catchment itself was not there is a line of history, of the timeline and of the page."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anycast.plain import parse_stamp
from pipeline.memory import open_memory
from pipeline.past import Past
from pipeline.timeline import not_running
from tests.pipeline.watched import WEB, Watched

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    try:
        _start(made)
        yield made
    finally:
        made.close()


def _start(watched: Watched) -> None:
    """Start, and wait until routers may connect: only then it lives."""
    before = watched.log.read_text().count("the page is") if watched.log.exists() else 0
    watched.start()
    watched.wait(lambda: watched.log.read_text().count("the page is") > before, 90, "that it listens")


def _absences(watched: Watched) -> list[Any]:
    events = watched.client.get("/api/v1/history", prefix=WEB)["events"]
    return [event for event in events if event["what"] == "not-running"]


@pytest.mark.parametrize(
    ("how", "word", "severity"),
    [(signal.SIGKILL, "it died without a word", "warning"), (signal.SIGTERM, "it was stopped", "info")],
)
def test_the_time_between_an_end_and_the_next_start_is_told(
    watched: Watched, how: signal.Signals, word: str, severity: str
) -> None:
    assert _absences(watched) == []
    time.sleep(1.5)
    begun = datetime.now(UTC)
    watched.stop(how)
    ended = datetime.now(UTC)
    time.sleep(1.5)
    _start(watched)
    watched.wait(lambda: _absences(watched), what="the absence in history")
    [told] = _absences(watched)
    assert begun - timedelta(seconds=1.5) < parse_stamp(told["not_before"]) < ended
    assert parse_stamp(told["at"]) - ended > timedelta(seconds=1.5)
    assert word in told["text"]
    assert told["severity"] == severity
    assert told in watched.client.get("/api/v1/timeline")["events"]
    now = datetime.now(UTC)
    inside = Past(watched.folder / "data").events(None, ended - timedelta(seconds=9), ended + timedelta(seconds=1), 10)
    assert "not-running" in [event.what for event in inside.events]
    before = Past(watched.folder / "data").events(None, now - timedelta(days=2), now - timedelta(days=1), 10)
    assert before.events == ()


def test_a_start_that_fails_does_not_shorten_the_time_without_us(watched: Watched) -> None:
    time.sleep(1.5)
    watched.stop(signal.SIGKILL)
    ended = datetime.now(UTC)
    time.sleep(2)
    with socket.create_server(("127.0.0.1", watched.bmp)):
        argv = [
            sys.executable,
            "-m",
            "pipeline",
            "run",
            "-c",
            str(watched.intent),
            "--data",
            str(watched.folder / "data"),
        ]
        assert subprocess.run(argv, capture_output=True, timeout=60).returncode == 2
    _start(watched)
    watched.wait(lambda: _absences(watched), what="the absence in history")
    [told] = _absences(watched)
    assert ended - timedelta(seconds=2) < parse_stamp(told["not_before"]) < ended
    assert "it died without a word" in told["text"]


async def test_a_memory_that_never_heard_anything_leaves_no_sign_of_life(tmp_path: Path) -> None:
    for _ in range(2):
        memory = await open_memory(tmp_path / "data")
        assert memory.alive is None
        await memory.close()
    memory = await open_memory(tmp_path / "data")
    memory.live()
    await memory.close()
    memory = await open_memory(tmp_path / "data")
    assert memory.alive is not None
    assert memory.stopped
    await memory.close()


def test_the_line_says_both_ends_with_their_dates() -> None:
    event = not_running(AT, AT + timedelta(hours=30), stopped=False)
    assert "from 2026-11-23 03:00:00 UTC to 2026-11-24 09:00:00 UTC" in event.text
    assert (event.at, event.not_before) == (AT + timedelta(hours=30), AT)
