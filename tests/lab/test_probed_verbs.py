"""Faults that BGP does not see, or sees late, watched by agents at both sites: what must be told is told, of the right
kind and place, and what must not be never is.

A fault of the data path shows for several services and sites, and draws others after it (connections break, traffic
moves), so a case names what must open, and kinds that must not. What an agent says of its own host is the machine's
doing here, and counts neither way.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from anycast.finding import Kind
from lab import faults
from tests.lab.watching import about, lab_watched
from tests.rig import Rig, eventually

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
SETTLED = 70.0
"""Seconds that agents are given: what latencies are compared with must be known."""
DEAD = frozenset({Kind.BLACKHOLE, Kind.UNREACHABLE, Kind.ADVERTISED_WHILE_DEAD, Kind.HEALTH_CHECK_DEFECT})
LEGS = frozenset({Kind.DEAD_LEG, Kind.LOSSY_LEG})
NEVER = frozenset({Kind.SITE_UPLINK, Kind.IDENTITY_INVALID, Kind.AGENT_LOST, Kind.AGENT_DUPLICATE, Kind.CLOCK_WRONG})
"""Kinds that no fault of the network may open, unless its case names one."""


@dataclass(frozen=True)
class Case:
    """A fault, the findings that it must open within so many seconds, and the kinds that it must not."""

    words: str
    opens: frozenset[str]
    within: float
    never: frozenset[Kind] = frozenset()

    def __str__(self) -> str:
        return self.words

    def shown(self, keys: set[str]) -> bool:
        """Whether all that must open is open. A leg may be told of any service: flows of each are hashed otherwise."""
        return {_place(each) for each in self.opens} <= {_place(each) for each in keys}


def _place(key: str) -> str:
    """What a finding says, without its service where it is about a leg."""
    if Kind(key.partition("|")[0]) not in LEGS:
        return key
    return "|".join(part for part in key.split("|") if not part.startswith(("service=", "prefix=")))


def case(words: str, opens: set[str], within: float, never: frozenset[Kind] = frozenset()) -> Case:
    """Write a case in one line; what is named in `opens` may of course open."""
    named = {Kind(each.partition("|")[0]) for each in opens}
    return Case(words, frozenset(opens), within, (never | NEVER) - named)


def hole(region: str, site: str, service: str = "web") -> str:
    return about("blackhole", service, region=region, site=site)


def leg(kind: str, nva: str, site: str) -> str:
    return about(kind, "web", region=nva[:3], nva=nva, site=site)


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
    eventually(lambda: not _wrong(watched), 100, what="a healthy network")
    watched.forget()
    verb, *words = fault.words.split()
    try:
        faults.inject(watched.lab, verb, words)
        eventually(lambda: fault.shown(watched.open_keys()), fault.within, what=f"{sorted(fault.opens)}")
    finally:
        faults.heal(watched.lab)
    told = {Kind(each.partition("|")[0]) for each in watched.seen_open}
    assert told & fault.never == set(), sorted(watched.seen_open)
    eventually(lambda: not fault.opens & watched.open_keys(), 100, what="an end of it")


def _wrong(watched: Rig) -> set[str]:
    """What is open and is about the network: moves and broken connections are told for a while after they happened."""
    passing = (Kind.AGENT_TAINTED, Kind.CATCHMENT_SHIFT, Kind.TCP_BREAK, Kind.THROUGHPUT_DROP, Kind.CATCHMENT_FLAP)
    return {each for each in watched.open_keys() if Kind(each.partition("|")[0]) not in passing}
