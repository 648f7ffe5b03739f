"""The body of one UPDATE (RFC 4271, 4.3; RFC 4760; RFC 7911) into rows, as long as it is entirely ordinary."""

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
from collector.kernel.compiled import inner
from collector.kernel.intern import intern
from collector.kernel.rows import FULL, WRONG, prefixes
from collector.kernel.stop import FULL as ROWS_FULL
from collector.kernel.stop import PLAIN, ROOM, TAKEN
from collector.kernel.words import byte, word16, word64

u64 = np.uint64
_0, _1, _2, _32 = u64(0), u64(1), u64(2), u64(32)
SURE = u64(16)
"""Of `carried`: OPENs are known, and where they agreed on no path ids there are none."""
_ONES = u64(0xFFFFFFFFFFFFFFFF)
HEADER = u64(19)
UPDATE, KEEPALIVE = u64(2), u64(4)
SPARE = u64(16)
"""Octets that `scratch` must have beyond the longest message."""


@inner
def message_at(buffer: Any, start: Any, end: Any) -> Any:
    """Type of the BGP message (RFC 4271, 4.1) that the octets in [start, end) exactly are; 0 when they are none."""
    if end - start < HEADER or word64(buffer, start) & word64(buffer, start + u64(8)) != _ONES:
        return _0
    if word16(buffer, start + u64(16)) != end - start:
        return _0
    return byte(buffer, start + u64(18))


@inner
def _carries(carried: Any, bits: Any) -> Any:
    """Whether prefixes of the family of `bits` (32 or 128) carry a path id."""
    return carried & (_1 if bits == _32 else _2) != _0


@inner
def _announced(nlri: Any, end: Any, found: Any) -> Any:
    """What is announced, as (start, end, bits): classic NLRI or MP_REACH; never both, which is WRONG for bits."""
    reach = found[REACH_BITS]
    if nlri < end:
        whole = reach == _0 and announces_whole(found, True)
        return nlri, end, (_32 if whole else WRONG)
    if reach == _0:
        return end, end, _32
    whole = announces_whole(found, False) and not found[SEEN] >> u64(3) & _1
    return found[REACH_START], found[REACH_END], (reach if whole else WRONG)


@inner
def _routes(
    buffer: Any, classic: Any, nlri: Any, end: Any, carried: Any, found: Any, rows: Any, first: Any, limit: Any
) -> Any:
    """Rows of all prefixes, from row `first` on: (row of the first announced one, row after the last, WRONG or FULL).

    What is withdrawn comes first: the classic field, which ends at `classic`, then MP_UNREACH.
    """
    number, middle = first, first
    for part in range(3):
        if part == 0:
            start, after, bits = classic[0], classic[1], _32
        elif part == 1:
            start, after, bits = found[UNREACH_START], found[UNREACH_END], found[UNREACH_BITS]
        else:
            middle = number
            start, after, bits = _announced(nlri, end, found)
        if bits == WRONG:
            return middle, WRONG
        number = prefixes(
            buffer, start, after, bits, _carries(carried, bits), carried & SURE != _0, rows, number, limit
        )
        if number >= FULL:
            return middle, number
    return middle, number


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
    ids, `SURE` that nothing else does.
    """
    removed = word16(buffer, body)
    if removed + u64(4) > end - body or end - body + SPARE > u64(len(work[0])):
        return PLAIN, first, first, _0
    here = body + u64(4) + removed
    size = word16(buffer, here - _2)
    if size > end - here:
        return PLAIN, first, first, _0
    scratch, words, found = work
    if not attributes(buffer, here, here + size, narrow, scratch, found):
        return PLAIN, first, first, _0
    classic = (body + _2, here - _2)
    middle, after = _routes(buffer, classic, here + size, end, carried, found, rows, first, limit)
    if after >= FULL:
        return (ROWS_FULL if after == FULL else PLAIN), first, first, _0
    if after == first:  # an End-of-RIB, or nothing at all
        return PLAIN, first, first, _0
    identity = _0
    if after > middle:
        identity = intern(table, words, found[SIZE], narrow)
        if identity == _0:
            return ROOM, first, first, _0
    return TAKEN, middle, after, identity
