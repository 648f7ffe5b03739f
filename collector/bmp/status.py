"""What the station can say about itself, for the API, metrics and people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from collector.bmp.counters import FeedCounters


@dataclass(frozen=True, slots=True)
class ExporterStatus:
    """One exporter, connected or not. Counts are over all its connections since the station began."""

    exporter: str
    address: str
    """Where it connected from last; empty when it never did."""
    connected: bool
    since: datetime | None
    """Since when it is connected, or not any more; None when it never was."""
    name: str
    description: str
    detail: str
    """Why it is not connected."""
    counters: FeedCounters
    waiting: int
    """Octets received and not decoded."""
    spooled: int
    """Octets that had to wait on disk."""
    connections: int
    overloads: int
    """How often its bulk lane was given up, or its feed closed, because we could not keep up."""


@dataclass(frozen=True, slots=True)
class StationStatus:
    """The station as a whole."""

    exporters: tuple[ExporterStatus, ...]
    addresses: tuple[str, ...]
    """Where it listens."""
    refused: int
    """Connections of strangers, and second connections of an exporter that came too often."""
    strangers: Mapping[str, int]
    """Refused connections by address, of the first few hundred addresses."""
    attributes: int
    """Distinct attribute sets held."""
    attribute_octets: int
    attribute_collisions: int
    attributes_forgotten: int
    """How often the table was full."""
    undelivered: int
    """`Heard`s decoded and not handed over."""
    failures: int
    """Feeds ended by an error of our own."""
