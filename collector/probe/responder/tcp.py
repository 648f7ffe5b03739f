"""TCP of a responder: the HTTP answer, and the echo that canaries beat against.

Who is not in the allow-list is cut off. Connections are counted, in all and by source; a head must be complete within
seconds, whatever trickles in; who does not read what it is sent is cut off. Nothing is ever sent that is larger than
what came.
"""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from collector.probe.identity.refused import Cause, Refused
from collector.probe.responder import head
from collector.probe.responder.answering import Answering, Asker
from collector.probe.responder.counters import Counters
from collector.probe.responder.settings import Place
from collector.probe.responder.udp import IP_FREEBIND, IPV6_FREEBIND

MOST = 1024  # connections, of all kinds
MOST_OF_SOURCE = 128
HEAD_TIME = 5.0  # seconds from the first octet of a head to its last, and from connecting to the first
IDLE_TIME = 75.0  # seconds between two requests: canaries come every second
BACKLOG = 128


class Doors:
    """Who is connected."""

    def __init__(self, answering: Answering, counters: Counters) -> None:
        self.answering, self.counters = answering, counters
        self._all = 0
        self._sources: Counter[str] = Counter()

    def enter(self, source: str) -> None:
        """Let a connection in; raises Refused."""
        self.answering.admit(source)
        if self._all >= MOST or self._sources[source] >= MOST_OF_SOURCE:
            raise Refused(Cause.RATE, f"{source} would have too many connections, or all together have")
        self._all += 1
        self._sources[source] += 1

    def leave(self, source: str) -> None:
        """A connection that was let in has ended."""
        self._all -= 1
        self._sources[source] -= 1
        if not self._sources[source]:
            del self._sources[source]


class _Connection(asyncio.Protocol):
    """What HTTP and echo have in common: the door, the timer, and that nobody is waited for."""

    kind = ""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._source: str | None = None
        self._port = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See who it is."""
        self._transport = cast(asyncio.Transport, transport)
        source, self._port, *_ = transport.get_extra_info("peername")
        try:
            self._doors.enter(source)
        except Refused as refused:
            self.drop(refused.cause)
            return
        self._source = source
        self.within(HEAD_TIME)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._cancel()
        if self._source is not None:
            self._doors.leave(self._source)

    def pause_writing(self) -> None:
        """It does not read what it asked for."""
        self.drop(Cause.SEND)

    def drop(self, cause: Cause) -> None:
        """End it without a word."""
        self._doors.counters.drop(self.kind, cause)
        self._transport.abort()

    def within(self, seconds: float) -> None:
        """End it unless it gets on within so many seconds."""
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.late)

    def late(self) -> None:
        """The time is over."""
        self.drop(Cause.EXPIRED)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class HttpConnection(_Connection):
    """One request after another, each answered or the end."""

    kind = "http"

    def __init__(self, doors: Doors) -> None:
        super().__init__(doors)
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        """Take what came; answer what is complete."""
        if self._transport.is_closing():
            return
        if not self._buffer:
            self.within(HEAD_TIME)
        self._buffer += data
        while not self._transport.is_closing() and (end := self._buffer.find(head.END)) >= 0:
            whole = bytes(self._buffer[: end + len(head.END)])
            del self._buffer[: len(whole)]
            self._answer(whole)
        if len(self._buffer) > head.LONGEST and not self._transport.is_closing():
            self.drop(Cause.OVERSIZED)

    def late(self) -> None:
        """A connection that is only idle ends as connections do."""
        if self._buffer:
            self.drop(Cause.EXPIRED)
        else:
            self._transport.close()

    def _answer(self, whole: bytes) -> None:
        received = time.time_ns()
        doors = self._doors
        try:
            if len(whole) > head.LONGEST:
                raise Refused(Cause.OVERSIZED, f"a head of {len(whole)} octets is longer than {head.LONGEST}")
            asked = head.read(whole)
            asker = Asker(doors.answering.admit(self._source or ""), self._port, received)
            now = time.monotonic_ns()
            value, key = doors.answering.answer_header(asked.value, asker, now, time.time_ns(), asked.room)
        except Refused as refused:
            self.drop(refused.cause)
            return
        doors.counters.answer(self.kind, key.id)
        self._transport.write(head.written(value, asked.close))
        if asked.close:
            self._transport.close()
        else:
            self.within(HEAD_TIME if self._buffer else IDLE_TIME)


class EchoConnection(_Connection):
    """Sends back what it gets."""

    kind = "echo"

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        if not self._transport.is_closing():
            self.within(IDLE_TIME)
            self._transport.write(data)

    def late(self) -> None:
        """Nobody beats any more."""
        self._transport.close()


async def serve(listening: socket.socket, made: Callable[[], asyncio.Protocol]) -> asyncio.Server:
    """Serve a bound socket."""
    return await asyncio.get_running_loop().create_server(made, sock=listening, backlog=BACKLOG)


def bound(place: Place) -> socket.socket:
    """Return a bound stream socket, whose address need not be there yet; raises OSError."""
    six = place.address.version == 6
    found = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setblocking(False)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            found.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        else:
            found.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        found.bind((str(place.address), place.port))
    except OSError:
        found.close()
        raise
    return found
