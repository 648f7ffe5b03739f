"""Elements of MRT files, and path ids that only an OPEN tells of."""

import io
import struct
from ipaddress import ip_address, ip_network

from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import (
    encode_attribute,
    encode_attributes,
    encode_message,
    encode_notification,
    encode_open,
    encode_update,
)
from collector.wire.bgp.families import IPV4_UNICAST
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Direction
from collector.wire.element import Element, ElementType
from collector.wire.mrt.elements import mrt_elements
from tests.collector.wire.bmp.samples import speaker
from tests.collector.wire.mrt.writing import ends, peer_table, record, rib

WEB = ip_network("10.250.0.10/32")
ROUTE = Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4"))
GOOD = encode_attributes(ROUTE)
PREFIX = b"\x20\x0a\xfa\0\x0a"


def read(*written: bytes) -> list[Element]:
    """The elements of a file of these records."""
    return list(mrt_elements(io.BytesIO(b"".join(written))))


def message(kind: MessageType, body: bytes, subtype: int = 4) -> bytes:
    """A record of one BGP message."""
    return record(16, subtype, ends() + encode_message(kind, body))


def offer(direction: Direction) -> bytes:
    """A record of an OPEN that offers path ids for IPv4."""
    return message(MessageType.OPEN, encode_open(speaker(add_path={IPV4_UNICAST: direction})))


WITH_IDS = UpdateContext(frozenset({IPV4_UNICAST}))
HIDDEN = message(MessageType.UPDATE, encode_update([Nlri(WEB, 0x21)], ROUTE, context=WITH_IDS))
"""An UPDATE with a path id, in a record that does not say so: read without, it is a default route, /0 ... and a /33."""


def test_a_table_is_routes_of_its_peers() -> None:
    [found] = read(peer_table(), rib(2, PREFIX, GOOD))
    assert (found.type, found.prefix, found.peer, found.attributes) == (
        ElementType.RIB,
        WEB,
        ip_address("10.10.1.4"),
        ROUTE,
    )
    assert found.originated is not None
    assert found.path_id is None


def test_path_ids_of_a_table_are_shown() -> None:
    [found] = read(peer_table(), rib(8, PREFIX, GOOD, path_id=b"\0\0\0\7"))
    assert found.path_id == 7


def test_other_families_of_a_table_are_told_apart_or_kept() -> None:
    [found] = read(peer_table(), rib(6, b"\x70" + bytes(14), GOOD, family=b"\0\1\x80"))
    assert (found.type, found.family, str(found.prefix)) == (ElementType.RIB, "vpnv4", "0.0.0.0/24")
    assert found.route_distinguisher == "0:0"
    [found] = read(peer_table(), rib(6, b"\x08\x01", GOOD, family=b"\0\1\x84"))
    assert (found.type, found.family, found.detail) == (ElementType.OPAQUE, "route-target", "in the table")
    assert found.raw == b"\x08\x01"
    [found] = read(peer_table(), rib(6, b"\x08\x01", GOOD, family=b"\0\1\x80"))
    assert (found.type, found.action, found.raw) == (ElementType.MALFORMED, "message-skipped", b"\x08\x01")


def test_a_path_with_a_broken_attribute_is_told_and_not_shown() -> None:
    broken = rib(2, PREFIX, GOOD + encode_attribute(8, b"!!"))
    [told, after] = read(peer_table(), broken, rib(2, PREFIX, GOOD))
    assert (told.type, told.action) == (ElementType.MALFORMED, "treat-as-withdraw")
    assert told.offset == len(peer_table())
    assert after.type is ElementType.RIB


def test_a_path_with_an_attribute_to_discard_is_told_and_shown() -> None:
    [told, shown] = read(peer_table(), rib(2, PREFIX, GOOD + encode_attribute(6, b"!")))
    assert (told.action, shown.type, shown.attributes) == ("attribute-discard", ElementType.RIB, ROUTE)


def test_a_path_whose_attributes_do_not_fit_is_told_with_its_record() -> None:
    [told] = read(peer_table(), rib(2, PREFIX, GOOD + b"\x40"))
    assert (told.type, told.action) == (ElementType.MALFORMED, "message-skipped")


def test_a_path_of_a_peer_that_no_table_has_is_told() -> None:
    [found] = mrt_elements(io.BytesIO(rib(2, b"\x08\x0a", b"", index=3)))
    assert (found.type, found.offset, found.action) == (ElementType.MALFORMED, 0, "message-skipped")
    assert found.detail == "peer index 3 is not in the table of 0 peers before it"


def test_a_malformed_record_is_passed_over() -> None:
    found = read(peer_table(), rib(2, PREFIX, GOOD, index=9), rib(2, PREFIX, GOOD))
    assert [item.type for item in found] == [ElementType.MALFORMED, ElementType.RIB]
    assert found[0].detail.startswith("peer index 9")


def test_damage_between_records_is_told_with_its_offset() -> None:
    found = read(HIDDEN, b"\xff" * 20, HIDDEN, HIDDEN)
    [damage] = [item for item in found if "no MRT record" in item.detail]
    assert (damage.offset, damage.raw) == (len(HIDDEN), b"\xff" * 20)


def test_states_and_notifications_are_elements() -> None:
    changed, ended = read(
        record(16, 5, ends() + b"\0\6\0\x63"),
        message(MessageType.NOTIFICATION, encode_notification(Notification(4, 0))),
    )
    assert (changed.old_state, changed.state) == ("established", "state 99")
    assert (ended.reason, ended.detail) == ("notification", "Hold Timer Expired")
    assert read(message(MessageType.KEEPALIVE, b"")) == []


def test_records_that_say_nothing_of_routes_are_passed_over_with_a_count() -> None:
    file = [record(11, 0, b"ospf"), record(33, 0, bytes(4) + b"isis"), record(11, 0, b"ospf"), record(16, 3, b"snap")]
    [note] = read(*file)
    assert note.type is ElementType.NOTE
    assert note.detail == (
        "passed over: 2 OSPFV2 records of subtype 0; 1 BGP4MP records of subtype 3; 1 ISIS_ET records of subtype 0"
    )


def test_where_collector_and_peers_are_is_told() -> None:
    placed = b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2" + struct.pack("!ff", 40.75, -74)
    hidden = b"\0\x0a\x0a\1\5\x0a\x0a\1\5\xfd\xf3" + struct.pack("!ff", float("nan"), float("nan"))
    body = b"\x0a\0\0\1\0\4main" + struct.pack("!ff", 52.5, 13.25) + b"\0\2" + placed + hidden
    [note] = read(record(13, 7, body))
    assert note.type is ElementType.NOTE
    assert note.detail == "collector 10.0.0.1 at 52.5 13.25; 10.10.1.4 AS65010 at 40.75 -74"
    [told] = read(record(13, 7, body + b"!"))
    assert told.type is ElementType.MALFORMED


def test_what_the_recording_side_sent_is_its_own_table() -> None:
    update = encode_update([Nlri(WEB)], ROUTE)
    heard, said = read(message(MessageType.UPDATE, update), message(MessageType.UPDATE, update, subtype=7))
    assert (heard.rib, said.rib) == ("adj-in-pre", "adj-out-post")


def test_path_ids_that_the_record_hides_are_taken_from_the_senders_offer() -> None:
    told, route = read(offer(Direction.SEND), HIDDEN)
    assert (told.type, told.action) == (ElementType.MALFORMED, "taken-as-is")
    assert (route.type, route.prefix, route.path_id) == (ElementType.ANNOUNCEMENT, WEB, 0x21)


def test_path_ids_are_never_guessed() -> None:
    for written in ([HIDDEN], [offer(Direction.RECEIVE), HIDDEN]):
        [told] = read(*written)
        assert (told.type, told.action) == (ElementType.MALFORMED, "message-skipped")


def test_what_reads_without_path_ids_is_read_without() -> None:
    plain = message(MessageType.UPDATE, encode_update([Nlri(WEB)], ROUTE))
    [route] = read(offer(Direction.SEND), plain)
    assert (route.prefix, route.path_id) == (WEB, None)


def test_what_reads_neither_way_is_skipped() -> None:
    broken = message(MessageType.UPDATE, b"\0\1\x21\0\0")
    [told] = read(offer(Direction.SEND), broken)
    assert told.action == "message-skipped"
