"""The BGP message header (RFC 4271, 4.1), and what a speaker's messages are."""

from enum import IntEnum
from typing import Final

from collector.wire.errors import Malformed

MARKER: Final = b"\xff" * 16
HEADER: Final = 19
LONGEST: Final = 65_535  # RFC 8654 lets UPDATEs be that long; 4,096 before


class MessageType(IntEnum):
    """Type octet of the header (RFC 4271, 4.1; RFC 2918)."""

    OPEN = 1
    UPDATE = 2
    NOTIFICATION = 3
    KEEPALIVE = 4
    ROUTE_REFRESH = 5


def size_of(data: bytes, start: int = 0) -> int:
    """Return the length of the BGP message at `start`, header included.

    Raises Malformed when there is no whole header, the marker is not all ones, or the length runs past the data.
    """
    if len(data) - start < HEADER:
        raise Malformed(f"a BGP header is {HEADER} octets long; {len(data) - start} are here", start, data)
    if data[start : start + 16] != MARKER:
        raise Malformed("the marker of a BGP message is sixteen octets of all ones (RFC 4271, 4.1)", start, data)
    size = int.from_bytes(data[start + 16 : start + 18], "big")
    if size < HEADER or size > len(data) - start:
        raise Malformed(
            f"a BGP message claims {size} octets; it has at least {HEADER}, and {len(data) - start} are here",
            start + 16,
            data,
        )
    return size


def split(data: bytes) -> tuple[int, bytes, bytes]:
    """Split off one message: (type, body without header, what comes after it). Raises Malformed as `size_of`."""
    size = size_of(data)
    return data[18], data[HEADER:size], data[size:]


def body_of(pdu: bytes, kind: MessageType) -> bytes:
    """Return the body of a message that must be of `kind`; raises Malformed when it is not."""
    found, body, _ = split(pdu)
    if found != kind:
        raise Malformed(f"a BGP {kind.name} has type {int(kind)}, this message has type {found}", 18, pdu)
    return body
