"""The collector's GoBGP configuration, made from the intent: every peer it names, BMP to us, and nothing advertised."""

from collections.abc import Iterator

from anycast.intent import Rung, Vantage
from anycast.route import Asn
from collector.written.problem import ConfigError, Problem
from pipeline.config.settings import Config, Speaker

HOLD_TIME = 180  # what Azure Route Server documents; used where the intent means none
MULTIHOP = 4  # Route Server and NVAs are multihop eBGP peers in a subnet of their own


def gobgp_configuration(config: Config, exporter: str | None = None) -> str:
    """Return gobgpd's configuration (TOML) for a collector, the first one when none is named.

    Raises ConfigError when the intent has no such collector, or does not say an AS number that GoBGP needs.
    """
    speaker = next((each for each in config.speakers if exporter in (None, each.exporter)), None)
    if speaker is None:
        said = f"{exporter} is no collector" if exporter else "holds no collector; add `collector: true` to its GoBGP"
        raise ConfigError((Problem(str(config.source), 0, 0, ("exporters",), said),))
    peers = [vantage for vantage in config.intent.vantages if vantage.exporter == speaker.exporter and vantage.peer]
    problems = tuple(_lacking(config, speaker, peers))
    if problems:
        raise ConfigError(problems)
    lines = [*_global(config, speaker), *(line for peer in peers for line in _neighbor(config, speaker, peer))]
    return "\n".join((*lines, ""))


def _lacking(config: Config, speaker: Speaker, peers: list[Vantage]) -> Iterator[Problem]:
    file = str(config.source)
    if speaker.asn is None:
        said = "needs `asn`; GoBGP has an AS of its own towards NVAs and Route Servers, such as 65099"
        yield Problem(file, 0, 0, ("exporters", speaker.exporter), said)
    known = dict(speaker.site_asns)
    for site in dict.fromkeys(peer.site for peer in peers if peer.rung is Rung.V6):
        if site is not None and site not in known:
            said = "needs `asn`; GoBGP peers with its routers over iBGP, inside the site's own AS"
            yield Problem(file, 0, 0, ("sites", site), said)


def _global(config: Config, speaker: Speaker) -> Iterator[str]:
    yield f"# GoBGP of {speaker.exporter}, from {config.source.name} by `catchment gobgp`. It listens and says nothing."
    yield "[global.config]"
    yield from (f"  as = {speaker.asn}", f'  router-id = "{speaker.router_id}"')
    yield "  port = -1  # it dials every peer, and nobody dials it: so it needs no privilege, and no way in"
    # Nothing is exported twice over: a policy that rejects everything, and a default that does. Nothing gets into its
    # table, either: GoBGP would withdraw from its peers what it never announced. BMP tells what they said before that.
    yield "[global.apply-policy.config]"
    yield '  default-import-policy = "reject-route"'
    yield from ('  export-policy-list = ["advertise-nothing"]', '  default-export-policy = "reject-route"')
    yield "[[policy-definitions]]"
    yield '  name = "advertise-nothing"'
    yield "  [[policy-definitions.statements]]"
    yield '    name = "reject-all"'
    yield "    [policy-definitions.statements.actions]"
    yield '      route-disposition = "reject-route"'
    yield "[[bmp-servers]]"
    yield "  [bmp-servers.config]"
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    yield f'    address = "{here.get(config.listen.bmp.host, config.listen.bmp.host)}"'
    yield f"    port = {config.listen.bmp.port}"
    yield from ('    route-monitoring-policy = "pre-policy"', "    statistics-timeout = 15")


def _neighbor(config: Config, speaker: Speaker, peer: Vantage) -> Iterator[str]:
    theirs, ours = _asns(config, speaker, peer)
    if theirs is None or ours is None:
        yield f"# {peer.name}: {peer.peer} is left out, for the intent does not say its AS"
        return
    hold = peer.hold_time if peer.hold_time is not None else HOLD_TIME
    yield "[[neighbors]]"
    yield "  [neighbors.config]"
    yield from (f'    neighbor-address = "{peer.peer}"', f"    peer-as = {theirs}", f"    local-as = {ours}")
    yield f'    description = "{peer.nva or peer.instance or peer.name}"'
    yield "  [neighbors.timers.config]"
    yield from (f"    hold-time = {hold}", f"    keepalive-interval = {hold // 3}")
    yield "  [neighbors.transport.config]"
    yield "    passive-mode = false"
    if theirs != ours:
        yield "  [neighbors.ebgp-multihop.config]"
        yield from ("    enabled = true", f"    multihop-ttl = {MULTIHOP}")
    for family in ("ipv4-unicast", "ipv6-unicast") if peer.rung is Rung.V6 else ("ipv4-unicast",):
        yield "  [[neighbors.afi-safis]]"
        yield "    [neighbors.afi-safis.config]"
        yield f'      afi-safi-name = "{family}"'


def _asns(config: Config, speaker: Speaker, peer: Vantage) -> tuple[Asn | None, Asn | None]:
    """Return the peer's AS and ours towards it: the site's own towards its routers, so that LOCAL_PREF comes along."""
    region = config.intent.by_region.get(peer.region or "")
    match peer.rung:
        case Rung.V1 if region is not None:
            return next((nva.asn for nva in region.nvas if nva.name == peer.nva), None), speaker.asn
        case Rung.V2 if region is not None:
            return region.route_server_asn, speaker.asn
        case Rung.V6:
            own = dict(speaker.site_asns).get(peer.site or "")
            return own, own
    return None, None
