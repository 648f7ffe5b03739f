"""The intent file's shape, key by key. `fields.py` reads the values; `crosscheck.py` says how they must fit."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from anycast.finding import Severity
from anycast.intent import ROUTE_SERVER, Role, Rung, TrafficMode
from anycast.prefix import Prefix
from collector.written.problem import KeyPath
from collector.written.words import shown
from pipeline.config.fields import (
    AddressField,
    AsnField,
    AsPathField,
    CommunityField,
    CoveredField,
    DurationField,
    EndpointField,
    HoldTimeField,
    HostField,
    KindField,
    ModeField,
    NameField,
    PrefixField,
    RibField,
    RoleField,
    RungField,
    ServerKindField,
    ServerUrlField,
    SeverityField,
    SizeField,
    SourceField,
    Tiers,
    TimeField,
    UrlField,
    VantageNameField,
)

Limit = Annotated[int, Field(ge=1, le=10_000_000)]
Med = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
FileField = Annotated[str, Field(min_length=1, max_length=1000)]


class Part(BaseModel):
    """One mapping of the file: unknown keys are mistakes, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def about(description: str, default: Any = ...) -> Any:
    """Describe a key where its name does not: editors show it."""
    return Field(default=default, description=description)


def _nvas(value: object) -> tuple[str, ...] | int:
    """Read names of NVAs, or how many of the region's must advertise."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise ValueError(f"{value} NVAs cannot advertise; write 1 or more, or leave the region out of the service")
        return value
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise ValueError(f"{shown(value)} is neither names of NVAs, such as [weu-nva1], nor how many of the region's")


def _role_alone(value: object) -> object:
    """`weu: active` is `weu: {role: active}`."""
    return value if isinstance(value, dict) else {"role": value}


def _open_alone(value: object) -> object:
    """`missing: 5s` is `missing: {open: 5s}`."""
    return value if isinstance(value, dict) else {"open": value}


def _one_alone(value: object) -> object:
    """`influx: {url: ...}` is `influx: [{url: ...}]`."""
    return [value] if isinstance(value, dict) else value


Nvas = Annotated[
    Any,
    PlainValidator(_nvas),
    WithJsonSchema(
        {"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "integer", "minimum": 1}]}
    ),
]


class PlacementPart(Part):
    """How one region is meant to advertise one service."""

    role: RoleField = Role.ACTIVE
    nvas: Nvas | None = about(
        "NVAs meant to advertise: all of the region when left out, those named, or how many at once must (1: the "
        "others stand by, and nothing is said while as many advertise).",
        None,
    )
    prepend: Annotated[int, Field(ge=0, le=32)] = about("How many extra times the NVA's AS stands in the path.", 0)
    communities: list[CommunityField] = about("Communities that must be on the route, others beside them or not.", [])
    med: Med | None = about("The MED meant; any when left out.", None)


class ServicePart(Part):
    """One anycast service."""

    prefix: PrefixField | None = about("The anycast prefix.", None)
    prefixes: list[PrefixField] = about("Several anycast prefixes, in place of `prefix`.", [])
    owner: Annotated[str, Field(max_length=200)] = ""
    mode: ModeField = about("How the NVA hands traffic to the application.", TrafficMode.PROXY)
    regions: Annotated[dict[NameField, Annotated[PlacementPart, BeforeValidator(_role_alone)]], Field(min_length=1)]
    tiers: dict[NameField, Tiers] = about("By site: tiers of regions where they differ from the site's own.", {})

    @property
    def every_prefix(self) -> tuple[tuple[KeyPath, Prefix], ...]:
        """Each prefix with its key inside the service."""
        if self.prefix is not None:
            return ((("prefix",), self.prefix),)
        return tuple((("prefixes", number), prefix) for number, prefix in enumerate(self.prefixes))


class RouteServerPart(Part):
    """A region's Route Server."""

    asn: AsnField = about("Azure's is always 65515.", ROUTE_SERVER)
    instances: Annotated[dict[NameField, AddressField], Field(min_length=1)] = about("Both instances, by name.")


class SiteAgentPart(Part):
    """What reports by HTTPS: a site's own probe agent, or an NVA that pings hosts."""

    token_file: FileField = about("A file with the fingerprint of its token, as `catchment agents enrol` makes it.")


class NvaPart(Part):
    """One NVA."""

    address: AddressField = about("The address it peers from.")
    asn: AsnField
    next_hops: list[AddressField] = about("Next hops it may set besides its own address (a load balancer, say).", [])
    agent: SiteAgentPart | None = about("`catchment reverse` reports from it, under its name.", None)


class RecognisePart(Part):
    """How a region's routes are recognised on-premises. Any match recognises."""

    communities: list[CommunityField] = about("The region's communities, such as 12076:51002.", [])
    next_hops: list[SourceField] = []
    peers: list[AddressField] = about("Addresses of the routers that the region's routes come from.", [])
    as_path: AsPathField | None = about("An expression searched in AS paths that survive (VPN).", None)


class RegionPart(Part):
    """A place that may advertise."""

    route_server: RouteServerPart | None = None
    nvas: dict[NameField, NvaPart] = {}
    recognise: RecognisePart = about("How its routes are recognised on-premises.", {})


class SitePart(Part):
    """A place that consumes."""

    routers: Annotated[dict[NameField, AddressField], Field(min_length=1)] = about(
        "Edge routers, each with the address it peers with the collector's GoBGP from."
    )
    asn: AsnField | None = about("The site's AS, for `catchment gobgp`.", None)
    tiers: Tiers = about("Tiers of regions, best first; several in one tier means ECMP.", [])
    never: list[str] = about("Regions that must never serve this site.", [])
    local_pref: dict[NameField, Annotated[int, Field(ge=0, le=0xFFFFFFFF)]] = about("By region.", {})
    agent: SiteAgentPart | None = about("The probe agent that reports from there; none when left out.", None)


class ExporterPart(Part):
    """A router that may open a BMP connection to us."""

    addresses: Annotated[list[SourceField], Field(min_length=1)] = about("What its connection comes from.")
    collector: bool = about("True for the collector's own GoBGP.", False)
    regions: list[str] | None = about("Regions a collector peers with; all when left out.", None)
    sites: list[str] | None = about("Sites a collector peers with; all when left out.", None)
    asn: AsnField | None = about("A collector's own AS, for `catchment gobgp`.", None)
    router_id: AddressField | None = about("A collector's BGP identifier; its first address when left out.", None)


class VantagePart(Part):
    """A session whose meaning is not derived from addresses, or not as it should be."""

    exporter: str
    peer: AddressField | None = about("None for every peer of the exporter that nothing else names.", None)
    rung: RungField | None = None
    rib: RibField | None = None
    whole: bool | None = about("Whether every route is judged, not only those of services.", None)
    region: str | None = None
    nva: str | None = None
    instance: str | None = None
    site: str | None = None
    hold_time: HoldTimeField | None = None
    expects: list[str] | None = about("Regions whose routes this session must carry.", None)
    prefix_limit: Limit | None = None


class PlanPart(Part):
    """Whose addresses are where."""

    vnet: list[PrefixField] = []
    on_premises: list[PrefixField] = []


class HoldDownPart(Part):
    """How long a condition must last before it is told, and be gone before it is over; the kind's own when left out."""

    open: DurationField | None = None
    clear: DurationField | None = None


class LimitsPart(Part):
    """How many routes the far sides accept."""

    nva: Limit = about("Routes that Route Server takes from one NVA.", 4000)


class TimersPart(Part):
    """Hold times in seconds meant for the sessions; the smaller of what both sides propose counts."""

    hold: HoldTimeField | None = about("For every session that nothing below names.", None)
    V1: HoldTimeField | None = about("NVA to collector.", None)
    V2: HoldTimeField | None = about("Route Server instance to collector.", None)
    V5: HoldTimeField | None = about("The edge routers' own sessions.", None)
    V6: HoldTimeField | None = about("Edge router to collector.", None)

    def of(self, rung: Rung) -> int | None:
        """Return the hold time meant for a rung; None where any is fine."""
        own = {Rung.V1: self.V1, Rung.V2: self.V2, Rung.V5: self.V5, Rung.V6: self.V6}.get(rung)
        return self.hold if own is None else own


class ThresholdsPart(Part):
    """Numbers that judgements compare with; those of `anycast.intent.Thresholds` when left out."""

    flap_count: Annotated[int, Field(ge=2, le=1000)] | None = None
    flap_window: DurationField | None = None
    cascade_window: DurationField | None = None
    limit_warning: Annotated[float, Field(gt=0, le=1)] | None = None
    limit_major: Annotated[float, Field(gt=0, le=1)] | None = None
    quiet: DurationField | None = None
    settle: DurationField | None = None
    age_out: DurationField | None = None
    hold_margin: DurationField | None = None
    latency: DurationField | None = None
    latency_part: Annotated[float, Field(gt=0, le=10)] | None = None
    nearer: DurationField | None = None
    nearer_part: Annotated[float, Field(gt=0, le=1)] | None = None
    converge_bfd: DurationField | None = None
    converge_slack: DurationField | None = None
    converge_vpn: DurationField | None = None
    converge_expressroute: DurationField | None = None


class ReceiverPart(Part):
    """Who is told, and from which severity on."""

    webhook: UrlField
    least: SeverityField = Severity.WARNING
    timeout: DurationField = about("How long to wait for an answer.", "10s")
    secret_file: Annotated[str, Field(min_length=1)] | None = about("A file with the key that signs the body.", None)
    plain_http: bool = about("Whether an http webhook may lie beyond this machine; findings cross in the clear.", False)


class WindowPart(Part):
    """A planned maintenance: recorded, not announced. Empty matchers match everything."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    start: TimeField = Field(alias="from")
    end: TimeField = Field(alias="to")
    services: list[str] = []
    regions: list[str] = []
    sites: list[str] = []
    kinds: list[KindField] = []


class ListenPart(Part):
    """Where Catchment listens."""

    bmp: EndpointField = about("BMP from routers; the exporters alone may connect.", "0.0.0.0:11019")
    http: EndpointField = about("The console and the API.", "127.0.0.1:8470")
    agents: EndpointField | None = about("HTTPS for what probe agents report; none may when left out.", None)
    socket: str | None = about("The Unix socket of the API; `catchment.sock` in the data folder when left out.", None)
    names: list[HostField] = about("Names by which people reach the page through a proxy; it is refused by others.", [])


class ArchivePart(Part):
    """What routers send, kept as MRT files (RFC 6396) in the data folder, which other tools read, too."""

    every: CoveredField = about("What one file covers.", "15m")
    keep: DurationField = about("A file is kept so long.", "30d")
    quota: SizeField = about("All files; the oldest go first.", "10GB")
    compression: Literal["gzip", "bzip2", "zstd", "none"] = about("How files are compressed.", "gzip")


class PointsPart(Part):
    """Points of time series in the journal: what a server that is away may still get."""

    keep: DurationField = about("They are kept so long, and no longer than routes.", "7d")
    quota: SizeField = about("All of them; the oldest go first.", "2GB")


class StoragePart(Part):
    """How long and how much is remembered."""

    routes: DurationField = about("Every route seen is kept so long.", "30d")
    changes: DurationField = about("Changes of watched routes and events of sessions are kept so long.", "400d")
    quota: SizeField = about("The whole journal; the oldest days go first.", "50GB")
    spool: SizeField = about("Raw bytes kept while decoding is behind.", "1GB")
    malformed: SizeField = about("Messages that could not be decoded; the oldest go first.", "100MB")
    probes: DurationField = about("Every result of every probe is kept so long, and no longer than routes.", "7d")
    points: PointsPart = about("Points of time series, of which there are none without `influx`.", {})
    archive: ArchivePart | None = about("Keep what routers send as MRT files; nothing is kept without it.", None)


class AgentsPart(Part):
    """How probe agents know us: by our certificate."""

    certificate: FileField = about("A file with the certificate, PEM; `catchment agents enrol` can make one.")
    key: FileField = about("A file with its key, PEM.")


class InfluxPart(Part):
    """A server that time series are written to: InfluxDB 1, 2 or 3, or VictoriaMetrics."""

    name: NameField = about("What it is called in status and findings; each has another.", "main")
    url: ServerUrlField = about("Where it listens, without `/api/v2/write`.")
    kind: ServerKindField = about("Which protocol it speaks.", "influxdb")
    token_file: FileField | None = about(
        "A file with the token, for its owner alone; of InfluxDB 1 `user:password`. None is sent when left out.", None
    )
    org: Annotated[str, Field(min_length=1, max_length=200)] = about("The organisation; InfluxDB 2 alone looks.", "-")
    bucket: Annotated[str, Field(min_length=1, max_length=200)] = about(
        "The bucket; of InfluxDB 1 the database, or database/retention-policy.", "catchment"
    )
    batch: Annotated[int, Field(ge=1, le=100_000)] = about("Most points of one request.", 10_000)
    octets: SizeField = about("Most octets of one request, before compression.", "4MB")
    gzip: bool = about("Whether requests are compressed.", True)
    timeout: DurationField = about("How long to wait for an answer.", "10s")
    max_age: DurationField | None = about("Older points are not sent; the bucket's retention, say.", None)
    ca_file: FileField | None = about("Authorities to believe, PEM; the system's when left out.", None)
    plain_http: bool = about("Whether an http url may lie beyond this machine; the token crosses in the clear.", False)
    every: DurationField | None = about("How often the state is sampled, for all servers: 10s when left out.", None)
    series_cap: Annotated[int, Field(ge=10, le=1_000_000)] | None = about(
        "Most series of one measurement, for all servers; the others go into one: 20000 when left out.", None
    )


class IntentFile(Part):
    """Catchment's intent: what the operator means to be true of the anycast network, and how to watch for it.

    A file holds 1 MiB, 30,000 keys and values, and 4,096 characters in each of them at most: a thousand services fit.
    """

    catchment: Literal[1] = about("The version of this file's format.")
    listen: ListenPart = about("Where Catchment listens.", {})
    data: Annotated[str, Field(min_length=1)] = about("The data folder, seen from this file's folder.", "./data")
    storage: StoragePart = about("How much is remembered, and how long.", {})
    services: dict[NameField, ServicePart]
    regions: dict[NameField, RegionPart]
    sites: dict[NameField, SitePart] = {}
    exporters: dict[NameField, ExporterPart]
    vantages: dict[VantageNameField, VantagePart] = {}
    address_plan: PlanPart = about("Ranges that services must stay out of.", {})
    hold_downs: dict[KindField, Annotated[HoldDownPart, BeforeValidator(_open_alone)]] = {}
    limits: LimitsPart = about("How many routes the far sides accept.", {})
    timers: TimersPart = about("Hold times meant for the sessions.", {})
    thresholds: ThresholdsPart = about("Numbers that judgements compare with.", {})
    agents: AgentsPart | None = about("How probe agents know us; needed where `listen.agents` lets them in.", None)
    agent: FileField | None = about("The file of an agent that `catchment run` starts beside itself.", None)
    influx: Annotated[list[InfluxPart], BeforeValidator(_one_alone)] = about(
        "Servers that time series are written to, one or a list; no points are made without any.", []
    )
    receivers: dict[NameField, ReceiverPart] = {}
    maintenance: list[WindowPart] = []
