"""Switching the kernel's stamps on, before anything rests on them.

The kernel begins to stamp some time after the first socket asks for it, and ends with the last. What came unstamped is
stamped when it is read, so a first round trip would be as long as our loop sleeps. One socket is held for as long as
the agent runs, and nothing is sent before a datagram to ourselves shows that stamps are those of its arrival.
"""

import asyncio
import socket
import time
from typing import Final

from collector.probe.agent.sockets import stamped
from collector.probe.wire.ancillary import SPACE, stamp_and_ttl

TRIES: Final = 100
WAIT: Final = 0.005
"""Seconds that a datagram to ourselves lies unread."""


class Stamping:
    """The socket that keeps stamping on."""

    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        stamped(self._sock)

    async def begin(self) -> bool:
        """Wait until stamps are right; False when they are not within a second, or cannot be tried here."""
        try:
            self._sock.bind(("127.0.0.1", 0))
            self._sock.connect(self._sock.getsockname())
            for _ in range(TRIES):
                self._sock.send(b"when?")
                await asyncio.sleep(WAIT)
                stamp, _ = stamp_and_ttl(self._sock.recvmsg(16, SPACE)[1])
                if stamp and time.time_ns() - stamp > WAIT * 0.8e9:
                    return True
        except OSError:
            await asyncio.sleep(TRIES * WAIT / 10)  # a host without loopback: it takes some ms to begin
        return False

    def close(self) -> None:
        """Let it end, where nobody else wants stamps."""
        self._sock.close()
