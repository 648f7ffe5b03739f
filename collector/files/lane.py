"""A file through compiled code as far as that goes, and piece by piece through the plain decoder where it stops."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from typing import ClassVar, Final

from collector.files.batch import FileBatch
from collector.files.buffer import Buffer
from collector.files.filling import Filling
from collector.wire.cutting import Cutter, Piece, Whole
from collector.wire.element import Element
from collector.wire.errors import Malformed

PIECE: Final = 1 << 12
"""Octets that are looked at in the plain way where damage begins; twice as many each time."""


class Lane(ABC):
    """One file, from its first octet to its end."""

    _rows_first: ClassVar[bool] = False
    """Whether rows must be handed over before the plain decoder takes the next piece."""

    def __init__(self, buffer: Buffer, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        from collector.kernel.stop import Stop

        self._stop = Stop
        self._buffer, self._filling = buffer, Filling(rows)
        self._ended = False
        self._error: Malformed | None = None

    @abstractmethod
    def _run(self) -> int:
        """Let compiled code take what it can; returns why it stopped."""

    @abstractmethod
    def _next(self) -> Whole:
        """Take the next piece, which is whole by its length."""

    @abstractmethod
    def _cutter(self) -> Cutter:
        """Make a cutter that tells pieces apart as the plain reader does."""

    @abstractmethod
    def _elements(self, piece: Piece) -> list[Element]:
        """What the plain decoder says of a piece."""

    def _grow(self) -> None:
        """Make room for more."""
        self._filling.table.grow()

    def _batch(self) -> FileBatch:
        return self._filling.take()

    def read(self) -> Iterator[FileBatch | Element]:
        """Yield the whole file, in order; raises Malformed, after everything, where its compression is damaged."""
        while True:
            stop = self._run()
            if stop == self._stop.ROOM:
                self._grow()
            elif stop == self._stop.FULL and self._filling.count:
                yield self._batch()
            elif stop == self._stop.END and not self._ended:
                if self._buffer.live:  # nobody knows when there will be more
                    yield from self._left()
                self._more()
            elif stop in (self._stop.FULL, self._stop.PLAIN):
                yield from self._told(self._next())
            elif self._buffer.size:
                yield from self._sought()
            else:
                break
        yield from self._left()
        yield from self._last()
        if self._error is not None:
            raise self._error

    def _last(self) -> list[Element]:
        """What is said behind the last message."""
        return []

    def _more(self) -> None:
        """Read another piece, or note why there is none."""
        try:
            self._ended = not self._buffer.more()
        except Malformed as error:  # what came out before is read to its end
            self._ended, self._error = True, error

    def _left(self) -> Iterator[FileBatch]:
        """Yield the rows that were not handed over yet."""
        if self._filling.count:
            yield self._batch()

    def _told(self, piece: Piece) -> Iterator[FileBatch | Element]:
        """Elements of a piece, behind the rows that come before them."""
        if self._rows_first:
            yield from self._left()
        if found := self._elements(piece):
            yield from self._left()
            yield from found

    def _sought(self) -> Iterator[FileBatch | Element]:
        """Where pieces cannot be told apart by their lengths alone: the plain way, up to the next whole one."""
        buffer, cutter, step = self._buffer, self._cutter(), PIECE
        cutter.offset = given = buffer.offset
        whole = False
        while not whole:
            piece = buffer.peek(given - buffer.offset, step)
            if piece or self._ended:
                given, step = given + len(piece), 2 * step
                whole = yield from self._cut(cutter, piece)
                if not piece:
                    return
            else:
                self._more()

    def _cut(self, cutter: Cutter, piece: bytes) -> Generator[FileBatch | Element, None, bool]:
        """Give the cutter more, or its end, and take what it tells; returns whether a whole piece was among it."""
        for found in cutter.feed(piece) if piece else cutter.end():
            size = len(found.data) if isinstance(found, Whole) else found.size
            self._buffer.skip(size)
            yield from self._told(found)
            if isinstance(found, Whole):
                return True
        return False
