"""The present at a glance: three states, who is expected, and what is wrong."""

from dataclasses import replace

from analyzers.situation import situation
from anycast.change import Presence
from anycast.finding import Record, Severity, State
from anycast.intent import Rung
from anycast.observation import DownReason
from anycast.plain import to_plain
from anycast.situation import FeedStatus, Health, ServiceStatus, Situation
from tests.analyzers.network import (
    EDGES,
    START,
    WEB,
    Network,
    best_route,
    best_source,
    intent,
    msee_source,
    nva_source,
    placement,
    services,
)


def look(network: Network, *records: Record) -> Situation:
    return situation(network.view, network.intent, records, (), network.now)


def web(shown: Situation) -> ServiceStatus:
    return next(service for service in shown.services if service.service == "web")


def test_a_healthy_service_shows_its_regions_and_where_sites_land() -> None:
    service = web(look(Network()))
    assert (service.health, service.findings, service.worst, service.owner) == (Health.OK, 0, None, "team-web")
    assert [(r.region, r.presence, r.nvas_present, r.nvas_expected) for r in service.regions] == [
        ("weu", Presence.PRESENT, 2, 2),
        ("eus", Presence.PRESENT, 2, 2),
    ]
    ams = service.sites[0]
    assert (ams.landed, ams.heard, ams.intended) == ("weu", ("eus", "weu"), (("weu",), ("eus",)))
    v5 = next(cell for cell in ams.cells if cell.vantage == "ams-ce1/172.16.0.1")
    assert (v5.rung, v5.presence, v5.best_region, v5.as_path, v5.expected) == (
        Rung.V5,
        Presence.PRESENT,
        "weu",
        "12076",
        True,
    )
    to_our_collector = next(cell for cell in ams.cells if cell.vantage == "ams-ce1/10.99.0.1")
    assert not to_our_collector.expected


def test_a_withdrawn_region_degrades_and_no_region_at_all_is_down() -> None:
    network = Network()
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    service = web(look(network))
    assert service.health is Health.DEGRADED
    assert service.sites[0].landed == "eus"
    network.withdraw_region("eus", WEB)
    for site in EDGES:
        network.withdraw(best_source(site), WEB)
    assert web(look(network)).health is Health.DOWN


def test_open_findings_are_counted_and_pending_ones_are_not() -> None:
    network = Network()
    network.withdraw(nva_source("weu-nva1"), WEB)
    records = [
        Record(str(number), finding, state, network.now)
        for number, finding in enumerate(network.findings())
        for state in (State.OPEN, State.PENDING)
    ]
    service = web(look(network, *records))
    assert (service.findings, service.worst, service.health) == (2, Severity.WARNING, Health.DEGRADED)


def test_what_cannot_be_seen_is_unknown() -> None:
    network = Network()
    network.cut("gobgp")
    shown = look(network)
    assert web(shown).health is Health.UNKNOWN
    assert {session.state for session in shown.sessions if session.exporter == "gobgp"} == {"unknown"}
    assert {session.state for session in shown.sessions if session.exporter == "ams-ce1"} == {"up"}
    assert {feed.exporter: feed.connected for feed in shown.feeds} == {
        "gobgp": False,
        "ams-ce1": True,
        "nyc-ce1": True,
    }


def test_sessions_say_their_state_and_the_routers_words() -> None:
    network = Network()
    network.down(msee_source("ams", "weu-msee1"), DownReason.REMOTE_NOTIFICATION, "6/2 Cease")
    network.up(nva_source("weu-nva1"))
    shown = {session.vantage: session for session in look(network).sessions}
    down = shown["ams-ce1/172.16.0.1"]
    assert (down.state, down.detail, down.rung) == ("down", "remote-notification 6/2 Cease", Rung.V5)
    assert (shown["weu-nva1"].state, shown["weu-nva1"].routes, shown["weu-nva1"].hold_time) == ("up", 3, 9)


def test_the_stations_own_counts_are_shown_and_everything_is_plain() -> None:
    network = Network()
    mine = FeedStatus("gobgp", "127.0.0.1", True, START, messages=7)
    shown = situation(network.view, network.intent, (), (mine,), network.now)
    assert shown.feeds[0] is mine
    assert len(shown.feeds) == 3
    assert to_plain(shown)["services"][0]["service"] == "web"


def test_an_nva_that_may_rest_is_not_shown_as_lacking() -> None:
    for least, lacking in ((None, ["weu-nva1"]), (1, [])):
        web_service, *others = services()
        placed = (placement("weu", at_least=least), placement("eus"))
        network = Network(intent(services=(replace(web_service, placements=placed), *others)))
        network.withdraw(nva_source("weu-nva1"), WEB)
        weu = web(look(network)).regions[0]
        assert (weu.nvas_present, weu.nvas_expected) == (1, 2)
        assert [c.nva for c in weu.cells if c.expected and c.presence is Presence.ABSENT] == lacking
