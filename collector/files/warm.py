"""Compile, or load from numba's cache, what reading files will call beside what a feed calls."""

import io

from collector.files.bgpdump import write_bgpdump

_PEER = b"\x0a\0\0\1"
_TABLE = _PEER + b"\0\0\0\1\2" + _PEER + _PEER + b"\0\0\0\1"
_ATTRIBUTES = b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01\0\0\0\1" + b"\x40\x03\x04" + _PEER
_PATH = bytes(6) + len(_ATTRIBUTES).to_bytes(2, "big") + _ATTRIBUTES
_UPDATE = b"\0\0" + len(_ATTRIBUTES).to_bytes(2, "big") + _ATTRIBUTES + b"\x08\x0a"


def warm() -> None:
    """Send a tiny file through, table and messages, to columns and to lines."""
    message = bytes(8) + b"\0\0\0\1" + _PEER + _PEER
    message += b"\xff" * 16 + (19 + len(_UPDATE)).to_bytes(2, "big") + b"\2" + _UPDATE
    tables = _record(13, 1, _TABLE), _record(13, 2, bytes(4) + b"\x08\x0a\0\1" + _PATH)
    file = b"".join((*tables, _record(16, 4, message)))
    write_bgpdump(io.BytesIO(file), io.BytesIO())


def _record(kind: int, subtype: int, body: bytes) -> bytes:
    return bytes(4) + kind.to_bytes(2, "big") + subtype.to_bytes(2, "big") + len(body).to_bytes(4, "big") + body
