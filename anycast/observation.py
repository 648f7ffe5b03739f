"""What a vantage saw, and when: the one language between the collector and everything behind it.

Two ideas carry this module. A *session* is (router, peer type, distinguisher, address): what a BMP exporter calls a
peer (RFC 7854, 4.2). A *source* is a session and one of its RIB views; the L and O flags choose the view and never
the session, for real routers send one Peer Up and then several views under it.

Order is order of arrival. `at` is when we received it; `router_time` is the router's own stamp, kept, shown, and never
used to order (some routers stamp the age of the route).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final, TypeAlias

from anycast.prefix import Address, Family, Prefix
from anycast.probe import AgentReported
from anycast.route import Asn, Attributes


class Rib(StrEnum):
    """Which of a router's tables a route was seen in (RFC 7854, 8671, 9069)."""

    ADJ_IN_PRE = "adj-in-pre"
    ADJ_IN_POST = "adj-in-post"
    LOC = "loc"
    ADJ_OUT_PRE = "adj-out-pre"
    ADJ_OUT_POST = "adj-out-post"


class PeerType(IntEnum):
    """BMP peer types (RFC 7854, 4.2; RFC 9069, 4.1)."""

    GLOBAL = 0
    DISTINGUISHED = 1
    LOCAL = 2
    LOC_RIB = 3


@dataclass(frozen=True, slots=True)
class Session:
    """A BGP session as its router names it."""

    router: str
    """The exporter's name in the intent."""
    peer: Address | None
    """The peer's address; None for a Loc-RIB, which has no peer."""
    peer_type: PeerType = PeerType.GLOBAL
    distinguisher: int = 0
    """The 64-bit peer distinguisher, 0 for the global instance; not a route distinguisher of the NLRI."""

    def __str__(self) -> str:
        where = "loc-rib" if self.peer is None else str(self.peer)
        return f"{self.router}/{where}" + (f"@{self.distinguisher:x}" if self.distinguisher else "")


@dataclass(frozen=True, slots=True)
class Source:
    """One RIB view of one session: where a route was seen."""

    session: Session
    rib: Rib = Rib.ADJ_IN_PRE

    def __str__(self) -> str:
        return f"{self.session}/{self.rib}"


class DownReason(StrEnum):
    """Why a router says that a peer went down (RFC 7854, 4.9; RFC 9069, 5.3)."""

    LOCAL_NOTIFICATION = "local-notification"
    LOCAL_FSM = "local-fsm"
    REMOTE_NOTIFICATION = "remote-notification"
    REMOTE_CLOSED = "remote-closed"
    DECONFIGURED = "deconfigured"
    """Monitoring of the peer has stopped: its routes are unknown, not gone."""
    LOC_RIB_CLOSED = "loc-rib-closed"
    """Likewise."""
    OTHER = "other"


UNMONITORED: Final = frozenset((DownReason.DECONFIGURED, DownReason.LOC_RIB_CLOSED))
"""Reasons that say nothing of routes."""


class LostReason(StrEnum):
    """Why we lost a feed: all of these are about our own eyes."""

    RESET = "reset"
    CLOSED = "closed"
    SILENT = "silent"
    TERMINATED = "terminated"
    MALFORMED = "malformed"
    OVERLOADED = "overloaded"
    STOPPED = "stopped"
    """Catchment itself stopped or restarted."""


@dataclass(frozen=True, slots=True)
class FeedOpened:
    """A router's BMP connection was accepted. `name` and `description` are the router's own words, or empty."""

    at: datetime
    router: str
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class FeedLost:
    """A router's BMP connection ended: everything seen through it is unknown from now on."""

    at: datetime
    router: str
    reason: LostReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SpeakerOpen:
    """What one side of a session said in its OPEN (RFC 4271, 4.2)."""

    asn: Asn
    identifier: Address
    hold_time: int
    """Seconds, as proposed; the session uses the smaller of the two."""
    route_refresh: bool = False
    four_octet_as: bool = False
    graceful_restart: int | None = None
    """Restart time in seconds; None when the capability was not sent."""


@dataclass(frozen=True, slots=True)
class SessionUp:
    """A router reported a peer up. `local` is the router's OPEN, `remote` the peer's; None when not sent."""

    at: datetime
    session: Session
    local: SpeakerOpen | None = None
    remote: SpeakerOpen | None = None
    router_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionDown:
    """A router reported a peer down: its routes are gone, except where the reason says that only monitoring stopped."""

    at: datetime
    session: Session
    reason: DownReason
    detail: str = ""
    """NOTIFICATION code and subcode with their names and the shutdown communication, or the FSM event."""
    router_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class TableComplete:
    """End-of-RIB for one family of one source (RFC 4724, 2)."""

    at: datetime
    source: Source
    family: Family


@dataclass(frozen=True, slots=True)
class Announced:
    """A route was announced. An announcement of a prefix and path id that is already there replaces it."""

    at: datetime
    source: Source
    prefix: Prefix
    attributes: Attributes
    path_id: int = 0
    router_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A route was withdrawn."""

    at: datetime
    source: Source
    prefix: Prefix
    path_id: int = 0
    router_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class StatsReported:
    """One BMP statistics report (RFC 7854, 4.8). `counts` is (type, afi, safi, value); afi and safi 0 if not given."""

    at: datetime
    session: Session
    counts: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class MalformedSeen:
    """Bytes that could not be taken as they stand, kept as they came."""

    at: datetime
    router: str
    session: Session | None
    reason: str
    """A sentence: what is wrong, where, and what would be right."""
    action: str
    """What was done about it: `treat-as-withdraw`, `attribute-discard`, `message-skipped`, `feed-closed`."""
    raw: bytes


Observation: TypeAlias = (
    FeedOpened
    | FeedLost
    | SessionUp
    | SessionDown
    | TableComplete
    | Announced
    | Withdrawn
    | StatsReported
    | MalformedSeen
    | AgentReported
)
