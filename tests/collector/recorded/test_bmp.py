"""When what is in a BMP file happened."""

import io
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.recorded.bmp import bmp_moments
from collector.recorded.moment import Moment, What
from collector.wire.mrt.records import Readable
from tests.collector.bmp.streams import announce, end_of_rib, header, initiation, peer_up, statistics, withdraw

SECOND = 1_000_000_000
DAY = 86_400
AGO, LATER, NOW = 1_700_000_000, 1_700_000_000 + DAY, 1_700_000_000 + 2 * DAY
SERVICE = "10.250.0.10/32"


def moments(*messages: bytes, start: int = 0) -> list[Moment]:
    return list(bmp_moments(io.BytesIO(b"".join(messages)), "edge", start))


def times(found: list[Moment]) -> list[tuple[What, int]]:
    return [(moment.what, moment.at // SECOND) for moment in found]


BEGINNING = (
    initiation(),
    peer_up(header(at=AGO)),
    announce(SERVICE, head=header(at=LATER)),
    announce("10.250.8.0/24", head=header(at=AGO + 5)),
    end_of_rib(header(at=0)),
)


def test_no_time_passes_while_the_first_tables_are_sent() -> None:
    assert times(moments(*BEGINNING)) == [(What.OPEN, LATER), (What.OCTETS, LATER)]


def test_time_passes_with_the_stamps_from_then_on_and_never_goes_back() -> None:
    found = moments(
        *BEGINNING,
        withdraw(SERVICE, head=header(at=NOW)),
        announce(SERVICE, head=header(at=AGO)),
        withdraw(SERVICE, head=header(at=0)),
        announce(SERVICE, head=header(at=NOW + 9)),
    )
    assert times(found)[2:] == [(What.OCTETS, NOW), (What.OCTETS, NOW + 9)]


def test_a_statistics_report_ends_the_first_tables_where_no_end_of_rib_does() -> None:
    found = moments(*BEGINNING[:4], statistics((7, 1), head=header(at=NOW)))
    assert times(found) == [(What.OPEN, LATER), (What.OCTETS, LATER), (What.OCTETS, NOW)]


def test_a_file_without_any_stamp_happens_at_the_start() -> None:
    assert times(moments(initiation(), start=7 * SECOND)) == [(What.OPEN, 7), (What.OCTETS, 7)]


def test_an_empty_file_is_a_connection_that_says_nothing() -> None:
    assert times(moments()) == [(What.OPEN, 0)]


def test_nothing_is_before_what_came_before() -> None:
    assert all(moment.at >= NOW * SECOND for moment in moments(*BEGINNING, start=NOW * SECOND))


def test_what_is_no_bmp_goes_to_the_station_as_it_is() -> None:
    stream = b"".join(BEGINNING) + withdraw(SERVICE, head=header(at=NOW)) + b"\x07 this is no BMP"
    assert b"".join(moment.octets for moment in moments(stream)) == stream


class Drip:
    """A file that gives a few octets at a time."""

    def __init__(self, stream: bytes, size: int) -> None:
        self._file, self._size = io.BytesIO(stream), size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))


@given(st.lists(st.integers(AGO, NOW), max_size=30), st.integers(1, 400), st.binary(max_size=80))
def test_pieces_hold_every_octet_once_in_order_of_time_however_they_were_read(
    stamps: list[int], size: int, tail: bytes
) -> None:
    stream = b"".join((*BEGINNING, *(announce(SERVICE, head=header(at=at)) for at in stamps))) + tail
    drip: Readable = Drip(stream, size)
    found = list(bmp_moments(drip, "edge"))
    played = b"".join(moment.octets for moment in found)
    assert stream.startswith(played)
    assert len(played) > len(stream) - len(tail) or not tail  # up to the octet that ends the feed
    assert all(one.at <= other.at for one, other in pairwise(found))
    if not tail:
        assert (played, found) == (stream, moments(stream))


def test_a_stream_without_its_beginning_is_joined_in_its_middle() -> None:
    assert [moment.what for moment in moments(*BEGINNING[1:])] == [What.OPEN, What.MIDWAY, What.OCTETS]
    assert What.MIDWAY not in {moment.what for moment in moments(*BEGINNING)}
    assert [moment.what for moment in moments()] == [What.OPEN]
