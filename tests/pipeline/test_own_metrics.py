"""Catchment's own health as metrics: what waits, what fails, and since when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from anycast.sink import SinkState, SinkStatus
from collector.bmp.counters import FeedCounters
from collector.bmp.status import ExporterStatus, StationStatus
from pipeline.own import Gathered, Owed, Own
from pipeline.own_metrics import OwnCollector, SinkCollector, StationCollector
from store.ledger import LedgerFile

NOW = datetime.now(UTC)
WELL = Own("1.2.3", True, NOW, True, 0, 0, False, 5000, 70_000, {})
SINK = SinkStatus("main", "http://127.0.0.1:8086", "catchment", SinkState.DELIVERING, NOW, 7, 0.0, 100, 2, 0, 0, 0)
STATION = StationStatus((), (), 0, {}, 5, 900, 0, 0, 0, 0)

Samples = dict[tuple[str, ...], float]


def scraped(collector: Collector) -> dict[str, Samples]:
    """Samples by name and the values of their labels, in order of the labels' names."""
    registry = CollectorRegistry()
    registry.register(collector)
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name.removeprefix("catchment_"), {})[labels] = sample.value
    return found


def test_all_is_well() -> None:
    found = scraped(OwnCollector(lambda: WELL))
    assert found["build_info"] == {("1.2.3",): 1.0}
    assert found["ready"] == found["intent_taken"] == {(): 1.0}
    assert found["journal_failing"] == found["journal_queue_octets"] == found["unknown_vantages"] == {(): 0.0}
    assert (found["journal_octets"], found["disk_free_octets"]) == ({(): 5000.0}, {(): 70_000.0})
    assert found["intent_loaded_timestamp_seconds"][()] == pytest.approx(NOW.timestamp())
    assert "notifications_owed" not in found


def test_nothing_is_well() -> None:
    now = datetime.now(UTC)
    owed = {"ops": Owed(3, now - timedelta(minutes=5)), "noc": Owed(1, now)}
    ill = replace(WELL, ready=False, intent_taken=False, unknown_vantages=4, journal_queue=99, journal_failing=True)
    found = scraped(OwnCollector(lambda: replace(ill, owed=owed)))
    assert found["ready"] == found["intent_taken"] == {(): 0.0}
    assert found["journal_failing"] == {(): 1.0}
    assert (found["unknown_vantages"], found["journal_queue_octets"]) == ({(): 4.0}, {(): 99.0})
    assert found["notifications_owed"] == {("ops",): 3.0, ("noc",): 1.0}
    assert found["notifications_oldest_owed_seconds"]["ops",] == pytest.approx(300, abs=30)
    assert found["notifications_oldest_owed_seconds"]["noc",] < 30


@pytest.mark.parametrize("state", SinkState)
def test_a_sink_is_in_one_state_and_says_how_far_behind_it_is(state: SinkState) -> None:
    counts = {"delivered": 11, "requests": 12, "quarantined": 13, "unfit": 14, "forgotten": 15}
    since = datetime.now(UTC) - timedelta(minutes=2)
    ill = replace(SINK, name="other", state=state, behind=42.5, since=since, last_error="secret?", **counts)  # type: ignore[arg-type]
    found = scraped(SinkCollector(lambda: (SINK, ill)))
    assert found["sink_behind_seconds"] == {("main",): 0.0, ("other",): 42.5}
    assert [key for key, value in found["sink_state"].items() if value] == [("main", "delivering"), ("other", state)]
    assert found["sink_state_age_seconds"]["other",] == pytest.approx(120, abs=30)
    for name, count in counts.items():
        assert found[f"sink_{name}_total"] == {("main",): float(getattr(SINK, name)), ("other",): float(count)}


def test_the_station_says_who_waits_and_who_was_refused() -> None:
    exporter = ExporterStatus("gobgp", "", True, NOW, "", "", "", FeedCounters(), 1000, 2000, 3, 4)
    found = scraped(StationCollector(lambda: replace(STATION, exporters=(exporter,), refused=9, failures=1)))
    assert found["refused_connections_total"] == {(): 9.0}
    assert found["feed_waiting_octets"] == {("gobgp",): 1000.0}
    assert found["feed_spooled_octets_total"] == {("gobgp",): 2000.0}
    assert found["feed_connections_total"] == {("gobgp",): 3.0}
    assert found["feed_overloads_total"] == {("gobgp",): 4.0}
    assert found["station_failures_total"] == {(): 1.0}
    assert found["attribute_sets"] == {(): 5.0}


async def test_what_is_owed_and_what_the_disk_has_left_is_looked_up(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    file = LedgerFile(tmp_path / "ledger.sqlite")
    gathered = Gathered(tmp_path, file)
    await gathered.gather()
    assert (gathered.data, gathered.owed) == (0, {})
    assert gathered.free > 0
    (tmp_path / "journal" / "segment").write_bytes(bytes(100_000))
    await _owe(file, ("a", "ops", "2026-11-23T12:00:00Z", "owed"), ("b", "ops", "2026-11-23T11:00:00Z", "owed"))
    await _owe(file, ("c", "ops", "2026-11-23T10:00:00Z", "delivered"), ("d", "noc", "2026-11-23T10:00:00Z", "dead"))
    await gathered.gather()
    assert gathered.owed == {"ops": Owed(2, datetime(2026, 11, 23, 11, tzinfo=UTC))}
    assert gathered.data >= 100_000
    await file.close()


async def _owe(file: LedgerFile, *rows: tuple[str, str, str, str]) -> None:
    sql = """INSERT INTO outbox (id, receiver, record, step, created, snapshot, state)
             VALUES (?, ?, 'record', 'opened', ?, '{}', ?)"""
    await file._write(lambda database: database.executemany(sql, rows))
