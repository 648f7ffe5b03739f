"""How each region's routes are recognised on-premises, learned from what is heard there.

ExpressRoute strips the AS numbers that would say which region a route is from, and adds a community that says it to
whoever knows the region's number. Whose community it is follows from evidence that survives beside it: an AS of the
region's NVAs in the path (VPN), a community that only this region's NVAs set, a service that only this region
advertises, or a VNet range that holds the region's Route Server. What contradicts itself is no mark.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from anycast.intent import ROUTE_SERVER, Recognition, Region, recognised
from anycast.prefix import Address, Prefix
from anycast.route import Attributes, Community
from pipeline.config.places import FoundRegion, FoundSite, address_order, up
from pipeline.config.seen import SeenRoute, SeenSession

EXPRESS_ROUTE = 12076
REGIONAL = range(50_000, 60_000)  # the low half of ExpressRoute's regional communities


@dataclass(frozen=True)
class Marks:
    """What recognises each region, and how that was found."""

    regions: tuple[Region, ...]
    """Regions with nothing but their recognition filled in."""
    why: tuple[tuple[str, str], ...]
    """Region and one sentence about its marks."""
    adrift: tuple[Community, ...]
    """Regional communities that no evidence gives to a region."""

    def region_of(self, route: SeenRoute, peer: Address | None) -> str | None:
        """Return the region a route heard on-premises is from; None for no region's, or for several at once."""
        path = str(route.attributes.as_path)
        found = [
            region.name
            for region in self.regions
            if recognised(region, peer, route.attributes, bool(re.search(region.recognition.as_path or r"\Z.", path)))
        ]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Heard:
    """One route that a site hears."""

    peer: Address
    route: SeenRoute


class Evidence:
    """What is known of regions before any mark is: their AS numbers, communities, services and addresses."""

    def __init__(self, regions: tuple[FoundRegion, ...]) -> None:
        asns: dict[int, set[str]] = defaultdict(set)
        self.placed: dict[Prefix, set[str]] = defaultdict(set)
        tags: dict[tuple[Prefix, Community], set[str]] = defaultdict(set)
        self.own: set[Community] = set()
        self.addresses: dict[str, list[Address]] = {}
        for region in regions:
            members = [session for _, session in region.instances] + [nva.session for nva in region.nvas]
            self.addresses[region.name] = [session.peer for session in members if session.peer is not None]
            for nva in region.nvas:
                asns[nva.asn].add(region.name)
                for route in nva.session.routes:
                    self.placed[route.prefix].add(region.name)
                    for community in route.attributes.communities:
                        tags[route.prefix, community].add(region.name)
                        self.own.add(community)
        self.region_of_asn = {asn: next(iter(names)) for asn, names in asns.items() if len(names) == 1}
        self.region_of_tag = {key: next(iter(names)) for key, names in tags.items() if len(names) == 1}

    def region(self, heard: SeenRoute) -> str | None:
        """Return the one region that the evidence gives a route to."""
        found = set(self._regions(heard))
        return found.pop() if len(found) == 1 else None

    def _regions(self, heard: SeenRoute) -> Iterator[str]:
        attributes = heard.attributes
        yield from (self.region_of_asn[asn] for asn in set(attributes.as_path.asns) if asn in self.region_of_asn)
        for community in attributes.communities:
            if (heard.prefix, community) in self.region_of_tag:
                yield self.region_of_tag[heard.prefix, community]
        placed = self.placed.get(heard.prefix, set())
        if len(placed) == 1:
            yield from placed
        elif not placed and heard.prefix.prefixlen >= 8:
            for name, addresses in self.addresses.items():
                if any(address.version == heard.prefix.version and address in heard.prefix for address in addresses):
                    yield name


def marks(regions: tuple[FoundRegion, ...], sites: tuple[FoundSite, ...]) -> Marks:
    """Find each region's marks in what the sites' routers hear."""
    evidence = Evidence(regions)
    heard = [each for site in sites for each in heard_at(site)]
    owners: dict[Community, set[str]] = defaultdict(set)
    seen: set[Community] = set()
    for each in heard:
        owner = evidence.region(each.route)
        for community in each.route.attributes.communities:
            seen.add(community)
            if owner is not None:
                owners[community].add(owner)
    sole = {community: next(iter(names)) for community, names in owners.items() if len(names) == 1}
    regional = {community for community in seen if _regional(community)}
    sole |= _remaining(regions, regional, sole)
    found = [_region(region, sole, regional, evidence, heard) for region in regions]
    return Marks(
        tuple(each for each, _ in found),
        tuple((each.name, why) for each, why in found),
        tuple(sorted(regional - sole.keys())),
    )


def heard_at(site: FoundSite) -> Iterator[Heard]:
    """Yield what a site's own feed hears from its peers."""
    for session in up(site.exporter.sessions) if site.exporter else ():
        assert session.peer is not None
        yield from (Heard(session.peer, route) for route in session.routes)


def chosen_at(site: FoundSite) -> tuple[SeenRoute, ...]:
    """Return the best paths that a site's router told the collector."""
    session: SeenSession | None = site.chosen
    return session.routes if session is not None else ()


def _regional(community: Community) -> bool:
    return community >> 16 == EXPRESS_ROUTE and community & 0xFFFF in REGIONAL


def _remaining(
    regions: Iterable[FoundRegion], regional: set[Community], sole: dict[Community, str]
) -> dict[Community, str]:
    """With one region and one regional community left over, they belong together."""
    taken = {sole[community] for community in regional if community in sole}
    names = [region.name for region in regions if region.name not in taken]
    left = [community for community in regional if community not in sole]
    return {left[0]: names[0]} if len(names) == len(left) == 1 else {}


def _region(
    region: FoundRegion, sole: dict[Community, str], regional: set[Community], evidence: Evidence, heard: list[Heard]
) -> tuple[Region, str]:
    ours = sorted(community for community, name in sole.items() if name == region.name)
    azure = tuple(community for community in ours if community in regional)
    tags = tuple(community for community in ours if community not in regional and community in evidence.own)
    asns = sorted({nva.asn for nva in region.nvas} & evidence.region_of_asn.keys())
    survive = [asn for asn in asns if any(_survives(asn, each.route.attributes) for each in heard)]
    path = f"(^| )({'|'.join(map(str, survive))})$" if len(survive) > 1 else f"(^| ){survive[0]}$" if survive else None
    hops: tuple[Address, ...] = ()
    if not azure and not tags and path is None:
        hops = _next_hops(region.name, evidence, heard)
    recognition = Recognition(communities=azure or tags, next_hops=tuple(ip_network(hop) for hop in hops), as_path=path)
    return Region(region.name, (), (), recognition), _why(recognition, bool(azure))


def _survives(asn: int, attributes: Attributes) -> bool:
    path = attributes.as_path.asns
    return ROUTE_SERVER in path and bool(path) and path[-1] == asn


def _next_hops(name: str, evidence: Evidence, heard: list[Heard]) -> tuple[Address, ...]:
    """Return next hops over which this region's routes come, and no other's."""
    owners: dict[Address, set[str | None]] = defaultdict(set)
    for each in heard:
        if each.route.attributes.next_hop is not None and each.route.prefix in evidence.placed:
            owners[each.route.attributes.next_hop].add(evidence.region(each.route))
    return tuple(sorted((hop for hop, names in owners.items() if names == {name}), key=address_order))


def _why(recognition: Recognition, azure: bool) -> str:
    if azure:
        return "the community stands on this region's routes at every site, and on no other's"
    if recognition.communities:
        return "set by this region's NVAs and by no other's; no regional community of ExpressRoute is heard"
    if recognition.next_hops:
        return "no community tells this region from others; its routes come over these next hops, and no other's do"
    return "AS paths survive" if recognition.as_path else ""
