"""Sealing changes where rows are, not what is answered; and a crash in the middle of it loses nothing."""

import os
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import store.seal
from anycast.change import Presence
from anycast.columns import Phase, SessionEvent
from anycast.prefix import Prefix, parse_prefix
from store.folder import CLOSED, GROWING, sync_folder
from store.journal import Journal
from store.places import Match
from store.reader import Reader
from store.seal import seal
from store.sealed import write as write_parquet
from tests.store.made import NOON, WEB, at, attributes, batch, event, route, write

DAY = timedelta(days=1)


def _day(folder: Path) -> None:
    """A session that comes up, dumps twice, and lives on; all of it in closed segments."""
    journal = Journal(folder)
    up = [event(0, SessionEvent.FEED_OPENED), event(0.1, SessionEvent.PEER_UP)]
    dump = [route(0.2 + n, f"10.{n}.0.0/16", n + 1, phase=Phase.DUMP) for n in range(3)]
    again = [route(20 + n, f"10.{n}.0.0/16", n + 1, phase=Phase.DUMP) for n in range(3)]
    live = [route(30, "10.0.0.0/16", 0), route(31, "10.0.0.0/16", 1), route(32, "10.1.0.0/16", 3)]
    tables = ("attributes", attributes(1, 2, 3)), ("sessions", batch("sessions", *up))
    write(journal, NOON, *tables, ("routes", batch("routes", *dump, *again, *live)))
    journal.close()


MOMENTS = (-1, 0.15, 0.3, 3, 7, 19, 21, 30.5, 31, 40)


def _answers(folder: Path, moments: Sequence[float] = MOMENTS) -> list[object]:
    reader, prefixes = Reader(folder), [WEB.supernet(new_prefix=8)]
    found: list[object] = [reader.sessions(NOON, at(100)), reader.routes(prefixes[0], NOON, at(100), Match.INSIDE)]
    for second in moments:
        found += [reader.fill(prefixes, at(second))]
        found += [reader.state(prefix, at(second)) for prefix in _sixteens()]
    return found


def _sixteens() -> list[Prefix]:
    return [parse_prefix(f"10.{n}.0.0/16") for n in (0, 1, 2, 250)]


def test_answers_are_the_same_before_and_after_sealing(tmp_path: Path) -> None:
    _day(tmp_path)
    before = _answers(tmp_path)
    done = seal(tmp_path, at(7200))
    assert (done.segments, done.rows, done.repeats) == (3, 14, 3)
    assert not list(tmp_path.glob(f"growing/*/*{CLOSED}"))
    assert _answers(tmp_path) == before


def test_sealing_again_finds_nothing_to_do(tmp_path: Path) -> None:
    _day(tmp_path)
    seal(tmp_path, at(7200))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    assert seal(tmp_path, at(7200)).segments == 0
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == before


def test_a_dump_row_that_repeats_is_dropped_and_one_behind_a_break_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    rows = [route(second, phase=Phase.DUMP) for second in (1, 2, 5, 6)]
    lost = [event(0, SessionEvent.PEER_UP), event(3, SessionEvent.FEED_LOST), event(4, SessionEvent.PEER_UP)]
    write(journal, NOON, ("sessions", batch("sessions", *lost)), ("routes", batch("routes", *rows)))
    journal.close()
    before = Reader(tmp_path).routes(WEB, NOON, at(60)).rows
    assert seal(tmp_path, at(7200)).repeats == 2
    assert Reader(tmp_path).routes(WEB, NOON, at(60)).rows == before
    assert [row.at for row in before] == [at(1), at(5)]


def test_a_dump_row_that_repeats_what_another_segment_or_day_said_is_dropped_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_size=1)
    up = ("sessions", batch("sessions", event(0, SessionEvent.PEER_UP)))
    write(journal, NOON, up, ("routes", batch("routes", route(1, phase=Phase.DUMP))))
    write(journal, NOON, ("routes", batch("routes", route(60, phase=Phase.DUMP), route(61, "10.0.0.0/8"))))
    write(journal, NOON + DAY, ("routes", batch("routes", route(86400, phase=Phase.DUMP))))
    journal.close()
    before = Reader(tmp_path).routes(WEB, NOON, at(10**6)).rows
    assert seal(tmp_path, NOON + DAY + timedelta(hours=2)).repeats == 2
    assert [row.at for row in before] == [at(1)]
    assert Reader(tmp_path).routes(WEB, NOON, at(10**6)).rows == before


def test_a_live_row_that_repeats_is_an_event_and_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("routes", batch("routes", route(1), route(2), route(3, attributes=0), route(4))))
    journal.close()
    assert seal(tmp_path, at(7200)).repeats == 0
    assert len(Reader(tmp_path).routes(WEB, NOON, at(60)).rows) == 4


def test_growing_segments_are_left_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("routes", batch("routes", route(1))))
    assert seal(tmp_path, at(7200)).segments == 0
    assert len(journal.folder.segments(GROWING)) == 1
    journal.close()


def test_routes_are_sorted_by_prefix_and_time(tmp_path: Path) -> None:
    _day(tmp_path)
    seal(tmp_path, at(7200))
    [path] = tmp_path.glob("sealed/2026-11-23/routes-*.parquet")
    rows = pq.read_table(path).to_pylist()
    order = [(row["family"], row["prefix_high"], row["prefix_low"], row["length"], row["row"]) for row in rows]
    assert order == sorted(order)
    assert str(pq.read_schema(path).field("at").type) == "timestamp[ns, tz=UTC]"


class _Killed(Exception):
    """Stands for the power going out."""


@pytest.mark.parametrize("step", range(6))
def test_a_crash_at_any_step_of_sealing_is_made_good_by_sealing_again(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _day(tmp_path)
    before = _answers(tmp_path, [21])
    left = [step]

    def dying(work: Callable[..., None]) -> Callable[..., None]:
        def go(*arguments: object) -> None:
            if left[0] == 0:
                raise _Killed
            left[0] -= 1
            work(*arguments)

        return go

    monkeypatch.setattr(store.seal, "write", dying(write_parquet))
    monkeypatch.setattr(store.seal, "sync_folder", dying(sync_folder))
    with pytest.raises(_Killed):
        seal(tmp_path, at(7200))
    assert _answers(tmp_path, [21]) == before
    monkeypatch.undo()
    seal(tmp_path, at(7200))
    assert _answers(tmp_path, [21]) == before


def test_damage_in_a_closed_segment_is_found_by_sealing_and_set_aside(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for second in range(3):
        write(journal, NOON, ("routes", batch("routes", route(second))))
    journal.close()
    [segment] = tmp_path.glob(f"growing/*/routes-*{CLOSED}")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    done = seal(tmp_path, at(7200))
    assert len(done.recovered) == 1
    assert done.rows == 2
    assert (tmp_path / "aside" / done.recovered[0].kept_in).exists()


def test_attributes_first_seen_yesterday_are_borrowed_so_that_today_stands_alone(tmp_path: Path) -> None:
    _day(tmp_path)
    journal = Journal(tmp_path)
    write(journal, NOON + DAY, ("routes", batch("routes", route(86400, WEB, 2))))
    journal.close()
    seal(tmp_path, NOON + DAY + timedelta(hours=2))
    before = Reader(tmp_path).routes(WEB, NOON + DAY, NOON + 2 * DAY).rows
    shutil.rmtree(tmp_path / "sealed" / "2026-11-23")
    after = Reader(tmp_path).routes(WEB, NOON + DAY, NOON + 2 * DAY).rows
    assert after == before
    assert [row.attributes and row.attributes.octets for row in after] == [b"set 2"]
    assert str(after[0].source) == "gobgp/10.0.0.1/adj-in-pre"


def test_a_day_opens_only_when_all_before_it_is_sealed_and_only_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    write(journal, NOON, ("routes", batch("routes", route(1))))
    assert seal(tmp_path, NOON + DAY).opened is None
    journal.rotate(NOON + DAY)
    assert seal(tmp_path, NOON + DAY).opened == (NOON + DAY).date()
    assert seal(tmp_path, NOON + DAY).opened is None
    journal.close()


def test_what_is_held_is_carried_over_days_without_a_row(tmp_path: Path) -> None:
    _day(tmp_path)
    for days in range(1, 5):
        seal(tmp_path, NOON + days * DAY)
    for day in ("2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"):
        shutil.rmtree(tmp_path / "sealed" / day)
    held = Reader(tmp_path).fill([WEB.supernet(new_prefix=8)], NOON + 4 * DAY).rows
    assert [(str(item.prefix), item.attributes and item.attributes.octets) for item in held] == [
        ("10.0.0.0/16", b"set 1"),
        ("10.1.0.0/16", b"set 3"),
        ("10.2.0.0/16", b"set 3"),
    ]
    assert os.listdir(tmp_path / "sealed") == ["2026-11-27"]


def test_a_table_that_loads_across_midnight_is_not_complete_before_it_is(tmp_path: Path) -> None:
    midnight = 12 * 3600
    events = [event(0, SessionEvent.PEER_UP), event(60, SessionEvent.FEED_LOST)]
    events.append(event(midnight - 20.5, SessionEvent.PEER_UP))
    dump = [route(midnight - 20 + 4 * n, f"10.{n}.0.0/16", phase=Phase.DUMP) for n in range(5)]
    journal = Journal(tmp_path)
    write(journal, NOON, ("sessions", batch("sessions", *events)), ("routes", batch("routes", route(1), *dump)))
    journal.close()
    reader, found = Reader(tmp_path), []
    for day_before_is_there in (True, False):
        found.append(
            [item.presence for second in (0, 0.9, 1.1) for item in reader.state(WEB, at(midnight + second)).rows]
        )
        if day_before_is_there:
            assert seal(tmp_path, at(midnight)).opened
            shutil.rmtree(tmp_path / "sealed" / "2026-11-23")
    assert found == [[Presence.UNKNOWN, Presence.UNKNOWN, Presence.ABSENT]] * 2
