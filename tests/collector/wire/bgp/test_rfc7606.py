"""RFC 7606, case by case: what is wrong decides what becomes of the routes."""

from ipaddress import ip_address, ip_network

import pytest

from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.attributes import Code
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.distinguisher import RouteDistinguisher
from collector.wire.bgp.encode import encode_attribute, encode_attributes, encode_nlri
from collector.wire.bgp.families import IPV6_UNICAST, Afi
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.prefixed import PrefixedRoute
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.raw import canonical, raw_attributes
from collector.wire.bgp.update import Opaque, Update, decode_update

WEB = Nlri(ip_network("10.250.0.10/32"))
SIX = Nlri(ip_network("2001:db8:250::/48"))
GOOD = encode_attributes(Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4")))
UNICAST6 = b"\0\2\1"
REACH = encode_attribute(
    Code.MP_REACH_NLRI, UNICAST6 + b"\x10" + ip_address("2001:db8::1").packed + b"\0" + encode_nlri([SIX])
)


def update(attributes: bytes, *announced: Nlri, withdrawn: bytes = b"", context: UpdateContext | None = None) -> Update:
    """Decode an UPDATE of these attributes and prefixes."""
    sizes = len(withdrawn).to_bytes(2, "big"), len(attributes).to_bytes(2, "big")
    body = sizes[0] + withdrawn + sizes[1] + attributes + encode_nlri(announced)
    return decode_update(body, context or UpdateContext())


def without(code: int) -> bytes:
    """The good attributes but one."""
    return b"".join(item for at, item in _good() if at != code)


def instead(code: int, value: bytes, flags: int | None = None) -> bytes:
    """The good attributes, one of them with another value."""
    return without(code) + encode_attribute(code, value, flags)


def _good() -> list[tuple[int, bytes]]:
    return [(item.code, item.raw) for item in raw_attributes(GOOD)]


def remedies(of: Update) -> list[Remedy]:
    """What was done, in order."""
    return [problem.remedy for problem in of.problems]


def test_a_good_update_has_no_problem() -> None:
    decoded = update(GOOD, WEB)
    assert (decoded.announced, decoded.withdrawn, decoded.problems) == ((WEB,), (), ())
    assert decoded.attributes == canonical(GOOD)
    assert decoded.attributes_for().next_hop == ip_address("10.10.1.4")


TREATED_AS_WITHDRAW = {
    "7.1 ORIGIN of two octets": instead(Code.ORIGIN, b"\0\0"),
    "7.1 ORIGIN that is none": instead(Code.ORIGIN, b"\3"),
    "7.2 AS_PATH segment of an unknown type": instead(Code.AS_PATH, b"\5\1\0\0\0\1"),
    "7.2 AS_PATH segment without AS numbers": instead(Code.AS_PATH, b"\2\0"),
    "7.2 AS_PATH segment that overruns": instead(Code.AS_PATH, b"\2\3\0\0\0\1"),
    "7.3 NEXT_HOP of five octets": instead(Code.NEXT_HOP, bytes(5)),
    "7.4 MULTI_EXIT_DISC of three octets": GOOD + encode_attribute(Code.MULTI_EXIT_DISC, bytes(3)),
    "7.5 LOCAL_PREF of five octets": GOOD + encode_attribute(Code.LOCAL_PREF, bytes(5)),
    "7.8 COMMUNITIES of six octets": GOOD + encode_attribute(Code.COMMUNITIES, bytes(6)),
    "7.8 COMMUNITIES that are empty": GOOD + encode_attribute(Code.COMMUNITIES, b""),
    "7.9 ORIGINATOR_ID of three octets": GOOD + encode_attribute(Code.ORIGINATOR_ID, bytes(3)),
    "7.10 CLUSTER_LIST of six octets": GOOD + encode_attribute(Code.CLUSTER_LIST, bytes(6)),
    "7.10 CLUSTER_LIST that is empty": GOOD + encode_attribute(Code.CLUSTER_LIST, b""),
    "7.14 EXTENDED_COMMUNITIES of nine octets": GOOD + encode_attribute(Code.EXTENDED_COMMUNITIES, bytes(9)),
    "7.15 IPv6 EXTENDED_COMMUNITIES of 19": GOOD + encode_attribute(Code.IPV6_EXTENDED_COMMUNITIES, bytes(19)),
    "RFC 8092 LARGE_COMMUNITIES of 13 octets": GOOD + encode_attribute(Code.LARGE_COMMUNITIES, bytes(13)),
    "RFC 9234 ONLY_TO_CUSTOMER of two octets": GOOD + encode_attribute(Code.ONLY_TO_CUSTOMER, bytes(2)),
    "3 c ORIGIN with the flags of an optional attribute": instead(Code.ORIGIN, b"\0", 0xC0),
    "3 c COMMUNITIES with the flags of a well-known one": GOOD + encode_attribute(Code.COMMUNITIES, bytes(4), 0x40),
    "3 d ORIGIN is missing": without(Code.ORIGIN),
    "3 d AS_PATH is missing": without(Code.AS_PATH),
    "3 d NEXT_HOP is missing": without(Code.NEXT_HOP),
    "4 an attribute that overruns the list": GOOD + b"\xc0\x08\x09\0",
    "4 a list that ends inside a header": GOOD + b"\xc0\x08",
}


@pytest.mark.parametrize("attributes", TREATED_AS_WITHDRAW.values(), ids=TREATED_AS_WITHDRAW)
def test_treat_as_withdraw(attributes: bytes) -> None:
    decoded = update(attributes, WEB)
    assert remedies(decoded) == [Remedy.TREAT_AS_WITHDRAW]
    assert (decoded.announced, decoded.withdrawn, decoded.attributes) == ((), (WEB,), b"")


@pytest.mark.parametrize("attributes", TREATED_AS_WITHDRAW.values(), ids=TREATED_AS_WITHDRAW)
def test_without_routes_to_withdraw_nothing_is_believed(attributes: bytes) -> None:
    """RFC 7606, 5.2: the broken part may have held them."""
    if attributes in (without(Code.ORIGIN), without(Code.AS_PATH), without(Code.NEXT_HOP)):
        assert update(attributes) == Update(), "attributes without routes say nothing, and need not be whole"
        return
    decoded = update(attributes, withdrawn=encode_nlri([WEB]))
    assert remedies(decoded) == [Remedy.TREAT_AS_WITHDRAW, Remedy.MESSAGE_SKIPPED]
    assert (decoded.announced, decoded.withdrawn) == ((), ())


DISCARDED = {
    "7.6 ATOMIC_AGGREGATE of one octet": encode_attribute(Code.ATOMIC_AGGREGATE, b"\0"),
    "7.7 AGGREGATOR of six octets on a 4-octet session": encode_attribute(Code.AGGREGATOR, bytes(6)),
    "RFC 6793 AS4_PATH that overruns": encode_attribute(Code.AS4_PATH, b"\2\2\0\0\0\1"),
    "RFC 6793 AS4_AGGREGATOR of six octets": encode_attribute(Code.AS4_AGGREGATOR, bytes(6)),
    "RFC 7311 AIGP of an impossible length": encode_attribute(Code.AIGP, b"\1\0\4\0"),
    "RFC 7311 AIGP that overruns": encode_attribute(Code.AIGP, b"\2\0\xff"),
    "RFC 7311 AIGP shorter than its header": encode_attribute(Code.AIGP, b"\2\0\2"),
    "3 g an attribute sent twice": encode_attribute(Code.ORIGIN, b"\2"),
}


@pytest.mark.parametrize("extra", DISCARDED.values(), ids=DISCARDED)
def test_attribute_discard(extra: bytes) -> None:
    decoded = update(GOOD + extra, WEB)
    assert remedies(decoded) == [Remedy.ATTRIBUTE_DISCARD]
    assert (decoded.announced, decoded.withdrawn) == ((WEB,), ())
    assert decoded.attributes == canonical(GOOD), "the blob is that of the same routes without the attribute"
    assert decoded.problems[0].raw == extra


def test_an_aggregator_of_eight_octets_is_discarded_on_a_two_octet_session() -> None:
    two = encode_attributes(Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4")), two_octet=True)
    context = UpdateContext(two_octet=True)
    for size, wanted in ((8, [Remedy.ATTRIBUTE_DISCARD]), (6, [])):
        decoded = update(two + encode_attribute(Code.AGGREGATOR, bytes(size)), WEB, context=context)
        assert remedies(decoded) == wanted
        assert decoded.two_octet


SKIPPED = {
    "3 b withdrawn routes that overrun": b"\0\5\0\0",
    "3 b attributes that overrun": b"\0\0\0\5" + bytes(4),
    "3 b a body of one octet": b"\0",
    "3 g MP_REACH_NLRI sent twice": b"\0\0" + (2 * len(REACH)).to_bytes(2, "big") + 2 * REACH,
    "3 i a withdrawn prefix of 33 bits": b"\0\1\x21\0\0",
    "5.3 an announced prefix of 33 bits": b"\0\0" + len(GOOD).to_bytes(2, "big") + GOOD + b"\x21\0\0\0\0\0",
    "5.3 an announced prefix that overruns": b"\0\0" + len(GOOD).to_bytes(2, "big") + GOOD + b"\x20\1",
    "7.11 a next hop of an impossible length": b"\0\0\0\x08" + encode_attribute(14, UNICAST6 + b"\0\0"),
    "7.11 MP_REACH_NLRI that ends too early": b"\0\0\0\x05" + encode_attribute(14, b"\0\2"),
    "7.12 MP_UNREACH_NLRI that ends too early": b"\0\0\0\x05" + encode_attribute(15, b"\0\2"),
    "7.12 a withdrawn IPv6 prefix of 129 bits": b"\0\0\0\x07" + encode_attribute(15, UNICAST6 + b"\x81"),
}


@pytest.mark.parametrize("body", SKIPPED.values(), ids=SKIPPED)
def test_what_would_reset_the_session_is_believed_in_no_part(body: bytes) -> None:
    decoded = decode_update(body)
    assert Remedy.MESSAGE_SKIPPED in remedies(decoded)
    assert decoded == Update(problems=decoded.problems)


def test_the_strongest_remedy_decides() -> None:
    """RFC 7606, 3 h."""
    discard = encode_attribute(Code.ATOMIC_AGGREGATE, b"\0")
    withdraw = encode_attribute(Code.COMMUNITIES, bytes(3))
    both = update(GOOD + discard + withdraw, WEB)
    assert remedies(both) == [Remedy.ATTRIBUTE_DISCARD, Remedy.TREAT_AS_WITHDRAW]
    assert both.withdrawn == (WEB,)


def test_all_routes_of_a_message_are_withdrawn_those_in_the_attributes_too() -> None:
    vpn_route = b"\x70\0\0\x11" + bytes.fromhex("0000fdf200000001") + b"\x0a\xfa\0"
    labelled = encode_attribute(Code.MP_REACH_NLRI, b"\0\1\x80\x0c" + bytes(12) + b"\0" + vpn_route)
    six = update(REACH + instead(Code.ORIGIN, b"\7"), WEB)
    assert six.withdrawn == (SIX, WEB)
    vpn = update(labelled + instead(Code.ORIGIN, b"\7"), WEB)
    assert vpn.withdrawn == (WEB,)
    route = PrefixedRoute(ip_network("10.250.0.0/24"), 0, (), RouteDistinguisher(bytes.fromhex("0000fdf200000001")))
    assert vpn.opaque == (Opaque(Afi(1, 128), False, bytes(12), vpn_route, (route,)),), "and its label says nothing"


def test_wrong_flags_of_the_routes_attribute_withdraw_its_routes() -> None:
    decoded = update(b"\x40" + REACH[1:] + GOOD)
    assert remedies(decoded) == [Remedy.TREAT_AS_WITHDRAW]
    assert decoded.withdrawn == (SIX,)


def test_extended_length_and_partial_flags_are_nobodys_mistake() -> None:
    community = b"\xf0\x08\0\4" + bytes(4)
    assert update(GOOD + community, WEB).problems == ()


def test_mp_reach_routes_need_no_next_hop_attribute() -> None:
    decoded = update(REACH + without(Code.NEXT_HOP))
    assert (decoded.announced, decoded.problems) == ((SIX,), ())
    assert decoded.attributes_for().next_hop == ip_address("2001:db8::1")


def test_mp_reach_routes_need_origin_and_path() -> None:
    assert remedies(update(REACH)) == [Remedy.TREAT_AS_WITHDRAW] * 2


def test_a_next_hop_that_the_router_left_out_of_its_own_table_withdraws_nothing() -> None:
    """FRR 8.0 does so in the Loc-RIB and post-policy views of a VRF."""
    decoded = update(without(Code.NEXT_HOP), WEB, context=UpdateContext(rebuilt=True))
    assert (decoded.announced, remedies(decoded)) == ((WEB,), [Remedy.TAKEN_AS_IS])
    assert decoded.attributes_for().next_hop is None
    nothing = update(without(Code.ORIGIN), WEB, context=UpdateContext(rebuilt=True))
    assert remedies(nothing) == [Remedy.TREAT_AS_WITHDRAW]


def test_an_as_path_that_the_router_left_out_of_its_own_route_is_an_empty_one() -> None:
    """GoBGP 3.10 does so in its Loc-RIB. From a peer, it is RFC 7606, 3 d."""
    decoded = update(without(Code.AS_PATH), WEB, context=UpdateContext(rebuilt=True))
    assert (decoded.announced, remedies(decoded)) == ((WEB,), [Remedy.TAKEN_AS_IS])
    assert decoded.attributes_for().as_path == AsPath()
    heard = update(without(Code.AS_PATH), WEB)
    assert (heard.announced, heard.withdrawn) == ((), (WEB,))


def test_an_as_path_that_only_reads_with_two_octets_is_read_so_and_said() -> None:
    """FRR 8.0 sends such, with the A flag clear."""
    two = encode_attributes(Attributes(Origin.IGP, AsPath.of(64496, 58), ip_address("10.10.1.4")), two_octet=True)
    decoded = update(two, WEB)
    assert (decoded.announced, decoded.two_octet) == ((WEB,), True)
    assert remedies(decoded) == [Remedy.READ_AS_TWO_OCTET]
    assert decoded.attributes_for().as_path == AsPath.of(64496, 58)


def test_end_of_rib_is_an_update_that_says_nothing_else() -> None:
    assert decode_update(bytes(4)).end_of_rib is not None
    six = encode_attribute(Code.MP_UNREACH_NLRI, UNICAST6)
    assert update(six).end_of_rib == IPV6_UNICAST
    four = encode_attribute(Code.MP_UNREACH_NLRI, b"\0\1\1")
    assert str(update(four).end_of_rib) == "ipv4-unicast"
    assert update(six + encode_attribute(Code.ORIGIN, b"\0")).end_of_rib is None
    assert update(six, withdrawn=encode_nlri([WEB])).end_of_rib is None
    assert update(GOOD).end_of_rib is None
    assert update(encode_attribute(Code.MP_UNREACH_NLRI, UNICAST6 + encode_nlri([SIX]))).end_of_rib is None
