"""Evidence for each rung of the ladder, from the application to the client: what is seen there, and since when.

Lines bear no counts that move by themselves, so that they stay the same while nothing changes.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from analyzers.evidence import MOST, Line, rest, seen
from analyzers.grounds import Ground
from analyzers.picture import Sighting
from analyzers.probing.controls import Control, Life
from analyzers.probing.probing import SiteSeen
from analyzers.probing.track import NEVER
from analyzers.view import View
from anycast.intent import Rung
from anycast.plain import stamp
from anycast.probe import Probe, TargetKind

FEW = 4  # lines of one rung; who wants more asks the API


class Break(StrEnum):
    """At which rung a region is silent."""

    APPLICATION = "application"
    """It does not answer at its own address either."""
    ADDRESS = "address"
    """Application and NVA answer at their own addresses, the anycast address does not."""
    PATH = "path"
    """Nothing of the region answers the site."""
    UNDECIDED = "undecided"
    """Nothing is asked at its own address by which it could be told."""


def controls(seen: SiteSeen, kind: TargetKind, region: str, service: str | None = None) -> list[Control]:
    """Return a site's controls of a kind in a region, by name; of one service those of others are left out."""
    found = (control for _, control in sorted(seen.controls.items()) if control.target.kind is kind)
    return [c for c in found if c.target.region == region and (service is None or c.target.service in (None, service))]


def lives(some: Iterable[Control], since: datetime, least: int = 1) -> Life:
    """Say of some controls together: alive when any answered a probe sent since then, dead when every one is."""
    states = [control.life(since, least) for control in some]
    if Life.ALIVE in states:
        return Life.ALIVE
    return Life.DEAD if states and all(state is Life.DEAD for state in states) else Life.UNKNOWN


def ladder(ground: Ground, region: str, since: datetime) -> tuple[Line, ...]:
    """Return what is seen at every rung of a region, from the application up."""
    facts, site = ground.facts(region), ground.site
    return (
        *_asked(ground, TargetKind.APPLICATION, region, since, "V0"),
        *_rung("V1", facts.nvas),
        *_asked(ground, TargetKind.NVA, region, since, "V1, at its own address"),
        *_rung("V2", facts.instances),
        *_rung("V3", _besides(ground, Rung.V3)),
        *_rung("V4", _besides(ground, Rung.V4)),
        *_rung("V5", site.heard),
        *_rung("V6", site.chosen),
        *probes(ground, since),
    )


def _besides(ground: Ground, rung: Rung) -> list[Sighting]:
    return [s for s in ground.picture.others if s.vantage is not None and s.vantage.rung is rung]


def _rung(rung: str, sightings: list[Sighting]) -> Iterator[Line]:
    if not sightings:
        yield (rung, "not watched")
    for sighting in sightings[:FEW]:
        yield seen(sighting)
    if len(sightings) > FEW:
        yield (rung, f"and {len(sightings) - FEW} more")


def _asked(ground: Ground, kind: TargetKind, region: str, since: datetime, label: str) -> Iterator[Line]:
    """What a region's controls of one kind say, as the site sees them, else as other sites do."""
    asked = controls(ground.seen, kind, region, ground.pair.service.name)
    if not asked:
        yield (label, f"no {kind} of {region} is asked at its own address from {ground.seen.site}")
    for control in asked[:FEW]:
        yield (f"{label} {control.target.name}", said(control, since))
    yield from rest(asked) if len(asked) > MOST else ()


def said(control: Control, since: datetime) -> str:
    """Say whether a control answers, since when it does not, and how it fails."""
    life, silent = control.life(since), control.silent_since()
    if life is Life.ALIVE or (life is Life.UNKNOWN and silent is None):
        return "answers at its own address" if life is Life.ALIVE else "not asked since"
    track = control.best()
    how = f" ({track.said})" if track is not None and track.said else ""
    return f"does not answer at its own address since {stamp(silent)}{how}" if silent is not None else "not asked since"


def probes(ground: Ground, since: datetime) -> Iterator[Line]:
    """What the site's probes of the anycast address say, one line for each way of asking."""
    pair, site = ground.pair, ground.seen.site
    flows = list(pair.flows.active())
    if flows:
        silent = [flow for flow in flows if flow.lost and flow.ok_at < since]
        answered = sorted({flow.region for flow in flows if flow.ok_at >= since and flow.region})
        lost = "none" if not silent else "all" if len(silent) == len(flows) else "some"
        answers = f"; {', '.join(answered)} answers" if answered else ""
        yield (f"V7 {site}, fixed UDP flows", f"{lost} of {len(flows)} silent{answers}")
    names = {Probe.UDP: "UDP from new ports"}
    for probe in (Probe.UDP, Probe.HTTP, Probe.DNS, Probe.TCP, Probe.ICMP):
        track = pair.tracks.get(probe)
        if track is None:
            continue
        label = f"V7 {site}, {names.get(probe, probe.upper())}"
        if track.lost and track.ok_at < since:
            yield (label, f"no answer since {stamp(track.lost_since)} ({track.said})")
        else:
            yield (label, "answers" if track.ok_at > NEVER else "never answered")


def everywhere(view: View, now: datetime, kind: TargetKind) -> Iterator[Control]:
    """Yield the controls of a kind at every site whose agent can be judged from."""
    for _, site in sorted(view.probing.sites.items()):
        if site.hearing.known(now):
            yield from (c for _, c in sorted(site.controls.items()) if c.target.kind is kind)
