"""What happened to a prefix between two times."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from anycast.change import Cause, ChangeKind
from anycast.columns import Phase, SessionEvent
from anycast.prefix import parse_prefix
from store.journal import Journal
from store.places import Match
from store.reader import Reader
from tests.store.made import NOON, WEB, at, attributes, batch, event, route, write

UP, DOWN = SessionEvent.PEER_UP, SessionEvent.PEER_DOWN
OPENED, LOST = SessionEvent.FEED_OPENED, SessionEvent.FEED_LOST
DUMP = Phase.DUMP
Rows = Sequence[tuple[object, ...]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path


def _history(folder: Path, events: Rows, rows: Rows, start: float = 0, end: float = 1000) -> list[tuple[object, ...]]:
    """(second, kind, cause, attributes before and after, second the gap began) of what happened."""
    journal = Journal(folder)
    tables = ("attributes", attributes(1, 2)), ("sessions", batch("sessions", *events))
    write(journal, NOON, *tables, ("routes", batch("routes", *rows)))
    journal.close()
    return [
        (
            (turn.at - NOON).total_seconds(),
            turn.kind,
            turn.cause,
            turn.before and turn.before.id,
            turn.after and turn.after.id,
            turn.not_before and (turn.not_before - NOON).total_seconds(),
        )
        for turn in Reader(folder).history(WEB, at(start), at(end)).rows
    ]


def test_announced_replaced_withdrawn_and_announced_again_are_four(folder: Path) -> None:
    rows = [route(1), route(2, attributes=2), route(3, attributes=0), route(4, attributes=2)]
    assert _history(folder, [event(0, UP)], rows) == [
        (1, ChangeKind.ANNOUNCED, Cause.UPDATE, None, 1, None),
        (2, ChangeKind.REPLACED, Cause.UPDATE, 1, 2, None),
        (3, ChangeKind.WITHDRAWN, Cause.UPDATE, 2, None, None),
        (4, ChangeKind.ANNOUNCED, Cause.UPDATE, None, 2, None),
    ]


def test_a_duplicate_and_a_second_withdrawal_are_nothing(folder: Path) -> None:
    rows = [route(1), route(2), route(3, attributes=0), route(4, attributes=0)]
    assert [turn[0] for turn in _history(folder, [event(0, UP)], rows)] == [1, 3]


def test_a_peer_down_takes_its_routes_with_it(folder: Path) -> None:
    assert _history(folder, [event(0, UP), event(9, DOWN)], [route(1)], start=5) == [
        (9, ChangeKind.WITHDRAWN, Cause.PEER_DOWN, 1, None, None)
    ]


@pytest.mark.parametrize("reason", ["deconfigured", "loc-rib-closed"])
def test_a_peer_that_is_no_longer_monitored_takes_no_route_with_it(folder: Path, reason: str) -> None:
    events = [event(0, UP), event(9, DOWN, detail=f'{{"reason": "{reason}"}}')]
    assert _history(folder, events, [route(1)], start=5) == []


def test_a_full_redump_after_a_cut_feed_is_nothing(folder: Path) -> None:
    events = [event(0, OPENED), event(0, UP), event(20, LOST), event(30, OPENED), event(30, UP)]
    assert len(_history(folder, events, [route(1, phase=DUMP), route(31, phase=DUMP)])) == 1


def test_what_was_withdrawn_during_a_gap_is_told_with_both_its_ends(folder: Path) -> None:
    events = [event(0, OPENED), event(0, UP), event(20, LOST), event(30, OPENED), event(30, UP)]
    rows = [route(1, phase=DUMP), route(31, "10.0.0.0/8", phase=DUMP)]
    assert _history(folder, events, rows, start=5) == [
        (36, ChangeKind.WITHDRAWN, Cause.RESYNC, 1, None, 20),
    ]


def test_what_came_or_changed_during_a_gap_is_told_with_both_its_ends(folder: Path) -> None:
    events = [event(0, OPENED), event(0, UP), event(20, LOST), event(30, OPENED), event(30, UP)]
    rows = [route(1), route(31, attributes=2, phase=DUMP), route(31, path_id=5, phase=DUMP)]
    assert _history(folder, events, rows, start=5) == [
        (31, ChangeKind.REPLACED, Cause.RESYNC, 1, 2, 20),
        (31, ChangeKind.ANNOUNCED, Cause.RESYNC, None, 1, 20),
    ]


def test_more_specific_routes_are_asked_for_by_their_own_word(folder: Path) -> None:
    _history(folder, [event(0, UP)], [route(1)])
    wide = parse_prefix("10.0.0.0/8")
    assert Reader(folder).history(wide, NOON, at(9)).rows == ()
    assert len(Reader(folder).history(wide, NOON, at(9), Match.INSIDE).rows) == 1


def test_a_history_that_is_cut_short_says_so(folder: Path) -> None:
    _history(folder, [event(0, UP)], [route(n, attributes=1 + n % 2) for n in range(1, 20)])
    page = Reader(folder).history(WEB, NOON, at(99), limit=5)
    assert (len(page.rows), page.more) == (5, True)
