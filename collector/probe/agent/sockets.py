"""Opening the sockets of datagram probes: stamps on before anything is sent, errors queued with who sent them.

What the kernel refuses is told apart: no right to send, no room, nowhere to send it, or too big for our own link.
"""

import errno
import os
import socket
from typing import Final

from anycast.prefix import Address
from anycast.probe import Outcome
from collector.probe.wire import ancillary as anc

DATAGRAM: Final = 2048
"""Octets of what we read at once; our longest has 1472."""
JUMBO: Final = 9216
"""Octets of the largest packet that a ladder of sizes may have."""
ROOM: Final = 1 << 22
"""Octets of a receive buffer that many targets share: about 5,000 answers, each with the kernel's own record of it."""
_SO_RCVBUFFORCE: Final = 33
_NOWHERE: Final = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN))
_HEARD: Final = frozenset((errno.ECONNREFUSED, errno.EPROTO, errno.ECONNRESET, errno.EOPNOTSUPP)) | _NOWHERE
"""Errors that an ICMP error from before may have left on a socket; the next call reports them, whatever it does."""


def roomy(sock: socket.socket) -> None:
    """Give a socket that many targets share room for bursts: past the system's limit where root may do that."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, ROOM)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)


def family(address: Address) -> socket.AddressFamily:
    """Return the address family of an address."""
    return socket.AF_INET if address.version == 4 else socket.AF_INET6


def stamped(sock: socket.socket, errors: bool = True) -> None:
    """Let a socket tell kernel stamps, TTLs and errors, and never wait."""
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, anc.SO_TIMESTAMPNS, 1)
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, anc.IP_RECVTTL, 1)
        sock.setsockopt(socket.IPPROTO_IP, anc.IP_RECVERR, int(errors))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, anc.IPV6_RECVHOPLIMIT, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, anc.IPV6_RECVERR, int(errors))


def uncut(sock: socket.socket) -> None:
    """Set DF, and let nothing that the kernel heard of the path keep a size from being tried (ip(7))."""
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, anc.IP_MTU_DISCOVER, anc.IP_PMTUDISC_PROBE)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, anc.IPV6_MTU_DISCOVER, anc.IP_PMTUDISC_PROBE)


def classed(sock: socket.socket, dscp: int) -> None:
    """Mark what a socket sends."""
    if dscp and sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
    elif dscp:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)


def connected_udp(address: Address, port: int, source: int = 0, dscp: int = 0, df: bool = False) -> socket.socket:
    """Open a UDP socket for one five-tuple; `source` 0 lets the kernel choose. Raises OSError."""
    sock = socket.socket(family(address), socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    try:
        stamped(sock)
        classed(sock, dscp)
        if df:
            uncut(sock)
        if source:
            sock.bind(("", source))
        sock.connect((str(address), port))
    except OSError:
        sock.close()
        raise
    return sock


def left_over(error: OSError) -> bool:
    """Whether a failed send may only have reported what was heard before it, so that sending again is right."""
    return error.errno in _HEARD


def unsendable(error: OSError) -> tuple[Outcome, str]:
    """Say how a probe ends that our own kernel did not send."""
    why = os.strerror(error.errno or 0)
    if error.errno in _NOWHERE:
        return Outcome.UNREACHABLE, f"{why}, says our own kernel"
    if error.errno == errno.EMSGSIZE:
        return Outcome.TOO_BIG, f"{why}, says our own kernel"
    return Outcome.UNSENT, f"{why}, says our own kernel"


def own_mtu(sock: socket.socket) -> float | None:
    """Return the MTU that our kernel knows for a connected socket's path; None while it knows none."""
    level, option = (
        (socket.IPPROTO_IP, anc.IP_MTU) if sock.family == socket.AF_INET else (socket.IPPROTO_IPV6, anc.IPV6_MTU)
    )
    try:
        return float(sock.getsockopt(level, option))
    except OSError:
        return None
