"""Where sites land, for pages that are tested: what a test sets is what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import sin

from anycast.agent import AgentStatus
from anycast.catchment import (
    AgentState,
    HostCatchment,
    Interval,
    Leg,
    LegKind,
    LegState,
    Quantiles,
    RegionShare,
    Shift,
    SiteServiceCatchment,
)
from anycast.charted import Answered, LegsChart, LegStep, SharesChart, ShareStep, Smoke, SmokeChart, ToldShift, Window
from anycast.convergence import Episode
from anycast.finding import Severity
from anycast.probe import Probe, Proof

NOW = datetime.fromisoformat("2026-11-23T03:00:00+00:00")
ALL = Interval(1.0, 0.994, 1.0, 600)
NONE = Interval(0.0, 0.0, 0.006, 600)
TRIPS = Quantiles(600, 0.0098, 0.0104, 0.0131, 0.019, 0.044)


def catchment(site: str = "ams", service: str = "web", **more: object) -> SiteServiceCatchment:
    """A site that lands where it is meant to, on an authenticated region, over two NVAs and two circuits."""
    regions = (
        RegionShare("weu", ALL, 32, True, True, TRIPS, Proof.AUTHENTICATED),
        RegionShare("eus", NONE, 0, True, False, None),
    )
    legs = (
        Leg(LegKind.NVA, "weu-nva1", "weu-nva1", "weu", 17, Interval(0.0, 0.0, 0.0035, 1088), 0.0104, LegState.FINE),
        Leg(LegKind.NVA, "weu-nva2", "weu-nva2", "weu", 15, Interval(0.21, 0.18, 0.24, 960), 0.0106, LegState.LOSSY),
        Leg(LegKind.CIRCUIT, "172.16.0.1", "weu-msee1", "weu", 16, Interval(1, 0.99, 1, 64), None, LegState.DEAD),
    )
    made = SiteServiceCatchment(
        site, service, "10.250.0.10/32", AgentState.HEARD, NOW - timedelta(seconds=0.2), (("weu",), ("eus",)),
        ("weu",), regions, legs, Interval(0.0017, 0.0003, 0.009, 600), 120.0, Probe.UDP,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def moved(site: str, service: str) -> SiteServiceCatchment:
    """One whose traffic moved, matched only, against what BGP says."""
    regions = (
        RegionShare("weu", Interval(0.12, 0.08, 0.18, 200), 3, True, True, TRIPS, Proof.MATCHED),
        RegionShare("eus", Interval(0.88, 0.82, 0.92, 200), 29, True, False, TRIPS, Proof.MATCHED),
    )
    shift = Shift(NOW - timedelta(seconds=50), (("weu", 29),), (("eus", 29),), None)
    return catchment(site, service, regions=regions, shift=shift, seconds=45.0, probe=Probe.HTTP)


def agent(name: str = "ams", **more: object) -> AgentStatus:
    """An agent that is well."""
    heard = NOW - timedelta(seconds=0.2)
    made = AgentStatus(
        name, False, AgentState.HEARD, True, heard, NOW - timedelta(hours=5), "5f3a9c21", 72_000, f"{name}-client", 9,
        0.0012, 0.0, 0.0034,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def episode(**more: object) -> Episode:
    """One that is over."""
    made = Episode(
        "ams", "web", "10.250.0.10/32", NOW - timedelta(minutes=9), "withdrawn at weu-nva1 (V1)",
        NOW - timedelta(minutes=9) + timedelta(seconds=1.4), "weu", None, 0.31, 0.42, 27, 1.4, 2,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass
class Lands:
    """An `anycast.ports.Landing`."""

    catchments: Sequence[SiteServiceCatchment] = (catchment(),)
    of_agents: Sequence[AgentStatus] = (agent(),)
    of_hosts: Sequence[HostCatchment] = ()
    of_episodes: Sequence[Episode] = ()
    regions: tuple[str, ...] = ("weu", "eus")
    shifts: tuple[ToldShift, ...] = ()
    fails: str | None = None
    """Why the journal cannot be asked."""
    asked: list[str] = field(default_factory=list)

    def now(self, site: str | None = None, service: str | None = None) -> Sequence[SiteServiceCatchment]:
        """What the test set."""
        return [c for c in self.catchments if site in (None, c.site) and service in (None, c.service)]

    def landing(self, site: str, service: str) -> Mapping[str, int]:
        """Counted."""
        ours = [host.region for host in self.of_hosts if (host.site, host.service) == (site, service)]
        return {region: ours.count(region) for region in sorted(set(ours))}

    def hosts(self, site: str | None = None, service: str | None = None) -> Sequence[HostCatchment]:
        """What the test set."""
        return self.of_hosts

    def agents(self) -> Sequence[AgentStatus]:
        """What the test set."""
        return self.of_agents

    def episodes(self) -> Sequence[Episode]:
        """What the test set."""
        return self.of_episodes

    async def smoke(self, site: str, target: str, window: Window, probe: Probe | None = None) -> SmokeChart:
        """A made chart: the first region until two thirds, then the second; losses where it moved, and a gap."""
        self._ask("smoke")
        return SmokeChart(site, target, window, Probe.UDP, tuple(_smoke(window, self.regions)))

    async def shares(self, site: str, service: str, window: Window) -> SharesChart:
        """The same story as shares."""
        self._ask("shares")
        return SharesChart(site, service, window, Probe.UDP, tuple(_shares(window, self.regions)), self.shifts)

    async def legs(self, site: str, service: str, window: Window) -> LegsChart:
        """Two NVAs, one of which loses from the middle on."""
        self._ask("legs")
        return LegsChart(site, service, window, tuple(_legs(window, self.regions)))

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fails is not None:
            raise OSError(self.fails)


def steps(window: Window) -> list[datetime]:
    """When each step begins."""
    count = int((window.end - window.start).total_seconds() / window.step)
    return [window.start + timedelta(seconds=n * window.step) for n in range(count)]


def _smoke(window: Window, regions: tuple[str, ...]) -> list[Smoke]:
    found, times = [], steps(window)
    for n, at in enumerate(times):
        if len(times) * 0.3 < n < len(times) * 0.35:
            continue  # the agent was away
        first = n < len(times) * 0.66
        base = (0.010 if first else 0.028) + 0.001 * sin(n / 5)
        many = [base * part for part in (0.96, 0.99, 1.0, 1.03, 1.09, 1.3, 1.7)]
        least, p25, p50, p75, p90, p99, most = many
        region = regions[0] if first else regions[1]
        found.append(Smoke(at, region, 60, 0, least, p25, p50, p75, p90, p99, most, Proof.AUTHENTICATED))
        if abs(n - len(times) * 0.66) < 3:
            found.append(Smoke(at, "", 14, 14))
    return found


def _shares(window: Window, regions: tuple[str, ...]) -> list[ShareStep]:
    found, times = [], steps(window)
    for n, at in enumerate(times):
        if len(times) * 0.3 < n < len(times) * 0.35:
            continue
        moved = min(1.0, max(0.0, (n - len(times) * 0.6) / (len(times) * 0.1)))
        one, two = (Interval(v, max(0, v - 0.05), min(1, v + 0.05), 100) for v in (1 - moved, moved))
        parts = [Answered(regions[0], int(100 * one.value), one, Proof.AUTHENTICATED)]
        parts.append(Answered(regions[1], int(100 * two.value), two, Proof.AUTHENTICATED))
        shown = tuple(part for part in parts if part.answers)
        found.append(ShareStep(at, 100, 2, Interval(0.02, 0.005, 0.07, 100), shown))
    return found


def _legs(window: Window, regions: tuple[str, ...]) -> list[LegStep]:
    found, times = [], steps(window)
    for n, at in enumerate(times):
        late = n > len(times) / 2
        for number in (1, 2):
            part = 0.2 if late and number == 2 else 0.0
            loss = Interval(part, max(0.0, part - 0.04), part + 0.05, 400)
            name = f"{regions[0]}-nva{number}"
            found.append(LegStep(at, LegKind.NVA, name, regions[0], 16, loss, 0.0104 + number / 10_000))
    return found


def told_shift(text: str = "web 10.250.0.10/32: traffic of ams moved from weu to eus, explained by BGP") -> ToldShift:
    """A shift that BGP explains."""
    why = "10.250.0.10/32 withdrawn at V1 weu-nva1, 2026-11-23T02:59:10.000000Z"
    return ToldShift(NOW - timedelta(seconds=50), text, Severity.INFO, why, "id7")
