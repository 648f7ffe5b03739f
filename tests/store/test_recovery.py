"""What a crash or a disk leaves is made sound, and nothing is thrown away."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from store.folder import GROWING
from store.journal import Journal
from store.reader import Reader
from store.scan import whole_batches
from store.schema import JournalError
from tests.store.made import NOON, WEB, at, batch, route, write


def _crashed(folder: Path, batches: int = 3) -> tuple[Path, list[int]]:
    """A journal whose writer died after some commits: its one segment, and where each batch ends."""
    journal, ends = Journal(folder), []
    for index in range(batches):
        write(journal, at(index), ("routes", batch("routes", route(index), route(index, "10.0.0.0/8"))))
        [segment] = journal.folder.segments(GROWING)
        ends.append(segment.stat().st_size)
    journal._lock.release()
    return segment, ends


def _times(folder: Path) -> list[float]:
    rows = Reader(folder).routes(WEB, NOON, at(60)).rows
    return [(row.at - NOON).total_seconds() for row in rows]


def test_a_clean_close_leaves_nothing_to_recover(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("routes", batch("routes", route(0))))
    journal.close()
    again = Journal(tmp_path)
    assert again.recovered == ()
    again.close()


def test_a_crash_after_a_commit_loses_and_reports_nothing(tmp_path: Path) -> None:
    _crashed(tmp_path)
    journal = Journal(tmp_path)
    assert journal.recovered == ()
    assert _times(tmp_path) == [0, 1, 2]
    journal.close()


def test_cut_at_every_octet_of_the_last_batch_every_batch_before_it_is_kept_exactly(tmp_path: Path) -> None:
    segment, ends = _crashed(tmp_path)
    content = segment.read_bytes()
    wanted = list(whole_batches(segment))[:2]
    for size in range(ends[1] + 1, ends[2]):
        segment.write_bytes(content[:size])
        journal = Journal(tmp_path)
        [report] = journal.recovered
        journal.close()
        closed = segment.with_suffix(".arrows")
        assert list(whole_batches(closed)) == wanted
        assert closed.stat().st_size == ends[1]
        assert (report.octets, report.batches, report.batches_after) == (size - ends[1], 2, 0)
        assert (tmp_path / "aside" / report.kept_in).read_bytes() == content[ends[1] : size]
        closed.unlink()


def test_a_torn_tail_is_reported_in_a_sentence(tmp_path: Path) -> None:
    segment, ends = _crashed(tmp_path)
    segment.write_bytes(segment.read_bytes()[: ends[2] - 1])
    journal = Journal(tmp_path)
    journal.close()
    assert f"{segment.stem} ended in an unfinished batch" in str(journal.recovered[0])
    assert _times(tmp_path) == [0, 1]


def test_zeros_behind_the_last_batch_are_no_rows(tmp_path: Path) -> None:
    segment, ends = _crashed(tmp_path)
    with segment.open("ab") as file:
        file.write(bytes(5000))
    journal = Journal(tmp_path)
    journal.close()
    assert journal.recovered[0].octets == 5000
    assert segment.with_suffix(".arrows").stat().st_size == ends[2]


def test_a_schema_that_was_never_finished_is_an_empty_segment(tmp_path: Path) -> None:
    segment, _ = _crashed(tmp_path)
    segment.write_bytes(segment.read_bytes()[:100])
    journal = Journal(tmp_path)
    journal.close()
    assert journal.recovered[0].octets == 100
    assert not segment.with_suffix(".arrows").exists()


def test_what_follows_damage_is_kept_and_the_damage_is_set_aside(tmp_path: Path) -> None:
    segment, ends = _crashed(tmp_path)
    content = bytearray(segment.read_bytes())
    content[ends[0] + 300 : ends[0] + 340] = b"\x55" * 40
    segment.write_bytes(content)
    journal = Journal(tmp_path)
    journal.close()
    [report] = journal.recovered
    assert (report.batches, report.batches_after) == (2, 1)
    assert "was damaged in the middle" in str(report)
    assert _times(tmp_path) == [0, 2]
    assert (tmp_path / "aside" / report.kept_in).read_bytes() == content[ends[0] : ends[1]]
    told = json.loads((tmp_path / "aside" / report.kept_in).with_suffix(".json").read_text())
    assert told["stretches"] == [[ends[0], ends[1]]]


def test_recovery_that_was_itself_interrupted_is_done_again(tmp_path: Path) -> None:
    segment, ends = _crashed(tmp_path)
    segment.write_bytes(segment.read_bytes()[: ends[2] - 1])
    (tmp_path / "aside" / "half.bin.partial").write_bytes(b"half")
    journal = Journal(tmp_path)
    journal.close()
    assert not (tmp_path / "aside" / "half.bin.partial").exists()
    assert _times(tmp_path) == [0, 1]


def test_a_segment_of_another_schema_is_refused_by_name(tmp_path: Path) -> None:
    segment, _ = _crashed(tmp_path)
    other = pa.schema([("x", pa.int64())]).serialize()
    segment.write_bytes(bytes(other) + bytes(5000))
    with pytest.raises(JournalError, match=f"{segment.name} does not begin with the schema"):
        Journal(tmp_path)
