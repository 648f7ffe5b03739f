"""Lists of prefixes."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.prefix import Family
from collector.wire.bgp.encode import encode_nlri
from collector.wire.bgp.nlri import Nlri, decode_nlri
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import prefixes4, prefixes6, routes


@pytest.mark.parametrize("add_path", [False, True])
@given(data=st.data())
def test_decoding_undoes_encoding(add_path: bool, data: st.DataObject) -> None:
    for family, prefixes in ((Family.IPV4, prefixes4), (Family.IPV6, prefixes6)):
        found = data.draw(routes(prefixes, add_path))
        assert decode_nlri(encode_nlri(found, add_path), family, add_path) == found


@given(st.binary(max_size=60), st.sampled_from(Family), st.booleans())
def test_any_bytes_are_prefixes_or_malformed(data: bytes, family: Family, add_path: bool) -> None:
    error = refusal(lambda: decode_nlri(data, family, add_path))
    assert error is None or error.data == data


def test_bits_behind_the_length_are_irrelevant() -> None:
    assert decode_nlri(b"\x0c\x0a\xff", Family.IPV4, False) == (Nlri(ip_network("10.240.0.0/12")),)


def test_a_default_route_has_no_octets() -> None:
    assert decode_nlri(b"\0", Family.IPV6, False) == (Nlri(ip_network("::/0")),)


@pytest.mark.parametrize(
    ("data", "family", "add_path", "sentence"),
    [
        (b"\x21\1\2\3\4\5", Family.IPV4, False, "/33 is longer than any ipv4 prefix"),
        (b"\x81" + bytes(17), Family.IPV6, False, "/129 is longer than any ipv6 prefix"),
        (b"\x18\1\2", Family.IPV4, False, "ends inside the prefix at octet 0"),
        (b"\0\0\0\1", Family.IPV4, True, "ends inside the prefix at octet 0"),
        (b"\0\0\0\1\x08\x0a\0\0", Family.IPV4, True, "ends inside the prefix at octet 6"),
    ],
)
def test_prefixes_that_cannot_be_are_malformed(data: bytes, family: Family, add_path: bool, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        decode_nlri(data, family, add_path)
