"""What is counted of one feed. Plain numbers that only grow; whoever shows them reads them when asked."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from collector.wire.bmp.values import MessageType

TYPES: Final = (*(kind.name.lower().replace("_", "-") for kind in MessageType), "malformed")
"""Message types in the words of RFC 7854: `route-monitoring`, `peer-up`, ...; `malformed` where it cannot be read."""


@dataclass(slots=True)
class FeedCounters:
    """Counts of one BMP connection, or summed over all connections of one exporter."""

    octets: int = 0
    messages: int = 0
    """Whole BMP messages, of every type."""
    routes: int = 0
    """Rows of the bulk lane: routes announced and withdrawn."""
    judged: int = 0
    """Of those, how many became values."""
    given_up: int = 0
    """Rows left out of the bulk lane because we could not keep up."""
    plain: int = 0
    """Messages that the plain decoder took because compiled code would not."""
    malformed: int = 0
    """Messages with something wrong that cost a route, an attribute, or the message."""
    unkept: int = 0
    """Of those, the ones whose bytes were not kept because there were too many in a minute."""
    tolerated: int = 0
    """Messages that were odd and taken all the same: 2-octet AS paths without the A flag, OPENs that cannot be read."""
    own_as: int = 0
    """Watched routes of eBGP peers that had the exporter's own AS in front of their path, which was taken away."""
    orphans: int = 0
    """Sessions that were first heard of by a route, without a Peer Up."""
    orphan_messages: int = 0
    """Route Monitorings of such sessions, until their Peer Up came after all."""
    quarantined: int = 0
    """Watched routes of such sessions that are not judged, and ends of their tables."""
    duplicate_ups: int = 0
    """Peer Ups of a session that was up already."""
    stray_downs: int = 0
    """Peer Downs of a session that was not up."""
    foreign: int = 0
    """UPDATEs with routes of families other than IPv4 and IPv6 unicast, which are left out."""
    trailing: int = 0
    """Route Monitorings with octets behind their UPDATE."""
    mirrored: int = 0
    mirror_losses: int = 0
    by_type: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(TYPES, 0)))
    """Messages by type; every key is there from the start, so that another thread may read while it is counted."""

    def add(self, other: "FeedCounters") -> None:
        """Add another's counts to these."""
        for name in self.__slots__:
            if name == "by_type":
                self.by_type.update(other.by_type)
            else:
                setattr(self, name, getattr(self, name) + getattr(other, name))
