"""The sessions of one feed, as compiled code looks them up by the per-peer header of a BMP message (RFC 7854, 4.2)."""

from typing import Any, NamedTuple

import numpy as np

from collector.kernel.compiled import FINGERPRINT, entry, inner
from collector.kernel.words import borrow, byte, word32, word64

u64 = np.uint64
_0, _1, _8, _32 = u64(0), u64(1), u64(8), u64(32)
_NONE = u64(0xFFFFFFFFFFFFFFFF)
_GOLDEN = u64(0x9E3779B97F4A7C15)
RIBS = 5
ADD_PATH_OUT = 2
"""Shift of the Adj-RIB-Out pair in `Peers.add_path`."""


class Peers(NamedTuple):
    """Arrays, one entry a session."""

    slots: Any
    """uint32, a power of two long: entry number + 1, 0 where empty."""
    keys: Any
    """uint64[n, 4]: type and V flag, distinguisher, address high, address low."""
    session: Any
    """uint32: session id."""
    asn: Any
    """int64: the AS number that the header must have, -1 where it may be any."""
    add_path: Any
    """uint8: bit 0 IPv4 and bit 1 IPv6 of Adj-RIB-In and Loc-RIB, bits 2 and 3 the same of Adj-RIB-Out. Bits 4 and 6:
    OPENs say that it is so (`collector.kernel.update.SURE`, which is 6 of Adj-RIB-Out)."""
    quiet_since: Any
    """int64[n, 5]: when each RIB view last heard a message, ns."""
    dump_since: Any
    """int64[n, 5]: when each RIB view began its dump, ns."""
    phase: Any
    """uint8[n, 5]: anycast.columns.Phase of each RIB view."""
    messages: Any
    """uint64: Route Monitorings that compiled code took."""
    quiet: Any
    """int64[2]: ns of silence that end a dump, and the longest that a dump may last."""


@inner
def lent_peers(peers: Any) -> Any:
    """The arrays without their reference counts, for the length of one call."""
    return Peers(
        borrow(peers.slots),
        borrow(peers.keys),
        borrow(peers.session),
        borrow(peers.asn),
        borrow(peers.add_path),
        borrow(peers.quiet_since),
        borrow(peers.dump_since),
        borrow(peers.phase),
        borrow(peers.messages),
        borrow(peers.quiet),
    )


@inner
def mix(kind: Any, distinguisher: Any, high: Any, low: Any) -> Any:
    """Spread a key over the slots. A feed chooses its own keys, so a bad spread harms that feed alone."""
    value = kind * _GOLDEN ^ distinguisher
    value = (value ^ value >> _32) * _GOLDEN ^ high
    value = (value ^ value >> _32) * _GOLDEN ^ low
    value = (value ^ value >> _32) * _GOLDEN
    return value ^ value >> _32


@inner
def lookup(peers: Any, kind: Any, distinguisher: Any, high: Any, low: Any) -> Any:
    """Return the entry number of a key, or all ones."""
    mask = u64(len(peers.slots)) - _1
    slot = mix(kind, distinguisher, high, low) & mask
    while peers.slots[slot] != 0:
        number = u64(peers.slots[slot]) - _1
        if (
            peers.keys[number, _0] == kind
            and peers.keys[number, _1] == distinguisher
            and peers.keys[number, u64(2)] == high
            and peers.keys[number, u64(3)] == low
        ):
            return number
        slot = (slot + _1) & mask
    return _NONE


@inner
def peer(peers: Any, buffer: Any, at: Any) -> Any:
    """Entry number of the session that the per-peer header at `at` names, or all ones. 42 octets are there."""
    kind, flags = byte(buffer, at), byte(buffer, at + _1)
    distinguisher = word64(buffer, at + u64(2))
    version, high, low = _0, _0, _0
    if kind != u64(3):
        version, high, low = flags >> u64(7), word64(buffer, at + u64(10)), word64(buffer, at + u64(18))
        if version == _0 and (high != _0 or low >> _32 != _0):
            return _NONE
    number = lookup(peers, kind << _8 | version, distinguisher, high, low)
    if number != _NONE and peers.asn[number] >= 0 and u64(peers.asn[number]) != word32(buffer, at + u64(26)):
        return _NONE
    return number


@inner
def rib(kind: Any, flags: Any) -> Any:
    """The RIB view that type and flags name, as an index of anycast.observation.Rib (RFC 7854, 8671, 9069)."""
    if kind == u64(3):
        return u64(2)
    post = flags >> u64(6) & _1
    if flags >> u64(4) & _1:
        return u64(3) + post
    return post


@inner
def heard(peers: Any, number: Any, view: Any, at: Any) -> Any:
    """Note that a view was heard at `at` (ns) and return its phase: a dump ends with the first quiet spell."""
    quiet = at - peers.quiet_since[number, view] >= peers.quiet[_0]
    if peers.phase[number, view] == 0 and (quiet or at - peers.dump_since[number, view] >= peers.quiet[_1]):
        peers.phase[number, view] = 1
    peers.quiet_since[number, view] = at
    return peers.phase[number, view]


@inner
def stamp(buffer: Any, at: Any) -> Any:
    """The router's stamp of the per-peer header at `at`, ns; 0 where it sent 0 seconds: it has none to give."""
    seconds, micros = word32(buffer, at + u64(34)), word32(buffer, at + u64(38))
    if seconds == _0:
        return np.int64(0)
    return np.int64(seconds * u64(1_000_000_000) + min(micros, u64(999_999)) * u64(1000))


def _entries(fingerprint: int) -> tuple[Any, Any]:
    @entry
    def enlist(peers: Any, number: Any) -> None:
        assert fingerprint
        peers = lent_peers(peers)
        mask = u64(len(peers.slots)) - _1
        keys = peers.keys
        slot = mix(keys[number, _0], keys[number, _1], keys[number, u64(2)], keys[number, u64(3)]) & mask
        while peers.slots[slot] != 0:
            slot = (slot + _1) & mask
        peers.slots[slot] = number + _1

    @entry
    def note(peers: Any, number: Any, view: Any, at: Any) -> Any:
        assert fingerprint
        return heard(lent_peers(peers), number, view, at)

    return enlist, note


enlist, note = _entries(FINGERPRINT)
"""`enlist(peers, number)` makes an entry findable by its key, which is not there yet; `note` is `heard` for Python."""
