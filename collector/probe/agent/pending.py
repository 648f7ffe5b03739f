"""What was sent and may still be answered: lost after one time limit, forgotten after another, bounded throughout.

All probes of one table have the same limits, so those that are due come first in the order of sending. What was
answered is taken out at once; a second copy of the answer then finds nothing, and cannot make a loss smaller.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Sent(Generic[T]):
    """One probe under way."""

    mono: int
    wall: int
    of: T
    """What sent it, or whatever else its sender must remember."""
    silent: bool = False
    """Its time limit passed; an answer is late now."""


class Pending(Generic[K, T]):
    """Probes under way, by what their answers are known by."""

    def __init__(
        self,
        timeout: int,
        late: int,
        capacity: int,
        silent: Callable[[Sent[T]], None],
        forgotten: Callable[[Sent[T]], None] | None = None,
    ) -> None:
        """`timeout` and `late` in ns, the second after the first. `silent` is told of each that passes the first,
        `forgotten` of each that passes both."""
        self._timeout, self._late, self._capacity = timeout, timeout + late, capacity
        self._silent, self._forgotten = silent, forgotten
        self._sent: dict[K, Sent[T]] = {}
        self._waiting: deque[tuple[K, Sent[T]]] = deque()
        self._overdue: deque[tuple[K, Sent[T]]] = deque()

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def full(self) -> bool:
        """Whether nothing more may be sent for now."""
        return len(self._sent) >= self._capacity or len(self._waiting) >= self._capacity

    def add(self, key: K, sent: Sent[T]) -> None:
        """Remember a probe that is sent now; ask `full` first."""
        self._sent[key] = sent
        self._waiting.append((key, sent))

    def all(self) -> list[Sent[T]]:
        """Return everything under way."""
        return list(self._sent.values())

    def find(self, key: K) -> Sent[T] | None:
        """Look at a probe without taking it out."""
        return self._sent.get(key)

    def take(self, key: K) -> Sent[T] | None:
        """Take out the probe that an answer belongs to; None when there is none, or it was answered already."""
        return self._sent.pop(key, None)

    def overdue(self, sent: Sent[T], took: int) -> bool:
        """Whether an answer after `took` ns is a late one; that it was silent is told first, where it was not yet."""
        if not sent.silent and took > self._timeout:
            sent.silent = True
            self._silent(sent)
        return sent.silent

    def due(self, now: int) -> bool:
        """Whether `expire` would find something."""
        waiting, overdue = self._waiting, self._overdue
        return bool(
            (waiting and now - waiting[0][1].mono >= self._timeout)
            or (overdue and now - overdue[0][1].mono >= self._late)
        )

    def expire(self, now: int) -> None:
        """Tell of everything whose limit passed by `now`, monotonic ns."""
        waiting, overdue, sent = self._waiting, self._overdue, self._sent
        while waiting and now - waiting[0][1].mono >= self._timeout:
            key, one = waiting.popleft()
            if sent.get(key) is one:
                one.silent = True
                overdue.append((key, one))
                self._silent(one)
        while overdue and now - overdue[0][1].mono >= self._late:
            key, one = overdue.popleft()
            if sent.get(key) is one:
                del sent[key]
                if self._forgotten is not None:
                    self._forgotten(one)
