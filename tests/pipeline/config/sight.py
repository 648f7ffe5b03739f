"""What a collector sees of a healthy two-region network: the lab's facts, written down by hand."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from anycast.observation import SpeakerOpen
from anycast.route import Asn, AsPath, Attributes, Origin, parse_community
from pipeline.config.seen import Seen, SeenExporter, SeenRoute, SeenSession

WEB, DNS, VDI = "10.250.0.10/32", "10.250.0.53/32", "10.250.8.0/24"
SERVICES = (WEB, DNS, VDI)
COLLECTOR = "10.99.0.10"


class Azure:
    """One region's numbers."""

    def __init__(self, net: int, asn: int, community: str, prepends: int) -> None:
        self.net, self.asn, self.community, self.prepends = net, asn, community, prepends

    def path(self, prefix: str) -> tuple[int, ...]:
        return (self.asn,) * (1 + (self.prepends if prefix == DNS else 0))


WEU, EUS = Azure(10, 65010, "12076:51002", 0), Azure(20, 65020, "12076:51004", 3)


def opened(asn: int, identifier: str, hold: int = 9) -> SpeakerOpen:
    return SpeakerOpen(Asn(asn), ip_address(identifier), hold)


def route(prefix: str, path: tuple[int, ...], hop: str, *communities: str, local_pref: int | None = None) -> SeenRoute:
    attributes = Attributes(
        origin=Origin.IGP, as_path=AsPath.of(*path), next_hop=ip_address(hop), local_pref=local_pref,
        communities=tuple(map(parse_community, communities)),
    )  # fmt: skip
    return SeenRoute(ip_network(prefix), attributes)


def session(peer: str, local: SpeakerOpen, remote: SpeakerOpen, *routes: SeenRoute) -> SeenSession:
    return SeenSession(ip_address(peer), local=local, remote=remote, routes=routes)


def nva(region: Azure, host: int) -> SeenSession:
    address = f"10.{region.net}.1.{host}"
    routes = (route(prefix, region.path(prefix), address, f"{region.asn}:100") for prefix in SERVICES)
    return session(address, opened(65099, COLLECTOR), opened(region.asn, address), *routes)


def instance(region: Azure, host: int) -> SeenSession:
    address = f"10.{region.net}.255.{host}"
    held = [
        route(prefix, (65515, *region.path(prefix)), address, f"{region.asn}:100", "65517:65517") for prefix in SERVICES
    ]
    sites = [
        route("10.90.1.0/24", (65515, 12076, 65101), address, "65517:65517"),
        route("10.91.1.0/24", (65515, 12076, 65102), address, "65517:65517"),
    ]
    vnet = route(f"10.{region.net}.0.0/16", (65515,), address, "65517:65517")
    return session(address, opened(65099, COLLECTOR), opened(65515, address), vnet, *held, *sites)


def msee(region: Azure, peer: str, edge: SpeakerOpen) -> SeenSession:
    heard = [route(prefix, (12076,), peer, f"{region.asn}:100", region.community) for prefix in SERVICES]
    return session(peer, edge, opened(12076, peer), *heard)


def vpn(region: Azure, peer: str, edge: SpeakerOpen) -> SeenSession:
    heard = [route(prefix, (65515, *region.path(prefix)), peer, f"{region.asn}:100") for prefix in SERVICES]
    return session(peer, edge, opened(65515, f"10.{region.net}.0.5"), *heard)


def ams_edge(name: str) -> SeenExporter:
    own = opened(65101, "10.90.0.1")
    heard = [
        msee(WEU, "172.16.0.1", own), msee(WEU, "172.16.1.1", own),
        msee(EUS, "172.16.2.1", own), msee(EUS, "172.16.3.1", own),
    ]  # fmt: skip
    back = session(COLLECTOR, own, opened(65101, COLLECTOR))
    return SeenExporter(ip_address("10.90.0.1"), name, None, (*heard, back))


def nyc_edge(name: str) -> SeenExporter:
    own = opened(65102, "10.91.0.1")
    heard = [
        msee(WEU, "172.16.10.1", own), msee(WEU, "172.16.11.1", own),
        msee(EUS, "172.16.12.1", own), msee(EUS, "172.16.13.1", own),
        vpn(WEU, "172.17.10.1", own), vpn(EUS, "172.17.11.1", own),
    ]  # fmt: skip
    partner = session("172.18.1.2", own, opened(65999, "172.18.1.2"))
    back = session(COLLECTOR, own, opened(65102, COLLECTOR))
    # Its feed comes from another address than the one it peers with the collector from.
    return SeenExporter(ip_address("10.91.9.9"), name, None, (*heard, partner, back))


def chosen_by_ams() -> SeenSession:
    best = [route(prefix, (12076,), "172.16.0.1", "65010:100", "12076:51002", local_pref=200) for prefix in SERVICES]
    return session("10.90.0.1", opened(65101, COLLECTOR), opened(65101, "10.90.0.1"), *best)


def chosen_by_nyc() -> SeenSession:
    best = [
        route(WEB, (12076,), "172.16.12.1", "65020:100", "12076:51004", local_pref=100),
        route(VDI, (12076,), "172.16.12.1", "65020:100", "12076:51004", local_pref=100),
        route(DNS, (65515, 65010), "172.17.10.1", "65010:100", local_pref=300),
    ]
    return session("10.91.0.1", opened(65102, COLLECTOR), opened(65102, "10.91.0.1"), *best)


def gobgp() -> SeenExporter:
    peers = (
        nva(WEU, 4), nva(WEU, 5), instance(WEU, 4), instance(WEU, 5),
        nva(EUS, 4), nva(EUS, 5), instance(EUS, 4), instance(EUS, 5),
        chosen_by_ams(), chosen_by_nyc(),
    )  # fmt: skip
    return SeenExporter(ip_address(COLLECTOR), "", None, peers)


def healthy(named: bool = False) -> Seen:
    names = ("ams-ce1", "nyc-ce1") if named else ("", "")
    return Seen((gobgp(), ams_edge(names[0]), nyc_edge(names[1])))


def without_communities(seen: Seen, regional_only: bool = False, but: tuple[str, ...] = ()) -> Seen:
    """The same network, where communities do not survive on the way to the sites (and NVAs set none, with `but`)."""
    regional = {parse_community(region.community) for region in (WEU, EUS)}
    kept = set(map(parse_community, but))

    def bare(each: SeenRoute) -> SeenRoute:
        left = tuple(
            community
            for community in each.attributes.communities
            if community in kept or (regional_only and community not in regional)
        )
        return replace(each, attributes=replace(each.attributes, communities=left))

    def stripped(each: SeenSession) -> SeenSession:
        return replace(each, routes=tuple(map(bare, each.routes)))

    return Seen(tuple(replace(each, sessions=tuple(map(stripped, each.sessions))) for each in seen.exporters))
