"""Who is who: Route Server instances, NVAs, regions and sites, found from sessions and AS paths alone."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network

from anycast.intent import ROUTE_SERVER
from anycast.observation import Rib
from anycast.prefix import Address
from anycast.route import Asn
from pipeline.config.seen import Seen, SeenExporter, SeenSession

ROUTE_SERVER_SUBNET = 26  # RouteServerSubnet is at least a /26 and holds both instances of one Route Server
HEARD = (Rib.ADJ_IN_POST, Rib.ADJ_IN_PRE)  # the better view last
WORD = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")
TAKEN = frozenset(("null", "true", "false", "y", "n", "yes", "no", "on", "off"))  # words that YAML may read otherwise


@dataclass(frozen=True)
class FoundNva:
    """An NVA and its session with the collector."""

    name: str
    address: Address
    asn: Asn
    session: SeenSession


@dataclass(frozen=True)
class FoundRegion:
    """Instances of one Route Server, and the NVAs behind it."""

    name: str
    instances: tuple[tuple[str, SeenSession], ...]
    nvas: tuple[FoundNva, ...]


@dataclass(frozen=True)
class FoundSite:
    """An edge router, with what it hears (its own feed) and what it chose (its session with the collector)."""

    name: str
    router: str
    address: Address
    exporter: SeenExporter | None
    chosen: SeenSession | None


@dataclass(frozen=True)
class Places:
    """All of them."""

    collectors: tuple[tuple[str, SeenExporter], ...]
    regions: tuple[FoundRegion, ...]
    sites: tuple[FoundSite, ...]
    strangers: tuple[SeenSession, ...]
    """Peers of a collector that are none of these."""


@dataclass
class _Peers:
    instances: list[SeenSession] = field(default_factory=list)
    nvas: list[SeenSession] = field(default_factory=list)
    edges: list[SeenSession] = field(default_factory=list)
    strangers: list[SeenSession] = field(default_factory=list)


def places(seen: Seen) -> Places:
    """Sort out exporters and their peers. The same sight gives the same names in any order of arrival."""
    exporters = sorted(seen.exporters, key=lambda exporter: address_order(exporter.address))
    collectors = [exporter for exporter in exporters if _collects(exporter)]
    edges = [exporter for exporter in exporters if exporter not in collectors]
    peers = _peers(collectors)
    words = _Words()
    return Places(
        collectors=tuple((words.name(exporter.name, "gobgp"), exporter) for exporter in collectors),
        regions=tuple(_regions(peers)),
        sites=tuple(_sites(edges, peers.edges, words)),
        strangers=tuple(peers.strangers),
    )


def address_order(address: Address) -> tuple[int, int]:
    """Sort addresses by family and number."""
    return address.version, int(address)


def peer_asn(session: SeenSession) -> Asn | None:
    """Return the peer's AS, from its OPEN or else from the first AS of every path it sends."""
    if session.remote is not None:
        return session.remote.asn
    firsts = {route.attributes.as_path.asns[0] for route in session.routes if route.attributes.as_path.asns}
    return firsts.pop() if len(firsts) == 1 else None


def up(sessions: Iterable[SeenSession]) -> list[SeenSession]:
    """Return the sessions that are up, by the peer's address, each in the one view that says most of what is heard."""
    found: dict[Address, SeenSession] = {}
    for session in sorted(sessions, key=lambda each: HEARD.index(each.rib) if each.rib in HEARD else -1):
        if session.up and session.peer is not None and session.rib in HEARD:
            found[session.peer] = session  # the last one stands
    return [found[peer] for peer in sorted(found, key=address_order)]


class _Words:
    """Gives out names: a router's own where it can be used, `gobgp`, `gobgp-2`, ... where not."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def name(self, own: str, otherwise: str) -> str:
        usable = WORD.fullmatch(own) and own.lower() not in TAKEN and not re.match(r"(region|site)-\d", own)
        candidates = [own] if usable else []
        candidates += [otherwise, *(f"{otherwise}-{number}" for number in range(2, len(self.used) + 3))]
        name = next(candidate for candidate in candidates if candidate not in self.used)
        self.used.add(name)
        return name


def _collects(exporter: SeenExporter) -> bool:
    """A collector peers with an AS that it also hears behind a Route Server: an NVA. No edge router does."""
    if exporter.collector is not None:
        return exporter.collector
    sessions = up(exporter.sessions)
    behind = {asn for session in sessions if peer_asn(session) == ROUTE_SERVER for asn in heard_behind(session)}
    return any(peer_asn(session) in behind for session in sessions)


def heard_behind(session: SeenSession) -> set[Asn]:
    """Return the AS numbers that stand right behind Route Server's in the paths of a session."""
    paths = (route.attributes.as_path.asns for route in session.routes)
    return {path[1] for path in paths if len(path) > 1 and path[0] == ROUTE_SERVER}


def _peers(collectors: Iterable[SeenExporter]) -> _Peers:
    """Tell a collector's peers apart: iBGP is an edge router, 65515 an instance, a path of one AS an NVA."""
    found, unsure = _Peers(), []
    for session in [session for exporter in collectors for session in up(exporter.sessions)]:
        asn = peer_asn(session)
        if session.local is not None and session.local.asn == asn:
            found.edges.append(session)
        elif asn == ROUTE_SERVER:
            found.instances.append(session)
        elif asn is None:
            found.strangers.append(session)
        else:
            unsure.append((asn, session))
    behind = {asn for session in found.instances for asn in heard_behind(session)}
    for asn, session in unsure:
        own = any(set(route.attributes.as_path.asns) == {asn} for route in session.routes)
        (found.nvas if own or asn in behind else found.strangers).append(session)
    return found


def _regions(peers: _Peers) -> Iterator[FoundRegion]:
    groups = _route_servers(peers.instances)
    members: list[list[SeenSession]] = [[] for _ in groups]
    alone: dict[Asn | None, list[SeenSession]] = {}
    for nva in peers.nvas:
        home = _home(nva, groups)
        if home is None:
            alone.setdefault(peer_asn(nva), []).append(nva)
        else:
            members[home].append(nva)
    everywhere = [*zip(groups, members, strict=True), *(([], nvas) for nvas in alone.values())]
    for number, (instances, nvas) in enumerate(everywhere, 1):
        region = f"region-{number}"
        yield FoundRegion(
            region,
            tuple((f"{region}-rs{index}", session) for index, session in enumerate(instances)),
            tuple(_nva(f"{region}-nva{index}", session) for index, session in enumerate(nvas, 1)),
        )


def _nva(name: str, session: SeenSession) -> FoundNva:
    asn = peer_asn(session)
    assert session.peer is not None
    assert asn is not None
    return FoundNva(name, session.peer, asn, session)


def _route_servers(instances: list[SeenSession]) -> list[list[SeenSession]]:
    """Put the instances of one Route Server together: one subnet, or else the same NVAs behind a lone pair."""
    groups: dict[object, list[SeenSession]] = {}
    for session in instances:
        width = ROUTE_SERVER_SUBNET if session.peer and session.peer.version == 4 else 64
        groups.setdefault(ip_network((session.peer, width), strict=False) if session.peer else None, []).append(session)
    together: dict[object, list[SeenSession]] = {}
    for subnet, group in groups.items():
        behind = frozenset(heard_behind(group[0])) if len(group) == 1 else frozenset()
        together.setdefault(behind or subnet, []).extend(group)
    return list(together.values())


def _home(nva: SeenSession, groups: list[list[SeenSession]]) -> int | None:
    """Return the index of the Route Server behind which an NVA is heard; of several, the one nearest by address."""
    asn = peer_asn(nva)
    heard = [number for number, group in enumerate(groups) if any(asn in heard_behind(session) for session in group)]
    candidates = heard or list(range(len(groups)))
    near = [(_common_bits(nva.peer, session.peer), -number) for number in candidates for session in groups[number]]
    return -max(near)[1] if near else None


def _common_bits(one: Address | None, other: Address | None) -> int:
    if one is None or other is None or one.version != other.version:
        return -1
    return one.max_prefixlen - (int(one) ^ int(other)).bit_length()


def _sites(edges: list[SeenExporter], chosen: list[SeenSession], words: _Words) -> Iterator[FoundSite]:
    """Pair each edge router's own feed with its session with the collector, by address or by BGP identifier."""
    left = list(chosen)
    number = 0
    for exporter in edges:
        match = next((session for session in left if _same(exporter, session)), None)
        if match is not None:
            left.remove(match)
        number += 1
        address = match.peer if match is not None and match.peer is not None else exporter.address
        yield FoundSite(f"site-{number}", words.name(exporter.name, f"edge-{number}"), address, exporter, match)
    for session in left:
        number += 1
        assert session.peer is not None
        yield FoundSite(f"site-{number}", words.name("", f"edge-{number}"), session.peer, None, session)


def _same(exporter: SeenExporter, session: SeenSession) -> bool:
    identifiers = {own.local.identifier for own in exporter.sessions if own.local is not None}
    return session.peer == exporter.address or (session.remote is not None and session.remote.identifier in identifiers)
