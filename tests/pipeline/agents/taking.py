"""An agent whose results are counted: `python -m tests.pipeline.agents.taking FILE TRUTH RATE`.

Everything is the real thing but the probes: each result is named, and its name is appended to TRUTH as soon as the
spool has the batch that it is in.
"""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import collector.probe.process
from anycast.probe import Outcome, Probe
from collector.probe.batch import decode
from collector.probe.config.read import load
from collector.probe.config.values import AgentSettings
from collector.probe.identity.keys import Keys
from collector.probe.spool import Frame, Spool
from collector.probe.taken import Health, Taken


class Telling(Spool):
    """A spool that says what it has."""

    truth: int

    def append(self, frame: Frame) -> None:
        """Append, and say so."""
        super().append(frame)
        [batch] = decode(frame.body)
        os.write(self.truth, "".join(f"{name}\n" for name in batch.columns["detail"]).encode())


class Counting:
    """Takes named results at a steady rate."""

    rate = 100

    def __init__(self, settings: AgentSettings, deliver: Callable[[Taken], None], keys: Keys) -> None:
        self._deliver = deliver
        self._name = f"{time.time_ns():x}"

    def open(self) -> None:
        """Nothing needs rights."""

    async def run(self) -> None:
        """Take until cancelled."""
        begun, number = time.monotonic(), 0
        while True:
            await asyncio.sleep(0.01)
            while number < (time.monotonic() - begun) * self.rate:
                number += 1
                name = f"{self._name}-{number}"
                mono, wall = time.monotonic_ns(), time.time_ns()
                self._deliver(Taken(mono, wall, Probe.ICMP, "web", Outcome.ANSWERED, rtt=number, detail=name))

    def health(self) -> Health:
        """All is well."""
        return Health()


def main(file: Path, truth: Path, rate: int) -> None:
    """Run until killed."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    Counting.rate = rate
    Telling.truth = os.open(truth, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    vars(collector.probe.process)["Spool"] = Telling
    collector.probe.process.run(load(file), Counting)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
