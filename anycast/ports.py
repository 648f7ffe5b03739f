"""What one box needs of another, as Protocols. The pipeline hands the implementations in; nobody imports sideways."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from anycast.agent import AgentStatus
from anycast.catchment import HostCatchment, SiteServiceCatchment
from anycast.charted import LegsChart, SharesChart, SmokeChart, Window
from anycast.convergence import Episode
from anycast.finding import Record, State
from anycast.message import Delivery
from anycast.prefix import Prefix
from anycast.probe import Probe
from anycast.situation import Event, Situation


class Landing(Protocol):
    """Where sites' traffic lands, now and before, as pages and terminals read it."""

    def now(self, site: str | None = None, service: str | None = None) -> Sequence[SiteServiceCatchment]:
        """Every site and service, or those that are named."""
        ...

    def landing(self, site: str, service: str) -> Mapping[str, int]:
        """How many of a site's hosts land in each region, as NVAs heard of them."""
        ...

    def hosts(self, site: str | None = None, service: str | None = None) -> Sequence[HostCatchment]:
        """Hosts one by one, old things too."""
        ...

    def agents(self) -> Sequence[AgentStatus]:
        """Every agent that reports, did, or is meant to."""
        ...

    def episodes(self) -> Sequence[Episode]:
        """How sites came to rest after changes, the newest first; those that go on are among them."""
        ...

    async def smoke(self, site: str, target: str, window: Window, probe: Probe | None = None) -> SmokeChart:
        """Round trips over time, by the way of asking that says most when `probe` is None."""
        ...

    async def shares(self, site: str, service: str, window: Window) -> SharesChart:
        """Who answered over time, and the shifts that were told."""
        ...

    async def legs(self, site: str, service: str, window: Window) -> LegsChart:
        """What each leg lost and how long it took, over time."""
        ...


class Reading(Protocol):
    """What pages, reports and terminals read of the running daemon."""

    @property
    def catchments(self) -> Landing:
        """Where sites' traffic lands."""
        ...

    def situation(self) -> Situation:
        """Everything at a glance, now."""
        ...

    def findings(self, *states: State) -> Sequence[Record]:
        """Findings in any of `states` (all when none is given), newest first; cleared ones of the last day only."""
        ...

    async def history(
        self, prefix: Prefix | None, start: datetime, end: datetime, limit: int = 1000
    ) -> Sequence[Event]:
        """What happened to a prefix (to everything watched when None) in [start, end), oldest first."""
        ...

    def events(self, after: int = 0) -> AsyncIterator[Event]:
        """Live events numbered above `after`; those still in memory first, then each as it happens."""
        ...


class Outbox(Protocol):
    """What is owed, kept where a crash cannot reach it. One process delivers."""

    async def receivers(self) -> Sequence[str]:
        """Names of the receivers that anything is owed to."""
        ...

    async def due(self, receiver: str, now: datetime, limit: int) -> Sequence[Delivery]:
        """What may be tried now: of each finding only the first message that is owed, oldest first."""
        ...

    async def next_attempt(self, receiver: str, now: datetime) -> datetime | None:
        """When the next message that waits (and is not due) may be tried; None when none waits."""
        ...

    async def accepted(self, receiver: str, record: str) -> bool:
        """Whether the receiver has accepted any message about the record of this id."""
        ...

    async def settle(self, delivery: Delivery) -> None:
        """Write how an attempt ended; durable when it returns."""
        ...
