"""`suboptimal-region`: a site lands on a region although another is nearer, and nobody asked for it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from analyzers.grounds import Ground, grounds
from analyzers.probing.latency import Series
from analyzers.probing.probing import SiteSeen
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Intent
from anycast.probe import TargetKind

INSIDE = (TargetKind.NVA, TargetKind.APPLICATION)


def suboptimal_region(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield the regions that answer a site while another one's NVAs and applications are nearer by a margin."""
    far = {name: _distances(seen, intent, now) for name, seen in view.probing.sites.items()}
    for ground in grounds(view, intent, now, lambda pair: pair.beside.latency.series):
        for region in ground.pair.beside.latency.regions() if far[ground.seen.site] else ():
            found = _nearer(ground, region, far[ground.seen.site], now) if region in intent.by_region else None
            if found is not None:
                yield found


def _distances(seen: SiteSeen, intent: Intent, now: datetime) -> dict[str, float]:
    """The round trip to the nearest control inside each region, in seconds, as far as any is known."""
    found: dict[str, float] = {}
    for control in seen.controls.values():
        region, median = control.target.region, control.beside.distance.median(now.timestamp())
        if region is not None and control.target.kind in INSIDE and median is not None:
            found[region] = min(median, found.get(region, median))
    return found


def _nearer(ground: Ground, region: str, far: Mapping[str, float], now: datetime) -> Finding | None:
    others = {other: trip for other, trip in far.items() if other != region}
    series = [kept for _, kept in ground.pair.beside.latency.of(region) if _fresh(kept, now)] if others else []
    here = min((trip for kept in series if kept.ready and (trip := kept.now()) is not None), default=0.0)
    limits = ground.intent.thresholds
    margin = max(limits.nearer.total_seconds(), limits.nearer_part * here)
    others = {name: trip for name, trip in others.items() if here - trip >= margin and _offers(ground, region, name)}
    if not others:
        return None
    other = min(sorted(others), key=lambda name: others[name])
    return Finding(
        Kind.SUBOPTIMAL_REGION,
        ground.subject(region),
        Severity.INFO,
        now,
        f"{ground.name}: {region} answers {ground.seen.site}, and {other} is nearer",
        (
            (f"answers of {region}", _about(here)),
            (f"{other} at its own addresses", _about(others[other])),
            ("the intent", f"does not put {region} before {other}, nor beside it"),
        ),
        None,
        ground.rests_on(region, other),
    )


def _fresh(series: Series, now: datetime) -> bool:
    return now.timestamp() - series.last <= 10


def _offers(ground: Ground, region: str, other: str) -> bool:
    """Whether the other region advertises the service, and the intent does not ask for the first one."""
    facts = ground.facts(other)
    advertised = facts.placement is not None and facts.presence is Presence.PRESENT
    return advertised and not _asked_for(ground, region, other)


def _asked_for(ground: Ground, region: str, other: str) -> bool:
    """Whether the tiers put `region` before the other, or beside it."""
    ranks = {name: rank for rank, tier in enumerate(ground.site.tiers) for name in tier}
    return region in ranks and (other not in ranks or ranks[region] <= ranks[other])


def _about(seconds: float) -> str:
    """Coarse enough to stay the same while nothing changes."""
    return f"about {max(1, round(seconds * 1e3 / 5) * 5)} ms"
