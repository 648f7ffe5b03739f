"""`app-slow`, `app-errors`, `responder-slow`: what is wrong with who answers, and not with the way."""

from dataclasses import replace
from ipaddress import ip_address

import pytest

from analyzers.probing.applications import Answers, Speed
from anycast.finding import Kind, Severity
from anycast.probe import Identity, Outcome, Probe, ProbeResult, Proof, Target, TargetKind
from tests.analyzers.network import START
from tests.analyzers.probing.agent import EUS1, WEU1, Agent, Probed


def test_an_application_that_takes_longer_is_slow_and_the_way_is_not() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.first_byte = 0.8
    took = site.after(Kind.APP_SLOW, 6)
    assert took is not None
    (slow,) = site.found(Kind.APP_SLOW)
    assert (slow.subject.service, slow.subject.region, slow.subject.site) == ("web", "weu", None)
    assert slow.rests_on == frozenset({"agent/ams"})
    site.wait(10)
    assert site.alarms() == {Kind.APP_SLOW}
    site.agent.first_byte = 0.03
    site.wait(6)
    assert site.found(Kind.APP_SLOW) == []


def test_a_way_that_takes_longer_makes_no_application_slow() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.first_byte, site.agent.connect = 0.33, 0.3  # each takes a round trip more
    site.agent.more = lambda flow, at: 0.3
    site.wait(20)
    assert site.found(Kind.APP_SLOW) == []
    assert len(site.found(Kind.LATENCY_SHIFT)) == 1


@pytest.mark.parametrize("first_byte", [0.08, 0.12])
def test_three_times_or_a_tenth_of_a_second_alone_is_not_slow(first_byte: float) -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.first_byte = first_byte
    site.wait(20)
    assert site.found(Kind.APP_SLOW) == []


def test_an_application_seen_slow_from_two_sites_is_one_finding() -> None:
    sites = Probed(Agent("ams"), Agent("nyc", seed=2)).wait(80)
    for agent in sites.agents:
        agent.first_byte = 0.8
    sites.wait(8)
    (slow,) = sites.found(Kind.APP_SLOW)
    assert slow.rests_on == frozenset({"agent/ams", "agent/nyc"})


def test_dns_needs_something_that_shows_the_way() -> None:
    def ask(site: Probed, rtt: float) -> None:
        site.agent.extra.append(
            ProbeResult(
                site.now, Probe.DNS, "web", Outcome.ANSWERED, rtt=rtt, identity=Identity(*WEU1), proof=Proof.MATCHED
            )
        )

    for flows, told in ((16, 1), (0, 0)):
        site = Probed(Agent("ams", flows=flows, http=0)).wait(1)
        for n in range(400):
            ask(site, 0.03 if n < 300 else 0.5)
            site.wait(0.5)
        assert len(site.found(Kind.APP_SLOW)) == told


def test_an_application_at_its_own_address_is_named_by_its_target() -> None:
    target = Target("app-weu", TargetKind.APPLICATION, ip_address("10.10.2.4"), "weu", "weu-nva1", service="web")
    agent = Agent("ams")
    agent.targets += (target,)
    site = Probed(agent)
    for n in range(400):
        first = 0.03 if n < 340 else 0.6
        agent.extra.append(
            ProbeResult(
                site.now, Probe.HTTP, "app-weu", Outcome.ANSWERED, rtt=first + 0.02, connect=0.02, first_byte=first
            )
        )
        site.wait(0.25)
    (slow,) = site.found(Kind.APP_SLOW)
    assert str(slow.subject) == "service=web region=weu nva=weu-nva1 detail=app-weu"


def test_what_stays_slow_for_half_an_hour_is_usual() -> None:
    speed = Speed()
    for n in range(2400):
        speed.take(1000.0 + n, 0.03 if n < 100 else 0.5)
        assert (speed.found(1000.0 + n) is not None) is (102 <= n < 1903 - 1 + 1) or 1899 <= n <= 1905
    assert speed.usual == pytest.approx(0.5)


# app-errors


@pytest.mark.parametrize(("part", "severity"), [(1.0, Severity.CRITICAL), (0.2, Severity.MAJOR), (0.01, None)])
def test_errors_are_told_by_their_share(part: float, severity: Severity | None) -> None:
    site = Probed(Agent("ams", http=0.5, seed=7)).wait(60)
    site.agent.broken = part
    worst: list[Severity] = []
    for _ in range(60):
        site.wait(1)
        worst += [finding.severity for finding in site.found(Kind.APP_ERRORS)]
    assert (severity in worst) if severity is not None else worst == []
    site.agent.broken = 0.0
    site.wait(10)
    assert site.found(Kind.APP_ERRORS) == []


def test_errors_that_do_not_say_whose_they_are_are_the_only_regions_that_answers() -> None:
    site = Probed(Agent("ams")).wait(20)
    site.agent.broken = 1.0
    site.wait(6)
    assert [f.subject.region for f in site.found(Kind.APP_ERRORS)] == ["weu"]
    both = Probed(Agent("ams", lands=lambda flow: (WEU1, EUS1)[flow % 2])).wait(20)
    both.agent.broken = 1.0
    both.wait(6)
    (found,) = both.found(Kind.APP_ERRORS)
    assert (found.subject.region, found.subject.site) == (None, "ams")


def test_silence_and_refusals_are_no_errors_of_an_application() -> None:
    answers = Answers()
    for n in range(40):
        for outcome in (Outcome.SILENT, Outcome.REFUSED, Outcome.INVALID, Outcome.UNREACHABLE):
            answers.take(float(n), ProbeResult(START, Probe.HTTP, "web", outcome))
    assert answers.found(40.0) is None


def test_two_errors_of_a_restart_are_nothing() -> None:
    answers = Answers()
    right = ProbeResult(START, Probe.HTTP, "web", Outcome.ANSWERED)
    for n in range(30):
        answers.take(float(n), replace(right, outcome=Outcome.BROKEN, status=502) if n in (20, 21) else right)
        assert answers.found(float(n)) is None


def test_errors_are_named_the_commonest_first() -> None:
    answers = Answers()
    for n in range(10):
        status = 503 if n % 3 else 500
        answers.take(float(n), ProbeResult(START, Probe.HTTP, "web", Outcome.BROKEN, status=status))
    found = answers.found(10.0)
    assert found is not None
    assert found.words == ("status 503", "status 500")


# responder-slow


def test_a_responder_that_keeps_requests_is_told_and_no_latency_comes_of_it() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.held = 0.08
    site.wait(5)
    (slow,) = site.found(Kind.RESPONDER_SLOW)
    assert (slow.subject.region, slow.subject.nva, slow.severity) == ("weu", "weu-nva1", Severity.INFO)
    site.wait(15)
    assert site.alarms() == set()
    site.agent.held = 0.0001
    site.wait(5)
    assert site.found(Kind.RESPONDER_SLOW) == []


def test_a_responder_beside_an_application_that_is_slow_too_is_not_its_own_defect() -> None:
    site = Probed(Agent("ams")).wait(80)
    site.agent.held, site.agent.first_byte = 0.08, 0.9
    site.wait(12)
    assert site.found(Kind.RESPONDER_SLOW) == []
    assert len(site.found(Kind.APP_SLOW)) == 1
