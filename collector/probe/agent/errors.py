"""What comes off a socket's error queue: which datagram of ours, what is wrong with it, and who says so."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from anycast.probe import Outcome
from collector.probe.agent.clock import Clock
from collector.probe.agent.sockets import DATAGRAM
from collector.probe.wire.ancillary import SPACE, queued_error, stamp_and_ttl
from collector.probe.wire.trouble import ORIGIN_LOCAL, TTL_EXPIRED, outcome, words

MOST: Final = 64
"""Errors that are read off one socket before another is heard."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One error, as a probe sees it."""

    outcome: Outcome
    mtu: float | None
    """Of the next hop, where it was told."""
    by: str
    """Who says so."""
    expired: bool
    """Whether the TTL ran out on the way."""
    detail: str
    data: bytes
    """What was quoted of our datagram's payload; often nothing."""
    when: tuple[int, int, int]
    """Monotonic and wall clock at reading, and the kernel's stamp."""


def troubles(sock: socket.socket, clock: Clock) -> Iterator[Trouble]:
    """Read the error queue. Errors of our own kernel are left out: the send that met one failed with it."""
    for _ in range(MOST):
        try:
            data, ancillary, _, _ = sock.recvmsg(DATAGRAM, SPACE, socket.MSG_ERRQUEUE)
        except OSError:
            return
        when = clock.mono(), clock.wall(), stamp_and_ttl(ancillary)[0]
        error = queued_error(ancillary)
        if error is None or error.origin == ORIGIN_LOCAL:
            continue
        what = error.version, error.type, error.code
        how, by = outcome(*what), str(error.offender or "")
        mtu = float(error.info) if how is Outcome.TOO_BIG and error.info else None
        yield Trouble(how, mtu, by, what in TTL_EXPIRED, f"{words(*what)}, says {by or 'nobody'}", data, when)
