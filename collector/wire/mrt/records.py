"""An MRT file cut into records (RFC 6396, 2). What is damaged is passed over, and said with its offset."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from collector.wire.mrt.values import EXTENDED_TIME, Damaged, Record, RecordType

HEADER: Final = 12
LONGEST: Final = 1 << 24
"""The longest record we read. A prefix with a path from each of 2,000 peers stays below 1 MiB."""

KEPT: Final = 4096
"""How much of a damaged stretch is kept."""

_STRETCH: Final = 1 << 20  # a longer damaged stretch is told of in parts, so that it need not be held

_KINDS: Final = frozenset(int(kind) for kind in RecordType)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Readable(Protocol):
    """The part of a binary file that we need."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` octets, and none only at the end."""
        ...


def records(file: Readable, longest: int = LONGEST) -> Iterator[Record | Damaged]:
    """Yield the records of an (uncompressed) MRT file, in order.

    A header that cannot be one (unknown type, a length over `longest`) is passed over up to the next octet at which a
    header stands that leads to another or to the end of the file. A file that ends inside a record yields that tail as
    Damaged.
    """
    window = _Window(file)
    while window.holds(1):
        yield next_record(window, longest)


def next_record(window: "Window", longest: int = LONGEST) -> Record | Damaged:
    """Take the next record, or the damaged stretch that comes before it; at least one octet is there."""
    size = _size(window, 0, longest)
    if size is None:
        return _passed_over(window, longest)
    if window.holds(size):
        return _record(window.offset, window.take(size))
    offset, tail = window.offset, window.take(window.size)
    return Damaged(f"the file ends inside a record: {len(tail)} octets of {size} are there", offset, tail[:KEPT])


def looks_like_mrt(start: bytes) -> bool:
    """Whether the first octets of a file can be those of an MRT file."""
    return len(start) >= HEADER and int.from_bytes(start[4:6], "big") in _KINDS and start[8] == 0


def _size(window: "Window", at: int, longest: int) -> int | None:
    """Size of the record whose header stands at `at`, header included; None when none can stand there."""
    if not window.holds(at + HEADER):
        return None
    header = window.peek(at, HEADER)
    kind, size = int.from_bytes(header[4:6], "big"), int.from_bytes(header[8:12], "big")
    if kind not in _KINDS or size > longest or (kind in EXTENDED_TIME and size < 4):
        return None
    return HEADER + size


def _passed_over(window: "Window", longest: int) -> Damaged:
    offset, at = window.offset, 1
    while at < _STRETCH and window.holds(at + HEADER) and not _leads_on(window, at, longest):
        at += 1
    at = at if window.holds(at + HEADER) else window.size
    raw = window.take(at)
    return Damaged(f"{at} octets are no MRT record", offset, raw[:KEPT])


def _leads_on(window: "Window", at: int, longest: int) -> bool:
    """Whether a record stands at `at` and is followed by another, or by the end of the file."""
    size = _size(window, at, longest)
    if size is None or window.peek(at + 4, 2) == b"\0\0":  # type 0 is deprecated, and looks like any zeros
        return False
    if not window.holds(at + size + 1):
        return window.holds(at + size)
    return _size(window, at + size, longest) is not None


def _record(offset: int, raw: bytes) -> Record:
    kind, subtype = int.from_bytes(raw[4:6], "big"), int.from_bytes(raw[6:8], "big")
    body, time = raw[HEADER:], timedelta(seconds=int.from_bytes(raw[:4], "big"))
    if kind in EXTENDED_TIME:
        time += timedelta(microseconds=int.from_bytes(body[:4], "big"))
        body = body[4:]
    return Record(_EPOCH + time, kind, subtype, body, offset)


class Window(Protocol):
    """A file that is read ahead as far as asked."""

    offset: int
    """Offset in the file of the first octet that has not been taken."""

    @property
    def size(self) -> int:
        """Octets that have been read ahead."""
        ...

    def holds(self, size: int) -> bool:
        """Whether `size` octets are there; reads them ahead."""
        ...

    def peek(self, at: int, size: int) -> bytes:
        """Octets that have been read ahead, without taking them."""
        ...

    def take(self, size: int) -> bytes:
        """Take octets that have been read ahead."""
        ...


class _Window:
    """The window of the plain reader."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._ahead = bytearray()
        self.offset = 0

    @property
    def size(self) -> int:
        return len(self._ahead)

    def holds(self, size: int) -> bool:
        while len(self._ahead) < size and (more := self._file.read(max(1 << 16, size - len(self._ahead)))):
            self._ahead += more
        return len(self._ahead) >= size

    def peek(self, at: int, size: int) -> bytes:
        return bytes(self._ahead[at : at + size])

    def take(self, size: int) -> bytes:
        taken = bytes(self._ahead[:size])
        del self._ahead[:size]
        self.offset += size
        return taken
