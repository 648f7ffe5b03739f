"""Where sites land, as pages show it: what is meant, by BGP and seen, what it rests on, and what it was before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from analyzers.legs import lossy_leg
from analyzers.probing.picture import LATELY, catchments, quantiles
from analyzers.view import View
from anycast.catchment import AgentState, LegKind, LegState, RegionShare, SiteServiceCatchment
from anycast.intent import Site
from anycast.probe import AgentReported, Identity, Outcome, Probe, ProbeResult, Proof
from tests.analyzers.network import START
from tests.analyzers.probed import Asked, Probed, at_circuit, at_nva, probed_intent


def watched(**more: object) -> Probed:
    """A world in which nothing is judged but what is asked."""
    world = Probed(services=("web",), settle=0.0, **more)  # type: ignore[arg-type]
    world.judged = False
    world.run(8)
    return world


def seen(world: Probed, site: str, service: str = "web") -> SiteServiceCatchment:
    found = catchments(world.view, world.intent, world.now)
    return next(each for each in found if (each.site, each.service) == (site, service))


def region(of: SiteServiceCatchment, name: str) -> RegionShare:
    return next(each for each in of.regions if each.region == name)


def test_what_is_meant_by_bgp_and_seen_agree_while_all_is_well() -> None:
    world = watched()
    world.run(20)
    ams, nyc = seen(world, "ams"), seen(world, "nyc")
    assert (ams.agent, ams.intended, ams.by_bgp, ams.answering) == (
        AgentState.HEARD,
        (("weu",), ("eus",)),
        ("weu",),
        ("weu",),
    )
    weu, eus = region(ams, "weu"), region(ams, "eus")
    assert (weu.share.value, weu.intended, weu.by_bgp, weu.flows) == (1.0, True, True, 32)
    assert weu.share.low > 0.9
    assert (eus.share.value, eus.intended, eus.by_bgp, eus.flows, eus.latency) == (0.0, True, False, 0, None)
    assert weu.latency is not None
    assert 0.009 < weu.latency.least <= weu.latency.p50 <= weu.latency.p90 <= weu.latency.p99 <= weu.latency.most < 0.05
    assert (nyc.by_bgp, nyc.answering) == (("eus", "weu"), ("weu", "eus"))
    assert 0.2 < region(nyc, "weu").share.value < 0.8
    assert region(nyc, "weu").share.value + region(nyc, "eus").share.value == pytest.approx(1.0)
    assert ams.loss.value == 0.0
    assert ams.shift is None


def test_a_service_that_is_not_probed_and_a_site_without_agent_have_intent_and_bgp_alone() -> None:
    world = watched(sites=("ams",))
    dns, nyc = seen(world, "ams", "dns"), seen(world, "nyc")
    assert (dns.agent, dns.answering, dns.legs, dns.probe) == (AgentState.HEARD, (), (), None)
    assert dns.by_bgp
    assert all(each.share.samples == 0 and each.proof is Proof.NONE for each in dns.regions)
    assert (nyc.agent, nyc.heard, nyc.answering) == (AgentState.NEVER, None, ())
    assert {each.region for each in nyc.regions} == {"weu", "eus"}


def test_legs_that_lose_are_dead_or_lossy_and_the_others_are_fine() -> None:
    world = watched()
    assert {leg.state for leg in seen(world, "ams").legs} == {LegState.FINE}
    world.faults = [at_nva("weu-nva1")]
    world.run(6)
    legs = {leg.name: leg for leg in seen(world, "ams").legs}
    assert (legs["weu-nva1"].state, legs["weu-nva2"].state) == (LegState.DEAD, LegState.FINE)
    assert legs["weu-nva1"].loss.value > 0.1 > legs["weu-nva2"].loss.value
    assert legs["weu-nva1"].region == "weu"
    world.faults = [at_circuit("172.16.0.1", part=0.3)]
    world.run(30)
    legs = {leg.name: leg for leg in seen(world, "ams").legs}
    assert legs["172.16.0.1"].kind is LegKind.CIRCUIT
    assert (legs["172.16.0.1"].state, legs["172.16.0.5"].state) == (LegState.LOSSY, LegState.FINE)
    assert legs["172.16.0.1"].flows + legs["172.16.0.5"].flows == 32


def test_shares_are_counted_from_the_shift_on_and_say_what_explains_it() -> None:
    world = watched()
    world.run(100)
    assert seen(world, "ams").seconds > 90
    world.lands["ams", "web"] = ("eus",)
    world.run(20)
    ams = seen(world, "ams")
    assert ams.answering == ("eus",)
    assert region(ams, "eus").share.value == 1.0
    assert ams.seconds <= 25
    assert ams.shift is not None
    assert dict(ams.shift.before).keys() == {"weu"}
    assert dict(ams.shift.after).keys() == {"eus"}
    assert ams.shift.explained is None, "nothing of BGP explains it"
    assert ams.by_bgp == ("weu",), "BGP says otherwise, and both are shown"
    world.run(605)
    assert seen(world, "ams").shift is None


def test_of_an_agent_that_is_lost_the_last_that_was_seen_stays_and_says_of_when_it_is() -> None:
    world = watched()
    world.run(30)
    world.agents[0].alive = False
    world.run(300)
    ams = seen(world, "ams")
    assert ams.agent is AgentState.LOST
    assert ams.heard is not None
    assert timedelta(seconds=299) < world.now - ams.heard < timedelta(seconds=302)
    assert region(ams, "weu").share.value == 1.0
    assert region(ams, "weu").flows == 32


def matched(seconds: float, sequence: int, region: str, outcome: Outcome = Outcome.ANSWERED) -> AgentReported:
    at = START + timedelta(seconds=seconds)
    identity = Identity(region) if outcome is Outcome.ANSWERED else None
    proof = Proof.MATCHED if identity is not None else Proof.NONE
    taken = ProbeResult(at, Probe.HTTP, "web", outcome, rtt=0.05, identity=identity, proof=proof, connect=0.02)
    return AgentReported(at, "ams", "run", sequence, (taken,))


def test_a_service_that_only_names_itself_has_shares_that_are_matched_and_not_authenticated() -> None:
    view = View(probed_intent())
    for n in range(1, 41):
        view.apply(matched(n, n, "eus" if n % 4 == 0 else "weu"))
    for n in range(41, 51):
        view.apply(matched(n, n, "weu", Outcome.SILENT))
    found = catchments(view, probed_intent(), START + timedelta(seconds=51))
    ams = next(each for each in found if (each.site, each.service) == ("ams", "web"))
    assert ams.probe is Probe.HTTP
    weu, eus = region(ams, "weu"), region(ams, "eus")
    assert (weu.share.value, eus.share.value) == (0.75, 0.25)
    assert (weu.proof, eus.proof) == (Proof.MATCHED, Proof.MATCHED)
    assert weu.latency is not None
    assert weu.latency.p50 == 0.02, "the way's time, and not the application's"
    assert ams.loss.value == pytest.approx(0.2)


def test_authenticated_answers_are_said_to_be_so() -> None:
    world = watched()
    world.run(12)
    assert region(seen(world, "ams"), "weu").proof is Proof.AUTHENTICATED
    assert region(seen(world, "ams"), "eus").proof is Proof.NONE
    assert seen(world, "ams").probe is Probe.UDP


def test_an_identity_that_proves_nothing_is_in_no_share() -> None:
    view = View(probed_intent())
    for n in range(1, 20):
        report = matched(n, n, "weu")
        [result] = report.results
        view.apply(replace(report, results=(replace(result, proof=Proof.NONE),)))
    ams = next(each for each in catchments(view, probed_intent(), START + timedelta(seconds=20)) if each.site == "ams")
    assert ams.answering == ()
    assert all(each.latency is None for each in ams.regions)


def test_a_site_with_no_tiers_shows_where_it_lands() -> None:
    site = Site("ams", probed_intent().by_site["ams"].routers, (), agent=True)
    world = watched(meant=replace(probed_intent(), sites=(site, probed_intent().sites[1])))
    world.run(12)
    ams = seen(world, "ams")
    assert ams.intended == ()
    assert [each.region for each in ams.regions if each.share.value] == ["weu"]


def test_quantiles_are_round_trips_that_were_measured() -> None:
    assert quantiles(()) is None
    one = quantiles((0.5,))
    assert one is not None
    assert (one.least, one.p50, one.p99, one.most) == (0.5, 0.5, 0.5, 0.5)
    many = quantiles([n / 100 for n in range(101)])
    assert many is not None
    assert (many.samples, many.least, many.p50, many.p90, many.p99, many.most) == (101, 0.0, 0.5, 0.9, 0.99, 1.0)
    assert timedelta(minutes=2) == LATELY


def test_flows_that_a_stranger_answers_are_on_no_leg_and_lose_nothing() -> None:
    world = watched()
    plain = world._result

    def strange(asked: Asked, outcome: Outcome, circuit: str) -> ProbeResult:
        made = plain(asked, outcome, circuit)
        return made if made.identity is None else replace(made, identity=Identity("<script>", "x" * 300))

    world._result = strange  # type: ignore[method-assign]
    world.run(130)
    ams = seen(world, "ams")
    assert {each.region for each in ams.regions if each.share.value} == set()
    assert ams.loss.value == 0.0
    assert {leg.state for leg in ams.legs} == {LegState.FINE}
    assert list(lossy_leg(world.view, world.intent, world.now)) == []
