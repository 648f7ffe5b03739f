"""What kind of file this is, told by its first octets: BMP, MRT or a packet capture, plain or compressed."""

import io
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from collector.wire.bmp.frames import HEADER, LONGEST
from collector.wire.bmp.values import MessageType
from collector.wire.compressed import LIMITS, LONGEST_MAGIC, Decompressed, Limits, compression
from collector.wire.cutting import Cutter, Framing, Whole
from collector.wire.errors import Malformed
from collector.wire.feeds import BMP, spoken_elsewhere
from collector.wire.mrt.records import Readable, framing, looks_like_mrt
from collector.wire.openbmp import looks_like_openbmp
from collector.wire.pcap.files import looks_like_capture

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

CHUNK: Final = 1 << 16

_SNOOP: Final = b"snoop\0\0\0"
"""RFC 1761. Taken apart by the messages in it, the connections of such a file would be one stream."""

LOOK: Final = 1 << 16
"""Octets of a file that begins with neither, in which two messages or records that follow each other are looked for."""


class Kind(StrEnum):
    """What a file holds."""

    BMP = "bmp"
    MRT = "mrt"
    PCAP = "pcap"
    """TCP connections of BMP and BGP, as pcap or pcapng."""
    OPENBMP = "openbmp"
    """BMP messages of many exporters, each behind the header of OpenBMP's collector."""


def open_source(file: Readable, limits: Limits = LIMITS) -> tuple[Kind, Readable]:
    """Tell what a binary file holds, and return it so that it reads decompressed, from its beginning.

    The file need not be seekable. Raises Malformed when it is of no kind that we know; reading raises Malformed too,
    where compressed data are damaged or grow beyond `limits`.
    """
    source = _Source(file)
    magic = compression(source.peek(LONGEST_MAGIC))
    if magic is not None:
        source = _Source(Decompressed(source, magic, limits))
    start = source.peek(60)
    kind = _kind(start) or (None if start.startswith(_SNOOP) else _within(source))
    if kind is not None:
        return kind, source
    if source.failure is not None:
        raise source.failure
    raise Malformed(_refused(start), 0, start)


def _refused(start: bytes) -> str:
    """Why a file is not read, and what would be."""
    if not start:
        return "it is empty"
    if start.startswith(_SNOOP):
        return "a packet capture of Sun's snoop: `editcap -F pcap` makes a pcap file of it"
    reason = "neither a BMP stream nor an MRT file nor a packet capture, plain or compressed: it begins with"
    return f"{reason} {start[:8].hex(' ')}"


def _kind(start: bytes) -> Kind | None:
    for kind, looks in _LOOKS.items():
        if looks(start):
            return kind
    return None


def _within(source: "_Source") -> Kind | None:
    """What a file holds that begins in the middle of something: of what two stand behind each other first."""
    start = source.peek(LOOK)
    found = {kind: at for kind, of in _FRAMINGS.items() if (at := _first(of, start)) is not None}
    return min(found, key=lambda kind: found[kind], default=None)


def _first(of: Framing, start: bytes) -> int | None:
    cut = Cutter(of, strict=False, searching=True).feed(start)
    return next((piece.offset for piece in cut if isinstance(piece, Whole)), None)


def looks_like_bmp(start: bytes) -> bool:
    """Whether the first octets of a file can be those of a BMP stream of any version."""
    size = int.from_bytes(start[1:5], "big")
    if start[:1] == b"\x01":
        return spoken_elsewhere(start)
    return start[:1] in (b"\x03", b"\x04") and HEADER <= size <= LONGEST and start[5:6] <= bytes((max(MessageType),))


_LOOKS: Final = {
    Kind.BMP: looks_like_bmp,
    Kind.PCAP: looks_like_capture,
    Kind.OPENBMP: looks_like_openbmp,
    Kind.MRT: looks_like_mrt,
}
_FRAMINGS: Final = {Kind.BMP: BMP, Kind.MRT: framing()}


def chunks(file: Readable) -> Iterator[bytes]:
    """Yield the rest of a file in pieces."""
    while chunk := file.read(CHUNK):
        yield chunk


class _Source(io.RawIOBase):
    """A file whose next octets can be looked at."""

    def __init__(self, file: Readable) -> None:
        super().__init__()
        self._file = file
        self._ahead = b""
        self.failure: Malformed | None = None
        """Why no more octets could be looked at; reading raises it, after those that could."""

    def peek(self, size: int) -> bytes:
        try:
            while len(self._ahead) < size and (more := self._file.read(size - len(self._ahead))):
                self._ahead += more
        except Malformed as error:
            self.failure = error
        return self._ahead[:size]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        room = memoryview(buffer)
        if not self._ahead and isinstance(self._file, io.BufferedReader):
            size = self._file.readinto(room)
            return size
        taken = self._ahead[: len(room)] or self._file.read(len(room))
        self._ahead = self._ahead[len(taken) :]
        room[: len(taken)] = taken
        return len(taken)
