"""Who speaks in the messages of an MRT file: AS number and address of the peer, address of the side that recorded it.

Compiled code gives each its number itself; Python reads the keys of the new ones afterwards.
"""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import inner
from collector.kernel.peers import mix
from collector.kernel.words import borrow

u64 = np.uint64
_0, _1, _2, _3, _4 = (u64(number) for number in range(5))
NONE = u64(0xFFFFFFFFFFFFFFFF)
ENTRIES, SESSIONS = u64(0), u64(1)
"""Where `Ends.counts` keeps how many entries there are, and how many sessions of the file have a number."""
SIX, ALONE = u64(1 << 32), u64(1 << 33)
"""Bits of the first word of a key, above the AS number: the addresses are IPv6, there is no recording side."""


class Ends(NamedTuple):
    """Arrays, one entry a pair of ends."""

    slots: Any
    """uint32, a power of two long and at least twice as long as the others: entry number + 1, 0 where empty."""
    keys: Any
    """uint64[n, 5]: AS number and flags, peer's address high and low, local address high and low."""
    session: Any
    """uint32: the session's number in the file."""
    counts: Any
    """uint64[2]."""


@inner
def lent_ends(ends: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Ends(borrow(ends.slots), borrow(ends.keys), borrow(ends.session), borrow(ends.counts))


@inner
def session_of(ends: Any, who: Any) -> Any:
    """Return the number of the session of a key, a new one where it has none; NONE when there is no room for it."""
    what, peer_high, peer_low, high, low = who
    keys, mask = ends.keys, u64(len(ends.slots)) - _1
    slot = mix(what, peer_high ^ high, peer_low, low) & mask
    while ends.slots[slot] != 0:
        number = u64(ends.slots[slot]) - _1
        if (
            keys[number, _0] == what
            and keys[number, _2] == peer_low
            and keys[number, _4] == low
            and keys[number, _1] == peer_high
            and keys[number, _3] == high
        ):
            return u64(ends.session[number])
        slot = (slot + _1) & mask
    number = ends.counts[ENTRIES]
    if number >= u64(len(ends.session)):
        return NONE
    keys[number, _0], keys[number, _1], keys[number, _2] = what, peer_high, peer_low
    keys[number, _3], keys[number, _4] = high, low
    session = ends.counts[SESSIONS]
    ends.session[number], ends.slots[slot] = session, number + _1
    ends.counts[ENTRIES], ends.counts[SESSIONS] = number + _1, session + _1
    return session
