"""One writer appends, in order, all or nothing; what is committed is there."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from anycast.columns import COLUMNS, SessionEvent
from store.folder import CLOSED, GROWING, JournalLocked, JournalNewer
from store.journal import Journal
from store.reader import Reader
from store.schema import MOST_ROWS, SCHEMAS, SUBMITTED, TABLES, JournalError, moment, nanoseconds
from store.segment import JournalFull
from tests.store.made import NOON, WEB, at, attributes, batch, event, route, routes, write


def test_the_tables_are_those_of_the_vocabulary() -> None:
    assert set(TABLES) == set(COLUMNS)
    for table, columns in COLUMNS.items():
        assert SUBMITTED[table].names == [name for name, _ in columns]
        assert SCHEMAS[table].names == [*SUBMITTED[table].names, "row"]


def test_times_go_to_nanoseconds_and_back() -> None:
    when = datetime(2026, 11, 23, 4, 5, 6, 789_012, tzinfo=UTC)
    assert moment(nanoseconds(when)) == when


def test_what_was_committed_is_there_for_another_process_before_the_segment_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("attributes", attributes(1)), ("routes", batch("routes", route(0))))
    [seen] = Reader(tmp_path).routes(WEB, NOON, at(1)).rows
    assert seen.attributes is not None
    assert (seen.at, seen.prefix, seen.attributes.octets) == (NOON, WEB, b"set 1")
    journal.close()


def test_rows_are_in_order_of_arrival_even_where_the_clock_steps_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for second in (5, 3, 4):
        write(journal, at(second), *routes(route(second)))
    journal.close()
    assert [row.at for row in Reader(tmp_path).routes(WEB, NOON, at(9)).rows] == [at(5), at(3), at(4)]


def test_numbers_grow_over_restarts_and_crashes(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    one = write(first, NOON, *routes(route(0)))
    two = write(first, NOON, *routes(route(1)))
    first._lock.release()
    second = Journal(tmp_path)
    three = write(second, NOON, *routes(route(2)))
    second.close()
    assert one < two < three
    assert second.committed == three


def test_several_submissions_of_one_group_keep_their_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([routes(route(0), route(1)), routes(), routes(route(2))], NOON)
    journal.commit()
    journal.close()
    rows = Reader(tmp_path).routes(WEB, NOON, at(9)).rows
    assert [row.at for row in rows] == [NOON, at(1), at(2)]
    assert sorted({row.row for row in rows}) == [row.row for row in rows]


def test_a_segment_is_closed_when_it_is_full_and_when_the_hour_is_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_size=4000)
    for second in range(10):
        write(journal, NOON, *routes(*[route(second)] * 10))
    full = len(journal.folder.segments(CLOSED))
    assert full > 2
    journal.rotate(NOON + timedelta(hours=1))
    assert journal.folder.segments(GROWING) == []
    journal.close()
    assert len(Reader(tmp_path).routes(WEB, NOON, at(60)).rows) == 100


def test_a_table_or_a_column_that_the_journal_does_not_have_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalError, match="no table 'weather'"):
        journal.append([[("weather", attributes(1))]], NOON)
    with pytest.raises(JournalError, match="columns of routes are at timestamp"):
        journal.append([[("routes", attributes(1))]], NOON)
    columns = [pa.nulls(MOST_ROWS + 1, field.type) for field in SUBMITTED["attributes"]]
    with pytest.raises(JournalError, match="at most 16777216 rows"):
        journal.append([[("attributes", pa.RecordBatch.from_arrays(columns, schema=SUBMITTED["attributes"]))]], NOON)
    journal.close()


def test_a_second_daemon_on_the_folder_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    program = "import sys; from pathlib import Path; from store.journal import Journal; Journal(Path(sys.argv[1]))"
    second = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"JournalLocked: another Catchment (pid {os.getpid()}) writes to the journal in" in second.stderr
    with pytest.raises(JournalLocked):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_newer_journal_is_refused_in_a_sentence_by_writer_and_reader(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    (tmp_path / "version").write_text("3\n")
    for use in (Journal, Reader):
        with pytest.raises(JournalNewer, match="has schema 3, and this Catchment knows up to 2: start the newer"):
            use(tmp_path)
    (tmp_path / "version").write_text("one\n")
    with pytest.raises(JournalError, match="says 'one'; it must hold a number such as 2"):
        Reader(tmp_path)


def test_the_key_of_attribute_ids_is_made_once(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.close()
    second = Journal(tmp_path)
    second.close()
    assert first.key == second.key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert len(first.key) == 16


def test_the_next_writer_knows_when_the_last_one_lived(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    assert first.alive_at is None
    first.alive()
    first._lock.release()
    second = Journal(tmp_path)
    assert second.alive_at is not None
    assert abs(second.alive_at - datetime.now(UTC)) < timedelta(seconds=60)
    second.close()


@contextmanager
def _no_file_above(size: int) -> Iterator[None]:
    """The kernel refuses to let a file grow beyond `size`, as it refuses on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_sentence_and_leaves_all_tables_as_they_were(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("attributes", attributes(1)), *routes(route(0)))
    before = {path: path.stat().st_size for path in journal.folder.segments(GROWING)}
    with _no_file_above(20_000), pytest.raises(JournalFull, match="no space left to write the journal in") as caught:
        journal.append([[("attributes", attributes(2)), *routes(*[route(1)] * 5000)]], NOON)
    assert isinstance(caught.value, OSError)
    assert {path: path.stat().st_size for path in journal.folder.segments(GROWING)} == before
    write(journal, NOON, *routes(route(2)))
    journal.close()
    assert [row.at for row in Reader(tmp_path).routes(WEB, NOON, at(9)).rows] == [NOON, at(2)]


def test_a_full_disk_takes_back_the_group_and_no_group_before_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([routes(route(0))], NOON)
    with _no_file_above(20_000), pytest.raises(JournalFull):
        journal.append(
            [[("sessions", batch("sessions", event(1, SessionEvent.PEER_UP))), *routes(*[route(1)] * 5000)]], NOON
        )
    journal.commit()
    journal.close()
    assert [row.at for row in Reader(tmp_path).routes(WEB, NOON, at(9)).rows] == [NOON]
    assert Reader(tmp_path).sessions(NOON, at(9)).rows == ()
