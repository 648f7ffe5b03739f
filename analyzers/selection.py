"""`backup-active` and `ecmp-shrunk`: which of the paths that are there are used, and how many."""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import lines
from analyzers.picture import Picture, RegionFacts, Sighting, SiteFacts, judged
from analyzers.state import Held
from analyzers.unexpected import is_stranger
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent

Tiers = tuple[tuple[str, ...], ...]


def backup_active(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites whose best path leads to a region of a lower tier than one that is, or should be, there."""
    return judged(view, intent, _backups)


def _backups(intent: Intent, picture: Picture) -> Iterator[Finding]:
    for site in picture.sites.values():
        chosen = [(s, h) for s in site.chosen for h in s.routes if h.region is not None and h.legitimate]
        lower = [(s, h) for s, h in chosen if _tier(site.tiers, h) > 0 and h.region not in site.site.never]
        if site.tiers and lower:
            yield from _backup(picture, site, site.tiers, lower)


def _tier(tiers: Tiers, held: Held) -> int:
    """The tier of a route's region; one that no tier lists comes after the last."""
    found = (index for index, tier in enumerate(tiers) if held.region in tier)
    return next(found, len(tiers))


def _backup(picture: Picture, site: SiteFacts, tiers: Tiers, lower: list[tuple[Sighting, Held]]) -> Iterator[Finding]:
    lowest = max(_tier(tiers, held) for _, held in lower)
    upper = [region for tier in tiers[:lowest] for region in tier]
    answers = {region: _hears(picture, site, region) for region in upper}
    there = [region for region, presence in answers.items() if presence is Presence.PRESENT]
    if not there and Presence.UNKNOWN in answers.values():
        return  # whether this failover was right cannot be said
    used = ", ".join(sorted({held.region for _, held in lower if held.region is not None}))
    first = min((held for _, held in lower), key=lambda held: held.changed)
    name, prefix, place = picture.service.name, str(picture.prefix), site.site.name
    why = f"though {', '.join(there)} is heard" if there else f"as {', '.join(upper)} is not heard: expected failover"
    yield Finding(
        Kind.BACKUP_ACTIVE,
        Subject(name, prefix, site=place),
        Severity.MAJOR if there else Severity.INFO,
        first.changed,
        f"{name} {prefix}: {place} lands on {used}, {why}",
        (
            ("expected", "lands on " + ", then ".join(" and ".join(tier) for tier in tiers)),
            *lines(site.chosen),
            *lines(site.heard),
        ),
        first.not_before,
        site.v5_names | {sighting.key for sighting, _ in lower},
    )


def _hears(picture: Picture, site: SiteFacts, region: str) -> Presence:
    """Whether a site hears a region; where nothing listens at the site, whether the region advertises."""
    if site.v5_names:
        return site.hears(region)
    return picture.regions[region].presence if region in picture.regions else Presence.UNKNOWN


def ecmp_shrunk(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions with fewer NVAs on the shortest path than meant, and sites that hear less than their tier."""
    return judged(view, intent, _shrunk)


def _shrunk(intent: Intent, picture: Picture) -> Iterator[Finding]:
    for facts in picture.placed:
        yield from _nvas(intent, picture, facts)
    for site in picture.sites.values():
        yield from _tier_in_use(picture, site)


def _nvas(intent: Intent, picture: Picture, facts: RegionFacts) -> Iterator[Finding]:
    if facts.presence is not Presence.PRESENT or len(facts.nvas) < 2:
        return
    # A route of a wrong origin has its own finding, and says nothing of how many right ones there are.
    strange = [s for s in facts.nvas if any(is_stranger(intent, s, held) for held in s.routes)]
    lengths = {
        s.nva: min(h.attributes.as_path.length for h in s.routes) for s in facts.nvas if s.present and s not in strange
    }
    if not lengths:
        return
    equal = [nva for nva, length in lengths.items() if length == min(lengths.values())]
    short = [s for s in facts.nvas if s.presence is Presence.ABSENT or (s.nva in lengths and s.nva not in equal)]
    if not short or _enough(facts, short):
        return
    # Paths are unequal since the later of the two came to be as it is: the longer, or the first of the shortest.
    shortest = min(
        held.changed
        for s in facts.nvas
        for held in s.routes
        if s.nva in equal and held.attributes.as_path.length == lengths[s.nva]
    )
    longer = [max(held.changed, shortest) for s in short for held in s.routes]
    times = [seen.since for s in short if not s.present and (seen := s.seen)] + longer
    first = next((s.seen for s in short if s.seen and s.seen.since == min(times)), None)
    name, prefix = picture.service.name, str(picture.prefix)
    least = facts.placement.at_least if facts.placement is not None else None
    wanted = f"{least} of " if least is not None else ""
    yield Finding(
        Kind.ECMP_SHRUNK,
        Subject(name, prefix, facts.region),
        Severity.WARNING,
        min(times),
        f"{name} {prefix}: {len(equal)} of {len(facts.nvas)} NVAs of {facts.region} advertise its shortest path"
        + (f", {least} are meant" if least is not None else ""),
        (("expected", f"equal paths from {wanted}{', '.join(s.nva for s in facts.nvas)}"), *lines(facts.nvas)),
        first.not_before if first is not None else None,
        facts.rests_on | {sighting.key for sighting in facts.nvas},
    )


def _enough(facts: RegionFacts, short: list[Sighting]) -> bool:
    """Whether as many NVAs as are meant at once may still be on the shortest path."""
    gone = len({sighting.nva for sighting in short})
    return facts.placement is not None and facts.placement.enough_without(gone)


def _tier_in_use(picture: Picture, site: SiteFacts) -> Iterator[Finding]:
    tier = next((tier for tier in site.tiers if any(region in site.regions for region in tier)), ())
    lost = [region for region in tier if site.hears(region) is Presence.ABSENT]
    if len(tier) < 2 or not lost:
        return
    heard = [region for region in tier if region in site.regions]
    when = site.not_heard_since()
    assert when is not None, "a region is not heard, so some session lacks it"
    name, prefix, place = picture.service.name, str(picture.prefix), site.site.name
    yield Finding(
        Kind.ECMP_SHRUNK,
        Subject(name, prefix, site=place),
        Severity.WARNING,
        when.since,
        f"{name} {prefix}: {place} hears {', '.join(heard)} only, equal paths to {' and '.join(tier)} are meant",
        (("expected", f"heard from {' and '.join(tier)}"), *lines(site.heard)),
        when.not_before,
        site.v5_names,
    )
