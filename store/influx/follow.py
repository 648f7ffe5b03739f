"""Points in the order of their rows, behind a cursor: out of what is sealed, and out of what still grows.

Theory of operation. Rows of one table grow from file to file, and a file is named by the number of its first
submission; so what is behind a cursor is the end of one file and all of those after it. A growing file is held open:
what is added to it is read from there, also after it was closed, sealed and removed. Only when there is nothing more in
it, and there is a later one, the reader goes on to that. In memory are the rows of one answer and, of a sealed file,
one row group.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from store.folder import CLOSED, GROWING, SEALED, Folder
from store.forgotten import forgotten
from store.frame import head
from store.schema import ROW_BITS, SCHEMAS

log = logging.getLogger(__name__)
TABLE: Final = "points"
AT_ONCE: Final = 1 << 12
"""Rows of a sealed file that are unpacked at once."""
_ATTEMPTS: Final = 5


class _File(NamedTuple):
    number: int
    """Of its first submission."""
    sealed: bool
    path: Path


class Follower:
    """Reads on from a cursor. Use it from one thread at a time."""

    def __init__(self, folder: Path, cursor: int) -> None:
        """Follow the journal in a folder behind the row `cursor`, 0 for all of it."""
        self._folder = Folder(folder)
        self.cursor = cursor
        """The last row that was read."""
        self.forgotten = 0
        """Points that retention took before they were read; and one for each file that could not be read."""
        self._at: _Growing | _Sealed | None = None
        self._opening: _File | None = None
        """What `_at` is, or was to be."""
        self._unreadable: set[Path] = set()

    def read(self, most: int, octets: int = 1 << 40) -> list[pa.RecordBatch]:
        """Return the next rows, `most` of them at most; fewer, or none, when there are no more yet. Raises OSError.

        With the batch in which there are `octets` of them it ends, too.
        """
        found: list[pa.RecordBatch] = []
        while most > 0 and octets > 0:
            batch = self._next(most)
            if batch is None:
                break
            self.cursor = batch["row"][-1].as_py()
            most -= batch.num_rows
            octets -= batch.nbytes
            found.append(batch)
        return found

    def close(self) -> None:
        """Let go of files."""
        if self._at is not None:
            self._at.close()
        self._at = None

    def _next(self, most: int) -> pa.RecordBatch | None:
        for _ in range(_ATTEMPTS):
            try:
                if self._at is not None and (batch := self._at.next(self.cursor, most)) is not None:
                    return batch
                if not self._go_on():
                    return None
            except FileNotFoundError:  # sealed or deleted between listing and opening
                continue
            except (pa.ArrowInvalid, OSError) as error:
                self._leave_out(error)
        return None

    def _leave_out(self, error: Exception) -> None:
        """Go on behind a file that cannot be read: what is in it is lost here, and everything behind it is not.

        Raises the error where no sealed file is to blame.
        """
        if self._opening is None or not self._opening.sealed:
            raise error
        log.error("points in %s cannot be read, and are left out: %s", self._opening.path, error)
        self._unreadable.add(self._opening.path)
        self.forgotten += 1
        self.close()

    def _go_on(self) -> bool:
        """Open the file in which rows go on; False where the one that is open is still the last."""
        files = self._files()
        if self._at is not None:
            later = [file for file in files if file.number > self._at.number]
            if not later:
                return False
            if not self._at.done:
                self._at.done = True  # nothing is added to it any more: look once again, then leave it
                return True
            self.close()
            files = later
        self._account()
        behind = [each for each in files if each.number <= self.cursor >> ROW_BITS]
        wanted = [*behind[-1:], *(each for each in files if each.number > self.cursor >> ROW_BITS)]
        if not wanted:
            return False
        self._opening = wanted[0]
        self._at = (_Sealed if wanted[0].sealed else _Growing)(wanted[0])
        return True

    def _files(self) -> list[_File]:
        found: dict[str, _File] = {}
        growing = [path for suffix in (GROWING, CLOSED) for path in self._folder.growing.glob(f"*/{TABLE}-*{suffix}")]
        for path in (*growing, *self._folder.sealed.glob(f"*/{TABLE}-*{SEALED}")):
            sealed = path.suffix == SEALED  # one that is there in both shapes is about to be removed in the other
            found[f"{path.parent.name}/{path.stem}"] = _File(int(path.stem.rpartition("-")[2]), sealed, path)
        return sorted(file for file in found.values() if file.path not in self._unreadable)

    def _account(self) -> None:
        """Count what is gone, and go on behind it."""
        for gone in forgotten(self._folder):
            if gone.last > self.cursor:
                self.forgotten += gone.rows
                self.cursor = gone.last


class _Sealed:
    """A Parquet file: sorted by row."""

    def __init__(self, file: _File) -> None:
        self.number, self.done = file.number, True
        self._file = pq.ParquetFile(file.path)
        self._batches: Iterator[Any] | None = None
        self._rest: pa.RecordBatch | None = None

    def next(self, cursor: int, most: int) -> pa.RecordBatch | None:
        if self._batches is None:
            self._batches = self._file.iter_batches(AT_ONCE, row_groups=self._behind(cursor))
        while self._rest is None or not self._rest.num_rows:
            batch = next(self._batches, None)
            if batch is None:
                return None
            self._rest = _behind(batch.cast(SCHEMAS[TABLE]), cursor)
        found, self._rest = self._rest.slice(0, most), self._rest.slice(most)
        return found

    def _behind(self, cursor: int) -> list[int]:
        about = self._file.metadata
        place = about.schema.to_arrow_schema().get_field_index("row")
        last = [about.row_group(number).column(place).statistics for number in range(about.num_row_groups)]
        return [number for number, each in enumerate(last) if each is None or not each.has_min_max or each.max > cursor]

    def close(self) -> None:
        self._file.close()


class _Growing:
    """A segment that a writer may still add to, or take back from after a commit that failed."""

    def __init__(self, file: _File) -> None:
        self.number, self.done = file.number, False
        self._file = pa.OSFile(str(file.path))
        self._begin()

    def _begin(self) -> None:
        self._read = len(head(SCHEMAS[TABLE]))
        self._last, self._mark = self._read, b""
        """Where the last batch that was read begins, and its first octets: its check is among them."""
        self._rest: pa.RecordBatch | None = None

    def next(self, cursor: int, most: int) -> pa.RecordBatch | None:
        while self._rest is None or not self._rest.num_rows:
            batch = self._message()
            if batch is None:
                return None
            self._rest = _behind(batch, cursor)
        found, self._rest = self._rest.slice(0, most), self._rest.slice(most)
        return found

    def _message(self) -> pa.RecordBatch | None:
        """The next whole batch."""
        if self._mark:
            self._file.seek(self._last)
            if self._file.read(len(self._mark)) != self._mark:
                self._begin()
        try:
            self._file.seek(self._read)
            message = pa.ipc.read_message(self._file)
            batch = pa.ipc.read_record_batch(message, SCHEMAS[TABLE])
            ends = self._file.tell()
        except (EOFError, OSError, pa.ArrowInvalid):
            return None  # the writer is in the middle of it
        self._file.seek(self._read)
        self._last, self._mark = self._read, self._file.read(8 + message.metadata.size)
        self._read = ends
        return batch

    def close(self) -> None:
        self._file.close()


def _behind(batch: pa.RecordBatch, cursor: int) -> pa.RecordBatch:
    """The rows behind a cursor."""
    return batch.slice(int(np.searchsorted(np.asarray(batch["row"]), cursor, side="right")))
