"""One record batch as one checked message of an Arrow IPC stream, and the walk over a file of them.

A message is Arrow's own (continuation, length, metadata, body), readable by anything that reads Arrow streams. Its
custom metadata holds a CRC-32 over the whole message, taken while the digits were zeros: what the file system or the
disk made of an unfinished or an old write is told from what we wrote.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

_CONTINUATION: Final = re.compile(rb"\xff\xff\xff\xff")
ALIGNMENT: Final = 8
"""Every message begins at a multiple of this."""
_MARK: Final = b"crc32:"
_ZEROS: Final = b"00000000"


def head(schema: pa.Schema) -> bytes:
    """Return the schema message that a stream begins with."""
    return bytes(schema.serialize())


def message(batch: pa.RecordBatch, head_size: int) -> tuple[bytes, memoryview]:
    """Return a batch as a checked message: metadata and body."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch, custom_metadata={"check": _MARK + _ZEROS})
    whole = memoryview(sink.getvalue())[head_size:-8]  # without the schema before and the end mark after
    size = 8 + int.from_bytes(whole[4:8], "little")
    metadata, body = bytes(whole[:size]), whole[size:]
    digits = f"{zlib.crc32(body, zlib.crc32(metadata)):08x}".encode()
    return metadata.replace(_MARK + _ZEROS, _MARK + digits, 1), body


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a segment file: a whole message, or bytes that are none."""

    start: int
    end: int
    sound: bool


def pieces(data: memoryview, start: int) -> Iterator[Piece]:
    """Walk a file's messages from `start`, the offset behind the schema; each byte is in exactly one piece.

    After bytes that are no sound message the walk looks for the next one at every aligned offset.
    """
    at, end, bad = start, len(data), start
    while at < end:
        if size := _sound(data, at):
            if bad < at:
                yield Piece(bad, at, False)
            yield Piece(at, at + size, True)
            at = bad = at + size
        else:
            at = _next(data, at + 1, start)
    if bad < end:
        yield Piece(bad, end, False)


def _next(data: memoryview, at: int, start: int) -> int:
    """The next offset from `at` on, aligned as seen from `start`, that may begin a message; the end if none."""
    while hit := _CONTINUATION.search(data, at):
        if (hit.start() - start) % ALIGNMENT == 0:
            return hit.start()
        at = hit.start() + 1
    return len(data)


def _sound(data: memoryview, at: int) -> int:
    """The size of the whole, checked message at `at`; 0 if there is none."""
    if not _CONTINUATION.match(data, at):
        return 0
    size = 8 + int.from_bytes(data[at + 4 : at + 8], "little")
    if size <= 8 or at + size > len(data):
        return 0
    metadata = bytes(data[at : at + size])
    mark = metadata.find(_MARK)
    if mark < 0:
        return 0
    digits = slice(mark + len(_MARK), mark + len(_MARK) + len(_ZEROS))
    body = _body_size(data, at)
    if body is None or at + size + body > len(data):
        return 0
    clean = metadata[: digits.start] + _ZEROS + metadata[digits.stop :]
    check = zlib.crc32(data[at + size : at + size + body], zlib.crc32(clean))
    return size + body if metadata[digits] == f"{check:08x}".encode() else 0


def _body_size(data: memoryview, at: int) -> int | None:
    """Octets of the body of the message at `at`, by Arrow's own reader; None if it is cut short or no message."""
    try:
        read = pa.ipc.read_message(pa.py_buffer(data[at:]))
    except (pa.ArrowInvalid, OSError, EOFError):
        return None
    return read.body.size if read.body is not None else 0
