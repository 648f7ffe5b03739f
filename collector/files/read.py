"""A BMP or MRT file as batches of columns, and as elements where columns cannot say it."""

from collections.abc import Iterator
from typing import Final

from collector.files.batch import FileBatch, as_elements
from collector.files.bmp import BmpFile
from collector.files.buffer import CHUNK, Buffer
from collector.files.lane import Lane
from collector.files.mrt import MrtFile
from collector.wire.compressed import LIMITS, Limits
from collector.wire.element import Element, ElementType
from collector.wire.elements import read_as
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable
from collector.wire.source import Kind, open_source

ROWS: Final = 1 << 16


def read(
    file: Readable, rows: int = ROWS, chunk: int = CHUNK, limits: Limits = LIMITS, live: bool = False
) -> Iterator[FileBatch | Element]:
    """Yield what a binary file or stream holds, plain or compressed, in its order.

    Routes of BMP and MRT come in batches of at most `rows`, as far as compiled code takes their records; everything
    else comes as elements between the batches, and so does all that a packet capture or an OpenBMP stream holds. Read
    flat (`read_elements`), it is what `collector.wire.elements.elements` yields. `chunk` is how many octets are read at
    once; with `live`, for a pipe, what is there is yielded before more is waited for. Raises Malformed, at once, when
    the file is of no kind that we know; whatever is wrong later is an element of type M.
    """
    kind, plain = open_source(file, limits)
    lane = _LANES.get(kind)
    return read_as(kind, plain) if lane is None else _read(lane(Buffer(plain, chunk, live), rows))


_LANES: Final[dict[Kind, type[MrtFile] | type[BmpFile]]] = {Kind.BMP: BmpFile, Kind.MRT: MrtFile}


def _read(lane: Lane) -> Iterator[FileBatch | Element]:
    try:
        yield from lane.read()
    except Malformed as error:  # the compression gave up; what came out of it has been read
        yield Element(ElementType.MALFORMED, detail=error.reason)


def read_elements(file: Readable, rows: int = ROWS, chunk: int = CHUNK) -> Iterator[Element]:
    """Yield the same as elements alone; raises Malformed as `read`."""
    for item in read(file, rows, chunk):
        if isinstance(item, FileBatch):
            yield from as_elements(item)
        else:
            yield item
