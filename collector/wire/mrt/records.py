"""An MRT file cut into records (RFC 6396, 2). What is damaged is passed over, and said with its offset."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from collector.wire.cutting import Cutter, Damaged, Framing, Piece
from collector.wire.errors import Malformed
from collector.wire.mrt.values import EXTENDED_TIME, Record, RecordType

HEADER: Final = 12
LONGEST: Final = 1 << 24
"""The longest record we read. A prefix with a path from each of 2,000 peers stays below 1 MiB."""

CHUNK: Final = 1 << 16

_KINDS: Final = frozenset(int(kind) for kind in RecordType)
_LAST, _LAST_SUBTYPE = 127, 63
"""Up to here numbers that nobody has given a meaning yet are taken for types and subtypes of tomorrow."""
_START: Final = re.compile(rb"(?=.{4}\0[\x05\x09-\x0d\x10\x11\x20\x21\x30\x31]\0[\0-\x3f]\0...)", re.DOTALL)
"""Headers to look for in a damaged stretch: of the types that are in use, for type 0 looks like any zeros."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Readable(Protocol):
    """The part of a binary file that we need."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` octets, and none only at the end."""
        ...


def records(file: Readable, longest: int = LONGEST) -> Iterator[Record | Damaged]:
    """Yield the records of an (uncompressed) MRT file, in order; `collector.wire.cutting` has the rule for damage.

    A record longer than `longest` is damage. A file that ends inside a record yields that tail as Damaged. Raises
    Malformed where reading the file does (its compression is damaged), after all that came out of it.
    """
    cutter = Cutter(framing(longest))
    try:
        while chunk := file.read(CHUNK):
            yield from map(record_of, cutter.feed(chunk))
    except Malformed:
        yield from map(record_of, cutter.end())
        raise
    yield from map(record_of, cutter.end())


def framing(longest: int = LONGEST) -> Framing:
    """How MRT records are told apart."""

    def size(data: bytearray, at: int) -> int | str:
        kind, length = int.from_bytes(data[at + 4 : at + 6], "big"), int.from_bytes(data[at + 8 : at + 12], "big")
        if kind not in _KINDS and (kind > _LAST or int.from_bytes(data[at + 6 : at + 8], "big") > _LAST_SUBTYPE):
            return f"no MRT record is of type {kind}"
        if length > longest:
            return f"an MRT record of {length} octets is longer than {longest}"
        if kind in EXTENDED_TIME and length < 4:
            return f"an MRT record of type {kind} has microseconds, and {length} octets cannot hold them"
        if kind == RecordType.NULL and not any(data[at : at + HEADER]):
            return "zeros are no MRT record"
        return HEADER + length

    return Framing("MRT record", HEADER, size, _START, lambda _data, _at, _size: True)


def looks_like_mrt(start: bytes) -> bool:
    """Whether the first octets of a file can be those of an MRT file."""
    kind = int.from_bytes(start[4:6], "big")
    return len(start) >= HEADER and kind in _KINDS and kind != RecordType.NULL and start[8] == 0


def record_of(piece: Piece) -> Record | Damaged:
    """Return the record that a whole piece is; damage stays what it is."""
    if isinstance(piece, Damaged):
        return piece
    raw = piece.data
    kind, subtype = int.from_bytes(raw[4:6], "big"), int.from_bytes(raw[6:8], "big")
    body, time = raw[HEADER:], timedelta(seconds=int.from_bytes(raw[:4], "big"))
    if kind in EXTENDED_TIME:
        time += timedelta(microseconds=int.from_bytes(body[:4], "big"))
        body = body[4:]
    return Record(_EPOCH + time, kind, subtype, body, piece.offset)
