"""The part of a bgpdump line that follows the prefix, from an interned attribute blob.

Only what is entirely ordinary is written here. AS4_PATH beside 2-octet AS numbers, attributes sent twice, and lengths
that do not fit are left to `collector.wire.spelled`.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.text_words import four, letter, number, six, span
from collector.kernel.words import byte, word16, word32, word64

u64 = np.uint64
_0, _1, _2, _3, _4, _8, _16, _32 = (u64(number) for number in (0, 1, 2, 3, 4, 8, 16, 32))
_64, _BAR, _SPACE, _COMMA, _COLON = u64(64), u64(124), u64(32), u64(44), u64(58)
_EXTENDED, _NO_ADDRESS = u64(0x10), u64(0xFFFFFFFF)

SIX, DEPRECATED = u64(1), u64(2)
"""What the text depends on beside the blob, as bits of a variant: IPv6, and the form of the deprecated records."""
VARIANTS = 4

FIXED = u64(256)
"""Room for a text, and for each octet of its blob `EACH` more: 2-octet AS numbers take most, at 6 for 2."""
EACH = u64(4)


def _text(of: str) -> Any:
    return np.frombuffer(of.encode() + bytes(8), np.uint8).copy()


_IGP, _EGP, _INCOMPLETE = _text("|IGP|"), _text("|EGP|"), _text("|INCOMPLETE|")
_NO_EXPORT, _NO_ADVERTISE, _LOCAL_AS = _text("no-export"), _text("no-advertise"), _text("local-AS")
_AG, _NAG = _text("|AG|"), _text("|NAG|")
_OPENS, _CLOSES = _text(" { ([")[:5], _text(" } )]")[:5]


@inner
def _path(octets: Any, at: Any, end: Any, width: Any, out: Any, to: Any) -> Any:
    """AS_PATH; 0 where it is not whole segments of known types, none of them empty."""
    first = True
    while at < end:
        if end - at < _2:
            return _0
        kind, count = byte(octets, at), byte(octets, at + _1)
        at += _2
        if kind < _1 or kind > _4 or count == _0 or count * width > end - at:
            return _0
        if not first:
            to = letter(out, to, _SPACE)
        first = False
        if kind != _2:
            to = letter(out, to, u64(_OPENS[kind]))
        between = _SPACE if kind in (_2, _3) else _COMMA
        for index in range(count):
            if index > 0:
                to = letter(out, to, between)
            to = number(out, to, word32(octets, at) if width == _4 else word16(octets, at))
            at += width
        if kind != _2:
            to = letter(out, to, u64(_CLOSES[kind]))
    return to


@inner
def _communities(octets: Any, at: Any, end: Any, out: Any, to: Any) -> Any:
    first = True
    while at < end:
        if not first:
            to = letter(out, to, _SPACE)
        first = False
        value = word32(octets, at)
        if value == u64(0xFFFFFF01):
            to = span(_NO_EXPORT, _0, u64(9), out, to)
        elif value == u64(0xFFFFFF02):
            to = span(_NO_ADVERTISE, _0, u64(12), out, to)
        elif value == u64(0xFFFFFF03):
            to = span(_LOCAL_AS, _0, _8, out, to)
        else:
            to = number(out, to, value >> _16)
            to = letter(out, to, _COLON)
            to = number(out, to, value & u64(0xFFFF))
        at += _4
    return to


@inner
def _origin(code: Any, out: Any, to: Any) -> Any:
    if code == _0:
        return span(_IGP, _0, u64(5), out, to)
    if code == _1:
        return span(_EGP, _0, u64(5), out, to)
    return span(_INCOMPLETE, _0, u64(12), out, to)


@inner
def _next_hop(octets: Any, classic: Any, reach: Any, out: Any, to: Any) -> Any:
    """The next hop at `reach` (its length octet), else at `classic`, else none; 0 where the length cannot be one."""
    if reach != _0:
        size = byte(octets, reach)
        if size == _4:
            return four(out, to, word32(octets, reach + _1))
        if size != _16 and size != _32:
            return _0
        return six(out, to, word64(octets, reach + _1), word64(octets, reach + u64(9)))
    return four(out, to, word32(octets, classic) if classic != _0 else _NO_ADDRESS)


@inner
def _fits(code: Any, size: Any, narrow: Any) -> Any:
    """Whether the length of an attribute that is shown is right; any other attribute may have any."""
    if code == _1:
        return size == _1
    if code in (_3, _4, u64(5)):
        return size == _4
    if code == u64(6):
        return size == _0
    if code == u64(7):
        return size == _8 or (size == u64(6) and narrow != _0)
    if code == _8:
        return size != _0 and size % _4 == _0
    # AS4_PATH and AS4_AGGREGATOR, which change what narrow paths say
    return narrow == _0 or (code != u64(17) and code != u64(18))


@inner
def _reach_at(octets: Any, at: Any, size: Any, variant: Any) -> Any:
    """Where MP_REACH_NLRI in canonical form has the length of a next hop of this family; 0 if of another, 1 if odd."""
    if size < _4 or size != _4 + byte(octets, at + _3):
        return _1
    afi = word16(octets, at)
    if byte(octets, at + _2) != _1 or afi != _1 + (variant & SIX):
        return _0
    if byte(octets, at + _3) == _4 and variant & SIX:
        return _1
    return at + _3


@inner
def attributes_text(octets: Any, start: Any, size: Any, narrow: Any, variant: Any, out: Any, to: Any) -> Any:
    """Write the text of the blob at [start, start + size) of `octets` to `out`; its end, or 0: not ordinary.

    `out` has room for `FIXED` and `EACH` times `size`, and `to` is not 0. `narrow` is 1 where AS numbers have 2 octets.
    """
    seen, at, end = _0, start, start + size
    origin, med, pref, atomic = u64(2), _0, _0, False
    path, path_end, hop, reach, group, group_end, who, who_size = _0, _0, _0, _0, _0, _0, _0, _0
    while at < end:
        if end - at < _4 and (end - at < _3 or byte(octets, at) & _EXTENDED):
            return _0
        flags, code, length = byte(octets, at), byte(octets, at + _1), byte(octets, at + _2)
        at += _3
        if flags & _EXTENDED:
            length = length << _8 | byte(octets, at)
            at += _1
        if length > end - at or not _fits(code, length, narrow):
            return _0
        if code < _64:
            if seen >> code & _1:
                return _0
            seen |= _1 << code
        if code == _1:
            origin = byte(octets, at)
        elif code == _2:
            path, path_end = at, at + length
        elif code == _3:
            hop = at
        elif code == _4:
            med = word32(octets, at)
        elif code == u64(5):
            pref = word32(octets, at)
        elif code == u64(6):
            atomic = True
        elif code == u64(7):
            who, who_size = at, length
        elif code == _8:
            group, group_end = at, at + length
        elif code == u64(14):
            reach = _reach_at(octets, at, length, variant)
            if reach == _1:
                return _0
        at += length
    if origin > _2:
        return _0

    to = _path(octets, path, path_end, _4 - _2 * narrow, out, to)
    if to == _0:
        return _0
    to = _origin(origin, out, to)
    to = _next_hop(octets, hop, reach, out, to)
    if to == _0:
        return _0
    to = number(out, letter(out, to, _BAR), pref)
    to = number(out, letter(out, to, _BAR), med)
    if not variant & DEPRECATED:
        to = letter(out, to, _BAR)
    to = _communities(octets, group, group_end, out, to)
    to = span(_AG, _0, _4, out, to) if atomic else span(_NAG, _0, u64(5), out, to)
    if who_size != _0 and word32(octets, who + who_size - _4) != _NO_ADDRESS:
        to = number(out, to, word32(octets, who) if who_size == _8 else word16(octets, who))
        to = letter(out, to, _SPACE)
        to = four(out, to, word32(octets, who + who_size - _4))
    return letter(out, to, _BAR)
