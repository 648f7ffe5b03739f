"""`blackhole`, `unreachable` and `site-uplink`: nobody answers, and how much of the ladder is silent.

The truth table (measuring-anycast.md 2.4), for a region that the site's route leads to and nobody answers in:

    NVA at its own address   application at its own   verdict
    answers                  answers                  address
    answers                  silent                   application, after three seconds
    silent                   answers                  address (the NVA's own address has the same fault, or is filtered)
    silent                   silent, or not asked     path
    not asked                silent, or not asked     undecided
    answers                  not asked                undecided

A withdrawal of the region less than three seconds ago makes it convergence, which is no finding of its own. Where
nothing else answers the site either, its own way out is in doubt, and nothing is said of services.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from analyzers.evidence import Line
from analyzers.grounds import Ground, grounds
from analyzers.ladder import Break, controls, everywhere, ladder, lives, probes, said
from analyzers.probing.controls import Control, Life
from analyzers.silences import Silence, last_heard, of_everybody, of_region, of_site
from analyzers.view import View
from anycast.change import Change, ChangeKind, Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Rung
from anycast.kinds import KINDS
from anycast.plain import stamp
from anycast.probe import TargetKind

FAILED = 2  # requests in a row, and of the application's own address: a proxy that answers for it answers 503

RECENTLY = timedelta(seconds=3)

WORDS = {
    Break.APPLICATION: "its application does not answer at its own address either",
    Break.ADDRESS: "its application answers at its own address, the anycast address does not",
    Break.PATH: "nothing there answers",
    Break.UNDECIDED: "which rung breaks is not known, for it is not asked at its own addresses",
}


def blackhole(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions that a site's route leads to and in which nobody answers it."""
    for ground in grounds(view, intent, now, lambda pair: pair.troubled):
        for region, silence in _silent(ground):
            found = _judged(ground, region, silence)
            if found is not None:
                yield found


def _silent(ground: Ground) -> Iterator[tuple[str, Silence]]:
    """The regions that are silent, or whose application is."""
    pair, now = ground.pair, ground.now
    everybody = of_everybody(pair, now)
    landed = {flow.region for flow in pair.flows.active() if flow.region} | pair.alive.keys()
    lands = ground.lands if ground.lands is not None else frozenset(landed)
    # Of regions that are meant to share the site's traffic only those that ever answered, unless none did.
    led_to = lands & landed or lands
    for region in sorted(ground.intent.by_region.keys() & (landed | lands)):
        silence = everybody if region in led_to else None
        silence = silence or of_region(pair, region, now) or _served_no_more(ground, region)
        if silence is not None and ground.leads_to(region) is Presence.PRESENT:
            yield region, silence


def _served_no_more(ground: Ground, region: str) -> Silence | None:
    """The network is well, and the application is dead: a responder or a proxy beside it answers still."""
    track = ground.pair.served.get(region)
    if track is None or track.lost < FAILED:
        return None
    apps = controls(ground.seen, TargetKind.APPLICATION, region, ground.pair.service.name)
    if lives(apps, track.lost_since, FAILED) is not Life.DEAD:
        return None
    return Silence(track.lost_since)


def _judged(ground: Ground, region: str, silence: Silence) -> Finding | None:
    margin = ground.intent.thresholds.hold_margin
    if withdrawn(ground, region, ground.now - margin) is not None or last_heard(ground.seen) < silence.since:
        return None
    where = broken(ground, region, silence.since)
    since = silence.since
    if where is Break.APPLICATION:
        since = _first_sign(ground, region, since)
        opens = ground.intent.hold_downs.get(Kind.BLACKHOLE) or KINDS[Kind.BLACKHOLE].hold_down
        apps = controls(ground.seen, TargetKind.APPLICATION, region, ground.pair.service.name)
        if lives(apps, since, FAILED) is not Life.DEAD or ground.now - since < margin - opens.open:
            return None
    return Finding(
        Kind.BLACKHOLE,
        ground.subject(region),
        Severity.CRITICAL,
        since,
        f"{ground.name}: {ground.seen.site} is led to {region} and nobody answers ({where}): {WORDS[where]}",
        (("breaks at", where), ("expected", f"answers of {region}"), *ladder(ground, region, silence.since)),
        None,
        ground.rests_on(region),
    )


def broken(ground: Ground, region: str, since: datetime) -> Break:
    """Say at which rung a silent region breaks. Whoever has not answered since is taken for silent until it is known,
    which is a second later: while the finding is pending."""
    nvas = _presumed(controls(ground.seen, TargetKind.NVA, region, ground.pair.service.name), since)
    apps = _presumed(controls(ground.seen, TargetKind.APPLICATION, region, ground.pair.service.name), since)
    if apps is Life.ALIVE:
        return Break.ADDRESS
    if nvas is Life.ALIVE:
        return Break.APPLICATION if apps is Life.DEAD else Break.UNDECIDED
    return Break.PATH if nvas is Life.DEAD else Break.UNDECIDED


def _presumed(asked: list[Control], since: datetime) -> Life:
    known = lives(asked, since)
    if known is Life.UNKNOWN and any(since - control.at <= timedelta(seconds=1.5) for control in asked):
        return Life.DEAD
    return known


def _first_sign(ground: Ground, region: str, since: datetime) -> datetime:
    """When any site first saw that the application does not answer."""
    apps = (
        control
        for control in everywhere(ground.view, ground.now, TargetKind.APPLICATION)
        if control.target.region == region
        and control.target.service in (None, ground.pair.service.name)
        and control.life(since) is not Life.ALIVE
    )
    signs = (silent for control in apps if (silent := control.silent_since()) is not None)
    return min((sign for sign in signs if since - sign <= timedelta(seconds=2)), default=since)


def withdrawn(ground: Ground, region: str, start: datetime) -> Change | None:
    """Return the last change since `start` after which routes to a region may still settle; None where there is none.

    A withdrawal in the region or at the site, or another best path at the site.
    """
    for change in reversed(ground.view.recent.between(ground.pair.prefix, start, ground.now)):
        table = ground.view.tables.get(change.source)
        vantage = table.vantage if table is not None else None
        if vantage is None:
            continue
        here = vantage.site == ground.seen.site and vantage.rung in (Rung.V5, Rung.V6)
        there = vantage.region == region and vantage.rung in (Rung.V1, Rung.V2)
        if (here or there) and change.kind is ChangeKind.WITHDRAWN:
            return change
        if here and vantage.rung is Rung.V6 and change.kind is ChangeKind.REPLACED:
            return change
    return None


def unreachable(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield services of which no region answers a site, whose own way out works."""
    for ground in grounds(view, intent, now, lambda pair: pair.troubled):
        silence = of_everybody(ground.pair, now)
        if silence is None or last_heard(ground.seen) < silence.since or _one_region_only(ground):
            continue
        yield _unreachable(ground, silence)


def _one_region_only(ground: Ground) -> bool:
    """Whether the route leads to a region that is silent while another one is well: the blackhole says it all."""
    led = {region for region, _ in _silent(ground)}
    others = (facts.region for facts in ground.picture.placed if facts.region not in led)
    return bool(led) and any(_well(ground, region) for region in others)


def _well(ground: Ground, region: str) -> bool:
    apps = controls(ground.seen, TargetKind.APPLICATION, region, ground.pair.service.name)
    return lives(apps, ground.now - RECENTLY) is Life.ALIVE


def _unreachable(ground: Ground, silence: Silence) -> Finding:
    site = ground.seen.site
    return Finding(
        Kind.UNREACHABLE,
        ground.subject(),
        Severity.CRITICAL,
        silence.since,
        f"{ground.name}: no region answers {site}",
        (
            ("expected", f"answers of {', then '.join(' or '.join(tier) for tier in ground.site.tiers) or 'a region'}"),
            *probes(ground, silence.since),
            *_way_out(ground, silence.since),
            *((f"BGP: {facts.region}", f"{facts.presence}") for facts in ground.picture.placed),
            *_best(ground),
        ),
        None,
        frozenset({ground.seen.name}),
    )


def _best(ground: Ground) -> Iterator[Line]:
    if ground.lands is not None:
        yield ("best path leads to", ", ".join(sorted(ground.lands)) or "no region")


def _way_out(ground: Ground, since: datetime) -> Iterator[Line]:
    """Who does answer the site."""
    for name, control in sorted(ground.seen.controls.items()):
        if control.target.kind is TargetKind.GATEWAY:
            yield (f"gateway {name}", said(control, since))
    pairs = [(name, pair) for name, pair in ground.seen.pairs.items() if pair is not ground.pair]
    others = sorted(name for name, pair in pairs if pair.last_heard() >= since)
    if others:
        yield ("other services answer", ", ".join(others))


def site_uplink(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites that nothing at all answers."""
    for site, seen in sorted(view.probing.sites.items()):
        silence = of_site(seen) if seen.hearing.known(now) else None
        if silence is None:
            continue
        gateways = [c for _, c in sorted(seen.controls.items()) if c.target.kind is TargetKind.GATEWAY]
        yield Finding(
            Kind.SITE_UPLINK,
            Subject(site=site),
            Severity.MAJOR,
            silence.since,
            f"{site}: nothing at all answers the site"
            + (", its own gateway included" if gateways else ": it is cut off, or its agent's host is"),
            (
                ("silent", ", ".join(sorted([*seen.pairs, *seen.controls]))),
                *((f"gateway {c.target.name}", said(c, silence.since)) for c in gateways),
                ("agent", f"reports, heard since {stamp(seen.hearing.since or silence.since)}"),
            ),
            None,
            frozenset({seen.name}),
        )
