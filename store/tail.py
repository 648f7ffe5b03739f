"""The growing segments of one table, read as far as they grew since they were read last.

An agent's rows come in many small batches, and a segment holds ten thousands of them: to read it anew for each chart
costs a second. So what was read is kept in memory, the wanted columns alone, until the segment is sealed.
"""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final

import pyarrow as pa

from store.frame import head
from store.schema import SCHEMAS

CHUNKS: Final = 16  # of one segment; then they are made one


class Tail:
    """What of one table is not sealed yet. Threads may share it."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        """Keep only the named columns of a table."""
        self.table, self._columns = table, list(columns)
        self.schema = pa.schema([SCHEMAS[table].field(name) for name in columns])
        self._known: dict[tuple[str, str], _Segment] = {}
        self._lock = Lock()

    def read(self, paths: Sequence[Path]) -> pa.Table:
        """Return the rows of these segments, up to the last whole batch of each; others are forgotten.

        Raises FileNotFoundError for one that was sealed meanwhile.
        """
        with self._lock:
            known, self._known = self._known, {}
            for path in paths:
                key = (path.parent.name, path.stem)  # the suffix changes when it is closed
                segment = self._known[key] = known.get(key) or _Segment(SCHEMAS[self.table], self._columns)
                segment.follow(path)
            chunks = [chunk for segment in self._known.values() for chunk in segment.chunks]
            return pa.concat_tables(chunks) if chunks else self.schema.empty_table()


class _Segment:
    """One segment, as far as it was read."""

    def __init__(self, schema: pa.Schema, columns: list[str]) -> None:
        self._schema, self._columns = schema, columns
        self._begin()

    def _begin(self) -> None:
        self._read = len(head(self._schema))
        self._last, self._mark = self._read, b""
        """Where the last batch that was read begins, and its first octets: its check is among them."""
        self.chunks: list[pa.Table] = []

    def follow(self, path: Path) -> None:
        """Read what was added."""
        with path.open("rb") as file:
            file.seek(self._last)
            if file.read(len(self._mark)) != self._mark:  # a commit that failed was taken back
                self._begin()
            batches = self._batches(file)
        if batches:
            self.chunks.append(pa.Table.from_batches(batches).combine_chunks())
        if len(self.chunks) > CHUNKS:
            self.chunks = [pa.concat_tables(self.chunks).combine_chunks()]

    def _batches(self, file: BinaryIO) -> list[pa.RecordBatch]:
        file.seek(self._read)
        data = pa.py_buffer(file.read())
        source, first, found = pa.BufferReader(data), self._read, []
        try:
            while source.tell() < data.size:
                begins = source.tell()
                message = pa.ipc.read_message(source)
                found.append(pa.ipc.read_record_batch(message, self._schema).select(self._columns))
                self._last, self._read = first + begins, first + source.tell()
        except (EOFError, OSError, pa.ArrowInvalid):
            pass  # the writer is in the middle of it
        if found:
            begins = self._last - first
            size = 8 + int.from_bytes(data[begins + 4 : begins + 8].to_pybytes(), "little")
            self._mark = data[begins : begins + size].to_pybytes()
        return found
