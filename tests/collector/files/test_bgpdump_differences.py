"""Where our lines are not those of bgpdump 1.6.2: each case, both sides of it, and why bgpdump is wrong."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from benchmarks.table import attribute
from collector.files.bgpdump import write_bgpdump
from tests import needs
from tests.collector.bmp import streams as s
from tests.collector.files.test_bgpdump_records import announced, message, old, segment
from tests.collector.wire.oracle import printed


@dataclass(frozen=True)
class Difference:
    """A file of one record, and the lines that are made of it."""

    why: str
    mrt: bytes
    theirs: tuple[str, ...]
    ours: tuple[str, ...]


def narrow(kind: int, *asns: int) -> bytes:
    """Build an AS_PATH segment of 2-octet numbers."""
    return bytes((kind, len(asns))) + b"".join(asn.to_bytes(2, "big") for asn in asns)


def merged(path: bytes, as4_path: bytes) -> bytes:
    """Build a record of a session with 2-octet numbers, whose UPDATE has an AS4_PATH."""
    attrs = attribute(0x40, 1, b"\0") + attribute(0x40, 2, path) + attribute(0x40, 3, bytes((192, 0, 2, 1)))
    return message(s.update(attrs=attrs + attribute(0xC0, 17, as4_path), announced=b"\x08\x0a"), subtype=1)


def with_path(path: str) -> tuple[str]:
    """The line of such a record."""
    return (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|{path}|IGP|192.0.2.1|0|0||NAG||",)


_USUAL: Final = "65001|IGP|192.0.2.1|0|0||NAG||"
_PATHS: Final = s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/8", path_id=4))
_IN_REACH: Final = s.attributes(65001, next_hop=None, extra=s.reach("10.0.0.0/8", afi=1, next_hop="1.2.3.4"))
_LONG: Final = attribute(0x40, 2, b"".join(segment(2, *[4_000_000_000] * 200) for _ in range(4)))
_MANY: Final = attribute(0xC0, 8, b"\xfe\x00\xfe\x00" * 700)

DIFFERENCES: Final[dict[str, Difference]] = {
    "a sent message with path ids": Difference(
        "subtypes 10 and 11 are of messages that were sent (RFC 8050); bgpdump prints the recording side as the peer",
        message(_PATHS, subtype=11),
        (f"BGP4MP_AP|1700000000|A|10.0.0.2|65002|10.0.0.0/8|4|{_USUAL}",),
        (f"BGP4MP_LOCAL_AP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|4|{_USUAL}",),
    ),
    "an IPv6 withdrawal sent over IPv4": Difference(
        "bgpdump prints the peer's IPv4 address as the first octets of an IPv6 address",
        message(s.update(attrs=s.unreach("2001:db8::/32")), subtype=7),
        ("BGP4MP_LOCAL|1700000000|W|a00:1::|65001|2001:db8::/32",),
        ("BGP4MP_LOCAL|1700000000|W|10.0.0.1|65001|2001:db8::/32",),
    ),
    "a withdrawal in a deprecated record": Difference(
        "bgpdump prints the peer's address in place of the prefix's",
        old(s.update(s.nlri("9.0.0.0/8"))),
        ("BGP|1700000000|W|1.1.1.1|3333|1.1.1.1/8",),
        ("BGP|1700000000|W|1.1.1.1|3333|9.0.0.0/8",),
    ),
    "large numbers beside IPv4 in MP_REACH": Difference(
        "bgpdump prints LOCAL_PREF and MED of 2^31 and more as negative numbers, for these routes only",
        message(s.update(attrs=_IN_REACH + attribute(0x80, 4, b"\xff" * 4) + attribute(0x40, 5, b"\xff" * 4))),
        ("BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|65001|IGP|1.2.3.4|-1|-1||NAG||",),
        ("BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|65001|IGP|1.2.3.4|4294967295|4294967295||NAG||",),
    ),
    "bits behind a prefix's length": Difference(
        "they are of no meaning (RFC 4271, 4.3): the prefix is the same as without them",
        message(s.update(attrs=s.attributes(65001), announced=bytes((25, 10, 0, 1, 255)))),
        (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.1.255/25|{_USUAL}",),
        (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.1.128/25|{_USUAL}",),
    ),
    "path ids that the subtype denies": Difference(
        "routers send no bits behind a prefix's length and no /1: there are path ids, which bgpdump takes for routes",
        message(s.update(attrs=s.attributes(65001), announced=s.nlri("10.0.0.0/24", path_id=0x04FF0180))),
        tuple(
            f"BGP4MP|1700000000|A|10.0.0.1|65001|{prefix}|{_USUAL}"
            for prefix in ("255.0.0.0/4", "128.0.0.0/1", "10.0.0.0/24")
        ),
        (),
    ),
    "more than a million microseconds": Difference(
        "bgpdump prints them as they are, which as a decimal fraction is another time",
        message(announced(), micros=1_234_567),
        (f"BGP4MP_ET|1700000000.1234567|A|10.0.0.1|65001|10.0.0.0/8|{_USUAL}",),
        (f"BGP4MP_ET|1700000001.234567|A|10.0.0.1|65001|10.0.0.0/8|{_USUAL}",),
    ),
    "a path of more than 7,900 characters": Difference(
        "bgpdump cuts it and prints three dots",
        message(
            s.update(attrs=attribute(0x40, 1, b"\0") + _LONG + attribute(0x40, 3, bytes(4)), announced=b"\x08\x0a")
        ),
        (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|{'4000000000 ' * 718}4000000000...|IGP|0.0.0.0|0|0||NAG||",),
        (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|{'4000000000 ' * 799}4000000000|IGP|0.0.0.0|0|0||NAG||",),
    ),
    "more than 8,191 characters of communities": Difference(
        "bgpdump cuts the list, in the middle of a number",
        message(announced(_MANY)),
        (
            "BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|65001|IGP|192.0.2.1|0|0|"
            f"{('65024:65024 ' * 700)[:8190]}|NAG||",
        ),
        (f"BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|65001|IGP|192.0.2.1|0|0|{('65024:65024 ' * 700)[:-1]}|NAG||",),
    ),
    "an AS4_PATH beside an AS_PATH of several segments": Difference(
        "bgpdump prints the first segment again in place of each segment that stays (RFC 6793, 4.2.3)",
        merged(narrow(2, 65001) + narrow(2, 65002, 23456), segment(2, 70000)),
        with_path("65001 65001 70000"),
        with_path("65001 65002 70000"),
    ),
    "an AS4_PATH beside a confederation": Difference(
        "bgpdump prints the confederation in place of what stays of the path behind it, which it counts no AS of",
        merged(narrow(3, 65100) + narrow(2, 65001, 23456), segment(2, 70000)),
        with_path("(65100) (65100) 70000"),
        with_path("(65100) 65001 70000"),
    ),
    "a confederation in an AS4_PATH": Difference(
        "it must not be there and is to be left out (RFC 6793, 6); bgpdump prints it in place of the first AS",
        merged(narrow(2, 65001, 23456), segment(3, 65100) + segment(2, 70000)),
        with_path("(65100) 70000"),
        with_path("65001 70000"),
    ),
    "an AS4_PATH that is longer than the AS_PATH": Difference(
        "it is to be left out (RFC 6793, 4.2.3); bgpdump takes it where a confederation makes up for the difference",
        merged(narrow(3, 65100, 65101) + narrow(2, 65001, 23456), segment(2, 1, 2, 70000)),
        with_path("(65100) 1 2 70000"),
        with_path("(65100 65101) 65001 23456"),
    ),
    "a route without ORIGIN": Difference(
        "such a route is to be treated as withdrawn (RFC 7606, 3 d)",
        message(
            s.update(attrs=s.path(65001) + attribute(0x40, 3, bytes((192, 0, 2, 1))), announced=s.nlri("10.0.0.0/8"))
        ),
        ("BGP4MP|1700000000|A|10.0.0.1|65001|10.0.0.0/8|65001|INCOMPLETE|192.0.2.1|0|0||NAG||",),
        ("BGP4MP|1700000000|W|10.0.0.1|65001|10.0.0.0/8",),
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_record_on_which_we_differ(name: str, tmp_path: Path) -> None:
    case = DIFFERENCES[name]
    (file := tmp_path / "one.mrt").write_bytes(case.mrt)
    out = io.BytesIO()
    write_bgpdump(io.BytesIO(case.mrt), out)
    assert tuple(printed(file).decode().splitlines()) == case.theirs
    assert tuple(out.getvalue().decode().splitlines()) == case.ours
    assert case.theirs != case.ours


@dataclass(frozen=True)
class Count:
    """A shared file: how many lines each side prints, and how many of these stand on one side only."""

    why: str
    theirs: int
    ours: int
    only_theirs: int
    only_ours: int


FILES: Final[dict[str, Count]] = {
    "bird_bgp.mrt": Count(
        "path ids stand in the UPDATEs, as the OPENs in the file agreed; bgpdump reads them as default routes",
        *(36, 26, 24, 14),
    ),
    "bird6_bgp.mrt": Count("the same over IPv6", 44, 26, 32, 14),
    "openbgpd_rib_table.mrt": Count(
        "one AGGREGATOR has 8 octets beside 2-octet paths; bgpdump reads 6 of them: AS 0, 253.232.192.168", 31, 31, 1, 1
    ),
    "openbgpd_rib_table-mp.mrt": Count("a deprecated kind of table, which bgpdump does not read", 0, 31, 0, 31),
    "rrc00.updates.19990903.1041.gz": Count(
        "25 withdrawals in deprecated records: bgpdump prints the peer's address for the prefix's",
        65_315,
        65_315,
        25,
        25,
    ),
}
"""With the files in `test_bgpdump.EQUAL`, every shared one."""


@pytest.mark.parametrize("name", FILES)
def test_a_shared_file_on_which_we_differ(name: str) -> None:
    path, out = needs.captures() / "mrt" / name, io.BytesIO()
    with path.open("rb") as file:
        write_bgpdump(file, out)
    theirs, ours, case = printed(path).splitlines(), out.getvalue().splitlines(), FILES[name]
    assert (len(theirs), len(ours)) == (case.theirs, case.ours)
    if len(theirs) == len(ours):  # and then in the same places
        pairs = sum(one != other for one, other in zip(theirs, ours, strict=True))
        assert (pairs, pairs) == (case.only_theirs, case.only_ours)
    else:
        common = [line for line in theirs if line in ours]
        assert [line for line in ours if line in theirs] == common
        assert (len(theirs) - len(common), len(ours) - len(common)) == (case.only_theirs, case.only_ours)
