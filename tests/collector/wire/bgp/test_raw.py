"""Attribute lists cut into TLVs, and their canonical form."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Prefix
from anycast.route import AsPath, Attributes, Origin
from collector.wire.bgp.attributes import Code
from collector.wire.bgp.encode import encode_attribute, encode_attributes, encode_update
from collector.wire.bgp.nlri import Nlri
from collector.wire.bgp.raw import canonical, raw_attributes
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import some_attributes

ROUTE = Attributes(Origin.IGP, AsPath.of(65010), ip_address("2001:db8::1"), ip_address("fe80::1"))


def sent(*prefixes: str, withdrawn: tuple[str, ...] = ()) -> bytes:
    """The path attributes of an UPDATE that announces IPv6 prefixes."""

    def routes(texts: tuple[str, ...]) -> list[Nlri]:
        return [Nlri(network(text)) for text in texts]

    return encode_update(routes(prefixes), ROUTE, routes(withdrawn))[4:]


def network(text: str) -> Prefix:
    """Spell a prefix."""
    return ip_network(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_list_or_malformed(data: bytes) -> None:
    error = refusal(lambda: canonical(data))
    assert error is None or error.reason
    if error is None:
        assert b"".join(item.raw for item in raw_attributes(data)) == data


@given(some_attributes)
def test_without_routes_among_them_attributes_are_canonical_as_sent(attributes: Attributes) -> None:
    data = encode_attributes(attributes)
    assert canonical(data) == data


def test_updates_that_say_the_same_of_different_prefixes_have_equal_blobs() -> None:
    one = sent("2001:db8:1::/48")
    other = sent("2001:db8:2::/48", "2001:db8:3::/48", withdrawn=("2001:db8:4::/48",))
    assert canonical(one) == canonical(other)


def test_the_canonical_form_is_this_one() -> None:
    cut = b"\x80\x0e\x24" + b"\0\2\1\x20" + ip_address("2001:db8::1").packed + ip_address("fe80::1").packed
    assert canonical(sent("2001:db8:1::/48")) == cut + encode_attributes(Attributes(Origin.IGP, AsPath.of(65010)))


def test_the_length_field_of_the_routes_attribute_makes_no_difference() -> None:
    value = b"\0\2\1\x10" + bytes(16) + b"\0" + b"\x30\x20\1\x0d\xb8\0\1"
    long = b"\x90\x0e" + len(value).to_bytes(2, "big") + value
    assert canonical(long) == canonical(encode_attribute(Code.MP_REACH_NLRI, value))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\x40\x01", "the path attributes end inside an attribute's header"),
        (b"\x50\x01\0", "the path attributes end inside an attribute's header"),
        (b"\x40\x01\x02\0", "ORIGIN claims 2 octets where 1 are left"),
        (b"\xc0\x63\x02\0", "attribute 99 claims 2 octets where 1 are left"),
        (b"\x80\x0e\x04\0\2\1\x00", "MP_REACH_NLRI of 4 octets has no room for its next hop"),
        (b"\x80\x0e\x03\0\2\1", "MP_REACH_NLRI of 3 octets has no room for its next hop"),
        (b"\x90\x0e\x01\x01\0\x19\x46\xfc" + bytes(253), "has no room for its next hop"),
    ],
)
def test_lists_that_do_not_fit_their_lengths_are_malformed(data: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        canonical(data)
