"""The archive of a running daemon: raw files from the station, and a child that turns them into MRT.

    python -m pipeline.archiving RAW MRT COMPRESSION SECONDS QUOTA

converts every closed raw file below RAW into MRT files below MRT, then deletes MRT files older than SECONDS or beyond
QUOTA octets; says what it did, a sentence a line, on standard output.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from anycast.counted import counted
from collector.archive.compression import Compression
from collector.archive.convert import convert, retain
from collector.archive.raw import RawFiles
from pipeline.child import in_a_child
from pipeline.config.settings import Archive

log = logging.getLogger(__name__)
NICE = 10
EVERY = timedelta(seconds=30)
"""How often is looked for files whose time is over."""
LAST_WITHIN = 4.0
"""Seconds that the last files have at a stop; what is left is converted after the next start."""


class Archiving:
    """The archive's folder below a data folder."""

    def __init__(self, data: Path, settings: Archive) -> None:
        self._settings, self._mrt = settings, data / "archive" / "mrt"
        self.raw = RawFiles(data / "archive" / "raw", settings.every.total_seconds(), settings.quota)

    @property
    def trouble(self) -> str | None:
        """Why what is heard is not kept; None while all is well."""
        return self.raw.failure or None

    async def start(self) -> None:
        """Make the folder, and close what a crash left open. Raises OSError when the disk refuses."""
        await asyncio.to_thread(self.raw.begin)

    async def turn(self) -> None:
        """Close files whose time is over, and have them converted. Raises RuntimeError when that fails."""
        await asyncio.to_thread(self.raw.rotate, time.time_ns())
        await self._convert()

    async def stop(self) -> None:
        """Close everything, and convert what time allows."""
        await asyncio.to_thread(self.raw.rotate, time.time_ns(), True)
        with suppress(TimeoutError, RuntimeError):
            async with asyncio.timeout(LAST_WITHIN):
                await self._convert()

    async def _convert(self) -> None:
        if not await asyncio.to_thread(self.raw.closed):
            return
        settings = self._settings
        age, quota = str(int(settings.keep.total_seconds())), str(settings.quota)
        arguments = (str(self.raw.folder), str(self._mrt), str(settings.compression), age, quota)
        for line in await in_a_child("the archive's conversion", "pipeline.archiving", *arguments):
            log.info("%s", line)
        await asyncio.to_thread(self.raw.measure)


def archive(raw: Path, mrt: Path, compression: Compression, keep: timedelta, quota: int) -> Iterator[str]:
    """Convert and delete; yields what was done. Raises OSError when the disk refuses."""
    for made in convert(raw, mrt, compression):
        files = ", ".join(str(path.relative_to(mrt)) for path in made.files) or "no file"
        yield f"archived {counted(made.records, 'record')} of {made.exporter} in {files}"
    for path in retain(mrt, datetime.now(UTC) - keep, quota):
        yield f"deleted {path.relative_to(mrt)} from the archive"


if __name__ == "__main__":
    os.nice(NICE)
    folder, target, how, seconds, octets = sys.argv[1:]
    for line in archive(Path(folder), Path(target), Compression(how), timedelta(seconds=int(seconds)), int(octets)):
        sys.stdout.write(line + "\n")
