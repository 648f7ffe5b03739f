"""Run in a namespace: the door for agents over a journal, which prints where hosts land when it is told to stop."""

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analyzers.probing.probing import Probing
from anycast.observation import Observation
from anycast.plain import to_plain
from anycast.probe import AgentReported, Probe
from pipeline.agents.agents import Agents
from pipeline.config import load
from store.journal import Journal
from store.reader import Reader
from store.writer import JournalWriter


async def _main(intent: Path) -> None:
    config = load(intent)
    writer, probing = JournalWriter(Journal(config.data / "journal")), Probing(config.intent)

    def hear(observations: Sequence[Observation]) -> None:
        for each in observations:
            if isinstance(each, AgentReported):
                probing.apply(each)

    agents = Agents(config, writer.submit, lambda: writer.committed, hear)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    logging.info("listening for agents on %s", await agents.start(None))
    await stopping.wait()
    await agents.stop()
    writer.close()
    day = timedelta(days=1)
    kept = Reader(config.data / "journal").probes(datetime.now(UTC) - day, datetime.now(UTC) + day, probe=Probe.REVERSE)
    hosts = [to_plain(each) for each in probing.hosts.catchments()]
    sys.stdout.write(json.dumps({"hosts": hosts, "kept": len(kept.rows)}) + "\n")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    asyncio.run(_main(Path(sys.argv[1])))
