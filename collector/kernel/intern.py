"""Attribute blobs, each kept once: an open-addressing table over an arena, in arrays that compiled code can grow into.

A blob's id is its keyed hash; 0 is no blob, so a hash of 0 becomes 1. Equal hashes are compared byte for byte, and a
blob that meets another one under its own hash takes the next free number: the first to arrive keeps the hash.
"""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.siphash import siphash
from collector.kernel.words import borrow

u64 = np.uint64
_0, _1, _3, _7, _FF = u64(0), u64(1), u64(3), u64(7), u64(0xFF)
ENTRIES, WORDS, COLLISIONS = u64(0), u64(1), u64(2)
"""Where `Interned.counts` keeps what."""


class Interned(NamedTuple):
    """The table's arrays. A full array is replaced by a larger one between two calls."""

    slots: Any
    """uint32, a power of two long: entry number + 1, 0 where empty."""
    ids: Any
    """uint64 an entry."""
    starts: Any
    """uint64 an entry: its first word in the arena."""
    sizes: Any
    """uint64 an entry: octets."""
    narrow: Any
    """uint8 an entry: 1 when AS numbers are 2 octets."""
    arena: Any
    """uint64 words, each blob padded with zeros."""
    counts: Any
    """uint64[3]."""
    key: Any
    """uint64[3]: two words of key, and a mask over the hash (all ones; tests make collisions with fewer)."""


@inner
def lent_table(table: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Interned(
        borrow(table.slots),
        borrow(table.ids),
        borrow(table.starts),
        borrow(table.sizes),
        borrow(table.narrow),
        borrow(table.arena),
        borrow(table.counts),
        borrow(table.key),
    )


@inner
def _same(table: Any, number: Any, words: Any, size: Any, narrow: Any) -> Any:
    if table.sizes[number] != size or u64(table.narrow[number]) != narrow:
        return False
    start = table.starts[number]
    for index in range((size + _7) >> _3):  # noqa: SIM110 - compiled as it stands
        if table.arena[start + index] != words[index]:
            return False
    return True


@inner
def _insert(table: Any, slot: Any, identity: Any, words: Any, size: Any, narrow: Any) -> Any:
    """Append an entry; 0 when an array is full."""
    number, start, length = table.counts[ENTRIES], table.counts[WORDS], (size + _7) >> _3
    if number >= u64(len(table.ids)) or (number + _1) << _1 > u64(len(table.slots)):
        return _0
    if start + length > u64(len(table.arena)):
        return _0
    for index in range(length):
        table.arena[start + index] = words[index]
    table.ids[number], table.starts[number], table.sizes[number] = identity, start, size
    table.narrow[number] = narrow
    table.slots[slot] = number + _1
    table.counts[ENTRIES], table.counts[WORDS] = number + _1, start + length
    return identity


@inner
def intern(table: Any, words: Any, size: Any, narrow: Any) -> Any:
    """Return the id of the first `size` octets of `words`, kept from now on; 0 when the table must grow first."""
    identity = siphash(words, size, table.key[_0] ^ narrow, table.key[_1]) & table.key[u64(2)]
    mask = u64(len(table.slots)) - _1
    met = _0
    while True:
        if identity == _0:
            identity = _1
        slot, taken = identity & mask, False
        while table.slots[slot] != 0:
            number = u64(table.slots[slot]) - _1
            if table.ids[number] == identity:
                if _same(table, number, words, size, narrow):
                    return identity
                taken = True
                break
            slot = (slot + _1) & mask
        if not taken:
            made = _insert(table, slot, identity, words, size, narrow)
            if made != _0:
                table.counts[COLLISIONS] += met
            return made
        identity, met = identity + _1, _1


def _entries(fingerprint: int) -> tuple[Any, Any, Any, Any]:
    @entry
    def intern_one(table: Any, words: Any, size: Any, narrow: Any) -> Any:
        assert fingerprint
        return intern(lent_table(table), borrow(words), size, narrow)

    @entry
    def find(table: Any, identity: Any) -> Any:
        assert fingerprint
        mask = u64(len(table.slots)) - _1
        slot = identity & mask
        while table.slots[slot] != 0:
            number = u64(table.slots[slot]) - _1
            if table.ids[number] == identity:
                return number + _1
            slot = (slot + _1) & mask
        return _0

    @entry
    def refill(slots: Any, ids: Any, entries: Any) -> None:
        assert fingerprint
        mask = u64(len(slots)) - _1
        for number in range(entries):
            slot = ids[number] & mask
            while slots[slot] != 0:
                slot = (slot + _1) & mask
            slots[slot] = number + _1

    @entry
    def unpack(table: Any, first: Any, after: Any, offsets: Any, octets: Any) -> None:
        assert fingerprint
        table, offsets, octets = lent_table(table), borrow(offsets), borrow(octets)
        to = _0
        for number in range(first, after):
            start, size = table.starts[number], table.sizes[number]
            offsets[number - first] = to
            for index in range(size):
                octets[to] = table.arena[start + (index >> _3)] >> ((index & _7) << _3) & _FF
                to += _1
        offsets[after - first] = to

    return intern_one, find, refill, unpack


intern_one, find, refill, unpack = _entries(FINGERPRINT)
"""`intern` for Python; `find(table, id)` gives entry number + 1 or 0; `refill(slots, ids, entries)` rebuilds the slots
after they grew; `unpack(table, first, after, offsets, octets)` writes the blobs of entries as an Arrow binary array
has them."""
