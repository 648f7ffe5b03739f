"""Shared MRT files, whole, against the bytes that bgpdump prints, and what a writer owes beside its lines."""

import io
from collections.abc import Iterator

import pytest

from collector.files.bgpdump import PIECE, Writer, Written, write_bgpdump, write_lines
from collector.files.read import read
from collector.wire.element import Element
from collector.wire.elements import elements
from collector.wire.errors import Malformed
from collector.wire.spelled import FORMS, spelled
from tests import needs
from tests.collector.bmp import streams as s
from tests.collector.wire.oracle import printed

EQUAL = {  # lines, as the captures' README has them
    "bird-mrtdump_bgp.mrt": 24,
    "bird-mrtdump_rib.mrt": 18,
    "bird6-mrtdump_bgp.mrt": 24,
    "bird6-mrtdump_rib.mrt": 10,
    "openbgpd_bgp.mrt": 109,
    "openbgpd_rib_table-v2.mrt": 31,
    "quagga_bgp.mrt": 38,
    "quagga_rib.mrt": 9,
    "rrc15.updates.20100227.1600.gz": 53_806,
}
"""Every shared file but those in `test_bgpdump_differences`."""

BMP = ("frr-8.0.1-6wind", "huawei-vrp-d", "huawei-vrp-ne40e", "iosxr-24.4.1", "junos-mx204")


def plainly(found: Iterator[Element]) -> bytes:
    """Elements as the plain speller prints them."""
    return b"".join(line for element in found if (line := spelled(element, FORMS[element.record])) is not None)


@pytest.mark.parametrize("name", EQUAL)
def test_a_shared_file_is_printed_as_bgpdump_prints_it(name: str) -> None:
    path, out = needs.captures() / "mrt" / name, io.BytesIO()
    with path.open("rb") as file:
        written = write_bgpdump(file, out)
    theirs = printed(path)
    assert out.getvalue() == theirs
    assert written == Written(EQUAL[name], len(theirs))


@pytest.mark.parametrize("name", BMP)
def test_a_bmp_file_is_printed_the_same_by_compiled_code(name: str) -> None:
    """bgpdump reads no BMP; its form is that of BGP4MP_ET."""
    path, out = needs.captures() / "bmp" / f"{name}.bmp.gz", io.BytesIO()
    with path.open("rb") as file:
        assert write_bgpdump(file, out).lines > 100
    with path.open("rb") as file:
        assert out.getvalue() == plainly(elements(file))


def test_a_feed_is_a_line_a_route_and_a_session_coming_and_going() -> None:
    feed = s.initiation() + s.peer_up() + s.announce("10.0.0.0/24", "10.0.1.0/24") + s.withdraw("10.0.0.0/24")
    out = io.BytesIO()
    write_bgpdump(io.BytesIO(feed + s.peer_down()), out)
    at = f"{s.STAMP}.250000"
    assert out.getvalue().decode().splitlines() == [
        f"BGP4MP_ET|{at}|STATE|192.0.2.1|65001|0|6",
        f"BGP4MP_ET|{at}|A|192.0.2.1|65001|10.0.0.0/24|65001 64999|IGP|192.0.2.1|0|0||NAG||",
        f"BGP4MP_ET|{at}|A|192.0.2.1|65001|10.0.1.0/24|65001 64999|IGP|192.0.2.1|0|0||NAG||",
        f"BGP4MP_ET|{at}|W|192.0.2.1|65001|10.0.0.0/24",
        f"BGP4MP_ET|{at}|STATE|192.0.2.1|65001|0|1",
    ]


def test_a_file_of_no_known_kind_is_refused_before_anything_is_written() -> None:
    out = io.BytesIO()
    with pytest.raises(Malformed, match="neither a BMP stream nor an MRT file"):
        write_bgpdump(io.BytesIO(b"hello, world, this is text"), out)
    assert out.getvalue() == b""


class _Pieces(io.RawIOBase):
    """Keeps the sizes of what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        self.sizes.append(len(memoryview(data)))  # type: ignore[arg-type]
        return self.sizes[-1]


def test_lines_are_written_in_large_pieces() -> None:
    feed = s.initiation() + s.peer_up() + b"".join(s.table(40_000, 1))
    out = _Pieces()
    written = write_bgpdump(io.BytesIO(feed), out)  # type: ignore[arg-type]
    assert sum(out.sizes) == written.octets > 2 * PIECE
    assert len(out.sizes) < written.octets / PIECE * 3 + 3


def test_a_filter_may_leave_part_of_what_was_read() -> None:
    feed = s.initiation() + s.peer_up() + s.announce("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24")
    out = io.BytesIO()
    kept = (item if isinstance(item, Element) else item.select(slice(1, 2)) for item in read(io.BytesIO(feed)))
    assert write_lines(kept, out).lines == 2
    assert b"|10.0.1.0/24|" in out.getvalue().splitlines()[1]


def test_a_line_longer_than_the_buffer_makes_it_grow() -> None:
    path = tuple(range(70_000, 70_900))
    asns = b"".join(s.attribute(2, b"".join(_segment(path[at : at + 200]) for at in range(0, 900, 200))) for _ in "1")
    announced = s.monitoring(
        s.update(attrs=s.attribute(1, b"\0") + asns + s.attribute(3, bytes(4)), announced=s.nlri("10.0.0.0/8"))
    )
    feed, out = s.initiation() + s.peer_up() + announced, io.BytesIO()
    writer = Writer(out, piece=16)
    for item in read(io.BytesIO(feed)):
        assert not isinstance(item, Element) or item.type != "M"
        (writer.element if isinstance(item, Element) else writer.batch)(item)  # type: ignore[arg-type]
    writer.flush()
    assert b"|" + b" ".join(b"%d" % asn for asn in path) + b"|IGP|" in out.getvalue()


def _segment(asns: tuple[int, ...]) -> bytes:
    return bytes((2, len(asns))) + b"".join(asn.to_bytes(4, "big") for asn in asns)
