"""What retention took of the points of time series, by row: so that a sink can say what it will never deliver."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from store.folder import Folder, replace

KEPT: Final = 1000
"""Ranges; beyond them the oldest become one."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Rows of points that are gone."""

    first: int
    last: int
    """Numbers of rows (`store.schema`)."""
    rows: int


def note(folder: Folder, files: Iterable[Path]) -> None:
    """Write down which rows are in sealed files of points that are about to go. Raises OSError."""
    found = [each for file in files if (each := _rows(file)) is not None]
    if not found:
        return
    known = sorted({*forgotten(folder), *found}, key=lambda each: each.first)
    old, kept = known[:-KEPT], known[-KEPT:]
    if old:
        kept[0] = Forgotten(old[0].first, kept[0].last, sum(each.rows for each in (*old, kept[0])))
    replace(_path(folder), json.dumps([[each.first, each.last, each.rows] for each in kept]).encode())


def forgotten(folder: Folder) -> tuple[Forgotten, ...]:
    """Return what was noted, in the order of rows; nothing where the note cannot be read."""
    with suppress(OSError, ValueError, TypeError):
        return tuple(Forgotten(*map(int, each)) for each in json.loads(_path(folder).read_bytes()))
    return ()


def _path(folder: Folder) -> Path:
    return folder.path / "points-forgotten"


def _rows(file: Path) -> Forgotten | None:
    """Rows of a sealed file; None of one without any, and of one that cannot be read."""
    with suppress(OSError, pa.ArrowInvalid):
        about = pq.read_metadata(file)
        place = about.schema.to_arrow_schema().get_field_index("row")
        groups = [about.row_group(number).column(place).statistics for number in range(about.num_row_groups)]
        if about.num_rows and all(each is not None and each.has_min_max for each in groups):
            return Forgotten(min(each.min for each in groups), max(each.max for each in groups), about.num_rows)
    return None
