"""A file of routes as lines of JSON: what `catchment decode` prints."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from collector.wire.compressed import LIMITS, Limits
from collector.wire.element import Element, ElementType
from collector.wire.errors import Malformed
from collector.wire.feeds import BmpStream
from collector.wire.mrt.elements import mrt_elements
from collector.wire.mrt.records import Readable
from collector.wire.openbmp import openbmp_elements
from collector.wire.pcap.elements import pcap_elements
from collector.wire.source import Kind, chunks, open_source


def elements(file: Readable, limits: Limits = LIMITS) -> Iterator[Element]:
    """Yield the elements of a binary file or stream, plain or compressed (gzip, bzip2, xz, zstd).

    It is MRT, BMP, BMP behind OpenBMP's headers, or a packet capture (pcap, pcapng) of BMP and BGP connections. Raises
    Malformed, before the first element, when it is of no kind that we know. Whatever is wrong later is an element of
    type M: its bytes are kept, and what can be read after them is read.
    """
    yield from read_as(*open_source(file, limits))


def read_as(kind: Kind, plain: Readable) -> Iterator[Element]:
    """Yield the elements of a file whose kind is known, as `open_source` returns both."""
    try:
        yield from _READERS[kind](plain)
    except Malformed as error:  # the compression gave up; what came out of it has been read
        yield Element(ElementType.MALFORMED, detail=error.reason)


def _bmp(file: Readable) -> Iterator[Element]:
    stream, failure = BmpStream(), None
    try:
        for chunk in chunks(file):
            yield from stream.feed(chunk)
    except Malformed as error:
        failure = error
    yield from stream.end()
    if failure is not None:
        raise failure


_READERS: Final[dict[Kind, Callable[[Readable], Iterator[Element]]]] = {
    Kind.BMP: _bmp,
    Kind.MRT: mrt_elements,
    Kind.PCAP: pcap_elements,
    Kind.OPENBMP: openbmp_elements,
}


def decode_lines(file: Readable) -> Iterator[dict[str, Any]]:
    """Yield the elements of a file as JSON can carry them; `collector.wire.element.KEYS` says what each key holds."""
    for element in elements(file):
        yield element.plain()
