"""Elements of a BMP stream."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

from anycast.observation import PeerType
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import encode_end_of_rib, encode_message, encode_update
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Direction
from collector.wire.bmp.elements import bmp_elements
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import (
    Count,
    Initiation,
    Message,
    PeerDown,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    Tlv,
)
from collector.wire.element import Element, ElementType
from tests.collector.wire.bmp.samples import header, peer_up, speaker

AT = datetime(2026, 9, 1, tzinfo=UTC)
WEB = ip_network("10.250.0.10/32")


def read(*said: Message, at: datetime | None = AT) -> list[Element]:
    """The elements of a stream of these messages."""
    return list(bmp_elements([(at, b"".join(map(encode, said)))]))


def monitoring(body: bytes, flags: int = 0) -> RouteMonitoring:
    """A Route Monitoring of one UPDATE."""
    return RouteMonitoring(header(flags=flags), encode_message(MessageType.UPDATE, body))


def test_a_session_comes_up_and_goes_down() -> None:
    up, down = read(peer_up(), PeerDown(header(), 3, Notification(6, 2)))
    assert (up.type, up.state, up.hold_time, up.peer_asn) == (ElementType.STATE, "up", 180, 65010)
    assert (down.state, down.reason, down.detail) == (
        "down",
        "remote-notification",
        "Cease/Administrative Shutdown",
    )


def test_the_receive_time_stands_where_it_is_known_and_the_routers_stamp_beside_it() -> None:
    [known], [unknown] = read(peer_up()), read(peer_up(), at=None)
    assert (known.time, known.router_time) == (AT, header().router_time)
    assert (unknown.time, unknown.router_time) == (header().router_time, None)
    [neither] = read(peer_up(header(seconds=0)), at=None)
    assert neither.time is None


def test_path_ids_are_shown_where_the_session_carries_them() -> None:
    up = peer_up(
        sent=speaker(add_path={IPV4_UNICAST: Direction.RECEIVE}),
        received=speaker(add_path={IPV4_UNICAST: Direction.SEND}),
    )
    context = UpdateContext(frozenset({IPV4_UNICAST}))
    six = Nlri(ip_network("2001:db8::/32"))
    body = encode_update(withdrawn=[Nlri(WEB, 7), six], context=context)
    first, second = read(up, monitoring(body))[1:]
    assert (first.prefix, first.path_id) == (WEB, 7)
    assert (second.prefix, second.path_id) == (six.prefix, None)
    assert not [item for item in read(up, PeerDown(header(), 4), monitoring(body)) if item.path_id == 7], "no longer"


def test_every_view_is_named() -> None:
    body = encode_update(withdrawn=[Nlri(WEB)])
    views = [item.rib for flags in (0, 0x40, 0x10, 0x50) for item in read(monitoring(body, flags))]
    assert views == ["adj-in-pre", "adj-in-post", "adj-out-pre", "adj-out-post"]


def test_the_end_of_a_table_names_its_family() -> None:
    [found] = read(monitoring(encode_end_of_rib(IPV6_UNICAST)))
    assert (found.type, found.family) == (ElementType.END_OF_RIB, "ipv6-unicast")


def test_statistics_and_the_feeds_own_words_are_elements() -> None:
    opened, counted, ended = read(
        Initiation((Tlv(2, b"edge"), Tlv(1, b"FRR"))),
        StatisticsReport(header(), (Count(9, 3, 1, 1),)),
        Termination((Tlv(1, b"\0\0"),)),
    )
    assert (opened.type, opened.router, opened.state, opened.detail) == (ElementType.FEED, "edge", "opened", "FRR")
    assert (counted.type, counted.counts, counted.router) == (ElementType.STATISTICS, ((9, 1, 1, 3),), "edge")
    assert (ended.state, ended.detail) == ("ended", "administratively closed")


def test_mirrored_updates_are_read_and_their_loss_is_said() -> None:
    update = encode_message(MessageType.UPDATE, encode_update(withdrawn=[Nlri(WEB)]))
    alive = encode_message(MessageType.KEEPALIVE)
    mirrored = RouteMirroring(header(), (Tlv(0, update), Tlv(0, alive), Tlv(1, b"\0\1")))
    route, lost = read(mirrored)
    assert (route.type, route.prefix) == (ElementType.WITHDRAWAL, WEB)
    assert lost.detail == "the router lost mirrored messages"


def test_a_malformed_message_is_an_element_with_its_offset_and_the_next_is_read() -> None:
    good = encode(peer_up())
    bad = b"\x03\0\0\0\x08\x00!!"
    first, second, third = bmp_elements([(AT, good + bad), (AT, good)])
    assert (second.type, second.offset, second.raw) == (ElementType.MALFORMED, len(good), bad)
    assert second.action == "message-skipped"
    assert first == third


def test_a_message_with_another_pdu_than_an_update_is_malformed() -> None:
    keepalive = RouteMonitoring(header(), encode_message(MessageType.KEEPALIVE))
    [found] = read(keepalive)
    assert (found.type, found.raw) == (ElementType.MALFORMED, encode(keepalive))


def test_a_stream_that_ends_inside_a_message_says_so() -> None:
    good = encode(peer_up())
    _, tail = bmp_elements([(AT, good + good[:9])])
    assert (tail.type, tail.offset, tail.raw) == (ElementType.MALFORMED, len(good), good[:9])
    assert tail.detail == "the stream ends inside a message, after 9 octets of it"


def test_a_stream_of_another_version_says_which_is_right() -> None:
    [found] = bmp_elements([(None, b"\x01" + bytes(50))])
    assert found.detail.startswith("BMP version 1 has no length field")


def test_a_distinguisher_is_shown_in_hexadecimal() -> None:
    [found] = read(peer_up(header(distinguisher=0xFDF2, peer_type=PeerType.DISTINGUISHED)))
    assert (found.plain()["distinguisher"], found.plain()["peer_type"]) == ("000000000000fdf2", 1)


def test_what_is_odd_about_a_peer_up_is_said() -> None:
    [found] = read(replace(peer_up(), sent=None))
    assert found.detail == "the sent OPEN is a bare header of 19 octets"
    [bare] = read(replace(peer_up(), sent=None, received=None))
    assert bare.hold_time is None
