"""Multicast, labelled, VPN and EVPN routes."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.observation import Rib
from anycast.prefix import Address
from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.context import UpdateContext, context_of
from collector.wire.bgp.distinguisher import RouteDistinguisher
from collector.wire.bgp.encode import encode_attribute, encode_family
from collector.wire.bgp.evpn import EvpnRoute, decode_evpn, encode_evpn
from collector.wire.bgp.families import EVPN, IPV4_UNICAST, NAMES, PREFIXED, Afi
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.prefixed import PrefixedRoute, decode_prefixed, encode_prefixed
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.reach import decode_next_hop
from collector.wire.bgp.update import decode_update
from collector.wire.errors import Malformed
from tests.collector.wire.bmp.samples import speaker
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import distinguishers, evpn, ipv4, ipv6, prefixed

WEB = ip_network("10.250.0.10/32")
OURS = RouteDistinguisher(bytes.fromhex("0000fdf200000001"))
ROUTE = Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4"))
VPNV4, VPNV6, LABELLED, MULTICAST = Afi(1, 128), Afi(2, 128), Afi(1, 4), Afi(1, 2)


@given(st.sampled_from(sorted(PREFIXED)), st.booleans(), st.booleans(), st.data())
def test_decoding_undoes_encoding(family: Afi, add_path: bool, announced: bool, data: st.DataObject) -> None:
    routes = data.draw(prefixed(family, add_path, announced))
    assert decode_prefixed(encode_prefixed(routes, family, add_path), family, add_path, announced) == routes


@given(st.booleans(), st.data())
def test_decoding_evpn_undoes_encoding(add_path: bool, data: st.DataObject) -> None:
    routes = data.draw(evpn(add_path))
    assert decode_evpn(encode_evpn(routes, add_path), add_path) == routes


@given(st.sampled_from(sorted(PREFIXED)), st.booleans(), st.booleans(), st.binary(max_size=60))
def test_any_octets_are_routes_or_malformed(family: Afi, add_path: bool, announced: bool, data: bytes) -> None:
    error = refusal(lambda: decode_prefixed(data, family, add_path, announced))
    assert error is None or error.reason
    error = refusal(lambda: [(str(route.distinguisher), route.prefix) for route in decode_evpn(data, add_path)])
    assert error is None or error.reason


@given(st.sampled_from(sorted(PREFIXED)), st.booleans(), st.data())
def test_an_update_of_any_family_comes_back_with_its_next_hop(family: Afi, add_path: bool, data: st.DataObject) -> None:
    routes = data.draw(prefixed(family, add_path, True))
    hop: Address = data.draw(ipv4) if family.afi == 1 else data.draw(ipv6)
    attributes = Attributes(Origin.IGP, AsPath.of(65010), hop)
    context = UpdateContext(frozenset({family} if add_path else ()))
    [part] = decode_update(encode_family(family, routes, attributes, add_path), context).opaque
    assert (part.family, part.announced, part.routes) == (family, True, routes)
    assert (
        decode_update(encode_family(family, routes, attributes, add_path), context).attributes_for(family) == attributes
    )
    [gone] = decode_update(encode_family(family, routes, None, add_path), context).opaque
    assert [route.prefix for route in gone.routes] == [route.prefix for route in routes]
    assert all(isinstance(route, PrefixedRoute) and route.labels == () for route in gone.routes)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0000fdf200000001", "65010:1"),
        ("00010a0000010001", "10.0.0.1:1"),
        ("0002fa56ea000001", "4200000000:1"),
        ("00020000fdf20001", "65010L:1"),
        ("0003fdf200000001", "0003fdf200000001"),
    ],
)
def test_a_distinguisher_is_written_by_its_type(octets: str, text: str) -> None:
    """RFC 4364, 4.2. A type 2 with a small AS is another distinguisher than the type 0 of the same numbers."""
    assert str(RouteDistinguisher(bytes.fromhex(octets))) == text


@given(st.sets(distinguishers, min_size=2, max_size=2))
def test_two_distinguishers_never_look_the_same(two: set[RouteDistinguisher]) -> None:
    assert len(set(map(str, two))) == 2


def test_a_stack_of_labels_ends_at_its_bottom() -> None:
    [route] = decode_prefixed(bytes.fromhex("50 000640 0006e1 0afa000a"), LABELLED, False, True)
    assert (route.labels, route.prefix) == ((100, 110), WEB)


def test_no_label_in_an_announcement_is_none_and_hides_no_prefix() -> None:
    [route] = decode_prefixed(bytes.fromhex("38 800000 0afa000a"), LABELLED, False, True)
    assert (route.labels, route.prefix) == ((), WEB)


def test_a_single_label_may_lack_the_bottom_bit() -> None:
    """RFC 8277, 2.2: it is to be ignored where one label is all that a route can have."""
    [route] = decode_prefixed(bytes.fromhex("38 000640 0afa000a"), LABELLED, False, True)
    assert (route.labels, route.prefix) == ((100,), WEB)


@pytest.mark.parametrize("label", ["800000", "000000", "000641"])
def test_the_label_of_a_withdrawn_route_says_nothing(label: str) -> None:
    """RFC 8277, 2.4."""
    [route] = decode_prefixed(bytes.fromhex("38" + label + "0afa000a"), LABELLED, False, False)
    assert route == PrefixedRoute(WEB)


def test_a_withdrawn_route_may_have_all_its_labels_as_gobgp_sends_it() -> None:
    """Recorded of GoBGP 3.10: 10.41.0.0/24 behind the labels 100 and 200."""
    [route] = decode_prefixed(bytes.fromhex("48 000640 000c81 0a2900"), LABELLED, False, False)
    assert route == PrefixedRoute(ip_network("10.41.0.0/24"))


@pytest.mark.parametrize(
    ("family", "octets"),
    [
        (MULTICAST, "21 0afa000a00"),
        (MULTICAST, "20 0afa"),
        (LABELLED, "17 000641"),
        (LABELLED, "39 000641 0afa000a00"),
        (VPNV4, "57 000641 0000fdf2000000"),
        (VPNV4, "79 000641 0000fdf200000001 0afa000a00"),
        (VPNV6, "ff 000641 0000fdf200000001" + 21 * "00"),
    ],
)
def test_a_length_that_the_family_cannot_have_is_malformed(family: Afi, octets: str) -> None:
    with pytest.raises(Malformed):
        decode_prefixed(bytes.fromhex(octets), family, False, True)


def test_a_route_of_a_vpn_that_cannot_be_read_takes_its_message_along() -> None:
    """RFC 7606, 5.3."""
    reach = encode_attribute(14, b"\0\1\x80\x0c" + bytes(12) + b"\0" + b"\x20vpn!")
    decoded = decode_update(b"\0\0" + len(reach).to_bytes(2, "big") + reach)
    assert [problem.remedy for problem in decoded.problems][-1] is Remedy.MESSAGE_SKIPPED
    assert decoded.opaque == ()


def test_the_default_route_of_a_vpn_is_no_length_too_short() -> None:
    [route] = decode_prefixed(bytes.fromhex("58 000641 0000fdf200000001"), VPNV4, False, True)
    assert (route.prefix, route.distinguisher) == (ip_network("0.0.0.0/0"), OURS)


NEXT_HOPS = {
    "RFC 4364 VPN, IPv4": (VPNV4, bytes(8) + ip_address("10.0.0.1").packed, ("10.0.0.1", None)),
    "RFC 4659 VPN, IPv4 in IPv6": (VPNV6, bytes(8) + ip_address("::ffff:10.0.0.1").packed, ("::ffff:10.0.0.1", None)),
    "RFC 8950 VPN, IPv6": (VPNV4, bytes(8) + ip_address("2001:db8::1").packed, ("2001:db8::1", None)),
    "RFC 8950 VPN, IPv6 and link-local": (
        VPNV4,
        bytes(8) + ip_address("2001:db8::1").packed + bytes(8) + ip_address("fe80::1").packed,
        ("2001:db8::1", "fe80::1"),
    ),
    "RFC 5549 VPN, IPv6 without distinguisher, as Junos sends it": (
        VPNV4,
        ip_address("2001:db8::1").packed,
        ("2001:db8::1", None),
    ),
    "RFC 8950 unicast, IPv6": (IPV4_UNICAST, ip_address("2001:db8::1").packed, ("2001:db8::1", None)),
    "RFC 7432 EVPN, IPv4": (EVPN, ip_address("10.0.0.1").packed, ("10.0.0.1", None)),
}


@pytest.mark.parametrize(("family", "octets", "hops"), NEXT_HOPS.values(), ids=NEXT_HOPS)
def test_next_hops_are_read_without_their_distinguisher(
    family: Afi, octets: bytes, hops: tuple[str, str | None]
) -> None:
    found = decode_next_hop(family, octets)
    assert tuple(hop and str(hop) for hop in found) == tuple(hop and str(ip_address(hop)) for hop in hops)


@pytest.mark.parametrize(("family", "size"), [(VPNV4, 8), (VPNV6, 12), (EVPN, 12), (LABELLED, 12), (Afi(2, 4), 4)])
def test_a_next_hop_of_another_length_is_malformed(family: Afi, size: int) -> None:
    """RFC 7606, 7.11."""
    with pytest.raises(Malformed, match=f"a next hop of {family} has"):
        decode_next_hop(family, bytes(size))


def test_an_evpn_route_has_its_type_distinguisher_and_prefix() -> None:
    """RFC 9136, 3.1: an IP prefix route; and RFC 7432, 7.2: a MAC address with no prefix to it."""
    front = OURS.octets + bytes(14)
    prefix = EvpnRoute(5, b"\5\x22" + front + b"\x10\x0a\xfa\0\0" + bytes(7))
    assert (prefix.name, str(prefix.distinguisher), prefix.prefix) == (
        "ip-prefix",
        "65010:1",
        ip_network("10.250.0.0/16"),
    )
    wide = EvpnRoute(5, b"\5\x3a" + front + b"\x20\x20\1\x0d\xb8" + bytes(12 + 19))
    assert wide.prefix == ip_network("2001:db8::/32")
    mac = EvpnRoute(2, b"\2\x16" + front)
    assert (mac.name, str(mac.distinguisher), mac.prefix) == ("mac-ip-advertisement", "65010:1", None)
    unknown = EvpnRoute(77, b"\x4d\x08" + OURS.octets)
    assert (unknown.name, unknown.distinguisher) == ("type 77", None)
    too_long = EvpnRoute(5, b"\5\x22" + front + b"\x21" + bytes(11))
    assert too_long.prefix is None


def test_a_family_that_the_session_never_negotiated_is_kept_in_its_octets() -> None:
    """Huawei VRP sends labelled routes with path ids in a Loc-RIB that offers neither."""
    body = encode_family(LABELLED, (PrefixedRoute(WEB, 0, (100,)),), ROUTE)
    plain = context_of(Rib.ADJ_IN_PRE, False, speaker(), speaker())
    [part] = decode_update(body, plain).opaque
    assert (part.routes, part.negotiated) == ((), False)
    both = speaker(families=(IPV4_UNICAST, LABELLED))
    [part] = decode_update(body, context_of(Rib.ADJ_IN_PRE, False, both, both)).opaque
    assert part.negotiated
    assert [route.prefix for route in part.routes] == [WEB]


@pytest.mark.parametrize(("sent", "received", "routes"), [(True, True, 1), (True, False, 0), (False, True, 0)])
def test_both_sides_must_have_offered_the_family(sent: bool, received: bool, routes: int) -> None:
    offers = speaker(families=(LABELLED,)), speaker()
    context = context_of(Rib.ADJ_IN_PRE, False, offers[not sent], offers[not received])
    [part] = decode_update(encode_family(LABELLED, (PrefixedRoute(WEB, 0, (100,)),), ROUTE), context).opaque
    assert len(part.routes) == routes


def test_unicast_and_vpn_routes_of_one_update_have_each_their_next_hop() -> None:
    vpn = encode_family(VPNV4, (PrefixedRoute(WEB, 0, (100,), OURS),), ROUTE)
    sent = vpn[4:] + encode_attribute(3, ip_address("10.9.9.9").packed)
    decoded = decode_update(b"\0\0" + len(sent).to_bytes(2, "big") + sent + b"\x20\x0a\xfa\0\x0a")
    assert decoded.announced == (Nlri(WEB),)
    assert str(decoded.attributes_for(VPNV4).next_hop) == "10.10.1.4"
    assert str(decoded.attributes_for(IPV4_UNICAST).next_hop) == "10.9.9.9"


def test_every_decoded_family_has_a_name() -> None:
    assert set(PREFIXED) <= set(NAMES)
