"""What is advertised against what is alive; and routes that outlive what they lead to."""

from collections.abc import Iterator
from dataclasses import replace

from anycast.finding import Finding, Kind, Severity
from anycast.observation import DownReason
from anycast.probe import Outcome, Probe, Target, TargetKind
from tests.analyzers.network import WEB, nva_route, nva_source
from tests.analyzers.probed import Asked, Fate, Probed, at_nva, everything

ALL = (TargetKind.SERVICE, TargetKind.NVA, TargetKind.APPLICATION)


def of(network: Probed, kind: Kind) -> list[Finding]:
    """What is open of a kind about the web."""
    found = (f for f in network.open_now() if f.kind is kind and f.subject.service == "web")
    return sorted(found, key=lambda finding: finding.key)


def dead(*apps: str, sites: tuple[str, ...] = ("ams", "nyc")) -> Fate:
    """Applications refuse at their own address; their machines echo."""
    return lambda a: Outcome.REFUSED if a.target in apps and a.probe is Probe.HTTP and a.site in sites else None


def test_an_application_that_is_dead_at_two_sites_is_advertised_while_dead() -> None:
    network = Probed()
    network.faults.append(dead("weu-app1"))
    network.run(7)
    [found] = of(network, Kind.ADVERTISED_WHILE_DEAD)
    assert (found.subject.nva, found.subject.region, found.severity) == ("weu-nva1", "weu", Severity.MAJOR)
    assert found.rests_on >= {"agent/ams", "agent/nyc", "weu-nva1"}
    assert of(network, Kind.HEALTH_CHECK_DEFECT) == []
    network.run(8)
    [defect] = of(network, Kind.HEALTH_CHECK_DEFECT)
    assert defect.subject.nva == "weu-nva1"
    network.faults.append(dead("weu-app2"))
    network.run(8)
    assert {f.severity for f in of(network, Kind.ADVERTISED_WHILE_DEAD)} == {Severity.CRITICAL}
    network.faults.clear()
    network.run(20)
    assert network.open_now() == []


def test_an_application_that_one_of_two_sites_reaches_is_not_dead() -> None:
    network = Probed()
    network.faults.append(dead("weu-app1", sites=("ams",)))
    network.run(15)
    assert of(network, Kind.ADVERTISED_WHILE_DEAD) == of(network, Kind.HEALTH_CHECK_DEFECT) == []


def test_an_application_of_one_service_says_nothing_of_others() -> None:
    class Apart(Probed):
        def targets(self, site: str) -> Iterator[Target]:
            for target in super().targets(site):
                yield replace(target, service="web" if target.name == "weu-app1" else None)

    network = Apart()
    network.faults.append(dead("weu-app1"))
    network.run(8)
    assert {f.subject.service for f in network.open_now() if f.kind is Kind.ADVERTISED_WHILE_DEAD} == {"web"}


def test_a_site_that_is_cut_off_says_nothing_of_applications() -> None:
    network = Probed(sites=("ams",))
    network.faults.append(everything("ams"))
    network.run(15)
    assert of(network, Kind.ADVERTISED_WHILE_DEAD) == []


def test_an_application_whose_route_was_withdrawn_is_not_advertised() -> None:
    network = Probed()
    network.faults.append(dead("weu-app1"))
    network.run(2)
    network.withdraw(nva_source("weu-nva1"), WEB)
    network.run(15)
    assert of(network, Kind.ADVERTISED_WHILE_DEAD) == of(network, Kind.HEALTH_CHECK_DEFECT) == []


def test_a_healthy_region_that_does_not_advertise_stands_idle() -> None:
    network = Probed()
    network.withdraw_region("eus", WEB)
    network.lands["nyc", "web"] = ("weu",)
    network.run(4)
    assert of(network, Kind.HEALTHY_BUT_SILENT) == []
    network.run(3)
    [found] = of(network, Kind.HEALTHY_BUT_SILENT)
    assert (found.subject.region, found.severity) == ("eus", Severity.MAJOR)

    dark = Probed()
    dark.faults.append(dead("eus-app1", "eus-app2"))
    dark.run(3)
    dark.withdraw_region("eus", WEB)
    dark.lands["nyc", "web"] = ("weu",)
    dark.run(10)
    assert of(dark, Kind.HEALTHY_BUT_SILENT) == []


def test_a_health_check_that_flaps_while_the_application_answers_is_defect() -> None:
    network = Probed()
    network.run(5)
    for _ in range(4):
        network.withdraw(nva_source("weu-nva1"), WEB)
        network.run(3)
        network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
        network.run(3)
    network.run(8)
    [defect] = of(network, Kind.HEALTH_CHECK_DEFECT)
    assert "again and again" in defect.summary

    flapping = Probed()
    fault = dead("weu-app1")
    for _ in range(4):
        flapping.faults.append(fault)
        flapping.run(4)
        flapping.withdraw(nva_source("weu-nva1"), WEB)
        flapping.run(3)
        flapping.faults.remove(fault)
        flapping.run(2)
        flapping.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
        flapping.run(2)
    flapping.run(8)
    assert of(flapping, Kind.HEALTH_CHECK_DEFECT) == []


def test_where_no_application_lives_to_keep_advertising_is_no_defect() -> None:
    network = Probed()
    network.faults.append(dead("weu-app1", "weu-app2", "eus-app1", "eus-app2"))
    network.run(20)
    assert of(network, Kind.HEALTH_CHECK_DEFECT) == []
    assert of(network, Kind.ADVERTISED_WHILE_DEAD)


def test_a_route_that_a_hold_time_keeps_is_stale_and_says_when_it_ends() -> None:
    network = Probed()
    network.faults.append(at_nva("weu-nva1", kinds=ALL))
    network.run(6)
    found = of(network, Kind.STALE_ROUTE)
    assert [f.subject.nva for f in found] == ["weu-nva1"]
    assert "hold time has not run out" in found[0].summary
    assert "hold time of 9 s" in dict(found[0].evidence)["ends by itself"]
    network.withdraw(nva_source("weu-nva1"), WEB)
    network.nvas["weu"] = ("weu-nva2",)
    network.run(10)
    assert of(network, Kind.STALE_ROUTE) == []


def test_a_route_that_graceful_restart_keeps_is_stale() -> None:
    network = Probed()
    for n in (1, 2):
        network.down(nva_source(f"weu-nva{n}"), DownReason.REMOTE_CLOSED)
    network.faults.append(at_nva("weu-nva1", "weu-nva2", kinds=ALL))
    network.run(8)
    found = of(network, Kind.STALE_ROUTE)
    assert {f.subject.nva for f in found} == {"weu-nva1", "weu-nva2"}
    assert all("session is down" in f.summary for f in found)


def test_a_session_that_is_down_while_traffic_flows_keeps_no_stale_route() -> None:
    network = Probed()
    network.down(nva_source("weu-nva1"), DownReason.REMOTE_CLOSED)
    network.run(10)
    assert of(network, Kind.STALE_ROUTE) == []


def test_an_nva_that_filters_its_own_address_is_not_gone() -> None:
    network = Probed()
    network.faults.append(at_nva("weu-nva1", kinds=(TargetKind.NVA,)))
    network.run(10)
    assert network.steps == []


def test_what_is_asked_of_no_application_is_no_matter_of_it() -> None:
    network = Probed(controls=False)

    def fate(asked: Asked) -> Outcome | None:
        return Outcome.SILENT if asked.nva == "weu-nva1" else None

    network.faults.append(fate)
    network.run(15)
    kinds = {s.record.finding.kind for s in network.steps}
    assert not kinds & {Kind.ADVERTISED_WHILE_DEAD, Kind.HEALTHY_BUT_SILENT, Kind.HEALTH_CHECK_DEFECT}
