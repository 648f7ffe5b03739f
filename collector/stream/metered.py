"""A file that is read, with what has been read of it so far."""

from collections.abc import Callable

from collector.wire.mrt.records import Readable
from collector.wire.source import Kind

_HEADER = {Kind.BMP: 5, Kind.MRT: 12}


class Metered:
    """A binary file, and how many octets of it were read."""

    def __init__(self, file: Readable, before: Callable[[], None] | None = None) -> None:
        """`before` is called before each read, which may have to wait."""
        self._file, self._before = file, before
        self.octets = 0

    def read(self, size: int, /) -> bytes:
        """Read on."""
        if self._before is not None:
            self._before()
        data = self._file.read(size)
        self.octets += len(data)
        return data


class Messages(Metered):
    """A plain (decompressed) BMP or MRT file, and how many messages or records of it were read.

    Counted by their lengths, so that the count ends where a length is damaged.
    """

    def __init__(self, kind: Kind, file: Readable) -> None:
        super().__init__(file)
        self._kind, self._size = kind, _HEADER.get(kind, 0)
        self._header = b""
        self._left = 0
        self.messages = 0

    def read(self, size: int, /) -> bytes:
        """Read on."""
        data = super().read(size)
        if self._size:
            self._count(data)
        return data

    def _count(self, data: bytes) -> None:
        at, need = 0, self._size
        while at < len(data):
            if self._left:
                passed = min(self._left, len(data) - at)
                at, self._left = at + passed, self._left - passed
                continue
            taken = data[at : at + need - len(self._header)]
            at, self._header = at + len(taken), self._header + taken
            if len(self._header) == need:
                self.messages += 1
                self._left, self._header = self._behind(), b""

    def _behind(self) -> int:
        """Octets of the message behind its header."""
        if self._kind is Kind.MRT:
            return int.from_bytes(self._header[8:12], "big")
        return max(0, int.from_bytes(self._header[1:5], "big") - len(self._header))
