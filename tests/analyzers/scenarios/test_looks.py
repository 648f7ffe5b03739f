"""Routes that nobody meant, or that look otherwise: each beside what is nearly the same and must not be told."""

from ipaddress import ip_address, ip_network

import pytest

from anycast.finding import Kind, Severity
from anycast.intent import Instance, Intent, Nva, Placement, Region, Service, Site
from anycast.observation import SessionUp
from anycast.prefix import Prefix
from anycast.route import Asn, parse_community
from tests.analyzers.network import (
    DNS,
    EDGES,
    MSEES,
    VDI,
    WEB,
    Network,
    best_route,
    best_source,
    healthy,
    intent,
    looks,
    msee_route,
    msee_source,
    nva_route,
    nva_source,
    opens,
    placement,
    rs_source,
    services,
    vantages,
    vpn_source,
)
from tests.analyzers.scenarios.judged import MSEE, NVA, RS0, RS1, announced, of, of_service, only

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


def test_only_named_instances_are_compared() -> None:
    weu, eus = intent().regions
    single = Region("weu", (Instance("weu-rs0", weu.instances[0].address),), weu.nvas, weu.recognition)
    network = Network(intent(regions=(single, eus), vantages=tuple(v for v in vantages() if v.name != "weu-rs1")))
    network.withdraw(RS0, VDI)
    assert of(network, Kind.INSTANCE_SKEW) == []
    assert [f.subject.region for f in of(network, Kind.MISSING)] == ["weu"]


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
