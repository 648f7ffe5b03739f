"""From a captured packet to the TCP segment in it: link layer, IPv4 and IPv6 (RFC 791, RFC 8200), TCP (RFC 9293)."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from anycast.prefix import Address

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10

End = tuple[Address, int]
"""Address and port."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment."""

    source: End
    target: End
    sequence: int
    acknowledged: int | None
    flags: int
    payload: bytes
    lost: int = 0
    """Octets of the payload, at its end, that were not captured."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of an IP packet that may hold a TCP segment."""

    ends: tuple[Address, Address]
    identification: bytes
    kind: int
    """Protocol, or extension header, with which the whole packet's payload begins."""
    start: int
    """Octets of that payload before it."""
    more: bool
    """It is not the last."""
    payload: bytes


FRAGMENTS: Final = "fragments of IP packets"
_CUT: Final = "packets cut inside their headers"


def segment(link: int, data: bytes) -> Segment | Fragment | str:
    """Find the TCP segment of a packet; returns what it is instead where there is none, in few different words."""
    found = _LINKS.get(link)
    if found is None:
        return f"packets of link type {link}"
    try:
        return _network(data, *found(data))
    except IndexError:
        return _CUT


def whole(ends: tuple[Address, Address], kind: int, payload: bytes) -> Segment | str:
    """Find the TCP segment of an IP packet whose fragments were joined."""
    try:
        found = _upper(payload, kind, 0, len(payload), ends)
    except IndexError:
        return _CUT
    return FRAGMENTS if isinstance(found, Fragment) else found


Next = tuple[int, int]
"""Ethernet type of what follows, and where it begins."""

_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_TAGS: Final = (0x8100, 0x88A8, 0x9100, 0x9200)
_MPLS: Final = (0x8847, 0x8848)
_PPPOE: Final = 0x8864
_FAMILIES: Final = {2: _IPV4, 10: _IPV6, 23: _IPV6, 24: _IPV6, 26: _IPV6, 28: _IPV6, 30: _IPV6}
"""Address families of the BSDs and Linux, in front of packets of a loopback interface."""
_PPP: Final = {0x21: _IPV4, 0x57: _IPV6, 0x281: _MPLS[0], 0x283: _MPLS[1]}


def _u16(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _null(data: bytes) -> Next:
    family = int.from_bytes(data[:4], "little")
    return _FAMILIES.get(family if family < 1 << 16 else int.from_bytes(data[:4], "big"), 0), 4


def _ppp(data: bytes) -> Next:
    at = 2 if data[:2] == b"\xff\x03" else 0
    return _PPP.get(_u16(data, at), 0), at + 2


def _raw(data: bytes) -> Next:
    return (_IPV4 if data[0] >> 4 == 4 else _IPV6), 0


_LINKS: Final[dict[int, Callable[[bytes], Next]]] = {
    0: _null,
    1: lambda data: (_u16(data, 12), 14),  # Ethernet
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    101: _raw,
    104: lambda data: (_u16(data, 2), 4),  # Cisco HDLC
    108: _null,
    113: lambda data: (_u16(data, 14), 16),  # Linux cooked
    228: _raw,
    229: _raw,
    276: lambda data: (_u16(data, 0), 20),  # Linux cooked, version 2
}
"""What stands before the network header, by LINKTYPE of tcpdump.org."""


def _network(data: bytes, kind: int, at: int) -> Segment | Fragment | str:
    while kind in _TAGS:
        kind, at = _u16(data, at + 2), at + 4
    if kind == _PPPOE:
        kind, at = _PPP.get(_u16(data, at + 6), 0), at + 8
    if kind in _MPLS:
        while not data[at + 2] & 1:
            at += 4
        at += 4
        kind = {4: _IPV4, 6: _IPV6}.get(data[at] >> 4, 0)
    if kind == _IPV4 and data[at] >> 4 == 4:
        return _ipv4(data, at)
    if kind == _IPV6 and data[at] >> 4 == 6:
        return _ipv6(data, at)
    return "packets that are not IP"


def _ipv4(data: bytes, at: int) -> Segment | Fragment | str:
    header, size, _last = (data[at] & 15) * 4, _u16(data, at + 2), data[at + 19]
    if data[at + 9] != 6:
        return _OTHER
    if header < 20:
        return _CUT
    end = at + size if size else len(data)  # 0 where the network card was to cut it into segments
    addresses = IPv4Address(data[at + 12 : at + 16]), IPv4Address(data[at + 16 : at + 20])
    part = _u16(data, at + 6)
    if part & 0x3FFF:  # more fragments, or an offset
        start, more = (part & 0x1FFF) * 8, bool(part & 0x2000)
        return _fragment(addresses, data[at + 4 : at + 6], 6, (start, more), data[at + header :], end - at - header)
    return _tcp(data, at + header, end, addresses)


_OPTIONS: Final = (0, 43, 60, 135, 139, 140)  # hop-by-hop, routing, destination options, mobility, HIP, Shim6
_OTHER: Final = "IP packets that are not TCP"


def _ipv6(data: bytes, at: int) -> Segment | Fragment | str:
    size, kind, here, _last = _u16(data, at + 4), data[at + 6], at + 40, data[at + 39]
    end = at + 40 + size if size else len(data)
    return _upper(data, kind, here, end, (IPv6Address(data[at + 8 : at + 24]), IPv6Address(data[at + 24 : at + 40])))


def _upper(data: bytes, kind: int, here: int, end: int, addresses: tuple[Address, Address]) -> Segment | Fragment | str:
    """What stands behind the IP header and the extension headers (RFC 8200, 4)."""
    while kind != 6:
        if kind in _OPTIONS:
            kind, here = data[here], here + 8 + data[here + 1] * 8
        elif kind == 51:  # authentication header (RFC 4302)
            kind, here = data[here], here + 8 + data[here + 1] * 4
        elif kind == 44:
            part, kind, known, here = _u16(data, here + 2), data[here], data[here + 4 : here + 8], here + 8
            if part & 0xFFF9:  # else it is the whole
                return _fragment(addresses, known, kind, (part & 0xFFF8, bool(part & 1)), data[here:], end - here)
        else:
            return _OTHER
    return _tcp(data, here, end, addresses)


def _fragment(
    ends: tuple[Address, Address], known: bytes, kind: int, place: tuple[int, bool], data: bytes, size: int
) -> Fragment | str:
    if kind not in (*_OPTIONS, 6, 51):
        return _OTHER
    start, more = place
    if not 0 < size <= len(data) or start + size > 0xFFFF or (more and size % 8):  # cut, or no fragment
        return FRAGMENTS
    return Fragment(ends, known, kind, start, more, data[:size])


def _tcp(data: bytes, at: int, end: int, addresses: tuple[Address, Address]) -> Segment | str:
    header = (data[at + 12] >> 4) * 4
    if header < 20 or at + header > end:
        return "TCP segments whose lengths do not fit"
    if len(data) < at + header:
        return "packets cut inside their headers"
    flags = data[at + 13]
    return Segment(
        (addresses[0], _u16(data, at)),
        (addresses[1], _u16(data, at + 2)),
        int.from_bytes(data[at + 4 : at + 8], "big"),
        int.from_bytes(data[at + 8 : at + 12], "big") if flags & ACK else None,
        flags,
        data[at + header : end],
        max(0, end - max(at + header, len(data))),
    )
