"""A run of MRT records into columns (RFC 6396; RFC 8050): routes of IPv4 and IPv6 unicast, as long as all is ordinary.

The rules are those of `collector.kernel.decode`: never guess, never report, and stop before what is unusual. A record
is taken only where another one, or the end of the file, stands behind it, as `collector.wire.cutting` has it.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.ends import NONE, lent_ends, session_of
from collector.kernel.ends import SIX as SIX_ENDS
from collector.kernel.filed import file, filed_room, lent_filed
from collector.kernel.intern import lent_table
from collector.kernel.rows import lent_rows, room
from collector.kernel.seen import lent_seen
from collector.kernel.stop import BROKEN, END, GOES_ON, PLAIN, ROOM, TAKEN
from collector.kernel.table import address, rib, table_dump
from collector.kernel.update import HEADER, KEEPALIVE, UPDATE, message_at, update
from collector.kernel.words import borrow, word16, word32, word64

u64 = np.uint64
_0, _1, _2, _3, _4, _6, _8 = (u64(number) for number in (0, 1, 2, 3, 4, 6, 8))
_12, _16, _BILLION, _THOUSAND = u64(12), u64(16), u64(1_000_000_000), u64(1_000)
_KINDS = u64(sum(1 << kind for kind in (*range(13), 13, 16, 17, 32, 33, 48, 49)))
"""Types of records that there are (`collector.wire.mrt.values.RecordType`)."""
_EXTENDED = u64(1 << 17 | 1 << 33 | 1 << 49)
"""Those that begin with microseconds."""
_BGP, _TABLE_DUMP, _TABLE_DUMP_V2, _BGP4MP, _BGP4MP_ET = u64(5), u64(12), u64(13), u64(16), u64(17)
_RIBS = u64(1 << 2 | 1 << 4 | 1 << 8 | 1 << 10)
_MESSAGES = u64(1 << 1 | 1 << 4 | 0b111111 << 6)
_NARROW = u64(1 << 1 | 1 << 6 | 1 << 8 | 1 << 10)
_SENT = u64(1 << 6 | 1 << 7 | 1 << 10 | 1 << 11)
"""Subtypes of TABLE_DUMP_V2: unicast; of BGP4MP: messages, those with 2-octet AS numbers, those of the recording
side."""
_OUT_POST = u64(4)
_BOTH_CARRY = u64(3)


@inner
def _size(buffer: Any, at: Any, longest: Any) -> Any:
    """Size of the record whose header, which is there, stands at `at`; 0 when none can stand there."""
    kind, size = word16(buffer, at + _4), word32(buffer, at + _8)
    if kind > u64(63) or not _KINDS >> kind & _1 or size > longest:
        return _0
    if _EXTENDED >> kind & _1 and size < _4:
        return _0
    if kind == _0 and (word64(buffer, at) | size) == _0:
        return _0
    return _12 + size


@inner
def _message(buffer: Any, at: Any, end: Any, subtype: Any) -> Any:
    """Look at a BGP4MP_MESSAGE of any subtype in [at, end): (what happened, body of the UPDATE, key of the ends)."""
    nobody = (_0, _0, _0, _0, _0)
    narrow = _NARROW >> subtype & _1
    numbers = _8 >> narrow
    if end - at < numbers + _4:
        return PLAIN, at, nobody
    afi = word16(buffer, at + numbers + _2)
    if afi != _1 and afi != _2:
        return PLAIN, at, nobody
    six = afi - _1
    octets = _16 if six else _4
    here = at + numbers + _4
    pdu = here + _2 * octets
    if end < pdu + HEADER:
        return PLAIN, at, nobody
    said = message_at(buffer, pdu, end)
    if said == KEEPALIVE:
        return TAKEN, at, nobody
    if said != UPDATE or end - pdu < HEADER + _4:
        return PLAIN, at, nobody
    asn = word16(buffer, at) if narrow else word32(buffer, at)
    peer_high, peer_low = address(buffer, here, six)
    high, low = address(buffer, here + octets, six)
    return GOES_ON, pdu + HEADER, (asn | six * SIX_ENDS, peer_high, peer_low, high, low)


@inner
def _old_message(buffer: Any, at: Any, end: Any) -> Any:
    """The same of the deprecated BGP_MESSAGE of an UPDATE."""
    if end - at < _16:
        return PLAIN, at, (_0, _0, _0, _0, _0)
    return GOES_ON, at + _12, (word16(buffer, at), _0, word32(buffer, at + _2), _0, word32(buffer, at + _8))


@inner
def _update(
    buffer: Any, at: Any, end: Any, time: Any, kind: Any, subtype: Any, ends: Any, held: Any, first: Any, limit: Any
) -> Any:
    """Take the body of a message in [at, end): (what happened, rows)."""
    _, _, table, rows, filed, work = held
    if kind == _BGP:
        narrow, view, carried = _1, _0, _0
        what, body, who = _old_message(buffer, at, end)
    else:
        narrow, view = _NARROW >> subtype & _1, (_OUT_POST if _SENT >> subtype & _1 else _0)
        carried = _BOTH_CARRY if subtype >= _8 else _0
        what, body, who = _message(buffer, at, end, subtype)
    if what != GOES_ON:
        return what, first
    what, middle, after, identity = update(buffer, body, end, narrow, carried, table, rows, first, limit, work)
    if what != TAKEN:
        return what, first
    session = session_of(ends, who)
    if session == NONE:
        return ROOM, first
    common = (time, session, view, kind, _1 if carried else _0, 0)
    file(rows, filed, first, middle, 0, _0, common)
    file(rows, filed, middle, after, 1, identity, common)
    return TAKEN, after


@inner
def _record(buffer: Any, at: Any, end: Any, ends: Any, held: Any, first: Any, limit: Any) -> Any:
    """Take the record in [at, end): (what happened, rows)."""
    kind, subtype = word16(buffer, at + _4), word16(buffer, at + _6)
    time, body = word32(buffer, at) * _BILLION, at + _12
    if kind == _TABLE_DUMP_V2 and subtype < _12 and _RIBS >> subtype & _1:
        six = _1 if subtype in (_4, u64(10)) else _0
        return rib(buffer, body, end, time, six, subtype >> _3, held, first, limit)
    if kind == _TABLE_DUMP and subtype in (_1, _2):
        return table_dump(buffer, body, end, time, subtype - _1, ends, held, first, limit)
    if kind == _BGP4MP_ET:
        time += word32(buffer, body) * _THOUSAND
        body += _4
    message = kind in (_BGP4MP, _BGP4MP_ET) and subtype < _12 and _MESSAGES >> subtype & _1
    if message or (kind == _BGP and subtype == _1):
        return _update(buffer, body, end, time, kind, subtype, ends, held, first, limit)
    return PLAIN, first


def _entry(fingerprint: int) -> Any:
    @entry
    def records(
        buffer: Any,
        longest: Any,
        whole: Any,
        indexed: Any,
        ends: Any,
        seen: Any,
        table: Any,
        rows: Any,
        filed: Any,
        first: Any,
        work: Any,
    ) -> Any:
        assert fingerprint
        buffer, ends, rows, filed = borrow(buffer), lent_ends(ends), lent_rows(rows), lent_filed(filed)
        work = borrow(work[0]), borrow(work[1]), borrow(work[2])
        held = borrow(indexed), lent_seen(seen), lent_table(table), rows, filed, work
        at, number, end = _0, first, u64(len(buffer))
        stop, limit, size = END, filed_room(filed, room(rows)), _0
        if end >= _12:
            size = _size(buffer, at, longest)
        while end - at >= _12:
            if size == _0:
                stop = BROKEN
                break
            if size > end - at:
                break
            after, next_size = at + size, _0
            if end - after >= _12:
                next_size = _size(buffer, after, longest)
                if next_size == _0:
                    stop = BROKEN
                    break
            elif not whole:
                break
            stop, number = _record(buffer, at, after, ends, held, number, limit)
            if stop != TAKEN:
                break
            stop, at, size = END, after, next_size
        return at, number, stop

    return records


records = _entry(FINGERPRINT)
"""`records(buffer, longest, whole, indexed, ends, seen, table, rows, filed, first, work) -> (at, rows, stop)`

Takes whole records of `buffer` (uint8), none longer than `longest` (uint64) without its header; `whole` says that the
file ends where the buffer does. `indexed` (uint32) has the session of each peer of the last peer table. `ends`, `seen`,
`table`, `rows` and `filed` are `Ends`, `Seen`, `Interned`, `Rows` and `Filed`, the last two filled from row `first` on;
`work` is that of `collector.kernel.decode.decode`. Returns the offset of the first octet not taken, the row after the
last, and a `Stop`.
"""
