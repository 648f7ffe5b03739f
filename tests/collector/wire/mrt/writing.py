"""MRT records as bytes, for tests."""

from collections.abc import Iterable

STAMP = 1_700_000_000


def record(kind: int, subtype: int, body: bytes, stamp: int = STAMP) -> bytes:
    """One record with its header."""
    head = stamp.to_bytes(4, "big") + kind.to_bytes(2, "big") + subtype.to_bytes(2, "big")
    return head + len(body).to_bytes(4, "big") + body


def ends(width: int = 4, six: bool = False, peer: int = 65010, local: int = 65001) -> bytes:
    """Both sides of a session: AS numbers, interface, family and addresses."""
    addresses = (b"\x20\1\x0d\xb8" + bytes(11) + b"\x04", bytes(16)) if six else (b"\x0a\x0a\1\4", b"\x0a\x0a\xff\4")
    numbers = peer.to_bytes(width, "big") + local.to_bytes(width, "big")
    return numbers + b"\0\0" + (b"\0\2" if six else b"\0\1") + b"".join(addresses)


def peer_table(peers: Iterable[bytes] = (b"\0\x0a\x0a\1\4\x0a\x0a\1\4\xfd\xf2",), view: bytes = b"main") -> bytes:
    """A PEER_INDEX_TABLE record."""
    packed = list(peers)
    body = b"\x0a\0\0\1" + len(view).to_bytes(2, "big") + view + len(packed).to_bytes(2, "big") + b"".join(packed)
    return record(13, 1, body)


def rib(
    subtype: int, prefix: bytes, attributes: bytes, index: int = 0, path_id: bytes = b"", family: bytes = b""
) -> bytes:
    """A RIB record with one path."""
    entry = index.to_bytes(2, "big") + STAMP.to_bytes(4, "big") + path_id
    entry += len(attributes).to_bytes(2, "big") + attributes
    return record(13, subtype, bytes(4) + family + prefix + b"\0\1" + entry)
