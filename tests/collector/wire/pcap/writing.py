"""Captures as bytes, for tests."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Literal

from collector.wire.pcap.packets import ACK, FIN, RST, SYN

Order = Literal["little", "big"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_700_000_000
A, B = ("10.10.1.4", 179), ("10.10.255.4", 50000)
A6, B6 = ("2001:db8::4", 179), ("2001:db8::5", 50000)


def pcap(
    packets: Iterable[tuple[float, bytes]], order: Order = "little", nano: bool = False, link: int = 101, extra: int = 0
) -> bytes:
    """A pcap file of packets with their times in seconds; `extra` octets stand behind each head, as in an old kind."""
    magic = 0xA1B2CD34 if extra else 0xA1B23C4D if nano else 0xA1B2C3D4
    head = [magic.to_bytes(4, order), (2).to_bytes(2, order), (4).to_bytes(2, order), bytes(8)]
    parts = [b"".join(head) + (262_144).to_bytes(4, order) + link.to_bytes(4, order)]
    for at, data in packets:
        seconds, micros = divmod(round(at * 1_000_000), 1_000_000)
        numbers = seconds, micros * (1000 if nano else 1), len(data), len(data)
        parts.append(b"".join(number.to_bytes(4, order) for number in numbers) + bytes(extra) + data)
    return b"".join(parts)


def block(kind: int, body: bytes, order: Order = "little") -> bytes:
    """One pcapng block."""
    body += bytes(-len(body) % 4)
    size = (len(body) + 12).to_bytes(4, order)
    return kind.to_bytes(4, order) + size + body + size


def section(order: Order = "little") -> bytes:
    """A pcapng section header."""
    return block(0x0A0D0D0A, (0x1A2B3C4D).to_bytes(4, order) + (1).to_bytes(2, order) + bytes(2) + b"\xff" * 8, order)


def interface(link: int = 101, options: bytes = b"", order: Order = "little") -> bytes:
    """A pcapng interface description."""
    return block(1, link.to_bytes(2, order) + bytes(6) + options, order)


def enhanced(ticks: int, data: bytes, order: Order = "little", of: int = 0) -> bytes:
    """A pcapng enhanced packet."""
    numbers = of, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
    return block(6, b"".join(number.to_bytes(4, order) for number in numbers) + data, order)


def tcp(source: tuple[str, int], target: tuple[str, int], sequence: int, payload: bytes = b"", **more: int) -> bytes:
    """One IP packet with a TCP segment; `flags`, `acknowledged`."""
    flags, acknowledged = more.get("flags", ACK), more.get("acknowledged", 0)
    numbers = source[1].to_bytes(2, "big") + target[1].to_bytes(2, "big") + (sequence % 2**32).to_bytes(4, "big")
    segment = numbers + (acknowledged % 2**32).to_bytes(4, "big") + b"\x50" + bytes((flags,)) + bytes(6) + payload
    return ip(source[0], target[0], segment)


def ip(source: str, target: str, body: bytes, options: bytes = b"", kind: int = 6) -> bytes:
    """One IP packet, of the version of its addresses; `options` are those of IPv4, or IPv6 extension headers."""
    ends = ip_address(source).packed + ip_address(target).packed
    if len(ends) == 32:
        return b"\x60\0\0\0" + len(options + body).to_bytes(2, "big") + bytes((kind, 64)) + ends + options + body
    size = 20 + len(options) + len(body)
    head = bytes((0x40 | (20 + len(options)) // 4, 0)) + size.to_bytes(2, "big") + bytes(4) + bytes((64, kind, 0, 0))
    return head + ends + options + body


def fragments(packet: bytes, size: int, identification: int) -> list[bytes]:
    """The fragments of a packet without options, `size` octets of its payload each."""
    six = packet[0] >> 4 == 6
    head, body = (packet[:40], packet[40:]) if six else (packet[:20], packet[20:])
    parts = []
    for at in range(0, len(body), size):
        part, more = body[at : at + size], at + size < len(body)
        if six:
            extra = bytes((head[6], 0)) + (at | more).to_bytes(2, "big") + identification.to_bytes(4, "big")
            sized = head[:4] + (8 + len(part)).to_bytes(2, "big") + b"\x2c" + head[7:]
            parts.append(sized + extra + part)
        else:
            place = (at // 8 | more << 13).to_bytes(2, "big")
            sized = head[:2] + (20 + len(part)).to_bytes(2, "big") + identification.to_bytes(2, "big")
            parts.append(sized + place + head[8:] + part)
    return parts


@dataclass
class Connection:
    """Writes both directions of one connection, a packet a second; `first` are the sequence numbers of the SYNs."""

    one: tuple[str, int] = A
    other: tuple[str, int] = B
    first: tuple[int, int] = (1000, 5000)
    packets: list[tuple[float, bytes]] = field(default_factory=list)
    at: float = START
    sent: list[int] = field(default_factory=lambda: [0, 0])

    def opened(self) -> "Connection":
        """Three packets of a handshake."""
        self._add(0, self.first[0], b"", flags=SYN)
        self._add(1, self.first[1], b"", flags=SYN | ACK, acknowledged=self.first[0] + 1)
        self._add(0, self.first[0] + 1, b"", acknowledged=self.first[1] + 1)
        return self

    def say(self, side: int, *payloads: bytes) -> "Connection":
        """Send payloads, a segment each."""
        for payload in payloads:
            self.again(side, self.sent[side], payload)
            self.sent[side] += len(payload)
        return self

    def again(self, side: int, position: int, payload: bytes) -> "Connection":
        """Send a segment at a position of the stream, whatever was sent."""
        acknowledged = self.first[1 - side] + 1 + self.sent[1 - side]
        return self._add(side, self.first[side] + 1 + position, payload, acknowledged=acknowledged)

    def close(self, side: int, reset: bool = False) -> "Connection":
        """Send a FIN or a RST."""
        return self._add(side, self.first[side] + 1 + self.sent[side], b"", flags=RST if reset else FIN | ACK)

    def _add(self, side: int, sequence: int, payload: bytes, **more: int) -> "Connection":
        ends = (self.one, self.other)[:: 1 - 2 * side]
        self.packets.append((self.at, tcp(ends[0], ends[1], sequence, payload, **more)))
        self.at += 1
        return self


def time(seconds: float) -> datetime:
    """A time of the capture."""
    return EPOCH + timedelta(seconds=seconds)
