"""The agent that runs beside the daemon: a process of its own, started again when it ends.

It reports by HTTPS like any other. What it lacks is a network between it and us.
"""

import asyncio
import logging
import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from collector.probe.process import PARENT

log = logging.getLogger(__name__)
SOONEST, LATEST = 1.0, 60.0  # seconds before it is started again
STEADY: Final = 60.0
"""Seconds after which it counts as running well: the next start comes soon again."""
LAST: Final = 7.0
"""Seconds that it has at the end, to tell us what it took."""


class Beside:
    """Keeps one agent running until stopped."""

    def __init__(self, file: Path, as_json: bool = False) -> None:
        self._argv = [sys.executable, "-m", "pipeline", "agent", "-c", str(file), *(["--json"] if as_json else [])]
        self._file = file
        self._child: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Start it, and start it again whenever it ends."""
        wait = SOONEST
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                code = await self._once()
            except OSError as error:
                log.error("the agent of %s cannot be started: %s", self._file, error)
                code = -1
            if self._stopping.is_set():
                return
            wait = SOONEST if time.monotonic() - begun > STEADY else min(LATEST, wait * 2)
            pause = random.uniform(wait / 2, wait)
            log.error("the agent of %s ended with %s; it is started again in %.0f s", self._file, code, pause)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Tell it to end, and wait for that; kill it when it does not."""
        self._stopping.set()
        child = self._child
        if child is None or child.returncode is not None:
            return
        with suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(LAST):
                await child.wait()
        except TimeoutError:
            log.warning("the agent of %s did not end in time, and is killed; what it took is in its spool", self._file)
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _once(self) -> int:
        environment = {**os.environ, PARENT: str(os.getpid())}
        for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            environment.pop(name, None)  # our sockets are not its own
        self._child = await asyncio.create_subprocess_exec(
            *self._argv, env=environment, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        return await self._child.wait()
