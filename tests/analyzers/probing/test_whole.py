"""What agents report through the whole fold and all judgements: quiet, in time, small, and the same after a restart."""

import json
from time import process_time

import pytest

from alerts.ledger import Ledger
from analyzers.memory import restore, snapshot
from anycast.finding import Kind, Step
from anycast.kinds import KINDS
from anycast.plain import Plain
from tests.analyzers.probing.agent import EUS1, INTERVAL, WEU1, WEU2, Agent, Probed, gamma


def usual(**parts: object) -> Probed:
    """Two sites as they are on any day: 0.1 % of random loss, two milliseconds of jitter."""
    ams = Agent("ams", loss=0.001, canaries=4, flows=32, lands=lambda flow: (WEU1, WEU2)[flow % 2])
    nyc = Agent(
        "nyc", seed=2, loss=0.001, jitter=gamma, rtt=0.08, canaries=4, lands=lambda flow: (WEU1, EUS1)[flow % 2]
    )
    return Probed(ams, nyc)


def test_twenty_minutes_of_a_usual_day_alarm_nobody() -> None:
    sites = usual()
    for _ in range(600):
        sites.wait(2)
        assert sites.alarms() == set()


def opened(sites: Probed, kind: Kind, limit: float) -> float | None:
    """Return how long it takes until the ledger opens a finding of the kind."""
    ledger = Ledger(lambda kind: KINDS[kind].hold_down)
    for step in range(round(limit / INTERVAL)):
        sites.wait(INTERVAL)
        steps = ledger.judge(sites.network.findings(), sites.network.view.unknown(), sites.now)
        if any(t.step is Step.OPENED and t.record.finding.kind is kind for t in steps):
            return (step + 1) * INTERVAL
    return None


@pytest.mark.parametrize(("more", "limit"), [(0.02, 5.0), (0.003, 15.0)])
def test_a_slower_way_is_told_in_time_hold_down_and_batches_included(more: float, limit: float) -> None:
    times = []
    for seed in range(20):
        sites = Probed(Agent("ams", seed=seed, rtt=(0.01, 0.08)[seed % 2], jitter=gamma, loss=0.001)).wait(
            75 + seed / 4
        )
        sites.agent.more = lambda flow, at: more
        times.append(opened(sites, Kind.LATENCY_SHIFT, 30) or 99.0)
    assert sorted(times)[18] <= limit, times


def test_a_snapshot_holds_what_was_learnt_and_is_small() -> None:
    sites = usual().wait(120)
    sites.agent.more, sites.agent.first_byte = (lambda flow, at: 0.03), 0.9
    sites.wait(30)
    kept = snapshot(sites.network.view)
    again: Plain = snapshot(restore(sites.network.intent, json.loads(json.dumps(kept)), sites.now))
    for site in ("ams", "nyc"):
        for part in ("pairs", "controls", "beside"):
            assert _beside(again["probing"][site][part]) == _beside(kept["probing"][site][part])
    assert again["episodes"] == kept["episodes"]
    assert len(json.dumps(_beside(kept["probing"]["ams"]["pairs"]))) < 16_000


def _beside(plain: Plain) -> Plain:
    """What these statistics keep, of pairs and controls by name, or of the agent."""
    return {name: row["beside"] if isinstance(row, dict) and "beside" in row else row for name, row in plain.items()}


def test_folding_a_result_costs_some_microseconds() -> None:
    sites = usual().wait(60)
    pair = sites.network.view.probing.sites["ams"].pairs["web"].beside
    reports = []
    for _ in range(120):
        sites.network.wait(INTERVAL)
        reports.append(sites.agent.batch(sites.now).results)
    began = process_time()
    for results in reports:
        pair.apply(results)
    each = (process_time() - began) / sum(map(len, reports))
    assert each < 20e-6, f"{each * 1e6:.1f} us"  # measured: 6 on a machine with much else to do
