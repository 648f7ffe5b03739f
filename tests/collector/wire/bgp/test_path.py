"""Reading attribute blobs back, and what old speakers passed on."""

from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.route import Aggregator, Asn, AsPath, Attributes, Origin, UnknownAttribute
from collector.wire.bgp.attributes import Code, name_of
from collector.wire.bgp.encode import encode_attribute, encode_attributes
from collector.wire.bgp.path import attributes_of, read
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import some_attributes


@given(some_attributes)
def test_reading_a_blob_undoes_encoding(attributes: Attributes) -> None:
    assert attributes_of(encode_attributes(attributes), two_octet=False) == attributes


@given(st.binary(max_size=80), st.booleans())
def test_any_blob_is_attributes_or_malformed(blob: bytes, two_octet: bool) -> None:
    error = refusal(lambda: attributes_of(blob, two_octet))
    assert error is None or error.data == blob


def test_a_blob_with_a_broken_attribute_is_malformed() -> None:
    with pytest.raises(Malformed, match="ORIGIN is malformed: it has 1 octets, not 2"):
        attributes_of(encode_attribute(Code.ORIGIN, b"\0\0"), two_octet=False)


def test_a_discarded_attribute_is_left_out() -> None:
    blob = encode_attributes(Attributes(Origin.IGP)) + encode_attribute(Code.ATOMIC_AGGREGATE, b"!")
    assert attributes_of(blob, two_octet=False) == Attributes(Origin.IGP)


def test_flags_of_a_blob_are_not_judged_again() -> None:
    blob = encode_attribute(Code.ORIGIN, b"\0", flags=0x80)
    assert attributes_of(blob, two_octet=False).origin is Origin.IGP
    assert read(blob, two_octet=False).problems != []


HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")


@pytest.mark.parametrize(
    ("asn", "aggregator", "path"),
    [
        # RFC 6793, 4.2.3: 23456 says that an old speaker passed on what a new one aggregated.
        (23456, Aggregator(Asn(70000), THERE), AsPath.of(65000, 70000)),
        # Any other AS says that an old speaker aggregated later: the AS4 attributes are history.
        (65001, Aggregator(Asn(65001), HERE), AsPath.of(65000, 23456)),
    ],
)
def test_as4_attributes_count_only_where_no_old_speaker_aggregated(
    asn: int, aggregator: Aggregator, path: AsPath
) -> None:
    blob = (
        encode_attributes(Attributes(as_path=AsPath.of(65000, 23456)), two_octet=True)
        + encode_attribute(Code.AGGREGATOR, asn.to_bytes(2, "big") + HERE.packed)
        + encode_attribute(Code.AS4_PATH, b"\2\1\0\1\x11\x70")
        + encode_attribute(Code.AS4_AGGREGATOR, b"\0\1\x11\x70" + THERE.packed)
    )
    attributes = attributes_of(blob, two_octet=True)
    assert (attributes.aggregator, attributes.as_path) == (aggregator, path)


def test_an_as4_aggregator_without_an_aggregator_says_nothing() -> None:
    blob = encode_attribute(Code.AS4_AGGREGATOR, b"\0\1\x11\x70" + THERE.packed)
    assert attributes_of(blob, two_octet=True) == Attributes()
    assert attributes_of(encode_attribute(Code.AS4_PATH, b"\2\1\0\1\x11\x70"), two_octet=True) == Attributes()


def test_new_speakers_have_no_use_for_as4_attributes() -> None:
    blob = encode_attributes(Attributes(as_path=AsPath.of(65000))) + encode_attribute(
        Code.AS4_PATH, b"\2\1\0\1\x11\x70"
    )
    assert attributes_of(blob, two_octet=False) == Attributes(as_path=AsPath.of(65000))


def test_an_aggregator_of_a_table_dump_may_be_wider_than_its_path() -> None:
    """OpenBGPD writes it so in TABLE_DUMP; on the wire it is discarded."""
    wide = encode_attribute(Code.AGGREGATOR, b"\0\0\xfd\xe8" + HERE.packed)
    assert attributes_of(wide, two_octet=True).aggregator == Aggregator(Asn(65000), HERE)
    assert read(wide, two_octet=True).attributes().aggregator is None


@pytest.mark.parametrize(
    ("code", "value", "field", "read_as"),
    [
        (Code.AIGP, b"\1\0\x0b" + bytes(7) + b"\7", "aigp", 7),
        (Code.ONLY_TO_CUSTOMER, b"\0\0\xfd\xf2", "otc", 65010),
        (Code.IPV6_EXTENDED_COMMUNITIES, bytes(20), "ipv6_extended_communities", (bytes(20),)),
    ],
)
def test_rarer_attributes_have_fields_of_their_own(code: Code, value: bytes, field: str, read_as: object) -> None:
    read_back = attributes_of(encode_attribute(code, value), two_octet=False)
    assert (getattr(read_back, field), read_back.unknown) == (read_as, ())


def test_an_aigp_that_says_more_than_the_metric_is_kept_whole_too() -> None:
    """RFC 7311, 3: the first TLV of type 1 counts, others are passed on."""
    value = b"\2\0\4x" + b"\1\0\x0b" + bytes(7) + b"\7" + b"\1\0\x0b" + bytes(8)
    read_back = attributes_of(encode_attribute(Code.AIGP, value), two_octet=False)
    assert (read_back.aigp, read_back.unknown) == (7, (UnknownAttribute(0x80, Code.AIGP, value),))
    empty = attributes_of(encode_attribute(Code.AIGP, b""), two_octet=False)
    assert (empty.aigp, empty.unknown) == (None, (UnknownAttribute(0x80, Code.AIGP, b""),))


@pytest.mark.parametrize("code", [22, 23, 29, 33, 40, 99, 128])
def test_attributes_that_nobody_here_reads_are_kept_with_their_octets(code: int) -> None:
    """PMSI tunnel, tunnel encapsulation, BGP-LS, BGPsec path, prefix SID, an unknown one, and ATTR_SET."""
    value = b"\0\0\xfd\xf2" + encode_attribute(Code.MULTI_EXIT_DISC, bytes(4))
    read_back = attributes_of(encode_attribute(code, value, 0xC0), two_octet=False)
    assert read_back.unknown == (UnknownAttribute(0xC0, code, value),)
    assert read_back.med is None, "what stands in an ATTR_SET is the customer's"


def test_every_attribute_has_a_name() -> None:
    assert (name_of(14), name_of(200)) == ("MP_REACH_NLRI", "attribute 200")


def test_a_link_local_next_hop_stands_beside_the_global_one() -> None:
    hops = ip_address("2001:db8::1").packed + ip_address("fe80::1").packed
    attributes = attributes_of(b"\x80\x0e\x24\0\2\1\x20" + hops, two_octet=False)
    assert (attributes.next_hop, attributes.link_local) == (ip_address("2001:db8::1"), ip_address("fe80::1"))
