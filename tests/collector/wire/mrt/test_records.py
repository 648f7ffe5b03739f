"""Cutting MRT files into records, damaged ones too."""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.cutting import KEPT, Damaged
from collector.wire.mrt.records import looks_like_mrt, records
from collector.wire.mrt.values import Record
from tests.collector.wire.mrt.writing import STAMP, record

GOOD = record(16, 4, b"whatever it says")


class Dribbling(io.BytesIO):
    """A file that gives few octets at a time, as a pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read seven octets at the most."""
        return super().read(min(7, size or 0))


def cut(data: bytes, longest: int = 1 << 20) -> list[Record | Damaged]:
    """Cut a file, and make sure that a dribbling one is cut the same way."""
    found = list(records(io.BytesIO(data), longest))
    assert list(records(Dribbling(data), longest)) == found
    return found


def test_records_come_in_order_with_their_offsets() -> None:
    first, second = cut(GOOD + record(13, 1, b""))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.kind, first.subtype, first.body, first.offset) == (16, 4, b"whatever it says", 0)
    assert (second.kind, second.offset) == (13, len(GOOD))
    assert first.time == datetime.fromtimestamp(STAMP, UTC)


def test_extended_timestamps_have_microseconds() -> None:
    [found] = cut(record(17, 4, (250_000).to_bytes(4, "big") + b"body"))
    assert isinstance(found, Record)
    assert found.time == datetime.fromtimestamp(STAMP + 0.25, UTC)
    assert found.body == b"body"


@given(st.binary(max_size=200))
def test_any_octets_are_records_and_damage_and_none_is_lost(data: bytes) -> None:
    found = cut(data)
    covered = sum(12 + len(item.body) + 4 * (item.kind in (17, 33, 49)) for item in found if isinstance(item, Record))
    damaged = sum(len(item.raw) for item in found if isinstance(item, Damaged))
    assert covered + damaged == len(data)


@given(st.binary(min_size=1, max_size=40))
def test_a_damaged_stretch_is_passed_over_and_its_offset_said(noise: bytes) -> None:
    junk = b"\xff" * 12 + noise.replace(b"\0", b"\1")
    first, damaged, last = cut(GOOD + junk + GOOD + GOOD)[:3]
    assert isinstance(first, Record)
    assert isinstance(damaged, Damaged)
    assert isinstance(last, Record)
    assert (damaged.offset, damaged.raw) == (len(GOOD), junk)
    assert last.offset == len(GOOD) + len(junk)


@pytest.mark.parametrize("size", [1, 11, 12, 20])
def test_a_file_that_ends_inside_a_record_says_so(size: int) -> None:
    *whole, tail = cut(GOOD + GOOD[:size])
    assert len(whole) == 1
    assert isinstance(tail, Damaged)
    assert (tail.offset, tail.raw) == (len(GOOD), GOOD[:size])


def test_a_length_beyond_the_limit_is_damage() -> None:
    huge = record(16, 4, bytes(200))
    found = cut(huge + GOOD, longest=100)
    assert isinstance(found[0], Damaged)
    assert found[0].offset == 0
    assert isinstance(found[-1], Record)
    assert (found[-1].offset, len(found)) == (len(huge), 2)


def test_an_extended_timestamp_without_room_is_damage() -> None:
    assert isinstance(cut(record(17, 4, b"abc") + GOOD)[0], Damaged)


def test_a_long_damaged_stretch_comes_in_parts_and_only_its_beginning_is_kept() -> None:
    noise = b"\xff" * ((1 << 20) + 100)
    found = list(records(io.BytesIO(noise)))
    assert [type(item) for item in found] == [Damaged, Damaged]
    assert [len(item.raw) for item in found if isinstance(item, Damaged)] == [KEPT, 100]


def test_an_empty_file_has_no_records() -> None:
    assert cut(b"") == []


def test_the_beginning_of_a_file_tells_what_it_is() -> None:
    assert looks_like_mrt(GOOD[:12])
    assert not looks_like_mrt(GOOD[:11])
    assert not looks_like_mrt(b"\x03\0\0\0\x0a\x04hello!")
