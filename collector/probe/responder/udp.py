"""The UDP socket of a responder. Its reply leaves from the address that was asked, be that one of several.

The kernel stamps what it receives (T2), says with which TTL it came and to which address; a reply carries the DSCP of
its request. Everything else of a datagram that is not answered is a number in `Counters`.
"""

import asyncio
import socket
import time
from struct import Struct
from typing import Any

from collector.probe.identity.datagram import LONGEST
from collector.probe.identity.refused import Cause, Refused
from collector.probe.responder.answering import Answering, Asker
from collector.probe.responder.counters import Counters
from collector.probe.responder.settings import Place

# Linux's numbers (asm-generic/socket.h, linux/in.h, linux/in6.h) for what Python does not name.
SO_TIMESTAMPNS = 35
IP_PKTINFO, IP_RECVTTL, IP_FREEBIND = 8, 12, 15
IPV6_FREEBIND = 78

AT_ONCE = 64  # datagrams between two looks at what else is to be done: about 2 ms
QUEUE = 1 << 20  # octets of the socket's buffer: bursts of some thousand requests
DSCP = 0xFC  # of the TOS octet; the other two bits are the network's (RFC 3168)

_TIME = Struct("@ll")
_INT = Struct("@i")
_PKTINFO4 = Struct("@i4s4s")
_PKTINFO6 = Struct("@16si")
_ROOM = sum(map(socket.CMSG_SPACE, (_TIME.size, _INT.size, _INT.size, _PKTINFO6.size)))

Ancillary = list[tuple[int, int, bytes]]


class UdpServer:
    """One bound socket, served by the running loop."""

    def __init__(self, place: Place, answering: Answering, counters: Counters) -> None:
        """Bind it; raises OSError."""
        self._answering, self._counters = answering, counters
        self._socket = bound(place)
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """The port that it is bound to."""
        return int(self._socket.getsockname()[1])

    def open(self) -> None:
        """Serve from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._serve)

    def close(self) -> None:
        """Serve no more."""
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
        self._socket.close()

    def _serve(self) -> None:
        for _ in range(AT_ONCE):
            try:
                data, ancillary, _, source = self._socket.recvmsg(LONGEST + 1, _ROOM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error that a reply of ours met
            try:
                self._answer(data, ancillary, source)
            except Refused as refused:
                self._counters.drop("udp", refused.cause)

    def _answer(self, data: bytes, ancillary: Ancillary, source: Any) -> None:
        address = self._answering.admit(source[0])
        received, ttl, back = _told(ancillary)
        asker = Asker(address, source[1], received or time.time_ns(), ttl)
        reply, key = self._answering.answer(data, asker, time.monotonic_ns(), time.time_ns())
        try:
            self._socket.sendmsg((reply,), back, socket.MSG_DONTWAIT, source)
        except OSError as error:
            raise Refused(Cause.SEND, str(error)) from None
        self._counters.answer("udp", key.id)


def bound(place: Place) -> socket.socket:
    """Return a bound datagram socket that tells stamps, TTLs and addresses; raises OSError.

    The address need not be there yet: NVAs take the anycast address away and bring it back.
    """
    six = place.address.version == 6
    found = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        found.setblocking(False)
        found.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
        if six:
            options = (socket.IPV6_V6ONLY, socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS)
            for option in (*options, IPV6_FREEBIND):
                found.setsockopt(socket.IPPROTO_IPV6, option, 1)
        else:
            for option in (IP_PKTINFO, IP_RECVTTL, socket.IP_RECVTOS, IP_FREEBIND):
                found.setsockopt(socket.IPPROTO_IP, option, 1)
        found.bind((str(place.address), place.port))
    except OSError:
        found.close()
        raise
    return found


def _told(ancillary: Ancillary) -> tuple[int, int, Ancillary]:
    """Return the kernel's stamp (ns, 0 without one), the TTL (0 without one), and what a reply must carry."""
    received, ttl = 0, 0
    back: Ancillary = []
    for level, kind, data in ancillary:
        match level, kind:
            case socket.SOL_SOCKET, 35 if len(data) == _TIME.size:
                seconds, rest = _TIME.unpack(data)
                received = seconds * 1_000_000_000 + rest
            case socket.IPPROTO_IP, socket.IP_TTL:
                (ttl,) = _INT.unpack(data)
            case socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT:
                (ttl,) = _INT.unpack(data)
            case socket.IPPROTO_IP, 8:
                _, ours, _ = _PKTINFO4.unpack(data)
                back.append((level, kind, _PKTINFO4.pack(0, ours, bytes(4))))
            case socket.IPPROTO_IPV6, socket.IPV6_PKTINFO:
                ours, index = _PKTINFO6.unpack(data)
                back.append((level, kind, _PKTINFO6.pack(ours, index if ours[0] == 0xFE else 0)))
            case socket.IPPROTO_IP, socket.IP_TOS if data[0] & DSCP:
                back.append((level, kind, _INT.pack(data[0] & DSCP)))
            case socket.IPPROTO_IPV6, socket.IPV6_TCLASS if _INT.unpack(data)[0] & DSCP:
                back.append((level, kind, _INT.pack(_INT.unpack(data)[0] & DSCP)))
    return received, ttl, back
