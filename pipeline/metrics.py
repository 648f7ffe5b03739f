"""Prometheus metrics made from the present when they are asked for: nothing to keep in step, and nothing stale.

What a code means is written where the time series have it (`anycast.series`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anycast.change import Presence
from anycast.finding import Record
from anycast.series import HEALTH, NONE
from anycast.situation import Cell, FeedStatus, ServiceStatus, Situation
from pipeline.agents.ingest import Counts
from pipeline.own import age

PRESENCE = {Presence.ABSENT: 0.0, Presence.PRESENT: 1.0, Presence.UNKNOWN: -1.0}
MOST_SESSIONS = 10_000
"""With series of their own: a router may make sessions up."""
_HEALTH = {word: float(code) for code, word in HEALTH}
_AGENT_COUNTS = (
    ("batches", "Batches of agents' results that are in the journal."),
    ("results", "Results of probes that are in the journal."),
    ("late", "Of these, results that had waited in an agent's spool, and were not judged."),
    ("again", "Batches that came once more, and were in the journal already."),
    ("dropped", "Results that agents gave up because their spools were full."),
    ("refused", "Requests of agents that were refused: wrong bytes, another's site, out of order."),
)
_FEED_COUNTS = (
    ("messages", "BMP messages received."),
    ("routes", "Routes announced or withdrawn, from the bulk lane."),
    ("malformed", "Messages that could not be taken as they stood."),
    ("unjudged", "Watched routes of sessions that no Peer Up named: kept, and not judged."),
)


class PresentCollector(Collector):
    """The view, the ledger and the feeds as metric families."""

    def __init__(
        self,
        situation: Callable[[], Situation],
        records: Callable[[], Sequence[Record]],
        jobs: Callable[[], Mapping[str, tuple[float, float]]],
    ) -> None:
        """`jobs`: of each, the seconds since its last success, and how often it is to run."""
        self._situation, self._records, self._all_jobs = situation, records, jobs

    def collect(self) -> Iterable[Metric]:
        """Make every family anew."""
        now = self._situation()
        yield from _services(now)
        yield from _cells(now)
        yield _landed(now)
        yield from _sessions(now)
        yield from _feeds(now.feeds)
        yield _findings(self._records())
        yield from self._jobs()

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a present."""
        return ()

    def _jobs(self) -> Iterator[Metric]:
        ages = _gauge("job_age_seconds", "Since a job last succeeded; since the start, before it first did.", "job")
        every = _gauge("job_interval_seconds", "How often a job is to run.", "job")
        for job, (since, interval) in self._all_jobs().items():
            ages.add_metric([job], since)
            every.add_metric([job], interval)
        yield from (ages, every)


class ArchiveCollector(Collector):
    """What the archive did not keep."""

    def __init__(self, dropped: Callable[[], int]) -> None:
        self._dropped = dropped

    def collect(self) -> Iterable[Metric]:
        """Ask the archive."""
        yield CounterMetricFamily(
            "catchment_archive_dropped_octets",
            "Octets that the archive did not keep: its quota was full, or its disk refused.",
            value=self._dropped(),
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is an archive."""
        return ()


class AgentsCollector(Collector):
    """What agents reported."""

    def __init__(self, counts: Callable[[], tuple[Mapping[str, Counts], int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """Ask the door for agents."""
        sites, strangers = self._counts()
        for name, said in _AGENT_COUNTS:
            family = CounterMetricFamily(f"catchment_agent_{name}", said, labels=["site"])
            for site, counts in sites.items():
                family.add_metric([site], getattr(counts, name))
            yield family
        yield CounterMetricFamily(
            "catchment_agent_strangers", "Requests to report with a token that no site has.", value=strangers
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a door."""
        return ()


def _services(now: Situation) -> Iterator[Metric]:
    labels = ("service", "prefix")
    health = _gauge("service_health", "State of a service: 0 ok, 1 degraded, 2 down, -1 unknown.", *labels)
    there = _gauge("service_regions_present", "Regions whose Route Server holds the route.", *labels)
    meant = _gauge("service_regions_meant", "Regions that are meant to advertise it.", *labels)
    findings = _gauge("service_findings", "Findings open about a service.", *labels)
    for service in now.services:
        which = [service.service, service.prefix]
        health.add_metric(which, _HEALTH[service.health])
        there.add_metric(which, sum(region.presence is Presence.PRESENT for region in service.regions))
        meant.add_metric(which, len(service.regions))
        findings.add_metric(which, service.findings)
    yield from (health, there, meant, findings)


def _every_cell(service: ServiceStatus) -> Iterator[Cell]:
    for region in service.regions:
        yield from region.cells
    for site in service.sites:
        yield from site.cells


def _cells(now: Situation) -> Iterator[Metric]:
    labels = ("service", "prefix", "vantage", "rung")
    present = _gauge("route_present", "A service's prefix at a vantage: 1 present, 0 absent, -1 unknown.", *labels)
    meant = _gauge("route_meant", "1 where the intent wants a route at a vantage, else 0.", *labels)
    paths = _gauge("route_paths", "Paths to a service's prefix that a vantage holds.", *labels)
    since = _gauge("route_state_age_seconds", "Since a route is present, absent or unknown.", *labels)
    for service in now.services:
        for cell in _every_cell(service):
            which = [service.service, service.prefix, cell.vantage, str(cell.rung)]
            present.add_metric(which, PRESENCE[cell.presence])
            meant.add_metric(which, float(cell.expected))
            paths.add_metric(which, cell.paths)
            if cell.since is not None:
                since.add_metric(which, age(cell.since))
    yield from (present, meant, paths, since)


def _landed(now: Situation) -> Metric:
    said = "1 for the region of a site's best path, by BGP; `-` where it is no region's, or unknown."
    family = _gauge("site_best_region", said, "site", "service", "prefix", "region")
    for service in now.services:
        for site in service.sites:
            family.add_metric([site.site, service.service, service.prefix, site.landed or NONE], 1.0)
    return family


def _sessions(now: Situation) -> Iterator[Metric]:
    up = _gauge("session_up", "A BGP session as its router reports it; absent while unknown.", "vantage")
    known = _gauge("session_known", "1 while it is known whether a session is up, else 0.", "vantage")
    routes = _gauge("session_routes", "Routes that a session holds: watched ones, or the whole table.", "vantage")
    hold = _gauge("session_hold_seconds", "Negotiated hold time.", "vantage")
    since = _gauge("session_state_age_seconds", "Since a session is as it is.", "vantage")
    for session in now.sessions[:MOST_SESSIONS]:
        unknown = session.state == "unknown"
        known.add_metric([session.vantage], float(not unknown))
        if not unknown:
            up.add_metric([session.vantage], float(session.state in ("up", "loading")))
        for family, value in ((routes, session.routes), (hold, session.hold_time)):
            if value is not None:
                family.add_metric([session.vantage], value)
        if session.since is not None:
            since.add_metric([session.vantage], age(session.since))
    yield from (up, known, routes, hold, since)


def _feeds(feeds: Sequence[FeedStatus]) -> Iterable[Metric]:
    connected = _gauge("feed_connected", "1 while an exporter's BMP connection is there, else 0.", "exporter")
    since = _gauge("feed_state_age_seconds", "Since it is there, or is gone; absent where it never was.", "exporter")
    for feed in feeds:
        connected.add_metric([feed.exporter], float(feed.connected))
        if feed.since is not None:
            since.add_metric([feed.exporter], age(feed.since))
    yield from (connected, since)
    for name, help_text in _FEED_COUNTS:
        counts = CounterMetricFamily(f"catchment_feed_{name}", help_text, labels=["exporter"])
        for feed in feeds:
            counts.add_metric([feed.exporter], getattr(feed, name))
        yield counts


def _findings(records: Sequence[Record]) -> Metric:
    family = GaugeMetricFamily(
        "catchment_findings", "Findings that are pending or open.", labels=["kind", "severity", "state"]
    )
    counted = Counter((str(r.finding.kind), str(r.finding.severity), str(r.state)) for r in records)
    for labels, count in sorted(counted.items()):
        family.add_metric(list(labels), count)
    return family


def _gauge(name: str, said: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"catchment_{name}", said, labels=labels)
