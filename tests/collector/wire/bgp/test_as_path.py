"""AS_PATH in 2 and 4 octets, and what an AS4_PATH adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anycast.route import Asn, AsPath, Attributes, Segment, SegmentKind
from collector.wire.bgp.as_path import decode_as4_path, decode_as_path, merge
from collector.wire.bgp.encode import encode_attributes
from collector.wire.bgp.path import attributes_of
from collector.wire.errors import Malformed
from tests.collector.wire.refusal import refusal
from tests.collector.wire.strategies import plain_paths


def path(*segments: tuple[SegmentKind, tuple[int, ...]]) -> AsPath:
    """Build a path of segments."""
    return AsPath(tuple(Segment(kind, tuple(map(Asn, asns))) for kind, asns in segments))


SET, SEQUENCE = SegmentKind.SET, SegmentKind.SEQUENCE
CONFED = SegmentKind.CONFED_SEQUENCE


@given(st.binary(max_size=40), st.sampled_from([2, 4]))
def test_any_bytes_are_a_path_or_malformed(value: bytes, width: int) -> None:
    error = refusal(lambda: decode_as_path(value, width))
    assert error is None or error.data == value


def test_all_four_kinds_of_segments_are_read() -> None:
    value = b"\x03\x01\xff\xfe" + b"\x02\x02\x2f\x2c\xfd\xf2" + b"\x01\x02\0\1\0\2" + b"\x04\x01\xff\xfd"
    assert str(decode_as_path(value, 2)) == "(65534) 12076 65010 {1,2} [65533]"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (b"\x05\x01\0\0\0\1", "segment type 5 is none of 1 to 4"),
        (b"\x02\x00", "holds no AS number"),
        (b"\x02\x02\0\0\0\1", "of 2 AS numbers of 4 octets overruns"),
        (b"\x02", "ends inside a segment's header"),
    ],
)
def test_broken_segments_are_malformed(value: bytes, sentence: str) -> None:
    with pytest.raises(Malformed, match=sentence):
        decode_as_path(value, 4)


def test_confederations_are_dropped_from_an_as4_path() -> None:
    value = b"\x03\x01\0\0\xff\xfe" + b"\x02\x01\0\1\0\0"
    assert decode_as4_path(value, 2) == AsPath.of(65536)


@pytest.mark.parametrize(
    ("as_path", "as4_path", "meant"),
    [
        # RFC 6793, 4.2.3: what the old speakers put in front stays, the rest comes from the new one.
        (AsPath.of(65000, 23456, 23456), AsPath.of(70000, 80000), AsPath.of(65000, 70000, 80000)),
        (AsPath.of(23456), AsPath.of(70000), AsPath.of(70000)),
        (AsPath.of(23456), AsPath.of(70000, 80000), AsPath.of(23456)),
        (AsPath.of(65000), AsPath(), AsPath.of(65000)),
        (
            path((SEQUENCE, (65000,)), (SET, (1, 2)), (SEQUENCE, (23456,))),
            AsPath.of(70000),
            path((SEQUENCE, (65000,)), (SET, (1, 2)), (SEQUENCE, (70000,))),
        ),
        (
            path((CONFED, (65534,)), (SEQUENCE, (65000, 23456))),
            AsPath.of(70000),
            path((CONFED, (65534,)), (SEQUENCE, (65000, 70000))),
        ),
        (
            path((SEQUENCE, (23456, 23456))),
            path((SET, (70000, 80000))),
            path((SEQUENCE, (23456,)), (SET, (70000, 80000))),
        ),
    ],
)
def test_an_as4_path_stands_behind_what_is_in_front_of_it(as_path: AsPath, as4_path: AsPath, meant: AsPath) -> None:
    assert merge(as_path, as4_path) == meant


@given(plain_paths)
def test_a_path_survives_two_octet_speakers(meant: AsPath) -> None:
    blob = encode_attributes(Attributes(as_path=meant), two_octet=True)
    assert attributes_of(blob, two_octet=True).as_path == meant
