"""A BMP or MRT file as batches of columns, and as elements where columns cannot say it."""

from collections.abc import Iterator
from typing import Final

from collector.files.batch import FileBatch, as_elements
from collector.files.bmp import BmpFile
from collector.files.buffer import CHUNK, Buffer
from collector.files.mrt import MrtFile
from collector.wire.element import Element, ElementType
from collector.wire.elements import read_as
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.source import Kind, open_source

ROWS: Final = 1 << 16


def read(file: Readable, rows: int = ROWS, chunk: int = CHUNK) -> Iterator[FileBatch | Element]:
    """Yield what a binary file or stream holds, of every kind that `collector.wire.elements` reads, in its order.

    Routes come in batches of at most `rows`, as far as compiled code takes their records; everything else comes as
    elements between the batches. Read flat (`read_elements`), it is what `collector.wire.elements.elements` yields.
    `chunk` is how many octets are read at once. Raises Malformed, at once, when the file is of no kind that we know;
    whatever is wrong later is an element of type M.
    """
    kind, plain = open_source(file)
    if kind not in (Kind.MRT, Kind.BMP):  # captures, and BMP of many exporters: nothing that columns are made from
        return read_as(kind, plain)
    buffer = Buffer(plain, chunk)
    return _read(MrtFile(buffer, rows) if kind is Kind.MRT else BmpFile(buffer, rows))


def _read(of: MrtFile | BmpFile) -> Iterator[FileBatch | Element]:
    try:
        yield from of.read()
    except Malformed as error:  # the compression gave up; what came out of it has been read
        yield from of.left()
        yield Element(ElementType.MALFORMED, detail=error.reason)


def read_elements(file: Readable, rows: int = ROWS, chunk: int = CHUNK) -> Iterator[Element]:
    """Yield the same as elements alone; raises Malformed as `read`."""
    for item in read(file, rows, chunk):
        if isinstance(item, FileBatch):
            yield from as_elements(item)
        else:
            yield item
