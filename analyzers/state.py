"""What the view holds: feeds, peerings, and the routes of each source. Mutable, and only the view writes it."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from anycast.change import Cause
from anycast.intent import Vantage
from anycast.observation import LostReason, Session, Source, SpeakerOpen
from anycast.plain import Plain
from anycast.prefix import Prefix
from anycast.route import Attributes

REMEMBERED_DOWNS = 16  # twice the longest count that an operator plausibly sets for `flap_count`, and bounded


class Standing(StrEnum):
    """What a router last said of a session."""

    UP = "up"
    DOWN = "down"
    UNMONITORED = "unmonitored"
    """Monitoring of it stopped (by the router, or because our own collector closed it): routes unknown, not gone."""


class Sight(StrEnum):
    """How much we can say about the routes of a source now."""

    KNOWN = "known"
    """The session is up and its table complete: what is not there is absent."""
    LOADING = "loading"
    """The session is up, its table still comes: what was announced is present, all else unknown."""
    DOWN = "down"
    """The router says that the session is down: nothing is there."""
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Feed:
    """A router's BMP connection."""

    router: str
    open: bool = False
    since: datetime | None = None
    """When it was opened or lost; None while it never was open."""
    awaited: datetime | None = None
    """Since when we wait for it to open for the first time, where that is not since our own start."""
    newcomer: bool = False
    """A reload named it, and no time passed since."""
    reason: LostReason | None = None
    detail: str = ""
    ready: bool = False
    """Open for `quiet`: the router has had time to name its sessions."""
    settled: bool = False
    """Open for `settle`: a session that it has not named by now is down."""
    midway: bool = False
    """A recording joins it in its middle: what it named before is not known, so what it does not name may be up."""


@dataclass(slots=True, eq=False)
class Peering:
    """One session as its router reports it."""

    session: Session
    standing: Standing
    since: datetime
    reported: bool = True
    """Whether the router said so in the connection that is open now; else it is what was so before."""
    not_before: datetime | None = None
    """It came to stand so in a gap of our sight, after this time."""
    lost_at: datetime | None = None
    """When we lost sight of it; None while in sight."""
    local: SpeakerOpen | None = None
    remote: SpeakerOpen | None = None
    reason: str = ""
    detail: str = ""
    named: bool = True
    """False for a session of the intent that its router never reported."""
    carried: bool = False
    """Whether it ever carried a region's route of a service: then its loss matters, whoever named it."""
    downs: deque[datetime] = field(default_factory=lambda: deque(maxlen=REMEMBERED_DOWNS))
    midway: bool = False
    """A recording joins it in its middle: of a service's prefix nothing is known until something is said of it."""
    routes: int | None = None
    """Routes in Adj-RIB-In by the router's own statistics (RFC 7854, 4.8, type 7 or the sum of type 9)."""


@dataclass(slots=True, eq=False)
class Held:
    """One route held at a source."""

    prefix: Prefix
    path_id: int
    attributes: Attributes
    since: datetime
    """Since when the route is there."""
    changed: datetime
    """Since when it looks as it does."""
    not_before: datetime | None = None
    """The last change happened in a gap of our sight, after this time."""
    lost_at: datetime | None = None
    """Stale since then: we could not see, and it was not announced again yet. None for a fresh route."""
    region: str | None = None
    """The region it is recognised as; None for nobody's."""
    legitimate: bool = True
    """Whether its AS path ends where a route of that region may end."""
    plain: bool = False
    """As everyday as a route on-premises can be: of a region meant to advertise it, and its path says no more than
    that it came from Microsoft. Which region it is of is all there is to judge."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Since when a watched prefix is not there any more, and how we know."""

    since: datetime
    cause: Cause
    not_before: datetime | None = None


@dataclass(slots=True, eq=False)
class Table:
    """The routes of one source, and what is needed to judge their absence."""

    source: Source
    key: str
    """Name of its vantage, `name/peer` under a vantage that stands for every peer, or the source's text."""
    vantage: Vantage | None
    peering: Peering
    routes: dict[tuple[Prefix, int], Held] = field(default_factory=dict)
    complete: bool = False
    loading_since: datetime | None = None
    busy_until: datetime | None = None
    """The last time that a route of it was heard while loading."""
    gap: bool = False
    """Loading after a gap of our sight: what is new is new since an unknown time."""
    known_until: datetime | None = None
    """The end of our sight before that gap; None for the first sight ever."""
    known_since: datetime | None = None
    """When it was first complete."""
    end_of_rib: bool = False
    absences: dict[Prefix, Absence] = field(default_factory=dict)
    """Of service prefixes only: bounded by the intent."""
    downs: dict[Prefix, deque[datetime]] = field(default_factory=dict)
    """Withdrawals by UPDATE of service prefixes, the latest few."""
    unfilled: set[Prefix] = field(default_factory=set)
    """Service prefixes of which the table was sent unseen: unknown until history fills them, or it speaks of them."""
    version: int = 0
    """Grows with each change of routes."""
    written: tuple[tuple[int, int], list[Plain]] | None = None
    """Its routes as the last snapshot has them, and what they were written from: each second there is a snapshot."""

    def expire(self, at: datetime) -> None:
        """Mark every fresh route stale: we cannot see it since `at`."""
        for held in self.routes.values():
            held.lost_at = held.lost_at or at
        if self.complete or (self.peering.reported and self.peering.standing is Standing.DOWN):
            self.known_until = at
        self.complete, self.loading_since = False, None
