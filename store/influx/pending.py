"""What was read and is not settled: lines in order, in parts that are sent one by one. Pure.

A part is taken, or it is split, or, once it is a single line, given up with a reason; so the lines before the first
part are always settled, all of them, and that is the cursor. Nothing is forgotten by a part that failed half way.
"""

from collections import deque
from typing import Final

from store.influx.lines import Lines

WELL: Final = 100
"""Parts that were taken before larger ones are tried."""


class Pending:
    """Parts that wait, the first to be sent first."""

    def __init__(self, lines: int, octets: int) -> None:
        """Make parts of at most so many lines and octets."""
        self._most = self._lines = lines
        self._octets = octets
        self._went_well = 0
        self._last = 0
        self._parts: deque[Lines] = deque()
        self.cursor = 0
        """Row up to which everything is settled, of what was ever put here."""
        self.split_of = 0
        """Lines of the refused part that is being split; 0 while none is."""
        self.refused_of = 0
        """How many of them were refused, one by one, so far."""
        self._until = 0
        """The last row of that part."""

    def __bool__(self) -> bool:
        return bool(self._parts)

    def put(self, lines: Lines, cursor: int) -> None:
        """Add lines behind all others; when they are settled, so is everything up to the row `cursor`."""
        while len(lines):
            count = min(self._lines, lines.split(self._octets))
            self._parts.append(lines.part(0, count))
            lines = lines.part(count, len(lines))
        self._last = cursor
        if not self._parts:
            self.cursor = cursor

    @property
    def first(self) -> Lines:
        """The part to be sent; it is there until it is settled."""
        return self._parts[0]

    def settle(self) -> None:
        """The first part was taken."""
        done = self._parts.popleft()
        self.cursor = int(done.rows[-1]) if self._parts else self._last
        if self.split_of and int(done.rows[-1]) >= self._until:
            self.split_of = self.refused_of = 0

    def refuse(self) -> bool:
        """Something in the first part was refused: split it. True where it is a single line, to be given up."""
        part = self.first
        if not self.split_of:
            self.split_of, self.refused_of, self._until = len(part), 0, int(part.rows[-1])
        if len(part) == 1:
            self.refused_of += 1
            return True
        self._halve()
        return False

    def shrink(self) -> bool:
        """The first part was too large: halve it, and those to come. True where it is a single line."""
        if len(self.first) == 1:
            return True
        self._lines, self._went_well = max(1, len(self.first) // 2), 0
        self._halve()
        return False

    def grow(self) -> None:
        """All goes well: after a while parts may become larger again, up to what was set."""
        self._went_well += 1
        if self._went_well >= WELL:
            self._went_well, self._lines = 0, min(self._most, self._lines * 2)

    def _halve(self) -> None:
        part = self._parts.popleft()
        middle = len(part) // 2
        self._parts.extendleft((part.part(middle, len(part)), part.part(0, middle)))
