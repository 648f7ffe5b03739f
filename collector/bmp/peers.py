"""The sessions of one feed: what their Peer Ups agreed on, in the arrays that compiled code looks them up in."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from anycast.observation import PeerType, Rib, Session
from anycast.prefix import Family
from collector.wire.bgp.context import UpdateContext, add_path_of, context_of, families_of, merged
from collector.wire.bgp.open import Open
from collector.wire.bmp.values import PerPeerHeader

RIBS: Final = tuple(Rib)
_SECOND: Final = 1_000_000_000


@dataclass(slots=True)
class Peer:
    """One session of the feed."""

    session: Session
    number: int
    """Its entry in the arrays."""
    identity: int
    """Its number in the journal."""
    sent: Open | None = None
    received: Open | None = None
    up: bool = False
    """Whether the feed has it up; an orphan is up, too."""
    orphan: bool = False
    """Heard of by a route, without a Peer Up."""
    orphan_since: int = 0
    """How many of its messages compiled code had taken by then."""
    reported_down: bool = False
    admitted: bool = False
    """Whether compiled code knows it."""
    contexts: dict[tuple[Rib, bool], UpdateContext] = field(default_factory=dict)

    def context(self, rib: Rib, two_octet: bool) -> UpdateContext:
        """How to read an UPDATE of one view."""
        asked = rib, two_octet
        if asked not in self.contexts:
            self.contexts[asked] = context_of(rib, two_octet, self.sent, self.received)
        return self.contexts[asked]

    def restarted(self, sent: Open | None, received: Open | None) -> bool:
        """Whether the OPENs of another Peer Up show that the session is not the one that we know."""
        return any(
            now is not None and now.replaces(before) for before, now in ((self.sent, sent), (self.received, received))
        )

    def agree(self, sent: Open | None, received: Open | None) -> None:
        """Begin anew with the OPENs of a Peer Up."""
        self.sent, self.received = sent, received
        self.contexts.clear()

    def merge(self, sent: Open | None, received: Open | None) -> bool:
        """Take in another Peer Up of the same session; says whether it brought anything new."""
        before = self.sent, self.received
        self.sent, self.received = merged(self.sent, sent), merged(self.received, received)
        self.contexts.clear()
        return before != (self.sent, self.received)


class PeerTable:
    """Sessions by their value, and the arrays of `collector.kernel.peers.Peers` beside them."""

    def __init__(self, quiet: float = 5.0, longest_dump: float = 600.0) -> None:
        """`quiet`: seconds of silence that end a dump; `longest_dump`: seconds after which it is over in any case."""
        from collector.kernel import peers

        self._kernel = peers
        self._by_session: dict[Session, Peer] = {}
        self._quiet = np.array([quiet * _SECOND, longest_dump * _SECOND], np.int64)
        self.arrays = self._sized(16)
        self.all: list[Peer] = []

    def quiet_after(self, seconds: float) -> None:
        """Let so many seconds of silence end a dump from now on; the kernel reads it in place."""
        self._quiet[0] = round(seconds * _SECOND)

    def get(self, session: Session) -> Peer | None:
        """The session's entry; None while nothing was heard of it."""
        return self._by_session.get(session)

    def add(self, header: PerPeerHeader, session: Session, identity: int, at: int) -> Peer:
        """Enter a session that is not there yet. `at`: ns."""
        number = len(self.all)
        if number == len(self.arrays.session):
            self._grow()
        peer = Peer(session, number, identity)
        self.all.append(peer)
        self._by_session[session] = peer
        address = 0 if session.peer is None else int(session.peer)
        wide = header.peer_type is not PeerType.LOC_RIB and session.peer is not None and session.peer.version == 6
        words = int(header.peer_type) << 8 | wide, session.distinguisher, address >> 64, address & (1 << 64) - 1
        self.arrays.keys[number] = words
        self.arrays.session[number] = identity
        self.begin(peer, at)
        return peer

    def admit(self, peer: Peer) -> None:
        """Let compiled code take the session's routes from now on."""
        if not peer.admitted:
            peer.admitted = True
            self._kernel.enlist(self.arrays, np.uint64(peer.number))

    def begin(self, peer: Peer, at: int) -> None:
        """A dump begins in every view of a session."""
        self.arrays.phase[peer.number] = 0
        self.arrays.quiet_since[peer.number] = at
        self.arrays.dump_since[peer.number] = at

    def agree(self, peer: Peer) -> None:
        """Tell compiled code which families of a session carry path ids."""
        views = (Rib.LOC,) if peer.session.peer_type is PeerType.LOC_RIB else (Rib.ADJ_IN_PRE, Rib.ADJ_OUT_PRE)
        bits = 0
        for shift, rib in zip((0, 2), views, strict=False):
            families = {afi.family for afi in add_path_of(rib, peer.sent, peer.received)}
            sure = families_of(rib, peer.sent, peer.received) is not None
            bits |= ((Family.IPV4 in families) | (Family.IPV6 in families) << 1 | sure << 4) << shift
        self.arrays.add_path[peer.number] = bits

    def note(self, peer: Peer, rib: Rib, at: int) -> int:
        """Note that a view was heard at `at` (ns); returns its phase, an `anycast.columns.Phase`."""
        return int(self._kernel.note(self.arrays, np.uint64(peer.number), np.uint64(RIBS.index(rib)), at))

    def of_orphan(self, peer: Peer) -> int:
        """Route Monitorings that compiled code took of a session since it is an orphan; 0 when it is none."""
        return int(self.arrays.messages[peer.number]) - peer.orphan_since if peer.orphan else 0

    def of_orphans(self) -> int:
        """The same, of all that are orphans now."""
        return sum(map(self.of_orphan, self.all))

    def orphan(self, peer: Peer) -> None:
        """A session is an orphan from now on."""
        peer.orphan, peer.orphan_since = True, int(self.arrays.messages[peer.number])

    def _sized(self, room: int) -> Any:
        return self._kernel.Peers(
            slots=np.zeros(4 * room, np.uint32),
            keys=np.zeros((room, 4), np.uint64),
            session=np.zeros(room, np.uint32),
            asn=np.full(room, -1, np.int64),
            add_path=np.zeros(room, np.uint8),
            quiet_since=np.zeros((room, len(RIBS)), np.int64),
            dump_since=np.zeros((room, len(RIBS)), np.int64),
            phase=np.zeros((room, len(RIBS)), np.uint8),
            messages=np.zeros(room, np.uint64),
            quiet=self._quiet,
        )

    def _grow(self) -> None:
        old, room = self.arrays, len(self.arrays.session)
        self.arrays = self._sized(2 * room)
        for name in old._fields:
            if name not in ("slots", "quiet"):
                getattr(self.arrays, name)[:room] = getattr(old, name)
        for peer in self.all:
            if peer.admitted:
                self._kernel.enlist(self.arrays, np.uint64(peer.number))
