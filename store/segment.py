"""One growing file of one table: an Arrow IPC stream to which whole, checked batches are written.

Nothing is buffered here: a batch is in the file (in the kernel's cache) when `write` returns, and on disk when `sync`
returns. A write that fails, for want of space say, leaves the file as it was before it.
"""

import errno
import os
from pathlib import Path

import pyarrow as pa

from store.folder import CLOSED, sync_data, sync_folder
from store.frame import head, message
from store.schema import SCHEMAS, JournalError

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class JournalFull(JournalError, OSError):
    """There is no space for what was to be written; nothing of it was kept."""


class Segment:
    """A segment open for writing."""

    def __init__(self, path: Path, table: str) -> None:
        """Create the file with its schema, durably; raises JournalFull or OSError."""
        self.path = path
        self._head = head(SCHEMAS[table])
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self.size = 0
        try:
            self._write_all(self._head)
            os.fsync(self._file)
            sync_folder(path.parent)
            sync_folder(path.parent.parent)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise

    def write(self, batch: pa.RecordBatch) -> None:
        """Append one batch; raises JournalFull or OSError, and then nothing of it is in the file."""
        metadata, body = message(batch, len(self._head))
        self._write_all(metadata, body)

    def cut(self, size: int) -> None:
        """Take back everything behind `size`."""
        os.ftruncate(self._file, size)
        self.size = size

    def sync(self) -> None:
        """Force what was written to disk; raises OSError."""
        sync_data(self._file)

    def close(self) -> Path | None:
        """Give the file the name of a closed segment and return it; a segment without rows is removed."""
        os.fsync(self._file)
        os.close(self._file)
        if self.size == len(self._head):
            self.path.unlink()
            return None
        closed = self.path.with_suffix(CLOSED)
        self.path.rename(closed)
        sync_folder(closed.parent)
        return closed

    def abandon(self) -> None:
        """Let go of the file as it is; the next start recovers it."""
        os.close(self._file)

    def _write_all(self, *parts: bytes | memoryview) -> None:
        offset = self.size
        try:
            for part in parts:
                view = memoryview(part).cast("B") if part else memoryview(b"")
                while view:
                    written = os.pwrite(self._file, view, offset)
                    offset, view = offset + written, view[written:]
        except OSError as error:
            os.ftruncate(self._file, self.size)
            if error.errno in _NO_SPACE:
                where = self.path.parent.parent.parent
                raise JournalFull(
                    error.errno,
                    f"no space left to write the journal in {where}: free some, or lower the days and bytes it keeps",
                ) from error
            raise
        self.size = offset
