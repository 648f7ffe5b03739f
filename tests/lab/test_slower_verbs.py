"""Faults of applications, of the way back, of hashing and of agents: told of the right kind and place, no other."""

import time
from collections.abc import Iterator

import pytest

from anycast.finding import Kind
from lab import faults
from tests.lab.probing import DEAD, LEGS, SETTLED, Case, case, hole, leg, try_it
from tests.lab.watching import about, lab_watched
from tests.rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
WEU = {about("hash-polarised", each, region="weu", site="ams", detail="NVA") for each in ("web", "vdi")}
CASES = (
    case(
        "flow-loss weu-nva2",
        {leg("lossy-leg", "weu-nva2", site) for site in ("ams", "nyc")},
        25,
        DEAD | {Kind.DEAD_LEG},
    ),
    case("asymmetric", {about("asymmetric-return", "web", region="weu", nva="weu-nva1", site="ams")}, 50, DEAD | LEGS),
    case("remove-snat", {about("asymmetric-return", "web", region="weu", nva="weu-nva1", site="ams")}, 40, DEAD | LEGS),
    case("polarise", WEU, 40, DEAD | LEGS),
    case("jitter", {about("jitter", each, region="weu", site="ams") for each in ("web", "vdi")}, 25, DEAD | LEGS),
    case("mtu", {about("mtu-blackhole", "web", site="ams")}, 50, DEAD | LEGS),
    case("stuck-health weu", {hole("weu", "ams"), hole("weu", "nyc")}, 15, LEGS),
    case("slow-app eus", {about("app-slow", "web", region="eus")}, 30, DEAD | LEGS),
    case("failing-app eus", {f"app-errors|region=eus|nva=eus-nva{n}|detail=eus-app{n}" for n in (1, 2)}, 40, LEGS),
    case("cut-site", {"site-uplink|site=ams"}, 15, DEAD | LEGS),
    case("kill-agent", {"agent-lost|site=ams"}, 30, DEAD | LEGS),
    case("cut-agent nyc", {"agent-lost|site=nyc"}, 30, DEAD | LEGS),
    case("clock-step", {"clock-wrong|site=ams"}, 15, DEAD | LEGS),
    case("starve-agent nyc", {"agent-tainted|site=nyc"}, 40, DEAD | LEGS),
)
ORDINARY = 20.0  # seconds


@pytest.fixture(scope="module")
def watched() -> Iterator[Rig]:
    with lab_watched("slower", 8495, probes=True) as made:
        time.sleep(SETTLED)
        yield made


@pytest.mark.parametrize("fault", CASES, ids=str)
def test_a_fault_is_told_by_what_probes_see_of_it(watched: Rig, fault: Case) -> None:
    try_it(watched, fault)


def test_noise_of_an_ordinary_day_is_no_fault(watched: Rig) -> None:
    watched.forget()
    try:
        faults.inject(watched.lab, "noise")
        until = time.monotonic() + ORDINARY
        while time.monotonic() < until:
            watched.open_keys()
            time.sleep(0.2)
    finally:
        faults.heal(watched.lab)
    assert {Kind(each.partition("|")[0]) for each in watched.seen_open} & (DEAD | LEGS) == set()
