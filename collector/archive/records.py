"""BMP messages as MRT records (RFC 6396, 4.4; RFC 8050, 3).

Each session is a pair of ends as BGP4MP has it. A Peer Up is both OPENs and a change of state to Established, a Peer
Down its NOTIFICATION and a change to Idle, a Route Monitoring the UPDATE as the router meant it (`updates`), with the
time of receipt. MRT has no word for views and distinguishers: each has files of its own (`Kept.place`).

Nor has it one for routes of a session that no Peer Up named, or that trail a Peer Down, which the station does not
judge (`collector.bmp.quarantine`). In front of such stands a change of state from Idle to Idle, which is no news to
others, and says to a replay that no session is up (`collector.recorded.mrt`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import Any, Final

from anycast.observation import PeerType, Rib
from anycast.prefix import Address
from collector.archive.updates import recorded
from collector.wire.bgp.context import UpdateContext
from collector.wire.bgp.encode import encode_message, encode_notification, encode_open
from collector.wire.bgp.families import Afi
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.open import Direction, Open
from collector.wire.bmp.decode import decode
from collector.wire.bmp.values import MessageType as BmpType
from collector.wire.bmp.values import PeerDown, PeerDownCode, PeerUp, PerPeerHeader, RouteMonitoring
from collector.wire.errors import Malformed

BGP4MP_ET: Final = 17
STATE_CHANGE_AS4: Final = 5
IDLE, ESTABLISHED = 1, 6
_SUBTYPES: Final = {
    # (4-octet AS, sent by our side, with path ids): RFC 6396, 4.4; RFC 8050, 3
    (False, False, False): 1,
    (True, False, False): 4,
    (False, True, False): 6,
    (True, True, False): 7,
    (False, False, True): 8,
    (True, False, True): 9,
    (False, True, True): 10,
    (True, True, True): 11,
}
_AS_TRANS: Final = 23456


@dataclass(frozen=True, slots=True)
class Kept:
    """One MRT record, and the place where it belongs."""

    place: str
    """A path of folders: the view, and the distinguisher where there is one."""
    at: int
    """ns since 1970."""
    record: bytes


@dataclass(slots=True)
class Session:
    """What must be known of a session to write its records."""

    local: Address
    local_asn: int
    sent_ids: list[list[int]]
    """Families (AFI, SAFI) whose routes carry path ids: those that the router received, and those that it sent."""
    received_ids: list[list[int]]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can carry it."""
        return {
            "local": str(self.local),
            "local_asn": self.local_asn,
            "sent": self.sent_ids,
            "received": self.received_ids,
        }


class Translator:
    """Turns one exporter's BMP messages into MRT records; knows each session's ends from its Peer Up."""

    def __init__(self, known: dict[str, Any] | None = None) -> None:
        """`known`: what `state` returned at the end of the file before."""
        known = known or {}
        self._sessions = {
            key: Session(ip_address(row["local"]), row["local_asn"], row["sent"], row["received"])
            for key, row in known.get("sessions", {}).items()
        }
        self._midway: bool | None = known.get("midway")
        """The connection began with something else than an Initiation: Peer Ups were sent before. None: not yet."""
        self._down_again: set[str] = set(known.get("down", ()))
        self._idle: dict[str, list[str]] = dict(known.get("idle", {}))
        """Places in which it was said of a session that it is not up."""
        self.left_out = 0
        """Messages that MRT has no record for, or that could not be read: statistics, mirroring, Initiation."""

    @property
    def state(self) -> dict[str, Any]:
        """What the next file's translator must know."""
        sessions = {key: session.plain() for key, session in self._sessions.items()}
        return {"sessions": sessions, "midway": self._midway, "down": sorted(self._down_again), "idle": self._idle}

    def lost(self) -> None:
        """The connection ended: its sessions are named again when it comes back."""
        self._sessions.clear()
        self._down_again.clear()
        self._idle.clear()
        self._midway = None

    def records(self, message: bytes, at: int) -> Iterator[Kept]:
        """Yield the records of one BMP message received at `at` (ns)."""
        if self._midway is None:
            self._midway = message[5] != BmpType.INITIATION
        try:
            said = decode(message)
        except Malformed:
            self.left_out += 1
            return
        match said:
            case RouteMonitoring():
                yield from self._monitoring(said, at)
            case PeerUp():
                yield from self._up(said, at)
            case PeerDown():
                yield from self._down(said, at)
            case _:
                self.left_out += 1

    def _up(self, said: PeerUp, at: int) -> Iterator[Kept]:
        header = said.header
        session = Session(
            said.local_address,
            said.sent.asn if said.sent else 0,
            _path_ids(said.sent, said.received),
            _path_ids(said.received, said.sent),
        )
        before = self._sessions.get(_key(header))
        if before is not None:  # a second Peer Up of a family each, as some routers send them
            session.sent_ids = _joined(session.sent_ids, before.sent_ids)
            session.received_ids = _joined(session.received_ids, before.received_ids)
        self._sessions[_key(header)] = session
        for sent, value in ((True, said.sent), (False, said.received)):
            if value is not None:
                yield self._message(header, session, encode_message(MessageType.OPEN, encode_open(value)), at, sent)
        self._down_again.discard(_key(header))
        places = self._idle.pop(_key(header), [])
        if before is None:
            for place in dict.fromkeys((_place(header), *places)):
                yield replace(self._state(header, session, IDLE, ESTABLISHED, at), place=place)

    def _down(self, said: PeerDown, at: int) -> Iterator[Kept]:
        session = self._sessions.pop(_key(said.header), None) or _unknown()
        self._down_again.add(_key(said.header))
        if said.notification is not None:
            told = encode_message(MessageType.NOTIFICATION, encode_notification(said.notification))
            yield self._message(said.header, session, told, at, said.code == PeerDownCode.LOCAL_NOTIFICATION)
        yield self._state(said.header, session, ESTABLISHED, IDLE, at)

    def _monitoring(self, said: RouteMonitoring, at: int) -> Iterator[Kept]:
        header = said.header
        session = self._sessions.get(_key(header)) or _unknown()
        if self._unheard(header):
            self._idle.setdefault(_key(header), []).append(_place(header))
            yield self._state(header, session, IDLE, IDLE, at)
        sent = header.rib in (Rib.ADJ_OUT_PRE, Rib.ADJ_OUT_POST)
        families = frozenset(Afi(*family) for family in (session.sent_ids if sent else session.received_ids))
        rebuilt = header.rib is not Rib.ADJ_IN_PRE
        found = recorded(said.update, UpdateContext(families, header.two_octet_as, rebuilt=rebuilt, bare=True))
        narrow = found.two_octet and max(int(header.asn), session.local_asn) < 1 << 16  # a wider one would be lost
        yield self._message(header, session, found.message, at, sent, found.path_ids, narrow)

    def _unheard(self, header: PerPeerHeader) -> bool:
        """Whether it must be said now that the session of a route is not up: as `collector.bmp.messages` has it."""
        key = _key(header)
        if key in self._sessions or _place(header) in self._idle.get(key, ()):
            return False
        return key in self._down_again or not (self._midway or header.peer_type is PeerType.LOC_RIB)

    def _message(
        self,
        header: PerPeerHeader,
        session: Session,
        message: bytes,
        at: int,
        sent: bool,
        path_ids: bool = False,
        narrow: bool = False,
    ) -> Kept:
        wide = not (header.two_octet_as or narrow)
        body = _ends(header, session, 4 if wide else 2) + message
        return Kept(_place(header), at, _record(_SUBTYPES[wide, sent, path_ids], body, at))

    def _state(self, header: PerPeerHeader, session: Session, old: int, new: int, at: int) -> Kept:
        body = _ends(header, session, 4) + old.to_bytes(2, "big") + new.to_bytes(2, "big")
        return Kept(_place(header), at, _record(STATE_CHANGE_AS4, body, at))


def _unknown() -> Session:
    return Session(IPv4Address(0), 0, [], [])


def _key(header: PerPeerHeader) -> str:
    return f"{int(header.peer_type)} {header.distinguisher:x} {header.address or 'loc'}"


def _place(header: PerPeerHeader) -> str:
    view = str(header.rib)
    return f"{view}/{header.distinguisher:016x}" if header.distinguisher else view


def _record(subtype: int, body: bytes, at: int) -> bytes:
    seconds, rest = divmod(at, 1_000_000_000)
    head = seconds.to_bytes(4, "big") + BGP4MP_ET.to_bytes(2, "big") + subtype.to_bytes(2, "big")
    return head + (4 + len(body)).to_bytes(4, "big") + (rest // 1000).to_bytes(4, "big") + body


def _ends(header: PerPeerHeader, session: Session, width: int) -> bytes:
    """Both ends: AS numbers, interface (none), family, addresses. A Loc-RIB's peer is the router itself."""
    peer = header.address or session.local
    local = session.local if session.local.version == peer.version else type(peer)(0)
    numbers = (number if number < 1 << 8 * width else _AS_TRANS for number in (int(header.asn), session.local_asn))
    family = 1 if peer.version == 4 else 2
    return (
        b"".join(number.to_bytes(width, "big") for number in numbers)
        + b"\0\0"
        + family.to_bytes(2, "big")
        + peer.packed
        + local.packed
    )


def _path_ids(sender: Open | None, receiver: Open | None) -> list[list[int]]:
    """Families of which `sender` sends path ids and `receiver` takes them (RFC 7911, 4)."""
    if sender is None or receiver is None:
        return []
    return [
        list(family)
        for family, way in sender.add_path.items()
        if way & Direction.SEND and receiver.add_path.get(family, Direction(0)) & Direction.RECEIVE
    ]


def _joined(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    return [list(family) for family in sorted({tuple(family) for family in (*one, *other)})]
