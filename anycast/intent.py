"""What the operator means to be true. Built by `pipeline/config` from one YAML file; everything else only reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from anycast.finding import Kind, Severity
from anycast.observation import Rib, Session, Source
from anycast.prefix import Address, Prefix, Relation, relation
from anycast.route import Asn, Attributes, Community

ROUTE_SERVER = Asn(65515)
"""The AS of every Azure Route Server."""


class Rung(StrEnum):
    """The ladder from the application to the client; a fault is where it first breaks."""

    V0 = "V0"
    """Application health, probed at one region."""
    V1 = "V1"
    """What the NVA advertises."""
    V2 = "V2"
    """What a Route Server instance holds."""
    V3 = "V3"
    """What Route Server gave the gateway."""
    V4 = "V4"
    """The MSEE's table."""
    V5 = "V5"
    """What the site's edge router hears (Adj-RIB-In)."""
    V6 = "V6"
    """What the site's edge router chose (best path)."""
    V7 = "V7"
    """Who answers a probe."""


class Role(StrEnum):
    """What a region is for a service."""

    ACTIVE = "active"
    BACKUP = "backup"


class TrafficMode(StrEnum):
    """How the NVA hands traffic to the application; decides whether the return path must cross the same NVA."""

    PROXY = "proxy"
    DNAT = "dnat"
    DNAT_SNAT = "dnat+snat"


@dataclass(frozen=True, slots=True)
class Placement:
    """How one region is meant to advertise one service."""

    region: str
    role: Role = Role.ACTIVE
    nvas: tuple[str, ...] = ()
    """Names of the NVAs meant to advertise; never empty once configuration is read."""
    prepend: int = 0
    """How many extra times the NVA's AS is meant to stand in the path."""
    communities: tuple[Community, ...] = ()
    """Communities that must be on the route at V1 and V2; others may be there too."""
    med: int | None = None
    """The MED meant at V1; None means that any is fine."""
    at_least: int | None = None
    """How many of `nvas` must advertise at once; None means every one of them."""

    def enough_without(self, gone: int) -> bool:
        """Whether as many NVAs as must may still advertise when `gone` of `nvas` do not."""
        return gone == 0 or (self.at_least is not None and len(self.nvas) - gone >= self.at_least)


@dataclass(frozen=True, slots=True)
class Service:
    """One anycast service: its prefixes, its owner, and where it is meant to be advertised."""

    name: str
    prefixes: tuple[Prefix, ...]
    placements: tuple[Placement, ...]
    owner: str = ""
    mode: TrafficMode = TrafficMode.PROXY
    tiers: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    """Site name to tiers of regions, where this service departs from the site's own."""

    def placement(self, region: str) -> Placement | None:
        """Return how `region` is meant to advertise this service; None where it must not."""
        return next((placement for placement in self.placements if placement.region == region), None)


@dataclass(frozen=True, slots=True)
class Nva:
    """A network virtual appliance: the BGP speaker that advertises the service in a region."""

    name: str
    address: Address
    asn: Asn
    next_hops: tuple[Address, ...] = ()
    """Next hops it may set besides its own address (an internal load balancer, say)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One of a Route Server's two instances."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Recognition:
    """How a region's routes are recognised where AS paths do not survive. Any match recognises; empty matches none."""

    communities: tuple[Community, ...] = ()
    next_hops: tuple[Prefix, ...] = ()
    peers: tuple[Address, ...] = ()
    as_path: str | None = None
    """A regular expression searched in the AS path as text (`65515 65010`)."""


@dataclass(frozen=True, slots=True)
class Region:
    """A place that may advertise."""

    name: str
    instances: tuple[Instance, ...]
    nvas: tuple[Nva, ...]
    recognition: Recognition = Recognition()
    route_server_asn: Asn = ROUTE_SERVER


@dataclass(frozen=True, slots=True)
class EdgeRouter:
    """A site's router. `address` is the one it peers with the collector's GoBGP from (V6)."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Site:
    """A place that consumes."""

    name: str
    routers: tuple[EdgeRouter, ...]
    tiers: tuple[tuple[str, ...], ...] = ()
    """Regions in order of preference; several in one tier means that ECMP between them is intended."""
    never: tuple[str, ...] = ()
    """Regions that must never serve this site."""
    local_pref: Mapping[str, int] = field(default_factory=dict)
    """Region to the LOCAL_PREF meant at V6; a region that is not named may have any."""
    agent: bool = False
    """Whether a probe agent is meant to report from there."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A router that may open a BMP connection to us; nobody else may."""

    name: str
    addresses: tuple[Prefix, ...]
    """Source addresses of its connection."""
    collector: bool = False
    """True for the collector's own GoBGP, whose peers are NVAs, Route Server instances and edge routers."""
    site: str | None = None
    """The site whose edge router this is."""


@dataclass(frozen=True, slots=True)
class Vantage:
    """A session through which routes are seen, and what it means.

    Written out in full in the intent, or derived from addresses: a collector's peer with the address of an NVA is V1,
    of a Route Server instance V2, of an edge router V6; any peer of an edge router's own exporter is V5.
    """

    name: str
    exporter: str
    peer: Address | None
    """None stands for every peer of the exporter that no other vantage names."""
    rung: Rung
    rib: Rib = Rib.ADJ_IN_PRE
    whole: bool = False
    """Every route of it is judged, not only those of services."""
    region: str | None = None
    nva: str | None = None
    instance: str | None = None
    site: str | None = None
    hold_time: int | None = None
    """The hold time in seconds meant for the session; None means that any is fine."""
    expects: tuple[str, ...] = ()
    """Regions whose routes this very session must carry, for every service placed there."""
    prefix_limit: int | None = None
    """How many routes the far side accepts from this peer; None where no limit is known."""


class RangeKind(StrEnum):
    """Whose addresses a range of the plan holds."""

    VNET = "vnet"
    ON_PREMISES = "on-premises"


@dataclass(frozen=True, slots=True)
class PlannedRange:
    """One range of the address plan."""

    prefix: Prefix
    kind: RangeKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class HoldDown:
    """How long a condition must last before it is told, and how long it must be gone before it is over."""

    open: timedelta
    clear: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A planned maintenance: what happens inside is recorded, not announced. Empty matchers match everything."""

    name: str
    start: datetime
    end: datetime
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver that is told by HTTP POST."""

    name: str
    url: str = field(repr=False)
    """Kept out of reprs and so out of logs: many services put a token in it."""
    least: Severity = Severity.WARNING
    """Findings below this severity are not sent."""
    timeout: timedelta = timedelta(seconds=10)
    secret_file: str | None = None
    """A file that holds the key of the HMAC-SHA256 signature; unsigned when None."""
    plain_http: bool = False
    """Whether an `http` address may lie beyond loopback: what is told then crosses the network in clear."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Numbers that analyzers compare with. Sources: docs/findings.md names each."""

    flap_count: int = 3
    flap_window: timedelta = timedelta(minutes=5)
    cascade_window: timedelta = timedelta(seconds=60)
    limit_warning: float = 0.8
    limit_major: float = 0.95
    quiet: timedelta = timedelta(seconds=5)
    """A table is complete when its session has been quiet this long, with or without an End-of-RIB."""
    settle: timedelta = timedelta(seconds=60)
    """How long after a feed opened a session of the intent may stay unreported before it counts as down."""
    age_out: timedelta = timedelta(hours=24)
    """How long a router or peer that the intent does not name is remembered after it was last seen."""
    hold_margin: timedelta = timedelta(seconds=3)
    """How long after a withdrawal lost packets are convergence and no blackhole, and a dead application may yet be
    withdrawn."""
    latency: timedelta = timedelta(milliseconds=3)
    """A region that became slower by more than this, and by more than"""
    latency_part: float = 0.15
    """this part of its round trip, is a warning; by less, it is told as info."""
    nearer: timedelta = timedelta(milliseconds=10)
    """Another region is nearer by so much, and by"""
    nearer_part: float = 0.2
    """this part of the round trip: then a site lands on the wrong one."""
    converge_bfd: timedelta = timedelta(seconds=1)
    """How long a site may take to come to rest where BFD watches the session,"""
    converge_slack: timedelta = timedelta(seconds=3)
    """where a hold time must run out before (so much more than that), or where a route is withdrawn,"""
    converge_vpn: timedelta = timedelta(seconds=20)
    """through a VPN gateway,"""
    converge_expressroute: timedelta = timedelta(seconds=75)
    """and through an ExpressRoute gateway."""


@dataclass(frozen=True)
class Intent:
    """All that is meant to be true, and how to watch for it."""

    services: tuple[Service, ...]
    regions: tuple[Region, ...]
    sites: tuple[Site, ...]
    exporters: tuple[Exporter, ...]
    vantages: tuple[Vantage, ...]
    """Written and derived; the more particular first."""
    plan: tuple[PlannedRange, ...] = ()
    hold_downs: Mapping[Kind, HoldDown] = field(default_factory=dict)
    """Only what departs from the kinds' own."""
    receivers: tuple[Webhook, ...] = ()
    windows: tuple[Window, ...] = ()
    thresholds: Thresholds = Thresholds()

    @cached_property
    def by_region(self) -> Mapping[str, Region]:
        """Regions by name."""
        return {region.name: region for region in self.regions}

    @cached_property
    def by_site(self) -> Mapping[str, Site]:
        """Sites by name."""
        return {site.name: site for site in self.sites}

    @cached_property
    def watched(self) -> tuple[Prefix, ...]:
        """Every prefix of every service."""
        return tuple(prefix for service in self.services for prefix in service.prefixes)

    def vantage(self, source: Source) -> Vantage | None:
        """Return what a source means; None for one that the intent does not speak of."""
        return self.vantage_of(source.session, source.rib)

    def vantage_of(self, session: Session, rib: Rib | None = None) -> Vantage | None:
        """Return the vantage of a session, of one of its views or (with `rib` None) of any."""
        ours = [v for v in self.vantages if v.exporter == session.router and rib in (None, v.rib)]
        exact = next((v for v in ours if v.peer is not None and v.peer == session.peer), None)
        return exact or next((v for v in ours if v.peer is None), None)

    def tiers(self, site: Site, service: Service) -> tuple[tuple[str, ...], ...]:
        """Return the tiers of regions meant for a service at a site, without regions that do not advertise it."""
        tiers = service.tiers.get(site.name, site.tiers)
        placed = {placement.region for placement in service.placements}
        kept = (tuple(region for region in tier if region in placed) for tier in tiers)
        return tuple(tier for tier in kept if tier)

    def services_of(self, prefix: Prefix) -> tuple[tuple[Service, Prefix, Relation], ...]:
        """Return each service prefix that `prefix` touches, and how it lies to it."""
        found = (
            (service, watched, relation(prefix, watched)) for service in self.services for watched in service.prefixes
        )
        return tuple(row for row in found if row[2] is not Relation.APART)


def recognised(region: Region, peer: Address | None, attributes: Attributes, as_path_matches: bool) -> bool:
    """Whether a route heard on-premises from `peer` is one of `region`.

    `as_path_matches` is the caller's answer to `region.recognition.as_path` (who owns the compiled expression).
    """
    marks = region.recognition
    return (
        any(community in marks.communities for community in attributes.communities)
        or (peer is not None and peer in marks.peers)
        or (attributes.next_hop is not None and any(_holds(net, attributes.next_hop) for net in marks.next_hops))
        or (marks.as_path is not None and as_path_matches)
    )


def _holds(network: Prefix, address: Address) -> bool:
    return network.version == address.version and address in network
