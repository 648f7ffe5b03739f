"""Lists of prefixes that may hold path ids, where no OPEN says so: the session was recorded from its middle on.

A list with path ids often reads without them, too, and then makes 0.0.0.0/1 and 4.0.0.0/6 of an id: nobody may judge
that. A list that routers do not send, and that would be one which they do send if it had path ids, is not read at all.
What routers do not send is a bit behind a prefix's length (RFC 4271, 4.3, allows it), a default route among others,
and a prefix that is too short, or of no address that is routed.
"""

from typing import Final

from anycast.prefix import Family
from collector.wire.bgp.nlri import LONGEST
from collector.wire.bgp.peek import lists_of

SHORTEST: Final[dict[Family, int]] = {Family.IPV4: 8, Family.IPV6: 16}
"""Bits of the shortest prefix that is announced, but for the default route."""


def may_hold_path_ids(nlri: bytes, family: Family) -> bool:
    """Whether a list, of which nobody knows, is one that routers send with path ids only."""
    return not sent_so(nlri, family, add_path=False) and sent_so(nlri, family, add_path=True)


def any_may_hold_path_ids(body: bytes) -> bool:
    """Whether there is such a list of unicast routes in the body of an UPDATE."""
    return any(of.family is not None and may_hold_path_ids(nlri, of.family) for of, nlri in lists_of(body))


def sent_so(nlri: bytes, family: Family, add_path: bool) -> bool:
    """Whether a list that is read with path ids, or without, reads and is one that routers send."""
    longest, position, end = LONGEST[family], 0, len(nlri)
    count = defaults = 0
    while position < end:
        position += 4 if add_path else 0
        length = nlri[position] if position < end else longest + 1
        after = position + 1 + (length + 7) // 8
        if length > longest or after > end or not _announced(nlri[position + 1 : after], length, family):
            return False
        count, defaults, position = count + 1, defaults + (length == 0), after
    return add_path or not defaults or count == 1


def _announced(octets: bytes, length: int, family: Family) -> bool:
    """Whether a prefix is one that is announced: of 1.0.0.0 to 223.255.255.255, of 2000::/3 or of fc00::/7."""
    if length == 0:
        return True
    if length < SHORTEST[family] or octets[-1] & ((1 << -length % 8) - 1):
        return False
    if family is Family.IPV4:
        return 0 < octets[0] < 224
    return octets[0] >> 5 == 1 or octets[0] >> 1 == 0x7E
