"""The body of one UPDATE (RFC 4271, 4.3; RFC 4760; RFC 7911) into rows, as long as it is entirely ordinary."""

from typing import Any

import numpy as np

from collector.kernel import stop
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
from collector.kernel.compiled import inner
from collector.kernel.intern import intern
from collector.kernel.rows import FULL, WRONG, prefixes
from collector.kernel.words import byte, word16, word64

u64 = np.uint64
_0, _1, _2, _32 = u64(0), u64(1), u64(2), u64(32)
_ONES = u64(0xFFFFFFFFFFFFFFFF)
HEADER = u64(19)
UPDATE, KEEPALIVE = u64(2), u64(4)
SPARE = u64(16)
"""Octets that `scratch` must have beyond the longest message."""
_STOP_FULL, _STOP_PLAIN, _STOP_ROOM, _TAKEN = stop.FULL, stop.PLAIN, stop.ROOM, stop.TAKEN


@inner
def message_at(buffer: Any, start: Any, end: Any) -> Any:
    """Type of the BGP message (RFC 4271, 4.1) that the octets in [start, end) exactly are; 0 when they are none."""
    if end - start < HEADER or word64(buffer, start) & word64(buffer, start + u64(8)) != _ONES:
        return _0
    if word16(buffer, start + u64(16)) != end - start:
        return _0
    return byte(buffer, start + u64(18))


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
def update(
    buffer: Any,
    body: Any,
    end: Any,
    narrow: Any,
    carried: Any,
    table: Any,
    rows: Any,
    first: Any,
    limit: Any,
    work: Any,
) -> Any:
    """Take the body in [body, end), 4 octets at the least: (what happened, middle, after, attributes' id).

    Rows `first` to `middle` are withdrawn, rows `middle` to `after` announced; family, prefix, length and path id are
    filled. `narrow` is 1 when AS numbers have 2 octets; bits 0 and 1 of `carried` say that IPv4 and IPv6 carry path
    ids.
    """
    removed = word16(buffer, body)
    if removed + u64(4) > end - body or end - body + SPARE > u64(len(work[0])):
        return _STOP_PLAIN, first, first, _0
    here = body + _2 + removed + _2
    size = word16(buffer, here - _2)
    if size > end - here:
        return _STOP_PLAIN, first, first, _0
    scratch, words, found = work
    if not attributes(buffer, here, here + size, narrow, scratch, found):
        return _STOP_PLAIN, first, first, _0
    middle = _withdrawn(buffer, body + _2, body + _2 + removed, carried, found, rows, first, limit)
    if middle >= FULL:
        return (_STOP_FULL if middle == FULL else _STOP_PLAIN), first, first, _0
    after = _announced(buffer, here + size, end, carried, found, rows, middle, limit)
    if after >= FULL:
        return (_STOP_FULL if after == FULL else _STOP_PLAIN), first, first, _0
    if after == first:  # an End-of-RIB, or nothing at all
        return _STOP_PLAIN, first, first, _0
    identity = _0
    if after > middle:
        identity = intern(table, words, found[SIZE], narrow)
        if identity == _0:
            return _STOP_ROOM, first, first, _0
    return _TAKEN, middle, after, identity
