"""Octets between the socket and the decoder: bounded in memory, then bounded on disk, in order. Two threads use it."""

import struct
import tempfile
from collections import deque
from pathlib import Path
from threading import Lock
from typing import IO, Final

_RECORD: Final = struct.Struct("!Iq")

Chunk = tuple[bytes, int]
"""Octets, and when they were received (ns)."""


OWN: Final = 64
"""This part of the shared memory is each inbox's own: whoever fills the rest crowds no quiet router out."""


class Room:
    """Memory that several inboxes share."""

    def __init__(self, octets: int) -> None:
        self._octets, self._held = octets, 0
        self._lock = Lock()

    def take(self, octets: int, held: int = 0, stretched: bool = False) -> bool:
        """Take so much of it for an inbox that has `held`; False, with nothing taken, when there is less."""
        with self._lock:
            bound = self._octets + (self._octets // 4 if stretched else 0)
            if self._held + octets > bound and held + octets > self._octets // OWN:
                return False
            self._held += octets
            return True

    def give(self, octets: int) -> None:
        """Give so much of it back."""
        with self._lock:
            self._held -= octets


class Inbox:
    """A queue of chunks. Once memory is full, chunks go to a spool file until everything in it was taken."""

    def __init__(self, memory: int, disk: int, folder: Path | None, room: Room | None = None) -> None:
        """`memory` and `disk`: octets; without a `folder` nothing is spooled. `room`: of the memory of all inboxes."""
        self._room = room or Room(memory)
        self._memory, self._disk = memory, disk if folder is not None else 0
        self._folder = folder
        self._chunks: deque[Chunk] = deque()
        self._held = 0
        self._spool: IO[bytes] | None = None
        self._read = self._written = 0
        self._lock = Lock()
        self.stretched = False
        """A quarter more than the bounds is allowed, while somebody makes room."""
        self.spooled = 0
        """Octets that went through the spool so far."""

    @property
    def octets(self) -> int:
        """Octets waiting, in memory and on disk."""
        return self._held + self._written - self._read

    @property
    def on_disk(self) -> int:
        """Octets waiting on disk."""
        return self._written - self._read

    def put(self, chunk: bytes, at: int) -> bool:
        """Add octets; False, with nothing added, when there is no room for them, neither in memory nor on disk."""
        with self._lock:
            fits = self._held + len(chunk) <= self._stretch(self._memory)
            if self._spool is None and fits and self._room.take(len(chunk), self._held, self.stretched):
                self._chunks.append((chunk, at))
                self._held += len(chunk)
                return True
            return self._to_disk(chunk, at)

    def take(self, most: int) -> list[Chunk]:
        """Take chunks in order, about `most` octets; none when there are none."""
        taken: list[Chunk] = []
        size = 0
        with self._lock:
            while size < most and (chunk := self._next()) is not None:
                taken.append(chunk)
                size += len(chunk[0])
        return taken

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._chunks.clear()
            self._room.give(self._held)
            self._held = 0
            self._end_spool()

    def _next(self) -> Chunk | None:
        if self._chunks:
            chunk = self._chunks.popleft()
            self._held -= len(chunk[0])
            self._room.give(len(chunk[0]))
            return chunk
        if self._spool is None:
            return None
        self._spool.seek(self._read)
        size, at = _RECORD.unpack(self._spool.read(_RECORD.size))
        data = self._spool.read(size)
        self._read += _RECORD.size + size
        if self._read == self._written:
            self._end_spool()
        return data, at

    def _to_disk(self, chunk: bytes, at: int) -> bool:
        if self._written + _RECORD.size + len(chunk) > self._stretch(self._disk):
            return False
        if self._spool is None:
            # Deleted already: it ends with us, however we end.
            self._spool = tempfile.TemporaryFile(dir=self._folder, prefix="spool-", buffering=1 << 20)  # noqa: SIM115
        self._spool.seek(self._written)
        self._spool.write(_RECORD.pack(len(chunk), at))
        self._spool.write(chunk)
        self._written += _RECORD.size + len(chunk)
        self.spooled += len(chunk)
        return True

    def _stretch(self, bound: int) -> int:
        return bound + bound // 4 if self.stretched else bound

    def _end_spool(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None
            self._read = self._written = 0
