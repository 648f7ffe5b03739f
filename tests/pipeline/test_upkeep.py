"""Upkeep in a child process: what is closed is sealed, what is too old goes, and a failure is a sentence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.upkeep import keep_up, upkeep
from store.journal import Journal
from store.reader import Reader
from store.schema import SUBMITTED, nanoseconds

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAYS, QUOTA, MALFORMED, PROBES = 30, 1 << 30, 1 << 20, 7


def _journal(path: Path, at: datetime) -> None:
    """A journal with one malformed message of `at`, closed."""
    row = {"at": nanoseconds(at), "router": "r", "peer": "", "reason": "odd", "action": "message-skipped", "raw": b"x"}
    journal = Journal(path)
    journal.append([[("malformed", pa.RecordBatch.from_pylist([row], schema=SUBMITTED["malformed"]))]], at)
    journal.close()


async def test_a_child_seals_what_is_closed_and_the_reader_still_finds_it(tmp_path: Path) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    _journal(tmp_path, at)
    [said] = await keep_up(tmp_path, DAYS, QUOTA, MALFORMED, PROBES)
    assert said == "sealed 1 segment of 1 row, 0 repeats left out"
    assert len(Reader(tmp_path).malformed(at - timedelta(hours=1), at + timedelta(hours=1)).rows) == 1
    assert await keep_up(tmp_path, DAYS, QUOTA, MALFORMED, PROBES) == ()


async def test_a_failure_in_the_child_is_a_sentence_with_its_last_words(tmp_path: Path) -> None:
    _journal(tmp_path, NOW)
    (tmp_path / "sealed").rmdir()
    (tmp_path / "sealed").write_text("this should be a folder")
    with pytest.raises(RuntimeError, match="upkeep of the journal failed: "):
        await keep_up(tmp_path, DAYS, QUOTA, MALFORMED, PROBES)


def test_a_day_that_is_too_old_is_deleted_and_said(tmp_path: Path) -> None:
    _journal(tmp_path, NOW - timedelta(days=40))
    _journal(tmp_path, NOW)
    said = list(upkeep(tmp_path, DAYS, QUOTA, MALFORMED, PROBES, NOW + timedelta(hours=2)))
    assert said[0].startswith("sealed 2 segments")
    assert "deleted 2026-10-14 from the journal" in said


def test_results_of_probes_go_after_their_own_days_and_nothing_else_does(tmp_path: Path) -> None:
    for age in (9, 8, 7, 0):
        at = NOW - timedelta(days=age)
        _journal(tmp_path, at)
        journal = Journal(tmp_path)
        row = dict.fromkeys(SUBMITTED["probes"].names) | {
            "at": nanoseconds(at),
            "site": "ams",
            "run": "r",
            "batch": age,
        }
        journal.append([[("probes", pa.RecordBatch.from_pylist([row], schema=SUBMITTED["probes"]))]], at)
        journal.close()
    list(upkeep(tmp_path, DAYS, QUOTA, MALFORMED, DAYS, NOW))
    assert len(list((tmp_path / "sealed").glob("*/probes-*.parquet"))) == 4
    said = list(upkeep(tmp_path, DAYS, QUOTA, MALFORMED, PROBES, NOW))
    assert said == ["deleted 2 files of probe results from the journal"]
    assert len(list((tmp_path / "sealed").glob("*/malformed-*.parquet"))) == 4
    assert Reader(tmp_path).batches(NOW - timedelta(days=30)) == {("ams", "r"): 7}


def test_malformed_messages_beyond_their_quota_go_the_oldest_first(tmp_path: Path) -> None:
    for age in (3, 2, 1):
        _journal(tmp_path, NOW - timedelta(days=age))
    list(upkeep(tmp_path, DAYS, QUOTA, MALFORMED, PROBES, NOW))
    files = sorted((tmp_path / "sealed").glob("*/malformed-*.parquet"))
    assert len(files) == 3
    assert list(upkeep(tmp_path, DAYS, QUOTA, sum(file.stat().st_size for file in files), PROBES, NOW)) == []
    said = list(upkeep(tmp_path, DAYS, QUOTA, files[-1].stat().st_size, PROBES, NOW))
    assert said == ["deleted 2 files of malformed messages from the journal"]
    left = Reader(tmp_path).malformed(NOW - timedelta(days=9), NOW).rows
    assert [row.at for row in left] == [NOW - timedelta(days=1)]
