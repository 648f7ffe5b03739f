"""The one thread that writes the journal: a bounded queue in front, group commits behind.

Whoever submits gets a future that is done when the submission is on disk, with its number. The queue is bounded in
bytes: when the disk cannot keep up, `submit` says so at once, and the caller decides what to sacrifice.

An attribute set is handed in once, and rows of every router refer to it. So attribute sets wait for nobody's turn: what
`refer` was given is committed before, or with, whatever is submitted after it, and a group that the disk refused loses
its rows but never the attribute sets in it. No row on disk refers to a set that is not.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Final

import pyarrow as pa

from store.journal import Journal
from store.schema import JournalError, Submission, check

CAPACITY: Final = 32 << 20
GROUP: Final = 2 << 20
"""Octets after which a group is committed, whatever else waits: what is urgent waits for no more than two of these."""
LINGER: Final = 0.01
"""Seconds that a commit waits for company: one batch of many rows is read faster than many of one."""
SMALL: Final = 512
"""A submission of at most this part of the capacity (64 KiB) may go a quarter over it: slices of a dump are larger, and
must not keep out what others have to say."""
IDLE: Final = 1.0
NICE: Final = 10
"""Of the writing thread: whoever judges comes first where there are too few processors."""


class JournalBehind(JournalError):
    """The queue in front of the journal is full: the disk does not keep up."""


_Waiting = tuple[Submission, int, "Future[int]"]


class JournalWriter:
    """Writes one journal from a thread of its own until closed."""

    def __init__(
        self,
        journal: Journal,
        *,
        capacity: int = CAPACITY,
        linger: float = LINGER,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Callable[[float, int], None] = lambda seconds, submissions: None,
    ) -> None:
        """Start the thread. `observe` is told of each group commit: its seconds and its number of submissions."""
        self._journal = journal
        self._capacity, self._linger = capacity, linger
        self._clock, self.observe = clock, observe
        self._waiting: deque[_Waiting] = deque()
        self._urgent: deque[_Waiting] = deque()
        self._referred: deque[pa.RecordBatch] = deque()
        """Attribute sets on their way, oldest first."""
        self._octets = 0
        self._of_referred = 0
        self._closing = False
        self.living = True
        """Whether to leave the sign of when we last lived; not before anything can be heard."""
        self._changed = threading.Condition()
        self.failure: Exception | None = None
        """Why the last group was not written; None while all is well."""
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def committed(self) -> int:
        """Number of the last submission that is on disk."""
        return self._journal.committed

    @property
    def waiting(self) -> int:
        """Octets in the queue."""
        return self._octets

    def submit(self, submission: Submission, timeout: float = 0.0, *, urgent: bool = False) -> "Future[int]":
        """Queue a submission; the future gives its number once it is on disk, or raises JournalFull or OSError.

        What is `urgent` overtakes what waits: for changes of watched routes while a table is dumped, never for routes
        and sessions, whose order of arrival counts, and always taken, for it is little.
        Waits at most `timeout` seconds for room, then raises JournalBehind. Raises JournalError for columns that are
        not the journal's, and after `close`.
        """
        check(submission)
        octets = sum(batch.nbytes for _, batch in submission)
        future: Future[int] = Future()
        with self._changed:
            if not self._changed.wait_for(lambda: urgent or self._has_room(octets), timeout):
                raise JournalBehind(
                    f"the journal is {self._octets >> 20} MiB behind, as much as it may be; "
                    f"its disk ({self._journal.folder.path}) is too slow for what comes in"
                )
            if self._closing:
                raise JournalError("the journal is closed; nothing can be written to it any more")
            (self._urgent if urgent else self._waiting).append((submission, octets, future))
            self._octets += octets
            self._changed.notify_all()
        return future

    def refer(self, attributes: pa.RecordBatch) -> None:
        """Take rows of `attributes` that anything submitted from now on may refer to; always taken, from any thread.

        They cost no commit of their own: they go with the next group, whoever's that is. What they weigh counts
        against the capacity for everything else.
        """
        check([("attributes", attributes)])
        with self._changed:
            self._hold(attributes)

    def _hold(self, attributes: pa.RecordBatch) -> None:
        self._referred.append(attributes)
        self._octets += attributes.nbytes
        self._of_referred += attributes.nbytes

    def close(self) -> None:
        """Write what waits, close the journal, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._alive()
        self._journal.close()

    def _has_room(self, octets: int) -> bool:
        capacity = self._capacity + (self._capacity // 4 if octets <= self._capacity // SMALL else 0)
        alone = not self._waiting and self._of_referred < self._capacity
        return self._closing or alone or self._octets + octets <= capacity

    def _run(self) -> None:
        if sys.platform == "linux":  # where a thread has a priority of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while True:
            group = self._take()
            if group:
                self._write(group)
            elif self._closing:
                return
            else:
                self._idle()

    def _take(self) -> list[_Waiting]:
        """The next group; empty after an idle moment, or when closing with nothing left."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._urgent or self._waiting or self._closing, IDLE):
                return self._sets()  # nobody came that refers to them
            if self._closing and self.failure is not None and not self._urgent and not self._waiting:
                return []  # it was tried
            self._changed.wait_for(lambda: self._octets >= GROUP or self._closing, self._linger)
            group = self._sets()
            octets = sum(each for _, each, _ in group)
            while (self._urgent or self._waiting) and octets < GROUP and (self._urgent or not self._referred):
                group.append((self._urgent or self._waiting).popleft())
                octets += group[-1][1]
            return group

    def _sets(self) -> list[_Waiting]:
        """As many of the attribute sets as go into one group, as a submission before all others."""
        batches, octets = [], 0
        while self._referred and octets < GROUP:
            batches.append(self._referred.popleft())
            octets += batches[-1].nbytes
        self._of_referred -= octets
        return [([("attributes", batch) for batch in batches], octets, Future())] if batches else []

    def _write(self, group: list[_Waiting]) -> None:
        begun = time.perf_counter()
        told = [future.set_running_or_notify_cancel() for _, _, future in group]
        try:
            last = self._journal.append([submission for submission, _, _ in group], self._clock())
            self._journal.commit()
            self._alive()
        except Exception as error:  # whoever waits is told; the next group may find the disk well again
            self.failure = error
            self._done(group, keep=True)
            for (_, _, future), waits in zip(group, told, strict=True):
                if waits:
                    future.set_exception(error)
            return
        self.failure = None
        self._done(group)
        self.observe(time.perf_counter() - begun, len(group))
        for number, ((_, _, future), waits) in enumerate(zip(group, told, strict=True), last - len(group) + 1):
            if waits:
                future.set_result(number)

    def _done(self, group: list[_Waiting], keep: bool = False) -> None:
        """Let go of a group; but `keep` the attribute sets in one that failed: others refer to them."""
        sets = [batch for submission, _, _ in group for table, batch in submission if table == "attributes" and keep]
        with self._changed:
            self._octets -= sum(octets for _, octets, _ in group)
            for batch in sets:
                self._hold(batch)
            self._changed.notify_all()

    def _alive(self) -> None:
        if self.living:
            self._journal.alive()

    def _idle(self) -> None:
        try:
            self._journal.rotate(self._clock())
            self._alive()
            if self.failure is not None:
                self._journal.folder.probe()
                self.failure = None
        except OSError as error:
            self.failure = error
