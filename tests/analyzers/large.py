"""A network of the size that judging is measured on: 20 services, 4 regions, 20 sites."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address, ip_network

from analyzers.view import View
from anycast.intent import (
    EdgeRouter,
    Exporter,
    Instance,
    Intent,
    Nva,
    Placement,
    Recognition,
    Region,
    Rung,
    Service,
    Site,
    Vantage,
)
from anycast.observation import Announced, FeedOpened, Observation, Session, SessionUp, Source
from anycast.route import Asn, parse_community
from tests.analyzers.network import START, looks

SERVICES, REGIONS, SITES = 20, 4, 20


def large_intent() -> Intent:
    regions = tuple(
        Region(
            f"r{r}",
            tuple(Instance(f"r{r}-rs{n}", ip_address(f"10.{r}.255.{4 + n}")) for n in (0, 1)),
            tuple(Nva(f"r{r}-nva{n}", ip_address(f"10.{r}.1.{4 + n}"), Asn(65010 + r)) for n in (0, 1)),
            Recognition(communities=(parse_community(f"12076:5100{r}"),), as_path=f"{65010 + r}$"),
        )
        for r in range(REGIONS)
    )
    sites = tuple(
        Site(f"s{s}", (EdgeRouter(f"s{s}-ce1", ip_address(f"10.9.{s}.1")),), (("r0", "r1"), ("r2", "r3")))
        for s in range(SITES)
    )
    placements = tuple(Placement(region.name, nvas=tuple(nva.name for nva in region.nvas)) for region in regions)
    vantages = [
        Vantage(nva.name, "gobgp", nva.address, Rung.V1, whole=True, region=region.name, nva=nva.name)
        for region in regions
        for nva in region.nvas
    ]
    vantages += [
        Vantage(i.name, "gobgp", i.address, Rung.V2, whole=True, region=region.name, instance=i.name)
        for region in regions
        for i in region.instances
    ]
    for site in sites:
        vantages.append(Vantage(f"{site.name}-best", "gobgp", site.routers[0].address, Rung.V6, site=site.name))
        vantages.append(Vantage(f"{site.name}-ce1", f"{site.name}-ce1", None, Rung.V5, site=site.name))
    exporters = [Exporter("gobgp", (ip_network("127.0.0.1/32"),), collector=True)]
    exporters += [Exporter(f"{s.name}-ce1", (ip_network(f"{s.routers[0].address}/32"),), site=s.name) for s in sites]
    return Intent(
        services=tuple(Service(f"svc{n}", (ip_network(f"10.250.{n}.10/32"),), placements) for n in range(SERVICES)),
        regions=regions,
        sites=sites,
        exporters=tuple(exporters),
        vantages=tuple(vantages),
    )


def observations(intent: Intent) -> Iterator[Observation]:
    """Every route of every service on every session: 8 NVAs, 8 instances, and 8 MSEEs at each of 20 sites."""
    prefixes = intent.watched
    yield from (FeedOpened(START, exporter.name) for exporter in intent.exporters)
    for r, region in enumerate(intent.regions):
        for speaker, path in [(nva.address, (65010 + r,)) for nva in region.nvas] + [
            (instance.address, (65515, 65010 + r)) for instance in region.instances
        ]:
            yield from _session(Source(Session("gobgp", speaker)), prefixes, looks(*path, hop=str(speaker)))
    for s, site in enumerate(intent.sites):
        best = looks(12076, hop=f"172.16.{s}.1", marks=["12076:51000"], lp=200)
        yield from _session(Source(Session("gobgp", site.routers[0].address)), prefixes, best)
        for m in range(8):
            peer = f"172.16.{s}.{1 + m}"
            heard = looks(12076, hop=peer, marks=[f"12076:5100{m // 2}"])
            yield from _session(Source(Session(f"{site.name}-ce1", ip_address(peer))), prefixes, heard)


def _session(source: Source, prefixes: tuple, attributes: object) -> Iterator[Observation]:  # type: ignore[type-arg]
    yield SessionUp(START, source.session)
    for prefix in prefixes:
        yield Announced(START, source, prefix, attributes)  # type: ignore[arg-type]


def large_view(intent: Intent) -> View:
    view = View(intent)
    for observation in observations(intent):
        view.apply(observation)
    view.tick(START + timedelta(seconds=70))
    return view
