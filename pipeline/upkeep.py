"""Upkeep of the journal as a process of its own: sealing sorts whole hours of rows, and must not slow down judging.

    python -m pipeline.upkeep JOURNAL DAYS QUOTA MALFORMED PROBES POINTS POINTS_QUOTA

Seals closed segments into Parquet, then deletes days that are older than DAYS or beyond QUOTA octets, the oldest
malformed messages beyond MALFORMED octets, results of probes older than PROBES days, and points of time series older
than POINTS days or beyond POINTS_QUOTA octets; says what it did, a sentence a line, on standard output.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from anycast.counted import counted
from pipeline.child import in_a_child
from store.retention import retain, shorten_malformed, shorten_points, shorten_probes
from store.seal import seal

NICE = 10
POINTS = 7  # days
POINTS_QUOTA = 2_000_000_000


def upkeep(
    journal: Path,
    days: int,
    quota: int,
    malformed: int,
    probes: int,
    now: datetime,
    points: int = POINTS,
    points_quota: int = POINTS_QUOTA,
) -> Iterator[str]:
    """Seal and delete; yields what was done. Raises OSError when the disk refuses."""
    sealed = seal(journal, now)
    if sealed.segments:
        left = f"{counted(sealed.repeats, 'repeat')} left out"
        yield f"sealed {counted(sealed.segments, 'segment')} of {counted(sealed.rows, 'row')}, {left}"
    yield from (f"damage found while sealing: {report}" for report in sealed.recovered)
    if gone := shorten_malformed(journal, malformed):
        yield f"deleted {counted(gone, 'file')} of malformed messages from the journal"
    if gone := shorten_probes(journal, now, probes):
        yield f"deleted {counted(gone, 'file')} of probe results from the journal"
    if gone := shorten_points(journal, now, points, points_quota):
        yield f"deleted {counted(gone, 'file')} of points of time series from the journal"
    kept = retain(journal, now, days, quota)
    yield from (f"deleted {day} from the journal" for day in kept.deleted)
    if kept.over:
        yield f"the journal takes {kept.octets >> 20} MiB, more than its quota, and nothing more may go"


async def keep_up(
    journal: Path,
    days: int,
    quota: int,
    malformed: int,
    probes: int,
    points: int = POINTS,
    points_quota: int = POINTS_QUOTA,
) -> tuple[str, ...]:
    """Run it in a child process; returns what it said. Raises RuntimeError with its last words when it fails."""
    limits = map(str, (days, quota, malformed, probes, points, points_quota))
    return await in_a_child("upkeep of the journal", "pipeline.upkeep", str(journal), *limits)


if __name__ == "__main__":
    os.nice(NICE)
    folder, *given = sys.argv[1:]
    days, quota, malformed, probes, points, points_quota = map(int, given)
    for line in upkeep(Path(folder), days, quota, malformed, probes, datetime.now(UTC), points, points_quota):
        sys.stdout.write(line + "\n")
