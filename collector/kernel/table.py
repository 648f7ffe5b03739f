"""One record of a table dump into rows (RFC 6396, 4.2 and 4.3; RFC 8050, 4): TABLE_DUMP and TABLE_DUMP_V2."""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.dumped import SIX, dumped
from collector.kernel.ends import ALONE, NONE, session_of
from collector.kernel.ends import SIX as SIX_ENDS
from collector.kernel.filed import file
from collector.kernel.rows import masked, top
from collector.kernel.stop import FULL, PLAIN, ROOM, TAKEN
from collector.kernel.words import byte, put, word16, word32, word64

u64 = np.uint64
_0, _1, _2, _3, _4, _5, _7, _8 = (u64(number) for number in (0, 1, 2, 3, 4, 5, 7, 8))
_16, _32, _64, _128 = u64(16), u64(32), u64(64), u64(128)
_IN_TABLE = 2


@inner
def address(buffer: Any, at: Any, six: Any) -> Any:
    """An address of 4 or 16 octets, which are there, as (high, low)."""
    if six:
        return word64(buffer, at), word64(buffer, at + _8)
    return _0, word32(buffer, at)


@inner
def _prefix(buffer: Any, at: Any, bits: Any) -> Any:
    """A prefix of `bits`, whose octets are there, as (high, low)."""
    octets = (bits + _7) >> _3
    if octets > _8:
        return word64(buffer, at), masked(top(buffer, at + _8, octets - _8), bits - _64)
    return masked(top(buffer, at, octets), bits), _0


@inner
def _put_prefix(rows: Any, number: Any, six: Any, high: Any, low: Any, bits: Any, path_id: Any) -> None:
    put(rows.family, number, _4 + _2 * six)
    put(rows.prefix_high, number, high)
    put(rows.prefix_low, number, low)
    put(rows.length, number, bits)
    put(rows.path_id, number, path_id)


@inner
def rib(buffer: Any, at: Any, end: Any, time: Any, six: Any, carried: Any, held: Any, first: Any, limit: Any) -> Any:
    """Take the body of a RIB_IPV4_UNICAST or RIB_IPV6_UNICAST in [at, end): (what happened, rows).

    `carried` is 1 where each path has an id. `held` is (sessions by peer index as uint32, seen, table, rows, filed,
    work).
    """
    indexed, seen, table, rows, filed, work = held
    if end - at < _7:
        return PLAIN, first
    bits = byte(buffer, at + _4)
    octets = (bits + _7) >> _3
    if bits > (_128 if six else _32) or octets + _7 > end - at:
        return PLAIN, first
    high, low = _prefix(buffer, at + _5, bits)
    at += _5 + octets
    count = word16(buffer, at)
    at += _2
    least = _8 + _4 * carried
    if count * least > end - at:
        return PLAIN, first
    if count > limit - first:
        return FULL, first
    number = first
    for _ in range(count):
        if end - at < least:
            return PLAIN, first
        index, originated, path_id = word16(buffer, at), word32(buffer, at + _2), _0
        if carried:
            path_id = word32(buffer, at + u64(6))
        at += least
        size = word16(buffer, at - _2)
        if index >= u64(len(indexed)) or size > end - at:
            return PLAIN, first
        what, identity = dumped(buffer, at, size, six * SIX, seen, table, work)
        if what != TAKEN:
            return what, first
        _put_prefix(rows, number, six, high, low, bits, path_id)
        common = (time, indexed[index], 0, 13, carried, originated)
        file(rows, filed, number, number + _1, _IN_TABLE, identity, common)
        number += _1
        at += size
    return (TAKEN if at == end else PLAIN), number if at == end else first


@inner
def table_dump(
    buffer: Any, at: Any, end: Any, time: Any, six: Any, ends: Any, held: Any, first: Any, limit: Any
) -> Any:
    """Take the body of a TABLE_DUMP in [at, end): (what happened, rows). `held`: see `rib`."""
    _, seen, table, rows, filed, work = held
    octets = _16 if six else _4
    head = u64(14) + _2 * octets
    if end - at < head:
        return PLAIN, first
    bits = byte(buffer, at + _4 + octets)
    size = word16(buffer, at + head - _2)
    if bits > (_128 if six else _32) or size != end - at - head:
        return PLAIN, first
    if first >= limit:
        return FULL, first
    what, identity = dumped(buffer, at + head, size, six * SIX | _1, seen, table, work)
    if what != TAKEN:
        return what, first
    originated, peer = word32(buffer, at + octets + u64(6)), at + octets + u64(10)
    peer_high, peer_low = address(buffer, peer, six)
    who = word16(buffer, peer + octets) | ALONE | six * SIX_ENDS
    session = session_of(ends, (who, peer_high, peer_low, _0, _0))
    if session == NONE:
        return ROOM, first
    high, low = _prefix(buffer, at + _4, bits)
    _put_prefix(rows, first, six, high, low, bits, _0)
    file(rows, filed, first, first + _1, _IN_TABLE, identity, (time, session, 0, 12, _0, originated))
    return TAKEN, first + _1
