"""What real routers send and no RFC foresees, one test a habit; each names who has it."""

import io
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

import pytest

from anycast.observation import PeerType
from anycast.route import Asn, AsPath, Attributes, Origin
from collector.files.read import read_elements
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import (
    encode_attribute,
    encode_attributes,
    encode_end_of_rib,
    encode_family,
    encode_message,
    encode_update,
)
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.open import Direction, Open
from collector.wire.bgp.prefixed import PrefixedRoute
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import (
    Count,
    Initiation,
    Message,
    PeerDown,
    PeerUp,
    PerPeerHeader,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    Tlv,
)
from collector.wire.elements import decode_lines, elements
from tests.collector.wire.bmp.samples import header, peer_up, speaker

HELLO = Initiation((Tlv(2, b"edge"),))
WEB = Nlri(ip_network("10.250.0.10/32"))
ROUTE = Attributes(Origin.IGP, AsPath.of(64496, 65010), ip_address("10.10.1.4"))
LOC_RIB = header(None, 0, PeerType.LOC_RIB)
Line = dict[str, Any]


def lines(*said: Message | bytes) -> list[Line]:
    """The lines of a stream of these messages, after an Initiation.

    With them sent once more, so that their sessions are known, compiled code must say the same as the plain decoder.
    """
    start, rest = encode(HELLO), b"".join(item if isinstance(item, bytes) else encode(item) for item in said)
    again = start + rest + rest
    assert list(read_elements(io.BytesIO(again))) == list(elements(io.BytesIO(again)))
    return list(decode_lines(io.BytesIO(start + rest)))[1:]


def monitoring(body: bytes, of: PerPeerHeader | None = None, trailing: bytes = b"") -> RouteMonitoring:
    """A Route Monitoring of one UPDATE."""
    return RouteMonitoring(of or header(), encode_message(MessageType.UPDATE, body), trailing)


def announcing(*routes: Nlri, two_octet: bool = False, of: PerPeerHeader | None = None) -> RouteMonitoring:
    """A Route Monitoring that announces."""
    return monitoring(encode_update(routes, ROUTE, context=UpdateContext(two_octet=two_octet)), of)


def path_ids(body: bytes) -> bytes:
    """The same UPDATE with path id 1 in front of its one prefix of 32 bits."""
    return body[:-5] + b"\0\0\0\1" + body[-5:]


def test_frr_sends_an_open_that_is_nothing_but_a_header() -> None:
    up, route = lines(replace(peer_up(), received=None), announcing(WEB))
    assert (up["state"], up["detail"]) == ("up", "the received OPEN is a bare header of 19 octets")
    assert "received_open" not in up
    assert (route["type"], route["prefix"]) == ("A", "10.250.0.10/32")


def test_frr_8_0_has_a_peer_0_0_0_0_and_a_loc_rib_without_peer_up() -> None:
    nobody = Open(4, Asn(0), 0, IPv4Address(0))
    fake = replace(header(IPv4Address(0)), asn=Asn(0), identifier=IPv4Address(0))
    up = PeerUp(fake, IPv4Address(0), 0, 0, nobody, nobody, (Tlv(3, b"global"),))
    told, route = lines(up, announcing(WEB, of=LOC_RIB))
    assert (told["peer"], told["peer_asn"], told["table"]) == ("0.0.0.0", 0, "global")
    assert (route["type"], route["rib"], route["peer_type"]) == ("A", "loc", 3)
    assert "peer" not in route


def test_ios_xr_sends_routes_of_vpn_peers_that_never_came_up() -> None:
    orphan = header(distinguisher=0x2FBF000130011, peer_type=PeerType.DISTINGUISHED)
    [route] = lines(announcing(WEB, of=orphan))
    assert (route["prefix"], route["distinguisher"]) == ("10.250.0.10/32", "0002fbf000130011")
    assert "route_distinguisher" not in route


def test_a_routes_distinguisher_and_its_peers_are_two_things() -> None:
    """pmacct has one field for both."""
    from collector.wire.bgp.distinguisher import RouteDistinguisher

    vpn = Afi(1, 128)
    rd = RouteDistinguisher(bytes.fromhex("00010a0000010001"))
    of = header(distinguisher=0xFDF200000001, peer_type=PeerType.DISTINGUISHED)
    sides = speaker(families=(vpn,))
    body = encode_family(vpn, (PrefixedRoute(ip_network("10.250.8.0/30"), 0, (100,), rd),), ROUTE)
    [route] = lines(peer_up(of, sides, sides), monitoring(body, of))[1:]
    assert (route["route_distinguisher"], route["distinguisher"]) == ("10.0.0.1:1", "0000fdf200000001")
    assert (route["prefix"], route["labels"], route["next_hop"]) == ("10.250.8.0/30", [100], "10.10.1.4")
    assert (route["type"], route["family"]) == ("A", "vpnv4")


def test_huawei_sends_one_peer_up_a_family_and_the_capabilities_of_both_hold() -> None:
    ways = {IPV4_UNICAST: Direction(3)}
    one = speaker(families=(IPV4_UNICAST,), add_path=ways)
    two = speaker(families=(IPV6_UNICAST,), add_path={IPV6_UNICAST: Direction(3)})
    body = path_ids(encode_update([WEB], ROUTE))
    ups = [peer_up(LOC_RIB, side, side) for side in (one, two)]
    route = lines(*ups, monitoring(body, LOC_RIB))[-1]
    assert (route["prefix"], route["path_id"]) == ("10.250.0.10/32", 1)


def test_huawei_marks_paths_behind_the_update() -> None:
    best = lines(monitoring(encode_update([WEB], ROUTE), trailing=bytes.fromhex("ea620004 0000000a")))
    [route] = best
    assert route["information"] == [
        {"type": 0xEA62, "name": "path-marking", "status": ["best", "primary"], "hex": "0000000a"}
    ]
    [why] = lines(monitoring(encode_update([WEB], ROUTE), trailing=bytes.fromhex("ea620006 000000010007")))
    assert why["information"][0]["status"] == ["invalid"]
    assert why["information"][0]["reason"] == "not-preferred-peer-type"


@pytest.mark.parametrize("trailing", ["01", "000900", "0009000501"])
def test_octets_behind_the_update_that_are_no_tlvs_are_kept_and_cost_no_route(trailing: str) -> None:
    [route] = lines(monitoring(encode_update([WEB], ROUTE), trailing=bytes.fromhex(trailing)))
    assert (route["type"], route["information"]) == ("A", [{"type": 0, "hex": trailing}])


@pytest.mark.parametrize("hop", ["10.10.1.4", "2001:db8::1"])
def test_ios_xr_has_ipv4_routes_in_mp_reach_with_either_next_hop(hop: str) -> None:
    packed = ip_address(hop).packed
    reach = encode_attribute(14, b"\0\1\1" + bytes((len(packed),)) + packed + b"\0\x20\x0a\xfa\0\x0a")
    sent = reach + encode_attributes(replace(ROUTE, next_hop=None))
    [route] = lines(monitoring(b"\0\0" + len(sent).to_bytes(2, "big") + sent))
    assert (route["family"], route["prefix"], route["next_hop"]) == ("ipv4-unicast", "10.250.0.10/32", hop)


def test_the_end_of_the_ipv4_table_has_two_forms() -> None:
    other = b"\0\0\0\6" + encode_attribute(15, b"\0\1\1")
    ends = lines(monitoring(bytes(4)), monitoring(other), monitoring(encode_end_of_rib(IPV6_UNICAST)))
    assert [(line["type"], line["family"]) for line in ends] == [
        ("E", "ipv4-unicast"),
        ("E", "ipv4-unicast"),
        ("E", "ipv6-unicast"),
    ]


def test_frr_stamps_some_messages_with_zero() -> None:
    [route] = lines(announcing(WEB, of=header(seconds=0, microseconds=0)))
    assert "time" not in route
    assert "router_time" not in route


def test_huawei_stamps_with_the_routes_age_and_the_order_stays_that_of_the_wire() -> None:
    old, new = (announcing(WEB, of=header(seconds=at)) for at in (1_700_000_000, 1_600_000_000))
    assert [line["time"][:4] for line in lines(old, new)] == ["2023", "2020"]


def test_gobgp_mixes_2_and_4_octet_as_numbers_under_one_peer() -> None:
    wide, narrow = lines(announcing(WEB), announcing(WEB, two_octet=True, of=header(flags=0x20)))
    assert wide["as_path"] == narrow["as_path"] == "64496 65010"


def test_frr_leaves_the_a_flag_clear_over_2_octet_as_numbers() -> None:
    odd, route = lines(announcing(WEB, two_octet=True))
    assert (odd["type"], odd["action"]) == ("M", "read-as-two-octet")
    assert route["as_path"] == "64496 65010"


@pytest.mark.parametrize(
    ("sent", "received", "ids"),
    [(1, 2, True), (2, 2, False), (1, 1, False), (0, 3, False), (3, 0, False), (3, 3, True)],
)
def test_junos_offers_path_ids_one_sided_and_no_default_route_comes_of_it(sent: int, received: int, ids: bool) -> None:
    """Read with path ids where there are none, or the other way, the list would be full of 0.0.0.0/0 and /1."""

    def side(way: int) -> Open:
        return speaker(add_path={IPV4_UNICAST: Direction(way)} if way else None)

    body = encode_update([WEB], ROUTE)
    message = monitoring(path_ids(body) if ids else body)
    [route] = lines(peer_up(sent=side(sent), received=side(received)), message)[1:]
    assert (route["type"], route["prefix"]) == ("A", "10.250.0.10/32")
    assert route.get("path_id") == (1 if ids else None)


def test_gobgp_4_2_sends_path_ids_that_no_open_offers_and_no_default_route_comes_of_it() -> None:
    up = peer_up(LOC_RIB, speaker(), speaker())
    [told] = lines(up, monitoring(path_ids(encode_update([WEB], ROUTE)), LOC_RIB))[1:]
    assert (told["type"], told["action"]) == ("M", "message-skipped")
    assert told["detail"] == "the list of ipv4 prefixes holds the default route twice, as if path ids did"


def test_one_default_route_is_a_default_route() -> None:
    default = Nlri(ip_network("0.0.0.0/0"))
    assert [line["prefix"] for line in lines(announcing(default, WEB))] == ["0.0.0.0/0", "10.250.0.10/32"]


@pytest.mark.parametrize(("flags", "rib"), [(0x50, "adj-out-post"), (0x10, "adj-out-pre"), (0x40, "adj-in-post")])
def test_out_and_post_policy_flags_are_read_together(flags: int, rib: str) -> None:
    """gobmp read 0x50 as Adj-RIB-In and Adj-RIB-Out both."""
    assert [line["rib"] for line in lines(announcing(WEB, of=header(flags=flags)))] == [rib]


def test_a_filtered_loc_rib_says_so() -> None:
    [up] = lines(peer_up(header(None, 0x80, PeerType.LOC_RIB)))
    assert up["filtered"] is True
    assert "local_address" not in up
    [whole] = lines(peer_up(LOC_RIB))
    assert "filtered" not in whole


def test_gobgp_gives_a_reason_0_that_is_none() -> None:
    [down] = lines(PeerDown(header(), 0, rest=b"\1\2"))
    assert (down["reason"], down["reason_code"], down["detail"], down["raw"]) == ("other", 0, "reason 0", "0102")


def test_a_loc_rib_that_closes_names_its_table() -> None:
    [down] = lines(PeerDown(LOC_RIB, 6, tlvs=(Tlv(3, b"blue"),)))
    assert (down["reason_code"], down["table"]) == (6, "blue")
    assert down["information"] == [{"type": 3, "name": "table-name", "text": "blue"}]


def test_the_state_machines_event_has_its_name() -> None:
    [down] = lines(PeerDown(header(), 2, fsm_event=10))
    assert down["fsm_event"] == [10, "HoldTimer_Expires"]
    [unknown] = lines(PeerDown(header(), 2, fsm_event=300))
    assert unknown["fsm_event"] == [300, "event 300"]


def test_routes_after_a_peer_down_are_routes() -> None:
    """IOS XR withdraws its Loc-RIB around its Peer Down, GoBGP a peer's routes before."""
    gone = monitoring(encode_update(withdrawn=[WEB]))
    assert [line["type"] for line in lines(peer_up(), gone, PeerDown(header(), 4), gone)] == ["S", "W", "S", "W"]


def test_initiations_are_repeated_and_streams_begin_without_one() -> None:
    assert [line["type"] for line in lines(HELLO, HELLO, announcing(WEB))] == ["F", "F", "A"]
    [route] = decode_lines(io.BytesIO(encode(announcing(WEB))))
    assert (route["type"], route.get("router")) == ("A", None)


def test_a_virtual_mx_ends_with_a_reason_in_words_and_a_code() -> None:
    [ended] = lines(Termination((Tlv(0, b"bye"), Tlv(1, b"\0\0"))))
    assert ended["detail"] == "administratively closed, bye"
    assert ended["information"] == [
        {"type": 0, "name": "string", "text": "bye"},
        {"type": 1, "name": "reason", "hex": "0000"},
    ]


def test_a_peer_up_names_its_table_and_its_label() -> None:
    """RFC 9736: a namespace of its own, in which 2 is nobody's name."""
    up = replace(peer_up(), tlvs=(Tlv(0, b"hello"), Tlv(3, b"blue"), Tlv(4, b"site-a"), Tlv(2, b"x"), Tlv(9, b"\xff")))
    [told] = lines(up)
    assert told["table"] == "blue"
    assert told["information"] == [
        {"type": 0, "name": "string", "text": "hello"},
        {"type": 3, "name": "table-name", "text": "blue"},
        {"type": 4, "name": "admin-label", "text": "site-a"},
        {"type": 2, "hex": "78"},
        {"type": 9, "hex": "ff"},
    ]
    assert (told["local_address"], told["local_port"], told["remote_port"]) == ("10.10.255.4", 179, 40000)
    assert (told["sent_open"]["asn"], told["received_open"]["asn"]) == (65515, 65010)


def test_statistics_have_names_and_the_unknown_ones_are_kept() -> None:
    """Lengths 4, 8 and 11, FRR's own 65531, one that nobody knows, and one of a length that none has."""
    counts = (Count(7, 1 << 40), Count(17, 5, 1, 1), Count(17, 6, 1, 128), Count(65531, 2), Count(999, 1), Count(43, 3))
    [told] = lines(StatisticsReport(header(), counts, (Tlv(8, b"\0\1"),)))
    assert told["statistics"] == [
        {"name": "routes-in-adj-rib-in", "value": 1 << 40},
        {"name": "routes-in-adj-rib-out-post-by-family", "family": "ipv4-unicast", "value": 5},
        {"name": "routes-in-adj-rib-out-post-by-family", "family": "vpnv4", "value": 6},
        {"name": "frr-prefixes-rejected-by-invalid-next-hop", "value": 2},
        {"name": "type-999", "value": 1},
        {"name": "routes-in-adj-rib-out-post-rpki-not-found-by-family", "value": 3},
    ]
    assert told["counts"][1] == [17, 1, 1, 5]
    assert told["information"] == [{"type": 8, "hex": "0001"}]


def test_of_a_message_that_the_router_found_malformed_no_route_is_believed() -> None:
    update = encode_message(MessageType.UPDATE, encode_update([WEB], ROUTE))
    [told] = lines(RouteMirroring(header(), (Tlv(1, b"\0\0"), Tlv(0, update))))
    assert (told["type"], told["mirrored"], told["raw"]) == ("M", True, update.hex())
    [believed] = lines(RouteMirroring(header(), (Tlv(0, update),)))
    assert (believed["type"], believed["mirrored"]) == ("A", True)


def test_mirrored_messages_of_every_type_are_told_and_a_broken_one_costs_no_other() -> None:
    pdus = (
        encode_message(MessageType.OPEN, b"\4\xfd\xf2\0\xb4\x0a\x0a\1\4\0"),
        encode_message(MessageType.NOTIFICATION, b"\6\2"),
        encode_message(MessageType.ROUTE_REFRESH, b"\0\1\0\1"),
        b"broken",
        encode_message(MessageType.KEEPALIVE),
        encode_message(MessageType.UPDATE, encode_update([WEB], ROUTE)),
    )
    said = lines(RouteMirroring(header(), (*(Tlv(0, pdu) for pdu in pdus), Tlv(1, b"\0\1"), Tlv(7, b"?"))))
    assert [line["type"] for line in said] == ["S", "S", "S", "M", "A", "F", "F"]
    assert said[0]["received_open"]["asn"] == 65010
    assert said[1]["notification"] == [6, 2, ""]
    assert said[5]["detail"] == "the router lost mirrored messages"
    assert said[6]["information"] == [{"type": 7, "hex": "3f"}]


def test_a_malformed_large_community_withdraws_the_route() -> None:
    """pmacct kept the prefix that was there before (RFC 7606, 2, and RFC 8092, 6)."""
    sent = encode_attributes(ROUTE) + encode_attribute(32, bytes(13))
    told, route = lines(monitoring(b"\0\0" + len(sent).to_bytes(2, "big") + sent + b"\x20\x0a\xfa\0\x0a"))
    assert (told["action"], route["type"]) == ("treat-as-withdraw", "W")


def test_an_external_peers_malformed_local_pref_is_left_out_and_an_internal_ones_withdraws() -> None:
    """RFC 7606, 7.5, 7.9 and 7.10."""
    for code, size in ((5, 3), (9, 3), (10, 3)):
        sent = encode_attributes(ROUTE) + encode_attribute(code, bytes(size))
        body = b"\0\0" + len(sent).to_bytes(2, "big") + sent + b"\x20\x0a\xfa\0\x0a"
        outside = lines(peer_up(), monitoring(body))[1:]
        assert [line.get("action", line["type"]) for line in outside] == ["attribute-discard", "A"]
        inside = lines(peer_up(sent=speaker(65010)), monitoring(body))[1:]
        assert [line.get("action", line["type"]) for line in inside] == ["treat-as-withdraw", "W"]
        exported = lines(peer_up(), monitoring(body, header(flags=0x10)))[1:]
        assert [line.get("action", line["type"]) for line in exported] == ["treat-as-withdraw", "W"]


def test_an_aigp_with_the_flags_of_a_transitive_attribute_is_left_out() -> None:
    """RFC 7311, 3.2: it is malformed, and its own RFC says what that costs."""
    sent = encode_attributes(ROUTE) + encode_attribute(26, b"\1\0\x0b" + bytes(8), 0xC0)
    told, route = lines(monitoring(b"\0\0" + len(sent).to_bytes(2, "big") + sent + b"\x20\x0a\xfa\0\x0a"))
    assert (told["action"], route["type"], route.get("aigp")) == ("attribute-discard", "A", None)


@pytest.mark.parametrize(
    "value", [bytes(3), bytes(4) + b"\x40", bytes(4) + b"\x40\1\2\0", bytes(4) + b"\x80\x0e\3\0\1\1"]
)
def test_a_malformed_attr_set_withdraws_the_route(value: bytes) -> None:
    """RFC 7606, 7.16; RFC 6368, 5."""
    sent = encode_attributes(ROUTE) + encode_attribute(128, value)
    told, route = lines(monitoring(b"\0\0" + len(sent).to_bytes(2, "big") + sent + b"\x20\x0a\xfa\0\x0a"))
    assert (told["action"], route["type"]) == ("treat-as-withdraw", "W")
