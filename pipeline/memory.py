"""What survives a restart: the journal and the ledger, opened together, and the state that is made of them."""

import errno
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts.ledger import Ledger
from alerts.outbox import Telling
from analyzers import memory as remembered
from analyzers.recall import with_routes
from analyzers.view import View
from anycast.finding import Kind, Record, State
from anycast.intent import HoldDown, Intent
from anycast.kinds import KINDS
from anycast.observation import Announced
from store.journal import Journal
from store.ledger import LedgerFile, LedgerReader
from store.writer import JournalWriter

log = logging.getLogger(__name__)
PROOF = timedelta(seconds=75)
"""After a start, how long a restored finding that rests on no vantage is held: feeds need to return and settle."""
CLEARED_KEPT = timedelta(days=1)


@dataclass
class Memory:
    """The open files, and what was in them."""

    journal: Journal
    writer: JournalWriter
    file: LedgerFile
    facts: dict[str, Any]
    """Facts of the ledger as the last daemon left them."""
    watched: tuple[Announced, ...]
    """Watched routes that were present, exact to the last commit."""
    records: tuple[Record, ...]
    """Findings that were pending or open."""
    cleared: tuple[Record, ...]
    told: tuple[Any, ...]
    last_event: int
    opened: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def alive(self) -> datetime | None:
        """When the daemon before this one last lived; None for a new data folder."""
        stamps = [self.journal.alive_at]
        if "alive" in self.facts:
            stamps.append(datetime.fromtimestamp(self.facts["alive"], UTC))
        return max((at for at in stamps if at is not None), default=None)

    @property
    def stopped(self) -> bool:
        """Whether the daemon before this one was stopped in order, and did not die."""
        alive, stopped = self.alive, self.facts.get("stopped")
        return alive is not None and stopped is not None and stopped >= alive.timestamp()

    def live(self) -> None:
        """From now on we hear: leave the sign of when we last lived. Until then that of the daemon before us stands."""
        self.writer.living = True

    async def close(self) -> None:
        """Write what waits and close both."""
        self.writer.close()
        if self.writer.living:
            with suppress(sqlite3.Error):  # a full disk: then it looks as if we had died
                await self.file.commit(facts={"stopped": datetime.now(UTC).timestamp()})
        await self.file.close()


async def open_memory(data: Path) -> Memory:
    """Open the data folder. Raises JournalError, LedgerError or OSError with a sentence an operator understands."""
    _prepare(data)
    journal = Journal(data / "journal")
    for report in journal.recovered:
        log.warning("after a crash: %s", report)
    file = LedgerFile(data / "ledger.sqlite")
    return await file.ask(lambda reader: _read(reader, journal, file))


def _prepare(data: Path) -> None:
    """Make the data folder, for nobody but us; raises OSError that says what would be one."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        os.chmod(data, 0o700)
        if not os.access(data, os.R_OK | os.W_OK | os.X_OK):  # a read-only disk, too
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (FileExistsError, NotADirectoryError) as error:
        said = f"the data folder {data} cannot be made, for there is a file; name a folder with --data"
        raise NotADirectoryError(said) from error
    except OSError as error:
        said = (
            f"the data folder {data} cannot be used: {error.strerror}; name one that this user may write to with --data"
        )
        raise OSError(said) from error


def _read(reader: LedgerReader, journal: Journal, file: LedgerFile) -> Memory:
    writer = JournalWriter(journal)
    writer.living = False
    return Memory(
        journal=journal,
        writer=writer,
        file=file,
        facts=reader.facts(),
        watched=reader.watched(),
        records=reader.live(),
        cleared=reader.records((State.CLEARED,), since=datetime.now(UTC) - CLEARED_KEPT),
        told=reader.told(),
        last_event=reader.last_event(),
    )


def restored_view(memory: Memory, intent: Intent) -> View:
    """The view as it was when we last lived: all of it unknown, to be compared with what is seen next."""
    snapshot, alive = memory.facts.get("view"), memory.alive
    if snapshot is None or alive is None:
        return View(intent)
    try:
        return remembered.restore(intent, with_routes(snapshot, memory.watched), alive)
    except (KeyError, ValueError) as error:
        log.warning("the view that was kept cannot be read (%s); beginning with an empty one", error)
        return View(intent)


def restored_ledger(memory: Memory, intent: Intent) -> Ledger:
    """The ledger with what was pending or open: frozen until it is judged with sight."""
    ledger = Ledger(hold_downs(intent), intent.windows)
    ledger.restore(memory.records, proof_after=memory.opened + PROOF)
    return ledger


def restored_telling(memory: Memory, intent: Intent) -> Telling:
    """Who was told of what: nobody is told twice."""
    telling = Telling(intent.receivers)
    telling.restore(memory.told)
    return telling


def hold_downs(intent: Intent) -> Callable[[Kind], HoldDown]:
    """The hold-down of each kind: the intent's, else the kind's own."""
    return lambda kind: intent.hold_downs.get(kind) or KINDS[kind].hold_down
