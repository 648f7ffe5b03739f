"""Raw files: pieces of a BMP stream with the times at which they came, appended by the decoding thread.

A file holds records of one exporter: kind (1 octet), time of receipt in ns since 1970 (8), length (4), octets. It is
written as `TIME.part` and becomes `TIME.raw` when it is closed, TIME being that of its first record in ns. A record
that a crash cut off is left out when the file is read.
"""

import contextlib
import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from threading import Lock
from typing import IO, Final
from urllib.parse import quote, unquote

RECORD: Final = struct.Struct("!BQI")
LARGEST: Final = 256 << 20
"""Octets of one raw file, after which the next one begins."""
PART, RAW = ".part", ".raw"
BUFFER: Final = 1 << 18


class Kind(IntEnum):
    """What a record is."""

    OCTETS = 0
    OPENED = 1
    LOST = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """One record."""

    kind: Kind
    at: int
    """ns since 1970."""
    octets: bytes = b""


@dataclass
class _Open:
    file: IO[bytes]
    path: Path
    first: int
    size: int = 0

    def append(self, head: bytes, octets: bytes) -> None:
        """Write a record at once, so that a kill loses none; all of it, or nothing."""
        size = len(head) + len(octets)
        written = os.writev(self.file.fileno(), (head, octets))
        if written < size:
            self.file.truncate(self.size)
            raise OSError(errno.ENOSPC, "the disk took a part of a record only")
        self.size += size


@dataclass
class RawFiles:
    """The raw files of all exporters. Two threads use it: one writes, another has it rotated."""

    folder: Path
    every: float
    """Seconds that one file covers."""
    quota: int
    """Octets of raw files, open and waiting; what does not fit is dropped and counted."""
    dropped: int = 0
    """Octets that were not kept: the quota was full, or the disk refused."""
    failure: str = ""
    """Why the last piece was not kept; empty while all is well."""
    _open: dict[str, _Open] = field(default_factory=dict)
    _waiting: int = 0
    _lock: Lock = field(default_factory=Lock)

    def begin(self) -> None:
        """Make the folder, and close what a crash left open. Raises OSError when the disk refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob(f"*/*{PART}"):
            path.rename(path.with_suffix(RAW))
        self.measure()

    def measure(self) -> None:
        """Look how much waits to be converted."""
        with self._lock:
            self._waiting = sum(path.stat().st_size for path in self.folder.glob(f"*/*{RAW}"))

    def closed(self) -> bool:
        """Whether anything waits to be converted."""
        return next(self.folder.glob(f"*/*{RAW}"), None) is not None

    def put(self, exporter: str, piece: Piece) -> None:
        """Append a record. Never raises: what cannot be kept is counted, for hearing comes before keeping."""
        size = RECORD.size + len(piece.octets)
        with self._lock:
            try:
                if self._waiting + size > self.quota:
                    raise OSError(f"raw files wait for {self._waiting >> 20} MiB already, as much as they may")
                held = self._for(exporter, piece.at)
                held.append(RECORD.pack(piece.kind, piece.at, len(piece.octets)), piece.octets)
            except OSError as error:
                self.dropped += len(piece.octets)
                self.failure = f"the archive does not take what is heard: {error}"
                return
            self._waiting += size
            self.failure = ""

    def rotate(self, now: int, everything: bool = False) -> None:
        """Close files whose time is over at `now` (ns), or all."""
        with self._lock:
            for exporter, held in tuple(self._open.items()):
                if everything or now - held.first >= self.every * 1e9:
                    self._close(exporter)

    def _for(self, exporter: str, at: int) -> _Open:
        held = self._open.get(exporter)
        if held is not None and (at - held.first >= self.every * 1e9 or held.size >= LARGEST):
            self._close(exporter)
            held = None
        if held is None:
            folder = self.folder / folder_of(exporter)
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{at:020d}{PART}"
            held = self._open[exporter] = _Open(path.open("ab", buffering=0), path, at)
        return held

    def _close(self, exporter: str) -> None:
        held = self._open.pop(exporter)
        try:
            held.file.close()
        except OSError as error:
            self.failure = f"the archive does not take what is heard: {error}"
        with contextlib.suppress(FileNotFoundError):
            held.path.rename(held.path.with_suffix(RAW))


def folder_of(exporter: str) -> str:
    """Return an exporter's name as the name of a folder."""
    return quote(exporter, safe="") if exporter.strip(".") else quote(exporter, safe="").replace(".", "%2E")


def exporter_of(folder: str) -> str:
    """Return the exporter that a folder is named for."""
    return unquote(folder)


def pieces(path: Path) -> Iterator[Piece]:
    """Yield the records of a raw file; one that was cut off, or is none, ends it. Raises OSError."""
    with path.open("rb", buffering=BUFFER) as file:
        left = os.fstat(file.fileno()).st_size
        while len(head := file.read(RECORD.size)) == RECORD.size:
            kind, at, size = RECORD.unpack(head)
            left -= RECORD.size
            if size > left or kind not in Kind.__members__.values():
                return
            left -= size
            yield Piece(Kind(kind), at, file.read(size))
