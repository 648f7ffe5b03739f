"""The attributes of an interned blob as the rest of a line of JSON, by compiled code.

Only what is entirely ordinary is written here. AS4_PATH beside 2-octet AS numbers, extended communities, unknown
attributes, attributes sent twice, and lengths that do not fit are left to `Element.plain`.
"""

from ipaddress import IPv6Address
from typing import Any

import numpy as np

from anycast.route import WELL_KNOWN
from collector.kernel.compiled import inner
from collector.kernel.text_words import four, letter, number, span
from collector.kernel.words import byte, put, word16, word32, word64

u64 = np.uint64
_0, _1, _2, _3, _4, _8, _16, _32, _48 = (u64(n) for n in (0, 1, 2, 3, 4, 8, 16, 32, 48))
_5, _6, _7, _9, _10, _12, _14, _20, _24 = (u64(n) for n in (5, 6, 7, 9, 10, 12, 14, 20, 24))
_FFFF, _LETTER, _EXTENDED = u64(0xFFFF), u64(87), u64(0x10)
_SPACE, _COMMA, _COLON, _QUOTE, _CLOSE = (u64(ord(sign)) for sign in ' ,:"]')

WORK = 66
"""Words in which the place and the size of each attribute are noted."""
_WORK, _33 = u64(WORK), u64(33)

FIXED = u64(1024)
"""Room for a text, and for each octet of its blob `EACH` more: a community takes most, 23 for 4."""
EACH = u64(8)


def _text(of: str) -> Any:
    return np.frombuffer(of.encode() + bytes(8), np.uint8).copy()


_IGP, _EGP, _INCOMPLETE = _text(',"origin":"igp"'), _text(',"origin":"egp"'), _text(',"origin":"incomplete"')
_AS_PATH, _NEXT_HOP, _LINK_LOCAL = _text(',"as_path":"'), _text(',"next_hop":"'), _text(',"link_local":"')
_MED, _LOCAL_PREF, _ATOMIC = _text(',"med":'), _text(',"local_pref":'), _text(',"atomic_aggregate":true')
_AGGREGATOR, _COMMUNITIES = _text(',"aggregator":['), _text(',"communities":[')
_LARGE = _text(',"large_communities":[')
_ORIGINATOR, _CLUSTERS, _ORIGIN_ASN = _text(',"originator_id":"'), _text(',"cluster_list":['), _text(',"origin_asn":')
_MAPPED, _DOTTED = _text("::ffff:"), "." in str(IPv6Address("::ffff:1.2.3.4"))  # from Python 3.13 on
_OPENS, _CLOSES = _text(" { ([")[:5], _text(" } )]")[:5]

_NAMED = np.array(sorted(WELL_KNOWN), np.uint64)
_NAMES = _text("".join(WELL_KNOWN[value] for value in sorted(WELL_KNOWN)))
_NAME_STARTS = np.cumsum([0, *(len(WELL_KNOWN[value]) for value in sorted(WELL_KNOWN))]).astype(np.uint64)
_LEAST_NAMED = u64(min(WELL_KNOWN))


@inner
def said(text: Any, out: Any, to: Any) -> Any:
    """One of the fixed texts."""
    return span(text, _0, u64(len(text)) - _8, out, to)


@inner
def _hexadecimal(out: Any, to: Any, word: Any, digits: Any) -> Any:
    """The lowest `digits` hexadecimal digits."""
    at = to + digits
    while at > to:
        at -= _1
        digit = word & u64(15)
        put(out, at, digit + (_48 if digit < _10 else _LETTER))
        word >>= _4
    return to + digits


@inner
def _group(high: Any, low: Any, index: Any) -> Any:
    word = high if index < _4 else low
    return word >> (_48 - ((index & _3) << _4)) & _FFFF


@inner
def plural(out: Any, to: Any, high: Any, low: Any) -> Any:
    """An IPv6 address as `ipaddress` writes it: the first longest run of two zero groups or more is `::`."""
    if _DOTTED and high == _0 and low >> _32 == _FFFF:
        return four(out, said(_MAPPED, out, to), low & u64(0xFFFFFFFF))
    start, best, run = _8, _1, _0
    for position in range(8):
        run = run + _1 if _group(high, low, u64(position)) == _0 else _0
        if run > best:
            best, start = run, u64(position) + _1 - run
    index = _0
    while index < _8:
        if index == start:
            put(out, to, _COLON)
            to += _1
            if index == _0:
                put(out, to, _COLON)
                to += _1
            index += best
            continue
        group = _group(high, low, index)
        digits = _1
        while digits < _4 and group >> (digits << _2) != _0:
            digits += _1
        to = _hexadecimal(out, to, group, digits)
        index += _1
        if index < _8:
            put(out, to, _COLON)
            to += _1
    return to


@inner
def _path(octets: Any, at: Any, end: Any, width: Any, out: Any, to: Any) -> Any:
    """AS_PATH (where it ends, the origin AS or all ones); an end of 0 where it is not whole segments of known types."""
    first, origin = True, u64(0xFFFFFFFFFFFFFFFF)
    while at < end:
        if end - at < _2:
            return _0, origin
        kind, count = byte(octets, at), byte(octets, at + _1)
        at += _2
        if kind < _1 or kind > _4 or count == _0 or count * width > end - at:
            return _0, origin
        if not first:
            to = letter(out, to, _SPACE)
        first = False
        if kind != _2:
            to = letter(out, to, u64(_OPENS[kind]))
        between, asn = _SPACE if kind in (_2, _3) else _COMMA, _0
        for index in range(count):
            if index > 0:
                to = letter(out, to, between)
            asn = word32(octets, at) if width == _4 else word16(octets, at)
            to = number(out, to, asn)
            at += width
        if kind != _2:
            to = letter(out, to, u64(_CLOSES[kind]))
        origin = asn if kind in (_2, _3) or count == _1 else u64(0xFFFFFFFFFFFFFFFF)
    return to, origin


@inner
def _community(out: Any, to: Any, value: Any) -> Any:
    if value >= _LEAST_NAMED:
        for index in range(len(_NAMED)):
            if _NAMED[index] == value:
                start = _NAME_STARTS[index]
                return span(_NAMES, start, _NAME_STARTS[index + 1] - start, out, to)
    to = number(out, to, value >> _16)
    return number(out, letter(out, to, _COLON), value & _FFFF)


@inner
def _communities(octets: Any, at: Any, size: Any, out: Any, to: Any) -> Any:
    end, to = at + size, said(_COMMUNITIES, out, to)
    while at < end:
        to = _community(out, letter(out, to, _QUOTE), word32(octets, at))
        to = letter(out, letter(out, to, _QUOTE), _COMMA)
        at += _4
    return letter(out, to - _1, _CLOSE)


@inner
def _large(octets: Any, at: Any, size: Any, out: Any, to: Any) -> Any:
    end, to = at + size, said(_LARGE, out, to)
    while at < end:
        to = number(out, letter(out, to, _QUOTE), word32(octets, at))
        to = number(out, letter(out, to, _COLON), word32(octets, at + _4))
        to = number(out, letter(out, to, _COLON), word32(octets, at + _8))
        to = letter(out, letter(out, to, _QUOTE), _COMMA)
        at += _12
    return letter(out, to - _1, _CLOSE)


@inner
def _clusters(octets: Any, at: Any, size: Any, out: Any, to: Any) -> Any:
    end, to = at + size, said(_CLUSTERS, out, to)
    while at < end:
        to = four(out, letter(out, to, _QUOTE), word32(octets, at))
        to = letter(out, letter(out, to, _QUOTE), _COMMA)
        at += _4
    return letter(out, to - _1, _CLOSE)


@inner
def _fits(code: Any, size: Any, narrow: Any) -> Any:
    """Whether an attribute is one that is written here, of a length that it can have."""
    if code == _1:
        return size == _1
    if code == _2:
        return True
    if code in (_3, _4, _5, _9):
        return size == _4
    if code == _6:
        return size == _0
    if code == _7:
        return size == (_6 if narrow != _0 else _8)
    if code in (_8, _10):
        return size % _4 == _0 and size != _0
    if code == _14:
        return size >= _5
    if code == _32:
        return size % _12 == _0 and size != _0
    return False


@inner
def _hops(octets: Any, at: Any, size: Any, out: Any, to: Any) -> Any:
    """The next hops in MP_REACH_NLRI as it is kept (AFI, SAFI, length, next hop); 0 where they are not ordinary."""
    length = byte(octets, at + _3)
    if length + _4 > size or byte(octets, at + _2) != _1:
        return _0
    if length == _4:
        to = four(out, said(_NEXT_HOP, out, to), word32(octets, at + _4))
        return letter(out, to, _QUOTE)
    if length != _16 and length != _32:
        return _0
    to = plural(out, said(_NEXT_HOP, out, to), word64(octets, at + _4), word64(octets, at + _12))
    if length == _32:
        to = said(_LINK_LOCAL, out, letter(out, to, _QUOTE))
        to = plural(out, to, word64(octets, at + _20), word64(octets, at + u64(28)))
    return letter(out, to, _QUOTE)


@inner
def attributes_text(octets: Any, start: Any, size: Any, narrow: Any, variant: Any, work: Any, out: Any, to: Any) -> Any:
    """Write what follows the session in a line; returns its end, or 0 for what is not ordinary.

    The caller has made room for `FIXED` and `EACH` for each of the `size` octets of the blob at `start`; `variant` is 0
    for an IPv4 route and 1 for an IPv6 one; `work` is uint64[WORK].
    """
    for code in range(_WORK):
        work[code] = _0
    at, end = start, start + size
    while at < end:
        if end - at < _3:
            return _0
        flags, code = byte(octets, at), byte(octets, at + _1)
        head = _4 if flags & _EXTENDED != _0 else _3
        if end - at < head:
            return _0
        length = word16(octets, at + _2) if head == _4 else byte(octets, at + _2)
        at += head
        if length > end - at or code > _32 or not _fits(code, length, narrow) or work[code] != _0:
            return _0
        work[code], work[code + _33] = at, length
        at += length
    return _written(octets, work, _2 if narrow != _0 else _4, variant, out, to)


@inner
def _written(octets: Any, work: Any, width: Any, variant: Any, out: Any, to: Any) -> Any:
    if work[_1] != _0:
        origin = byte(octets, work[_1])
        if origin > _2:
            return _0
        if origin == _0:
            to = said(_IGP, out, to)
        elif origin == _1:
            to = said(_EGP, out, to)
        else:
            to = said(_INCOMPLETE, out, to)
    to = said(_AS_PATH, out, to)
    origin_asn = u64(0xFFFFFFFFFFFFFFFF)
    if work[_2] != _0:
        to, origin_asn = _path(octets, work[_2], work[_2] + work[_2 + _33], width, out, to)
        if to == _0:
            return _0
    to = letter(out, to, _QUOTE)
    reach = work[_14]
    if reach != _0 and word16(octets, reach) == _1 + variant:
        to = _hops(octets, reach, work[_14 + _33], out, to)
        if to == _0:
            return _0
    elif reach != _0 and word16(octets, reach) > _2:
        return _0
    elif work[_3] != _0:
        to = four(out, said(_NEXT_HOP, out, to), word32(octets, work[_3]))
        to = letter(out, to, _QUOTE)
    if work[_4] != _0:
        to = number(out, said(_MED, out, to), word32(octets, work[_4]))
    if work[_5] != _0:
        to = number(out, said(_LOCAL_PREF, out, to), word32(octets, work[_5]))
    if work[_6] != _0:
        to = said(_ATOMIC, out, to)
    if work[_7] != _0:
        asn = word32(octets, work[_7]) if width == _4 else word16(octets, work[_7])
        to = number(out, said(_AGGREGATOR, out, to), asn)
        to = letter(out, letter(out, to, _COMMA), _QUOTE)
        to = four(out, to, word32(octets, work[_7] + width))
        to = letter(out, letter(out, to, _QUOTE), _CLOSE)
    if work[_8] != _0:
        to = _communities(octets, work[_8], work[_8 + _33], out, to)
    if work[_32] != _0:
        to = _large(octets, work[_32], work[_32 + _33], out, to)
    if work[_9] != _0:
        to = four(out, said(_ORIGINATOR, out, to), word32(octets, work[_9]))
        to = letter(out, to, _QUOTE)
    if work[_10] != _0:
        to = _clusters(octets, work[_10], work[_10 + _33], out, to)
    if origin_asn != u64(0xFFFFFFFFFFFFFFFF):
        to = number(out, said(_ORIGIN_ASN, out, to), origin_asn)
    return to
