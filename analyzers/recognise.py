"""Whose route is it, and does its prefix matter: computed once when a route is stored, never while judging."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from anycast.intent import Intent, PlannedRange, RangeKind, Region, Rung, Service, Vantage, recognised
from anycast.prefix import Address, Prefix, Relation, inside
from anycast.route import Asn, Attributes

MICROSOFT = Asn(12076)
"""ExpressRoute's AS: all that on-premises usually sees of the path (azure.md 1.4)."""
REMEMBERED = 100_000  # prefixes; a Route Server's whole table is 4,000 routes a peer


@dataclass(frozen=True, slots=True)
class Relevance:
    """How a seen prefix lies to what is watched and planned."""

    service: Service | None = None
    """The service whose prefix it is."""
    inside_of: tuple[tuple[Service, Prefix], ...] = ()
    """Service prefixes that it is more specific than, unless it is planned itself."""
    covers: tuple[tuple[Service, Prefix], ...] = ()
    """Service prefixes that it covers, unless it is planned itself."""
    vnet: PlannedRange | None = None
    """The VNet range that it equals or lies in."""

    @property
    def matters(self) -> bool:
        """Whether any analyzer asks for it."""
        return bool(self.service or self.inside_of or self.covers or self.vnet)

    @property
    def touches(self) -> bool:
        """Whether it touches a service prefix at all."""
        return bool(self.service or self.inside_of or self.covers)


class Recogniser:
    """What one intent says about routes: regions by their marks, prefixes by their relation to services."""

    def __init__(self, intent: Intent) -> None:
        self._intent = intent
        self._patterns = {
            region.name: re.compile(region.recognition.as_path)
            for region in intent.regions
            if region.recognition.as_path is not None
        }
        self._asns: Mapping[str, frozenset[Asn]] = {
            region.name: frozenset(nva.asn for nva in region.nvas) for region in intent.regions
        }
        self._planned = frozenset(planned.prefix for planned in intent.plan)
        self._relevance: dict[Prefix, Relevance] = {}

    def region(self, vantage: Vantage | None, peer: Address | None, attributes: Attributes) -> str | None:
        """Return the region whose route this is; None for nobody's.

        Beside the NVAs and Route Servers AS paths are whole, so the origin decides, the vantage's own region
        first. Everywhere else the region's marks decide, never the origin AS alone (azure.md 1.4). At V6 the
        session's peer is the edge router; whom *it* heard the route from is the next hop.
        """
        if vantage is not None and vantage.rung in (Rung.V1, Rung.V2):
            return self._by_origin(vantage.region, attributes)
        heard_from = attributes.next_hop if vantage is not None and vantage.rung is Rung.V6 else peer
        return next((r.name for r in self._intent.regions if self._marked(r, heard_from, attributes)), None)

    def legitimate_origin(self, region: str | None, attributes: Attributes) -> bool:
        """Whether the path ends where a route of `region` may end as on-premises sees it."""
        origin = attributes.as_path.origin
        known = {MICROSOFT} | {r.route_server_asn for r in self._intent.regions}
        if region is None:
            return origin in known or any(origin in asns for asns in self._asns.values())
        return origin in known or origin in self._asns.get(region, ()) or self._pattern_matches(region, attributes)

    def relevance(self, prefix: Prefix) -> Relevance:
        """Say how `prefix` lies to the intent (remembered)."""
        found = self._relevance.get(prefix)
        if found is None:
            if len(self._relevance) >= REMEMBERED:
                self._relevance.clear()
            found = self._relevance[prefix] = self._relate(prefix)
        return found

    def _relate(self, prefix: Prefix) -> Relevance:
        touched = self._intent.services_of(prefix)
        equal = next((service for service, _, how in touched if how is Relation.EQUAL), None)
        wanted = equal is not None or prefix in self._planned
        ranges = (r for r in self._intent.plan if r.kind is RangeKind.VNET and inside(prefix, r.prefix))
        return Relevance(
            service=equal,
            inside_of=tuple((s, p) for s, p, how in touched if how is Relation.MORE_SPECIFIC and not wanted),
            covers=tuple((s, p) for s, p, how in touched if how is Relation.COVERING and not wanted),
            vnet=next(ranges, None),
        )

    def _by_origin(self, own: str | None, attributes: Attributes) -> str | None:
        origin = attributes.as_path.origin
        if own is not None and origin in self._asns.get(own, ()):
            return own
        return next((name for name, asns in self._asns.items() if origin in asns), None)

    def _marked(self, region: Region, peer: Address | None, attributes: Attributes) -> bool:
        return recognised(region, peer, attributes, self._pattern_matches(region.name, attributes))

    def _pattern_matches(self, region: str, attributes: Attributes) -> bool:
        pattern = self._patterns.get(region)
        return pattern is not None and pattern.search(str(attributes.as_path)) is not None
