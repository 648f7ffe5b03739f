"""Lines that were refused are kept, for their owner alone, within bounds."""

import stat
from datetime import UTC, datetime
from pathlib import Path

from anycast.sink import Quarantined
from store.influx.quarantine import LONGEST, Quarantine

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_newest_come_first_and_the_file_is_private(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path / "influx" / "main")
    kept.put([Quarantined(NOW, number, f'own text="ä\\n" {number}', "400: no") for number in range(3)])
    assert [each.row for each in kept.last(2)] == [2, 1]
    assert kept.last(1) == [Quarantined(NOW, 2, 'own text="ä\\n" 2', "400: no")]
    assert stat.S_IMODE((tmp_path / "influx" / "main").stat().st_mode) == 0o600


def test_two_files_are_kept_and_the_older_goes(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path / "main", octets=2000)
    for number in range(200):
        kept.put([Quarantined(NOW, number, "own value=1i 1", "no")])
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 4500
    rows = [each.row for each in kept.last(1000)]
    assert rows == list(range(199, 199 - len(rows), -1))
    assert 10 < len(rows) < 50


def test_a_torn_line_and_a_long_one_do_no_harm(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path / "main")
    kept.put([Quarantined(NOW, 1, "x" * 100_000, "no")])
    with (tmp_path / "main").open("a") as file:
        file.write('{"at": "2026-11-23T12:')
    assert [len(each.line) for each in kept.last(9)] == [LONGEST]
    assert Quarantine(tmp_path / "none").last(9) == []
