"""The cursor: no reading past a declared length, nothing left unread inside one."""

import pytest

from collector.wire.cursor import Cursor
from collector.wire.errors import Malformed


def test_numbers_are_read_with_the_highest_octet_first() -> None:
    cursor = Cursor(bytes(range(1, 16)))
    assert (cursor.u8(), cursor.u16(), cursor.u32(), cursor.u64()) == (1, 0x0203, 0x04050607, 0x08090A0B0C0D0E0F)
    assert cursor.remaining == 0


def test_reading_past_the_end_is_malformed_and_says_by_how_much() -> None:
    with pytest.raises(Malformed, match="OPEN ends 2 octets too early") as caught:
        Cursor(b"\1\2", "OPEN").u32()
    assert caught.value.offset == 0
    assert caught.value.data == b"\1\2"


def test_reading_past_a_declared_length_is_malformed_although_octets_follow() -> None:
    cursor = Cursor(b"\1\2\3\4")
    with pytest.raises(Malformed, match="capability ends 1 octets too early"), cursor.within(2, "capability"):
        cursor.take(3)


def test_octets_left_inside_a_declared_length_are_malformed() -> None:
    cursor = Cursor(b"\1\2\3\4")
    with pytest.raises(Malformed, match="capability of 2 octets has 1 left over"), cursor.within(2, "capability"):
        cursor.u8()


def test_a_declared_length_beyond_the_message_is_malformed() -> None:
    cursor = Cursor(b"\1\2", "OPEN")
    wanted = "capability claims 3 octets where 2 are left in the OPEN"
    with pytest.raises(Malformed, match=wanted), cursor.within(3, "capability"):
        cursor.rest()
    assert cursor.remaining == 2


def test_after_a_declared_length_reading_goes_on_in_what_is_around_it() -> None:
    cursor = Cursor(b"\1\2\3\4")
    with cursor.within(2, "inner"):
        assert cursor.rest() == b"\1\2"
    assert cursor.peek() == 3
    assert cursor.rest() == b"\3\4"
    assert cursor.position == 4


def test_looking_ahead_at_the_end_is_malformed() -> None:
    with pytest.raises(Malformed, match="ends 1 octets too early"):
        Cursor(b"").peek()


def test_the_error_reads_as_its_sentence() -> None:
    assert str(Malformed("/33 is longer than any ipv4 prefix", 4, b"!")) == "/33 is longer than any ipv4 prefix"
