"""Which leg is dead or loses, and what looks like it and is none."""

import pytest

from anycast.finding import Finding, Kind, Severity
from anycast.probe import Outcome, Probe, TargetKind
from tests.analyzers.network import WEB, nva_source
from tests.analyzers.probed import CIRCUITS, Asked, Fate, Probed, at_circuit, at_nva


def of(network: Probed, kind: Kind) -> list[Finding]:
    return sorted((f for f in network.open_now() if f.kind is kind), key=lambda finding: finding.key)


def some_flows(nva: str, every: int = 4) -> Fate:
    """All packets of every fourth flow through an NVA are lost, and none of the others."""

    def fate(asked: Asked) -> Outcome | None:
        hit = asked.nva == nva and asked.kind is TargetKind.SERVICE and asked.probe is Probe.UDP
        return Outcome.SILENT if hit and asked.flow >= 0 and asked.flow % every == 0 else None

    return fate


def test_a_dead_nva_is_named_and_the_region_is_no_blackhole() -> None:
    network = Probed()
    network.faults.append(at_nva("weu-nva1"))
    took = network.wait_for(Kind.DEAD_LEG, 10)
    assert took is not None
    assert took <= 2.5
    network.run(3)
    found = of(network, Kind.DEAD_LEG)
    assert [(f.subject.nva, f.subject.region, f.subject.site) for f in found] == [
        ("weu-nva1", "weu", "ams"),
        ("weu-nva1", "weu", "nyc"),
    ]
    assert all(f.severity is Severity.CRITICAL and f.rests_on == {f"agent/{f.subject.site}"} for f in found)
    assert dict(found[0].evidence)["weu-nva1 at its own address"] == "answers at its own address"
    assert {f.kind for f in network.open_now()} == {Kind.DEAD_LEG}
    network.faults.clear()
    network.run(25)
    assert network.open_now() == []
    assert {s.record.finding.kind for s in network.steps} == {Kind.DEAD_LEG}  # and no lossy leg after it


def test_a_dead_circuit_is_named_by_the_hop_at_which_flows_part() -> None:
    network = Probed(sites=("ams",), settle=40)
    circuit = CIRCUITS["ams", "weu"][1]
    network.faults.append(at_circuit(circuit))
    took = network.wait_for(Kind.DEAD_LEG, 10)
    assert took is not None
    assert took <= 2.5
    network.run(2)
    [found] = of(network, Kind.DEAD_LEG)
    assert found.subject.detail == f"circuit {circuit}"
    assert found.subject.nva is None
    assert circuit in found.summary


def test_two_dead_legs_are_two() -> None:
    network = Probed(sites=("nyc",))
    network.faults += [at_nva("weu-nva1"), at_nva("eus-nva2")]
    network.run(5)
    assert {f.subject.nva for f in of(network, Kind.DEAD_LEG)} == {"weu-nva1", "eus-nva2"}


def test_a_leg_that_was_withdrawn_is_not_dead_for_its_flows_are_elsewhere() -> None:
    network = Probed(sites=("ams",))
    network.withdraw(nva_source("weu-nva1"), WEB)
    network.nvas["weu"] = ("weu-nva2",)
    network.run(10)
    assert not {s.record.finding.kind for s in network.steps} & {Kind.DEAD_LEG, Kind.LOSSY_LEG, Kind.BLACKHOLE}
    assert all(flow.nva == "weu-nva2" for flow in network.view.probing.sites["ams"].pairs["web"].flows.active())


def test_a_leg_that_dies_and_is_withdrawn_ends_when_its_flows_move() -> None:
    network = Probed(sites=("ams",))
    network.faults.append(at_nva("weu-nva1"))
    network.run(6)
    assert of(network, Kind.DEAD_LEG)
    network.withdraw(nva_source("weu-nva1"), WEB)
    network.nvas["weu"] = ("weu-nva2",)
    network.run(14)
    assert of(network, Kind.DEAD_LEG) == of(network, Kind.LOSSY_LEG) == []


def test_a_fifth_of_the_packets_of_a_leg_is_found_in_five_seconds_and_a_twentieth_in_thirty() -> None:
    for part, severity, limit in ((0.2, Severity.MAJOR, 5), (0.05, Severity.WARNING, 30)):
        network = Probed(sites=("ams",), seed=3)
        network.loss = 0.001
        network.run(5)
        network.faults.append(at_nva("weu-nva2", part=part))
        took = network.wait_for(Kind.LOSSY_LEG, 60)
        assert took is not None
        assert took <= limit
        network.run(5)
        [found] = of(network, Kind.LOSSY_LEG)
        assert (found.subject.nva, found.severity) == ("weu-nva2", severity)
        assert dict(found.evidence)["sort of loss"] == "random"
        network.faults.clear()
        network.run(60)
        assert network.open_now() == []


def test_a_circuit_that_loses_is_told_from_the_nvas_behind_it() -> None:
    network = Probed(sites=("ams",), settle=40)
    circuit = CIRCUITS["ams", "weu"][0]
    network.faults.append(at_circuit(circuit, part=0.2))
    assert network.wait_for(Kind.LOSSY_LEG, 20) is not None
    network.run(5)
    [found] = of(network, Kind.LOSSY_LEG)
    assert found.subject.detail == f"circuit {circuit}"


def test_some_flows_whole_are_told_from_all_flows_at_random() -> None:
    network = Probed(sites=("ams",), seed=2)
    network.faults.append(some_flows("weu-nva1"))
    took = network.wait_for(Kind.LOSSY_LEG, 20)
    assert took is not None
    network.run(5)
    [found] = of(network, Kind.LOSSY_LEG)
    assert found.subject.nva == "weu-nva1"
    assert dict(found.evidence)["sort of loss"] == "per flow"
    assert of(network, Kind.DEAD_LEG) == []


def test_loss_on_every_leg_is_not_laid_on_one() -> None:
    network = Probed(sites=("ams",))
    network.loss = 0.1
    network.run(40)
    found = of(network, Kind.LOSSY_LEG)
    assert found
    assert all(f.subject.nva is None and f.subject.detail is None for f in found)


def test_a_quarter_of_an_hour_of_loss_in_a_thousand_is_nothing() -> None:
    network = Probed(seed=5)
    network.judged = False
    network.loss = 0.001
    for _ in range(90):
        network.run(10)
    assert network.steps == []


def test_a_burst_with_stray_losses_after_it_is_no_lossy_leg() -> None:
    for seed in range(4):
        network = Probed(seed=seed, sites=("ams",))
        network.loss = 0.002
        fault = at_nva("weu-nva1")
        network.faults.append(fault)
        network.run(0.3)
        network.faults.clear()
        network.run(30)
        assert network.steps == []


def test_legs_that_one_service_cannot_tell_apart_another_does() -> None:
    network = Probed(sites=("nyc",), services=("web", "vdi"), seed=1003, settle=35.131)
    network.faults.append(at_nva("weu-nva2", part=0.05, seed=1003 * 7919 + 1))
    assert network.wait_for(Kind.LOSSY_LEG, 60) is not None
    network.run(20)
    assert {record.finding.subject.nva for record in network.opened(Kind.LOSSY_LEG)} == {"weu-nva2"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fault_soon_after_another_is_named_as_if_it_were_alone(seed: int) -> None:
    network = Probed(seed=seed, services=("web", "dns", "vdi"), settle=40)
    circuit = CIRCUITS["nyc", "eus"][0]
    for before in (at_nva("weu-nva1", "weu-nva2"), at_circuit(circuit)):
        network.faults.append(before)
        network.run(2.75)  # so short that no flow has lost four in a row when it is answered again
        network.faults.clear()
        network.run(5)
    network.run(8)
    network.steps.clear()
    network.faults.append(at_nva("weu-nva2", part=0.2))
    assert network.wait_for(Kind.LOSSY_LEG, 10) is not None
    network.run(5)
    found = network.opened(Kind.LOSSY_LEG)
    assert {(each.finding.subject.nva, each.finding.subject.region) for each in found} == {("weu-nva2", "weu")}


def test_a_leg_between_two_bursts_is_as_if_nothing_had_been() -> None:
    network = Probed(sites=("ams",), settle=40)
    for _ in range(3):
        network.faults.append(at_nva("weu-nva1", "weu-nva2"))
        network.run(1.6)
        network.faults.clear()
        network.run(4)
    charts = network.view.probing.sites["ams"].pairs["web"].flows.charts
    assert charts
    assert not any(chart.hot for chart in charts.values())
    network.faults.append(at_nva("weu-nva1", part=0.2))
    assert network.wait_for(Kind.LOSSY_LEG, 10) is not None


def test_a_region_that_comes_back_nva_by_nva_has_no_dead_leg_and_one_that_does_not_has() -> None:
    network = Probed(sites=("ams",), settle=40)
    network.faults += [at_nva("weu-nva1"), at_nva("weu-nva2")]
    network.run(4)
    assert of(network, Kind.BLACKHOLE) != []
    del network.faults[0]
    network.run(0.8)
    late = network.faults.pop()
    network.run(5)
    assert network.opened(Kind.DEAD_LEG) == []
    network.faults += [at_nva("weu-nva1"), late]
    network.run(4)
    del network.faults[0]
    assert network.wait_for(Kind.DEAD_LEG, 5) is not None


def test_two_legs_that_lose_one_after_the_other_are_each_named() -> None:
    network = Probed(seed=5, sites=("nyc",), services=("web", "vdi"), settle=40)
    network.faults.append(at_nva("eus-nva1", part=0.2))
    assert network.wait_for(Kind.LOSSY_LEG, 10) is not None
    network.faults.clear()
    network.run(1)
    network.steps.clear()
    network.faults.append(at_nva("weu-nva2", part=0.05))
    network.run(40)
    found = {each.finding.subject.nva for each in network.opened(Kind.LOSSY_LEG)}
    assert "weu-nva2" in found
    assert found <= {"weu-nva2", "eus-nva1"}


def test_a_circuit_keeps_its_region_while_one_flow_that_left_it_is_not_traced_again() -> None:
    network = Probed(sites=("nyc",), settle=40)
    circuit = CIRCUITS["nyc", "weu"][0]
    flows = network.view.probing.sites["nyc"].pairs["web"].flows.by_number.values()
    stray = next(flow for flow in flows if flow.region == "eus")
    stray.hops = ("192.0.2.1", circuit, "*")
    network.view.probing.sites["nyc"].pairs["web"].flows._relabel()
    network.faults.append(at_circuit(circuit))
    network.run(5)
    assert {(f.subject.region, f.subject.detail) for f in of(network, Kind.DEAD_LEG)} <= {("weu", f"circuit {circuit}")}
    network.faults[:] = [at_circuit(circuit, part=0.2)]
    network.run(15)
    found = {(each.finding.subject.region, each.finding.subject.detail) for each in network.opened(Kind.LOSSY_LEG)}
    assert found == {("weu", f"circuit {circuit}")}
