"""Old days go, whole; what stays can answer for itself."""

import os
from datetime import date, timedelta
from pathlib import Path

from store.journal import Journal
from store.reader import Reader
from store.retention import retain, size
from store.seal import seal
from tests.store.made import NOON, WEB, at, attributes, batch, route, write

DAY = timedelta(days=1)


def _days(folder: Path, count: int, *, sealed: bool = True) -> None:
    """A journal with one row of one prefix each day."""
    journal = Journal(folder)
    for day in range(count):
        now = NOON + day * DAY
        journal.rotate(now)
        if sealed:
            seal(folder, now)
        write(journal, now, ("attributes", attributes(1)), ("routes", batch("routes", route(86400 * day))))
    journal.close()
    if sealed:
        seal(folder, NOON + (count - 1) * DAY + timedelta(hours=2))


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "sealed").iterdir())


def test_days_older_than_wanted_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    _days(tmp_path, 6)
    kept = retain(tmp_path, NOON + 5 * DAY, days=3)
    assert kept.deleted == (date(2026, 11, 23), date(2026, 11, 24))
    assert _left(tmp_path) == ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"]
    assert retain(tmp_path, NOON + 5 * DAY, days=3).deleted == ()


def test_what_was_announced_on_a_deleted_day_is_still_held(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("attributes", attributes(1)), ("routes", batch("routes", route(0))))
    journal.close()
    for day in range(1, 5):
        seal(tmp_path, NOON + day * DAY)
    assert len(retain(tmp_path, NOON + 4 * DAY, days=1).deleted) == 3
    [held] = Reader(tmp_path).fill([WEB], NOON + 4 * DAY).rows
    assert (held.since, held.attributes and held.attributes.octets) == (at(0), b"set 1")


def test_the_quota_takes_the_oldest_first_and_never_today_or_yesterday(tmp_path: Path) -> None:
    _days(tmp_path, 6)
    one = size(tmp_path / "sealed" / "2026-11-23")
    first = retain(tmp_path, NOON + 5 * DAY, days=30, quota=size(tmp_path) - one // 2)
    assert (first.deleted, first.over) == ((date(2026, 11, 23),), False)
    rest = retain(tmp_path, NOON + 5 * DAY, days=30, quota=1)
    assert _left(tmp_path) == ["2026-11-27", "2026-11-28"]
    assert rest.over
    assert rest.octets == size(tmp_path)


def test_a_day_that_no_later_day_has_opened_behind_is_kept(tmp_path: Path) -> None:
    _days(tmp_path, 6, sealed=False)
    assert retain(tmp_path, NOON + 30 * DAY, days=1, quota=1).deleted == ()
    assert len(Reader(tmp_path).routes(WEB, NOON, NOON + 10 * DAY).rows) == 6


def test_what_was_set_aside_goes_with_its_days(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    old, new = tmp_path / "aside" / "old.bin", tmp_path / "aside" / "new.bin"
    for file, age in ((old, 9), (new, 1)):
        file.write_bytes(b"torn")
        os.utime(file, ((NOON - age * DAY).timestamp(),) * 2)
    retain(tmp_path, NOON, days=7)
    assert (old.exists(), new.exists()) == (False, True)
