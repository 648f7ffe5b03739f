"""Fragments of IP packets, joined (RFC 791, 3.2; RFC 8200, 4.5).

A packet whose fragments overlap is given up (RFC 5722), one that is not whole after `PATIENCE`, and the one that waits
the longest where more than `WAITING` do.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from anycast.prefix import Address
from collector.wire.pcap.files import Packet
from collector.wire.pcap.packets import Fragment, Segment, segment, whole

WAITING: Final = 64
"""Packets, of 64 KiB at the most, that wait for the rest of them."""

PATIENCE: Final = timedelta(seconds=60)
"""RFC 8200, 4.5; an identification may be of another packet later."""

Known = tuple[tuple[Address, Address], bytes]
"""Both ends, and the identification."""


@dataclass(slots=True)
class _Parts:
    since: datetime | None
    parts: dict[int, bytes] = field(default_factory=dict)
    """By where they begin."""
    kind: int = 0
    size: int | None = None
    """Of the whole, once its last fragment is here."""
    held: int = 0

    def fits(self, part: Fragment, at: datetime | None) -> bool:
        """Whether it can be a fragment of this packet: not one that has another in its place, nor a late one."""
        late = at is not None and self.since is not None and at - self.since > PATIENCE
        return not late and self.parts.get(part.start, part.payload) == part.payload

    def joined(self) -> bytes | None:
        """The whole payload; None while a part lacks, or where parts overlap."""
        if self.size != self.held:
            return None
        parts = sorted(self.parts.items())
        payload = b"".join(part for _, part in parts)
        return payload if all(payload.startswith(part, at) for at, part in parts) else None


class Segments:
    """The TCP segments of the packets of a capture."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Known, _Parts] = OrderedDict()
        self._lost = 0

    @property
    def lost(self) -> int:
        """Fragments so far that were not joined."""
        return self._lost + sum(len(parts.parts) for parts in self._waiting.values())

    def take(self, packet: Packet) -> Segment | str | None:
        """Return the segment that a packet is or completes, what it is instead, or None for a part of one."""
        found = segment(packet.link, packet.data)
        return self._joined(found, packet.time) if isinstance(found, Fragment) else found

    def _joined(self, part: Fragment, at: datetime | None) -> Segment | str | None:
        known = part.ends, part.identification
        parts = self._waiting.get(known)
        if parts is None or not parts.fits(part, at):
            self._give_up(known)
            parts = self._waiting[known] = _Parts(at)
            if len(self._waiting) > WAITING:
                self._give_up(next(iter(self._waiting)))
        if part.start not in parts.parts:
            parts.parts[part.start] = part.payload
            parts.held += len(part.payload)
        if part.start == 0:
            parts.kind = part.kind
        if not part.more:
            parts.size = part.start + len(part.payload)
        payload = parts.joined()
        if payload is None:
            return None
        del self._waiting[known]
        return whole(part.ends, parts.kind, payload)

    def _give_up(self, known: Known) -> None:
        parts = self._waiting.pop(known, None)
        self._lost += len(parts.parts) if parts is not None else 0
