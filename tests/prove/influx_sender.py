"""The half of the proof that is ours: a journal that is written to and sealed, and the sink that follows it.

    python -m tests.prove.influx_sender FOLDER URL BEGUN SECONDS

Writes points for so many seconds, as many as are due each tenth of a second, and then waits until all of them are
delivered. Tells once a second, as a line of JSON, how many were written and delivered, and its own resident memory.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from pipeline.config.settings import Influx
from pipeline.points.own import resident
from pipeline.sinks import Sinks
from pipeline.upkeep import keep_up
from store.influx.where import ServerKind, Where
from store.journal import Journal
from store.ledger import LedgerFile
from store.writer import JournalWriter
from tests.prove.influx_points import RATE, rows

SEGMENT = 8 << 20  # octets: several are closed, sealed and removed under the sink
TICK = 0.1
SEALED = 20.0  # seconds between runs of upkeep
STALE = 120.0  # seconds that the last points may take


async def main(folder: Path, url: str, begun: int, seconds: float) -> int:
    """Write, deliver, tell."""
    writer = JournalWriter(Journal(folder / "journal", segment_size=SEGMENT))
    file = LedgerFile(folder / "ledger.sqlite")
    where = Where("proof", url, kind=ServerKind.INFLUXDB_1, bucket="proof")
    sinks = Sinks(Influx((where,)), folder, file, {})
    running = [asyncio.create_task(sinks.run()), asyncio.create_task(_sealing(folder))]
    written, told, first = 0, 0.0, time.monotonic()
    total = int(seconds * RATE)
    while True:
        due = min(total, int((time.monotonic() - first) * RATE))
        if due > written:
            made = await asyncio.to_thread(rows, begun, range(written, due))
            await asyncio.wrap_future(writer.submit([("points", made)], timeout=10))
            written = due
            sinks.wake()
        [status] = sinks.status()
        if time.monotonic() - told >= 1:
            told = time.monotonic()
            _tell(written, status.delivered, status.behind, status.quarantined + status.forgotten)
        if written == total and status.delivered >= total and not status.behind:
            break
        if time.monotonic() - first > seconds + STALE:
            break
        await asyncio.sleep(TICK)
    [status] = sinks.status()
    _tell(written, status.delivered, status.behind, status.quarantined + status.forgotten)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await asyncio.to_thread(writer.close)
    await file.close()
    return 0


async def _sealing(folder: Path) -> None:
    while True:
        await asyncio.sleep(SEALED)
        await keep_up(folder / "journal", 30, 1 << 40, 1 << 30, 7)


def _tell(written: int, delivered: int, behind: float, aside: int) -> None:
    said = {"written": written, "delivered": delivered, "behind": behind, "aside": aside, "resident": resident()}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))))
