"""SipHash-1-3 (Aumasson and Bernstein) over whole 64-bit words: a keyed hash that a router cannot make collide at will.

Input is a blob padded with zeros to 8 bytes, its length in the final word, as the algorithm says; words are
little-endian.
"""

from typing import Any

import numpy as np

from collector.kernel.compiled import inner

u64 = np.uint64
_V0, _V1 = u64(0x736F6D6570736575), u64(0x646F72616E646F6D)
_V2, _V3 = u64(0x6C7967656E657261), u64(0x7465646279746573)
_FF, _3, _7, _8, _56, _64 = u64(0xFF), u64(3), u64(7), u64(8), u64(56), u64(64)
_13, _16, _17, _21, _32 = u64(13), u64(16), u64(17), u64(21), u64(32)


@inner
def _turn(value: Any, by: Any) -> Any:
    return value << by | value >> (_64 - by)


@inner
def _round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    v0 += v1
    v2 += v3
    v1 = _turn(v1, _13) ^ v0
    v3 = _turn(v3, _16) ^ v2
    v0 = _turn(v0, _32)
    v2 += v1
    v0 += v3
    v1 = _turn(v1, _17) ^ v2
    v3 = _turn(v3, _21) ^ v0
    v2 = _turn(v2, _32)
    return v0, v1, v2, v3


@inner
def siphash(words: Any, length: Any, key0: Any, key1: Any) -> Any:
    """Hash the first `length` bytes of `words` (uint64 array; the bytes after `length` up to the next word are zero).
    Hash the first `length` bytes of `words` (uint64 array; the bytes after `length` up to the next word are zero)."""
    v0, v1, v2, v3 = key0 ^ _V0, key1 ^ _V1, key0 ^ _V2, key1 ^ _V3
    whole = length >> _3
    for index in range(whole):
        word = words[index]
        v3 ^= word
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 ^= word
    last = length << _56
    if length & _7:
        last |= words[whole]
    v3 ^= last
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0 ^= last
    v2 ^= _FF
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
