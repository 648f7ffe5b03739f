"""Points for the journal, made by hand."""

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from store.journal import Journal
from store.schema import SUBMITTED

SECOND = 1_000_000_000
NOON = 1_795_435_200  # 2026-11-23 12:00:00 UTC


def points(*numbers: int, series: str = "own", text: str = "") -> pa.RecordBatch:
    """Points whose value and time spell their number: seconds after noon."""
    said = f',text="{text}"' if text else ""
    rows = [
        {
            "at": (NOON + number) * SECOND,
            "measurement": series,
            "key": series,
            "fields": f"value={number}i{said}",
        }
        for number in numbers
    ]
    return pa.RecordBatch.from_pylist(rows, schema=SUBMITTED["points"])


def write(journal: Journal, now: datetime, numbers: Sequence[int], series: str = "own") -> int:
    """Append points in one submission and commit it."""
    journal.append([[("points", points(*numbers, series=series))]], now)
    return journal.commit()
