"""A run of BMP messages into columns: Route Monitoring of IPv4 and IPv6 unicast, as long as it is entirely ordinary.

The kernel never guesses and never reports. At the first message that is of another type, of a session it has not been
told of, malformed, or unusual in any way, it stops before that message; the plain decoder takes that one, and the
kernel goes on after it.
"""

from typing import Any

import numpy as np

from collector.kernel import stop as stops
from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.intern import lent_table
from collector.kernel.peers import ADD_PATH_OUT, heard, lent_peers, peer, rib, stamp
from collector.kernel.rows import label, lent_rows, room
from collector.kernel.stop import Stop
from collector.kernel.update import HEADER, UPDATE, message_at, update
from collector.kernel.words import borrow, byte, word32

__all__ = ["Stop", "decode"]

u64 = np.uint64
_0, _1 = u64(0), u64(1)
_NONE = u64(0xFFFFFFFFFFFFFFFF)
_BMP_HEADER, _PEER_HEADER = u64(6), u64(42)
_LEAST = _BMP_HEADER + _PEER_HEADER + HEADER + u64(4)
"""The shortest Route Monitoring: all headers and an empty UPDATE."""
_PRE_OUT = u64(3)
_STOP_END, _STOP_PLAIN, _STOP_BROKEN, _TAKEN = stops.END, stops.PLAIN, stops.BROKEN, stops.TAKEN


@inner
def _route_monitoring(
    buffer: Any,
    start: Any,
    end: Any,
    time: Any,
    peers: Any,
    table: Any,
    rows: Any,
    first: Any,
    limit: Any,
    work: Any,
    clock: Any,
) -> Any:
    """Take the Route Monitoring in [start, end): (what happened, rows, clock)."""
    if end - start < _LEAST:
        return _STOP_PLAIN, first, clock
    header, pdu = start + _BMP_HEADER, start + _BMP_HEADER + _PEER_HEADER
    kind, flags = byte(buffer, header), byte(buffer, header + _1)
    number = peer(peers, buffer, header)
    if number == _NONE or message_at(buffer, pdu, end) != UPDATE:
        return _STOP_PLAIN, first, clock
    view = rib(kind, flags)
    narrow = flags >> u64(5) & _1 if kind != u64(3) else _0
    carried = u64(peers.add_path[number])
    if view >= _PRE_OUT:
        carried >>= u64(ADD_PATH_OUT)
    what, middle, after, identity = update(buffer, pdu + HEADER, end, narrow, carried, table, rows, first, limit, work)
    if what != _TAKEN:
        return what, first, clock
    peers.messages[number] += _1
    common = (stamp(buffer, header), peers.session[number], view, heard(peers, number, view, time))
    clock = label(rows, first, middle, max(clock, time - 1), 0, _0, common)
    clock = label(rows, middle, after, clock, 1, identity, common)
    return _TAKEN, after, clock


def _entry(fingerprint: int) -> Any:
    @entry
    def decode(
        buffer: Any,
        start: Any,
        longest: Any,
        marks: Any,
        times: Any,
        peers: Any,
        table: Any,
        rows: Any,
        first: Any,
        work: Any,
        clock: Any,
    ) -> Any:
        assert fingerprint
        buffer, marks, times = borrow(buffer), borrow(marks), borrow(times)
        peers, table, rows = lent_peers(peers), lent_table(table), lent_rows(rows)
        work = borrow(work[0]), borrow(work[1]), borrow(work[2])
        at, number, messages, mark, end = start, first, _0, _0, u64(len(buffer))
        stop, limit = _STOP_END, room(rows)
        while at < end:
            if byte(buffer, at) != u64(3):
                stop = _STOP_BROKEN
                break
            if end - at < _BMP_HEADER:
                break
            size = word32(buffer, at + _1)
            if size < _BMP_HEADER or size > longest:
                stop = _STOP_BROKEN
                break
            if size > end - at:
                break
            if byte(buffer, at + u64(5)) != _0:
                stop = _STOP_PLAIN
                break
            while marks[mark] < at + size:
                mark += _1
            stop, number, clock = _route_monitoring(
                buffer, at, at + size, times[mark], peers, table, rows, number, limit, work, clock
            )
            if stop != _TAKEN:
                break
            stop = _STOP_END
            at += size
            messages += _1
        return at, number, messages, stop, clock

    return decode


decode = _entry(FINGERPRINT)
"""`decode(buffer, start, longest, marks, times, peers, table, rows, first, work, clock) -> (at, rows, messages, stop,
clock)`

Takes whole messages of `buffer` (uint8) from offset `start` (uint64) on; `longest` is the longest BMP message allowed.
Octets up to `marks[i]` (uint64, rising, the last at or after the buffer's end) were received at `times[i]` (int64,
ns). `peers`, `table` and `rows` are `Peers`, `Interned` and `Rows`, filled from row `first` on; `work` is (scratch as
uint8, the same memory as uint64, found: uint64[8]). Each row takes the next nanosecond after `clock`, or its receive
time where that is later, so that order of arrival is in the stamps. Returns the offset of the first octet not taken,
the row after the last, how many messages were taken, a `Stop`, and the clock.
"""
