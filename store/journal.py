"""The journal: what was seen, appended to one growing segment a table, group commit by group commit.

One writer: whoever holds a `Journal` holds the folder's lock. Use it from one thread (`store.writer` is that thread).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from store.folder import GROWING, Folder, Lock, replace
from store.recovery import Recovered, recover
from store.schema import SINCE, TABLES, JournalError, Submission, check, numbered
from store.segment import Segment

SEGMENT_SIZE: Final = 64 << 20
_NUMBERS: Final = 1 << 16
"""Submission numbers are reserved on disk so many at a time, so that none is given twice whatever happens."""


class Journal:
    """The right to append to one journal folder."""

    def __init__(self, path: Path, *, segment_size: int = SEGMENT_SIZE) -> None:
        """Lock the folder, check its version, and recover what a crash left unfinished.

        Raises JournalLocked, JournalNewer, JournalError, or OSError (a read-only volume, say).
        """
        path.mkdir(parents=True, exist_ok=True)
        self.folder = Folder(path)
        self.folder.check_version()
        self._lock = Lock(path)
        try:
            self.folder.prepare()
            self.key = self.folder.key()
            self.recovered: tuple[Recovered, ...] = tuple(self._recover())
            self._next = self._reserved = self._read_reserved()
        except BaseException:
            self._lock.release()
            raise
        self.alive_at: datetime | None = self._lock.alive_at
        """When the writer before this one last lived: the beginning of the gap that a crash made. None if none was."""
        self.committed = self._next - 1
        """Number of the last submission that is on disk."""
        self._segment_size = segment_size
        self._open: dict[str, Segment] = {}
        self._hour: datetime | None = None
        self._sizes: dict[str, int] = {}
        """Where each segment touched since the last commit ended at that commit."""

    def append(self, submissions: Sequence[Submission], now: datetime) -> int:
        """Write submissions, in order, and return the number of the last; nothing is sure before `commit`.

        All or nothing: after JournalFull or OSError none of them is in the journal. Raises JournalError for columns
        that are not the journal's.
        """
        for submission in submissions:
            check(submission)
        if not self._sizes:
            self.rotate(now)
        self._reserve(len(submissions))
        first, before = self._next, {table: segment.size for table, segment in self._open.items()}
        self._next += len(submissions)
        batches = _by_table(submissions, first)
        try:
            for table, batch in batches.items():
                self._write(table, batch, now, first)
        except BaseException:
            for table in batches.keys() & before.keys():
                self._open[table].cut(before[table])
            for table in (batches.keys() & self._open.keys()) - before.keys():
                self._open[table].cut(self._sizes[table])
            raise
        return self._next - 1

    def commit(self) -> int:
        """Force everything appended to disk and return the number of the last submission.

        Raises OSError when the disk does not take it; what was appended since the last commit is then taken back.
        """
        try:
            for table in self._sizes:
                self._open[table].sync()
        except OSError:
            self._start_over()
            raise
        self._sizes.clear()
        self.committed = self._next - 1
        return self.committed

    def rotate(self, now: datetime) -> None:
        """Close segments that are full or of another hour, so that they can be sealed. Call it when idle, too."""
        hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        for table, segment in list(self._open.items()):
            if hour != self._hour or segment.size >= self._segment_size:
                del self._open[table]
                segment.close()
        self._hour = hour

    def alive(self) -> None:
        """Leave the sign that tells the next writer when this one last lived."""
        self._lock.alive()

    def close(self) -> None:
        """Commit, close the segments and give up the lock."""
        try:
            self.commit()
            for segment in self._open.values():
                segment.close()
            self._open.clear()
        finally:
            self._lock.release()

    def _recover(self) -> list[Recovered]:
        for root in (self.folder.growing, self.folder.sealed, self.folder.aside, self.folder.scratch):
            for unfinished in root.rglob("*.partial"):
                unfinished.unlink()
        reports = (recover(self.folder, path) for path in self.folder.segments(GROWING))
        return [report for report in reports if report]

    def _read_reserved(self) -> int:
        path = self.folder.path / "number"
        text = path.read_text().strip() if path.exists() else "1"
        if not text.isdigit():
            raise JournalError(f"{path} says {text!r}; it must hold a number above every submission's in this journal")
        return int(text)

    def _reserve(self, count: int) -> None:
        if self._next + count > self._reserved:
            reserved = self._next + count + _NUMBERS
            replace(self.folder.path / "number", f"{reserved}\n".encode())
            self._reserved = reserved

    def _write(self, table: str, batch: pa.RecordBatch, now: datetime, number: int) -> None:
        if table not in self._open:
            self.folder.raise_version(SINCE.get(table, 1))
            self._open[table] = Segment(self.folder.segment(table, now, number), table)
        self._sizes.setdefault(table, self._open[table].size)
        self._open[table].write(batch)

    def _start_over(self) -> None:
        """After a failed sync the kernel may have dropped pages: trust only what the file itself proves."""
        for table, size in self._sizes.items():
            segment = self._open.pop(table)
            segment.cut(size)
            segment.abandon()
            if report := recover(self.folder, segment.path):
                self.recovered += (report,)
        self._sizes.clear()


def _by_table(submissions: Sequence[Submission], first: int) -> dict[str, pa.RecordBatch]:
    """One batch a table of all the submissions, in the order of writing: many small batches make a slow file."""
    gathered: dict[str, list[pa.RecordBatch]] = {table: [] for table in TABLES}
    for number, submission in enumerate(submissions, first):
        for table, batch in numbered(submission, number):
            gathered[table].append(batch)
    return {table: pa.concat_batches(batches) for table, batches in gathered.items() if batches}
