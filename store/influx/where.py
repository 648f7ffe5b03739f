"""Where a sink delivers to, and how much at once."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final


class ServerKind(StrEnum):
    """What listens there, where that makes a difference."""

    INFLUXDB = "influxdb"
    """InfluxDB 2, and 3 with its v2 compatibility."""
    INFLUXDB_1 = "influxdb-1"
    """InfluxDB 1: `/write`, the bucket is a database, the token `user:password`."""
    VICTORIA_METRICS = "victoria-metrics"
    """No texts are sent, for it would make numbers of them."""


LINES: Final = 10_000
OCTETS: Final = 4_000_000
AHEAD: Final = timedelta(hours=1)
"""A point further in the future was stamped by a clock that was wrong."""


@dataclass(frozen=True, slots=True)
class Where:
    """One sink's settings."""

    name: str
    url: str
    token_file: Path | None = None
    """None where the server wants none."""
    org: str = "-"
    bucket: str = "catchment"
    kind: ServerKind = ServerKind.INFLUXDB
    lines: int = LINES
    """Most points of one request."""
    octets: int = OCTETS
    """Most octets of one, before they are compressed."""
    gzip: bool = True
    timeout: timedelta = timedelta(seconds=10)
    """How long to wait for an answer."""
    ca_file: Path | None = None
    """Whom to believe a certificate; the system's authorities when None."""
    max_age: timedelta | None = None
    """Older points are not sent; None sends whatever the journal has."""

    def __str__(self) -> str:
        token = f"token of {self.token_file}" if self.token_file else "no token"
        ways = [f"{self.lines} points or {self.octets} octets at once", f"{self.timeout.total_seconds():g} s to answer"]
        ways += ["compressed"] if self.gzip else []
        ways += [f"no older than {self.max_age}"] if self.max_age else []
        ways += [f"authorities of {self.ca_file}"] if self.ca_file else []
        return f"{self.name}: {self.kind} at {self.url}, {self.org}/{self.bucket}, {token}, {', '.join(ways)}"
