"""`more-specific`, `covering-route`, `overlap`: prefixes that are no service's and lie in its way.

A prefix that is a service's own, or exactly a range of the address plan, is planned and never a finding of the first
two kinds. Exactly, because a plan of 10.0.0.0/8 would otherwise excuse everything inside it.
"""

from collections.abc import Iterator
from datetime import datetime

from analyzers.evidence import Spot, spotted
from analyzers.picture import BESIDE_THE_NVAS, Sighting
from analyzers.state import Held, Sight, Table
from analyzers.view import View
from anycast.change import Presence
from anycast.finding import Finding, Kind, Severity, Subject
from anycast.intent import Intent, PlannedRange, Rung, Service
from anycast.prefix import Prefix


def more_specific(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield prefixes inside a service's prefix."""
    for prefix in tuple(view.holders):
        inside_of = view.recogniser.relevance(prefix).inside_of
        spots = _spots(view, prefix) if inside_of else []
        for service, watched in inside_of if spots else ():
            yield _finding(
                Kind.MORE_SPECIFIC,
                Subject(service.name, str(watched), detail=str(prefix)),
                Severity.CRITICAL,
                f"{service.name} {watched}: {prefix} inside it is advertised, seen at {_places(spots)}",
                "no longer prefix than the service's",
                spots,
            )


def covering_route(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield prefixes that cover a service's; one finding a covering prefix, however many services it covers."""
    for prefix in tuple(view.holders):
        covers = view.recogniser.relevance(prefix).covers
        if not covers:
            continue
        spots = [spot for spot in _spots(view, prefix) if prefix.prefixlen > 0 or _beside(spot[0])]
        if spots:
            yield _covering(prefix, covers, spots)


def _covering(prefix: Prefix, covers: tuple[tuple[Service, Prefix], ...], spots: list[Spot]) -> Finding:
    names = sorted({service.name for service, _ in covers})
    return _finding(
        Kind.COVERING_ROUTE,
        Subject(names[0] if len(names) == 1 else None, str(prefix)),
        Severity.WARNING,
        f"{prefix} covers {', '.join(names[:5])}{' and others' if len(names) > 5 else ''}, seen at {_places(spots)}",
        "only services' prefixes and ranges of the address plan",
        spots,
    )


def overlap(view: View, intent: Intent, now: datetime) -> Iterator[Finding]:
    """Yield routes beside the NVAs that equal or lie inside a VNet range."""
    for prefix in tuple(view.holders):
        relevance = view.recogniser.relevance(prefix)
        if relevance.vnet is None:
            continue
        by_region: dict[str, list[Spot]] = {}
        for sighting, held in _spots(view, prefix):
            if _beside(sighting) and not _systems_own(intent, sighting, held):
                by_region.setdefault(_region(sighting), []).append((sighting, held))
        for region, spots in by_region.items():
            yield _overlap(prefix, relevance.service, relevance.vnet, region, spots)


def _overlap(prefix: Prefix, service: Service | None, vnet: PlannedRange, region: str, spots: list[Spot]) -> Finding:
    name = f"{service.name} {prefix}" if service is not None else str(prefix)
    return _finding(
        Kind.OVERLAP,
        Subject(service.name if service is not None else None, str(prefix), region),
        Severity.MAJOR if service is not None else Severity.WARNING,
        f"{name}: lies in the VNet range {vnet.prefix}, so Azure does not inject it in {region}",
        "no route from an NVA inside a VNet's own range",
        spots,
    )


def _systems_own(intent: Intent, sighting: Sighting, held: Held) -> bool:
    """Whether it is the Route Server's own route to its VNet (AS path 65515; azure.md 2.1)."""
    vantage = sighting.vantage
    if vantage is None or vantage.rung is not Rung.V2 or vantage.region is None:
        return False
    return set(held.attributes.as_path.asns) <= {intent.by_region[vantage.region].route_server_asn}


def _spots(view: View, prefix: Prefix) -> list[Spot]:
    """Every fresh route to a prefix, wherever it is seen."""
    found: list[Spot] = []
    for table, routes in sorted(view.holders.get(prefix, {}).items(), key=lambda item: item[0].key):
        if view.sight(table) in (Sight.KNOWN, Sight.LOADING):
            fresh = tuple(held for held in routes if held.lost_at is None)
            found += [(_sighting(table, prefix, fresh), held) for held in fresh]
    return found


def _sighting(table: Table, prefix: Prefix, fresh: tuple[Held, ...]) -> Sighting:
    return Sighting(table.key, table.vantage, table, Presence.PRESENT, False, fresh, prefix)


def _beside(sighting: Sighting) -> bool:
    return sighting.vantage is not None and sighting.vantage.rung in BESIDE_THE_NVAS


def _region(sighting: Sighting) -> str:
    return (sighting.vantage and sighting.vantage.region) or sighting.key


def _places(spots: list[Spot]) -> str:
    vantages = ((sighting.vantage, sighting.key) for sighting, _ in spots)
    return ", ".join(sorted({(v and (v.site or v.region)) or key for v, key in vantages}))


def _finding(
    kind: Kind, subject: Subject, severity: Severity, summary: str, expected: str, spots: list[Spot]
) -> Finding:
    first = min((held for _, held in spots), key=lambda held: held.since)
    return Finding(
        kind,
        subject,
        severity,
        first.since,
        summary,
        (*spotted(spots), ("expected", expected)),
        first.not_before,
        frozenset(sighting.key for sighting, _ in spots),
    )
