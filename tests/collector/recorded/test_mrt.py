"""MRT records as the BMP that a router with the same peers would have sent: the same routes, sessions and times."""

import gzip
import io
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from anycast.route import Attributes
from collector.recorded.moment import Moment, What
from collector.recorded.mrt import Passed, mrt_moments
from collector.wire.bgp.message import MessageType
from collector.wire.bmp.elements import bmp_elements
from collector.wire.element import Element, ElementType
from collector.wire.elements import elements
from collector.wire.mrt.values import RecordType
from tests import needs
from tests.collector.bmp.streams import attributes, nlri, open_message, reach, unreach
from tests.collector.wire.mrt import writing

UNICAST = ("ipv4-unicast", "ipv6-unicast")  # of other families the station keeps nothing
ROUTES = (ElementType.ANNOUNCEMENT, ElementType.WITHDRAWAL, ElementType.RIB)


def played(*files: bytes) -> tuple[list[Moment], list[Element], Passed]:
    passed = Passed()
    moments = list(mrt_moments(map(io.BytesIO, files), "rs", 0, passed))
    stream = b"".join(moment.octets for moment in moments)
    return moments, list(bmp_elements([(None, stream)])), passed


def routes(found: list[Element]) -> list[tuple[object, ...]]:
    """What was said of routes, whatever kind of record said it; no UPDATE can say what BIRD dumps without an origin."""
    return [
        (
            element.type is ElementType.WITHDRAWAL,
            element.peer,
            element.peer_asn,
            element.prefix,
            element.path_id,
            element.attributes and _as_an_update_can_say(element.attributes),
            element.rib or "adj-in-pre",
        )
        for element in found
        if element.type in ROUTES
        and element.family in UNICAST
        and (element.attributes is None or element.attributes.origin is not None)
    ]


def _as_an_update_can_say(value: Attributes) -> Attributes:
    """BIRD 1.6 leaves out the next hop of an IPv6 table, which becomes `::`; the old table of OpenBGPD has an
    aggregator with 2 octets of AS number, which is discarded (RFC 7606, 7.7)."""
    hop = None if value.next_hop == IPv6Address("::") else value.next_hop
    return replace(value, next_hop=hop, link_local=None, aggregator=None)


SHARED = {  # routes that the plain decoder reads, which equals bgpdump (tests/collector/wire/mrt/test_bgpdump.py)
    "bird-mrtdump_bgp.mrt": 0,
    "bird-mrtdump_rib.mrt": 6,
    "bird6-mrtdump_rib.mrt": 6,
    "openbgpd_rib_table-v2.mrt": 31,
    "openbgpd_rib_table.mrt": 31,
    "quagga_bgp.mrt": 0,
    "quagga_rib.mrt": 9,
    "rrc15.updates.20100227.1600.gz": 53_000,
    "rrc00.updates.19990903.1041.gz": 65_000,
}


@pytest.mark.parametrize("name", SHARED)
def test_every_route_of_a_real_file_arrives_as_it_was(name: str) -> None:
    path: Path = needs.captures() / "mrt" / name
    with path.open("rb") as file:
        plain = routes(list(elements(file)))
    _, found, passed = played(gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes())
    assert routes(found) == plain
    assert len(plain) >= SHARED[name]
    assert passed.damaged == 0


ORDINARY = attributes(65010)
SERVICE, OTHER = nlri("10.250.0.10/32"), nlri("10.250.8.0/24")


def update(announced: bytes = b"", withdrawn: bytes = b"", sent: bytes = ORDINARY) -> bytes:
    body = len(withdrawn).to_bytes(2, "big") + withdrawn
    sent = sent if announced or sent is not ORDINARY else b""
    return body + len(sent).to_bytes(2, "big") + sent + announced


def message(body: bytes, kind: int = MessageType.UPDATE, subtype: int = 4, stamp: int = writing.STAMP) -> bytes:
    whole = b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + bytes((kind,)) + body
    width = 2 if subtype in (1, 6, 8, 10) else 4
    return writing.record(RecordType.BGP4MP, subtype, writing.ends(width) + whole, stamp)


def state(old: int, new: int, stamp: int = writing.STAMP) -> bytes:
    change = old.to_bytes(2, "big") + new.to_bytes(2, "big")
    return writing.record(RecordType.BGP4MP, 5, writing.ends() + change, stamp)


def kinds(found: list[Element]) -> str:
    return "".join(f"{element.type}{'+' if element.state == 'up' else ''}" for element in found)


def test_a_session_that_comes_and_goes_is_a_peer_up_and_a_peer_down_with_its_reason() -> None:
    cease = message(b"\x06\x02", MessageType.NOTIFICATION)
    _, found, _ = played(state(5, 6) + message(update(SERVICE)) + cease + state(6, 1))
    up, down = [element for element in found if element.type is ElementType.STATE]
    assert (up.state, up.peer, down.state) == ("up", IPv4Address("10.10.1.4"), "down")
    assert "Administrative Shutdown" in down.detail
    assert kinds(found) == "FS+AS"


def test_a_peer_that_speaks_without_having_come_up_is_up() -> None:
    _, found, _ = played(message(update(SERVICE)))
    assert kinds(found) == "FS+A"


def test_a_state_change_between_two_states_that_are_both_down_says_nothing() -> None:
    _, found, _ = played(state(1, 3) + message(update(SERVICE)))
    assert kinds(found) == "FS+A"


def test_a_session_that_was_never_seen_up_and_goes_down_goes_down() -> None:
    _, found, _ = played(state(6, 1))
    assert kinds(found) == "FS"


def test_both_opens_are_those_that_were_recorded() -> None:
    ours = open_message(65001, "10.10.255.4", hold=9)[19:]
    theirs = open_message(65010, "10.10.1.4", hold=30)[19:]
    opens = message(ours, MessageType.OPEN, 7) + message(theirs, MessageType.OPEN)
    _, found, _ = played(opens + state(5, 6))
    [up] = [element for element in found if element.type is ElementType.STATE]
    assert up.hold_time == 9


def test_path_ids_are_read_where_the_record_says_so_and_nowhere_else() -> None:
    with_id = nlri("10.250.0.10/32", path_id=7)
    _, found, _ = played(
        message(update(with_id), subtype=9) + message(update(nlri("10.250.8.0/24", path_id=8)), subtype=9)
    )
    assert [(str(e.prefix), e.path_id) for e in found if e.type in ROUTES] == [
        ("10.250.0.10/32", 7),
        ("10.250.8.0/24", 8),
    ]
    _, found, _ = played(message(update(SERVICE)))
    assert [(str(e.prefix), e.path_id) for e in found if e.type in ROUTES] == [("10.250.0.10/32", None)]


def test_path_ids_of_one_family_are_not_taken_for_the_other_family_s() -> None:
    hop = reach("2001:db8::/48", next_hop="2001:db8::1")
    _, found, _ = played(
        message(update(nlri("10.250.0.10/32", path_id=7)), subtype=9) + message(update(b"", sent=ORDINARY + hop))
    )
    assert [(str(e.prefix), e.path_id) for e in found if e.type in ROUTES] == [
        ("10.250.0.10/32", 7),
        ("2001:db8::/48", None),
    ]


def test_two_octet_paths_are_read_as_such() -> None:
    narrow = attributes(65010, 64999, width=2)
    _, found, _ = played(message(update(SERVICE, sent=narrow), subtype=1))
    [route] = [element for element in found if element.type in ROUTES]
    assert route.attributes is not None
    assert str(route.attributes.as_path) == "65010 64999"


def test_what_the_recording_side_sent_is_a_view_of_its_own() -> None:
    _, found, _ = played(message(update(SERVICE), subtype=7))
    assert [element.rib for element in found if element.type in ROUTES] == ["adj-out-post"]


def test_a_table_dump_is_each_peer_s_table_with_its_end() -> None:
    two = writing.peer_table((b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2", b"\0\x0a\x0a\1\5\x0a\x0a\1\5\xfd\xf2"))
    dump = two + writing.rib(2, SERVICE, ORDINARY) + writing.rib(2, SERVICE, ORDINARY, index=1)
    _, found, _ = played(dump)
    assert kinds(found) == "FS+AS+AEE"
    _, found, _ = played(dump, message(update(withdrawn=SERVICE), stamp=writing.STAMP + 9))
    assert kinds(found) == "FS+AS+AEEW"


def test_an_abbreviated_ipv6_next_hop_of_a_table_is_whole_again() -> None:
    hop = b"\x80\x0e\x11\x10" + IPv6Address("2001:db8::1").packed
    _, found, _ = played(writing.peer_table() + writing.rib(4, nlri("2001:db8::/48"), ORDINARY + hop))
    [route] = [element for element in found if element.type in ROUTES]
    assert route.attributes is not None
    assert (str(route.prefix), str(route.attributes.next_hop)) == ("2001:db8::/48", "2001:db8::1")


def test_a_table_with_path_ids_keeps_them() -> None:
    _, found, _ = played(writing.peer_table() + writing.rib(8, SERVICE, ORDINARY, path_id=b"\0\0\0\x05"))
    assert [element.path_id for element in found if element.type in ROUTES] == [5]


def test_time_is_that_of_the_records_and_never_goes_back() -> None:
    at = writing.STAMP
    moments, _, _ = played(
        message(update(SERVICE), stamp=at) + message(update(OTHER), stamp=at - 5) + message(update(OTHER), stamp=at + 5)
    )
    said = [moment for moment in moments if moment.what is What.OCTETS]
    assert [moment.at // 1_000_000_000 - at for moment in said] == [0, 0, 0, 0, 5]
    assert moments[0].what is What.OPEN


def midway(*files: bytes) -> list[tuple[What, object]]:
    """What is said of the middle in which a recording begins, and whose."""
    moments, _, _ = played(*files)
    return [(moment.what, moment.peer) for moment in moments if moment.what in (What.MIDWAY, What.WHOLE)]


PEER = IPv4Address("10.10.1.4")
TABLE = writing.peer_table((b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2",))


def test_updates_alone_join_the_connection_and_the_session_in_their_middle() -> None:
    assert midway(message(update(SERVICE))) == [(What.MIDWAY, None), (What.MIDWAY, PEER)]
    assert midway(message(update(SERVICE)), message(update(OTHER))) == [(What.MIDWAY, None), (What.MIDWAY, PEER)]


def test_what_was_dumped_before_is_joined_nowhere_in_its_middle_even_without_a_route() -> None:
    assert midway(TABLE + writing.rib(2, OTHER, ORDINARY), message(update(SERVICE))) == []
    assert midway(TABLE, message(update(SERVICE))) == []


def test_a_session_that_comes_up_in_the_recording_is_whole() -> None:
    assert midway(state(5, 6) + message(update(SERVICE))) == [(What.MIDWAY, None)]
    assert midway(message(update(SERVICE)) + state(6, 1) + state(5, 6) + message(update(SERVICE))) == [
        (What.MIDWAY, None),
        (What.MIDWAY, PEER),
    ]
    hello = message(open_message(65010, "10.10.1.4")[19:], MessageType.OPEN)
    assert midway(hello + message(update(SERVICE))) == [(What.MIDWAY, None)]


def test_a_dump_that_comes_later_makes_a_session_whole() -> None:
    found = midway(message(update(SERVICE)), TABLE + writing.rib(2, OTHER, ORDINARY))
    assert found == [(What.MIDWAY, None), (What.MIDWAY, PEER), (What.WHOLE, PEER)]


def test_damage_and_other_protocols_are_counted_and_the_rest_is_played() -> None:
    broken = writing.record(RecordType.BGP4MP, 4, b"\0\1")
    ospf = writing.record(RecordType.OSPFV2, 0, b"something")
    _, found, passed = played(message(update(SERVICE)) + broken + ospf + message(update(OTHER)))
    assert (passed.damaged, passed.unread) == (1, 1)
    assert kinds(found) == "FS+AA"


def test_an_update_that_does_not_read_reaches_the_station_as_it_is() -> None:
    lying = b"\0\0\xff\xff" + ORDINARY
    moments, found, _ = played(message(lying))
    assert any(lying in moment.octets for moment in moments)
    assert ElementType.MALFORMED in {element.type for element in found}


def test_what_may_hold_path_ids_of_a_session_without_opens_is_counted_and_plays_no_part() -> None:
    odd = nlri("10.250.0.0/24", path_id=0x0803FF00)
    _, found, passed = played(message(update(odd)) + message(update(nlri("10.251.0.0/24"))))
    assert [str(element.prefix) for element in found if element.type in ROUTES] == ["10.251.0.0/24"]
    assert passed.damaged == 1
    recorded = list(elements(io.BytesIO(message(update(odd)))))
    assert [element.type for element in recorded] == [ElementType.MALFORMED]
    assert "may hold path ids" in recorded[0].detail


def test_a_withdrawal_in_mp_unreach_is_one() -> None:
    _, found, _ = played(message(update(b"", sent=unreach("2001:db8::/48"))))
    assert kinds(found) == "FS+W"
