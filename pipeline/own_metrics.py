"""Catchment's own health as metrics, and that of the sinks of its time series."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from anycast.sink import SinkState, SinkStatus
from collector.bmp.status import StationStatus
from pipeline.own import Own, age

_SINK_COUNTS = (
    ("delivered", "Points that a server took."),
    ("requests", "Requests to a server."),
    ("quarantined", "Points that a server refused one by one; they are kept aside with its reasons."),
    ("unfit", "Points that were too old or in the future, and so not sent."),
    ("forgotten", "Points that retention took before they were delivered."),
)
_EXPORTER_COUNTS = (
    ("spooled_octets", "Octets that had to wait on disk to be decoded.", "spooled"),
    ("connections", "BMP connections taken.", "connections"),
    ("overloads", "How often a feed was given up because we could not keep up.", "overloads"),
)


class OwnCollector(Collector):
    """Whether all is well here, and what waits."""

    def __init__(self, own: Callable[[], Own]) -> None:
        self._own = own

    def collect(self) -> Iterable[Metric]:
        """Make every family anew."""
        own = self._own()
        info = _gauge("build_info", "1; the version is a label.", "version")
        info.add_metric([own.version], 1.0)
        yield info
        yield _gauge("ready", "1 while what is heard is taken, judged, kept and told; else 0.", value=float(own.ready))
        said = "When the intent that is in effect was read."
        yield _gauge("intent_loaded_timestamp_seconds", said, value=own.intent_loaded.timestamp())
        said = "1 where the intent file was taken when it was last read, else 0: then the one before is in effect."
        yield _gauge("intent_taken", said, value=float(own.intent_taken))
        yield _gauge("unknown_vantages", "Vantages of which nothing is known now.", value=own.unknown_vantages)
        yield _gauge("journal_queue_octets", "Octets that wait to be written down.", value=own.journal_queue)
        said = "1 while the journal takes nothing, else 0."
        yield _gauge("journal_failing", said, value=float(own.journal_failing))
        yield _gauge("journal_octets", "Octets that the journal takes on disk.", value=own.data)
        yield _gauge("disk_free_octets", "Octets that are free where the data folder is.", value=own.free)
        yield from _owed(own)

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a present."""
        return ()


class SinkCollector(Collector):
    """Servers of time series: what they took, and how far behind they are."""

    def __init__(self, sinks: Callable[[], Sequence[SinkStatus]]) -> None:
        self._sinks = sinks

    def collect(self) -> Iterable[Metric]:
        """Ask the sinks."""
        state = _gauge("sink_state", "1 for what a sink does: delivering, waiting, holding; else 0.", "sink", "state")
        behind = _gauge("sink_behind_seconds", "Age of the oldest point that is not delivered.", "sink")
        since = _gauge("sink_state_age_seconds", "Since a sink does what it does.", "sink")
        sinks = self._sinks()
        for sink in sinks:
            for each in SinkState:
                state.add_metric([sink.name, str(each)], float(sink.state is each))
            behind.add_metric([sink.name], sink.behind)
            since.add_metric([sink.name], age(sink.since))
        yield from (state, behind, since)
        for name, said in _SINK_COUNTS:
            family = CounterMetricFamily(f"catchment_sink_{name}", said, labels=["sink"])
            for sink in sinks:
                family.add_metric([sink.name], getattr(sink, name))
            yield family

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there are sinks."""
        return ()


class StationCollector(Collector):
    """The station: who was refused, and what could not be decoded at once."""

    def __init__(self, status: Callable[[], StationStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Ask the station."""
        status = self._status()
        yield CounterMetricFamily(
            "catchment_refused_connections",
            "BMP connections refused: of callers that are no exporter of the intent, or that change too often.",
            value=status.refused,
        )
        waiting = _gauge("feed_waiting_octets", "Octets received and not decoded yet.", "exporter")
        for exporter in status.exporters:
            waiting.add_metric([exporter.exporter], exporter.waiting)
        yield waiting
        for name, said, field in _EXPORTER_COUNTS:
            family = CounterMetricFamily(f"catchment_feed_{name}", said, labels=["exporter"])
            for exporter in status.exporters:
                family.add_metric([exporter.exporter], getattr(exporter, field))
            yield family
        yield _gauge("attribute_sets", "Distinct sets of path attributes in memory.", value=status.attributes)
        said = "How often the table of path attributes was full, and began anew."
        yield CounterMetricFamily("catchment_attribute_sets_forgotten", said, value=status.attributes_forgotten)
        said = "Pieces of what was heard that are decoded and wait to be judged."
        yield _gauge("undelivered", said, value=status.undelivered)
        yield CounterMetricFamily(
            "catchment_station_failures", "Feeds ended by an error of our own.", value=status.failures
        )

    def describe(self) -> Iterable[Metric]:
        """Nothing to say before there is a station."""
        return ()


def _owed(own: Own) -> Iterator[Metric]:
    messages = _gauge("notifications_owed", "Notifications that a receiver is still to be told.", "receiver")
    oldest = _gauge("notifications_oldest_owed_seconds", "Age of the first of them.", "receiver")
    for receiver, owed in sorted(own.owed.items()):
        messages.add_metric([receiver], owed.messages)
        oldest.add_metric([receiver], age(owed.oldest))
    yield from (messages, oldest)


def _gauge(name: str, said: str, *labels: str, value: float | None = None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"catchment_{name}", said, value=value, labels=labels or None)
