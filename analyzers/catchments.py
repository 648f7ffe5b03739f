"""`misrouted`, `catchment-shift`, `catchment-flap`: who answers a site, against intent, best path and before."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.evidence import MOST, Line, lines, seen
from analyzers.flapping import flaps_since
from analyzers.grounds import Ground, grounds
from analyzers.ladder import controls, lives
from analyzers.probing.controls import Life
from analyzers.probing.flows import FLAPS
from analyzers.probing.pairs import Pair
from analyzers.probing.track import NEVER
from analyzers.view import View
from anycast.change import Change, Presence
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent
from anycast.plain import stamp
from anycast.probe import TargetKind

JUST = timedelta(seconds=3)  # who answered within it answers now: each flow is asked twice a second
FLOWS = 2  # that a region must answer, or
SETTLES = timedelta(seconds=2)  # between a best path and the forwarding that follows it
EXPLAINS = timedelta(seconds=30)  # events of BGP so long before a shift explain it
AWAITED = timedelta(seconds=1.5)  # feeds may be so much later than probes
SHOWN = timedelta(seconds=30)  # a shift is said for so long
RESTLESS = 2  # flows; one alone may be balanced by packet further on


def answering(pair: Pair, now: datetime) -> Mapping[str, datetime]:
    """Return the regions that answer now, by two fixed flows or by any other probe, and since when they do."""
    recent: dict[str, list[datetime]] = {}
    for flow in pair.flows.by_number.values():
        if flow.region and now - flow.ok_at <= JUST:
            recent.setdefault(flow.region, []).append(flow.landed)
    found = {region: min(since) for region, since in recent.items() if len(since) >= FLOWS}
    for region, at in pair.alive.items():
        if now - at <= JUST:
            found.setdefault(region, min(recent.get(region, [at])))
    return found


def misrouted(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions that answer a site against its intent, or against its best path."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.landed or pair.alive):
        if ground.kept("meant", _meant) >= ground.pair.flows.landed | ground.pair.alive.keys():
            continue
        answers = answering(ground.pair, now)
        for region, since in sorted(answers.items()):
            found = _unmeant(ground, region, since, answers) or _not_best(ground, region, since)
            if found is not None:
                yield found


def _meant(ground: Ground) -> frozenset[str]:
    """Regions that may answer the site without a word: of the first tier, and on the best path where that is known."""
    first = frozenset(ground.site.tiers[0] if ground.site.tiers else ground.intent.by_region)
    lands = ground.lands if ground.lands else first
    return (first & lands) - set(ground.site.site.never)


def _unmeant(ground: Ground, region: str, since: datetime, answers: Mapping[str, datetime]) -> Finding | None:
    site, tiers = ground.seen.site, ground.site.tiers
    if region in ground.site.site.never:
        return _misrouted(ground, region, Severity.CRITICAL, since, f"{region} answers {site} and must never serve it")
    if not tiers or region in tiers[0]:
        return None
    rank = next((number for number, tier in enumerate(tiers) if region in tier), len(tiers))
    better = [name for tier in tiers[:rank] for name in tier if _serves(ground, name, answers)]
    if not better or list(ground.view.recent.between(ground.pair.prefix, ground.now - SETTLES, ground.now)):
        return None  # or routes have just changed, and traffic follows
    what = f"{region} answers {site}, though {' and '.join(better)} comes first, is advertised and answers"
    return _misrouted(ground, region, Severity.MAJOR, since, what)


def _serves(ground: Ground, region: str, answers: Mapping[str, datetime]) -> bool:
    """Whether a region is advertised, heard at the site as far as that is known, and answers."""
    if ground.facts(region).presence is not Presence.PRESENT or ground.site.hears(region) is Presence.ABSENT:
        return False
    apps = controls(ground.seen, TargetKind.APPLICATION, region, ground.pair.service.name)
    return region in answers or lives(apps, ground.now - JUST) is Life.ALIVE


def _not_best(ground: Ground, region: str, since: datetime) -> Finding | None:
    """The best path leads elsewhere, and the route to this region is there: below the edge router they part."""
    lands = ground.lands
    if not lands or region in lands or ground.site.hears(region) is Presence.ABSENT:
        return None
    if ground.facts(region).presence is Presence.ABSENT:
        return None
    chosen = max((held.changed for s in ground.site.chosen for held in s.routes), default=NEVER)
    if ground.now - chosen < SETTLES:
        return None
    what = f"{region} answers {ground.seen.site}, whose best path leads to {', '.join(sorted(lands))}"
    return _misrouted(ground, region, Severity.MAJOR, max(since, chosen), what)


def _misrouted(ground: Ground, region: str, severity: Severity, since: datetime, what: str) -> Finding:
    meant = ", then ".join(" and ".join(tier) for tier in ground.site.tiers) or "no region in particular"
    best = ", ".join(sorted(ground.lands)) if ground.lands else "not known"
    return Finding(
        Kind.MISROUTED,
        ground.subject(region),
        severity,
        since,
        f"{ground.name}: {what}",
        (
            ("answers", ", ".join(sorted(answering(ground.pair, ground.now)))),
            ("meant", meant),
            ("best path leads to", best),
            *lines(ground.site.chosen),
            *lines(ground.site.heard),
            *(seen(sighting) for sighting in ground.facts(region).basis[:MOST]),
        ),
        None,
        ground.rests_on(region),
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """Traffic that moved: from fixed flows, or from shares."""

    at: datetime
    before: Mapping[str, int]
    after: Mapping[str, int]
    counted: str
    """What is counted."""


def moved(pair: Pair) -> Moved | None:
    """Return the last shift of a pair; None where none was seen."""
    shift, shares = pair.flows.shift, pair.moved
    net = [pair for pair in shift.moved.values() if pair[0] != pair[1]] if shift is not None else []
    if shift is not None and net and (shares is None or shift.at >= shares.at):
        return Moved(shift.at, Counter(a for a, _ in net), Counter(b for _, b in net), "fixed flows that moved")
    if shares is not None:
        return Moved(shares.at, shares.before, shares.after, "answers to new ports in 30 s")
    return None


def explanation(ground: Ground, shift: Moved) -> Change | None:
    """Return the event of BGP nearest to a shift that may explain it; None where there is none."""
    regions = {*shift.before, *shift.after}
    found: list[Change] = []
    for change in ground.view.recent.between(ground.pair.prefix, shift.at - EXPLAINS, shift.at + AWAITED):
        table = ground.view.tables.get(change.source)
        vantage = table.vantage if table is not None else None
        if vantage is None or vantage.site in (None, ground.seen.site):
            elsewhere = vantage is not None and vantage.region is not None and vantage.region not in regions
            if not elsewhere:
                found.append(change)
    return min(found, key=lambda change: (abs(change.at - shift.at), str(change.source)), default=None)


def words(ground: Ground, change: Change) -> str:
    """Say what an event was and where it was seen."""
    table = ground.view.tables.get(change.source)
    where = table.key if table is not None else str(change.source)
    rung = f"{table.vantage.rung} " if table is not None and table.vantage is not None else ""
    return f"{change.prefix} {change.kind} at {rung}{where}, {stamp(change.at)}"


def catchment_shift(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield traffic that moved to other regions within the last half minute."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.shift or pair.moved):
        shift = moved(ground.pair)
        if shift is None or now - shift.at > SHOWN:
            continue
        event = explanation(ground, shift)
        if event is None and now - shift.at < AWAITED:
            continue  # the feed that tells why may be on its way
        yield _shifted(ground, shift, event)


def _shifted(ground: Ground, shift: Moved, event: Change | None) -> Finding:
    blind = sorted(s.key for s in (*ground.site.chosen, *ground.site.heard) if s.presence is Presence.UNKNOWN)
    if event is not None:
        why, said = "explained by BGP", words(ground, event)
    elif blind:
        why, said = "whether BGP explains it is not known", f"{', '.join(blind[:3])} cannot be seen"
    else:
        why, said = "and no event of BGP explains it", f"nothing in the {EXPLAINS.total_seconds():g} s before"
    came, left = (_most(one, other) for one, other in ((shift.after, shift.before), (shift.before, shift.after)))
    return Finding(
        Kind.CATCHMENT_SHIFT,
        ground.subject(),
        Severity.INFO if event is not None or blind else Severity.WARNING,
        shift.at,
        f"{ground.name}: traffic of {ground.seen.site} moved from {left} to {came}, {why}",
        (
            ("event", said),
            *_counts(shift),
            ("best path leads to", ", ".join(sorted(ground.lands)) if ground.lands else "not known"),
            *lines(ground.site.chosen),
        ),
        None,
        frozenset({ground.seen.name}),
    )


def _most(counts: Mapping[str, int], others: Mapping[str, int]) -> str:
    """The region that has the most more than on the other side."""
    total, rest = max(1, sum(counts.values())), max(1, sum(others.values()))
    gained = {region: count / total - others.get(region, 0) / rest for region, count in sorted(counts.items())}
    return max(gained, key=lambda region: gained[region], default="nobody")


def _counts(shift: Moved) -> Iterator[Line]:
    yield (f"before, {shift.counted}", ", ".join(f"{region} {n}" for region, n in sorted(shift.before.items())))
    yield (f"after, {shift.counted}", ", ".join(f"{region} {n}" for region, n in sorted(shift.after.items())))


def catchment_flap(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites of which flows change their region again and again."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.restless):
        flows = ground.pair.flows
        restless = [f for n in sorted(flows.restless) if (f := flows.by_number[n]).flaps(now)]
        if len(restless) < min(RESTLESS, len(flows.by_number)):
            continue
        events = ground.view.recent.between(ground.pair.prefix, restless[0].changes[0], now)
        last = ", ".join(stamp(change.at) for change in events[-6:])
        downs = [s for s in ground.site.chosen if s.table is not None and ground.pair.prefix in s.table.downs]
        flapping = any(
            flaps_since(tuple(s.table.downs[ground.pair.prefix]), intent.thresholds, now) for s in downs if s.table
        )
        yield Finding(
            Kind.CATCHMENT_FLAP,
            ground.subject(),
            Severity.MAJOR,
            min(flow.changes[-1] for flow in restless),
            f"{ground.name}: flows of {ground.seen.site} change their region again and again",
            (
                ("flows", f"{FLAPS} changes or more within ten minutes"),
                ("changed at", ", ".join(stamp(at) for at in restless[0].changes)),
                ("BGP", "its best path flaps" if flapping else f"events at {last}" if last else "no event"),
                *lines(ground.site.chosen),
            ),
            None,
            frozenset({ground.seen.name}),
        )
