"""Who answers: against intent, against the best path, and before."""

from datetime import timedelta

import pytest

from anycast.finding import Finding, Kind, Severity
from anycast.intent import Site
from tests.analyzers.network import WEB, best_route, best_source, intent
from tests.analyzers.probed import Probed, probed_intent


def of(network: Probed, kind: Kind) -> list[Finding]:
    return sorted((f for f in network.open_now() if f.kind is kind), key=lambda finding: finding.key)


def test_another_region_than_the_best_path_leads_to_is_misrouted() -> None:
    network = Probed(sites=("ams",))
    network.lands["ams", "web"] = ("eus",)
    network.run(8)
    [found] = of(network, Kind.MISROUTED)
    assert (found.subject.region, found.subject.site, found.severity) == ("eus", "ams", Severity.MAJOR)
    assert dict(found.evidence)["best path leads to"] == "weu"
    assert dict(found.evidence)["meant"] == "weu, then eus"


def test_a_lower_tier_that_the_best_path_leads_to_is_misrouted_while_the_upper_one_is_there() -> None:
    network = Probed(sites=("ams",))
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.lands["ams", "web"] = ("eus",)
    network.run(8)
    [found] = of(network, Kind.MISROUTED)
    assert "comes first" in found.summary
    assert dict(found.evidence)["best path leads to"] == "eus"


def test_a_region_that_must_never_serve_a_site_is_critical() -> None:
    sites = (Site("ams", (), (("weu",),), never=("eus",), agent=True),)
    network = Probed(sites=("ams",), meant=probed_intent(sites=sites))
    network.lands["ams", "web"] = ("weu", "eus")
    network.run(8)
    [found] = of(network, Kind.MISROUTED)
    assert (found.subject.region, found.severity) == ("eus", Severity.CRITICAL)


def test_a_failover_is_not_misrouted() -> None:
    network = Probed(sites=("ams",))
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.lands["ams", "web"] = ("eus",)
    network.run(10)
    assert of(network, Kind.MISROUTED) == []


def test_both_regions_of_a_tier_may_answer() -> None:
    network = Probed(sites=("nyc",))
    network.run(10)
    assert network.steps == []


def test_a_shift_that_a_withdrawal_explains_is_info_and_names_it() -> None:
    network = Probed()
    network.run(60)
    began = network.now
    network.withdraw_region("weu", WEB)
    network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    network.announce(best_source("nyc"), WEB, best_route("nyc", "eus"))
    network.lands["ams", "web"] = network.lands["nyc", "web"] = ("eus",)
    took = network.wait_for(Kind.CATCHMENT_SHIFT, 10)
    assert took is not None
    assert took <= 3
    network.run(2)
    found = of(network, Kind.CATCHMENT_SHIFT)
    assert [f.subject.site for f in found] == ["ams", "nyc"]
    for finding in found:
        assert finding.severity is Severity.INFO
        assert timedelta(0) <= finding.since - began <= timedelta(seconds=1)
        assert "from weu to eus" in finding.summary
        assert "10.250.0.10/32" in dict(finding.evidence)["event"]
    network.run(70)
    assert of(network, Kind.CATCHMENT_SHIFT) == []


def test_a_shift_without_any_event_is_a_warning() -> None:
    network = Probed(sites=("ams",))
    network.run(60)
    network.lands["ams", "web"] = ("weu", "eus")
    took = network.wait_for(Kind.CATCHMENT_SHIFT, 10)
    assert took is not None
    assert took <= 3
    [found] = of(network, Kind.CATCHMENT_SHIFT)
    assert found.severity is Severity.WARNING
    assert "no event of BGP explains it" in found.summary


def test_where_the_edge_is_not_seen_nobody_says_that_nothing_explains_a_shift() -> None:
    network = Probed(sites=("ams",))
    network.run(60)
    network.cut("ams-ce1")
    network.lands["ams", "web"] = ("eus",)
    network.run(5)
    [found] = of(network, Kind.CATCHMENT_SHIFT)
    assert found.severity is Severity.INFO
    assert "not known" in found.summary


def test_a_shift_of_new_ports_alone_is_seen_by_shares() -> None:
    network = Probed(sites=("ams",), flows=0)
    network.run(70)
    network.lands["ams", "web"] = ("weu", "eus")
    took = network.wait_for(Kind.CATCHMENT_SHIFT, 40)
    assert took is not None


@pytest.mark.parametrize("seed", range(3))
def test_the_luck_of_the_hash_is_no_shift_and_no_polarisation(seed: int) -> None:
    network = Probed(seed=seed, sites=("nyc",))
    network.run(30)
    for turn in range(4):
        network.agents[0].run, network.agents[0].sequence = f"again-{turn}", 0  # a restart, with ports of its own
        network.agents[0].waiting.clear()
        network.hashes.clear()
        network.run(15)
    assert {s.record.finding.kind for s in network.steps} <= set()


def test_flows_that_change_their_region_three_times_flap() -> None:
    network = Probed(sites=("ams",))
    for turn in range(4):
        network.lands["ams", "web"] = ("eus",) if turn % 2 == 0 else ("weu",)
        network.run(20)
        assert bool(of(network, Kind.CATCHMENT_FLAP)) is (turn >= 2)
    [found] = of(network, Kind.CATCHMENT_FLAP)
    assert found.severity is Severity.MAJOR
    network.judged = False
    network.run(640)
    network.judged = True
    network.run(31)
    assert of(network, Kind.CATCHMENT_FLAP) == []


def test_a_failover_and_its_end_are_no_flap() -> None:
    network = Probed(sites=("ams",))
    for regions in (("eus",), ("weu",)):
        network.lands["ams", "web"] = regions
        network.run(20)
    assert of(network, Kind.CATCHMENT_FLAP) == []


def test_what_moved_while_the_agent_was_away_is_no_shift() -> None:
    network = Probed(sites=("ams",))
    network.run(5)
    network.agents[0].alive = False
    network.run(20)
    network.agents[0].waiting.clear()
    network.lands["ams", "web"] = ("eus",)
    network.agents[0].alive = True
    network.run(8)
    assert of(network, Kind.CATCHMENT_SHIFT) == []
    assert of(network, Kind.MISROUTED)


def test_intent_that_does_not_name_a_site_any_more_drops_what_was_seen() -> None:
    network = Probed(meant=probed_intent())
    assert set(network.view.probing.sites) == {"ams", "nyc"}
    kept = tuple(site for site in network.intent.sites if site.name == "ams")
    network.intent = probed_intent(sites=kept, vantages=tuple(v for v in intent().vantages if v.site != "nyc"))
    network.view.reconfigure(network.intent)
    assert set(network.view.probing.sites) == {"ams"}
    assert "agent/nyc" not in network.view.unknown()
