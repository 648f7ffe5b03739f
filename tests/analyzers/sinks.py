"""Sinks of time series as they may stand."""

from dataclasses import replace
from datetime import UTC, datetime

from anycast.sink import SinkState, SinkStatus

SINCE = datetime(2026, 11, 23, 11, 59, tzinfo=UTC)
WELL = SinkStatus("main", "https://influx.example.com:8086", "net", SinkState.DELIVERING, SINCE, 1, 0.0, 10, 1, 0, 0, 0)


def sink(state: SinkState = SinkState.DELIVERING, **other: object) -> SinkStatus:
    """One sink."""
    return replace(WELL, state=state, **other)  # type: ignore[arg-type]
