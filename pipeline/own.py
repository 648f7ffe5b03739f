"""How Catchment itself is: what takes a look at the disk or a question to the ledger is gathered now and then."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from store.ledger import LedgerFile
from store.retention import size

EVERY: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Owed:
    """What a receiver is still to be told."""

    messages: int
    oldest: datetime
    """When the first of them was owed."""


@dataclass(frozen=True, slots=True)
class Own:
    """Catchment's own health at one moment."""

    version: str
    ready: bool
    """Whether what is heard is taken, judged, kept and told."""
    intent_loaded: datetime
    intent_taken: bool
    """Whether the intent file was taken when it was read last."""
    unknown_vantages: int
    journal_queue: int
    """Octets handed to the journal and not on disk."""
    journal_failing: bool
    """Whether the last group of rows was refused."""
    data: int
    """Octets that the journal takes."""
    free: int
    """Octets that its disk has left for us."""
    owed: Mapping[str, Owed]


class Gathered:
    """Figures that would cost too much at each scrape, as they were when they were last gathered."""

    def __init__(self, data: Path, file: LedgerFile) -> None:
        self._data, self._file = data, file
        self.data = self.free = 0
        self.owed: Mapping[str, Owed] = {}

    async def gather(self) -> None:
        """Look again. Raises OSError, or sqlite3.Error."""
        self.owed = {
            name: Owed(count, oldest) for name, count, oldest in await self._file.ask(lambda reader: reader.owed())
        }
        self.data, self.free = await asyncio.to_thread(self._look)

    def _look(self) -> tuple[int, int]:
        return size(self._data / "journal"), shutil.disk_usage(self._data).free


def age(since: datetime) -> float:
    """Seconds since a time, never below 0."""
    return max(0.0, (datetime.now(UTC) - since).total_seconds())
