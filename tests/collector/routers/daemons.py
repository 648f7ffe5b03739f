"""The four routers of a recording: their configurations, and how each is started inside its namespace."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.collector.routers.said import SPEAKERS, Speaker

RECORDER: Final = "10.9.0.1"
FRR_BMP, GOBGP_BMP, OPENBGPD_BMP = 11019, 11020, 11021
EXABGP_ASN: Final = 65_001


@dataclass(frozen=True, slots=True)
class Router:
    """One router, its namespace and its addresses."""

    name: str
    address: str
    asn: int

    @property
    def namespace(self) -> str:
        """Return the namespace that it has for itself."""
        return f"rd{self.name}"

    @property
    def six(self) -> str:
        """Return its IPv6 address."""
        return f"2001:db8:9::{self.address.rpartition('.')[2]}"


FRR, BIRD = Router("frr", "10.9.0.2", 65_002), Router("bird", "10.9.0.3", 65_003)
GOBGP, OPENBGPD = Router("gobgp", "10.9.0.4", 65_004), Router("openbgpd", "10.9.0.5", 65_005)
ROUTERS: Final = (FRR, BIRD, GOBGP, OPENBGPD)


Peer = tuple[str, int, Speaker | None]


def _asn(speaker: Speaker, router: Router) -> int:
    return speaker.asn or router.asn


def frr(folder: Path) -> str:
    """Return bgpd.conf."""
    return "\n".join((*_frr(folder), ""))


def _frr(folder: Path) -> Iterator[str]:
    yield from (f"dump bgp all {folder}/frr-all.mrt", f"dump bgp updates-et {folder}/frr-updates-et.mrt")
    yield from (
        "ip prefix-list reached seq 5 permit 11.51.0.0/16",
        "ip prefix-list reached seq 6 permit 15.0.0.0/8 le 32",
    )
    yield from ("route-map heard deny 10", " match ip address prefix-list reached", "route-map heard permit 20")
    yield from ("route-map nothing deny 10", f"router bgp {FRR.asn}")
    yield from (f" bgp router-id {FRR.address}", " no bgp ebgp-requires-policy", " no bgp network import-check")
    others = [(speaker.address, _asn(speaker, FRR), speaker) for speaker in SPEAKERS]
    peers = [*others, (RECORDER, EXABGP_ASN, None), *((one.address, one.asn, None) for one in (BIRD, OPENBGPD))]
    for address, asn, speaker in peers:
        yield from (f" neighbor {address} remote-as {asn}", f" neighbor {address} disable-connected-check")
        yield from (f" neighbor {address} timers connect 2", f" neighbor {address} advertisement-interval 0")
        if address not in (BIRD.address, OPENBGPD.address):
            yield f" neighbor {address} passive"
        if speaker is not None and speaker.hops:
            yield f" neighbor {address} capability extended-nexthop"
    for family in ("ipv4 unicast", "ipv6 unicast"):
        yield f" address-family {family}"
        for address, _, speaker in peers:
            yield from (f"  neighbor {address} activate", f"  neighbor {address} soft-reconfiguration inbound")
            if address == BIRD.address or (speaker is not None and speaker.paths):
                yield f"  neighbor {address} addpath-tx-all-paths"
            if (
                address != BIRD.address
            ):  # FRR forgets NEXT_HOP where it came in MP_REACH_NLRI: OpenBGPD ends the session
                yield f"  neighbor {address} route-map {'heard' if address == OPENBGPD.address else 'nothing'} out"
        yield "  network 2.0.0.0/16" if family == "ipv4 unicast" else "  network 2001:db8:2::/48"
        yield " exit-address-family"
    other = next(speaker.address for speaker in SPEAKERS if speaker.name == "other")
    for family in ("ipv4 multicast", "ipv4 vpn", "l2vpn evpn"):
        yield from (f" address-family {family}", f"  neighbor {other} activate", " exit-address-family")
    yield " bmp targets recorder"
    for family in ("ipv4", "ipv6"):
        yield from (f"  bmp monitor {family} unicast {view}" for view in ("pre-policy", "post-policy"))
    yield from ("  bmp mirror", "  bmp stats interval 15000")
    yield f"  bmp connect {RECORDER} port {FRR_BMP} min-retry 500 max-retry 1000"
    yield from (" exit", "exit")


def bird(folder: Path) -> str:
    """Return bird.conf."""
    return "\n".join((*_bird(folder), ""))


def _bird(folder: Path) -> Iterator[str]:
    yield from (f"router id {BIRD.address};", f'mrtdump "{folder}/bird-messages.mrt";', "mrtdump protocols all;")
    yield from ("protocol device { }", "protocol direct { ipv4; ipv6; }")
    yield f'protocol mrt {{ table "master*"; filename "{folder}/bird-table-%N.mrt"; period 300; }}'
    yield f'protocol mrt {{ table "master4"; filename "{folder}/bird-paths-%N.mrt"; period 300; always add path on; }}'
    yield "protocol static { ipv4; route 3.0.0.0/16 blackhole; }"
    peers = [(speaker.address, _asn(speaker, BIRD), speaker.paths, speaker.hops) for speaker in SPEAKERS]
    peers += [(RECORDER, EXABGP_ASN, True, False), *((one.address, one.asn, True, False) for one in (FRR, GOBGP))]
    for address, asn, paths, hops in peers:
        local = BIRD.six if ":" in address else BIRD.address
        yield f"protocol bgp {{ local {local} as {BIRD.asn}; neighbor {address} as {asn};"
        yield "  multihop 2; connect retry time 2; error wait time 1, 2; startup hold time 30; connect delay time 1;"
        yield "  passive on;" if address not in (FRR.address, GOBGP.address) else "  connect delay time 2;"
        told = "all" if address in (FRR.address, GOBGP.address) else "none"
        more = ("add paths on;" if paths else "") + ("extended next hop on;" if hops else "")
        yield f"  ipv4 {{ import all; export {told}; import table on; {more} }};"
        yield f"  ipv6 {{ import all; export {told}; {'add paths on;' if paths else ''} }};"
        yield "}"


def gobgp(folder: Path) -> str:
    """Return gobgpd.toml."""
    return "\n".join((*_gobgp(folder), ""))


def _gobgp(folder: Path) -> Iterator[str]:
    yield from ("[global.config]", f"  as = {GOBGP.asn}", f'  router-id = "{GOBGP.address}"', "  port = 179")
    yield f'  local-address-list = ["{GOBGP.address}", "{GOBGP.six}"]'
    yield from (
        "  [global.apply-policy.config]",
        '    export-policy-list = ["to-routers"]',
        '    default-export-policy = "reject-route"',
    )
    yield from ("[[defined-sets.neighbor-sets]]", '  neighbor-set-name = "routers"')
    yield f'  neighbor-info-list = ["{BIRD.address}", "{OPENBGPD.address}"]'
    yield from ("[[policy-definitions]]", '  name = "to-routers"', "  [[policy-definitions.statements]]")
    yield from ("    [policy-definitions.statements.conditions.match-neighbor-set]", '      neighbor-set = "routers"')
    yield from ("    [policy-definitions.statements.actions]", '      route-disposition = "accept-route"')
    for kind, more in (("updates", ""), ("table", "    dump-interval = 60")):
        yield from ("[[mrt-dump]]", "  [mrt-dump.config]", f'    dump-type = "{kind}"')
        yield from (f'    file-name = "{folder}/gobgp-{kind}.mrt"', more)
    yield from ("[[bmp-servers]]", "  [bmp-servers.config]", f'    address = "{RECORDER}"', f"    port = {GOBGP_BMP}")
    yield from (
        '    route-monitoring-policy = "all"',
        "    route-mirroring-enabled = true",
        "    statistics-timeout = 20",
    )
    peers: list[Peer] = [(speaker.address, _asn(speaker, GOBGP), speaker) for speaker in SPEAKERS]
    peers += [(RECORDER, EXABGP_ASN, None), *((one.address, one.asn, None) for one in (BIRD, OPENBGPD))]
    for address, asn, speaker in peers:
        yield from ("[[neighbors]]", "  [neighbors.config]")
        yield from (f'    neighbor-address = "{address}"', f"    peer-as = {asn}")
        yield "  [neighbors.transport.config]"
        yield f"    passive-mode = {'false' if address == OPENBGPD.address else 'true'}"
        yield f'    local-address = "{GOBGP.six if ":" in address else GOBGP.address}"'
        families = ["ipv4-unicast", "ipv6-unicast"]
        if speaker is not None and speaker.name == "other":
            families += ["ipv4-labelled-unicast", "l3vpn-ipv4-unicast", "l2vpn-evpn"]
        for family in families:
            yield from (
                "  [[neighbors.afi-safis]]",
                "    [neighbors.afi-safis.config]",
                f'      afi-safi-name = "{family}"',
            )
            if address == BIRD.address or (speaker is not None and speaker.paths):
                yield from ("    [neighbors.afi-safis.add-paths.config]", "      receive = true", "      send-max = 4")


def openbgpd(folder: Path) -> str:
    """Return bgpd.conf of OpenBGPD."""
    return "\n".join((*_openbgpd(folder), ""))


def _openbgpd(folder: Path) -> Iterator[str]:
    yield from (f"AS {OPENBGPD.asn}", f"router-id {OPENBGPD.address}", "fib-update no")
    yield from (f"listen on {OPENBGPD.address}", f"listen on {OPENBGPD.six}", f'socket "{folder}/openbgpd.sock"')
    yield from (f'dump all in "{folder}/openbgpd-all-in.mrt"', f'dump all out "{folder}/openbgpd-all-out.mrt"')
    yield f'dump updates in "{folder}/openbgpd-updates-in.mrt"'
    yield from (f'dump rib Adj-RIB-In table-v2 "{folder}/openbgpd-adj-in.mrt" 30',)
    yield from (f'dump {kind} "{folder}/openbgpd-{kind}.mrt" 30' for kind in ("table", "table-mp", "table-v2"))
    yield "network 5.0.0.0/16"
    peers: list[Peer] = [(speaker.address, _asn(speaker, OPENBGPD), speaker) for speaker in SPEAKERS]
    peers += [(RECORDER, EXABGP_ASN, None), *((one.address, one.asn, None) for one in (FRR, GOBGP))]
    for address, asn, speaker in peers:
        yield f"neighbor {address} {{"
        yield from (
            f"  remote-as {asn}",
            "  announce IPv4 unicast",
            "  announce IPv6 unicast",
            "  multihop 2" if asn != OPENBGPD.asn else "",
        )
        yield "  passive" if address not in (FRR.address, GOBGP.address) else ""
        if speaker is not None and speaker.paths:
            yield from ("  announce add-path recv yes", "  announce add-path send all")
        if speaker is not None and speaker.name == "other":
            yield from ("  announce IPv4 vpn", "  announce IPv6 vpn")
        yield "}"
    yield from ("allow from any", *(f"allow to {router.address}" for router in (FRR, GOBGP)))


def exabgp(folder: Path) -> str:
    """Return ExaBGP's configuration: one session with each router."""
    return "\n".join(line for router in ROUTERS for line in _exabgp(router))


_EXABGP_ROUTES: Final = (
    "21.1.0.0/16 next-hop 10.9.0.1 as-path [ 65001 64500 64501 ] community [ 65001:1 no-export ] med 7",
    "21.2.0.0/16 next-hop 10.9.0.1 large-community [ 65001:1:2 ] extended-community [ target:65001:1 origin:65001:2 ]",
    "21.3.0.0/16 next-hop 10.9.0.1 origin egp atomic-aggregate aggregator ( 65001:10.0.0.1 )",
    "21.4.0.0/16 next-hop 10.9.0.1 attribute [ 0x63 0xc0 0x01020304 ]",
    "21.8.0.0/16 next-hop 10.9.0.1 split /18",
    "2001:db8:21::/48 next-hop 2001:db8:9::1 community [ 65001:2 ]",
)


def _exabgp(router: Router) -> Iterator[str]:
    yield f"neighbor {router.address} {{"
    yield f"  router-id {RECORDER}; local-address {RECORDER}; local-as {EXABGP_ASN}; peer-as {router.asn};"
    yield "  family { ipv4 unicast; ipv6 unicast; }"
    if router is BIRD:
        yield "  capability { add-path send/receive; }"
    yield "  static {"
    for number, route in enumerate(_EXABGP_ROUTES, 1):
        path_id = f" path-information 0.0.0.{number}" if router is BIRD else ""
        prefix, _, rest = route.partition(" ")
        yield f"    route {prefix}{path_id} {rest};"
    yield from ("  }", "}")
