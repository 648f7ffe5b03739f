"""Every point is read once, in order, whatever becomes of the files meanwhile."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from store.influx.follow import Follower
from store.influx.lines import lines
from store.journal import Journal
from store.retention import shorten_points
from store.seal import seal
from store.segment import Segment
from tests.store.influx.made import write
from tests.store.made import NOON, route, routes
from tests.store.made import write as write_tables


def read(follower: Follower, most: int = 1000) -> list[int]:
    """The numbers of the next points."""
    batches = follower.read(most)
    return [int(text.split("=")[1][:-1]) for batch in batches for text in batch["fields"].to_pylist()]


def test_what_is_added_is_read_on_and_nothing_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    follower = Follower(tmp_path, 0)
    assert read(follower) == []
    write(journal, NOON, (1, 2))
    write_tables(journal, NOON, *routes(route(0)))
    assert read(follower) == [1, 2]
    assert read(follower) == []
    write(journal, NOON, (3,))
    assert read(follower) == [3]
    journal.close()


def test_no_more_is_read_at_once_than_was_asked_for(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, range(10))
    write(journal, NOON, range(10, 15))
    follower = Follower(tmp_path, 0)
    assert [read(follower, 4), read(follower, 4), read(follower, 4), read(follower, 4)] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11], [12, 13, 14],
    ]  # fmt: skip
    journal.close()


def test_a_file_that_is_closed_sealed_and_removed_under_the_reader_loses_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    follower = Follower(tmp_path, 0)
    write(journal, NOON, range(6))
    assert read(follower, 4) == [0, 1, 2, 3]
    write(journal, NOON, (6, 7))
    later = NOON + timedelta(hours=1)
    journal.rotate(later)
    seal(tmp_path, later)
    assert read(follower, 4) == [4, 5, 6, 7]
    write(journal, later, (8,))
    assert read(follower) == [8]
    journal.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_another_reader_goes_on_behind_the_cursor(tmp_path: Path, sealed: bool) -> None:
    journal = Journal(tmp_path, segment_size=1)
    for number in range(0, 12, 3):
        write(journal, NOON, range(number, number + 3))
        journal.rotate(NOON)
        if sealed:
            seal(tmp_path, NOON)
    first = Follower(tmp_path, 0)
    assert read(first, 7) == [0, 1, 2, 3, 4, 5, 6]
    first.close()
    assert read(Follower(tmp_path, first.cursor)) == [7, 8, 9, 10, 11]
    journal.close()


def test_rows_that_a_failed_commit_took_back_are_not_mistaken_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, (1,))
    follower = Follower(tmp_path, 0)
    assert read(follower) == [1]
    with monkeypatch.context() as broken:
        broken.setattr(Segment, "sync", lambda self: (_ for _ in ()).throw(OSError(5, "no disk")))
        with pytest.raises(OSError, match="no disk"):
            write(journal, NOON, (2, 3))
    write(journal, NOON, (4,))
    write(journal, NOON, (5,))
    assert read(follower)[-2:] == [4, 5]
    journal.close()


def test_what_retention_took_before_it_was_read_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for day in range(4):
        now = NOON + timedelta(days=day)
        journal.rotate(now)
        write(journal, now, range(10 * day, 10 * day + 5))
    journal.close()
    seal(tmp_path, NOON + timedelta(days=3, hours=2))
    behind, before = Follower(tmp_path, 0), Follower(tmp_path, 0)
    assert read(before, 2) == [0, 1]
    assert shorten_points(tmp_path, NOON + timedelta(days=3), days=1, quota=1 << 30) == 2
    assert read(behind) == [20, 21, 22, 23, 24, 30, 31, 32, 33, 34]
    assert behind.forgotten == 10
    assert read(before) == [2, 3, 4, 20, 21, 22, 23, 24, 30, 31, 32, 33, 34]
    assert before.forgotten == 5


def test_a_sealed_file_that_cannot_be_read_is_left_out_and_said_and_what_is_behind_it_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    for hour in range(3):
        now = NOON + timedelta(hours=hour)
        journal.rotate(now)
        write(journal, now, range(10 * hour, 10 * hour + 3))
    journal.close()
    seal(tmp_path, NOON + timedelta(hours=4))
    damaged = sorted((tmp_path / "sealed").glob("*/points-*.parquet"))[1]
    damaged.write_bytes(damaged.read_bytes()[:100])
    follower = Follower(tmp_path, 0)
    assert read(follower, 2) == [0, 1]
    assert read(follower) == [2, 20, 21, 22]
    assert follower.forgotten == 1
    assert f"points in {damaged} cannot be read, and are left out" in caplog.text
    assert read(follower) == []


def test_writing_reading_closing_and_sealing_in_any_order_loses_and_repeats_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)
    journal, now, written, got = Journal(tmp_path, segment_size=4096), NOON, 0, []
    follower = Follower(tmp_path, 0)
    for _ in range(250):
        match chance.choice(("write", "write", "write", "read", "read", "rotate", "seal", "restart", "reader")):
            case "write":
                count = chance.randrange(1, 40)
                write(journal, now, range(written, written + count))
                written += count
            case "read":
                got += read(follower, chance.randrange(1, 60))
            case "rotate":
                now += timedelta(hours=1)
                journal.rotate(now)
            case "seal":
                seal(tmp_path, now)
            case "restart":
                journal.close()
                journal = Journal(tmp_path, segment_size=4096)
            case "reader":
                follower.close()
                follower = Follower(tmp_path, follower.cursor)
    while more := read(follower):
        got += more
    assert got == list(range(written))
    journal.close()


def test_rows_become_lines_and_parts_of_them(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, (1, 2), series="own")
    write(journal, NOON, (3,), series="feed,exporter=a\\ b")
    made = lines(Follower(tmp_path, 0).read(10))
    second = 1_795_435_200
    assert made.body().decode().splitlines() == [
        f"own value=1i {second + 1}000000000",
        f"own value=2i {second + 2}000000000",
        f"feed,exporter=a\\ b value=3i {second + 3}000000000",
    ]
    part = made.part(1, 3)
    assert part.body() == b"".join(made.body().splitlines(keepends=True)[1:])
    assert (len(part), part.octets, part.text(1)) == (2, len(part.body()), made.body().decode().splitlines()[2])
    assert [made.split(octets) for octets in (1, 33, 66, 10_000)] == [1, 1, 2, 3]
    journal.close()
