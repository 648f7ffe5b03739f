"""`attribute-drift`: attributes and timers that are not as meant. One finding for an attribute and a region or site."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from analyzers.evidence import Line, Spot, spotted
from analyzers.picture import Picture, SiteFacts, judged
from analyzers.recognise import MICROSOFT
from analyzers.state import Held, Peering, Sight
from analyzers.unexpected import is_stranger
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Placement, Region, Rung
from anycast.plain import stamp
from anycast.route import community_text, parse_community

KEPT_BACK = (parse_community("no-advertise"), parse_community("no-export"))
"""With one of these Route Server keeps the route from its peers and gateways (azure.md 1.3, check B11)."""


@dataclass(frozen=True, slots=True)
class Departure:
    """One attribute that is not as meant, at one place."""

    attribute: str
    expected: str
    region: str | None = None
    site: str | None = None
    severity: Severity = Severity.WARNING
    what: str = "is not as meant"


def attribute_drift(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield attributes of routes that differ from the intent, and hold times that the OPENs negotiated otherwise."""
    yield from judged(view, intent, _attributes)
    yield from _timers(view)


def _attributes(intent: Intent, picture: Picture) -> Iterator[Finding]:
    found: dict[Departure, list[Spot]] = {}
    for departure, spot in _departures(intent, picture):
        found.setdefault(departure, []).append(spot)
    for departure, spots in found.items():
        yield _finding(picture, departure, spots)


def _departures(intent: Intent, picture: Picture) -> Iterator[tuple[Departure, Spot]]:
    for facts in picture.placed:
        assert facts.placement is not None
        region = intent.by_region[facts.region]
        for sighting in (*facts.nvas, *facts.others, *facts.instances):
            for held in sighting.routes:
                if held.region == facts.region and not is_stranger(intent, sighting, held):
                    at_nva = sighting.vantage is not None and sighting.vantage.rung is Rung.V1
                    for departure in _beside(facts.placement, region, held, at_nva):
                        yield departure, (sighting, held)
    odd = {s.vantage.site for s, _ in picture.notable if s.vantage is not None}
    for site in picture.sites.values():
        if site.site.name in odd:
            yield from _unmarked(site)
            yield from _drained(site)
        if site.site.local_pref:
            yield from _local_pref(site)


def _beside(placement: Placement, region: Region, held: Held, at_nva: bool) -> Iterator[Departure]:
    """Judge a route at V1 or V2."""
    looks, name = held.attributes, placement.region
    if at_nva and placement.med is not None and looks.med != placement.med:
        yield Departure("MED", str(placement.med), name)
    lost = [community for community in placement.communities if community not in looks.communities]
    if lost:
        yield Departure("COMMUNITIES", " ".join(map(community_text, placement.communities)), name)
    for community in KEPT_BACK:
        if community in looks.communities and community not in placement.communities:
            word = community_text(community)
            yield Departure(
                f"COMMUNITIES {word}", f"without {word}", name, what="keeps the route from the gateway and from us"
            )
    origin = looks.as_path.origin
    passed = [asn for asn in looks.as_path.asns if asn != origin]
    if passed != ([] if at_nva else [region.route_server_asn]):
        meant = f"{origin} only" if at_nva else f"{region.route_server_asn} and {origin} only"
        yield Departure("AS_PATH", meant, name, what="holds other ASes than meant")


def _unmarked(site: SiteFacts) -> Iterator[tuple[Departure, Spot]]:
    """A route from Microsoft's side without any region's marks: nobody can say which region it is."""
    departure = Departure(
        "COMMUNITIES", "the marks of a region (`recognise`)", site=site.site.name, what="has no region's marks"
    )
    for sighting in (*site.heard, *site.chosen):
        for held in sighting.routes:
            if held.region is None and held.legitimate:
                yield departure, (sighting, held)


def _local_pref(site: SiteFacts) -> Iterator[tuple[Departure, Spot]]:
    for sighting in site.chosen:
        for held in sighting.routes:
            meant = site.site.local_pref.get(held.region) if held.region is not None and held.legitimate else None
            if meant is not None and held.attributes.local_pref != meant:
                yield Departure("LOCAL_PREF", str(meant), held.region, site.site.name), (sighting, held)


def _drained(site: SiteFacts) -> Iterator[tuple[Departure, Spot]]:
    """Microsoft drains a link by prepending: a path of its own AS only, longer on one session than on another."""
    plain = [
        (sighting, held)
        for sighting in site.heard
        for held in sighting.routes
        if held.region is not None and set(held.attributes.as_path.asns) == {MICROSOFT}
    ]
    for region in {held.region for _, held in plain}:
        ours = [spot for spot in plain if spot[1].region == region]
        shortest = min(held.attributes.as_path.length for _, held in ours)
        for spot in ours:
            if spot[1].attributes.as_path.length > shortest:
                what = "is longer on one session than on another; Microsoft drains links so"
                meant = f"{shortest} times {MICROSOFT}"
                yield Departure("AS_PATH", meant, region, site.site.name, Severity.INFO, what), spot


def _finding(picture: Picture, departure: Departure, spots: list[Spot]) -> Finding:
    first = min((held for _, held in spots), key=lambda held: held.changed)
    where = " at ".join(part for part in (departure.region, departure.site) if part)
    return Finding(
        Kind.ATTRIBUTE_DRIFT,
        Subject(
            picture.service.name,
            str(picture.prefix),
            departure.region,
            site=departure.site,
            detail=departure.attribute,
        ),
        departure.severity,
        first.changed,
        f"{picture.service.name} {picture.prefix}: {departure.attribute} of {where} {departure.what}",
        (("expected", departure.expected), *spotted(spots)),
        first.not_before,
        frozenset(sighting.key for sighting, _ in spots),
    )


def _timers(view: View) -> Iterator[Finding]:
    for key, table in view.by_key.items():
        vantage, peering = table.vantage, table.peering
        if vantage is None or vantage.hold_time is None or view.sight(table) in (Sight.DOWN, Sight.UNKNOWN):
            continue
        negotiated = hold_time(peering)
        if negotiated is not None and negotiated != vantage.hold_time:
            yield Finding(
                Kind.ATTRIBUTE_DRIFT,
                Subject(
                    region=vantage.region,
                    nva=vantage.nva,
                    instance=vantage.instance,
                    site=vantage.site,
                    vantage=key,
                    detail="HOLD_TIME",
                ),
                Severity.WARNING,
                peering.since,
                f"{key}: the session's hold time is {negotiated} s, {vantage.hold_time} s is meant",
                _opens(peering, vantage.hold_time),
                peering.not_before,
                frozenset({key}),
            )


def hold_time(peering: Peering) -> int | None:
    """Return the negotiated hold time: the smaller of the two OPENs (RFC 4271, 4.2); None while one is not known."""
    if peering.local is None or peering.remote is None:
        return None
    return min(peering.local.hold_time, peering.remote.hold_time)


def _opens(peering: Peering, meant: int) -> tuple[Line, ...]:
    assert peering.local is not None
    assert peering.remote is not None
    return (
        ("expected", f"hold time {meant} s"),
        (f"OPEN of AS{peering.local.asn} (the router's)", f"hold time {peering.local.hold_time} s"),
        (f"OPEN of AS{peering.remote.asn} (the peer's)", f"hold time {peering.remote.hold_time} s"),
        ("session", f"up since {stamp(peering.since)}"),
    )
