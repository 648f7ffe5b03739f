"""Compressed files, read decompressed: member after member, everything that comes before damage, nothing beyond reason.

gzip, bzip2, xz and zstd. A file of several members (`cat a.gz b.gz`, parallel compressors) is read through to its end.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from collector.wire.errors import Malformed
from collector.wire.mrt.records import Readable

CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a compressed file may grow."""

    ratio: int = 500
    """Decompressed octets for one compressed octet; tables of a million routes need about ten."""
    free: int = 1 << 26
    """Decompressed octets before the ratio counts, for files that are small."""
    size: int = 1 << 38
    """Decompressed octets in all (256 GiB): a year of a busy peer's updates."""


LIMITS: Final = Limits()


class Member(Protocol):
    """One compressed member."""

    @property
    def eof(self) -> bool:
        """Its end has been reached."""

    @property
    def needs_input(self) -> bool:
        """It gives nothing more before it is given more."""

    @property
    def unused_data(self) -> bytes:
        """What was given beyond its end."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Return up to `max_length` decompressed octets; input that is not used yet is kept."""
        ...


class _Gzip:
    """A gzip member with the interface of the other decompressors, which gives what comes before damage."""

    def __init__(self) -> None:
        self._plain: Any = zlib.decompressobj(31)
        self._left = b""
        self._wrong: zlib.error | None = None
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return bool(self._plain.eof)

    @property
    def unused_data(self) -> bytes:
        return bytes(self._plain.unused_data)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._wrong is not None:
            raise self._wrong
        before, given = self._plain.copy(), self._left + data
        try:
            out: bytes = self._plain.decompress(given, max_length)
        except zlib.error as error:
            self._wrong = error
            return _before_damage(before, given)
        self._left = self._plain.unconsumed_tail
        self.needs_input = not self._left and len(out) < max_length
        return out


def _before_damage(plain: Any, data: bytes) -> bytes:
    """Octet by octet, up to the one where the decompressor gives up."""
    out = bytearray()
    try:
        for at in range(len(data)):
            given = data[at : at + 1]
            while (octet := plain.decompress(given, 1)) or plain.unconsumed_tail:
                out += octet
                given = plain.unconsumed_tail
    except zlib.error:
        pass  # this is the place that was looked for; the caller holds the error
    return bytes(out)


_MEMBERS: Final[dict[bytes, tuple[Callable[[], Member], int]]] = {
    b"\x1f\x8b": (_Gzip, CHUNK),
    # These lose what they had decompressed in the same call, when they meet damage: small steps keep that small.
    b"BZh": (bz2.BZ2Decompressor, 1 << 9),
    b"\xfd7zXZ\0": (lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ), 1 << 9),
}
ZSTD: Final = b"\x28\xb5\x2f\xfd"


def compression(start: bytes) -> bytes | None:
    """The magic number of a compressed file, by its first octets; None where it is not compressed."""
    return next((magic for magic in (*_MEMBERS, ZSTD) if start.startswith(magic)), None)


LONGEST_MAGIC: Final = 6


class Taking:
    """Counts what is read from a file."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self.taken = 0

    closed = False
    """As pyarrow wants to know."""

    def close(self) -> None:
        """Do nothing: the file is somebody else's."""

    def read(self, size: int = CHUNK, /) -> bytes:
        """Read up to `size` octets."""
        data = self._file.read(size)
        self.taken += len(data)
        return data


class Decompressed:
    """A compressed file, read decompressed; `magic` is what `compression` said of it.

    Reading raises Malformed where the compressed data are damaged or end too early, after everything that came before,
    or grow beyond `limits`.
    """

    def __init__(self, file: Readable, magic: bytes, limits: Limits = LIMITS) -> None:
        self._file = Taking(file)
        self._limits = limits
        self._size = 0
        self._failure: Malformed | None = None
        plain = _zstd(self._file) if magic == ZSTD else _Members(self._file, magic)
        self._plain: Readable = plain

    def read(self, size: int, /) -> bytes:
        """Read up to `size` decompressed octets."""
        if self._failure is None:
            try:
                return self._read(size)
            except Malformed as error:
                self._failure = error
        raise self._failure

    def _read(self, size: int) -> bytes:
        try:
            data = self._plain.read(size)
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault, not the file's
            why = f"the compressed file is damaged after {self._size} decompressed octets: {error}"
            raise Malformed(why) from error
        self._size += len(data)
        limits = self._limits
        if self._size > max(limits.free, limits.ratio * self._file.taken):
            raise Malformed(f"the compressed file grows more than {limits.ratio} times: {self._size} octets so far")
        if self._size > limits.size:
            raise Malformed(f"the compressed file has more than {limits.size} decompressed octets")
        return data


class _Members:
    """The members of a file, one after the other."""

    def __init__(self, file: Readable, magic: bytes) -> None:
        self._file, self._magic = file, magic
        self._new, self._step = _MEMBERS[magic]
        self._member = self._new()
        self._ahead = b""
        self._wrong: Exception | None = None

    def read(self, size: int, /) -> bytes:
        """Read up to `size` octets; raises what is wrong only when everything before it has been returned."""
        out = bytearray()
        while len(out) < size and not (out and self._member.needs_input):
            if self._wrong is not None:
                break
            try:
                if self._member.eof and not self._next():
                    break
                out += self._more(size - len(out))
            except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
                self._wrong = error
        if self._wrong is not None and not out:
            raise self._wrong
        return bytes(out)

    def _more(self, size: int) -> bytes:
        data = b""
        if self._member.needs_input:
            data, self._ahead = self._ahead or self._file.read(CHUNK), b""
            if not data:
                raise EOFError("it ends before its end is marked")
        return self._member.decompress(data, min(size, self._step))

    def _next(self) -> bool:
        """Begin another member; zeros behind a member are padding. Raises EOFError where something else follows."""
        rest = self._member.unused_data.lstrip(b"\0")
        while len(rest) < len(self._magic) and (more := self._file.read(CHUNK)):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            return False
        if not rest.startswith(self._magic):
            raise EOFError("what follows its end is not another member")
        self._member, self._ahead = self._new(), rest
        return True


def _zstd(file: Taking) -> Readable:
    import pyarrow  # heavy, and the standard library has zstd only from Python 3.14 on

    stream: Readable = pyarrow.CompressedInputStream(pyarrow.PythonFile(file, mode="r"), "zstd")
    return stream
