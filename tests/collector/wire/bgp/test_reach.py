"""MP_REACH_NLRI, MP_UNREACH_NLRI and their next hops."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.reach import (
    Reach,
    decode_cut_reach,
    decode_next_hop,
    decode_reach,
    decode_unreach,
)
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal

GLOBAL, LINK_LOCAL = ip_address("2001:db8::1"), ip_address("fe80::1")


@given(st.binary(max_size=60))
def test_any_bytes_are_routes_or_malformed(value: bytes) -> None:
    for read in (decode_reach, decode_unreach, decode_cut_reach):
        error = refusal(lambda read=read: read(value))  # type: ignore[misc]
        assert error is None or error.reason


@pytest.mark.parametrize(
    ("family", "octets", "meant"),
    [
        (IPV4_UNICAST, b"\x0a\0\0\1", (ip_address("10.0.0.1"), None)),
        (IPV4_UNICAST, GLOBAL.packed, (GLOBAL, None)),
        (IPV4_UNICAST, GLOBAL.packed + LINK_LOCAL.packed, (GLOBAL, LINK_LOCAL)),
        (IPV6_UNICAST, GLOBAL.packed, (GLOBAL, None)),
        (IPV6_UNICAST, GLOBAL.packed + LINK_LOCAL.packed, (GLOBAL, LINK_LOCAL)),
    ],
)
def test_next_hops_are_read_by_their_length(family: Afi, octets: bytes, meant: object) -> None:
    assert decode_next_hop(family, octets) == meant


@pytest.mark.parametrize(
    ("family", "size"), [(IPV4_UNICAST, 0), (IPV4_UNICAST, 12), (IPV6_UNICAST, 4), (IPV6_UNICAST, 24)]
)
def test_a_length_that_the_family_cannot_have_is_malformed(family: Afi, size: int) -> None:
    value = family.afi.to_bytes(2, "big") + b"\1" + bytes((size,)) + bytes(size)
    with pytest.raises(Malformed, match=f"octets, not {size}"):
        decode_reach(value + b"\0")
    with pytest.raises(Malformed, match=f"octets, not {size}"):
        decode_cut_reach(value)


def test_the_next_hop_of_another_family_is_not_looked_into() -> None:
    value = b"\0\x19\x46\x04\x0a\0\0\1\0" + b"\2\x21!"
    assert decode_reach(value) == Reach(Afi(25, 70), b"\x0a\0\0\1", b"\2\x21!")


def test_a_next_hop_longer_than_any_is_malformed() -> None:
    with pytest.raises(Malformed, match="a next hop of 252 octets is longer than that of any family"):
        decode_reach(b"\0\x19\x46\xfc" + bytes(253))


def test_nothing_may_follow_the_next_hop_in_canonical_form() -> None:
    with pytest.raises(Malformed, match="left over"):
        decode_cut_reach(b"\0\x19\x46\x00!")


def test_withdrawals_need_a_family() -> None:
    assert decode_unreach(b"\0\2\1\0") == Reach(IPV6_UNICAST, b"", b"\0")
    with pytest.raises(Malformed, match="MP_UNREACH_NLRI ends 1 octets too early"):
        decode_unreach(b"\0\2")
