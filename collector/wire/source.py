"""What kind of file this is, told by its first octets: BMP or MRT, plain or compressed."""

import bz2
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from collector.wire.bmp.frames import HEADER, LONGEST
from collector.wire.bmp.values import MessageType
from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable, looks_like_mrt

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

CHUNK: Final = 1 << 16

RATIO: Final = 500
"""Decompressed octets for one compressed octet; tables of a million routes need about ten."""

FREE: Final = 1 << 26
"""Decompressed octets before the ratio counts, for files that are small."""


class Kind(StrEnum):
    """What a file holds."""

    BMP = "bmp"
    MRT = "mrt"


def open_source(file: Readable) -> tuple[Kind, Readable]:
    """Tell what a binary file holds, and return it so that it reads decompressed, from its beginning.

    The file need not be seekable. Raises Malformed when it is neither BMP nor MRT; reading raises Malformed too, where
    compressed data are damaged or grow beyond reason.
    """
    source = _Source(file)
    for magic, opened in _COMPRESSIONS.items():
        if source.peek(len(magic)) == magic:
            source = _Source(_Decompressed(opened, source))
            break
    start = source.peek(12)
    if looks_like_bmp(start):
        return Kind.BMP, source
    if looks_like_mrt(start):
        return Kind.MRT, source
    shown = start[:8].hex(" ") or "nothing at all"
    raise Malformed(f"neither a BMP stream nor an MRT file, plain or compressed: it begins with {shown}", 0, start)


def looks_like_bmp(start: bytes) -> bool:
    """Whether the first octets of a file can be those of a BMP stream of any version that has a length."""
    size = int.from_bytes(start[1:5], "big")
    return start[:1] in (b"\x03", b"\x04") and HEADER <= size <= LONGEST and start[5:6] <= bytes((max(MessageType),))


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
        self.taken = 0

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._file.read(size - len(self._ahead))):
            self._ahead += more
        return self._ahead[:size]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        room = memoryview(buffer)
        if not self._ahead and isinstance(self._file, io.BufferedReader):
            size = self._file.readinto(room)
            self.taken += size
            return size
        taken = self._ahead[: len(room)] or self._file.read(len(room))
        self._ahead = self._ahead[len(taken) :]
        self.taken += len(taken)
        room[: len(taken)] = taken
        return len(taken)


class _Decompressed:
    """A compressed file, read decompressed, and not beyond reason."""

    def __init__(self, opened: Callable[[_Source], Readable], file: _Source) -> None:
        self._file = file
        plain = opened(file)
        # `read` would lose, with the error, what it had decompressed before the damage.
        self._read: Callable[[int], bytes] = getattr(plain, "read1", plain.read)
        self._size = 0

    def read(self, size: int, /) -> bytes:
        try:
            data = self._read(size)
        except (EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault, not the file's
            raise Malformed(
                f"the compressed file is damaged after {self._size} decompressed octets: {error}"
            ) from error
        self._size += len(data)
        if self._size > FREE and self._size > RATIO * self._file.taken:
            raise Malformed(f"the compressed file grows more than {RATIO} times: {self._size} octets so far")
        return data


def _zstd(file: _Source) -> Readable:
    import pyarrow  # heavy, and the standard library has zstd only from Python 3.14 on

    stream: Readable = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")
    return stream


_COMPRESSIONS: Final[dict[bytes, Callable[[_Source], Any]]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=cast(BinaryIO, file), mode="rb"),
    b"BZh": lambda file: bz2.BZ2File(cast(BinaryIO, file)),
    b"\x28\xb5\x2f\xfd": _zstd,
}
"""How each kind of compressed file begins, and who decompresses it."""
