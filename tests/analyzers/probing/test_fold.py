"""What must hold of the fold for any reports: order across sites, repeats, restarts, bounds, and when it is judged."""

import json
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.judge import judge
from analyzers.memory import restore, snapshot
from analyzers.view import View
from anycast.probe import (
    ROTATING,
    AgentReported,
    Identity,
    Outcome,
    Probe,
    ProbeResult,
    Proof,
    Target,
    TargetKind,
)
from tests.analyzers.network import START, Network
from tests.analyzers.probed import probed_intent

INTENT = probed_intent()
TARGETS = (
    Target("web", TargetKind.SERVICE, ip_address("10.250.0.10")),
    Target("gateway", TargetKind.GATEWAY),
    Target("weu-nva1", TargetKind.NVA, None, "weu", "weu-nva1"),
    Target("weu-app1", TargetKind.APPLICATION, None, "weu", "weu-nva1", service="web"),
)
WHO = (Identity("weu", "weu-nva1"), Identity("weu", "weu-nva2"), Identity("eus", "eus-nva1"), Identity("mars", "x"))


@st.composite
def results(draw: st.DrawFn, now: float) -> ProbeResult:
    probe = draw(st.sampled_from((Probe.UDP, Probe.UDP, Probe.UDP, Probe.HTTP, Probe.TCP, Probe.ICMP, Probe.TRACE)))
    outcome = draw(st.sampled_from((Outcome.ANSWERED, Outcome.ANSWERED, *Outcome)))
    who = draw(st.sampled_from(WHO)) if outcome is Outcome.ANSWERED and probe in (Probe.UDP, Probe.HTTP) else None
    return ProbeResult(
        START + timedelta(seconds=now - draw(st.sampled_from((0.0, 0.1, 0.24, 1.0, 1.2)))),
        probe,
        draw(st.sampled_from(("web", "web", "web", "gateway", "weu-nva1", "weu-app1", "nobody"))),
        outcome,
        draw(st.sampled_from((ROTATING, 0, 1, 2, 3, 4))),
        rtt=0.02 if outcome is Outcome.ANSWERED else None,
        identity=who,
        proof=Proof.AUTHENTICATED if who is not None else Proof.NONE,
        forward=0.01 if who is not None else None,
        ttl=draw(st.sampled_from((60, 60, 61))),
        far_ttl=draw(st.sampled_from((61, 61, 62))),
        hops=("192.0.2.1", draw(st.sampled_from(("172.16.0.1", "172.16.0.5", "*")))) if probe is Probe.TRACE else (),
        tainted=draw(st.sampled_from((False, False, False, True))),
    )


@st.composite
def reports(draw: st.DrawFn) -> list[AgentReported]:
    """A minute or so of anything that two agents may send, in the order of arrival."""
    now, seen = 71.0, []
    sequences = {site: 0 for site in ("ams", "nyc")}
    runs = {site: f"{site}-1" for site in sequences}
    for _ in range(draw(st.integers(0, 30))):
        now += draw(st.sampled_from((0.1, 0.25, 0.25, 0.9, 3.0, 11.0)))
        site = draw(st.sampled_from(("ams", "nyc")))
        if draw(st.integers(0, 15)) == 0:
            runs[site], sequences[site] = runs[site] + "x", 0
        sequences[site] += 1
        first = sequences[site] == 1
        batch = tuple(draw(st.lists(results(now), max_size=8)))
        at = START + timedelta(seconds=now)
        late = draw(st.integers(0, 12)) == 0
        tainted = draw(st.sampled_from((0.0, 0.0, 0.3)))
        seen.append(
            AgentReported(
                at, site, runs[site], sequences[site], batch, TARGETS if first else (), tainted=tainted, late=late
            )
        )
    return seen


def fold(history: list[AgentReported]) -> View:
    network = Network(INTENT)
    for report in history:
        network.view.apply(report)
    return network.view


def end(history: list[AgentReported]) -> timedelta:
    return (history[-1].at - START if history else timedelta(seconds=71)) + timedelta(seconds=2)


@given(reports())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_the_order_across_sites_changes_nothing(history: list[AgentReported]) -> None:
    now = START + end(history)
    mixed = fold(history)
    apart = fold([report for site in ("nyc", "ams") for report in history if report.site == site])
    mixed.tick(now)
    apart.tick(now)
    assert snapshot(mixed) == snapshot(apart)
    assert mixed.unknown() == apart.unknown()
    assert set(judge(mixed, INTENT, now)) == set(judge(apart, INTENT, now))


@given(reports())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_judging_at_the_end_equals_judging_all_along(history: list[AgentReported]) -> None:
    now = START + end(history)
    at_once = fold(history)
    at_once.tick(now)
    network = Network(INTENT)
    for report in history:
        network.view.apply(report)
        network.view.tick(report.at)
        judge(network.view, INTENT, report.at)
    network.view.tick(now)
    assert snapshot(at_once) == snapshot(network.view)
    assert judge(at_once, INTENT, now) == judge(network.view, INTENT, now)


@given(reports())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_a_batch_that_comes_twice_is_one(history: list[AgentReported]) -> None:
    on_time = [report for report in history if not report.late]
    assert snapshot(fold(on_time)) == snapshot(fold([r for report in on_time for r in (report, replace(report))]))


@given(reports())
@settings(derandomize=True, max_examples=40, deadline=None)
def test_a_snapshot_is_json_and_restores_to_itself_with_every_site_unknown(history: list[AgentReported]) -> None:
    now = START + end(history)
    view = fold(history)
    view.tick(now)
    shown = json.loads(json.dumps(snapshot(view)))
    again = restore(INTENT, shown, now)
    assert json.loads(json.dumps(snapshot(again)))["probing"] == shown["probing"]
    again.tick(now)
    assert {"agent/ams", "agent/nyc"} <= again.unknown()
    about_probes = {
        f for f in judge(again, INTENT, now) if f.rests_on and all(n.startswith("agent/") for n in f.rests_on)
    }
    assert about_probes == set()


def test_an_agent_after_a_restart_of_ours_goes_on_where_it_was() -> None:
    network = Network(INTENT)

    def batch(sequence: int, targets: tuple[Target, ...], outcome: Outcome, seconds: float) -> AgentReported:
        at = START + timedelta(seconds=seconds)
        who = WHO[0] if outcome is Outcome.ANSWERED else None
        proof = Proof.AUTHENTICATED if who else Proof.NONE
        flows = tuple(ProbeResult(at, Probe.UDP, "web", outcome, n, identity=who, proof=proof) for n in range(8))
        return AgentReported(at, "ams", "run", sequence, flows, targets)

    for n in range(1, 20):
        network.view.apply(batch(n, TARGETS if n == 1 else (), Outcome.ANSWERED, 71 + n / 4))
    again = restore(INTENT, json.loads(json.dumps(snapshot(network.view))), START + timedelta(seconds=80))
    assert again.probing.sites["ams"].targets.keys() == {target.name for target in TARGETS}
    again.apply(batch(19, (), Outcome.SILENT, 81))  # which was taken before
    assert again.probing.sites["ams"].pairs["web"].flows.losing == {}
    again.apply(batch(20, (), Outcome.SILENT, 82))
    flows = again.probing.sites["ams"].pairs["web"].flows
    assert len(flows.losing) == 8
    assert {flow.nva for flow in flows.active()} == {"weu-nva1"}


def test_memory_is_bounded_whatever_an_agent_sends() -> None:
    network = Network(INTENT)
    for n in range(1, 60):
        at = START + timedelta(seconds=71 + n)
        names = [f"target-{n}-{m}" for m in range(100)]
        targets = tuple(Target(name, TargetKind.NVA) for name in names) + TARGETS
        flows = [
            ProbeResult(
                at, Probe.UDP, "web", Outcome.ANSWERED, 1000 * n + m, identity=Identity("weu", f"nva-{n}-{m}"),
                proof=Proof.MATCHED,
            )
            for m in range(100)
        ]  # fmt: skip
        traces = [
            ProbeResult(
                at, Probe.TRACE, "web", Outcome.ANSWERED, 1000 + m, hops=tuple(f"hop-{n}-{m}-{k}" for k in range(9))
            )
            for m in range(100)
        ]
        others = [ProbeResult(at, Probe.ICMP, name, Outcome.ANSWERED) for name in names]
        network.view.apply(AgentReported(at, "ams", f"run-{n}", 1, (*flows, *traces, *others), targets))
    site = network.view.probing.sites["ams"]
    flows_kept = site.pairs["web"].flows
    assert len(flows_kept.by_number) <= 256
    assert max(len(flows_kept.charts), len(flows_kept.ways), len(flows_kept.left)) <= 64
    assert len(site.targets) <= 512
    assert len(site.controls) <= 104
    assert len(site.hearing.runs) <= 4
    assert len(json.dumps(snapshot(network.view)["probing"])) < 200_000


def test_a_site_that_is_not_ours_and_a_target_that_nobody_named_are_nothing() -> None:
    network = Network(INTENT)
    one = ProbeResult(START, Probe.ICMP, "gateway", Outcome.ANSWERED)
    network.view.apply(AgentReported(START, "mars", "run", 1, (one,), TARGETS))
    network.view.apply(AgentReported(START, "ams", "run", 1, (replace(one, target="nobody"),), TARGETS))
    assert set(network.view.probing.sites) == {"ams"}
    assert network.view.probing.sites["ams"].controls == {}


@pytest.mark.parametrize(("agent", "told"), [(True, {"agent/ams"}), (False, set())])
def test_an_agent_that_never_reported_is_unknown_where_it_is_meant(agent: bool, told: set[str]) -> None:
    network = Network(probed_intent(("ams",) if agent else ()))
    assert {name for name in network.view.unknown() if name.startswith("agent/")} == told
