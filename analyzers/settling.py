"""`slow-convergence`: a site whose routes or traffic have not come to rest within what the mechanism allows.

Three ways to see it:

- a region is gone beside its NVAs, and a site still hears or chooses it;
- a site's probes are lost, the NVA that they went to is silent, and its route still stands;
- a site's probes are lost although their region is gone from there, while another region answers others.

Loss that nobody can be expected to route around (an application that is dead behind a living NVA, a site that is cut
off) is none of it. What came to rest too late is told for a few seconds more, so that it is told at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from analyzers.drift import hold_time
from analyzers.evidence import Line, seen
from analyzers.grounds import Ground, grounds
from analyzers.ladder import lives
from analyzers.lately import moment, told
from analyzers.picture import Picture, RegionFacts, SiteFacts, pictures
from analyzers.probing.controls import Life
from analyzers.probing.plane import Burst
from analyzers.recognise import MICROSOFT
from analyzers.silences import of_site
from analyzers.view import View
from anycast.change import Cause, Presence
from anycast.convergence import Episode
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import ROUTE_SERVER, Intent
from anycast.plain import stamp
from anycast.probe import TargetKind

STILL = 3.0  # seconds: a probe that was sent so lately is known to be lost, and loss goes on
TELLS = timedelta(seconds=5)  # for which what is over is told
BEFORE = 5.0  # seconds: a withdrawal so long before the loss began it
HOLD = 180  # seconds: Route Server's, where no session says another


@dataclass(frozen=True, slots=True)
class _Slow:
    """One site that has not come to rest."""

    site: str
    region: str
    since: datetime
    objective: timedelta
    why: str
    rests_on: frozenset[str]
    evidence: tuple[Line, ...]


def slow_convergence(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield sites that had not come to rest when the objective was over."""
    told_of: set[tuple[str, str]] = set()
    for picture in pictures(view, intent):
        gone = [row for facts in picture.placed if (row := _gone(facts)) is not None]
        for site in picture.sites.values() if gone else ():
            for slow in _late_routes(intent, picture, site, gone):
                if now - slow.since > slow.objective:
                    told_of.add((slow.site, str(picture.prefix)))
                    yield _finding(view, picture, slow)
    for ground in grounds(view, intent, now, lambda pair: pair.beside.plane.bursts):
        traffic = _late_traffic(ground, now)
        key = (ground.seen.site, str(ground.pair.prefix))
        if traffic is not None and now - traffic.since > traffic.objective and key not in told_of:
            yield _finding(view, ground.picture, traffic)


def objective(view: View, intent: Intent, episode: Episode) -> timedelta | None:
    """How long the intent lets a site take for what an episode shows; None where its region says nothing of that."""
    for picture in pictures(view, intent):
        site = picture.sites.get(episode.site)
        ours = (picture.service.name, str(picture.prefix)) == (episode.service, episode.prefix)
        if ours and site is not None and episode.region in picture.regions:
            return _objective(picture, site, episode.region, intent, noticed=episode.detection is None)[0]
    return None


def _gone(facts: RegionFacts) -> tuple[RegionFacts, datetime] | None:
    """A region that is gone beside its NVAs, and since when; None where it is not, or nobody saw when it went."""
    gone = facts.gone if facts.presence is Presence.ABSENT else None
    return None if gone is None or gone.cause is Cause.RESYNC else (facts, gone.since)


def _late_routes(
    intent: Intent, picture: Picture, site: SiteFacts, gone: Iterable[tuple[RegionFacts, datetime]]
) -> Iterator[_Slow]:
    """Regions that are gone beside their NVAs, and that the site still hears or chooses."""
    for facts, since in gone:
        chosen = [s for s in site.chosen if any(held.region == facts.region for held in s.routes)]
        heard = [s for s in site.heard if any(held.region == facts.region for held in s.routes)]
        if not chosen and not heard:
            continue
        still = [*heard, *chosen]
        objective, why = _objective(picture, site, facts.region, intent, noticed=True)
        yield _Slow(
            site.site.name,
            facts.region,
            since,
            objective,
            why,
            facts.rests_on | {s.key for s in still},
            (("gone beside the NVAs", f"since {stamp(since)}"), *(seen(s) for s in still[:4])),
        )


def _late_traffic(ground: Ground, now: datetime) -> _Slow | None:
    """Loss that goes on after a change, or that the network does not notice."""
    burst = ground.pair.beside.plane.bursts[-1]
    if now.timestamp() - burst.last > STILL + TELLS.total_seconds() or of_site(ground.seen) is not None:
        return None
    region, nva = max(sorted(burst.places), key=lambda place: burst.places[place])
    if region not in ground.picture.regions:
        return None
    dead = _dead(ground, region, nva, burst)
    since = burst.first if dead else _withdrawn(ground, region, burst)
    if since is None or not (dead or _elsewhere(ground, region, now)):
        return None
    objective, why = _objective(ground.picture, ground.site, region, ground.intent, noticed=not dead)
    if burst.last - since <= objective.total_seconds():
        return None  # it came to rest in time, as far as anything was lost
    return _Slow(
        ground.seen.site,
        region,
        moment(since),
        objective,
        why,
        ground.rests_on(region),
        (("probes to", f"{region} {nva}".strip() + f" are lost since {stamp(moment(burst.first))}"),),
    )


def _withdrawn(ground: Ground, region: str, burst: Burst) -> float | None:
    """When the region's route first went away, of all that happened shortly before the loss or while it lasted."""
    moves = ground.view.convergence.moves.of(ground.pair.prefix, ground.seen.site)
    times = (m.at for m in moves if m.left and m.region == region and burst.first - BEFORE <= m.at <= burst.last)
    return next(times, None)


def _elsewhere(ground: Ground, region: str, now: datetime) -> bool:
    """Whether another region answers this site, to which the lost traffic should have gone by now."""
    answered = ground.pair.beside.plane.answered
    return any(now.timestamp() - at <= STILL for other, at in answered.items() if other != region)


def _dead(ground: Ground, region: str, nva: str, burst: Burst) -> bool:
    """Whether the NVA that the lost probes went to is silent at its own address as well."""
    asked = [c for c in ground.seen.controls.values() if c.target.kind is TargetKind.NVA and c.target.region == region]
    asked = [control for control in asked if not nva or control.target.nva in (nva, None)]
    return lives(asked, moment(burst.first), 3) is Life.DEAD


def _objective(picture: Picture, site: SiteFacts, region: str, intent: Intent, noticed: bool) -> tuple[timedelta, str]:
    """How long a site may take, and by which mechanism.

    `noticed`: somebody withdrew; else a dead speaker must first be found out by BFD or by its hold time.
    """
    limits = intent.thresholds
    if _bfd(picture, region):
        return limits.converge_bfd, "BFD watches the session"
    carried, how = limits.converge_slack, "a route that is withdrawn"
    paths = [held.attributes.as_path.asns for s in (*site.heard, *site.chosen) for held in s.routes]
    if any(MICROSOFT in path for path in paths):
        carried, how = limits.converge_expressroute, "through an ExpressRoute gateway"
    elif any(path and path[0] == ROUTE_SERVER for path in paths):
        carried, how = limits.converge_vpn, "through a VPN gateway"
    if noticed:
        return max(carried, limits.converge_slack), how
    hold = _hold(picture, region)
    found_out = timedelta(seconds=hold) + limits.converge_slack
    return max(carried, found_out), how if carried > found_out else f"a hold time of {hold} s must run out"


def _bfd(picture: Picture, region: str) -> bool:
    """Whether a session of the region's NVAs went down by BFD."""
    sightings = picture.regions[region].nvas
    return any("bfd" in s.table.peering.detail.lower() for s in sightings if s.table is not None)


def _hold(picture: Picture, region: str) -> int:
    """The hold time meant for the region's NVAs, else the one they negotiated, else Route Server's."""
    seats = [(s.vantage, s.table) for s in picture.regions[region].nvas]
    meant = [v.hold_time for v, _ in seats if v is not None and v.hold_time]
    held = [hold for _, table in seats if table is not None and (hold := hold_time(table.peering))]
    return max(meant or held, default=HOLD)


def _finding(view: View, picture: Picture, slow: _Slow) -> Finding:
    name, prefix = picture.service.name, str(picture.prefix)
    moves = view.convergence.moves.of(picture.prefix, slow.site)
    near = [move for move in moves if move.at >= slow.since.timestamp() - 30][:6]
    return Finding(
        Kind.SLOW_CONVERGENCE,
        Subject(name, prefix, slow.region, site=slow.site),
        Severity.MAJOR,
        slow.since,
        f"{name} {prefix}: {slow.site} has not come to rest since {slow.region} failed",
        (("objective", f"{slow.objective.total_seconds():g} s: {slow.why}"), *slow.evidence, *told(near)),
        None,
        slow.rests_on,
    )
