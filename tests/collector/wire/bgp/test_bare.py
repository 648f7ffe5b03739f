"""Path ids that a session agreed on, and that a BMP exporter leaves out of what it writes itself."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from anycast.observation import Rib
from collector.wire.bgp.context import context_of
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.open import decode_open
from collector.wire.bgp.problems import Remedy
from collector.wire.bgp.update import decode_update
from tests.collector.bmp import streams as s

OPEN = decode_open(s.open_message(add_path=3)[19:])
AGREED = context_of(Rib.ADJ_IN_PRE, False, OPEN, OPEN)
WEB = ip_network("10.250.0.0/24")


def said(**parts: bytes) -> bytes:
    """The body of an UPDATE."""
    return s.update(**parts)[19:]


def test_routes_that_read_only_without_path_ids_are_taken_and_it_is_said() -> None:
    found = decode_update(said(attrs=s.attributes(65001), announced=s.nlri("10.250.0.0/24")), AGREED)
    assert found.announced == (Nlri(WEB),)
    assert found.bare
    [problem] = found.problems
    assert problem.remedy is Remedy.TAKEN_AS_IS
    assert "left them out" in problem.reason


def test_withdrawals_and_ipv6_are_taken_so_too() -> None:
    gone = decode_update(said(withdrawn=s.nlri("10.250.0.0/24")), AGREED)
    assert gone.withdrawn == (Nlri(WEB),)
    six = s.attributes(65001, next_hop=None, extra=s.reach("2001:db8:1::/48"))
    assert decode_update(said(attrs=six), AGREED).announced == (Nlri(ip_network("2001:db8:1::/48")),)


def test_path_ids_that_are_there_are_read() -> None:
    body = said(attrs=s.attributes(65001), announced=s.nlri("10.250.0.0/24", path_id=7))
    found = decode_update(body, AGREED)
    assert (found.announced, found.bare, found.problems) == ((Nlri(WEB, 7),), False, ())


def test_what_reads_neither_way_is_skipped_with_the_first_reason() -> None:
    found = decode_update(said(attrs=s.attributes(65001), announced=b"\x60\x0a"), AGREED)
    assert [problem.remedy for problem in found.problems] == [Remedy.MESSAGE_SKIPPED]
    assert not found.announced


def test_on_the_wire_nothing_may_be_left_out() -> None:
    """A capture of the session, or an MRT record, says what the peer itself sent."""
    body = said(attrs=s.attributes(65001), announced=s.nlri("10.250.0.0/24"))
    found = decode_update(body, replace(AGREED, bare=False))
    assert [problem.remedy for problem in found.problems] == [Remedy.MESSAGE_SKIPPED]
    assert AGREED.add_path == {IPV4_UNICAST, IPV6_UNICAST}


@pytest.mark.parametrize("prefix", ["11.64.0.0/25", "10.0.0.0/32", "2001:410::/48", "2001:10::/41", "2001:400::/32"])
def test_a_prefix_without_its_path_id_is_no_default_route(prefix: str) -> None:
    six = ":" in prefix
    attrs = s.attributes(65001, next_hop=None if six else "10.0.0.1", extra=s.reach(prefix) if six else b"")
    body = said(attrs=attrs, announced=b"" if six else s.nlri(prefix))
    found = decode_update(body, AGREED)
    assert found.announced == (Nlri(ip_network(prefix)),)
    assert found.bare
    [wire] = decode_update(body, replace(AGREED, bare=False)).announced
    assert wire.prefix.prefixlen <= 16


@pytest.mark.parametrize(
    "prefix", ["2001:414:ef0:1200::/56", "2a00:41c::/64", "2a00:420:ff01::/64", "2001:459::1/128", "2001:43c::/96"]
)
def test_a_prefix_without_its_path_id_is_none_of_no_routed_address(prefix: str) -> None:
    """Its fourth octet reads as a length that fits: 2a00:41c::/64 is ::/28 behind the id 0x402a0004."""
    body = said(attrs=s.attributes(65001, next_hop=None, extra=s.reach(prefix)))
    found = decode_update(body, AGREED)
    assert (found.announced, found.bare) == ((Nlri(ip_network(prefix)),), True)
    [wire] = decode_update(body, replace(AGREED, bare=False)).announced
    assert wire.path_id >> 24 == ip_network(prefix).prefixlen


def test_a_prefix_behind_its_path_id_stands_where_it_might_be_either() -> None:
    """The session agreed on path ids: 2a00:420:2001:db8::/64 is the less likely of two."""
    attrs = s.attributes(65001, next_hop=None, extra=s.reach("2001:db8::/32", path_id=0x402A0004))
    found = decode_update(said(attrs=attrs), AGREED)
    assert (found.announced, found.bare) == ((Nlri(ip_network("2001:db8::/32"), 0x402A0004),), False)


@pytest.mark.parametrize("path_id", [0, 7, 1 << 24, 0x18000001, 0xFFFFFFFF])
def test_a_default_route_with_its_path_id_is_one(path_id: int) -> None:
    found = decode_update(said(attrs=s.attributes(65001), announced=s.nlri("0.0.0.0/0", path_id=path_id)), AGREED)
    assert found.announced == (Nlri(ip_network("0.0.0.0/0"), path_id),)
    assert not found.problems
