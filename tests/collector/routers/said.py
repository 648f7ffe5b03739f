"""What the speakers of a recording say: every kind of UPDATE that routers keep, message by message."""

import struct
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from tests.collector.bmp import streams as s

Family = tuple[int, int]
IN_REACH: Final[Family] = (0, 4)
"""Stands for IPv4 unicast in MP_REACH_NLRI, over which OpenBGPD ends the session."""
FOUR, SIX, MULTICAST, LABELLED, VPN, EVPN = (1, 1), (2, 1), (1, 2), (1, 4), (1, 128), (25, 70)


@dataclass(frozen=True, slots=True)
class Said:
    """One message, sent to those who agreed on all `families`."""

    families: frozenset[Family]
    data: bytes


@dataclass(frozen=True, slots=True)
class Speaker:
    """One side of a session that we play."""

    name: str
    address: str
    asn: int
    """0: the router's own, so that the session is internal."""
    says: tuple[Said, ...]
    families: tuple[Family, ...] = (FOUR, SIX)
    wide: bool = True
    """It speaks AS numbers of four octets (RFC 6793)."""
    paths: bool = False
    """It sends and takes path ids (RFC 7911)."""
    hops: bool = False
    """It takes next hops of IPv6 for IPv4 (RFC 8950)."""

    def open_message(self, asn: int) -> bytes:
        """Return its OPEN for a router of that AS."""
        own = self.asn or asn
        said = [struct.pack("!BBHBB", 1, 4, afi, 0, safi) for afi, safi in self.families] + [b"\x02\x00"]
        if self.wide:
            said.append(struct.pack("!BBI", 65, 4, own))
        if self.hops:
            said.append(struct.pack("!BBHHH", 5, 6, 1, 1, 2))
        if self.paths:
            said.append(struct.pack("!BB", 69, 8) + struct.pack("!HBBHBB", 1, 1, 3, 2, 1, 3))
        value = b"".join(said)
        two = own if own < 65_536 else 23_456
        identifier = bytes((10, 9, 9, int(self.address.replace(":", ".").rpartition(".")[2])))
        return s.bgp(1, struct.pack("!BHH", 4, two, 90) + identifier + bytes((len(value) + 2, 2, len(value))) + value)


def four(*prefixes: str, attrs: bytes, gone: tuple[str, ...] = (), path_id: int | None = None) -> Said:
    """An UPDATE of IPv4 unicast in its old place."""
    pdu = s.update(s.nlri(*gone, path_id=path_id), attrs, s.nlri(*prefixes, path_id=path_id))
    return Said(frozenset({FOUR}), pdu)


def six(attrs: bytes, *families: Family) -> Said:
    """An UPDATE whose routes are in its attributes."""
    return Said(frozenset(families or (SIX,)), s.update(attrs=attrs))


def reach(afi: int, safi: int, hop: bytes, nlri: bytes) -> bytes:
    """MP_REACH_NLRI of any family and next hop."""
    return s.attribute(14, struct.pack("!HBB", afi, safi, len(hop)) + hop + b"\0" + nlri, 0x80)


def segment(kind: int, *asns: int, width: int = 4) -> bytes:
    """A segment of an AS_PATH: 1 a set, 2 a sequence, 3 a confederation's sequence, 4 its set."""
    return bytes((kind, len(asns))) + b"".join(asn.to_bytes(width, "big") for asn in asns)


def plain(own: int, hop: str | None, *segments: bytes, origin: int = 0, extra: bytes = b"") -> bytes:
    """ORIGIN, AS_PATH (of `own` alone unless given), NEXT_HOP, and more."""
    path = s.attribute(2, b"".join(segments) or segment(2, own))
    reached = b"" if hop is None else s.attribute(3, ip_address(hop).packed)
    return s.attribute(1, bytes((origin,))) + path + reached + extra


def _communities(*values: int) -> bytes:
    return s.attribute(8, struct.pack(f"!{len(values)}I", *values), 0xC0)


WIDE_ASN: Final = 4_200_000_011
_HOP: Final = "10.9.0.11"
_HOP6: Final = ip_address("2001:db8:9::11").packed
_LOCAL: Final = ip_address("fe80::11").packed
_LARGE: Final = s.attribute(32, struct.pack("!6I", WIDE_ASN, 1, 2, 64_500, 4_294_967_295, 0), 0xC0)
_EXTENDED: Final = s.attribute(
    16, bytes.fromhex("0002fde900000001 0003fde900000002 0102c000020100 07 030b000000000064 4004fde900000000"), 0xC0
)


def _own(*segments: bytes, origin: int = 0, extra: bytes = b"") -> bytes:
    return plain(WIDE_ASN, _HOP, *segments, origin=origin, extra=extra)


def _in_six(*prefixes: str, hop: bytes = _HOP6, extra: bytes = b"") -> bytes:
    return plain(WIDE_ASN, None, extra=reach(2, 1, hop, s.nlri(*prefixes)) + extra)


_VARIED: Final = {
    "origins": (b"", 1),
    "incomplete": (b"", 2),
    "no MED": (s.attribute(4, bytes(4), 0x80), 0),
    "most MED": (s.attribute(4, b"\xff" * 4, 0x80), 0),
    "an aggregate": (s.attribute(6, b"") + s.attribute(7, struct.pack("!I", WIDE_ASN) + bytes((10, 0, 0, 9)), 0xC0), 0),
    "communities": (_communities(0xFFFF0000, 0xFFFF029A, 0xFFFF0001, 65_000 << 16 | 1, 1, 0xFDE8FFFF, 0xFFFFFF04), 0),
    "no export": (_communities(0xFFFFFF01, 0xFFFFFF02, 0xFFFFFF03), 0),
    "large communities": (_LARGE, 0),
    "extended communities": (_EXTENDED, 0),
    "IPv6 extended communities": (s.attribute(25, b"\0\2" + _HOP6 + b"\0\7", 0xC0), 0),
    "all communities": (_communities(7) + _EXTENDED + _LARGE, 0),
    "AIGP": (s.attribute(26, b"\x01\x00\x0b" + bytes(6) + b"\x03\xe8", 0x80), 0),
    "OTC": (s.attribute(35, struct.pack("!I", WIDE_ASN), 0xC0), 0),
    "an unknown attribute": (s.attribute(99, b"what is this", 0xC0), 0),
    "a partial one": (s.attribute(99, b"what is this", 0xE0), 0),
    "one not to be passed on": (s.attribute(100, b"\1\2\3", 0x80), 0),
    "a long one": (s.attribute(101, bytes(300), 0xC0), 0),
    "a long length of a short one": (b"\xd0\x08\0\4\xfd\xe8\0\5", 0),
}

WIDE: Final = Speaker(
    "wide",
    _HOP,
    WIDE_ASN,
    (
        *(
            four(f"11.{number}.0.0/16", attrs=_own(origin=origin, extra=extra))
            for number, (extra, origin) in enumerate(_VARIED.values(), 1)
        ),
        four("11.30.0.0/16", attrs=_own(segment(2, WIDE_ASN, 64_500), segment(1, 64_496, 4_200_000_000))),
        four("11.31.0.0/16", attrs=_own(segment(2, WIDE_ASN), segment(1, 64_496), segment(2, 64_497))),
        four("11.32.0.0/16", attrs=_own(segment(2, *[WIDE_ASN] * 255), segment(2, *range(64_500, 64_545)))),
        four(*(f"11.100.{n}.0/24" for n in range(12)), attrs=_own()),
        four(*(f"11.64.0.0/{length}" for length in (10, 15, 16, 17, 23, 24, 25, 31, 32)), attrs=_own()),
        four("11.40.0.0/16", attrs=_own(), gone=("11.100.0.0/24", "11.100.1.0/24")),
        four(attrs=b"", gone=("11.100.2.0/24", "11.100.3.0/24", "11.200.0.0/16")),
        four("11.1.0.0/16", attrs=_own(extra=s.attribute(4, b"\0\0\0\5", 0x80))),
        six(_in_six("2001:db8:11::/48")),
        six(_in_six("2001:db8:111::/48", "2001:db8:112::/48", hop=_HOP6 + _LOCAL)),
        six(_in_six(*(f"2001:db8:1100::/{length}" for length in (41, 47, 48, 49, 63, 64, 65, 127, 128)))),
        six(_in_six("2001:db8:113::/48", extra=_communities(7) + _LARGE)),
        Said(
            frozenset({FOUR, SIX}),
            s.update(
                s.nlri("11.100.4.0/24"),
                _own(extra=reach(2, 1, _HOP6, s.nlri("2001:db8:114::/48"))),
                s.nlri("11.50.0.0/16"),
            ),
        ),
        six(s.unreach("2001:db8:11::/48", "2001:db8:ffff::/48")),
        six(plain(WIDE_ASN, None, extra=s.reach("11.51.0.0/16", afi=1, next_hop=_HOP)), IN_REACH),
        six(s.unreach("11.100.5.0/24", afi=1), IN_REACH),
        four(attrs=_own()),
        four(attrs=b""),
        six(s.unreach()),
    ),
)

_NARROW_HOP: Final = s.attribute(3, ip_address("10.9.0.12").packed)


def _narrow(*segments: bytes, extra: bytes = b"") -> bytes:
    return s.attribute(1, b"\0") + s.attribute(2, b"".join(segments)) + _NARROW_HOP + extra


_OLD: Final = segment(2, 65_012, 23_456, 64_500, width=2)
_AS4: Final = s.attribute(17, segment(2, 4_200_000_001, 64_500), 0xC0)
NARROW: Final = Speaker(
    "narrow",
    "10.9.0.12",
    65_012,
    (
        four("12.1.0.0/16", attrs=_narrow(segment(2, 65_012, width=2))),
        four("12.2.0.0/16", "12.3.0.0/17", attrs=_narrow(_OLD, extra=_AS4)),
        four(
            "12.4.0.0/16",
            attrs=_narrow(
                _OLD, segment(1, 1, 23_456, width=2), extra=s.attribute(17, segment(1, 1, 4_200_000_002), 0xC0)
            ),
        ),
        four(
            "12.5.0.0/16",
            attrs=_narrow(
                _OLD,
                extra=s.attribute(7, struct.pack("!H", 23_456) + bytes((10, 0, 0, 9)), 0xC0)
                + _AS4
                + s.attribute(18, struct.pack("!I", 4_200_000_001) + bytes((10, 0, 0, 9)), 0xC0),
            ),
        ),
        four(
            "12.6.0.0/16", attrs=_narrow(_OLD, extra=s.attribute(7, struct.pack("!H", 64_500) + bytes(4), 0xC0) + _AS4)
        ),
        six(
            s.attribute(1, b"\0")
            + s.attribute(2, _OLD)
            + _AS4
            + reach(2, 1, ip_address("2001:db8:9::12").packed, s.nlri("2001:db8:12::/48")),
        ),
        four(attrs=b"", gone=("12.1.0.0/16",)),
        four(attrs=b""),
    ),
    wide=False,
)


def _in_paths(number: int) -> bytes:
    return plain(65_013, "10.9.0.13", segment(2, 65_013, 64_500 + number))


def _six_paths(number: int, *prefixes: str) -> Said:
    nlri = s.nlri(*prefixes, path_id=number)
    return six(plain(65_013, None, extra=reach(2, 1, ip_address("2001:db8:9::13").packed, nlri)))


PATHS: Final = Speaker(
    "paths",
    "10.9.0.13",
    65_013,
    (
        *(four("13.1.0.0/16", "13.2.0.0/24", attrs=_in_paths(number), path_id=number) for number in (1, 2, 3)),
        four("13.3.0.0/16", attrs=_in_paths(9), path_id=4_294_967_295),
        four(attrs=b"", gone=("13.2.0.0/24",), path_id=2),
        _six_paths(7, "2001:db8:13::/48", "2001:db8:1300::/41"),
        _six_paths(8, "2001:db8:13::/48"),
        six(s.unreach("2001:db8:13::/48", path_id=7)),
        four(attrs=b""),
        six(s.unreach()),
    ),
    paths=True,
)

_REFLECTED: Final = s.attribute(9, bytes((10, 9, 9, 99)), 0x80) + s.attribute(
    10, bytes((10, 0, 0, 1, 10, 0, 0, 2)), 0x80
)


def _inner(*segments: bytes, extra: bytes = b"", preference: int = 100) -> bytes:
    more = s.attribute(5, struct.pack("!I", preference)) + extra
    path = s.attribute(2, b"".join(segments))
    return s.attribute(1, b"\0") + path + s.attribute(3, ip_address("10.9.0.14").packed) + more


INNER: Final = Speaker(
    "inner",
    "10.9.0.14",
    0,
    (
        four("14.1.0.0/16", attrs=_inner()),
        four("14.2.0.0/16", attrs=_inner(segment(2, 64_500), preference=4_294_967_295)),
        four("14.3.0.0/16", attrs=_inner(segment(2, 64_500), preference=0, extra=_REFLECTED)),
        four("14.4.0.0/16", attrs=_inner(segment(3, 64_600, 64_601), segment(2, 64_500))),
        four("14.5.0.0/16", attrs=_inner(segment(3, 64_600), segment(4, 64_602, 64_603), segment(2, 64_500))),
        four("14.6.0.0/16", attrs=_inner(segment(1, 64_500, 64_501))),
        six(
            s.attribute(1, b"\0")
            + s.attribute(2, b"")
            + s.attribute(5, b"\0\0\0\x64")
            + reach(2, 1, ip_address("2001:db8:9::14").packed, s.nlri("2001:db8:14::/48")),
        ),
        four(attrs=b"", gone=("14.1.0.0/16",)),
        four(attrs=b""),
    ),
)

_FAR: Final = ip_address("2001:db8:9::15").packed
HOPS: Final = Speaker(
    "hops",
    "2001:db8:9::15",
    65_015,
    (
        six(plain(65_015, None, extra=reach(1, 1, _FAR, s.nlri("15.1.0.0/16", "15.2.0.0/17"))), IN_REACH),
        six(
            plain(65_015, None, extra=reach(1, 1, _FAR + ip_address("fe80::15").packed, s.nlri("15.3.0.0/16"))),
            IN_REACH,
        ),
        six(s.unreach("15.2.0.0/17", afi=1), IN_REACH),
        six(plain(65_015, None, extra=reach(2, 1, _FAR, s.nlri("2001:db8:15::/48")))),
        six(plain(65_015, None, extra=reach(2, 1, _FAR + ip_address("fe80::15").packed, s.nlri("2001:db8:151::/48")))),
        four(attrs=b""),
        six(s.unreach()),
    ),
    hops=True,
)

_RD: Final = bytes.fromhex("0000fde800000001")
_VPN_ROUTE: Final = bytes((88 + 16,)) + b"\0\x10\x01" + _RD + b"\x10\x01"
_MAC_ROUTE: Final = b"\x02\x21" + _RD + bytes(10) + bytes(4) + b"\x30\0\1\2\3\4\5\0\0\x10\x01"
OTHER: Final = Speaker(
    "other",
    "10.9.0.17",
    65_017,
    (
        six(plain(65_017, None, extra=reach(1, 2, bytes((10, 9, 0, 17)), s.nlri("17.1.0.0/16"))), MULTICAST),
        six(plain(65_017, None, extra=reach(1, 4, bytes((10, 9, 0, 17)), b"\x28\0\x10\x01\x11\x02")), LABELLED),
        six(plain(65_017, None, extra=reach(1, 128, bytes(8) + bytes((10, 9, 0, 17)), _VPN_ROUTE)), VPN),
        six(plain(65_017, None, extra=reach(25, 70, bytes((10, 9, 0, 17)), _MAC_ROUTE)), EVPN),
        four("17.4.0.0/16", attrs=plain(65_017, "10.9.0.17")),
    ),
    families=(FOUR, SIX, MULTICAST, LABELLED, VPN, EVPN),
)

SPEAKERS: Final = (WIDE, NARROW, PATHS, INNER, HOPS, OTHER)
