"""The batch of a file that is being filled."""

import os
from typing import Any

import numpy as np

from collector.batch import Array, AttributeTable, RouteBatch
from collector.files.batch import FileBatch, FileSession

HELD = 24 << 20
"""Octets of attributes after which a batch begins with a new table."""
EXPECTED = 1 << 17
"""Distinct attributes of a large table; what a smaller one does not use is never touched."""


class Filling:
    """Rows that compiled code has filled so far, the attributes that they point to, and the sessions of the file."""

    def __init__(self, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        from collector.kernel.rows import Rows

        self._kernel = Rows
        self._key = os.urandom(16)
        self._size = rows
        self.table = AttributeTable(self._key, HELD, EXPECTED)
        self.sessions: list[FileSession] = []
        self._numbers: dict[FileSession, int] = {}
        self.count = 0
        """Rows filled."""
        self._begin()

    def _begin(self) -> None:
        self.routes = RouteBatch.empty(self._size)
        self.form: Array = np.zeros(self._size, np.uint8)
        self.has_path_id: Array = np.zeros(self._size, np.bool_)
        self.originated: Array = np.zeros(self._size, np.int64)
        self.rows: Any = self._kernel(*self.routes.columns)
        """The columns as compiled code takes them."""

    def session(self, session: FileSession) -> int:
        """Return the number of a session, a new one where it has none."""
        number = self._numbers.setdefault(session, len(self.sessions))
        if number == len(self.sessions):
            self.sessions.append(session)
        return number

    def take(self) -> FileBatch:
        """Return what was filled, and begin anew."""
        whole = FileBatch(self.routes, self.form, self.has_path_id, self.originated, self.sessions, self.table)
        if 2 * self.count > self._size:  # the arrays go with the batch
            batch = whole.select(slice(self.count))
            self._begin()
        else:
            batch = whole.select(np.arange(self.count))
        self.count = 0
        if self.table.full:  # a new one, for earlier batches are still asked for theirs
            self.table = AttributeTable(self._key, HELD, EXPECTED)
        return batch
