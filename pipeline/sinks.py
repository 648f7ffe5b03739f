"""The sinks of a running daemon: one for each server of `influx`, each with its own cursor in the ledger."""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from anycast.sink import Quarantined, SinkStatus
from pipeline.config.settings import Influx
from store.folder import Folder
from store.forgotten import forgotten
from store.influx.quarantine import Quarantine
from store.influx.sink import Sending, Sink
from store.influx.where import Where
from store.ledger import LedgerFile
from store.schema import ROW_BITS

log = logging.getLogger(__name__)
FACT: Final = "sink "
"""What the name of a cursor's fact begins with; the sink's name follows."""


class Sinks:
    """Owns the sinks."""

    def __init__(
        self, influx: Influx, data: Path, file: LedgerFile, facts: Mapping[str, Any], committed: int | None = None
    ) -> None:
        """Go on where the facts of the ledger say; a sink without one gets whatever the journal has.

        `committed` is the last submission of the journal, where that is known: a cursor beyond it is of another one.
        """
        self._committed = committed
        self._file, self._journal = file, data / "journal"
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sinks = {where.name: self._sink(where, data, facts) for where in influx.servers}

    def status(self) -> Sequence[SinkStatus]:
        """How each of them stands."""
        return tuple(sink.status() for sink in self._sinks.values())

    def quarantined(self, name: str | None, limit: int) -> dict[str, list[Quarantined]]:
        """The newest lines that servers refused: of one sink, or of all."""
        chosen = {each: sink for each, sink in self._sinks.items() if name in (None, each)}
        return {each: sink.quarantine.last(limit) for each, sink in chosen.items()}

    def wake(self) -> None:
        """There is something new in the journal. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken)

    async def run(self) -> None:
        """Deliver until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as tasks:
            for name, sink in self._sinks.items():
                tasks.create_task(sink.run(), name=f"sink {name}")

    def _woken(self) -> None:
        for sink in self._sinks.values():
            sink.wake()

    def _sink(self, where: Where, data: Path, facts: Mapping[str, Any]) -> Sink:
        kept = facts.get(FACT + where.name)
        cursor = kept if isinstance(kept, int) else _beginning(self._journal)
        if self._committed is not None and cursor >> ROW_BITS > self._committed:
            log.warning("sink %s: its cursor is of another journal; it begins anew", where.name)
            cursor = 0
        log.info("time series go to %s", where)

        async def note(cursor: int) -> None:
            try:
                await self._file.commit(facts={FACT + where.name: cursor})
            except sqlite3.Error as error:  # then the same points are sent again after a restart
                log.error("sink %s: how far it is was not written down: %s", where.name, error)

        return Sink(where, self._journal, Quarantine(data / "influx" / f"{where.name}.jsonl"), cursor, note, _connect)


def _beginning(journal: Path) -> int:
    """Before the first row that there still is: what retention took earlier was never owed to a new server."""
    return max((gone.last for gone in forgotten(Folder(journal))), default=0)


def _connect(where: Where) -> Sending:
    """Connect, in the sink's own thread. influxdb-client takes a second to load: not before it is needed."""
    from store.influx.post import Post

    return Post(where)
