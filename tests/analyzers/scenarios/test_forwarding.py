"""What routers do with packets against what BGP says: paths that get no flow."""

from anycast.finding import Finding, Kind, Severity
from anycast.probe import Outcome, Probe
from tests.analyzers.network import WEB, best_route, best_source, nva_route, nva_source
from tests.analyzers.probed import CIRCUITS, Probed


def of(network: Probed, kind: Kind) -> list[Finding]:
    return sorted((f for f in network.open_now() if f.kind is kind), key=lambda finding: finding.key)


def test_a_region_that_answers_after_its_route_went_is_another_forwarding_than_bgp_says() -> None:
    network = Probed(sites=("ams",))
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.run(10)
    assert of(network, Kind.FIB_DIVERGENCE) == []  # within ten seconds routers may still be at it
    network.run(5)
    [found] = of(network, Kind.FIB_DIVERGENCE)
    assert (found.subject.region, found.severity) == ("weu", Severity.MAJOR)
    assert "its route is gone" in found.summary
    network.lands["ams", "web"] = ("eus",)
    network.run(20)
    assert of(network, Kind.FIB_DIVERGENCE) == []


def test_a_failover_that_forwards_as_bgp_says_is_none() -> None:
    network = Probed(sites=("ams",))
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.lands["ams", "web"] = ("eus",)
    network.run(20)
    assert of(network, Kind.FIB_DIVERGENCE) == []


def test_a_path_that_came_back_and_gets_no_flow_fell_out_of_the_forwarding_table() -> None:
    network = Probed(sites=("ams",))
    network.run(5)
    network.withdraw(nva_source("weu-nva2"), WEB)
    network.nvas["weu"] = ("weu-nva1",)
    network.run(4)
    network.announce(nva_source("weu-nva2"), WEB, nva_route("weu-nva2", WEB))
    network.run(90)
    [found] = of(network, Kind.FIB_DIVERGENCE)
    assert (found.subject.nva, found.severity) == ("weu-nva2", Severity.MAJOR)
    assert of(network, Kind.HASH_POLARISED) == of(network, Kind.DEAD_LEG) == []
    network.nvas["weu"] = ("weu-nva1", "weu-nva2")
    network.run(25)
    assert of(network, Kind.FIB_DIVERGENCE) == []


def test_all_flows_on_one_path_without_any_event_are_the_hash() -> None:
    network = Probed(sites=("ams",), services=("web", "dns"))
    network.run(5)
    network.nvas["weu"] = ("weu-nva1",)
    network.run(90)
    found = of(network, Kind.HASH_POLARISED)
    assert [f.subject.service for f in found] == ["dns", "web"]
    assert {f.severity for f in found} == {Severity.WARNING}
    assert of(network, Kind.FIB_DIVERGENCE) == of(network, Kind.DEAD_LEG) == []


def test_one_service_on_one_circuit_while_another_takes_both_is_the_forwarding_table() -> None:
    network = Probed(sites=("ams",), services=("web", "dns"), settle=40)
    one, other = CIRCUITS["ams", "weu"]
    choose = network.path

    def stuck(site: str, service: str, flow: int) -> tuple[str, str, str]:
        region, nva, circuit = choose(site, service, flow)
        return region, nva, one if service == "web" else circuit

    network.path = stuck  # type: ignore[method-assign]
    network.run(60)
    [found] = of(network, Kind.FIB_DIVERGENCE)
    assert (found.subject.service, found.subject.detail) == ("web", f"circuit {other}")
    assert of(network, Kind.HASH_POLARISED) == []


def test_a_path_that_loses_is_not_unused_and_one_that_bgp_does_not_show_is_not_missed() -> None:
    network = Probed(sites=("ams",))
    network.withdraw(nva_source("weu-nva2"), WEB)
    network.nvas["weu"] = ("weu-nva1",)
    network.run(90)
    assert of(network, Kind.FIB_DIVERGENCE) == of(network, Kind.HASH_POLARISED) == []

    lost = Probed(sites=("ams",))
    lost.faults.append(lambda a: Outcome.SILENT if a.nva == "weu-nva2" and a.target == "web" else None)
    lost.run(30)
    assert of(lost, Kind.FIB_DIVERGENCE) == of(lost, Kind.HASH_POLARISED) == []


def test_a_few_flows_prove_no_polarisation() -> None:
    network = Probed(sites=("ams",), flows=4)
    network.hashes.clear()
    for beat in list(network.beats):
        if beat[3].probe is Probe.UDP and beat[3].flow < 0:
            network.beats.remove(beat)
    network.nvas["weu"] = ("weu-nva1",)
    network.run(80)
    assert of(network, Kind.HASH_POLARISED) == []
