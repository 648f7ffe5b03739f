"""What a BMP message does to a feed: the messages that compiled code leaves to the plain decoder.

What real routers do to this protocol, and what is made of it:

- A session is (router, peer type, distinguisher, address). L and O flags choose a view of it, also without a Peer Up of
  that view. Peer Up for a session that is up adds what it brings and is no event; with another identifier, AS or hold
  time in an OPEN the session has restarted unseen: down, then up.
- A route of a session without Peer Up is taken with default capabilities, and the session counted as an orphan. It
  is judged only where that was to be expected: of a Loc-RIB, and in a stream that begins in the middle (see
  `collector.bmp.quarantine`).
- The Peer Up of a peer that cannot be, 0.0.0.0 of AS 0, is that of the Loc-RIB (FRR before 10.2).
- Peer Down of a session that is not up says that it is down, once.
- What follows a Peer Down under the same session is passed on: whoever judges knows that the session is down.
- A message that cannot be read is skipped and kept; the next one is where its length says.
"""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Final

from anycast.columns import Action, SessionEvent
from anycast.observation import (
    DownReason,
    FeedLost,
    FeedOpened,
    LostReason,
    MalformedSeen,
    PeerType,
    Session,
    SessionDown,
    SessionUp,
    Source,
    StatsReported,
    TableComplete,
)
from anycast.plain import to_plain
from collector.batch import AttributeTable
from collector.bmp.counters import TYPES, FeedCounters
from collector.bmp.ids import SessionIds
from collector.bmp.peers import RIBS, Peer, PeerTable
from collector.bmp.recorder import Recorder, Route, moment
from collector.wire.bgp.families import Afi
from collector.wire.bgp.message import MessageType as BgpType
from collector.wire.bgp.message import body_of
from collector.wire.bgp.problems import Problem, Remedy
from collector.wire.bgp.update import Update, decode_update
from collector.wire.bmp import values as bmp
from collector.wire.bmp.decode import decode
from collector.wire.errors import Malformed

log = logging.getLogger(__name__)
RAW_KEPT: Final = 1 << 16
"""Octets kept of a malformed message."""
KEPT_A_MINUTE: Final = 100
"""Malformed messages kept with their bytes, of one feed in one minute; more are counted."""
FEED_CLOSED: Final = "feed-closed"
_MINUTE: Final = 60_000_000_000
_TOLERATED: Final = (Remedy.TAKEN_AS_IS, Remedy.READ_AS_TWO_OCTET)
_SEVERITY: Final = tuple(Remedy)


class Messages:
    """The state of one feed: who the router is, which sessions it has, and whether it is over."""

    def __init__(
        self, router: str, table: AttributeTable, ids: SessionIds, peers: PeerTable, recorder: Recorder
    ) -> None:
        """What is heard goes to `recorder`."""
        self.router = router
        self.name = ""
        """The router's own sysName, and its description."""
        self.description = ""
        self.counters = FeedCounters()
        self.sessions: dict[int, Session] = {}
        """Sessions by their numbers in the journal."""
        self.midway = False
        """The stream begins in the middle: with something else than an Initiation (RFC 7854, 4.3)."""
        self.opened = False
        self.ended: LostReason | None = None
        self._table, self._ids, self._peers, self._recorder = table, ids, peers, recorder
        self._minute = (0, 0)

    def apply(self, frame: bytes, time: int) -> bool:
        """Take one whole message received at `time` (ns); False, with nothing done, when its routes do not fit."""
        kind = "malformed"
        if not self.opened:
            self.midway = frame[5] != bmp.MessageType.INITIATION
        try:
            message = decode(frame)
            kind = TYPES[frame[5]]
            if not self._dispatch(message, frame, time):
                return False
        except Malformed as error:
            self.open(time)
            self.malformed(None, error.reason, Remedy.MESSAGE_SKIPPED, frame, time)
        self.counters.messages += 1
        self.counters.plain += 1
        self.counters.by_type[kind] += 1
        return True

    def _dispatch(self, message: bmp.Message, frame: bytes, time: int) -> bool:
        if isinstance(message, bmp.Initiation):
            self._initiation(message, time)
            return True
        self.open(time)
        match message:
            case bmp.RouteMonitoring():
                return self._route_monitoring(message, frame, time)
            case bmp.PeerUp():
                self._peer_up(message, time)
            case bmp.PeerDown():
                self._peer_down(message, time)
            case bmp.StatisticsReport():
                self._statistics(message, time)
            case bmp.RouteMirroring():
                self._mirroring(message, frame, time)
            case bmp.Termination():
                self.lost(LostReason.TERMINATED, message.detail, time)
        return True

    # The feed.

    def open(self, time: int) -> None:
        """The feed is open from its first message on."""
        if self.opened:
            return
        self.opened = True
        at = self._recorder.tick(time)
        self._recorder.observe(FeedOpened(moment(at), self.router, self.name, self.description))
        detail = {"name": self.name, "description": self.description}
        self._recorder.session_row(at, SessionEvent.FEED_OPENED, self.router, detail=detail)

    def lost(self, reason: LostReason, detail: str, time: int) -> None:
        """The feed is over."""
        at = self._recorder.tick(time)
        self._recorder.observe(FeedLost(moment(at), self.router, reason, detail))
        said = {"reason": str(reason), "detail": detail}
        self._recorder.session_row(at, SessionEvent.FEED_LOST, self.router, detail=said)
        self.ended = reason

    def _initiation(self, message: bmp.Initiation, time: int) -> None:
        """A repeated Initiation is no event, unless the router calls itself something else now."""
        before = self.name, self.description
        self.name, self.description = message.name or self.name, message.description or self.description
        if (self.name, self.description) != before:
            self.opened = False
        self.open(time)

    def malformed(self, session: Session | None, reason: str, action: str, raw: bytes, time: int) -> None:
        """Count, and keep with its bytes, what could not be taken as it stands."""
        self.counters.malformed += 1
        minute, kept = self._minute
        kept = kept + 1 if minute == time // _MINUTE else 1
        self._minute = time // _MINUTE, kept
        if kept > KEPT_A_MINUTE:
            self.counters.unkept += 1
            return
        at, action, raw = self._recorder.tick(time), str(action), raw[:RAW_KEPT]
        self._recorder.observe(MalformedSeen(moment(at), self.router, session, reason, action, raw))
        self._recorder.malformed_row(at, self.router, session, reason, action, raw)

    # Sessions.

    def _peer(self, header: bmp.PerPeerHeader, time: int) -> Peer:
        """The session that a header names, known from now on."""
        session = header.session(self.router)
        peer = self._peers.get(session)
        if peer is None:
            identity = self._ids.number(session)
            peer = self._peers.add(header, session, identity, time)
            self.sessions[identity] = session
        return peer

    def _peer_up(self, message: bmp.PeerUp, time: int) -> None:
        header, sent, received = message.header, message.sent, message.received
        if header.impossible:
            header, sent, received = _of_loc_rib(header), None, None  # its OPENs are as impossible, and say nothing
        peer = self._peer(header, time)
        self.counters.tolerated += bool(message.problems)
        if peer.up and not peer.orphan:
            if not peer.restarted(sent, received):
                self.counters.duplicate_ups += 1
                if peer.merge(sent, received):
                    self._peers.agree(peer)
                return
            unseen = "the session restarted: another Peer Up came with another OPEN, and no Peer Down before it"
            self._down(peer, DownReason.OTHER, unseen, header.router_time, time)
        peer.agree(sent, received)
        self._peers.agree(peer)
        self._up(peer, header.router_time, message.table_name, time)

    def _up(self, peer: Peer, router_time: datetime | None, table_name: str, time: int, judged: bool = True) -> None:
        at = self._recorder.tick(time)
        if not peer.up:
            self._peers.begin(peer, time)
        self._peers.admit(peer)
        self.counters.orphan_messages += self._peers.of_orphan(peer)
        peer.up, peer.orphan, peer.reported_down = True, False, False
        local = None if peer.sent is None else peer.sent.speaker()
        remote = None if peer.received is None else peer.received.speaker()
        if judged:
            self._recorder.observe(SessionUp(moment(at), peer.session, local, remote, router_time))
        detail = {"local": to_plain(local), "remote": to_plain(remote), "table": table_name}
        self._row(at, SessionEvent.PEER_UP, peer, router_time, detail)

    def _orphan(self, peer: Peer, time: int) -> None:
        """A route of a session that no Peer Up spoke of."""
        judged = self.midway or peer.session.peer_type is PeerType.LOC_RIB
        if not judged and not self.counters.orphans:
            log.warning("%s sends routes of %s without a Peer Up: kept and not judged", self.router, peer.session.peer)
        self.counters.orphans += 1
        self._up(peer, None, "", time, judged)
        self._peers.orphan(peer)

    def _peer_down(self, message: bmp.PeerDown, time: int) -> None:
        peer = self._peer(_of_loc_rib(message.header) if message.header.impossible else message.header, time)
        if not peer.up:
            self.counters.stray_downs += 1
        if not peer.reported_down:
            self._down(peer, message.reason, message.detail, message.header.router_time, time)

    def _down(self, peer: Peer, reason: DownReason, detail: str, router_time: datetime | None, time: int) -> None:
        at = self._recorder.tick(time)
        self._peers.admit(peer)
        self.counters.orphan_messages += self._peers.of_orphan(peer)
        peer.up, peer.orphan, peer.reported_down = False, False, True
        self._recorder.observe(SessionDown(moment(at), peer.session, reason, detail, router_time))
        self._row(at, SessionEvent.PEER_DOWN, peer, router_time, {"reason": str(reason), "detail": detail})

    def _statistics(self, message: bmp.StatisticsReport, time: int) -> None:
        peer, at = self._peer(message.header, time), self._recorder.tick(time)
        counts = tuple((count.code, count.afi, count.safi, count.value) for count in message.counts)
        self._recorder.observe(StatsReported(moment(at), peer.session, counts))
        self._row(at, SessionEvent.STATS, peer, message.header.router_time, {"counts": to_plain(counts)})

    def _mirroring(self, message: bmp.RouteMirroring, frame: bytes, time: int) -> None:
        """Mirrored messages are copies of what Route Monitoring says; only what the router itself rejected matters."""
        self.counters.mirrored += 1
        self.counters.mirror_losses += message.lost
        if any(tlv.code == 1 and tlv.value == b"\0\0" for tlv in message.tlvs):  # RFC 7854, 4.7: Errored PDU
            reason = "the router mirrored a BGP message of its peer that it found malformed itself"
            self.malformed(message.header.session(self.router), reason, Remedy.MESSAGE_SKIPPED, frame, time)

    def _row(
        self, at: int, event: SessionEvent, peer: Peer, router_time: datetime | None, detail: object, rib: int = 0
    ) -> None:
        row = self._recorder.session_row
        row(at, event, self.router, peer.session, peer.identity, rib, router_time, detail)

    # Routes.

    def _route_monitoring(self, message: bmp.RouteMonitoring, frame: bytes, time: int) -> bool:
        header, peer = message.header, self._peer(message.header, time)
        try:
            body = body_of(message.update, BgpType.UPDATE)
        except Malformed as error:
            self.malformed(peer.session, error.reason, Remedy.MESSAGE_SKIPPED, frame, time)
            return True
        update = decode_update(body, peer.context(header.rib, header.two_octet_as))
        if not self._recorder.reserve(len(update.withdrawn) + len(update.announced)):
            return False
        if not (peer.up or peer.reported_down):
            self._orphan(peer, time)
        self.counters.orphan_messages += peer.orphan
        self.counters.trailing += bool(message.trailing)
        self.counters.foreign += bool(update.opaque)
        self._problems(peer.session, update.problems, frame, time)
        self._routes(peer, header, update, time)
        if update.end_of_rib is not None:
            self._end_of_rib(peer, header, update.end_of_rib, time)
        return True

    def _problems(self, session: Session, problems: tuple[Problem, ...], frame: bytes, time: int) -> None:
        if not problems:
            return
        worst = max((problem.remedy for problem in problems), key=_SEVERITY.index)
        if worst in _TOLERATED:
            self.counters.tolerated += 1
            return
        self.malformed(session, "; ".join(problem.reason for problem in problems), worst, frame, time)

    def _routes(self, peer: Peer, header: bmp.PerPeerHeader, update: Update, time: int) -> None:
        phase, rib = self._peers.note(peer, header.rib, time), RIBS.index(header.rib)
        sent = 0 if header.seconds == 0 else header.seconds * 10**9 + min(header.microseconds, 999_999) * 1000
        identity = self._table.intern(update.attributes, update.two_octet) if update.announced else 0
        routes: list[Route] = [(nlri.prefix, nlri.path_id, Action.WITHDRAW, 0) for nlri in update.withdrawn]
        routes += [(nlri.prefix, nlri.path_id, Action.ANNOUNCE, identity) for nlri in update.announced]
        for route in routes:
            self._recorder.route(peer, rib, phase, time, sent, route)

    def _end_of_rib(self, peer: Peer, header: bmp.PerPeerHeader, of: Afi, time: int) -> None:
        family = of.family
        if family is None:
            return
        at, rib = self._recorder.tick(time), RIBS.index(header.rib)
        self._recorder.observe(TableComplete(moment(at), Source(peer.session, header.rib), family))
        self._row(at, SessionEvent.TABLE_COMPLETE, peer, header.router_time, {"family": str(family)}, rib)


def _of_loc_rib(header: bmp.PerPeerHeader) -> bmp.PerPeerHeader:
    return replace(header, peer_type=PeerType.LOC_RIB, flags=0, address=None)
