"""The lab's intent file: what its operator means to be true, in the shape that `catchment check` reads."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address

from anycast.intent import ROUTE_SERVER
from lab import state
from lab.daemons.bird import TAG
from lab.daemons.probing import certificate as certificate_of
from lab.daemons.probing import fingerprint
from lab.topology import (
    AGENTS_PORT,
    BMP_PORT,
    COLLECTOR_ADDRESS,
    REGIONS,
    SERVICES,
    SITES,
    Lab,
    Region,
    Role,
    Service,
    Session,
    Site,
    Timers,
)

FIRST_PAGE = 8470
"""Port of the first lab's console; each lab of another index has the next one."""


def render(
    lab: Lab,
    timers: Timers = Timers.LAB,
    data: str = "./data",
    webhook: str | None = None,
    page: int | None = None,
    host: str = "127.0.0.1",
) -> str:
    """Return the intent of a lab as YAML.

    The BMP address is the one that the routers dial, inside the collector's namespace: the daemon is handed a socket
    that listens there. `webhook` is the URL of a receiver to be told of findings, `page` the console's port
    (by default one for each lab's index), and `host` its address.
    """
    known = state.load(lab)
    probing = known is not None and known.probing
    lines = (
        "catchment: 1",
        f"listen: {_flow(_listen(lab, host, page, probing))}",
        f"data: {data}",
        *((f"agents: {_flow(_certificate(lab))}",) if probing else ()),
        *_section("services", (line for service in SERVICES for line in _service(service))),
        *_section("regions", (line for region in REGIONS for line in _region(lab, region))),
        *_section("sites", (line for site in SITES for line in _site(lab, site, probing))),
        *_section("exporters", _exporters(lab)),
        *_section("vantages", _vantages(lab)),
        *_section("address_plan", _plan()),
        "limits: {nva: 4000}",
        f"timers: {{hold: {timers.hold}}}",
        *(_section("receivers", [f"hook: {{webhook: {webhook}, least: info}}"]) if webhook else ()),
    )
    return "\n".join((*lines, ""))


def _section(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"  {line}" for line in lines)


def _service(service: Service) -> Iterator[str]:
    yield f"{service.name}:"
    yield f"  prefix: {service.prefix}"
    yield f"  owner: team-{service.name}"
    # One word for a service whose regions differ: the stricter one, for there the way back must cross the same NVA.
    yield "  mode: dnat"
    yield "  regions:"
    for region in REGIONS:
        if region.name in service.prepends:
            yield f"    {region.name}: {_placement(service, region)}"
    tiers = {site.name: site.service_tiers[service.name] for site in SITES if service.name in site.service_tiers}
    if tiers:
        yield f"  tiers: {_flow({name: _tiers(each) for name, each in tiers.items()})}"


def _placement(service: Service, region: Region) -> str:
    parts = {"role": "backup" if region.name in service.backup else "active"}
    if service.prepends[region.name]:
        parts["prepend"] = str(service.prepends[region.name])
    return _flow({**parts, "communities": f'["{region.nva_asn}:{TAG}"]'})


def _region(lab: Lab, region: Region) -> Iterator[str]:
    instances = _addresses(lab, Role.ROUTE_SERVER, region.name)
    yield f"{region.name}:"
    yield f"  route_server: {{asn: {ROUTE_SERVER}, instances: {_flow(instances)}}}"
    yield "  nvas:"
    for name, address in _addresses(lab, Role.NVA, region.name).items():
        yield f"    {name}: {{address: {address}, asn: {region.nva_asn}}}"
    # The community over ExpressRoute; over the VPN, where there is none, the NVA's AS that survives.
    yield f'  recognise: {{communities: ["{region.community}"], as_path: "{region.nva_asn}$"}}'


def _addresses(lab: Lab, role: Role, place: str) -> dict[str, str]:
    return {node.name: str(node.address) for node in lab.of(role, place=place)}


def _listen(lab: Lab, host: str, page: int | None, probing: bool) -> dict[str, str]:
    shown = {"bmp": f'"{COLLECTOR_ADDRESS}:{BMP_PORT}"', "http": f'"{host}:{page or FIRST_PAGE + lab.index}"'}
    return {**shown, "agents": f'"{COLLECTOR_ADDRESS}:{AGENTS_PORT}"'} if probing else shown


def _certificate(lab: Lab) -> dict[str, str]:
    certificate, key = certificate_of(lab)
    return {"certificate": str(certificate), "key": str(key)}


def _site(lab: Lab, site: Site, probing: bool) -> Iterator[str]:
    yield f"{site.name}:"
    yield f"  routers: {{{site.edge}: {site.loopback}}}"
    yield f"  tiers: {_tiers(site.tiers)}"
    if probing:
        yield f"  agent: {{token_file: {fingerprint(lab, site.name)}}}"
    if site.local_pref:
        yield f"  local_pref: {_flow({name: str(value) for name, value in site.local_pref.items()})}"


def _exporters(lab: Lab) -> Iterator[str]:
    yield f"gobgp: {{addresses: [{COLLECTOR_ADDRESS}], collector: true}}"
    for node in lab.of(Role.EDGE):
        yield f"{node.name}: {{addresses: [{node.address}]}}"


def _vantages(lab: Lab) -> Iterator[str]:
    """Each session of an edge router with Azure by name, and the region whose routes it must carry."""
    for node in lab.of(Role.EDGE):
        for session in lab.sessions_of(node.name):
            far = lab.by_name[session.far(node.name).node]
            if far.role in (Role.MSEE, Role.VPN):
                yield f"{node.place}-{far.name}: {_vantage(node.name, session, far.place)}"


def _vantage(edge: str, session: Session, region: str) -> str:
    peer: IPv4Address = session.far(edge).address
    return _flow({"exporter": edge, "peer": str(peer), "rung": "V5", "expects": f"[{region}]"})


def _plan() -> Iterator[str]:
    yield f"vnet: [{', '.join(str(region.vnet) for region in REGIONS)}]"
    yield f"on_premises: [{', '.join(str(site.range) for site in SITES)}]"


def _tiers(tiers: tuple[tuple[str, ...], ...]) -> str:
    return "[" + ", ".join(f"[{', '.join(tier)}]" for tier in tiers) + "]"


def _flow(parts: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in parts.items()) + "}"
