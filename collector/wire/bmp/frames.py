"""A BMP byte stream cut into messages, whatever the pieces it arrives in."""

from typing import Final

from collector.wire.errors import Malformed

HEADER: Final = 6
"""Octets of the common header: version, length, type (RFC 7854, 4.1)."""

LONGEST: Final = 1 << 20
"""The longest message we buffer for: two extended OPENs and their TLVs stay below 200 KiB; more is a lost stream."""

_VERSIONS: Final[dict[int, str]] = {
    1: "BMP version 1 has no length field and is not spoken here; configure version 3 on the router (Junos from 13.3)",
    2: "BMP version 2 was never published; configure version 3 on the router",
    4: "BMP version 4 is a draft and is not spoken here; configure version 3 on the router",
}


class Framer:
    """Cuts a stream into whole messages; a truncated tail waits for more.

    There is no resynchronising a BMP stream: once a version octet or a length is wrong, nothing after it can be
    trusted. `failure` then says what is wrong, and every later `feed` returns nothing.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._buffer = b""
        self.failure: Malformed | None = None
        self.offset = 0
        """Octets of the stream that have been handed out as whole messages."""

    @property
    def pending(self) -> bytes:
        """The unfinished tail; after a failure, everything from the faulty message on that was kept."""
        return self._buffer

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the messages that are whole now, common headers included, in order."""
        if self.failure is not None:
            return []
        data = self._buffer + chunk if self._buffer else chunk
        frames, position = [], 0
        while (size := self._size(data, position)) is not None and position + size <= len(data):
            frames.append(bytes(data[position : position + size]))
            position += size
        self._buffer = bytes(data[position:])
        self.offset += position
        return frames

    def _size(self, data: bytes, position: int) -> int | None:
        """Length of the message at `position`; None while its header is not whole, or on failure."""
        if position < len(data) and data[position] != 3:
            version = data[position]
            wrong = _VERSIONS.get(version, f"a BMP message begins with version 3, not with {version}")
            self._fail(wrong, data, position)
            return None
        if len(data) - position < HEADER:
            return None
        size = int.from_bytes(data[position + 1 : position + 5], "big")
        if not HEADER <= size <= self._longest:
            self._fail(f"a BMP message is {HEADER} to {self._longest} octets long, not {size}", data, position)
            return None
        return size

    def _fail(self, reason: str, data: bytes, position: int) -> None:
        self.failure = Malformed(f"{reason} (octet {self.offset + position} of the stream)", 0, bytes(data[position:]))
