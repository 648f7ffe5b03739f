"""The present as people look at it: the console, the API and `catchment status` all show these values."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from anycast.change import Presence
from anycast.finding import Severity
from anycast.intent import Role, Rung


class Health(StrEnum):
    """The state of a service in one word."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """One service prefix at one vantage: is it there, since when, and how does it look."""

    vantage: str
    rung: Rung
    presence: Presence
    since: datetime | None
    """Since when it is so; None while never known."""
    paths: int = 0
    as_path: str = ""
    next_hop: str = ""
    best_region: str | None = None
    """At V5 and V6: the region the route is recognised as; None when it is no region's."""
    nva: str | None = None
    instance: str | None = None
    expected: bool = True
    """Whether the intent wants a route here."""


@dataclass(frozen=True, slots=True)
class RegionStatus:
    """One region's part in one service prefix: the cells of V1 and V2."""

    region: str
    role: Role
    presence: Presence
    """PRESENT when any Route Server instance holds the route, ABSENT when all are known not to."""
    nvas_present: int
    nvas_expected: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """Where a site lands for one service prefix, by BGP: the cells of V5 and V6."""

    site: str
    intended: tuple[tuple[str, ...], ...]
    """Tiers of regions."""
    landed: str | None
    """Region of the best path (V6); None when unknown or no region's."""
    heard: tuple[str, ...]
    """Regions heard at V5."""
    cells: tuple[Cell, ...]

    @property
    def lands_on(self) -> tuple[str, ...]:
        """Every region that the site lands on, by BGP: a feed shows the best path only, so with its region come those
        of the same tier (ECMP is intended there) that the site hears. Empty when unknown or no region's."""
        if self.landed is None:
            return ()
        tier = next((tier for tier in self.intended if self.landed in tier), (self.landed,))
        return tuple(region for region in tier if region == self.landed or region in self.heard)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One prefix of one service."""

    service: str
    prefix: str
    owner: str
    health: Health
    regions: tuple[RegionStatus, ...]
    sites: tuple[SiteStatus, ...]
    findings: int
    """How many findings are open about it."""
    worst: Severity | None


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """One BGP session as its router reports it."""

    vantage: str
    exporter: str
    peer: str
    rung: Rung | None
    state: str
    """`up`, `down`, `loading` or `unknown`."""
    since: datetime | None
    routes: int | None
    """Watched or whole-table routes held; None where nothing is known."""
    hold_time: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """One exporter's BMP connection."""

    exporter: str
    address: str
    connected: bool
    since: datetime | None
    detail: str = ""
    """The router's own name and description, or why the feed was lost."""
    messages: int = 0
    routes: int = 0
    malformed: int = 0
    unjudged: int = 0
    """Watched routes of sessions that the router never named by a Peer Up: kept, and not judged."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything at a glance."""

    at: datetime
    services: tuple[ServiceStatus, ...]
    sessions: tuple[SessionStatus, ...]
    feeds: tuple[FeedStatus, ...]


class EventKind(StrEnum):
    """What a line of the live timeline is about."""

    ROUTE = "route"
    SESSION = "session"
    FEED = "feed"
    FINDING = "finding"
    NOTIFICATION = "notification"
    DAEMON = "daemon"
    """Catchment itself: when it was not running."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the live timeline and of history."""

    number: int
    """Grows by one; a client that reconnects asks for what came after the last it saw."""
    at: datetime
    kind: EventKind
    what: str
    """One word: `announced`, `withdrawn`, `peer-down`, `opened`, `cleared`, ..."""
    text: str
    """One sentence."""
    severity: Severity | None = None
    service: str | None = None
    prefix: str | None = None
    region: str | None = None
    site: str | None = None
    vantage: str | None = None
    finding: str | None = None
    """The finding's record id."""
    not_before: datetime | None = None
    """It happened between this time and `at`, while we could not see."""
