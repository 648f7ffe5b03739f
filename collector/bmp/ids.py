"""Numbers for sessions: what a row of the journal calls a session, for as long as the data folder lives."""

from collections.abc import Mapping
from typing import Protocol

from anycast.observation import Session


class SessionIds(Protocol):
    """Gives out the numbers. Called from the decoding thread."""

    def number(self, session: Session) -> int:
        """Return the session's number (1 to 2**32 - 1), a new one where it has none; never one of another session."""
        ...


class Numbered:
    """Session numbers in memory, to be loaded from and saved with the data folder.

    `taken` says how many new numbers were given out: save when it has grown, and before rows that use them.
    """

    def __init__(self, known: Mapping[Session, int] | None = None) -> None:
        self._numbers = dict(known or {})
        self._next = max(self._numbers.values(), default=0) + 1
        self.taken = 0

    def number(self, session: Session) -> int:
        """Return the session's number, a new one where it has none."""
        number = self._numbers.get(session)
        if number is None:
            number = self._numbers[session] = self._next
            self._next += 1
            self.taken += 1
        return number

    def saved(self) -> dict[Session, int]:
        """Return every number given out so far; `Numbered(saved)` goes on after it."""
        return dict(self._numbers)
