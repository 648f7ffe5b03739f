"""Where decoded routes go: parallel arrays in the order of the `routes` columns, and prefixes read straight into them."""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.words import byte, word32

u64 = np.uint64
_0, _1, _3, _4, _7, _8 = u64(0), u64(1), u64(3), u64(4), u64(7), u64(8)
_32, _56, _64 = u64(32), u64(56), u64(64)
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
def _masked(word: Any, bits: Any) -> Any:
    """The first `bits` (up to 64) of a word, the others zero."""
    if bits >= _64:
        return word
    if bits == _0:
        return _0
    return word & _ONES << (_64 - bits)


@inner
def _word(buffer: Any, at: Any, octets: Any) -> Any:
    """Up to 8 octets from the top of a word."""
    word, shift = _0, _56
    for index in range(octets):
        word |= byte(buffer, at + u64(index)) << shift
        shift -= _8
    return word


@inner
def prefixes(buffer: Any, start: Any, end: Any, longest: Any, add_path: Any, rows: Any, first: Any) -> Any:
    """Read prefixes (RFC 4271, 4.3; RFC 7911, 3) into `rows` from row `first` on.

    `longest` is 32 or 128 and decides the family. Fills family, prefix, length and path id; host bits on the wire are
    cleared. Returns the number of the row after the last, WRONG or FULL.
    """
    at, number, room = start, first, u64(len(rows.at))
    family = np.uint8(4) if longest == _32 else np.uint8(6)
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
        if number >= room:
            return FULL
        high, low = _0, _0
        if octets > _8:
            high = _word(buffer, at, _8)
            low = _masked(_word(buffer, at + _8, octets - _8), bits - _64)
        else:
            high = _masked(_word(buffer, at, octets), bits)
        rows.family[number] = family
        rows.prefix_high[number] = high
        rows.prefix_low[number] = low
        rows.length[number] = bits
        rows.path_id[number] = path_id
        number += _1
        at += octets
    return number


@inner
def label(rows: Any, first: Any, after: Any, clock: Any, action: Any, attributes: Any, common: Any) -> Any:
    """Fill the other columns of rows `first` to `after`; each row takes the next nanosecond after `clock`.

    `common` is (router time, session, rib, phase). Returns the clock of the last row.
    """
    for number in range(first, after):
        clock += 1
        rows.at[number] = clock
        rows.router_time[number] = common[0]
        rows.session[number] = common[1]
        rows.rib[number] = common[2]
        rows.phase[number] = common[3]
        rows.action[number] = action
        rows.attributes[number] = attributes
    return clock
