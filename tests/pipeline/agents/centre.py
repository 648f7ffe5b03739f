"""A centre that is nothing but the door for agents and the journal: `python -m tests.pipeline.agents.centre INTENT`.

It starts in a fraction of the daemon's time, so that it can be killed often. SIGTERM ends it in order.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from anycast.observation import Observation
from anycast.probe import AgentReported
from pipeline.agents.agents import Agents
from pipeline.config import load
from store.journal import Journal
from store.writer import JournalWriter


def _hear(observations: Sequence[Observation]) -> None:
    """Say what agents say they dropped."""
    dropped = sum(each.dropped for each in observations if isinstance(each, AgentReported))
    if dropped:
        logging.info("agents dropped %d", dropped)


async def main(intent: Path) -> None:
    """Serve until told to stop."""
    config = load(intent)
    writer = JournalWriter(Journal(config.data / "journal"))
    agents = Agents(config, writer.submit, lambda: writer.committed, _hear)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    logging.info("listening for agents on %s", await agents.start(None))
    while not stopping.is_set():
        await agents.save()
        try:
            async with asyncio.timeout(1.0):
                await stopping.wait()
        except TimeoutError:
            continue
    await agents.stop()
    writer.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    asyncio.run(main(Path(sys.argv[1])))
