"""Dumps that FRR, BIRD, GoBGP and OpenBGPD wrote, against the bytes that bgpdump prints and the routes of mrtparse."""

import io
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from collector.files.bgpdump import write_bgpdump
from collector.files.read import read_elements
from collector.wire.elements import elements
from tests.collector.routers.dumps import DUMPS, octets, plainly
from tests.collector.routers.mrtparsed import Row, as_row, rows_of
from tests.collector.wire.oracle import printed


class Count(NamedTuple):
    """Lines of a dump: bgpdump's, ours, and those of each that the other has not in the same place."""

    theirs: int
    ours: int
    differ: int = 0
    why: str = ""


NO_HOP: Final = (
    "FRR passed a route on without NEXT_HOP, which it had learnt in MP_REACH_NLRI: to be treated as withdrawn (RFC "
    "7606, 3 d), as BIRD did; bgpdump prints it as announced, its next hop 255.255.255.255"
)
WIDE: Final = (
    "beside 2-octet paths OpenBGPD writes an AGGREGATOR of 8 octets; bgpdump reads 6 of them: AS 0, 253.233.10.0"
)
DEPRECATED: Final = "a deprecated kind of table, which bgpdump does not read"
LINES: Final[dict[str, Count]] = {
    "bird-messages.mrt": Count(2609, 2609, 2, NO_HOP),
    "bird-paths.mrt": Count(314, 314),
    "bird-table.mrt": Count(356, 356),
    "frr-all-et.mrt": Count(1072, 1072),
    "frr-all.mrt": Count(1070, 1070),
    "frr-routes.mrt": Count(354, 354),
    "frr-updates-et.mrt": Count(985, 985),
    "frr-updates.mrt": Count(1004, 1004),
    "gobgp-table.mrt": Count(395, 395),
    "gobgp-updates.mrt": Count(1679, 1679),
    "openbgpd-adj-in.mrt": Count(258, 258),
    "openbgpd-all-in.mrt": Count(1474, 1474),
    "openbgpd-all-out.mrt": Count(1336, 1336),
    "openbgpd-table-mp.mrt": Count(0, 256, 0, DEPRECATED),
    "openbgpd-table-v2.mrt": Count(256, 256),
    "openbgpd-table.mrt": Count(256, 256, 12, WIDE),
    "openbgpd-updates-in.mrt": Count(1410, 1410),
}


def both(name: str) -> tuple[list[bytes], list[bytes]]:
    """bgpdump's lines of a dump, and ours."""
    out = io.BytesIO()
    write_bgpdump(io.BytesIO(octets(name)), out)
    return printed(DUMPS / f"{name}.gz").splitlines(), out.getvalue().splitlines()


@pytest.mark.parametrize("name", LINES)
def test_a_dump_is_printed_as_bgpdump_prints_it(name: str) -> None:
    theirs, ours = both(name)
    count = LINES[name]
    assert (len(theirs), len(ours)) == (count.theirs, count.ours)
    if theirs:
        assert sum(one != other for one, other in zip(theirs, ours, strict=True)) == count.differ
    assert bool(count.why) == (theirs != ours)


def test_every_dump_is_compared() -> None:
    assert {path.name.removesuffix(".gz") for path in DUMPS.glob("*.mrt.gz")} == set(LINES)


def test_a_route_that_frr_passed_on_without_next_hop_is_the_difference_in_what_bird_heard() -> None:
    theirs, ours = both("bird-messages.mrt")
    pairs = [(one, other) for one, other in zip(theirs, ours, strict=True) if one != other]
    for one, other in pairs:
        assert one.split(b"|")[2:6] == [b"A", b"10.9.0.2", b"65002", b"11.51.0.0/16"]
        assert one.split(b"|")[9] == b"255.255.255.255"
        assert other.split(b"|")[2:7] == [b"W", *one.split(b"|")[3:7]]


ALL: Final = sorted(path.name.removesuffix(".gz") for path in DUMPS.glob("*.gz"))


@pytest.mark.parametrize("name", ALL)
def test_the_file_lane_and_the_plain_decoder_agree(name: str) -> None:
    data = octets(name)
    found = list(elements(io.BytesIO(data)))
    assert list(read_elements(io.BytesIO(data), rows=100, chunk=1000)) == found
    assert len(found) > 90


class Left(NamedTuple):
    """Rows that only one of the decoders has."""

    theirs: int
    ours: int
    why: str


SIX_IDS: Final = "mrtparse does not read IPv6 with path ids in a table"
HOPS: Final = "mrtparse does not read IPv4 with a next hop of IPv6"
SHORT: Final = (
    "OpenBGPD writes peers of IPv4 in front of twelve zeros where routes are of IPv6: we say a09:1::, as bgpdump does, "
    "mrtparse 10.9.0.1"
)
LEFT: Final[dict[str, Left]] = {
    "bird-messages.mrt": Left(2, 8, f"{HOPS}; the route without NEXT_HOP"),
    "frr-all-et.mrt": Left(0, 3, HOPS),
    "frr-all.mrt": Left(0, 3, HOPS),
    "frr-routes.mrt": Left(0, 37, SIX_IDS),
    "frr-updates-et.mrt": Left(0, 3, HOPS),
    "frr-updates.mrt": Left(0, 3, HOPS),
    "gobgp-table.mrt": Left(1, 47, f"{SIX_IDS}; {HOPS}; one route of IPv4 has its next hop in MP_REACH_NLRI"),
    "gobgp-updates.mrt": Left(0, 6, HOPS),
    "openbgpd-table-mp.mrt": Left(0, 256, "a deprecated kind of table, which mrtparse does not read"),
    "openbgpd-table.mrt": Left(62, 62, SHORT),
}


def _without_merged(theirs: Counter[Row], ours: Counter[Row]) -> None:
    """Take away what differs in the path alone, where AS4_PATH stands beside it: mrtparse leaves merging to others."""
    for row in [row for row in theirs if row.as_path == "?"]:
        for other in [other for other in ours if other._replace(as_path="?") == row][: theirs[row]]:
            taken = min(theirs[row], ours[other])
            theirs[row] -= taken
            ours[other] -= taken


@pytest.mark.parametrize("name", LINES)
def test_mrtparse_finds_the_same_routes(name: str) -> None:
    path = DUMPS / f"{name}.gz"
    found, expected = (row for each in plainly(name) if (row := as_row(each)) is not None), rows_of(Path(path))
    ours, theirs = Counter(found), Counter(expected)
    assert ours.total() > 90
    ours, theirs = ours - theirs, theirs - ours
    _without_merged(theirs, ours)
    left = LEFT.get(name, Left(0, 0, ""))
    assert (theirs.total(), ours.total()) == left[:2], (+theirs, +ours)


@pytest.mark.parametrize("name", ALL)
def test_no_default_route_and_no_family_that_was_not_negotiated(name: str) -> None:
    told = [element for element in plainly(name) if element.prefix is not None]
    assert min(element.prefix.prefixlen for element in told if element.prefix is not None) >= 10
    spoken = {element.family for element in told}
    others = {"ipv4-labeled-unicast", "vpnv4", "ipv4-multicast"}
    assert spoken <= {"ipv4-unicast", "ipv6-unicast", *others}
    if others & spoken:  # one speaker alone
        assert {str(each.peer) for each in told if each.family in others and each.peer is not None} <= {
            *("10.9.0.17", "10.9.0.2")  # and FRR, which gives it back to them
        }
