"""Upkeep of the journal as a process of its own: sealing sorts whole hours of rows, and must not slow down judging.

    python -m pipeline.upkeep JOURNAL DAYS QUOTA

Seals closed segments into Parquet, then deletes days that are older than DAYS or beyond QUOTA octets; says what it did,
a sentence a line, on standard output.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from anycast.counted import counted
from pipeline.child import in_a_child
from store.retention import retain
from store.seal import seal

NICE = 10


def upkeep(journal: Path, days: int, quota: int, now: datetime) -> Iterator[str]:
    """Seal and delete; yields what was done. Raises OSError when the disk refuses."""
    sealed = seal(journal, now)
    if sealed.segments:
        left = f"{counted(sealed.repeats, 'repeat')} left out"
        yield f"sealed {counted(sealed.segments, 'segment')} of {counted(sealed.rows, 'row')}, {left}"
    yield from (f"damage found while sealing: {report}" for report in sealed.recovered)
    kept = retain(journal, now, days, quota)
    yield from (f"deleted {day} from the journal" for day in kept.deleted)
    if kept.over:
        yield f"the journal takes {kept.octets >> 20} MiB, more than its quota, and nothing more may go"


async def keep_up(journal: Path, days: int, quota: int) -> tuple[str, ...]:
    """Run it in a child process; returns what it said. Raises RuntimeError with its last words when it fails."""
    return await in_a_child("upkeep of the journal", "pipeline.upkeep", str(journal), str(days), str(quota))


if __name__ == "__main__":
    os.nice(NICE)
    for line in upkeep(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), datetime.now(UTC)):
        sys.stdout.write(line + "\n")
