"""No kind without an analyzer that yields it: one cause each, and the healthy network yields none."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest

from anycast.finding import Kind
from anycast.sink import SinkState
from tests.analyzers.network import (
    DNS,
    WEB,
    Network,
    best_route,
    best_source,
    intent,
    looks,
    nva_route,
    nva_source,
    placement,
    rs_source,
    services,
    vantages,
)
from tests.analyzers.probed import Probed
from tests.analyzers.probing.causes import CAUSES as PROBED
from tests.analyzers.scenarios.probed_causes import CAUSES as SEEN
from tests.analyzers.sinks import sink

NVA = nva_source("weu-nva1")


def _announce(prefix: str, *path: int, hop: str = "10.10.1.4") -> Callable[[Network], None]:
    return lambda network: network.announce(NVA, ip_network(prefix), looks(*path, hop=hop))


def _prepends(times: int) -> Callable[[Network], None]:
    return lambda network: network.announce(nva_source("eus-nva1"), DNS, nva_route("eus-nva1", DNS, prepend=times))


def _both(network: Network) -> None:
    network.withdraw_region("weu", WEB)
    network.withdraw_region("eus", WEB)


def _flap(network: Network) -> None:
    for _ in range(3):
        network.withdraw(NVA, WEB)
        network.announce(NVA, WEB, nva_route("weu-nva1", WEB))


def _unplaced(network: Network) -> None:
    only_here = tuple(service.__class__(service.name, service.prefixes, (placement("weu"),)) for service in services())
    network.intent = intent(services=only_here)
    network.view.reconfigure(network.intent)


def _fill(network: Network) -> None:
    limited = tuple(
        v.__class__(v.name, v.exporter, v.peer, v.rung, whole=v.whole, prefix_limit=3) for v in vantages()[:1]
    )
    network.intent = intent(vantages=(*limited, *vantages()[1:]))
    network.view.reconfigure(network.intent)


def _server_away(network: Network) -> None:
    network.view.sinks = (sink(SinkState.WAITING),)


CAUSES: dict[Kind, Callable[[Network], None]] = {
    Kind.MISSING: lambda network: network.withdraw(NVA, WEB),
    Kind.MISSING_EVERYWHERE: _both,
    Kind.UNEXPECTED_ORIGIN: _announce("10.250.0.10/32", 65010, 64666),
    Kind.UNEXPECTED_REGION: _unplaced,
    Kind.UNEXPECTED_NEXT_HOP: _announce("10.250.0.10/32", 65010, hop="10.10.1.99"),
    Kind.MORE_SPECIFIC: _announce("10.250.8.0/25", 65010),
    Kind.COVERING_ROUTE: _announce("10.250.0.0/24", 65010),
    Kind.INSTANCE_SKEW: lambda network: network.withdraw(rs_source("weu-rs0"), WEB),
    Kind.ATTRIBUTE_DRIFT: lambda network: network.announce(best_source("ams"), WEB, best_route("ams", "weu", lp=1)),
    Kind.PREPEND_LOST: _prepends(0),
    Kind.PREPEND_ADDED: _prepends(9),
    Kind.BACKUP_ACTIVE: lambda network: network.announce(best_source("ams"), WEB, best_route("ams", "eus")),
    Kind.ECMP_SHRUNK: lambda network: network.down(NVA),
    Kind.REDUNDANCY_LOW: lambda network: network.withdraw_region("weu", WEB),
    Kind.CASCADE: _both,
    Kind.SESSION_DOWN: lambda network: network.down(NVA),
    Kind.FLAPPING: _flap,
    Kind.OVERLAP: _announce("10.10.3.0/24", 65010),
    Kind.PREFIX_LIMIT: _fill,
    Kind.BLIND: lambda network: network.cut("gobgp"),
    Kind.SINK_FAILING: _server_away,
    **PROBED,
}


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in SEEN])
def test_the_kind_is_yielded_by_its_cause_and_not_by_health(kind: Kind) -> None:
    network = Network()
    assert kind not in {finding.kind for finding in network.findings()}
    CAUSES[kind](network)
    assert kind in {finding.kind for finding in network.findings()}


@pytest.mark.parametrize("kind", SEEN)
def test_the_kind_is_yielded_from_what_agents_see_and_not_from_health(kind: Kind) -> None:
    network = Probed(sites=("ams",))
    network.run(5)
    assert network.findings() == ()
    SEEN[kind](network)
    network.run(4.5)
    assert kind in {finding.kind for finding in network.findings()}
