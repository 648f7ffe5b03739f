"""The lab's network as an intent and as observations: two regions, two sites, every session and route spelled out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from analyzers.judge import judge
from analyzers.view import View
from anycast.change import Change
from anycast.finding import Finding
from anycast.intent import (
    EdgeRouter,
    Exporter,
    Instance,
    Intent,
    Nva,
    Placement,
    PlannedRange,
    RangeKind,
    Recognition,
    Region,
    Role,
    Rung,
    Service,
    Site,
    Thresholds,
    Vantage,
)
from anycast.observation import (
    Announced,
    DownReason,
    FeedLost,
    FeedOpened,
    LostReason,
    Observation,
    Rib,
    Session,
    SessionDown,
    SessionUp,
    Source,
    SpeakerOpen,
    TableComplete,
    Withdrawn,
)
from anycast.prefix import Family, Prefix
from anycast.route import Asn, AsPath, Attributes, Community, Origin, parse_community

START = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
WEB, DNS, VDI = (ip_network(text) for text in ("10.250.0.10/32", "10.250.0.53/32", "10.250.8.0/24"))
ASNS = {"weu": 65010, "eus": 65020}
MARKS = {"weu": "12076:51002", "eus": "12076:51004"}
EDGES = {"ams": 65101, "nyc": 65102}
NET = {"weu": 10, "eus": 20}
EDGE_ADDRESS = {"ams-ce1": "10.90.0.1", "nyc-ce1": "10.91.0.1"}
MSEES = {"weu-msee1": "0.1", "weu-msee2": "0.5", "eus-msee1": "1.1", "eus-msee2": "1.5"}
SITE_NET = {"ams": "172.16", "nyc": "172.17"}
VPNS = {"weu": "172.18.0.1", "eus": "172.18.1.1"}
COLLECTOR_AT_EDGE = "10.99.0.1"


def region(name: str) -> Region:
    net, asn = NET[name], Asn(ASNS[name])
    return Region(
        name,
        tuple(Instance(f"{name}-rs{n}", ip_address(f"10.{net}.255.{4 + n}")) for n in (0, 1)),
        tuple(Nva(f"{name}-nva{n}", ip_address(f"10.{net}.1.{3 + n}"), asn) for n in (1, 2)),
        Recognition(communities=(parse_community(MARKS[name]),), as_path=f"{asn}$"),
    )


def placement(name: str, **parts: object) -> Placement:
    return Placement(name, nvas=(f"{name}-nva1", f"{name}-nva2"), **parts)  # type: ignore[arg-type]


def services() -> tuple[Service, ...]:
    backup = placement("eus", role=Role.BACKUP, prepend=3)
    return (
        Service("web", (WEB,), (placement("weu"), placement("eus")), owner="team-web"),
        Service("dns", (DNS,), (placement("weu"), backup), tiers={"nyc": (("weu",), ("eus",))}),
        Service("vdi", (VDI,), (placement("weu"), placement("eus"))),
    )


def vantages(hold: int | None = 9) -> tuple[Vantage, ...]:
    found: list[Vantage] = []
    for name in ("weu", "eus"):
        made = region(name)
        for nva in made.nvas:
            found.append(
                Vantage(
                    nva.name,
                    "gobgp",
                    nva.address,
                    Rung.V1,
                    whole=True,
                    region=name,
                    nva=nva.name,
                    hold_time=hold,
                    prefix_limit=4000,
                )
            )
        for instance in made.instances:
            found.append(
                Vantage(
                    instance.name,
                    "gobgp",
                    instance.address,
                    Rung.V2,
                    whole=True,
                    region=name,
                    instance=instance.name,
                    hold_time=hold,
                )
            )
    for site in EDGES:
        edge = f"{site}-ce1"
        found.append(Vantage(f"{edge}-best", "gobgp", ip_address(EDGE_ADDRESS[edge]), Rung.V6, site=site))
        found.append(Vantage(edge, edge, None, Rung.V5, site=site))
    return tuple(found)


def intent(**parts: object) -> Intent:
    defaults: dict[str, object] = {
        "services": services(),
        "regions": (region("weu"), region("eus")),
        "sites": (
            Site("ams", (_edge("ams-ce1"),), (("weu",), ("eus",)), local_pref={"weu": 200, "eus": 100}),
            Site("nyc", (_edge("nyc-ce1"),), (("weu", "eus"),)),
        ),
        "exporters": (
            Exporter("gobgp", (ip_network("127.0.0.1/32"),), collector=True),
            *(Exporter(f"{site}-ce1", (ip_network(EDGE_ADDRESS[f"{site}-ce1"]),), site=site) for site in EDGES),
        ),
        "vantages": vantages(),
        "plan": (
            PlannedRange(ip_network("10.10.0.0/16"), RangeKind.VNET, "weu"),
            PlannedRange(ip_network("10.20.0.0/16"), RangeKind.VNET, "eus"),
            PlannedRange(ip_network("10.90.0.0/15"), RangeKind.ON_PREMISES),
        ),
        "thresholds": Thresholds(),
    }
    return Intent(**(defaults | parts))  # type: ignore[arg-type]


def _edge(name: str) -> EdgeRouter:
    return EdgeRouter(name, ip_address(EDGE_ADDRESS[name]))


def looks(*path: int, hop: str, marks: Iterable[str] = (), lp: int | None = None, med: int | None = None) -> Attributes:
    communities = tuple(Community(parse_community(mark)) for mark in marks)
    return Attributes(Origin.IGP, AsPath.of(*path), ip_address(hop), None, med, lp, communities=communities)


def at_collector(address: str) -> Source:
    return Source(Session("gobgp", ip_address(address)))


def nva_source(nva: str) -> Source:
    name, number = nva.split("-nva")
    return at_collector(f"10.{NET[name]}.1.{3 + int(number)}")


def rs_source(instance: str) -> Source:
    name, number = instance.split("-rs")
    return at_collector(f"10.{NET[name]}.255.{4 + int(number)}")


def best_source(site: str) -> Source:
    return at_collector(EDGE_ADDRESS[f"{site}-ce1"])


def msee_source(site: str, msee: str) -> Source:
    return Source(Session(f"{site}-ce1", ip_address(f"{SITE_NET[site]}.{MSEES[msee]}")))


def vpn_source(name: str) -> Source:
    return Source(Session("nyc-ce1", ip_address(VPNS[name])))


def edge_to_collector(site: str) -> Source:
    return Source(Session(f"{site}-ce1", ip_address(COLLECTOR_AT_EDGE)))


Table = dict[tuple[Source, Prefix], Attributes]


def nva_route(nva: str, prefix: Prefix, prepend: int | None = None) -> Attributes:
    name = nva.split("-")[0]
    meant = 3 if (prefix == DNS and name == "eus") else 0
    times = 1 + (meant if prepend is None else prepend)
    return looks(*[ASNS[name]] * times, hop=str(nva_source(nva).session.peer))


def rs_route(instance: str, prefix: Prefix, prepend: int | None = None) -> Attributes:
    name = instance.split("-")[0]
    meant = 3 if (prefix == DNS and name == "eus") else 0
    times = 1 + (meant if prepend is None else prepend)
    return looks(65515, *[ASNS[name]] * times, hop=str(rs_source(instance).session.peer))


def msee_route(site: str, msee: str) -> Attributes:
    name = msee.split("-")[0]
    return looks(12076, hop=str(msee_source(site, msee).session.peer), marks=[MARKS[name]])


def vpn_route(name: str, prepend: int | None = None) -> Attributes:
    times = 1 + ((3 if name == "eus" else 0) if prepend is None else prepend)
    return looks(65515, *[ASNS[name]] * times, hop=VPNS[name])


def best_route(site: str, name: str, lp: int | None = None, vpn: bool = False) -> Attributes:
    if vpn:
        times = 4 if name == "eus" else 1
        return looks(65515, *[ASNS[name]] * times, hop=VPNS[name], lp=300)
    hop = str(msee_source(site, f"{name}-msee1").session.peer)
    meant = {"weu": 200, "eus": 100}[name] if site == "ams" else 100
    return looks(12076, hop=hop, marks=[MARKS[name]], lp=meant if lp is None else lp)


def healthy() -> Table:
    """Every route of the healthy network."""
    table: Table = {}
    for prefix in (WEB, DNS, VDI):
        for name in ("weu", "eus"):
            for n in (1, 2):
                table[nva_source(f"{name}-nva{n}"), prefix] = nva_route(f"{name}-nva{n}", prefix)
                table[rs_source(f"{name}-rs{n - 1}"), prefix] = rs_route(f"{name}-rs{n - 1}", prefix)
        for site in EDGES:
            for msee in MSEES:
                table[msee_source(site, msee), prefix] = msee_route(site, msee)
            vpn = site == "nyc" and prefix == DNS
            table[best_source(site), prefix] = best_route(site, "weu", vpn=vpn)
    for name in ("weu", "eus"):
        table[vpn_source(name), DNS] = vpn_route(name)
        vnet = ip_network(f"10.{NET[name]}.0.0/16")
        for n in (0, 1):  # a Route Server advertises its own VNet, with itself as next hop
            instance = f"{name}-rs{n}"
            table[rs_source(instance), vnet] = looks(65515, hop=str(rs_source(instance).session.peer))
    return table


def sources() -> list[Source]:
    """Every session of the network, those without routes too."""
    found = {source: None for source, _ in healthy()}
    return [*found, *(edge_to_collector(site) for site in EDGES)]


def opens(source: Source, hold: int = 9) -> tuple[SpeakerOpen, SpeakerOpen]:
    local = SpeakerOpen(Asn(65099), ip_address("10.99.0.1"), 9)
    return local, SpeakerOpen(Asn(65000), source.session.peer or ip_address("0.0.0.0"), hold)


def dump(router: str, table: Table, at: datetime, hold: int = 9) -> Iterator[Observation]:
    """One router's feed from its opening to the end of its tables, a millisecond apart."""
    moments = (at + timedelta(milliseconds=n) for n in range(1_000_000))
    yield FeedOpened(next(moments), router)
    for source in sources():
        if source.session.router == router:
            local, remote = opens(source, hold)
            yield SessionUp(next(moments), source.session, local, remote)
            yield TableComplete(next(moments), source, Family.IPV4)  # FRR sends it before the routes
            for (where, prefix), attributes in table.items():
                if where == source:
                    yield Announced(next(moments), source, prefix, attributes)


ROUTERS = ("gobgp", "ams-ce1", "nyc-ce1")


class Network:
    """The network, its view, and a clock that only moves when told."""

    def __init__(self, meant: Intent | None = None, table: Table | None = None) -> None:
        self.intent = meant or intent()
        self.view = View(self.intent)
        self.table = healthy() if table is None else table
        self.now = START
        self.changes: list[Change] = []
        for router in ROUTERS:
            self.see(*dump(router, self.table, self.now))
        self.wait(70)
        self.changes.clear()

    def see(self, *observations: Observation) -> None:
        for observation in observations:
            self.now = max(self.now, observation.at)
            self.changes += self.view.apply(observation)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.changes += self.view.tick(self.now)

    def announce(self, source: Source, prefix: Prefix, attributes: Attributes) -> None:
        self.table[source, prefix] = attributes
        self.see(Announced(self.now, source, prefix, attributes))

    def withdraw(self, source: Source, prefix: Prefix) -> None:
        self.table.pop((source, prefix), None)
        self.see(Withdrawn(self.now, source, prefix))

    def down(self, source: Source, reason: DownReason = DownReason.REMOTE_CLOSED, detail: str = "") -> None:
        self.see(SessionDown(self.now, source.session, reason, detail))

    def up(self, source: Source, hold: int = 9) -> None:
        """A session comes back and sends what the table holds."""
        local, remote = opens(source, hold)
        self.see(SessionUp(self.now, source.session, local, remote))
        for (where, prefix), attributes in tuple(self.table.items()):
            if where == source:
                self.see(Announced(self.now, source, prefix, attributes))

    def cut(self, router: str, reason: LostReason = LostReason.RESET) -> None:
        self.see(FeedLost(self.now, router, reason))

    def reconnect(self, router: str) -> None:
        self.see(*dump(router, self.table, self.now))

    def withdraw_region(self, name: str, prefix: Prefix) -> None:
        """What the whole ladder shows when a region stops to advertise."""
        for n in (1, 2):
            self.withdraw(nva_source(f"{name}-nva{n}"), prefix)
        for n in (0, 1):
            self.withdraw(rs_source(f"{name}-rs{n}"), prefix)
        for site in EDGES:
            for msee in MSEES:
                if msee.startswith(name):
                    self.withdraw(msee_source(site, msee), prefix)

    def heal(self) -> None:
        """Everything as it was: what departs from the healthy network is announced or withdrawn again."""
        meant = healthy()
        for source, prefix in self.table.keys() - meant.keys():
            self.withdraw(source, prefix)
        for (source, prefix), attributes in meant.items():
            if self.table.get((source, prefix)) != attributes:
                self.announce(source, prefix, attributes)

    def findings(self) -> tuple[Finding, ...]:
        return judge(self.view, self.intent, self.now)

    def wrong(self) -> set[str]:
        return {finding.key for finding in self.findings()}


def loc(router: str) -> Source:
    return Source(Session(router, None), Rib.LOC)
