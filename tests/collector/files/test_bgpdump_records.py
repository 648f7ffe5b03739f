"""Records made for one question each: both decoders are given the same bytes, and every line must be equal."""

import io
import struct
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import pytest

from benchmarks.table import MARKER, attribute, record
from collector.files.bgpdump import write_bgpdump
from tests.collector.bmp import streams as s
from tests.collector.wire.oracle import printed

HOP6: Final = ip_address("2001:db8::1").packed
LINK_LOCAL: Final = ip_address("fe80::1").packed
PEERS: Final = record(13, 1, bytes(4) + struct.pack("!HHB", 0, 1, 2) + bytes(4) + bytes((10, 0, 0, 1, 0, 0, 253, 233)))
"""A table of one peer: 10.0.0.1 of AS 65001."""
COMMUNITIES: Final = attribute(0xC0, 8, struct.pack("!6I", *range(0xFFFFFF01, 0xFFFFFF05), 0xFFFF029A, 0x10002))
LARGE: Final = attribute(0xC0, 32, struct.pack("!6I", 1, 2, 3, 4, 5, 6))
AGGREGATED: Final = attribute(0x40, 6, b"") + attribute(0xC0, 7, struct.pack("!I", 70_000) + bytes((1, 2, 3, 4)))


def message(
    pdu: bytes, subtype: int = 4, micros: int | None = None, peer: str = "10.0.0.1", local: str = "10.0.0.2"
) -> bytes:
    """Build a BGP4MP record, or a BGP4MP_ET one where `micros` are given, of AS 65001's session with us."""
    narrow, ends = subtype in (1, 6, 8, 10), (ip_address(peer), ip_address(local))
    head = struct.pack("!HH" if narrow else "!II", 65001, 65002) + struct.pack(
        "!HH", 0, 1 if ends[0].version == 4 else 2
    )
    stamp = b"" if micros is None else struct.pack("!I", micros)
    return record(16 if micros is None else 17, subtype, stamp + head + ends[0].packed + ends[1].packed + pdu)


def state(old: int, new: int, kind: int = 16) -> bytes:
    """Build a state change."""
    stamp = struct.pack("!I", 7) if kind == 17 else b""
    return record(kind, 5, stamp + struct.pack("!IIHH", 65001, 65002, 0, 1) + bytes(8) + struct.pack("!HH", old, new))


def rib(prefix: str, attrs: bytes, path_id: int | None = None) -> bytes:
    """Build a TABLE_DUMP_V2 file of one route."""
    subtype = (2 if "." in prefix else 4) + (0 if path_id is None else 6)
    entry = struct.pack("!HI", 0, 7) + (b"" if path_id is None else struct.pack("!I", path_id))
    entry += struct.pack("!H", len(attrs)) + attrs
    return PEERS + record(13, subtype, bytes(4) + s.nlri(prefix) + struct.pack("!H", 1) + entry)


def table_dump(prefix: str, peer: str, attrs: bytes) -> bytes:
    """Build a TABLE_DUMP record of one route."""
    address, _, length = prefix.partition("/")
    packed = ip_address(address).packed
    body = bytes(4) + packed + bytes((int(length), 1)) + bytes(4) + ip_address(peer).packed
    return record(12, 1 if len(packed) == 4 else 2, body + struct.pack("!HH", 65001, len(attrs)) + attrs)


def old(pdu: bytes) -> bytes:
    """Build a deprecated BGP record of an UPDATE."""
    ends = struct.pack("!H", 3333) + bytes((1, 1, 1, 1)) + struct.pack("!H", 3334) + bytes((2, 2, 2, 2))
    return record(5, 1, ends + pdu[19:])


def announced(extra: bytes = b"", width: int = 4) -> bytes:
    """Build an UPDATE that announces 10.0.0.0/8."""
    return s.update(attrs=s.attributes(65001, extra=extra, width=width), announced=s.nlri("10.0.0.0/8"))


def segment(kind: int, *asns: int) -> bytes:
    """Build an AS_PATH segment of 4-octet numbers."""
    return bytes((kind, len(asns))) + struct.pack(f"!{len(asns)}I", *asns)


SIX: Final = (
    *("::/0", "::1/128", "::2/128", "::1.2.3.4/128", "::ffff:1.2.3.4/128", "::ffff:0:0/96", "::1:0:0/128"),
    *("2001:db8:0:1:1:1:1:1/128", "2001:0:0:1:0:0:0:1/128", "2001:0:0:1:1:0:0:1/128", "0:1::/32", "fe80::/10"),
    *("1:2:3:4:5:6:7:0/128", "0:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:0:0/128", "::fffe:1.2.3.4/128", "64:ff9b::/96"),
    *(
        "0:0:0:0:ffff:0:1.2.3.4/128",
        "::1:2/128",
        "0:0:0:0:0:1::/96",
        "::1.0.0.0/104",
        "1:20:300:4000:5:60:700:8000/128",
    ),
)
BOTH: Final = s.update(
    s.nlri("9.0.0.0/8"),
    s.attributes(65001, extra=s.reach("2001:db8::/32") + s.unreach("2001:db9::/32")),
    s.nlri("10.0.0.0/8", "10.128.0.0/9", "10.1.1.1/32", "0.0.0.0/0"),
)
PATH: Final = b"".join(
    (segment(3, 1, 2), segment(2, 3, 4), segment(2, 5), segment(1, 6, 7), segment(4, 8, 9), segment(1, 10)),
) + segment(2, 4_294_967_295, 0)
PATHS: Final = s.update(
    s.nlri("9.0.0.0/8", path_id=3), s.attributes(65001), s.nlri("10.0.0.0/8", path_id=4_294_967_295)
)
OPEN: Final = MARKER + struct.pack("!HBBHH4sB", 29, 1, 4, 1, 90, bytes(4), 0)

SAME: Final[dict[str, bytes]] = {
    "IPv6 prefixes": message(s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach(*SIX)))),
    "every field of an UPDATE": message(BOTH),
    "IPv6 withdrawals": message(s.update(attrs=s.unreach(*SIX))),
    "a session over IPv6": message(announced(), peer="2001:db8::5", local="2001:db8::6"),
    "a time with microseconds": message(announced(), micros=5),
    "the last microsecond": message(announced(), micros=999_999),
    "a message that was sent": message(announced(), subtype=7),
    "one with microseconds": message(announced(), subtype=7, micros=1),
    "path ids": message(PATHS, subtype=9),
    "path ids with microseconds": message(PATHS, subtype=9, micros=1),
    "2-octet AS numbers": message(announced(width=2), subtype=1),
    "AS4_PATH": message(announced(attribute(0xC0, 17, segment(2, 4_200_000_000)), 2), subtype=1),
    "AS4_PATH longer than AS_PATH": message(announced(attribute(0xC0, 17, segment(2, 1, 2, 3)), 2), subtype=1),
    "communities": message(announced(COMMUNITIES + LARGE)),
    "an aggregator": message(announced(AGGREGATED)),
    "an aggregator of 255.255.255.255": message(announced(attribute(0xC0, 7, bytes(4) + b"\xff" * 4))),
    "MED and LOCAL_PREF": message(announced(attribute(0x80, 4, b"\xff" * 4) + attribute(0x40, 5, b"\xfe" * 4))),
    "every kind of segment": message(
        s.update(
            attrs=attribute(0x40, 1, b"\1") + attribute(0x40, 2, PATH) + attribute(0x40, 3, bytes(4)), announced=b"\0"
        )
    ),
    "an empty path": message(s.update(attrs=s.attributes(), announced=s.nlri("10.0.0.0/8"))),
    "unknown attributes": message(announced(attribute(0xC0, 99, bytes(300)) + attribute(0xC0, 16, bytes(8)))),
    "IPv4 in MP_REACH": message(
        s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("10.0.0.0/8", afi=1, next_hop="1.2.3.4")))
    ),
    "IPv4 with an IPv6 next hop": message(
        s.update(attrs=s.attributes(65001, next_hop=None, extra=s.reach("10.0.0.0/8", afi=1, next_hop="2001:db8::1")))
    ),
    "a next hop with a link-local one": message(
        s.update(
            attrs=s.attributes(65001, next_hop=None)
            + attribute(0x80, 14, b"\0\2\1\x20" + HOP6 + LINK_LOCAL + b"\0" + s.nlri("2001:db8::/32"))
        )
    ),
    "multicast": message(
        s.update(
            attrs=s.attributes(65001)
            + attribute(0x80, 14, b"\0\1\2\4\1\2\3\4\0" + s.nlri("10.0.0.0/8"))
            + attribute(0x80, 15, b"\0\2\2" + s.nlri("2001:db8::/32"))
        )
    ),
    "an empty UPDATE, an OPEN and a KEEPALIVE": message(s.update()) + message(OPEN) + message(s.bgp(4, b"")),
    "states": state(1, 2) + state(6, 1) + state(1, 3, kind=17) + state(0, 9),
    "a table": rib("10.0.0.0/8", s.attributes(65001, extra=COMMUNITIES + AGGREGATED)),
    "a table of IPv6": rib(
        "2001:db8::/32", s.attributes(65001, next_hop=None, extra=attribute(0x80, 14, b"\x10" + HOP6))
    ),
    "a table with a whole MP_REACH": rib("2001:db8::/32", s.attributes(65001, next_hop=None, extra=s.reach("::/0"))),
    "a table with both next hops": rib("2001:db8::/32", s.attributes(65001, extra=attribute(0x80, 14, b"\x10" + HOP6))),
    "a table of IPv4 with an IPv6 next hop": rib(
        "10.0.0.0/8", s.attributes(65001, extra=attribute(0x80, 14, b"\x10" + HOP6))
    ),
    "a table without a next hop": rib("10.0.0.0/8", s.attributes(65001, next_hop=None)),
    "a table with path ids": rib("10.0.0.0/8", s.attributes(65001, extra=LARGE), path_id=7),
    "an old table": table_dump("10.0.0.0/8", "10.0.0.1", s.attributes(65001, extra=COMMUNITIES, width=2)),
    "an old table of IPv6": table_dump(
        "2001:db8::/32", "::1", s.attributes(65001, next_hop=None, extra=attribute(0x80, 14, b"\x10" + HOP6), width=2)
    ),
    "a deprecated record": old(announced(width=2)),
    "a deprecated record with communities, which no bar precedes": old(announced(COMMUNITIES, width=2)),
}


@pytest.mark.parametrize("name", SAME)
def test_both_print_the_same(name: str, tmp_path: Path) -> None:
    (file := tmp_path / "one.mrt").write_bytes(SAME[name])
    theirs, out = printed(file), io.BytesIO()
    write_bgpdump(io.BytesIO(SAME[name]), out)
    assert out.getvalue() == theirs
    assert theirs or "an empty UPDATE" in name
