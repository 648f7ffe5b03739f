"""`suboptimal-region`: a site lands on a region although another is nearer, and nobody asked for it."""

from collections.abc import Iterator
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
    for ground in grounds(view, intent, now, lambda pair: pair.beside.latency.series):
        for region in ground.pair.beside.latency.regions():
            found = _nearer(ground, region, now) if region in intent.by_region else None
            if found is not None:
                yield found


def _nearer(ground: Ground, region: str, now: datetime) -> Finding | None:
    series = [kept for _, kept in ground.pair.beside.latency.of(region) if _fresh(kept, now)]
    trips = [trip for kept in series if kept.ready and (trip := kept.now()) is not None]
    if not trips:
        return None
    limits, here = ground.intent.thresholds, min(trips)
    margin = max(limits.nearer.total_seconds(), limits.nearer_part * here)
    others = {
        other: far
        for other, facts in ground.picture.regions.items()
        if other != region and facts.placement is not None and facts.presence is Presence.PRESENT
        if not _asked_for(ground, region, other)
        if (far := distance(ground.seen, other, now)) is not None and here - far >= margin
    }
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


def _asked_for(ground: Ground, region: str, other: str) -> bool:
    """Whether the tiers put `region` before the other, or beside it."""
    ranks = {name: rank for rank, tier in enumerate(ground.site.tiers) for name in tier}
    return region in ranks and (other not in ranks or ranks[region] <= ranks[other])


def distance(seen: SiteSeen, region: str, now: datetime) -> float | None:
    """Return the round trip to the nearest control inside a region, in seconds; None where none is known."""
    inside = (c for c in seen.controls.values() if c.target.region == region and c.target.kind in INSIDE)
    found = (control.beside.distance.median(now.timestamp()) for control in inside)
    return min((median for median in found if median is not None), default=None)


def _about(seconds: float) -> str:
    """Coarse enough to stay the same while nothing changes."""
    return f"about {max(1, round(seconds * 1e3 / 5) * 5)} ms"
