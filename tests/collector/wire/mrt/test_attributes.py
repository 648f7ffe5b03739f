"""Attributes of table dumps in canonical form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST
from collector.wire.errors import Malformed
from collector.wire.mrt.attributes import canonical, with_next_hop
from tests.collector.wire.refusal import refusal

HOP = b"\x20\1\x0d\xb8" + bytes(11) + b"\1"
CUT = b"\x80\x0e\x14\0\2\1\x10" + HOP
ORIGIN = b"\x40\1\1\0"


@given(st.binary(max_size=40))
def test_any_bytes_are_canonical_or_malformed(data: bytes) -> None:
    error = refusal(lambda: canonical(data, IPV6_UNICAST))
    assert error is None or error.reason


def test_an_abbreviated_next_hop_gets_its_family_back() -> None:
    assert canonical(ORIGIN + b"\x80\x0e\x11\x10" + HOP, IPV6_UNICAST) == ORIGIN + CUT


def test_a_whole_one_is_cut_as_on_the_wire() -> None:
    assert canonical(b"\x80\x0e\x19\0\2\1\x10" + HOP + b"\0\x18\x20\1\x0d", IPV6_UNICAST) == CUT


def test_a_next_hop_beside_the_attributes_is_put_among_them() -> None:
    assert with_next_hop(ORIGIN, IPV4_UNICAST, b"\x0a\0\0\1") == ORIGIN + b"\x40\3\4\x0a\0\0\1"
    assert canonical(with_next_hop(ORIGIN, IPV6_UNICAST, HOP), IPV6_UNICAST) == CUT + ORIGIN
    assert with_next_hop(CUT, IPV6_UNICAST, HOP) == CUT, "it is there already"


def test_a_next_hop_too_long_for_any_family_is_malformed() -> None:
    with pytest.raises(Malformed, match="a next hop of one family, not 256 octets"):
        with_next_hop(ORIGIN, IPV6_UNICAST, bytes(255))
