"""What does not fit together: names that nobody has, addresses that two have, numbers out of range."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from ipaddress import ip_address
from operator import or_
from typing import TypeAlias
from urllib.parse import urlsplit

from anycast.prefix import Address, Prefix, inside
from collector.written.document import Tree
from collector.written.problem import KeyPath, key_text
from collector.written.words import nearest
from pipeline.config.models import IntentFile, PlacementPart, SiteAgentPart
from pipeline.config.shape import Complaint, Shaped
from pipeline.config.vantages import routers, settled

# azure.md 1.1: Route Server takes 16-bit AS numbers only, and these it refuses.
RESERVED: tuple[tuple[range, str], ...] = (
    (range(8074, 8076), "belongs to Microsoft"),
    (range(12076, 12077), "belongs to Microsoft (ExpressRoute)"),
    (range(65515, 65516), "is Route Server's own"),
    (range(65517, 65521), "is reserved by Azure"),
    (range(23456, 23457), "is AS_TRANS"),
    (range(64496, 64512), "is for documentation"),
    (range(65535, 65552), "is reserved by IANA"),
)


SHORTEST_TIMEOUT, LONGEST_TIMEOUT = timedelta(milliseconds=100), timedelta(minutes=2)
SHORTEST_SAMPLE, LONGEST_SAMPLE = timedelta(seconds=1), timedelta(minutes=5)


@dataclass(frozen=True)
class Declared:
    """The names that the file gives under one key."""

    names: Collection[str] = ()
    whole: bool = True
    """False where something there could not be read: a name that is not among them may be there."""

    def lacks(self, name: str) -> bool:
        """Whether a name is certainly not there."""
        return self.whole and name not in self.names

    def __or__(self, other: "Declared") -> "Declared":
        return Declared((*self.names, *other.names), self.whole and other.whole)


@dataclass(frozen=True)
class Names:
    """The names that the file declares, also those of parts that are left out because something is wrong in them."""

    form: Shaped

    def under(self, *path: str) -> Declared:
        """Return the names under a path, in the order of the file."""
        tree: Tree = self.form.spelt
        for size, part in enumerate((*path, None)):
            if not isinstance(tree, dict):
                return Declared((), False)
            here = self.form.original(path[:size])
            whole = here not in self.form.gaps and (bool(tree) or here not in self.form.stand_ins)
            if part is None:
                return Declared(tuple(tree), whole)
            if part not in tree:
                return Declared((), whole and self.form.original((*path[:size], part)) not in self.form.stand_ins)
            tree = tree[part]
        raise AssertionError("the loop ends with the path")

    def every(self, *path: str) -> Declared:
        """Return the names under a path in which `*` stands for every name there."""
        if "*" not in path:
            return self.under(*path)
        star = path.index("*")
        holders = self.under(*path[:star])
        every = (self.every(*path[:star], name, *path[star + 1 :]) for name in holders.names)
        return reduce(or_, every, Declared((), holders.whole))


Located: TypeAlias = tuple[KeyPath, Prefix]
Check: TypeAlias = Callable[[IntentFile, Names], Iterator[Complaint]]


def _known(path: KeyPath, name: str, known: Declared, what: str, on_key: bool = False) -> Iterator[Complaint]:
    if known.lacks(name):
        there = nearest(name, known.names)
        if not there and 0 < len(known.names) <= 8:
            there = f"; there {'are' if len(known.names) > 1 else 'is only'} {', '.join(known.names)}"
        yield Complaint(path, f"{name} is no {what}{there}", on_key)


def _all_known(path: KeyPath, values: Iterable[str], known: Declared, what: str) -> Iterator[Complaint]:
    for number, name in enumerate(values):
        yield from _known((*path, number), name, known, what)


def _tiers(path: KeyPath, tiers: list[list[str]], known: Declared, what: str) -> Iterator[Complaint]:
    seen: set[str] = set()
    for number, tier in enumerate(tiers):
        for place, region in enumerate(tier):
            here = (*path, number, place)
            yield from _known(here, region, known, what)
            if region in seen:
                yield Complaint(here, f"{region} stands in the tiers twice; keep the better place")
            seen.add(region)


def services_name_what_exists(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Regions, NVAs and sites that a service speaks of."""
    for name, service in file.services.items():
        path: KeyPath = ("services", name)
        if (service.prefix is None) != bool(service.prefixes):
            said = "needs either `prefix: 10.250.0.10/32` or `prefixes: [...]`"
            said += ", not both" if service.prefixes else ""
            moot: tuple[KeyPath, ...] = (path, (*path, "prefix"), (*path, "prefixes"))
            yield Complaint(path, said, on_key=True, moot=moot)
        for region, placement in service.regions.items():
            here = (*path, "regions", region)
            yield from _known(here, region, names.under("regions"), "region of this file", on_key=True)
            if region in names.under("regions").names:
                yield from _nvas(here, placement, region, names.under("regions", region, "nvas"))
        for site, tiers in service.tiers.items():
            yield from _known((*path, "tiers", site), site, names.under("sites"), "site of this file", on_key=True)
            placed = names.under(*map(str, path), "regions")
            yield from _tiers((*path, "tiers", site), tiers, placed, "region of this service")


def _nvas(path: KeyPath, placement: PlacementPart, region: str, known: Declared) -> Iterator[Complaint]:
    wanted = placement.nvas
    if known.whole and not known.names:
        yield Complaint(path, f"region {region} has no NVA that could advertise; write it under regions.{region}.nvas")
    elif isinstance(wanted, int) and known.whole and wanted > len(known.names):
        said = f"{wanted} is more NVAs than region {region} has; it has {len(known.names)}"
        yield Complaint((*path, "nvas"), said)
    elif isinstance(wanted, tuple):
        yield from _all_known((*path, "nvas"), wanted, known, f"NVA of region {region}")


def sites_name_what_exists(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Regions that a site speaks of."""
    regions, what = names.under("regions"), "region of this file"
    for name, site in file.sites.items():
        path: KeyPath = ("sites", name)
        yield from _tiers((*path, "tiers"), site.tiers, regions, what)
        yield from _all_known((*path, "never"), site.never, regions, what)
        for region in site.local_pref:
            yield from _known((*path, "local_pref", region), region, regions, what, on_key=True)


def windows_make_sense(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Maintenance of things that exist, ending after it begins."""
    for number, window in enumerate(file.maintenance):
        path: KeyPath = ("maintenance", number)
        if window.end <= window.start:
            yield Complaint((*path, "to"), f"the window ends before it begins ({window.start.isoformat()}); swap them")
        yield from _all_known((*path, "services"), window.services, names.under("services"), "service of this file")
        yield from _all_known((*path, "regions"), window.regions, names.under("regions"), "region of this file")
        yield from _all_known((*path, "sites"), window.sites, names.under("sites"), "site of this file")


def names_are_used_once(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """NVAs, instances and edge routers have names of their own in the whole file: findings go by them."""
    first: dict[str, KeyPath] = {}
    for path in _named(names):
        name = str(path[-1])
        if name in first:
            yield Complaint(path, f"{name} is the name of {key_text(first[name])} already; choose another", on_key=True)
        first.setdefault(name, path)


def _named(names: Names) -> Iterator[KeyPath]:
    for region in names.under("regions").names:
        for instance in names.under("regions", region, "route_server", "instances").names:
            yield ("regions", region, "route_server", "instances", instance)
        for nva in names.under("regions", region, "nvas").names:
            yield ("regions", region, "nvas", nva)
    for site in names.under("sites").names:
        for router in names.under("sites", site, "routers").names:
            yield ("sites", site, "routers", router)


def addresses_are_used_once(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """A collector's peers are told apart by address."""
    first: dict[Address, KeyPath] = {}
    for path, address in _addresses(file):
        if address in first:
            yield Complaint(path, f"{address} is the address of {key_text(first[address])} already; each has its own")
        first.setdefault(address, path)


def _addresses(file: IntentFile) -> Iterator[tuple[KeyPath, Address]]:
    for region, part in file.regions.items():
        for instance, address in part.route_server.instances.items() if part.route_server else ():
            yield ("regions", region, "route_server", "instances", instance), address
        for nva, about in part.nvas.items():
            yield ("regions", region, "nvas", nva, "address"), about.address
    for site, place in file.sites.items():
        for router, address in place.routers.items():
            yield ("sites", site, "routers", router), address


def as_numbers_are_usable(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Route Server refuses some AS numbers of its peers."""
    for region, part in file.regions.items():
        for nva, about in part.nvas.items():
            path: KeyPath = ("regions", region, "nvas", nva, "asn")
            yield from _usable(path, about.asn)
    for name, exporter in file.exporters.items():
        if exporter.asn is not None and exporter.collector:
            yield from _usable(("exporters", name, "asn"), exporter.asn)


def _usable(path: KeyPath, asn: int) -> Iterator[Complaint]:
    why = next((why for numbers, why in RESERVED if asn in numbers), None)
    if why is None and asn > 0xFFFF:
        why = "has more than 16 bits"
    if why is not None:
        yield Complaint(path, f"AS {asn} {why}, so Route Server refuses it; use another, such as 65010")


def exporters_are_somebody(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Every exporter is a collector, a site's router, or named by a vantage; its address is nobody else's.

    Before there is any service there is nothing to be somebody for: such a file is there to learn from.
    """
    sites, written = routers(file), {part.exporter for part in file.vantages.values()}
    declared = names.every("sites", "*", "routers")
    services = names.under("services")
    rests_on: tuple[KeyPath, ...] = tuple(("vantages", name, "exporter") for name in file.vantages)
    for name, exporter in file.exporters.items():
        path: KeyPath = ("exporters", name)
        if exporter.collector and name in sites:
            said = f"cannot be the collector and a router of site {sites[name]} at once; name one of them otherwise"
            yield Complaint(path, said, on_key=True)
        somebody = exporter.collector or not declared.lacks(name) or name in written
        if not somebody and (services.names or not services.whole):
            said = "is neither a collector nor a router of a site, and no vantage names it"
            meant = nearest(name, declared.names) or "; add `collector: true`, or name it as its router under `sites`"
            yield Complaint(path, said + meant, on_key=True, moot=(path, ("vantages",)), rests_on=rests_on)
        yield from _reach(path, "regions", exporter.regions, exporter.collector, names)
        yield from _reach(path, "sites", exporter.sites, exporter.collector, names)
    yield from _addresses_apart(file)


def _reach(path: KeyPath, key: str, reach: list[str] | None, collector: bool, names: Names) -> Iterator[Complaint]:
    if reach is not None and not collector:
        said = "only a collector peers with what is named here; leave it out"
        yield Complaint((*path, key), said, on_key=True, moot=((*path, "collector"),))
    yield from _all_known((*path, key), reach or (), names.under(key), f"{key.removesuffix('s')} of this file")


def _addresses_apart(file: IntentFile) -> Iterator[Complaint]:
    sources: list[Located] = [
        (("exporters", name, "addresses", number), source)
        for name, exporter in file.exporters.items()
        for number, source in enumerate(exporter.addresses)
    ]
    for (first, one), (path, other) in covered(sources):
        yield Complaint(path, f"{other} overlaps {key_text(first)} ({one}); a connection must have one meaning")


def prefixes_are_apart(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """No address belongs to two service prefixes."""
    for (first, one), (path, other) in covered(service_prefixes(file)):
        if one == other:
            yield Complaint(path, f"{other} is watched already, as {key_text(first)}; keep one")
        else:
            yield Complaint(path, f"{other} overlaps {key_text(first)} ({one}); services must not share addresses")


def covered(places: Sequence[Located]) -> Iterator[tuple[Located, Located]]:
    """Yield each pair of prefixes that overlap, the covering one first (of equal ones, the first of the file)."""
    over: list[Located] = []
    for path, prefix in sorted(places, key=lambda at: (at[1].version, int(at[1].network_address), at[1].prefixlen)):
        while over and not inside(prefix, over[-1][1]):
            over.pop()
        yield from ((each, (path, prefix)) for each in over)
        over.append((path, prefix))


def service_prefixes(file: IntentFile) -> list[Located]:
    """Return every service prefix with its key path."""
    return [
        (("services", name, *key), prefix)
        for name, service in file.services.items()
        for key, prefix in service.every_prefix
    ]


def vantages_are_clear(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """A written vantage names what exists, and one session."""
    regions = names.under("regions")
    known = {
        "region": regions,
        "nva": names.every("regions", "*", "nvas"),
        "instance": names.every("regions", "*", "route_server", "instances"),
        "site": names.under("sites"),
    }
    for name, part in file.vantages.items():
        path: KeyPath = ("vantages", name)
        yield from _known((*path, "exporter"), part.exporter, names.under("exporters"), "exporter of this file")
        yield from _all_known((*path, "expects"), part.expects or (), regions, "region of this file")
        for key, there in known.items():
            value = getattr(part, key)
            if value is not None:
                yield from _known((*path, key), value, there, f"{'NVA' if key == 'nva' else key} of this file")
    yield from settled(file).complaints


def numbers_make_sense(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Thresholds in order, and two listeners on two ports."""
    low, high = file.thresholds.limit_warning or 0.8, file.thresholds.limit_major or 0.95
    if low >= high:
        path: KeyPath = ("thresholds", "limit_warning" if file.thresholds.limit_warning else "limit_major")
        said = f"the warning ({low:g}) must come before the major finding ({high:g}); write less"
        yield Complaint(path, said, moot=(("thresholds", "limit_warning"), ("thresholds", "limit_major")))
    if _same_door(file.listen.bmp, file.listen.http):
        said = "BMP listens there already; choose another port"
        yield Complaint(("listen", "http"), said, moot=(("listen", "bmp"), ("listen", "http")))


def agents_are_let_in_or_not(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """An address to report to, a certificate, and sites with tokens: all or none; on a port of its own."""
    listens = file.listen.agents is not None
    here: tuple[KeyPath, ...] = (("listen", "agents"), ("agents",), ("listen",))
    if listens and file.agents is None:
        said = (
            "needs `agents: {certificate: ..., key: ...}`, by which agents know us; `catchment agents enrol` makes both"
        )
        yield Complaint(("listen", "agents"), said, on_key=True, moot=here)
    if not listens and file.agents is not None:
        said = "lets nobody in; write where agents report as `listen.agents`, such as 0.0.0.0:8471"
        yield Complaint(("agents",), said, on_key=True, moot=here)
    for path, _ in reporting(file):
        if not listens:
            said = "has nowhere to report to; write where agents do as `listen.agents`, such as 0.0.0.0:8471"
            yield Complaint(path, said, on_key=True, moot=here)
        if path[0] == "regions" and path[3] in file.sites:
            said = f"reports under the name of the site {path[3]}; give the NVA or the site another name"
            yield Complaint(path, said, on_key=True)
    for other in ("bmp", "http"):
        if file.listen.agents is not None and _same_door(file.listen.agents, getattr(file.listen, other)):
            what = {"bmp": "BMP", "http": "the console"}[other]
            said = f"{what} listens there already; choose another port"
            yield Complaint(("listen", "agents"), said, moot=(("listen", other), ("listen", "agents")))


def reporting(file: IntentFile) -> Iterator[tuple[KeyPath, SiteAgentPart]]:
    """Yield where the file says that something reports, under the name before the last part: sites and NVAs."""
    for name, site in file.sites.items():
        if site.agent is not None:
            yield ("sites", name, "agent"), site.agent
    for region, part in file.regions.items():
        for name, nva in part.nvas.items():
            if nva.agent is not None:
                yield ("regions", region, "nvas", name, "agent"), nva.agent


def _same_door(one: tuple[str, int], other: tuple[str, int]) -> bool:
    (here, port), (there, same) = one, other
    return port == same != 0 and (here == there or bool({here, there} & {"0.0.0.0", "::"}))


def receivers_are_reached_safely(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Findings leave this machine in the clear only where the file says that they may: the sender refuses it else."""
    for name, receiver in file.receivers.items():
        host = clear_host(receiver.webhook)
        if host is not None and not receiver.plain_http:
            said = f"would send findings in the clear to {host}; use https, or allow it with `plain_http: true`"
            yield Complaint(("receivers", name, "webhook"), said, moot=(("receivers", name, "plain_http"),))


def servers_are_reached_safely(file: IntentFile, names: Names) -> Iterator[Complaint]:
    """Servers of time series: each with a name of its own, over TLS, and with times that make sense."""
    seen: set[str] = set()
    for number, part in enumerate(file.influx):
        path: KeyPath = ("influx", number)
        if part.name in seen:
            said = f"two servers are called {part.name}; give each a name of its own"
            yield Complaint((*path, "name"), said, moot=(path,))
        seen.add(part.name)
        host = clear_host(part.url)
        if host is not None and not part.plain_http:
            said = f"would send the token in the clear to {host}; use https, or allow it with `plain_http: true`"
            yield Complaint((*path, "url"), said, moot=((*path, "plain_http"),))
        if not SHORTEST_TIMEOUT <= part.timeout <= LONGEST_TIMEOUT:
            yield Complaint((*path, "timeout"), "is no time to wait for an answer; write 100ms to 2m")
        if part.every is not None and not SHORTEST_SAMPLE <= part.every <= LONGEST_SAMPLE:
            yield Complaint((*path, "every"), "is no time between samples; write 1s to 5m")
        if part.every is not None and part.every.microseconds:
            yield Complaint((*path, "every"), "is no whole number of seconds; write 10s")
        for key in ("every", "series_cap"):
            value, first = getattr(part, key), getattr(file.influx[0], key)
            if number and value is not None and value != first:
                said = f"points are made once, for all servers; write `{key}` at the first, or the same there"
                yield Complaint((*path, key), said, moot=(("influx", 0),))


def clear_host(url: str) -> str | None:
    """Return the host beyond this machine to which a URL leads by http; None for any other."""
    parts = urlsplit(url)
    return parts.hostname if parts.scheme == "http" and not is_loopback(parts.hostname or "") else None


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


CHECKS: tuple[Check, ...] = (
    services_name_what_exists,
    sites_name_what_exists,
    windows_make_sense,
    names_are_used_once,
    addresses_are_used_once,
    as_numbers_are_usable,
    exporters_are_somebody,
    prefixes_are_apart,
    vantages_are_clear,
    numbers_make_sense,
    agents_are_let_in_or_not,
    receivers_are_reached_safely,
    servers_are_reached_safely,
)
