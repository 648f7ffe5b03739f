"""Where decoded routes go: parallel arrays in the order of the `routes` columns, and prefixes read into them."""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.words import borrow, byte, put, word32, word64

u64 = np.uint64
_0, _1, _3, _4, _7, _8 = u64(0), u64(1), u64(3), u64(4), u64(7), u64(8)
_16, _24, _32, _56, _64 = u64(16), u64(24), u64(32), u64(56), u64(64)
_ONES = u64(0xFFFFFFFFFFFFFFFF)

WRONG = u64(0xFFFFFFFFFFFFFFFF)
FULL = u64(0xFFFFFFFFFFFFFFFE)
"""Instead of a row count: the prefixes cannot be taken as they stand; there is no room for them."""


class Rows(NamedTuple):
    """One array a column of anycast.columns.COLUMNS["routes"], all of one length."""

    at: Any
    """int64, ns."""
    router_time: Any
    """int64, ns; 0 where the router sent none."""
    session: Any
    """uint32."""
    rib: Any
    """uint8, as `phase`, `family`, `length` and `action`."""
    phase: Any
    family: Any
    prefix_high: Any
    """uint64, as `prefix_low` and `attributes`."""
    prefix_low: Any
    length: Any
    path_id: Any
    """uint32."""
    action: Any
    attributes: Any


@inner
def lent_rows(rows: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Rows(
        borrow(rows.at),
        borrow(rows.router_time),
        borrow(rows.session),
        borrow(rows.rib),
        borrow(rows.phase),
        borrow(rows.family),
        borrow(rows.prefix_high),
        borrow(rows.prefix_low),
        borrow(rows.length),
        borrow(rows.path_id),
        borrow(rows.action),
        borrow(rows.attributes),
    )


@inner
def masked(word: Any, bits: Any) -> Any:
    """The first `bits` (up to 64) of a word, the others zero."""
    if bits >= _64:
        return word
    if bits == _0:
        return _0
    return word & _ONES << (_64 - bits)


@inner
def top(buffer: Any, at: Any, octets: Any) -> Any:
    """Up to 8 octets as the top of a word; what stands below them is for the caller to mask."""
    if u64(len(buffer)) - at >= _8:
        return word64(buffer, at)
    word, shift = _0, _56
    for index in range(octets):
        word |= byte(buffer, at + u64(index)) << shift
        shift -= _8
    return word


@inner
def announced(buffer: Any, at: Any, bits: Any, octets: Any, longest: Any) -> Any:
    """Whether a prefix of 1 bit and more, whose octets are there, is one that routers send (`wire.bgp.doubt`)."""
    first = byte(buffer, at)
    if bits < (_8 if longest == _32 else _16):
        return False
    if byte(buffer, at + octets - _1) & ((_1 << ((octets << _3) - bits)) - _1):
        return False
    if longest == _32:
        return _0 < first and first < u64(224)
    return first >> u64(5) == _1 or first >> _1 == u64(0x7E)


@inner
def _alone(path_id: Any, start: Any, end: Any) -> Any:
    """Whether a list that begins with `path_id` has the length of one prefix without."""
    return end - start == _1 + (((path_id >> _24) + _7) >> _3)


@inner
def prefixes(
    buffer: Any, start: Any, end: Any, longest: Any, add_path: Any, sure: Any, rows: Any, first: Any, limit: Any
) -> Any:
    """Read prefixes (RFC 4271, 4.3; RFC 7911, 3) into `rows` from row `first` on.

    `longest` is 32 or 128 and decides the family; `limit` is at most `room(rows)`. Fills family, prefix, length and
    path id; host bits on the wire are cleared. Returns the number of the row after the last, WRONG or FULL; WRONG also
    for what may hold path ids, unless it is `sure` that there are none.
    """
    at, number = start, first
    family = np.uint8(4) if longest == _32 else np.uint8(6)
    default = False
    while at < end:
        path_id = _0
        if add_path:
            if end - at < _4:
                return WRONG
            path_id = word32(buffer, at)
            at += _4
            if at >= end:
                return WRONG
        bits = byte(buffer, at)
        at += _1
        octets = (bits + _7) >> _3
        if bits > longest or octets > end - at:
            return WRONG
        if bits == _0 and not add_path:
            if default:
                return WRONG  # a default route twice: path ids that nobody offered look like it
            default = True
        if not (add_path or sure) and not (announced(buffer, at, bits, octets, longest) if bits else end - start == _1):
            return WRONG  # the plain decoder knows whether it would be a list with path ids
        if path_id >> _24 and (bits == _0 or (longest != _32 and (bits <= _16 or _alone(path_id, start, end)))):
            return WRONG  # as a prefix without its path id looks: the plain decoder knows whether it may be left out
        if number >= limit:
            return FULL
        high, low = _0, _0
        if octets > _8:
            high = top(buffer, at, _8)
            low = masked(top(buffer, at + _8, octets - _8), bits - _64)
        else:
            high = masked(top(buffer, at, octets), bits)
        put(rows.family, number, family)
        put(rows.prefix_high, number, high)
        put(rows.prefix_low, number, low)
        put(rows.length, number, bits)
        put(rows.path_id, number, path_id)
        number += _1
        at += octets
    return number


@inner
def room(rows: Any) -> Any:
    """How many rows fit into every column. Rows are stored without another check once a row number is below this."""
    least = len(rows.at)
    for size in (
        len(rows.router_time),
        len(rows.session),
        len(rows.rib),
        len(rows.phase),
        len(rows.family),
        len(rows.prefix_high),
        len(rows.prefix_low),
        len(rows.length),
        len(rows.path_id),
        len(rows.action),
        len(rows.attributes),
    ):
        least = min(least, size)
    return u64(least)


@inner
def label(rows: Any, first: Any, after: Any, clock: Any, action: Any, attributes: Any, common: Any) -> Any:
    """Fill the other columns of rows `first` to `after`; each row takes the next nanosecond after `clock`.

    `common` is (router time, session, rib, phase). Returns the clock of the last row.
    """
    for number in range(first, after):
        clock += 1
        put(rows.at, number, clock)
        put(rows.router_time, number, common[0])
        put(rows.session, number, common[1])
        put(rows.rib, number, common[2])
        put(rows.phase, number, common[3])
        put(rows.action, number, action)
        put(rows.attributes, number, attributes)
    return clock
