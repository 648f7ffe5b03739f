"""`latency-shift`, `jitter`, `suboptimal-region`: what makes them speak, and what is nearly the same and must not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import exp, sqrt
from random import Random
from time import process_time

import pytest

from analyzers.probing.latency import Latency, Series
from anycast.finding import Finding, Kind, Severity
from anycast.kinds import KINDS
from anycast.probe import Outcome, Probe, ProbeResult, Target, TargetKind
from tests.analyzers.network import WEB, Network, best_route, best_source
from tests.analyzers.probing.agent import EUS1, WEU1, WEU2, Agent, Probed, gamma, gaussian, with_agents

T0 = 1_800_000_000.0
Jitter = Callable[[Random], float]


def played(
    seconds: float, rate: float, rtt: Callable[[float], float], jitter: Jitter, seed: int, loss: float = 0.001
) -> list[tuple[float, Series]]:
    """Play one series; return when it came to be shifted or scattered, or came back, seconds after its beginning."""
    random, series, turns = Random(seed), Series(), []
    was: tuple[object, ...] = (None, None, None)
    for n in range(int(seconds * rate)):
        at = n / rate
        if random.random() >= loss:
            series.take(T0 + at, rtt(at) + jitter(random), n % 32)
        now = (series.shift and series.shift.since, series.scatter.wide, series.flows.since)
        if now != was:
            turns.append((at, series))
            was = now
    return turns


@pytest.mark.parametrize("jitter", [gaussian, gamma])
@pytest.mark.parametrize(("rate", "rtt"), [(16.0, 0.02), (32.0, 0.005), (64.0, 0.08)])
def test_an_hour_of_jitter_and_rare_loss_moves_nothing(jitter: Jitter, rate: float, rtt: float) -> None:
    assert played(3600, rate, lambda at: rtt, jitter, seed=int(rate)) == []


@pytest.mark.parametrize("tau", [5.0, 30.0])
def test_an_hour_of_a_way_that_wanders_and_pauses_opens_nothing(tau: float) -> None:
    """A level that walks by a millisecond and comes back, and pauses of up to half a second, three a minute."""
    random, series, level, pause, more = Random(6), Series(), 0.0, 0.0, 0.0
    kept = exp(-1 / 16 / tau)
    told: list[float] = []
    for n in range(16 * 3600):
        at = T0 + n / 16
        level = kept * level + random.gauss(0, 0.001 * sqrt(1 - kept * kept))
        if random.random() < 1 / 16 / 20:
            pause, more = at + random.random() / 2, random.random() / 20
        series.take(at, 0.02 + level + gamma(random) + more * (at < pause), n % 32)
        shift = series.found(at)
        told += [at] if shift is not None and shift.worst > 0.003 else []
        assert not series.flows.leg
    hold = KINDS[Kind.LATENCY_SHIFT].hold_down.open.total_seconds()
    assert not any(at + hold in told for at in told)


@pytest.mark.parametrize(("more", "limit"), [(0.020, 3.5), (0.003, 14.0)])
def test_a_step_is_found_in_time(more: float, limit: float) -> None:
    """95 of 100, over rates, distances, distributions and phases."""
    times = []
    for seed in range(60):
        rate, rtt = (16.0, 32.0, 64.0)[seed % 3], (0.005, 0.02, 0.08, 0.12)[seed % 4]
        step = 120 + Random(seed).random() * 5

        def stepped(at: float, rtt: float = rtt, step: float = step) -> float:
            return rtt + more * (at >= step)

        turns = played(step + 30, rate, stepped, (gaussian, gamma)[seed % 2], seed)
        assert turns, f"seed {seed} found nothing"
        assert turns[0][0] >= step, f"seed {seed} found it before it was"
        times.append(turns[0][0] - step)
    assert sorted(times)[int(0.95 * len(times))] <= limit


@pytest.mark.parametrize("rtt", [0.01, 0.04, 0.15])
def test_a_slow_ramp_is_followed(rtt: float) -> None:
    def ramp(at: float) -> float:
        return rtt * (1 + 0.1 * min(1.0, max(0.0, (at - 200) / 1200)))

    assert played(1800, 16.0, ramp, gamma, seed=3) == []


@pytest.mark.parametrize(("length", "told"), [(0.3, False), (1.0, False), (5.0, True)])
def test_a_hiccup_is_no_shift(length: float, told: bool) -> None:
    turns = played(240, 32.0, lambda at: 0.02 + 0.05 * (120 <= at < 120 + length), gamma, seed=4)
    assert bool(turns) is told


def test_a_shift_begins_where_it_began_and_ends_when_the_way_is_as_before() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.02
    began = site.now
    assert site.after(Kind.LATENCY_SHIFT, 5) is not None
    (shift,) = site.found(Kind.LATENCY_SHIFT)
    assert (shift.subject.service, shift.subject.region, shift.subject.site) == ("web", "weu", "ams")
    assert (shift.severity, shift.rests_on) == (Severity.WARNING, frozenset({"agent/ams"}))
    assert abs(shift.since - began) <= timedelta(seconds=0.6)
    assert shift.summary == "web 10.250.0.10/32: weu answers ams slower than before"
    site.wait(60)
    assert site.found(Kind.LATENCY_SHIFT) == [shift]
    site.agent.more = lambda flow, at: 0.0
    site.wait(5)
    assert site.found(Kind.LATENCY_SHIFT) == []


def test_what_became_slower_by_little_and_what_became_faster_is_info() -> None:
    for rtt, more, severity in (
        (0.05, 0.004, Severity.INFO),
        (0.05, -0.02, Severity.INFO),
        (0.05, 0.02, Severity.WARNING),
    ):
        site = Probed(Agent("ams", rtt=rtt)).wait(80)
        site.agent.more = lambda flow, at, more=more: more  # type: ignore[misc]
        site.wait(20)
        assert [f.severity for f in site.found(Kind.LATENCY_SHIFT)] == [severity]


def test_nothing_is_judged_before_there_is_a_base() -> None:
    site = Probed(Agent("ams")).wait(20)
    site.agent.more = lambda flow, at: 0.02
    site.wait(15)
    assert site.found(Kind.LATENCY_SHIFT) == []


def test_a_catchment_that_moves_to_a_slower_region_is_no_latency_shift() -> None:
    site = Probed(Agent("ams", lands=lambda flow: EUS1 if flow == 0 else WEU1)).wait(80)
    site.agent.lands = lambda flow: EUS1
    site.agent.more = lambda flow, at: 0.06
    site.agent.rtt = 0.02
    site.wait(3)
    slow_eus = [f.subject.region for f in site.found(Kind.LATENCY_SHIFT)]
    assert "weu" not in slow_eus
    fresh = Probed(Agent("ams")).wait(80)
    fresh.agent.lands, fresh.agent.rtt = lambda flow: EUS1, 0.09
    fresh.wait(30)
    assert fresh.found(Kind.LATENCY_SHIFT) == []


def test_one_leg_of_a_region_is_told_by_its_own_flows() -> None:
    for slow, told in (((0, 5, 10, 15), True), ((3,), False)):
        site = Probed(Agent("ams")).wait(80)
        site.agent.more = lambda flow, at, slow=slow: 0.04 * (flow in slow)  # type: ignore[misc]
        took = site.after(Kind.LATENCY_SHIFT, 5)
        assert (took is not None) is told
        if told:
            (shift,) = site.found(Kind.LATENCY_SHIFT)
            assert ("which flows", "4 of 16 fixed flows (0, 5, 10, 15), the others are as before") in shift.evidence
        site.wait(30)
        assert site.found(Kind.JITTER) == []


def test_one_nva_of_two_is_told_as_a_part_of_the_ways() -> None:
    site = Probed(Agent("ams", lands=lambda flow: (WEU1, WEU2)[flow % 2])).wait(80)
    site.agent.more = lambda flow, at: 0.02 * (flow % 2)
    assert site.after(Kind.LATENCY_SHIFT, 5) is not None
    (shift,) = site.found(Kind.LATENCY_SHIFT)
    assert shift.summary.endswith("slower than before, on a part of the ways")
    assert shift.evidence[0][0] == "answers of weu-nva2"


def test_a_level_that_stays_for_half_an_hour_is_normal() -> None:
    series, random = Series(), Random(5)
    seen = []
    for n in range(16 * 2400):
        at = T0 + n / 16
        series.take(at, 0.02 + 0.02 * (n >= 16 * 120) + gamma(random), n % 16)
        seen.append(series.found(at) is not None)
    told = [n / 16 for n, shifted in enumerate(seen) if shifted]
    assert told[0] <= 123
    assert 1800 + 119 <= told[-1] <= 1800 + 123
    assert seen[-1] is False
    series.take(T0 + 2400, 0.04, 0)
    level = series.level
    assert level is not None
    assert level == pytest.approx(0.0414, abs=0.001)


def test_what_a_responder_keeps_is_no_way() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.held = 0.06
    site.wait(20)
    assert site.found(Kind.LATENCY_SHIFT) == []


def transfer(site: Probed, outcome: Outcome, took: float = 0.0, value: float | None = None) -> None:
    at = site.now - timedelta(seconds=took)
    site.agent.extra.append(ProbeResult(at, Probe.THROUGHPUT, "web", outcome, rtt=took or None, value=value))


@pytest.mark.parametrize("announced", [True, False])
def test_a_throughput_test_of_the_site_inhibits_what_it_makes_slow(announced: bool) -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.03
    told = []
    if announced:
        transfer(site, Outcome.BEGAN)
    for _ in range(36):
        site.wait(0.25)
        told += site.found(Kind.LATENCY_SHIFT)
    site.agent.more = lambda flow, at: 0.0
    transfer(site, Outcome.ANSWERED, took=9.0, value=1e7)
    site.wait(0.25)
    assert site.found(Kind.LATENCY_SHIFT) == []  # known to be a test's, in any case, when it is over
    site.wait(15)
    assert site.found(Kind.LATENCY_SHIFT) == []
    assert bool(told) is not announced


def test_a_shift_of_before_a_test_stands_through_it() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.02
    site.wait(10)
    transfer(site, Outcome.BEGAN)
    for _ in range(40):
        site.wait(0.25)
        assert len(site.found(Kind.LATENCY_SHIFT)) == 1


def test_tainted_results_teach_and_prove_nothing() -> None:
    site = Probed(Agent("ams")).wait(80)
    for _ in range(60):
        site.network.wait(0.25)
        batch = site.agent.batch(site.now)
        slow = (replace(r, rtt=r.rtt + 0.05 if r.rtt else None, tainted=True) for r in batch.results)
        site.network.see(replace(batch, results=tuple(slow)))
    assert site.found(Kind.LATENCY_SHIFT) == []


def test_nothing_is_said_of_a_region_that_does_not_answer_any_more() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.02
    site.wait(10)
    assert len(site.found(Kind.LATENCY_SHIFT)) == 1
    site.agent.lands = lambda flow: EUS1
    site.wait(13)
    assert [f.subject.region for f in site.found(Kind.LATENCY_SHIFT)] == []


def test_a_shift_is_found_again_after_a_restart_and_the_base_is_not_lost() -> None:
    site = Probed(Agent("ams")).wait(120)
    site.agent.more = lambda flow, at: 0.02
    site.wait(10)
    (before,) = site.found(Kind.LATENCY_SHIFT)
    site.restarted()
    assert site.found(Kind.LATENCY_SHIFT) == []
    assert "agent/ams" in site.network.view.unknown()
    site.wait(8)
    (after,) = site.found(Kind.LATENCY_SHIFT)
    assert (after.key, after.since, after.severity) == (before.key, before.since, before.severity)


def test_a_shift_in_a_gap_began_between_two_times() -> None:
    site = Probed(Agent("ams")).wait(80)
    lost = site.now
    site.network.wait(60)
    site.agent.more = lambda flow, at: 0.02
    site.agent.waiting.clear()
    site.wait(8)
    (shift,) = site.found(Kind.LATENCY_SHIFT)
    assert shift.not_before is not None
    assert abs(shift.not_before - lost) < timedelta(seconds=1)


def test_http_tells_the_way_only_where_udp_does_not() -> None:
    for flows, told in ((0, True), (16, False)):
        site = Probed(Agent("ams", flows=flows, http=0.25)).wait(120)
        site.agent.connect = 0.03
        site.wait(20)
        assert bool(site.found(Kind.LATENCY_SHIFT)) is told


# jitter


def scattered(random: Random) -> float:
    return abs(random.gauss(0.035, 0.015))


def test_round_trips_that_scatter_are_jitter() -> None:
    site = Probed(Agent("ams", rtt=0.03)).wait(80)
    site.agent.rtt, site.agent.jitter = 0.0, scattered
    assert site.after(Kind.JITTER, 10) is not None
    (found,) = site.found(Kind.JITTER)
    assert (found.subject.region, found.subject.site, found.severity) == ("weu", "ams", Severity.WARNING)
    site.agent.rtt, site.agent.jitter = 0.03, gaussian
    site.wait(12)
    assert site.found(Kind.JITTER) == []


def test_a_way_that_is_longer_and_as_steady_is_no_jitter() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.05
    assert site.after(Kind.JITTER, 30) is None


def test_four_times_next_to_nothing_is_no_jitter() -> None:
    site = Probed(Agent("ams", jitter=lambda random: random.random() * 0.0002)).wait(80)
    site.agent.jitter = lambda random: random.random() * 0.004
    assert site.after(Kind.JITTER, 20) is None


# suboptimal-region


def control(name: str, region: str) -> Target:
    return Target(name, TargetKind.NVA, None, region, name)


def with_controls(network: Network, rtt: float, seconds: float = 80) -> Probed:
    """A site whose service answers after 60 ms, and whose control in eus answers after `rtt`."""
    agent = Agent("nyc", rtt=0.06)
    agent.targets += (control("eus-nva1", "eus"),)
    site = Probed(agent, network=network)
    for _ in range(int(seconds * 4)):
        agent.extra.append(ProbeResult(site.now, Probe.ICMP, "eus-nva1", Outcome.ANSWERED, rtt=rtt))
        site.wait(0.25)
    return site


def unordered() -> Network:
    meant = with_agents()
    return Network(replace(meant, sites=tuple(replace(s, tiers=()) for s in meant.sites)))


@pytest.mark.parametrize(("rtt", "told"), [(0.02, True), (0.057, False), (0.09, False)])
def test_a_region_that_is_nearer_by_a_margin_is_told(rtt: float, told: bool) -> None:
    found = with_controls(unordered(), rtt).found(Kind.SUBOPTIMAL_REGION)
    assert [(f.subject.region, f.subject.site, f.severity) for f in found] == [("weu", "nyc", Severity.INFO)] * told


def test_an_order_or_an_equality_that_was_asked_for_is_not_suboptimal() -> None:
    assert with_controls(Network(with_agents()), 0.02).found(Kind.SUBOPTIMAL_REGION) == []  # nyc: weu and eus equal


def test_a_nearer_region_that_does_not_advertise_is_no_alternative() -> None:
    network = unordered()
    network.withdraw_region("eus", WEB)
    assert with_controls(network, 0.02).found(Kind.SUBOPTIMAL_REGION) == []


# bounds and speed


def test_series_are_bounded_whatever_answers() -> None:
    latency = Latency()
    for n in range(1000):
        latency.take(T0 + n, "udp", f"region{n}", "nva", 0.02, n)
    assert len(latency.series) == 64
    series = Series()
    for n in range(20_000):
        series.take(T0 + n / 64, 0.02, n)
    assert len(str(series.plain())) < 12_000
    assert len(series.flows._flows) <= 128


def test_a_result_costs_a_few_microseconds() -> None:
    best = min(_cost(seed) for seed in range(3))
    assert best < 10e-6, f"{best * 1e6:.1f} us"  # measured: 2.6 to 4.5; this machine is shared


def _cost(seed: int) -> float:
    random, series = Random(seed), Series()
    samples = [(T0 + n / 64, 0.02 + gamma(random), n % 32) for n in range(20_000)]
    began = process_time()
    for at, rtt, flow in samples:
        series.take(at, rtt, flow)
    return (process_time() - began) / len(samples)


def test_findings_do_not_change_while_nothing_does() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.more = lambda flow, at: 0.03
    site.wait(15)
    first: list[Finding] = site.found(Kind.LATENCY_SHIFT)
    for _ in range(20):
        site.wait(1)
        assert site.found(Kind.LATENCY_SHIFT) == first


def test_a_best_path_that_changed_just_before_is_in_the_evidence() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.network.announce(best_source("ams"), WEB, best_route("ams", "weu", lp=250))
    site.agent.more = lambda flow, at: 0.02
    site.wait(5)
    (shift,) = site.found(Kind.LATENCY_SHIFT)
    assert any("changed at ams-ce1-best (V6)" in text for label, text in shift.evidence if label == "BGP")
