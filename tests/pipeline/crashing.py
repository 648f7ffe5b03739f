"""A daemon that dies at the worst point between the socket and the journal: `python -m tests.pipeline.crashing INTENT`.

The disk stalls while the file `stall` lies beside the intent, so that one router's rows wait for room. The process
kills itself as soon as a row of another router (PREFIX) is committed. Tells how many routes were decoded, as it grows.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import pipeline.memory
from pipeline.config import load
from pipeline.daemon import Daemon
from store.journal import Journal
from store.schema import Submission
from store.writer import JournalWriter

PREFIX = "192.0.2.0/24"
CAPACITY = 4 << 20
"""Room for one slice of a dump, and not for two."""
_HIGH = int.from_bytes(bytes((192, 0, 2, 0))) << 32


class Dying(Journal):
    """A journal on a disk that stalls when told, in a process that does not outlive the commit of PREFIX."""

    stall: Path
    last = False

    def append(self, submissions: Sequence[Submission], now: datetime) -> int:
        """Look for PREFIX."""
        for table, batch in (each for submission in submissions for each in submission):
            self.last |= table == "routes" and bool((batch.column("prefix_high").to_numpy() == _HIGH).any())
        return super().append(submissions, now)

    def commit(self) -> int:
        """Commit, and die where it is time."""
        while self.stall.exists():
            time.sleep(0.01)
        number = super().commit()
        if self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return number


async def main(intent: Path) -> None:
    """Hear until killed."""
    Dying.stall = intent.with_name("stall")
    vars(pipeline.memory).update(Journal=Dying, JournalWriter=partial(JournalWriter, capacity=CAPACITY))
    config = load(intent)
    daemon = Daemon(config, await pipeline.memory.open_memory(config.data), "live")
    await daemon.hearing.start(None)
    told = 0
    while True:
        await asyncio.sleep(0.02)
        decoded = sum(exporter.counters.routes for exporter in daemon.hearing.station.status().exporters)
        if decoded != told:
            told = decoded
            sys.stdout.write(f"{decoded}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
