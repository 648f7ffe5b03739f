"""One TCP connection of a router: reads, stamps, and never lets the router wait."""

import asyncio
import errno
import socket
import sys
import time
from typing import Final, Protocol

from anycast.observation import LostReason
from anycast.prefix import Address
from collector.bmp.allow import caller
from collector.bmp.line import Line

PATIENCE: Final = (
    *((name, 10) for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE")),  # s; the second is what macOS calls it
    ("TCP_KEEPINTVL", 5),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 25_000),  # ms, Linux alone: what we send is given up in that time, too
)
"""With these the kernel gives a silent router up 25 s after its last sign of life. Each where the system has it."""
_LAST_ACK: Final = 56
"""Offset of `tcpi_last_ack_recv` (ms ago) in struct tcp_info (linux/tcp.h)."""
_SILENT: Final = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN)


class Desk(Protocol):
    """What a connection needs of the station."""

    def admit(self, connection: "Connection", address: Address) -> Line | None:
        """Give a caller its line; None for one that may not connect."""
        ...

    def began(self, connection: "Connection", data: bytes) -> bool:
        """The first octets of BMP came; False when the connection must go."""
        ...

    def received(self, line: Line) -> None:
        """Something was put into a line's inbox, or it ended."""
        ...

    def overflowed(self, line: Line) -> bool:
        """A line's inbox is full; False when the connection must go."""
        ...


class Connection(asyncio.Protocol):
    """Octets from a router into its line's inbox."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._transport: asyncio.Transport | None = None
        self._begun = False
        self._last = time.time_ns()
        self.line: Line | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the desk who this is."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        watch_over(transport.get_extra_info("socket"))
        self.line = self._desk.admit(self, caller(transport.get_extra_info("peername")))
        if self.line is None:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Stamp and queue what was read."""
        at, line = time.time_ns(), self.line
        if line is None or line.end is not None:
            return
        self._last = at
        if not self._begun:
            if not self._desk.began(self, data):
                self.end(LostReason.CLOSED, "another connection of this exporter is in use")
                return
            self._begun = True
        while not line.inbox.put(data, at):
            if not self._desk.overflowed(line):
                self.end(LostReason.OVERLOADED, "the router sends more than we can decode, store or spool")
                return
        self._desk.received(line)

    def connection_lost(self, error: Exception | None) -> None:
        """Say why it ended, unless that is known already."""
        if self.line is not None:
            reason, detail = reason_of(error)
            # A FIN stands behind everything that the router sent; whatever else we hear, or do not hear, may be late.
            self._note(reason, detail, None if error is None else self._seen_alive())

    def end(self, reason: LostReason, detail: str) -> None:
        """End the connection from our side."""
        self._note(reason, detail)
        self.close()

    def give_way(self) -> None:
        """End the connection because the router opened another one: nobody knows for how long this one was dead."""
        self._note(LostReason.CLOSED, "the router opened another connection", self._seen_alive())
        self.close()

    def _seen_alive(self) -> int:
        """When the router last gave a sign of life (ns): what it sent since then may be lost."""
        assert self._transport is not None
        return max(self._last, acknowledged(self._transport.get_extra_info("socket"), time.time_ns()))

    def stop(self) -> None:
        """End the connection without a word about it: the station stops."""
        if self.line is not None:
            self.line.silently = True
        self.end(LostReason.STOPPED, "Catchment stops")

    def close(self) -> None:
        """Let go of the router."""
        if self._transport is not None:
            self._transport.close()

    def _note(self, reason: LostReason, detail: str, at: int | None = None) -> None:
        line = self.line
        if line is not None and line.end is None:
            line.end = reason, detail, time.time_ns() if at is None else at
            self._desk.received(line)


def watch_over(sock: socket.socket) -> None:
    """Let the kernel notice within 30 s that the other side answers no more."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in PATIENCE:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def acknowledged(sock: socket.socket, now: int) -> int:
    """Return when the other side's TCP last acknowledged anything, our keepalives included (ns); 0 when unknown."""
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK + 4)
    except (AttributeError, OSError):  # only Linux has it, and not of a socket that is closed already
        return 0
    return now - int.from_bytes(info[_LAST_ACK:], sys.byteorder) * 1_000_000 if len(info) == _LAST_ACK + 4 else 0


def reason_of(error: Exception | None) -> tuple[LostReason, str]:
    """Say why a connection was lost, from what the event loop says."""
    if error is None:
        return LostReason.CLOSED, "the router closed the connection"
    if isinstance(error, OSError) and error.errno in _SILENT:
        return LostReason.SILENT, "no octets, and no answer to TCP keepalives"
    return LostReason.RESET, f"the connection was reset: {error}"
