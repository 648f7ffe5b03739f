"""Lists of path attributes that were taken before, found again by their own octets.

A table dump repeats each list once a prefix, hundreds of thousands of times. Checking, copying and hashing one costs
more than all the rest of its record, so the last ones are kept as they stood in the file, each with the id that it has
in the table of attributes. A place is chosen by a quick hash, and taken over by whatever comes there next; octets are
compared, so a file that makes its lists collide slows down itself.
"""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.words import borrow, byte, load64, need

u64 = np.uint64
_0, _1, _2, _3, _8, _32 = u64(0), u64(1), u64(2), u64(3), u64(8), u64(32)
_7 = u64(7)
_GOLDEN, _OTHER = u64(0x9E3779B97F4A7C15), u64(0xC2B2AE3D27D4EB4F)
LONGEST = u64(1024)
"""Longer lists are not kept."""
WHERE, WHAT, IDENTITY = u64(0), u64(1), u64(2)
"""Columns of `Seen.places`: first word in the arena, size and kind, id."""


class Seen(NamedTuple):
    """What is kept."""

    places: Any
    """uint64[n, 4], n a power of two; a row is half a cache line."""
    arena: Any
    """uint64: octets as they stood, eight a word; the last word of a list ends with its last octet."""
    used: Any
    """uint64[1]: words of the arena that are taken."""


@inner
def lent_seen(seen: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Seen(borrow(seen.places), borrow(seen.arena), borrow(seen.used))


@inner
def _last(buffer: Any, start: Any, size: Any) -> Any:
    """The last, up to eight, octets of a list as a word."""
    if size >= _8:
        return load64(buffer, start + size - _8)
    word = _0
    for index in range(size):
        word = word << _8 | byte(buffer, start + u64(index))
    return word


@inner
def _what(size: Any, kind: Any) -> Any:
    """Size and kind as one word, which is not 0: that is a place nobody took."""
    return size << _8 | kind | u64(0x80)


@inner
def place_of(seen: Any, buffer: Any, start: Any, size: Any, kind: Any) -> Any:
    """Where a list of `size` octets belongs; what `kind` says is part of it."""
    need(buffer, start, size)
    first, second, at = size * _OTHER ^ kind, _GOLDEN, start
    end = start + size
    while end - at > u64(16):
        first = (first ^ load64(buffer, at)) * _GOLDEN
        second = (second ^ load64(buffer, at + _8)) * _OTHER
        first ^= first >> _32
        second ^= second >> _32
        at += u64(16)
    if end - at > _8:
        first = (first ^ load64(buffer, at)) * _GOLDEN
        first ^= first >> _32
    value = (first ^ second ^ _last(buffer, start, size)) * _OTHER
    return (value ^ value >> _32) & (u64(len(seen.places)) - _1)


@inner
def recall(seen: Any, place: Any, buffer: Any, start: Any, size: Any, kind: Any) -> Any:
    """Whether the list is at its place."""
    if seen.places[place, WHAT] != _what(size, kind):
        return False
    need(buffer, start, size)
    words, where = (size + _7) >> _3, seen.places[place, WHERE]
    need_words = u64(len(seen.arena))
    if where > need_words or words > need_words - where:
        raise IndexError("a list beyond the end of the arena")
    for index in range(size >> _3):
        if seen.arena[where + index] != load64(buffer, start + (u64(index) << _3)):
            return False
    return size & _7 == _0 or seen.arena[where + words - _1] == _last(buffer, start, size)


@inner
def keep(seen: Any, place: Any, buffer: Any, start: Any, size: Any, kind: Any, identity: Any) -> None:
    """Put a list at its place, with its id."""
    if size == _0 or size > LONGEST:
        return
    words = (size + _7) >> _3
    if seen.used[_0] + words > u64(len(seen.arena)):
        seen.places[:] = _0
        seen.used[_0] = _0
    need(buffer, start, size)
    where = seen.used[_0]
    for index in range(size >> _3):
        seen.arena[where + index] = load64(buffer, start + (u64(index) << _3))
    if size & _7 != _0:
        seen.arena[where + words - _1] = _last(buffer, start, size)
    seen.used[_0] = where + words
    seen.places[place, WHERE], seen.places[place, WHAT] = where, _what(size, kind)
    seen.places[place, IDENTITY] = identity
