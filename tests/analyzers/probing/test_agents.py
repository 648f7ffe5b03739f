"""The probes' own health, and answers by strangers."""

from dataclasses import replace
from datetime import timedelta

import pytest

from anycast.finding import Finding, Kind, Severity
from anycast.probe import Identity, Outcome, Probe, ProbeResult, Proof
from tests.analyzers.network import START, Network, intent
from tests.analyzers.probing.agent import Agent, Probed, with_agents

SICK = (Kind.AGENT_LOST, Kind.AGENT_TAINTED, Kind.AGENT_DUPLICATE, Kind.CLOCK_WRONG)


def health(site: Probed) -> list[Finding]:
    return [finding for finding in site.network.findings() if finding.kind in SICK]


def test_an_agent_that_stops_is_lost_after_ten_seconds_and_nothing_else_is_said() -> None:
    site = Probed().wait(30)
    assert health(site) == []
    silent = site.agents.pop(0)
    stopped = site.now
    site.wait(9.75)
    assert health(site) == []
    site.wait(1)
    (lost,) = site.network.findings()
    assert (lost.kind, lost.subject.site, lost.since) == (Kind.AGENT_LOST, "ams", stopped)
    assert "agent/ams" in site.network.view.unknown()
    site.agents.append(silent)
    site.wait(0.5)
    assert health(site) == []


def test_an_agent_that_never_came_is_lost_when_it_had_time_to_come() -> None:
    for meant, told in ((with_agents(), {"ams", "nyc"}), (intent(), set())):
        network = Network(meant)  # has waited for `settle` and more
        assert {f.subject.site for f in network.findings() if f.kind is Kind.AGENT_LOST} == told


def test_an_agent_that_a_later_intent_names_has_time_to_come() -> None:
    network = Network(intent())
    network.intent = with_agents()
    network.view.reconfigure(network.intent)
    network.wait(59)
    assert network.findings() == ()
    network.wait(2)
    assert {finding.kind for finding in network.findings()} == {Kind.AGENT_LOST}


@pytest.mark.parametrize(("part", "told"), [(0.2, True), (0.04, False)])
def test_an_agent_that_lags_is_tainted(part: float, told: bool) -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    site.agent.tainted = part
    site.wait(12)
    assert [(f.kind, f.subject.site) for f in health(site)] == [(Kind.AGENT_TAINTED, "ams")] * told
    site.agent.tainted = 0.0
    site.wait(12)
    assert health(site) == []


def test_two_agents_for_one_site_are_told_and_a_restart_is_not() -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    site.agent.run, site.agent.sequence = "second", 0
    site.wait(20)
    assert health(site) == []
    site.agents.append(Agent("ams", run="third", host="probe2", seed=9))
    site.wait(5)
    (two,) = health(site)
    assert (two.kind, two.evidence) == (Kind.AGENT_DUPLICATE, (("hosts", "probe1, probe2"),))
    site.agents.pop()
    site.wait(12)
    assert health(site) == []


def test_what_an_old_run_left_in_its_spool_makes_no_two_agents() -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    old = Agent("ams", run="old")
    for _ in range(60):
        site.wait(0.25)
        site.network.see(old.batch(site.now, late=True))
    assert health(site) == []


@pytest.mark.parametrize(("skew", "told"), [(90.0, True), (-2.0, True), (0.9, False), (None, False)])
def test_a_clock_that_is_off_is_told(skew: float | None, told: bool) -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    site.agent.skew = skew
    site.wait(0.25)
    assert health(site) == []  # two batches must agree
    site.wait(1)
    assert [f.kind for f in health(site)] == [Kind.CLOCK_WRONG] * told
    site.agent.skew = 0.0
    site.wait(0.25)
    assert health(site) == []


def test_skews_that_do_not_agree_are_delays_and_no_clock() -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    for n in range(20):
        site.agent.skew = 2.0 + (n % 2)
        site.wait(0.25)
        assert health(site) == []


@pytest.mark.parametrize(("step", "told"), [(0.7, True), (-3600.0, True), (0.3, False)])
def test_a_clock_that_stepped_is_told_for_a_minute(step: float, told: bool) -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    site.network.wait(0.25)
    for agent in site.agents:
        site.network.see(agent.batch(site.now, step=step if agent.site == "ams" else 0.0))
    site.wait(0.25)
    assert [(f.kind, f.subject.site) for f in health(site)] == [(Kind.CLOCK_WRONG, "ams")] * told
    site.wait(61)
    assert health(site) == []


# identity-invalid


def answer(site: Probed, **parts: object) -> None:
    result = ProbeResult(
        site.now, Probe.UDP, "web", Outcome.ANSWERED, 3, rtt=0.02, identity=Identity("weu", "weu-nva1")
    )
    site.agent.extra.append(replace(result, **parts))  # type: ignore[arg-type]
    site.wait(0.25)


def test_a_forged_identity_is_told_with_the_best_path_and_proves_nothing() -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    answer(site, outcome=Outcome.INVALID, detail="the code does not match", identity=Identity("weu", "weu-nva1", "x"))
    (forged,) = site.found(Kind.IDENTITY_INVALID)
    assert (forged.severity, forged.subject.service, forged.subject.site) == (Severity.CRITICAL, "web", "ams")
    assert ("why", "the code does not match") in forged.evidence
    assert ("claims to be", "weu weu-nva1 x") in forged.evidence
    assert any(label == "V6 ams-ce1-best" for label, _ in forged.evidence)
    site.wait(11)
    assert site.found(Kind.IDENTITY_INVALID) == []


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (Identity("mars", "weu-nva1"), "there is no region 'mars'"),
        (Identity("weu", "weu-nva9"), "there is no NVA 'weu-nva9' in weu"),
        (Identity("weu"), None),
        (Identity(), None),
    ],
)
def test_an_identity_of_nobody_is_invalid_whoever_proved_it(identity: Identity, why: str | None) -> None:
    site = Probed(Agent("ams"), Agent("nyc")).wait(30)
    answer(site, identity=identity, proof=Proof.AUTHENTICATED)
    assert [dict(f.evidence)["why"] for f in site.found(Kind.IDENTITY_INVALID)] == ([why] if why else [])


def test_an_answer_by_a_stranger_teaches_no_latency() -> None:
    site = Probed(Agent("ams")).wait(80)
    for _ in range(60):
        answer(site, outcome=Outcome.INVALID, rtt=0.5)
    assert site.found(Kind.LATENCY_SHIFT) == []


def test_what_is_wrong_with_an_agent_survives_a_restart_where_it_must() -> None:
    site = Probed(Agent("ams", skew=90.0), Agent("nyc")).wait(30)
    (before,) = health(site)
    site.restarted().wait(1)
    assert [f.since for f in health(site)] == [before.since]
    assert before.since < START + timedelta(seconds=200)
