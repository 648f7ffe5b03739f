"""Path attributes as table dumps write them (RFC 6396, 4.3.4), checked and brought into the canonical form.

The reader of a dump sees what a router took long ago: flags are not looked at and nothing need be there. What would
have to be told of (see `collector.wire.mrt.elements`) is refused and left to the plain decoder.
"""

from typing import Any

import numpy as np

from collector.kernel.attributes import SEEN, SIZE, value_fits
from collector.kernel.compiled import apart, inner
from collector.kernel.intern import intern
from collector.kernel.seen import IDENTITY, keep, place_of, recall
from collector.kernel.stop import PLAIN, ROOM, TAKEN
from collector.kernel.words import byte, copy, word16

u64 = np.uint64
_0, _1, _2, _3, _4, _5, _7, _8 = (u64(number) for number in (0, 1, 2, 3, 4, 5, 7, 8))
_16, _32 = u64(16), u64(32)
_EXTENDED, _OPTIONAL = u64(0x10), u64(0x80)
_REACH, _UNREACH, _AGGREGATOR, _LAST = u64(14), u64(15), u64(7), u64(63)
SIX = _2
"""The bit of `kind` that says IPv6; bit 0 says that AS numbers have 2 octets."""
_LONGEST = u64(65_000)


@inner
def _next_hop(buffer: Any, at: Any, size: Any, six: Any, scratch: Any, found: Any) -> Any:
    """Take MP_REACH_NLRI, which holds only the next hop and its length, or is left whole by some writers."""
    if size == _0:
        return False
    afi, hops, here = _1 + six, byte(buffer, at), at + _1
    if hops + _1 != size:
        if size < _5 or byte(buffer, at + _2) != _1:
            return False
        afi, hops, here = word16(buffer, at), byte(buffer, at + _3), at + _4
        if (afi != _1 and afi != _2) or size < _5 + hops:
            return False
    if hops != _16 and hops != _32 and not (hops == _4 and afi == _1):
        return False
    to = found[SIZE]
    scratch[to], scratch[to + _1], scratch[to + _2] = _OPTIONAL, _REACH, _4 + hops
    scratch[to + _3], scratch[to + _4], scratch[to + _5] = _0, afi, _1
    scratch[to + u64(6)] = hops
    found[SIZE] = copy(buffer, here, here + hops, scratch, to + _7)
    return True


@inner
def _fits(buffer: Any, code: Any, at: Any, size: Any, narrow: Any) -> Any:
    """Whether an attribute may stand in a dump as it is: old ones have wide aggregators beside narrow paths."""
    if code == _UNREACH:
        return False
    return value_fits(buffer, code, at, size, narrow) or (code == _AGGREGATOR and size == _8)


@inner
def _canonical(buffer: Any, start: Any, end: Any, kind: Any, scratch: Any, found: Any) -> Any:
    """Check the attributes in [start, end) and copy them to `scratch`; False when the plain decoder must look."""
    found[SIZE], found[SEEN] = _0, _0
    at, copied, narrow = start, start, kind & _1
    while at < end:
        if end - at < _3:
            return False
        head, code, size = at, byte(buffer, at + _1), byte(buffer, at + _2)
        extended = byte(buffer, at) & _EXTENDED
        at += _3
        if extended:
            if at >= end:
                return False
            size = size << _8 | byte(buffer, at)
            at += _1
        if size > end - at or code > _LAST or found[SEEN] >> code & _1:
            return False
        found[SEEN] |= _1 << code
        if code == _REACH:
            found[SIZE] = copy(buffer, copied, head, scratch, found[SIZE])
            copied = at + size
            if not _next_hop(buffer, at, size, kind >> _1 & _1, scratch, found):
                return False
        elif code == _UNREACH or not (
            value_fits(buffer, code, at, size, narrow) or (code == _AGGREGATOR and size == _8)
        ):
            return False
        at += size
    found[SIZE] = copy(buffer, copied, end, scratch, found[SIZE])
    for index in range(found[SIZE], (found[SIZE] + _7) & ~_7):
        scratch[index] = 0
    return True


@inner
def dumped(buffer: Any, start: Any, size: Any, kind: Any, seen: Any, table: Any, work: Any) -> Any:
    """Take a list of attributes: (what happened, its id). `kind`: see `SIX`."""
    place = place_of(seen, buffer, start, size, kind)
    if recall(seen, place, buffer, start, size, kind):
        return TAKEN, seen.places[place, IDENTITY]
    return _learned(buffer, start, size, kind, place, seen, table, work)


@apart
def _learned(buffer: Any, start: Any, size: Any, kind: Any, place: Any, seen: Any, table: Any, work: Any) -> Any:
    """The same for a list that was not seen before, or not for long."""
    scratch, words, found = work
    if size > _LONGEST or not _canonical(buffer, start, start + size, kind, scratch, found):
        return PLAIN, _0
    identity = intern(table, words, found[SIZE], kind & _1)
    if identity == _0:
        return ROOM, _0
    keep(seen, place, buffer, start, size, kind, identity)
    return TAKEN, identity
