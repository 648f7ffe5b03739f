"""What the scenarios of routes ask of a network: findings of a kind, and places that they speak of."""

from ipaddress import ip_network

from anycast.finding import Finding, Kind
from anycast.intent import Service
from tests.analyzers.network import (
    EDGES,
    WEB,
    Network,
    best_source,
    looks,
    msee_source,
    nva_source,
    rs_source,
    services,
)

NVA, RS0, RS1 = nva_source("weu-nva1"), rs_source("weu-rs0"), rs_source("weu-rs1")
MSEE = msee_source("ams", "weu-msee1")
REGIONS = ("weu", "eus")


def of(network: Network, kind: Kind) -> list[Finding]:
    return [finding for finding in network.findings() if finding.kind is kind]


def only(network: Network) -> Finding:
    (finding,) = network.findings()
    return finding


def gone(network: Network, *regions: str, apart: float = 1) -> None:
    for name in regions:
        network.withdraw_region(name, WEB)
        network.wait(apart)
    for site in EDGES:
        network.withdraw(best_source(site), WEB)


def of_service(name: str, **parts: object) -> tuple[Service, ...]:
    def changed(service: Service) -> Service:
        values = {slot: getattr(service, slot) for slot in Service.__slots__} | parts
        return Service(**values)

    return tuple(changed(service) if service.name == name else service for service in services())


def announced(network: Network, prefix: str, *path: int, at: str = "nva") -> None:
    where = {"nva": NVA, "edge": MSEE}[at]
    network.announce(where, ip_network(prefix), looks(*path, hop=str(where.session.peer)))
