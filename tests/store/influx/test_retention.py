"""Points go after their own days, and beyond their own quota; what went is noted for a sink that is behind."""

from datetime import timedelta
from pathlib import Path

from store.folder import Folder
from store.forgotten import KEPT, Forgotten, forgotten, note
from store.journal import Journal
from store.retention import retain, shorten_points
from store.schema import ROW_BITS
from store.seal import seal
from tests.store.influx.made import write
from tests.store.made import NOON, route, routes
from tests.store.made import write as write_tables

DAY = timedelta(days=1)


def _days(folder: Path, count: int) -> None:
    """A journal with two points and one route each day, sealed."""
    journal = Journal(folder)
    for day in range(count):
        now = NOON + day * DAY
        journal.rotate(now)
        seal(folder, now)
        write_tables(journal, now, *routes(route(86400 * day)))
        write(journal, now, (2 * day, 2 * day + 1))
    journal.close()
    seal(folder, NOON + (count - 1) * DAY + timedelta(hours=2))


def _files(folder: Path, table: str) -> list[Path]:
    return sorted((folder / "sealed").glob(f"*/{table}-*.parquet"))


def test_points_older_than_their_days_go_and_no_row_of_any_other_table(tmp_path: Path) -> None:
    _days(tmp_path, 5)
    assert len(_files(tmp_path, "points")) == 5
    others = len(_files(tmp_path, "routes"))
    assert shorten_points(tmp_path, NOON + 4 * DAY, days=2, quota=1 << 30) == 2
    assert [file.parent.name for file in _files(tmp_path, "points")] == ["2026-11-25", "2026-11-26", "2026-11-27"]
    assert len(_files(tmp_path, "routes")) == others
    assert shorten_points(tmp_path, NOON + 4 * DAY, days=2, quota=1 << 30) == 0


def test_beyond_their_quota_the_oldest_go(tmp_path: Path) -> None:
    _days(tmp_path, 3)
    sizes = [file.stat().st_size for file in _files(tmp_path, "points")]
    assert shorten_points(tmp_path, NOON + 2 * DAY, days=7, quota=sum(sizes)) == 0
    assert shorten_points(tmp_path, NOON + 2 * DAY, days=7, quota=sizes[-1]) == 2
    assert shorten_points(tmp_path, NOON + 2 * DAY, days=7, quota=0) == 1
    assert _files(tmp_path, "points") == []


def test_which_rows_went_is_noted_whoever_took_them(tmp_path: Path) -> None:
    _days(tmp_path, 5)
    assert forgotten(Folder(tmp_path)) == ()
    shorten_points(tmp_path, NOON + 4 * DAY, days=3, quota=1 << 30)
    [one] = forgotten(Folder(tmp_path))
    assert (one.rows, one.last - one.first) == (2, 1)
    assert retain(tmp_path, NOON + 4 * DAY, days=2).deleted
    found = forgotten(Folder(tmp_path))
    assert sum(each.rows for each in found) == 4
    assert found[0] == one
    assert found[1].first >> ROW_BITS > one.last >> ROW_BITS


def test_a_note_that_cannot_be_read_says_nothing_and_a_long_one_is_summed_up(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "points-forgotten").write_text("{no json")
    assert forgotten(folder) == ()
    (tmp_path / "points-forgotten").write_text(str([[n, n, 1] for n in range(KEPT)]))
    _days(tmp_path / "other", 1)
    note(folder, [*_files(tmp_path / "other", "points"), tmp_path / "gone.parquet"])
    found = forgotten(folder)
    assert len(found) == KEPT
    assert found[0] == Forgotten(0, 1, 2)
    assert sum(each.rows for each in found) == KEPT + 2


def test_a_folder_without_points_stays_one_that_an_older_catchment_reads(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write_tables(journal, NOON, *routes(route(0)))
    assert (tmp_path / "version").read_text() == "1\n"
    write(journal, NOON, (1,))
    assert (tmp_path / "version").read_text() == "2\n"
    journal.close()
    Journal(tmp_path).close()
    assert (tmp_path / "version").read_text() == "2\n"
