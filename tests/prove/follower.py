"""Somebody who follows the daemon's event stream over its Unix socket, and notes when each line arrived."""

import queue
import time
from pathlib import Path
from threading import Thread
from typing import Any

from pipeline.client import Client, NoDaemon


class Follower:
    """Lines of the timeline with the time of their arrival (seconds since the epoch), from now on."""

    def __init__(self, data: Path) -> None:
        self._client = Client(data)
        self.lines: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        last = int(self._client.get("/api/v1/status")["events"])
        Thread(target=self._follow, args=(last,), name="follower", daemon=True).start()

    def _follow(self, after: int) -> None:
        try:
            for event in self._client.follow(after):
                self.lines.put((time.time(), event))
        except (NoDaemon, OSError):
            return  # the daemon ended

    def next(self, timeout: float) -> tuple[float, dict[str, Any]] | None:
        """Return the next line, or None when there is none for so many seconds."""
        try:
            return self.lines.get(timeout=max(0.0, timeout))
        except queue.Empty:
            return None
