"""MRT records as the BMP stream that a router with the same peers would have sent.

A collector that wrote the file is taken for an exporter whose Adj-RIB-In is monitored before policy: each of its peers
is a session, a state change to or from Established is a Peer Up or Down, each message a Route Monitoring, and a table
dump the table of each peer with its End-of-RIB. So a recording goes through the same decoder and the same rules as
what a router sends.

What was sent before a recording began is not in it. A recording that does not begin with a table dump is joined in the
middle of the connection, and a peer whose first record is an UPDATE, with no dump, state change or OPEN before it, in
the middle of its session. Of one that is said to have gone from Idle to Idle, which our own archive says of routes of a
session that no Peer Up named, routes follow without a Peer Up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Final

from anycast.observation import PeerType
from anycast.prefix import Address
from collector.recorded.moment import Moment, What
from collector.wire.bgp.attributes import OPTIONAL, Code
from collector.wire.bgp.doubt import any_may_hold_path_ids
from collector.wire.bgp.encode import encode_attribute, encode_end_of_rib, encode_message
from collector.wire.bgp.families import IPV4_UNICAST, IPV6_UNICAST, Afi
from collector.wire.bgp.message import MessageType
from collector.wire.bgp.notification import Notification, decode_notification
from collector.wire.bgp.open import Direction, Open, decode_open
from collector.wire.bgp.peek import families_of
from collector.wire.bgp.raw import raw_attributes
from collector.wire.bmp.encode import encode
from collector.wire.bmp.values import (
    A_FLAG,
    L_FLAG,
    O_FLAG,
    V_FLAG,
    Initiation,
    PeerDown,
    PeerDownCode,
    PeerUp,
    PerPeerHeader,
    RouteMonitoring,
    Tlv,
)
from collector.wire.cutting import Damaged
from collector.wire.errors import Malformed
from collector.wire.mrt.attributes import canonical
from collector.wire.mrt.decode import Decoder
from collector.wire.mrt.records import Readable, records
from collector.wire.mrt.values import BgpMessage, Content, Peer, PeerIndexTable, Record, RecordType, Rib, StateChange

IDLE, ESTABLISHED = 1, 6
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOLD_TIME: Final = 180
_DUMPS: Final = (RecordType.TABLE_DUMP, RecordType.TABLE_DUMP_V2)
_UNICAST: Final = (IPV4_UNICAST, IPV6_UNICAST)


@dataclass
class Passed:
    """What a recording held that said nothing to the station, counted."""

    damaged: int = 0
    """Stretches of a file that are no record, and records that do not read."""
    unread: int = 0
    """Records of other protocols, or of subtypes that carry no route."""


@dataclass
class _Known:
    """One peer, as far as the records said."""

    peer: Peer
    local: Peer
    up: bool = False
    path_ids: dict[Afi, bool] = field(default_factory=dict)
    """What its messages carried, by family; a family that is not there has not been seen."""
    opens: dict[bool, Open] = field(default_factory=dict)
    """By whether our side sent it."""
    notification: tuple[bool, Notification] | None = None
    loading: set[Afi] = field(default_factory=set)
    """Families whose table is being dumped."""
    told: bool = False
    """What it had is known: a table dump spoke of it, be it to say that it had nothing, or it went down."""
    midway: bool = False
    """Its session was joined in its middle."""
    unnamed: bool = False
    """Routes follow, and no session is up."""


_Told = bytes | tuple[What, Address]
"""Octets of BMP, or what must be known of a peer's session besides."""


def mrt_moments(files: Iterable[Readable], exporter: str, start: int, passed: Passed) -> Iterator[Moment]:
    """Yield the moments of MRT files (plain, not compressed) that one collector wrote one after the other.

    `start` (ns): no moment is before it. Times are those of the records and never go back. What is damaged or says
    nothing of routes is counted in `passed`.
    """
    told, clock, opened = _Teller(), start, False
    for file in files:
        for record in records(file):
            if isinstance(record, Damaged):
                passed.damaged += 1
                continue
            clock = max(clock, _nanoseconds(record.time))
            if not opened:
                opened = True
                yield Moment(clock, exporter, What.OPEN)
                if record.kind not in _DUMPS:
                    yield Moment(clock, exporter, What.MIDWAY)
                yield Moment(clock, exporter, What.OCTETS, encode(Initiation((Tlv(2, exporter.encode()),))))
            yield from _moments(told.tell(record, passed), clock, exporter)
        yield from _moments(told.tables_end(clock), clock, exporter)


def _moments(told: Iterator[_Told], at: int, exporter: str) -> Iterator[Moment]:
    octets = b""
    for said in told:
        if isinstance(said, bytes):
            octets += said
            continue
        if octets:
            yield Moment(at, exporter, What.OCTETS, octets)
            octets = b""
        yield Moment(at, exporter, said[0], peer=said[1])
    if octets:
        yield Moment(at, exporter, What.OCTETS, octets)


def _nanoseconds(at: datetime) -> int:
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000_000 + span.microseconds * 1_000


class _Teller:
    """Turns each record into BMP messages; remembers each peer."""

    def __init__(self) -> None:
        self._known: dict[Address, _Known] = {}
        self._decoder = Decoder()

    def tell(self, record: Record, passed: Passed) -> Iterator[_Told]:
        """Yield what a record means; what cannot be read is counted, and what stands beside it is told."""
        try:
            yield from self._content(self._decoder.decode(record), _nanoseconds(record.time), passed)
        except Malformed:
            passed.damaged += 1

    def _content(self, content: Content, at: int, passed: Passed) -> Iterator[_Told]:
        if not isinstance(content, Rib):
            yield from self.tables_end(at)
        match content:
            case Rib():
                yield from self._rib(content, at, passed)
            case BgpMessage():
                yield from self._message(content, at)
            case StateChange():
                yield from self._state(content, at)
            case PeerIndexTable():
                for peer in content.peers:
                    known = self._meet(peer, Peer(content.collector, peer.asn))
                    known.peer, known.told = peer, True
            case _:
                passed.unread += 1

    def _meet(self, peer: Peer, local: Peer) -> _Known:
        known = self._known.get(peer.address)
        if known is None:
            known = self._known[peer.address] = _Known(peer, local)
        return known

    # Sessions.

    def _state(self, content: StateChange, at: int) -> Iterator[_Told]:
        known = self._meet(content.peer, content.local)
        known.unnamed = content.old == content.new == IDLE
        if content.new == ESTABLISHED:
            known.local, known.midway = content.local, False
            yield from self._up(known, at, again=True)
        elif content.old == ESTABLISHED or known.up:
            yield self._down(known, at)

    def _up(self, known: _Known, at: int, again: bool = False) -> Iterator[_Told]:
        """A Peer Up, where the peer is not up yet or `again` wants another one."""
        if known.up and not again:
            return
        if not known.up:
            known.notification = None
        known.up = True
        local = known.local.address if known.local.address.version == known.peer.address.version else IPv4Address(0)
        yield encode(PeerUp(_header(known, at), local, 179, 179, _open(known, True), _open(known, False)))
        if known.midway:
            yield What.MIDWAY, known.peer.address

    def _down(self, known: _Known, at: int) -> bytes:
        header, told = _header(known, at), known.notification
        known.up, known.notification, known.midway, known.told = False, None, False, True
        known.opens.clear()
        known.path_ids.clear()
        if told is None:
            return encode(PeerDown(header, PeerDownCode.REMOTE_CLOSED))
        code = PeerDownCode.LOCAL_NOTIFICATION if told[0] else PeerDownCode.REMOTE_NOTIFICATION
        return encode(PeerDown(header, code, notification=told[1]))

    # Messages.

    def _message(self, content: BgpMessage, at: int) -> Iterator[_Told]:
        known = self._meet(content.peer, content.local)
        match content.kind:
            case MessageType.OPEN:
                known.local = content.local
                known.opens[content.sent] = decode_open(content.body)
            case MessageType.NOTIFICATION:
                known.notification = content.sent, decode_notification(content.body)
            case MessageType.UPDATE:
                if not (content.add_path or known.opens) and any_may_hold_path_ids(content.body):
                    raise Malformed("it may hold path ids, and no OPEN was recorded", 0, content.body)
                if not known.unnamed:
                    changed = self._learn(known, content)
                    known.midway = known.midway or not (known.up or known.told or known.opens)
                    yield from self._up(known, at, again=changed)
                flags = (O_FLAG | L_FLAG if content.sent else 0) | (A_FLAG if content.two_octet else 0)
                update = encode_message(MessageType.UPDATE, content.body)
                yield encode(RouteMonitoring(_header(known, at, flags), update))

    def _learn(self, known: _Known, content: BgpMessage) -> bool:
        """Take from a record which of its families have path ids; True when a Peer Up must say so."""
        carried = any(known.path_ids.values())
        if not content.add_path and not carried:
            return False
        families = {family: content.add_path for family in families_of(content.body)}
        changed = any(known.path_ids.get(family, False) != ids for family, ids in families.items())
        known.path_ids |= families
        return changed

    # Tables.

    def _rib(self, content: Rib, at: int, passed: Passed) -> Iterator[_Told]:
        nlri = content.nlri if content.prefix is None else _encoded(content)
        passed.damaged += len(content.strangers)
        for entry in content.entries:
            if not entry.attributes or content.family not in _UNICAST:
                passed.unread += 1  # BIRD dumps routes of no BGP session, too: without any attribute
                continue
            path = entry.path_id.to_bytes(4, "big") if content.add_path else b""
            try:
                update = _update(canonical(entry.attributes, content.family), content.family, path + nlri)
            except Malformed:
                passed.damaged += 1
                continue
            known = self._meet(entry.peer, Peer(IPv4Address(0), entry.peer.asn))
            changed = known.path_ids.get(content.family, False) != content.add_path
            known.path_ids[content.family] = content.add_path
            yield from self._up(known, at, again=changed)
            known.loading.add(content.family)
            known.told = True
            flags = A_FLAG if content.two_octet else 0
            yield encode(RouteMonitoring(_header(known, at, flags), encode_message(MessageType.UPDATE, update)))

    def tables_end(self, at: int) -> Iterator[_Told]:
        """End every table that was being dumped: a dump is whole."""
        for known in self._known.values():
            for family in sorted(known.loading):
                end = encode_message(MessageType.UPDATE, encode_end_of_rib(family))
                yield encode(RouteMonitoring(_header(known, at), end))
            if known.loading and known.midway:
                known.midway = False
                yield What.WHOLE, known.peer.address
            known.loading.clear()


def _header(known: _Known, at: int, flags: int = 0) -> PerPeerHeader:
    peer = known.peer
    seconds, rest = divmod(at, 1_000_000_000)
    received = known.opens.get(False)
    identifier = received.identifier if received else peer.identifier or IPv4Address(0)
    version = V_FLAG if peer.address.version == 6 else 0
    return PerPeerHeader(PeerType.GLOBAL, version | flags, 0, peer.address, peer.asn, identifier, seconds, rest // 1000)


def _open(known: _Known, sent: bool) -> Open:
    """The OPEN of one side: as recorded, else one that agrees with the other's and with what the records showed."""
    recorded, other = known.opens.get(sent), known.opens.get(not sent)
    if recorded is not None and not known.path_ids:
        return recorded
    both = Direction.SEND | Direction.RECEIVE
    end = known.local if sent else known.peer
    return Open(
        version=4,
        asn=end.asn,
        hold_time=recorded.hold_time if recorded else _HOLD_TIME,
        identifier=recorded.identifier if recorded else end.identifier or IPv4Address(0),
        families=recorded.families if recorded else other.families if other and other.families else _UNICAST,
        add_path={family: both for family, ids in known.path_ids.items() if ids},
        four_octet_as=True,
        route_refresh=True,
    )


def _encoded(content: Rib) -> bytes:
    prefix = content.prefix
    assert prefix is not None
    return bytes((prefix.prefixlen,)) + prefix.network_address.packed[: (prefix.prefixlen + 7) // 8]


def _update(attributes: bytes, family: Afi, nlri: bytes) -> bytes:
    """The body of the UPDATE that announces one route with these attributes, which are in canonical form."""
    parts, classic = [], nlri
    for attribute in raw_attributes(attributes):
        if attribute.code == Code.MP_REACH_NLRI:
            classic = b""
            parts.append(encode_attribute(attribute.code, attribute.value + b"\0" + nlri, OPTIONAL))
        else:
            parts.append(attribute.raw)
    if classic and family != IPV4_UNICAST:  # BIRD 1.6 leaves the next hop of IPv6 routes out of its tables
        classic = b""
        nowhere = family.afi.to_bytes(2, "big") + bytes((family.safi, 16)) + bytes(17)
        parts.append(encode_attribute(Code.MP_REACH_NLRI, nowhere + nlri, OPTIONAL))
    packed = b"".join(parts)
    return b"\0\0" + len(packed).to_bytes(2, "big") + packed + classic
