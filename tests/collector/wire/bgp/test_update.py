"""UPDATE: decoding undoes encoding, whatever the family and the session."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Address, Family, Prefix
from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.attributes import Code
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.distinguisher import RouteDistinguisher
from collector.wire.bgp.encode import encode_attribute, encode_attributes, encode_end_of_rib, encode_nlri, encode_update
from collector.wire.bgp.evpn import EvpnRoute
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.path import read
from collector.wire.bgp.prefixed import PrefixedRoute
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.raw import canonical
from collector.wire.bgp.update import Opaque, Update, decode_update
from tests.collector.wire.strategies import ipv4, ipv6, plain_paths, prefixes4, prefixes6, routes, some_attributes

UNICAST = frozenset({IPV4_UNICAST, IPV6_UNICAST})
contexts = st.builds(
    UpdateContext, st.frozensets(st.sampled_from(sorted(UNICAST)), max_size=2), st.booleans(), st.just(UNICAST)
)


def _both(context: UpdateContext) -> st.SearchStrategy[tuple[tuple[Nlri, ...], tuple[Nlri, ...]]]:
    four = routes(prefixes4, IPV4_UNICAST in context.add_path)
    six = routes(prefixes6, IPV6_UNICAST in context.add_path)
    return st.tuples(four, six)


@given(contexts, some_attributes, st.data())
def test_decoding_undoes_encoding(context: UpdateContext, attributes: Attributes, data: st.DataObject) -> None:
    if context.two_octet:  # what old speakers cannot say is not theirs to say
        attributes = replace(attributes, as_path=data.draw(plain_paths))
    gone4, gone6 = data.draw(_both(context))
    here4, here6 = data.draw(_both(context))
    hops: st.SearchStrategy[Address] = ipv4 if here4 else ipv6
    link_local = None if here4 else data.draw(st.none() | ipv6)
    attributes = replace(attributes, next_hop=data.draw(hops), link_local=link_local)
    announced = here4 or here6
    decoded = decode_update(encode_update(announced, attributes, gone4 + gone6, context), context)
    assert decoded.problems == ()
    assert (decoded.announced, decoded.withdrawn) == (announced, gone4 + gone6)
    assert decoded.end_of_rib is None
    if announced:
        aggregator = decoded.attributes_for().aggregator
        assert replace(decoded.attributes_for(), aggregator=aggregator) == replace(attributes, aggregator=aggregator)
        assert aggregator == attributes.aggregator


@given(st.binary(max_size=80), contexts, st.booleans())
def test_any_bytes_are_an_update_and_its_problems(body: bytes, context: UpdateContext, known: bool) -> None:
    decoded = decode_update(body, context if known else replace(context, families=None))
    _sane(decoded)


@given(some_attributes, st.data())
def test_an_update_with_octets_changed_is_an_update_and_its_problems(
    attributes: Attributes, data: st.DataObject
) -> None:
    announced = data.draw(routes(prefixes6, False))
    body = bytearray(encode_update(announced, replace(attributes, next_hop=ip_address("2001:db8::1"))))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    _sane(decode_update(bytes(body)))


def _sane(decoded: Update) -> None:
    """What every decoded UPDATE can be asked."""
    remedies = {problem.remedy for problem in decoded.problems}
    if Remedy.MESSAGE_SKIPPED in remedies:
        assert decoded == Update(problems=decoded.problems)
    if Remedy.TREAT_AS_WITHDRAW in remedies:
        assert not decoded.announced
    for family in (None, Family.IPV4, Family.IPV6):
        if decoded.announced:
            decoded.attributes_for(family)
            assert read(decoded.attributes, decoded.two_octet, cut=True).blob == decoded.attributes


FOUR, SIX = Nlri(ip_network("10.250.0.10/32")), Nlri(ip_network("2001:db8:250::/48"))


def network(text: str) -> Prefix:
    """Spell a prefix."""
    return ip_network(text)


def test_one_message_may_have_two_next_hops() -> None:
    plain = encode_attributes(Attributes(Origin.IGP, AsPath.of(65010), ip_address("10.10.1.4")))
    reach = encode_attribute(
        Code.MP_REACH_NLRI, b"\0\2\1\x10" + ip_address("2001:db8::1").packed + b"\0" + encode_nlri([SIX])
    )
    sent = reach + plain
    decoded = decode_update(b"\0\0" + len(sent).to_bytes(2, "big") + sent + encode_nlri([FOUR]))
    assert decoded.announced == (SIX, FOUR), "in the order of the wire"
    assert decoded.attributes == canonical(sent)
    assert decoded.families == (IPV6_UNICAST, IPV4_UNICAST)
    assert decoded.attributes_for(Family.IPV4).next_hop == ip_address("10.10.1.4")
    assert decoded.attributes_for(Family.IPV6).next_hop == ip_address("2001:db8::1")
    assert decoded.attributes_for().next_hop == ip_address("2001:db8::1")


@pytest.mark.parametrize("hop", ["10.10.1.4", "2001:db8::1", "::ffff:10.10.1.4"])
def test_ipv4_routes_may_stand_in_mp_reach_with_either_kind_of_next_hop(hop: str) -> None:
    """IOS XR 24 and 25 send their Loc-RIB so."""
    value = b"\0\1\1" + bytes((len(ip_address(hop).packed),)) + ip_address(hop).packed + b"\0" + encode_nlri([FOUR])
    sent = encode_attribute(Code.MP_REACH_NLRI, value) + encode_attributes(Attributes(Origin.IGP, AsPath.of(1)))
    decoded = decode_update(b"\0\0" + len(sent).to_bytes(2, "big") + sent)
    assert (decoded.announced, decoded.problems) == ((FOUR,), ())
    assert decoded.attributes_for(Family.IPV4).next_hop == ip_address(hop)


def test_ipv4_routes_may_be_withdrawn_in_mp_unreach() -> None:
    sent = encode_attribute(Code.MP_UNREACH_NLRI, b"\0\1\1" + encode_nlri([FOUR]))
    decoded = decode_update(b"\0\0" + len(sent).to_bytes(2, "big") + sent)
    assert (decoded.withdrawn, decoded.attributes, decoded.end_of_rib) == ((FOUR,), b"", None)


def test_path_ids_are_read_for_the_families_that_carry_them_only() -> None:
    context = UpdateContext(frozenset({IPV6_UNICAST}))
    six = Nlri(SIX.prefix, 7)
    body = encode_update(withdrawn=[FOUR, six], context=context)
    assert decode_update(body, context).withdrawn == (FOUR, six)
    assert decode_update(body).withdrawn != (FOUR, six)


def test_other_families_are_kept_with_their_bytes() -> None:
    vpn = b"\x70\0\0\x11\0\0\xfd\xf2\0\0\0\1\x0a\xfa\0"
    reach = encode_attribute(Code.MP_REACH_NLRI, b"\0\1\x80\x0c" + bytes(8) + b"\x0a\0\0\1" + b"\0" + vpn)
    unreach = encode_attribute(Code.MP_UNREACH_NLRI, b"\0\x19\x46" + b"\2\0")
    sent = reach + encode_attributes(Attributes(Origin.IGP, AsPath.of(1))) + unreach
    decoded = decode_update(b"\0\0" + len(sent).to_bytes(2, "big") + sent)
    distinguisher = RouteDistinguisher(bytes.fromhex("0000fdf200000001"))
    route = PrefixedRoute(ip_network("10.250.0.0/24"), 0, (1,), distinguisher)
    assert str(distinguisher) == "65010:1"
    assert decoded.opaque == (
        Opaque(Afi(25, 70), False, b"", b"\2\0", (EvpnRoute(2, b"\2\0"),)),
        Opaque(Afi(1, 128), True, bytes(8) + b"\x0a\0\0\1", vpn, (route,)),
    )
    assert [str(family) for family in decoded.families] == ["evpn", "vpnv4"]
    assert decoded.attributes == canonical(sent), "its attributes are kept too"
    assert decoded.attributes_for(Afi(1, 128)).next_hop == ip_address("10.0.0.1")
    assert decoded.attributes_for(Family.IPV4).next_hop is None, "the next hop is that of the VPN routes alone"
    assert str(Afi(9, 9)) == "afi 9 safi 9"


@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST, Afi(1, 128)])
def test_end_of_rib_names_its_family(family: Afi) -> None:
    assert decode_update(encode_end_of_rib(family)) == Update(end_of_rib=family)


def test_prefixes_of_two_families_cannot_be_announced_with_one_next_hop() -> None:
    with pytest.raises(ValueError, match="of one family"):
        encode_update([FOUR, SIX], Attributes(Origin.IGP))
