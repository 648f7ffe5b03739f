"""An MRT file through compiled code, record by record through the plain decoder where that stops."""

from collections.abc import Iterator

from collector.files.batch import FileBatch
from collector.files.buffer import Buffer
from collector.files.filling import Filling
from collector.wire.element import Element
from collector.wire.mrt.elements import Recorded
from collector.wire.mrt.records import records


class MrtFile:
    """One file, from its first record to its end."""

    def __init__(self, buffer: Buffer, rows: int) -> None:
        """`rows`: how many a batch has at the most."""
        self._buffer, self._filling = buffer, Filling(rows)
        self._recorded = Recorded()

    def read(self) -> Iterator[FileBatch | Element]:
        """Yield the whole file, in order."""
        for record in records(self._buffer):
            yield from self._recorded.elements(record)

    def left(self) -> Iterator[FileBatch | Element]:
        """Yield what was not handed over yet when reading ended by an error of the file."""
        yield from ()
