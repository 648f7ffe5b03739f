"""What real routers send and no RFC foresees, as the station hears it: with compiled code, and without it, the same."""

import struct
from ipaddress import IPv4Address

import pytest

from analyzers.view import View
from anycast.change import Cause, ChangeKind
from anycast.intent import Intent
from anycast.observation import (
    Announced,
    FeedLost,
    FeedOpened,
    MalformedSeen,
    Observation,
    Rib,
    Session,
    SessionDown,
    SessionUp,
    Source,
    StatsReported,
    TableComplete,
    Withdrawn,
)
from anycast.prefix import Family
from tests.collector.bmp import streams as s
from tests.collector.bmp.feeds import AT, Outcome, run
from tests.collector.kernel.test_decode import both, same

HELLO = s.initiation()
UP = HELLO + s.peer_up()
IDS = HELLO + s.peer_up(sent=s.open_message(65000, add_path=3), received=s.open_message(add_path=3))
WEB = "10.250.0.10/32"
ROUTE = s.announce(WEB)
NVA = Source(Session("edge1", IPv4Address(s.PEER)))
LOC_RIB = s.header(None, kind=3)
SECOND = 10**9


def routes(outcome: Outcome) -> list[Announced | Withdrawn]:
    return [seen for seen in outcome.observations if isinstance(seen, Announced | Withdrawn)]


def prefixes(outcome: Outcome) -> list[tuple[str, int]]:
    return [(str(seen.prefix), seen.path_id) for seen in routes(outcome)]


def with_attributes(extra: bytes, *asns: int, width: int = 4, flags: int = 0) -> bytes:
    """Build a Route Monitoring of WEB with attributes beside the usual ones."""
    attrs = s.attributes(*(asns or (65001,)), extra=extra, width=width)
    return s.monitoring(s.update(attrs=attrs, announced=s.nlri(WEB)), s.header(flags=flags))


def seen_by(observations: list[Observation]) -> View:
    """Fold observations into the view of an intent that means nothing."""
    view = View(Intent((), (), (), (), ()))
    for seen in observations:
        view.apply(seen)
    return view


# Sessions, and the views of their tables.


def test_a_peer_up_with_two_bare_opens_names_its_session_all_the_same() -> None:
    """FRR sends OPENs of 19 octets."""
    outcome = both(HELLO + s.peer_up(sent=s.bgp(1, b""), received=s.bgp(1, b"")) + ROUTE)
    assert len(routes(outcome)) == 1
    counted = outcome.feed.counted()
    assert (counted.orphans, counted.tolerated, counted.malformed) == (0, 1, 0)


def test_frr_reports_peers_down_that_never_were_up_and_the_feed_goes_on() -> None:
    outcome = both(UP + s.peer_down(s.header("192.0.2.2"), 2, b"\0\0") + ROUTE)
    assert [type(seen) for seen in outcome.observations[2:]] == [SessionDown, Announced]


def test_loc_ribs_of_two_vrfs_are_two_sessions() -> None:
    """IOS XR and Huawei tell them apart by their distinguishers; F, the first flag, is no part of it."""
    red, blue = (s.header(None, kind=3, flags=0x80, distinguisher=number) for number in (1, 2))
    outcome = both(HELLO + s.peer_up(red) + s.peer_up(blue) + s.announce(WEB, head=red) + s.withdraw(WEB, head=blue))
    assert [(seen.source.session.distinguisher, type(seen)) for seen in routes(outcome)] == [
        (1, Announced),
        (2, Withdrawn),
    ]


def test_one_address_in_two_vrfs_is_two_sessions() -> None:
    one, two = s.header(kind=1, distinguisher=7), s.header(kind=1, distinguisher=8)
    outcome = both(HELLO + s.peer_up(one) + s.peer_up(two) + s.announce(WEB, head=one) + s.peer_down(two))
    view = seen_by(outcome.observations)
    [held] = [table for table in view.tables.values() if table.routes]
    assert held.source.session.distinguisher == 7


@pytest.mark.parametrize("up", [0x00, 0x40])
def test_every_view_is_heard_under_the_peer_up_of_any(up: int) -> None:
    """IOS XR, FRR and Junos send one Peer Up for all views; IOS XR 7 sends that of its post-policy view."""
    heads = [s.header(flags=flags) for flags in (0x00, 0x40, 0x10, 0x50)]
    outcome = both(HELLO + s.peer_up(s.header(flags=up)) + b"".join(s.announce(WEB, head=head) for head in heads))
    assert {seen.source.session for seen in routes(outcome)} == {NVA.session}
    assert [seen.source.rib for seen in routes(outcome)] == [
        Rib.ADJ_IN_PRE,
        Rib.ADJ_IN_POST,
        Rib.ADJ_OUT_PRE,
        Rib.ADJ_OUT_POST,
    ]
    assert outcome.feed.counted().orphans == 0


def test_a_route_in_two_views_is_one_in_each_and_goes_from_each_alone() -> None:
    """OpenBMP counted 12,002 prefixes of two views as 12,000."""
    post = s.header(flags=0x40)
    outcome = both(UP + s.announce(WEB, "10.250.0.53/32") + s.announce(WEB, head=post) + s.withdraw(WEB))
    view = seen_by(outcome.observations)
    held = {
        table.source.rib: sorted(map(str, (prefix for prefix, _ in table.routes))) for table in view.tables.values()
    }
    assert held == {Rib.ADJ_IN_PRE: ["10.250.0.53/32"], Rib.ADJ_IN_POST: [WEB]}


def test_a_duplicate_peer_up_empties_no_table() -> None:
    outcome = both(UP + ROUTE + s.peer_up() * 3)
    view = seen_by(outcome.observations)
    assert len(view.tables[NVA].routes) == 1
    assert outcome.feed.counted().duplicate_ups == 3


def test_an_initiation_in_the_middle_of_a_stream_ends_no_session() -> None:
    outcome = both(UP + ROUTE + HELLO + s.initiation("edge1", "upgraded") + s.withdraw(WEB))
    kinds = [type(seen) for seen in outcome.observations]
    assert kinds == [FeedOpened, SessionUp, Announced, FeedOpened, Withdrawn]
    assert outcome.feed.counted().orphans == 0


def test_a_termination_says_why_in_the_routers_words() -> None:
    said = struct.pack("!HH", 0, 3) + b"bye" + struct.pack("!HHH", 1, 2, 0)
    lost = both(UP + s.message(5, said)).observations[-1]
    assert isinstance(lost, FeedLost)
    assert lost.detail == "administratively closed, bye"


# Presence.


@pytest.mark.parametrize(
    ("reason", "data", "kept"),
    [
        pytest.param(0, b"", False, id="GoBGP's reason 0"),
        pytest.param(1, s.bgp(3, b"\4\0"), False, id="NOTIFICATION sent"),
        pytest.param(2, b"\0\x12", False, id="event"),
        pytest.param(3, s.bgp(3, b"\6\2"), False, id="NOTIFICATION received"),
        pytest.param(4, b"", False, id="closed by the peer"),
        pytest.param(5, b"", True, id="monitored no more"),
        pytest.param(6, b"\0\3\0\4blue", True, id="Loc-RIB monitored no more"),
    ],
)
def test_a_peer_down_takes_routes_away_unless_only_monitoring_stopped(reason: int, data: bytes, kept: bool) -> None:
    outcome = both(UP + ROUTE + s.peer_down(reason=reason, data=data))
    held = seen_by(outcome.observations).tables[NVA].routes.values()
    assert [route.lost_at is not None for route in held] == [True] * kept


def test_gobgp_withdraws_a_peers_routes_before_its_peer_down_and_each_goes_once() -> None:
    outcome = both(UP + ROUTE + s.withdraw(WEB) + s.peer_down() + s.withdraw(WEB))
    view = View(Intent((), (), (), (), ()))
    changes = [change for seen in outcome.observations for change in view.apply(seen)]
    assert [(change.kind, change.cause) for change in changes] == [
        (ChangeKind.ANNOUNCED, Cause.RESYNC),  # the first dump: since when it was there, nobody saw
        (ChangeKind.WITHDRAWN, Cause.UPDATE),
    ]


def test_a_withdrawal_takes_the_path_that_it_names_and_no_other() -> None:
    """gobmp lost the path id, and its withdrawals matched nothing."""

    def path(number: int, gone: bool = False) -> bytes:
        listed = s.nlri("10.0.0.0/24", path_id=number)
        return s.monitoring(s.update(listed) if gone else s.update(attrs=s.attributes(65001), announced=listed))

    view = seen_by(both(IDS + path(7) + path(8) + path(8, gone=True) + path(9, gone=True)).observations)
    assert [number for _, number in view.tables[NVA].routes] == [7]


def test_statistics_of_one_type_come_once_a_family() -> None:
    def gauge(code: int, afi: int, safi: int, value: int) -> bytes:
        return struct.pack("!HHHBQ", code, 11, afi, safi, value)

    body = s.header() + struct.pack("!I", 3) + gauge(9, 1, 1, 5) + gauge(9, 2, 1, 7) + gauge(10, 1, 1, 99)
    outcome = both(UP + s.message(1, body))
    stats = outcome.observations[-1]
    assert isinstance(stats, StatsReported)
    assert stats.counts == ((9, 1, 1, 5), (9, 2, 1, 7), (10, 1, 1, 99))
    assert seen_by(outcome.observations).peerings[NVA.session].routes == 12


def test_the_end_of_each_family_is_told_apart() -> None:
    ends = [
        s.monitoring(s.update()),
        s.monitoring(s.update(attrs=s.unreach(afi=1))),
        s.monitoring(s.update(attrs=s.unreach())),
    ]
    told = [seen for seen in both(UP + b"".join(ends)).observations if isinstance(seen, TableComplete)]
    assert [seen.family for seen in told] == [Family.IPV4, Family.IPV4, Family.IPV6]


# Times.


def test_stamps_of_zero_or_that_go_back_change_no_order() -> None:
    """Huawei stamps with the age of the route, FRR some messages with 0 and some with its uptime."""
    stamps = (s.STAMP, s.STAMP - 4_000_000, 0, 12_345)
    outcome = both(UP + b"".join(s.announce(f"10.0.{n}.0/24", head=s.header(at=at)) for n, at in enumerate(stamps)))
    assert [prefix for prefix, _ in prefixes(outcome)] == [f"10.0.{n}.0/24" for n in range(4)]
    rows = outcome.table("routes")
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert all(row["at"] >= AT for row in rows)
    assert [row["router_time"] and row["router_time"] // SECOND for row in rows] == [*stamps[:2], None, stamps[3]]


# How an UPDATE is read.


def test_tlvs_behind_an_update_cost_no_route() -> None:
    """Huawei marks the paths of its Loc-RIB there."""
    pdu = s.update(attrs=s.attributes(65001), announced=s.nlri(WEB))
    marked = s.monitoring(pdu, LOC_RIB, trailing=bytes.fromhex("ea620004 0000000a"))
    outcome = both(HELLO + s.peer_up(LOC_RIB) + marked * 2)
    assert prefixes(outcome) == [(WEB, 0)] * 2
    assert (outcome.feed.counted().trailing, outcome.feed.counted().malformed) == (2, 0)


@pytest.mark.parametrize("hop", ["10.10.1.4", "2001:db8::1"])
def test_ipv4_routes_in_mp_reach_have_either_next_hop(hop: str) -> None:
    """IOS XR 24 and 25."""
    extra = s.reach(WEB, next_hop=hop, afi=1)
    outcome = both(UP + s.monitoring(s.update(attrs=s.attributes(65001, next_hop=None, extra=extra))))
    [route] = routes(outcome)
    assert isinstance(route, Announced)
    assert (str(route.prefix), str(route.attributes.next_hop)) == (WEB, hop)


WIDE, NARROW = (s.attributes(65001, 64999, width=width) for width in (4, 2))


@pytest.mark.parametrize(
    ("flags", "attrs", "path", "tolerated"),
    [
        (0x00, WIDE, "65001 64999", 0),
        (0x20, NARROW, "65001 64999", 0),
        (0x00, NARROW, "65001 64999", 1),
        (0x20, WIDE, None, 0),
    ],
)
@pytest.mark.parametrize("view", [0x00, 0x40])
def test_the_a_flag_is_believed_and_2_octets_are_tried_where_it_is_clear_and_4_do_not_read(
    flags: int, attrs: bytes, path: str | None, tolerated: int, view: int
) -> None:
    message = s.monitoring(s.update(attrs=attrs, announced=s.nlri(WEB)), s.header(flags=flags | view))
    outcome = both(UP + message)
    found = [str(seen.attributes.as_path) if isinstance(seen, Announced) else None for seen in routes(outcome)]
    assert found == [path]
    counted = outcome.feed.counted()
    assert (counted.tolerated, counted.malformed) == (tolerated, path is None)


@pytest.mark.parametrize(("attrs", "tolerated"), [(WIDE, 0), (NARROW, 1)])
@pytest.mark.parametrize("flags", [0x00, 0x20])
def test_a_loc_rib_has_no_a_flag(attrs: bytes, tolerated: int, flags: int) -> None:
    """RFC 9069, 4.2. FRR 8 to 10.0 has 2-octet paths in it."""
    message = s.monitoring(s.update(attrs=attrs, announced=s.nlri(WEB)), s.header(None, kind=3, flags=flags))
    outcome = both(HELLO + s.peer_up(LOC_RIB) + message)
    [route] = routes(outcome)
    assert isinstance(route, Announced)
    assert str(route.attributes.as_path) == "65001 64999"
    assert outcome.feed.counted().tolerated == tolerated


def test_path_ids_are_agreed_family_by_family() -> None:
    def side(asn: int) -> bytes:
        capabilities = b"\1\4\0\1\0\1" + b"\1\4\0\2\0\1" + b"\x41\4" + asn.to_bytes(4, "big") + b"\x45\4\0\2\1\3"
        parameters = b"\2" + bytes((len(capabilities),)) + capabilities
        body = struct.pack("!BHH", 4, asn, 90) + IPv4Address("192.0.2.9").packed
        return s.bgp(1, body + bytes((len(parameters),)) + parameters)

    six = s.monitoring(s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("2001:db8::/48", path_id=9))))
    outcome = both(HELLO + s.peer_up(sent=side(65000), received=side(65001)) + ROUTE + six)
    assert prefixes(outcome) == [(WEB, 0), ("2001:db8::/48", 9)]


def test_gobgp_leaves_path_ids_out_of_its_first_dump_and_has_them_in_what_follows() -> None:
    live = s.monitoring(s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24", path_id=7)))
    outcome = both(IDS + s.announce("10.0.0.0/24") + s.announce("0.0.0.0/0") + ROUTE + live)
    assert prefixes(outcome) == [("10.0.0.0/24", 0), ("0.0.0.0/0", 0), (WEB, 0), ("10.0.0.0/24", 7)]
    assert (outcome.feed.counted().tolerated, outcome.feed.counted().malformed) == (3, 0)


def test_gobgp_4_2_sends_path_ids_in_its_loc_rib_that_no_open_offers_and_no_route_is_made_up() -> None:
    pdu = s.update(attrs=s.attributes(65001), announced=s.nlri("10.101.0.0/24", path_id=1))
    outcome = both(HELLO + s.peer_up(LOC_RIB) + s.monitoring(pdu, LOC_RIB))
    assert routes(outcome) == []
    assert outcome.feed.counted().malformed == 1


# Attributes.


def attributes(outcome: Outcome) -> object:
    """The attributes of the one route that was announced."""
    [route] = routes(outcome)
    assert isinstance(route, Announced)
    return route.attributes


def test_a_malformed_large_community_withdraws_the_route_that_was_there() -> None:
    """pmacct kept it."""
    outcome = both(UP + ROUTE + with_attributes(s.attribute(32, bytes(13), 0xC0)))
    assert [type(seen) for seen in outcome.observations[2:]] == [Announced, MalformedSeen, Withdrawn]
    assert outcome.feed.counted().malformed == 1
    assert not seen_by(outcome.observations).tables[NVA].routes


def test_a_malformed_aggregator_costs_itself_and_not_the_route() -> None:
    outcome = both(UP + with_attributes(s.attribute(7, bytes(5), 0xC0)))
    [told] = [seen for seen in outcome.observations if isinstance(seen, MalformedSeen)]
    assert told.action == "attribute-discard"
    assert attributes(outcome) == attributes(both(UP + with_attributes(b"")))


def test_an_as4_path_is_put_behind_what_stands_before_it() -> None:
    wide = s.attribute(17, b"\2\1" + (4_200_000_001).to_bytes(4, "big"), 0xC0)
    outcome = both(UP + with_attributes(wide, 65001, 23456, width=2, flags=0x20))
    [route] = routes(outcome)
    assert isinstance(route, Announced)
    assert str(route.attributes.as_path) == "65001 4200000001"


def test_an_extended_length_that_nobody_needs_changes_nothing() -> None:
    """GoBGP and FRR write AS_PATH so, whatever its length."""
    short = s.attribute(8, bytes.fromhex("2f0cc73c"), 0xC0)
    long = b"\xd0\x08\0\4" + bytes.fromhex("2f0cc73c")
    assert attributes(both(UP + with_attributes(long))) == attributes(both(UP + with_attributes(short)))


@pytest.mark.parametrize("code", [40, 99, 255])
def test_attributes_that_nobody_knows_are_kept(code: int) -> None:
    outcome = both(UP + with_attributes(s.attribute(code, b"abc", 0xE0)))
    [route] = routes(outcome)
    assert isinstance(route, Announced)
    assert [(kept.code, kept.value) for kept in route.attributes.unknown] == [(code, b"abc")]
    assert outcome.feed.counted().malformed == 0


def test_the_same_is_heard_however_a_stream_is_cut() -> None:
    """The last message of a segment waits for the next."""
    stream = UP + ROUTE + s.withdraw(WEB) + s.end_of_rib() + s.peer_down()
    for size in (1, 5, 47):
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        same(run(pieces), run(stream))
