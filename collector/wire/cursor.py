"""A cursor over bytes that fails both when you read past a declared length and when you leave bytes unread.

That one device removes most length mistakes of TLV protocols: every length on the wire becomes
`with cursor.within(size, "what it is")`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from collector.wire.errors import Malformed


class Cursor:
    """Reads big-endian integers and bytes off `data`, never past the innermost declared end."""

    __slots__ = ("_data", "_end", "_position", "_what")

    def __init__(self, data: bytes, what: str = "message", start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._position = start
        self._end = len(data) if end is None else end
        self._what = what

    @property
    def position(self) -> int:
        """Offset of the next octet."""
        return self._position

    @property
    def what(self) -> str:
        """The name of what is being read."""
        return self._what

    @property
    def remaining(self) -> int:
        """Octets left before the innermost declared end."""
        return self._end - self._position

    def peek(self) -> int:
        """Look at the next octet without taking it; raises Malformed when there is none."""
        octet = self.u8()
        self.back(1)
        return octet

    def back(self, size: int) -> None:
        """Give the last `size` octets back."""
        self._position -= size

    def take(self, size: int) -> bytes:
        """Take exactly `size` octets; raises Malformed when fewer are left."""
        start = self._position
        if size > self._end - start:
            raise self.malformed(f"{self._what} ends {size - self.remaining} octets too early")
        self._position = start + size
        return self._data[start : start + size]

    def rest(self) -> bytes:
        """Take all that is left before the innermost declared end."""
        return self.take(self.remaining)

    def u8(self) -> int:
        """Take one octet."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Take two octets, the high one first."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Take four octets, the highest first."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """Take eight octets, the highest first."""
        return int.from_bytes(self.take(8), "big")

    @contextmanager
    def within(self, size: int, what: str) -> Iterator["Cursor"]:
        """Restrict reading to the next `size` octets, named `what` in errors; all of them must be read."""
        if size > self.remaining:
            raise self.malformed(f"{what} claims {size} octets where {self.remaining} are left in the {self._what}")
        outer_end, outer_what = self._end, self._what
        self._end, self._what = self._position + size, what
        yield self
        if self.remaining:
            raise self.malformed(f"{what} of {size} octets has {self.remaining} left over")
        self._end, self._what = outer_end, outer_what

    def malformed(self, reason: str) -> Malformed:
        """Build the error for this place."""
        return Malformed(reason, self._position, self._data)
