"""`asymmetric-return`: answers come back another way than requests go, which only those who keep state mind.

Two signs must agree: another TTL, a delay that one direction alone has, TCP that breaks while UDP is answered. Or one
that needs no other: an NVA answers flows that it knows and none from new ports. Whoever keeps state on the way then
knows the old ones only: translation of sources is gone or has no ports left, or a firewall sees half of each flow.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from analyzers.evidence import Line
from analyzers.grounds import Ground, grounds
from analyzers.ladder import controls, lives
from analyzers.probing.controls import Life
from analyzers.probing.flows import IN_A_ROW, Flow
from analyzers.probing.pairs import Pair
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent
from anycast.probe import TargetKind

QUARTER = timedelta(seconds=15)
TURNED = timedelta(seconds=3)
SOME_FLOWS, SOME_PART = 2, 0.3
BROKEN, BROKEN_PART = 3, 0.2  # connections that failed of those of the last quarter of a minute
EXPECTED = 10.0  # answers of an NVA to new ports that did not come: by chance once in 20,000 times


def asymmetric_return(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield NVAs whose answers come back another way than the requests went."""
    for ground in grounds(view, intent, now, _signs_at_all):
        unknown = set()
        for region, nva, since, sent in _strangers(ground):
            unknown.add(nva)
            yield _knows_no_new(ground, region, nva, since, sent)
        broken = _connections_break(ground)
        legs = {flow.nva: flow.region for flow in ground.pair.flows.active() if flow.nva}
        for nva, region in sorted(legs.items()):
            signs = list(_signs(ground, nva, now))
            if nva in unknown:
                continue
            if signs and broken is not None:
                signs.append((*broken, signs[0][2]))
            if len(signs) >= 2:
                yield _asymmetric(ground, region, nva, signs, broken is not None)


def _signs_at_all(pair: Pair) -> bool:
    if pair.flows.turned or any(lost >= EXPECTED / 2 for _, lost in pair.anew.values()):
        return True
    return any(way.alone is not None for way in pair.flows.ways.values())


def _strangers(ground: Ground) -> Iterator[tuple[str, str, datetime, int]]:
    """NVAs that answer their old flows and no new one: region, name, since when, and probes that were lost."""
    pair = ground.pair
    flows = list(pair.flows.active())
    by_nva: dict[str, list[Flow]] = {}
    for flow in flows:
        by_nva.setdefault(flow.nva, []).append(flow)
    for nva, own in sorted(by_nva.items()):
        sent, lost = pair.anew.get(nva, (0, 0))
        expected = sent * len(own) / len(flows)
        since = pair.reached.get(nva)
        old = since is not None and all(flow.landed <= since for flow in own)
        answered = all(flow.lost < IN_A_ROW for flow in own)
        if since is not None and old and answered and expected >= EXPECTED and lost >= expected / 2:
            yield own[0].region, nva, since, lost


def _knows_no_new(ground: Ground, region: str, nva: str, since: datetime, lost: int) -> Finding:
    site = ground.seen.site
    return Finding(
        Kind.ASYMMETRIC_RETURN,
        ground.subject(region, nva),
        Severity.MAJOR,
        since,
        f"{ground.name}: {nva} answers {site} on ports that are in use, and on no new one: state is lost on the way",
        (
            ("new ports", f"none answered since {since:%H:%M:%S}; {lost} probes of the site were lost since"),
            ("ports in use", "all answered"),
            ("traffic mode", f"{ground.pair.service.mode}"),
        ),
        None,
        frozenset({ground.seen.name}),
    )


def _signs(ground: Ground, nva: str, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """Signs of one NVA's answers: label, words, and since when."""
    flows = [flow for flow in ground.pair.flows.active() if flow.nva == nva]
    turned = [f for f in flows if f.was and f.ttl != f.was[0] and f.far == f.was[1] and f.ok_at - f.ttl_at >= TURNED]
    if turned and len(turned) >= min(len(flows), max(SOME_FLOWS, SOME_PART * len(flows))):
        was, ttl = turned[0].was or (0, 0), turned[0].ttl
        said = f"answers arrive with TTL {ttl}, before with {was[0]}; requests arrive there with {was[1]} as ever"
        yield ("TTL", said, min(flow.ttl_at for flow in turned))
    way = ground.pair.flows.ways.get(nva)
    alone = way.alone if way is not None else None
    if alone is not None:
        name, change = alone
        since = min((flow.ttl_at for flow in turned), default=now)
        yield ("delay", f"that of {name} alone {'grew' if change > 0 else 'fell'}", since)


def _connections_break(ground: Ground) -> tuple[str, str] | None:
    """Whether TCP fails where UDP succeeds, and the application answers TCP at its own address."""
    pair = ground.pair
    recent = [failed for at, failed in pair.connections if pair.at - at <= QUARTER]
    if pair.flows.losing or sum(recent) < BROKEN or sum(recent) < BROKEN_PART * len(recent):
        return None
    for region in pair.flows.landed:
        apps = controls(ground.seen, TargetKind.APPLICATION, region, pair.service.name)
        if apps and lives(apps, ground.now - QUARTER) is not Life.ALIVE:
            return None  # then it is the application
    return ("TCP", "connections fail while UDP is answered")


def _asymmetric(
    ground: Ground, region: str, nva: str, signs: Sequence[tuple[str, str, datetime]], breaks: bool
) -> Finding:
    evidence: list[Line] = [(label, said) for label, said, _ in signs]
    return Finding(
        Kind.ASYMMETRIC_RETURN,
        ground.subject(region, nva),
        Severity.MAJOR if breaks else Severity.WARNING,
        min(since for _, _, since in signs),
        f"{ground.name}: answers of {nva} come back to {ground.seen.site} another way than requests go"
        + (", and TCP breaks" if breaks else ""),
        (*evidence, ("traffic mode", f"{ground.pair.service.mode}")),
        None,
        frozenset({ground.seen.name}),
    )
