"""Capture files cut into packets."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.wire.cutting import Damaged
from collector.wire.errors import Malformed
from collector.wire.pcap.files import Packet, looks_like_capture, packets
from tests.collector.wire.pcap.writing import START, Order, block, enhanced, interface, pcap, section, time
from tests.collector.wire.refusal import refusal

DATA = b"E" + bytes(39)


class Dribbling(io.BytesIO):
    """A file that gives few octets at a time, as a pipe may."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read seven octets at the most."""
        return super().read(min(7, size or 0))


def cut(data: bytes) -> list[Packet | Damaged]:
    """Cut a file, and make sure that a dribbling one is cut the same way."""
    found = list(packets(io.BytesIO(data)))
    assert list(packets(Dribbling(data))) == found
    return found


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap_is_read_in_both_orders_and_resolutions(order: Order, nano: bool) -> None:
    first, second = cut(pcap([(START + 0.25, DATA), (START + 1.000007, b"")], order, nano, link=113))
    assert first == Packet(time(START + 0.25), 113, DATA, 24)
    assert second == Packet(time(START + 1.000007), 113, b"", 24 + 16 + len(DATA))


@pytest.mark.parametrize("order", ["little", "big"])
def test_a_pcap_with_the_longer_heads_of_old_linux_is_read(order: Order) -> None:
    first, second = cut(pcap([(START + 0.25, DATA), (START + 1, b"")], order, link=1, extra=8))
    assert first == Packet(time(START + 0.25), 1, DATA, 24)
    assert second == Packet(time(START + 1), 1, b"", 24 + 24 + len(DATA))


@pytest.mark.parametrize("order", ["little", "big"])
def test_pcapng_is_read_in_both_orders_with_the_clock_of_each_interface(order: Order) -> None:
    nano = (9).to_bytes(2, order) + (1).to_bytes(2, order) + b"\x09\0\0\0"
    shift = (14).to_bytes(2, order) + (8).to_bytes(2, order) + START.to_bytes(8, order)
    file = section(order) + interface(1, order=order) + interface(113, nano + shift, order)
    file += block(5, bytes(8), order) + enhanced(START * 10**6 + 7, DATA, order)
    file += enhanced(250_000_999, DATA + b"odd", order, of=1) + block(3, (40).to_bytes(4, order) + DATA, order)
    first, second, simple = cut(file)
    assert isinstance(first, Packet)
    assert isinstance(second, Packet)
    assert isinstance(simple, Packet)
    assert (first.time, first.link, first.data) == (time(START + 0.000007), 1, DATA)
    assert (second.time, second.link, second.data) == (time(START + 0.25), 113, DATA + b"odd")
    assert (simple.time, simple.link, simple.data) == (None, 1, DATA)


def test_another_section_may_be_in_the_other_order() -> None:
    one = section("little") + interface() + enhanced(1, DATA)
    assert len(cut(one + section("big") + interface(order="big") + enhanced(2, DATA, "big"))) == 2


def test_the_obsolete_packet_block_is_read() -> None:
    body = bytes(4) + b"".join(number.to_bytes(4, "little") for number in (0, 5, len(DATA), len(DATA))) + DATA
    [found] = cut(section() + interface() + block(2, body))
    assert isinstance(found, Packet)
    assert found.data == DATA


def test_blocks_that_do_not_fit_are_told_and_what_follows_is_read() -> None:
    bad = enhanced(1, DATA, of=7), block(6, b"short"), enhanced(1, DATA).replace(b"\x28\0\0\0" * 2, b"\xff\0\0\0" * 2)
    for wrong in bad:
        told, good = cut(section() + interface() + wrong + enhanced(2, DATA))
        assert isinstance(told, Damaged)
        assert isinstance(good, Packet)
        assert told.offset == len(section() + interface())


@pytest.mark.parametrize("order", ["little", "big"])
def test_damage_between_packets_is_passed_over_with_its_offset(order: Order) -> None:
    whole = pcap([(START, DATA)] * 4, order)
    size = 16 + len(DATA)
    torn = whole[: 24 + size] + b"\xff" * 30 + whole[24 + size :]
    first, told, *rest = cut(torn)
    assert isinstance(first, Packet)
    assert isinstance(told, Damaged)
    assert (told.offset, told.raw) == (24 + size, b"\xff" * 30)
    assert [isinstance(item, Packet) for item in rest] == [True] * 3


def test_a_capture_that_ends_inside_a_packet_says_so() -> None:
    *_, told = cut(pcap([(START, DATA)] * 2)[:-1])
    assert isinstance(told, Damaged)
    assert "the stream ends inside a packet" in told.reason
    with pytest.raises(Malformed, match="begins with a header of 24 octets; 20 are here"):
        cut(pcap([])[:20])


@given(st.binary(max_size=120), st.sampled_from([pcap([(START, DATA)]), section() + interface() + enhanced(1, DATA)]))
def test_any_octets_behind_a_beginning_are_packets_and_damage(junk: bytes, start: bytes) -> None:
    assert refusal(lambda: cut(start + junk)) is None


def test_captures_are_known_by_their_beginning() -> None:
    assert looks_like_capture(pcap([]))
    assert looks_like_capture(section("big"))
    assert not looks_like_capture(b"\x0a\x0d\x0d\x0a" + bytes(20))
