"""Sessions, feeds and what we cannot see: each beside what is nearly the same and must not be told."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from analyzers.judge import ANALYZERS, judge
from analyzers.memory import restore, snapshot
from anycast.finding import Kind, Severity
from anycast.intent import Exporter, Thresholds, Vantage
from anycast.observation import DownReason, FeedOpened, SessionUp
from tests.analyzers.network import (
    MSEES,
    START,
    WEB,
    Network,
    best_source,
    dump,
    intent,
    looks,
    msee_source,
    nva_route,
    nva_source,
    vantages,
)
from tests.analyzers.scenarios.judged import MSEE, NVA, announced, gone, only

# session-down, flapping, prefix-limit, blind


def test_our_own_best_path_feed_down_is_a_warning() -> None:
    network = Network()
    network.down(best_source("ams"))
    assert (only(network).kind, only(network).severity) == (Kind.SESSION_DOWN, Severity.WARNING)


def test_a_session_of_an_edge_router_that_never_carried_a_service_is_not_ours() -> None:
    network = Network()
    stranger = msee_source("ams", "weu-msee1").session.__class__("ams-ce1", ip_address("10.90.7.7"))
    network.see(SessionUp(network.now, stranger))
    network.wait(6)
    network.down(type(MSEE)(stranger))
    assert network.findings() == ()


def test_a_flap_ends_by_decay_and_its_cap() -> None:
    network = Network()
    for _ in range(30):
        network.withdraw(NVA, WEB)
        network.announce(NVA, WEB, nva_route("weu-nva1", WEB))
        network.wait(2)
    assert {finding.kind for finding in network.findings()} == {Kind.FLAPPING}
    network.wait(Thresholds().flap_window.total_seconds() * 1.5)
    assert network.findings() == ()


def test_downs_of_different_nvas_do_not_add_up_to_flapping() -> None:
    network = Network()
    for nva in ("weu-nva1", "weu-nva2", "eus-nva1", "eus-nva2"):
        network.withdraw(nva_source(nva), WEB)
        network.announce(nva_source(nva), WEB, nva_route(nva, WEB))
    assert network.findings() == ()


@pytest.mark.parametrize(
    ("count", "severity"),
    [(50, None), (51, Severity.WARNING), (80, Severity.WARNING), (94, Severity.WARNING), (95, Severity.MAJOR)],
)
def test_a_session_near_its_limit_or_over_half_of_it_is_told(count: int, severity: Severity | None) -> None:
    limited = tuple(
        Vantage(v.name, v.exporter, v.peer, v.rung, whole=v.whole, region=v.region, nva=v.nva, prefix_limit=100)
        if v.name == "weu-nva1"
        else v
        for v in vantages()
    )
    network = Network(intent(vantages=limited))
    for n in range(count - 3):  # three services are there
        network.announce(NVA, ip_network(f"10.60.{n}.0/24"), looks(65010, hop="10.10.1.4"))
    assert [f.severity for f in network.findings()] == ([] if severity is None else [severity])


def test_an_exporter_that_never_connects_is_blindness_once_it_had_its_time() -> None:
    network = Network()
    network.view = network.view.__class__(network.intent)
    network.now = START
    for router in ("gobgp", "ams-ce1"):
        network.see(*dump(router, network.table, START))
    network.wait(50)
    assert network.findings() == ()
    network.wait(20)
    assert only(network).key == "blind|site=nyc|exporter=nyc-ce1"


def test_an_exporter_that_a_reload_names_has_its_time_from_then_on() -> None:
    network = Network()
    network.wait(300)
    network.view.reconfigure(meant := intent(exporters=(*network.intent.exporters, Exporter("lux-ce1", ()))))
    network.intent = meant
    assert network.findings() == ()
    reloaded = network.now
    network.wait(0)
    network.wait(59)
    assert network.findings() == ()
    network.wait(1)
    assert only(network).key == "blind|exporter=lux-ce1"
    assert only(network).since == reloaded


def test_when_nobody_connects_after_a_restart_that_is_blindness_too() -> None:
    network = Network()
    network.view = restore(network.intent, snapshot(network.view), network.now)
    network.wait(1)
    assert network.findings() == ()
    network.wait(61)
    assert [finding.subject.exporter for finding in network.findings()] == ["gobgp", "ams-ce1", "nyc-ce1"]


def test_a_table_that_loads_for_more_than_a_minute_is_blindness() -> None:
    network = Network()
    network.cut("ams-ce1")
    network.see(FeedOpened(network.now, "ams-ce1"))
    network.see(*(SessionUp(network.now, msee_source("ams", msee).session) for msee in MSEES))
    for _ in range(70):
        network.now += timedelta(seconds=1)
        for msee in MSEES:
            network.view.busy(msee_source("ams", msee).session, network.now, 50_000)
        network.wait(0)
    assert (only(network).kind, only(network).severity) == (Kind.BLIND, Severity.WARNING)
    network.wait(6)
    assert Kind.BLIND not in {finding.kind for finding in network.findings()}


def test_a_session_that_is_monitored_no_more_is_blindness_of_that_session() -> None:
    network = Network()
    network.down(MSEE, DownReason.DECONFIGURED)
    assert only(network).key == "blind|site=ams|vantage=ams-ce1/172.16.0.1"
    network.up(MSEE)
    network.wait(6)
    assert network.findings() == ()


def test_every_key_is_judged_once_and_says_what_it_rests_on() -> None:
    network = Network()
    gone(network, "weu")
    network.down(MSEE)
    announced(network, "10.250.8.0/25", 65010)
    findings = judge(network.view, network.intent, network.now)
    assert len({finding.key for finding in findings}) == len(findings) > 5
    assert all(finding.rests_on and finding.evidence for finding in findings)
    assert all(finding.since <= network.now for finding in findings)
    assert [judge(network.view, network.intent, network.now + timedelta(seconds=n)) for n in (0, 30)] == [findings] * 2
    assert len(ANALYZERS) == len(Kind)
