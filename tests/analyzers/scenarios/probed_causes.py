"""One cause for each kind that says who is silent, which leg loses and who answers, done to a healthy network."""

from collections.abc import Callable

from anycast.finding import Kind
from anycast.probe import Outcome, Probe, TargetKind
from tests.analyzers.network import WEB, best_route, best_source, nva_route, nva_source
from tests.analyzers.probed import Probed, at_nva, everything

Cause = Callable[[Probed], None]
WEU = ("weu-nva1", "weu-nva2")
ALL = (TargetKind.SERVICE, TargetKind.NVA, TargetKind.APPLICATION)


def _lost(*nvas: str, part: float = 1.0, kinds: tuple[TargetKind, ...] = (TargetKind.SERVICE,)) -> Cause:
    return lambda network: network.faults.append(at_nva(*nvas, part=part, kinds=kinds))


def _refused(network: Probed) -> None:
    hit = ("weu-app1", "weu-app2")
    network.faults.append(lambda a: Outcome.REFUSED if a.target in hit and a.probe is Probe.HTTP else None)


def _to(*turns: tuple[str, ...]) -> Cause:
    def cause(network: Probed) -> None:
        for regions in turns:
            network.lands["ams", "web"] = regions
            network.run(3)

    return cause


def _idle(network: Probed) -> None:
    network.withdraw_region("eus", WEB)


def _gone(network: Probed) -> None:
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))


def _one_path(network: Probed) -> None:
    network.nvas["weu"] = ("weu-nva1",)
    network.run(70)


def _other_way(network: Probed) -> None:
    for flow in network.view.probing.sites["ams"].pairs["web"].flows.by_number.values():
        flow.was, flow.ttl = (flow.ttl + 1, flow.far), flow.ttl
        network.view.probing.sites["ams"].pairs["web"].flows.turned.add(flow.number)
    hit = (Probe.TCP, Probe.HTTP)
    network.faults.append(lambda a: Outcome.RESET if a.target == "web" and a.probe in hit else None)
    network.run(6)


def _restless(network: Probed) -> None:
    for _ in range(4):
        network.withdraw(nva_source("weu-nva1"), WEB)
        network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))


CAUSES: dict[Kind, Cause] = {
    Kind.BLACKHOLE: _lost(*WEU),
    Kind.ADVERTISED_WHILE_DEAD: _refused,
    Kind.HEALTHY_BUT_SILENT: _idle,
    Kind.DEAD_LEG: _lost("weu-nva1"),
    Kind.LOSSY_LEG: _lost("weu-nva1", part=0.3),
    Kind.MISROUTED: _to(("eus",)),
    Kind.CATCHMENT_SHIFT: _to(("eus",)),
    Kind.CATCHMENT_FLAP: _to(("eus",), ("weu",), ("eus",)),
    Kind.FIB_DIVERGENCE: _gone,
    Kind.HASH_POLARISED: _one_path,
    Kind.ASYMMETRIC_RETURN: _other_way,
    Kind.STALE_ROUTE: _lost("weu-nva1", kinds=ALL),
    Kind.UNREACHABLE: _lost(*WEU, "eus-nva1", "eus-nva2", kinds=ALL),
    Kind.HEALTH_CHECK_DEFECT: _restless,
    Kind.SITE_UPLINK: lambda network: network.faults.append(everything("ams")),
}
