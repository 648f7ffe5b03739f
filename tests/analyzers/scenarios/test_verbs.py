"""Each fault of the lab as the ladder shows it: the findings that should come, come, and no others."""

from ipaddress import ip_address, ip_network

from anycast.finding import Finding, Kind, Severity
from anycast.observation import DownReason, LostReason, Session, SessionUp, Source
from anycast.prefix import Prefix
from tests.analyzers.network import (
    DNS,
    VDI,
    WEB,
    Network,
    best_route,
    best_source,
    edge_to_collector,
    looks,
    msee_route,
    msee_source,
    nva_route,
    nva_source,
    rs_route,
    rs_source,
    vpn_route,
    vpn_source,
)


def brief(findings: tuple[Finding, ...]) -> set[str]:
    """Kind and the parts of the subject that matter here, as `kind part part`."""
    return {" ".join((str(f.kind), *(value for name, value in f.subject.parts if name != "prefix"))) for f in findings}


def judged(network: Network) -> set[str]:
    return brief(network.findings())


def severity(network: Network, kind: Kind) -> set[Severity]:
    return {finding.severity for finding in network.findings() if finding.kind is kind}


def test_the_healthy_network_yields_nothing() -> None:
    assert judged(Network()) == set()


def test_withdrawing_one_nva_is_that_nva_and_a_smaller_ecmp_of_that_service_only() -> None:
    network = Network()
    network.withdraw(nva_source("weu-nva1"), WEB)
    assert judged(network) == {"missing web weu weu-nva1", "ecmp-shrunk web weu"}
    assert severity(network, Kind.MISSING) == {Severity.WARNING}
    network.heal()
    assert judged(network) == set()


def test_withdrawing_a_region_is_the_region_its_redundancy_a_failover_and_a_smaller_ecmp() -> None:
    network = Network()
    network.withdraw_region("weu", WEB)
    for site in ("ams", "nyc"):
        network.announce(best_source(site), WEB, best_route(site, "eus"))
    assert judged(network) == {"missing web weu", "redundancy-low web", "backup-active web ams", "ecmp-shrunk web nyc"}
    assert severity(network, Kind.BACKUP_ACTIVE) == {Severity.INFO}
    assert severity(network, Kind.MISSING) == {Severity.MAJOR}
    assert severity(network, Kind.REDUNDANCY_LOW) == {Severity.WARNING}
    network.heal()
    assert judged(network) == set()


def test_killing_one_of_two_nvas_is_its_session_and_a_smaller_ecmp_and_nothing_more() -> None:
    network = Network()
    network.down(nva_source("weu-nva1"))
    expected = {"session-down weu weu-nva1 weu-nva1"} | {f"ecmp-shrunk {s} weu" for s in ("web", "dns", "vdi")}
    assert judged(network) == expected
    network.up(nva_source("weu-nva1"))
    network.wait(6)
    assert judged(network) == set()


def test_killing_both_nvas_takes_the_region() -> None:
    network = Network()
    network.down(nva_source("weu-nva1"))
    network.down(nva_source("weu-nva2"))
    for prefix in (WEB, DNS, VDI):
        network.withdraw_region("weu", prefix)
    found = judged(network)
    assert {"missing web weu", "missing dns weu", "missing vdi weu"} <= found
    assert not {line for line in found if line.startswith("missing") and "nva" in line}


def test_an_msee_session_down_is_that_session_only() -> None:
    network = Network()
    network.down(msee_source("ams", "weu-msee1"), DownReason.LOCAL_NOTIFICATION, "4/0 Hold Timer Expired")
    (only,) = network.findings()
    assert brief((only,)) == {"session-down ams ams-ce1/172.16.0.1"}
    assert ("ams-ce1 says", "local-notification (4/0 Hold Timer Expired)") in only.evidence
    network.up(msee_source("ams", "weu-msee1"))
    network.wait(6)
    assert judged(network) == set()


def test_a_flapping_advertisement_is_one_finding_that_outlives_the_last_flap_and_decays() -> None:
    network = Network()
    for _ in range(3):
        network.withdraw(nva_source("weu-nva1"), WEB)
        network.wait(3)
        network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
        network.wait(3)
    assert judged(network) == {"flapping web weu"}
    network.wait(240)
    assert judged(network) == {"flapping web weu"}
    network.wait(120)
    assert judged(network) == set()


def test_a_site_that_counts_one_down_more_than_its_region_is_still_the_same_flapping() -> None:
    network = Network()
    for count in range(4):
        if count < 3:
            network.withdraw(nva_source("weu-nva1"), WEB)
        network.withdraw(msee_source("nyc", "weu-msee1"), WEB)
        network.wait(3)
        network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
        network.announce(msee_source("nyc", "weu-msee1"), WEB, msee_route("nyc", "weu-msee1"))
        network.wait(3)
    seen = set()
    for _ in range(60):
        network.wait(10)
        seen |= judged(network)
    assert seen == {"flapping web weu"}


def test_a_prefix_that_flaps_at_a_site_alone_is_the_sites() -> None:
    network = Network()
    for _ in range(3):
        network.withdraw(msee_source("nyc", "weu-msee1"), WEB)
        network.wait(3)
        network.announce(msee_source("nyc", "weu-msee1"), WEB, msee_route("nyc", "weu-msee1"))
        network.wait(3)
    assert judged(network) == {"flapping web nyc"}


def test_two_flaps_are_not_flapping() -> None:
    network = Network()
    for _ in range(2):
        network.withdraw(nva_source("weu-nva1"), WEB)
        network.wait(3)
        network.announce(nva_source("weu-nva1"), WEB, nva_route("weu-nva1", WEB))
        network.wait(3)
    assert judged(network) == set()


def test_a_flapping_session_is_one_finding_and_its_routes_are_not_told_again() -> None:
    network = Network()
    for _ in range(3):
        network.down(nva_source("weu-nva1"))
        network.wait(3)
        network.up(nva_source("weu-nva1"))
        network.wait(6)
    assert judged(network) == {"flapping weu weu-nva1 weu-nva1"}


def rogue() -> Source:
    session = Session("nyc-ce1", ip_address("172.31.0.8"))
    return Source(session)


def test_a_hijack_at_a_site_is_an_unexpected_origin_only() -> None:
    network = Network()
    network.see(SessionUp(network.now, rogue().session))
    network.announce(rogue(), WEB, looks(64666, hop="172.31.0.8"))
    network.announce(best_source("nyc"), WEB, looks(64666, hop="172.31.0.8", lp=100))
    network.wait(6)
    (only,) = network.findings()
    assert only.key == "unexpected-origin|service=web|prefix=10.250.0.10/32|detail=AS64666"
    assert only.severity is Severity.CRITICAL
    assert only.rests_on == {"nyc-ce1/172.31.0.8", "nyc-ce1-best"}
    network.withdraw(rogue(), WEB)
    network.down(rogue())  # a stranger that leaves is no session of ours
    network.heal()
    assert judged(network) == set()


def test_a_more_specific_prefix_is_that_only_wherever_it_is_heard() -> None:
    inside: Prefix = ip_network("10.250.8.128/25")
    network = Network()
    network.announce(nva_source("weu-nva1"), inside, looks(65010, hop="10.10.1.4"))
    for n in (0, 1):
        network.announce(rs_source(f"weu-rs{n}"), inside, looks(65515, 65010, hop=f"10.10.255.{4 + n}"))
    network.announce(msee_source("ams", "weu-msee1"), inside, looks(12076, hop="172.16.0.1", marks=["12076:51002"]))
    assert network.wrong() == {"more-specific|service=vdi|prefix=10.250.8.0/24|detail=10.250.8.128/25"}
    network.heal()
    assert judged(network) == set()


def test_a_dropped_prepend_is_seen_at_v1_and_v2_and_steers_where_paths_survive() -> None:
    network = Network()
    for n in (1, 2):
        network.announce(nva_source(f"eus-nva{n}"), DNS, nva_route(f"eus-nva{n}", DNS, prepend=0))
        network.announce(rs_source(f"eus-rs{n - 1}"), DNS, rs_route(f"eus-rs{n - 1}", DNS, prepend=0))
    assert judged(network) == {"prepend-lost dns eus"}
    network.announce(vpn_source("eus"), DNS, vpn_route("eus", prepend=0))
    network.announce(best_source("nyc"), DNS, looks(65515, 65020, hop="172.18.1.1", lp=300))
    assert judged(network) == {"prepend-lost dns eus", "backup-active dns nyc"}
    assert severity(network, Kind.BACKUP_ACTIVE) == {Severity.MAJOR}
    network.heal()
    assert judged(network) == set()


def test_a_prepend_dropped_by_one_nva_also_leaves_fewer_equal_paths() -> None:
    network = Network()
    network.announce(nva_source("eus-nva1"), DNS, nva_route("eus-nva1", DNS, prepend=0))
    for n in (0, 1):
        network.announce(rs_source(f"eus-rs{n}"), DNS, rs_route(f"eus-rs{n}", DNS, prepend=0))
    assert judged(network) == {"prepend-lost dns eus", "ecmp-shrunk dns eus"}
    assert {finding.since for finding in network.findings()} == {
        network.now
    }  # not since the other NVA's route is there


def test_a_changed_local_preference_is_drift_and_a_wrong_backup_when_the_best_path_moves() -> None:
    network = Network()
    network.announce(best_source("ams"), WEB, best_route("ams", "weu", lp=150))
    assert judged(network) == {"attribute-drift web weu ams LOCAL_PREF"}
    network.announce(best_source("ams"), WEB, best_route("ams", "eus", lp=300))
    assert judged(network) == {"attribute-drift web eus ams LOCAL_PREF", "backup-active web ams"}
    assert severity(network, Kind.BACKUP_ACTIVE) == {Severity.MAJOR}
    network.heal()
    assert judged(network) == set()


def test_a_cut_feed_is_blindness_and_nothing_else() -> None:
    for router in ("gobgp", "ams-ce1"):
        for reason in (LostReason.RESET, LostReason.SILENT):
            network = Network()
            network.cut(router, reason)
            assert {finding.kind for finding in network.findings()} == {Kind.BLIND}
            assert network.findings()[0].subject.exporter == router
            network.wait(30)
            network.reconnect(router)
            assert judged(network) <= {f"blind {router}"}
            network.wait(6)
            assert judged(network) == set()
            assert network.changes == []


def test_a_restart_of_the_collectors_gobgp_says_nothing_of_any_service() -> None:
    network = Network()
    for source in {source for source, _ in network.table if source.session.router == "gobgp"}:
        network.down(source, DownReason.LOCAL_NOTIFICATION, "6/3 Cease: Peer De-configured")
    for site in ("ams", "nyc"):
        network.down(edge_to_collector(site), DownReason.REMOTE_NOTIFICATION, "6/3 Cease")
    network.cut("gobgp")
    assert judged(network) == {"blind gobgp"}
    assert network.changes == []
    network.wait(2)
    network.reconnect("gobgp")
    for site in ("ams", "nyc"):
        network.up(edge_to_collector(site))
    network.wait(6)
    assert judged(network) == set()
    assert network.changes == []
