"""Faults watched by agents at both sites: what a case is, and how it is tried.

A fault of the data path shows for several services and sites, and draws others after it (connections break, traffic
moves), so a case names what must open, and kinds that must not. What an agent says of its own host is the machine's
doing, unless the case is about that, and counts neither way.
"""

from dataclasses import dataclass

from anycast.finding import Kind
from lab import faults
from tests.lab.watching import about
from tests.rig import Rig, eventually

SETTLED = 70.0
"""Seconds that agents are given: what latencies are compared with must be known."""
DEAD = frozenset({Kind.BLACKHOLE, Kind.UNREACHABLE, Kind.ADVERTISED_WHILE_DEAD, Kind.HEALTH_CHECK_DEFECT})
LEGS = frozenset({Kind.DEAD_LEG, Kind.LOSSY_LEG})
NEVER = frozenset({Kind.SITE_UPLINK, Kind.IDENTITY_INVALID, Kind.AGENT_LOST, Kind.AGENT_DUPLICATE, Kind.CLOCK_WRONG})
"""Kinds that no fault of the network may open, unless its case names one."""
PASSING = frozenset(
    {Kind.AGENT_TAINTED, Kind.CATCHMENT_SHIFT, Kind.TCP_BREAK, Kind.THROUGHPUT_DROP, Kind.CATCHMENT_FLAP}
)
"""Moves and broken connections are told for a while after they happened."""


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


def try_it(watched: Rig, fault: Case) -> None:
    """Make a fault: what must open does, in time; heal it: that ends; and what must not open never did."""
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
    """What is open and is about the network."""
    return {each for each in watched.open_keys() if Kind(each.partition("|")[0]) not in PASSING}
