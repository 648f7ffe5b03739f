"""Points for the proof: what point `number` is, as rows of the journal and as a server must read it back."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from anycast.point import Point
from anycast.series import MEASUREMENTS
from store.influx import line
from store.schema import SUBMITTED

RATE: Final = 5_000
"""Points a second."""
SERIES: Final = 500
MEASUREMENT: Final = "session"
STEP: Final = 1_000_000_000 // RATE
_TAGS: Final = [
    tuple(f"{tag} {series % 7}, {series}" for tag in MEASUREMENTS[MEASUREMENT].tags) for series in range(SERIES)
]


def tags_of(series: int) -> tuple[str, ...]:
    """Tags of a series, with what must be escaped in them."""
    return _TAGS[series]


def fields_of(number: int) -> dict[str, int | float]:
    """Fields of a point: its number, and what follows from it."""
    return {"state": number % 3, "routes": number, "age": number * 7919 % 1_000_003 / 8}


def rows(begun: int, numbers: Sequence[int]) -> pa.RecordBatch:
    """Points as rows; the first ever is of the time `begun`, ns since 1970."""
    made = [Point(MEASUREMENT, tags_of(n % SERIES), fields_of(n), begun + n * STEP) for n in numbers]
    columns: dict[str, list[object]] = {
        "at": [point.at for point in made],
        "measurement": [MEASUREMENT] * len(made),
        "key": [line.key(point.measurement, point.tags) for point in made],
        "fields": [line.fields_of(point) for point in made],
    }
    schema = SUBMITTED["points"]
    return pa.RecordBatch.from_arrays([pa.array(columns[f.name], f.type) for f in schema], schema=schema)
