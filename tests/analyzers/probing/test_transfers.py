"""`throughput-drop`, `mtu-blackhole`, `tcp-break`: transfers, sizes and long-lived connections."""

from datetime import datetime, timedelta

import pytest

from analyzers.probing.canaries import Canaries
from analyzers.probing.sizes import Ladder
from analyzers.probing.transfers import Transfers
from anycast.finding import Kind, Severity
from anycast.probe import Outcome, Probe, ProbeResult
from tests.analyzers.network import START, WEB, best_route, best_source
from tests.analyzers.probing.agent import Agent, Probed


def transferred(site: Probed, *speeds: float) -> None:
    for speed in speeds:
        site.agent.extra.append(
            ProbeResult(
                site.now - timedelta(seconds=9), Probe.THROUGHPUT, "web", Outcome.ANSWERED, rtt=8.0, value=speed
            )
        )
        site.wait(1)


@pytest.mark.parametrize(
    ("last", "severity"), [(6e6, None), (4.9e6, Severity.WARNING), (1.9e6, Severity.MAJOR), (20e6, None)]
)
def test_a_transfer_is_held_against_the_median_of_those_before(last: float, severity: Severity | None) -> None:
    site = Probed(Agent("ams")).wait(5)
    transferred(site, 10e6, 9e6, 11e6, last)
    assert [f.severity for f in site.found(Kind.THROUGHPUT_DROP)] == ([Severity.INFO] if severity else [])
    transferred(site, last)  # one alone is worth a line, two in a row are told
    assert [f.severity for f in site.found(Kind.THROUGHPUT_DROP)] == ([severity] if severity else [])


def test_on_a_way_on_which_tcp_is_fast_now_and_slow_then_only_slower_still_is_a_drop() -> None:
    site = Probed(Agent("ams")).wait(5)
    transferred(site, 10e6, 4e6, 11e6, 9e6, 3.5e6)  # under half of the median, and hardly slower than once before
    assert site.found(Kind.THROUGHPUT_DROP) == []
    transferred(site, 1.5e6)
    assert len(site.found(Kind.THROUGHPUT_DROP)) == 1


def test_two_transfers_are_no_usual_speed() -> None:
    site = Probed(Agent("ams")).wait(5)
    transferred(site, 10e6, 10e6, 1e6)
    assert site.found(Kind.THROUGHPUT_DROP) == []


def test_a_drop_stands_until_a_test_is_good_again_and_survives_a_restart() -> None:
    site = Probed(Agent("ams")).wait(5)
    transferred(site, 10e6, 10e6, 10e6, 3e6, 4e6)
    (drop,) = site.found(Kind.THROUGHPUT_DROP)
    site.restarted().wait(8)
    assert [f.since for f in site.found(Kind.THROUGHPUT_DROP)] == [drop.since]
    transferred(site, 5.5e6)
    assert len(site.found(Kind.THROUGHPUT_DROP)) == 1  # just over a half is not over yet
    transferred(site, 9e6)
    assert site.found(Kind.THROUGHPUT_DROP) == []


def test_a_test_that_failed_says_nothing_of_speed_and_eight_slow_ones_are_usual() -> None:
    tests = Transfers()
    for n in range(4):
        tests.take(float(n), ProbeResult(START, Probe.THROUGHPUT, "web", Outcome.ANSWERED, rtt=1.0, value=10e6))
    tests.take(5.0, ProbeResult(START, Probe.THROUGHPUT, "web", Outcome.SILENT))
    assert tests.found(6.0) is None
    for n in range(8):
        tests.take(10.0 + n, ProbeResult(START, Probe.THROUGHPUT, "web", Outcome.ANSWERED, rtt=1.0, value=3e6))
        assert (tests.found(10.0 + n) is not None) is (n < 7)


# mtu-blackhole


SIZES = (1372, 1400, 1436, 1472, 1500)


def rounds(ladder: Ladder, *ends: dict[int, Outcome], start: float = 0.0) -> float:
    """Ask all sizes; what is not named is answered."""
    for end in ends:
        start += 30.0
        for size in SIZES:
            outcome = end.get(size, Outcome.ANSWERED)
            ladder.take(start + size / 1e4, ProbeResult(START, Probe.MTU, "web", outcome, value=float(size)))
    return start + 1


LARGE = {1472: Outcome.SILENT, 1500: Outcome.SILENT}


def test_sizes_that_vanish_twice_are_a_hole() -> None:
    ladder = Ladder()
    assert ladder.found(rounds(ladder, {}, LARGE)) is None
    now = rounds(ladder, LARGE, start=60.0)
    found = ladder.found(now)
    assert found is not None
    assert (found.arrives, found.vanishes, round(found.since)) == (1436, 1472, 60)
    assert ladder.found(rounds(ladder, {}, start=now)) is None


def test_sizes_that_somebody_says_are_too_big_are_none() -> None:
    ladder = Ladder()
    now = rounds(ladder, *[LARGE] * 3)
    assert ladder.found(now) is not None
    for _ in (1472, 1500):  # the value is the MTU that was told
        ladder.take(now, ProbeResult(START, Probe.MTU, "web", Outcome.TOO_BIG, value=1450.0))
    assert ladder.found(now + 1) is None


@pytest.mark.parametrize(
    "end",
    [
        dict.fromkeys(SIZES, Outcome.SILENT),  # nothing is answered: no matter of size
        {1372: Outcome.SILENT, 1400: Outcome.SILENT},  # larger ones are
        {1436: Outcome.SILENT},  # one in the middle
    ],
)
def test_silence_that_is_not_of_the_largest_is_no_hole(end: dict[int, Outcome]) -> None:
    ladder = Ladder()
    assert ladder.found(rounds(ladder, {}, end, end, end)) is None


def test_on_a_path_that_loses_a_third_silence_is_asked_for() -> None:
    ladder = Ladder()
    now = rounds(ladder, {1400: Outcome.SILENT}, LARGE, LARGE)
    assert ladder.found(now) is None
    assert ladder.found(rounds(ladder, LARGE, start=now)) is not None


def test_a_hole_at_a_site_is_a_finding_and_old_rounds_are_none() -> None:
    site = Probed(Agent("ams")).wait(5)
    for n in range(3):
        for size in SIZES:
            outcome = Outcome.SILENT if n and size > 1436 else Outcome.ANSWERED
            site.agent.extra.append(ProbeResult(site.now, Probe.MTU, "web", outcome, value=float(size)))
            site.wait(0.25)
    (hole,) = site.found(Kind.MTU_BLACKHOLE)
    assert (hole.subject.service, hole.subject.site, hole.severity) == ("web", "ams", Severity.MAJOR)
    assert ("vanishes", "IP packets of 1472 octets: no answer, and no ICMP error") in hole.evidence
    site.wait(601)
    assert site.found(Kind.MTU_BLACKHOLE) == []


# tcp-break


def broke(site: Probed, outcome: Outcome, *which: int) -> None:
    for canary in which:
        site.agent.extra.append(beat(canary, outcome, site.now))


def beat(canary: int, outcome: Outcome, at: datetime = START, age: float | None = 20.0) -> ProbeResult:
    return ProbeResult(at, Probe.CANARY, "web", outcome, canary, value=age)


def test_two_of_four_that_are_reset_together_are_a_break_with_what_changed_before() -> None:
    site = Probed(Agent("ams", canaries=4)).wait(30)
    site.network.announce(best_source("ams"), WEB, best_route("ams", "eus"))
    broke(site, Outcome.RESET, 0, 2)
    site.wait(0.25)
    (found,) = site.found(Kind.TCP_BREAK)
    assert (found.subject.service, found.subject.site, found.severity) == ("web", "ams", Severity.WARNING)
    assert ("connections", "2 of 4") in found.evidence
    assert any("changed at ams-ce1-best (V6)" in text for _, text in found.evidence)
    site.wait(20)
    assert site.found(Kind.TCP_BREAK) == []


@pytest.mark.parametrize(("canaries", "which"), [(4, (0,)), (16, (0, 1, 2))])
def test_one_canary_or_few_of_many_are_no_break(canaries: int, which: tuple[int, ...]) -> None:
    site = Probed(Agent("ams", canaries=canaries)).wait(30)
    broke(site, Outcome.RESET, *which)
    site.wait(1)
    assert site.found(Kind.TCP_BREAK) == []


def test_breaks_that_lie_apart_do_not_belong_together() -> None:
    site = Probed(Agent("ams", canaries=4)).wait(30)
    for canary in range(4):
        broke(site, Outcome.RESET, canary)
        for _ in range(60):
            site.wait(0.25)
            assert site.found(Kind.TCP_BREAK) == []


def test_canaries_hang_only_where_new_connections_are_answered() -> None:
    for works in (True, False):
        canaries = Canaries()
        for canary in range(4):
            canaries.take(0.0, beat(canary, Outcome.ANSWERED))
        for n in range(1, 4):
            for canary in (0, 1):
                canaries.take(float(n), beat(canary, Outcome.SILENT))
            if works:
                canaries.works = n + 0.5
            assert (canaries.found(n + 1.0) is not None) is (works and n == 3)


def test_a_connection_that_does_not_open_did_not_break() -> None:
    canaries = Canaries()
    for canary in range(4):
        canaries.take(0.0, beat(canary, Outcome.ANSWERED))
        canaries.take(2.0, beat(canary, Outcome.RESET, age=None))
    assert canaries.found(3.0) is None
    canaries.take(3.0, beat(0, Outcome.RESET))
    canaries.take(3.0, beat(1, Outcome.RESET))
    assert canaries.found(4.0) is not None


def test_one_beat_that_is_lost_is_no_break() -> None:
    site = Probed(Agent("ams", canaries=4)).wait(30)
    for _ in range(3):
        broke(site, Outcome.SILENT, 0, 1, 2, 3)
        site.wait(2)
        assert site.found(Kind.TCP_BREAK) == []


def test_a_new_run_of_the_agent_opens_new_connections_and_breaks_none() -> None:
    site = Probed(Agent("ams", canaries=4)).wait(30)
    broke(site, Outcome.RESET, 0, 1, 2, 3)
    site.agent.run, site.agent.sequence = "second", 0
    site.wait(1)
    assert len(site.found(Kind.TCP_BREAK)) <= 1
    canaries = Canaries()
    for canary in range(1000):
        canaries.take(0.0, beat(canary, Outcome.ANSWERED))
        canaries.take(1.0, beat(canary, Outcome.RESET))
    assert len(canaries._beats) == len(canaries._breaks) == 128
