"""Damage and limits of every kind of file: nothing sound is lost behind it, nothing takes more time than its octets."""

import io
from datetime import timedelta
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.wire.cutting import Damaged
from collector.wire.element import ElementType
from collector.wire.elements import elements
from collector.wire.mrt.records import records
from collector.wire.mrt.values import Record
from tests.collector.wire.mrt.writing import STAMP, record
from tests.collector.wire.pcap.writing import time
from tests.collector.wire.test_elements import monitoring
from tests.collector.wire.test_source import Pipe

GOOD = record(16, 4, b"whatever it says")


def lying(size: int) -> bytes:
    """A record whose length is wrong."""
    return GOOD[:8] + size.to_bytes(4, "big") + GOOD[12:]


@pytest.mark.parametrize("size", [3, 20, 40, 101, 10_000, 1 << 24, (1 << 24) + 1, (1 << 32) - 1])
def test_a_length_that_lies_costs_no_record_behind_it(size: int) -> None:
    file = GOOD + lying(size) + GOOD * 5
    found = list(records(io.BytesIO(file)))
    sound = {item.offset for item in found if isinstance(item, Record) and item.body == b"whatever it says"}
    assert sound >= {0, *range(2 * len(GOOD), 7 * len(GOOD), len(GOOD))}
    assert any(isinstance(item, Damaged) for item in found)


@pytest.mark.parametrize("torn", [bytes(7), bytes(36), GOOD[:5], GOOD[:20], GOOD[9:]])
def test_torn_records_and_zeros_between_cost_no_record_behind_them(torn: bytes) -> None:
    found = list(records(io.BytesIO(GOOD + torn + GOOD * 2)))
    sound = [item.offset for item in found if isinstance(item, Record) and item.body == b"whatever it says"]
    assert sound[-2:] == [len(GOOD + torn), len(GOOD + torn + GOOD)]


pieces = st.one_of(st.just(GOOD), st.just(monitoring()), st.binary(max_size=30), st.integers(0, 80).map(bytes))


@settings(max_examples=60)
@given(st.sampled_from([GOOD, monitoring()]), st.lists(pieces, max_size=8))
def test_any_file_is_the_same_elements_in_any_pieces(start: bytes, parts: list[bytes]) -> None:
    file = start + b"".join(parts)
    assert list(elements(Pipe(file))) == list(elements(io.BytesIO(file)))


HOSTILE = {
    "zeros": bytes(1 << 18),
    "ones": b"\xff" * (1 << 18),
    "headers that lie": (lying(0xFFFF00)[:12] + b"\xff" * 9) * (1 << 14),
    "headers that lead nowhere": (b"\x03\0\0\x40\0\0" * 3 + b"\xff" * 19) * (1 << 13),
}


@pytest.mark.parametrize("start", [GOOD, monitoring()])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_octets_take_time_as_they_are_many(name: str, start: bytes) -> None:
    """Four times the octets may take ten times the time on a busy machine; squared it would be sixteen, and minutes."""

    def took(octets: bytes) -> float:
        began = perf_counter()
        assert all(element.type is ElementType.MALFORMED for element in list(elements(io.BytesIO(start + octets)))[1:])
        return perf_counter() - began

    octets = HOSTILE[name]
    assert took(octets) < 0.5 + 10 * took(octets[: len(octets) // 4])


def test_a_bmp_stream_goes_on_behind_damage_and_says_where_it_was() -> None:
    good = monitoring()
    first, told, *rest = elements(io.BytesIO(good + b"\xff" * 50 + good * 2))
    assert [element.type for element in (first, *rest)] == [ElementType.ANNOUNCEMENT] * 3
    assert (told.offset, told.raw) == (len(good), b"\xff" * 50)


def openbmp(message: bytes, router: bytes = b"\x0a\x5a\0\1", kind: int = 12) -> bytes:
    """A BMP message behind OpenBMP's header."""
    body = bytes((0x80, kind)) + STAMP.to_bytes(4, "big") + (250_000).to_bytes(4, "big") + bytes(16) + b"\0\4main"
    body += router.ljust(16, b"\0") * 2 + b"\0\0" + b"\0\0\0\1"
    return b"OBMP\1\7" + (12 + len(body)).to_bytes(2, "big") + len(message).to_bytes(4, "big") + body + message


def test_openbmp_tells_its_exporters_apart_and_when_they_were_heard() -> None:
    other = openbmp(monitoring(), b"\x0a\x5a\0\2")
    file = openbmp(monitoring()) + other + b"\xff" * 9 + openbmp(b"", kind=11) + other
    first, second, damage, refused, last = elements(Pipe(file))
    assert [first.router, second.router, last.router] == ["10.90.0.1", "10.90.0.2", "10.90.0.2"]
    assert first.time == time(STAMP) + timedelta(microseconds=250_000)
    assert "9 octets are passed over" in damage.detail
    assert "is no raw BMP of a router" in refused.detail
