"""From packets to TCP segments, whatever stands in front."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.pcap.packets import Segment, segment
from tests.collector.wire.pcap.writing import A6, B6, A, B, ip, tcp

V4, V6 = tcp(A, B, 7, b"payload"), tcp(A6, B6, 7, b"payload")
IPV4, IPV6 = b"\x08\0", b"\x86\xdd"


@pytest.mark.parametrize(
    ("link", "front4", "front6"),
    [
        (1, bytes(12) + IPV4, bytes(12) + IPV6),
        (1, bytes(12) + b"\x81\0\0\x07" + IPV4, bytes(12) + b"\x88\xa8\0\x07\x81\0\0\x08" + IPV6),
        (1, bytes(12) + b"\x88\x47" + b"\0\0\0\x40" + b"\0\0\1\x40", None),
        (1, bytes(12) + b"\x88\x64" + bytes(6) + b"\0\x21", bytes(12) + b"\x88\x64" + bytes(6) + b"\0\x57"),
        (0, b"\2\0\0\0", b"\x1e\0\0\0"),
        (108, b"\0\0\0\2", b"\0\0\0\x18"),
        (12, b"", b""),
        (101, b"", b""),
        (228, b"", None),
        (229, None, b""),
        (113, bytes(14) + IPV4, bytes(14) + IPV6),
        (276, IPV4 + bytes(18), IPV6 + bytes(18)),
        (9, b"\xff\3\0\x21", b"\0\x57"),
        (104, b"\x0f\0" + IPV4, b"\x0f\0" + IPV6),
    ],
)
def test_every_link_layer_is_taken_off(link: int, front4: bytes | None, front6: bytes | None) -> None:
    for front, packet, ends in ((front4, V4, (A, B)), (front6, V6, (A6, B6))):
        if front is not None:
            found = segment(link, front + packet)
            assert isinstance(found, Segment)
            assert (found.sequence, found.payload) == (7, b"payload")
            assert found.source == (ip_address(ends[0][0]), ends[0][1])
            assert found.target == (ip_address(ends[1][0]), ends[1][1])


def test_padding_behind_a_packet_is_no_payload_and_what_was_not_captured_is_counted() -> None:
    padded = segment(1, bytes(12) + IPV4 + V4 + bytes(6))
    cut = segment(101, V4[:-3])
    assert isinstance(padded, Segment)
    assert isinstance(cut, Segment)
    assert (padded.payload, padded.lost) == (b"payload", 0)
    assert (cut.payload, cut.lost) == (b"payl", 3)


def test_a_length_of_zero_is_that_of_a_packet_still_to_be_cut() -> None:
    found = segment(101, V4[:2] + b"\0\0" + V4[4:])
    assert isinstance(found, Segment)
    assert found.payload == b"payload"


def test_options_and_extension_headers_are_passed_over() -> None:
    inner = V6[40:]
    for packet in (
        ip(A[0], B[0], V4[20:], options=b"\1" * 8),
        ip(A6[0], B6[0], inner, options=b"\x2b\0" + bytes(6) + b"\x3c\0" + bytes(6) + b"\6\0" + bytes(6), kind=0),
        ip(A6[0], B6[0], inner, options=b"\6\0" + bytes(6), kind=44),
        ip(A6[0], B6[0], inner, options=b"\6\1" + bytes(10), kind=51),
    ):
        found = segment(101, packet)
        assert isinstance(found, Segment), found
        assert found.payload == b"payload"


@pytest.mark.parametrize(
    ("link", "data", "said"),
    [
        (147, V4, "packets of link type 147"),
        (1, bytes(12) + b"\x08\x06" + bytes(28), "packets that are not IP"),
        (101, ip(A[0], B[0], bytes(20), kind=17), "IP packets that are not TCP"),
        (101, ip(A6[0], B6[0], bytes(20), kind=50), "IP packets that are not TCP"),
        (101, V4[:6] + b"\x20\0" + V4[8:], "fragments of IP packets"),  # 27 octets, no multiple of 8
        (101, ip(A6[0], B6[0], V6[40:], options=b"\6\0\0\1" + bytes(4), kind=44), "fragments of IP packets"),
        (101, ip(A6[0], B6[0], V6[40:], options=b"\x11\0\0\1" + bytes(4), kind=44), "IP packets that are not TCP"),
        (101, V4[:32], "packets cut inside their headers"),
        (101, V4[:18], "packets cut inside their headers"),
        (101, b"", "packets cut inside their headers"),
        (101, V4[:32] + b"\x20" + V4[33:], "TCP segments whose lengths do not fit"),
    ],
)
def test_what_is_no_segment_is_named(link: int, data: bytes, said: str) -> None:
    assert segment(link, data) == said


@given(st.sampled_from([0, 1, 9, 12, 101, 104, 113, 276]), st.binary(max_size=90))
def test_any_octets_are_a_segment_or_named(link: int, data: bytes) -> None:
    assert segment(link, data)


@given(st.integers(0, 60), st.integers(0, 255))
def test_any_octet_may_be_wrong(at: int, octet: int) -> None:
    for packet in (V4, V6):
        assert segment(101, packet[:at] + bytes((octet,)) + packet[at + 1 :])
