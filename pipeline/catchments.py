"""Where sites' traffic lands, as a running daemon knows it: now from the view, before from the data folder."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analyzers.probing.attendance import attendance
from analyzers.probing.picture import catchments
from anycast.agent import AgentStatus
from anycast.catchment import HostCatchment, SiteServiceCatchment
from anycast.charted import LegsChart, SharesChart, SmokeChart, Window
from anycast.convergence import Episode
from anycast.probe import Probe
from pipeline.charts import Charts
from pipeline.judging import Judging
from store.answers import Page
from store.charts import Place
from store.probed import Probed

FRESH = 0.2  # seconds that one picture is good for, however many ask
FOLLOWED = timedelta(seconds=30)  # some milliseconds of work, for a chart that waits up to a second less
AT_ONCE = 2  # questions to the journal; more would only wait for each other


class Catchments:
    """What pages, the API and the terminal read of it; an `anycast.ports.Landing`."""

    def __init__(self, judging: Judging, data: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._judging, self._charts, self._clock = judging, Charts(data), clock
        self._picture: tuple[float, tuple[SiteServiceCatchment, ...]] | None = None
        self._asking = asyncio.Semaphore(AT_ONCE)

    def now(self, site: str | None = None, service: str | None = None) -> Sequence[SiteServiceCatchment]:
        """Every site and service, or those that are named; at most FRESH seconds old."""
        at = time.monotonic()
        if self._picture is None or at - self._picture[0] > FRESH:
            judging = self._judging
            self._picture = (at, tuple(catchments(judging.view, judging.intent, self._clock())))
        return [c for c in self._picture[1] if site in (None, c.site) and service in (None, c.service)]

    def landing(self, site: str, service: str) -> Mapping[str, int]:
        """How many of a site's hosts land in each region, as NVAs heard of them."""
        return self._judging.view.probing.hosts.landing(site, service, self._clock())

    def hosts(self, site: str | None = None, service: str | None = None) -> Sequence[HostCatchment]:
        """Hosts one by one, old things too."""
        return self._judging.view.probing.hosts.catchments(site, service)

    def agents(self) -> Sequence[AgentStatus]:
        """Every agent that reports, did, or is meant to."""
        return attendance(self._judging.view.probing, self._clock())

    def episodes(self) -> Sequence[Episode]:
        """How sites came to rest after changes, the newest first; those that go on are among them."""
        convergence = self._judging.view.convergence
        going = (settling.now for settling in convergence.settling.values() if settling.now is not None)
        return sorted((*convergence.episodes, *going), key=lambda episode: episode.began, reverse=True)

    async def follow(self) -> None:
        """Read what was added to the journal: charts then wait for half a minute's rows at most."""
        await asyncio.to_thread(self._charts.follow, datetime.now(UTC))

    async def smoke(self, site: str, target: str, window: Window, probe: Probe | None = None) -> SmokeChart:
        """Round trips over time, by the way of asking that says most when `probe` is None."""
        async with self._asking:
            return await asyncio.to_thread(self._charts.smoke, site, target, window, probe)

    async def shares(self, site: str, service: str, window: Window) -> SharesChart:
        """Who answered over time, and the shifts that were told."""
        async with self._asking:
            return await asyncio.to_thread(self._charts.shares, site, service, window)

    async def legs(self, site: str, service: str, window: Window) -> LegsChart:
        """What each leg lost and how long it took, over time."""
        ends = {str(nva.address) for region in self._judging.intent.regions for nva in region.nvas}
        async with self._asking:
            return await asyncio.to_thread(self._charts.legs, site, service, window, ends)

    async def results(
        self, site: str, target: str | None, window: Window, limit: int, after: Place | None = None
    ) -> Page[Probed]:
        """Results one by one, oldest first, those behind `after` where it is given."""
        async with self._asking:
            return await asyncio.to_thread(self._charts.results, site, target, window, limit, after)
