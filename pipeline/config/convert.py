"""The one conversion from the file's models to the vocabulary's values."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from anycast.finding import Kind
from anycast.intent import (
    EdgeRouter,
    Exporter,
    HoldDown,
    Instance,
    Intent,
    Nva,
    Placement,
    PlannedRange,
    RangeKind,
    Recognition,
    Region,
    Service,
    Site,
    Thresholds,
    Webhook,
    Window,
)
from anycast.kinds import KINDS
from collector.archive.compression import Compression
from pipeline.config.crosscheck import reporting
from pipeline.config.models import ArchivePart, HoldDownPart, InfluxPart, IntentFile, RegionPart, ServicePart, SitePart
from pipeline.config.settings import Agents, Archive, Config, Endpoint, Influx, Listen, Points, Speaker, Storage
from pipeline.config.vantages import routers, settled
from store.influx.where import Where


def converted(file: IntentFile, source: Path) -> Config:
    """Turn a checked file into a configuration. Paths in it are seen from the file's folder."""
    folder = source.absolute().parent
    data = folder / file.data
    kept = file.storage
    return Config(
        source=source,
        intent=_intent(file, folder),
        listen=Listen(
            bmp=Endpoint(*file.listen.bmp),
            http=Endpoint(*file.listen.http),
            socket=folder / file.listen.socket if file.listen.socket else data / "catchment.sock",
            names=tuple(file.listen.names),
            agents=Endpoint(*file.listen.agents) if file.listen.agents else None,
        ),
        data=data,
        speakers=tuple(_speakers(file)),
        storage=Storage(
            kept.routes,
            kept.changes,
            kept.quota,
            kept.spool,
            kept.malformed,
            _archive(kept.archive),
            kept.probes,
            Points(kept.points.keep, kept.points.quota),
        ),
        influx=_influx(file, folder),
        agents=_agents(file, folder),
        agent=folder / file.agent if file.agent else None,
    )


def _agents(file: IntentFile, folder: Path) -> Agents | None:
    if file.agents is None or file.listen.agents is None:
        return None
    tokens = {str(path[-2]): folder / agent.token_file for path, agent in reporting(file)}
    return Agents(folder / file.agents.certificate, folder / file.agents.key, tokens)


def _influx(file: IntentFile, folder: Path) -> Influx | None:
    if not file.influx:
        return None
    first, usual = file.influx[0], Influx(())
    every = usual.every if first.every is None else first.every
    cap = usual.series_cap if first.series_cap is None else first.series_cap
    return Influx(tuple(_server(part, folder) for part in file.influx), every, cap)


def _server(part: InfluxPart, folder: Path) -> Where:
    return Where(
        part.name,
        part.url,
        folder / part.token_file if part.token_file else None,
        part.org,
        part.bucket,
        part.kind,
        part.batch,
        part.octets,
        part.gzip,
        part.timeout,
        folder / part.ca_file if part.ca_file else None,
        part.max_age,
    )


def _archive(part: ArchivePart | None) -> Archive | None:
    if part is None:
        return None
    return Archive(part.every, part.keep, part.quota, Compression(part.compression))


def _intent(file: IntentFile, folder: Path) -> Intent:
    return Intent(
        services=tuple(_service(file, name, part) for name, part in file.services.items()),
        regions=tuple(_region(name, part) for name, part in file.regions.items()),
        sites=tuple(_site(name, part) for name, part in file.sites.items()),
        exporters=_exporters(file),
        vantages=settled(file).vantages,
        plan=tuple(_plan(file)),
        hold_downs={kind: _hold_down(kind, part) for kind, part in file.hold_downs.items()},
        receivers=tuple(_receivers(file, folder)),
        windows=tuple(_windows(file)),
        thresholds=replace(Thresholds(), **file.thresholds.model_dump(exclude_none=True)),
    )


def _service(file: IntentFile, name: str, part: ServicePart) -> Service:
    return Service(
        name=name,
        prefixes=tuple(prefix for _, prefix in part.every_prefix),
        placements=tuple(_placements(file, part)),
        owner=part.owner,
        mode=part.mode,
        tiers={site: _tiers(tiers) for site, tiers in part.tiers.items()},
    )


def _placements(file: IntentFile, service: ServicePart) -> Iterator[Placement]:
    for region, part in service.regions.items():
        every = tuple(file.regions[region].nvas)
        named = part.nvas if isinstance(part.nvas, tuple) else every
        yield Placement(
            region=region,
            role=part.role,
            nvas=named,
            prepend=part.prepend,
            communities=tuple(part.communities),
            med=part.med,
            at_least=part.nvas if isinstance(part.nvas, int) and part.nvas < len(every) else None,
        )


def _tiers(tiers: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(tier) for tier in tiers)


def _region(name: str, part: RegionPart) -> Region:
    server, marks = part.route_server, part.recognise
    region = Region(
        name=name,
        instances=tuple(Instance(*pair) for pair in server.instances.items()) if server else (),
        nvas=tuple(Nva(nva, about.address, about.asn, tuple(about.next_hops)) for nva, about in part.nvas.items()),
        recognition=Recognition(tuple(marks.communities), tuple(marks.next_hops), tuple(marks.peers), marks.as_path),
    )
    return replace(region, route_server_asn=server.asn) if server else region


def _site(name: str, part: SitePart) -> Site:
    return Site(
        name=name,
        routers=tuple(EdgeRouter(*pair) for pair in part.routers.items()),
        tiers=_tiers(part.tiers),
        never=tuple(part.never),
        local_pref=dict(part.local_pref),
        agent=part.agent is not None,
    )


def _exporters(file: IntentFile) -> tuple[Exporter, ...]:
    sites = routers(file)
    return tuple(
        Exporter(name, tuple(part.addresses), part.collector, None if part.collector else sites.get(name))
        for name, part in file.exporters.items()
    )


def _speakers(file: IntentFile) -> Iterator[Speaker]:
    sites = tuple((name, part.asn) for name, part in file.sites.items() if part.asn is not None)
    for name, part in file.exporters.items():
        if part.collector:
            yield Speaker(name, part.asn, part.router_id or part.addresses[0].network_address, sites)


def _plan(file: IntentFile) -> Iterator[PlannedRange]:
    yield from (PlannedRange(prefix, RangeKind.VNET) for prefix in file.address_plan.vnet)
    yield from (PlannedRange(prefix, RangeKind.ON_PREMISES) for prefix in file.address_plan.on_premises)


def _hold_down(kind: Kind, part: HoldDownPart) -> HoldDown:
    own = KINDS[kind].hold_down
    return HoldDown(
        open=own.open if part.open is None else part.open, clear=own.clear if part.clear is None else part.clear
    )


def _receivers(file: IntentFile, folder: Path) -> Iterator[Webhook]:
    for name, part in file.receivers.items():
        secret = str(folder / part.secret_file) if part.secret_file else None
        yield Webhook(name, part.webhook, part.least, part.timeout, secret, part.plain_http)


def _windows(file: IntentFile) -> Iterator[Window]:
    for part in file.maintenance:
        yield Window(
            part.name, part.start, part.end,
            tuple(part.services), tuple(part.regions), tuple(part.sites), tuple(part.kinds),
        )  # fmt: skip
