"""How soon faults are told, at random moments of every schedule, with a thousandth of loss beside: percentiles.

Agents, timeouts, batches, judging and hold-downs are in it; the agent's own host and its way to us are not. The real
thing is measured in the lab (`tests/prove/detection.py`).
"""

from collections.abc import Callable

import pytest

from anycast.finding import Kind, Subject
from anycast.probe import TargetKind
from tests.analyzers.probed import CIRCUITS, Fate, Probed, at_circuit, at_nva

WEU = ("weu-nva1", "weu-nva2")
ALL = (TargetKind.SERVICE, TargetKind.NVA, TargetKind.APPLICATION)
CIRCUIT = CIRCUITS["ams", "weu"][1]
RUNS = 12


def took(kind: Kind, fault: Callable[[int], Fate], right: Callable[[Subject, str], bool], settle: float) -> list[float]:
    """Seconds from the fault to the finding, in order; each must name what is wrong."""
    found = []
    for seed in range(RUNS):
        network = Probed(seed=seed, sites=("ams",), settle=settle + seed * 0.377 % 1)
        network.loss = 0.001
        network.run(2)
        network.faults.append(fault(seed))
        seconds = network.wait_for(kind, 90)
        assert seconds is not None
        finding = network.opened(kind)[0].finding
        assert right(finding.subject, finding.summary), finding.summary
        found.append(seconds)
    return sorted(found)


@pytest.mark.parametrize(
    ("fault", "says"),
    [(lambda seed: at_nva(*WEU), "(address)"), (lambda seed: at_nva(*WEU, kinds=ALL), "(path)")],
)
def test_a_blackhole_of_a_region_is_told_within_three_seconds(fault: Callable[[int], Fate], says: str) -> None:
    seconds = took(Kind.BLACKHOLE, fault, lambda subject, said: subject.region == "weu" and says in said, 8)
    assert seconds[-1] <= 3.0


def test_a_dead_leg_is_told_within_two_and_a_half_seconds() -> None:
    seconds = took(Kind.DEAD_LEG, lambda seed: at_nva("weu-nva2"), lambda subject, _: subject.nva == "weu-nva2", 8)
    assert seconds[-1] <= 2.5


def test_a_dead_circuit_is_told_within_two_and_a_half_seconds() -> None:
    name = f"circuit {CIRCUIT}"
    seconds = took(Kind.DEAD_LEG, lambda seed: at_circuit(CIRCUIT), lambda subject, _: subject.detail == name, 35)
    assert seconds[-1] <= 2.5


@pytest.mark.parametrize(("part", "limit", "settle"), [(0.2, 5.0, 35), (0.2, 7.0, 8), (0.05, 30.0, 8)])
def test_a_leg_that_loses_is_told_in_time(part: float, limit: float, settle: float) -> None:
    """Eight seconds after an agent's start half of the flows have not been traced, and are not held against a leg."""
    seconds = took(
        Kind.LOSSY_LEG,
        lambda seed: at_nva("weu-nva1", part=part, seed=seed * 7919 + 13),
        lambda subject, _: subject.nva == "weu-nva1",
        settle,
    )
    assert seconds[-2] <= limit


def test_a_shift_is_told_within_three_seconds() -> None:
    for seed in range(RUNS):
        network = Probed(seed=seed, sites=("ams",), settle=8 + seed * 0.377 % 1)
        network.loss = 0.001
        network.lands["ams", "web"] = ("eus",)
        seconds = network.wait_for(Kind.CATCHMENT_SHIFT, 30)
        assert seconds is not None
        assert seconds <= 3.0
