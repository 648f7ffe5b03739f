"""`advertised-while-dead`, `healthy-but-silent`, `health-check-defect`: what is advertised against what is alive.

An application is dead where two sites, or every site that asks it, lost two probes in a row at its own address; a site
that nothing answers does not count. It is alive where any site was just answered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analyzers.evidence import Line, lines, seen
from analyzers.flapping import flaps_since
from analyzers.ladder import said
from analyzers.picture import Picture, RegionFacts, Sighting, pictures
from analyzers.probing.controls import Control, Life
from analyzers.probing.probing import SiteSeen
from analyzers.silences import last_heard
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent
from anycast.plain import stamp
from anycast.probe import TargetKind

IN_A_ROW = 2
PLACES = 2
JUST = timedelta(seconds=5)  # an application is asked each second


@dataclass(slots=True)
class Application:
    """One application as every site that asks it sees it."""

    name: str
    region: str
    nva: str | None
    service: str | None
    alive: list[Control] = field(default_factory=list)
    dead: list[Control] = field(default_factory=list)
    unsure: list[Control] = field(default_factory=list)

    @property
    def is_dead(self) -> bool:
        """Whether two sites, or all that ask, say so."""
        return len(self.dead) >= PLACES or (bool(self.dead) and not self.alive and not self.unsure)

    @property
    def since(self) -> datetime:
        """When the first of the failures in a row was sent."""
        return min(silent for control in self.dead if (silent := control.silent_since()) is not None)

    @property
    def rests_on(self) -> frozenset[str]:
        """Names of the agents behind it."""
        return frozenset(f"agent/{control.site}" for control in (*self.alive, *self.dead, *self.unsure))

    def lines(self) -> Iterator[Line]:
        """What each site sees."""
        for control in (*self.dead, *self.alive):
            yield (f"V0 {self.name} from {control.site}", said(control, control.silent_since() or control.at - JUST))


def applications(view: View, now: datetime) -> list[Application]:
    """Return every application that is asked from a site whose agent is heard, by name."""
    token = (now, view.probing.version)
    kept = view.remembered("applications", token)
    return kept if isinstance(kept, list) else view.remember("applications", token, _applications(view, now))


def _applications(view: View, now: datetime) -> list[Application]:
    found: dict[tuple[str, str], Application] = {}
    for _, site in sorted(view.probing.sites.items()):
        if not site.hearing.known(now):
            continue
        for _, control in sorted(site.controls.items()):
            target = control.target
            if target.kind is TargetKind.APPLICATION and target.region is not None:
                key = (target.region, target.name)
                app = found.setdefault(key, Application(target.name, target.region, target.nva, target.service))
                _place(app, control, site, now)
    return [app for _, app in sorted(found.items())]


def _place(app: Application, control: Control, site: SiteSeen, now: datetime) -> None:
    silent = control.silent_since()
    if silent is None or control.life(silent) is Life.ALIVE:
        (app.alive if control.life(now - JUST) is Life.ALIVE else app.unsure).append(control)
    elif control.life(silent, IN_A_ROW) is Life.DEAD and last_heard(site) >= silent:
        app.dead.append(control)
    else:
        app.unsure.append(control)


def of(picture: Picture, apps: Iterable[Application]) -> list[Application]:
    """Return the applications that a picture's service stands on."""
    return [app for app in apps if app.service in (None, picture.service.name)]


def advertised_while_dead(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield NVAs that advertise a service whose application behind them is dead."""
    apps = applications(view, now)
    if not any(app.is_dead for app in apps):
        return
    for picture in pictures(view, intent):
        for facts in picture.placed:
            for app, sightings in _advertised(facts, of(picture, apps)):
                yield _advertised_dead(picture, app, sightings, of(picture, apps))


def _advertised(facts: RegionFacts, apps: Iterable[Application]) -> Iterator[tuple[Application, list[Sighting]]]:
    """Dead applications of a region, and where V1 shows the service that they are dead for."""
    for app in apps:
        if app.region == facts.region and app.is_dead:
            present = [s for s in (*facts.nvas, *facts.others) if s.present and app.nva in (None, s.nva)]
            if present:
                yield app, present


def _advertised_dead(picture: Picture, app: Application, sightings: list[Sighting], apps: list[Application]) -> Finding:
    others = [other for other in apps if other.region == app.region and other is not app and other.alive]
    name, prefix = picture.service.name, str(picture.prefix)
    who = app.nva or f"the NVAs of {app.region}"
    left = f"; {', '.join(o.name for o in others)} of {app.region} answers" if others else ""
    return Finding(
        Kind.ADVERTISED_WHILE_DEAD,
        Subject(name, prefix, app.region, app.nva),
        Severity.MAJOR if others else Severity.CRITICAL,
        max(app.since, min(seen.since for s in sightings if (seen := s.seen) is not None)),
        f"{name} {prefix}: {who} advertises it while {app.name} does not answer at its own address{left}",
        (*app.lines(), *lines(sightings), ("expected", "withdrawn while the application is dead")),
        None,
        app.rests_on | {sighting.key for sighting in sightings},
    )


def healthy_but_silent(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions whose applications answer and which do not advertise the service."""
    apps = [app for app in applications(view, now) if app.alive]
    for picture in pictures(view, intent) if apps else ():
        nowhere = all(facts.presence is Presence.ABSENT for facts in picture.placed)
        for facts in picture.placed:
            alive = [app for app in of(picture, apps) if app.region == facts.region]
            gone = facts.gone
            if alive and gone is not None and facts.presence is Presence.ABSENT:
                name, prefix = picture.service.name, str(picture.prefix)
                yield Finding(
                    Kind.HEALTHY_BUT_SILENT,
                    Subject(name, prefix, facts.region),
                    Severity.CRITICAL if nowhere else Severity.MAJOR,
                    gone.since,
                    f"{name} {prefix}: {facts.region} does not advertise it, and {', '.join(a.name for a in alive)} "
                    "answers at its own address",
                    (*(line for app in alive for line in app.lines()), *lines(facts.basis), *lines(facts.nvas)),
                    gone.not_before,
                    facts.rests_on.union(*(app.rests_on for app in alive)),
                )


def health_check_defect(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield NVAs whose health check and application disagree.

    Where no application of a service is alive anywhere, to keep advertising is what a health check may be told to do.
    """
    apps = applications(view, now)
    for picture in pictures(view, intent) if apps else ():
        ours = [app for app in of(picture, apps) if any(app.region == facts.region for facts in picture.placed)]
        alive = any(app.alive for app in ours)
        for facts in picture.placed:
            for app, sightings in _advertised(facts, ours) if alive else ():
                yield _defect(picture, app, "keeps advertising it while it is dead", app.since, sightings)
            for app in ours:
                if app.region == facts.region and app.alive and not app.dead:
                    yield from _restless(picture, facts, app, intent, now)


def _restless(
    picture: Picture, facts: RegionFacts, app: Application, intent: Intent, now: datetime
) -> Iterator[Finding]:
    """Withdrawn and advertised again and again, and the application never failed meanwhile."""
    for sighting in facts.nvas:
        downs = sighting.table.downs.get(picture.prefix) if sighting.table is not None else None
        began = flaps_since(tuple(downs), intent.thresholds, now) if downs and app.nva in (None, sighting.nva) else None
        if began is None or downs is None:
            continue
        first = max(downs[0], began - intent.thresholds.flap_window)
        if not any(at >= first for control in app.alive for at, _ in control.turns):
            what = "withdraws and advertises it again and again while it answers as ever"
            yield _defect(picture, app, what, began, [sighting])


def _defect(picture: Picture, app: Application, what: str, since: datetime, sightings: list[Sighting]) -> Finding:
    name, prefix = picture.service.name, str(picture.prefix)
    downs = [(s, s.table.downs.get(picture.prefix)) for s in sightings if s.table is not None]
    return Finding(
        Kind.HEALTH_CHECK_DEFECT,
        Subject(name, prefix, app.region, app.nva),
        Severity.MAJOR,
        since,
        f"{name} {prefix}: the health check of {app.nva or app.region} {what} ({app.name})",
        (
            *app.lines(),
            *(seen(sighting) for sighting in sightings),
            *((f"{s.key} withdrew it", ", ".join(stamp(at) for at in tuple(d)[-6:])) for s, d in downs if d),
        ),
        None,
        app.rests_on | {sighting.key for sighting in sightings},
    )
