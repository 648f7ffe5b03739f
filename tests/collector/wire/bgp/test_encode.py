"""What the encoder does that decoding back does not show."""

from ipaddress import IPv4Address

import pytest

from anycast.route import Asn, AsPath, Attributes
from collector.wire.bgp.attributes import Code
from collector.wire.bgp.encode import encode_attribute, encode_attributes, encode_message, encode_open
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.open import Open, decode_open
from collector.wire.bgp.raw import raw_attributes


def test_an_old_speaker_has_no_capability_for_wide_as_numbers() -> None:
    old = Open(4, Asn(65010), 90, IPv4Address("10.10.1.4"))
    assert encode_open(old) == bytes.fromhex("04 fdf2 005a 0a0a0104 00")
    assert decode_open(encode_open(old)) == old


def test_a_wide_as_number_is_23456_in_the_narrow_field() -> None:
    wide = Open(4, Asn(4_200_000_000), 90, IPv4Address("10.10.1.4"), four_octet_as=True)
    assert encode_open(wide)[1:3] == (23456).to_bytes(2, "big")


@pytest.mark.parametrize(("size", "header"), [(255, b"\xc0\x63\xff"), (256, b"\xd0\x63\x01\x00")])
def test_a_long_attribute_has_a_long_length(size: int, header: bytes) -> None:
    assert encode_attribute(99, bytes(size), 0xC0) == header + bytes(size)


def test_attributes_stand_in_the_order_of_their_codes() -> None:
    sent = encode_attributes(Attributes(med=1, local_pref=2, as_path=AsPath.of(70000)), two_octet=True)
    codes = [item.code for item in raw_attributes(sent)]
    assert codes == [Code.AS_PATH, Code.MULTI_EXIT_DISC, Code.LOCAL_PREF, Code.AS4_PATH]


def test_a_keepalive_is_a_bare_header() -> None:
    assert encode_message(MessageType.KEEPALIVE) == b"\xff" * 16 + b"\0\x13\x04"
