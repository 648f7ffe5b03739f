"""Faults that BGP does not see, or sees late, and that agents tell at once: of the right kind and place, no other."""

import time
from collections.abc import Iterator

import pytest

from anycast.finding import Kind
from tests.lab.probing import DEAD, LEGS, SETTLED, Case, case, hole, leg, try_it
from tests.lab.watching import about, lab_watched
from tests.rig import Rig

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
CIRCUIT = about("dead-leg", "web", region="weu", site="ams", detail="circuit 172.16.0.1")
CASES = (
    case("blackhole", {hole("weu", "ams"), hole("weu", "nyc")}, 10, LEGS),
    case("remove-return eus", {hole("eus", "nyc"), hole("eus", "nyc", "vdi")}, 10, LEGS),
    case("dead-leg", {leg("dead-leg", "weu-nva1", site) for site in ("ams", "nyc")}, 10, DEAD),
    case("dead-leg weu-msee1", {CIRCUIT}, 10, DEAD),
    case("lossy-leg eus-nva1 20", {leg("lossy-leg", "eus-nva1", "nyc")}, 20, DEAD | {Kind.DEAD_LEG}),
    case("latency", {about("latency-shift", "web", region="weu", site="ams")}, 15, DEAD),
    case("withdraw weu web", {about("catchment-shift", "web", site="ams")}, 10, DEAD | LEGS),
    case("impostor", {about("identity-invalid", "web", site="nyc")}, 15, LEGS),
)


@pytest.fixture(scope="module")
def watched() -> Iterator[Rig]:
    with lab_watched("probed", 8494, probes=True) as made:
        time.sleep(SETTLED)
        yield made


@pytest.mark.parametrize("fault", CASES, ids=str)
def test_a_fault_is_told_by_what_probes_see_of_it(watched: Rig, fault: Case) -> None:
    try_it(watched, fault)
