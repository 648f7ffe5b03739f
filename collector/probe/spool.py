"""The spool: what was taken waits here, on disk, until the centre has it.

    data/spool/0000000000000001.batches, 0000000000000002.batches, ...

Files only grow, and go as a whole. A frame in one is a head (mark, CRC-32 of all that follows it, octets, rows,
dropped, run, sequence) and the batch as it goes over the wire. What was appended is in the kernel's hands when `append`
returns, so that it outlives a kill of this process; `sync` puts it on the disk, so that a loss of power takes what came
since. A torn end is left behind at the next start, which begins a file of its own; what is damaged is skipped to the
next sound frame.

When the quota is full the oldest file goes, and the results in it that the centre did not have are counted as dropped:
the count is on disk before the file is gone, and leaves with the next batch that is appended.

How far the centre has taken is remembered now and then, so that after a kill a few batches may go a second time; the
centre knows them.
"""

import errno
import fcntl
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

log = logging.getLogger(__name__)

MARK: Final = b"\x89CSP\r\n\x1a\n"
HEAD: Final = struct.Struct(">8sIIIQ16sQ")
LARGEST: Final = 1 << 20
"""Octets of a frame's body."""
FILE: Final = 4 << 20
"""Octets after which a file is full, at a large quota."""
PARTS: Final = 8
"""A small quota is made up of at least so many files, so that little goes at once."""
SUFFIX: Final = ".batches"
NAMES: Final = "[0-9]" * 16 + SUFFIX
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class SpoolError(OSError):
    """The spool cannot be used; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One batch that waits."""

    run: str
    sequence: int
    rows: int
    dropped: int
    """What the batch itself reports as dropped."""
    body: bytes


@dataclass(slots=True)
class _File:
    path: Path
    size: int = 0
    rows: int = 0
    """Results in it that the centre does not have."""
    told: int = 0
    """Results that these batches report as dropped: what is lost with them must be reported again."""
    read: int = 0
    """Offset of the next frame to send."""


class Spool:
    """One folder of frames: one writer, one reader. Not for two threads at once."""

    def __init__(self, folder: Path, quota: int) -> None:
        """Lock the folder, and find what waits in it. Raises SpoolError."""
        self.folder, self._quota = folder, quota
        self._full_at = max(1 << 16, min(FILE, quota // PARTS))
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.chmod(folder, 0o700)
            self._lock = _locked(folder)
            self._files = [_measured(path) for path in sorted(folder.glob(NAMES))]
            self._dropped = self._read_number("dropped")
            self._remembered = self._resume()
        except SpoolError:
            raise
        except OSError as error:
            said = f"the spool {folder} cannot be used: {error.strerror}; `data` names a folder that can"
            raise SpoolError(error.errno, said) from error
        stems = [file.path.stem for file in self._files] + self._remembered.split()[:1]
        self._next = 1 + max(map(int, stems), default=0)
        self._writing: BinaryIO | None = None
        self._reading: tuple[Path, BinaryIO] | None = None
        self._held = False
        """A frame is on its way: its file stays."""

    @property
    def dropped(self) -> int:
        """Results that were given up and not yet reported."""
        return self._dropped

    @property
    def octets(self) -> int:
        """What all files take."""
        return sum(file.size for file in self._files)

    @property
    def waiting(self) -> int:
        """Results that the centre does not have."""
        return sum(file.rows for file in self._files)

    def append(self, frame: Frame) -> None:
        """Take a batch: it outlives this process from now on. `frame.dropped` is reported with it.

        Makes room by the oldest when the quota or the disk is full. Raises OSError when it cannot be kept.
        """
        assert len(frame.body) <= LARGEST
        raw = _framed(frame)
        self._make_room(len(raw))
        while True:
            try:
                self._write(raw)
                break
            except OSError as error:
                if error.errno not in _FULL or not self._drop_oldest():
                    raise
        self._files[-1].rows += frame.rows
        self._files[-1].told += frame.dropped
        if frame.dropped:
            self._note_dropped(-frame.dropped)

    def give_up(self, results: int) -> None:
        """Count results as dropped that could not even be appended."""
        self._note_dropped(results)

    def next(self, most: int, octets: int) -> list[Frame]:
        """Return the oldest frames that wait: of one run, one behind the other, so many and so large at most.

        They wait until `taken` says that the centre has them, or `kept` that it does not.
        """
        found: list[Frame] = []
        for frame in self._frames():
            fits = not found or (
                (frame.run, frame.sequence) == (found[0].run, found[0].sequence + len(found))
                and sum(len(each.body) for each in found) + len(frame.body) <= octets
            )
            if not fits or len(found) == most:
                break
            found.append(frame)
        self._held = bool(found)
        return found

    def taken(self, frames: list[Frame]) -> None:
        """The centre has these, the oldest that waited."""
        self._held = False
        for frame, (file, end) in zip(frames, list(self._places(len(frames))), strict=True):
            file.read = end
            file.rows -= frame.rows
            file.told -= frame.dropped
        self._clear()
        self._make_room(0)

    def kept(self) -> None:
        """The centre does not have what `next` returned; it waits on."""
        self._held = False
        self._make_room(0)

    def sync(self) -> None:
        """Put on the disk what was appended, and remember how far the centre has taken. Raises OSError."""
        if self._writing is not None:
            os.fdatasync(self._writing.fileno())
        position = f"{self._files[0].path.stem} {self._files[0].read}\n" if self._files else self._remembered
        if position != self._remembered:
            _replace(self.folder / "position", position)
            self._remembered = position

    def close(self) -> None:
        """Sync, and give up the lock; a second time is nothing."""
        if self._lock < 0:
            return
        with suppress(OSError):
            self.sync()
        for file in (self._writing, self._reading[1] if self._reading else None):
            if file is not None:
                file.close()
        os.close(self._lock)
        self._lock = -1

    def _write(self, raw: bytes) -> None:
        last = self._files[-1] if self._files else None
        if self._writing is None or last is None or last.size >= self._full_at:
            self._begin()
            last = self._files[-1]
        assert self._writing is not None
        file = self._writing.fileno()
        try:
            view, at = memoryview(raw), last.size
            while view:
                written = os.pwrite(file, view, at)
                view, at = view[written:], at + written
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, last.size)
            raise
        last.size += len(raw)

    def _begin(self) -> None:
        if self._writing is not None:
            os.fdatasync(self._writing.fileno())
            self._writing.close()
            self._writing = None
        path = self.folder / f"{self._next:016}{SUFFIX}"
        self._writing = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb", 0)
        self._files.append(_File(path))
        self._next += 1
        _sync_folder(self.folder)

    def _make_room(self, octets: int) -> None:
        while not self._held and self.octets + octets > self._quota and self._drop_oldest():
            pass

    def _drop_oldest(self) -> bool:
        """Give up the oldest file, unless it is the one being written or on its way."""
        if len(self._files) < 2 or self._held:
            return False
        file = self._files[0]
        if file.rows or file.told:
            self._note_dropped(file.rows + file.told)
            log.warning("the spool is full: the oldest %d results that the centre did not have are dropped", file.rows)
        self._forget(file)
        return True

    def _clear(self) -> None:
        """Delete what the centre has whole, but not the file that is being written."""
        while len(self._files) > 1 and self._files[0].read >= self._files[0].size:
            self._settle(self._files[0])
            self._forget(self._files[0])

    def _settle(self, file: _File) -> None:
        """What was in a file and could not be read any more is dropped."""
        if file.rows > 0 or file.told > 0:
            self._note_dropped(max(0, file.rows) + max(0, file.told))
            log.warning("%d results in %s were damaged, and are dropped", file.rows, file.path)

    def _forget(self, file: _File) -> None:
        if self._reading is not None and self._reading[0] == file.path:
            self._reading[1].close()
            self._reading = None
        file.path.unlink(missing_ok=True)
        self._files.remove(file)

    def _frames(self) -> Iterator[Frame]:
        """Sound frames that wait, the oldest first."""
        for _, frame, _ in self._walk():
            yield frame

    def _places(self, count: int) -> Iterator[tuple[_File, int]]:
        for (file, _, end), _ in zip(self._walk(), range(count), strict=False):
            yield file, end

    def _walk(self) -> Iterator[tuple[_File, Frame, int]]:
        for file in list(self._files):
            at = file.read
            while at < file.size:
                frame, end = _frame_at(self._open(file.path), at, file.size)
                if frame is not None:
                    yield file, frame, end
                elif at == file.read:
                    file.read = end  # nothing sound before it
                at = end
        self._clear()

    def _open(self, path: Path) -> BinaryIO:
        if self._reading is None or self._reading[0] != path:
            if self._reading is not None:
                self._reading[1].close()
            self._reading = (path, path.open("rb", buffering=0))
        return self._reading[1]

    def _note_dropped(self, more: int) -> None:
        self._dropped = max(0, self._dropped + more)
        _replace(self.folder / "dropped", f"{self._dropped}\n")

    def _read_number(self, name: str) -> int:
        try:
            return int((self.folder / name).read_text()[:20])
        except (FileNotFoundError, ValueError):
            return 0

    def _resume(self) -> str:
        """Go on where the centre had taken up to, as far as was remembered; returns what was."""
        try:
            remembered = (self.folder / "position").read_text()[:60]
            stem, read = map(int, remembered.split())
        except (FileNotFoundError, ValueError):
            return ""
        for number, file in reversed(list(enumerate(self._files))):
            if int(file.path.stem) < stem:
                file.path.unlink(missing_ok=True)
                del self._files[number]
            elif int(file.path.stem) == stem:
                self._files[number] = _measured(file.path, read)
        return remembered


def _locked(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        said = f"another agent works in {folder.parent}; give each a `data` folder of its own"
        raise SpoolError(errno.EBUSY, said) from None
    return lock


def _framed(frame: Frame) -> bytes:
    head = HEAD.pack(MARK, 0, len(frame.body), frame.rows, frame.dropped, frame.run.encode(), frame.sequence)
    check = zlib.crc32(frame.body, zlib.crc32(head[12:]))
    return head[:8] + check.to_bytes(4, "big") + head[12:] + frame.body


def _frame_at(file: BinaryIO, at: int, size: int) -> tuple[Frame | None, int]:
    """The frame at an offset and where it ends; None, and where to look next, when there is none."""
    head = os.pread(file.fileno(), HEAD.size, at)
    if len(head) == HEAD.size and head.startswith(MARK):
        _, check, octets, rows, dropped, run, sequence = HEAD.unpack(head)
        body = os.pread(file.fileno(), octets, at + HEAD.size) if octets <= LARGEST else b""
        if len(body) == octets and zlib.crc32(body, zlib.crc32(head[12:])) == check:
            return Frame(run.decode("ascii"), sequence, rows, dropped, body), at + HEAD.size + octets
    return None, _next_mark(file, at + 1, size)


def _next_mark(file: BinaryIO, at: int, size: int) -> int:
    while at < size:
        piece = os.pread(file.fileno(), 1 << 16, at)
        found = piece.find(MARK)
        if found >= 0:
            return at + found
        at += max(1, len(piece) - len(MARK) + 1)
    return size


def _heads(path: Path) -> Iterator[tuple[int, int, int]]:
    """Where each frame of a file ends, by the heads alone, its results, and those that it reports as dropped."""
    with path.open("rb", buffering=0) as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while at + HEAD.size <= size:
            head = os.pread(file.fileno(), HEAD.size, at)
            octets = int.from_bytes(head[12:16], "big")
            if not head.startswith(MARK) or at + HEAD.size + octets > size:
                at = _next_mark(file, at + 1, size)
                continue
            at += HEAD.size + octets
            yield at, int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:28], "big")


def _measured(path: Path, read: int = 0) -> _File:
    """A file of which the centre has what ends at `read` or before."""
    left = [(rows, told) for end, rows, told in _heads(path) if end > read]
    size = path.stat().st_size
    return _File(path, size, sum(rows for rows, _ in left), sum(told for _, told in left), min(read, size))


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
        file.write(text)
    os.replace(partial, path)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
