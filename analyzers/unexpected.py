"""`unexpected-origin`, `unexpected-region`, `unexpected-next-hop`: who advertises that must not.

Each route is judged once: a wrong origin is not told again for its next hop, nor a wrong region for its origin.
"""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Spot, lines, spotted
from analyzers.picture import BESIDE_THE_NVAS, Picture, RegionFacts, Sighting, SiteFacts, judged
from analyzers.state import Held
from analyzers.view import View
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, Rung
from anycast.prefix import Address


def unexpected_origin(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield each origin that must not advertise a service, with everywhere it is heard."""
    return judged(view, intent, _origins)


def _origins(intent: Intent, picture: Picture) -> Iterator[Finding]:
    found: dict[str, list[Spot]] = {}
    for sighting, held in picture.notable:
        if is_stranger(intent, sighting, held):
            found.setdefault(_originator(held), []).append((sighting, held))
    for who, spots in found.items():
        yield _origin(picture, who, spots)
    yield from _unlisted(picture)


def is_stranger(intent: Intent, sighting: Sighting, held: Held) -> bool:
    """Whether a route of a service's prefix ends where no route of a region may end."""
    vantage = sighting.vantage
    if vantage is None or vantage.region is None or vantage.rung not in BESIDE_THE_NVAS:
        return not held.legitimate
    if vantage.rung is Rung.V2:
        return held.region is None
    asns = {nva.asn for nva in intent.by_region[vantage.region].nvas if vantage.nva in (None, nva.name)}
    return held.attributes.as_path.origin not in asns


def _originator(held: Held) -> str:
    origin = held.attributes.as_path.origin
    return "no AS" if origin is None else f"AS{origin}"


def _origin(picture: Picture, who: str, spots: list[Spot]) -> Finding:
    where = ", ".join(sorted({_place(sighting) for sighting, _ in spots}))
    first = min((held for _, held in spots), key=lambda held: held.changed)
    meant = ", ".join(placement.region for placement in picture.service.placements)
    return Finding(
        Kind.UNEXPECTED_ORIGIN,
        Subject(picture.service.name, str(picture.prefix), detail=who),
        Severity.CRITICAL,
        first.changed,
        f"{picture.service.name} {picture.prefix}: originated by {who}, seen at {where}",
        (*spotted(spots), ("expected", f"originated by NVAs of {meant} only")),
        first.not_before,
        _keys(spots),
    )


def _unlisted(picture: Picture) -> Iterator[Finding]:
    """NVAs of a region that is meant to advertise, which the intent does not list for the service."""
    for facts in picture.placed:
        for sighting in facts.others:
            for held in [held for held in sighting.routes if held.region == facts.region][:1]:
                meant = ", ".join(facts.placement.nvas) if facts.placement is not None else "none"
                yield Finding(
                    Kind.UNEXPECTED_ORIGIN,
                    Subject(picture.service.name, str(picture.prefix), facts.region, sighting.nva),
                    Severity.WARNING,
                    held.changed,
                    f"{picture.service.name} {picture.prefix}: {sighting.nva} advertises it and is not meant to",
                    (*lines([sighting]), ("expected", f"advertised by {meant}")),
                    held.not_before,
                    frozenset({sighting.key}),
                )


def unexpected_region(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield regions that advertise a service without a place there, and sites served by a region that must not."""
    return judged(view, intent, _regions)


def _regions(intent: Intent, picture: Picture) -> Iterator[Finding]:
    found: dict[str, list[Spot]] = {}
    for sighting, held in picture.notable:
        region = _regarded(sighting, held)
        unplaced = region is not None and picture.service.placement(region) is None
        if region is not None and unplaced and not is_stranger(intent, sighting, held):
            found.setdefault(region, []).append((sighting, held))
    for region, spots in found.items():
        yield _region(picture, region, spots)
    for site in picture.sites.values():
        if site.site.never:
            yield from _never(picture, site, found)


def _regarded(sighting: Sighting, held: Held) -> str | None:
    """The region that a route speaks for: beside the NVAs the one it is seen in."""
    vantage = sighting.vantage
    if vantage is not None and vantage.rung is Rung.V1 and vantage.region is not None:
        return vantage.region
    return held.region


def _region(picture: Picture, region: str, spots: list[Spot]) -> Finding:
    first = min((held for _, held in spots), key=lambda held: held.changed)
    meant = ", ".join(placement.region for placement in picture.service.placements)
    return Finding(
        Kind.UNEXPECTED_REGION,
        Subject(picture.service.name, str(picture.prefix), region),
        Severity.CRITICAL,
        first.changed,
        f"{picture.service.name} {picture.prefix}: {region} advertises it and is not meant to",
        (*spotted(spots), ("expected", f"advertised in {meant} only")),
        first.not_before,
        _keys(spots),
    )


def _never(picture: Picture, site: SiteFacts, unplaced: dict[str, list[Spot]]) -> Iterator[Finding]:
    chosen = [(s, held) for s in site.chosen for held in s.routes if held.region in site.site.never]
    for region in sorted({held.region for _, held in chosen if held.region is not None} - unplaced.keys()):
        spots = [(sighting, held) for sighting, held in chosen if held.region == region]
        first = min((held for _, held in spots), key=lambda held: held.changed)
        yield Finding(
            Kind.UNEXPECTED_REGION,
            Subject(picture.service.name, str(picture.prefix), region, site=site.site.name),
            Severity.MAJOR,
            first.changed,
            f"{picture.service.name} {picture.prefix}: {site.site.name} lands on {region}, which must never serve it",
            (*spotted(spots), ("expected", f"never {', '.join(site.site.never)}")),
            first.not_before,
            _keys(spots),
        )


def unexpected_next_hop(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield next hops at V1 and V2 that are nobody's who should forward."""
    return judged(view, intent, _next_hops)


def _next_hops(intent: Intent, picture: Picture) -> Iterator[Finding]:
    for facts in picture.regions.values():
        found: dict[Address, list[Spot]] = {}
        for sighting in (*facts.nvas, *facts.others, *facts.instances):
            allowed = _forwarders(intent, facts, sighting)
            for held in sighting.routes:
                hop = held.attributes.next_hop
                if hop is not None and hop not in allowed and not is_stranger(intent, sighting, held):
                    found.setdefault(hop, []).append((sighting, held))
        for hop, spots in found.items():
            yield _next_hop(picture, facts, hop, spots)


def _forwarders(intent: Intent, facts: RegionFacts, sighting: Sighting) -> set[Address]:
    region, vantage = intent.by_region[facts.region], sighting.vantage
    at_nva = vantage is not None and vantage.rung is Rung.V1
    nvas = [nva for nva in region.nvas if not at_nva or nva.name == sighting.nva]
    allowed = {address for nva in nvas for address in (nva.address, *nva.next_hops)}
    if not at_nva:
        allowed |= {i.address for i in region.instances if i.name == sighting.instance}
    return allowed


def _next_hop(picture: Picture, facts: RegionFacts, hop: Address, spots: list[Spot]) -> Finding:
    first = min((held for _, held in spots), key=lambda held: held.changed)
    nvas = {sighting.nva for sighting, _ in spots if sighting.vantage and sighting.vantage.rung is Rung.V1}
    by = ", ".join(sorted(nvas)) or facts.region
    return Finding(
        Kind.UNEXPECTED_NEXT_HOP,
        Subject(picture.service.name, str(picture.prefix), facts.region, detail=str(hop)),
        Severity.MAJOR,
        first.changed,
        f"{picture.service.name} {picture.prefix}: {by} advertises it with next hop {hop}",
        (*spotted(spots), ("expected", "the NVA's own address, or one of its `next_hops`")),
        first.not_before,
        _keys(spots),
    )


def _place(sighting: Sighting) -> str:
    vantage = sighting.vantage
    return (vantage and (vantage.site or vantage.region)) or sighting.key


def _keys(spots: list[Spot]) -> frozenset[str]:
    return frozenset(sighting.key for sighting, _ in spots)
