"""All sockets that are listened on, in one epoll of our own.

The loop does not watch them: to wake for each answer costs more than to read it. They are read at each wake of the
prober, all at once; what an answer waits until then is known from the kernel's stamp.
"""

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

    def listen(self) -> bool:
        """Tell what is there now, and say whether anything was; waits for nothing."""
        told, ready = self._told, self._epoll.poll(0, EVENTS)
        for descriptor, events in ready:
            hear = told.get(descriptor)
            if hear is not None:
                hear(events)
        return bool(ready)

    def close(self) -> None:
        """Listen no more."""
        self._told.clear()
        self._epoll.close()
