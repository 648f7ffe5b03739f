"""All sockets that are listened on, in one epoll of our own.

asyncio makes a handle for each descriptor that is ready; with hundreds of sockets that costs more than to read them.
The loop watches the epoll alone, and one call reads all that is there.
"""

import asyncio
import contextlib
import select
from collections.abc import Callable
from typing import Final

EVENTS: Final = 512
"""That are taken at once, so that timers are not kept waiting."""

Hear = Callable[[int], None]
"""Takes the events that epoll told: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP."""


class Ears:
    """Descriptors, and whom to tell when there is something to read."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._told: dict[int, Hear] = {}

    def __len__(self) -> int:
        return len(self._told)

    def add(self, descriptor: int, hear: Hear, events: int = select.EPOLLIN) -> None:
        """Listen on a descriptor; errors are always told."""
        self._epoll.register(descriptor, events)
        self._told[descriptor] = hear

    def remove(self, descriptor: int) -> None:
        """Stop listening on a descriptor that is still open; one that is not listened on is left alone."""
        if self._told.pop(descriptor, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(descriptor)

    def listen(self) -> None:
        """Tell all that is there now; waits for nothing."""
        told = self._told
        for descriptor, events in self._epoll.poll(0, EVENTS):
            hear = told.get(descriptor)
            if hear is not None:
                hear(events)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let a loop listen."""
        loop.add_reader(self._epoll.fileno(), self.listen)

    def close(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Listen no more."""
        if loop is not None:
            loop.remove_reader(self._epoll.fileno())
        self._told.clear()
        self._epoll.close()
