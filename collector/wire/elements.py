"""A BMP or MRT file as lines of JSON: what `catchment decode` prints."""

from collections.abc import Iterator
from typing import Any

from collector.wire.bmp.elements import bmp_elements
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.mrt.elements import mrt_elements
from collector.wire.mrt.records import Readable
from collector.wire.source import Kind, chunks, open_source


def elements(file: Readable) -> Iterator[Element]:
    """Yield the elements of a binary file or stream, BMP or MRT, plain or compressed (gzip, bzip2, zstd).

    Raises Malformed, before the first element, when the file is of no kind that we know. Whatever is wrong later is an
    element of type M: its bytes are kept, and what can be read after them is read.
    """
    kind, plain = open_source(file)
    try:
        yield from mrt_elements(plain) if kind is Kind.MRT else bmp_elements((None, chunk) for chunk in chunks(plain))
    except Malformed as error:  # the compression gave up; what came out of it has been read
        yield Element(ElementType.MALFORMED, detail=error.reason)


def decode_lines(file: Readable) -> Iterator[dict[str, Any]]:
    """Yield the elements of a file as JSON can carry them; `collector.wire.element.KEYS` says what each key holds."""
    for element in elements(file):
        yield element.plain()
