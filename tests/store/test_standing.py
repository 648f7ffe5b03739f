"""What session events make of sight."""

import pytest

from anycast.change import Presence
from anycast.columns import SessionEvent
from anycast.observation import Session
from store.schema import ROW_BITS
from store.standing import QUIET, Event, Order, Sight, Standing, complete, presence, standings

UP, DOWN = SessionEvent.PEER_UP, SessionEvent.PEER_DOWN
OPENED, LOST = SessionEvent.FEED_OPENED, SessionEvent.FEED_LOST
S = 1_000_000_000


def _events(*whats: tuple[SessionEvent, int] | SessionEvent, detail: str = "{}") -> list[Event]:
    """Events a second apart, each in a submission of its own; (what, session id) or, for a feed, what alone."""
    found = []
    for index, what in enumerate(whats, 1):
        kind, number = what if isinstance(what, tuple) else (what, 0)
        peer = "10.0.0.1" if number else ""
        found.append(Event(index << ROW_BITS, index * S, number, kind, "r", peer, 0, 0, 0, detail))
    return found


def _standing(events: list[Event]) -> Standing:
    [standing] = standings(events).by_session.values()
    return standing


def test_a_second_peer_up_begins_no_new_epoch() -> None:
    once, twice = _standing(_events(OPENED, (UP, 1))), _standing(_events(OPENED, (UP, 1), (UP, 1)))
    assert once.since == twice.since == Order(2, 2 * S)


def test_a_peer_up_after_a_down_begins_a_new_epoch() -> None:
    assert _standing(_events((UP, 1), (DOWN, 1), (UP, 1))).since == Order(3, 3 * S)


@pytest.mark.parametrize("feed", [OPENED, LOST])
def test_a_feed_that_is_lost_or_opened_anew_blinds_its_sessions(feed: SessionEvent) -> None:
    standing = _standing(_events(OPENED, (UP, 1), feed))
    assert (standing.sight, standing.since) == (Sight.BLIND, Order(3, 3 * S))


@pytest.mark.parametrize("reason", ["deconfigured", "loc-rib-closed"])
def test_a_peer_that_is_no_longer_monitored_is_unknown_and_not_down(reason: str) -> None:
    assert _standing(_events((UP, 1), (DOWN, 1))).sight is Sight.DOWN
    gone = _events((UP, 1), (DOWN, 1), detail=f'{{"reason": "{reason}"}}')
    assert _standing(gone).sight is Sight.BLIND


def test_detail_that_is_no_json_is_kept_as_text() -> None:
    assert _events(OPENED, detail="Cease")[0].detail == {"text": "Cease"}


def test_one_session_may_go_by_several_ids() -> None:
    state = standings(_events((UP, 1), (DOWN, 1), (UP, 7)))
    assert state.name(1) == state.name(7)
    assert _standing(_events((UP, 1), (DOWN, 1), (UP, 7))).session == 7


def test_an_id_that_no_event_named_goes_by_its_number() -> None:
    assert standings([]).name(9) == Session("session 9", None)


@pytest.mark.parametrize(
    ("bursts", "at", "done"),
    [
        ([], 4 * S, False),
        ([], 5 * S, True),
        ([(1 * S, 3 * S)], 7 * S, False),
        ([(1 * S, 3 * S)], 8 * S, True),
        ([(1 * S, 9 * S)], 8 * S, False),
        ([(1 * S, 3 * S), (7 * S, 9 * S)], 10 * S, False),
        ([(1 * S, 3 * S), (8 * S, 9 * S)], 10 * S, True),
        ([(20 * S, 21 * S)], 6 * S, True),
        ([(-9 * S, -1 * S)], 5 * S, True),
    ],
)
def test_a_table_is_complete_after_the_first_quiet_five_seconds(
    bursts: list[tuple[int, int]], at: int, done: bool
) -> None:
    assert complete(0, bursts, at, QUIET) is done


def test_a_row_behind_a_break_speaks_for_itself_and_one_at_its_time_only_after_a_peer_up() -> None:
    up, down = _standing(_events((UP, 1))), _standing(_events((DOWN, 1)))
    at_once, later = Order(1, S), Order(1, S + 1)
    assert presence(up, False, at_once, True) is Presence.PRESENT
    assert presence(down, False, at_once, True) is Presence.ABSENT
    assert presence(down, False, later, True) is Presence.PRESENT
    assert presence(None, False, at_once, False) is Presence.ABSENT
