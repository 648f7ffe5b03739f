"""Metrics, as a scraper reads them from a running daemon: they parse, and they agree with what the API says."""

import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.client import _UnixConnection
from pipeline.metrics_document import names
from tests.pipeline.watched import WEB, Watched, running
from tests.speaker import attributes

HEALTH = {"ok": 0.0, "degraded": 1.0, "down": 2.0, "unknown": -1.0}
PRESENCE = {"present": 1.0, "absent": 0.0, "unknown": -1.0}


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running(tmp_path) as made:
        yield made


def _scraped(watched: Watched) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and sorted labels."""
    connection = _UnixConnection(str(watched.client.path), 10)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    finally:
        connection.close()
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family.name
        for sample in family.samples:
            key = tuple(sorted(sample.labels.items()))
            assert key not in found.setdefault(sample.name, {}), (sample.name, key)
            found[sample.name][key] = sample.value
    return found


def _cells(service: Mapping[str, Any]) -> dict[str, float]:
    cells = [cell for part in (*service["regions"], *service["sites"]) for cell in part["cells"]]
    return {cell["vantage"]: PRESENCE[cell["presence"]] for cell in cells}


def _of(samples: Mapping[tuple[tuple[str, str], ...], float], label: str) -> dict[str, float]:
    return {dict(key)[label]: value for key, value in samples.items()}


def test_metrics_agree_with_the_api_when_all_is_well_when_something_is_gone_and_when_blind(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == watched.presence("eus") == "present", what="both present")
    time.sleep(2)
    seen = set(_agreed(watched).values())
    watched.withdraw("weu")
    watched.wait(lambda: watched.presence("weu") == "absent" and watched.findings("open"), what="missing open")
    seen |= set(_agreed(watched).values())
    watched.gobgp.reset()
    watched.wait(lambda: watched.presence("eus") == "unknown", what="blind")
    seen |= set(_agreed(watched).values())
    assert seen == {1.0, 0.0, -1.0}, "every presence was met"


def _agreed(watched: Watched) -> dict[str, float]:
    """Check one scrape against the API, asked before and after: nothing moved in between."""
    while True:
        before, scraped = _told(watched), _scraped(watched)
        if before == _told(watched):
            break
    services, findings, status = before
    [service] = services
    presence = _of(scraped["catchment_route_present"], "vantage")
    assert presence == _cells(service)
    assert {(dict(key)["service"], dict(key)["prefix"]) for key in scraped["catchment_route_present"]} == {("web", WEB)}
    counted = sum(scraped.get("catchment_findings", {}).values())
    assert counted == len(findings)
    feeds = {feed["exporter"]: feed for feed in status["feeds"]}
    assert _of(scraped["catchment_feed_connected"], "exporter") == {n: float(f["connected"]) for n, f in feeds.items()}
    for name in ("messages", "routes", "malformed", "unjudged"):
        assert _of(scraped[f"catchment_feed_{name}_total"], "exporter") == {n: f[name] for n, f in feeds.items()}
    up = {each["vantage"]: float(each["state"] != "down") for each in status["sessions"] if each["state"] != "unknown"}
    assert _of(scraped["catchment_session_up"], "vantage") == up if up else "catchment_session_up" not in scraped
    assert scraped["catchment_service_health"] == {(("prefix", WEB), ("service", "web")): HEALTH[service["health"]]}
    regions = [region["presence"] == "present" for region in service["regions"]]
    assert list(scraped["catchment_service_regions_present"].values()) == [float(sum(regions))]
    assert list(scraped["catchment_service_regions_meant"].values()) == [float(len(regions))]
    assert _of(scraped["catchment_route_meant"], "vantage").keys() == presence.keys()
    known = {each["vantage"]: float(each["state"] != "unknown") for each in status["sessions"]}
    assert _of(scraped.get("catchment_session_known", {}), "vantage") == known
    blind = [vantage for vantage, value in presence.items() if value < 0]
    assert scraped["catchment_unknown_vantages"][()] >= len(blind)
    return presence


def _told(watched: Watched) -> tuple[Any, Any, Any]:
    time.sleep(0.25)  # one picture of the present is good for 0.2 s
    status = watched.client.get("/api/v1/status")
    sessions = [{"vantage": each["vantage"], "state": each["state"]} for each in status["sessions"]]
    findings = [(each["id"], each["state"]) for each in watched.client.get("/api/v1/findings")["findings"]]
    services = watched.client.get("/api/v1/services")["services"]
    return services, findings, {"feeds": status["feeds"], "sessions": sessions}


def test_routes_of_a_session_that_nobody_named_are_counted_and_open_nothing_until_it_is_named(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.gobgp.announce("10.66.0.1", 64666, WEB, attributes("10.66.0.1", 64666))
    watched.wait(lambda: _unjudged(watched) == 1, what="a route that is not judged")
    time.sleep(2)
    assert not {key for key in watched.findings() if "64666" in key}
    watched.gobgp.peer_up("10.66.0.1", 64666)
    watched.gobgp.announce("10.66.0.1", 64666, WEB, attributes("10.66.0.1", 64666))
    watched.wait(lambda: {key for key in watched.findings() if "64666" in key}, what="the same route, judged")
    assert _unjudged(watched) == 1


def _unjudged(watched: Watched) -> float:
    return _of(_scraped(watched)["catchment_feed_unjudged_total"], "exporter")["gobgp"]


def test_latencies_lag_and_jobs_are_measured(watched: Watched) -> None:
    watched.healthy()
    watched.wait(lambda: watched.presence("weu") == "present", what="web present")
    watched.wait(lambda: _scraped(watched)["catchment_judged_seconds_count"][()] > 0, what="a round that was measured")
    scraped = _scraped(watched)
    assert scraped["catchment_judge_seconds_count"][()] > 0
    assert scraped["catchment_loop_lag_seconds_count"][()] > 0
    assert set(_of(scraped["catchment_job_age_seconds"], "job")) == {"upkeep", "prune", "health"}
    assert scraped["catchment_refused_connections_total"][()] == 0
    with socket.create_connection(("127.0.0.1", watched.bmp)) as stranger:  # 127.0.0.1 is no exporter of the intent
        assert _hung_up(stranger)
    assert _scraped(watched)["catchment_refused_connections_total"][()] == 1
    assert all(age < 60 for age in scraped["catchment_job_age_seconds"].values())
    assert _of(scraped["catchment_job_interval_seconds"], "job")["upkeep"] == 600
    assert scraped["catchment_ready"][()] == scraped["catchment_intent_taken"][()] == 1
    assert scraped["catchment_disk_free_octets"][()] > scraped["catchment_journal_octets"][()] > 0
    assert scraped["catchment_journal_commit_seconds_count"][()] > 0
    assert scraped["process_resident_memory_bytes"][()] > 1e7
    written = {name for name in scraped if not name.startswith("process_") and not name.endswith("_created")}
    assert written <= names()


def test_an_intent_file_that_is_not_taken_is_a_metric(watched: Watched) -> None:
    good = watched.intent.read_text()
    watched.intent.write_text(good.replace("regions:", "regoins:"))
    watched.client.post("/api/v1/reload")
    assert _scraped(watched)["catchment_intent_taken"][()] == 0
    watched.intent.write_text(good)
    watched.client.post("/api/v1/reload")
    assert _scraped(watched)["catchment_intent_taken"][()] == 1


def _hung_up(stranger: socket.socket) -> bool:
    try:
        return stranger.recv(1) == b""
    except ConnectionResetError:
        return True


def test_servers_of_time_series_are_metrics_where_there_are_some(tmp_path: Path) -> None:
    made = Watched(tmp_path)
    with made.intent.open("a") as file:
        file.write('influx: {url: "http://127.0.0.1:9", name: away}\n')
    try:
        made.start()
        made.wait(lambda: _scraped(made)["catchment_sink_state"][_SINK_WAITS] == 1, 30, what="a sink that waits")
        assert _of(_scraped(made)["catchment_sink_delivered_total"], "sink") == {"away": 0}
        assert _scraped(made)["catchment_journal_commit_seconds_count"][()] > 0
    finally:
        made.close()


_SINK_WAITS = (("sink", "away"), ("state", "waiting"))
