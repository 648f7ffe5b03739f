"""What the station hands to the pipeline, in order of arrival."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from anycast.observation import Observation, Session


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of one router's feed.

    Its rows and observations are of one UTC day, `at`'s. Every attribute id among its routes was handed over in a table
    of `attributes` before, of this day, or is in its own.
    """

    at: datetime
    """When the last octet in it was received."""
    router: str
    """The exporter's name in the intent."""
    observations: tuple[Observation, ...] = ()
    """The judged lane, in order."""
    tables: Mapping[str, Any] = field(default_factory=dict)
    """The bulk lane: pyarrow.RecordBatch by table name (`anycast.columns.COLUMNS`); tables without rows are left out.
    The bulk lane: pyarrow.RecordBatch by table name (`anycast.columns.COLUMNS`); tables without rows are left out."""
    busy: tuple[tuple[Session, int], ...] = ()
    """Sessions that sent routes, watched or not, and how many: a table that still pours is not quiet."""
    lag: timedelta = timedelta()
    """From `at` to the hand-over."""
