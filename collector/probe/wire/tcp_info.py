"""What the kernel measured of a TCP connection (struct tcp_info, linux/tcp.h), bytes to value."""

import struct
from dataclasses import dataclass
from typing import Final

SIZE: Final = 104
"""Octets up to and with tcpi_total_retrans; every kernel since 2.6 gives them."""
_RTT: Final = 68
_TOTAL_RETRANSMITS: Final = 100
_U32: Final = struct.Struct("@I")


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """The kernel's own figures."""

    rtt: int
    """Smoothed round trip, ns. Right after the handshake it is that of the SYN alone."""
    retransmits: int
    """Segments sent again over the connection's life, SYNs included."""


def decode_tcp_info(octets: bytes) -> TcpInfo | None:
    """Return what TCP_INFO gave; None when it is shorter than we need."""
    if len(octets) < SIZE:
        return None
    return TcpInfo(_U32.unpack_from(octets, _RTT)[0] * 1000, _U32.unpack_from(octets, _TOTAL_RETRANSMITS)[0])
