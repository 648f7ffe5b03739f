"""A moment of a recording: what one exporter's connection did, and when."""

from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    """What happened to a connection."""

    OPEN = "open"
    OCTETS = "octets"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened on an exporter's BMP connection."""

    at: int
    """Nanoseconds since 1970; never before the moment that came before it."""
    exporter: str
    what: What
    octets: bytes = b""
    """For OCTETS: any piece of the stream."""
    detail: str = ""
    """For LOST: why, in words."""
