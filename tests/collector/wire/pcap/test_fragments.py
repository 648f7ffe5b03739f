"""Fragments of IP packets: joined in any order, within bounds, and never out of different packets."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.pcap.files import Packet
from collector.wire.pcap.fragments import PATIENCE, WAITING, Segments
from collector.wire.pcap.packets import FRAGMENTS, Segment, segment
from tests.collector.wire.pcap.writing import A6, B6, START, A, B, fragments, ip, tcp, time

LONG4, LONG6 = tcp(A, B, 7, bytes(range(200))), tcp(A6, B6, 7, bytes(range(200)))


def take(segments: Segments, *packets: bytes, at: float = START) -> list[Segment | str]:
    """What comes of raw IP packets."""
    taken = (segments.take(Packet(time(at), 101, packet, 0)) for packet in packets)
    return [found for found in taken if found is not None]


@given(st.sampled_from([LONG4, LONG6]), st.integers(1, 27), st.randoms(), st.booleans())
def test_fragments_in_any_order_are_the_packet(packet: bytes, eights: int, order: random.Random, twice: bool) -> None:
    parts = fragments(packet, 8 * eights, 99)
    order.shuffle(parts)
    segments = Segments()
    assert take(segments, *parts[:1], *parts * (1 + twice))[:1] == [segment(101, packet)]


def test_extension_headers_inside_the_fragments_are_passed_over() -> None:
    packet = ip(A6[0], B6[0], LONG6[40:], options=b"\6\0" + bytes(6), kind=60)
    assert take(Segments(), *fragments(packet, 24, 1)) == [segment(101, packet)]
    other = ip(A6[0], B6[0], bytes(100), options=b"\x11\0" + bytes(6), kind=60)
    assert take(Segments(), *fragments(other, 24, 1)) == ["IP packets that are not TCP"]


def test_fragments_that_overlap_are_no_packet() -> None:
    first, second = fragments(LONG4, 112, 5)
    overlapping = fragments(LONG4, 120, 5)[1]
    segments = Segments()
    assert take(segments, first, overlapping) == []
    assert segments.lost == 2
    assert take(Segments(), first, second) == [segment(101, LONG4)]


def test_another_packet_of_the_same_identification_begins_anew() -> None:
    old, new = fragments(tcp(A, B, 7, b"x" * 200), 112, 5), fragments(LONG4, 112, 5)
    segments = Segments()
    assert take(segments, old[0], *new) == [segment(101, LONG4)]
    assert segments.lost == 1
    assert take(segments, new[0]) == []
    assert take(segments, new[1], at=START + PATIENCE / timedelta(seconds=1) + 1) == []
    assert take(segments, new[0], at=START + PATIENCE / timedelta(seconds=1) + 2) == [segment(101, LONG4)]


def test_the_packet_that_waits_the_longest_makes_room() -> None:
    segments = Segments()
    parts = [fragments(LONG4, 112, number) for number in range(WAITING + 1)]
    assert take(segments, *(first for first, _ in parts)) == []
    assert segments.lost == WAITING + 1, "one was given up, the others wait"
    assert take(segments, parts[0][1]) == []
    assert take(segments, parts[-1][1]) == [segment(101, LONG4)]


@pytest.mark.parametrize(
    "packet",
    [
        fragments(LONG4, 112, 5)[0][:-1],
        LONG4[:2] + (20 + 15).to_bytes(2, "big") + LONG4[4:6] + b"\x20\0" + LONG4[8:55],
        LONG4[:6] + b"\x3f\xff" + LONG4[8:],
    ],
    ids=["cut by the capture", "not the last, and of 15 octets", "ends behind octet 65,535"],
)
def test_what_can_be_no_fragment_is_counted(packet: bytes) -> None:
    segments = Segments()
    assert take(segments, packet) == [FRAGMENTS]
    assert segments.lost == 0


@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 255))
def test_any_fragments_are_a_segment_or_named(data: bytes, kind: int, first: int) -> None:
    packet = ip(A6[0], B6[0], data, kind=44) if first & 1 else ip(A[0], B[0], data)
    packet = packet[:6] + bytes((kind & 0x3F, first)) + packet[8:] if not first & 1 else packet
    for found in take(Segments(), packet, packet):
        assert found
