"""TCP payloads out of a pcap file, joined in capture order for each four-tuple, as the shared captures want it."""

from collections.abc import Iterator
from pathlib import Path

Ends = tuple[bytes, bytes]

_LINKS = {1: 14, 101: 0, 113: 16, 276: 20}
"""Octets in front of the IP header, by link type: Ethernet, raw IP, Linux cooked 1 and 2."""


def streams(path: Path) -> dict[Ends, bytes]:
    """Return the payload of each direction of each connection, by (source and port, destination and port)."""
    joined: dict[Ends, bytes] = {}
    for packet in _packets(path.read_bytes()):
        ends, payload = _tcp(packet)
        joined[ends] = joined.get(ends, b"") + payload
    return {ends: payload for ends, payload in joined.items() if payload}


def _packets(data: bytes) -> Iterator[bytes]:
    order = "little" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else "big"
    front, at = _LINKS[int.from_bytes(data[20:24], order)], 24  # type: ignore[arg-type]
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 12], order)  # type: ignore[arg-type]
        packet, at = data[at + 16 : at + 16 + size], at + 16 + size
        if front == 14 and packet[12:14] == b"\x81\0":
            packet = packet[4:]
        yield packet[front:]


def _tcp(packet: bytes) -> tuple[Ends, bytes]:
    if packet[0] >> 4 == 4:
        header, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
        source, target = packet[12:16], packet[16:20]
        assert packet[9] == 6, "TCP only"
    else:
        header, end = 40, 40 + int.from_bytes(packet[4:6], "big")
        source, target = packet[8:24], packet[24:40]
        assert packet[6] == 6, "TCP only"
    segment = packet[header:end]
    return (source + segment[:2], target + segment[2:4]), segment[(segment[12] >> 4) * 4 :]
