"""What is customary now: how regions advertise, where sites land, what each session carries, how it is timed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from anycast.intent import ROUTE_SERVER, Role, Rung
from anycast.observation import Rib
from anycast.prefix import Address, Prefix, inside
from anycast.route import Asn, AsPath, Community
from pipeline.config.marks import EXPRESS_ROUTE, Marks, chosen_at, heard_at
from pipeline.config.places import FoundRegion, FoundSite, Places, peer_asn, up
from pipeline.config.seen import SeenRoute, SeenSession

DEFAULT_LOCAL_PREF = 100  # what a router says of a route that no policy of its own prefers
MOST_SERVICES = 200

Tiers = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class FoundPlacement:
    """How one region advertises one prefix now."""

    region: str
    role: Role
    nvas: tuple[str, ...]
    everyone: bool
    """Whether that is every NVA of the region."""
    prepend: int
    communities: tuple[Community, ...]
    med: int | None


@dataclass(frozen=True)
class FoundService:
    """One prefix that NVAs advertise."""

    name: str
    prefix: Prefix
    placements: tuple[FoundPlacement, ...]


@dataclass(frozen=True)
class FoundServices:
    """All of them, and what was left out."""

    services: tuple[FoundService, ...]
    left_out: tuple[tuple[Prefix, str], ...]


@dataclass(frozen=True)
class Landing:
    """Where a site lands now."""

    tiers: Tiers
    own: dict[str, Tiers] = field(default_factory=dict)
    """By service: tiers that differ from the site's."""
    local_pref: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundVantage:
    """A session that a derived vantage does not describe well enough."""

    name: str
    exporter: str
    peer: Address
    rung: Rung
    expects: tuple[str, ...]
    hold_time: int | None
    rib: Rib = Rib.ADJ_IN_PRE


def services(regions: tuple[FoundRegion, ...]) -> FoundServices:
    """Return every prefix that NVAs advertise as a service."""
    prefixes = {route.prefix for region in regions for nva in region.nvas for route in nva.session.routes}
    kept: list[FoundService] = []
    left_out: list[tuple[Prefix, str]] = []
    for prefix in sorted(prefixes, key=lambda each: (each.version, int(each.network_address), each.prefixlen)):
        cover = next((service.prefix for service in kept if inside(prefix, service.prefix)), None)
        if prefix.prefixlen == 0:
            left_out.append((prefix, "the default route; it would make every route a watched one"))
        elif cover is not None:
            left_out.append((prefix, f"inside {cover}; services must not share addresses"))
        elif len(kept) == MOST_SERVICES:
            left_out.append((prefix, f"the first {MOST_SERVICES} are enough to begin with"))
        else:
            kept.append(FoundService(f"service-{len(kept) + 1}", prefix, _placements(prefix, regions)))
    return FoundServices(tuple(kept), tuple(left_out))


def _placements(prefix: Prefix, regions: tuple[FoundRegion, ...]) -> tuple[FoundPlacement, ...]:
    found = [(region, _advertised(prefix, region)) for region in regions]
    lengths = {region.name: min(route.attributes.as_path.length for _, route in rows) for region, rows in found if rows}
    shortest = min(lengths.values(), default=0)
    return tuple(
        FoundPlacement(
            region=region.name,
            role=Role.ACTIVE if lengths[region.name] == shortest else Role.BACKUP,
            nvas=tuple(name for name, _ in rows),
            everyone=len(rows) == len(region.nvas),
            prepend=min(_prepend(route.attributes.as_path) for _, route in rows),
            communities=_communities(prefix, region, [route for _, route in rows]),
            med=_agreed(route.attributes.med for _, route in rows),
        )
        for region, rows in found
        if rows
    )


def _advertised(prefix: Prefix, region: FoundRegion) -> list[tuple[str, SeenRoute]]:
    return [(nva.name, route) for nva in region.nvas for route in _at(prefix, nva.session)[:1]]


def _at(prefix: Prefix, session: SeenSession) -> list[SeenRoute]:
    return sorted((route for route in session.routes if route.prefix == prefix), key=lambda route: route.path_id)


def _prepend(path: AsPath) -> int:
    return max(path.origin_repeats - 1, 0)


def _agreed(values: Iterable[int | None]) -> int | None:
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _communities(prefix: Prefix, region: FoundRegion, advertised: list[SeenRoute]) -> tuple[Community, ...]:
    """Return the communities on the prefix's every route, at the NVAs and at the instances."""
    held = [route for _, session in region.instances for route in _at(prefix, session)]
    common = set(advertised[0].attributes.communities)
    for route in advertised[1:] + held:
        common &= set(route.attributes.communities)
    return tuple(sorted(common))


def landing(site: FoundSite, watched: tuple[FoundService, ...], marks: Marks) -> Landing | None:
    """Return where a site lands; None where it is not seen what the site chose."""
    landed: dict[str, Tiers] = {}
    preferred: dict[str, int | None] = {}
    at: dict[str, str] = {}
    for service in watched:
        best = next((route for route in chosen_at(site) if route.prefix == service.prefix), None)
        region = marks.region_of(best, None) if best is not None else None
        if best is None or region is None:
            continue
        landed[service.name] = _tiers(site, service, marks, region, best.attributes.local_pref)
        at[service.name], preferred[service.name] = region, best.attributes.local_pref
    if not landed:
        return None
    # Of equally many, the one with the most regions in it: it holds for services of fewer regions, too.
    counted = Counter(landed.values())
    usual = max(counted, key=lambda tiers: (counted[tiers], sum(map(len, tiers)), tiers))
    own = {
        service.name: landed[service.name]
        for service in watched
        if service.name in landed and landed[service.name] != _within(usual, service)
    }
    return Landing(usual, own, _local_pref(watched, at, preferred))


def _local_pref(
    watched: tuple[FoundService, ...], at: dict[str, str], preferred: dict[str, int | None]
) -> dict[str, int]:
    """Return the LOCAL_PREF of regions that every service placed in them lands on, alike; others prove no policy."""
    found: dict[str, int] = {}
    for region in sorted(set(at.values())):
        placed = [service.name for service in watched if any(each.region == region for each in service.placements)]
        seen = {preferred[name] for name in placed if at.get(name) == region}
        value = seen.pop() if len(seen) == 1 and all(at.get(name) in (region, None) for name in placed) else None
        if value is not None and value != DEFAULT_LOCAL_PREF:
            found[region] = value
    return found


def _within(tiers: Tiers, service: FoundService) -> Tiers:
    placed = {placement.region for placement in service.placements}
    kept = (tuple(region for region in tier if region in placed) for tier in tiers)
    return tuple(tier for tier in kept if tier)


def _tiers(site: FoundSite, service: FoundService, marks: Marks, best: str, local_pref: int | None) -> Tiers:
    """Put the chosen region first, with those that tie with it when nothing but the route itself decided."""
    rank = {best: _rank(())}
    for each in heard_at(site):
        region = marks.region_of(each.route, each.peer) if each.route.prefix == service.prefix else None
        if region is not None:
            rank[region] = min(rank.get(region, _rank(())), _rank((each.route,)))
    others = sorted((value, region) for region, value in rank.items() if region != best)
    decided = local_pref not in (None, DEFAULT_LOCAL_PREF)
    if decided or any(value < rank[best] for value, _ in others):
        return ((best,), *((region,) for _, region in others))
    levels = sorted(set(rank.values()))
    return tuple(tuple(sorted(region for region, value in rank.items() if value == level)) for level in levels)


def _rank(routes: tuple[SeenRoute, ...]) -> tuple[int, int, int]:
    """Path length, ORIGIN, MED: what decides among routes that no policy tells apart; no route is worst."""
    worst = (1 << 32, 1 << 32, 1 << 32)
    ranks = ((r.attributes.as_path.length, int(r.attributes.origin or 0), r.attributes.med or 0) for r in routes)
    return min(ranks, default=worst)


def heard_vantages(
    site: FoundSite, watched: tuple[FoundService, ...], marks: Marks, usual: int | None
) -> Iterator[FoundVantage]:
    """Yield each session of an edge router that carries whole regions, or is timed unlike the others."""
    numbers: Counter[str] = Counter()
    for session in up(site.exporter.sessions) if site.exporter else ():
        assert session.peer is not None
        kind = {Asn(EXPRESS_ROUTE): "msee", ROUTE_SERVER: "vpn"}.get(peer_asn(session) or Asn(0), "peer")
        expects, hold = _carries(session, watched, marks), hold_time(session)
        if expects or (hold is not None and hold != usual):
            numbers[kind] += 1
            name = f"{site.router}-{kind}{numbers[kind]}"
            own = None if hold == usual else hold
            yield FoundVantage(name, site.router, session.peer, Rung.V5, expects, own, session.rib)


def _carries(session: SeenSession, watched: tuple[FoundService, ...], marks: Marks) -> tuple[str, ...]:
    """Return the regions of which the session carries every service."""
    carried: dict[str, set[Prefix]] = {}
    for route in session.routes:
        region = marks.region_of(route, session.peer)
        if region is not None:
            carried.setdefault(region, set()).add(route.prefix)
    meant: dict[str, set[Prefix]] = {}
    for service in watched:
        for placement in service.placements:
            meant.setdefault(placement.region, set()).add(service.prefix)
    return tuple(region for region in sorted(meant) if meant[region] <= carried.get(region, set()))


def hold_time(session: SeenSession) -> int | None:
    """Return the hold time that both sides agreed on; None when an OPEN is not known."""
    if session.local is None or session.remote is None:
        return None
    return min(session.local.hold_time, session.remote.hold_time)


def hold_times(places: Places) -> dict[Rung, Counter[int]]:
    """Return how often each hold time was agreed on, by rung."""
    seats = {
        Rung.V1: [nva.session for region in places.regions for nva in region.nvas],
        Rung.V2: [session for region in places.regions for _, session in region.instances],
        Rung.V5: [session for site in places.sites if site.exporter for session in up(site.exporter.sessions)],
        Rung.V6: [site.chosen for site in places.sites if site.chosen is not None],
    }
    return {
        rung: Counter(hold for session in sessions if (hold := hold_time(session)) is not None)
        for rung, sessions in seats.items()
    }
