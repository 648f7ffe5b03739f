"""`missing`: a service is not where it must be, at the first rung where the ladder breaks."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Line, lines, seen
from analyzers.picture import Picture, RegionFacts, SiteFacts, judged
from analyzers.state import Absence
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Placement


def missing(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield what is missing at NVAs, in regions, and at sites."""
    return judged(view, intent, _missing)


def _missing(intent: Intent, picture: Picture) -> Iterator[Finding]:
    everywhere = all(facts.presence is Presence.ABSENT for facts in picture.placed)
    for facts in picture.placed:
        if facts.presence is Presence.PRESENT:
            yield from _nvas(picture, facts)
        elif facts.presence is Presence.ABSENT and not everywhere:
            yield _region(picture, facts)
    for site in picture.sites.values():
        yield from _site(picture, site)


def _nvas(picture: Picture, facts: RegionFacts) -> Iterator[Finding]:
    if facts.spared:
        return
    for sighting in facts.nvas:
        if sighting.lacking:
            yield _finding(
                picture,
                Subject(region=facts.region, nva=sighting.nva),
                Severity.WARNING,
                f"{sighting.nva} does not advertise it while {facts.region} still has it",
                sighting.seen,
                (seen(sighting), ("expected", _meant(facts.placement)), *lines(facts.basis)),
                facts.rests_on | {sighting.key},
            )


def _region(picture: Picture, facts: RegionFacts) -> Finding:
    role = facts.placement.role if facts.placement is not None else "active"
    return _finding(
        picture,
        Subject(region=facts.region),
        Severity.MAJOR,
        f"{facts.region} ({role}) does not advertise it",
        facts.gone,
        (("expected", _meant(facts.placement)), *lines(facts.basis), *lines(facts.nvas)),
        facts.rests_on,
    )


def _site(picture: Picture, site: SiteFacts) -> Iterator[Finding]:
    tiers = site.tiers
    expecting = any(s.vantage is not None and s.vantage.expects for s in site.heard)
    for region in (name for tier in tiers for name in tier):
        facts = picture.regions.get(region)
        if facts is None or facts.presence is not Presence.PRESENT:
            continue
        if site.hears(region) is Presence.ABSENT:
            yield _finding(
                picture,
                Subject(region=region, site=site.site.name),
                Severity.MAJOR,
                f"{site.site.name} does not hear it from {region}, though {region} advertises it",
                site.not_heard_since(),
                (("expected", f"heard from {_tiers(tiers)}"), *lines(site.heard), *lines(facts.basis)),
                facts.rests_on | site.v5_names,
            )
        elif expecting and site.hears(region) is Presence.PRESENT:
            yield from _session(picture, site, region)
    if site.regions:
        yield from _not_chosen(picture, site)


def _session(picture: Picture, site: SiteFacts, region: str) -> Iterator[Finding]:
    """One session lacks what it is written down to carry, and another of the site carries."""
    hearing = [s for s in site.heard if any(held.region == region for held in s.routes)]
    for sighting in site.heard:
        vantage = sighting.vantage
        if vantage is None or region not in vantage.expects or sighting in hearing:
            continue
        if sighting.lacking or (sighting.present and all(held.region for held in sighting.routes)):
            yield _finding(
                picture,
                Subject(region=region, site=site.site.name, vantage=sighting.key),
                Severity.WARNING,
                f"{sighting.key} at {site.site.name} does not carry it from {region}, another session does",
                sighting.seen,
                (seen(sighting), ("expected", f"routes of {', '.join(vantage.expects)}"), *lines(hearing)),
                frozenset({sighting.key, *(other.key for other in hearing)}),
            )


def _not_chosen(picture: Picture, site: SiteFacts) -> Iterator[Finding]:
    """Heard and not chosen: the edge router's own policy."""
    for sighting in site.chosen:
        if sighting.lacking:
            hearing = [s for s in site.heard if s.present]
            yield _finding(
                picture,
                Subject(site=site.site.name, vantage=sighting.key),
                Severity.MAJOR,
                f"{site.site.name} hears it and chooses no route to it ({sighting.key})",
                sighting.seen,
                (seen(sighting), ("expected", "a best path"), *lines(hearing)),
                frozenset({sighting.key, *(other.key for other in hearing)}),
            )


def _finding(
    picture: Picture,
    where: Subject,
    severity: Severity,
    what: str,
    when: Absence | None,
    evidence: tuple[Line, ...],
    rests_on: frozenset[str],
) -> Finding:
    assert when is not None, "an absence was judged where nothing is known"
    service, prefix = picture.service.name, str(picture.prefix)
    return Finding(
        Kind.MISSING,
        Subject(service, prefix, where.region, where.nva, site=where.site, vantage=where.vantage),
        severity,
        when.since,
        f"{service} {prefix}: {what}",
        evidence,
        when.not_before,
        rests_on,
    )


def _meant(placement: Placement | None) -> str:
    if placement is None:
        return "advertised"
    nvas = ", ".join(placement.nvas) or "every NVA"
    least = f"at least {placement.at_least} of " if placement.at_least is not None else ""
    return f"advertised by {least}{nvas}" + (f", prepended {placement.prepend} times" if placement.prepend else "")


def _tiers(tiers: tuple[tuple[str, ...], ...]) -> str:
    return ", then ".join(" and ".join(tier) for tier in tiers)
