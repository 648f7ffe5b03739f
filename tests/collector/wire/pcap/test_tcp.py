"""One direction of a connection, put together."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.pcap.tcp import HELD, PATIENCE, Direction, Gap
from tests.collector.wire.pcap.writing import START, time

NOW = time(START)
DATA = bytes(range(256)) * 4


def came(direction: Direction, segments: Iterable[tuple[int, bytes]]) -> list[bytes | Gap]:
    """What is handed out for segments of (sequence number, payload), and at the end."""
    out = [item for sequence, payload in segments for item in direction.add(sequence % 2**32, payload, NOW)]
    return out + list(direction.finish())


def begun(sequence: int = 1000, payload: bytes = b"") -> Direction:
    """A direction whose SYN was captured."""
    direction = Direction()
    list(direction.syn(sequence, payload))
    return direction


@given(
    st.lists(st.tuples(st.integers(0, len(DATA)), st.integers(0, 300)), max_size=30),
    st.sampled_from([0, 1000, 2**32 - 500, 2**31 - 400]),
    st.randoms(),
)
def test_any_cut_order_and_repetition_gives_the_same_octets(
    extra: list[tuple[int, int]], first: int, random: object
) -> None:
    """Every octet is in some segment; segments overlap, come twice, and out of order; the numbers wrap around."""
    cover = [(at, DATA[at : at + 100]) for at in range(0, len(DATA), 100)]
    segments = cover + [(at, DATA[at : at + size]) for at, size in extra]
    random.shuffle(segments)  # type: ignore[attr-defined]
    out = came(begun(first - 1), [(first + at, payload) for at, payload in segments])
    assert not [item for item in out if isinstance(item, Gap)]
    assert b"".join(item for item in out if isinstance(item, bytes)) == DATA


@given(st.sets(st.integers(0, 9), min_size=1), st.randoms())
def test_every_octet_is_handed_out_or_in_a_gap_of_the_right_size(there: set[int], random: object) -> None:
    order = sorted(there)
    random.shuffle(order)  # type: ignore[attr-defined]
    out = came(begun(999), [(1000 + at * 100, DATA[at * 100 : at * 100 + 100]) for at in order])
    position = 0
    for item in out:
        if isinstance(item, Gap):
            assert item.size is not None
            position += item.size
        else:
            assert item == DATA[position : position + len(item)]
            position += len(item)
    assert position == max(there) * 100 + 100


def test_a_capture_that_begins_in_the_middle_begins_with_its_first_segment() -> None:
    direction = Direction()
    assert came(direction, [(500, b"abc"), (503, b"def"), (400, b"before")]) == [b"abc", b"def"]
    assert direction.repeated == 6


def test_payload_in_the_syn_is_the_beginning() -> None:
    assert came(begun(1000, b"abc"), [(1004, b"def")]) == [b"def"]
    assert list(Direction().syn(1000, b"abc")) == [b"abc"]


@pytest.mark.parametrize("payload", [b"", b"abc"])
def test_a_syn_that_was_not_counted_costs_no_octet(payload: bytes) -> None:
    """Captures that somebody made up go on one too low behind it."""
    direction = begun(1000, payload)
    after = 1000 + len(payload)
    assert came(direction, [(after, b"def"), (after + 3, b"ghi")]) == [b"def", b"ghi"]


def test_a_keepalive_of_one_octet_is_no_such_thing() -> None:
    assert came(begun(1000), [(1000, b"\0"), (1001, b"abc")]) == [b"abc"]


def test_a_gap_is_given_up_when_what_is_behind_it_was_acknowledged_a_while_ago() -> None:
    direction = begun(999)
    assert list(direction.add(1100, b"behind", NOW)) == []
    assert list(direction.acknowledge(1106, NOW)) == []
    assert list(direction.acknowledge(1000, NOW + PATIENCE)) == [Gap(100), b"behind"]
    waiting = begun(999)
    list(waiting.add(1100, b"behind", NOW))
    assert list(waiting.acknowledge(1000, NOW + timedelta(hours=1))) == [], "it may still be sent again"
    assert list(waiting.add(1000, DATA[:100], NOW)) == [DATA[:100], b"behind"]


def test_more_than_is_held_behind_a_gap_gives_it_up() -> None:
    direction, block = begun(999), bytes(1 << 16)
    fits = HELD // ((1 << 16) + 128)
    for count in range(fits):
        assert list(direction.add(1100 + (count << 16), block, NOW)) == []
    first, *rest = direction.add(1100 + (fits << 16), block, NOW)
    assert first == Gap(100)
    assert len(rest) == fits + 1
    assert direction.held == 0


def test_numbers_far_from_what_is_expected_are_another_beginning() -> None:
    assert came(begun(999), [(1000, b"abc"), (2**31, b"far"), (2**31 + 3, b"on")]) == [b"abc", Gap(None), b"far", b"on"]


def test_a_fin_ends_the_direction_when_all_before_it_has_come() -> None:
    direction = begun(999)
    direction.fin(1006)
    list(direction.add(1003, b"def", NOW))
    assert not direction.ended
    list(direction.add(1000, b"abc", NOW))
    assert direction.ended
