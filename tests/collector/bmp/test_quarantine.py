"""Routes of sessions that no Peer Up named, with compiled code and without it."""

from collections.abc import Iterator

from anycast.observation import (
    Announced,
    FeedOpened,
    PeerType,
    Rib,
    Session,
    SessionDown,
    SessionUp,
    Source,
    TableComplete,
    Withdrawn,
)
from collector.bmp.quarantine import HELD
from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import AT, Outcome, make, run
from tests.collector.bmp.test_quirks import HELLO, IDS, LOC_RIB, NVA, ROUTE, SECOND, UP, WEB, routes, seen_by
from tests.collector.kernel.test_decode import both

NOBODY = s.header("0.0.0.0", asn=0)


def spaced(*messages: bytes, seconds: float) -> Iterator[Outcome]:
    """Send messages some time apart, through compiled code and without it."""
    for plain in (False, True):
        outcome = make(plain=plain)
        for number, message in enumerate(messages):
            outcome.feed.feed(message, AT + int(number * seconds * SECOND))
            outcome.take()
        yield outcome


def test_routes_of_a_session_that_never_came_up_are_kept_and_not_judged() -> None:
    """IOS XR 24.4.1 sends such of two VPN peers."""
    other = s.header("192.0.2.2")
    stream = UP + s.announce(WEB, head=other) * 2 + s.withdraw(WEB, head=other) + s.end_of_rib(other) + ROUTE
    outcome = both(stream)
    assert [seen.source.session for seen in routes(outcome)] == [NVA.session]
    assert len(outcome.table("routes")) == 4
    counted = outcome.feed.counted()
    assert (counted.orphans, counted.orphan_messages, counted.quarantined, counted.malformed) == (1, 4, 4, 0)
    assert {str(session.peer) for session in seen_by(outcome.observations).peerings} == {s.PEER}


def test_gobgp_sends_its_own_routes_under_a_peer_that_cannot_be() -> None:
    outcome = both(UP + s.announce(WEB, head=NOBODY))
    assert routes(outcome) == []
    assert outcome.feed.counted().quarantined == 1


def test_what_a_stream_that_begins_in_the_middle_says_is_judged() -> None:
    """Its Peer Ups were sent before."""
    outcome = both(ROUTE + HELLO + s.announce(WEB, head=s.header("192.0.2.2")))
    assert len(routes(outcome)) == 2
    assert outcome.feed.counted().quarantined == 0


def test_a_peer_up_that_comes_a_moment_too_late_takes_its_routes_along() -> None:
    for outcome in spaced(HELLO, ROUTE + s.end_of_rib(), s.peer_up(), s.withdraw(WEB), seconds=2):
        kinds = [type(seen) for seen in outcome.observations]
        assert kinds == [FeedOpened, SessionUp, Announced, TableComplete, Withdrawn]
        up, announced = outcome.observations[1:3]
        assert up.at == announced.at


def test_a_peer_up_takes_nothing_along_that_is_older_than_itself() -> None:
    for outcome in spaced(HELLO, ROUTE, s.peer_up(), seconds=6):
        assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp]


def test_a_late_peer_up_with_path_ids_says_that_what_came_before_was_misread() -> None:
    assert routes(both(HELLO + ROUTE + IDS[len(HELLO) :])) == []


def test_what_is_held_for_late_peer_ups_is_bounded() -> None:
    stream = HELLO + b"".join(s.table(HELD + 100)) + s.peer_up()
    outcome = run(stream)
    assert len(routes(outcome)) == HELD
    assert outcome.feed.counted().quarantined == HELD + 100


def test_a_loc_rib_without_any_peer_up_is_heard() -> None:
    """GoBGP before 4.2."""
    outcome = both(HELLO + s.announce(WEB, head=LOC_RIB))
    [route] = routes(outcome)
    assert route.source == Source(Session("edge1", None, PeerType.LOC_RIB), Rib.LOC)
    assert (outcome.feed.counted().orphans, outcome.feed.counted().quarantined) == (1, 0)


def test_frr_names_its_loc_rib_as_peer_0_0_0_0_of_as_0() -> None:
    """FRR 8.0.1 to 10.1; its own routes stand under that peer, too, and in the Loc-RIB besides."""
    fake = s.open_message(0, "0.0.0.0", hold=180, families=())
    named = s.peer_up(NOBODY, fake, fake)
    own = s.announce("10.9.0.1/32", head=s.header("0.0.0.0", asn=0, flags=0x40))
    outcome = both(HELLO + named * 2 + s.announce(WEB, head=LOC_RIB) + own + s.peer_down(NOBODY, 5))
    up, route, down = outcome.observations[1:]
    assert isinstance(up, SessionUp)
    assert isinstance(down, SessionDown)
    loc = Session("edge1", None, PeerType.LOC_RIB)
    assert up.session == down.session == loc
    assert (up.local, up.remote) == (None, None)
    assert isinstance(route, Announced)
    assert route.source == Source(loc, Rib.LOC)
    counted = outcome.feed.counted()
    assert (counted.orphans, counted.quarantined, counted.duplicate_ups) == (1, 1, 1)
