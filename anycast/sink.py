"""How a sink of time series stands: what the API, the command line and our own findings say of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SinkState(StrEnum):
    """What a sink does now."""

    DELIVERING = "delivering"
    """All is well: it delivers, or there is nothing to deliver."""
    WAITING = "waiting"
    """The server is away, or asked for a pause; it is tried again."""
    HOLDING = "holding"
    """The server does not let us in, or does not know where to write; somebody must mend that."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """One sink."""

    name: str
    url: str
    bucket: str
    state: SinkState
    since: datetime
    """Since when it does that."""
    cursor: int
    """Row of the journal up to which everything was delivered, or given up with a reason."""
    behind: float
    """Age of the oldest point that is not delivered, seconds; 0 where there is none."""
    delivered: int
    """Points that the server took,"""
    requests: int
    """in so many requests,"""
    quarantined: int
    """points that it refused one by one, which are kept aside with its reasons,"""
    unfit: int
    """points that were too old or in the future, and so not sent,"""
    forgotten: int
    """and points that retention took before they were delivered; all since the start."""
    refused_at: datetime | None = None
    """When a point was last refused by itself,"""
    forgotten_at: datetime | None = None
    """and when it was last seen that retention had been faster."""
    last_error: str = ""
    last_error_at: datetime | None = None
    next_attempt: datetime | None = None
    """When it is tried again; None while it delivers."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A point that a server did not take, or that was not sent to it."""

    at: datetime
    """When that was."""
    row: int
    line: str
    """Line protocol."""
    reason: str
    """The server's own words, or ours."""
