"""A small situation to show: a service, two regions, a site, a finding and an event, with hostile words in all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from anycast.change import Presence
from anycast.finding import Finding, Kind, Record, Severity, State, Subject
from anycast.intent import Role, Rung
from anycast.ports import Landing
from anycast.prefix import Prefix
from anycast.situation import (
    Cell,
    Event,
    EventKind,
    FeedStatus,
    Health,
    RegionStatus,
    ServiceStatus,
    SiteStatus,
    Situation,
)
from tests.dashboards.landing import Lands

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HOSTILE = "<script>window.owned=1</script>\x1b[31m\r\n\u202etxt"


def cell(vantage: str, rung: Rung, presence: Presence, **more: object) -> Cell:
    """A cell that has been so for a minute."""
    return Cell(vantage, rung, presence, NOW - timedelta(minutes=1), **more)  # type: ignore[arg-type]


def situation(name: str = "web") -> Situation:
    """One service: present in weu, absent in eus, unknown at the site's edge."""
    weu = (cell("gobgp/weu-rs0", Rung.V2, Presence.PRESENT, instance="weu-rs0", paths=1, as_path="65515 65010"),)
    eus = (cell("gobgp/eus-rs0", Rung.V2, Presence.ABSENT, instance="eus-rs0"),)
    ams = (cell("ams-ce1/172.16.0.1", Rung.V5, Presence.UNKNOWN),)
    regions = (
        RegionStatus("weu", Role.ACTIVE, Presence.PRESENT, 2, 2, weu),
        RegionStatus("eus", Role.ACTIVE, Presence.ABSENT, 0, 2, eus),
    )
    site = SiteStatus("ams", (("weu",), ("eus",)), "weu", ("weu",), ams)
    service = ServiceStatus(name, "10.250.0.10/32", "team-web", Health.DEGRADED, regions, (site,), 1, Severity.MAJOR)
    return Situation(NOW, (service,), (), (FeedStatus("gobgp", "127.0.0.1", True, NOW, HOSTILE),))


def record(summary: str = "web is missing in eus") -> Record:
    """An open finding."""
    finding = Finding(
        Kind.MISSING,
        Subject(service="web", region="eus"),
        Severity.MAJOR,
        NOW,
        summary,
        (("seen", "absent at eus-rs0 since 03:00:00"),),
    )
    return Record("id1", finding, State.OPEN, NOW, NOW)


def event(number: int, text: str = "10.250.0.10/32 withdrawn at eus-rs0") -> Event:
    """A line of the timeline."""
    return Event(number, NOW, EventKind.ROUTE, "withdrawn", text)


class Scene:
    """A daemon to read from: what a test sets is what it says."""

    def __init__(self) -> None:
        self.now = situation()
        self.records: tuple[Record, ...] = (record(HOSTILE),)
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        self.catchments: Landing = Lands()

    def situation(self) -> Situation:
        """What the test set."""
        return self.now

    def findings(self, *states: State) -> Sequence[Record]:
        """What the test set, in the states asked for."""
        return [record for record in self.records if not states or record.state in states]

    async def history(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int = 1000
    ) -> Sequence[Event]:
        """No past."""
        return ()

    async def events(self, after: int = 0) -> AsyncIterator[Event]:
        """What the test puts in."""
        while True:
            yield await self.queue.get()
