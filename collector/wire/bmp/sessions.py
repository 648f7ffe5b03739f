"""What the Peer Ups of one exporter have agreed on: how to read the UPDATEs of each session and view."""

from anycast.observation import PeerType
from anycast.prefix import Address
from collector.wire.bgp.context import UpdateContext, context_of, merged
from collector.wire.bgp.open import Open
from collector.wire.bmp.values import PeerUp, PerPeerHeader, rib_of

Key = tuple[PeerType, int, Address | None]
"""Peer type, distinguisher, address. The L, O and A flags are no part of it."""


def key_of(header: PerPeerHeader) -> Key:
    """Return what makes a session this one and not another of the same exporter."""
    return header.peer_type, header.distinguisher, header.address


class Sessions:
    """The OPENs of the sessions that are up, by key."""

    def __init__(self) -> None:
        self._opens: dict[Key, tuple[Open | None, Open | None]] = {}

    def __contains__(self, header: PerPeerHeader) -> bool:
        return key_of(header) in self._opens

    def up(self, peer_up: PeerUp) -> None:
        """Take a Peer Up. One for a session that is up already adds its families to those of the first.

        Unless its OPENs are of another session, which began anew unseen.
        """
        before = self.opens(peer_up.header)
        now = peer_up.sent, peer_up.received
        if any(side is not None and side.replaces(known) for side, known in zip(now, before, strict=True)):
            before = None, None
        self._opens[key_of(peer_up.header)] = merged(before[0], now[0]), merged(before[1], now[1])

    def down(self, header: PerPeerHeader) -> None:
        """Take a Peer Down, also one for a session that never came up."""
        self._opens.pop(key_of(header), None)

    def opens(self, header: PerPeerHeader) -> tuple[Open | None, Open | None]:
        """Return the OPENs, the router's and its peer's, of the session that a header names."""
        return self._opens.get(key_of(header), (None, None))

    def context(self, header: PerPeerHeader) -> UpdateContext:
        """Say how to read an UPDATE with this header; an orphan has no path ids and 4-octet AS numbers."""
        sent, received = self.opens(header)
        return context_of(rib_of(header), header.two_octet_as, sent, received)
