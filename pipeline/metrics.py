"""Prometheus metrics made from the present when they are asked for: nothing to keep in step, and nothing stale."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anycast.change import Presence
from anycast.finding import Record
from anycast.situation import FeedStatus, Situation
from pipeline.agents.ingest import Counts

PRESENCE = {Presence.ABSENT: 0.0, Presence.PRESENT: 1.0, Presence.UNKNOWN: -1.0}
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
        job_ages: Callable[[], Mapping[str, float]],
    ) -> None:
        self._situation, self._records, self._job_ages = situation, records, job_ages

    def collect(self) -> Iterable[Metric]:
        """Make every family anew."""
        now = self._situation()
        yield _presence(now)
        yield _sessions(now)
        yield from _feeds(now.feeds)
        yield _findings(self._records())
        ages = GaugeMetricFamily("catchment_job_age_seconds", "Since a job last succeeded.", labels=["job"])
        for job, age in self._job_ages().items():
            ages.add_metric([job], age)
        yield ages

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a present."""
        return ()


class RefusedCollector(Collector):
    """Connections that the station did not take."""

    def __init__(self, refused: Callable[[], int]) -> None:
        self._refused = refused

    def collect(self) -> Iterable[Metric]:
        """Ask the station."""
        yield CounterMetricFamily(
            "catchment_refused_connections",
            "BMP connections refused: of callers that are no exporter of the intent, or that change too often.",
            value=self._refused(),
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a station."""
        return ()


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


def _presence(now: Situation) -> Metric:
    family = GaugeMetricFamily(
        "catchment_route_present",
        "A service's prefix at a vantage: 1 present, 0 absent, -1 unknown.",
        labels=["service", "prefix", "vantage", "rung"],
    )
    for service in now.services:
        cells = [cell for region in service.regions for cell in region.cells]
        for cell in (*cells, *(cell for site in service.sites for cell in site.cells)):
            labels = [service.service, service.prefix, cell.vantage, str(cell.rung)]
            family.add_metric(labels, PRESENCE[cell.presence])
    return family


def _sessions(now: Situation) -> Metric:
    family = GaugeMetricFamily(
        "catchment_session_up", "A BGP session as its router reports it; absent while unknown.", labels=["vantage"]
    )
    for session in now.sessions:
        if session.state != "unknown":
            family.add_metric([session.vantage], float(session.state in ("up", "loading")))
    return family


def _feeds(feeds: Sequence[FeedStatus]) -> Iterable[Metric]:
    connected = GaugeMetricFamily("catchment_feed_connected", "An exporter's BMP connection.", labels=["exporter"])
    for feed in feeds:
        connected.add_metric([feed.exporter], float(feed.connected))
    yield connected
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
