"""`fib-divergence`, `hash-polarised`: what routers do with packets, against what BGP says.

That one of several equal paths never gets a flow has two causes that look alike. Either the path fell out of the
forwarding table, which happens when its route goes and comes back; or the hash ignores ports, or repeats the hash of
the router before it, and puts everything on one path. A hash does so with every service, and without any event. So it
is divergence where the route of the missing path changed after the last flow was seen on it, where another service of
the site still takes several of the same paths, or where several are in use and one is not; else it is the hash.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.catchments import answering
from analyzers.evidence import MOST, lines
from analyzers.grounds import Ground, grounds
from analyzers.picture import RegionFacts, Sighting
from analyzers.probing.flows import Flow, Label
from analyzers.probing.pairs import Pair
from analyzers.probing.track import NEVER
from analyzers.state import Held
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent
from anycast.plain import stamp

SETTLES = timedelta(seconds=2)
CHANCE = 1e-6  # that so many flows miss a path by the luck of the hash
SLACK = timedelta(seconds=5)
QUARTER = timedelta(seconds=15)


def fib_divergence(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions that answer though their route is gone, and equal paths that never get a flow."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.landed or pair.alive):
        yield from _answers_without_route(ground)
        if not ground.pair.flows.losing:
            for unused in unused_paths(ground):
                if unused.diverged:
                    yield _unused(ground, unused, Kind.FIB_DIVERGENCE)


def hash_polarised(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield equal paths of which one takes all flows."""
    for ground in grounds(view, intent, now, lambda pair: pair.flows.landed and not pair.flows.losing):
        for unused in unused_paths(ground):
            if not unused.diverged:
                yield _unused(ground, unused, Kind.HASH_POLARISED)


def _answers_without_route(ground: Ground) -> Iterator[Finding]:
    if ground.lands is not None and ground.pair.flows.landed <= ground.lands >= ground.pair.alive.keys():
        return
    for region, since in sorted(answering(ground.pair, ground.now).items()):
        site, facts = ground.site, ground.facts(region)
        unheard = site.not_heard_since() if site.hears(region) is Presence.ABSENT else None
        gone = unheard or (facts.gone if facts.presence is Presence.ABSENT else None)
        if ground.leads_to(region) is not Presence.ABSENT or gone is None or ground.now - gone.since < SETTLES:
            continue
        yield Finding(
            Kind.FIB_DIVERGENCE,
            ground.subject(region),
            Severity.MAJOR,
            max(since, gone.since),
            f"{ground.name}: {region} answers {ground.seen.site}, where its route is gone",
            (
                ("route", f"gone since {stamp(gone.since)}"),
                ("best path leads to", ", ".join(sorted(ground.lands or ())) or "nowhere, or not known"),
                *lines(site.heard),
                *lines(site.chosen),
                *lines(facts.basis),
            ),
            gone.not_before,
            ground.rests_on(region) | site.v5_names | facts.rests_on,
        )


@dataclass(frozen=True, slots=True)
class Unused:
    """Equal paths of which not all are used."""

    what: str
    """What they lead through: `NVA`, `circuit` or `region`."""
    region: str | None
    used: tuple[str, ...]
    missing: tuple[str, ...]
    samples: int
    """Flows, and answers to new ports, that could have taken them."""
    diverged: bool
    """Whether the forwarding table is to blame, and not the hash."""
    since: datetime
    basis: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True)
class Equals:
    """Equal paths by BGP, as far as all of them are known."""

    what: str
    """What they lead through: `NVA`, `circuit` or `region`."""
    region: str | None
    names: frozenset[str]
    changed: Mapping[str, datetime]
    """Since when each is there."""
    basis: tuple[Sighting, ...]


def unused_paths(ground: Ground) -> Iterator[Unused]:
    """Yield groups of equal paths of which one at least never gets a flow, although nothing is lost."""
    for group in ground.kept("equals", _equals):
        if 0 < len(_takes(group, ground.pair)) < len(group.names):
            yield from _unused_of(ground, group)


def _equals(ground: Ground) -> tuple[Equals, ...]:
    return tuple(_each_equals(ground))


def _each_equals(ground: Ground) -> Iterator[Equals]:
    for facts in ground.picture.placed:
        yield from _nvas(facts)
        yield from _circuits(ground, facts.region)
    yield from _regions(ground)


def _nvas(facts: RegionFacts) -> Iterator[Equals]:
    """The NVAs of a region that advertise equal paths; where one at a time is meant there are none."""
    alone = facts.placement is None or facts.placement.at_least == 1
    if alone or any(s.presence is Presence.UNKNOWN for s in facts.nvas):
        return
    present = {s.nva: s for s in facts.nvas if s.present}
    yield from _shortest("NVA", facts.region, {nva: list(s.routes) for nva, s in present.items()}, facts.nvas)


def _circuits(ground: Ground, region: str) -> Iterator[Equals]:
    """The sessions over which the site hears equal paths to a region, by the addresses of their far ends."""
    heard = [s for s in ground.site.heard if any(held.region == region for held in s.routes)]
    peers = {str(s.table.source.session.peer): list(s.routes) for s in heard if s.table is not None}
    yield from _shortest("circuit", region, peers, heard)


def _regions(ground: Ground) -> Iterator[Equals]:
    """The regions of one tier that the site hears by equal paths."""
    routes: dict[str, list[Held]] = {}
    heard = [s for s in ground.site.heard if s.present]
    for held in (held for s in heard for held in s.routes if held.region in (ground.lands or ())):
        routes.setdefault(held.region or "", []).append(held)
    yield from _shortest("region", None, routes, heard)


def _shortest(
    what: str, region: str | None, routes: Mapping[str, Sequence[Held]], basis: Sequence[Sighting]
) -> Iterator[Equals]:
    lengths = {name: min(h.attributes.as_path.length for h in helds) for name, helds in routes.items()}
    names = frozenset(name for name, length in lengths.items() if length == min(lengths.values()))
    if len(names) > 1:
        changed = {name: max(held.since for held in routes[name]) for name in names}
        yield Equals(what, region, names, changed, tuple(basis))


def _unused_of(ground: Ground, group: Equals) -> Iterator[Unused]:
    pair, now = ground.pair, ground.now
    sent, lost, answers, _ = pair.shares.since(now - QUARTER)
    flows = [flow for flow in pair.flows.active() if group.region in (None, flow.region)]
    used, samples = _used(group, pair, flows, now), len(flows)
    if group.what == "circuit":
        # Of a flow whose trace shows none of them it is not known which it takes.
        if not all(group.names.intersection(flow.hops) for flow in flows):
            return
    else:
        samples += sent if group.region is None else answers.get(group.region, 0)
    inside, missing = sorted(used), sorted(group.names - used)
    paths = len(group.names)
    if lost > 1 or not inside or not missing or paths * (1 - 1 / paths) ** samples > CHANCE:
        return
    last = {name: _last_seen(ground, group.what, name) for name in missing}
    came_back = any(at > NEVER and group.changed[name] >= at - SLACK for name, at in last.items())
    since = max(*(group.changed[name] for name in missing), *last.values(), ground.seen.hearing.since or NEVER)
    others = (other for other in ground.seen.pairs.values() if other is not pair)
    elsewhere = any(len(_takes(group, other)) > 1 for other in others)
    diverged = came_back or len(inside) > 1 or elsewhere
    yield Unused(group.what, group.region, tuple(inside), tuple(missing), samples, diverged, since, group.basis)


def _used(group: Equals, pair: Pair, flows: Sequence[Flow], now: datetime) -> frozenset[str]:
    """Those that a flow takes, or that answered a probe from a new port within the last quarter of a minute."""
    match group.what:
        case "NVA":
            names = {flow.nva for flow in flows} | {nva for nva, at in pair.reached.items() if now - at <= QUARTER}
        case "circuit":
            names = {hop for flow in flows for hop in flow.hops}
        case _:
            names = {flow.region for flow in flows} | {r for r, at in pair.alive.items() if now - at <= QUARTER}
    return group.names & names


def _takes(group: Equals, pair: Pair) -> frozenset[str]:
    """Those that the flows of a service take, also such as are asked no more."""
    if group.region is None:
        return group.names & pair.flows.landed
    return group.names & pair.flows.taken.get(group.region, frozenset())


def _last_seen(ground: Ground, what: str, name: str) -> datetime:
    """When a path last carried an answer; the beginning of time for one that never did as far as we saw."""
    pair = ground.pair
    if what == "region":
        moves = [at for at, _, before, _ in pair.flows.moves if before == name]
        return max([*moves, pair.alive.get(name, NEVER)])
    label: Label = ("nva" if what == "NVA" else "circuit", name)
    reached = pair.reached.get(name, NEVER) if what == "NVA" else NEVER
    return max(pair.flows.left.get(label, NEVER), reached)


def _unused(ground: Ground, unused: Unused, kind: Kind) -> Finding:
    site, missing, used = ground.seen.site, ", ".join(unused.missing), ", ".join(unused.used)
    paths = len(unused.missing) + len(unused.used)
    where = f" to {unused.region}" if unused.region else ""
    if kind is Kind.FIB_DIVERGENCE:
        what = f"none of the flows of {site} takes {unused.what} {missing}, which is one of {paths} equal paths{where}"
    else:
        what = f"all flows of {site} take {unused.what} {used}, one of {paths} equal paths{where}"
    severity = Severity.MAJOR if kind is Kind.FIB_DIVERGENCE else Severity.WARNING
    one = unused.missing[0] if kind is Kind.FIB_DIVERGENCE else None
    return Finding(
        kind,
        ground.subject(
            unused.region if unused.what != "region" else one,
            one if unused.what == "NVA" else None,
            f"circuit {one}" if one and unused.what == "circuit" else unused.what if one is None else None,
        ),
        severity,
        unused.since,
        f"{ground.name}: {what}",
        (
            ("equal paths", ", ".join(sorted([*unused.used, *unused.missing]))),
            ("in use", used),
            ("never", missing),
            ("lost", "nothing"),
            *lines(unused.basis[:MOST]),
        ),
        None,
        frozenset({ground.seen.name, *(sighting.key for sighting in unused.basis)}),
    )
