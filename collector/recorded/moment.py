"""A moment of a recording: what one exporter's connection did, and when."""

from dataclasses import dataclass
from enum import StrEnum

from anycast.prefix import Address


class What(StrEnum):
    """What happened to a connection."""

    OPEN = "open"
    MIDWAY = "midway"
    """It is joined in its middle, what was sent before was not recorded: the whole connection, or one peer of it."""
    WHOLE = "whole"
    """Of a peer that was joined in its middle, the recording has had the whole table now."""
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
    peer: Address | None = None
    """For MIDWAY and WHOLE: the peer; None for the whole connection."""
