"""The raw sockets of reverse catchment (raw(7), packet(7)); both need CAP_NET_RAW.

Sending makes whole packets, so that the anycast address need be no address of this machine: a proxying or translating
NVA may only route it. Hearing is done where packets come in, before translation and routing: a reply is heard even
where the address is translated to an application's. A filter in the kernel lets only replies to our own pings through.
"""

import contextlib
import ctypes
import socket
from struct import Struct

from anycast.prefix import Address
from collector.probe.reverse.ping import WORD
from collector.probe.wire.ancillary import SO_TIMESTAMPNS

SO_ATTACH_FILTER = 26  # asm-generic/socket.h
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
QUEUE = 1 << 20  # octets
_LD_B, _LD_H, _LD_W, _LDX_IHL, _LD_B_X, _LD_W_X, _JEQ, _JSET, _RET = (
    0x30, 0x28, 0x20, 0xB1, 0x50, 0x40, 0x15, 0x45, 0x06,
)  # fmt: skip
_LINE = Struct("@HBBI")
_PROGRAM = Struct("@HP")
_OURS = int.from_bytes(WORD, "big")
Program = tuple[tuple[int, int, int, int], ...]
"""(operation, skip when true, skip when false, operand); offsets count from the IP header."""

REPLIES: dict[int, Program] = {
    4: (
        (_LD_B, 0, 0, 9),
        (_JEQ, 0, 7, 1),  # ICMP
        (_LD_H, 0, 0, 6),
        (_JSET, 5, 0, 0x3FFF),  # a fragment
        (_LDX_IHL, 0, 0, 0),
        (_LD_B_X, 0, 0, 0),
        (_JEQ, 0, 2, 0),  # echo reply
        (_LD_W_X, 0, 0, 8),
        (_JEQ, 1, 0, _OURS),
        (_RET, 0, 0, 0),
        (_RET, 0, 0, 0xFFFF),
    ),
    6: (
        (_LD_B, 0, 0, 6),
        (_JEQ, 0, 4, 58),  # ICMPv6
        (_LD_B, 0, 0, 40),
        (_JEQ, 0, 2, 129),  # echo reply
        (_LD_W, 0, 0, 48),
        (_JEQ, 1, 0, _OURS),
        (_RET, 0, 0, 0),
        (_RET, 0, 0, 0xFFFF),
    ),
}


def sending(version: int) -> socket.socket:
    """Return a socket that sends whole packets of an IP version; raises OSError."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    found = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    found.setblocking(False)
    return found


def hearing(version: int) -> socket.socket:
    """Return a socket that gives IP packets with replies to our pings, wherever they come in; raises OSError."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETHERTYPE[version]))
    try:
        found.setblocking(False)
        code = b"".join(_LINE.pack(*line) for line in REPLIES[version])
        kept = ctypes.create_string_buffer(code)
        program = _PROGRAM.pack(len(REPLIES[version]), ctypes.addressof(kept))
        found.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        found.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
        _drain(found)
    except OSError:
        found.close()
        raise
    return found


def _drain(sock: socket.socket) -> None:
    """Throw away what came before there was a filter."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(1):
            pass


def send(sock: socket.socket, packet: bytes, host: Address) -> None:
    """Send a whole packet; raises OSError."""
    sock.sendto(packet, socket.MSG_DONTWAIT, (str(host), 0))
