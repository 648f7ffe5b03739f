"""The journal's tables as Arrow schemas, the number that puts every row in order, and the version on disk.

Besides the columns of `anycast.columns` each row carries `row`: the number of the submission it came with in the upper
40 bits, its place in that submission in the lower 24. It grows over all tables and over restarts, so it is the order of
arrival even where the clock stepped back.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from anycast.columns import COLUMNS, NANOSECONDS

VERSION: Final = 2
"""Of what is on disk. A folder with a higher one was written by a newer Catchment and is refused."""
SINCE: Final[Mapping[str, int]] = {"points": 2}
"""The version in which a table came, where it is not the first: a folder that has none of its rows stays an older one,
which an older Catchment reads."""
_FORMAT: Final = 1
"""Of the segments."""

ROW_BITS: Final = 24
MOST_ROWS: Final = 1 << ROW_BITS
"""In one submission."""

TABLES: Final = ("attributes", "sessions", "routes", "changes", "probes", "malformed", "points")
"""In the order of writing: what is referred to first, so that a crash leaves no row that refers to nothing."""

Submission = Sequence[tuple[str, pa.RecordBatch]]
"""Batches by table name, all of one moment of the writer's life."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class JournalError(Exception):
    """The journal cannot do what was asked; the message is a sentence for the operator."""


def _arrow(word: str) -> Any:
    return pa.timestamp("ns", "UTC") if word == NANOSECONDS else pa.type_for_alias(word)


def _schema(table: str) -> pa.Schema:
    columns = [pa.field(name, _arrow(word)) for name, word in COLUMNS[table]]
    return pa.schema([*columns, pa.field("row", pa.int64())], {"catchment": str(_FORMAT), "table": table})


SCHEMAS: Final[Mapping[str, pa.Schema]] = {table: _schema(table) for table in TABLES}
"""Each table as it is stored: its columns, then `row`."""


def submitted(table: str) -> pa.Schema:
    """Return the schema of a batch that is handed in: the columns of `anycast.columns`, without `row`."""
    return pa.schema([field for field in SCHEMAS[table] if field.name != "row"])


SUBMITTED: Final[Mapping[str, pa.Schema]] = {table: submitted(table) for table in TABLES}


def check(submission: Submission) -> None:
    """Raise JournalError for a table or columns that the journal does not have, and for more than MOST_ROWS rows."""
    for table, batch in submission:
        if table not in SUBMITTED:
            raise JournalError(f"the journal has no table {table!r}; its tables are {', '.join(TABLES)}")
        if not batch.schema.equals(SUBMITTED[table], check_metadata=False):
            raise JournalError(f"columns of {table} are {_columns(SUBMITTED[table])}, not {_columns(batch.schema)}")
    if sum(batch.num_rows for _, batch in submission) > MOST_ROWS:
        raise JournalError(f"a submission holds at most {MOST_ROWS} rows; hand in smaller ones")


def numbered(submission: Submission, number: int) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Give each row of a checked submission its number; batches without rows are left out."""
    first = number << ROW_BITS
    for table, batch in submission:
        if batch.num_rows:
            rows = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
            yield table, pa.RecordBatch.from_arrays([*batch.columns, rows], schema=SCHEMAS[table])
            first += batch.num_rows


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema)


def nanoseconds(at: datetime) -> int:
    """Turn a time with a zone into nanoseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def moment(at: int) -> datetime:
    """Turn nanoseconds since 1970 into a time; what is below a microsecond is cut off."""
    return EPOCH + timedelta(microseconds=at // 1000)
