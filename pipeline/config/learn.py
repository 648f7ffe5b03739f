"""A first intent file from what a running collector sees: complete but for names, and for what nobody can see."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_network

from anycast.intent import ROUTE_SERVER, Recognition, Role, Rung
from anycast.observation import Rib
from anycast.prefix import Address, Prefix
from anycast.route import Community, community_text
from pipeline.config.customs import (
    FoundPlacement,
    FoundServices,
    FoundVantage,
    Landing,
    Tiers,
    heard_vantages,
    hold_time,
    hold_times,
    landing,
    services,
)
from pipeline.config.marks import Marks, marks
from pipeline.config.places import FoundRegion, FoundSite, Places, peer_asn, places
from pipeline.config.seen import Seen, SeenExporter, SeenRoute, SeenSession, seen_from_plain

MOST_RANGES = 50  # on-premises prefixes worth writing down one by one

HEAD = """\
# A first intent, written by `catchment learn` from what the collector saw. It says what IS; make it say what is MEANT:
# 1. Rename region-1, site-1, service-1 and so on, everywhere they stand.
# 2. Fill in each service's owner and traffic mode (proxy, dnat or dnat+snat): nobody can hear those.
# 3. Read what is marked with "?": it could not be seen.
# Then: catchment check THIS-FILE
catchment: 1
"""


def learn(seen: Seen) -> str:
    """Return the text of an intent file that describes what is seen. The same sight gives the same text."""
    found = places(seen)
    watched = services(found.regions)
    found = replace(found, sites=tuple(_trimmed(site, found.regions) for site in found.sites))
    known = marks(found.regions, found.sites)
    lands = {site.name: landing(site, watched.services, known) for site in found.sites}
    holds = hold_times(found)
    usual = _usual(holds)
    vantages = [
        *_timed_otherwise(found, usual),
        *(each for site in found.sites for each in heard_vantages(site, watched.services, known, usual[Rung.V5])),
    ]
    parts = (
        _listen(seen.listen),
        _services(watched, lands),
        _regions(found, known),
        _sites(found, lands),
        _exporters(found),
        _vantages(vantages),
        _plan(found),
        _timers(usual),
    )
    return HEAD + "".join("\n" + "".join(f"{line}\n" for line in part) for part in map(list, parts) if part)


def _trimmed(site: FoundSite, regions: tuple[FoundRegion, ...]) -> FoundSite:
    """Leave out what an edge router hears of the rest of the world: it may be a full table."""
    if site.exporter is None:
        return site
    advertised = {route.prefix for region in regions for nva in region.nvas for route in nva.session.routes}
    members = [session for region in regions for _, session in region.instances]
    members += [nva.session for region in regions for nva in region.nvas]
    holding = {
        ip_network((session.peer, length), strict=False)
        for session in members
        if session.peer is not None
        for length in range(session.peer.max_prefixlen + 1)
    }
    kept = advertised | holding
    sessions = (
        replace(each, routes=tuple(route for route in each.routes if route.prefix in kept))
        for each in site.exporter.sessions
    )
    return replace(site, exporter=replace(site.exporter, sessions=tuple(sessions)))


def _listen(where: Mapping[str, str]) -> Iterator[str]:
    """Where routers and people find the daemon now: they are to find it there again."""
    if where:
        quoted = {key: f'"{address}"' for key, address in where.items()}
        yield f"listen: {_flow(quoted)}"


def _services(watched: FoundServices, lands: Mapping[str, Landing | None]) -> Iterator[str]:
    yield "services:" if watched.services else "services: {} # ? no NVA was heard to advertise anything"
    for service in watched.services:
        yield f"  {service.name}:"
        yield f"    prefix: {service.prefix}"
        yield "    # owner: ?"
        yield "    # mode: ?"
        yield "    regions:"
        for placement in service.placements:
            yield f"      {placement.region}: {_placement(placement)}"
        own = {site: land.own[service.name] for site, land in lands.items() if land and service.name in land.own}
        if own:
            yield "    tiers: " + _flow({site: _tiers(tiers) for site, tiers in own.items()})
    for prefix, why in watched.left_out:
        yield f"  # ? left out: {prefix}, {why}"


def _placement(placement: FoundPlacement) -> str:
    parts = {"role": str(placement.role)}
    if not placement.everyone:
        parts["nvas"] = _list(placement.nvas)
    if placement.prepend:
        parts["prepend"] = str(placement.prepend)
    if placement.communities:
        parts["communities"] = _communities(placement.communities)
    if placement.med is not None:
        parts["med"] = str(placement.med)
    return _flow(parts) if len(parts) > 1 or placement.role is not Role.ACTIVE else str(placement.role)


def _regions(found: Places, known: Marks) -> Iterator[str]:
    yield "regions:" if found.regions else "regions: {} # ? no collector was seen that peers with NVAs or Route Servers"
    why = dict(known.why)
    recognitions = {region.name: region.recognition for region in known.regions}
    for region in found.regions:
        yield f"  {region.name}:"
        yield from _route_server(region)
        yield "    nvas:" if region.nvas else "    nvas: {} # ? no NVA was heard here"
        for nva in region.nvas:
            yield f"      {nva.name}: {{address: {_address(nva.address)}, asn: {nva.asn}}}"
        marked = _recognition(recognitions[region.name])
        if marked:
            yield f"    # {why[region.name]}"
            yield f"    recognise: {_flow(marked)}"
        else:
            yield '    # ? recognise: {communities: ["12076:..."]} # nothing heard at a site tells it from others'
    if known.adrift:
        yield f"  # ? heard, but not whose: {', '.join(map(community_text, known.adrift))}"


def _route_server(region: FoundRegion) -> Iterator[str]:
    if not region.instances:
        yield "    # ? route_server: {instances: {...}} # no Route Server was heard to hold these NVAs' routes"
        return
    instances = {name: _address(session.peer) for name, session in region.instances if session.peer is not None}
    yield f"    route_server: {{instances: {_flow(instances)}}}"


def _recognition(marked: Recognition) -> dict[str, str]:
    parts = {}
    if marked.communities:
        parts["communities"] = _communities(marked.communities)
    if marked.next_hops:
        parts["next_hops"] = _list(f'"{hop}"' for hop in marked.next_hops)
    if marked.as_path:
        parts["as_path"] = f'"{marked.as_path}"'
    return parts


def _sites(found: Places, lands: Mapping[str, Landing | None]) -> Iterator[str]:
    yield "sites:" if found.sites else "sites: {} # ? no edge router was seen"
    for site in found.sites:
        yield f"  {site.name}:"
        yield f"    routers: {_flow({site.router: _address(site.address)})}"
        land = lands[site.name]
        if land is None:
            yield "    # ? tiers: [[...]] # what this router chose for a service was not seen"
            continue
        yield f"    tiers: {_tiers(land.tiers)}"
        if land.local_pref:
            yield f"    local_pref: {_flow({region: str(value) for region, value in land.local_pref.items()})}"


def _exporters(found: Places) -> Iterator[str]:
    rows = [(name, exporter, True) for name, exporter in found.collectors]
    rows += [(site.router, site.exporter, False) for site in found.sites if site.exporter is not None]
    yield "exporters:" if rows else "exporters: {} # ? no router has connected"
    for name, exporter, collector in rows:
        parts = {"addresses": f"[{_address(exporter.address)}]", **({"collector": "true"} if collector else {})}
        yield f"  {name}: {_flow(parts)}"
    for session in found.strangers:
        yield f"  # ? the collector peers with {session.peer} (AS {peer_asn(session)}), which is nothing known"


def _vantages(vantages: list[FoundVantage]) -> Iterator[str]:
    if vantages:
        yield "vantages:"
    for vantage in vantages:
        parts = {"exporter": vantage.exporter, "peer": _address(vantage.peer), "rung": str(vantage.rung)}
        if vantage.rib is not Rib.ADJ_IN_PRE:
            parts["rib"] = str(vantage.rib)
        if vantage.expects:
            parts["expects"] = _list(vantage.expects)
        if vantage.hold_time is not None:
            parts["hold_time"] = str(vantage.hold_time)
        yield f"  {vantage.name}: {_flow(parts)}"


def _plan(found: Places) -> Iterator[str]:
    """What the Route Servers hold beside services: their VNets' ranges, and what they hear from sites."""
    routes = [route for region in found.regions for _, session in region.instances for route in session.routes]
    ours = {asn for site in found.sites if (asn := _site_asn(site.exporter, site.chosen)) is not None}
    vnets = _ordered(route.prefix for route in routes if set(route.attributes.as_path.asns) == {ROUTE_SERVER})
    sites = _ordered(route.prefix for route in routes if route.attributes.as_path.origin in ours)
    if not vnets and not sites:
        return
    yield "address_plan:"
    if vnets:
        yield f"  vnet: {_list(_range(prefix) for prefix in vnets)}"
    if 0 < len(sites) <= MOST_RANGES:
        yield f"  on_premises: {_list(_range(prefix) for prefix in sites)}"
    elif sites:
        yield f"  # ? on_premises: [...] # {len(sites)} prefixes come from sites; write the ranges that hold them"


def _site_asn(exporter: SeenExporter | None, chosen: SeenSession | None) -> int | None:
    if chosen is not None and chosen.remote is not None:
        return chosen.remote.asn
    own = {session.local.asn for session in exporter.sessions if session.local} if exporter else set()
    return own.pop() if len(own) == 1 else None


def _usual(holds: Mapping[Rung, Counter[int]]) -> dict[Rung, int | None]:
    """Return each rung's most frequent hold time (of equally frequent ones the longest)."""
    return {
        rung: max(counts, key=lambda hold: (counts[hold], hold)) if counts else None for rung, counts in holds.items()
    }


def _timed_otherwise(found: Places, usual: Mapping[Rung, int | None]) -> Iterator[FoundVantage]:
    """Yield the collector's own sessions whose hold time is not their rung's."""
    seats = [(nva.name, Rung.V1, nva.session) for region in found.regions for nva in region.nvas]
    seats += [(name, Rung.V2, session) for region in found.regions for name, session in region.instances]
    seats += [(site.router, Rung.V6, site.chosen) for site in found.sites if site.chosen is not None]
    owners = {id(session): name for name, exporter in found.collectors for session in exporter.sessions}
    for name, rung, session in seats:
        hold = hold_time(session)
        if hold is not None and hold != usual[rung] and session.peer is not None:
            collector = owners[id(session)]
            yield FoundVantage(f"{collector}/{name}", collector, session.peer, rung, (), hold)


def _timers(usual: Mapping[Rung, int | None]) -> Iterator[str]:
    known = {rung: hold for rung, hold in usual.items() if hold is not None}
    if not known:
        return
    if len(set(known.values())) == 1 and len(known) == len(usual):
        yield f"timers: {{hold: {next(iter(known.values()))}}}"
    else:
        yield f"timers: {_flow({str(rung): str(hold) for rung, hold in known.items()})}"


def _ordered(prefixes: Iterable[Prefix]) -> list[Prefix]:
    return sorted(set(prefixes), key=lambda each: (each.version, int(each.network_address), each.prefixlen))


def _address(address: Address | None) -> str:
    return f'"{address}"' if address is not None and address.version == 6 else str(address)


def _range(prefix: Prefix) -> str:
    return f'"{prefix}"' if prefix.version == 6 else str(prefix)


def _communities(communities: Iterable[Community]) -> str:
    return _list(f'"{community_text(community)}"' for community in communities)


def _tiers(tiers: Tiers) -> str:
    return _list(_list(tier) for tier in tiers)


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(items) + "]"


def _flow(parts: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"


__all__ = ["Seen", "SeenExporter", "SeenRoute", "SeenSession", "learn", "seen_from_plain"]
