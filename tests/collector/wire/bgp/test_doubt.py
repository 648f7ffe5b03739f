"""Path ids in sessions of which no OPEN is known: nothing is made up of them, and what has none is read."""

from ipaddress import IPv4Network, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Family, Prefix
from collector.wire.bgp.context import DEFAULT, UpdateContext
from collector.wire.bgp.doubt import SHORTEST, may_hold_path_ids, sent_so
from collector.wire.bgp.encode import encode_nlri
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.bgp.nlri import LONGEST, Nlri
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.update import Update, decode_update
from tests.collector.bmp import streams as s

KNOWN = UpdateContext(families=frozenset({IPV4_UNICAST, IPV6_UNICAST}))
RANDOM = (0x01A2B3C4, 0x04FFFFFF, 0x0803FF12, 0x0C0A0B01, 0x10200304)
"""Ids as OpenBGPD picks them."""


def announced(nlri: bytes, context: UpdateContext = DEFAULT, six: bool = False) -> Update:
    """What an UPDATE that announces a list says."""
    if not six:
        return decode_update(s.update(attrs=s.attributes(65001), announced=nlri)[19:], context)
    value = b"\0\2\1\x10" + bytes.fromhex("20010db8000000000000000000000001") + b"\0" + nlri
    attrs = s.attributes(65001, next_hop=None, extra=s.attribute(14, value, 0x80))
    return decode_update(s.update(attrs=attrs)[19:], context)


def _network(family: Family, address: int, length: int) -> Prefix:
    bits = LONGEST[family]
    kind = IPv4Network if family is Family.IPV4 else IPv6Network
    return kind((address >> (bits - length) << (bits - length), length))


def sent(family: Family) -> st.SearchStrategy[Prefix]:
    """Prefixes as routers announce them, the default route left out."""
    bits = LONGEST[family]
    addresses = st.integers(1 << 24, (224 << 24) - 1) if bits == 32 else st.integers(1 << 125, (1 << 126) - 1)
    return st.builds(_network, st.just(family), addresses, st.integers(SHORTEST[family], bits))


@pytest.mark.parametrize("path_id", RANDOM)
def test_a_route_with_its_path_id_makes_no_other_route(path_id: int) -> None:
    found = announced(s.nlri("10.250.0.0/24", path_id=path_id))
    assert (found.announced, found.withdrawn) == ((), ())
    [problem] = found.problems
    assert problem.remedy is Remedy.MESSAGE_SKIPPED
    assert problem.raw


def test_what_may_hold_path_ids_is_said_with_its_octets() -> None:
    nlri = s.nlri("10.250.0.0/24", path_id=0x0803FF00)
    assert sent_so(nlri, Family.IPV4, add_path=True)
    [problem] = announced(nlri).problems
    assert "may hold path ids" in problem.reason
    assert nlri in problem.raw


def test_what_the_session_said_is_never_in_doubt() -> None:
    """With OPENs that agreed on no path ids, a list is what it reads as, however odd."""
    nlri = b"\x08\x03\x07\xff\x00"
    assert may_hold_path_ids(nlri, Family.IPV4)
    assert not announced(nlri).announced
    read = [str(route.prefix) for route in announced(nlri, KNOWN).announced]
    assert read == ["3.0.0.0/8", "254.0.0.0/7", "0.0.0.0/0"]


def test_odd_lists_that_read_only_without_path_ids_are_read() -> None:
    for nlri in (s.nlri("0.0.0.0/0"), s.nlri("0.0.0.0/1", "128.0.0.0/1"), b"\x09\x0a\xff", s.nlri("224.0.0.0/4")):
        assert announced(nlri).announced
        assert not announced(nlri).problems


@pytest.mark.parametrize("family", Family)
@given(data=st.data())
def test_of_a_list_with_any_path_ids_no_noise_is_made(family: Family, data: st.DataObject) -> None:
    """No 0.0.0.0/0, /1 or /3: either nothing, or what a router might have sent."""
    ids = st.integers(0, (1 << 32) - 1)
    routes = data.draw(st.lists(st.builds(Nlri, sent(family), ids), min_size=1, max_size=4))
    found = announced(encode_nlri(routes, True), six=family is Family.IPV6)
    assert all(route.prefix.prefixlen >= SHORTEST[family] for route in found.announced)
    assert found.announced or found.problems


@pytest.mark.parametrize("family", Family)
@given(data=st.data())
def test_what_routers_send_without_path_ids_is_read(family: Family, data: st.DataObject) -> None:
    routes = data.draw(st.lists(st.builds(Nlri, sent(family)), min_size=1, max_size=6))
    found = announced(encode_nlri(routes, False), six=family is Family.IPV6)
    assert (found.announced, found.problems) == (tuple(routes), ())


@given(st.binary(max_size=40), st.sampled_from(Family))
def test_any_octets_are_in_doubt_or_not(data: bytes, family: Family) -> None:
    if may_hold_path_ids(data, family):
        assert sent_so(data, family, add_path=True)
        assert not sent_so(data, family, add_path=False)
