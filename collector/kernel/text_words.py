"""Numbers and addresses as text, written into a buffer in which the caller has made sure of room.

Each writer takes (buffer of uint8, offset, value) and returns the offset behind what it wrote. Stores are of whole
words, so up to `SLACK` octets behind the text may change: they belong to the room that is asked for.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner, spelled
from collector.kernel.words import put

u64 = np.uint64
_0, _1, _2, _3, _4, _7, _8, _9, _10 = (u64(number) for number in (0, 1, 2, 3, 4, 7, 8, 9, 10))
_16, _32, _48, _64, _FF, _FFFF = u64(16), u64(32), u64(48), u64(64), u64(0xFF), u64(0xFFFF)
_ZERO, _DOT, _COLON, _LETTER = u64(48), u64(46), u64(58), u64(87)

SLACK = u64(8)
"""Octets behind a text that a writer may overwrite, and that a reader of whole words may read."""
ADDRESS = u64(48)
"""Room for any address."""
NUMBER = u64(24)
"""Room for any number."""


@spelled
def store64(typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Store 8 octets, the lowest first, at an offset that the caller has checked."""
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(64).as_pointer())
        builder.store(arguments[2], pointer, align=1)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.uint64), generate


@spelled
def load64(typing: Any, array: Any, at: Any) -> Any:
    """Load 8 octets, the lowest first, from an offset that the caller has checked."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(array, types.uint64), generate


def _octet_words() -> np.ndarray:
    """For each octet its decimal text with a dot behind it, lowest octet first, and the text's length in the top."""
    words = [int.from_bytes(f"{octet}.".encode(), "little") | (len(str(octet)) + 1) << 56 for octet in range(256)]
    return np.array(words, np.uint64)


_OCTETS = _octet_words()


@inner
def span(source: Any, start: Any, size: Any, out: Any, to: Any) -> Any:
    """Copy octets; both arrays have `SLACK` behind them. Also within one array, forward of what is read."""
    done = _0
    while done < size:
        store64(out, to + done, load64(source, start + done))
        done += _8
    return to + size


@inner
def letter(out: Any, to: Any, code: Any) -> Any:
    """One character."""
    put(out, to, code)
    return to + _1


@inner
def number(out: Any, to: Any, value: Any) -> Any:
    """A number in decimal."""
    digits, rest = _1, value
    while rest >= _10:
        rest //= _10
        digits += _1
    at = to + digits
    while at > to:
        at -= _1
        tens = value // _10
        put(out, at, _ZERO + value - tens * _10)
        value = tens
    return to + digits


@inner
def padded(out: Any, to: Any, value: Any, digits: Any) -> Any:
    """The lowest digits of a number, zeros in front."""
    at = to + digits
    while at > to:
        at -= _1
        tens = value // _10
        put(out, at, _ZERO + value - tens * _10)
        value = tens
    return to + digits


@inner
def four(out: Any, to: Any, address: Any) -> Any:
    """An IPv4 address, in the lower 32 bits."""
    for shift in (u64(24), _16, _8, _0):
        word = _OCTETS[address >> shift & _FF]
        store64(out, to, word)
        to += word >> u64(56)
    return to - _1


@inner
def _hexadecimal(out: Any, to: Any, group: Any) -> Any:
    shift = u64(12)
    while shift > _0 and group >> shift == _0:
        shift -= _4
    while True:
        digit = group >> shift & u64(15)
        put(out, to, digit + (_ZERO if digit < _10 else _LETTER))
        to += _1
        if shift == _0:
            return to
        shift -= _4


@inner
def _group(high: Any, low: Any, index: Any) -> Any:
    word = high if index < _4 else low
    return word >> (_48 - ((index & _3) << _4)) & _FFFF


@inner
def _longest_run(high: Any, low: Any) -> Any:
    """Start and length of the first of the longest runs of zero groups."""
    start, best, run = _8, _0, _0
    for index in range(8):
        run = run + _1 if _group(high, low, u64(index)) == _0 else _0
        if run > best:
            best, start = run, u64(index) + _1 - run
    return start, best


@inner
def six(out: Any, to: Any, high: Any, low: Any) -> Any:
    """An IPv6 address as bgpdump spells it (see `collector.wire.spelled.address_text`)."""
    if high == _0 and (low >> _32 == _FFFF or (low >> _32 == _0 and low > _1)):
        store64(out, to, u64(0x3A666666663A3A))  # ::ffff:
        return four(out, to + (_2 if low >> _32 == _0 else _7), low & u64(0xFFFFFFFF))
    start, best = _longest_run(high, low)
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
        to = _hexadecimal(out, to, _group(high, low, index))
        index += _1
        if index < _8:
            put(out, to, _COLON)
            to += _1
    return to
