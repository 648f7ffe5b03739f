"""Path attributes of an UPDATE: checked against RFC 4271, 4760 and 7606, and copied without their NLRI.

Only what is entirely as it should be passes. Everything else, and what needs more than a copy (families other than
unicast, flags that are off), is refused and left to the plain decoder.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.words import byte, copy, word16

u64 = np.uint64
_0, _1, _2, _3, _4, _5, _8 = (u64(number) for number in (0, 1, 2, 3, 4, 5, 8))
_16, _32, _255, _ONE_OCTET = u64(16), u64(32), u64(255), u64(0xFF)

SIZE, SEEN, REACH_START, REACH_END, REACH_BITS = u64(0), u64(1), u64(2), u64(3), u64(4)
UNREACH_START, UNREACH_END, UNREACH_BITS = u64(5), u64(6), u64(7)
"""Where `found` (uint64[8]) keeps what: octets in scratch, bit n for attribute n, NLRI of MP_REACH and MP_UNREACH;
BITS is 32 or 128, 0 where there is no such attribute."""

_OPTIONAL, _TRANSITIVE, _PARTIAL, _EXTENDED = u64(0x80), u64(0x40), u64(0x20), u64(0x10)
_BOTH = u64(0xC0)
_REACH, _UNREACH = u64(14), u64(15)
_LAST = u64(63)
"""The highest code that fits into SEEN; higher ones are left to the plain decoder."""
CHECKED = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 25, 26, 32, 35)
"""Codes whose flags and values are checked here; any other one up to 63 may be what it likes."""


@inner
def _flags_fit(code: Any, flags: Any) -> Any:
    """Whether the flags are what RFC 4271, 5, and each attribute's own RFC say."""
    kind = flags & _BOTH
    if code in (_1, _2, _3, _5, u64(6)):
        return kind == _TRANSITIVE and flags & u64(0x2F) == _0
    if code in (_4, u64(9), u64(10), _REACH, _UNREACH, u64(26)):
        return kind == _OPTIONAL and flags & u64(0x2F) == _0
    if code in (u64(7), _8, _16, u64(17), u64(18), u64(25), _32, u64(35)):
        return kind == _BOTH and flags & u64(0x0F) == _0
    return True


@inner
def _path_fits(buffer: Any, start: Any, end: Any, narrow: Any) -> Any:
    """Whether AS_PATH is whole segments of known types, none of them empty (RFC 7606, 7.2)."""
    at, width = start, _4 - _2 * narrow
    while at < end:
        if end - at < _2:
            return False
        kind, count = byte(buffer, at), byte(buffer, at + _1)
        at += _2
        if kind < _1 or kind > _4 or count == _0 or count * width > end - at:
            return False
        at += count * width
    return True


@inner
def value_fits(buffer: Any, code: Any, at: Any, size: Any, narrow: Any) -> Any:
    """Whether the length, and the value where it matters, are as RFC 7606, 7, wants them."""
    if code == _1:
        return size == _1 and byte(buffer, at) <= _2
    if code == _2:
        return _path_fits(buffer, at, at + size, narrow)
    if code in (_3, _4, _5, u64(9)):
        return size == _4
    if code == u64(6):
        return size == _0
    if code == u64(7):
        return size == _8 - _2 * narrow
    if code in (_8, u64(10)):
        return size % _4 == _0 and size != _0
    if code == _16:
        return size % _8 == _0 and size != _0
    if code == _32:
        return size % u64(12) == _0 and size != _0
    return _rarer_fits(buffer, code, at, size)


@inner
def _rarer_fits(buffer: Any, code: Any, at: Any, size: Any) -> Any:
    """The same for what few routes have. What nobody knows is taken as it is."""
    if code == u64(17):
        return _path_fits(buffer, at, at + size, _0)
    if code == u64(18):
        return size == _8
    if code == u64(25):
        return size % u64(20) == _0 and size != _0
    if code == u64(26):  # AIGP with its metric and nothing else
        return size == u64(11) and byte(buffer, at) == _1 and word16(buffer, at + _1) == u64(11)
    if code == u64(35):
        return size == _4
    return True


@inner
def _reach(buffer: Any, at: Any, size: Any, scratch: Any, found: Any) -> Any:
    """Take MP_REACH_NLRI (RFC 4760, 3): next hop into scratch, place of the NLRI into `found`."""
    if size < _5 or byte(buffer, at + _2) != _1:
        return False
    afi, hops = word16(buffer, at), byte(buffer, at + _3)
    if afi == _1:
        if hops != _4 and hops != _16:
            return False
        found[REACH_BITS] = _32
    elif afi == _2:
        if hops != _16 and hops != _32:
            return False
        found[REACH_BITS] = u64(128)
    else:
        return False
    if size < _5 + hops:
        return False
    to = found[SIZE]
    scratch[to], scratch[to + _1] = _OPTIONAL, _REACH
    scratch[to + _2] = _4 + hops
    found[SIZE] = copy(buffer, at, at + _4 + hops, scratch, to + _3)
    found[REACH_START], found[REACH_END] = at + _5 + hops, at + size
    return found[REACH_START] < found[REACH_END]


@inner
def _unreach(buffer: Any, at: Any, size: Any, found: Any) -> Any:
    """Take MP_UNREACH_NLRI (RFC 4760, 4): place of the NLRI into `found`. An empty one is an End-of-RIB: refused."""
    if size <= _3 or byte(buffer, at + _2) != _1:
        return False
    afi = word16(buffer, at)
    if afi != _1 and afi != _2:
        return False
    found[UNREACH_BITS] = _32 if afi == _1 else u64(128)
    found[UNREACH_START], found[UNREACH_END] = at + _3, at + size
    return True


@inner
def attributes(buffer: Any, start: Any, end: Any, narrow: Any, scratch: Any, found: Any) -> Any:
    """Check the attributes in [start, end) and copy them to `scratch` (uint8); False when the plain decoder must look.

    `narrow` is 1 when AS numbers have 2 octets. `scratch` is longer than the longest message.
    """
    found[:] = _0
    at, copied = start, start
    while at < end:
        if end - at < _3:
            return False
        head, flags, code = at, byte(buffer, at), byte(buffer, at + _1)
        size = byte(buffer, at + _2)
        at += _3
        if flags & _EXTENDED:
            if at >= end:
                return False
            size = size << _8 | byte(buffer, at)
            at += _1
        if size > end - at or code > _LAST or not _flags_fit(code, flags):
            return False
        if found[SEEN] >> code & _1:
            return False
        found[SEEN] |= _1 << code
        if code in (_REACH, _UNREACH):
            found[SIZE] = copy(buffer, copied, head, scratch, found[SIZE])
            copied = at + size
            if code == _REACH:
                if not _reach(buffer, at, size, scratch, found):
                    return False
            elif not _unreach(buffer, at, size, found):
                return False
        elif not value_fits(buffer, code, at, size, narrow):
            return False
        at += size
    found[SIZE] = copy(buffer, copied, end, scratch, found[SIZE])
    for index in range(found[SIZE], (found[SIZE] + u64(7)) & ~u64(7)):
        scratch[index] = 0
    return True


@inner
def announces_whole(found: Any, classic: Any) -> Any:
    """Whether the attributes that an announcement must have are there (RFC 4271, 6.3): ORIGIN, AS_PATH, a next hop."""
    needed = u64(0b1110) if classic else u64(0b0110)
    return found[SEEN] & needed == needed
