"""A run of BMP messages into columns: Route Monitoring of IPv4 and IPv6 unicast, as long as it is entirely ordinary.

The kernel never guesses and never reports. At the first message that is of another type, of a session it has not been
told of, malformed, or unusual in any way, it stops before that message; the plain decoder takes that one, and the
kernel goes on after it.
"""

from enum import IntEnum
from typing import Any

import numpy as np

from collector.kernel.attributes import (
    REACH_BITS,
    REACH_END,
    REACH_START,
    SEEN,
    SIZE,
    UNREACH_BITS,
    UNREACH_END,
    UNREACH_START,
    announces_whole,
    attributes,
)
from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.intern import intern, lent_table
from collector.kernel.peers import ADD_PATH_OUT, heard, lent_peers, peer, rib, stamp
from collector.kernel.rows import FULL, WRONG, label, lent_rows, prefixes, room
from collector.kernel.words import borrow, byte, word16, word32, word64

u64 = np.uint64
_0, _1, _2, _6, _32 = u64(0), u64(1), u64(2), u64(6), u64(32)
_NONE = u64(0xFFFFFFFFFFFFFFFF)
_BMP_HEADER, _PEER_HEADER, _BGP_HEADER = u64(6), u64(42), u64(19)
_LEAST = _BMP_HEADER + _PEER_HEADER + _BGP_HEADER + u64(4)
"""The shortest Route Monitoring: all headers and an empty UPDATE."""
LONGEST_UPDATE = u64(4096)
"""RFC 4271, 4.1; longer ones (RFC 8654) go to the plain decoder."""
_PRE_OUT = u64(3)


class Stop(IntEnum):
    """Why `decode` returned."""

    END = 0
    """What is left is not a whole message."""
    FULL = 1
    """The rows are full: take them and call again."""
    ROOM = 2
    """The table of attributes must grow: do that and call again."""
    PLAIN = 3
    """The next message is for the plain decoder."""
    BROKEN = 4
    """The next octets are no BMP version 3 message: the stream cannot be trusted from here."""


_STOP_END, _STOP_FULL, _STOP_ROOM = u64(Stop.END), u64(Stop.FULL), u64(Stop.ROOM)
_STOP_PLAIN, _STOP_BROKEN, _TAKEN = u64(Stop.PLAIN), u64(Stop.BROKEN), u64(99)


@inner
def _update_at(buffer: Any, start: Any, end: Any) -> Any:
    """Whether the octets in [start, end) are exactly one UPDATE of an ordinary length."""
    size = word16(buffer, start + u64(16))
    if word64(buffer, start) & word64(buffer, start + u64(8)) != _NONE:
        return False
    return size == end - start and size <= LONGEST_UPDATE and byte(buffer, start + u64(18)) == _2


@inner
def _announced(buffer: Any, nlri: Any, end: Any, carried: Any, found: Any, rows: Any, first: Any, limit: Any) -> Any:
    """Rows of what is announced, from row `first` on: classic NLRI or MP_REACH, never both."""
    reach = found[REACH_BITS]
    if nlri < end:
        if reach != _0 or not announces_whole(found, True):
            return WRONG
        return prefixes(buffer, nlri, end, _32, carried & _1 != _0, rows, first, limit)
    if reach == _0:
        return first
    if not announces_whole(found, False) or found[SEEN] >> u64(3) & _1:
        return WRONG
    return prefixes(buffer, found[REACH_START], found[REACH_END], reach, _carries(carried, reach), rows, first, limit)


@inner
def _carries(carried: Any, bits: Any) -> Any:
    """Whether prefixes of the family of `bits` (32 or 128) carry a path id."""
    return carried & (_1 if bits == _32 else _2) != _0


@inner
def _withdrawn(buffer: Any, start: Any, end: Any, carried: Any, found: Any, rows: Any, first: Any, limit: Any) -> Any:
    """Rows of what is withdrawn: the classic field in [start, end), then MP_UNREACH."""
    after = prefixes(buffer, start, end, _32, carried & _1 != _0, rows, first, limit)
    if after >= FULL or found[UNREACH_BITS] == _0:
        return after
    bits = found[UNREACH_BITS]
    return prefixes(buffer, found[UNREACH_START], found[UNREACH_END], bits, _carries(carried, bits), rows, after, limit)


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
    header, update = start + _BMP_HEADER, start + _BMP_HEADER + _PEER_HEADER
    kind, flags = byte(buffer, header), byte(buffer, header + _1)
    number = peer(peers, buffer, header)
    if number == _NONE or not _update_at(buffer, update, end):
        return _STOP_PLAIN, first, clock
    view = rib(kind, flags)
    narrow = flags >> u64(5) & _1 if kind != u64(3) else _0
    carried = u64(peers.add_path[number])
    if view >= _PRE_OUT:
        carried >>= u64(ADD_PATH_OUT)

    body = update + _BGP_HEADER
    removed = word16(buffer, body)
    if removed + u64(4) > end - body:
        return _STOP_PLAIN, first, clock
    here = body + _2 + removed + _2
    size = word16(buffer, here - _2)
    if size > end - here:
        return _STOP_PLAIN, first, clock
    scratch, words, found = work
    if not attributes(buffer, here, here + size, narrow, scratch, found):
        return _STOP_PLAIN, first, clock

    middle = _withdrawn(buffer, body + _2, body + _2 + removed, carried, found, rows, first, limit)
    if middle >= FULL:
        return (_STOP_FULL if middle == FULL else _STOP_PLAIN), first, clock
    after = _announced(buffer, here + size, end, carried, found, rows, middle, limit)
    if after >= FULL:
        return (_STOP_FULL if after == FULL else _STOP_PLAIN), first, clock
    if after == first:  # an End-of-RIB, or nothing at all
        return _STOP_PLAIN, first, clock
    identity = _0
    if after > middle:
        identity = intern(table, words, found[SIZE], narrow)
        if identity == _0:
            return _STOP_ROOM, first, clock
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
