"""One service prefix seen from every vantage: what most analyzers ask, worked out once.

A picture is remembered until a route to its prefix, a session, a feed or the intent changes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from analyzers.reading import for_every_peer, seen_since
from analyzers.state import Absence, Held, Sight, Table
from analyzers.view import View
from anycast.change import Cause, Presence
from anycast.finding import Finding
from anycast.intent import Intent, Placement, Rung, Service, Site, Vantage
from anycast.prefix import Prefix

BESIDE_THE_NVAS = (Rung.V1, Rung.V2)
ON_PREMISES = (Rung.V5, Rung.V6)
NOTHING: tuple[Held, ...] = ()


@dataclass(slots=True, eq=False)
class Sighting:
    """One prefix at one vantage."""

    key: str
    vantage: Vantage | None
    table: Table | None
    presence: Presence
    down: bool
    """The session is down: `presence` is ABSENT, and that says nothing of what the far side holds."""
    routes: tuple[Held, ...]
    prefix: Prefix

    @property
    def seen(self) -> Absence | None:
        """Since when it is so, present or absent; None while unknown."""
        if self.table is None or self.presence is Presence.UNKNOWN:
            return None
        return seen_since(self.table, self.prefix, self.routes)

    @property
    def present(self) -> bool:
        """Whether the route is there."""
        return self.presence is Presence.PRESENT

    @property
    def lacking(self) -> bool:
        """Whether the session is up, its table complete, and the route not in it."""
        return self.presence is Presence.ABSENT and not self.down

    @property
    def nva(self) -> str:
        """The NVA at V1."""
        return (self.vantage.nva if self.vantage else None) or self.key

    @property
    def instance(self) -> str:
        """The Route Server instance at V2."""
        return (self.vantage.instance if self.vantage else None) or self.key


@dataclass(slots=True, eq=False)
class RegionFacts:
    """One region and one prefix."""

    region: str
    placement: Placement | None
    nvas: list[Sighting] = field(default_factory=list)
    """V1, of the NVAs that the placement names (of all when there is no placement)."""
    others: list[Sighting] = field(default_factory=list)
    """V1, of the region's other NVAs."""
    instances: list[Sighting] = field(default_factory=list)
    presence: Presence = Presence.UNKNOWN
    basis: list[Sighting] = field(default_factory=list)
    """The sightings that `presence` was judged from."""

    @property
    def rests_on(self) -> frozenset[str]:
        """Names of the vantages behind `presence`."""
        return frozenset(sighting.key for sighting in self.basis)

    @property
    def spared(self) -> bool:
        """Whether the NVAs that do not advertise are as many as the intent lets rest, or fewer."""
        without = {sighting.nva for sighting in self.nvas if sighting.lacking}
        without -= {sighting.nva for sighting in self.nvas if sighting.present}
        return self.placement is not None and self.placement.enough_without(len(without))

    @property
    def gone(self) -> Absence | None:
        """When the last of the basis lost the route; None when that is not known."""
        absences = [seen for sighting in self.basis if (seen := sighting.seen) is not None]
        return max(absences, key=lambda absence: absence.since) if absences else None


@dataclass(slots=True, eq=False)
class SiteFacts:
    """One site and one prefix."""

    site: Site
    heard: list[Sighting] = field(default_factory=list)
    """V5."""
    chosen: list[Sighting] = field(default_factory=list)
    """V6."""
    known: bool = False
    """Its routers had time to name their V5 sessions, there is one at least, and each is known."""
    unattributed: bool = False
    """A route is heard that may be any region's: what is not heard by its marks is not known to be absent."""
    regions: frozenset[str] = frozenset()
    """Regions heard at V5."""
    v5_names: frozenset[str] = frozenset()
    """Names of every V5 vantage of the site, those for every peer included."""
    tiers: tuple[tuple[str, ...], ...] = ()
    """Tiers of regions meant for this service here."""
    kept: dict[str, object] = field(default_factory=dict)
    """What was worked out of it, by name; gone with the picture."""

    def hears(self, region: str) -> Presence:
        """Say whether the site hears the prefix from `region`."""
        if region in self.regions:
            return Presence.PRESENT
        return Presence.ABSENT if self.known and not self.unattributed else Presence.UNKNOWN

    def not_heard_since(self) -> Absence | None:
        """When the last of its V5 sessions lost the prefix; sessions that never carried any service do not count."""
        absent = [s for s in self.heard if s.presence is Presence.ABSENT]
        carried = [s for s in absent if s.table is not None and s.table.peering.carried]
        times = [seen for s in carried or absent if (seen := s.seen) is not None]
        if times:
            return max(times, key=lambda absence: absence.since)
        # Every session carries another region's route: it was lost when the last of them came to look as it does.
        latest = max((h for s in self.heard for h in s.routes), key=lambda held: held.changed, default=None)
        return None if latest is None else Absence(latest.changed, Cause.UPDATE, latest.not_before)


@dataclass(slots=True, eq=False)
class Picture:
    """One prefix of one service."""

    service: Service
    prefix: Prefix
    regions: dict[str, RegionFacts]
    sites: dict[str, SiteFacts]
    others: list[Sighting] = field(default_factory=list)
    """Where it is present besides: other rungs, and sources that the intent does not speak of."""
    placed: list[RegionFacts] = field(default_factory=list)
    """The regions meant to advertise."""
    notable: list[tuple[Sighting, Held]] = field(default_factory=list)
    """Every route of V1, V2 and unnamed sources, and those of sites that are not plain, along the ladder."""
    findings: dict[object, tuple[Finding, ...]] = field(default_factory=dict)
    """What each judgement made of this picture."""


Judgement = Callable[[Intent, Picture], Iterator[Finding]]


def judged(view: View, intent: Intent, judgement: Judgement) -> Iterator[Finding]:
    """Yield what a judgement makes of each picture; kept with the picture, so that a change is judged where it is."""
    for picture in pictures(view, intent):
        found = picture.findings.get(judgement)
        if found is None:
            found = picture.findings[judgement] = tuple(judgement(intent, picture))
        yield from found


def pictures(view: View, intent: Intent) -> Iterator[Picture]:
    """Yield the picture of every prefix of every service."""
    for service in intent.services:
        for prefix in service.prefixes:
            yield picture(view, intent, service, prefix)


def picture(view: View, intent: Intent, service: Service, prefix: Prefix) -> Picture:
    """Return the picture of one prefix."""
    token = (view.epoch, view.touched.get(prefix, 0), id(intent), id(service))
    kept = view.remembered(prefix, token)
    return kept if isinstance(kept, Picture) else view.remember(prefix, token, _draw(view, intent, service, prefix))


def _draw(view: View, intent: Intent, service: Service, prefix: Prefix) -> Picture:
    regions = {region.name: RegionFacts(region.name, service.placement(region.name)) for region in intent.regions}
    drawn = Picture(service, prefix, regions, {site.name: SiteFacts(site) for site in intent.sites})
    drawn.placed = [regions[p.region] for p in service.placements if p.region in regions]
    holders = view.holders.get(prefix, {})
    for seat in _seats(view, intent):
        sighting = _sighting(seat, prefix, holders)
        _enter(drawn, seat, sighting)
        if sighting.routes and not (seat[4] in ON_PREMISES and len(sighting.routes) == 1 and sighting.routes[0].plain):
            _note(drawn, seat, sighting)
    names = _v5_names(view, intent)
    for site in drawn.sites.values():
        site.tiers = intent.tiers(site.site, service)
        site.v5_names, ready = names[site.site.name]
        _sum_up(site, ready)
    for region in regions.values():
        _conclude(region, drawn)
    return drawn


Seat = tuple[str, Vantage | None, Table | None, Sight, Rung | None, str]
"""Key, vantage, table, sight, and where it stands: the rung, with the region of V1 and V2, the site of V5 and V6."""


def _seats(view: View, intent: Intent) -> tuple[Seat, ...]:
    """Every vantage and every other source, with its sight; remembered while sessions stay as they are."""
    token = (view.epoch, id(intent), len(view.by_key))
    kept = view.remembered("seats", token)
    if isinstance(kept, tuple):
        return kept
    seats = [_seat(intent, v.name, v, None, Sight.UNKNOWN) for v in view.named if v.name not in view.by_key]
    seats += [_seat(intent, key, t.vantage, t, view.sight(t)) for key, t in view.by_key.items()]
    seats.sort(key=lambda seat: seat[0])  # so that evidence does not depend on who was heard first
    return view.remember("seats", token, tuple(seats))


def _seat(intent: Intent, key: str, vantage: Vantage | None, table: Table | None, sight: Sight) -> Seat:
    rung = vantage.rung if vantage is not None else None
    if vantage is not None and rung in BESIDE_THE_NVAS and vantage.region in intent.by_region:
        return key, vantage, table, sight, rung, vantage.region or ""
    if vantage is not None and rung in (Rung.V5, Rung.V6) and vantage.site in intent.by_site:
        return key, vantage, table, sight, rung, vantage.site or ""
    return key, vantage, table, sight, None, ""


def _v5_names(view: View, intent: Intent) -> dict[str, tuple[frozenset[str], bool]]:
    """Each site's V5 vantage names, and whether its routers have had time to name their sessions."""
    token = (view.epoch, id(intent), len(view.by_key))
    kept = view.remembered("v5", token)
    if isinstance(kept, dict):
        return kept
    found = {}
    for site in intent.sites:
        ours = [v for v in intent.vantages if v.rung is Rung.V5 and v.site == site.name]
        names = {v.name for v in ours} | {key for v in ours if for_every_peer(v) for key in view.under(v)}
        feeds = [view.feed(v.exporter) for v in ours if for_every_peer(v)]
        found[site.name] = (frozenset(names), all(feed.ready for feed in feeds))
    return view.remember("v5", token, found)


def _sighting(seat: Seat, prefix: Prefix, holders: dict[Table, list[Held]]) -> Sighting:
    key, vantage, table, sight, _, _ = seat
    if table is None or sight is Sight.UNKNOWN:
        return Sighting(key, vantage, table, Presence.UNKNOWN, False, (), prefix)
    if sight is Sight.DOWN:
        return Sighting(key, vantage, table, Presence.ABSENT, True, (), prefix)
    held = holders.get(table)
    routes = tuple([h for h in held if h.lost_at is None]) if held else NOTHING
    if routes:
        return Sighting(key, vantage, table, Presence.PRESENT, False, routes, prefix)
    known = sight is Sight.KNOWN and prefix not in table.unfilled
    return Sighting(key, vantage, table, Presence.ABSENT if known else Presence.UNKNOWN, False, (), prefix)


def _enter(drawn: Picture, seat: Seat, sighting: Sighting) -> None:
    rung, place = seat[4], seat[5]
    if rung is Rung.V5:
        drawn.sites[place].heard.append(sighting)
    elif rung is Rung.V6:
        drawn.sites[place].chosen.append(sighting)
    elif rung is Rung.V2:
        drawn.regions[place].instances.append(sighting)
    elif rung is Rung.V1:
        facts = drawn.regions[place]
        meant = facts.placement is None or not facts.placement.nvas or sighting.nva in facts.placement.nvas
        (facts.nvas if meant else facts.others).append(sighting)
    elif sighting.routes:
        drawn.others.append(sighting)


def _note(drawn: Picture, seat: Seat, sighting: Sighting) -> None:
    on_premises = seat[4] in ON_PREMISES
    drawn.notable += [(sighting, held) for held in sighting.routes if not (on_premises and held.plain)]


def _sum_up(site: SiteFacts, ready: bool) -> None:
    sightings = site.heard
    site.known = bool(sightings) and ready and all(s.presence is not Presence.UNKNOWN for s in sightings)
    routes = [held for sighting in sightings for held in sighting.routes]
    site.regions = frozenset(held.region for held in routes if held.region is not None)
    site.unattributed = any(held.region is None and held.legitimate for held in routes)


def _conclude(region: RegionFacts, drawn: Picture) -> None:
    """Say whether a region advertises: by its Route Server instances, else its NVAs, else what the sites hear.

    A session of our collector that is down says nothing of what the far side holds, so it is left out where another
    is up.
    """
    for sightings in (region.instances, region.nvas):
        up = [sighting for sighting in sightings if not sighting.down]
        if up:
            region.basis, region.presence = up, _any_of(up, region.region)
            return
    for site in drawn.sites.values():
        region.basis += site.heard
    heard = [site.hears(region.region) for site in drawn.sites.values() if site.heard]
    if Presence.PRESENT in heard:
        region.presence = Presence.PRESENT
    elif heard and all(answer is Presence.ABSENT for answer in heard):
        region.presence = Presence.ABSENT


def _any_of(sightings: list[Sighting], region: str) -> Presence:
    if any(held.region == region for sighting in sightings for held in sighting.routes):
        return Presence.PRESENT
    certain = all(s.presence is not Presence.UNKNOWN for s in sightings)
    return Presence.ABSENT if certain else Presence.UNKNOWN
