"""One direction of a TCP connection, put together from captured segments (RFC 9293).

Octets are handed out in order, each once. What comes early is held until the octets before it have come; what comes
twice is dropped. A gap is given up when the receiver has acknowledged
octets behind it and `PATIENCE` has passed (the capture missed them, they will not come again), when more than `HELD`
octets wait behind it, or when the direction ends.
"""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

HELD: Final = 4 << 20
"""Octets that one direction holds behind a gap: a receive window that is seldom larger."""

PATIENCE: Final = timedelta(seconds=1)
"""Captures of several queues have acknowledgements before what they acknowledge, but not for long."""

FAR: Final = 1 << 28
"""A segment further from the expected sequence number belongs to a connection whose beginning was not captured."""

_HEAVY: Final = 128  # octets that holding any segment takes, so that many small ones are bounded too


@dataclass(frozen=True, slots=True)
class Gap:
    """Octets that the capture lacks; `size` is None where nobody knows how many."""

    size: int | None


Flow: TypeAlias = bytes | Gap


class Direction:
    """What one side of a connection sent."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._position = 0
        self._held: list[tuple[int, int, bytes]] = []
        self._since: datetime | None = None
        self._acknowledged = 0
        self._fresh = False
        self._end: int | None = None
        self._count = 0
        self._first: int | None = None
        self.start: int | None = None
        """Sequence number of its SYN, where one was captured."""
        self.held = 0
        """Octets that wait behind a gap."""
        self.repeated = 0
        """Octets that came again, or came before the first that was captured."""

    @property
    def busy(self) -> bool:
        """Whether anything of it has been captured."""
        return self._next is not None

    def began(self, sequence: int) -> bool:
        """Whether it began with the SYN of this sequence number, captured or not."""
        return sequence in (self.start, self._first)

    @property
    def ended(self) -> bool:
        """Whether all that came before its FIN has been handed out."""
        return self._end is not None and self._position >= self._end

    def syn(self, sequence: int, payload: bytes) -> Iterator[Flow]:
        """Take a SYN, and the payload that may come with it."""
        self.start = sequence
        self._next = (sequence + 1) & 0xFFFFFFFF
        self._fresh = True
        yield from self._out(payload)

    def fin(self, sequence: int) -> None:
        """Take a FIN; `sequence` is that of the octet behind the last."""
        self._end = self._where(sequence)

    def add(self, sequence: int, payload: bytes, at: datetime | None) -> Iterator[Flow]:
        """Take the payload of a segment without SYN; yields what is in order now."""
        position = self._where(sequence)
        if position is None:
            yield from self.finish()
            yield Gap(None)
            self._next, position, self._end = sequence, self._position, None
        if self._fresh and position == self._position - 1 and len(payload) > 1:
            # A SYN takes a sequence number of its own. Who makes captures up may forget it, and go on one too low.
            self._next, position = sequence, self._position
        if position > self._position:
            self._hold(position, payload, at)
            if self.held > HELD:
                yield from self._skip()
            return
        early = self._position - position
        self.repeated += min(early, len(payload))
        self._fresh = self._fresh and len(payload) <= early
        yield from self._out(payload[early:])
        yield from self._drain()

    def acknowledge(self, sequence: int, at: datetime | None) -> Iterator[Flow]:
        """Take what the other side has acknowledged; yields what is behind a gap that is given up."""
        if not self._held:
            return
        position = self._where(sequence)
        self._acknowledged = max(self._acknowledged, position or 0)
        if at is None or self._since is None or timedelta(0) <= at - self._since < PATIENCE:
            return
        while self._held and self._acknowledged > self._held[0][0]:
            yield from self._skip()

    def finish(self) -> Iterator[Flow]:
        """Give up every gap: no more will come."""
        while self._held:
            yield from self._skip()

    def _where(self, sequence: int) -> int | None:
        """Position in the direction of a sequence number; None for one that is far away."""
        if self._next is None:
            self._next, self._first = sequence, (sequence - 1) & 0xFFFFFFFF
        ahead = (sequence - self._next + (1 << 31)) % (1 << 32) - (1 << 31)
        return self._position + ahead if abs(ahead) <= FAR else None

    def _hold(self, position: int, payload: bytes, at: datetime | None) -> None:
        if not self._held:
            self._since, self._acknowledged = at, 0
        self._count += 1
        insort(self._held, (position, self._count, payload))
        self.held += len(payload) + _HEAVY

    def _drain(self) -> Iterator[Flow]:
        while self._held and self._held[0][0] <= self._position:
            position, _, payload = self._held.pop(0)
            self.held -= len(payload) + _HEAVY
            self.repeated += min(self._position - position, len(payload))
            yield from self._out(payload[self._position - position :])

    def _skip(self) -> Iterator[Flow]:
        """Give up the first gap."""
        size = self._held[0][0] - self._position
        assert self._next is not None
        self._position, self._next = self._held[0][0], (self._next + size) & 0xFFFFFFFF
        yield Gap(size)
        yield from self._drain()

    def _out(self, payload: bytes) -> Iterator[Flow]:
        if payload:
            assert self._next is not None
            self._position += len(payload)
            self._next = (self._next + len(payload)) & 0xFFFFFFFF
            yield payload
