"""Elements of captures: connections recognised, both OPENs believed, gaps said, limits kept."""

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import encode_message, encode_notification, encode_open, encode_update
from collector.wire.bgp.families import IPV4_UNICAST
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Direction
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import Initiation, RouteMonitoring, Tlv
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.pcap.conversations import Limits
from collector.wire.pcap.elements import pcap_elements
from tests.collector.wire.bmp.samples import header, peer_up, speaker
from tests.collector.wire.pcap.writing import A6, B6, START, A, B, Connection, fragments, ip, pcap, time
from tests.collector.wire.test_elements import ROUTE, WEB, monitoring

KEEPALIVE = encode_message(MessageType.KEEPALIVE, b"")
WITH_IDS = UpdateContext(frozenset({IPV4_UNICAST}))
UPDATE = encode_message(MessageType.UPDATE, encode_update([WEB], ROUTE))
BOTH = Direction.SEND | Direction.RECEIVE


def opened(**offer: object) -> bytes:
    """An OPEN message."""
    return encode_message(MessageType.OPEN, encode_open(speaker(**offer)))  # type: ignore[arg-type]


def read(*connections: Connection, limits: Limits | None = None) -> list[Element]:
    """The elements of a capture of these connections, their packets in order of time."""
    packets = sorted((packet for one in connections for packet in one.packets), key=lambda packet: packet[0])
    file = io.BytesIO(pcap(packets))
    return list(elements(file) if limits is None else pcap_elements(file, limits))


def kinds(found: list[Element]) -> str:
    """The letters of the elements, in order."""
    return "".join(str(element.type) for element in found)


def session(one: dict[str, object] | None = None, other: dict[str, object] | None = None) -> Connection:
    """A session that is up: eight packets."""
    talk = Connection().opened().say(0, opened(**(one or {}))).say(1, opened(**(other or {})))
    return talk.say(0, KEEPALIVE).say(1, KEEPALIVE)


def test_a_session_is_told_of_as_each_side_hears_the_other() -> None:
    up, back, route = read(session().say(0, UPDATE))
    assert [str(up.type), up.state, str(up.peer), up.router] == ["S", "up", "10.10.1.4", "10.10.255.4"]
    assert [back.state, str(back.peer), back.router] == ["up", "10.10.255.4", "10.10.1.4"]
    assert (route.type, route.prefix, route.attributes) == (ElementType.ANNOUNCEMENT, WEB.prefix, ROUTE)
    assert (route.router, str(route.peer), route.rib) == ("10.10.255.4", "10.10.1.4", "adj-in-pre")
    assert route.peer_asn == up.peer_asn == speaker().asn
    assert route.time == time(START + 7), "the packet with which it was whole"


@pytest.mark.parametrize(
    ("mine", "theirs", "carried"),
    [(BOTH, BOTH, True), (Direction.SEND, Direction.RECEIVE, True), (Direction.RECEIVE, BOTH, False)],
)
def test_both_opens_decide_on_path_ids(mine: Direction, theirs: Direction, carried: bool) -> None:
    context = WITH_IDS if carried else UpdateContext()
    update = encode_message(MessageType.UPDATE, encode_update([Nlri(WEB.prefix, 7 * carried)], ROUTE, context=context))
    talk = session({"add_path": {IPV4_UNICAST: mine}}, {"add_path": {IPV4_UNICAST: theirs}}).say(0, update)
    *_, route = read(talk)
    assert (route.prefix, route.path_id) == (WEB.prefix, 7 if carried else None)


@pytest.mark.parametrize(("wide", "two"), [((True, True), False), ((True, False), True), ((False, True), True)])
def test_both_opens_decide_on_the_width_of_as_numbers(wide: tuple[bool, bool], two: bool) -> None:
    route = Attributes(Origin.IGP, AsPath.of(65010, 65020), ROUTE.next_hop)
    context = UpdateContext(two_octet=two)
    update = encode_message(MessageType.UPDATE, encode_update([WEB], route, context=context))
    narrow = [
        opened() if offered else encode_message(MessageType.OPEN, b"\4\xfd\xf2\0\x5a\x0a\x0a\1\4\0") for offered in wide
    ]
    talk = Connection().opened().say(0, narrow[0]).say(1, narrow[1]).say(0, KEEPALIVE, update)
    *_, found = read(talk)
    assert found.attributes == route
    assert kinds(read(talk)) == "SA", "nothing about the width had to be guessed"


def test_a_capture_that_lacks_the_opens_says_so_once() -> None:
    note, first, second = read(Connection().say(0, UPDATE, UPDATE))
    assert note.type is ElementType.NOTE
    assert "lacks the OPENs" in note.detail
    assert first.prefix == second.prefix == WEB.prefix


def test_path_ids_of_a_capture_that_lacks_the_opens_make_no_routes() -> None:
    """OpenBGPD picks ids of any 32 bits: 0x0803ff00 before 10.250.0.10/32 reads as 3.0.0.0/8 and more."""
    carried = UpdateContext(add_path=frozenset({IPV4_UNICAST}))
    update = encode_update([Nlri(WEB.prefix, 0x0803FF00)], ROUTE, context=carried)
    _, told, route = read(Connection().say(0, encode_message(MessageType.UPDATE, update), UPDATE))
    assert (told.type, told.raw) == (ElementType.MALFORMED, update)
    assert "may hold path ids" in told.detail
    assert route.prefix == WEB.prefix


def test_how_a_session_ends_is_told() -> None:
    ceased = encode_message(MessageType.NOTIFICATION, encode_notification(Notification(6, 2)))
    *_, told = read(session().say(0, ceased).close(0))
    assert (told.state, told.reason) == ("down", "remote-notification")
    assert "Administrative Shutdown" in told.detail
    *_, closed = read(session().close(1))
    assert (closed.state, closed.reason, str(closed.peer)) == ("down", "remote-closed", "10.10.255.4")


HELLO = encode(Initiation((Tlv(2, b"ams-ce1"),)))


def exporter() -> Connection:
    """A BMP exporter's connection."""
    return Connection(("10.90.0.1", 40000), ("10.10.255.9", 11019)).opened()


def test_bmp_is_recognised_on_any_port_and_named_by_its_exporter() -> None:
    first, opening, route = read(exporter().say(0, encode(peer_up()), HELLO, monitoring()))
    assert (first.router, opening.router, route.router) == ("10.90.0.1", "ams-ce1", "ams-ce1")
    assert route.time == time(START + 5)
    assert route.router_time is not None


def test_other_connections_and_packets_are_passed_over_with_a_count() -> None:
    web = Connection(("10.0.0.1", 80), ("10.0.0.2", 5000)).opened().say(0, b"HTTP/1.1 200 OK\r\n" * 40)
    web.packets.append((START, ip("10.0.0.1", "10.0.0.2", b"udp!", kind=17)))
    *_, route, note = read(web, session().say(0, UPDATE))
    assert route.type is ElementType.ANNOUNCEMENT
    assert note.detail == (
        "passed over: 1 IP packets that are not TCP; 1 connections that are neither BMP nor BGP, 680 octets in all"
    )


def test_a_connection_captured_from_its_middle_on_is_joined_at_the_next_message() -> None:
    bmp = exporter().packets[:0]
    talk = Connection(("10.90.0.1", 40000), B, packets=bmp)
    found = read(talk.say(0, monitoring()[30:] + monitoring(), monitoring()))
    assert kinds(found) == "MAA"
    assert "the stream begins inside a BMP message" in found[0].detail
    middle = read(Connection().say(0, UPDATE[9:] + KEEPALIVE + UPDATE + KEEPALIVE))
    assert kinds(middle) == "MNA"


def test_a_gap_is_said_with_its_size_and_the_next_message_is_found() -> None:
    """The peer has acknowledged what the capture lacks, so it is not waited for."""
    talk = exporter().say(0, HELLO, monitoring())
    talk.sent[0] += 1000
    talk.say(0, monitoring()[50:] + monitoring(), monitoring()).say(1, b"").say(1, b"")
    found = read(talk)
    assert kinds(found) == "FAMMAA"
    assert found[2].detail == "the capture lacks 1000 octets of 10.90.0.1:40000 > 10.10.255.9:11019"
    assert "torn by a gap" in found[3].detail
    assert found[4].time == time(START + 7), "when it was clear that no more would come"


def test_a_message_that_a_gap_tears_is_kept_with_its_octets() -> None:
    talk = exporter().say(0, HELLO + monitoring()[:20])
    talk.sent[0] += 7
    found = read(talk.say(0, monitoring()))
    assert kinds(found) == "FMMA"
    assert monitoring()[:20] in [element.raw for element in found]


def test_another_connection_of_the_same_ends_begins_anew() -> None:
    first = session({"add_path": {IPV4_UNICAST: BOTH}}, {"add_path": {IPV4_UNICAST: BOTH}})
    again = replace(session(), packets=[(at + 100, data) for at, data in Connection(first=(9, 99)).opened().packets])
    again.first, again.sent, again.at = (9, 99), [0, 0], START + 200
    again.say(0, opened()).say(1, opened()).say(0, UPDATE)
    *_, route = read(first, again)
    assert (route.prefix, route.path_id) == (WEB.prefix, None)


def test_what_is_sent_again_after_the_end_is_not_told_again() -> None:
    talk = session().say(0, UPDATE).close(0)
    talk.again(0, talk.sent[0] - len(UPDATE), UPDATE)
    assert kinds(read(talk)) == "SSASN"


def test_too_many_connections_are_said_and_so_is_too_much_that_is_held() -> None:
    one, two = exporter().say(0, HELLO), Connection(("10.90.0.2", 1), B, at=START + 50).opened().say(0, HELLO)
    assert kinds(read(one, two, limits=Limits(streams=2))) == "FF"
    _, told, _, note = found = read(one, two, limits=Limits(streams=1))
    assert kinds(found) == "FMFN"
    assert "1 connections closed because too many were open" in note.detail
    assert "more than 1 connections: 10.90.0.1:40000" in told.detail
    torn = exporter().say(0, HELLO + monitoring()[:60])
    torn.sent[0] += 10
    torn.say(0, bytes(500))
    assert not [element for element in read(torn, limits=Limits(held=1000)) if "hold more than" in element.detail]
    assert "connections hold more than 600 octets" in read(torn, limits=Limits(held=600))[1].detail


def test_octets_in_which_nothing_is_recognised_are_bounded() -> None:
    talk = Connection().say(0, *[bytes(100)] * 30, UPDATE + KEEPALIVE)
    assert kinds(read(talk, limits=Limits(look=1000))) == "N"
    assert "A" in kinds(read(talk, limits=Limits(look=10_000)))


STREAM = HELLO + b"".join([encode(peer_up()), monitoring(), monitoring(replace(ROUTE, med=7))] * 3)


@settings(max_examples=40)
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12), st.randoms(), st.booleans())
def test_any_segments_give_the_same_elements(cuts: list[int], random: object, shuffled: bool) -> None:
    edges = [0, *sorted(set(cuts)), len(STREAM)]
    parts = [(low, STREAM[low:high]) for low, high in pairwise(edges)]
    if shuffled:
        random.shuffle(parts)  # type: ignore[attr-defined]
    talk = exporter()
    for at, part in parts:
        talk.again(0, at, part)
    plain = [replace(element, time=None, router_time=None, router="") for element in elements(io.BytesIO(STREAM))]
    assert [replace(element, time=None, router_time=None, router="") for element in read(talk)] == plain


@pytest.mark.parametrize("size", [1, 2, 19, 30])
def test_a_session_in_tiny_segments_is_a_session(size: int) -> None:
    said = (0, opened()), (1, opened()), (0, KEEPALIVE), (1, KEEPALIVE), (0, UPDATE)
    whole, tiny = Connection().opened(), Connection().opened()
    for side, octets in said:
        whole.say(side, octets)
        tiny.say(side, *(octets[at : at + size] for at in range(0, len(octets), size)))
    found, meant = ([replace(element, time=None) for element in read(one)] for one in (tiny, whole))
    assert found == meant
    assert kinds(found) == "SSA"


def test_a_syn_that_was_captured_behind_its_data_begins_no_other_connection() -> None:
    talk = session({"add_path": {IPV4_UNICAST: BOTH}}, {"add_path": {IPV4_UNICAST: BOTH}})
    early = {0: 3, 1: 4}  # each side's OPEN changes places with its SYN
    for syn, data in early.items():
        talk.packets[syn], talk.packets[data] = talk.packets[data], talk.packets[syn]
    talk.say(0, encode_message(MessageType.UPDATE, encode_update([replace(WEB, path_id=7)], ROUTE, context=WITH_IDS)))
    talk.packets = [(START + at, packet) for at, (_, packet) in enumerate(talk.packets)]
    assert [element.path_id for element in read(talk) if element.type is ElementType.ANNOUNCEMENT] == [7]
    assert not [element for element in read(talk) if element.type is ElementType.NOTE]


@pytest.mark.parametrize("ends", [(A, B), (A6, B6)])
def test_a_session_in_fragments_is_a_session(ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    talk = Connection(*ends).opened().say(0, opened()).say(1, opened()).say(0, KEEPALIVE, UPDATE)
    meant = read(talk)
    talk.packets = [(at, part) for number, (at, one) in enumerate(talk.packets) for part in fragments(one, 16, number)]
    assert read(talk) == meant
    assert "A" in kinds(meant)
    del talk.packets[-1]
    *rest, note = read(talk)
    assert "A" not in kinds(rest)
    left = -(-(20 + len(UPDATE)) // 16) - 1
    assert note.detail == f"passed over: {left} fragments of IP packets"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6), st.integers(0, 4000))
def test_a_mutated_capture_is_elements_whatever_it_says(wrong: list[tuple[int, int]], cut: int) -> None:
    talk = session().say(0, UPDATE, UPDATE)
    file = bytearray(pcap(talk.packets + exporter().say(0, STREAM).packets))
    for at, octet in wrong:
        file[24 + at % (len(file) - 24)] = octet
    for element in elements(io.BytesIO(bytes(file[: len(file) - cut % (len(file) - 24)]))):
        assert element.plain()


def test_a_peer_up_in_a_torn_bmp_stream_is_not_taken_for_a_session() -> None:
    talk = Connection(("10.90.0.1", 40000), B).say(0, encode(peer_up())[30:], monitoring(), monitoring())
    assert kinds(read(talk)) == "MAA"
    assert RouteMonitoring(header(), UPDATE).trailing == b""
