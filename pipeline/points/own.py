"""Catchment's own health as a point."""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from anycast.point import Point
from anycast.sink import SinkState, SinkStatus


@dataclass(frozen=True, slots=True)
class Own:
    """What the daemon's parts say of themselves; None where there is nothing to say yet."""

    loop_lag: float
    judging: float | None
    commit: float | None
    journal_queue: int
    journal_bytes: int | None
    owed: int | None
    dead_letters: int | None
    refused: int
    overflowed: int
    uptime: float


def own_point(own: Own, sinks: Sequence[SinkStatus], memory: int | None, descriptors: int | None, at: int) -> Point:
    """Return the point of our own health."""
    fields = {
        "loop_lag": round(own.loop_lag, 6),
        "judging": None if own.judging is None else round(own.judging, 6),
        "commit": None if own.commit is None else round(own.commit, 6),
        "journal_queue": own.journal_queue,
        "journal_bytes": own.journal_bytes,
        "memory": memory,
        "descriptors": descriptors,
        "owed": own.owed,
        "dead_letters": own.dead_letters,
        "refused": own.refused,
        "sink_behind": round(max((sink.behind for sink in sinks), default=0.0), 3),
        "sink_quarantined": sum(sink.quarantined for sink in sinks),
        "sink_unfit": sum(sink.unfit for sink in sinks),
        "sink_forgotten": sum(sink.forgotten for sink in sinks),
        "sink_failing": sum(sink.state is not SinkState.DELIVERING for sink in sinks),
        "overflowed": own.overflowed,
        "uptime": round(own.uptime, 3),
    }
    return Point("own", (), fields, at)


def resident() -> int | None:
    """Resident memory of this process, octets; None where the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    return None


def descriptors() -> int | None:
    """Open file descriptors of this process; None where the system does not say."""
    with suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return None
