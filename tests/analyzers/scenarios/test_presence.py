"""Where a service is missing, for whom, how much of it: each beside what is nearly the same and must not be told."""

from ipaddress import ip_address

import pytest

from anycast.finding import Kind, Severity
from anycast.intent import Nva, Placement, Region, Vantage
from anycast.route import Asn
from tests.analyzers.network import (
    EDGES,
    VDI,
    WEB,
    Network,
    at_collector,
    best_route,
    best_source,
    intent,
    msee_source,
    nva_route,
    nva_source,
    placement,
    rs_route,
    rs_source,
    vantages,
)
from tests.analyzers.scenarios.judged import MSEE, NVA, RS0, RS1, gone, of, of_service, only

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
