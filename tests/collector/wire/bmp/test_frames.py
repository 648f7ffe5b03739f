"""Cutting a stream into BMP messages: any pieces give the same messages, a tail waits, a wrong octet ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.bmp.encode import encode
from collector.wire.bmp.frames import Framer
from collector.wire.bmp.values import Initiation, Message, Tlv
from tests.collector.wire.strategies import messages

HELLO = encode(Initiation((Tlv(2, b"edge"),)))


@given(st.lists(messages, max_size=6), st.lists(st.integers(1, 60), max_size=20))
def test_any_cut_of_a_stream_gives_the_same_messages(said: list[Message], sizes: list[int]) -> None:
    frames = [encode(message) for message in said]
    stream, framer, found, at = b"".join(frames), Framer(), [], 0
    for size in [*sizes, len(stream)]:
        found += framer.feed(stream[at : at + size])
        at += size
    assert found == frames
    assert (framer.pending, framer.failure, framer.offset) == (b"", None, len(stream))


def test_one_octet_at_a_time_gives_the_same_messages() -> None:
    framer = Framer()
    assert [frame for at in range(2 * len(HELLO)) for frame in framer.feed((HELLO * 2)[at : at + 1])] == [HELLO, HELLO]


@pytest.mark.parametrize("size", range(1, len(HELLO)))
def test_a_truncated_tail_waits_for_more(size: int) -> None:
    framer = Framer()
    assert framer.feed(HELLO + HELLO[:size]) == [HELLO]
    assert framer.pending == HELLO[:size]
    assert framer.failure is None
    assert framer.feed(HELLO[size:]) == [HELLO]


@pytest.mark.parametrize(
    ("octet", "sentence"),
    [
        (0, "a BMP message begins with version 3, not with 0"),
        (1, "BMP version 1 has no length field and is not spoken here; configure version 3 on the router"),
        (2, "BMP version 2 was never published"),
        (4, "BMP version 4 is a draft and is not spoken here; configure version 3 on the router"),
    ],
)
def test_another_version_ends_the_stream_with_a_sentence(octet: int, sentence: str) -> None:
    framer = Framer()
    assert framer.feed(HELLO + bytes((octet,))) == [HELLO]
    assert framer.failure is not None
    assert framer.failure.reason.startswith(sentence)
    assert framer.failure.reason.endswith(f"(octet {len(HELLO)} of the stream)")
    assert framer.feed(HELLO) == [], "nothing after it can be trusted"


@pytest.mark.parametrize("size", [0, 5, 1025, 0xFFFFFFFF])
def test_a_length_that_no_message_has_ends_the_stream(size: int) -> None:
    framer = Framer(longest=1024)
    assert framer.feed(HELLO + b"\x03" + size.to_bytes(4, "big") + b"\x04") == [HELLO]
    assert framer.failure is not None
    assert f"is 6 to 1024 octets long, not {size}" in framer.failure.reason
    assert framer.failure.data == framer.pending


@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_octets_are_messages_a_tail_or_a_failure(octets: bytes, cut: int) -> None:
    whole, parts = Framer(), Framer()
    frames = whole.feed(octets)
    assert b"".join(frames) + whole.pending == octets
    assert parts.feed(octets[:cut]) + parts.feed(octets[cut:]) == frames
    assert (parts.failure is None) == (whole.failure is None)
