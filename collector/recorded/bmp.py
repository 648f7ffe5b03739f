"""A BMP stream kept in a file, with the times that its messages bear.

Such a file says nothing of when its octets came. What is left are the routers' own stamps, and those are not all times
of sending: a Peer Up bears the time at which its session came up and a route that at which it was learnt, days ago
perhaps; some routers stamp zero (RFC 7854, 4.2, allows it), some an age. So no time passes while the first tables are
sent: that takes place at the latest stamp among them. From then on the clock follows the latest stamp seen so far, and
never goes back.
"""

from collections.abc import Iterator
from typing import Final

from collector.recorded.moment import Moment, What
from collector.wire.bmp.frames import HEADER, Framer
from collector.wire.bmp.values import MessageType
from collector.wire.mrt.records import Readable
from collector.wire.source import chunks

TOGETHER: Final = 1 << 16
"""Octets of messages of one time that are handed out together."""
FIRST: Final = 1 << 26
"""Octets of first tables that are held until their time is known."""

_PEER, _SECONDS, _BODY = HEADER, HEADER + 34, HEADER + 42
"""Where a per-peer header begins, where its stamp stands, and where it ends (RFC 7854, 4.2)."""
_UNSTAMPED: Final = frozenset((MessageType.INITIATION, MessageType.TERMINATION))
_LATER: Final = frozenset((MessageType.STATISTICS_REPORT, MessageType.PEER_DOWN))
"""What a router sends at its own time, and not while it begins."""
_SHORTEST_UPDATE, _END_OF_RIB = _BODY + 23, (_BODY + 23 + 6, _BODY + 23 + 7)
"""Sizes of a Route Monitoring that ends a table: an empty UPDATE, or one with an empty MP_UNREACH_NLRI (RFC 4724)."""


def bmp_moments(file: Readable, exporter: str, start: int = 0) -> Iterator[Moment]:
    """Yield the moments of a BMP stream (plain, not compressed) of one connection; none is before `start` (ns)."""
    framer, first, held = Framer(), _First(), bytearray()
    clock, begun = start, False
    for chunk in chunks(file):
        for message in framer.feed(chunk):
            at = max(clock, _stamp(message))
            if begun:
                if held and (at != clock or len(held) >= TOGETHER):
                    yield Moment(clock, exporter, What.OCTETS, bytes(held))
                    held.clear()
            elif first.over(message) or len(held) >= FIRST:
                yield from _opened(clock, exporter, held)
                begun = True
            clock = at
            held += message
        if framer.failure is not None:
            break  # the feed ends at this octet, as it would on the wire
    held += framer.pending
    if not begun:
        yield from _opened(clock, exporter, held)
    elif held:
        yield Moment(clock, exporter, What.OCTETS, bytes(held))


def _opened(at: int, exporter: str, held: bytearray) -> Iterator[Moment]:
    """The connection's beginning, with what was held until its time was known."""
    yield Moment(at, exporter, What.OPEN)
    if held[5:6] not in (b"", bytes((MessageType.INITIATION,))):  # which is the first of a connection (RFC 7854, 4.3)
        yield Moment(at, exporter, What.MIDWAY)
    if held:
        yield Moment(at, exporter, What.OCTETS, bytes(held))
    held.clear()


class _First:
    """Tells when the tables with which a connection begins are whole."""

    def __init__(self) -> None:
        self._named: set[bytes] = set()
        self._ended: set[bytes] = set()

    def over(self, message: bytes) -> bool:
        """Whether they were whole before this message."""
        kind, peer = message[5], message[_PEER : _PEER + 1] + message[_PEER + 2 : _PEER + 26]
        if kind in _LATER:
            return True
        if kind == MessageType.PEER_UP:
            self._named.add(peer)
        elif kind == MessageType.ROUTE_MONITORING:
            if _ends_table(message):
                self._ended.add(peer)
            else:
                return bool(self._named) and self._named <= self._ended
        return False


def _ends_table(message: bytes) -> bool:
    size = len(message)
    empty = size == _SHORTEST_UPDATE
    return empty or (size in _END_OF_RIB and message[_BODY + 19 : _BODY + 21] == b"\0\0")


def _stamp(message: bytes) -> int:
    """The stamp of a message in ns; 0 where it has none."""
    if message[5] in _UNSTAMPED or len(message) < _BODY:
        return 0
    seconds = int.from_bytes(message[_SECONDS : _SECONDS + 4], "big")
    micros = int.from_bytes(message[_SECONDS + 4 : _BODY], "big")
    return seconds * 1_000_000_000 + min(micros, 999_999) * 1_000
