"""One feed, message by message: what real routers do, and what is heard of it."""

import json
from datetime import timedelta

import pytest

from anycast.columns import Phase, SessionEvent
from anycast.observation import (
    Announced,
    DownReason,
    FeedLost,
    FeedOpened,
    LostReason,
    MalformedSeen,
    PeerType,
    Rib,
    Session,
    SessionDown,
    SessionUp,
    Source,
    StatsReported,
    TableComplete,
    Withdrawn,
)
from anycast.prefix import Family, parse_prefix
from collector.bmp.messages import KEPT_A_MINUTE
from collector.bmp.watch import Watch
from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import AT, everything, make, run

UP = s.initiation() + s.peer_up()
SECOND = 10**9


def kinds(stream: bytes) -> list[type]:
    return [type(seen) for seen in run(stream).observations]


def test_a_feed_opens_with_the_routers_own_name() -> None:
    [opened] = run(s.initiation("ams-ce1", "FRR 8.4")).observations
    assert isinstance(opened, FeedOpened)
    assert (opened.router, opened.name, opened.description) == ("edge1", "ams-ce1", "FRR 8.4")


def test_a_repeated_initiation_is_no_event() -> None:
    assert kinds(s.initiation() * 3) == [FeedOpened]


def test_a_router_that_calls_itself_something_else_is_told() -> None:
    names = [seen.name for seen in run(s.initiation("a") + s.initiation("b")).observations]  # type: ignore[union-attr]
    assert names == ["a", "b"]


def test_a_peer_up_carries_both_opens() -> None:
    up = run(UP).observations[1]
    assert isinstance(up, SessionUp)
    assert up.session == Session("edge1", parse_prefix("192.0.2.1").network_address)
    assert up.local is not None
    assert up.remote is not None
    assert (up.local.asn, up.remote.asn, up.remote.hold_time) == (65000, 65001, 90)


def test_a_duplicate_peer_up_is_no_event() -> None:
    outcome = run(UP + s.announce("10.0.0.0/24") + s.peer_up() + s.withdraw("10.0.0.0/24"))
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp, Announced, Withdrawn]
    assert outcome.feed.counted().duplicate_ups == 1


def test_peer_ups_of_other_views_are_the_same_session() -> None:
    both = s.peer_up(s.header(flags=0x00)) + s.peer_up(s.header(flags=0x40))
    assert kinds(s.initiation() + both) == [FeedOpened, SessionUp]


def test_peer_ups_one_a_family_add_up() -> None:
    """Huawei sends a Loc-RIB Peer Up for each family, with only that family's capabilities."""
    loc = s.header(None, kind=3)
    four, six = (s.open_message(families=(afi,), add_path=3) for afi in (1, 2))
    stream = s.initiation() + s.peer_up(loc, four, four) + s.peer_up(loc, six, six)
    stream += s.monitoring(s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24", path_id=7)), loc)
    six_route = s.reach("2001:db8::/48", path_id=9)
    stream += s.monitoring(s.update(attrs=s.attributes(65001, next_hop=None, extra=six_route)), loc)
    outcome = run(stream)
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp, Announced, Announced]
    assert [seen.path_id for seen in outcome.observations if isinstance(seen, Announced)] == [7, 9]


@pytest.mark.parametrize("changed", [{"hold": 30}, {"identifier": "192.0.2.77"}, {"asn": 65009}])
def test_a_peer_up_with_another_open_is_a_restart_that_nobody_saw(changed: dict[str, int]) -> None:
    outcome = run(UP + s.peer_up(received=s.open_message(**changed)))  # type: ignore[arg-type]
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp, SessionDown, SessionUp]
    down = outcome.observations[2]
    assert isinstance(down, SessionDown)
    assert down.reason is DownReason.OTHER


def test_peer_down_and_up_again_are_events() -> None:
    outcome = run(UP + s.peer_down(reason=2, data=b"\0\x12") + s.peer_up())
    assert [type(seen) for seen in outcome.observations[1:]] == [SessionUp, SessionDown, SessionUp]
    down = outcome.observations[2]
    assert isinstance(down, SessionDown)
    assert (down.reason, down.detail) == (DownReason.LOCAL_FSM, "FSM event 18")


def test_a_peer_down_without_an_up_is_said_once() -> None:
    outcome = run(s.initiation() + s.peer_down() + s.peer_down())
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionDown]
    assert outcome.feed.counted().stray_downs == 2


def test_what_follows_a_peer_down_is_passed_on_and_revives_nothing() -> None:
    outcome = run(UP + s.announce("10.0.0.0/24") + s.peer_down() + s.withdraw("10.0.0.0/24"))
    assert [type(seen) for seen in outcome.observations[2:]] == [Announced, SessionDown, Withdrawn]
    assert outcome.feed.counted().orphans == 0


def test_a_stream_that_begins_in_the_middle_is_taken() -> None:
    outcome = run(s.announce("10.0.0.0/24") + s.announce("10.0.1.0/24"))
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp, Announced, Announced]
    up = outcome.observations[1]
    assert isinstance(up, SessionUp)
    assert (up.local, up.remote) == (None, None)
    counted = outcome.feed.counted()
    assert (counted.orphans, counted.orphan_messages) == (1, 2)


def test_the_peer_up_of_an_orphan_is_told() -> None:
    outcome = run(s.announce("10.0.0.0/24") + s.peer_up())
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp, Announced, SessionUp]
    assert outcome.feed.counted().orphan_messages == 1


@pytest.mark.parametrize(
    ("flags", "rib"),
    [
        (0x00, Rib.ADJ_IN_PRE),
        (0x40, Rib.ADJ_IN_POST),
        (0x10, Rib.ADJ_OUT_PRE),
        (0x50, Rib.ADJ_OUT_POST),
    ],
)
def test_flags_choose_the_view_under_one_peer_up(flags: int, rib: Rib) -> None:
    outcome = run(UP + s.announce("10.0.0.0/24", head=s.header(flags=flags)))
    route = outcome.observations[-1]
    assert isinstance(route, Announced)
    assert route.source == Source(Session("edge1", parse_prefix("192.0.2.1").network_address), rib)
    assert outcome.feed.counted().orphans == 0


def test_the_v_flag_of_a_loc_rib_means_filtered_not_ipv6() -> None:
    route = run(s.announce("10.0.0.0/24", head=s.header(None, kind=3, flags=0x80))).observations[-1]
    assert isinstance(route, Announced)
    assert route.source == Source(Session("edge1", None, PeerType.LOC_RIB), Rib.LOC)


def test_path_ids_follow_both_opens_and_their_directions() -> None:
    def heard(sent: int, received: int, flags: int) -> list[tuple[str, int]]:
        up = s.peer_up(sent=s.open_message(65000, add_path=sent), received=s.open_message(add_path=received))
        pdu = s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24", path_id=5))
        seen = run(s.initiation() + up + s.monitoring(pdu, s.header(flags=flags))).observations
        return [(str(route.prefix), route.path_id) for route in seen if isinstance(route, Announced)]

    receive, send, right = 1, 2, [("10.0.0.0/24", 5)]
    refused: list[tuple[str, int]] = []  # it parses, as three default routes and more: refused, and never guessed
    assert heard(receive, send, 0x00) == right  # the router receives what the peer sends: Adj-RIB-In
    assert heard(send, receive, 0x00) == refused  # the other way round
    assert heard(send, receive, 0x10) == right  # but right for Adj-RIB-Out
    assert heard(receive, 0, 0x00) == refused  # one side alone agrees on nothing


def test_two_octet_paths_follow_the_a_flag_of_each_message() -> None:
    narrow = s.update(attrs=s.attributes(65001, 64999, width=2), announced=s.nlri("10.0.0.0/24"))
    stream = UP + s.monitoring(narrow, s.header(flags=0x20)) + s.announce("10.0.1.0/24") + s.monitoring(narrow)
    outcome = run(stream)
    paths = [str(seen.attributes.as_path) for seen in outcome.observations if isinstance(seen, Announced)]
    assert paths == ["65001 64999"] * 3
    assert outcome.feed.counted().tolerated == 1  # the last one, whose A flag is clear


@pytest.mark.parametrize(
    ("pdu", "family"),
    [
        (s.update(), Family.IPV4),
        (s.update(attrs=s.unreach(afi=1)), Family.IPV4),
        (s.update(attrs=s.unreach()), Family.IPV6),
    ],
)
def test_every_spelling_of_end_of_rib_completes_the_table(pdu: bytes, family: Family) -> None:
    end = run(UP + s.monitoring(pdu)).observations[-1]
    assert isinstance(end, TableComplete)
    assert end.family is family


def test_statistics_are_told_and_kept() -> None:
    outcome = run(UP + s.statistics((7, 12), (0, 3)))
    stats = outcome.observations[-1]
    assert isinstance(stats, StatsReported)
    assert stats.counts == ((7, 0, 0, 12), (0, 0, 0, 3))
    assert json.loads(outcome.table("sessions")[-1]["detail"]) == {"counts": [[7, 0, 0, 12], [0, 0, 0, 3]]}


def test_mirrored_messages_are_counted_and_not_applied() -> None:
    inner = s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24"))
    mirror = s.message(6, s.header() + b"\0\0" + len(inner).to_bytes(2, "big") + inner)
    outcome = run(UP + mirror)
    assert [type(seen) for seen in outcome.observations] == [FeedOpened, SessionUp]
    assert outcome.feed.counted().mirrored == 1


def test_a_mirrored_errored_pdu_is_kept() -> None:
    mirror = s.message(6, s.header() + b"\0\1\0\2\0\0")
    seen = run(UP + mirror).observations[-1]
    assert isinstance(seen, MalformedSeen)
    assert seen.raw == mirror


def test_termination_ends_the_feed_and_what_follows_is_not_heard() -> None:
    outcome = run(UP + s.termination(1) + s.announce("10.0.0.0/24"))
    lost = outcome.observations[-1]
    assert isinstance(lost, FeedLost)
    assert lost.reason is LostReason.TERMINATED
    assert outcome.feed.counted().routes == 0
    assert outcome.feed.lose(LostReason.CLOSED, "", AT) is None  # said once


def test_a_malformed_update_is_treated_as_withdrawal_and_kept() -> None:
    bad = s.attribute(1, b"\x07") + s.path(65001) + s.attribute(3, bytes(4))  # an ORIGIN of 7
    frame = s.monitoring(s.update(attrs=bad, announced=s.nlri("10.0.0.0/24")))
    outcome = run(UP + s.announce("10.0.0.0/24") + frame + s.announce("10.0.1.0/24"))
    kinds = [type(seen) for seen in outcome.observations[2:]]
    assert kinds == [Announced, MalformedSeen, Withdrawn, Announced]
    [row] = outcome.table("malformed")
    assert (row["action"], row["raw"], row["peer"]) == ("treat-as-withdraw", frame, "192.0.2.1")


def test_an_unreadable_message_is_skipped_and_the_next_one_heard() -> None:
    odd = s.message(9, b"whatever")
    outcome = run(UP + odd + s.message(3, b"short") + s.announce("10.0.0.0/24"))
    kinds = [type(seen) for seen in outcome.observations[2:]]
    assert kinds == [MalformedSeen, MalformedSeen, Announced]
    assert outcome.feed.ended is None


def test_too_many_malformed_messages_are_counted_without_their_bytes() -> None:
    outcome = run(UP + s.message(9, b"x") * (KEPT_A_MINUTE + 20))
    assert len(outcome.table("malformed")) == KEPT_A_MINUTE
    assert outcome.feed.counted().malformed == KEPT_A_MINUTE + 20
    assert outcome.feed.counted().unkept == 20


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"\x04\0\0\0\x30\0", "BMP version 4 is a draft"),
        (b"\x03\0\0\0\x02\0", "6 to 1048576 octets long, not 2"),
        (b"\x03\xff\xff\xff\xff\0", "not 4294967295"),
        (b"GET / HTTP/1.1", "begins with version 3, not with 71"),
    ],
)
def test_broken_framing_ends_the_feed(broken: bytes, said: str) -> None:
    outcome = run(UP + broken + s.announce("10.0.0.0/24"))
    malformed, lost = outcome.observations[-2:]
    assert isinstance(malformed, MalformedSeen)
    assert isinstance(lost, FeedLost)
    assert said in malformed.reason
    assert f"octet {len(UP)} of the stream" in malformed.reason
    assert (malformed.action, lost.reason) == ("feed-closed", LostReason.MALFORMED)
    assert outcome.feed.counted().routes == 0


def test_a_truncated_tail_waits_for_its_octets() -> None:
    whole = UP + s.announce("10.0.0.0/24")
    outcome = run(whole[:-3])
    assert outcome.feed.waiting > 0
    outcome.feed.feed(whole[-3:], AT + 1)
    outcome.take()
    assert isinstance(outcome.observations[-1], Announced)
    assert outcome.feed.waiting == 0


def test_a_message_is_received_with_its_last_octet() -> None:
    whole = UP + s.announce("10.0.0.0/24")
    outcome = run([whole[:-1], whole[-1:]], step=SECOND)
    assert outcome.observations[-1].at - outcome.observations[1].at == timedelta(seconds=1)


def test_stamps_rise_with_every_row_and_event() -> None:
    stream = UP + s.announce("10.0.0.0/24", "10.0.1.0/24") + s.peer_down() + s.withdraw("10.0.0.0/24")
    outcome = run(stream)
    stamps = [row["at"] for name in ("routes", "sessions") for row in outcome.table(name)]
    assert len(set(stamps)) == len(stamps)
    rows = [(row["at"], "route") for row in outcome.table("routes")]
    rows += [(row["at"], SessionEvent(row["event"]).name) for row in outcome.table("sessions")]
    assert [what for _, what in sorted(rows)] == ["FEED_OPENED", "PEER_UP", "route", "route", "PEER_DOWN", "route"]


def test_a_clock_that_steps_back_keeps_the_order() -> None:
    outcome = make()
    for number, message in enumerate((UP, s.announce("10.0.0.0/24"), s.withdraw("10.0.0.0/24"))):
        outcome.feed.feed(message, AT - number * SECOND)
        outcome.take()
    announced, withdrawn = outcome.table("routes")
    assert announced["at"] < withdrawn["at"]


def test_a_router_that_stamps_nothing_has_no_router_time() -> None:
    stream = UP + s.announce("10.0.0.0/24") + s.announce("10.0.1.0/24", head=s.header(at=0))
    outcome = run(stream)
    times = [row["router_time"] for row in outcome.table("routes")]
    assert times == [s.STAMP * SECOND + 250_000_000 // 1000 * 1000, None]
    routes = [seen for seen in outcome.observations if isinstance(seen, Announced)]
    assert routes[0].router_time is not None
    assert routes[1].router_time is None


def phases(*steps: tuple[float, bytes]) -> list[Phase]:
    outcome = make()
    for after, message in steps:
        outcome.feed.feed(message, AT + int(after * SECOND))
        outcome.take()
    return [Phase(row["phase"]) for row in outcome.table("routes")]


def test_a_dump_lasts_until_the_session_is_quiet() -> None:
    route = s.announce("10.0.0.0/24")
    assert phases((0, UP), (1, route), (5, route), (10.5, route)) == [Phase.DUMP, Phase.DUMP, Phase.LIVE]


def test_an_end_of_rib_before_the_routes_ends_no_dump() -> None:
    """FRR sends it 0.19 s before them."""
    assert phases((0, UP + s.end_of_rib()), (0.2, s.announce("10.0.0.0/24"))) == [Phase.DUMP]


def test_a_session_that_comes_back_dumps_again() -> None:
    route = s.announce("10.0.0.0/24")
    assert phases((0, UP), (6, route), (7, s.peer_down() + s.peer_up()), (8, route)) == [Phase.LIVE, Phase.DUMP]


def test_each_view_has_its_own_dump() -> None:
    pre, post = s.announce("10.0.0.0/24"), s.announce("10.0.0.0/24", head=s.header(flags=0x40))
    assert phases((0, UP), (4, pre), (8, post + pre)) == [Phase.DUMP, Phase.LIVE, Phase.DUMP]


def test_a_session_that_is_never_quiet_is_live_in_the_end() -> None:
    steps = [(float(second), s.announce("10.0.0.0/24")) for second in range(4, 612, 4)]
    found = phases((0, UP), *steps)
    assert found[0] is Phase.DUMP
    assert found[-1] is Phase.LIVE


def test_only_watched_routes_become_values() -> None:
    watch = Watch([parse_prefix("10.250.0.10/32")])
    stream = UP + s.announce("10.250.0.10/32", "10.250.0.0/16", "10.250.0.11/32", "0.0.0.0/0", "11.0.0.0/8")
    outcome = run(stream, watch)
    prefixes = [str(seen.prefix) for seen in outcome.observations if isinstance(seen, Announced)]
    assert prefixes == ["10.250.0.10/32", "10.250.0.0/16", "0.0.0.0/0"]
    assert len(outcome.table("routes")) == 5


def test_a_session_watched_whole_becomes_values() -> None:
    other = s.header("192.0.2.2")
    watch = Watch((), lambda session: str(session.peer) == "192.0.2.2")
    stream = UP + s.peer_up(other) + s.announce("10.0.0.0/24") + s.announce("10.0.1.0/24", head=other)
    [route] = [seen for seen in run(stream, watch).observations if isinstance(seen, Announced)]
    assert str(route.prefix) == "10.0.1.0/24"


def test_attributes_come_once_a_day_and_again_on_the_next() -> None:
    day = 86_400 * SECOND
    midnight = (AT // day + 1) * day
    outcome = make()
    for at in (midnight - 2, midnight - 1, midnight, midnight + 1):
        outcome.feed.feed((UP if at == midnight - 2 else b"") + s.announce("10.0.0.0/24"), at)
    outcome.take()
    days = [(heard.at.date(), "attributes" in heard.tables) for heard in outcome.heard]
    assert [new for _, new in days] == [True, True]
    assert days[0][0] < days[1][0]
    ids = {row["id"] for row in outcome.table("attributes")}
    assert len(ids) == 1


def test_a_large_table_watched_whole_comes_in_pieces() -> None:
    outcome = run(UP + b"".join(s.table(3_000)))
    assert max(len(heard.observations) for heard in outcome.heard) <= 512
    routes = [seen for seen in outcome.observations if isinstance(seen, Announced)]
    assert len(routes) == 3_000
    assert [str(seen.prefix) for seen in routes[:2]] == ["1.0.0.0/24", "1.0.1.0/24"]


def test_pieces_survive_a_table_that_forgets() -> None:
    outcome = make()
    outcome.feed.feed(UP + b"".join(s.table(3_000)), AT)
    while (heard := outcome.feed.take()) is not None:
        outcome.heard.append(heard)
        outcome.feed._table.forget()
    assert sum(isinstance(seen, Announced) for seen in outcome.observations) == 3_000


def test_busy_sessions_are_counted_watched_or_not() -> None:
    other = s.header("192.0.2.2")
    stream = UP + s.peer_up(other) + s.announce("10.0.0.0/24") + s.announce("10.0.1.0/24", "10.0.2.0/24", head=other)
    outcome = run(stream + s.withdraw("10.0.0.0/24"), Watch())
    [heard] = outcome.heard
    assert {str(session.peer): routes for session, routes in heard.busy} == {"192.0.2.1": 2, "192.0.2.2": 2}


def test_a_full_redump_of_a_session_given_up_keeps_what_is_watched() -> None:
    outcome = make(Watch([parse_prefix("1.0.5.0/24")]))
    outcome.feed.feed(UP + b"".join(s.table(100)), AT)
    outcome.take()
    given = outcome.feed.give_up()
    assert given is not None
    outcome.feed.feed(b"".join(s.table(100)), AT + 1)
    outcome.take()
    assert len(outcome.table("routes")) == 101
    assert outcome.feed.counted().given_up == 99
    outcome.feed.give_up(False)
    outcome.feed.feed(b"".join(s.table(100)), AT + 2)
    outcome.take()
    assert len(outcome.table("routes")) == 201


def test_session_numbers_are_shared_and_kept() -> None:
    outcome = run(UP + s.announce("10.0.0.0/24"))
    assert [row["session"] for row in outcome.table("sessions")] == [0, 1]
    assert [row["session"] for row in outcome.table("routes")] == [1]
    assert everything(outcome)


def test_the_exporters_own_as_in_front_is_taken_away_and_counted() -> None:
    """The journal keeps what was on the wire."""
    stream = UP + s.announce("10.0.0.0/24", asns=(65000, 65001, 64999)) + s.announce("10.0.1.0/24")
    outcome = run(stream)
    paths = [str(seen.attributes.as_path) for seen in outcome.observations if isinstance(seen, Announced)]
    assert paths == ["65001 64999", "65001 64999"]
    assert outcome.feed.counted().own_as == 1
    assert len(outcome.table("attributes")) == 2
