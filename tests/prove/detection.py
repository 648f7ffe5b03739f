"""How soon agents' probes make a fault known: from its effect to a finding that is open, of the right kind and place.

On the lab's real routers, with an agent at each site. A fault takes effect when its witness says so: an nftables rule
when it was loaded (once it has dropped a packet), a withdrawal when the region's gateway forwards to the NVA no more,
a longer wire when the delay line carries frames so. The finding is open at the time that the ledger's commit has. Of
several sites that must notice, the last one counts. Moments are random against every schedule; targets take turns, so
that what one fault leaves behind is gone before its target's turn comes again.
"""

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab import faults
from lab.topology import SERVICES, Lab, Role
from tests.prove.figures import Proven, Target, load, percentile
from tests.prove.labs import WatchedLab, watched_lab
from tests.prove.partial import Partial, Repeat

NAME = "detection"
SEED = 20264
REPEATS = 40
SETTLED = 75.0
"""Seconds that agents are given before the first fault: what latencies are compared with must be known."""
LONGEST_WAIT = 90.0
PREFIX = {service.name: str(service.prefix) for service in SERVICES}
Wanted = tuple[tuple[str, ...], ...]
"""One group for each site that must notice: keys of findings, any of which will do."""


@dataclass(frozen=True)
class Case:
    """One kind of fault."""

    name: str
    limit: float
    """Seconds within which 95 of 100 must be known."""
    kind: str
    faults: Sequence[tuple[str, ...]]
    """Verb and words; they take turns."""
    wanted: Callable[[Lab, Sequence[str]], Wanted]
    says: str = ""
    """What the finding's summary must say."""


def key(kind: str, service: str, **parts: str) -> str:
    """The key of a finding about a service."""
    rest = "".join(f"|{name}={value}" for name, value in parts.items() if value)
    return f"{kind}|service={service}|prefix={PREFIX[service]}{rest}"


def sites(region: str) -> tuple[str, ...]:
    """Sites that land on a region: ams on weu alone, nyc on both."""
    return ("ams", "nyc") if region == "weu" else ("nyc",)


def _hole(lab: Lab, words: Sequence[str]) -> Wanted:
    service, region = words[1:]
    return tuple((key("blackhole", service, region=region, site=site),) for site in sites(region))


def _leg(kind: str) -> Callable[[Lab, Sequence[str]], Wanted]:
    def wanted(lab: Lab, words: Sequence[str]) -> Wanted:
        node = lab.by_name[words[1]]
        found = []
        for site in sites(node.place):
            if node.role is Role.NVA:
                parts = {"region": node.place, "nva": node.name, "site": site}
            else:
                [session] = [each for each in lab.sessions_of(f"{site}-ce1") if each.side(node.name) is not None]
                way = f"circuit {session.far(f'{site}-ce1').address}"
                parts = {"region": node.place, "site": site, "detail": way}
            found.append(tuple(key(kind, service, **parts) for service in ("web", "vdi")))
        return tuple(found)

    return wanted


def _shift(lab: Lab, words: Sequence[str]) -> Wanted:
    service, region = words[1:]
    return tuple((key("catchment-shift", service, site=site),) for site in sites(region))


def _slower(lab: Lab, words: Sequence[str]) -> Wanted:
    site, region = words[1].split("-")
    return (tuple(key("latency-shift", service, region=region, site=site) for service in ("web", "vdi")),)


LEGS = ("weu-nva1", "eus-msee1", "weu-msee1", "eus-nva1", "weu-nva2", "eus-msee2", "weu-msee2", "eus-nva2")
WAYS = ("ams-weu", "nyc-eus")
PLACES = (("web", "weu"), ("vdi", "eus"), ("vdi", "weu"), ("web", "eus"))
"""Faults alternate between regions, so that one has time to be as before while the other is tried."""
CASES = (
    Case("blackhole", 3.0, "blackhole", [("blackhole", *place) for place in PLACES], _hole, "(address)"),
    Case("dead_leg", 2.5, "dead-leg", [("dead-leg", leg) for leg in LEGS], _leg("dead-leg")),
    Case("loss_20", 5.0, "lossy-leg", [("lossy-leg", leg, "20") for leg in LEGS], _leg("lossy-leg")),
    Case("loss_5", 30.0, "lossy-leg", [("lossy-leg", leg, "5") for leg in LEGS], _leg("lossy-leg")),
    Case("catchment_shift", 3.0, "catchment-shift", [("withdraw", *place) for place in PLACES], _shift),
    Case("latency_20_ms", 5.0, "latency-shift", [("latency", way, "20") for way in WAYS], _slower),
)


def prove(say: Callable[[str], None]) -> Proven:
    """Try every case."""
    partials = {case.name: Partial(NAME, case.name) for case in CASES}
    if any(len(partial.repeats) < REPEATS for partial in partials.values()):
        with watched_lab("pvdet", probes=True) as watched:
            time.sleep(SETTLED)
            for number in range(REPEATS):
                for turn, case in enumerate(CASES):
                    if len(partials[case.name].repeats) <= number:
                        words = case.faults[(number + turn) % len(case.faults)]
                        partials[case.name].add(_repeat(watched, case, number, words, say))
    return _proven({name: partial.repeats[:REPEATS] for name, partial in partials.items()})


def _repeat(watched: WatchedLab, case: Case, number: int, words: Sequence[str], say: Callable[[str], None]) -> Repeat:
    """Make one fault, wait for what it must open, and heal it."""
    wanted = case.wanted(watched.lab, words)
    _quiet(watched, {each for group in wanted for each in group})
    time.sleep(random.Random(SEED + number).random() * 2)
    before = {record["id"] for record in _open(watched)}
    entry = faults.inject(watched.lab, words[0], words[1:])
    assert entry.t_effect is not None
    known: dict[str, float] = {}
    others: set[str] = set()
    deadline = entry.t_effect + case.limit * 2 + 5
    while time.time() < deadline and not all(any(each in known for each in group) for group in wanted):
        for record in _open(watched):
            if record["id"] in before:
                continue
            if any(record["key"] in group for group in wanted) and case.says in _summary(record):
                known.setdefault(record["key"], _seconds(record["opened_at"]) - entry.t_effect)
            elif record["finding"]["kind"] == case.kind:
                others.add(record["key"])
        time.sleep(0.05)
    faults.heal(watched.lab)
    took = max(min((known[each] for each in group if each in known), default=math.inf) for group in wanted)
    right = {_place(each) for group in wanted for each in group}
    wrong = sorted(other for other in others if _place(other) not in right)
    said = f", WRONG {'; '.join(wrong)}" if wrong else ""
    say(f"{case.name} {number + 1} of {REPEATS}: {' '.join(words)}: {took:.2f} s{said}")
    return {"words": list(words), "seconds": took if took < math.inf else None, "wrong": wrong, "load": load()}


def _place(finding: str) -> str:
    """A finding's place without its service: a leg is dead for all services."""
    return "|".join(part for part in finding.split("|") if not part.startswith(("service=", "prefix=")))


def _open(watched: WatchedLab) -> list[dict[str, Any]]:
    return watched.rig.records("open")


def _pending(watched: WatchedLab) -> list[dict[str, Any]]:
    return watched.rig.records("pending", "open")


def _summary(record: dict[str, Any]) -> str:
    return str(record["finding"]["summary"])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _quiet(watched: WatchedLab, keys: set[str]) -> None:
    """Wait until nothing of that kind is there any more, in the same places or their regions."""
    kinds = {each.partition("|")[0] for each in keys} | {"dead-leg", "lossy-leg", "blackhole"}
    regions = {part for each in keys for part in each.split("|") if part.startswith("region=")} or {"site="}
    deadline = time.monotonic() + LONGEST_WAIT
    while left := [
        r for r in _pending(watched) if r["finding"]["kind"] in kinds and any(each in r["key"] for each in regions)
    ]:
        if time.monotonic() > deadline:
            names = sorted(record["key"] for record in left)
            raise AssertionError(f"{names} did not clear within {LONGEST_WAIT:g} s of the last fault's end")
        time.sleep(0.2)


def _proven(rows: dict[str, list[Repeat]]) -> Proven:
    figures: dict[str, Any] = {"repeats": REPEATS}
    targets: list[Target] = []
    for case in CASES:
        figures[case.name] = _figures(case, rows[case.name])
        targets.append(
            Target(f"{case.name}: 95th percentile", figures[case.name]["p95_s"], at_most=case.limit, unit="s")
        )
        targets.append(Target(f"{case.name}: named wrongly", len(figures[case.name]["wrong"]), exactly=0))
    return Proven(SEED, figures, tuple(targets))


def _figures(case: Case, rows: list[Repeat]) -> dict[str, Any]:
    took = sorted(row["seconds"] if row["seconds"] is not None else math.inf for row in rows)
    low, high = _interval(len(took))
    return {
        "target_s": case.limit,
        "p50_s": _figure(percentile(took, 0.5)),
        "p95_s": _figure(percentile(took, 0.95)),
        "p95_from_s": _figure(took[low]),
        "p95_to_s": _figure(took[high]),
        "longest_s": _figure(took[-1]),
        "within_target": sum(each <= case.limit for each in took),
        "missed": [
            {"words": row["words"], "seconds": row["seconds"]}
            for row in rows
            if row["seconds"] is None or row["seconds"] > case.limit
        ],
        "wrong": [each for row in rows for each in row["wrong"]],
        "load_average": max(row["load"] for row in rows),
    }


def _figure(seconds: float) -> float:
    """Never known is written as a thousand seconds, which is over every target."""
    return round(min(seconds, 1000.0), 3)


def _interval(count: int, share: float = 0.95, confidence: float = 0.95) -> tuple[int, int]:
    """The order statistics between which the percentile lies with this confidence (binomial; distribution-free)."""
    chances = [math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(count + 1)]
    tail, low, total = (1 - confidence) / 2, 0, 0.0
    while low < count - 1 and total + chances[low] <= tail:
        total += chances[low]
        low += 1
    high, total = count - 1, 0.0
    while high > low and total + chances[high + 1] <= tail:
        total += chances[high + 1]
        high -= 1
    return max(0, low - 1), high
