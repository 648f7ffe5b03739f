"""What an intent file may say, but probably should not: each lint names its consequence.

What Azure does is from Microsoft's pages "Azure Route Server FAQ", "ExpressRoute routing requirements" and "Azure
subscription and service limits", as read in August 2026.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TypeAlias

from anycast.finding import Kind
from anycast.intent import ROUTE_SERVER, Role
from anycast.prefix import Address, Prefix
from collector.written.problem import KeyPath
from collector.written.words import listed
from pipeline.config.crosscheck import Located, clear_host, covered, is_loopback, reporting, service_prefixes
from pipeline.config.models import IntentFile, PlacementPart, RegionPart, ServicePart, SitePart
from pipeline.config.shape import Complaint

Lint: TypeAlias = Callable[[IntentFile, Path], Iterator[Complaint]]

EXPORTERS: tuple[KeyPath, ...] = (("exporters",),)
PEER_SLOTS = 8  # of one Route Server; the collector takes one
PRIVATE_ASNS = (range(64512, 65535), range(4_200_000_000, 4_294_967_295))  # RFC 6996
SECURITY = (  # somebody may be taking traffic away: telling late is telling too late
    Kind.UNEXPECTED_ORIGIN,
    Kind.UNEXPECTED_REGION,
    Kind.UNEXPECTED_NEXT_HOP,
    Kind.MORE_SPECIFIC,
)


def plan_overlaps(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Service prefixes inside a VNet are not injected; those that touch on-premises space collide with it."""
    plan = file.address_plan
    ranges: dict[KeyPath, str] = {}
    places: list[Located] = []
    for key, what in (("vnet", "VNet range"), ("on_premises", "on-premises range")):
        for number, prefix in enumerate(getattr(plan, key)):
            ranges["address_plan", key, number] = what
            places.append((("address_plan", key, number), prefix))
    for (outer, cover), (inner, prefix) in covered([*places, *service_prefixes(file)]):
        if inner[0] == "services" and outer in ranges:
            why = {
                "VNet range": "Route Server does not inject a prefix equal to or longer than a VNet range",
                "on-premises range": "on-premises routers have routes of their own there",
            }[ranges[outer]]
            yield Complaint(inner, f"{prefix} is inside the {ranges[outer]} {cover}; {why}; choose another prefix")
        elif inner in ranges and outer[0] == "services" and ranges[inner] == "on-premises range":
            why = "its more specific routes take that part of the service's traffic"
            yield Complaint(outer, f"{cover} covers the on-premises range {prefix}; {why}; choose another prefix")


def default_routes(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A watched default route covers everything."""
    for path, prefix in service_prefixes(file):
        if prefix.prefixlen == 0:
            said = f"{prefix} is the default route: every route lies inside it, so all of them are watched and judged"
            yield Complaint(path, f"{said}; watch the service's own prefix")


def stripped_prepends(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """ExpressRoute strips private AS numbers, and a prepend of them with the rest."""
    for name, service, region, placement in _placements(file):
        part = file.regions.get(region)
        asn = next((nva.asn for nva in part.nvas.values() if _private(nva.asn)), None) if part else None
        if part is None or asn is None or placement.prepend == 0 or not _only_marked(part):
            continue
        sites = [site for site, place in file.sites.items() if region in _regions(_tiers(service, site, place))]
        if sites:
            where = listed(sites, "and")
            yield Complaint(
                ("services", name, "regions", region, "prepend"),
                f"ExpressRoute strips the private AS {asn} and the prepend with it, so {where} will not see it; "
                "prefer by LOCAL_PREF on the region's community there (`local_pref`), or prepend a public AS",
                rests_on=(("regions", region),),
            )


def _only_marked(part: RegionPart) -> bool:
    """Whether a region is recognised without its AS path: then the path does not survive on the way to sites."""
    marks = part.recognise
    return marks.as_path is None and bool(marks.communities or marks.next_hops or marks.peers)


def unmarked_backups(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A backup that looks like an active region draws traffic."""
    for name, service, region, placement in _placements(file):
        marked = placement.prepend or placement.communities or placement.med is not None
        if placement.role is not Role.BACKUP or marked:
            continue
        actives = [other for other, about in service.regions.items() if about.role is Role.ACTIVE]
        undecided = [site for site, place in file.sites.items() if not _prefers(place, actives, region)]
        if undecided or not file.sites:
            yield Complaint(
                ("services", name, "regions", region),
                "is a backup by nothing that a router could see; write its prepend, communities or med, "
                "or the `local_pref` by which every site prefers the active regions",
                rests_on=(("sites",),),
            )


def _prefers(site: SitePart, actives: list[str], backup: str) -> bool:
    default = 100  # LOCAL_PREF where no policy sets one, on most routers
    return all(site.local_pref.get(active, default) > site.local_pref.get(backup, default) for active in actives)


def thin_regions(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """One NVA or one instance is no redundancy; too many do not fit."""
    used = {region for _, _, region, _ in _placements(file)}
    for name, part in file.regions.items():
        path: KeyPath = ("regions", name)
        if len(part.nvas) == 1 and name in used:
            yield Complaint((*path, "nvas"), "holds a single NVA: the region falls with it; name two or more")
        if len(part.nvas) + 1 > PEER_SLOTS:
            said = f"holds {len(part.nvas)} NVAs, and Route Server takes {PEER_SLOTS} peers, the collector included"
            said += "; let some of them speak through one that keeps next hops"
            yield Complaint((*path, "nvas"), said)
        if part.route_server is None:
            said = "has no Route Server instance, so what Route Server holds is not watched; add `route_server`"
            yield Complaint(path, said, on_key=True)
        elif len(part.route_server.instances) != 2:
            said = f"holds {len(part.route_server.instances)} of Azure's two instances"
            said += "; name both, for both must learn the same routes"
            yield Complaint((*path, "route_server", "instances"), said)
        if part.route_server is not None and part.route_server.asn != ROUTE_SERVER:
            said = f"AS {part.route_server.asn} is not Azure's; its Route Servers are always AS {ROUTE_SERVER}"
            yield Complaint((*path, "route_server", "asn"), said)


def unrecognised_regions(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A site cannot land on a region that nothing tells apart."""
    listing: dict[str, list[str]] = {}
    for site, place in file.sites.items():
        for region in dict.fromkeys(_regions(place.tiers)):
            listing.setdefault(region, []).append(site)
    for name, part in file.regions.items():
        marks = part.recognise
        sites = listing.get(name, [])
        if sites and not (marks.communities or marks.next_hops or marks.peers or marks.as_path):
            said = f"has no `recognise`, so at {listed(sites, 'and')} its routes cannot be told from other regions'"
            yield Complaint(("regions", name), f"{said}; write its community, such as 12076:51002", on_key=True)
    yield from _shared_marks(file)


def _shared_marks(file: IntentFile) -> Iterator[Complaint]:
    first: dict[tuple[str, object], str] = {}
    for name, part in file.regions.items():
        for key in ("communities", "peers", "next_hops"):
            for number, mark in enumerate(getattr(part.recognise, key)):
                other = first.setdefault((key, mark), name)
                if other != name:
                    said = f"recognises region {other}, too; a mark tells one region from all others"
                    yield Complaint(("regions", name, "recognise", key, number), said)


def contradictory_sites(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A region that must never serve a site, and is in its tiers."""
    for name, part in file.sites.items():
        for number, region in enumerate(part.never):
            if region in _regions(part.tiers):
                said = f"{region} must never serve {name}, and is in its tiers; take it out of one of them"
                yield Complaint(("sites", name, "never", number), said)
    for service, about in file.services.items():
        for site, tiers in about.tiers.items():
            for region in _regions(tiers):
                if site in file.sites and region in file.sites[site].never:
                    said = f"{region} must never serve {site} (`never` there), and is in these tiers; take it out"
                    yield Complaint(("services", service, "tiers", site), said)


def ipv6_over_route_server(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Route Server does not carry IPv6."""
    carried = {name for name, part in file.regions.items() if part.route_server is not None}
    for path, prefix in service_prefixes(file):
        if prefix.version == 6 and carried & file.services[str(path[1])].regions.keys():
            yield Complaint(
                path, f"{prefix} is IPv6, which Azure Route Server does not support; it will not be injected"
            )
    for name, part in file.regions.items():
        for instance, address in part.route_server.instances.items() if part.route_server else ():
            if address.version == 6:
                path = ("regions", name, "route_server", "instances", instance)
                yield Complaint(path, f"{address} is IPv6, and Azure Route Server peers over IPv4 only; write that")


def slow_alarms(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Holding back what may be a hijack."""
    for kind, held in file.hold_downs.items():
        if kind in SECURITY and held.open is not None and held.open > timedelta(0):
            said = f"holds back {kind}, which may be a hijack, for {held.open.total_seconds():g} s; write 0s"
            yield Complaint(("hold_downs", str(kind), "open"), said)


def open_doors(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """What crosses the network in the clear or unguarded."""
    for name, receiver in file.receivers.items():
        host = clear_host(receiver.webhook)
        if receiver.plain_http and host is not None:
            said = f"sends findings in the clear to {host}, as plain_http allows; use https"
            yield Complaint(("receivers", name, "webhook"), said)
        elif receiver.plain_http:
            said = "allows what this webhook does not need; leave it out"
            yield Complaint(("receivers", name, "plain_http"), said)
        if receiver.secret_file is not None and not (folder / receiver.secret_file).is_file():
            said = f"{receiver.secret_file} is not there; write the key into it before Catchment runs"
            yield Complaint(("receivers", name, "secret_file"), said)
    host = file.listen.http[0]
    if not is_loopback(host):
        said = f"the API asks for no password and listens on {host}; listen on 127.0.0.1 and put a proxy before it"
        yield Complaint(("listen", "http"), said)


def agents_cannot_come(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Files that are not there, or are read by others; an address to report to that no agent uses."""
    needed: list[tuple[KeyPath, str, str]] = []
    if file.agents is not None:
        how = "`catchment agents enrol` makes it"
        needed += [(("agents", "certificate"), file.agents.certificate, how), (("agents", "key"), file.agents.key, how)]
        key = folder / file.agents.key
        if key.is_file() and key.stat().st_mode & 0o077:
            yield Complaint(("agents", "key"), f"others can read {file.agents.key}; take that away (chmod 600)")
    for path, agent in reporting(file):
        needed.append(((*path, "token_file"), agent.token_file, f"`catchment agents enrol {path[-2]}` makes it"))
    if file.agent is not None:
        needed.append((("agent",), file.agent, "write it before Catchment runs; examples/agent.yaml shows one"))
    for path, name, how in needed:
        if not (folder / name).is_file():
            yield Complaint(path, f"{name} is not there; {how}")
    if file.listen.agents is not None and not any(reporting(file)):
        said = "lets agents in, and no site has one; write `agent: {token_file: ...}` at those that do"
        yield Complaint(("listen", "agents"), said, rests_on=(("sites",),))


def servers_get_nothing(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Tokens that are not there, or are read by others; points that are thrown away before they can be sent."""
    for number, part in enumerate(file.influx):
        path: KeyPath = ("influx", number)
        for key, name in (("token_file", part.token_file), ("ca_file", part.ca_file)):
            if name is not None and not (folder / name).is_file():
                yield Complaint((*path, key), f"{name} is not there; write it before Catchment runs")
        token = folder / part.token_file if part.token_file else None
        if token is not None and token.is_file() and token.stat().st_mode & 0o077:
            yield Complaint((*path, "token_file"), f"others can read {part.token_file}; take that away (chmod 600)")
        host = clear_host(part.url)
        if part.plain_http and host is not None:
            said = f"sends the token in the clear to {host}, as plain_http allows; use https"
            yield Complaint((*path, "url"), said)
    if file.influx and file.storage.points.keep > file.storage.routes:
        said = "is longer than `storage.routes`, after which a whole day goes, points and all"
        yield Complaint(("storage", "points", "keep"), said)


def deaf_listeners(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """Listening for BMP where a router cannot reach it."""
    host, port = file.listen.bmp
    here = ip_address(host)
    for name, exporter in file.exporters.items():
        if not any(_reaches(source, here) for source in exporter.addresses):
            why = "this machine's own" if here.is_loopback else f"IPv{here.version}"
            every = "[::]" if exporter.addresses[0].version == 6 else "0.0.0.0"
            source = str(exporter.addresses[0]).removesuffix("/32").removesuffix("/128")
            said = f"{host} is {why}, so {name} ({source}) cannot reach it; listen on {every}:{port}"
            yield Complaint(("listen", "bmp"), f"{said}, or on the address that it connects to", rests_on=EXPORTERS)
            return


def _reaches(source: Prefix, here: Address) -> bool:
    return source.version == here.version and (source.is_loopback or not here.is_loopback)


def sleeping_timers(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A hold time of 0 means that a silent peer is never noticed."""
    places: list[tuple[KeyPath, int | None]] = [
        (("timers", key), getattr(file.timers, key)) for key in type(file.timers).model_fields
    ]
    places += [(("vantages", name, "hold_time"), part.hold_time) for name, part in file.vantages.items()]
    for path, seconds in places:
        if seconds == 0:
            yield Complaint(
                path, "a hold time of 0 never notices a silent peer; write 180, or less to fail over faster"
            )


def nothing_to_do(file: IntentFile, folder: Path) -> Iterator[Complaint]:
    """A file that watches nothing, or that nobody feeds."""
    if not file.services:
        said = "is empty, so nothing is watched; write a service with its prefix and regions, or let routers connect"
        yield Complaint(("services",), f"{said} and have `catchment learn` write the file from what is seen")
    if not file.exporters:
        yield Complaint(("exporters",), "is empty, so no router may connect; write the collector's GoBGP at least")
    collectors = [name for name, part in file.exporters.items() if part.collector]
    if file.exporters and not collectors:
        said = "holds no collector, so neither NVAs nor Route Servers are watched; add `collector: true` to its GoBGP"
        yield Complaint(("exporters",), said, on_key=True)
    placed = {region for service in file.services.values() for region in service.regions}
    for name, site in file.sites.items():
        if placed and site.tiers and placed.isdisjoint(_regions(site.tiers)):
            said = "holds no region that any service is placed in; name one that is"
            yield Complaint(("sites", name, "tiers"), said, rests_on=(("services",),))


def _placements(file: IntentFile) -> Iterator[tuple[str, ServicePart, str, PlacementPart]]:
    for name, service in file.services.items():
        for region, placement in service.regions.items():
            yield name, service, region, placement


def _tiers(service: ServicePart, name: str, site: SitePart) -> list[list[str]]:
    return service.tiers.get(name, site.tiers)


def _regions(tiers: list[list[str]]) -> list[str]:
    return [region for tier in tiers for region in tier]


def _private(asn: int) -> bool:
    return any(asn in numbers for numbers in PRIVATE_ASNS)


LINTS: tuple[Lint, ...] = (
    plan_overlaps,
    default_routes,
    stripped_prepends,
    unmarked_backups,
    thin_regions,
    unrecognised_regions,
    contradictory_sites,
    ipv6_over_route_server,
    slow_alarms,
    open_doors,
    agents_cannot_come,
    servers_get_nothing,
    deaf_listeners,
    sleeping_timers,
    nothing_to_do,
)
