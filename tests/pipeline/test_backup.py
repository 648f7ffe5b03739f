"""`catchment backup` beside a running daemon, and `catchment restore` of what it made."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.watched import Watched, running


def _catchment(*words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-m", "pipeline", *words], input=given, capture_output=True, timeout=60)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(tmp_path) as made:
        yield made


def _history(data: Path) -> list[str]:
    done = _catchment("history", "--data", str(data), "--json")
    assert done.returncode == 0, done.stderr
    return [each["text"] for each in json.loads(done.stdout)]


def test_a_daemon_goes_on_from_a_backup_that_was_taken_while_it_ran(watched: Watched, tmp_path: Path) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.withdraw("weu")
    watched.wait(lambda: watched.findings("open"), what="missing open")
    told = _catchment("backup", str(tmp_path / "copy.tar"), "--data", str(data), "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["files"] > 5
    findings = watched.findings("open")
    watched.advertise("weu")
    watched.wait(lambda: not watched.findings("open"), what="cleared")
    watched.stop()
    done = _catchment("restore", str(tmp_path / "copy.tar"), "--data", str(again))
    assert done.returncode == 0, done.stderr
    before = _history(again)
    assert before == _history(data)[: len(before)]
    assert len(_history(data)) > len(before), "what came after is not in it"
    data.rename(tmp_path / "gone")
    again.rename(data)
    watched.start()
    assert watched.findings("open") == findings, "what was open then is open, until it is judged with sight"
    assert len(_history(data)) > len(before), "that nobody watched meanwhile is told"


def test_a_pipe_takes_a_backup_and_gives_it_back(watched: Watched, tmp_path: Path) -> None:
    made = _catchment("backup", "-", "--data", str(tmp_path / "data"))
    assert made.returncode == 0, made.stderr
    assert b"backed up to -" in made.stderr
    checked = _catchment("restore", "-", "--check", "--json", given=made.stdout)
    assert json.loads(checked.stdout)["octets"] > 0
    torn = _catchment("restore", "-", "--check", given=made.stdout[: len(made.stdout) // 2])
    assert torn.returncode == 2
    done = _catchment("restore", "-", "--data", str(tmp_path / "again"), given=made.stdout)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again" / "ledger.sqlite").is_file()


def test_what_cannot_be_done_is_a_sentence_and_2(watched: Watched, tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    over = _catchment("restore", str(tmp_path / "nothing"), "--data", data)
    nowhere = _catchment("backup", str(tmp_path / "copy"), "--data", str(tmp_path / "nowhere"))
    both = _catchment("backup", "-", "--data", data, "--json")
    assert [each.returncode for each in (over, nowhere, both)] == [2, 2, 2]
    assert b"data/journal is there already" in over.stderr.replace(b"\n", b"")
    assert b"there is no journal in" in nowhere.stderr
    assert b"leave --json out" in both.stderr
    assert both.stdout == b""
