"""Probes that take several steps, each a task; bounded, and ended with the agent."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

MOST: Final = 512
"""That are under way at once: a probe a second of forty targets, all silent until they are forgotten."""


class Tasks:
    """Tasks under way."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._under_way: set[asyncio.Task[None]] = set()
        self.failed: BaseException | None = None
        """The first error that none of the probes expected; the agent ends with it."""

    def __len__(self) -> int:
        return len(self._under_way)

    @property
    def full(self) -> bool:
        """Whether no other may be started."""
        return len(self._under_way) >= self._most

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task."""
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and self.failed is None:
            self.failed = task.exception()

    async def close(self) -> None:
        """Cancel all tasks and wait for their ends."""
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
