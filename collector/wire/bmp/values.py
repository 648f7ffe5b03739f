"""BMP messages as values (RFC 7854, with the views of RFC 8671 and RFC 9069)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from ipaddress import IPv4Address
from typing import Final, TypeAlias

from anycast.observation import DownReason, PeerType, Rib, Session
from anycast.prefix import Address
from anycast.route import Asn
from collector.wire.bgp.notification import Notification
from collector.wire.bgp.open import Open


class MessageType(IntEnum):
    """Type octet of the common header (RFC 7854, 4.1)."""

    ROUTE_MONITORING = 0
    STATISTICS_REPORT = 1
    PEER_DOWN = 2
    PEER_UP = 3
    INITIATION = 4
    TERMINATION = 5
    ROUTE_MIRRORING = 6


V_FLAG: Final = 0x80  # IPv6 address; F (filtered) for a Loc-RIB (RFC 9069, 4.2)
L_FLAG: Final = 0x40  # post-policy
A_FLAG: Final = 0x20  # AS_PATH in the legacy 2-octet form
O_FLAG: Final = 0x10  # Adj-RIB-Out (RFC 8671, 4)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PerPeerHeader:
    """Whom a message is about (RFC 7854, 4.2)."""

    peer_type: PeerType
    flags: int
    distinguisher: int
    address: Address | None
    """None for a Loc-RIB, whose address field is zero (RFC 9069, 4.1)."""
    asn: Asn
    identifier: IPv4Address
    seconds: int
    microseconds: int

    @property
    def two_octet_as(self) -> bool:
        """The A flag; a Loc-RIB has none (RFC 9069, 4.2)."""
        return self.peer_type is not PeerType.LOC_RIB and bool(self.flags & A_FLAG)

    @property
    def filtered(self) -> bool:
        """The F flag of a Loc-RIB: not all of the table is sent."""
        return self.peer_type is PeerType.LOC_RIB and bool(self.flags & V_FLAG)

    @property
    def impossible(self) -> bool:
        """A peer that cannot be: 0.0.0.0 of AS 0 (RFC 7607). FRR before 10.2 says so in the Peer Up of its Loc-RIB."""
        of_bgp = self.peer_type is not PeerType.LOC_RIB
        return of_bgp and not self.asn and self.address is not None and self.address.is_unspecified

    @property
    def router_time(self) -> datetime | None:
        """The router's stamp; None where it sent 0, which means that it has none to give."""
        if self.seconds == 0:
            return None
        return _EPOCH + timedelta(seconds=self.seconds, microseconds=min(self.microseconds, 999_999))

    @property
    def rib(self) -> Rib:
        """The view that the L and O flags choose; they never choose the session."""
        return rib_of(self)

    def session(self, router: str) -> Session:
        """Name the session as `router`, the exporter, knows it."""
        return Session(router, self.address, self.peer_type, self.distinguisher)


def rib_of(header: PerPeerHeader) -> Rib:
    """Return the RIB view of a message (RFC 7854, 4.2; RFC 8671, 4; RFC 9069, 4.2)."""
    if header.peer_type is PeerType.LOC_RIB:
        return Rib.LOC
    return _RIBS[header.flags & (L_FLAG | O_FLAG)]


_RIBS: Final[dict[int, Rib]] = {
    0: Rib.ADJ_IN_PRE,
    L_FLAG: Rib.ADJ_IN_POST,
    O_FLAG: Rib.ADJ_OUT_PRE,
    O_FLAG | L_FLAG: Rib.ADJ_OUT_POST,
}


@dataclass(frozen=True, slots=True)
class Tlv:
    """One information TLV, kept as sent."""

    code: int
    value: bytes

    @property
    def text(self) -> str:
        """The value as UTF-8, octets that are none replaced."""
        return self.value.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class RouteMonitoring:
    """An UPDATE as a view holds it (RFC 7854, 4.6)."""

    header: PerPeerHeader
    update: bytes
    """The BGP message, its 19-octet header included; see `collector.wire.bgp.message.body_of`."""
    trailing: bytes = b""
    """What came after the BGP message: TLVs of drafts, kept as sent."""

    @property
    def tlvs(self) -> tuple[Tlv, ...]:
        """What came after the BGP message, cut into TLVs; where it does not fit, the rest is one of type 0."""
        found, at, data = [], 0, self.trailing
        while at < len(data):
            code, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
            if at + 4 + size > len(data):
                found.append(Tlv(0, data[at:]))
                break
            found.append(Tlv(code, data[at + 4 : at + 4 + size]))
            at += 4 + size
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Count:
    """One statistic (RFC 7854, 4.8; RFC 9972)."""

    code: int
    value: int
    afi: int = 0
    """0 where the statistic is not of one family; the same for `safi`."""
    safi: int = 0


@dataclass(frozen=True, slots=True)
class StatisticsReport:
    """What a router counts about a peer (RFC 7854, 4.8)."""

    header: PerPeerHeader
    counts: tuple[Count, ...]
    opaque: tuple[Tlv, ...] = ()
    """Statistics whose length is neither 4, 8 nor 11 octets."""


class PeerDownCode(IntEnum):
    """Reason octet of Peer Down (RFC 7854, 4.9; RFC 9069, 5.3)."""

    LOCAL_NOTIFICATION = 1
    LOCAL_FSM = 2
    REMOTE_NOTIFICATION = 3
    REMOTE_CLOSED = 4
    DECONFIGURED = 5
    LOC_RIB_CLOSED = 6


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A peer went down, or its monitoring stopped (RFC 7854, 4.9)."""

    header: PerPeerHeader
    code: int
    notification: Notification | None = None
    """For reasons 1 and 3; None when the router left it out."""
    fsm_event: int | None = None
    """For reason 2 (RFC 4271, 8.1); 0 where the router has no event to name."""
    tlvs: tuple[Tlv, ...] = ()
    """For reason 6: the VRF or table name."""
    rest: bytes = b""
    """Octets that the reason does not explain, kept as sent."""

    @property
    def table_name(self) -> str:
        """The VRF or table name of a Loc-RIB (RFC 9069, 5.3); empty when not sent."""
        return next((tlv.text for tlv in self.tlvs if tlv.code == 3), "")

    @property
    def reason(self) -> DownReason:
        """The reason in the vocabulary's words."""
        return _DOWN_REASONS.get(self.code, DownReason.OTHER)

    @property
    def detail(self) -> str:
        """The NOTIFICATION in words, the FSM event, or what else the router said; empty when it said nothing."""
        if self.notification is not None:
            return str(self.notification)
        if self.fsm_event is not None:
            return f"FSM event {self.fsm_event}"
        if self.tlvs:
            return ", ".join(tlv.text for tlv in self.tlvs)
        return "" if self.code in _DOWN_REASONS else f"reason {self.code}"


_DOWN_REASONS: Final[dict[int, DownReason]] = {
    PeerDownCode.LOCAL_NOTIFICATION: DownReason.LOCAL_NOTIFICATION,
    PeerDownCode.LOCAL_FSM: DownReason.LOCAL_FSM,
    PeerDownCode.REMOTE_NOTIFICATION: DownReason.REMOTE_NOTIFICATION,
    PeerDownCode.REMOTE_CLOSED: DownReason.REMOTE_CLOSED,
    PeerDownCode.DECONFIGURED: DownReason.DECONFIGURED,
    PeerDownCode.LOC_RIB_CLOSED: DownReason.LOC_RIB_CLOSED,
}


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A peer came up, or was up when monitoring began (RFC 7854, 4.10)."""

    header: PerPeerHeader
    local_address: Address
    local_port: int
    remote_port: int
    sent: Open | None
    """The router's OPEN; None where only its 19-octet header came, or where it could not be read."""
    received: Open | None
    """The peer's OPEN; None as for `sent`."""
    tlvs: tuple[Tlv, ...] = ()
    problems: tuple[str, ...] = ()
    """Why an OPEN or the TLVs could not be read: the peer is up all the same."""

    @property
    def table_name(self) -> str:
        """The VRF or table name (RFC 9069, 5.2.1); empty when not sent."""
        return next((tlv.text for tlv in self.tlvs if tlv.code == 3), "")


@dataclass(frozen=True, slots=True)
class Initiation:
    """A router says who it is (RFC 7854, 4.3)."""

    tlvs: tuple[Tlv, ...]

    @property
    def name(self) -> str:
        """Its sysName; empty when not sent."""
        return next((tlv.text for tlv in self.tlvs if tlv.code == 2), "")

    @property
    def description(self) -> str:
        """Its sysDescr; empty when not sent."""
        return next((tlv.text for tlv in self.tlvs if tlv.code == 1), "")


@dataclass(frozen=True, slots=True)
class Termination:
    """A router says why it ends the feed (RFC 7854, 4.5)."""

    tlvs: tuple[Tlv, ...]

    @property
    def reason(self) -> int | None:
        """Code of the reason; None when not sent."""
        return next((int.from_bytes(tlv.value, "big") for tlv in self.tlvs if tlv.code == 1), None)

    @property
    def detail(self) -> str:
        """The reason in words, and the router's own text."""
        code = self.reason
        named = [] if code is None else [_TERMINATIONS.get(code, f"reason {code}")]
        return ", ".join(named + [tlv.text for tlv in self.tlvs if tlv.code == 0])


_TERMINATIONS: Final[dict[int, str]] = {  # RFC 7854, 4.5
    0: "administratively closed",
    1: "unspecified reason",
    2: "out of resources",
    3: "redundant connection",
    4: "permanently administratively closed",
}


@dataclass(frozen=True, slots=True)
class RouteMirroring:
    """BGP messages exactly as a peer sent them (RFC 7854, 4.7)."""

    header: PerPeerHeader
    tlvs: tuple[Tlv, ...]

    @property
    def messages(self) -> tuple[bytes, ...]:
        """The mirrored BGP messages, headers included."""
        return tuple(tlv.value for tlv in self.tlvs if tlv.code == 0)

    @property
    def errored(self) -> bool:
        """The router says that it found the mirrored messages malformed (code 0)."""
        return any(tlv.code == 1 and tlv.value == b"\x00\x00" for tlv in self.tlvs)

    @property
    def lost(self) -> bool:
        """The router says that it lost mirrored messages (code 1)."""
        return any(tlv.code == 1 and tlv.value == b"\x00\x01" for tlv in self.tlvs)


Message: TypeAlias = RouteMonitoring | StatisticsReport | PeerDown | PeerUp | Initiation | Termination | RouteMirroring
