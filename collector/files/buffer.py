"""A file read ahead in large pieces, so that compiled code sees many records at once."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from collector.batch import Array
from collector.wire.mrt.records import Readable

CHUNK: Final = 1 << 20
"""Octets of one read: ten thousand records, and they stay in the processor's cache until they are decoded."""


class Buffer:
    """The part of a file that was read and is not taken yet."""

    def __init__(self, file: Readable, chunk: int = CHUNK, live: bool = False) -> None:
        """`chunk`: octets of one read; `live`: a read may wait for somebody to write."""
        self.live = live
        self._file, self._chunk = file, chunk
        self._readinto: Callable[[Array], int] | None = getattr(file, "readinto", None)
        self._data: Array = np.empty(2 * chunk, np.uint8)
        self._start = self._end = 0
        self.offset = 0
        """Offset in the file of the first octet that has not been taken."""

    @property
    def size(self) -> int:
        """Octets that are there."""
        return self._end - self._start

    @property
    def octets(self) -> Array:
        """What is there, as uint8; good until more is read."""
        octets = self._data[self._start : self._end]
        octets.flags.writeable = False  # as the octets of a socket are: one compiled function for both
        return octets

    def more(self) -> bool:
        """Read another piece; False, with nothing read, at the end of the file. Raises Malformed and OSError."""
        self._make_room()
        room = self._data[self._end : self._end + self._chunk]
        if self._readinto is not None:
            size = self._readinto(room)
        else:
            piece = self._file.read(len(room))
            size = len(piece)
            room[:size] = np.frombuffer(piece, np.uint8)
        self._end += size
        return size > 0

    def _make_room(self) -> None:
        size = self.size
        if self._end + self._chunk <= len(self._data):
            return
        old: Any = self._data
        if size + self._chunk > len(old):
            self._data = np.empty(2 * (size + self._chunk), np.uint8)
        self._data[:size] = old[self._start : self._end]
        self._start, self._end = 0, size

    def holds(self, size: int) -> bool:
        """Whether `size` octets are there; reads them ahead."""
        while self.size < size and self.more():
            pass
        return self.size >= size

    def read(self, size: int, /) -> bytes:
        """Take up to `size` octets, and none only at the end."""
        self.holds(1)
        return self.take(size)

    def peek(self, at: int, size: int) -> bytes:
        """Octets that are there, without taking them."""
        start = self._start + at
        return self._data[start : min(start + size, self._end)].tobytes()

    def take(self, size: int) -> bytes:
        """Take octets that are there."""
        taken = self.peek(0, size)
        self.skip(len(taken))
        return taken

    def skip(self, size: int) -> None:
        """Take octets that are there, without a look."""
        self._start += size
        self.offset += size
