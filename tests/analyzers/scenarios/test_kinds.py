"""Each kind of finding: what makes it, and beside it what is nearly the same and must not."""

from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest

from analyzers.judge import ANALYZERS, judge
from analyzers.memory import restore, snapshot
from anycast.finding import Finding, Kind, Severity
from anycast.intent import Exporter, Instance, Intent, Nva, Placement, Region, Service, Site, Thresholds, Vantage
from anycast.observation import DownReason, FeedOpened, SessionUp
from anycast.prefix import Prefix
from anycast.route import Asn, parse_community
from tests.analyzers.network import (
    DNS,
    EDGES,
    MSEES,
    START,
    VDI,
    WEB,
    Network,
    at_collector,
    best_route,
    best_source,
    dump,
    healthy,
    intent,
    looks,
    msee_route,
    msee_source,
    nva_route,
    nva_source,
    opens,
    placement,
    rs_route,
    rs_source,
    services,
    vantages,
    vpn_source,
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


# missing


def test_a_region_without_the_route_at_one_instance_only_is_skew_and_not_missing() -> None:
    network = Network()
    network.withdraw(RS0, WEB)
    assert {finding.kind for finding in network.findings()} == {Kind.INSTANCE_SKEW}
    network.withdraw(RS1, WEB)
    assert {finding.subject.region for finding in of(network, Kind.MISSING)} == {"weu"}


def test_where_no_instance_is_watched_the_nvas_decide_for_the_region() -> None:
    meant = intent(vantages=tuple(v for v in vantages() if v.instance is None))
    network = Network(meant)
    network.withdraw(NVA, WEB)
    assert [f.subject.nva for f in of(network, Kind.MISSING)] == ["weu-nva1"]
    network.withdraw(nva_source("weu-nva2"), WEB)
    assert [(f.subject.region, f.subject.nva) for f in of(network, Kind.MISSING)] == [("weu", None)]


def test_our_own_sessions_to_the_instances_being_down_does_not_make_a_region_missing() -> None:
    network = Network()
    network.down(RS0)
    network.down(RS1)
    assert {finding.kind for finding in network.findings()} == {Kind.SESSION_DOWN}
    network.down(NVA)
    network.down(nva_source("weu-nva2"))
    assert {finding.kind for finding in network.findings()} == {Kind.SESSION_DOWN}  # the sites still hear it


def test_a_region_that_nobody_beside_it_sees_and_no_site_hears_is_missing() -> None:
    network = Network()
    for source in (RS0, RS1, NVA, nva_source("weu-nva2")):
        network.down(source)
    for site in EDGES:
        for msee in ("weu-msee1", "weu-msee2"):
            network.withdraw(msee_source(site, msee), WEB)
    assert [f.subject.region for f in of(network, Kind.MISSING)] == ["weu"]


def test_a_site_that_does_not_hear_a_region_that_advertises_is_missing_it() -> None:
    network = Network()
    network.withdraw(msee_source("ams", "weu-msee1"), WEB)
    assert network.findings() == ()
    network.withdraw(msee_source("ams", "weu-msee2"), WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    (missing,) = of(network, Kind.MISSING)
    assert (missing.subject.site, missing.subject.region, missing.severity) == ("ams", "weu", Severity.MAJOR)
    assert {f.severity for f in of(network, Kind.BACKUP_ACTIVE)} == {Severity.INFO}


def test_a_session_that_must_carry_a_region_and_does_not_is_missing_it() -> None:
    written = Vantage(
        "ams-msee1", "ams-ce1", ip_address("172.16.0.1"), vantages()[-1].rung, site="ams", expects=("weu",)
    )
    network = Network(intent(vantages=(written, *vantages())))
    network.withdraw(MSEE, WEB)
    (missing,) = of(network, Kind.MISSING)
    assert (missing.subject.vantage, missing.severity) == ("ams-msee1", Severity.WARNING)
    network.down(MSEE)
    assert {finding.kind for finding in network.findings()} == {Kind.SESSION_DOWN}


def test_a_service_heard_and_not_chosen_is_missing_at_the_best_path() -> None:
    network = Network()
    network.withdraw(best_source("ams"), WEB)
    assert only(network).key == "missing|service=web|prefix=10.250.0.10/32|site=ams|vantage=ams-ce1-best"


def test_missing_is_silent_while_a_rung_it_needs_is_unknown() -> None:
    network = Network()
    network.cut("gobgp")
    for msee in ("weu-msee1", "weu-msee2"):
        network.withdraw(msee_source("ams", msee), WEB)
    assert {finding.kind for finding in network.findings()} == {Kind.BLIND}
    network.reconnect("gobgp")
    network.wait(6)
    assert [f.subject.site for f in of(network, Kind.MISSING)] == ["ams"]


# missing-everywhere, redundancy-low, cascade


def test_a_service_of_no_region_is_missing_everywhere_and_not_once_more_for_each() -> None:
    network = Network()
    gone(network, "weu", "eus")
    assert {finding.kind for finding in network.findings()} == {Kind.MISSING_EVERYWHERE, Kind.CASCADE}
    (everywhere,) = of(network, Kind.MISSING_EVERYWHERE)
    assert everywhere.severity is Severity.CRITICAL
    network.cut("gobgp")
    assert of(network, Kind.MISSING_EVERYWHERE) == []


def test_the_last_region_with_one_nva_only_is_worse_than_with_two() -> None:
    network = Network()
    gone(network, "weu")
    (low,) = of(network, Kind.REDUNDANCY_LOW)
    assert low.severity is Severity.WARNING
    network.down(nva_source("eus-nva1"))
    (low,) = of(network, Kind.REDUNDANCY_LOW)
    assert low.severity is Severity.MAJOR


def test_a_service_of_one_region_has_no_redundancy_to_lose() -> None:
    network = Network(intent(services=of_service("web", placements=(placement("weu"),))))
    for n in (1, 2):
        network.withdraw(nva_source(f"eus-nva{n}"), WEB)
        network.withdraw(rs_source(f"eus-rs{n - 1}"), WEB)
    for site in EDGES:
        for msee in ("eus-msee1", "eus-msee2"):
            network.withdraw(msee_source(site, msee), WEB)
    assert network.findings() == ()


@pytest.mark.parametrize(("apart", "cascades"), [(59.0, 1), (61.0, 0)])
def test_two_regions_within_a_minute_are_a_cascade_and_later_ones_are_not(apart: float, cascades: int) -> None:
    network = Network()
    gone(network, "weu", "eus", apart=apart)
    assert len(of(network, Kind.CASCADE)) == cascades
    network.wait(3600)
    assert len(of(network, Kind.CASCADE)) == cascades
    network.announce(RS0, WEB, rs_route("weu-rs0", WEB))
    assert of(network, Kind.CASCADE) == []


def test_regions_lost_in_one_long_gap_are_no_cascade_that_anybody_saw() -> None:
    for pause, cascades in ((20, 1), (300, 0)):
        network = Network()
        network.cut("gobgp")
        network.table = {key: value for key, value in network.table.items() if key[1] != WEB}
        network.wait(pause)
        network.reconnect("gobgp")
        network.wait(6)
        assert len(of(network, Kind.CASCADE)) == cascades
        assert len(of(network, Kind.MISSING_EVERYWHERE)) == 1


# unexpected-*


def test_an_nva_in_another_as_than_its_own_is_an_unexpected_origin() -> None:
    network = Network()
    network.announce(NVA, WEB, looks(65010, 64999, hop="10.10.1.4"))
    assert only(network).key == "unexpected-origin|service=web|prefix=10.250.0.10/32|detail=AS64999"


def test_one_origin_heard_in_many_places_is_one_finding() -> None:
    network = Network()
    for site in EDGES:
        for msee in MSEES:
            network.announce(msee_source(site, msee), WEB, looks(12076, 3356, hop="172.16.0.1", marks=["12076:51002"]))
    (origin,) = of(network, Kind.UNEXPECTED_ORIGIN)
    assert origin.subject.detail == "AS3356"
    assert len(origin.rests_on) == 8


def test_a_site_that_originates_the_service_itself_is_an_unexpected_origin() -> None:
    network = Network()
    network.announce(best_source("ams"), WEB, looks(hop="10.90.0.1", lp=100))
    assert only(network).subject.detail == "no AS"


def test_an_nva_that_is_not_listed_for_the_service_is_a_warning() -> None:
    one = Placement("weu", nvas=("weu-nva2",))
    network = Network(intent(services=of_service("web", placements=(one, placement("eus")))))
    assert (only(network).kind, only(network).subject.nva) == (Kind.UNEXPECTED_ORIGIN, "weu-nva1")
    assert only(network).severity is Severity.WARNING


def test_a_region_that_must_not_advertise_is_unexpected() -> None:
    meant = intent(services=of_service("vdi", placements=(placement("weu"),)))
    network = Network(meant)
    assert only(network).key == "unexpected-region|service=vdi|prefix=10.250.8.0/24|region=eus"
    assert only(network).severity is Severity.CRITICAL


def test_a_site_that_lands_on_a_region_it_must_never_use_is_unexpected() -> None:
    ams, nyc = intent().sites
    never = Site("ams", ams.routers, (("weu",),), ("eus",))
    network = Network(intent(sites=(never, nyc)))
    assert network.findings() == ()
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    assert only(network).key == "unexpected-region|service=web|prefix=10.250.0.10/32|region=eus|site=ams"


def test_a_next_hop_of_nobody_is_unexpected_and_a_load_balancers_is_not() -> None:
    network = Network()
    network.announce(NVA, WEB, looks(65010, hop="10.10.1.77"))
    assert only(network).subject.detail == "10.10.1.77"
    weu, eus = intent().regions
    balanced = tuple(Nva(nva.name, nva.address, nva.asn, (ip_address("10.10.1.77"),)) for nva in weu.nvas)
    network = Network(intent(regions=(Region("weu", weu.instances, balanced, weu.recognition), eus)))
    network.announce(NVA, WEB, looks(65010, hop="10.10.1.77"))
    assert network.findings() == ()


def test_a_route_server_may_show_the_nvas_next_hop_or_its_own_and_no_other() -> None:
    network = Network()
    for source in (RS0, RS1):
        network.announce(source, WEB, looks(65515, 65010, hop="10.10.1.5"))
    assert network.findings() == ()
    for source in (RS0, RS1):
        network.announce(source, WEB, looks(65515, 65010, hop="10.10.9.9"))
    assert {finding.kind for finding in network.findings()} == {Kind.UNEXPECTED_NEXT_HOP}


# ranges


def announced(network: Network, prefix: str, *path: int, at: str = "nva") -> None:
    where = {"nva": NVA, "edge": MSEE}[at]
    network.announce(where, ip_network(prefix), looks(*path, hop=str(where.session.peer)))


@pytest.mark.parametrize("at", ["nva", "edge"])
def test_a_more_specific_is_critical_wherever_it_is(at: str) -> None:
    network = Network()
    announced(network, "10.250.8.0/25", 65010, at=at)
    assert (only(network).kind, only(network).severity) == (Kind.MORE_SPECIFIC, Severity.CRITICAL)
    assert only(network).subject.detail == "10.250.8.0/25"


def test_another_services_prefix_inside_is_planned() -> None:
    inside: Prefix = ip_network("10.250.8.7/32")
    more = Service("one", (inside,), (Placement("weu", nvas=("weu-nva1",)),))
    network = Network(intent(services=(*services(), more)))
    announced(network, "10.250.8.7/32", 65010)
    assert of(network, Kind.MORE_SPECIFIC) == []


@pytest.mark.parametrize(
    ("prefix", "at", "found"),
    [
        ("10.250.0.0/24", "edge", True),
        ("10.250.0.0/24", "nva", True),
        ("0.0.0.0/0", "nva", True),
        ("0.0.0.0/0", "edge", False),
        ("10.90.0.0/15", "edge", False),
        ("10.251.0.0/24", "edge", False),
    ],
)
def test_a_covering_route_is_told_unless_it_is_planned_or_a_sites_default(prefix: str, at: str, found: bool) -> None:
    network = Network()
    announced(network, prefix, 65010, at=at)
    assert bool(of(network, Kind.COVERING_ROUTE)) is found


def test_a_covering_route_of_many_services_is_one_finding() -> None:
    network = Network()
    announced(network, "10.248.0.0/13", 65010)
    assert only(network).key == "covering-route|prefix=10.248.0.0/13"


def test_an_nvas_route_inside_a_vnet_overlaps_and_the_route_servers_own_does_not() -> None:
    network = Network()
    announced(network, "10.10.7.0/24", 65010)
    assert (only(network).key, only(network).severity) == ("overlap|prefix=10.10.7.0/24|region=weu", Severity.WARNING)
    network = Network()
    announced(network, "10.11.0.0/16", 65010)
    assert network.findings() == ()


# instance-skew


def test_instances_that_merely_chose_differently_are_told_as_info() -> None:
    weu, eus = intent().regions
    second = Nva("weu-nva2", ip_address("10.10.1.5"), Asn(65011))
    meant = intent(regions=(Region("weu", weu.instances, (weu.nvas[0], second), weu.recognition), eus))
    table = healthy()
    for prefix in (WEB, DNS, VDI):
        table[nva_source("weu-nva2"), prefix] = looks(65011, hop="10.10.1.5")
    network = Network(meant, table)
    assert network.findings() == ()
    network.announce(RS1, WEB, looks(65515, 65011, hop="10.10.255.5"))
    assert (only(network).kind, only(network).severity) == (Kind.INSTANCE_SKEW, Severity.INFO)
    network.announce(RS1, WEB, looks(65515, 65011, 65011, hop="10.10.255.5"))
    assert {f.severity for f in of(network, Kind.INSTANCE_SKEW)} == {Severity.WARNING}


def test_instances_that_differ_in_communities_are_skewed() -> None:
    network = Network()
    network.announce(RS1, WEB, looks(65515, 65010, hop="10.10.255.5", marks=["65010:7"]))
    assert (only(network).kind, only(network).severity) == (Kind.INSTANCE_SKEW, Severity.WARNING)


def test_prefixes_of_no_service_in_one_instance_are_one_warning() -> None:
    network = Network()
    for n in range(3):
        network.announce(RS0, ip_network(f"10.60.{n}.0/24"), looks(65515, 65010, hop="10.10.255.4"))
    assert only(network).key == "instance-skew|region=weu|detail=other prefixes"
    for n in range(3):
        network.announce(RS1, ip_network(f"10.60.{n}.0/24"), looks(65515, 65010, hop="10.10.255.5"))
    assert network.findings() == ()


def test_an_instance_that_is_down_or_unknown_is_not_skewed() -> None:
    network = Network()
    network.down(RS1)
    assert of(network, Kind.INSTANCE_SKEW) == []
    network.up(RS1)
    assert of(network, Kind.INSTANCE_SKEW) == []


# attribute-drift, prepends


def meant_attributes(**parts: object) -> Intent:
    return intent(services=of_service("web", placements=(placement("weu", **parts), placement("eus"))))


def test_a_wrong_med_is_drift_and_the_right_one_is_not() -> None:
    for med, wrong in ((100, False), (1000, True), (None, True)):
        table = healthy()
        for n in (1, 2):
            table[nva_source(f"weu-nva{n}"), WEB] = looks(65010, hop=f"10.10.1.{3 + n}", med=med)
        network = Network(meant_attributes(med=100), table)
        assert [f.subject.detail for f in network.findings()] == (["MED"] if wrong else [])


def test_a_community_that_must_be_there_is_missed_and_others_may_be_there_too() -> None:
    for marks, wrong in ((["65010:1", "65010:2"], False), (["65010:2"], True)):
        table = healthy()
        for n in (1, 2):
            table[nva_source(f"weu-nva{n}"), WEB] = looks(65010, hop=f"10.10.1.{3 + n}", marks=marks)
            table[rs_source(f"weu-rs{n - 1}"), WEB] = looks(65515, 65010, hop=f"10.10.255.{3 + n}", marks=marks)
        network = Network(meant_attributes(communities=(parse_community("65010:1"),)), table)
        assert [f.subject.detail for f in network.findings()] == (["COMMUNITIES"] if wrong else [])


def test_a_community_that_keeps_the_route_from_the_gateway_is_drift() -> None:
    network = Network()
    network.announce(NVA, WEB, looks(65010, hop="10.10.1.4", marks=["no-advertise"]))
    assert only(network).subject.detail == "COMMUNITIES no-advertise"


def test_a_route_without_any_regions_marks_is_drift_and_makes_nothing_missing() -> None:
    network = Network()
    for msee in ("weu-msee1", "weu-msee2"):
        network.announce(msee_source("ams", msee), WEB, looks(12076, hop="172.16.0.1"))
    assert only(network).key == "attribute-drift|service=web|prefix=10.250.0.10/32|site=ams|detail=COMMUNITIES"


def test_another_as_in_the_path_is_drift() -> None:
    network = Network()
    network.announce(NVA, WEB, looks(65099, 65010, hop="10.10.1.4"))
    assert "AS_PATH" in {f.subject.detail for f in of(network, Kind.ATTRIBUTE_DRIFT)}


def test_a_link_that_microsoft_drains_is_told_as_info() -> None:
    network = Network()
    network.announce(MSEE, WEB, looks(12076, 12076, hop="172.16.0.1", marks=["12076:51002"]))
    assert (only(network).subject.detail, only(network).severity) == ("AS_PATH", Severity.INFO)


def test_a_hold_time_that_was_negotiated_otherwise_is_drift() -> None:
    network = Network()
    network.see(SessionUp(network.now, NVA.session, *opens(NVA, hold=3)))
    assert only(network).key == "attribute-drift|region=weu|nva=weu-nva1|vantage=weu-nva1|detail=HOLD_TIME"
    network.see(SessionUp(network.now, NVA.session, *opens(NVA, hold=180)))  # the smaller of the two is used
    assert network.findings() == ()


def test_a_prepend_too_many_is_added_and_one_too_few_is_lost() -> None:
    for times, kind in ((2, Kind.PREPEND_LOST), (4, Kind.PREPEND_ADDED)):
        network = Network()
        for n in (1, 2):
            network.announce(nva_source(f"eus-nva{n}"), DNS, nva_route(f"eus-nva{n}", DNS, prepend=times))
        assert (only(network).kind, only(network).subject.region) == (kind, "eus")


def test_prepends_are_not_judged_where_private_ases_are_stripped() -> None:
    network = Network()
    network.announce(msee_source("ams", "eus-msee1"), DNS, msee_route("ams", "eus-msee1"))
    assert network.findings() == ()
    network.announce(vpn_source("eus"), DNS, looks(65515, 65020, hop="172.18.1.1"))
    assert only(network).kind is Kind.PREPEND_LOST


# backup-active, ecmp-shrunk


def test_a_failover_whose_reason_cannot_be_seen_is_not_judged() -> None:
    network = Network()
    network.cut("ams-ce1")
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    assert {finding.kind for finding in network.findings()} == {Kind.BLIND}


def test_a_longer_path_is_no_equal_path() -> None:
    network = Network()
    network.announce(NVA, WEB, nva_route("weu-nva1", WEB, prepend=1))
    assert {finding.kind for finding in network.findings()} == {Kind.ECMP_SHRUNK, Kind.PREPEND_ADDED}


def test_a_site_that_hears_a_whole_tier_has_not_shrunk() -> None:
    network = Network()
    for msee in ("weu-msee1", "weu-msee2"):
        network.withdraw(msee_source("ams", msee), VDI)
    network.announce(best_source("ams"), VDI, best_route("ams", "eus"))
    assert of(network, Kind.ECMP_SHRUNK) == []  # ams has one region in each tier
    for msee in ("weu-msee1", "weu-msee2"):
        network.withdraw(msee_source("nyc", msee), VDI)
    assert [f.subject.site for f in of(network, Kind.ECMP_SHRUNK)] == ["nyc"]


# how many NVAs at once


def of_three(at_least: int | None) -> Network:
    """One region that matters, `eus`, with a third NVA that only the intent knows a session of."""
    third = Nva("eus-nva3", ip_address("10.20.1.6"), Asn(65020))
    meant = intent()
    eus = meant.by_region["eus"]
    seat = next(v for v in meant.vantages if v.nva == "eus-nva1")
    values = {slot: getattr(seat, slot) for slot in Vantage.__slots__}
    placed = Placement("eus", nvas=("eus-nva1", "eus-nva2", "eus-nva3"), at_least=at_least)
    return Network(
        intent(
            services=of_service("web", placements=(placement("weu"), placed)),
            regions=(meant.by_region["weu"], Region("eus", eus.instances, (*eus.nvas, third), eus.recognition)),
            vantages=(
                *meant.vantages,
                Vantage(**(values | {"name": "eus-nva3", "nva": "eus-nva3", "peer": third.address})),
            ),
        )
    )


def counted(network: Network) -> set[tuple[Kind, str | None]]:
    kinds = (Kind.MISSING, Kind.ECMP_SHRUNK, Kind.REDUNDANCY_LOW, Kind.UNEXPECTED_ORIGIN)
    return {
        (f.kind, f.subject.nva or f.subject.region)
        for f in network.findings()
        if f.kind in kinds and f.subject.service == "web"
    }


def one_at_a_time(name: str) -> Placement:
    return placement(name, at_least=1)


def test_one_of_two_nvas_gone_is_nothing_where_one_at_a_time_is_meant() -> None:
    for least, found in ((None, {(Kind.MISSING, "weu-nva1"), (Kind.ECMP_SHRUNK, "weu")}), (1, set())):
        placed = (placement("weu", at_least=least), placement("eus"))
        network = Network(intent(services=of_service("web", placements=placed)))
        assert network.findings() == ()
        network.withdraw(NVA, WEB)
        assert counted(network) == found
        network.down(NVA)
        assert counted(network) == found - {(Kind.MISSING, "weu-nva1")}
        assert len(of(network, Kind.SESSION_DOWN)) == 1


def test_the_last_of_them_gone_is_told_although_one_at_a_time_is_meant() -> None:
    network = Network(intent(services=of_service("web", placements=(one_at_a_time("weu"), placement("eus")))))
    network.withdraw(NVA, WEB)
    network.withdraw(nva_source("weu-nva2"), WEB)
    assert counted(network) == {(Kind.MISSING, "weu-nva1"), (Kind.MISSING, "weu-nva2")}
    assert ("expected", "advertised by at least 1 of weu-nva1, weu-nva2") in of(network, Kind.MISSING)[0].evidence
    network.withdraw(RS0, WEB)
    network.withdraw(RS1, WEB)
    assert counted(network) == {(Kind.MISSING, "weu"), (Kind.REDUNDANCY_LOW, None)}


@pytest.mark.parametrize(("least", "told"), [(None, True), (3, True), (2, False), (1, False)])
def test_two_of_three_are_enough_where_two_are_meant(least: int | None, told: bool) -> None:
    network = of_three(least)
    network.announce(at_collector("10.20.1.6"), WEB, nva_route("eus-nva1", WEB))
    network.wait(10)
    assert counted(network) == set()
    network.withdraw(nva_source("eus-nva1"), WEB)
    found = {(Kind.MISSING, "eus-nva1"), (Kind.ECMP_SHRUNK, "eus")} if told else set()
    assert counted(network) == found


def test_one_of_three_is_too_few_where_two_are_meant() -> None:
    network = of_three(2)
    network.announce(at_collector("10.20.1.6"), WEB, nva_route("eus-nva1", WEB))
    network.wait(10)
    network.withdraw(nva_source("eus-nva1"), WEB)
    network.withdraw(nva_source("eus-nva2"), WEB)
    assert counted(network) == {
        (Kind.MISSING, "eus-nva1"), (Kind.MISSING, "eus-nva2"), (Kind.ECMP_SHRUNK, "eus")
    }  # fmt: skip
    (shrunk,) = of(network, Kind.ECMP_SHRUNK)
    assert shrunk.summary.endswith("1 of 3 NVAs of eus advertise its shortest path, 2 are meant")


def test_an_nva_whose_session_with_us_is_down_may_be_the_one_that_advertises() -> None:
    network = of_three(2)
    assert [f.subject.nva for f in of(network, Kind.SESSION_DOWN)] == ["eus-nva3"]
    network.withdraw(nva_source("eus-nva1"), WEB)
    assert counted(network) == {(Kind.ECMP_SHRUNK, "eus")}  # one of three is in sight, which is capacity and no more


def test_a_longer_path_leaves_as_many_equal_ones_as_are_meant() -> None:
    for least, kinds in ((None, {Kind.ECMP_SHRUNK, Kind.PREPEND_ADDED}), (1, {Kind.PREPEND_ADDED})):
        placed = (placement("weu", at_least=least), placement("eus"))
        network = Network(intent(services=of_service("web", placements=placed)))
        network.announce(NVA, WEB, nva_route("weu-nva1", WEB, prepend=1))
        assert {finding.kind for finding in network.findings()} == kinds


def test_the_last_region_with_one_nva_is_as_meant_where_one_at_a_time_is_meant() -> None:
    network = Network(intent(services=of_service("web", placements=(placement("weu"), one_at_a_time("eus")))))
    gone(network, "weu")
    network.withdraw(nva_source("eus-nva1"), WEB)
    (low,) = of(network, Kind.REDUNDANCY_LOW)
    assert low.severity is Severity.WARNING


# session-down, flapping, prefix-limit, blind


def test_our_own_best_path_feed_down_is_a_warning() -> None:
    network = Network()
    network.down(best_source("ams"))
    assert (only(network).kind, only(network).severity) == (Kind.SESSION_DOWN, Severity.WARNING)


def test_a_session_of_an_edge_router_that_never_carried_a_service_is_not_ours() -> None:
    network = Network()
    stranger = msee_source("ams", "weu-msee1").session.__class__("ams-ce1", ip_address("10.90.7.7"))
    network.see(SessionUp(network.now, stranger))
    network.wait(6)
    network.down(type(MSEE)(stranger))
    assert network.findings() == ()


def test_a_flap_ends_by_decay_and_its_cap() -> None:
    network = Network()
    for _ in range(30):
        network.withdraw(NVA, WEB)
        network.announce(NVA, WEB, nva_route("weu-nva1", WEB))
        network.wait(2)
    assert {finding.kind for finding in network.findings()} == {Kind.FLAPPING}
    network.wait(Thresholds().flap_window.total_seconds() * 1.5)
    assert network.findings() == ()


def test_downs_of_different_nvas_do_not_add_up_to_flapping() -> None:
    network = Network()
    for nva in ("weu-nva1", "weu-nva2", "eus-nva1", "eus-nva2"):
        network.withdraw(nva_source(nva), WEB)
        network.announce(nva_source(nva), WEB, nva_route(nva, WEB))
    assert network.findings() == ()


@pytest.mark.parametrize(
    ("count", "severity"),
    [(50, None), (51, Severity.WARNING), (80, Severity.WARNING), (94, Severity.WARNING), (95, Severity.MAJOR)],
)
def test_a_session_near_its_limit_or_over_half_of_it_is_told(count: int, severity: Severity | None) -> None:
    limited = tuple(
        Vantage(v.name, v.exporter, v.peer, v.rung, whole=v.whole, region=v.region, nva=v.nva, prefix_limit=100)
        if v.name == "weu-nva1"
        else v
        for v in vantages()
    )
    network = Network(intent(vantages=limited))
    for n in range(count - 3):  # three services are there
        network.announce(NVA, ip_network(f"10.60.{n}.0/24"), looks(65010, hop="10.10.1.4"))
    assert [f.severity for f in network.findings()] == ([] if severity is None else [severity])


def test_an_exporter_that_never_connects_is_blindness_once_it_had_its_time() -> None:
    network = Network()
    network.view = network.view.__class__(network.intent)
    network.now = START
    for router in ("gobgp", "ams-ce1"):
        network.see(*dump(router, network.table, START))
    network.wait(50)
    assert network.findings() == ()
    network.wait(20)
    assert only(network).key == "blind|site=nyc|exporter=nyc-ce1"


def test_an_exporter_that_a_reload_names_has_its_time_from_then_on() -> None:
    network = Network()
    network.wait(300)
    network.view.reconfigure(meant := intent(exporters=(*network.intent.exporters, Exporter("lux-ce1", ()))))
    network.intent = meant
    assert network.findings() == ()
    reloaded = network.now
    network.wait(0)
    network.wait(59)
    assert network.findings() == ()
    network.wait(1)
    assert only(network).key == "blind|exporter=lux-ce1"
    assert only(network).since == reloaded


def test_when_nobody_connects_after_a_restart_that_is_blindness_too() -> None:
    network = Network()
    network.view = restore(network.intent, snapshot(network.view), network.now)
    network.wait(1)
    assert network.findings() == ()
    network.wait(61)
    assert [finding.subject.exporter for finding in network.findings()] == ["gobgp", "ams-ce1", "nyc-ce1"]


def test_a_table_that_loads_for_more_than_a_minute_is_blindness() -> None:
    network = Network()
    network.cut("ams-ce1")
    network.see(FeedOpened(network.now, "ams-ce1"))
    network.see(*(SessionUp(network.now, msee_source("ams", msee).session) for msee in MSEES))
    for _ in range(70):
        network.now += timedelta(seconds=1)
        for msee in MSEES:
            network.view.busy(msee_source("ams", msee).session, network.now, 50_000)
        network.wait(0)
    assert (only(network).kind, only(network).severity) == (Kind.BLIND, Severity.WARNING)
    network.wait(6)
    assert Kind.BLIND not in {finding.kind for finding in network.findings()}


def test_a_session_that_is_monitored_no_more_is_blindness_of_that_session() -> None:
    network = Network()
    network.down(MSEE, DownReason.DECONFIGURED)
    assert only(network).key == "blind|site=ams|vantage=ams-ce1/172.16.0.1"
    network.up(MSEE)
    network.wait(6)
    assert network.findings() == ()


def test_every_key_is_judged_once_and_says_what_it_rests_on() -> None:
    network = Network()
    gone(network, "weu")
    network.down(MSEE)
    announced(network, "10.250.8.0/25", 65010)
    findings = judge(network.view, network.intent, network.now)
    assert len({finding.key for finding in findings}) == len(findings) > 5
    assert all(finding.rests_on and finding.evidence for finding in findings)
    assert all(finding.since <= network.now for finding in findings)
    assert [judge(network.view, network.intent, network.now + timedelta(seconds=n)) for n in (0, 30)] == [findings] * 2
    assert len(ANALYZERS) == len(Kind)


def test_only_named_instances_are_compared() -> None:
    weu, eus = intent().regions
    single = Region("weu", (Instance("weu-rs0", weu.instances[0].address),), weu.nvas, weu.recognition)
    network = Network(intent(regions=(single, eus), vantages=tuple(v for v in vantages() if v.name != "weu-rs1")))
    network.withdraw(RS0, VDI)
    assert of(network, Kind.INSTANCE_SKEW) == []
    assert [f.subject.region for f in of(network, Kind.MISSING)] == ["weu"]
