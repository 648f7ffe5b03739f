"""`stale-route`: a route stands although what it leads to is gone, and what will end it.

An NVA is gone where its own address is silent from two sites, or from every site that asks, or where a leg through it,
or all of its region, is dead. Its route stands where the Route Server still holds it. Either the session is down and
graceful restart keeps the route; or the session still counts as up, because its hold time has not run out.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analyzers.drift import hold_time
from analyzers.evidence import Line, lines, seen
from analyzers.grounds import Ground, grounds
from analyzers.healthchecks import IN_A_ROW, PLACES
from analyzers.ladder import said
from analyzers.legs import dead
from analyzers.picture import Picture, RegionFacts, Sighting, pictures
from analyzers.probing.controls import Control, Life
from analyzers.silences import last_heard, of_everybody, of_region
from analyzers.state import Peering
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Nva
from anycast.plain import stamp
from anycast.prefix import Prefix
from anycast.probe import TargetKind


@dataclass(slots=True)
class Gone:
    """An NVA that nothing hears of."""

    since: datetime
    rests_on: set[str]
    lines: list[Line] = field(default_factory=list)


def stale_route(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield routes to NVAs that are gone."""
    unicast = _unanswering(view, now)
    traffic = _without_traffic(view, intent, now)
    if not unicast and not traffic:
        return
    for picture in pictures(view, intent):
        for facts in picture.placed:
            region = intent.by_region[facts.region]
            for nva in region.nvas if facts.presence is Presence.PRESENT else ():
                # Both must say so: an NVA may filter what is sent to its own address, or its traffic alone be lost.
                one, other = unicast.get(nva.name), traffic.get((picture.prefix, nva.name))
                if other is not None and (one is not None or not _asked(view, nva.name)):
                    yield from _stands(picture, facts, nva, [gone for gone in (one, other) if gone is not None])


def _asked(view: View, nva: str) -> bool:
    return any(_is(control, nva) for site in view.probing.sites.values() for control in site.controls.values())


def _is(control: Control, nva: str) -> bool:
    return control.target.kind is TargetKind.NVA and nva in (control.target.nva, control.target.name)


def _unanswering(view: View, now: datetime) -> dict[str, Gone]:
    """NVAs that do not answer at their own addresses."""
    asking: dict[str, list[tuple[Control, bool]]] = {}
    for _, site in sorted(view.probing.sites.items()):
        for control in site.controls.values() if site.hearing.known(now) else ():
            if control.target.kind is TargetKind.NVA:
                silent = control.silent_since()
                gone = silent is not None and control.life(silent, IN_A_ROW) is Life.DEAD and last_heard(site) >= silent
                asking.setdefault(control.target.nva or control.target.name, []).append((control, gone))
    found = {}
    for nva, answers in asking.items():
        silent_at = [control for control, gone in answers if gone]
        if len(silent_at) >= PLACES or (silent_at and len(silent_at) == len(answers)):
            times = [since for control in silent_at if (since := control.silent_since()) is not None]
            found[nva] = Gone(
                min(times),
                {f"agent/{control.site}" for control, _ in answers},
                [(f"{nva} from {c.site}", said(c, since)) for c, since in zip(silent_at, times, strict=True)],
            )
    return found


def _without_traffic(view: View, intent: Intent, now: datetime) -> dict[tuple[Prefix, str], Gone]:
    """NVAs through which no traffic for a prefix passes any more: a dead leg, or a region that is silent."""
    found: dict[tuple[Prefix, str], Gone] = {}
    for ground in grounds(view, intent, now, lambda pair: pair.flows.losing):
        for nva, since in _silent_nvas(ground):
            key = (ground.pair.prefix, nva)
            gone = found.setdefault(key, Gone(since, set()))
            gone.since = min(gone.since, since)
            gone.rests_on.add(ground.seen.name)
            gone.lines.append((f"V7 {ground.seen.site}", f"no flow through {nva} is answered since {stamp(since)}"))
    return found


def _silent_nvas(ground: Ground) -> Iterator[tuple[str, datetime]]:
    pair, now = ground.pair, ground.now
    everybody = of_everybody(pair, now)
    if everybody is not None and last_heard(ground.seen) < everybody.since:
        return  # the site itself may be cut off
    for (kind, name), _, silence in dead(pair, now):
        if kind == "nva":
            yield name, silence.since
    for region in sorted(pair.flows.landed):
        gone = of_region(pair, region, now)
        for nva in sorted({flow.nva for flow in pair.flows.active() if flow.region == region and flow.nva}):
            if gone is not None:
                yield nva, gone.since


def _stands(picture: Picture, facts: RegionFacts, nva: Nva, gone: list[Gone]) -> Iterator[Finding]:
    """The route to an NVA that is gone, where somebody still holds it."""
    here = next((s for s in (*facts.nvas, *facts.others) if s.nva == nva.name), None)
    others = [s for s in facts.nvas if s.nva != nva.name]
    held = [s for s in facts.instances if _leads(s, nva, any(other.present for other in others))]
    if here is None or not (here.present or (here.down and held)):
        return
    since = max(each.since for each in gone)
    peering = here.table.peering if here.table is not None else None
    name, prefix = picture.service.name, str(picture.prefix)
    why, ends = _ends(here, peering, since)
    yield Finding(
        Kind.STALE_ROUTE,
        Subject(name, prefix, facts.region, nva.name),
        Severity.MAJOR,
        since,
        f"{name} {prefix}: the route to {nva.name} stands though nothing is heard of it: {why}",
        (
            ("ends by itself", ends),
            *(line for each in gone for line in each.lines),
            seen(here),
            *lines(held),
        ),
        None,
        frozenset({here.key, *(s.key for s in held)}).union(*(each.rests_on for each in gone)),
    )


def _leads(sighting: Sighting, nva: Nva, others: bool) -> bool:
    """Whether an instance holds a route to an NVA; where it names itself as next hop, whoever's route is left."""
    hops = {held.attributes.next_hop for held in sighting.routes}
    return bool(hops & {nva.address, *nva.next_hops}) or (sighting.present and not others)


def _ends(here: Sighting, peering: Peering | None, since: datetime) -> tuple[str, str]:
    if here.down and peering is not None:
        restart = peering.remote.graceful_restart if peering.remote is not None else None
        if restart is not None:
            at = stamp(peering.since + timedelta(seconds=restart))
            ends = f"at {at}, {restart} s after the session"
            return "its session is down, and graceful restart keeps the route", ends
        return "its session is down, and something keeps the route", "not known: it sent no restart time"
    hold = hold_time(peering) if peering is not None else None
    if hold:
        at = stamp(since + timedelta(seconds=hold))
        return "its hold time has not run out", f"about {at}, a hold time of {hold} s after the last it sent"
    return "its session still counts as up", "not known: the session has no hold time, or we did not see its OPEN"
