"""Rows of the journal's table `points` as the body of a request, column by column, and parts of it by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_TEXT_FIELD: Final = r',?[A-Za-z0-9_]+="(?:[^"\\]|\\.)*"'
"""A field that holds a text, with the comma before it."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of line protocol, one a row, each with its line feed."""

    data: memoryview
    ends: npt.NDArray[np.int64]
    """Where each line ends in `data`; before the first of them stands where it begins."""
    rows: npt.NDArray[np.int64]
    """Row in the journal of each line."""
    at: npt.NDArray[np.int64]
    """Time of each point, nanoseconds since 1970."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def octets(self) -> int:
        """Size of all lines."""
        return int(self.ends[-1] - self.ends[0])

    def part(self, first: int, last: int) -> "Lines":
        """Return lines from `first` up to `last`, which is not among them."""
        return Lines(self.data, self.ends[first : last + 1], self.rows[first:last], self.at[first:last])

    def body(self) -> bytes:
        """Return the lines as they are sent."""
        return bytes(self.data[int(self.ends[0]) : int(self.ends[-1])])

    def text(self, number: int) -> str:
        """Return one line, without its line feed."""
        return bytes(self.data[int(self.ends[number]) : int(self.ends[number + 1]) - 1]).decode()

    def split(self, octets: int) -> int:
        """Return how many of the first lines have at most so many octets; one at least, where there is one."""
        fitting = int(np.searchsorted(self.ends, self.ends[0] + octets, side="right")) - 1
        return min(len(self), max(1, fitting))

    def pick(self, wanted: npt.NDArray[np.bool_]) -> "Lines":
        """Return the lines that are wanted."""
        if wanted.all():
            return self
        sizes = np.diff(self.ends)[wanted]
        kept = b"".join(self.data[self.ends[n] : self.ends[n + 1]] for n in np.flatnonzero(wanted))
        ends = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
        return Lines(memoryview(kept), ends, self.rows[wanted], self.at[wanted])


def lines(batches: Sequence[pa.RecordBatch], texts: bool = True) -> Lines:
    """Write rows of `points`; without `texts` fields that hold a text, and points that have no other, are left out."""
    table = pa.Table.from_batches(batches)
    keys, fields, times, rows = (_column(table, name) for name in ("key", "fields", "at", "row"))
    if not texts:
        fields = pc.utf8_ltrim(pc.replace_substring_regex(fields, _TEXT_FIELD, ""), ",")
    at = times.cast(pa.int64())
    stamp = pc.binary_join_element_wise(at.cast(pa.string()), "", "\n")
    whole = pc.binary_join_element_wise(keys, fields, stamp, " ").cast(pa.large_string())
    made = _lines(whole, rows, at)
    return made if texts else made.pick(np.asarray(pc.greater(pc.binary_length(fields), 0)))


def _column(table: pa.Table, name: str) -> Any:
    column = table[name].combine_chunks()
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column


def _lines(whole: Any, rows: Any, at: Any) -> Lines:
    _, ends, data = whole.buffers()
    places = np.frombuffer(ends, np.int64, len(whole) + 1, whole.offset * 8)
    return Lines(memoryview(data) if data is not None else memoryview(b""), places, np.asarray(rows), np.asarray(at))
