"""What Linux tells beside a datagram: kernel stamps, the TTL, and queued errors (recvmsg(2), ip(7), linux/errqueue.h).

Ancillary data come from our own kernel and are bounds-checked all the same: what is cut or unknown is passed over.
"""

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeAlias

from anycast.prefix import Address

Ancillary: TypeAlias = Iterable[tuple[int, int, bytes]]

SO_TIMESTAMPNS: Final = 35
SO_TIMESTAMPING: Final = 37
STAMPING_TX_SOFTWARE, STAMPING_SOFTWARE, STAMPING_OPT_ID, STAMPING_OPT_TSONLY = 1 << 1, 1 << 4, 1 << 7, 1 << 11
IP_RECVTTL, IP_TTL, IP_RECVERR = 12, socket.IP_TTL, 11
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IP_MTU = 10, 3, 14
IPV6_MTU_DISCOVER, IPV6_MTU, IPV6_RECVERR = 23, 24, 25
IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 51, 52
ORIGIN_TIMESTAMPING: Final = 4
SPACE: Final = 256
"""Octets of ancillary data that any message of ours needs: a stamp, a TTL, and an error with an IPv6 address."""
_TIMESPEC: Final = struct.Struct("@qq")
_ERROR: Final = struct.Struct("@IBBBBII")
_TTLS: Final = frozenset(((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, IPV6_HOPLIMIT)))
_ERRORS: Final = {(socket.IPPROTO_IP, IP_RECVERR): 4, (socket.IPPROTO_IPV6, IPV6_RECVERR): 6}
_STAMPS: Final = frozenset(((socket.SOL_SOCKET, SO_TIMESTAMPNS), (socket.SOL_SOCKET, SO_TIMESTAMPING)))


@dataclass(frozen=True, slots=True)
class QueuedError:
    """One entry of a socket's error queue."""

    version: int
    errno: int
    origin: int
    """1 our own kernel, 2 ICMP, 3 ICMPv6, 4 a stamp of sending."""
    type: int
    code: int
    info: int
    """The next hop's MTU where something was too big."""
    data: int
    offender: Address | None
    """Who sent the ICMP error."""


def stamp_and_ttl(ancillary: Ancillary) -> tuple[int, int]:
    """Return the kernel's stamp (wall clock, ns since 1970) and the TTL; 0 for each that is not there."""
    stamp = ttl = 0
    for level, kind, data in ancillary:
        if (level, kind) in _STAMPS and len(data) >= _TIMESPEC.size:
            seconds, rest = _TIMESPEC.unpack_from(data)
            stamp = seconds * 1_000_000_000 + rest
        elif (level, kind) in _TTLS and len(data) >= 4:
            ttl = int.from_bytes(data[:4], "little") & 0xFF
    return stamp, ttl


def queued_error(ancillary: Ancillary) -> QueuedError | None:
    """Return what a message off the error queue says; None when it says nothing of an error."""
    for level, kind, data in ancillary:
        version = _ERRORS.get((level, kind))
        if version is not None and len(data) >= _ERROR.size:
            errno, origin, what, code, _, info, more = _ERROR.unpack_from(data)
            return QueuedError(version, errno, origin, what, code, info, more, _offender(data[_ERROR.size :]))
    return None


def _offender(name: bytes) -> Address | None:
    """Read the address out of a struct sockaddr; AF_UNSPEC is nobody."""
    family = int.from_bytes(name[:2], "little")
    if family == socket.AF_INET and len(name) >= 8:
        return IPv4Address(name[4:8])
    if family == socket.AF_INET6 and len(name) >= 24:
        address = IPv6Address(name[8:24])
        return address.ipv4_mapped or address
    return None
