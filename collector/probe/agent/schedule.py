"""When each probe is due: one heap for all of them, no task and no timer for each.

A stream that is due again and again keeps its phase for good: a multiple of its period after its first time. A phase
comes from the stream's name, so that streams do not fire together, and do not move when the agent starts again.
"""

import heapq
from collections.abc import Iterator
from typing import Protocol
from zlib import crc32


class Stream(Protocol):
    """What is sent again and again."""

    @property
    def every(self) -> int:
        """Its period, ns."""
        ...

    def fire(self) -> None:
        """Send it once, now."""
        ...


def phase(name: str, every: int) -> int:
    """Return a stream's phase within its period, ns: the same for the same name, evenly spread over names."""
    return crc32(name.encode()) * every >> 32


class Schedule:
    """Streams by the time at which they are due next, monotonic ns."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Stream]] = []
        self._added = 0
        self.missed = 0
        """Times that passed unseen: more than a whole period late, they are left out, never made up for in a burst."""

    def __len__(self) -> int:
        return len(self._due)

    @property
    def next(self) -> int | None:
        """When the first of all is due."""
        return self._due[0][0] if self._due else None

    def add(self, stream: Stream, due: int) -> None:
        """Let a stream be due at a time, and every period from then on."""
        heapq.heappush(self._due, (due, self._added, stream))
        self._added += 1

    def take(self, now: int) -> Iterator[Stream]:
        """Yield what is due by `now`, each once."""
        due = self._due
        while due and due[0][0] <= now:
            at, number, stream = due[0]
            every = stream.every
            late = (now - at) // every
            self.missed += late
            heapq.heapreplace(due, (at + (late + 1) * every, number, stream))
            yield stream

    def clear(self) -> None:
        """Forget every stream."""
        self._due.clear()
