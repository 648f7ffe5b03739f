"""A filter in the kernel, so that the ICMP of others on this host costs us nothing (classic BPF; RFC 3542, 3.2).

Without it every reply to anybody's ping, and every request that reaches the host, wakes the agent.
"""

import ctypes
import socket
import struct
from typing import Final

_ATTACH: Final = 26
"""SO_ATTACH_FILTER (asm-generic/socket.h)."""
_ICMP6_FILTER: Final = 1
_LDX_IHL, _LDB_X, _LDH_X, _JEQ, _RET = 0xB1, 0x50, 0x48, 0x15, 0x06
_INSTRUCTION: Final = struct.Struct("@HBBI")
_WHOLE: Final = 0xFFFF
_TAKEN_6: Final = (1, 2, 3, 4, 129)
"""Errors and the echo reply."""


def only_ours(sock: socket.socket, identifier: int) -> None:
    """Let a raw ICMP socket take errors, and echo replies with our identifier; of ICMPv6, errors and echo replies."""
    if sock.family == socket.AF_INET6:
        blocked = [0xFFFFFFFF] * 8
        for kind in _TAKEN_6:
            blocked[kind >> 5] &= ~(1 << (kind & 31))
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, struct.pack("@8I", *blocked))
        return
    code = b"".join(_INSTRUCTION.pack(*line) for line in _program(identifier))
    kept = ctypes.create_string_buffer(code)
    lines = len(code) // _INSTRUCTION.size
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("@HP", lines, ctypes.addressof(kept)))


def _program(identifier: int) -> tuple[tuple[int, int, int, int], ...]:
    """(operation, skip when true, skip when false, operand); offsets count from the IP header."""
    return (
        (_LDX_IHL, 0, 0, 0),
        (_LDB_X, 0, 0, 0),  # the ICMP type
        (_JEQ, 5, 0, 3),
        (_JEQ, 4, 0, 11),
        (_JEQ, 3, 0, 12),
        (_JEQ, 0, 3, 0),
        (_LDH_X, 0, 0, 4),  # the identifier
        (_JEQ, 0, 1, identifier),
        (_RET, 0, 0, _WHOLE),
        (_RET, 0, 0, 0),
    )
