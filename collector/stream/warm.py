"""Compile, or load from numba's cache, what lines and Arrow batches will call beside what reading files calls."""

import io

from collector.files.batch import FileBatch
from collector.files.read import read
from collector.stream.batches import catchment_batches
from collector.stream.lines import FEW, Lines

_PEER = bytes(22) + b"\x0a\0\0\1" + b"\0\0\0\1" + b"\x0a\0\0\1" + b"\0\0\0\1" + bytes(4)
_ATTRIBUTES = b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01\0\0\0\1" + b"\x40\x03\x04\x0a\0\0\1"


def warm() -> None:
    """Send a tiny feed through, to lines and to Arrow."""
    routes = b"".join(b"\x10\x0a" + bytes((number,)) for number in range(2 * FEW))
    update = b"\0\0" + len(_ATTRIBUTES).to_bytes(2, "big") + _ATTRIBUTES + routes
    feed = _message(3, bytes(16) + b"\0\xb3\0\xb3" + 2 * _open()) + 2 * _message(0, _pdu(2, update))
    lines = Lines(few=0)
    for item in read(io.BytesIO(feed)):
        if isinstance(item, FileBatch):
            for _ in lines.of(item):
                pass
    for _ in catchment_batches(io.BytesIO(feed)):
        pass


def _open() -> bytes:
    capabilities = b"\x41\x04\0\0\0\1" + b"\x01\x04\0\1\0\1"
    parameters = b"\x02" + bytes((len(capabilities),)) + capabilities
    return _pdu(1, b"\4\0\1\0\xb4\x0a\0\0\1" + bytes((len(parameters),)) + parameters)


def _pdu(kind: int, body: bytes) -> bytes:
    return b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + bytes((kind,)) + body


def _message(kind: int, body: bytes) -> bytes:
    return b"\3" + (48 + len(body)).to_bytes(4, "big") + bytes((kind,)) + _PEER + body
