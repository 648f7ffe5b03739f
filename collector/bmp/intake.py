"""Octets of one feed on their way to the kernel: chunks as they were received, joined into runs of whole messages."""

from collections import deque
from typing import Final

import numpy as np

from collector.batch import Array
from collector.wire.bmp.frames import HEADER, LONGEST

RUN: Final = 256 << 10
"""Octets joined into one run: about a millisecond of decoding."""
_DAY: Final = 86_400 * 1_000_000_000


class Intake:
    """Chunks in, runs out. Every message of a run was received on one UTC day (by its last octet)."""

    def __init__(self) -> None:
        self._chunks: deque[tuple[bytes, int]] = deque()
        self._waiting = 0
        self.data = b""
        self.buffer: Array = np.zeros(0, np.uint8)
        self.at = 0
        """Offset in the run of the first octet not taken."""
        self.marks: Array = np.zeros(0, np.uint64)
        self.times: Array = np.zeros(0, np.int64)
        self.starved = True
        """Whether what is left of the run is not a whole message."""
        self.taken = 0
        """Octets of the stream before this run."""

    @property
    def waiting(self) -> int:
        """Octets that are not taken yet."""
        return self._waiting + len(self.data) - self.at

    @property
    def day(self) -> int:
        """Day of the run, counted from 1970."""
        return int(self.times[-1]) // _DAY

    def put(self, chunk: bytes, at: int) -> None:
        """Add octets received at `at` (ns)."""
        if chunk:
            self._chunks.append((chunk, at))
            self._waiting += len(chunk)

    def load(self) -> bool:
        """Make the next run where the last one is used up; False when no whole message can be in what there is."""
        if not self.starved:
            return True
        tail = self.data[self.at :]
        if not self._chunks or len(tail) + self._waiting < _needed(self._head(tail)):
            return False
        head, parts, total = tail[:HEADER], [tail], len(tail)
        marks: list[int] = []
        times: list[int] = []
        while self._chunks and (total < RUN or total < _needed(head)):
            chunk, at = self._chunks[0]
            if times and at // _DAY != times[-1] // _DAY and total >= _needed(head):
                break
            self._chunks.popleft()
            head = (head + chunk[:HEADER])[:HEADER]
            total += len(chunk)
            parts.append(chunk)
            marks.append(total)
            times.append(at)
        self.taken += self.at
        self.data, self.at, self.starved = b"".join(parts), 0, False
        self._waiting -= total - len(tail)
        self.buffer = np.frombuffer(self.data, np.uint8)
        self.marks, self.times = np.array(marks, np.uint64), np.array(times, np.int64)
        return True

    def frame(self) -> tuple[bytes, int]:
        """Return the next message, which is whole, and when its last octet was received (ns)."""
        size = int.from_bytes(self.data[self.at + 1 : self.at + 5], "big")
        end = self.at + size
        return self.data[self.at : end], int(self.times[np.searchsorted(self.marks, end)])

    def drop(self) -> bytes:
        """Forget everything; returns what was left of the run."""
        left = self.data[self.at :]
        self._chunks.clear()
        self.data, self.at, self._waiting, self.starved = b"", 0, 0, True
        return left

    def _head(self, tail: bytes) -> bytes:
        """The common header at the start of what there is, as far as it is there."""
        head = tail[:HEADER]
        for chunk, _ in self._chunks:
            if len(head) == HEADER:
                break
            head = (head + chunk[:HEADER])[:HEADER]
        return head


def _needed(head: bytes) -> int:
    """Octets without which the message that begins with `head` cannot be looked at."""
    if head and head[0] != 3:
        return 1
    size = int.from_bytes(head[1:5], "big") if len(head) == HEADER else HEADER
    return size if HEADER < size <= LONGEST else HEADER
