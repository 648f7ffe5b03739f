"""Answers that come back another way than the requests went, and state that is lost on the way."""

from dataclasses import replace

import pytest

from anycast.finding import Finding, Kind, Severity
from anycast.probe import ROTATING, AgentReported, Outcome, Probe, ProbeResult, TargetKind
from tests.analyzers.probed import Agent, Asked, Fate, Probed, at_nva


def of(network: Probed, kind: Kind) -> list[Finding]:
    return sorted((f for f in network.open_now() if f.kind is kind), key=lambda finding: finding.key)


class Turned(Probed):
    """Answers of one NVA take another way back: a hop more, and later."""

    nva = "weu-nva1"
    hops = 0
    later = 0.0
    clock = 0.0

    def _batch(self, agent: Agent, at: object) -> AgentReported:
        report = super()._batch(agent, at)  # type: ignore[arg-type]
        return replace(report, results=tuple(map(self._turn, report.results)))

    def _turn(self, result: ProbeResult) -> ProbeResult:
        forward = result.forward + self.clock if result.forward is not None else None
        result = replace(result, forward=forward)
        through = result.identity is not None and result.identity.nva == self.nva and result.probe is Probe.UDP
        if through and result.rtt is not None:
            return replace(result, ttl=result.ttl - self.hops, rtt=result.rtt + self.later)
        return result


def refuses_tcp(asked: Asked) -> Outcome | None:
    return Outcome.SILENT if asked.target == "web" and asked.probe in (Probe.TCP, Probe.HTTP) and asked.flow else None


def knows_no_new(*nvas: str) -> Fate:
    """An NVA answers the ports that it knows, and no other."""

    def fate(asked: Asked) -> Outcome | None:
        new = asked.probe is Probe.UDP and asked.flow == ROTATING and asked.kind is TargetKind.SERVICE
        return Outcome.SILENT if new and asked.nva in nvas else None

    return fate


def test_answers_with_another_ttl_and_tcp_that_breaks_come_back_another_way() -> None:
    network = Turned(sites=("ams",))
    network.run(20)
    network.hops = 1
    network.run(10)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []  # one sign is none
    network.faults.append(refuses_tcp)
    network.run(25)
    [found] = of(network, Kind.ASYMMETRIC_RETURN)
    assert (found.subject.nva, found.severity) == ("weu-nva1", Severity.MAJOR)
    assert set(dict(found.evidence)) == {"TTL", "TCP", "traffic mode"}


def test_answers_with_another_ttl_and_a_longer_way_back_come_back_another_way() -> None:
    network = Turned(sites=("ams",))
    network.run(60)
    network.hops, network.later = 2, 0.02
    network.run(40)
    [found] = of(network, Kind.ASYMMETRIC_RETURN)
    assert found.severity is Severity.WARNING
    assert set(dict(found.evidence)) == {"TTL", "delay", "traffic mode"}
    network.hops, network.later = 0, 0.0
    network.run(40)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []


def test_a_clock_that_steps_is_no_other_way_back() -> None:
    network = Turned(sites=("ams",))
    network.run(60)
    network.hops, network.clock = 1, 0.5
    network.run(40)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []


def test_a_path_that_is_longer_both_ways_is_no_other_way_back() -> None:
    class Longer(Turned):
        def _turn(self, result: ProbeResult) -> ProbeResult:
            far = result.far_ttl - self.hops if result.far_ttl else 0
            way = result.forward + self.later / 2 if result.forward is not None else None
            return super()._turn(replace(result, far_ttl=far, forward=way))

    network = Longer(sites=("ams",))
    network.run(60)
    network.hops, network.later = 1, 0.02
    network.run(40)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []


@pytest.mark.parametrize("nvas", [("weu-nva1",), ("weu-nva1", "weu-nva2")])
def test_an_nva_that_answers_old_ports_only_has_lost_state(nvas: tuple[str, ...]) -> None:
    network = Probed()
    network.run(30)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []
    network.faults.append(knows_no_new(*nvas))
    network.run(30)
    found = of(network, Kind.ASYMMETRIC_RETURN)
    assert {(each.subject.site, each.subject.nva) for each in found} == {(s, n) for s in ("ams", "nyc") for n in nvas}
    assert {each.severity for each in found} == {Severity.MAJOR}
    assert [each.kind for each in network.open_now() if each.kind in (Kind.BLACKHOLE, Kind.DEAD_LEG)] == []
    network.faults.clear()
    network.run(30)
    assert of(network, Kind.ASYMMETRIC_RETURN) == []


@pytest.mark.parametrize("part", [1.0, 0.9, 0.5, 0.2])
def test_a_leg_that_loses_old_ports_as_well_has_not(part: float) -> None:
    network = Probed(seed=3)
    network.run(30)
    network.faults.append(at_nva("weu-nva1", part=part))
    network.run(40)
    assert network.opened(Kind.ASYMMETRIC_RETURN) == []
    assert network.opened(Kind.DEAD_LEG) + network.opened(Kind.LOSSY_LEG) != []


def test_traffic_that_moves_to_another_region_has_not() -> None:
    network = Probed(seed=4)
    network.run(30)
    network.lands["nyc", "web"] = ("eus",)
    network.run(40)
    assert network.opened(Kind.CATCHMENT_SHIFT) != []
    assert network.opened(Kind.ASYMMETRIC_RETURN) == []
