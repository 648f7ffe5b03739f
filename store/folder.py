"""Where the journal keeps what, who may write there, and which version of it this is.

lock                            held by the one writer; its pid; its time of change is when that writer last lived
version                         of what is on disk
key                             16 secret octets for the keyed hashes that are attribute ids
growing/2026-11-23/             segments: routes-05-0000000012.growing, .arrows once closed
sealed/2026-11-23/              their Parquet files, and the day's opening state (carried-*.parquet)
aside/                          what recovery took out of segments, and its reports
"""

import fcntl
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from store.schema import VERSION, JournalError

GROWING: Final = ".growing"
CLOSED: Final = ".arrows"
SEALED: Final = ".parquet"
PROBE: Final = 256 << 10
"""Octets that a disk must take to be well again: more than a few blocks that somebody else is about to fill."""


class JournalLocked(JournalError):
    """Another process writes to this folder."""


class JournalNewer(JournalError):
    """The folder was written by a newer Catchment."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one journal; every path in it is made here."""

    path: Path

    @property
    def growing(self) -> Path:
        """Segments, a folder a day."""
        return self.path / "growing"

    @property
    def sealed(self) -> Path:
        """Parquet files, a folder a day."""
        return self.path / "sealed"

    @property
    def aside(self) -> Path:
        """Bytes that recovery took out of segments."""
        return self.path / "aside"

    @property
    def scratch(self) -> Path:
        """Where sealing and queries may spill; emptied at will."""
        return self.path / "scratch"

    def segment(self, table: str, now: datetime, number: int) -> Path:
        """Return the path of a new segment whose first row is of submission `number`."""
        at = now.astimezone(UTC)
        return self.growing / at.date().isoformat() / f"{table}-{at.hour:02d}-{number:010d}{GROWING}"

    def segments(self, *suffixes: str) -> list[Path]:
        """List segments with any of the suffixes, oldest day first, in the order of writing."""
        found = (path for suffix in suffixes for path in self.growing.glob(f"*/*{suffix}"))
        return sorted(found, key=lambda path: (path.parent.name, path.stem.rpartition("-")[2], path.name))

    def days(self) -> list[date]:
        """Days that hold anything, oldest first."""
        folders = (*self.growing.glob("????-??-??"), *self.sealed.glob("????-??-??"))
        return sorted({date.fromisoformat(folder.name) for folder in folders})

    def check_version(self) -> None:
        """Raise JournalNewer when this Catchment cannot read the folder."""
        with suppress(FileNotFoundError):
            text = (self.path / "version").read_text().strip()
            if not text.isdigit():
                raise JournalError(f"{self.path / 'version'} says {text!r}; it must hold a number such as {VERSION}")
            if int(text) > VERSION:
                raise JournalNewer(
                    f"the journal in {self.path} has schema {text}, and this Catchment knows up to {VERSION}: "
                    "start the newer Catchment again, or give this one another data folder"
                )

    def prepare(self) -> None:
        """Make the folder and write its version, which is the first until something needs a later one."""
        for path in (self.growing, self.sealed, self.aside, self.scratch):
            path.mkdir(parents=True, exist_ok=True)
        self.raise_version(1)

    def raise_version(self, needed: int) -> None:
        """Have the folder say that it holds what an older Catchment does not read."""
        path = self.path / "version"
        if not path.exists() or int(path.read_text()) < needed:
            replace(path, f"{needed}\n".encode())

    def probe(self) -> None:
        """Raise OSError while the disk takes nothing."""
        path = self.scratch / "probe"
        try:
            with path.open("wb") as file:
                file.write(bytes(PROBE))
                file.flush()
                os.fsync(file.fileno())
        finally:
            path.unlink(missing_ok=True)

    def key(self) -> bytes:
        """Return the folder's 16 secret octets for attribute ids; made once."""
        path = self.path / "key"
        if not path.exists():
            replace(path, secrets.token_bytes(16), mode=0o600)
        key = path.read_bytes()
        if len(key) != 16:
            raise JournalError(f"{path} holds {len(key)} octets; it must be the 16 that were made with the journal")
        return key


class Lock:
    """The right to write to a folder, held while this object is open; given up by the kernel if the process dies."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raises JournalLocked, naming the holder's pid."""
        self._path = folder / "lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise JournalLocked(
                f"another Catchment (pid {holder}) writes to the journal in {folder}: "
                "stop it first, or give this one another data folder"
            ) from None
        held_before = os.fstat(self._file)
        lived = held_before.st_mtime_ns if held_before.st_size else 0
        self.alive_at = datetime.fromtimestamp(lived / 10**9, UTC) if lived else None
        """When the writer before this one last lived; None if none did."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
        os.utime(self._file, ns=(lived, lived))  # a writer that never comes to life leaves the sign of the one before

    def alive(self) -> None:
        """Note that the writer lives (the time of the file, not forced to disk)."""
        os.utime(self._file)

    def release(self) -> None:
        """Give the lock up."""
        os.close(self._file)


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a small file so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    publish(partial, path)


def publish(partial: Path, path: Path) -> None:
    """Give a file that is on disk its name, durably."""
    partial.rename(path)
    sync_folder(path.parent)


def sync_data(descriptor: int) -> None:
    """Force what was written to an open file to disk; its times may stay behind."""
    force = os.fdatasync if hasattr(os, "fdatasync") else os.fsync  # macOS has only the second
    force(descriptor)


def sync_file(path: Path) -> None:
    """Force a file's content to disk."""
    _fsync(path)


def sync_folder(path: Path) -> None:
    """Force a folder's names to disk."""
    _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
