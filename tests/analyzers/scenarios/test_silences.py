"""Who is silent: each variant of a blackhole by its rungs, nobody at all, and the site itself; and each opposite."""

from datetime import timedelta

import pytest

from anycast.finding import Finding, Kind, Severity
from anycast.probe import Outcome, Probe, ProbeResult, TargetKind
from tests.analyzers.network import WEB, best_route, best_source, intent
from tests.analyzers.probed import Asked, Fate, Probed, at_nva, everything

WEU = ("weu-nva1", "weu-nva2")
ALL = (TargetKind.SERVICE, TargetKind.NVA, TargetKind.APPLICATION)


def dead_application(*nvas: str) -> Fate:
    """The application is refused; the responder beside it answers UDP, and its machine echoes."""

    def fate(asked: Asked) -> Outcome | None:
        if asked.nva not in nvas or asked.probe is not Probe.HTTP:
            return None
        return Outcome.REFUSED if asked.kind is TargetKind.APPLICATION else Outcome.BROKEN

    return fate


def of(network: Probed, kind: Kind) -> list[Finding]:
    return sorted((f for f in network.open_now() if f.kind is kind), key=lambda finding: finding.key)


def rows(finding: Finding) -> dict[str, str]:
    return dict(finding.evidence)


def test_a_healthy_network_says_nothing() -> None:
    network = Probed(services=("web", "dns"))
    network.run(60)
    assert network.steps == []
    assert network.open_now() == []


def test_an_address_that_the_nvas_swallow_is_a_blackhole_of_the_address() -> None:
    network = Probed()
    network.faults.append(at_nva(*WEU))
    took = network.wait_for(Kind.BLACKHOLE, 10)
    assert took is not None
    assert took <= 3
    network.run(1)
    found = of(network, Kind.BLACKHOLE)
    assert [(f.subject.region, f.subject.site) for f in found] == [("weu", "ams"), ("weu", "nyc")]
    for finding in found:
        assert finding.severity is Severity.CRITICAL
        assert "(address)" in finding.summary
        assert rows(finding)["breaks at"] == "address"
        assert rows(finding)["V0 weu-app1"] == "answers at its own address"
        assert f"agent/{finding.subject.site}" in finding.rests_on
        assert f"{finding.subject.site}-ce1-best" in finding.rests_on
    labels = [label.split()[0].rstrip(",") for label, _ in found[0].evidence[2:]]
    assert labels == sorted(labels)
    assert set(labels) == {"V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7"}
    assert of(network, Kind.UNREACHABLE) == []  # eus is well: that ams is led to weu alone is all there is to say
    assert of(network, Kind.DEAD_LEG) == of(network, Kind.SITE_UPLINK) == []
    network.faults.clear()
    network.run(20)
    assert network.open_now() == []


def test_a_region_that_is_silent_at_every_address_is_a_blackhole_of_the_path() -> None:
    network = Probed()
    network.faults.append(at_nva(*WEU, kinds=ALL))
    took = network.wait_for(Kind.BLACKHOLE, 10)
    assert took is not None
    assert took <= 3
    found = network.opened(Kind.BLACKHOLE)[0].finding
    assert "(path)" in found.summary
    network.run(3)
    found = of(network, Kind.BLACKHOLE)[0]
    assert rows(found)["V0 weu-app1"].startswith("does not answer at its own address since")


def test_a_dead_application_is_told_after_three_seconds_and_not_if_it_is_withdrawn_before() -> None:
    for withdrawn in (False, True):
        network = Probed()
        began = network.now
        network.faults.append(dead_application(*WEU))
        network.run(2.9)
        assert network.opened(Kind.BLACKHOLE) == []
        if withdrawn:
            network.withdraw_region("weu", WEB)
            network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
            network.announce(best_source("nyc"), WEB, best_route("nyc", "eus"))
            network.lands["ams", "web"] = network.lands["nyc", "web"] = ("eus",)
        network.run(7)
        opened = network.opened(Kind.BLACKHOLE)
        if withdrawn:
            assert opened == []
            continue
        assert {record.finding.subject.site for record in opened} == {"ams", "nyc"}
        assert all("(application)" in record.finding.summary for record in opened)
        assert all(record.opened_at and record.opened_at - began <= timedelta(seconds=4.5) for record in opened)
        assert of(network, Kind.UNREACHABLE) == []  # a responder answers: the network is well


def test_a_dead_application_whose_responder_died_with_it_is_the_same() -> None:
    network = Probed()

    def fate(asked: Asked) -> Outcome | None:
        alive = asked.kind is TargetKind.NVA or asked.probe is Probe.ICMP or asked.region != "weu"
        return None if alive else Outcome.SILENT

    network.faults.append(fate)
    network.run(2.9)
    assert network.opened(Kind.BLACKHOLE) == []
    network.run(3)
    assert {record.finding.subject.site for record in network.opened(Kind.BLACKHOLE)} == {"ams", "nyc"}
    assert all("(application)" in finding.summary for finding in of(network, Kind.BLACKHOLE))


def test_without_controls_the_rung_is_not_known_and_the_blackhole_is_told_all_the_same() -> None:
    network = Probed(controls=False)
    network.faults.append(at_nva(*WEU))
    took = network.wait_for(Kind.BLACKHOLE, 10)
    assert took is not None
    assert took <= 3
    assert "(undecided)" in network.opened(Kind.BLACKHOLE)[0].finding.summary


def test_where_bgp_is_not_seen_nobody_is_led_anywhere() -> None:
    network = Probed()
    for router in ("gobgp", "ams-ce1", "nyc-ce1"):
        network.cut(router)
    network.faults.append(at_nva(*WEU))
    network.run(10)
    assert of(network, Kind.BLACKHOLE) == []
    assert [f.subject.site for f in of(network, Kind.UNREACHABLE)] == ["ams"]


def test_a_region_that_withdrew_is_no_blackhole_although_flows_go_there_still() -> None:
    network = Probed()
    network.withdraw_region("weu", WEB)
    network.faults.append(at_nva(*WEU))
    network.run(2.5)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.announce(best_source("nyc"), WEB, best_route("nyc", "eus"))
    network.lands["ams", "web"] = network.lands["nyc", "web"] = ("eus",)
    network.run(5)
    assert network.opened(Kind.BLACKHOLE) == []


@pytest.mark.parametrize("seed", range(5))
def test_three_hundred_milliseconds_without_anything_are_nothing(seed: int) -> None:
    network = Probed(seed=seed, services=("web", "dns"))
    network.loss = 0.001
    network.run(5 + seed * 0.13)
    for site in ("ams", "nyc"):
        fault = everything(site)
        network.faults.append(fault)
        network.run(0.3)
        network.faults.remove(fault)
        network.run(25)
    assert network.steps == []


def test_one_and_a_half_seconds_of_silence_are_something_and_pass() -> None:
    network = Probed()
    network.faults.append(at_nva(*WEU))
    network.run(2.5)
    network.faults.clear()
    network.run(15)
    assert network.opened(Kind.BLACKHOLE)
    assert network.open_now() == []


def _unanswered(network: Probed) -> set[str | None]:
    """Sites that are led to a region in which nobody answers, and that no region answers: nyc is led to both."""
    assert {f.subject.site for f in of(network, Kind.UNREACHABLE)} == {"nyc"}
    return {f.subject.site for f in of(network, Kind.BLACKHOLE)}


def test_echo_replies_and_handshakes_heal_no_blackhole() -> None:
    network = Probed()

    def fate(asked: Asked) -> Outcome | None:
        works = asked.kind is not TargetKind.SERVICE or asked.probe in (Probe.ICMP, Probe.TCP)
        return None if works else Outcome.SILENT

    network.faults.append(fate)
    network.run(4)
    assert _unanswered(network) == {"ams", "nyc"}
    network.run(30)
    assert _unanswered(network) == {"ams", "nyc"}


def test_answers_without_a_valid_identity_heal_nothing() -> None:
    network = Probed()

    def fate(asked: Asked) -> Outcome | None:
        forged = asked.kind is TargetKind.SERVICE and asked.probe in (Probe.UDP, Probe.HTTP)
        return Outcome.INVALID if forged else None

    network.faults.append(fate)
    network.run(6)
    assert _unanswered(network) == {"ams", "nyc"}


def test_silence_to_echo_requests_alone_is_a_policy_and_nothing_else() -> None:
    network = Probed()
    service = TargetKind.SERVICE
    network.faults.append(lambda a: Outcome.SILENT if a.kind is service and a.probe is Probe.ICMP else None)
    network.run(30)
    assert network.steps == []


def test_a_site_that_nothing_answers_is_cut_off_and_nothing_is_said_of_services() -> None:
    network = Probed(services=("web", "dns"))
    network.faults.append(everything("ams"))
    network.run(30)
    assert [f.key for f in network.open_now()] == ["site-uplink|site=ams"]
    assert network.open_now()[0].severity is Severity.MAJOR
    network.faults.clear()
    network.run(15)
    assert network.open_now() == []


def test_a_gateway_that_answers_shows_that_the_site_is_not_cut_off() -> None:
    network = Probed()
    network.faults.append(lambda a: Outcome.SILENT if a.site == "ams" and a.kind is not TargetKind.GATEWAY else None)
    network.run(10)
    kinds = {f.kind for f in network.open_now() if f.subject.site == "ams"}
    assert Kind.UNREACHABLE in kinds
    assert Kind.SITE_UPLINK not in kinds


def test_an_agent_that_is_lost_tainted_or_new_says_nothing() -> None:
    network = Probed()
    network.run(5)
    network.agents[0].alive = False
    network.faults.append(at_nva(*WEU))
    network.run(20)
    assert {f.subject.site for f in network.open_now() if f.kind is Kind.BLACKHOLE} == {"nyc"}
    assert "agent/ams" in network.view.unknown()

    tainted = Probed()
    for agent in tainted.agents:
        agent.tainted = 0.5
    tainted.run(1)
    tainted.faults.append(at_nva(*WEU))
    tainted.run(20)
    assert {f.kind for f in tainted.open_now()} == {Kind.AGENT_TAINTED}

    new = Probed(settle=0)
    new.faults.append(at_nva(*WEU, kinds=ALL))
    new.run(2.9)
    assert not {s.record.finding.kind for s in new.steps} & {Kind.BLACKHOLE, Kind.UNREACHABLE, Kind.SITE_UPLINK}


def test_a_finding_stays_while_its_agent_is_lost_and_goes_when_it_sees_recovery() -> None:
    network = Probed()
    network.faults.append(at_nva(*WEU))
    network.run(6)
    assert of(network, Kind.BLACKHOLE)
    for agent in network.agents:
        agent.alive = False
    network.faults.clear()
    network.run(30)
    assert {f.subject.site for f in of(network, Kind.BLACKHOLE)} == {"ams", "nyc"}
    for agent in network.agents:
        agent.alive = True
    network.run(15)
    assert of(network, Kind.BLACKHOLE) == []


def test_a_service_that_is_asked_by_new_ports_only_is_judged_too() -> None:
    network = Probed(flows=0, sites=("ams",))
    network.run(20)
    network.faults.append(at_nva(*WEU))
    took = network.wait_for(Kind.BLACKHOLE, 10)
    assert took is not None
    assert took <= 3.5


def test_one_of_two_regions_that_new_ports_reach_no_more_is_judged_by_its_share() -> None:
    network = Probed(flows=0, sites=("nyc",))
    network.run(60)
    network.faults.append(at_nva(*WEU))
    took = network.wait_for(Kind.BLACKHOLE, 20)
    assert took is not None
    assert took <= 10
    assert network.opened(Kind.BLACKHOLE)[0].finding.subject.region == "weu"


def test_nothing_is_judged_of_a_site_that_has_no_agent() -> None:
    network = Probed(meant=intent())
    assert network.view.unknown() == frozenset()


def test_a_late_batch_is_history() -> None:
    network = Probed()
    seen = network.view.probing.sites["ams"].pairs["web"]
    before = seen.at
    result = ProbeResult(network.now + timedelta(seconds=1), Probe.UDP, "web", Outcome.SILENT, 1)
    batch = network._batch(network.agents[0], network.now)
    network.view.apply(type(batch)(batch.at, "ams", batch.run, batch.sequence + 1, (result,), late=True))
    assert seen.at == before
